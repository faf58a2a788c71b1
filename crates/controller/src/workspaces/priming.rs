//! What follows the start of a workspace's container: its files, and the script of its environment.

use crate::clock::millis;
use crate::labs::Library;
use pierhead_engine::{DynEngine, EngineError, ExecRequest};
use pierhead_model::{ContainerId, EnvironmentFile, Failure, FailureKind};
use std::borrow::Cow;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

/// How long a script may take; what it leaves running goes on.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a file may take.
const FILE: Duration = Duration::from_secs(20);
/// How often it is looked whether a script has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long its last words are waited for.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// The most that is kept of what a script prints, in bytes.
const KEPT: usize = 4096;
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

/// Runs a program to its end. What it has started and left behind holds up nobody.
async fn run(
    engine: &DynEngine,
    container: &ContainerId,
    command: Vec<String>,
    input: &[u8],
    user: Option<&str>,
    patience: Duration,
) -> Result<(), Failure> {
    let mut said = Vec::new();
    let done = timeout(patience, talk(engine, container, command, input, user, &mut said)).await;
    match done {
        Ok(Ok(0)) => Ok(()),
        Ok(Ok(code)) => Err(failed(format!("it ended with exit code {code}"), &said)),
        Ok(Err(error)) => Err(error.failure()),
        Err(_) => Err(failed(format!("it did not end within {} s, and goes on", millis(patience) / 1000), &said)),
    }
}

fn failed(message: String, said: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(said);
    let log: Vec<String> = text.lines().map(str::to_owned).collect();
    let last = log.iter().rev().find(|line| !line.trim().is_empty());
    let message = last.map_or(message.clone(), |last| format!("{message}: {last}"));
    Failure { log, ..Failure::new(FailureKind::NotStarted, message) }
}

async fn talk(
    engine: &DynEngine,
    container: &ContainerId,
    command: Vec<String>,
    input: &[u8],
    user: Option<&str>,
    said: &mut Vec<u8>,
) -> Result<i64, EngineError> {
    let request = ExecRequest { command, user: user.map(str::to_owned), ..ExecRequest::default() };
    let exec = engine.create_exec(container, &request).await?;
    let mut stream = engine.start_exec(&exec, false).await?;
    // A program that does not read ends before its input does; its exit code tells.
    let _unread = stream.write_all(input).await;
    let _unread = stream.shutdown().await;
    let mut frames = Vec::new();
    let mut last_words: Option<Instant> = None;
    loop {
        let mut piece = [0; 4096];
        let heard = timeout(LOOK, stream.read(&mut piece)).await;
        let is_over = match heard {
            Ok(Ok(0)) | Ok(Err(_)) => true,
            Ok(Ok(count)) => {
                frames.extend_from_slice(&piece[..count]);
                take_frames(&mut frames, said);
                false
            }
            Err(_) => false,
        };
        if is_over {
            sleep(LOOK).await;
        }
        if (is_over || heard_nothing(last_words))
            && let Some(code) = engine.exec(&exec).await?.exit_code
        {
            return Ok(code);
        }
        if last_words.is_none_or(|at| at.elapsed() >= LAST_WORDS) {
            last_words = Some(Instant::now());
        }
    }
}

/// Whether it is time to look: not at every piece.
fn heard_nothing(looked: Option<Instant>) -> bool {
    looked.is_some_and(|at| at.elapsed() >= LAST_WORDS)
}

/// Takes the contents of Docker's frames, of which the last may not be whole yet.
fn take_frames(frames: &mut Vec<u8>, said: &mut Vec<u8>) {
    while let Some(header) = frames.first_chunk::<8>() {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        if frames.len() < 8 + length {
            return;
        }
        said.extend_from_slice(&frames[8..8 + length]);
        frames.drain(..8 + length);
        let surplus = said.len().saturating_sub(KEPT);
        said.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_as_they_become_whole() {
        let frame = |text: &str| {
            let mut frame = vec![1, 0, 0, 0];
            frame.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
            frame.extend(text.as_bytes());
            frame
        };
        let (mut frames, mut said) = (frame("one\n"), Vec::new());
        let second = frame("two\n");
        frames.extend(&second[..5]);
        take_frames(&mut frames, &mut said);
        assert_eq!(said, b"one\n");
        frames.extend(&second[5..]);
        take_frames(&mut frames, &mut said);
        assert_eq!(said, b"one\ntwo\n");
        assert!(frames.is_empty());
        for _ in 0..2_000 {
            frames.extend(frame("0123456789"));
            take_frames(&mut frames, &mut said);
        }
        assert!(said.len() <= KEPT && said.ends_with(b"0123456789"));
    }

    #[test]
    fn a_failure_tells_the_last_words() {
        let failure = failed("it ended with exit code 1".to_owned(), b"no\nsuch thing\n\n");
        assert_eq!(failure.message, "it ended with exit code 1: such thing");
        assert_eq!(failure.log, ["no", "such thing", ""]);
        assert_eq!(failed("late".to_owned(), b"").message, "late");
    }
}
