//! Runs the system's programs and turns their failures into errors. Knows none of them.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// The folders that are searched for programs: `PATH`, and the system's folders, which a user's `PATH` often lacks.
pub(crate) fn search_path() -> OsString {
    let own = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
    let folders = env::split_paths(&own).chain(system);
    env::join_paths(folders).unwrap_or(own)
}

/// Where a program is, if it is installed.
pub(crate) fn find(program: &str, path: &OsString) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(program)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok() && file.is_file()
}

/// A command that finds the system's programs and speaks English.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", search_path()).env("LC_ALL", "C");
    command
}

/// Runs a program to its end and returns its standard output.
///
/// # Errors
/// The program is missing, or it ended with a non-zero code.
pub(crate) fn run(program: &str, args: &[&str]) -> Result<String> {
    run_with_input(program, args, "")
}

/// As [`run`], with something on its standard input.
pub(crate) fn run_with_input(program: &str, args: &[&str], input: &str) -> Result<String> {
    let line = || format!("{program} {}", args.join(" "));
    let start = |source| Error::StartCommand { command: line(), source };
    let mut child = command(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that fails early closes its input; its exit code tells more than the broken pipe.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(start)?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::RunCommand { command: line(), stderr });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_input_pass_through() {
        assert_eq!(run("echo", &["a", "b"]).unwrap(), "a b\n");
        assert_eq!(run_with_input("cat", &[], "text").unwrap(), "text");
    }

    #[test]
    fn failures_name_the_command_and_its_words() {
        let failed = run("sh", &["-c", "echo why >&2; exit 3"]).unwrap_err();
        assert!(matches!(&failed, Error::RunCommand { stderr, .. } if stderr == "why"), "{failed}");
        let missing = run("no-such-program", &["x"]).unwrap_err();
        assert!(matches!(&missing, Error::StartCommand { command, .. } if command == "no-such-program x"), "{missing}");
    }

    #[test]
    fn system_folders_are_searched() {
        assert!(find("sh", &search_path()).is_some());
        assert!(find("sh", &OsString::from("/nonexistent")).is_none());
        assert!(env::split_paths(&search_path()).any(|folder| folder == Path::new("/usr/sbin")));
    }
}
