//! A pool of real hosts with a controller: brought up in steps, each of which says what it waits for.

use super::Wish;
use super::agents::{self, DevAgent};
use super::controllers::{self, CONTROLLER};
use anyhow::{Context, Result, bail};
use pierhead_client::{Addresses, Change, Client, RunOptions, Started, Wait};
use pierhead_devhosts::{EtcdSpec, EtcdStatus, HostStatus, Pool, PoolSpec, sample};
use pierhead_wire::{ContainerView, EngineRequest, ImageDescription, LogIn, PortDescription, PortNumber};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// How long the controller and the hosts may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// A pool that is up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DevPool {
    pub url: String,
    pub username: String,
    pub password: String,
    pub token: String,
    pub hosts: Vec<DevHost>,
    pub controllers: Vec<DevServer>,
    /// The members of the etcd cluster; none if there is no cluster.
    pub etcd: Vec<DevServer>,
    /// The agents that the hosts are reached through; none if they are reached at their addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<DevAgent>,
    pub dir: PathBuf,
}

/// A controller, or a member of the etcd cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DevServer {
    pub url: String,
    pub pid: Option<u32>,
}

impl From<EtcdStatus> for DevServer {
    fn from(member: EtcdStatus) -> Self {
        Self { url: member.url, pid: member.pid }
    }
}

/// One Docker host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DevHost {
    pub name: String,
    pub address: String,
    pub pid: Option<u32>,
    pub docker_host: String,
}

impl From<HostStatus> for DevHost {
    fn from(host: HostStatus) -> Self {
        Self { name: host.name, address: host.address.to_string(), pid: host.pid, docker_host: host.docker_host }
    }
}

impl DevPool {
    pub fn client(&self) -> Result<Client> {
        Ok(Client::new(Addresses::parse(&self.url)?, Some(self.token.clone()))?)
    }
}

/// Brings up hosts and controller. If anything fails, nothing of it stays.
pub(super) async fn up(dir: &Path, wish: Wish) -> Result<DevPool> {
    if let Err(missing) = pierhead_devhosts::requirements() {
        bail!("Docker hosts cannot be made here: {missing}");
    }
    let Wish { hosts, etcd, agents, quotas, .. } = wish;
    let members = if etcd > 0 { format!(" and {etcd} members of an etcd cluster") } else { String::new() };
    eprintln!("Starting {hosts} Docker hosts{members} in {} …", dir.display());
    let etcd = EtcdSpec { members: etcd, ..EtcdSpec::default() };
    let dockerd_args = Vec::new();
    let spec = PoolSpec { dir: dir.to_owned(), hosts, dockerd_args, sockets_only: agents, quotas, etcd };
    let pool = tokio::task::spawn_blocking(move || Pool::up(spec)).await.context("starting the hosts")??;
    match with_controllers(&pool, wish).await {
        Ok(up) => Ok(up),
        Err(error) => {
            let log = pool.service_dir(CONTROLLER).ok().and_then(|dir| std::fs::read_to_string(dir.join("log")).ok());
            let last: Vec<&str> = log.as_deref().unwrap_or_default().lines().rev().take(5).collect();
            for line in last.iter().rev() {
                eprintln!("controller: {line}");
            }
            pool.down()?;
            Err(error)
        }
    }
}

async fn with_controllers(pool: &Pool, wish: Wish) -> Result<DevPool> {
    eprintln!("Starting {} …", if wish.controllers == 1 { "the controller" } else { "the controllers" });
    let password = pierhead_api::random_password();
    let started = controllers::start(pool, wish, &password).await?;
    let url = started.servers.first().context("there is no controller")?.url.clone();
    let client = Client::new(Addresses::parse(&url)?, None)?;
    let log_in = LogIn { username: "admin".to_owned(), password: password.clone() };
    let token = client.log_in(&log_in).await.context("logging in")?.into_value().token;
    let mut up = DevPool {
        url,
        username: log_in.username,
        password,
        token,
        hosts: pool.status()?.into_iter().map(DevHost::from).collect(),
        controllers: started.servers,
        etcd: pool.etcd_status()?.into_iter().map(DevServer::from).collect(),
        agents: Vec::new(),
        dir: pool.dir().to_owned(),
    };
    let client = up.client()?;
    for host in &up.hosts {
        if wish.agents {
            let agent = agents::start(pool, &client, (host, wish.privileged), &started.agent_listeners).await;
            up.agents.push(agent.with_context(|| format!("adding {}", host.name))?);
            continue;
        }
        let engine = EngineRequest {
            id: Some(host.name.clone()),
            addr: Some(host.docker_host.clone()),
            ..EngineRequest::default()
        };
        client.add_engine(&engine).await.with_context(|| format!("adding {}", host.name))?;
    }
    for controller in &up.controllers {
        let client = Client::new(Addresses::parse(&controller.url)?, Some(up.token.clone()))?;
        all_healthy(&client, up.hosts.len()).await.with_context(|| format!("as {} sees it", controller.url))?;
    }
    write_private(&pool.service_dir(CONTROLLER)?.join("pool.json"), &serde_json::to_string(&up)?)?;
    Ok(up)
}

/// Writes a file that only its owner may read.
pub(super) fn write_private(path: &Path, content: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content.as_bytes()).with_context(|| path.display().to_string())
}

/// Waits until the controller has said where it answers, and does.
pub(super) async fn ready(data_dir: &Path) -> Result<String> {
    let file = data_dir.join("url");
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Some(url) = answering(&file).await {
            return Ok(url);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the controller did not become ready within {} s", PATIENCE.as_secs())
}

async fn answering(file: &Path) -> Option<String> {
    let url = std::fs::read_to_string(file).ok()?;
    let client = Client::new(Addresses::parse(&url).ok()?, None).ok()?;
    client.health().await.ok()?;
    Some(url)
}

async fn all_healthy(client: &Client, hosts: usize) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let engines = client.engines().await?.into_value();
        let away = engines.iter().find(|engine| engine.health.status != "healthy" || engine.cpus == 0.0);
        match away {
            None if engines.len() >= hosts => return Ok(()),
            _ if Instant::now() <= until => {}
            Some(away) => bail!("host {} did not become healthy: {}", away.id, away.health.reason),
            None => bail!("{} of {hosts} hosts have joined", engines.len()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs three replicas of the sample app, each at a port of its host.
pub(super) async fn run_sample(client: &Client) -> Result<Vec<ContainerView>> {
    eprintln!("Deploying the sample app …");
    let port = PortDescription { container_port: Some(PortNumber::Number(80)), ..PortDescription::default() };
    let image = ImageDescription {
        name: sample::IMAGE.to_owned(),
        cpus: Some(0.1),
        memory: Some(32.0),
        bind_ports: vec![port],
        ..ImageDescription::default()
    };
    let options = RunOptions { count: Some(3), app: Some("sample".to_owned()), ..RunOptions::default() };
    match client.run(&image, &options, &Change::new(Wait::UntilEnded)).await? {
        Started::Ended { answer, .. } => Ok(answer.into_value()),
        Started::Running(_) => bail!("the sample app did not start in time"),
    }
}
