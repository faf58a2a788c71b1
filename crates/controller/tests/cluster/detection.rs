//! Hosts with agents whose beats stop, whose engines die, and that others are asked about.

use crate::asking::{ids, running};
use pierhead_controller::{Controller, EngineAnswers, Heard, HostBeat, SecondPath, keys};
use pierhead_engine::Fake;
use pierhead_model::{AgentKeys, Capacity, Duty, Engine, EngineId, OverCommit, Timestamp, Username};
use pierhead_store::Transaction;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, agent_address, eventually, sample};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::AbortHandle;

/// How often the agents beat.
const BEAT: Duration = Duration::from_millis(20);

/// Kernels that answer, and who was asked about them.
#[derive(Default)]
struct Kernels {
    silent: Mutex<BTreeSet<IpAddr>>,
    asked: Mutex<BTreeSet<Option<EngineId>>>,
}

#[async_trait::async_trait]
impl SecondPath for Kernels {
    async fn knock(&self, from: Option<&EngineId>, addresses: &[IpAddr]) -> Option<bool> {
        self.asked.lock().unwrap().insert(from.cloned());
        Some(addresses.iter().any(|address| !self.silent.lock().unwrap().contains(address)))
    }
}

/// A pool whose hosts have agents.
pub struct Pool {
    pub cluster: Cluster,
    kernels: Arc<Kernels>,
    /// What each agent tells; one that is not here does not beat.
    beats: Arc<Mutex<BTreeMap<EngineId, HostBeat>>>,
    beating: AbortHandle,
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

fn id(at: usize) -> EngineId {
    EngineId::parse(format!("host-{}", at + 1)).unwrap()
}

fn answers(engine: EngineAnswers) -> HostBeat {
    HostBeat { run: 1, engine: Some(engine), ..HostBeat::default() }
}

fn record(at: usize) -> Engine {
    Engine {
        id: id(at),
        addr: agent_address(at),
        labels: BTreeSet::new(),
        capacity: Capacity::default(),
        over_commit: OverCommit::default(),
        duty: Duty::default(),
        given_up: false,
        sealed_tls: None,
        sealed_registry_auth: None,
        agent: Some(AgentKeys::default()),
        registered: None,
        added_at: Timestamp(1),
        added_by: Username::parse("admin").unwrap(),
    }
}

impl Pool {
    pub async fn start(hosts: usize, grace_ms: u64) -> Self {
        let mut options = ClusterOptions { hosts, ..ClusterOptions::default() };
        options.controller.policy.grace_ms = grace_ms;
        Self::start_with(options).await
    }

    pub async fn start_with(options: ClusterOptions) -> Self {
        let hosts = options.hosts;
        let cluster = Cluster::start(options).await;
        let controller = cluster.controller().clone();
        for at in 0..hosts {
            let record = Transaction::new().put_json(keys::engine(&id(at)), &record(at)).unwrap();
            let revision = controller.store().commit(record).await.unwrap();
            controller.reached(revision).await;
        }
        let told = (0..hosts).map(|at| (id(at), answers(EngineAnswers::default()))).collect();
        let (kernels, beats) = (Arc::new(Kernels::default()), Arc::new(Mutex::new(told)));
        let beating = beat(&controller, &kernels, &beats);
        let pool = Self { cluster, kernels, beats, beating };
        pool.cluster.all_healthy().await;
        pool
    }

    /// The controller is gone, whatever it was doing, and another one takes over.
    pub async fn succeed(&mut self) {
        self.dies().await;
        self.successor().await;
    }

    /// The controller is gone, whatever it was doing.
    pub async fn dies(&mut self) {
        self.beating.abort();
        self.cluster.crash().await;
    }

    /// The controller ends in order.
    pub async fn stops(&mut self) {
        self.beating.abort();
        self.cluster.stop().await;
    }

    /// Another one takes over.
    pub async fn successor(&mut self) {
        self.cluster.restart().await;
        self.beating = beat(self.cluster.controller(), &self.kernels, &self.beats);
        self.cluster.all_healthy().await;
    }

    pub fn host(&self, at: usize) -> &Fake {
        self.cluster.host(at)
    }

    pub fn falls_silent(&self, at: usize) {
        self.beats.lock().unwrap().remove(&id(at));
        // What is asked through its tunnel is not answered either.
        self.host(at).hang();
    }

    /// Its agent is killed: what was asked through it fails, and nobody beats.
    pub fn loses_its_agent(&self, at: usize) {
        self.beats.lock().unwrap().remove(&id(at));
        self.host(at).unreachable();
    }

    /// Its engine is killed: its containers end, as they do when it starts again.
    pub fn loses_its_engine(&self, at: usize) {
        self.host(at).unreachable();
        self.tells(at, EngineAnswers { silent_ms: 900, refuses: Some("nobody listens".to_owned()) });
        for container in self.host(at).look().iter().filter(|container| container.state.is_running()) {
            self.host(at).exit(&container.id, 137).unwrap();
        }
    }

    fn tells(&self, at: usize, engine: EngineAnswers) {
        self.beats.lock().unwrap().insert(id(at), answers(engine));
    }

    pub fn returns(&self, at: usize) {
        self.host(at).resume();
        self.cluster.controller().hear(&id(at), Heard::Opened);
        self.tells(at, EngineAnswers::default());
    }

    pub fn kernel_is_silent(&self, at: usize) {
        self.kernels.silent.lock().unwrap().insert(format!("10.0.0.{}", at + 1).parse().unwrap());
    }

    pub fn kernel_answers(&self, at: usize) {
        self.kernels.silent.lock().unwrap().remove(&format!("10.0.0.{}", at + 1).parse().unwrap());
    }

