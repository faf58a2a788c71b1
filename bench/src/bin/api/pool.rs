//! A controller with its API on fake hosts.

use anyhow::{Result, bail};
use pierhead_controller::Options;
use pierhead_model::Resources;
use pierhead_testkit::{Cluster, ClusterOptions, SAMPLE};
use pierhead_wire::ImageDescription;
use std::time::Duration;
use tempfile::TempDir;

/// Starts one whose hosts have room for everything.
pub(crate) async fn start(directory: TempDir, hosts: usize, controller: Options) -> Cluster {
    let capacity = Resources::new(64_000, 256 * 1024);
    let options = ClusterOptions { hosts, capacity, controller, ..ClusterOptions::default() };
    Cluster::start_in(directory, options).await
}

/// Runs containers, fifty of each app, until there are so many.
pub(crate) async fn fill(cluster: &Cluster, running: usize, wanted: usize) -> Result<()> {
    const OF_APP: usize = 50;
    if !wanted.is_multiple_of(OF_APP) {
        bail!("a multiple of {OF_APP} is wanted");
    }
    for app in running / OF_APP..wanted / OF_APP {
        let image = ImageDescription {
            name: SAMPLE.to_owned(),
            cpus: Some(0.1),
            memory: Some(64.0),
            environment: [("MODE".to_owned(), "production".to_owned()), ("LOG_LEVEL".to_owned(), "info".to_owned())]
                .into(),
            ..ImageDescription::default()
        };
        cluster.run(&format!("app-{app:04}"), OF_APP.try_into()?, &image).await;
    }
    Ok(())
}

/// How the controller goes about its work: as in production, but that nothing is swept while it is measured.
pub(crate) fn options() -> Options {
    Options { events_kept: usize::MAX, sweep_interval: Duration::from_secs(1_000_000), ..Options::default() }
}

/// The memory that this process has, in megabytes.
pub(crate) fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: f64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN);
    kilobytes / 1024.0
}
