//! `save`: the files of workspaces that were kept.

use crate::listing::ListArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;

/// `save` and its commands; nothing at all lists them.
#[derive(Debug, Clone, Args)]
pub struct SaveArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<SaveCommand>,
}

/// What can be done with saves.
#[derive(Debug, Clone, Subcommand)]
pub enum SaveCommand {
    /// List the saves that one may begin from
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Show one save
    #[command(alias = "inspect")]
    Show {
        /// Its id
        #[arg(value_name = "SAVE", add = names::saves())]
        id: String,
    },
    /// Tell which files differ from the environment's, or from an earlier save
    #[command(visible_alias = "diff")]
    Changes {
        /// Its id
        #[arg(value_name = "SAVE", add = names::saves())]
        id: String,
        /// The earlier save
        #[arg(long, value_name = "SAVE", add = names::saves())]
        since: Option<String>,
    },
    /// Make an environment that begins as a save
    Environment {
        /// Its id
        #[arg(value_name = "SAVE", add = names::saves())]
        id: String,
        /// The name of the environment
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Forget a save
    Rm {
        /// Its id
        #[arg(value_name = "SAVE", add = names::saves())]
        id: String,
        /// Whether to ask.
        #[command(flatten)]
        confirm: Confirm,
    },
}

/// Does one of them.
pub(crate) async fn save(args: &SaveArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None => list(client, out).await,
        Some(SaveCommand::Ls(args)) => list(&args.of(client), out).await,
        Some(SaveCommand::Show { id }) => {
            let found = client.save(id).await?;
            if out.is_json() { out.json(found.json()) } else { out.text(&render::save::one(&found)) }
        }
        Some(SaveCommand::Changes { id, since }) => {
            let changes = client.save_changes(id, since.as_deref()).await?;
            if out.is_json() {
                return out.json(changes.json());
            }
            if changes.is_empty() {
                return out.text("nothing differs");
            }
            out.text(&render::save::changes(&changes))
        }
        Some(SaveCommand::Environment { id, name }) => {
            let added = client.save_environment(id, name).await?;
            if out.is_json() {
                return out.json(added.json());
            }
            out.text(&format!("environment {} is there; open it: pierhead workspace open {}", added.id, added.id))
        }
        Some(SaveCommand::Rm { id, confirm }) => {
            confirm.ask(&format!("Forget the save {id}?"), WithoutTerminal::Refuse, out)?;
            client.delete_save(id).await?;
            out.done(&format!("forgot the save {id}"))
        }
    }
}

async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let saves = client.saves().await?;
    if out.is_json() {
        return out.json(saves.json());
    }
    if saves.is_empty() {
        return out.text("No saves. Save a workspace: pierhead workspace save WORKSPACE");
    }
    let table = render::save::list(&saves, out.width());
    out.text(&table)
}
