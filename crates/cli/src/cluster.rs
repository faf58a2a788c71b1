//! `cluster`: the pool as a whole.

use crate::follow::ChangeArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
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
    /// Say whether the other hosts could carry what runs on a host
    Survive {
        /// Its id
        #[arg(add = names::engines())]
        host: String,
    },
    /// Move containers so that all hosts are loaded evenly
    Rebalance(RebalanceArgs),
    /// Give up hosts that vanished at once, so that what lived there is placed elsewhere
    Thaw(Confirm),
    /// After a restore from a backup: say that all hosts are there, so that what is missing is made and what is unknown goes
    Settle(Confirm),
}

/// What `cluster rebalance` takes.
#[derive(Debug, Clone, Args)]
pub struct RebalanceArgs {
    /// Show the moves and make none
    #[arg(long)]
    pub plan: bool,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
    /// How they are waited for.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Does one of them.
pub(crate) async fn cluster(args: &ClusterArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None | Some(ClusterCommand::Info) => info(client, out).await,
        Some(ClusterCommand::Survive { host }) => survive(host, client, out).await,
        Some(ClusterCommand::Rebalance(args)) => rebalance(args, client, out).await,
        Some(ClusterCommand::Thaw(confirm)) => thaw(confirm, client, out).await,
        Some(ClusterCommand::Settle(confirm)) => settle(confirm, client, out).await,
    }
}

/// Shows the totals.
pub(crate) async fn info(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let info = client.cluster_info().await?;
    if out.is_json() { out.json(info.json()) } else { out.text(&render::cluster::info(&info)) }
}

async fn survive(host: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let survival = client.survival(host).await?;
    if out.is_json() {
        return out.json(survival.json());
    }
    let text = render::cluster::survival(&survival, out.width());
    out.text(&text)
}

async fn thaw(confirm: &Confirm, client: &Client, out: &mut Output) -> Result<(), CliError> {
    if let Some(why) = &client.cluster_info().await?.frozen {
        out.note(why);
        confirm.ask("Are these hosts lost, so that their slots go elsewhere?", WithoutTerminal::Refuse, out)?;
    }
    client.thaw().await?;
    out.done("given up; what lived there goes to other hosts")
}

async fn settle(confirm: &Confirm, client: &Client, out: &mut Output) -> Result<(), CliError> {
    if let Some(restored) = &client.cluster_info().await?.restored {
        for container in &restored.unknown {
            out.note(&format!("unknown: {} on {} ({})", container.name, container.engine, container.id));
        }
        let question = match restored.unknown.len() {
            0 => "Are all hosts there, so that what does not run is made?".to_owned(),
            count => format!("Are all hosts there, so that these {count} are removed and what does not run is made?"),
        };
        confirm.ask(&question, WithoutTerminal::Refuse, out)?;
    }
    client.settle().await?;
    out.done("settled; the records count again")
}

async fn rebalance(args: &RebalanceArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let plan = client.planned_rebalance().await?;
    let is_over = args.plan || plan.moves.is_empty();
    if is_over && out.is_json() {
        return out.json(plan.json());
    }
    if !out.is_json() {
        let text = render::cluster::rebalance(&plan, out.width());
        out.text(&text)?;
    }
    if is_over {
        return Ok(());
    }
    let moves = if plan.moves.len() == 1 { "1 move".to_owned() } else { format!("{} moves", plan.moves.len()) };
    args.confirm.ask(&format!("Make {moves}?"), WithoutTerminal::Refuse, out)?;
    let started = client.rebalance(&plan.moves, &ChangeArgs::begin()).await?;
    args.change.conclude(client, started, "moved", &format!("made {moves}"), out).await
}
