//! Which module does each command, and how a whole run of the program ends.

use crate::error::exit;
use crate::interrupt;
use crate::output::WithoutTerminal;
use crate::subject::Subject;
use crate::{
    CliError, ClientCommand, Connection, Output, account, app, cluster, completion, container, engine, event, explain,
    help, lab, login, logs, man, operation,
};
use pierhead_client::{Client, Verb};
use std::cell::OnceCell;
use std::process::ExitCode;

/// The whole command line that a program offers, its own commands included.
pub type Definition = fn() -> clap::Command;

/// Does one command on the streams of this process, and ends with its exit code, or with 130 at Ctrl-C.
pub async fn run(command: ClientCommand, connection: &Connection, definition: Definition) -> ExitCode {
    let mut out = Output::of_process();
    let _watch = interrupt::watch();
    match execute(command, connection, definition, &mut out).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(report(&error, &mut out)),
    }
}

/// Says what went wrong and what to do next, and gives the exit code.
pub fn report(error: &CliError, out: &mut Output) -> u8 {
    if error.is_broken_pipe() {
        return 0;
    }
    if !matches!(error, CliError::Interrupted { operation: None } | CliError::Exited { .. }) {
        tell(error, None, out);
    }
    error.exit_code()
}

/// Says what went wrong with one thing of several, or with all.
pub(crate) fn tell(error: &CliError, about: Option<&str>, out: &mut Output) {
    let hint = error.hint(out.subject());
    if out.is_json() {
        if !matches!(error, CliError::Several { .. }) {
            out.error_json(&error.as_json(about, hint.as_deref()));
        }
        return;
    }
    let text = bounded(&error.to_string());
    match about.filter(|name| !text.contains(*name)) {
        Some(name) => out.note(&format!("error: {name}: {text}")),
        None => out.note(&format!("error: {text}")),
    }
    if !error.log().is_empty() {
        out.note("the container printed last:");
        error.log().iter().for_each(|line| out.note(&format!("  {line}")));
    }
    for problem in error.problems() {
        out.note(&crate::render::labs::problem(problem));
    }
    if let Some(hint) = hint {
        out.note(&format!("hint: {hint}"));
    }
}

/// No more of a message than a person reads.
fn bounded(message: &str) -> String {
    const LONGEST: usize = 2000;
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &message[..end]),
        None => message.to_owned(),
    }
}

/// Says why a command that is not a client's failed, and gives the exit code.
#[must_use]
pub fn report_other(message: &str, json: bool) -> ExitCode {
    let mut out = Output::of_process();
    if json {
        let error = serde_json::json!({ "code": "failed", "message": message, "exit_code": exit::FAILED });
        out.error_json(&error.to_string());
    } else {
        out.note(&format!("error: {message}"));
    }
    ExitCode::from(exit::FAILED)
}

/// Says why a command line was not understood, as JSON where that was asked for, and ends the program. Help and version
/// are printed the same way.
pub fn refuse_command_line(error: clap::Error, definition: Definition) -> ! {
    let error = without_environment(error, definition);
    let wants_json = std::env::args_os().any(|word| word == "--json");
    if wants_json && error.use_stderr() {
        let mut out = Output::of_process();
        out.begin(true, Subject::Other);
        tell(&CliError::of_command_line(&error), None, &mut out);
        std::process::exit(error.exit_code());
    }
    error.exit()
}

/// The same complaint, but its usage line does not name flags as if they were needed that came from the environment.
fn without_environment(error: clap::Error, definition: Definition) -> clap::Error {
    if !error.use_stderr() || error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return error;
    }
    match definition().mut_args(|arg| arg.env(None::<&str>)).try_get_matches() {
        Err(without) if without.kind() == error.kind() => without,
        _ => error,
    }
}

/// Does one command.
///
/// # Errors
/// [`CliError`], which [`report`] turns into words and an exit code.
pub async fn execute(
    command: ClientCommand,
    connection: &Connection,
    definition: Definition,
    out: &mut Output,
) -> Result<(), CliError> {
    out.begin(connection.json, Subject::of(&command));
    let done = match command {
        ClientCommand::Completion(args) => completion::completion(&args, definition, out),
        ClientCommand::Man(args) => man::man(&args, definition, out),
        ClientCommand::Help(args) => help::help(&args, definition, out),
        ClientCommand::Version => version(out),
        ClientCommand::Lab(args) if args.command.is_local() => lab::lab(&args, out),
        ClientCommand::Login(args) => login::log_in(&args, connection, out).await,
        ClientCommand::Logout => login::log_out(connection, out).await,
        command => {
            out.wait();
            ask(command, connection, out).await
        }
    };
    out.stop_waiting();
    done
}

