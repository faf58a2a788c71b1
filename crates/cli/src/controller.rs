//! `controller`: those that keep the pool.

use crate::listing::ListArgs;
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;

/// `controller` and its commands; nothing at all lists them.
#[derive(Debug, Clone, Args)]
pub struct ControllerArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<ControllerCommand>,
}

/// What can be done with controllers.
#[derive(Debug, Clone, Subcommand)]
pub enum ControllerCommand {
    /// List controllers: which leads, and how far each is behind
    #[command(visible_alias = "list")]
    Ls(ListArgs),
}

/// Does one of them.
pub(crate) async fn controller(args: &ControllerArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None => list(client, out).await,
        Some(ControllerCommand::Ls(args)) => list(&args.of(client), out).await,
    }
}

async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let controllers = client.controllers().await?;
    if out.is_json() {
        return out.json(controllers.json());
    }
    if controllers.is_empty() {
        return out.text("No controller has told of itself yet.");
    }
    let table = render::controller::list(&controllers, out.now(), out.width());
    out.text(&table)
}
