//! Whole pools in simulated time, from seeds: everybody stands still now and then, messages are late, and hosts die.

use super::awake::Awake;
use super::cause::Witness;
use super::machine::{Local, Machine};
use super::rules::Rules;
use super::{EngineAnswers, Heard, HostBeat};
use pierhead_model::{EngineId, HealthStatus};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The smallest step of time, in milliseconds.
const STEP: u64 = 5;
const PAUSE: u64 = 500;
/// When hosts die, where they do.
const FAULT_AT: u64 = 5_000;

/// What happens to the first host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    Cut,
    PowerOff,
    EngineKilled,
    EngineStopped,
    AgentKilled,
}

/// Somebody who stands still now and then.
#[derive(Debug, Clone, Copy)]
struct Actor {
    until: u64,
    next: u64,
}

impl Actor {
    fn new(rng: &mut StdRng, is_calm: bool) -> Self {
        Self { until: 0, next: if is_calm { u64::MAX } else { rng.random_range(200..4_000) } }
    }

    fn runs(&mut self, now: u64, rng: &mut StdRng) -> bool {
        if now >= self.next {
            self.until = now + PAUSE;
            self.next = self.until + rng.random_range(100..4_000);
        }
        now >= self.until
    }
}

struct Host {
    agent: Actor,
    engine: Actor,
    has_link: bool,
    has_agent: bool,
    has_engine: bool,
    next_beat: u64,
    next_tick: u64,
    last_tick: u64,
    silent: Option<u64>,
    on_the_way: Vec<(u64, Heard)>,
    machine: Machine,
    knocked: Option<(u64, u64)>,
    probe: Option<(u64, u64)>,
    next_probe: u64,
    /// What it came to be, and when.
    told: Vec<(u64, HealthStatus, String)>,
}

struct Pool {
    rng: StdRng,
    now: u64,
    is_calm: bool,
    controller: Actor,
    awake: Awake,
    last_tick: u64,
    next_tick: u64,
    hosts: Vec<Host>,
}

