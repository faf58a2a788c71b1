//! The processes of one session: found by the mark in their environment, and ended, whatever they did to stay.
//!
//! An engine can't end what an exec started. What bears the mark got it from the session's first process; what descends
//! from such a process belongs to it too, even if it emptied its environment. Only processes of the session's own
//! container count: anybody may write any environment elsewhere.

use crate::lease::processes::{belongs, send};
use rustix::process::{Pid, Signal};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

/// The variable that every process of a session bears, with the session's id.
pub(crate) const MARK: &str = "PIERHEAD_TERMINAL";
/// How long they have to end by themselves once they are told to hang up, as when somebody's line breaks.
const HANG_UP: Duration = Duration::from_millis(300);
/// How long it is tried to end those that make ever new ones.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many digits the id of a container has.
const ID_LENGTH: usize = 64;
/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A process of the container.
#[derive(Debug, Clone, Copy)]
struct Process {
    parent: i32,
    is_marked: bool,
}

/// Ends what a session started in a container, which has an id of 64 digits; `true` if nothing is left of it. May take
/// some seconds.
pub(super) async fn end(container: &str, session: &str) -> bool {
    let began = Instant::now();
    if tell(container, session, Signal::HUP).await == 0 {
        return true;
    }
    // One that was stopped hears of it when it goes on.
    tell(container, session, Signal::CONT).await;
    while began.elapsed() < HANG_UP {
        tokio::time::sleep(LOOK).await;
        if count(container, session).await == 0 {
            return true;
        }
    }
    while began.elapsed() < PATIENCE {
        if tell(container, session, Signal::KILL).await == 0 {
            return true;
        }
        tokio::time::sleep(LOOK).await;
    }
    false
}

/// A signal by its name without `SIG`.
pub(super) fn signal_of(name: &str) -> Option<Signal> {
    Some(match name {
        "INT" => Signal::INT,
        "QUIT" => Signal::QUIT,
        "TERM" => Signal::TERM,
        "HUP" => Signal::HUP,
        "KILL" => Signal::KILL,
        _ => return None,
    })
}

/// How many processes there are of a session.
async fn count(container: &str, session: &str) -> usize {
    let (container, session) = (container.to_owned(), session.to_owned());
    let count = move || of(&container, &session).len();
    tokio::task::spawn_blocking(count).await.unwrap_or(1)
}

/// Sends a signal to each of them; tells how many there were.
pub(super) async fn tell(container: &str, session: &str, signal: Signal) -> usize {
    let (container, session) = (container.to_owned(), session.to_owned());
    let each = move || {
        let found = of(&container, &session);
        let own = BTreeSet::from([container]);
        found.iter().filter_map(|pid| Pid::from_raw(*pid)).for_each(|pid| {
            // One that has ended meanwhile needs no signal.
            let _sent = send(pid, &own, signal);
        });
        found.len()
    };
    tokio::task::spawn_blocking(each).await.unwrap_or(1)
}

fn of(container: &str, session: &str) -> BTreeSet<i32> {
    belonging(&listed(container, session))
}

/// The processes of a container. A piece of an id may stand in any path, so it must be a whole one.
fn listed(container: &str, session: &str) -> BTreeMap<i32, Process> {
    if container.len() != ID_LENGTH || !container.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return BTreeMap::new();
    }
    let own = BTreeSet::from([container.to_owned()]);
    let mark = format!("{MARK}={session}");
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let looked = numbers.filter_map(|number| {
        if !belongs(Pid::from_raw(number)?, &own) {
            return None;
        }
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        Some((number, Process { parent: parent(&stat)?, is_marked: bears(&environment, &mark) }))
    });
    looked.collect()
}

/// Whether an environment has this variable with this value.
fn bears(environment: &[u8], mark: &str) -> bool {
    environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
}

/// The parent of a process by its line in `/proc`, in which its name may hold anything.
fn parent(stat: &str) -> Option<i32> {
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// Those that are marked, and all that descend from them.
fn belonging(processes: &BTreeMap<i32, Process>) -> BTreeSet<i32> {
    let marked = processes.iter().filter(|(_, process)| process.is_marked);
    let mut found: BTreeSet<i32> = marked.map(|(number, _)| *number).collect();
    loop {
        let children = processes.iter().filter(|(_, process)| found.contains(&process.parent));
        let more: Vec<i32> = children.map(|(number, _)| *number).filter(|number| !found.contains(number)).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_descends_from_what_is_marked_belongs_to_it() {
        let of = |parent, is_marked| Process { parent, is_marked };
        let processes = BTreeMap::from([
            (10, of(1, false)),
            (20, of(1, true)),
            (21, of(20, true)),
            (22, of(21, false)),
            (15, of(22, false)),
            (30, of(10, false)),
            (31, of(1, true)),
        ]);
        assert_eq!(belonging(&processes), BTreeSet::from([15, 20, 21, 22, 31]));
        assert_eq!(belonging(&BTreeMap::new()), BTreeSet::new());
        // Numbers come round: parents in a circle end nobody's search.
        let circle = BTreeMap::from([(1, of(2, true)), (2, of(1, false))]);
        assert_eq!(belonging(&circle), BTreeSet::from([1, 2]));
    }

    #[test]
    fn a_mark_is_a_whole_variable() {
        let environment = b"PATH=/bin\0XPIERHEAD_TERMINAL=t-1\0PIERHEAD_TERMINAL=t-12\0HOME=PIERHEAD_TERMINAL=t-1\0";
        assert!(bears(environment, "PIERHEAD_TERMINAL=t-12"));
        assert!(!bears(environment, "PIERHEAD_TERMINAL=t-1"));
        assert!(!bears(b"", "PIERHEAD_TERMINAL=t-1"));
    }

    #[test]
    fn signals_have_names() {
        assert_eq!(signal_of("INT"), Some(Signal::INT));
        assert_eq!(signal_of("SIGINT"), None);
    }

    #[test]
    fn a_parent_is_found_behind_any_name() {
        assert_eq!(parent("12 (sh) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (a) R 9 (b) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (sh"), None);
    }

    /// This process is in no container, whatever it bears.
    #[tokio::test]
    async fn what_is_elsewhere_is_left_alone() {
        let mut child = std::process::Command::new("sleep").arg("1000").env(MARK, "t-elsewhere").spawn().unwrap();
        assert!(end(&"0123456789abcdef".repeat(4), "t-elsewhere").await);
        assert!(end("", "t-elsewhere").await);
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
