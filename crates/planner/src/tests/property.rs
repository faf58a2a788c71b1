//! Whatever people ask and whatever goes wrong: after the last fault, everything comes to rest as it must be.

use super::host::{Fault, Host, observed};
use super::people::{app_id, publishing, restarting, single_writer, spec};
use super::simulation::Simulation;
use crate::Policy;
use pierhead_model::{ContainerSpec, Duty, FailureKind, OperationId, Relocation, RestartPolicy};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const HOSTS: [&str; 3] = ["a", "b", "c"];
const APPS: [&str; 5] = ["web", "shop", "lab", "work", SOLO];
/// It has one writer.
const SOLO: &str = "solo";
const CASES: u32 = 250;

/// Something that people ask or that goes wrong. Numbers that are too large are taken round the corner.
#[derive(Debug, Clone)]
enum Happening {
    Run { app: usize, count: u32 },
    ScaleDown { app: usize, count: usize },
    Stop { app: usize, slot: usize },
    Restart { app: usize, slot: usize },
    Destroy { app: usize, slot: usize },
    Describe { app: usize, image: usize },
    Cancel { operation: usize },
    Cordon { host: usize },
    Drain { host: usize },
    Uncordon { host: usize },
    Rebalance,
    Lose { host: usize },
    Return { host: usize },
    KillAgent { host: usize },
    Slow { host: usize, milliseconds: u64 },
    Deaf { host: usize },
    Fail { host: usize, image: usize, kind: FailureKind, times: u32, is_made: bool },
    Exit { host: usize, container: usize, code: i64 },
    CrashLoop { host: usize, image: usize },
    Vanish { host: usize, container: usize },
    TakePorts { host: usize },
    Die { steps_reach_hosts: bool },
    DieAfterWrites,
    Wait { milliseconds: u64 },
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    let kind = prop::sample::select(vec![
        FailureKind::Unreachable,
        FailureKind::NoImage,
        FailureKind::Refused,
        FailureKind::NotStarted,
        FailureKind::PortTaken,
        FailureKind::NameTaken,
    ]);
    let (app, host, nth) = (0..APPS.len(), 0..HOSTS.len(), 0..8_usize);
    prop_oneof![
        6 => (app.clone(), prop_oneof![9 => 1..5_u32, 1 => Just(300)]).prop_map(|(app, count)| H::Run { app, count }),
        2 => (app.clone(), 1..4_usize).prop_map(|(app, count)| H::ScaleDown { app, count }),
        2 => (app.clone(), nth.clone()).prop_map(|(app, slot)| H::Stop { app, slot }),
        3 => (app.clone(), nth.clone()).prop_map(|(app, slot)| H::Restart { app, slot }),
        1 => (app.clone(), nth.clone()).prop_map(|(app, slot)| H::Destroy { app, slot }),
        2 => (app, 0..2_usize).prop_map(|(app, image)| H::Describe { app, image }),
        1 => nth.clone().prop_map(|operation| H::Cancel { operation }),
        1 => host.clone().prop_map(|host| H::Cordon { host }),
        2 => host.clone().prop_map(|host| H::Drain { host }),
        1 => host.clone().prop_map(|host| H::Uncordon { host }),
        1 => Just(H::Rebalance),
        3 => host.clone().prop_map(|host| H::Lose { host }),
        3 => host.clone().prop_map(|host| H::Return { host }),
        3 => host.clone().prop_map(|host| H::KillAgent { host }),
        2 => (host.clone(), 0..8_000_u64).prop_map(|(host, milliseconds)| H::Slow { host, milliseconds }),
        1 => host.clone().prop_map(|host| H::Deaf { host }),
        3 => (host.clone(), 0..2_usize, kind, 1..6_u32, any::<bool>())
            .prop_map(|(host, image, kind, times, is_made)| H::Fail { host, image, kind, times, is_made }),
        2 => (host.clone(), nth.clone(), 0..3_i64)
            .prop_map(|(host, container, code)| H::Exit { host, container, code }),
        1 => (host.clone(), 0..2_usize).prop_map(|(host, image)| H::CrashLoop { host, image }),
        2 => (host.clone(), nth).prop_map(|(host, container)| H::Vanish { host, container }),
        1 => host.prop_map(|host| H::TakePorts { host }),
        2 => any::<bool>().prop_map(|steps_reach_hosts| H::Die { steps_reach_hosts }),
        1 => Just(H::DieAfterWrites),
        8 => (0..6_000_u64).prop_map(|milliseconds| H::Wait { milliseconds }),
    ]
}

fn image(number: usize) -> &'static str {
    ["one", "two"][number]
}

/// Each app is of another kind.
fn members(app: usize, image: &str) -> Vec<(&'static str, ContainerSpec)> {
    let main = match app {
        0 => spec(image),
        1 => publishing(image, None),
        2 => restarting(image, RestartPolicy::OnFailure { maximum_retry_count: 0 }),
        4 => single_writer(image),
        _ => restarting(image, RestartPolicy::No),
    };
    let mut members = vec![("main", main)];
    if app == 2 {
        members.push(("db", spec("two")));
    }
    members
}

