//! The processes of containers, found and killed without their engine, which may hang.
//!
//! A process belongs to a container whose id stands in the path of its control group, in either version of those. It is
//! held by a descriptor while that is looked at, so that no other process that got its number meanwhile is hit.

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use std::collections::BTreeSet;
use std::fs;

/// The shortest id that is looked for: a piece of one may stand in any path.
const ID_LENGTH: usize = 64;

/// Sends a signal to every process of these containers; tells how many there are.
pub(super) fn signal(containers: &BTreeSet<String>, signal: Signal) -> usize {
    members(containers).filter(|pid| send(*pid, containers, signal)).count()
}

/// How many processes these containers have.
pub(super) fn count(containers: &BTreeSet<String>) -> usize {
    members(containers).count()
}

/// The processes of these containers.
fn members(containers: &BTreeSet<String>) -> impl Iterator<Item = Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|it| it.file_name().to_str()?.parse().ok());
    let ids: BTreeSet<String> = containers.iter().filter(|id| id.len() >= ID_LENGTH).cloned().collect();
    numbers.filter_map(Pid::from_raw).filter(move |pid| belongs(*pid, &ids))
}

/// Whether a process runs in a container of these ids, each of at least 64 digits.
pub(crate) fn belongs(pid: Pid, ids: &BTreeSet<String>) -> bool {
    if ids.is_empty() {
        return false;
    }
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let is_dead = || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| has_ended(&stat));
    ids.iter().any(|id| groups.contains(id.as_str())) && !is_dead()
}

/// Whether a process runs no more and only waits for its parent to hear of it, by its line in `/proc`.
fn has_ended(stat: &str) -> bool {
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// Sends a signal to a process of these containers; `false` if it is none or has ended.
pub(crate) fn send(pid: Pid, containers: &BTreeSet<String>, signal: Signal) -> bool {
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => belongs(pid, containers) && pidfd_send_signal(&process, signal).is_ok(),
        // A kernel before 5.3 has no such descriptors.
        Err(Errno::NOSYS) => kill_process(pid, signal).is_ok(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_a_group_of_the_container_is_hit() {
        let none = BTreeSet::from(["0123456789abcdef".repeat(4)]);
        assert_eq!(signal(&none, Signal::KILL), 0);
        assert_eq!(members(&BTreeSet::from([String::new(), "/".to_owned(), "docker".to_owned()])).count(), 0);
    }

    #[test]
    fn what_has_ended_is_not_waited_for() {
        assert!(has_ended("12 (a) b) Z 1 12") && has_ended("12 (sh) X 1"));
        assert!(!has_ended("12 (Z) S 1 12") && !has_ended("12 (sh) R 1"));
    }
}
