//! What follows the start of a workspace's container: its files, and the script of its environment.

use crate::clock::millis;
use crate::labs::Library;
use crate::scripts::{self, Program};
use pierhead_engine::DynEngine;
use pierhead_model::{ContainerId, EnvironmentFile, Failure, FailureKind};
use std::borrow::Cow;
use std::time::Duration;

/// How long a script may take; what it leaves running goes on.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a file may take.
const FILE: Duration = Duration::from_secs(20);
/// Puts its input into the file `$1`, with the permissions `$2`.
const PUT: &str = r#"dir=${1%/*}; mkdir -p "${dir:-/}" && cat >"$1" && chmod "$2" "$1""#;

/// Does all of it.
///
/// # Errors
/// In words: what the script said before it failed, or which file could not be written.
pub(super) async fn prime(
    engine: &DynEngine,
    container: &ContainerId,
    (files, library): (&[EnvironmentFile], &Library),
    script: Option<&str>,
) -> Result<(), Failure> {
    for file in files {
        let content = content(file, library).await?;
        let words = ["/bin/sh", "-c", PUT, "sh", &file.path, &format!("{:o}", file.mode)].map(str::to_owned);
        let said = run(engine, container, words.to_vec(), &content, Some("0"), FILE).await;
        said.map_err(|failure| Failure {
            message: format!("file {} could not be written: {}", file.path, failure.message),
            ..failure
        })?;
    }
    match script {
        Some(script) => {
            let words = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
            run(engine, container, words, &[], None, PATIENCE).await
        }
        None => Ok(()),
    }
}

/// What a file shall hold.
async fn content<'a>(file: &'a EnvironmentFile, library: &Library) -> Result<Cow<'a, [u8]>, Failure> {
    let Some(blob) = &file.blob else { return Ok(Cow::Borrowed(file.content.as_bytes())) };
    let whole = library.whole(&blob.digest, Some(blob.bytes)).await;
    whole.map(Cow::Owned).map_err(|error| {
        tracing::warn!(%error, file = file.path, "a file of a lab could not be had");
        Failure::new(FailureKind::NotStarted, format!("file {} of the lab can't be had: {error}", file.path))
    })
}

/// Runs a program to its end.
async fn run(
    engine: &DynEngine,
    container: &ContainerId,
    command: Vec<String>,
    input: &[u8],
    user: Option<&str>,
    patience: Duration,
) -> Result<(), Failure> {
    let program = Program { command, input, user, environment: Vec::new(), patience };
    let told = scripts::run(engine, container, &program).await.map_err(|error| error.failure())?;
    match told.code {
        Some(0) => Ok(()),
        Some(code) => Err(failed(format!("it ended with exit code {code}"), &told.said)),
        None => Err(failed(format!("it did not end within {} s, and goes on", millis(patience) / 1000), &told.said)),
    }
}

fn failed(message: String, said: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(said);
    let log: Vec<String> = text.lines().map(str::to_owned).collect();
    let last = log.iter().rev().find(|line| !line.trim().is_empty());
    let message = last.map_or(message.clone(), |last| format!("{message}: {last}"));
    Failure { log, ..Failure::new(FailureKind::NotStarted, message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_the_last_words() {
        let failure = failed("it ended with exit code 1".to_owned(), b"no\nsuch thing\n\n");
        assert_eq!(failure.message, "it ended with exit code 1: such thing");
        assert_eq!(failure.log, ["no", "such thing", ""]);
        assert_eq!(failed("late".to_owned(), b"").message, "late");
    }
}
