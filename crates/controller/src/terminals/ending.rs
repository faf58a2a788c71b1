//! The end of everything that a terminal started, on a host without an agent: a second process in the container walks
//! through all processes and kills those that bear the terminal's mark in their environment, and what descends from them.
//!
//! It needs a shell in the image, as most terminals do themselves. It walks as the terminal's user and as root, since in
//! a container neither may read the environment of the other's processes. What became a third user's and left its parents
//! behind is not found.

use super::TERMINAL_VARIABLE;
use pierhead_engine::{DynEngine, EngineError, ExecRequest};
use pierhead_model::{ContainerId, TerminalId};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};

/// Finds those that bear the variable `$1` with the value `$2`, and what descends from them; to end them (`$3`) they are
/// told to hang up and then killed, until none is left, else they just get that signal. Nothing but what every shell has
/// in itself is needed, since images have little; `grep` is used if it is there, as shells read byte by byte. The exit
/// code is 0 if nothing is left.
const SCRIPT: &str = r#"
find() {
  found=' '
  if command -v grep >/dev/null; then
    for file in $(grep -ls "$1=$2" /proc/[0-9]*/environ); do
      pid=${file#/proc/}
      found="$found${pid%/environ} "
    done
  else
    for dir in /proc/[0-9]*; do
      while IFS= read -r text || [ -n "$text" ]; do
        case $text in *"$1=$2"*) found="$found${dir#/proc/} "; break ;; esac
      done <"$dir/environ"
    done
  fi
  [ "$found" = ' ' ] && return
  more=1
  while [ -n "$more" ]; do
    more=
    for dir in /proc/[0-9]*; do
      pid=${dir#/proc/}
      case $found in *" $pid "*) continue ;; esac
      text=
      IFS= read -r text <"$dir/stat" || continue
      text=${text##*) }
      case $text in Z*) continue ;; esac
      text=${text#* }
      case $found in *" ${text%% *} "*) found="$found$pid "; more=1 ;; esac
    done
  done
}
{
  find "$1" "$2"
  [ "$found" = ' ' ] && exit 0
  if [ "$3" != END ]; then kill -"$3" $found; exit 0; fi
  kill -HUP $found; kill -CONT $found
  sleep 0.1 || sleep 1
  for try in 1 2 3 4 5 6 7 8 9 10; do
    find "$1" "$2"
    [ "$found" = ' ' ] && exit 0
    kill -KILL $found
  done
  sleep 0.1 || sleep 1
  find "$1" "$2"
  [ "$found" = ' ' ]
} 2>/dev/null
"#;

/// How long one walk may take.
const WALK: Duration = Duration::from_secs(20);
/// How often it is looked whether a walk has ended.
const LOOK: Duration = Duration::from_millis(20);
/// The most that is read of what a walk prints; it prints nothing.
const LONGEST: u64 = 4096;
/// Who may kill everybody in a container.
const ROOT: &str = "0";

/// Why it is not known that nothing is left.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum EndingError {
    /// The engine did not do it; it is worth to be tried again.
    #[error("the walk through the container's processes was not made")]
    Walk(#[source] EngineError),
    /// It was done and something is left, or the image has no shell.
    #[error("not everything could be ended, or the container has no shell to find it with (exit code {0})")]
    Left(i64),
}

/// Ends what a terminal started in a container; `user` is as whom it ran. Nothing is left in one that is gone or does not
/// run.
pub(crate) async fn end(
    engine: &DynEngine,
    container: &ContainerId,
    terminal: &TerminalId,
    user: Option<&str>,
) -> Result<(), EndingError> {
    end_marked(engine, container, (TERMINAL_VARIABLE, terminal.as_str()), user).await
}

/// Ends what bears a variable with a value in its environment, as [`end`] does what bears a terminal's.
pub(crate) async fn end_marked(
    engine: &DynEngine,
    container: &ContainerId,
    mark: (&str, &str),
    user: Option<&str>,
) -> Result<(), EndingError> {
    let own = walk(engine, container, mark, user, "END").await;
    // Root finds what changed its user, and the children of those.
    match (own, walk(engine, container, mark, Some(ROOT), "END").await) {
        (Err(error @ EndingError::Walk(_)), _) | (_, Err(error)) => Err(error),
        (_, Ok(())) => Ok(()),
    }
}

