//! A pool with one host behind an agent and one without, and a container on each.

use super::client;
use crate::agents;
use crate::bed::Bed;
use crate::program::{Background, program};
use crate::raw;
use crate::wait::{PATIENCE, until, until_right};
use pierhead_client::{Change, Client, Wait};
use pierhead_devhosts::{Host, sample};
use pierhead_wire::{TerminalRequest, TerminalView};
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

pub struct Homes {
    runtime: Runtime,
    pub client: Client,
    /// The container whose terminals live in an agent.
    pub behind_agent: String,
    /// The container whose terminals live in the controller.
    pub bare: String,
    hosts: [Host; 2],
    pub bed: Bed,
}

impl Homes {
    pub fn up() -> Self {
        Self::up_with(&[])
    }

    /// The same, with flags.
    pub fn up_with(flags: &[&str]) -> Self {
        let bed = Bed::up_with(1, &[&["--agents"], flags].concat());
        let host = bed.pool.add_host().unwrap();
        bed.ok(&["engine", "add", host.docker_host(), "--id", "bare", "--label", "bare"]);
        until("both hosts are there", PATIENCE, || {
            ["host-1", "bare"].iter().all(|host| agents::is_healthy(&bed, host))
        });
        let [behind_agent, bare] = ["host:host-1", "bare"].map(|label| {
            let app = label.replace(':', "-");
            let words = ["run", "--json", sample::IMAGE, "--app", &app, "--label", label, "--cpus", "0.5"];
            let made = bed.ok(&[&words[..], &["--memory", "48"]].concat());
            let made: serde_json::Value = serde_json::from_str(&made).unwrap();
            made[0]["id"].as_str().unwrap().to_owned()
        });
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = client(bed.text("url"), bed.text("token"));
        let hosts = [bed.host("host-1").clone(), host];
        Self { runtime, client, behind_agent, bare, hosts, bed }
    }

    pub fn wait<F: Future>(&self, asked: F) -> F::Output {
        self.runtime.block_on(asked)
    }

    pub fn client_at(&self, url: &str) -> Client {
        client(url, self.bed.text("token"))
    }

    /// A shell in a container.
    pub async fn open(&self, container: &str) -> TerminalView {
        self.open_as(container, &TerminalRequest::default()).await
    }

    pub async fn open_as(&self, container: &str, request: &TerminalRequest) -> TerminalView {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let opened = self.client.open_terminal(container, request, &Change::new(Wait::UntilEnded)).await;
            match opened {
                Ok(terminal) => return terminal.into_value(),
                Err(error) => assert!(Instant::now() < deadline, "no terminal: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The program, which looks at a terminal.
    pub fn look_in(&self, id: &str) -> Looking {
        let file = self.bed.place.beside(&format!("looking-{id}"));
        let output = File::create(&file).unwrap();
        let mut look = program();
        look.env("PIERHEAD_URL", self.bed.text("url")).env("PIERHEAD_TOKEN", self.bed.text("token"));
        look.args(["attach", "--view", id]).stdout(output).stderr(Stdio::null());
        Looking { file, process: Background::start(&mut look) }
    }

    pub async fn terminal(&self, id: &str) -> TerminalView {
        self.client.terminal(id).await.unwrap().into_value()
    }

    pub async fn until_ended(&self, id: &str) -> TerminalView {
        self.until_ended_at(&self.client, id).await
    }

    /// As a controller says.
    pub async fn until_ended_at(&self, client: &Client, id: &str) -> TerminalView {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let terminal = client.terminal(id).await.unwrap().into_value();
            if terminal.state == "ended" {
                return terminal;
            }
            assert!(Instant::now() < deadline, "it has not ended: {terminal:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many files the controller and the agent have open, and how many threads they have.
    pub fn files(&self) -> [usize; 4] {
        let services = self.bed.pool.services().unwrap();
        let pid = |name: &str| services.iter().find(|service| service.name == name).unwrap().pid.unwrap();
        let count = |pid: u32, what: &str| std::fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
        let (controller, agent) = (pid("controller"), pid("agent-host-1"));
        [count(controller, "fd"), count(agent, "fd"), count(controller, "task"), count(agent, "task")]
    }

    /// How many processes the engines have started in each of the two containers beside its own.
    pub fn execs(&self) -> [usize; 2] {
        let count = |host: &Host, id: &str| {
            let (_, container) = raw::ask(host.docker_host(), "GET", &format!("/containers/{id}/json"), None);
            container["ExecIDs"].as_array().map_or(0, Vec::len)
        };
        [count(&self.hosts[0], &self.behind_agent), count(&self.hosts[1], &self.bare)]
    }

    /// For how long processes sleep, of these times, in any container of this pool.
    pub fn sleeping<'s>(&self, seconds: &[&'s str]) -> Vec<&'s str> {
        let ids = [&self.behind_agent, &self.bare];
        let is_ours = |pid: &str| {
            let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
            ids.iter().any(|id| groups.contains(id.as_str()))
        };
        let sleeps = |pid: &String| {
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).into_owned();
            let is_asleep = words.split('\0').any(|word| word == "sleep" || word == "/bin/sleep");
            seconds.iter().copied().find(|seconds| is_asleep && words.split('\0').any(|word| word == *seconds))
        };
        pids().iter().filter(|pid| is_ours(pid)).filter_map(sleeps).collect()
    }

    /// A container of an image on the host without an agent.
    pub fn run_bare(&self, image: &str, app: &str) -> String {
        let words = ["run", "--json", image, "--app", app, "--label", "bare", "--cpus", "0.5", "--memory", "64"];
        let made: serde_json::Value = serde_json::from_str(&self.bed.ok(&words)).unwrap();
        made[0]["id"].as_str().unwrap().to_owned()
    }

    /// The address of the engine without an agent.
    pub fn bare_engine(&self) -> &str {
        self.hosts[1].docker_host()
    }
}

/// The program while it looks at a terminal.
pub struct Looking {
    file: PathBuf,
    process: Background,
}

impl Looking {
    /// Waits until it has shown this last.
    pub fn until_shown(&self, bytes: &[u8]) {
        let shown = until_right(PATIENCE, || {
            let shown = std::fs::read(&self.file).unwrap();
            if shown.ends_with(bytes) { Ok(()) } else { Err(shown.len()) }
        });
        shown.unwrap_or_else(|length| panic!("the {length} bytes that it shows end otherwise"));
    }

    /// The code with which it ends.
    pub fn ended(&mut self) -> Option<i32> {
        self.process.end().0.code()
    }
}

/// How many processes bear the mark of a terminal, on all of these hosts, which are this machine.
pub fn processes_of(terminal: &str) -> usize {
    let mark = format!("PIERHEAD_TERMINAL={terminal}");
    let bears = |pid: &String| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    pids().iter().filter(|pid| bears(pid)).count()
}

fn pids() -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).collect()
}
