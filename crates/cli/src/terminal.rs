//! `terminal`: terminals in containers, who may come to them, and what was recorded.

use crate::exec::{AttachArgs, attach, find};
use crate::listing::ListArgs;
use crate::names;
use crate::several::each;
use crate::{CliError, Output, render};
use clap::{Args, Subcommand, ValueEnum};
use pierhead_client::{Answer, Client};
use pierhead_wire::TerminalView;
use std::path::PathBuf;

/// `terminal` and its commands; nothing at all lists those that run.
#[derive(Debug, Clone, Args)]
pub struct TerminalArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<TerminalCommand>,
}

/// What can be done with terminals.
#[derive(Debug, Clone, Subcommand)]
pub enum TerminalCommand {
    /// List terminals: one's own, and those that one is a guest of
    #[command(visible_alias = "list")]
    Ls(TerminalLsArgs),
    /// Show one terminal, who is there and who may come
    #[command(alias = "inspect")]
    Show {
        /// Its id, the beginning of it, or its name
        #[arg(value_name = "TERMINAL", add = names::terminals())]
        id: String,
    },
    /// Sit down at a terminal that is there
    Attach(AttachArgs),
    /// Let an account come to it
    Share(TerminalShareArgs),
    /// Let an account not come any more; if they are there, they are shown out
    Unshare(TerminalUnshareArgs),
    /// End terminals, with everything that they started
    #[command(visible_alias = "rm")]
    End(TerminalEndArgs),
    /// Write what was recorded of it, as asciicast v2
    Record(TerminalRecordArgs),
}

/// What `terminal ls` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct TerminalLsArgs {
    /// How many.
    #[command(flatten)]
    pub first: ListArgs,
    /// Those that have ended, too
    #[arg(long, short = 'a')]
    pub all: bool,
    /// Only those in this container
    #[arg(long, value_name = "ID", add = names::containers())]
    pub container: Option<String>,
}

/// What a guest may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum GuestRole {
    /// Look
    #[default]
    Viewer,
    /// Type, when nobody else does or when handed over to
    Driver,
}

/// What `terminal share` takes.
#[derive(Debug, Clone, Args)]
pub struct TerminalShareArgs {
    /// Its id, the beginning of it, or its name
    #[arg(value_name = "TERMINAL", add = names::terminals())]
    pub id: String,
    /// The account
    #[arg(value_name = "ACCOUNT", add = names::accounts())]
    pub account: String,
    /// As what they may come
    #[arg(long = "as", value_name = "ROLE", value_enum, default_value_t)]
    pub role: GuestRole,
}

/// What `terminal unshare` takes.
#[derive(Debug, Clone, Args)]
pub struct TerminalUnshareArgs {
    /// Its id, the beginning of it, or its name
    #[arg(value_name = "TERMINAL", add = names::terminals())]
    pub id: String,
    /// The account
    #[arg(value_name = "ACCOUNT", add = names::accounts())]
    pub account: String,
}

/// What `terminal end` takes.
#[derive(Debug, Clone, Args)]
pub struct TerminalEndArgs {
    /// Ids, beginnings of them, or names; one after another
    #[arg(required = true, value_name = "TERMINAL", add = names::terminals())]
    pub ids: Vec<String>,
}

/// What `terminal record` takes.
#[derive(Debug, Clone, Args)]
pub struct TerminalRecordArgs {
    /// Its id, the beginning of it, or its name
    #[arg(value_name = "TERMINAL", add = names::terminals())]
    pub id: String,
    /// File to write [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Does one of them.
pub(crate) async fn terminal(args: &TerminalArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None => list(&TerminalLsArgs::default(), client, out).await,
        Some(TerminalCommand::Ls(args)) => list(args, client, out).await,
        Some(TerminalCommand::Show { id }) => show(id, client, out).await,
        Some(TerminalCommand::Attach(args)) => attach(args, client, out).await,
        Some(TerminalCommand::Share(args)) => share(args, client, out).await,
        Some(TerminalCommand::Unshare(args)) => {
            client.unshare_terminal(&find(&args.id, client).await?, &args.account).await?;
            out.done(&format!("{} may not come to {} any more", args.account, args.id))
        }
        Some(TerminalCommand::End(args)) => {
            each(&args.ids, out, async |id, out| {
                client.end_terminal(&find(id, client).await?).await?;
                out.done(&format!("ended {id}"))
            })
            .await
        }
        Some(TerminalCommand::Record(args)) => record(args, client, out).await,
    }
}

async fn list(args: &TerminalLsArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let terminals: Answer<Vec<TerminalView>> = args.first.of(client).terminals(args.container.as_deref()).await?;
    if out.is_json() {
        return out.json(terminals.json());
    }
    let shown: Vec<TerminalView> =
        terminals.into_value().into_iter().filter(|terminal| args.all || terminal.state == "running").collect();
    if shown.is_empty() {
        return out.text("No terminals. Open one: pierhead exec -it APP");
    }
    let table = render::terminal::list(&shown, out.now(), out.width());
    out.text(&table)
}

async fn show(id: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let terminal = client.terminal(&find(id, client).await?).await?;
    if out.is_json() { out.json(terminal.json()) } else { out.text(&render::terminal::one(&terminal)) }
}

async fn share(args: &TerminalShareArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let role = match args.role {
        GuestRole::Viewer => "viewer",
        GuestRole::Driver => "driver",
    };
    let id = find(&args.id, client).await?;
    client.share_terminal(&id, &args.account, role).await?;
    out.done(&format!("{} may come as a {role}: pierhead attach {id}", args.account))
}

async fn record(args: &TerminalRecordArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let cast = client.terminal_recording(&find(&args.id, client).await?).await?;
    crate::recording::written(cast, args.output.as_deref(), out).await
}
