//! `exec` and `attach`: a program in a container, and a terminal that is there already.

use crate::names;
use crate::seat::{Left, Manner, sit};
use crate::target::{Target, neither};
use crate::{CliError, Output};
use clap::Args;
use pierhead_client::{Change, Client, ClientError, Wait};
use pierhead_wire::{ContainerView, TerminalRequest};

/// What `exec` takes.
#[derive(Debug, Clone, Args)]
pub struct ExecArgs {
    /// App, or the id of a container
    #[arg(value_name = "APP|ID", add = names::apps_and_containers())]
    pub target: String,
    /// Pass standard input on
    #[arg(long, short = 'i')]
    pub interactive: bool,
    /// With a terminal: keys as they are typed, sizes, colours
    #[arg(long, short = 't')]
    pub tty: bool,
    /// As whom it runs: a name or number, or user:group
    #[arg(long, short = 'u', value_name = "USER")]
    pub user: Option<String>,
    /// Where it runs
    #[arg(long, short = 'w', value_name = "DIR")]
    pub workdir: Option<String>,
    /// What the terminal is called, for those who share it
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Program and its arguments [default: the best shell of the container]
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<String>,
}

/// What `attach` takes.
#[derive(Debug, Clone, Args)]
pub struct AttachArgs {
    /// Its id, or the beginning of it
    #[arg(value_name = "TERMINAL", add = names::terminals())]
    pub terminal: String,
    /// Only look
    #[arg(long)]
    pub view: bool,
}

/// Runs a program in a container, and ends with its exit code.
pub(crate) async fn exec(args: &ExecArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    if args.tty && args.interactive && !out.terminals().stdin {
        return Err(CliError::usage("standard input is no terminal", "leave out -t: pierhead exec -i APP -- COMMAND"));
    }
    let container = container_of(&args.target, client).await?;
    let (columns, rows) = out.size();
    let request = TerminalRequest {
        command: args.command.clone(),
        columns: columns.filter(|_| args.tty),
        rows: rows.filter(|_| args.tty),
        tty: Some(args.tty),
        user: args.user.clone(),
        working_dir: args.workdir.clone(),
        name: args.name.clone(),
    };
    let opened = client.open_terminal(&container, &request, &Change::new(Wait::UntilEnded)).await;
    let opened = opened.map_err(|error| neither(&args.target, error))?.into_value();
    let closes_input = !args.interactive && !args.tty;
    let manner = Manner { input: args.interactive, tty: args.tty, from_start: true, closes_input };
    let left = sit(&opened.id, manner, client, out).await;
    if matches!(left, Err(CliError::Interrupted { .. } | CliError::Write(_))) {
        // Nobody would come back to it.
        let _ended_by_itself = client.end_terminal(&opened.id).await;
    }
    conclude(left?, &opened.id, out)
}

/// Sits down at a terminal that is there.
pub(crate) async fn attach(args: &AttachArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let terminal = find(&args.terminal, client).await?;
    let shown = client.terminal(&terminal).await?.into_value();
    let manner = Manner { input: !args.view, tty: shown.tty, from_start: !shown.tty, closes_input: false };
    let left = sit(&terminal, manner, client, out).await?;
    conclude(left, &terminal, out)
}

fn conclude(left: Left, id: &str, out: &mut Output) -> Result<(), CliError> {
    match left {
        Left::Detached => {
            out.note(&format!("it goes on; come back with: pierhead attach {id}"));
            Ok(())
        }
        // Somebody ended it, or something failed: whatever its code is, it did not get to its end.
        Left::Ended(_, reason) if !reason.is_empty() => {
            Err(CliError::Terminal(format!("the terminal has ended: {reason}")))
        }
        Left::Ended(Some(0), _) => Ok(()),
        Left::Ended(Some(code), _) => Err(CliError::Exited { code }),
        Left::Ended(None, _) => {
            Err(CliError::Terminal("the terminal has ended, and nobody knows its exit code".to_owned()))
        }
    }
}

/// The container that is meant: of an app that of its lowest slot that runs.
async fn container_of(word: &str, client: &Client) -> Result<String, CliError> {
    match Target::find(client, word).await? {
        Target::Container => Ok(word.to_owned()),
        Target::App => {
            let containers = client.containers(false).await?.into_value();
            let of_app = |container: &&ContainerView| {
                container.app.as_deref() == Some(word)
                    && container.state == "running"
                    && container.status != "unreachable"
            };
            let first = containers.iter().filter(of_app).min_by_key(|container| container.slot);
            let none = || CliError::NotFound(format!("no container of the app {word} runs"));
            first.map(|container| container.id.clone()).ok_or_else(none)
        }
    }
}

/// A terminal by its id, the beginning of it, or its name if only one that runs is called so.
pub(crate) async fn find(word: &str, client: &Client) -> Result<String, CliError> {
    match client.terminal(word).await {
        Ok(terminal) => return Ok(terminal.into_value().id),
        Err(ClientError::Refused { status: 404, .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let all = client.terminals(None).await?.into_value();
    let begins = all.iter().filter(|terminal| terminal.id.starts_with(word));
    let called = all.iter().filter(|terminal| terminal.name == word && terminal.state == "running");
    let mut found: Vec<&str> = begins.chain(called).map(|terminal| terminal.id.as_str()).collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(CliError::NotFound(format!("there is no terminal {word:?}"))),
        several => Err(CliError::usage(
            format!("{word:?} may be any of {} terminals", several.len()),
            "give more of its id: pierhead terminal ls",
        )),
    }
}
