//! Hosts with agents: what is heard of them goes to the judge of each (`detect`), and what that wants is done: other
//! hosts are asked, the engine is probed, the world is told. Decides nothing itself, and knows nothing of tunnels.

use super::{Engines, Link};
use crate::clock::{Clock, millis};
use crate::detect::{Awake, Heard, Local, Rules, TICK, Wishes, Witness};
use crate::known::{Known, Shared};
use pierhead_model::{EngineId, Health, HealthStatus, Timestamp};
use pierhead_planner::EngineState;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior};

/// How many other hosts are asked about one.
const WITNESSES: usize = 2;
/// How long they may take.
const ANSWER: Duration = Duration::from_millis(350);
/// How much longer than that an answer may have taken, in time that this controller was not awake.
const ASLEEP: u64 = 100;
/// About how many hosts others are asked at the same time.
const MOST_QUESTIONS: usize = 64;
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
    questions: Arc<Semaphore>,
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
            questions: Arc::new(Semaphore::new(MOST_QUESTIONS)),
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
        let Wishes { health, probe, agent_lost } = judge.look(now, local);
        if let Some(ms) = agent_lost {
            let since = Timestamp(self.clock.now().0.saturating_sub(ms));
            self.shared.change_quietly(|known| known.world.note_enforcer_lost(link.id(), since));
        }
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
        let has_given_up = matches!(&heard, Heard::Beat(beat) if beat.gave_up);
        // First: from then on no lease is granted that would have to be waited for.
        judge.lock().unwrap_or_else(PoisonError::into_inner).hear(heard, self.detection.now());
        if has_given_up {
            self.shared.change_quietly(|known| known.world.note_lease_given_up(id));
        }
        self.detection.look(&link);
    }

    /// Whether a host's agent is about to end, and runs nothing any more that needs a lease.
    pub(crate) fn has_given_up(&self, id: &EngineId) -> bool {
        let link = self.link(id);
        let judge = link.as_ref().and_then(|link| link.judge.as_ref());
        judge.is_some_and(|judge| judge.lock().unwrap_or_else(PoisonError::into_inner).has_given_up())
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
        let mut doubtful = Vec::new();
        for link in links {
            self.detection.look(link);
            let Some(judge) = &link.judge else { continue };
            let mut judge = judge.lock().unwrap_or_else(PoisonError::into_inner);
            if judge.wants_others(now, local) {
                doubtful.push(link);
            }
        }
        if !doubtful.is_empty() {
            self.ask_about(&doubtful, links, now);
        }
    }

    /// Asks this controller and some of the hosts that are well, in turn, about each that is doubtful.
    fn ask_about(self: &Arc<Self>, doubtful: &[&Arc<Link>], links: &[Arc<Link>], now: u64) {
        let is_well = |link: &&Arc<Link>| {
            let judge = link.judge.as_ref();
            judge.is_some_and(|judge| judge.lock().unwrap_or_else(PoisonError::into_inner).is_witness(now))
        };
        let well: Vec<EngineId> = links.iter().filter(is_well).map(|link| link.id().clone()).collect();
        let addresses = addresses(&self.shared.read());
        for link in doubtful {
            // Where so many are lost at once, what is asked in vain is asked again a little later.
            let Ok(place) = Arc::clone(&self.detection.questions).try_acquire_owned() else { return };
            let turn = self.detection.turn.fetch_add(1, Ordering::Relaxed) % well.len().max(1);
            let others = well.iter().cycle().skip(turn).take(well.len()).filter(|id| *id != link.id());
            let others = others.take(WITNESSES).map(|id| Witness::Host(id.clone()));
            let witnesses = std::iter::once(Witness::Own).chain(others).collect();
            let addresses = addresses.get(link.id()).cloned().unwrap_or_default();
            let (engines, link) = (Arc::clone(self), Arc::clone(link));
            self.tasks.spawn(async move {
                engines.ask_others(&link, witnesses, &addresses, now).await;
                drop(place);
            });
        }
    }

    async fn ask_others(&self, link: &Link, witnesses: Vec<Witness>, addresses: &[IpAddr], asked_at: u64) {
        let (Some(path), Some(judge)) = (self.detection.second_path.get(), &link.judge) else { return };
        let began = Instant::now();
        let asked = witnesses.into_iter().map(|witness| async {
            let from = match &witness {
                Witness::Own => None,
                Witness::Host(id) => Some(id),
            };
            let told = tokio::time::timeout(ANSWER, path.knock(from, addresses)).await;
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

/// Where each host's kernel answers, as far as is known: addresses that no other host has too, as those of bridges that
/// are the same everywhere.
fn addresses(known: &Known) -> BTreeMap<EngineId, Vec<IpAddr>> {
    let engines = known.world.engines();
    let is_usable = |ip: &IpAddr| !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast();
    let of = |state: &EngineState| {
        let mut all: Vec<IpAddr> = state.record.host().and_then(|host| host.parse().ok()).into_iter().collect();
        let told = state.host.iter().flat_map(|host| &host.addresses);
        all.extend(told.filter(|ip| Some(*ip) != all.first()).copied().collect::<Vec<_>>());
        all.retain(is_usable);
        all
    };
    let mut found: BTreeMap<EngineId, Vec<IpAddr>> =
        engines.iter().map(|(id, state)| (id.clone(), of(state))).collect();
    let mut count = BTreeMap::<IpAddr, usize>::new();
    found.values().flatten().for_each(|ip| *count.entry(*ip).or_default() += 1);
    for addresses in found.values_mut() {
        addresses.retain(|ip| count.get(ip) == Some(&1));
        addresses.truncate(MOST_ADDRESSES);
    }
    found
}

impl crate::Controller {
    /// Something was heard of a host's agent. For a host without one it means nothing.
    pub fn hear(&self, id: &EngineId, heard: Heard) {
        if let Heard::Beat(beat) = &heard
            && let Some(load) = beat.load
        {
            self.stats.load(id, load);
        }
        self.engines.hear(id, heard);
    }

    /// From now on the kernels of hosts can be asked by other ways than through their agents.
    pub fn set_second_path(&self, path: Arc<dyn SecondPath>) {
        self.engines.set_second_path(path);
    }
}
