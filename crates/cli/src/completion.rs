//! `completion`: what makes a shell complete commands, flags, and names of what is in the pool.
//!
//! The script that is printed calls this program again for each completion; [`answer`] is that call.

use crate::dispatch::Definition;
use crate::{CliError, Output};
use clap::{Args, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

/// The variable by which the script tells the program that a completion is wanted.
const VARIABLE: &str = "PIERHEAD_COMPLETE";

/// A shell whose completion is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// source <(pierhead completion bash), in ~/.bashrc
    Bash,
    /// source <(pierhead completion zsh), in ~/.zshrc after compinit
    Zsh,
    /// pierhead completion fish | source, in ~/.config/fish/config.fish
    Fish,
}

/// What `completion` takes.
#[derive(Debug, Clone, Args)]
pub struct CompletionArgs {
    /// Which shell
    pub shell: Shell,
}

/// Prints the script.
pub(crate) fn completion(args: &CompletionArgs, definition: Definition, out: &mut Output) -> Result<(), CliError> {
    let shell: &dyn EnvCompleter = match args.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    let whole = definition();
    let mut script = Vec::new();
    let name = whole.get_name();
    shell.write_registration(VARIABLE, name, name, &program(name), &mut script).map_err(CliError::Write)?;
    out.bytes(&script)
}

/// The program as the shell finds it: by its name, or by its path where it was not found by name.
fn program(name: &str) -> String {
    let called = std::env::args_os().next().map(std::path::PathBuf::from).unwrap_or_default();
    if called.components().count() < 2 {
        return name.to_owned();
    }
    std::env::current_exe().map_or_else(|_| name.to_owned(), |path| path.display().to_string())
}

/// Answers a shell that asks for a completion, and tells whether one did. Must come before anything is printed.
#[must_use]
pub fn answer(definition: Definition) -> bool {
    let asked = CompleteEnv::with_factory(definition).var(VARIABLE);
    // A shell that is told of an error would print it between what somebody types.
    asked.try_complete(std::env::args_os(), std::env::current_dir().ok().as_deref()).unwrap_or(true)
}
