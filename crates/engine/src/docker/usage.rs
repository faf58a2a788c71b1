//! From Docker's statistics to ours, with cgroup v1 and v2. Pure.

use crate::output::Usage;
use bollard::models::ContainerStatsResponse;

/// What a container uses; zero if it does not run.
pub(super) fn usage(stats: ContainerStatsResponse) -> Usage {
    let memory = stats.memory_stats.unwrap_or_default();
    let parts = memory.stats.unwrap_or_default();
    // Page cache that was not used lately can be given back at once: v1 names it for the whole tree of a cgroup.
    let reclaimable = parts.get("total_inactive_file").or_else(|| parts.get("inactive_file")).copied().unwrap_or(0);
    let used = memory.usage.unwrap_or(0);
    Usage {
        cpu_nanos: stats.cpu_stats.and_then(|cpu| cpu.cpu_usage).and_then(|cpu| cpu.total_usage).unwrap_or(0),
        memory_bytes: if reclaimable < used { used - reclaimable } else { used },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Usage {
        usage(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn both_kinds_of_cgroup() {
        let v1 = r#"{"cpu_stats":{"cpu_usage":{"total_usage":77}},
            "memory_stats":{"usage":1000,"stats":{"inactive_file":1,"total_inactive_file":300,"cache":500}}}"#;
        assert_eq!(of(v1), Usage { cpu_nanos: 77, memory_bytes: 700 });
        let v2 = r#"{"cpu_stats":{"cpu_usage":{"total_usage":78}},
            "memory_stats":{"usage":1000,"stats":{"inactive_file":400,"anon":500}}}"#;
        assert_eq!(of(v2), Usage { cpu_nanos: 78, memory_bytes: 600 });
    }

    #[test]
    fn a_container_that_does_not_run_uses_nothing() {
        assert_eq!(of(r#"{"cpu_stats":{"cpu_usage":{"total_usage":0}},"memory_stats":{}}"#), Usage::default());
        assert_eq!(of("{}"), Usage::default());
    }

    #[test]
    fn memory_is_never_less_than_nothing() {
        assert_eq!(of(r#"{"memory_stats":{"usage":10,"stats":{"inactive_file":30}}}"#).memory_bytes, 10);
    }
}
