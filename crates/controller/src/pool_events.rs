//! What the pool does by itself, as events: hosts that go and come, and slots that are placed anew. It decides nothing.

use crate::known::Known;
use pierhead_model::{Assignment, Engine, EngineId, HealthStatus, Timestamp};
use pierhead_planner::{World, freeze};
use std::collections::BTreeMap;

/// The most changes of one host's health that are told within a window.
const MOST_OF_A_HOST: u32 = 10;
/// The window, in milliseconds.
const WINDOW_MS: u64 = 600_000;

/// A change of a host's health that is worth an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HostChange {
    pub(crate) engine: EngineId,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

/// What was told of the hosts' health so far, so that a host that flaps does not flood the log.
#[derive(Default)]
pub(crate) struct HostsTold(BTreeMap<EngineId, HostTold>);

struct HostTold {
    status: HealthStatus,
    since: Timestamp,
    window: Timestamp,
    told: u32,
}

impl HostsTold {
    /// What has changed since the last call and is to be told now.
    pub(crate) fn changes(&mut self, world: &World, now: Timestamp) -> Vec<HostChange> {
        self.0.retain(|id, _| world.engines().contains_key(id));
        let engines = world.engines().iter();
        engines.filter_map(|(id, engine)| self.change(id, &engine.health, now)).collect()
    }

    fn change(&mut self, id: &EngineId, health: &pierhead_model::Health, now: Timestamp) -> Option<HostChange> {
        let new = HostTold { status: HealthStatus::Pending, since: health.since, window: now, told: 0 };
        let known = self.0.entry(id.clone()).or_insert(new);
        if known.status == health.status {
            return None;
        }
        let reason = &health.reason;
        let (kind, message) = match (known.status, health.status) {
            (_, HealthStatus::Down) => ("engine-down", format!("id={id}, reason={reason}")),
            // One that is reached for the first time, or only stumbled, was not missed.
            (HealthStatus::Down, HealthStatus::Healthy) => {
                let seconds = health.since.since(known.since) / 1000;
                ("engine-up", format!("id={id}, it answers again after {seconds} s"))
            }
            (HealthStatus::Healthy, HealthStatus::Suspect) => ("engine-suspect", format!("id={id}, reason={reason}")),
            (_, status) => {
                (known.status, known.since) = (status, health.since);
                return None;
            }
        };
        if now.since(known.window) >= WINDOW_MS {
            (known.window, known.told) = (now, 0);
        }
        // Those that only stumble leave room for what matters.
        let most = if health.status == HealthStatus::Suspect { MOST_OF_A_HOST / 2 } else { MOST_OF_A_HOST };
        if known.told >= most {
            return None;
        }
        known.told += 1;
        (known.status, known.since) = (health.status, health.since);
        let last = known.told == MOST_OF_A_HOST;
        let quiet = format!("; it changes often, and more is told in {} min at the earliest", WINDOW_MS / 60_000);
        Some(HostChange { engine: id.clone(), kind, message: if last { message + &quiet } else { message } })
    }
}

/// Whether it was told that slots of hosts wait because these vanished at once.
#[derive(Default)]
pub(crate) struct FreezeTold(bool);

impl FreezeTold {
    /// The kind and message of what is to be told now.
    pub(crate) fn change(&mut self, world: &World) -> Option<(&'static str, String)> {
        let frozen = freeze(world);
        if frozen.is_some() == self.0 {
            return None;
        }
        self.0 = frozen.is_some();
        Some(match frozen {
            Some(frozen) => ("freeze-cluster", frozen.reason()),
            None => ("end-of-freeze", "what lived on hosts that do not answer is placed elsewhere again".to_owned()),
        })
    }
}

/// The hosts that were given up and answer again, as their records shall be.
pub(crate) fn found_again(world: &World) -> Vec<Engine> {
    let back = world
        .engines()
        .values()
        .filter(|engine| engine.record.given_up && engine.health.status == HealthStatus::Healthy);
    back.map(|engine| Engine { given_up: false, ..engine.record.clone() }).collect()
}

