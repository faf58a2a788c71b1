//! What shall not be there goes: older copies, what has no record, and what was started ahead for nobody any more.

use super::pool::{CLUSTER, MINUTE_MS, Pool, engine, spec};
use crate::workspaces::{WorkspaceStep, plan_workspaces};
use pierhead_model::{
    ContainerId, Duty, EngineId, EnvironmentSpec, FailureKind, Generation, MemberName, ObservedNetwork, Timestamp,
    Workspace, WorkspaceId, WorkspaceOwnership, WorkspaceWish,
};
use std::collections::{BTreeMap, BTreeSet};

/// A container as it would be made for a workspace.
fn made_for(pool: &mut Pool, host: &str, workspace: &WorkspaceId, generation: u32, at: Timestamp) -> ContainerId {
    let (generation, name) = (Generation(generation), MemberName::main());
    let mut template = Pool::new(&["t"]);
    let other = template.open(spec(&["main"]));
    template.until_phase(&other, "ready");
    let mut container = template.host("t").containers.values().next().unwrap().clone();
    container.id = ContainerId::parse(format!("{workspace}{}", generation.0)).unwrap();
    container.name = Workspace::container_name(workspace, &name, generation);
    let of = WorkspaceOwnership { workspace: workspace.clone(), generation, container: Some(name) };
    (container.labels, container.created_at) = (of.labels(CLUSTER), at);
    let id = container.id.clone();
    pool.host(host).containers.insert(id.clone(), container);
    id
}

fn network(workspace: &WorkspaceId, cluster: &str, at: Timestamp) -> ObservedNetwork {
    let of = WorkspaceOwnership { workspace: workspace.clone(), generation: Generation(1), container: None };
    let name = format!("{}-{cluster}", Workspace::network_name(workspace));
    ObservedNetwork { name, subnet: None, labels: of.labels(cluster), created_at: at }
}

/// The containers and the networks that the plan removes, by their hosts.
fn removals(pool: &Pool) -> Vec<(EngineId, Vec<ContainerId>, String)> {
    let actions = plan_workspaces(&pool.world, pool.now).actions.into_iter();
    let removal = |action: crate::workspaces::WorkspaceAction| match action.step {
        WorkspaceStep::Remove { containers, network } => Some((action.engine, containers, network)),
        _ => None,
    };
    actions.filter_map(removal).collect()
}

