//! A whole pool in one process.

use crate::descriptions::fake_images;
use crate::power::Power;
use crate::serving::{PASSWORD, Reachable, SCRAPE_TOKEN, Serving};
use crate::{PATIENCE, eventually};
use pierhead_api::LogInLimits;
use pierhead_client::{Addresses, Change, Client, RunOptions, Started, Wait};
use pierhead_controller::{Controller, Heartbeat, Options};
use pierhead_engine::{Deadlines, Fake, FakeDepot, FakeOptions, LogLine};
use pierhead_model::{ContainerId, Resources};
use pierhead_planner::Policy;
use pierhead_wire::{AccountRequest, ContainerView, EngineRequest, ImageDescription, LogIn, RoleView};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a cluster is like.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// How many hosts, named `host-1`, `host-2`, …
    pub hosts: usize,
    /// CPU and memory of each.
    pub capacity: Resources,
    /// How long a call to a host may take.
    pub call_deadline: Duration,
    /// How the controller goes about its work.
    pub controller: Options,
    /// How often somebody may try to log in.
    pub log_in_limits: LogInLimits,
    /// What hosts push to registries; what one pushed another can pull.
    pub depot: FakeDepot,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            hosts: 3,
            capacity: Resources::new(4000, 8192),
            call_deadline: Duration::from_secs(5),
            controller: quick(),
            log_in_limits: LogInLimits::OFF,
            depot: FakeDepot::default(),
        }
    }
}

/// A controller in a hurry: everything that it waits for is short.
#[must_use]
pub fn quick() -> Options {
    Options {
        policy: Policy {
            grace_ms: 450,
            orphan_grace_ms: 300,
            started_ms: 30,
            proven_ms: 60,
            stuck_ms: 500,
            paused_ms: 200,
            settle_ms: 300,
            back_off_ms: 50,
            longest_back_off_ms: 400,
            take_back_ms: 10_000,
            ..Policy::default()
        },
        // A probe is given up after most of the interval, and hosts that nothing ails must not be called suspect for it.
        heartbeat: Heartbeat { interval: Duration::from_millis(150), resync: Duration::from_millis(300), starts: 4 },
        operation_timeout: Duration::from_secs(20),
        stop_grace_seconds: 0,
        copy_check_interval: Duration::from_millis(20),
        ..Options::default()
    }
}

/// A pool of fake hosts with a controller.
pub struct Cluster {
    options: ClusterOptions,
    hosts: Vec<Fake>,
    foreign: Vec<(usize, ContainerId)>,
    reachable: Reachable,
    serving: Option<Serving>,
    token: String,
    users: Mutex<BTreeMap<String, String>>,
    /// The last field: goes when nobody writes there any more.
    directory: tempfile::TempDir,
}