/// Why a slot gets another place or other containers, in words; `None` if it does not.
pub(crate) fn why_anew(known: &Known, present: &Assignment, next: &Assignment) -> Option<String> {
    if next.generation == present.generation {
        return None;
    }
    if next.generation < present.generation {
        return Some("the change of its description was taken back".to_owned());
    }
    if known.world.is_restored {
        return Some("it was found running there after the records were restored from a backup".to_owned());
    }
    let host = &present.engine;
    let failed = present.attempts.last().filter(|attempt| attempt.generation == present.generation);
    Some(match known.world.engines().get(host) {
        None => format!("host {host} is not in the pool any more"),
        Some(engine) if engine.health.status == HealthStatus::Down => {
            let stopped = known.world.how_stopped(present).map(|how| format!("; {how}")).unwrap_or_default();
            format!("host {host} is down: {}{stopped}", engine.health.reason)
        }
        _ if failed.is_some() => failed.map(|attempt| attempt.failure.message.clone()).unwrap_or_default(),
        _ if next.version != present.version => "its description changed".to_owned(),
        _ if known.world.current(present).is_empty() => format!("its container was removed from host {host}"),
        Some(engine) if !engine.record.duty.is_in_service() => format!("host {host} is drained"),
        _ if next.engine != *host => "the load of the hosts is evened out".to_owned(),
        _ => "not all of its containers were there".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::{Capacity, Duty, Health, OverCommit, Username};
    use pierhead_planner::Policy;

    fn world() -> World {
        let mut world = World::new("c1", Policy::default(), Timestamp(1));
        world.set_engine(host("a"));
        world
    }

    fn host(id: &str) -> Engine {
        Engine {
            id: EngineId::parse(id).unwrap(),
            addr: "http://10.0.0.5:2375".to_owned(),
            labels: std::collections::BTreeSet::new(),
            capacity: Capacity::default(),
            over_commit: OverCommit::default(),
            duty: Duty::default(),
            given_up: false,
            registered: None,
            agent: None,
            sealed_tls: None,
            sealed_registry_auth: None,
            added_at: Timestamp(0),
            added_by: Username::parse("admin").unwrap(),
        }
    }

    /// What is told when the host becomes this at a moment.
    fn told(told: &mut HostsTold, world: &mut World, status: HealthStatus, at: u64) -> Option<String> {
        let id = EngineId::parse("a").unwrap();
        let reason = if status == HealthStatus::Healthy { "" } else { "no answer" };
        let health = Health { status, response_time_ms: 1, reason: reason.to_owned(), since: Timestamp(at) };
        world.set_health(&id, health);
        let mut changes = told.changes(world, Timestamp(at));
        assert!(told.changes(world, Timestamp(at)).is_empty(), "nothing is told twice");
        changes.pop().map(|change| format!("{} {}", change.kind, change.message))
    }

    #[test]
    fn hosts_that_go_and_come_are_told_and_first_sight_is_not() {
        use HealthStatus::{Down, Healthy, Suspect};
        let (mut hosts, mut world) = (HostsTold::default(), world());
        let mut tell = |status, at| told(&mut hosts, &mut world, status, at);
        assert_eq!(tell(Healthy, 1_000), None);
        assert_eq!(tell(Suspect, 2_000).unwrap(), "engine-suspect id=a, reason=no answer");
        assert_eq!(tell(Healthy, 3_000), None);
        assert!(tell(Suspect, 4_000).is_some());
        assert_eq!(tell(Down, 5_000).unwrap(), "engine-down id=a, reason=no answer");
        assert_eq!(tell(Healthy, 9_000).unwrap(), "engine-up id=a, it answers again after 4 s");
    }

    fn set(world: &mut World, id: &str, status: HealthStatus) {
        let health = Health { status, since: Timestamp(5), ..Health::default() };
        world.set_health(&EngineId::parse(id).unwrap(), health);
    }

    #[test]
    fn a_freeze_is_told_once_and_so_is_its_end() {
        let (mut told, mut world) = (FreezeTold::default(), world());
        world.set_engine(host("b"));
        assert_eq!(told.change(&world), None);
        ["a", "b"].iter().for_each(|id| set(&mut world, id, HealthStatus::Down));
        let (kind, message) = told.change(&world).unwrap();
        assert_eq!(kind, "freeze-cluster");
        assert!(message.starts_with("2 of 2 hosts vanished at once (a, b)"), "{message}");
        assert_eq!(told.change(&world), None);
        set(&mut world, "b", HealthStatus::Healthy);
        assert_eq!(told.change(&world).unwrap().0, "end-of-freeze");
        assert_eq!(told.change(&world), None);
    }

    #[test]
    fn what_was_given_up_counts_again_when_it_answers() {
        let mut world = world();
        world.set_engine(Engine { given_up: true, ..host("a") });
        set(&mut world, "a", HealthStatus::Down);
        assert_eq!(found_again(&world), Vec::new());
        set(&mut world, "a", HealthStatus::Healthy);
        assert_eq!(found_again(&world), vec![host("a")]);
    }

    #[test]
    fn a_host_that_flaps_does_not_flood_the_log() {
        use HealthStatus::{Down, Healthy};
        let (mut hosts, mut world) = (HostsTold::default(), world());
        let flaps = (1..100).filter_map(|turn| {
            let status = if turn % 2 == 0 { Healthy } else { Down };
            told(&mut hosts, &mut world, status, turn * 1_000)
        });
        let flaps: Vec<String> = flaps.collect();
        assert_eq!(flaps.len(), 10);
        assert!(flaps[9].ends_with("it changes often, and more is told in 10 min at the earliest"), "{}", flaps[9]);
        // What it then is, is told when the window is over.
        assert!(told(&mut hosts, &mut world, Down, 700_000).unwrap().starts_with("engine-down"));
    }

    #[test]
    fn a_host_that_only_stumbles_leaves_room_for_its_end() {
        use HealthStatus::{Down, Healthy, Suspect};
        let (mut hosts, mut world) = (HostsTold::default(), world());
        for turn in 1..100 {
            told(&mut hosts, &mut world, Healthy, turn * 1_000);
            told(&mut hosts, &mut world, Suspect, turn * 1_000 + 500);
        }
        let end = told(&mut hosts, &mut world, Down, 100_000).unwrap();
        assert!(end.starts_with("engine-down id=a"), "{end}");
    }
}