impl Simulation {
    fn happen(&mut self, happening: &Happening) {
        use Happening as H;
        match *happening {
            H::Run { app, .. } if APPS[app] == SOLO => {
                if self.app(SOLO).slots.is_empty() {
                    self.run_group(SOLO, 1, members(app, "one"));
                }
            }
            H::Run { app, count } => drop(self.run_group(APPS[app], count, members(app, "one"))),
            H::ScaleDown { app, count } if self.has(app) => drop(self.scale_down(APPS[app], count)),
            H::Stop { app, slot } => self.on_slot(app, slot, Self::stop),
            H::Restart { app, slot } => self.on_slot(app, slot, Self::restart),
            H::Destroy { app, slot } => self.on_slot(app, slot, |pool, app, slot| pool.destroy(app, &[slot])),
            H::Describe { app, image: number } if self.has(app) => {
                drop(self.describe_group_anew(APPS[app], members(app, image(number))));
            }
            H::Cancel { operation } => {
                if let Some(id) = self.world.operations().keys().nth(operation).cloned() {
                    self.cancel(&id);
                }
            }
            H::Cordon { host } => self.set_duty(HOSTS[host], Duty::Cordoned),
            H::Drain { host } => drop(self.drain(HOSTS[host])),
            H::Uncordon { host } => self.set_duty(HOSTS[host], Duty::InService),
            H::Rebalance => {
                let moves = crate::rebalance(&self.world).moves;
                self.relocate(Relocation { drained: None, moves });
            }
            H::Wait { milliseconds } => self.run_for(milliseconds),
            H::Die { steps_reach_hosts: true } => self.crash(),
            H::Die { steps_reach_hosts: false } => self.forget_steps(),
            H::DieAfterWrites => {
                let writes = self.plan().writes;
                self.write(&writes);
                self.forget_steps();
            }
            ref fault => self.go_wrong(fault),
        }
    }

    fn go_wrong(&mut self, fault: &Happening) {
        use Happening as H;
        match *fault {
            H::Lose { host } => self.host(HOSTS[host]).answers = false,
            H::Return { host } => self.host(HOSTS[host]).set_agent(false),
            H::KillAgent { host } => self.host(HOSTS[host]).set_agent(true),
            H::Deaf { host } => self.host(HOSTS[host]).lists = false,
            H::Slow { host, milliseconds } => self.host(HOSTS[host]).latency_ms = milliseconds,
            H::Fail { host, image: number, kind, times, is_made } => {
                let image = format!("{}:latest", image(number));
                self.host(HOSTS[host]).faults.push(Fault { image, kind, times, is_made });
            }
            H::CrashLoop { host, image: number } => {
                self.host(HOSTS[host]).exits.insert(format!("{}:latest", image(number)), 1);
            }
            H::TakePorts { host } => self.host(HOSTS[host]).busy_ports.extend(20_000..=25_000),
            H::Exit { host, container, code } => {
                if let Some(id) = self.nth_of_ours(host, container) {
                    self.host(HOSTS[host]).end(&id, code);
                }
            }
            H::Vanish { host, container } => {
                if let Some(id) = self.nth_of_ours(host, container) {
                    self.host(HOSTS[host]).containers.remove(&id);
                }
            }
            _ => {}
        }
    }

    fn has(&self, app: usize) -> bool {
        self.records.apps.contains_key(&app_id(APPS[app]))
    }

    fn on_slot(&mut self, app: usize, slot: usize, verb: impl FnOnce(&mut Self, &str, u32) -> OperationId) {
        let found = self.records.apps.get(&app_id(APPS[app])).and_then(|app| app.slots.keys().nth(slot));
        if let Some(slot) = found.map(|slot| slot.0) {
            verb(self, APPS[app], slot);
        }
    }

    fn nth_of_ours(&self, host: usize, container: usize) -> Option<pierhead_model::ContainerId> {
        let host = &self.hosts[&super::simulation::engine(HOSTS[host])];
        let ours = host.containers.values().filter(|container| container.belongs_to(super::simulation::CLUSTER));
        ours.map(|container| container.id.clone()).nth(container)
    }

    fn heal(&mut self) {
        for host in self.hosts.values_mut() {
            host.set_agent(false);
            (host.lists, host.latency_ms) = (true, 0);
            host.faults.clear();
            host.exits.clear();
            host.busy_ports.clear();
        }
        HOSTS.iter().for_each(|host| self.set_duty(host, Duty::InService));
    }
}

/// Lets things happen to a pool, many times over, until they have come to their end; then checks it.
fn after_any(cases: u32, check: impl Fn(&mut Simulation)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&prop::collection::vec(happening(), 1..40), |happenings| {
        // One has no agent.
        let hosts = HOSTS.map(|id| Host::new(id, 4, 4096));
        let hosts = hosts.map(|host| if host.record.id.as_str() == "c" { host } else { host.with_agent() });
        let mut pool = Simulation::with_hosts(hosts, Policy::default());
        pool.run(SOLO, 1, single_writer("one"));
        let app = pierhead_model::App { transient: false, ..pool.app(SOLO) };
        pool.set_app(app);
        pool.settle();
        HOSTS.iter().for_each(|host| drop(pool.add_foreign(host, observed())));
        for happening in &happenings {
            pool.happen(happening);
        }
        pool.heal();
        pool.settle();
        check(&mut pool);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn everything_comes_to_rest_as_it_must_be() {
    after_any(CASES, |_| {});
}

#[test]
fn what_takes_several_hosts_for_good_ends_frozen_and_says_so() {
    after_any(CASES / 5, |pool| {
        ["a", "b"].iter().for_each(|host| pool.host(host).answers = false);
        let places = |pool: &Simulation| -> Vec<_> {
            pool.records.assignments.values().map(|slot| (slot.key(), slot.engine.clone())).collect()
        };
        let before = places(pool);
        pool.rest();
        assert_eq!(places(pool), before, "nothing is moved");
        assert!(crate::freeze(&pool.world).is_some());
        for assignment in pool.records.assignments.values().filter(|slot| slot.engine.as_str() != "c") {
            let status = crate::slot_status(&pool.world, &assignment.key());
            let said = status.message.contains("vanished at once");
            assert!(said || status.phase != crate::SlotPhase::Lost, "{status:?}");
        }
        ["a", "b"].iter().for_each(|host| pool.host(host).answers = true);
        pool.settle();
    });
}