#[test]
fn an_older_copy_goes_at_once_and_the_network_of_the_present_one_stays() {
    let mut pool = Pool::new(&["a", "b"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    // It was made anew meanwhile, so the first generation is an older one.
    pool.start(&id, pierhead_model::WorkspaceOrigin::Environment);
    pool.run_until("it is made anew", |pool| {
        pool.phase(&id) == "ready" && pool.assignments[&id].newest_generation == Generation(2)
    });
    let here = pool.engine_of(&id).unwrap();
    let elsewhere = if here == "a" { "b" } else { "a" };
    let now = pool.now;
    let older = made_for(&mut pool, &here, &id, 1, now);
    pool.observe();
    assert_eq!(removals(&pool), [(engine(&here), vec![older.clone()], String::new())]);
    pool.host(&here).containers.remove(&older);
    let older = made_for(&mut pool, elsewhere, &id, 1, now);
    pool.observe();
    assert_eq!(removals(&pool), [(engine(elsewhere), vec![older], Workspace::network_name(&id))]);
    pool.run_until("only the present one is there", |pool| pool.left() == (1, 1));
    assert_eq!(pool.phase(&id), "ready");
}

#[test]
fn a_newer_copy_than_any_known_is_not_taken_for_an_old_one() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    let now = pool.now;
    let newer = made_for(&mut pool, "a", &id, 9, now);
    pool.observe();
    assert_eq!(removals(&pool), [], "another controller may have made it just now");
    pool.now = now.plus(pool.world.policy.orphan_grace_ms);
    assert_eq!(removals(&pool), [(engine("a"), vec![newer], String::new())]);
}

#[test]
fn a_host_whose_clock_is_ahead_keeps_its_orphans_no_longer() {
    let mut pool = Pool::new(&["a"]);
    let (since, nobody) = (pool.now, WorkspaceId::from_random(99));
    let orphan = made_for(&mut pool, "a", &nobody, 1, since.plus(3_600_000));
    pool.observe();
    assert_eq!(removals(&pool), []);
    pool.now = since.plus(pool.world.policy.orphan_grace_ms);
    assert_eq!(removals(&pool), [(engine("a"), vec![orphan], Workspace::network_name(&nobody))]);
}

#[test]
fn what_of_an_orphan_is_youngest_decides_and_hosts_that_do_not_answer_are_let_be() {
    let mut pool = Pool::new(&["a", "b"]);
    let nobody = WorkspaceId::from_random(99);
    let (long_ago, grace) = (pool.now, pool.world.policy.orphan_grace_ms);
    for host in ["a", "b"] {
        made_for(&mut pool, host, &nobody, 1, long_ago);
    }
    pool.now = long_ago.plus(10 * grace);
    let fresh = network(&nobody, CLUSTER, pool.now);
    pool.host("a").networks.insert(fresh.name.clone(), fresh);
    pool.host("b").answers = false;
    pool.observe();
    assert_eq!(removals(&pool), [], "something is being made there");
    pool.now = pool.now.plus(grace);
    let hosts: Vec<_> = removals(&pool).into_iter().map(|(host, ..)| host).collect();
    assert_eq!(hosts, [engine("a")]);
}

#[test]
fn a_network_alone_is_removed_unless_another_cluster_made_it() {
    let mut pool = Pool::new(&["a"]);
    let (ours, theirs) = (WorkspaceId::from_random(98), WorkspaceId::from_random(99));
    for (workspace, cluster) in [(&ours, CLUSTER), (&theirs, "another")] {
        let made = network(workspace, cluster, pool.now);
        pool.host("a").networks.insert(made.name.clone(), made);
    }
    pool.now = pool.now.plus(pool.world.policy.orphan_grace_ms);
    pool.observe();
    assert_eq!(removals(&pool), [(engine("a"), Vec::new(), Workspace::network_name(&ours))]);
}

#[test]
fn a_container_without_a_name_in_its_environment_is_none_of_ours() {
    let mut pool = Pool::new(&["a"]);
    let now = pool.now;
    let id = made_for(&mut pool, "a", &WorkspaceId::from_random(99), 1, now);
    for label in [WorkspaceOwnership::CONTAINER, WorkspaceOwnership::WORKSPACE] {
        let before = pool.hosts[&engine("a")].containers[&id].labels.clone();
        pool.host("a").containers.get_mut(&id).unwrap().labels.remove(label);
        pool.observe();
        assert_eq!(plan_workspaces(&pool.world, now.plus(MINUTE_MS)).actions, [], "without {label}");
        pool.host("a").containers.get_mut(&id).unwrap().labels = before;
    }
}

/// Those that were started ahead, by their environments.
fn ahead(pool: &Pool) -> BTreeMap<String, BTreeSet<WorkspaceId>> {
    let mut ahead: BTreeMap<String, BTreeSet<WorkspaceId>> = BTreeMap::new();
    for workspace in pool.records.values().filter(|workspace| workspace.wish == WorkspaceWish::Warm) {
        ahead.entry(workspace.environment.to_string()).or_default().insert(workspace.id.clone());
    }
    ahead
}

fn warm(count: u32) -> EnvironmentSpec {
    EnvironmentSpec { warm: count, ..spec(&["main"]) }
}

#[test]
fn only_as_many_are_on_their_way_as_there_are_hosts_with_an_agent() {
    let mut pool = Pool::new(&["a", "b", "c"]);
    pool.host("c").record.agent = None;
    pool.observe();
    for name in ["algebra", "biology", "chemistry"] {
        pool.describe(name, warm(2));
    }
    let named =
        |pool: &Pool| plan_workspaces(&pool.world, pool.now).warm.iter().map(|found| found.id.to_string()).collect();
    let missing: Vec<String> = named(&pool);
    assert_eq!(missing, ["algebra"]);
    pool.world.policy.warm_every_ms = 0;
    ["a", "b"].iter().for_each(|host| pool.host(host).latency_ms = 1_000);
    pool.run_for(500);
    let begun: Vec<String> = ahead(&pool).into_keys().collect();
    assert_eq!(begun, ["algebra", "biology"], "two hosts have an agent");
    pool.run_until("all are there", |pool| ahead(pool).values().map(BTreeSet::len).sum::<usize>() == 6);
    pool.run_for(5_000);
    let missing: Vec<String> = named(&pool);
    assert_eq!((missing.len(), ahead(&pool).values().map(BTreeSet::len).max()), (0, Some(2)));
}

#[test]
fn where_fewer_are_asked_for_the_oldest_stay_and_without_its_environment_none() {
    let mut pool = Pool::new(&["a"]);
    pool.describe("lab", warm(3));
    let are_ready =
        |pool: &Pool, count| pool.records.len() == count && pool.records.keys().all(|id| pool.phase(id) == "ready");
    pool.run_until("three are ready", |pool| are_ready(pool, 3));
    let oldest = pool.records.values().min_by_key(|workspace| workspace.created_at).unwrap().id.clone();
    let mut environment = pool.environments.values().next().unwrap().clone();
    environment.spec.warm = 1;
    pool.environments.insert(environment.id.clone(), environment.clone());
    pool.world.set_environment(environment.clone());
    pool.run_until("one is left", |pool| are_ready(pool, 1));
    assert!(pool.records.contains_key(&oldest) && pool.left() == (1, 1));
    pool.environments.clear();
    pool.world.remove_environment(&environment.id);
    pool.run_until("none is left", |pool| pool.records.is_empty() && pool.left() == (0, 0));
    assert!(pool.saves.is_empty(), "nobody has worked in them");
}

#[test]
fn while_one_of_an_environment_fails_no_other_of_it_is_begun() {
    let mut pool = Pool::new(&["a", "b", "c"]);
    for host in ["a", "b", "c"] {
        pool.host(host).faults.push(("create".to_owned(), FailureKind::NoImage, 1_000));
    }
    pool.describe("broken", warm(3));
    pool.run_for(30_000);
    assert_eq!(ahead(&pool)["broken"].len(), 1);
    let id = ahead(&pool)["broken"].first().unwrap().clone();
    assert_eq!(pool.phase(&id), "failed");
}

#[test]
fn one_that_filled_its_disk_is_not_begun_again_and_holds_up_no_other_environment() {
    let mut pool = Pool::new(&["a"]);
    pool.describe("hungry", warm(1));
    pool.run_until("it is ready", |pool| pool.records.keys().any(|id| pool.phase(id) == "ready"));
    let hungry = pool.records.keys().next().unwrap().clone();
    pool.world.set_over_disk(&hungry, Some("it uses too much of the disk".to_owned()));
    pool.run_until("it is stopped", |pool| pool.left() == (0, 0));
    pool.describe("modest", warm(1));
    pool.run_until("the other is ready", |pool| {
        ahead(pool).get("modest").is_some_and(|ids| ids.iter().all(|id| pool.phase(id) == "ready"))
    });
    assert_eq!(ahead(&pool)["hungry"], BTreeSet::from([hungry.clone()]), "it would fill the disk again");
    pool.describe("hungry", warm(1));
    pool.run_until("a new description is tried", |pool| {
        pool.records.len() == 2 && !pool.records.contains_key(&hungry) && pool.left() == (2, 2)
    });
}

#[test]
fn one_of_a_drained_host_is_made_on_another_without_a_save() {
    let mut pool = Pool::new(&["a", "b"]);
    pool.describe("lab", warm(1));
    pool.run_until("it is ready", |pool| pool.records.keys().any(|id| pool.phase(id) == "ready"));
    let id = pool.records.keys().next().unwrap().clone();
    let before = pool.engine_of(&id).unwrap();
    pool.host(&before).record.duty = Duty::Drained;
    pool.run_until("it is ready elsewhere", |pool| {
        pool.phase(&id) == "ready" && pool.engine_of(&id).is_some_and(|host| host != before)
    });
    assert_eq!((pool.saves.len(), pool.told.len(), pool.left()), (0, 0, (1, 1)));
}