impl Pool {
    fn new(seed: u64, hosts: usize, rules: Rules, is_calm: bool) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let hosts = (0..hosts).map(|_| Host {
            agent: Actor::new(&mut rng, is_calm),
            engine: Actor::new(&mut rng, is_calm),
            has_link: true,
            has_agent: true,
            has_engine: true,
            next_beat: rng.random_range(0..100),
            next_tick: 0,
            last_tick: 0,
            silent: None,
            on_the_way: vec![(0, Heard::Opened)],
            machine: Machine::new(rules, 0),
            knocked: None,
            probe: None,
            next_probe: 0,
            told: Vec::new(),
        });
        let hosts = hosts.collect();
        let controller = Actor::new(&mut rng, is_calm);
        let awake = Awake::new(rules.trusts_itself);
        Self { rng, now: 0, is_calm, controller, awake, last_tick: 0, next_tick: 0, hosts }
    }

    /// How late something is by chance.
    fn delay(&mut self) -> u64 {
        match (self.is_calm, self.rng.random_range(0..20)) {
            (true, _) => self.rng.random_range(0..8),
            (false, 0) => self.rng.random_range(0..120),
            (false, _) => self.rng.random_range(0..40),
        }
    }

    fn run(&mut self, until: u64, fault: Fault) {
        while self.now < until {
            self.now += STEP;
            if self.now == FAULT_AT {
                self.strike(fault);
            }
            (0..self.hosts.len()).for_each(|at| self.host_goes_on(at));
            if self.controller.runs(self.now, &mut self.rng) {
                self.controller_goes_on();
            }
        }
    }

    fn strike(&mut self, fault: Fault) {
        let now = self.now;
        let host = &mut self.hosts[0];
        match fault {
            Fault::Nothing => {}
            Fault::Cut => host.has_link = false,
            Fault::PowerOff => (host.has_link, host.has_agent, host.has_engine) = (false, false, false),
            Fault::EngineKilled => host.has_engine = false,
            Fault::EngineStopped => host.engine = Actor { until: u64::MAX, next: u64::MAX },
            Fault::AgentKilled => {
                host.has_agent = false;
                host.on_the_way.push((now + 1, Heard::Ended));
            }
        }
    }

    fn host_goes_on(&mut self, at: usize) {
        let (now, delay) = (self.now, self.delay());
        let host = &mut self.hosts[at];
        let engine_runs = host.engine.runs(now, &mut self.rng) && host.has_engine;
        if !host.agent.runs(now, &mut self.rng) || !host.has_agent {
            return;
        }
        if now >= host.next_tick {
            host.silent = (!engine_runs).then(|| host.silent.unwrap_or(0) + (now - host.last_tick).min(75));
            (host.last_tick, host.next_tick) = (now, now + 50);
        }
        if now >= host.next_beat {
            let late_ms = now - host.next_beat;
            host.next_beat += 100 * (late_ms / 100 + 1);
            let refuses = (!host.has_engine).then(|| "dead".to_owned());
            let engine = Some(EngineAnswers { silent_ms: host.silent.unwrap_or(0), refuses });
            if host.has_link {
                let beat = HostBeat { run: 1, late_ms, engine, ..HostBeat::default() };
                host.on_the_way.push((now + delay, Heard::Beat(beat)));
            }
        }
    }

    fn controller_goes_on(&mut self) {
        // What waits is done in no order, after a pause too.
        if self.rng.random_bool(0.5) {
            self.tick();
            self.deliver();
        } else {
            self.deliver();
            self.tick();
        }
    }

    fn moment(&self) -> u64 {
        self.awake.now(self.now - self.last_tick)
    }

    fn deliver(&mut self) {
        let (now, moment, local) = (self.now, self.moment(), self.local());
        for host in &mut self.hosts {
            host.on_the_way.sort_by_key(|(at, _)| *at);
            while host.on_the_way.first().is_some_and(|(at, _)| *at <= now) {
                host.machine.hear(host.on_the_way.remove(0).1, moment);
                look(host, now, moment, local);
            }
        }
    }

    fn local(&self) -> Local {
        let moment = self.moment();
        let late = self.hosts.iter().filter(|host| host.machine.is_late(moment)).count();
        let hosts = self.hosts.iter().filter(|host| host.machine.is_counted()).count();
        Local { late_ms: self.awake.late(), are_many_late: late >= 2 && 2 * late >= hosts }
    }

    fn tick(&mut self) {
        if self.now < self.next_tick {
            return;
        }
        self.awake.tick(self.now - self.last_tick);
        (self.last_tick, self.next_tick) = (self.now, self.now + 50);
        for at in 0..self.hosts.len() {
            self.probe(at);
            self.ask_others(at);
            let (now, moment, local) = (self.now, self.moment(), self.local());
            look(&mut self.hosts[at], now, moment, local);
        }
    }

    /// Others tell what they have found, and are asked.
    fn ask_others(&mut self, at: usize) {
        let (now, moment, local) = (self.now, self.moment(), self.local());
        let can_be_asked =
            |other: &Host| other.machine.is_witness(moment) && other.has_agent && other.agent.until <= now;
        let witness = (1..self.hosts.len()).map(|more| (at + more) % self.hosts.len());
        let witness = witness.clone().find(|other| can_be_asked(&self.hosts[*other]));
        let host = &mut self.hosts[at];
        if let Some((asked_at, since)) = host.knocked {
            let limit = if host.has_link { 20 } else { 250 };
            if now - since >= limit {
                let named = witness.map(|at| Witness::Host(EngineId::parse(format!("host-{at}")).unwrap()));
                let all: Vec<Witness> = std::iter::once(Witness::Own).chain(named).collect();
                let is_silent = !host.has_link && moment - asked_at + 100 >= now - since;
                let (answered, silent) = if host.has_link { (all, vec![]) } else { (vec![], all) };
                host.machine.found(asked_at, answered, if is_silent { silent } else { vec![] });
                host.knocked = None;
            }
        }
        if host.machine.wants_others(moment, local) {
            host.knocked = Some((moment, now));
        }
    }

    fn probe(&mut self, at: usize) {
        let (now, moment) = (self.now, self.moment());
        let host = &mut self.hosts[at];
        let answers = host.has_link && host.has_agent && host.agent.until <= now;
        let engine_runs = host.has_engine && host.engine.until <= now;
        match host.probe {
            None if now >= host.next_probe => host.probe = Some((moment, now)),
            Some((began, _)) if answers && engine_runs => {
                host.machine.probe(began, Ok(()), moment);
                (host.probe, host.next_probe) = (None, now + 1_000);
            }
            Some((began, since)) if now - since >= 800 => {
                if moment - began + 100 >= now - since {
                    host.machine.probe(began, Err("no answer".to_owned()), moment);
                }
                (host.probe, host.next_probe) = (None, now + 200);
            }
            _ => {}
        }
    }
}

