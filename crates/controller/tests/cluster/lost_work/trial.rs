//! One pair of a cause and a moment, in a pool of its own.

use super::{Cause, Pair, Step, Way};
use crate::asking::to_the_end;
use crate::detection::Pool;
use crate::workspaces::{described, from, reaches, show};
use pierhead_client::Client;
use pierhead_controller::keys;
use pierhead_engine::Verb;
use pierhead_model::{ContainerId, Duty, HealthStatus, Workspace, WorkspaceAssignment, WorkspaceId, WorkspaceWish};
use pierhead_store::{StoreJson, Transaction};
use pierhead_testkit::{ClusterOptions, Cut, Held, PATIENCE, eventually, eventually_ok};
use pierhead_wire::WorkspaceView;
use std::time::{Duration, Instant};

pub const MB: u64 = 1 << 20;
/// One is lost and the others are still most of them.
const HOSTS: usize = 4;
/// What it may write, in MB.
const DISK_MB: u64 = 64;

pub struct Trial {
    pub pool: Pool,
    pub pair: Pair,
    pub id: WorkspaceId,
    /// Where it was last seen.
    pub there: Option<(usize, ContainerId)>,
    /// How much was written in it, each time that something was.
    pub done: Vec<u64>,
    /// The save that people were told of, and what it held.
    pub acknowledged: Option<(String, u64)>,
    /// The host that never returns.
    pub lost: Option<usize>,
    /// The host that it has to leave.
    drained: Option<String>,
    began: Instant,
}

impl Trial {
    pub async fn play(pair: Pair) {
        let mut trial = Self::begin(pair).await;
        trial.befall().await;
        trial.rests().await;
        trial.check().await;
        if trial.lost.is_some() {
            trial.is_told_of_the_loss().await;
            trial.rests().await;
            trial.check().await;
        }
        trial.ends().await;
    }

    pub async fn begin(pair: Pair) -> Self {
        let mut options =
            ClusterOptions { hosts: HOSTS, call_deadline: Duration::from_secs(2), ..ClusterOptions::default() };
        options.controller.policy.workspace_lost_ms = 50;
        options.controller.policy.workspace_disk_mb = DISK_MB;
        options.controller.save_sweep_interval = Duration::from_millis(100);
        let pool = Pool::start_with(options).await;
        let ann = pool.cluster.user("ann").await;
        let mut environment = described("lab", "exit 0");
        environment.description.containers.truncate(1);
        ann.add_environment(&environment).await.unwrap();
        let id = WorkspaceId::from_random(0);
        let mut trial = Self {
            pool,
            pair,
            id,
            there: None,
            done: Vec::new(),
            acknowledged: None,
            lost: None,
            drained: None,
            began: Instant::now(),
        };
        if !matches!(pair.step, Step::Making | Step::Priming) {
            trial.open().await;
            trial.worked_in_and_saved().await;
        }
        trial
    }

    pub async fn ann(&self) -> Client {
        self.pool.cluster.user("ann").await
    }

    async fn open(&mut self) {
        let opened = self.ann().await.open_workspace(&from("lab"), &to_the_end()).await.unwrap();
        self.id = WorkspaceId::parse(opened.id.as_str()).unwrap();
        reaches(&self.ann().await, &opened.id, "ready").await;
        self.look().await;
    }

    async fn worked_in_and_saved(&mut self) {
        self.work(2 * MB);
        let ann = self.ann().await;
        ann.save_workspace(self.id.as_str(), Some("first")).await.unwrap();
        let last = eventually_ok(PATIENCE, "the first save", async || {
            show(&ann, self.id.as_str()).await.last_save.ok_or("there is none")
        })
        .await;
        self.acknowledged = Some((last, 2 * MB));
        self.work(MB);
    }

    pub async fn view(&self) -> WorkspaceView {
        show(&self.ann().await, self.id.as_str()).await
    }

