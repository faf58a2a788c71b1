//! Workspaces to measure: an environment, people who open one, the shell that they see there, and the same by the engines'
//! own API with nothing between.

use crate::dev::{Dev, PATIENCE, socket, until};
use anyhow::{Context, Result, bail, ensure};
use pierhead_client::{Addresses, Change, Client, TerminalSocket, Wait};
use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::{Host, sample};
use pierhead_engine::{
    CreateRequest, Docker, DockerOptions, Engine, ExecRequest, NetworkRequest, Stream, WorkspacePart, processes,
};
use pierhead_model::{Asks, ContainerId, ContainerSpec, ImageReference, Limits, Resources, RestartPolicy, Subnet};
use pierhead_terminal::{Asked, ClientMessage, Frame, ServerMessage};
use pierhead_wire::{
    AccountRequest, EnvironmentChange, EnvironmentContainerDescription, EnvironmentDescription, EnvironmentRequest,
    LogIn, TerminalRequest, TerminalView, WorkspaceRequest, WorkspaceView,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The environment's name.
pub const LAB: &str = "lab";
/// What a container of it reserves, in thousandths of a core and megabytes.
const RESERVED: (u64, u64) = (20, 16);
/// The CPU that it may use at most, in thousandths of a core.
const LIMIT_MILLIS: u64 = 1_000;
/// The best shell of a container, as a terminal without a program runs it.
const SHELL: [&str; 3] = ["/bin/sh", "-c", "[ -x /bin/bash ] && exec /bin/bash; exec /bin/sh"];
/// How often a workspace is looked at until it is ready.
const LOOK: Duration = Duration::from_millis(5);
/// The label of containers of workspaces.
const LABEL: &str = "pierhead.workspace";

fn description(warm: u32) -> EnvironmentDescription {
    let container = EnvironmentContainerDescription {
        image: sample::IMAGE.to_owned(),
        cpus: Some(RESERVED.0 as f64 / 1000.0),
        cpu_limit: Some(LIMIT_MILLIS as f64 / 1000.0),
        memory: Some(RESERVED.1 as f64),
        ..EnvironmentContainerDescription::default()
    };
    EnvironmentDescription {
        containers: vec![container],
        idle_minutes: Some(0),
        warm: Some(warm),
        ..EnvironmentDescription::default()
    }
}

/// Makes the environment, of which nothing is started ahead yet.
///
/// # Errors
/// The controller refuses.
pub async fn describe(admin: &Client) -> Result<()> {
    describe_as(admin, description(0)).await
}

/// The same of an environment that somebody describes.
///
/// # Errors
/// The controller refuses.
pub async fn describe_as(admin: &Client, description: EnvironmentDescription) -> Result<()> {
    let request = EnvironmentRequest { name: LAB.to_owned(), visibility: Some("shared".to_owned()), description };
    admin.add_environment(&request).await?;
    Ok(())
}

/// How many are started ahead from now on.
///
/// # Errors
/// The controller refuses.
pub async fn start_ahead(admin: &Client, warm: u32) -> Result<()> {
    let change = EnvironmentChange { description: Some(description(warm)), ..EnvironmentChange::default() };
    admin.set_environment(LAB, &change).await?;
    Ok(())
}

/// Accounts that may open workspaces, logged in.
///
/// # Errors
/// The controller refuses.
pub async fn people(dev: &Dev, count: usize) -> Result<Vec<Client>> {
    let mut people = Vec::with_capacity(count);
    for number in 1..=count {
        let (username, password) = (format!("person-{number}"), "a long enough word".to_owned());
        let account = AccountRequest {
            username: Some(username.clone()),
            password: Some(password.clone()),
            ..AccountRequest::default()
        };
        dev.client.add_account(&account).await?;
        let logged_in = dev.client.log_in(&LogIn { username, password }).await?.into_value();
        people.push(Client::new(Addresses::parse(&dev.url)?, Some(logged_in.token))?);
    }
    Ok(people)
}

/// The containers of workspaces on a host, by its engine's own list.
///
/// # Errors
/// The engine does not answer.
pub fn containers(host: &Host) -> Result<Vec<Value>> {
    let path = format!("/containers/json?all=1&filters=%7B%22label%22%3A%5B%22{LABEL}%22%5D%7D");
    let answer = request(host.docker_host(), "GET", &path, Body::Empty, PATIENCE)?;
    ensure!(answer.status == 200, "{}", answer.text());
    Ok(serde_json::from_slice(&answer.body)?)
}

/// Waits until so many are started ahead and have a shell, running or paused (`running` or `paused`).
///
/// # Errors
/// Not in time.
pub fn wait_for_ahead(dev: &Dev, count: usize, state: &str) -> Result<Duration> {
    until(&format!("{count} are {state}"), || {
        let mut there = 0;
        for host in &dev.hosts {
            for container in containers(host)?.iter().filter(|container| container["State"] == state) {
                let path = format!("/containers/{}/json", container["Id"].as_str().unwrap_or_default());
                let answer = request(host.docker_host(), "GET", &path, Body::Empty, PATIENCE)?;
                let looked: Value = serde_json::from_slice(&answer.body)?;
                there += usize::from(looked["ExecIDs"].as_array().is_some_and(|execs| !execs.is_empty()));
            }
        }
        std::thread::sleep(Duration::from_millis(200));
        Ok(there >= count)
    })
}

/// Ends all workspaces without saving, and waits until nothing of them is left.
///
/// # Errors
/// Not in time.
pub fn clear(dev: &Dev) -> Result<()> {
    dev.runtime.block_on(async {
        for workspace in dev.client.workspaces().await?.into_value() {
            if workspace.phase != "ended" {
                dev.client.end_workspace(&workspace.id, true).await?;
            }
        }
        Ok::<_, anyhow::Error>(())
    })?;
    until("nothing is left", || {
        std::thread::sleep(Duration::from_millis(100));
        dev.hosts.iter().map(containers).try_fold(true, |empty, listed| Ok(empty && listed?.is_empty()))
    })?;
    Ok(())
}

/// Opens a workspace of the environment.
///
/// # Errors
/// The controller refuses.
pub async fn open(person: &Client) -> Result<WorkspaceView> {
    let request = WorkspaceRequest { environment: Some(LAB.to_owned()), ..WorkspaceRequest::default() };
    Ok(person.open_workspace(&request, &Change::new(Wait::UntilEnded)).await?.into_value())
}

/// Waits until a workspace is ready, asking again and again.
///
/// # Errors
/// It fails, or not in time.
pub async fn ready(person: &Client, mut workspace: WorkspaceView) -> Result<WorkspaceView> {
    let end = Instant::now() + PATIENCE;
    while workspace.phase != "ready" {
        ensure!(Instant::now() < end, "{}: {}", workspace.phase, workspace.message);
        tokio::time::sleep(LOOK).await;
        workspace = person.workspace(&workspace.id).await?.into_value();
    }
    Ok(workspace)
}

/// Opens a terminal in the first container of a workspace; nobody is at it yet.
///
/// # Errors
/// The controller refuses.
pub async fn open_terminal(
    person: &Client,
    workspace: &WorkspaceView,
    request: &TerminalRequest,
) -> Result<TerminalView> {
    let container = container_of(workspace)?;
    Ok(person.open_terminal(container, request, &Change::new(Wait::UntilEnded)).await?.into_value())
}

fn container_of(workspace: &WorkspaceView) -> Result<&str> {
    let first = workspace.containers.first().and_then(|container| container.id.as_deref());
    first.context("it has no container")
}

/// A shell in a workspace, through its WebSocket.
pub struct Seat {
    socket: TerminalSocket,
}

impl Seat {
    /// Asks for a shell in the first container, and comes to it.
    ///
    /// # Errors
    /// The controller refuses.
    pub async fn take(person: &Client, workspace: &WorkspaceView) -> Result<Self> {
        Self::take_with(person, workspace, &TerminalRequest::default()).await
    }

    /// The same of a terminal that somebody describes.
    ///
    /// # Errors
    /// The controller refuses.
    pub async fn take_with(person: &Client, workspace: &WorkspaceView, request: &TerminalRequest) -> Result<Self> {
        let opened = open_terminal(person, workspace, request).await?;
        let mut socket = person.terminal_socket(&opened.id).await?;
        let asked = Asked { columns: 80, rows: 24, ..Asked::default() };
        if let Err(end) = socket.send(ClientMessage::Attach(asked).to_frame()).await {
            bail!("the socket ended: {end:?}");
        }
        Ok(Self { socket })
    }

    /// Reads until something is shown that was printed.
    ///
    /// # Errors
    /// The socket ends.
    pub async fn see(&mut self) -> Result<()> {
        loop {
            let shown = match tokio::time::timeout(PATIENCE, self.socket.next()).await? {
                Ok(Frame::Binary(frame)) => !Frame::split_output(frame)?.1.is_empty(),
                Ok(Frame::Text(text)) => match ServerMessage::parse(&text)? {
                    ServerMessage::Snapshot { offset, .. } => offset > 0,
                    ServerMessage::Error { code, message } => bail!("{code}: {message}"),
                    _ => false,
                },
                Err(end) => bail!("the socket ended: {end:?}"),
            };
            if shown {
                return Ok(());
            }
        }
    }

    /// Types a key, and waits until it is shown.
    ///
    /// # Errors
    /// The socket ends.
    pub async fn key(&mut self) -> Result<()> {
        self.write("x").await?;
        self.see().await
    }

    /// Types a text, and waits for nothing.
    ///
    /// # Errors
    /// The socket ends.
    pub async fn write(&mut self, text: &str) -> Result<()> {
        match self.socket.send(Frame::Binary(bytes::Bytes::copy_from_slice(text.as_bytes()))).await {
            Ok(()) => Ok(()),
            Err(end) => bail!("the socket ended: {end:?}"),
        }
    }
}

/// An engine with nothing between.
pub struct Raw {
    engine: Docker,
    host: usize,
}

/// What an engine's own API is asked about.
pub struct Made {
    container: ContainerId,
    /// Empty where it was there before.
    network: String,
}

impl Made {
    /// The first container of a workspace.
    ///
    /// # Errors
    /// It has none.
    pub fn by_pierhead(workspace: &WorkspaceView) -> Result<Self> {
        Ok(Self { container: ContainerId::parse(container_of(workspace)?)?, network: String::new() })
    }
}

impl Raw {
    /// The engines of a pool.
    ///
    /// # Errors
    /// An address is wrong.
    pub fn all(dev: &Dev) -> Result<Vec<Self>> {
        let raw = |(host, of): (usize, &Host)| -> Result<Self> {
            let addr = format!("unix://{}", socket(of)?.display());
            Ok(Self { engine: Docker::connect(&addr, DockerOptions::default())?, host })
        };
        dev.hosts.iter().enumerate().map(raw).collect()
    }

    fn network(&self, number: usize) -> Result<NetworkRequest> {
        let subnet = format!("10.{}.{}.{}/28", 220 + self.host, number / 16, 16 * (number % 16));
        Ok(NetworkRequest {
            name: format!("raw-{number}"),
            bridge: format!("raw-{}-{number}", self.host),
            subnet: Subnet::parse(&subnet)?,
            labels: BTreeMap::new(),
            is_internal: true,
            connects: true,
            masquerades: false,
        })
    }

    /// Creates and starts what a workspace is: a network and a container in it, held as a workspace's.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn make(&self, number: usize) -> Result<Made> {
        let network = self.network(number)?;
        self.engine.create_network(&network).await?;
        self.make_in(number, &network.name, network.name.clone()).await
    }

    /// The same in a network that is there already.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn make_container(&self, number: usize, network: &str) -> Result<Made> {
        self.make_in(number, network, String::new()).await
    }

    async fn make_in(&self, number: usize, network: &str, own: String) -> Result<Made> {
        let asks = Asks::default();
        let request = CreateRequest {
            name: format!("raw-{number}"),
            spec: spec()?,
            ports: Vec::new(),
            labels: BTreeMap::new(),
            pids_limit: processes(&asks),
            engine_restarts: false,
            workspace: Some(WorkspacePart::new(network, "main", &asks)),
        };
        let container = self.engine.create(&request).await?;
        self.engine.start(&container).await?;
        Ok(Made { container, network: own })
    }

    /// Runs a shell in it, until it prints something.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn shell(&self, made: &Made) -> Result<Box<dyn Stream>> {
        let command = SHELL.map(str::to_owned).to_vec();
        let environment = vec![("TERM".to_owned(), "xterm-256color".to_owned())];
        let request = ExecRequest { command, environment, tty: true, ..ExecRequest::default() };
        let exec = self.engine.create_exec(&made.container, &request).await?;
        let mut stream = self.engine.start_exec(&exec, true).await?;
        tokio::time::timeout(PATIENCE, stream.read_u8()).await??;
        Ok(stream)
    }

    /// Freezes it or lets it go on.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn pause(&self, made: &Made, pauses: bool) -> Result<()> {
        match pauses {
            true => Ok(self.engine.pause(&made.container).await?),
            false => Ok(self.engine.unpause(&made.container).await?),
        }
    }

    /// Makes a network for up to 250; one at a time.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn make_network(&self, number: usize) -> Result<String> {
        let subnet = Subnet::parse(&format!("10.{}.240.0/24", 220 + self.host))?;
        let network = NetworkRequest { subnet, ..self.network(number)? };
        self.engine.create_network(&network).await?;
        Ok(network.name)
    }

    /// Removes a network.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn remove_network(&self, name: &str) -> Result<()> {
        Ok(self.engine.remove_network(name).await?)
    }

    /// Removes what was made.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn remove(&self, made: &Made) -> Result<()> {
        self.engine.remove(&made.container).await?;
        if made.network.is_empty() {
            return Ok(());
        }
        self.remove_network(&made.network).await
    }
}

/// Types a key into a raw shell, and waits until it is shown.
///
/// # Errors
/// The stream ends.
pub async fn key(stream: &mut Box<dyn Stream>, key: u8) -> Result<()> {
    stream.write_all(&[key]).await?;
    let echo = async {
        while stream.read_u8().await? != key {}
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(PATIENCE, echo).await.context("a key was not shown in time")?
}

fn spec() -> Result<ContainerSpec> {
    let (cpu, memory) = RESERVED;
    Ok(ContainerSpec {
        hostname: Some("main".to_owned()),
        restart: RestartPolicy::No,
        ..ContainerSpec::new(
            ImageReference::parse(sample::IMAGE)?,
            Limits { reserved: Resources::new(cpu, memory), cpu_limit_millis: LIMIT_MILLIS },
        )
    })
}