impl Cluster {
    /// Starts a cluster; all its hosts answer when this returns.
    ///
    /// # Panics
    /// If that does not work.
    pub async fn start(options: ClusterOptions) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        Self::start_in(directory, options).await
    }

    /// The same with the store in a directory of the caller's choice.
    ///
    /// # Panics
    /// If that does not work.
    pub async fn start_in(directory: tempfile::TempDir, options: ClusterOptions) -> Self {
        let hosts: Vec<Fake> = (0..options.hosts).map(|at| Fake::new(fake_options(&options, at))).collect();
        let named = hosts.iter().enumerate();
        let named = named.flat_map(|(at, host)| [address(at), agent_address(at)].map(|name| (name, host.clone())));
        let reachable: Reachable = Arc::new(Mutex::new(named.collect()));
        let (controller, limits) = (options.controller.clone(), options.log_in_limits);
        let serving = Serving::start(directory.path(), Arc::clone(&reachable), controller, limits).await;
        let token = token(&serving.url, "admin", PASSWORD).await;
        let cluster = Self {
            options,
            hosts,
            foreign: Vec::new(),
            reachable,
            serving: Some(serving),
            token,
            users: Mutex::default(),
            directory,
        };
        for at in 0..cluster.hosts.len() {
            cluster.admin().add_engine(&cluster.engine_request(at)).await.expect("the host is added");
        }
        cluster.all_healthy().await;
        cluster
    }

    /// The record with which a host is added.
    #[must_use]
    pub fn engine_request(&self, at: usize) -> EngineRequest {
        EngineRequest { id: Some(host_name(at)), addr: Some(address(at)), ..EngineRequest::default() }
    }

    /// Waits until every host of the pool answers and its containers are known.
    pub async fn all_healthy(&self) {
        let controller = self.controller();
        eventually(PATIENCE, "every host answers", async || {
            controller.known().world.engines().values().all(|engine| engine.is_usable())
        })
        .await;
    }

    /// A host, by its position.
    #[must_use]
    pub fn host(&self, at: usize) -> &Fake {
        &self.hosts[at]
    }

    /// The host of an id.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn host_named(&self, id: &str) -> &Fake {
        let at = (0..self.hosts.len()).find(|at| host_name(*at) == id).expect("the host is one of the cluster's");
        &self.hosts[at]
    }

    /// All hosts with their ids.
    pub fn hosts(&self) -> impl Iterator<Item = (String, &Fake)> {
        self.hosts.iter().enumerate().map(|(at, host)| (host_name(at), host))
    }

    /// Somebody runs a container of their own on a host.
    pub fn add_foreign(&mut self, at: usize, name: &str, limits: Resources) -> ContainerId {
        let id = self.hosts[at].add_foreign(name, crate::SAMPLE, limits);
        self.foreign.push((at, id.clone()));
        id
    }

    pub(crate) fn foreign(&self) -> impl Iterator<Item = (&Fake, &ContainerId)> {
        self.foreign.iter().map(|(at, id)| (&self.hosts[*at], id))
    }

    fn serving(&self) -> &Serving {
        self.serving.as_ref().expect("the controller was not crashed")
    }

    /// The controller.
    #[must_use]
    pub fn controller(&self) -> &Controller {
        &self.serving().controller
    }

    /// The power of the controller's machine.
    #[must_use]
    pub fn power(&self) -> &Power {
        &self.serving().power
    }

    /// Where the API answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.serving().url
    }

    /// Where the store lies.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The administrator's token.
    #[must_use]
    pub fn admin_token(&self) -> &str {
        &self.token
    }

    /// The token with which measurements are read.
    #[must_use]
    pub fn scrape_token(&self) -> &'static str {
        SCRAPE_TOKEN
    }

    /// A client that is logged in as the administrator.
    #[must_use]
    pub fn admin(&self) -> Client {
        client(self.url(), Some(self.token.clone()))
    }

    /// A client that is not logged in.
    #[must_use]
    pub fn nobody(&self) -> Client {
        client(self.url(), None)
    }

    /// A client that is logged in as somebody with the role `user`, whose account is made if need be.
    ///
    /// # Panics
    /// If that does not work.
    pub async fn user(&self, name: &str) -> Client {
        client(self.url(), Some(self.user_token(name).await))
    }

    /// The token of somebody with the role `user`, whose account is made if need be.
    ///
    /// # Panics
    /// If that does not work.
    pub async fn user_token(&self, name: &str) -> String {
        let known = self.users.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(token) = known {
            return token;
        }
        let account = AccountRequest {
            username: Some(name.to_owned()),
            password: Some(PASSWORD.to_owned()),
            role: Some(RoleView { name: "user".to_owned() }),
            ..AccountRequest::default()
        };
        self.admin().add_account(&account).await.expect("the account is made");
        let token = token(self.url(), name, PASSWORD).await;
        self.users.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), token.clone());
        token
    }

    /// Runs containers in an app as the administrator, and waits until they run.
    ///
    /// # Panics
    /// If that does not work.
    pub async fn run(&self, app: &str, count: u32, image: &ImageDescription) -> Vec<ContainerView> {
        let options = RunOptions { count: Some(count), app: Some(app.to_owned()), pull: None };
        match self.admin().run(image, &options, &Change::new(Wait::UntilEnded)).await.expect("there is room") {
            Started::Ended { answer, .. } => answer.into_value(),
            Started::Running(operation) => panic!("{} was answered before it ended", operation.id),
        }
    }

    /// A container writes a line to its standard output.
    ///
    /// # Panics
    /// If it is not there.
    pub fn print(&self, container: &ContainerView, line: &str) {
        let id = ContainerId::parse(container.id.as_str()).expect("the API tells ids of containers");
        let line = LogLine { is_stderr: false, bytes: format!("{line}\n").into_bytes() };
        self.host_named(&container.engine.id).print(&id, line).expect("the container is there");
    }

    /// The controller is gone, whatever it was doing.
    pub async fn crash(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.crash().await;
        }
    }

    /// The controller stops in an orderly way.
    pub async fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.stop().await;
        }
    }

    /// A new controller on the same store and hosts, after the former crashed or stopped.
    ///
    /// # Panics
    /// If the former is still there.
    pub async fn restart(&mut self) {
        assert!(self.serving.is_none(), "the former controller is still there");
        let (controller, limits) = (self.options.controller.clone(), self.options.log_in_limits);
        let serving = Serving::start(self.directory.path(), Arc::clone(&self.reachable), controller, limits);
        self.serving = Some(serving.await);
    }
}

fn host_name(at: usize) -> String {
    format!("host-{}", at + 1)
}

fn address(at: usize) -> String {
    format!("http://10.0.0.{}:2375", at + 1)
}

/// The address of a host that is reached through its agent.
#[must_use]
pub fn agent_address(at: usize) -> String {
    format!("agent://10.0.0.{}", at + 1)
}

fn fake_options(options: &ClusterOptions, at: usize) -> FakeOptions {
    FakeOptions {
        name: host_name(at),
        capacity: options.capacity,
        images: fake_images(),
        depot: options.depot.clone(),
        deadlines: Deadlines::uniform(options.call_deadline),
        ..FakeOptions::default()
    }
}

fn client(url: &str, token: Option<String>) -> Client {
    let addresses = Addresses::parse(url).expect("the API has an address");
    Client::new(addresses, token).expect("an HTTP client can be made")
}

async fn token(url: &str, username: &str, password: &str) -> String {
    let log_in = LogIn { username: username.to_owned(), password: password.to_owned() };
    client(url, None).log_in(&log_in).await.expect("the password is right").token.clone()
}
