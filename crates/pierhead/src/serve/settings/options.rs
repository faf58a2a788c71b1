//! What the controller does and how fast: placement, waits, limits, and what is kept.

use super::ServeArgs;
use super::value::Span;
use anyhow::{Result, bail};
use pierhead_controller::{GoneLogOptions, Heartbeat, Options};
use pierhead_planner::{PlacementPolicy, Policy};
use std::path::Path;
use std::time::Duration;

impl ServeArgs {
    /// What the controller does, and how fast. What is kept lies in `data_dir`.
    pub(super) fn options(&self, data_dir: &Path) -> Result<Options> {
        let defaults = Options::default();
        let policy = defaults.policy.clone();
        let or = |given: Option<Span>, default_ms: u64| given.map_or(default_ms, Span::millis);
        self.check_options()?;
        let interval = Duration::from_millis(or(self.heartbeat_interval, 1_000));
        let starts = self.starts_per_engine.unwrap_or(defaults.heartbeat.starts);
        let pids_limit = self.pids_limit.unwrap_or(defaults.pids_limit);
        if interval < Duration::from_millis(50) || starts == 0 || pids_limit == 0 {
            bail!("--heartbeat-interval must be at least 50ms, --starts-per-engine and --pids-limit at least 1");
        }
        Ok(Options {
            policy: Policy {
                placement: PlacementPolicy {
                    cpu_weight: self.cpu_weight.unwrap_or(policy.placement.cpu_weight),
                    memory_weight: self.memory_weight.unwrap_or(policy.placement.memory_weight),
                    host_ports: self.host_ports.clone().map_or(policy.placement.host_ports.clone(), |ports| ports.0),
                },
                grace_ms: or(self.grace, policy.grace_ms),
                orphan_grace_ms: or(self.orphan_grace, policy.orphan_grace_ms),
                workspace_disk_mb: self.workspace_disk.unwrap_or(policy.workspace_disk_mb),
                warm_pause_ms: or(self.workspace_pause, policy.warm_pause_ms),
                warm_every_ms: or(self.workspace_refill, policy.warm_every_ms),
                ..policy
            },
            heartbeat: Heartbeat {
                interval,
                resync: Duration::from_millis(or(self.resync_interval, 10_000).max(100)),
                starts,
            },
            pids_limit,
            operation_timeout: Duration::from_millis(or(self.operation_timeout, 600_000)),
            stop_grace_seconds: u32::try_from(or(self.stop_grace, 10_000) / 1_000).unwrap_or(u32::MAX),
            events_kept: self.events_kept.unwrap_or(defaults.events_kept),
            events_age: self.events_age.map_or(defaults.events_age, |age| Duration::from_millis(age.millis())),
            gone_logs: self.gone_logs(data_dir)?,
            backups: self.backups()?,
            roster: self.roster()?,
            save_limits: self.save_limits()?,
            save_registry: self.save_registry()?,
            save_sweep_interval: defaults.save_sweep_interval,
            disk_look_interval: defaults.disk_look_interval,
            sweep_interval: defaults.sweep_interval,
            usage_write_interval: defaults.usage_write_interval,
            copy_check_interval: defaults.copy_check_interval,
            recording_look_interval: defaults.recording_look_interval,
            images: self.blobs(data_dir, &|name| std::env::var(name).ok())?,
            lab_files: self.lab_blobs(data_dir, &|name| std::env::var(name).ok())?,
            largest_image_bytes: self.largest_image()?,
        })
    }

    fn check_options(&self) -> Result<()> {
        for (flag, weight) in [("--cpu-weight", self.cpu_weight), ("--memory-weight", self.memory_weight)] {
            if weight.is_some_and(|weight| !(0.0..=1e6).contains(&weight)) {
                bail!("{flag} must be a number from 0 to 1000000");
            }
        }
        if self.cpu_weight == Some(0.0) && self.memory_weight == Some(0.0) {
            bail!("one of --cpu-weight and --memory-weight must be more than 0");
        }
        if self.operation_timeout.is_some_and(|timeout| timeout.millis() < 1_000) || self.events_kept == Some(0) {
            bail!("--operation-timeout must be at least 1s, --events-kept at least 1");
        }
        if self.workspace_disk == Some(0) {
            bail!("--workspace-disk must be at least 1");
        }
        Ok(())
    }

    pub(super) fn largest_image(&self) -> Result<u64> {
        match self.largest_image {
            None => Ok(Options::default().largest_image_bytes),
            Some(megabytes @ 1..=16_777_216) => Ok(megabytes << 20),
            Some(_) => bail!("--largest-image must be a number of MB from 1 to 16777216"),
        }
    }

    fn gone_logs(&self, data_dir: &Path) -> Result<GoneLogOptions> {
        let defaults = GoneLogOptions::default();
        let (bytes, count) =
            (self.gone_log_bytes.unwrap_or(defaults.bytes), self.gone_logs_kept.unwrap_or(defaults.count));
        if bytes > 1 << 20 || count > 100_000 {
            bail!("--gone-log-bytes must be at most 1048576, --gone-logs-kept at most 100000");
        }
        let age = self.gone_logs_age.map_or(defaults.age, |age| Duration::from_millis(age.millis()));
        Ok(GoneLogOptions { directory: Some(data_dir.join("gone-logs")), bytes, count, age })
    }
}