fn look(host: &mut Host, now: u64, moment: u64, local: Local) {
    if let Some((status, reason)) = host.machine.look(moment, local).health {
        host.told.push((now, status, reason));
    }
}

/// Who was called dead in a minute in which everybody stands still now and then, and nobody dies.
fn false_alarms(seed: u64, rules: Rules) -> Vec<(u64, String)> {
    let mut pool = Pool::new(seed, 3, rules, false);
    pool.run(60_000, Fault::Nothing);
    let told = pool.hosts.iter().flat_map(|host| host.told.iter());
    told.filter(|(_, status, _)| *status == HealthStatus::Down).map(|(at, _, why)| (*at, why.clone())).collect()
}

#[test]
fn nobody_is_called_dead_who_only_stands_still() {
    for seed in 0..60 {
        assert_eq!(false_alarms(seed, Rules::DEFAULT), vec![], "seed {seed}");
    }
}

#[test]
fn whoever_trusts_one_missed_beat_calls_the_living_dead() {
    let alarmed = (0..10).filter(|seed| !false_alarms(*seed, Rules::HASTY).is_empty()).count();
    assert_eq!(alarmed, 10);
    // Each part of it alone is enough.
    let trusting = Rules { trusts_itself: true, longest_stretch: 0, many: 0, gone: 500, alone: 500, ..Rules::DEFAULT };
    assert!((0..20).any(|seed| !false_alarms(seed, trusting).is_empty()));
}

/// After how long the first host is told to be in a state, and why.
fn seen(seed: u64, fault: Fault, is_calm: bool, status: HealthStatus) -> (u64, String) {
    let mut pool = Pool::new(seed, 3, Rules::DEFAULT, is_calm);
    pool.run(FAULT_AT + 10_000, fault);
    let told = &pool.hosts[0].told;
    let found = told.iter().find(|(at, told, _)| *at >= FAULT_AT && *told == status);
    let (at, _, why) = found.unwrap_or_else(|| panic!("seed {seed}, {fault:?}: {told:?}"));
    let others = pool.hosts[1..].iter().flat_map(|host| &host.told);
    assert!(others.clone().all(|(_, status, _)| *status != HealthStatus::Down), "seed {seed}, {fault:?}");
    (at - FAULT_AT, why.clone())
}

#[test]
fn every_death_is_seen_within_a_second_and_told_apart() {
    for (fault, words) in [
        (Fault::Cut, "the host is off or cut off"),
        (Fault::PowerOff, "the host is off or cut off"),
        (Fault::EngineKilled, "its engine does not run"),
        (Fault::EngineStopped, "its engine hangs"),
    ] {
        for seed in 0..50 {
            let (after, why) = seen(seed, fault, true, HealthStatus::Down);
            assert!(after <= 1_000 && why.contains(words), "seed {seed}, {fault:?}: after {after} ms: {why}");
        }
    }
}

#[test]
fn an_agent_that_dies_is_suspect_at_once_and_has_time_to_come_back() {
    for seed in 0..50 {
        let (suspect, _) = seen(seed, Fault::AgentKilled, true, HealthStatus::Suspect);
        let (down, why) = seen(seed, Fault::AgentKilled, true, HealthStatus::Down);
        assert!(suspect <= 100 && (800..=1_000).contains(&down), "seed {seed}: {suspect}, {down}");
        assert!(why.contains("its agent has not run"), "{why}");
    }
}

#[test]
fn every_death_is_seen_while_everybody_stands_still_now_and_then() {
    for fault in [Fault::Cut, Fault::PowerOff, Fault::EngineKilled, Fault::EngineStopped, Fault::AgentKilled] {
        for seed in 0..20 {
            let (after, _) = seen(seed, fault, false, HealthStatus::Down);
            assert!(after <= 6_000, "seed {seed}, {fault:?}: after {after} ms");
        }
    }
}
