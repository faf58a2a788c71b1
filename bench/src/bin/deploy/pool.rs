//! The pool that is measured: real hosts and a controller, brought up by the release build of the program itself.

use super::raw;
use anyhow::{Context, Result, bail, ensure};
use pierhead_client::{Addresses, Change, Client, RunOptions, Started, Wait};
use pierhead_devhosts::sample;
use pierhead_wire::ImageDescription;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const APP: &str = "bench";

pub(crate) struct Pool {
    program: PathBuf,
    dir: TempDir,
    docker_hosts: Vec<String>,
    client: Client,
    runtime: Runtime,
}

impl Pool {
    /// With its records in an etcd cluster of so many members, or in the embedded store if there are none.
    pub fn up(hosts: usize, etcd: usize) -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("pierhead");
        ensure!(program.exists(), "build the program first: cargo build --release -p pierhead");
        let dir = tempfile::tempdir()?;
        let output = Command::new(&program)
            .args(["dev", "up", "--json", "--hosts", &hosts.to_string(), "--etcd", &etcd.to_string(), "--dir"])
            .arg(dir.path().join("pool"))
            .output()
            .context("pierhead dev up")?;
        ensure!(output.status.success(), "pierhead dev up: {}", String::from_utf8_lossy(&output.stderr));
        let up: Value = serde_json::from_slice(&output.stdout)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let hosts = up["hosts"].as_array().cloned().unwrap_or_default();
        Ok(Self {
            program,
            dir,
            docker_hosts: hosts.iter().map(|host| text(&host["docker_host"])).collect(),
            client: Client::new(Addresses::parse(&text(&up["url"]))?, Some(text(&up["token"])))?,
            runtime: Runtime::new()?,
        })
    }

    pub fn docker_hosts(&self) -> &[String] {
        &self.docker_hosts
    }

    /// Running containers, by the engines' own lists.
    pub fn running(&self) -> Result<usize> {
        let mut count = 0;
        for host in &self.docker_hosts {
            count += raw::list(host, false)?.len();
        }
        Ok(count)
    }

    /// Deploys by one request.
    pub fn run(&self, count: usize, no_network: bool) -> Result<()> {
        let image = ImageDescription {
            name: sample::IMAGE.to_owned(),
            cpus: Some(0.02),
            memory: Some(16.0),
            network_mode: no_network.then(|| "none".to_owned()),
            ..ImageDescription::default()
        };
        let options =
            RunOptions { count: Some(u32::try_from(count)?), app: Some(APP.to_owned()), ..RunOptions::default() };
        let change = Change::new(Wait::UntilEnded);
        match self.runtime.block_on(self.client.run(&image, &options, &change))? {
            Started::Ended { .. } => Ok(()),
            Started::Running(_) => bail!("the deployment did not end"),
        }
    }

    pub fn remove_app(&self) -> Result<()> {
        let change = Change::new(Wait::UntilEnded);
        self.runtime.block_on(self.client.delete_app(APP, &change))?;
        Ok(())
    }

    /// The CPU seconds that the controller has used so far.
    pub fn controller_cpu(&self) -> Result<f64> {
        let status = Command::new(&self.program)
            .args(["dev", "status", "--json", "--dir"])
            .arg(self.dir.path().join("pool"))
            .output()?;
        let status: Value = serde_json::from_slice(&status.stdout)?;
        let pid = status["services"][0]["pid"].as_u64().context("the controller's pid")?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        Ok((ticks(11) + ticks(12)) / TICKS_PER_SECOND)
    }

    pub fn down(self) -> Result<()> {
        let done =
            Command::new(&self.program).args(["dev", "down", "--dir"]).arg(self.dir.path().join("pool")).output()?;
        ensure!(done.status.success(), "pierhead dev down: {}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }
}

/// The kernel's unit of CPU time towards programs on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// The CPU seconds that the whole machine has used so far, without idle time and waiting.
pub(crate) fn machine_cpu() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().skip(1).filter_map(|text| text.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq
    let busy = [0, 1, 2, 5, 6].into_iter().filter_map(|field: usize| ticks.get(field));
    Ok(busy.sum::<f64>() / TICKS_PER_SECOND)
}
