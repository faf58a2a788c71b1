//! `container`: list, inspect, and the verbs on single containers.

use crate::follow::ChangeArgs;
use crate::listing::ListArgs;
use crate::logs::{LogsArgs, logs};
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::several::each;
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::{Client, Verb};

/// `container` and its commands; an id alone shows that container, nothing at all lists them.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ContainerArgs {
    /// Container to show
    #[arg(value_name = "ID", add = names::containers())]
    pub id: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<ContainerCommand>,
}

/// What can be done with containers.
#[derive(Debug, Clone, Subcommand)]
pub enum ContainerCommand {
    /// List containers, newest first
    #[command(visible_alias = "list")]
    Ls(ContainerLsArgs),
    /// Show one container
    #[command(alias = "inspect")]
    Show {
        /// Its id, or the beginning of it
        #[arg(add = names::containers())]
        id: String,
    },
    /// Start containers
    Start(ContainerVerbArgs),
    /// Stop containers; they keep their place until they are started
    Stop(ContainerVerbArgs),
    /// Restart containers
    Restart(ContainerVerbArgs),
    /// Destroy containers; their apps run fewer from then on
    #[command(alias = "destroy")]
    Rm(ContainerRmArgs),
    /// Show what a container writes
    Logs(LogsArgs),
    /// Say why a container is where it is
    Explain {
        /// Its id, or the beginning of it
        #[arg(add = names::containers())]
        id: String,
    },
}

/// What `container ls` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct ContainerLsArgs {
    /// How many.
    #[command(flatten)]
    pub first: ListArgs,
    /// Those that do not run, too
    #[arg(long, short = 'a')]
    pub all: bool,
}

/// What the verbs take.
#[derive(Debug, Clone, Args)]
pub struct ContainerVerbArgs {
    /// Ids, or beginnings of them; one after another
    #[arg(required = true, value_name = "ID", add = names::containers())]
    pub ids: Vec<String>,
    /// How they are waited for.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What `container rm` takes.
#[derive(Debug, Clone, Args)]
pub struct ContainerRmArgs {
    /// Which.
    #[command(flatten)]
    pub verb: ContainerVerbArgs,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// Does one of them.
pub(crate) async fn container(args: &ContainerArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match (&args.command, &args.id) {
        (Some(ContainerCommand::Ls(args)), _) => list(args, client, out).await,
        (Some(ContainerCommand::Show { id }), _) | (None, Some(id)) => show(id, client, out).await,
        (Some(ContainerCommand::Start(args)), _) => act(args, Verb::Start, client, out).await,
        (Some(ContainerCommand::Stop(args)), _) => act(args, Verb::Stop, client, out).await,
        (Some(ContainerCommand::Restart(args)), _) => act(args, Verb::Restart, client, out).await,
        (Some(ContainerCommand::Rm(args)), _) => remove(args, WithoutTerminal::Refuse, client, out).await,
        (Some(ContainerCommand::Logs(args)), _) => logs(args, client, out).await,
        (Some(ContainerCommand::Explain { id }), _) => crate::explain::print(&client.explain_container(id).await?, out),
        (None, None) => list(&ContainerLsArgs::default(), client, out).await,
    }
}

/// Lists containers.
pub(crate) async fn list(args: &ContainerLsArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let containers = args.first.of(client).containers(args.all).await?;
    if out.is_json() {
        return out.json(containers.json());
    }
    if containers.is_empty() {
        return out.text(if args.all {
            "No containers yet. Try: pierhead run IMAGE"
        } else {
            "No containers run. Try: pierhead run IMAGE, or pierhead container ls --all"
        });
    }
    let table = render::container::list(&containers, out.now(), out.width());
    out.text(&table)
}

async fn show(id: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let container = client.container(id).await?;
    if out.is_json() { out.json(container.json()) } else { out.text(&render::container::one(&container)) }
}

/// Starts, stops or restarts each of them.
pub(crate) async fn act(
    args: &ContainerVerbArgs,
    verb: Verb,
    client: &Client,
    out: &mut Output,
) -> Result<(), CliError> {
    let (goal, done) = match verb {
        Verb::Start => ("running", "started"),
        Verb::Stop => ("stopped", "stopped"),
        Verb::Restart => ("running", "restarted"),
    };
    each(&args.ids, out, async |id, out| {
        let started = client.act(id, verb, &ChangeArgs::begin()).await?;
        args.change.conclude(client, started, goal, &format!("{done} {id}"), out).await
    })
    .await
}

/// Destroys each of them.
pub(crate) async fn remove(
    args: &ContainerRmArgs,
    without_terminal: WithoutTerminal,
    client: &Client,
    out: &mut Output,
) -> Result<(), CliError> {
    args.confirm.ask(&format!("Destroy {}?", args.verb.ids.join(", ")), without_terminal, out)?;
    each(&args.verb.ids, out, async |id, out| {
        let started = client.destroy(id, &ChangeArgs::begin()).await?;
        args.verb.change.conclude(client, started, "gone", &format!("destroyed {id}"), out).await
    })
    .await
}
