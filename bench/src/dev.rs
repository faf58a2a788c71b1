//! A pool to measure on: real hosts and a controller, brought up by the release build of the program itself, and
//! removed when dropped.

use anyhow::{Context, Result, bail, ensure};
use pierhead_client::{Addresses, Change, Client, RunOptions, Started, Wait};
use pierhead_devhosts::{Host, Pool, sample};
use pierhead_wire::{ImageDescription, PortDescription, PortNumber};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The longest that anything may take that is not measured.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A pool that is up.
pub struct Dev {
    /// The program that was measured.
    pub program: PathBuf,
    /// Its hosts, for faults.
    pub pool: Pool,
    /// All of them.
    pub hosts: Vec<Host>,
    /// Where its controller answers.
    pub url: String,
    /// A token of its administrator.
    pub token: String,
    /// Asks its controller.
    pub client: Client,
    /// For whoever asks.
    pub runtime: Runtime,
    dir: TempDir,
}

/// The program beside this one.
///
/// # Errors
/// It was not built.
pub fn program() -> Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name("pierhead");
    ensure!(program.exists(), "build the program first: cargo build --release -p pierhead");
    Ok(program)
}

impl Dev {
    /// Brings up hosts, reached at their addresses or through agents.
    ///
    /// # Errors
    /// The machine lacks something, or a host does not come up.
    pub fn up(hosts: usize, agents: bool) -> Result<Self> {
        Self::up_with(hosts, agents, &[])
    }

    /// The same, with settings of the controller, as variables.
    ///
    /// # Errors
    /// As [`Dev::up`].
    pub fn up_with(hosts: usize, agents: bool, settings: &[(&str, &str)]) -> Result<Self> {
        let (program, dir) = (program()?, tempfile::tempdir()?);
        let place = dir.path().join("pool");
        let mut command = Command::new(&program);
        command.args(["dev", "up", "--json", "--hosts", &hosts.to_string(), "--dir"]).arg(&place);
        command.envs(settings.iter().copied());
        let output = command.args(agents.then_some("--agents")).output().context("pierhead dev up")?;
        ensure!(output.status.success(), "pierhead dev up: {}", String::from_utf8_lossy(&output.stderr));
        let up: Value = serde_json::from_slice(&output.stdout)?;
        let text = |name: &str| up[name].as_str().unwrap_or_default().to_owned();
        let (url, token, pool) = (text("url"), text("token"), Pool::open(&place)?);
        let client = Client::new(Addresses::parse(&url)?, Some(token.clone()))?;
        Ok(Self { program, hosts: pool.hosts()?, pool, url, token, client, runtime: Runtime::new()?, dir })
    }

    /// Where it lives.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().join("pool")
    }

    /// The process of a service, such as `controller` or `agent-host-1`.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn pid(&self, service: &str) -> Result<u32> {
        let services = self.pool.services()?;
        let found = services.iter().find(|known| known.name == service).and_then(|known| known.pid);
        found.with_context(|| format!("no service {service}"))
    }

    /// What a service has written.
    pub fn log(&self, service: &str) -> String {
        let folder = self.pool.service_dir(service).unwrap_or_default();
        std::fs::read_to_string(folder.join("log")).unwrap_or_default()
    }

    /// An engine's health by the controller's word, such as `healthy`.
    ///
    /// # Errors
    /// The controller does not answer.
    pub fn health(&self, host: &str) -> Result<String> {
        Ok(self.runtime.block_on(self.client.engine(host))?.into_value().health.status)
    }

    /// Runs an app of the sample image, each replica with a port of its host.
    ///
    /// # Errors
    /// It does not come up.
    pub fn run(&self, app: &str, replicas: u32) -> Result<()> {
        let port = PortDescription { container_port: Some(PortNumber::Number(80)), ..PortDescription::default() };
        let image = ImageDescription {
            name: sample::IMAGE.to_owned(),
            cpus: Some(0.02),
            memory: Some(16.0),
            bind_ports: vec![port],
            ..ImageDescription::default()
        };
        let options = RunOptions { count: Some(replicas), app: Some(app.to_owned()), ..RunOptions::default() };
        let change = Change::new(Wait::UntilEnded);
        match self.runtime.block_on(self.client.run(&image, &options, &change))? {
            Started::Ended { .. } => Ok(()),
            Started::Running(_) => bail!("{app} did not come up in time"),
        }
    }

    /// Removes an app with all that runs of it.
    ///
    /// # Errors
    /// It does not go.
    pub fn remove(&self, app: &str) -> Result<()> {
        self.runtime.block_on(self.client.delete_app(app, &Change::new(Wait::UntilEnded)))?;
        Ok(())
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let done = Command::new(&self.program).args(["dev", "down", "--dir"]).arg(self.dir()).output();
        if !done.is_ok_and(|done| done.status.success()) {
            eprintln!("the pool in {} could not be removed", self.dir().display());
        }
    }
}

/// Waits for a condition.
///
/// # Errors
/// It does not come about within [`PATIENCE`], or cannot be told.
pub fn until(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<Duration> {
    let begun = Instant::now();
    while !holds()? {
        ensure!(begun.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(begun.elapsed())
}

/// The command line that runs a program in the namespaces of a host, whose engine runs.
///
/// # Errors
/// The engine does not run.
pub fn inside(host: &Host, argv: Vec<String>) -> Result<Vec<String>> {
    let engine = host.pid()?.context("its engine does not run")?;
    let words = ["nsenter", &format!("--target={engine}"), "--mount", "--uts", "--net", "--"].map(str::to_owned);
    Ok(words.into_iter().chain(argv).collect())
}

/// The socket behind which a host's engine is, seen from this machine.
///
/// # Errors
/// It listens on the network.
pub fn socket(host: &Host) -> Result<&Path> {
    host.docker_host().strip_prefix("unix://").map(Path::new).context("its engine is at no socket")
}