    /// Takes note of where it is.
    pub async fn look(&mut self) {
        let view = self.view().await;
        let container = view.containers.first().and_then(|container| container.id.clone());
        if let (Some(engine), Some(container)) = (view.engine, container) {
            let at = self.pool.cluster.hosts().position(|(id, _)| id == engine).unwrap();
            self.there = Some((at, ContainerId::parse(container).unwrap()));
        }
    }

    /// Something is written where it was last seen, if it runs there. Who is cut off works on.
    pub fn work(&mut self, bytes: u64) {
        let Some((at, id)) = &self.there else { return };
        if let Ok(worth) = self.pool.host(*at).work(id, bytes) {
            self.done.push(worth);
        }
    }

    pub async fn record<T: serde::de::DeserializeOwned + Send>(&self, key: &str) -> Option<T> {
        self.pool.cluster.controller().store().get_json(key).await.unwrap().map(|(record, _)| record)
    }

    pub async fn assignment(&self) -> Option<WorkspaceAssignment> {
        self.record(&keys::workspace_assignment(&self.id)).await
    }

    // What happens.

    async fn befall(&mut self) {
        let held = self.arm().await;
        self.trigger().await;
        let mut victim = self.there.as_ref().map_or(0, |(at, _)| *at);
        if let Some(held) = &held {
            let reached = tokio::time::timeout(PATIENCE, held.reached()).await;
            let words = reached.unwrap_or_else(|_| panic!("it never came to {:?}", self.pair.step));
            let host = words.rsplit_once(" at host-").and_then(|(_, number)| number.parse::<usize>().ok());
            victim = host.map_or(victim, |number| number - 1);
            self.find().await;
        }
        self.work(MB);
        self.inflict(victim, held).await;
    }

    /// Holds up the step that the pair is about.
    async fn arm(&mut self) -> Option<Held> {
        if matches!(self.pair.step, Step::Fetching | Step::Remaking) {
            self.is_stopped_and_its_hosts_are_closed().await;
        }
        let container = self.there.as_ref().map(|(_, id)| id.to_string()).unwrap_or_default();
        let (word, before, verb) = match self.pair.step {
            Step::Making | Step::Remaking => ("create ph-".to_owned(), 0, Some(Verb::Create)),
            Step::Priming => ("start_exec ".to_owned(), 0, None),
            Step::Ready => return None,
            Step::Committing => (format!("commit {container}"), 0, Some(Verb::Commit)),
            Step::Squashing => ("squash ".to_owned(), 0, Some(Verb::Squash)),
            Step::Copying | Step::Fetching => ("load ".to_owned(), 0, Some(Verb::Load)),
            // The first says that it was begun.
            Step::Recording => (format!("{}{}-", keys::SAVES, self.id), 1, None),
            Step::Leaving => (format!("remove {container}"), 0, Some(Verb::Remove)),
            Step::Clearing => ("remove_network ".to_owned(), 0, None),
        };
        // Of what is done meanwhile nobody hears.
        let is_unheard = self.pair.cut == Cut::After && matches!(self.pair.cause, Cause::Agent | Cause::Engine);
        if let Some(verb) = verb.filter(|_| is_unheard) {
            self.pool.cluster.hosts().for_each(|(_, host)| host.lose_reply(verb));
        }
        Some(self.pool.cluster.power().hold(&word, before, self.pair.cut))
    }

    /// So that it can only start where its files are not.
    async fn is_stopped_and_its_hosts_are_closed(&mut self) {
        let ann = self.ann().await;
        ann.stop_workspace(self.id.as_str()).await.unwrap();
        let saved = reaches(&ann, self.id.as_str(), "saved").await.last_save.unwrap();
        let save = ann.save(&saved).await.unwrap().into_value();
        self.acknowledged = Some((saved, save.bytes));
        self.there = None;
        if self.pair.step == Step::Fetching {
            for host in &save.copies {
                self.pool.cluster.admin().cordon_engine(host).await.unwrap();
            }
        }
    }

