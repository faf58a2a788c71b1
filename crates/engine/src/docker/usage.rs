//! From Docker's statistics to ours, with cgroup v1 and v2. Pure.

use crate::output::Usage;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The longest answer that is read, in bytes: some hundred cores make some ten thousand.
pub(super) const LONGEST: usize = 1 << 20;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reading {
    read: Option<String>,
    cpu_stats: Option<Cpu>,
    memory_stats: Option<Memory>,
    networks: Option<BTreeMap<String, Network>>,
    blkio_stats: Option<BlockDevices>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cpu {
    cpu_usage: CpuUsage,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CpuUsage {
    total_usage: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Memory {
    usage: u64,
    limit: u64,
    stats: Option<MemoryParts>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MemoryParts {
    total_inactive_file: Option<u64>,
    inactive_file: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Network {
    rx_bytes: u64,
    tx_bytes: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BlockDevices {
    io_service_bytes_recursive: Option<Vec<Transferred>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Transferred {
    op: String,
    value: u64,
}

/// What a container uses, all zero if it does not run; `None` for what is no reading.
pub(super) fn read(json: &[u8]) -> Option<Usage> {
    let reading: Reading = serde_json::from_slice(json).ok()?;
    let cpu_nanos = reading.cpu_stats.map_or(0, |cpu| cpu.cpu_usage.total_usage);
    let memory = reading.memory_stats.unwrap_or_default();
    if cpu_nanos == 0 && memory.usage == 0 {
        return Some(Usage::default());
    }
    let parts = memory.stats.unwrap_or_default();
    // Page cache that was not used lately can be given back at once: v1 names it for the whole tree of a cgroup.
    let reclaimable = parts.total_inactive_file.or(parts.inactive_file).unwrap_or(0);
    let networks = reading.networks.unwrap_or_default();
    let devices = reading.blkio_stats.and_then(|devices| devices.io_service_bytes_recursive).unwrap_or_default();
    // v1 writes them large, v2 small.
    let transferred = |op: &str| {
        devices
            .iter()
            .filter(|part| part.op.eq_ignore_ascii_case(op))
            .map(|part| part.value)
            .fold(0, u64::saturating_add)
    };
    Some(Usage {
        cpu_nanos,
        memory_bytes: if reclaimable < memory.usage { memory.usage - reclaimable } else { memory.usage },
        memory_limit: memory.limit,
        rx_bytes: networks.values().map(|network| network.rx_bytes).fold(0, u64::saturating_add),
        tx_bytes: networks.values().map(|network| network.tx_bytes).fold(0, u64::saturating_add),
        read_bytes: transferred("read"),
        write_bytes: transferred("write"),
        at_nanos: reading.read.map_or(0, |read| nanos(&read)),
    })
}

/// The same; `None` too if it does not run.
pub(super) fn read_running(json: &[u8]) -> Option<Usage> {
    read(json).filter(|usage| *usage != Usage::default())
}

fn nanos(moment: &str) -> u64 {
    let moment = moment.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_nanosecond);
    u64::try_from(moment).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Usage {
        read(json.as_bytes()).unwrap()
    }

    #[test]
    fn cgroups_of_version_1() {
        let json = r#"{"read":"2026-11-22T08:00:00.5Z","cpu_stats":{"cpu_usage":{"total_usage":77,"percpu_usage":[70,7]}},
            "memory_stats":{"usage":1000,"limit":4000,"stats":{"inactive_file":1,"total_inactive_file":300,"cache":500}},
            "networks":{"eth0":{"rx_bytes":5,"tx_bytes":6},"eth1":{"rx_bytes":10,"tx_bytes":20,"rx_errors":9}},
            "blkio_stats":{"io_service_bytes_recursive":[{"major":8,"minor":0,"op":"Read","value":11},
                {"major":8,"minor":0,"op":"Write","value":22},{"major":8,"minor":0,"op":"Sync","value":33},
                {"major":8,"minor":16,"op":"Read","value":100},{"major":8,"minor":0,"op":"Total","value":33}],
                "io_time_recursive":[]}}"#;
        let expected = Usage {
            cpu_nanos: 77,
            memory_bytes: 700,
            memory_limit: 4000,
            rx_bytes: 15,
            tx_bytes: 26,
            read_bytes: 111,
            write_bytes: 22,
            at_nanos: 1_795_334_400_500_000_000,
        };
        assert_eq!(of(json), expected);
        assert_eq!(read_running(json.as_bytes()), Some(expected));
    }

    #[test]
    fn cgroups_of_version_2() {
        let json = r#"{"read":"2026-11-22T08:00:00Z","cpu_stats":{"cpu_usage":{"total_usage":78,"usage_in_usermode":70}},
            "memory_stats":{"usage":1000,"limit":2000,"stats":{"inactive_file":400,"anon":500}},
            "blkio_stats":{"io_service_bytes_recursive":[{"op":"read","value":1},{"op":"write","value":2}],
            "io_queue_recursive":null}}"#;
        let Usage { cpu_nanos, memory_bytes, read_bytes, write_bytes, rx_bytes, .. } = of(json);
        assert_eq!((cpu_nanos, memory_bytes, read_bytes, write_bytes, rx_bytes), (78, 600, 1, 2, 0));
        let nothing_read = r#"{"cpu_stats":{"cpu_usage":{"total_usage":78}},"memory_stats":{"usage":5},
            "blkio_stats":{"io_service_bytes_recursive":null}}"#;
        assert_eq!((of(nothing_read).read_bytes, of(nothing_read).at_nanos), (0, 0));
    }

    #[test]
    fn a_container_that_does_not_run_uses_nothing() {
        let stopped = r#"{"read":"0001-01-01T00:00:00Z","preread":"0001-01-01T00:00:00Z","pids_stats":{},"num_procs":0,
            "blkio_stats":{"io_service_bytes_recursive":null},"cpu_stats":{"cpu_usage":{"total_usage":0},
            "throttling_data":{"periods":0}},"memory_stats":{},"name":"/a","id":"4f"}"#;
        assert_eq!(of(stopped), Usage::default());
        assert_eq!(of("{}"), Usage::default());
        assert_eq!(read_running(stopped.as_bytes()), None);
    }

    #[test]
    fn memory_is_never_less_than_nothing() {
        assert_eq!(of(r#"{"memory_stats":{"usage":10,"stats":{"inactive_file":30}}}"#).memory_bytes, 10);
    }

    #[test]
    fn what_is_no_reading_is_none() {
        for bad in [&b"null"[..], b"", b"{\"cpu_stats\":7}", b"\xff", b"{\"memory_stats\":{\"usage\":-1}}"] {
            assert_eq!(read(bad), None);
        }
        let huge =
            r#"{"memory_stats":{"usage":1},"networks":{"a":{"rx_bytes":18446744073709551615},"b":{"rx_bytes":7}}}"#;
        assert_eq!(of(huge).rx_bytes, u64::MAX);
    }
}
