//! Hosts with agents: what is heard of them goes to the judge of each (`detect`), and what that wants is done: other
//! hosts are asked, the engine is probed, the world is told. Decides nothing itself, and knows nothing of tunnels.

use super::{Engines, Link};
use crate::clock::{Clock, millis};
use crate::detect::{Awake, Heard, Local, Rules, TICK, Wishes, Witness};
use crate::known::{Known, Shared};
use pierhead_model::{EngineId, Health, HealthStatus};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// How many other hosts are asked about one.
const WITNESSES: usize = 2;
/// How long they may take.
const ANSWER: Duration = Duration::from_millis(350);
/// How much longer than that an answer may have taken, in time that this controller was not awake.
const ASLEEP: u64 = 100;
/// How many of a host's addresses are knocked at.
const MOST_ADDRESSES: usize = 4;
/// How often it is looked whether there are hosts with agents.
const IDLE: Duration = Duration::from_secs(1);

/// Asks whether a host's kernel answers, by another way than through its agent.
#[async_trait::async_trait]
pub trait SecondPath: Send + Sync {
    /// Whether a kernel answers at one of these addresses, as seen from the host of another agent, or from here.
    /// `None` if that cannot be told. Must answer within 350 ms to count.
    async fn knock(&self, from: Option<&EngineId>, addresses: &[IpAddr]) -> Option<bool>;
}

/// What the judges of all hosts share.
pub(crate) struct Detection {
    shared: Arc<Shared>,
    clock: Clock,
    own: Mutex<(Awake, Instant)>,
    are_many_late: AtomicBool,
    second_path: OnceLock<Arc<dyn SecondPath>>,
    turn: AtomicUsize,
    pub(super) rules: Rules,
}

impl Detection {
    pub(super) fn new(shared: Arc<Shared>, clock: Clock) -> Self {
        let rules = Rules::default();
        Self {
            shared,
            clock,
            own: Mutex::new((Awake::new(rules.trusts_itself), Instant::now())),
            are_many_late: AtomicBool::new(false),
            second_path: OnceLock::new(),
            turn: AtomicUsize::new(0),
            rules,
        }
    }

    /// The moment, in milliseconds in which this controller was awake.
    pub(super) fn now(&self) -> u64 {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.0.now(millis(own.1.elapsed()))
    }

    fn tick(&self) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = millis(own.1.elapsed());
        own.0.tick(passed);
        own.1 = Instant::now();
    }

    /// Nothing was judged lately, so that nothing is known of how late this controller is.
    fn rest(&self) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).1 = Instant::now();
    }

    fn local(&self) -> Local {
        let late_ms = self.own.lock().unwrap_or_else(PoisonError::into_inner).0.late();
        Local { late_ms, are_many_late: self.are_many_late.load(Ordering::Relaxed) }
    }

    /// Judges a host, and does what that leads to.
    pub(super) fn look(&self, link: &Link) {
        let Some(judge) = &link.judge else { return };
        let (now, local) = (self.now(), self.local());
        let mut judge = judge.lock().unwrap_or_else(PoisonError::into_inner);
        let Wishes { health, probe } = judge.look(now, local);
        if probe {
            link.probe();
        }
        // Told before the next one judges, so that the world gets it in order.
        if let Some((status, reason)) = health {
            self.tell(link, status, reason);
        }
    }

    fn tell(&self, link: &Link, status: HealthStatus, reason: String) {
        let now = self.clock.now();
        let before = {
            let known = self.shared.read();
            let Some(state) = known.world.engines().get(link.id()) else { return };
            state.health.clone()
        };
        if before.status != status {
            tracing::info!(engine = %link.id, from = before.status.as_str(), to = status.as_str(), reason, "engine health");
        }
        let since = if before.status == status { before.since } else { now };
        let health = Health { status, response_time_ms: before.response_time_ms, reason, since };
        self.shared.change(|known| known.world.set_health(&link.id, health));
        if status == HealthStatus::Healthy {
            link.relist();
        }
    }

    /// Takes note of how long the last answer took.
    pub(super) fn answered(&self, link: &Link, took: Duration) {
        self.shared.change_quietly(|known| {
            if let Some(state) = known.world.engines().get(&link.id) {
                let health = Health { response_time_ms: millis(took), ..state.health.clone() };
                known.world.set_health(&link.id, health);
            }
        });
    }
}

impl Engines {
    /// Something was heard of a host's agent.
    pub(crate) fn hear(&self, id: &EngineId, heard: Heard) {
        let Some(link) = self.link(id) else { return };
        let Some(judge) = &link.judge else { return };
        judge.lock().unwrap_or_else(PoisonError::into_inner).hear(heard, self.detection.now());
        self.detection.look(&link);
    }

    /// From now on other hosts can be asked. Only the first counts.
    pub(crate) fn set_second_path(&self, path: Arc<dyn SecondPath>) {
        // There is one program that says so, once.
        let _again = self.detection.second_path.set(path);
    }

