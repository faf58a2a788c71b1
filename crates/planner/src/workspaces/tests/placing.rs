//! Where they go: addresses, hosts that are not known yet, copies that stand in the way, and the order of the queue.

use super::pool::{Pool, engine, spec};
use pierhead_model::{Duty, FailureKind, Health, HealthStatus, Resources, Subnet, WorkspaceId};
use pierhead_model::{EnvironmentSpec, Timestamp, WorkspaceOrigin, WorkspaceStage, WorkspaceWish};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn subnet(pool: &Pool, id: &WorkspaceId) -> Subnet {
    pool.assignments[id].place.as_ref().unwrap().subnet
}

#[test]
fn who_waits_for_addresses_is_told_so_and_holds_up_nobody() {
    let mut pool = Pool::new(&["a"]);
    pool.world.policy.workspace_subnets = Subnet::parse("10.213.0.0/28").unwrap();
    let (first, second) = (pool.open(spec(&["main"])), pool.open(spec(&["main"])));
    pool.run_for(2_000);
    let (has, waits) = if pool.phase(&first) == "ready" { (first, second) } else { (second, first) };
    assert_eq!((pool.phase(&has), pool.phase(&waits)), ("ready", "queued"));
    assert_eq!(pool.message(&waits), "all addresses for workspaces are used on host a");
    pool.wish(&has, WorkspaceWish::Ended);
    pool.until_phase(&waits, "ready");
    assert_eq!(subnet(&pool, &waits).to_string(), "10.213.0.0/28");
}

#[test]
fn addresses_of_networks_that_are_there_already_are_not_given() {
    let mut pool = Pool::new(&["a"]);
    pool.world.policy.workspace_subnets = Subnet::parse("10.213.0.0/26").unwrap();
    let other = pool.open(spec(&["main"]));
    pool.until_phase(&other, "ready");
    // Three quarters of the range are in use, by the one above and by something that bears labels of ours.
    let host = pool.host("a");
    let mut unknown = host.networks.values().next().unwrap().clone();
    unknown.name = "unknown".to_owned();
    unknown.labels.insert("pierhead.cluster".to_owned(), "another".to_owned());
    let taken = pool.world.policy.workspace_subnets.parts(27).find(|half| !half.overlaps(subnet(&pool, &other)));
    unknown.subnet = taken;
    pool.host("a").networks.insert("unknown".to_owned(), unknown);
    pool.observe();
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    assert!(!subnet(&pool, &id).overlaps(taken.unwrap()) && !subnet(&pool, &id).overlaps(subnet(&pool, &other)));
    let third = pool.open(spec(&["main"]));
    pool.run_for(1_000);
    assert!(pool.message(&third).starts_with("all addresses"), "{}", pool.message(&third));
}

#[test]
fn the_same_addresses_may_be_given_on_different_hosts() {
    let mut pool = Pool::new(&["a", "b"]);
    pool.world.policy.workspace_subnets = Subnet::parse("10.213.0.0/28").unwrap();
    let ids = [pool.open(spec(&["main"])), pool.open(spec(&["main"]))];
    pool.run_until("both are ready", |pool| ids.iter().all(|id| pool.phase(id) == "ready"));
    let hosts: BTreeSet<_> = ids.iter().filter_map(|id| pool.engine_of(id)).collect();
    assert_eq!((hosts.len(), subnet(&pool, &ids[0])), (2, subnet(&pool, &ids[1])));
}

#[test]
fn a_host_that_is_not_known_yet_is_waited_for() {
    let mut pool = Pool::new(&["a", "b"]);
    pool.host("a").record.duty = Duty::Cordoned;
    pool.observe();
    let now = pool.now;
    let pending = Health { status: HealthStatus::Pending, since: now, ..Health::default() };
    pool.world.set_health(&engine("b"), pending);
    let id = pool.open(spec(&["main"]));
    let words = pool.message(&id);
    assert!(words.ends_with("waits until host b is known"), "{words}");
    // It does not answer for longer than hosts are waited for.
    pool.now = now.plus(pool.world.policy.grace_ms + 1);
    assert!(!pool.message(&id).contains("is known"), "{}", pool.message(&id));
}

