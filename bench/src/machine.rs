//! What the machine and single processes use, as the kernel tells.

use anyhow::{Context, Result};
use std::fs;
use std::time::Duration;

/// The kernel's unit of CPU time towards programs on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// The CPU seconds that the whole machine has used so far, without idle time and waiting.
///
/// # Errors
/// The kernel does not tell.
pub fn cpu_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let ticks: Vec<f64> =
        stat.lines().next().unwrap_or_default().split_whitespace().filter_map(|text| text.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq
    Ok([0, 1, 2, 5, 6].into_iter().filter_map(|field: usize| ticks.get(field)).sum::<f64>() / TICKS_PER_SECOND)
}

/// The load of the machine over the last minute, five minutes and fifteen.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// The CPU time that the threads of a process have used which live now, to the nanosecond.
///
/// # Errors
/// There is no such process.
pub fn cpu_of(pid: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("process {pid}"))? {
        let told = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanoseconds += told.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// A line of `/proc/PID/status`, such as `VmRSS`, as a number; kilobytes where it is memory.
///
/// # Errors
/// There is no such process, or no such line.
pub fn status_of(pid: u32, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).with_context(|| format!("{name} of {pid}"))
}

/// The words of a process's command line.
///
/// # Errors
/// There is no such process.
pub fn argv_of(pid: u32) -> Result<Vec<String>> {
    let words = fs::read(format!("/proc/{pid}/cmdline")).with_context(|| format!("process {pid}"))?;
    let words = String::from_utf8(words)?;
    Ok(words.split_terminator('\0').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_of_this_process_is_read() {
        let own = std::process::id();
        assert!(status_of(own, "VmRSS").unwrap() > 500.0 && status_of(own, "Threads").unwrap() >= 1.0);
        assert!(status_of(own, "Nothing").is_err() && status_of(0, "VmRSS").is_err());
        assert!(cpu_seconds().unwrap() > 0.0 && cpu_of(own).unwrap() > Duration::ZERO);
        assert!(!argv_of(own).unwrap().is_empty() && load().split(' ').count() == 3);
    }
}
