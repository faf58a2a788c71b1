//! One program: the controller, the command line, and Docker hosts for development. Wiring only.

mod admin;
mod agent;
mod backup;
mod dev;
mod etcd;
mod serve;
mod store;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};
use pierhead_cli::{AFTER_HELP, ClientCommand, Connection};
use std::ffi::OsString;
use std::process::ExitCode;
use tokio::runtime::Builder;

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
    /// Write everything that is kept into one file, and check such a file
    Backup(Box<backup::BackupArgs>),
    /// Make a store of a backup, where there is none
    Restore(Box<backup::RestoreArgs>),
    /// What is kept, moved from one place to another
    Store(store::StoreArgs),
    #[command(flatten)]
    Client(ClientCommand),
}

/// `pierhead agent` by itself: agents run where memory is scarce, and the words of all other commands take several
/// megabytes.
#[derive(Debug, Parser)]
#[command(name = "pierhead agent")]
struct AgentAlone {
    #[command(flatten)]
    args: agent::AgentArgs,
}

impl AgentAlone {
    /// What an agent is told; `None` if it is something else or wrong, which is for [`Cli`] to say.
    fn read(words: impl IntoIterator<Item = OsString>) -> Option<agent::AgentArgs> {
        let mut words = words.into_iter().skip(1);
        let is_agent = words.next().is_some_and(|word| word == "agent");
        let words = std::iter::once("pierhead agent".into()).chain(words);
        is_agent.then(|| Self::try_parse_from(words).ok().map(|alone| alone.args)).flatten()
    }
}

fn main() -> ExitCode {
    if pierhead_cli::answer_completion(Cli::command) {
        return ExitCode::SUCCESS;
    }
    if let Some(args) = AgentAlone::read(std::env::args_os()) {
        let json = args.json;
        return be_agent(args, json);
    }
    explain_agent(std::env::args_os());
    let cli = Cli::try_parse().unwrap_or_else(|error| pierhead_cli::refuse_command_line(error, Cli::command));
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return no_threads(&error),
    };
    let result = match cli.command {
        Command::Serve(args) => runtime.block_on(serve::serve(*args)),
        Command::Agent(args) => {
            if let Some(flag) = flag_of_commands(std::env::args_os()) {
                let words = format!("{flag} is for commands that ask a controller; an agent joins with --join TOKEN");
                return end(Err(anyhow::anyhow!(words)), cli.connection.json);
            }
            return be_agent(*args, cli.connection.json);
        }
        Command::Dev(args) => runtime.block_on(dev::dev(args, cli.connection.json)),
        Command::Admin(args) => runtime.block_on(admin::admin(args, cli.connection.json)),
        Command::Backup(args) => runtime.block_on(backup::backup(*args, &cli.connection)),
        Command::Restore(args) => runtime.block_on(backup::restore(*args, cli.connection.json)),
        Command::Store(args) => runtime.block_on(store::store(args, cli.connection.json)),
        Command::Client(command) => {
            let code = runtime.block_on(pierhead_cli::run(command, &cli.connection, Cli::command));
            // Whoever was asked may still be typing: their line is not waited for.
            runtime.shutdown_background();
            return code;
        }
    };
    end(result, cli.connection.json)
}

/// One thread is enough for what an agent does, and ten beats a second cost less where no thread wakes another.
fn be_agent(args: agent::AgentArgs, json: bool) -> ExitCode {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => end(runtime.block_on(agent::agent(args)), json),
        Err(error) => no_threads(&error),
    }
}

/// Prints the help of `pierhead agent`, if that is asked for, without the flags that do nothing there.
fn explain_agent(words: impl IntoIterator<Item = OsString>) {
    if let Some(help) = agents_help(words) {
        pierhead_cli::refuse_command_line(help, AgentAlone::command);
    }
}

fn agents_help(words: impl IntoIterator<Item = OsString>) -> Option<clap::Error> {
    let words: Vec<OsString> = words.into_iter().skip(1).collect();
    if words.first().is_none_or(|word| word != "agent") {
        return None;
    }
    let words = std::iter::once("pierhead agent".into()).chain(words.into_iter().skip(1));
    AgentAlone::try_parse_from(words).err().filter(|error| error.kind() == clap::error::ErrorKind::DisplayHelp)
}

/// A flag among an agent's words that only commands have which ask a controller.
fn flag_of_commands(words: impl IntoIterator<Item = OsString>) -> Option<&'static str> {
    let words: Vec<String> = words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let is_given = |flag: &&str| words.iter().any(|word| word.split('=').next() == Some(*flag));
    ["--token", "--url", "--ca-file", "--config-dir"].into_iter().find(is_given)
}

fn end(result: anyhow::Result<()>, json: bool) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => pierhead_cli::report_other(&format!("{error:#}"), json),
    }
}

fn no_threads(error: &std::io::Error) -> ExitCode {
    eprintln!("error: the program could not start its threads: {error}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        AgentAlone::command().debug_assert();
    }

    #[test]
    fn an_agent_by_itself_is_told_the_same() {
        let split = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for line in [
            "pierhead agent",
            "pierhead agent --join pj1-x --id a --label b --label c",
            "pierhead agent doctor --state-dir /x",
            "pierhead agent --controller a:1 install --print",
            "pierhead agent --json doctor",
            "pierhead agent install --print --json",
        ] {
            let alone = AgentAlone::read(split(line)).unwrap();
            let Command::Agent(all) = Cli::try_parse_from(split(line)).unwrap().command else { panic!("{line}") };
            assert_eq!(format!("{alone:?}"), format!("{all:?}"), "{line}");
        }
        for line in [
            "pierhead",
            "pierhead serve",
            "pierhead --json agent",
            "pierhead agent --help",
            "pierhead agent nonsense",
            "pierhead agent --nonsense",
        ] {
            assert!(AgentAlone::read(split(line)).is_none(), "{line}");
        }
    }

    #[test]
    fn an_agents_help_tells_no_flags_that_do_nothing_there() {
        let split = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for line in ["pierhead agent --help", "pierhead agent doctor --help", "pierhead agent -h"] {
            let help = agents_help(split(line)).unwrap().to_string();
            assert!(help.contains("--state-dir") && help.contains("--json"), "{line}: {help}");
            assert!(!help.contains("--url") && !help.contains("--token"), "{line}: {help}");
        }
        assert!(
            agents_help(split("pierhead serve --help")).is_none() && agents_help(split("pierhead agent")).is_none()
        );
        assert_eq!(flag_of_commands(split("pierhead agent --token pj1-x")), Some("--token"));
        assert_eq!(flag_of_commands(split("pierhead agent --url=http://a")), Some("--url"));
        assert_eq!(flag_of_commands(split("pierhead agent --join pj1-x --json")), None);
    }
}