#[test]
fn without_any_host_it_is_said_that_there_are_none() {
    let mut pool = Pool::new(&[]);
    let id = pool.open(spec(&["main"]));
    pool.round();
    assert_eq!((pool.phase(&id), pool.message(&id).as_str()), ("queued", "there are no hosts yet"));
}

#[test]
fn a_copy_that_was_left_keeps_others_of_its_name_off_its_host_until_it_is_saved() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    pool.host("a").answers = false;
    pool.run_for(1_000);
    pool.start(&id, WorkspaceOrigin::Environment);
    pool.run_for(15_000);
    assert_eq!((pool.phase(&id), pool.assignments[&id].left.len()), ("queued", 1));
    pool.host("a").faults.push(("save".to_owned(), FailureKind::NoSpace, 1));
    pool.host("a").answers = true;
    pool.run_for(2_000);
    assert!(pool.message(&id).contains("a copy of it was left there"), "{}", pool.message(&id));
    pool.until_phase(&id, "ready");
    assert_eq!((pool.worth(&id), pool.left()), (0, (1, 1)), "it begins anew");
    assert_eq!(pool.saves.values().flat_map(|save| save.values()).sum::<u64>(), 1, "and nothing is lost");
}

#[test]
fn those_that_nobody_waits_for_come_last() {
    let mut pool = Pool::new(&["a"]);
    pool.host("a").record.duty = Duty::Cordoned;
    let whole = |warm| {
        let mut whole = EnvironmentSpec { warm, ..spec(&["main"]) };
        whole.containers[0].limits.reserved = Resources::new(4_000, 64);
        whole
    };
    pool.describe("lab", whole(1));
    let ahead = pool.open_as(whole(1), WorkspaceWish::Warm, "lab", 1);
    pool.run_for(1_000);
    assert_eq!(pool.records.len(), 1, "where there is no room no other is begun");
    assert_eq!(pool.place_in_queue(&ahead), Some(1));
    let asked = pool.open(whole(0));
    assert_eq!((pool.place_in_queue(&asked), pool.place_in_queue(&ahead)), (Some(1), Some(2)));
    pool.host("a").record.duty = Duty::InService;
    pool.until_phase(&asked, "ready");
    assert_eq!(pool.engine_of(&ahead), None);
}

#[test]
fn a_host_that_waits_for_approval_takes_none() {
    let mut pool = Pool::new(&["a", "b"]);
    if let Some(agent) = &mut pool.host("a").record.agent {
        agent.waits = true;
    }
    pool.observe();
    let id = pool.open(spec(&["main", "db"]));
    pool.until_phase(&id, "ready");
    assert_eq!(pool.engine_of(&id).as_deref(), Some("b"));
    let more: Vec<_> = (0..4).map(|_| pool.open(spec(&["main", "db"]))).collect();
    pool.run_for(2_000);
    assert_eq!(pool.phase(&more[3]), "queued");
    if let Some(agent) = &mut pool.host("a").record.agent {
        agent.waits = false;
    }
    pool.until_phase(&more[3], "ready");
    assert_eq!(pool.engine_of(&more[3]).as_deref(), Some("a"));
}

/// Asked for at some moment, with so many half cores.
fn asked() -> impl Strategy<Value = Vec<(u64, usize)>> {
    prop::collection::vec((0..5_u64, 1..9_usize), 1..16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_overtaken_and_each_knows_their_place(asked in asked(), hosts in 1..4_usize) {
        let mut pool = Pool::new(&["a", "b", "c"][..hosts]);
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let mut order: Vec<(Timestamp, WorkspaceId)> = Vec::new();
        for (at, halves) in asked {
            let id = pool.open(spec(&names[..halves]));
            pool.change(&id, |workspace| workspace.asked_at = Timestamp(at));
            order.push((Timestamp(at), id));
        }
        order.sort();
        pool.round();
        let has_host = |id: &WorkspaceId| {
            pool.assignments.get(id).is_some_and(|found| found.stage != WorkspaceStage::Waiting)
        };
        let served = order.iter().take_while(|(_, id)| has_host(id)).count();
        prop_assert!(served >= 1);
        let waiting: Vec<_> = order[served..].iter().map(|(_, id)| id).collect();
        for (at, id) in waiting.iter().enumerate() {
            prop_assert!(!has_host(id), "{id} came before {}", waiting[0]);
            prop_assert_eq!(pool.place_in_queue(id), Some(at + 1));
        }
    }
}
