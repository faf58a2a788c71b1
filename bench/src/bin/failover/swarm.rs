//! The peer: Docker Swarm mode, with a manager of its own that has no containers.

use crate::fault::Fault;
use crate::round::Side;
use anyhow::{Context, Result, ensure};
use pierhead_bench::dev::until;
use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::{Host, Pool, PoolSpec, sample};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

const SERVICE: &str = "bench";
const LIMIT: Duration = Duration::from_secs(60);
const PORT: u16 = 2377;

pub(crate) struct Swarm {
    pool: Option<Pool>,
    manager: Host,
    workers: Vec<Host>,
    image: String,
    _dir: TempDir,
}

impl Drop for Swarm {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.pool.take().map(Pool::down) {
            eprintln!("Swarm's hosts could not be removed: {error}");
        }
    }
}

impl Swarm {
    /// Brings up a manager and so many workers.
    pub fn up(workers: usize) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let spec = PoolSpec { dir: dir.path().join("swarm"), hosts: workers + 1, ..PoolSpec::default() };
        let pool = Pool::up(spec)?;
        let mut hosts = pool.hosts()?;
        let manager = hosts.remove(0);
        let mut swarm = Self { pool: Some(pool), manager, workers: hosts, image: String::new(), _dir: dir };
        swarm.form()?;
        Ok(swarm)
    }

    fn form(&mut self) -> Result<()> {
        let at = |host: &Host| format!("{}:{PORT}", host.address());
        let own = |host: &Host| json!({ "ListenAddr": at(host), "AdvertiseAddr": at(host) });
        ask(&self.manager, "POST", "/swarm/init", Some(&own(&self.manager)))?;
        let swarm = ask(&self.manager, "GET", "/swarm", None)?;
        for worker in &self.workers {
            let mut join = own(worker);
            join["RemoteAddrs"] = json!([at(&self.manager)]);
            join["JoinToken"] = swarm["JoinTokens"]["Worker"].clone();
            ask(worker, "POST", "/swarm/join", Some(&join))?;
        }
        // A tag would be looked for in a registry.
        let image = ask(&self.manager, "GET", &format!("/images/{}/json", sample::IMAGE), None)?;
        self.image = image["Id"].as_str().context("the image's id")?.to_owned();
        let node = self.node(&self.manager)?.context("the manager is no node")?;
        let mut spec = node["Spec"].clone();
        spec["Availability"] = json!("drain");
        let path = format!("/nodes/{}/update?version={}", text(&node["ID"]), node["Version"]["Index"]);
        ask(&self.manager, "POST", &path, Some(&spec))?;
        Ok(())
    }

    fn node(&self, host: &Host) -> Result<Option<Value>> {
        let nodes = ask(&self.manager, "GET", "/nodes", None)?;
        let mut nodes = nodes.as_array().cloned().unwrap_or_default().into_iter();
        Ok(nodes.find(|node| node["Description"]["Hostname"] == host.name()))
    }

    fn state(&self, host: &Host) -> Result<String> {
        Ok(self.node(host)?.map(|node| text(&node["Status"]["State"])).unwrap_or_default())
    }
}

impl Side for Swarm {
    fn name(&self) -> &'static str {
        "Swarm"
    }

    fn hosts(&self) -> &[Host] {
        &self.workers
    }

    fn deploy(&self, replicas: u32) -> Result<()> {
        let limits = json!({ "NanoCPUs": 20_000_000, "MemoryBytes": 16 << 20 });
        let service = json!({
            "Name": SERVICE,
            "TaskTemplate": {
                "ContainerSpec": { "Image": self.image },
                "Resources": { "Limits": limits, "Reservations": limits },
            },
            "Mode": { "Replicated": { "Replicas": replicas } },
            // The kernel lacks what addresses of services need.
            "EndpointSpec": {
                "Mode": "dnsrr",
                "Ports": [{ "Protocol": "tcp", "TargetPort": 80, "PublishMode": "host" }],
            },
        });
        ask(&self.manager, "POST", "/services/create", Some(&service)).map(drop)
    }

    fn clear(&self) -> Result<()> {
        ask(&self.manager, "DELETE", &format!("/services/{SERVICE}"), None)?;
        until("Swarm has no tasks", || {
            Ok(ask(&self.manager, "GET", "/tasks", None)?.as_array().is_some_and(Vec::is_empty))
        })?;
        Ok(())
    }

    fn is_lost(&self, host: &Host) -> Result<bool> {
        Ok(self.state(host)? == "down")
    }

    fn is_well(&self, host: &Host) -> Result<bool> {
        Ok(self.state(host)? == "ready")
    }

    fn strike(&self, fault: Fault, host: &Host) -> Result<()> {
        fault.strike(host)
    }

    fn mend(&self, fault: Fault, host: &Host) -> Result<()> {
        fault.mend(host)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn ask(host: &Host, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let json = body.map(Value::to_string);
    let body = json.as_deref().map_or(Body::Empty, Body::Json);
    let answer = request(host.docker_host(), method, path, body, LIMIT)?;
    ensure!(answer.status < 300, "Swarm: {method} {path}: {} {}", answer.status, answer.text());
    Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
}
