//! Whatever people ask and whatever goes wrong: no work is lost that was not given up, nothing is left behind, and all
//! comes to rest as it must be.

use super::pool::{Pool, spec};
use pierhead_model::{
    ContainerState, EnvironmentSpec, FailureKind, WorkspaceId, WorkspaceOrigin, WorkspaceStage, WorkspaceWish,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;

const HOSTS: [&str; 3] = ["a", "b", "c"];
const CASES: u32 = 150;

/// Something that people ask or that goes wrong. Numbers that are too large are taken round the corner.
#[derive(Debug, Clone)]
enum Happening {
    Open { containers: usize },
    Work { which: usize },
    Save { which: usize },
    Stop { which: usize },
    Start { which: usize },
    Reset { which: usize },
    End { which: usize },
    Lose { host: usize },
    Return { host: usize },
    Fail { host: usize, word: usize, times: u32 },
    Slow { host: usize, milliseconds: u64 },
    Exit { host: usize, container: usize },
    Die { steps_reach_hosts: bool },
    Describe { warm: u32 },
    Claim,
    Freeze { host: usize, container: usize },
    StandStill { which: usize },
    GoOn { which: usize },
    Wait { milliseconds: u64 },
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    let (which, host) = (0..6_usize, 0..HOSTS.len());
    prop_oneof![
        4 => (1..3_usize).prop_map(|containers| H::Open { containers }),
        6 => which.clone().prop_map(|which| H::Work { which }),
        2 => which.clone().prop_map(|which| H::Save { which }),
        2 => which.clone().prop_map(|which| H::Stop { which }),
        2 => which.clone().prop_map(|which| H::Start { which }),
        1 => which.clone().prop_map(|which| H::Reset { which }),
        1 => which.clone().prop_map(|which| H::StandStill { which }),
        1 => which.clone().prop_map(|which| H::GoOn { which }),
        1 => which.prop_map(|which| H::End { which }),
        2 => host.clone().prop_map(|host| H::Lose { host }),
        2 => host.clone().prop_map(|host| H::Return { host }),
        2 => (host.clone(), 0..7_usize, 1..4_u32).prop_map(|(host, word, times)| H::Fail { host, word, times }),
        1 => (host.clone(), 0..3_000_u64).prop_map(|(host, milliseconds)| H::Slow { host, milliseconds }),
        1 => (host.clone(), 0..6_usize).prop_map(|(host, container)| H::Exit { host, container }),
        1 => any::<bool>().prop_map(|steps_reach_hosts| H::Die { steps_reach_hosts }),
        2 => (0..6_u32).prop_map(|warm| H::Describe { warm }),
        4 => Just(H::Claim),
        1 => (host.clone(), 0..6_usize).prop_map(|(host, container)| H::Freeze { host, container }),
        8 => (0..20_000_u64).prop_map(|milliseconds| H::Wait { milliseconds }),
    ]
}

#[derive(Default)]
struct Class {
    ids: Vec<WorkspaceId>,
    /// The most work that was ever in each, in any of its lives.
    most: BTreeMap<WorkspaceId, u64>,
}

impl Class {
    fn nth(&self, which: usize) -> Option<WorkspaceId> {
        (!self.ids.is_empty()).then(|| self.ids[which % self.ids.len()].clone())
    }

    fn happen(&mut self, pool: &mut Pool, happening: &Happening) {
        use Happening as H;
        let is_ended = |pool: &Pool, id: &WorkspaceId| pool.records[id].wish == WorkspaceWish::Ended;
        match *happening {
            H::Open { containers } => {
                let id = pool.open(spec(&["main", "db"][..containers]));
                self.ids.push(id);
            }
            H::Work { which } => {
                if let Some(id) = self.nth(which) {
                    let now = pool.work(&id);
                    let most = self.most.entry(id).or_default();
                    *most = now.max(*most);
                }
            }
            H::Save { which } => {
                if let Some(id) = self.nth(which).filter(|id| pool.phase(id) == "ready") {
                    pool.change(&id, |workspace| workspace.saves_asked += 1);
                }
            }
            H::Stop { which } => {
                if let Some(id) = self.nth(which).filter(|id| !is_ended(pool, id)) {
                    pool.wish(&id, WorkspaceWish::Saved);
                }
            }
            H::Start { which } => {
                if let Some(id) = self.nth(which).filter(|id| !is_ended(pool, id)) {
                    pool.start(&id, WorkspaceOrigin::Newest);
                }
            }
            H::Reset { which } => {
                if let Some(id) = self.nth(which).filter(|id| !is_ended(pool, id)) {
                    pool.start(&id, WorkspaceOrigin::Environment);
                }
            }
            H::End { which } => {
                if let Some(id) = self.nth(which) {
                    pool.wish(&id, WorkspaceWish::Ended);
                }
            }
            H::Lose { host } => pool.host(HOSTS[host]).answers = false,
            H::Return { host } => pool.host(HOSTS[host]).answers = true,
            H::Fail { host, word, times } => {
                let word = ["create", "start", "save", "remove", "shell", "freeze", "thaw"][word].to_owned();
                pool.host(HOSTS[host]).faults.push((word, FailureKind::Other, times));
            }
            H::Slow { host, milliseconds } => pool.host(HOSTS[host]).latency_ms = milliseconds,
            H::Exit { host, container } => {
                let containers = &mut pool.host(HOSTS[host]).containers;
                let count = containers.len().max(1);
                if let Some(container) = containers.values_mut().nth(container % count) {
                    (container.state, container.exit_code) = (ContainerState::Exited, Some(1));
                }
            }
            H::Die { steps_reach_hosts } => pool.crash(steps_reach_hosts),
            H::Describe { warm } => pool.describe("lab", EnvironmentSpec { warm, ..spec(&["main"]) }),
            H::Claim => self.ids.extend(pool.claim()),
            H::Freeze { host, container } => {
                let containers = &mut pool.host(HOSTS[host]).containers;
                let count = containers.len().max(1);
                let container = containers.values_mut().nth(container % count);
                if let Some(container) = container.filter(|found| found.state == ContainerState::Running) {
                    container.state = ContainerState::Paused;
                }
            }
            H::StandStill { which } => {
                if let Some(id) = self.nth(which) {
                    pool.stand_still(&id);
                }
            }
            H::GoOn { which } => {
                if let Some(id) = self.nth(which) {
                    pool.go_on(&id);
                }
            }
            H::Wait { milliseconds } => pool.run_for(milliseconds),
        }
    }

    /// All the work that was ever done is in what runs or in some save, and nothing is there that has no record.
    fn check(&self, pool: &Pool) {
        for (id, most) in &self.most {
            let of_this = pool.saves.iter().filter(|(save, _)| save.workspace() == *id);
            let saved = of_this.map(|(_, save)| save.values().sum::<u64>()).max().unwrap_or(0);
            let there = saved.max(pool.worth(id));
            assert!(there >= *most, "of {most} there is {there} in {id}\n{}", pool.journal.join("\n"));
        }
        let live: usize = pool.assignments.values().filter(|found| found.place.is_some()).count();
        let containers: usize = pool
            .assignments
            .values()
            .filter_map(|found| found.place.as_ref())
            .map(|place| place.containers.len())
            .sum();
        assert_eq!(pool.left(), (containers, live), "{}", pool.journal.join("\n"));
        assert!(pool.assignments.values().all(|found| found.left.is_empty()));
    }
}

/// Whether each is what it is wished to be, as far as there is room.
fn is_at_rest(pool: &Pool) -> bool {
    pool.records.values().all(|workspace| {
        let Some(assignment) = pool.assignments.get(&workspace.id) else { return false };
        let is_over = matches!(assignment.stage, WorkspaceStage::Over { .. });
        let is_settled = match workspace.wish {
            WorkspaceWish::Running | WorkspaceWish::Warm => {
                assignment.stage == WorkspaceStage::Ready || is_over || pool.phase(&workspace.id) == "queued"
            }
            _ => is_over,
        };
        is_settled && assignment.left.is_empty() && (is_over || assignment.run == workspace.run)
    })
}

#[test]
fn whatever_happens_no_work_is_lost_and_nothing_is_left() {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let happenings = prop::collection::vec(happening(), 1..60);
    let outcome = runner.run(&happenings, |happenings| {
        let (mut pool, mut class) = (Pool::new(&HOSTS), Class::default());
        pool.world.policy.warm_pause_ms = 5_000;
        for happening in &happenings {
            class.happen(&mut pool, happening);
            pool.round();
        }
        for host in HOSTS {
            let host = pool.host(host);
            host.answers = true;
            host.latency_ms = 0;
            host.faults.clear();
        }
        pool.run_until("all is at rest", is_at_rest);
        pool.run_for(30_000);
        class.check(&pool);
        // What is wished to run runs, whatever was frozen, or stands still; what is nobody's goes when nobody wants it.
        pool.describe("lab", spec(&["main"]));
        pool.run_until("nothing is nobody's", |pool| {
            pool.records.values().all(|found| found.wish != WorkspaceWish::Warm)
        });
        pool.run_until("all is at rest again", is_at_rest);
        class.check(&pool);
        for found in pool.assignments.values().filter(|found| found.stage == WorkspaceStage::Ready) {
            let Some(place) = &found.place else { continue };
            let (host, stands_still) = (&pool.hosts[&place.engine], pool.records[&found.workspace].stands_still());
            let wanted = if stands_still { ContainerState::Paused } else { ContainerState::Running };
            let is_right = |id| host.containers[id].state == wanted;
            assert!(place.containers.values().all(is_right), "{place:?}\n{}", pool.journal.join("\n"));
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