/// Does a command that asks a controller.
async fn ask(command: ClientCommand, connection: &Connection, out: &mut Output) -> Result<(), CliError> {
    let opened = OnceCell::new();
    let client = || {
        let client = connection.open()?;
        // There is one for each command.
        let _first = opened.set(client.clone());
        Ok::<_, CliError>(client)
    };
    let done = match command {
        ClientCommand::Run(args) => crate::run::run(&args, &client()?, out).await,
        ClientCommand::Scale(args) => crate::scale::scale(&args, &client()?, out).await,
        ClientCommand::App(args) => app::app(&args, &client()?, out).await,
        ClientCommand::Container(args) => container::container(&args, &client()?, out).await,
        ClientCommand::Logs(args) => logs::logs(&args, &client()?, out).await,
        ClientCommand::Exec(args) => crate::exec::exec(&args, &client()?, out).await,
        ClientCommand::Attach(args) => crate::exec::attach(&args, &client()?, out).await,
        ClientCommand::Terminal(args) => crate::terminal::terminal(&args, &client()?, out).await,
        ClientCommand::Environment(args) => crate::environment::environment(&args, &client()?, out).await,
        ClientCommand::Workspace(args) => crate::workspace::workspace(&args, &client()?, out).await,
        ClientCommand::Lab(args) => lab::lab_of_pool(&args, &client()?, out).await,
        ClientCommand::Wall(args) => crate::wall::wall(&args, &client()?, out).await,
        ClientCommand::Hand(args) => crate::wall::hand(&args, &client()?, out).await,
        ClientCommand::Save(args) => crate::save::save(&args, &client()?, out).await,
        ClientCommand::Course(args) => crate::course::course(&args, &client()?, out).await,
        ClientCommand::Roster(args) => crate::roster::roster(&args, &client()?, out).await,
        ClientCommand::Submit(args) => crate::work::submit(&args, &client()?, out).await,
        ClientCommand::Work(args) => crate::work::work(&args, &client()?, out).await,
        ClientCommand::Grade(args) => crate::work::grade(&args, &client()?, out).await,
        ClientCommand::Recording(args) => crate::recording::recording(&args, &client()?, out).await,
        ClientCommand::Top(args) => crate::top::top(&args, &client()?, out).await,
        ClientCommand::Explain(args) => explain::explain(&args, &client()?, out).await,
        ClientCommand::Engine(args) => engine::engine(&args, &client()?, out).await,
        ClientCommand::Cluster(args) => cluster::cluster(&args, &client()?, out).await,
        ClientCommand::Controller(args) => crate::controller::controller(&args, &client()?, out).await,
        ClientCommand::Operation(args) => operation::operation(&args, &client()?, out).await,
        ClientCommand::Events(args) => event::events(&args, &client()?, out).await,
        ClientCommand::Account(args) => account::account(&args, connection, out).await,
        ClientCommand::Image(args) => crate::image::image(&args, &client()?, out).await,
        ClientCommand::Registry(args) => crate::registry::registry(&args, &client()?, out).await,
        ClientCommand::Role(args) => crate::role::role(&args, &client()?, out).await,
        ClientCommand::Token(args) => crate::token::token(&args, &client()?, out).await,
        ClientCommand::Whoami => login::who_am_i(&client()?, out).await,
        ClientCommand::Containers(args) => container::list(&args, &client()?, out).await,
        ClientCommand::Destroy(args) => container::remove(&args, WithoutTerminal::Proceed, &client()?, out).await,
        ClientCommand::Stop(args) => container::act(&args, Verb::Stop, &client()?, out).await,
        ClientCommand::Start(args) => container::act(&args, Verb::Start, &client()?, out).await,
        ClientCommand::Restart(args) => container::act(&args, Verb::Restart, &client()?, out).await,
        ClientCommand::Engines => engine::list(&client()?, out).await,
        ClientCommand::Eadd(args) => engine::add(&args, &client()?, out).await,
        ClientCommand::Edelete(args) => engine::remove(&args, WithoutTerminal::Proceed, &client()?, out).await,
        ClientCommand::Clusterinfo => cluster::info(&client()?, out).await,
        ClientCommand::Accounts => account::list(&client()?, out).await,
        ClientCommand::Aadd(args) => account::add(&args, &client()?, out).await,
        ClientCommand::Adelete(args) => account::remove(&args, WithoutTerminal::Proceed, &client()?, out).await,
        // Those that ask no controller were done before.
        ClientCommand::Completion(_)
        | ClientCommand::Man(_)
        | ClientCommand::Help(_)
        | ClientCommand::Version
        | ClientCommand::Login(_)
        | ClientCommand::Logout => Ok(()),
    };
    if let Some(age) = opened.get().and_then(Client::stale) {
        let seconds = age.as_secs();
        out.note(&format!(
            "the controller's store has not answered for {seconds} s: this may be as old, and nothing can be changed"
        ));
    }
    done
}

fn version(out: &mut Output) -> Result<(), CliError> {
    let version = env!("CARGO_PKG_VERSION");
    if out.is_json() {
        out.json(&format!(r#"{{"version":"{version}"}}"#))
    } else {
        out.text(&format!("pierhead {version}"))
    }
}
