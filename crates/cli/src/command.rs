//! The commands, and which module does each.

use crate::account::{AccountAddArgs, AccountArgs, AccountRmArgs};
use crate::app::AppArgs;
use crate::cluster::ClusterArgs;
use crate::container::{ContainerArgs, ContainerLsArgs, ContainerRmArgs, ContainerVerbArgs};
use crate::engine::{EngineAddArgs, EngineArgs, EngineRmArgs};
use crate::event::EventsArgs;
use crate::explain::ExplainArgs;
use crate::login::LoginArgs;
use crate::logs::LogsArgs;
use crate::operation::OperationArgs;
use crate::output::WithoutTerminal;
use crate::role::RoleArgs;
use crate::run::RunArgs;
use crate::scale::ScaleArgs;
use crate::token::TokenArgs;
use crate::{
    CliError, Connection, Output, account, app, cluster, container, engine, event, explain, login, logs, operation,
};
use clap::{ArgAction, Parser, Subcommand};
use pierhead_client::Verb;
use std::process::ExitCode;

/// What stands below the list of commands in the help.
pub const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  refused or failed
  2  wrong usage
  3  not found
  4  no room, or in conflict with what is there
  5  not logged in, or not allowed
  6  unreachable, or timed out

Commands that destroy ask at a terminal; scripts say --yes.
With --json the server's answer is printed; errors always go to standard error.";

/// The command line of a program that is only a client.
#[derive(Debug, Parser)]
#[command(name = "pierhead", version, about = "Apps on plain Docker hosts", after_help = AFTER_HELP)]
#[command(disable_version_flag = true)]
pub struct Cli {
    /// Print the version
    #[arg(short = 'v', long, short_alias = 'V', action = ArgAction::Version)]
    pub version: Option<bool>,
    /// Which controllers are asked.
    #[command(flatten)]
    pub connection: Connection,
    /// What is done.
    #[command(subcommand)]
    pub command: ClientCommand,
}

/// Every command that asks a controller.
#[derive(Debug, Clone, Subcommand)]
pub enum ClientCommand {
    /// Run containers of an image
    Run(Box<RunArgs>),
    /// Set how many containers of an app run
    Scale(ScaleArgs),
    /// Apps: what shall run, by name
    #[command(visible_alias = "apps")]
    App(AppArgs),
    /// Containers: list, show, start, stop, restart, destroy
    Container(ContainerArgs),
    /// Show what containers write
    #[command(alias = "log")]
    Logs(LogsArgs),
    /// Say why something is where it is, or where it would be
    Explain(Box<ExplainArgs>),
    /// Engines: the Docker hosts of the pool
    Engine(EngineArgs),
    /// The pool as a whole
    Cluster(ClusterArgs),
    /// Operations: changes that take time
    #[command(alias = "operations")]
    Operation(OperationArgs),
    /// What happened, newest first
    Events(EventsArgs),
    /// Accounts: who may log in
    Account(AccountArgs),
    /// Roles: what accounts may do
    #[command(visible_alias = "roles")]
    Role(RoleArgs),
    /// Tokens: what programs log in with
    #[command(visible_alias = "tokens")]
    Token(TokenArgs),
    /// Log in and keep the token
    Login(LoginArgs),
    /// Revoke the token and forget it
    Logout,
    /// Print the version
    Version,
    /// The same as container ls
    #[command(hide = true)]
    Containers(ContainerLsArgs),
    /// The same as container rm
    #[command(hide = true)]
    Destroy(ContainerRmArgs),
    /// The same as container stop
    #[command(hide = true)]
    Stop(ContainerVerbArgs),
    /// The same as container start
    #[command(hide = true)]
    Start(ContainerVerbArgs),
    /// The same as container restart
    #[command(hide = true)]
    Restart(ContainerVerbArgs),
    /// The same as engine ls
    #[command(hide = true)]
    Engines,
    /// The same as engine add
    #[command(hide = true)]
    Eadd(Box<EngineAddArgs>),
    /// The same as engine rm
    #[command(hide = true)]
    Edelete(EngineRmArgs),
    /// The same as cluster info
    #[command(hide = true)]
    Clusterinfo,
    /// The same as account ls
    #[command(hide = true)]
    Accounts,
    /// The same as account add
    #[command(hide = true)]
    Aadd(AccountAddArgs),
    /// The same as account rm
    #[command(hide = true)]
    Adelete(AccountRmArgs),
}

