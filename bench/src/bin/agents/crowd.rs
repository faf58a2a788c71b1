//! A thousand agents that lose their controller at once and call the next one: how long until all hosts are healthy again,
//! and whether anything was done to their containers.

use crate::engine::FakeEngine;
use crate::simulated;
use anyhow::{Context, Result, ensure};
use pierhead_bench::dev::{PATIENCE, program};
use pierhead_bench::machine::{cpu_of, load, status_of};
use pierhead_client::{Addresses, Change, Client, RunOptions, Started, Wait};
use pierhead_wire::{ImageDescription, LogIn};
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const PASSWORD: &str = "only for this measurement";
const LOOK: Duration = Duration::from_millis(20);
/// How long nothing may be done to containers after all are back.
const WATCHED: Duration = Duration::from_secs(15);

/// A controller in a process of its own; ends when dropped.
pub(crate) struct Serving {
    child: Child,
    dir: PathBuf,
    /// Where it answers, and where it takes agents: the same after a restart.
    ports: (u16, u16),
    /// More of its flags.
    flags: Vec<String>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Serving {
    pub(crate) fn start(dir: &Path, flags: &[String]) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        std::fs::write(dir.join("password"), PASSWORD)?;
        let free = || anyhow::Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
        let ports = (free()?, free()?);
        Ok(Self { child: spawn(dir, ports, flags)?, dir: dir.to_owned(), ports, flags: flags.to_vec() })
    }

    fn kill_and_start(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(&self.dir, self.ports, &self.flags)?;
        Ok(())
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it takes agents.
    pub(crate) fn agents_call(&self) -> String {
        format!("127.0.0.1:{}", self.ports.1)
    }

    fn client(&self, token: Option<String>) -> Result<Client> {
        Ok(Client::new(Addresses::parse(&format!("http://127.0.0.1:{}", self.ports.0))?, token)?)
    }

    /// An administrator, as soon as it answers.
    pub(crate) async fn logged_in(&self) -> Result<Client> {
        let (client, begun) = (self.client(None)?, Instant::now());
        while client.health().await.is_err() {
            ensure!(
                begun.elapsed() < PATIENCE,
                "the controller does not answer; see {}",
                self.dir.join("log").display()
            );
            sleep(LOOK).await;
        }
        let log_in = LogIn { username: "admin".to_owned(), password: PASSWORD.to_owned() };
        let token = client.log_in(&log_in).await?.into_value().token;
        self.client(Some(token))
    }

    fn megabytes(&self, line: &str) -> Result<f64> {
        Ok(status_of(self.child.id(), line)? / 1024.0)
    }
}

fn spawn(dir: &Path, ports: (u16, u16), flags: &[String]) -> Result<Child> {
    let log = File::options().create(true).append(true).open(dir.join("log"))?;
    let mut command = Command::new(program()?);
    command.args(["serve", "--listen", &format!("127.0.0.1:{}", ports.0)]);
    command.args(["--agent-listen", &format!("127.0.0.1:{}", ports.1)]);
    command.arg("--data-dir").arg(dir.join("data")).arg("--admin-password-file").arg(dir.join("password")).args(flags);
    let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
    child.context("the controller could not be started")
}

pub(crate) fn measure(agents: usize, restarts: usize) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut serving = Serving::start(&dir.path().join("controller"), &[])?;
    runtime.block_on(async {
        let client = serving.logged_in().await?;
        let engines = simulated::start(&client, &[serving.agents_call()], agents, dir.path()).await?;
        all_healthy(&client, agents).await?;
        run(&client, agents, 1.0, 1024.0).await?;
        println!("\n{agents} agents with a container each, load {}", load());
        println!("{:<18} {:>12} {:>12} {:>14} {:>10} {:>10}", "", "all back, s", "CPU-s until", "agents' CPU-s", "MB", "at most MB");
        let memory = (serving.megabytes("VmRSS")?, serving.megabytes("VmHWM")?);
        println!("{:<18} {:>12} {:>12} {:>14} {:>10.1} {:>10.1}", "before", "", "", "", memory.0, memory.1);
        for number in 1..=restarts {
            restart(&mut serving, client.clone(), agents, &engines, number).await?;
        }
        println!("\nWanted: 10 s, nothing done to any container, and no more memory each time. Controller and agents share the cores.");
        anyhow::Ok(())
    })
}

async fn restart(
    serving: &mut Serving,
    client: Client,
    agents: usize,
    engines: &[Arc<FakeEngine>],
    number: usize,
) -> Result<()> {
    let changes = || engines.iter().map(|engine| engine.changes.load(Ordering::Relaxed)).sum::<usize>();
    let (before, cpu) = (changes(), pierhead_bench::cpu_time());
    let begun = Instant::now();
    serving.kill_and_start()?;
    while client.health().await.is_err() {
        ensure!(begun.elapsed() < PATIENCE, "the controller does not answer");
        sleep(LOOK).await;
    }
    all_healthy(&client, agents).await?;
    let (took, used) = (begun.elapsed(), cpu_of(serving.child.id())?);
    let by_agents = pierhead_bench::cpu_time() - cpu;
    sleep(WATCHED).await;
    let running: usize = engines.iter().map(|engine| engine.running()).sum();
    ensure!(
        changes() == before && running == agents,
        "{} requests changed something, {running} run",
        changes() - before
    );
    all_healthy(&client, agents).await?;
    println!(
        "{:<18} {:>12.2} {:>12.2} {:>14.2} {:>10.1} {:>10.1}",
        format!("restart {number}"),
        took.as_secs_f64(),
        used.as_secs_f64(),
        by_agents.as_secs_f64(),
        serving.megabytes("VmRSS")?,
        serving.megabytes("VmHWM")?
    );
    Ok(())
}

/// Waits until so many hosts are well.
pub(crate) async fn all_healthy(client: &Client, agents: usize) -> Result<()> {
    let begun = Instant::now();
    loop {
        let told = client.engines().await?.into_value();
        let healthy = told.iter().filter(|engine| engine.health.status == "healthy" && engine.cpus > 0.0).count();
        if healthy >= agents {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "{healthy} of {agents} hosts are healthy");
        sleep(LOOK * 5).await;
    }
}

/// So many containers, each with so many cores and megabytes: the planner spreads them.
pub(crate) async fn run(client: &Client, containers: usize, cpus: f64, memory: f64) -> Result<()> {
    let image = ImageDescription {
        name: "simulated:1".to_owned(),
        cpus: Some(cpus),
        memory: Some(memory),
        ..ImageDescription::default()
    };
    let options =
        RunOptions { count: Some(u32::try_from(containers)?), app: Some("crowd".to_owned()), ..RunOptions::default() };
    match client.run(&image, &options, &Change::new(Wait::UntilEnded)).await? {
        Started::Ended { .. } => Ok(()),
        Started::Running(_) => anyhow::bail!("the containers did not come up in time"),
    }
}