    pub async fn until(&self, at: usize, status: &str, words: &str) {
        let admin = self.cluster.admin();
        let is_so = async || {
            let engine = admin.engine(id(at).as_str()).await.unwrap();
            engine.health.status == status && engine.health.reason.contains(words)
        };
        eventually(PATIENCE, &format!("host {} is {status}: {words}", at + 1), is_so).await;
    }

    pub async fn told(&self, kind: &str) -> Vec<String> {
        let entries = self.cluster.controller().store().list_all(keys::EVENTS).await.unwrap().entries;
        let events = entries.iter().map(|entry| entry.json::<pierhead_model::Event>().unwrap());
        events.filter(|event| event.kind == kind).map(|event| event.message).collect()
    }
}

/// The agents beat to a controller.
fn beat(
    controller: &Controller,
    kernels: &Arc<Kernels>,
    beats: &Arc<Mutex<BTreeMap<EngineId, HostBeat>>>,
) -> AbortHandle {
    controller.set_second_path(Arc::clone(kernels) as Arc<dyn SecondPath>);
    let (controller, told) = (controller.clone(), Arc::clone(beats));
    let beating = tokio::spawn(async move {
        loop {
            let now = told.lock().unwrap().clone();
            now.into_iter().for_each(|(id, beat)| controller.hear(&id, Heard::Beat(beat)));
            tokio::time::sleep(BEAT).await;
        }
    });
    beating.abort_handle()
}

#[tokio::test]
async fn a_host_that_answers_nobody_is_down_and_its_slots_move() {
    let pool = Pool::start(4, 150).await;
    let made = pool.cluster.run("web", 8, &sample()).await;
    pool.kernel_is_silent(0);
    pool.falls_silent(0);
    pool.until(0, "down", "the host is off or cut off: no sign of life for").await;
    let asked = pool.kernels.asked.lock().unwrap().clone();
    assert!(asked.contains(&None) && asked.len() >= 3 && !asked.contains(&Some(id(0))), "{asked:?}");
    let admin = pool.cluster.admin();
    eventually(PATIENCE, "all run", async || admin.app("web").await.unwrap().running == 8).await;
    let kept: Vec<_> = made.into_iter().filter(|container| container.engine.id != "host-1").collect();
    assert!(running(&pool.cluster, "web").is_superset(&ids(&kept)));
    eventually(PATIENCE, "it is told", async || !pool.told("engine-down").await.is_empty()).await;
    let told = pool.told("engine-down").await;
    assert!(told.len() == 1 && told[0].contains("id=host-1, reason=the host is off"), "{told:?}");
    pool.kernels.silent.lock().unwrap().clear();
    pool.returns(0);
    pool.cluster.all_healthy().await;
    pool.cluster.assert_invariants().await;
}

#[tokio::test]
async fn an_agent_that_comes_back_moves_nothing() {
    let pool = Pool::start(3, 60_000).await;
    let made = pool.cluster.run("web", 6, &sample()).await;
    pool.falls_silent(1);
    pool.cluster.controller().hear(&id(1), Heard::Ended);
    pool.until(1, "suspect", "the host lives: its kernel answers this controller").await;
    pool.returns(1);
    pool.until(1, "healthy", "").await;
    assert_eq!(running(&pool.cluster, "web"), ids(&made));
    // Nobody starts it again.
    pool.falls_silent(1);
    pool.until(1, "down", "its agent has not answered for 2").await;
    pool.returns(1);
    pool.cluster.all_healthy().await;
    pool.cluster.assert_invariants().await;
    assert_eq!(running(&pool.cluster, "web"), ids(&made));
}

#[tokio::test]
async fn an_engine_that_hangs_is_told_from_one_that_is_dead() {
    let pool = Pool::start(3, 60_000).await;
    pool.host(0).hang();
    pool.tells(0, EngineAnswers { silent_ms: 500, refuses: None });
    pool.until(0, "suspect", "its engine hangs").await;
    pool.tells(0, EngineAnswers { silent_ms: 900, refuses: None });
    pool.until(0, "down", "its engine hangs: no answer to its agent for 0.9 s").await;
    pool.tells(0, EngineAnswers { silent_ms: 500, refuses: Some("nobody listens".to_owned()) });
    pool.until(0, "down", "its engine does not run for 0.5 s: nobody listens").await;
    assert_eq!(*pool.kernels.asked.lock().unwrap(), BTreeSet::new(), "the host is not in question");
    pool.returns(0);
    pool.cluster.all_healthy().await;
    let after = pool.cluster.run("web", 3, &sample()).await;
    assert_eq!(after.len(), 3);
    pool.cluster.assert_invariants().await;
}

#[tokio::test]
async fn hosts_that_vanish_together_freeze_the_pool() {
    // A busy machine must not use up the grace time between two hosts.
    let pool = Pool::start(3, 3_000).await;
    let made = pool.cluster.run("web", 6, &sample()).await;
    for at in [0, 1] {
        pool.kernel_is_silent(at);
        pool.falls_silent(at);
    }
    pool.until(0, "down", "the host is off or cut off").await;
    pool.until(1, "down", "the host is off or cut off").await;
    eventually(PATIENCE, "it is told", async || !pool.told("freeze-cluster").await.is_empty()).await;
    pool.kernels.silent.lock().unwrap().clear();
    [0, 1].into_iter().for_each(|at| pool.returns(at));
    pool.cluster.all_healthy().await;
    pool.cluster.assert_invariants().await;
    assert_eq!(running(&pool.cluster, "web"), ids(&made), "nothing was moved");
}
