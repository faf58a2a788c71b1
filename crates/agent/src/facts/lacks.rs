//! What an engine lacks, each as a sentence that says what follows from it, and what to do about an engine that does
//! not answer. Pure.

use super::told::{Info, Version};
use pierhead_engine::DiskQuota;
use std::path::Path;

/// The oldest API that Pierhead speaks, 1.41.
const OLDEST_API: [u32; 2] = [1, 41];
/// The first runc without the known ways out of a container, of each line.
const SAFE_RUNC: [[u32; 3]; 3] = [[1, 2, 8], [1, 3, 3], [1, 4, 0]];

/// With less than this free, or a fiftieth of it, a disk is nearly full: 512 MB.
const LEAST_FREE: u64 = 512 << 20;

/// What the engine lacks.
pub(super) fn of_engine(info: &Info, version: &Version) -> Vec<String> {
    let mut lacks: Vec<String> = of_kernel(info).chain(of_protection(info)).collect();
    if let Some(runc) = version.runc().filter(|runc| is_old(runc)) {
        lacks.push(format!(
            "runc is {runc}: versions before 1.2.8 have known ways out of a container, unless the distribution has \
             closed them."
        ));
    }
    if let Some(api) = version.api_version.as_deref().filter(|api| numbers::<2>(api) < OLDEST_API) {
        lacks.push(format!("The engine speaks API {api} at most: Pierhead needs 1.41 (Docker 20.10) or newer."));
    }
    lacks
}

fn of_kernel(info: &Info) -> impl Iterator<Item = String> {
    let off = |flag: Option<bool>| flag == Some(false);
    chosen([
        (off(info.memory_limit), "The kernel limits no memory: one container can take all of the host's."),
        (
            off(info.swap_limit) && !off(info.memory_limit),
            "The kernel limits no swap: containers can use swap beyond their memory (boot with swapaccount=1).",
        ),
        (off(info.cpu_quota), "The kernel has no CPU quota: limits of CPU are refused, only the weight counts."),
        (off(info.cpu_set), "The kernel has no cpuset: containers that ask for cores fail here."),
        (off(info.pids_limit), "The kernel limits no number of processes: a fork bomb in a container stops the host."),
        (off(info.forwarding), "IPv4 forwarding is off: published ports and the bridge network do not work."),
        (
            info.cgroup_version.as_deref().unwrap_or("1") == "1",
            "Control groups are version 1: the kernel gives no figures of pressure, and new engines leave it behind.",
        ),
    ])
}

fn of_protection(info: &Info) -> impl Iterator<Item = String> {
    let security = info.security_options.as_deref().unwrap_or_default();
    let has = |name: &str| security.iter().any(|option| option.contains(name));
    let driver = info.driver.as_deref().unwrap_or_default();
    let quota = DiskQuota::of(driver, info.driver_status.as_deref().unwrap_or_default());
    chosen([
        (
            !security.is_empty() && !has("name=seccomp"),
            "Seccomp is off: containers can make every system call that the kernel offers.",
        ),
        (
            has("profile=unconfined"),
            "Seccomp is unconfined by default: containers can make every system call that the kernel offers.",
        ),
        (
            info.live_restore_enabled == Some(false),
            "Live restore is off: a restart of the engine stops every container on it.",
        ),
        (
            matches!(driver, "vfs" | "devicemapper" | "aufs"),
            "The storage driver is one that Docker advises against: images are slow and large here.",
        ),
        (
            !driver.is_empty() && quota == DiskQuota::None,
            "Containers cannot be given a quota of disk (that needs xfs with pquota, btrfs or zfs): one can fill the host's.",
        ),
        (
            info.os_type.as_deref().is_some_and(|os| os != "linux"),
            "The host is not Linux: Pierhead's limits and statistics are untested on it.",
        ),
    ])
}

/// Whether the disk of a directory is full or nearly so, by what is free of it and all of it, in bytes.
pub(super) fn of_disk(dir: &str, (free, all): (u64, u64)) -> Option<String> {
    let is_low = free < LEAST_FREE || free < all / 50;
    (all > 0 && is_low).then(|| {
        format!(
            "The disk of {dir} is nearly full ({} MB are free): images cannot be pulled, and containers cannot write.",
            free >> 20
        )
    })
}

/// What to do about an engine that does not answer.
pub(super) fn of_silence(socket: &Path, why: &str) -> String {
    let advice = if why.contains("No such file") {
        "the engine is not installed, or not started (systemctl start docker), or its socket is elsewhere"
    } else if why.contains("Permission denied") {
        "the agent may not open the socket: run it as root or in the group docker"
    } else if why.contains("Connection refused") {
        "the socket is there, but nobody listens: the engine has stopped (systemctl status docker)"
    } else if why.contains("within") {
        "the engine hangs: look into its log (journalctl -u docker)"
    } else {
        "look into the engine's log (journalctl -u docker)"
    };
    format!("The engine does not answer at {}: {advice}.", socket.display())
}

fn chosen<const N: usize>(sentences: [(bool, &'static str); N]) -> impl Iterator<Item = String> {
    sentences.into_iter().filter(|(lacking, _)| *lacking).map(|(_, sentence)| sentence.to_owned())
}

/// Whether a runc is older than the first safe one of its line; one without a readable number is not blamed.
fn is_old(runc: &str) -> bool {
    let number = numbers::<3>(runc);
    let line = SAFE_RUNC.iter().find(|safe| safe[..2] == number[..2]);
    number != [0; 3] && *line.unwrap_or(&SAFE_RUNC[0]) > number
}

/// The leading numbers of a version such as `1.1.5+ds1`.
fn numbers<const N: usize>(version: &str) -> [u32; N] {
    let mut numbers = [0; N];
    for (number, word) in numbers.iter_mut().zip(version.split('.')) {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        *number = word[..digits].parse().unwrap_or(0);
    }
    numbers
}

#[cfg(test)]
mod tests;