/// Sends a signal, by its name without `SIG`, to all that a terminal started.
pub(crate) async fn signal(
    engine: &DynEngine,
    container: &ContainerId,
    terminal: &TerminalId,
    user: Option<&str>,
    name: &str,
) -> Result<(), EndingError> {
    walk(engine, container, (TERMINAL_VARIABLE, terminal.as_str()), user, name).await
}

async fn walk(
    engine: &DynEngine,
    container: &ContainerId,
    (variable, value): (&str, &str),
    user: Option<&str>,
    what: &str,
) -> Result<(), EndingError> {
    let words = ["/bin/sh", "-c", SCRIPT, "sh", variable, value, what];
    let request = ExecRequest {
        command: words.map(str::to_owned).to_vec(),
        user: user.map(str::to_owned),
        ..ExecRequest::default()
    };
    let walked = async {
        let exec = match engine.create_exec(container, &request).await {
            Ok(exec) => exec,
            // It is gone, or does not run.
            Err(EngineError::NotFound | EngineError::Refused(_)) => return Ok(0),
            Err(error) => return Err(error),
        };
        let stream = engine.start_exec(&exec, false).await?;
        // Its end is the end of the walk.
        let mut said = Vec::new();
        let _broken = stream.take(LONGEST).read_to_end(&mut said).await;
        loop {
            match engine.exec(&exec).await {
                Ok(state) => match state.exit_code {
                    Some(code) => return Ok(code),
                    None => sleep(LOOK).await,
                },
                // The container went meanwhile.
                Err(EngineError::NotFound) => return Ok(0),
                Err(error) => return Err(error),
            }
        }
    };
    let late = || EngineError::TimedOut { call: "exec", milliseconds: crate::clock::millis(WALK) };
    match timeout(WALK, walked).await.unwrap_or_else(|_| Err(late())).map_err(EndingError::Walk)? {
        0 => Ok(()),
        code => Err(EndingError::Left(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    /// A process that bears a mark, or not.
    fn process(words: &[&str], mark: &str) -> Child {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env(TERMINAL_VARIABLE, mark);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn walk_here(shell: &[&str], mark: &str, what: &str) -> Option<i32> {
        let mut walk = Command::new(shell[0]);
        walk.args(&shell[1..]).args(["-c", SCRIPT, "sh", TERMINAL_VARIABLE, mark, what]);
        walk.env_remove(TERMINAL_VARIABLE).status().unwrap().code()
    }

    #[test]
    fn what_bears_the_mark_ends_and_nothing_else() {
        let mark = format!("mark-of-{}", std::process::id());
        // The last one takes the mark off what it starts, and listens to nobody.
        let stubborn = "trap '' HUP TERM; env -u PIERHEAD_TERMINAL sleep 600; :";
        let mut marked = [&["sleep", "600"][..], &["setsid", "nohup", "sleep", "600"], &["sh", "-c", stubborn]]
            .map(|words| process(words, &mark));
        let mut other = process(&["sleep", "600"], "another-mark");
        assert_eq!(walk_here(&["/bin/sh"], &mark, "END"), Some(0));
        let deadline = Instant::now() + Duration::from_secs(30);
        for process in &mut marked {
            while process.try_wait().unwrap().is_none() {
                assert!(Instant::now() < deadline, "{process:?} lives");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        assert!(other.try_wait().unwrap().is_none(), "it is somebody else's");
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(walk_here(&["/bin/sh"], &mark, "END"), Some(0), "nothing is left");
    }

    #[test]
    fn a_signal_is_sent_and_no_more() {
        let mark = format!("signal-of-{}", std::process::id());
        let script = "trap 'exit 9' USR1; while :; do sleep 0.05; done";
        let mut process = process(&["sh", "-c", script], &mark);
        let deadline = Instant::now() + Duration::from_secs(30);
        // It may not have set its trap yet, and end by the signal itself.
        while process.try_wait().unwrap().is_none() {
            assert_eq!(walk_here(&["/bin/sh"], &mark, "CONT"), Some(0));
            assert_eq!(walk_here(&["/bin/sh"], &mark, "USR1"), Some(0));
            assert!(Instant::now() < deadline, "it hears nothing");
        }
        assert!(matches!(process.wait().unwrap().code(), Some(9) | None));
    }
}
