//! Processes by identity: a pid together with its start time, so that a reused pid is never taken for the old one.
//! Starts detached processes and finds those that belong to a pool. Ends none by itself.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use crate::command;
use crate::error::{Error, Result};
use crate::names::{MARKER_VARIABLE, Names};

/// One process, never its successor under the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    pub(crate) pid: u32,
    /// Start time in clock ticks since boot.
    start_ticks: u64,
}

impl ProcessId {
    /// The process that has this pid now; `None` if there is none, or only its remains (a zombie).
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let (state, start_ticks) = read_stat(pid)?;
        (!matches!(state, 'Z' | 'X')).then_some(Self { pid, start_ticks })
    }

    pub(crate) fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Whether nothing of it is left but an entry in the process table: of one that was killed, threads can hold its
    /// sockets longer than its first thread lives.
    pub(crate) fn is_gone(self) -> bool {
        let is_same = || read_stat(self.pid).is_some_and(|(_, start_ticks)| start_ticks == self.start_ticks);
        let threads = || fs::read_dir(format!("/proc/{}/task", self.pid)).map_or(0, Iterator::count);
        !self.is_alive() && (!is_same() || threads() < 2)
    }

    /// Sends a signal; `false` if the process is gone.
    pub(crate) fn signal(self, signal: Signal) -> Result<bool> {
        let failed = |errno: Errno| Error::Signal { pid: self.pid, source: errno.into() };
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return Ok(false);
        };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Err(Errno::SRCH) => return Ok(false),
            other => other.map_err(failed)?,
        };
        // The handle holds on to whatever has the pid now: only after that can the identity be trusted.
        if !self.is_alive() {
            return Ok(false);
        }
        match pidfd_send_signal(&handle, signal) {
            Err(Errno::SRCH) => Ok(false),
            sent => sent.map_err(failed).map(|()| true),
        }
    }
}

fn read_stat(pid: u32) -> Option<(char, u64)> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// State and start time from `/proc/PID/stat`. The command name in it may hold blanks and parentheses.
fn parse_stat(stat: &str) -> Option<(char, u64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let start_ticks = fields.nth(18)?.parse().ok()?;
    Some((state, start_ticks))
}

/// Starts a program in the background, in a process group of its own and with its output appended to `log`. It may
/// end at any time, even before this returns.
pub(crate) fn start_detached(
    names: &Names,
    argv: &[String],
    env: &[(String, String)],
    log: &Path,
) -> Result<ProcessId> {
    let output = File::options().create(true).append(true).open(log).map_err(Error::file("write", log))?;
    let errors = output.try_clone().map_err(Error::file("write", log))?;
    let (program, args) = argv.split_first().map_or(("", argv), |(program, args)| (program.as_str(), args));
    let mut child = command::command(program)
        .args(args)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .env(MARKER_VARIABLE, names.prefix())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(|source| Error::StartCommand { command: argv.join(" "), source })?;
    let pid = child.id();
    // A child that has ended already is still listed, because nobody has waited for it.
    let process = read_stat(pid).map(|(_, start_ticks)| ProcessId { pid, start_ticks });
    // Without someone who waits for it, an ended child would stay in the process table as a zombie.
    thread::spawn(move || child.wait());
    process.ok_or_else(|| Error::Signal { pid, source: io::Error::other("it is not listed in /proc") })
}

/// The processes of a pool: those that carry its marker, are in one of its network namespaces, or in one of its
/// cgroups. The calling process and those that wait for it are never among them.
pub(crate) fn of_pool(names: &Names, namespaces: &HashSet<(u64, u64)>) -> Vec<ProcessId> {
    let marker = format!("{MARKER_VARIABLE}={}", names.prefix());
    let cgroup = format!("/{}-host-", names.prefix());
    let callers = callers();
    all()
        .filter(|process| !callers.contains(&process.pid))
        .filter(|process| {
            let proc = format!("/proc/{}", process.pid);
            namespace(format!("{proc}/ns/net")).is_some_and(|id| namespaces.contains(&id))
                || fs::read_to_string(format!("{proc}/cgroup")).is_ok_and(|text| text.contains(&cgroup))
                || fs::read(format!("{proc}/environ"))
                    .is_ok_and(|text| text.split(|byte| *byte == 0).any(|entry| entry == marker.as_bytes()))
        })
        .collect()
}

/// The processes on one host of a pool: those in its network namespace or in its cgroup. The calling process and those
/// that wait for it are never among them.
pub(crate) fn of_host(netns: &str, namespace_of_host: Option<(u64, u64)>) -> Vec<ProcessId> {
    let cgroup = format!("/{netns}/");
    let callers = callers();
    all()
        .filter(|process| !callers.contains(&process.pid))
        .filter(|process| {
            let proc = format!("/proc/{}", process.pid);
            namespace(format!("{proc}/ns/net")).is_some_and(|id| Some(id) == namespace_of_host)
                || fs::read_to_string(format!("{proc}/cgroup")).is_ok_and(|text| text.contains(&cgroup))
        })
        .collect()
}

/// The processes of the given name in a network namespace.
pub(crate) fn in_namespace(name: &str, netns: (u64, u64)) -> Vec<ProcessId> {
    all()
        .filter(|process| namespace(format!("/proc/{}/ns/net", process.pid)) == Some(netns))
        .filter(|process| {
            fs::read_to_string(format!("/proc/{}/comm", process.pid)).is_ok_and(|text| text.trim_end() == name)
        })
        .collect()
}

/// The identity of a namespace: device and inode of the file that stands for it.
pub(crate) fn namespace(file: impl AsRef<Path>) -> Option<(u64, u64)> {
    fs::metadata(file).ok().map(|meta| (meta.dev(), meta.ino()))
}

fn all() -> impl Iterator<Item = ProcessId> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| ProcessId::of(entry.file_name().to_str()?.parse().ok()?))
}

/// This process and its ancestors.
fn callers() -> HashSet<u32> {
    let mut pid = std::process::id();
    let mut found = HashSet::new();
    while pid > 0 && found.insert(pid) {
        pid = parent(pid).unwrap_or(0);
    }
    found
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests;
