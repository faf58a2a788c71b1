//! `workspace ports` and `workspace preview`: what listens in a workspace, and the address at which a browser sees it.

use crate::workspace::OneWorkspace;
use crate::{CliError, Output, render};
use clap::Args;
use pierhead_client::Client;

/// What `workspace preview` takes.
#[derive(Debug, Clone, Args)]
pub struct WorkspacePreviewArgs {
    /// Which.
    #[command(flatten)]
    pub workspace: OneWorkspace,
    /// The port, as `workspace ports` lists it
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
}

/// Lists the ports of a workspace.
pub(crate) async fn ports(workspace: &OneWorkspace, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let ports = client.workspace_ports(&workspace.id(client).await?).await?;
    if out.is_json() {
        return out.json(ports.json());
    }
    if ports.is_empty() {
        return out.text("Nothing listens in the workspace");
    }
    let table = render::preview::ports(&ports, out.width());
    out.text(&table)
}

/// Tells where a browser sees a port.
pub(crate) async fn preview(args: &WorkspacePreviewArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let preview = client.open_preview(&args.workspace.id(client).await?, args.port).await?;
    if out.is_json() { out.json(preview.json()) } else { out.text(&preview.url) }
}