/// Does what the command line says, on the streams of this process.
pub async fn run(cli: Cli) -> ExitCode {
    let mut out = Output::of_process();
    match execute(cli.command, &cli.connection, &mut out).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(report(&error, &mut out)),
    }
}

/// Says what went wrong and what to do next, and gives the exit code.
pub fn report(error: &CliError, out: &mut Output) -> u8 {
    if error.is_broken_pipe() {
        return 0;
    }
    out.note(&format!("error: {error}"));
    if let Some(hint) = error.hint() {
        out.note(&format!("hint: {hint}"));
    }
    error.exit_code()
}

/// Does one command.
///
/// # Errors
/// [`CliError`], which [`report`] turns into words and an exit code.
pub async fn execute(command: ClientCommand, connection: &Connection, out: &mut Output) -> Result<(), CliError> {
    out.set_json(connection.json);
    let client = || connection.open();
    match command {
        ClientCommand::Run(args) => crate::run::run(&args, &client()?, out).await,
        ClientCommand::Scale(args) => crate::scale::scale(&args, &client()?, out).await,
        ClientCommand::App(args) => app::app(&args, &client()?, out).await,
        ClientCommand::Container(args) => container::container(&args, &client()?, out).await,
        ClientCommand::Logs(args) => logs::logs(&args, &client()?, out).await,
        ClientCommand::Explain(args) => explain::explain(&args, &client()?, out).await,
        ClientCommand::Engine(args) => engine::engine(&args, &client()?, out).await,
        ClientCommand::Cluster(args) => cluster::cluster(&args, &client()?, out).await,
        ClientCommand::Clusterinfo => cluster::info(&client()?, out).await,
        ClientCommand::Operation(args) => operation::operation(&args, &client()?, out).await,
        ClientCommand::Events(args) => event::events(&args, &client()?, out).await,
        ClientCommand::Account(args) => account::account(&args, connection, out).await,
        ClientCommand::Role(args) => crate::role::role(&args, &client()?, out).await,
        ClientCommand::Token(args) => crate::token::token(&args, &client()?, out).await,
        ClientCommand::Login(args) => login::log_in(&args, connection, out).await,
        ClientCommand::Logout => login::log_out(connection, out).await,
        ClientCommand::Version => version(out),
        ClientCommand::Containers(args) => container::list(&args, &client()?, out).await,
        ClientCommand::Destroy(args) => container::remove(&args, WithoutTerminal::Proceed, &client()?, out).await,
        ClientCommand::Stop(args) => container::act(&args, Verb::Stop, &client()?, out).await,
        ClientCommand::Start(args) => container::act(&args, Verb::Start, &client()?, out).await,
        ClientCommand::Restart(args) => container::act(&args, Verb::Restart, &client()?, out).await,
        ClientCommand::Engines => engine::list(&client()?, out).await,
        ClientCommand::Eadd(args) => engine::add(&args, &client()?, out).await,
        ClientCommand::Edelete(args) => engine::remove(&args, WithoutTerminal::Proceed, &client()?, out).await,
        ClientCommand::Accounts => account::list(&client()?, out).await,
        ClientCommand::Aadd(args) => account::add(&args, &client()?, out).await,
        ClientCommand::Adelete(args) => account::remove(&args, WithoutTerminal::Proceed, &client()?, out).await,
    }
}

fn version(out: &mut Output) -> Result<(), CliError> {
    let version = env!("CARGO_PKG_VERSION");
    if out.is_json() {
        out.json(&format!(r#"{{"version":"{version}"}}"#))
    } else {
        out.text(&format!("pierhead {version}"))
    }
}

#[cfg(test)]
mod tests;
