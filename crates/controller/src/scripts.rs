//! Runs a program in a container to its end, and keeps the last of what it says. What a program starts and leaves behind
//! holds up nobody. What comes of it is the caller's to judge.

use pierhead_engine::{DynEngine, EngineError, ExecId, ExecRequest, Stream};
use pierhead_model::ContainerId;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

/// How often it is looked whether a program has said something.
const LOOK: Duration = Duration::from_millis(20);
/// How long after its last words it is asked whether it has ended, at first: what it left behind may hold its output open.
const FIRST_ASK: Duration = Duration::from_millis(200);
/// And at last: engines are not asked more often of one that goes on.
const LAST_ASK: Duration = Duration::from_secs(2);
/// The most that is kept of what a program says, in bytes.
const KEPT: usize = 4096;

/// A program, and how it is run.
pub(crate) struct Program<'a> {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What it reads.
    pub input: &'a [u8],
    /// As whom; the container's own user without.
    pub user: Option<&'a str>,
    /// Variables beyond the container's own.
    pub environment: Vec<(String, String)>,
    /// How long it may take from its start on.
    pub patience: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Told {
    /// The code that it ended with; none if it went on when its time was over.
    pub code: Option<i64>,
    /// The last of what it said.
    pub said: Vec<u8>,
    /// Whether something that it left behind still holds its output open.
    pub is_held: bool,
}

/// Runs a program to its end.
///
/// # Errors
/// Those of the engine. That the program can't be begun is told by its code, 126 or 127.
pub(crate) async fn run(
    engine: &DynEngine,
    container: &ContainerId,
    program: &Program<'_>,
) -> Result<Told, EngineError> {
    let request = ExecRequest {
        command: program.command.clone(),
        environment: program.environment.clone(),
        user: program.user.map(str::to_owned),
        ..ExecRequest::default()
    };
    let exec = engine.create_exec(container, &request).await?;
    let mut stream = engine.start_exec(&exec, false).await?;
    let mut said = Vec::new();
    match timeout(program.patience, talk(engine, &exec, &mut stream, program.input, &mut said)).await {
        Ok(talked) => talked.map(|(code, is_held)| Told { code: Some(code), said, is_held }),
        Err(_) => Ok(Told { code: None, said, is_held: true }),
    }
}

async fn talk(
    engine: &DynEngine,
    exec: &ExecId,
    stream: &mut Box<dyn Stream>,
    input: &[u8],
    said: &mut Vec<u8>,
) -> Result<(i64, bool), EngineError> {
    // A program that does not read ends before its input does; its exit code tells.
    let _unread = stream.write_all(input).await;
    let _unread = stream.shutdown().await;
    let mut frames = Vec::new();
    let (mut asked, mut pause) = (Instant::now(), FIRST_ASK);
    loop {
        let mut piece = [0; 4096];
        let heard = timeout(LOOK, stream.read(&mut piece)).await;
        let is_over = match heard {
            Ok(Ok(0) | Err(_)) => true,
            Ok(Ok(count)) => {
                frames.extend_from_slice(&piece[..count]);
                take_frames(&mut frames, said);
                false
            }
            Err(_) => false,
        };
        if is_over || asked.elapsed() >= pause {
            if let Some(code) = engine.exec(exec).await?.exit_code {
                return Ok((code, !is_over));
            }
            if is_over {
                sleep(LOOK).await;
            }
            (asked, pause) = (Instant::now(), (pause * 2).min(LAST_ASK));
        }
    }
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
}