    /// Asks for what leads there.
    async fn trigger(&mut self) {
        let (ann, id) = (self.ann().await, self.id.to_string());
        let (step, way) = (self.pair.step, self.pair.way);
        tokio::spawn(async move {
            match step {
                Step::Making | Step::Priming => drop(ann.open_workspace(&from("lab"), &to_the_end()).await),
                Step::Ready => {}
                Step::Fetching | Step::Remaking => drop(ann.start_workspace(&id, None).await),
                _ if way == Way::Asked => drop(ann.save_workspace(&id, Some("second")).await),
                _ => drop(ann.stop_workspace(&id).await),
            }
        });
    }

    /// One that is just being opened is known by now.
    async fn find(&mut self) {
        if matches!(self.pair.step, Step::Making | Step::Priming) {
            let all = self.ann().await.workspaces().await.unwrap().into_value();
            self.id = WorkspaceId::parse(all[0].id.as_str()).unwrap();
        }
    }

    async fn inflict(&mut self, victim: usize, held: Option<Held>) {
        match self.pair.cause {
            Cause::Controller => {
                self.pool.dies().await;
                self.work(MB);
                self.pool.successor().await;
            }
            Cause::Agent | Cause::Engine => {
                if self.pair.cause == Cause::Agent {
                    self.pool.loses_its_agent(victim);
                } else {
                    self.pool.loses_its_engine(victim);
                }
                drop(held);
                self.is_not_healthy(victim).await;
                self.pool.cluster.hosts().for_each(|(_, host)| host.heal());
                self.pool.returns(victim);
            }
            Cause::Cut | Cause::Lost => {
                self.pool.kernel_is_silent(victim);
                self.pool.falls_silent(victim);
                self.work(MB);
                drop(held);
                self.pool.until(victim, "down", "").await;
                self.settles_without(victim).await;
                if self.pair.cause == Cause::Lost {
                    self.lost = Some(victim);
                } else {
                    self.pool.kernel_answers(victim);
                    self.pool.returns(victim);
                    self.pool.cluster.all_healthy().await;
                }
            }
            Cause::Expiry => self.expires().await,
            Cause::Disk => {
                self.work(2 * DISK_MB * MB);
                let known = || self.pool.cluster.controller().known();
                eventually(PATIENCE, "somebody notices", async || known().world.over_disk(&self.id).is_some()).await;
            }
            Cause::Stop => {
                let (ann, id) = (self.ann().await, self.id.to_string());
                tokio::spawn(async move { ann.stop_workspace(&id).await.map(drop) });
                self.wishes(WorkspaceWish::Saved).await;
            }
            Cause::Save => {
                let before = self.asked_saves();
                self.ann().await.save_workspace(self.id.as_str(), Some("third")).await.map(drop).unwrap_or_default();
                eventually(PATIENCE, "it is asked for", async || {
                    self.asked_saves() > before || self.pair.way == Way::Stopped
                })
                .await;
            }
            Cause::Drain => {
                let (admin, host) = (self.pool.cluster.admin(), format!("host-{}", victim + 1));
                self.drained = Some(host.clone());
                tokio::spawn({
                    let host = host.clone();
                    async move { admin.drain_engine(&host, &to_the_end()).await.map(drop) }
                });
                let known = || self.pool.cluster.controller().known();
                eventually(PATIENCE, "it is drained", async || {
                    let known = known();
                    known
                        .world
                        .engines()
                        .iter()
                        .any(|(id, engine)| id.as_str() == host && engine.record.duty == Duty::Drained)
                })
                .await;
            }
        }
    }

    fn asked_saves(&self) -> u32 {
        self.pool.cluster.controller().known().world.workspaces().get(&self.id).map_or(0, |found| found.saves_asked)
    }

