//! One program: the controller, the command line, and Docker hosts for development. Wiring only.

mod admin;
mod agent;
mod dev;
mod etcd;
mod serve;
mod store;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};
use pierhead_cli::{AFTER_HELP, ClientCommand, Connection};
use std::process::ExitCode;

/// Apps on plain Docker hosts: schedule, deploy, scale, heal.
#[derive(Debug, Parser)]
#[command(name = "pierhead", version, after_help = AFTER_HELP, disable_version_flag = true)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
    /// Print the version
    #[arg(short = 'v', long, short_alias = 'V', action = ArgAction::Version, help_heading = None)]
    version: Option<bool>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Be a controller: the HTTP API and the loops behind it
    Serve(Box<serve::ServeArgs>),
    /// A pool on this machine: real Docker hosts in network namespaces
    Dev(dev::DevArgs),
    /// Be a Docker host of a pool: one connection out to each controller, and nothing that listens
    Agent(Box<agent::AgentArgs>),
    /// What is done on the server's own machine
    Admin(admin::AdminArgs),
    /// What is kept, moved from one place to another
    Store(store::StoreArgs),
    #[command(flatten)]
    Client(ClientCommand),
}

fn main() -> ExitCode {
    if pierhead_cli::answer_completion(Cli::command) {
        return ExitCode::SUCCESS;
    }
    let cli = Cli::try_parse().unwrap_or_else(|error| pierhead_cli::refuse_command_line(error, Cli::command));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the program could not start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = match cli.command {
        Command::Serve(args) => runtime.block_on(serve::serve(*args)),
        Command::Agent(args) => runtime.block_on(agent::agent(*args)),
        Command::Dev(args) => runtime.block_on(dev::dev(args, cli.connection.json)),
        Command::Admin(args) => runtime.block_on(admin::admin(args, cli.connection.json)),
        Command::Store(args) => runtime.block_on(store::store(args, cli.connection.json)),
        Command::Client(command) => {
            let code = runtime.block_on(pierhead_cli::run(command, &cli.connection, Cli::command));
            // Whoever was asked may still be typing: their line is not waited for.
            runtime.shutdown_background();
            return code;
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => pierhead_cli::report_other(&format!("{error:#}"), cli.connection.json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