    /// Judges all hosts with agents, again and again, for ever.
    pub(crate) async fn watch_agents(self: Arc<Self>) {
        let mut timer = tokio::time::interval(TICK);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let links: Vec<Arc<Link>> =
                self.links().values().filter(|link| link.judge.is_some()).map(Arc::clone).collect();
            if links.is_empty() {
                tokio::time::sleep(IDLE).await;
                self.detection.rest();
                timer.reset();
                continue;
            }
            timer.tick().await;
            self.detection.tick();
            self.judge(&links);
        }
    }

    fn judge(self: &Arc<Self>, links: &[Arc<Link>]) {
        let now = self.detection.now();
        let (mut hosts, mut late) = (0, 0);
        for link in links {
            let Some(judge) = &link.judge else { continue };
            let judge = judge.lock().unwrap_or_else(PoisonError::into_inner);
            hosts += usize::from(judge.is_counted());
            late += usize::from(judge.is_late(now));
        }
        self.detection.are_many_late.store(late >= 2 && 2 * late >= hosts, Ordering::Relaxed);
        let local = self.detection.local();
        for link in links {
            self.detection.look(link);
            let Some(judge) = &link.judge else { continue };
            if judge.lock().unwrap_or_else(PoisonError::into_inner).wants_others(now, local) {
                let (engines, link) = (Arc::clone(self), Arc::clone(link));
                let witnesses = self.witnesses(links, link.id(), now);
                self.tasks.spawn(async move { engines.ask_others(&link, witnesses, now).await });
            }
        }
    }

    /// Who is asked about a host: this controller, and some of the hosts that are well, in turn.
    fn witnesses(&self, links: &[Arc<Link>], about: &EngineId, now: u64) -> Vec<Witness> {
        let turn = self.detection.turn.fetch_add(1, Ordering::Relaxed) % links.len().max(1);
        let is_well = |link: &&Arc<Link>| {
            let judge = link.judge.as_ref();
            judge.is_some_and(|judge| judge.lock().unwrap_or_else(PoisonError::into_inner).is_witness(now))
        };
        let others = links.iter().cycle().skip(turn).take(links.len()).filter(|link| link.id() != about);
        let others = others.filter(is_well).take(WITNESSES).map(|link| Witness::Host(link.id().clone()));
        std::iter::once(Witness::Own).chain(others).collect()
    }

    async fn ask_others(&self, link: &Link, witnesses: Vec<Witness>, asked_at: u64) {
        let (Some(path), Some(judge)) = (self.detection.second_path.get(), &link.judge) else { return };
        let addresses = addresses(&self.shared.read(), link.id());
        let began = Instant::now();
        let asked = witnesses.into_iter().map(|witness| async {
            let from = match &witness {
                Witness::Own => None,
                Witness::Host(id) => Some(id),
            };
            let told = tokio::time::timeout(ANSWER, path.knock(from, &addresses)).await;
            (told.ok().flatten(), witness)
        });
        let told = futures_util::future::join_all(asked).await;
        let awake = self.detection.now().saturating_sub(asked_at);
        // Silence that was not listened to is none.
        let slept = millis(began.elapsed()).saturating_sub(awake) > ASLEEP;
        let (answered, silent): (Vec<_>, Vec<_>) =
            told.into_iter().filter_map(|(told, witness)| Some((told?, witness))).partition(|(answers, _)| *answers);
        let named = |told: Vec<(bool, Witness)>| told.into_iter().map(|(_, witness)| witness).collect();
        let silent = if slept { Vec::new() } else { silent };
        judge.lock().unwrap_or_else(PoisonError::into_inner).found(asked_at, named(answered), named(silent));
        self.detection.look(link);
    }
}

/// Where a host's kernel answers, as far as is known: addresses that no other host has too, as those of bridges that are
/// the same everywhere.
fn addresses(known: &Known, id: &EngineId) -> Vec<IpAddr> {
    let engines = known.world.engines();
    let of = |id: &EngineId| -> Vec<IpAddr> {
        let Some(state) = engines.get(id) else { return Vec::new() };
        let own = state.record.host().and_then(|host| host.parse().ok());
        own.into_iter().chain(state.host.iter().flat_map(|host| host.addresses.iter().copied())).collect()
    };
    let others: Vec<IpAddr> = engines.keys().filter(|other| *other != id).flat_map(of).collect();
    let mut found = of(id);
    let mut seen = Vec::new();
    found.retain(|address| {
        let is_usable = !address.is_loopback() && !address.is_unspecified() && !address.is_multicast();
        let is_new = is_usable && !others.contains(address) && !seen.contains(address);
        seen.push(*address);
        is_new
    });
    found.truncate(MOST_ADDRESSES);
    found
}

impl crate::Controller {
    /// Something was heard of a host's agent. For a host without one it means nothing.
    pub fn hear(&self, id: &EngineId, heard: Heard) {
        self.engines.hear(id, heard);
    }

    /// From now on the kernels of hosts can be asked by other ways than through their agents.
    pub fn set_second_path(&self, path: Arc<dyn SecondPath>) {
        self.engines.set_second_path(path);
    }
}
