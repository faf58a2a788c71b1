//! The process itself: its memory, open files, CPU time and tasks, as the system and the runtime tell them.

use super::text::{Kind, Page};
use rustix::time::{ClockId, clock_gettime};

pub(super) fn write(page: &mut Page) {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
    page.family("process_cpu_seconds_total", Kind::Counter, "CPU time of the program.").sample(&[], seconds);
    let mut resident = page.family("process_resident_memory_bytes", Kind::Gauge, "Memory of the program.");
    if let Some(bytes) = std::fs::read_to_string("/proc/self/status").ok().as_deref().and_then(resident_bytes) {
        resident.sample(&[], bytes as f64);
    }
    let mut files =
        page.family("process_open_fds", Kind::Gauge, "Open files of the program, its connections included.");
    if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
        // One is the directory that is being read.
        files.sample(&[], entries.count().saturating_sub(1) as f64);
    }
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    page.family("pierhead_tasks", Kind::Gauge, "Tasks of the runtime that have not ended.").sample(&[], tasks as f64);
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_words_of_the_system() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t   20480 kB\nThreads:\t3\n"), Some(20_971_520));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
        assert!(resident_bytes(&std::fs::read_to_string("/proc/self/status").unwrap()).unwrap() > 1 << 20);
    }
}