    async fn is_not_healthy(&self, at: usize) {
        let is_so = async || {
            let known = self.pool.cluster.controller().known();
            let id = format!("host-{}", at + 1);
            known
                .world
                .engines()
                .iter()
                .any(|(engine, state)| engine.as_str() == id && state.health.status != HealthStatus::Healthy)
        };
        eventually(PATIENCE, "somebody notices", is_so).await;
    }

    /// Its time is over at this moment.
    async fn expires(&self) {
        let key = keys::workspace(&self.id);
        let mut record: Workspace = self.record(&key).await.unwrap();
        record.spec.lifetime_minutes = 0;
        let controller = self.pool.cluster.controller();
        let revision = controller.store().commit(Transaction::new().put_json(key, &record).unwrap()).await.unwrap();
        controller.reached(revision).await;
    }

    async fn wishes(&self, wish: WorkspaceWish) {
        let known = || self.pool.cluster.controller().known();
        eventually(PATIENCE, "it is asked for", async || {
            known().world.workspaces().get(&self.id).is_some_and(|found| found.wish == wish)
        })
        .await;
    }

    /// Waits until nothing more happens as long as a host is away.
    async fn settles_without(&self, victim: usize) {
        let host = format!("host-{}", victim + 1);
        eventually_ok(PATIENCE, "it goes on without its host", async || {
            let now = self.view().await;
            let is_elsewhere = now.phase == "ready" && now.engine.as_ref() != Some(&host);
            let words = ["it is saved as soon as", "nothing of it was saved yet"];
            let waits = words.iter().any(|words| now.message.contains(words));
            if is_elsewhere || waits || now.phase == "saved" {
                Ok(())
            } else {
                Err(format!("{}: {}", now.phase, now.message))
            }
        })
        .await;
    }

    /// Whether it stops in the end.
    pub fn stops(&self) -> bool {
        let is_stopped = self.pair.way == Way::Stopped && !matches!(self.pair.step, Step::Fetching | Step::Remaking);
        is_stopped || matches!(self.pair.cause, Cause::Stop | Cause::Expiry | Cause::Disk)
    }

    /// Waits until all is as it is wished, as far as it can be.
    async fn rests(&mut self) {
        let wanted = if self.stops() { "saved" } else { "ready" };
        eventually_ok(PATIENCE, wanted, async || {
            let now = self.view().await;
            let waits = self.lost.is_some() && now.message.contains("it is saved as soon as");
            let left = now.left_on.len();
            let moves = self.drained.is_some() && self.drained == now.engine;
            if waits || now.phase == wanted && !moves && (left == 0 || self.lost.is_some()) {
                Ok(())
            } else {
                Err(format!("{}: {}, left on {:?}", now.phase, now.message, now.left_on))
            }
        })
        .await;
        if self.lost.is_none() {
            self.pool.cluster.all_healthy().await;
        }
        self.pool.cluster.assert_invariants().await;
        self.look().await;
    }

    /// The host will not return: an administrator says so, and what is lost with it is told, with the age of what is not.
    async fn is_told_of_the_loss(&mut self) {
        let (at, most) = (self.lost.unwrap(), self.done.iter().copied().max().unwrap_or(0));
        self.pool.cluster.admin().remove_engine(&format!("host-{}", at + 1)).await.unwrap();
        let is_saved = self.worths().await.into_iter().any(|worth| worth >= most);
        if !is_saved {
            let told = async || self.pool.told("lose-workspace").await;
            let words = format!("what was not saved is lost, its newest save is {}-", self.id);
            eventually_ok(PATIENCE, "what is lost is told", async || {
                let told = told().await;
                let oldest = self.began.elapsed().as_secs() / 60;
                let ages: Vec<String> = (0..=oldest).map(|age| format!("which was made {age} min before")).collect();
                let is_it = |told: &String| told.contains(&words) && ages.iter().any(|age| told.ends_with(age));
                if told.iter().any(is_it) { Ok(()) } else { Err(format!("{told:?}")) }
            })
            .await;
            self.done.clear();
        }
        self.there = None;
    }
}
