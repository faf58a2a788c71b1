//! `operation`: changes that take time.

use crate::flags::whole;
use crate::follow::follow;
use crate::listing::ListArgs;
use crate::names;
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;

/// `operation` and its commands; an id alone shows that operation, nothing at all lists them.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct OperationArgs {
    /// Operation to show
    #[arg(value_name = "ID", add = names::operations())]
    pub id: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<OperationCommand>,
}

/// What can be done with operations.
#[derive(Debug, Clone, Subcommand)]
pub enum OperationCommand {
    /// List operations, newest first
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Show an operation and what became of each slot
    #[command(alias = "inspect")]
    Show {
        /// Its id
        #[arg(add = names::operations())]
        id: String,
    },
    /// Wait until an operation has ended
    Wait {
        /// Its id
        #[arg(add = names::operations())]
        id: String,
        /// Stop waiting after so many seconds
        #[arg(long, value_name = "SECONDS", value_parser = whole(1_u64, 604_800), allow_negative_numbers = true)]
        timeout: Option<u64>,
    },
    /// Call an operation off; what it had added is taken back, what it had moved stays
    Cancel {
        /// Its id
        #[arg(add = names::operations())]
        id: String,
    },
}

/// Does one of them.
pub(crate) async fn operation(args: &OperationArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match (&args.command, &args.id) {
        (Some(OperationCommand::Ls(args)), _) => list(&args.of(client), out).await,
        (None, None) => list(client, out).await,
        (Some(OperationCommand::Show { id }), _) | (None, Some(id)) => show(id, client, out).await,
        (Some(OperationCommand::Wait { id, timeout }), _) => {
            let ended = follow(client, id, *timeout, "done", out).await?;
            if out.is_json() { out.json(ended.json()) } else { out.text(&format!("{}: done", ended.title)) }
        }
        (Some(OperationCommand::Cancel { id }), _) => {
            client.cancel_operation(id).await?;
            out.done(&format!("cancelled {id}"))
        }
    }
}

async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let operations = client.operations().await?;
    if out.is_json() {
        return out.json(operations.json());
    }
    if operations.is_empty() {
        return out.text("No operations yet. Whatever takes time is listed here. Try: pierhead run IMAGE");
    }
    let table = render::operation::list(&operations, out.now(), out.width());
    out.text(&table)
}

async fn show(id: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let operation = client.operation(id, None).await?;
    if out.is_json() {
        return out.json(operation.json());
    }
    let text = render::operation::one(&operation, out.width());
    out.text(&text)
}
