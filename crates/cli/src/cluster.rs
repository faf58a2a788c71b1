//! `cluster`: the pool as a whole.

use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;

/// `cluster` and its commands; nothing at all shows the totals.
#[derive(Debug, Clone, Args)]
pub struct ClusterArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<ClusterCommand>,
}

/// What can be done with the pool.
#[derive(Debug, Clone, Subcommand)]
pub enum ClusterCommand {
    /// Show CPU and memory, and how much is reserved and in use
    Info,
}

/// Shows the totals.
pub(crate) async fn info(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let info = client.cluster_info().await?;
    if out.is_json() { out.json(info.json()) } else { out.text(&render::cluster::info(&info)) }
}
