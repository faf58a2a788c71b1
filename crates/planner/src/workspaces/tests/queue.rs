//! Who gets a host, and when: room, agents, labels, the order of the queue, and what is started ahead.

use super::pool::{Pool, engine, spec};
use pierhead_model::{Asks, ContainerState, EnvironmentSpec, FailureKind, Resources, Subnet, WorkspaceWish};

#[test]
fn the_queue_is_served_in_order_and_tells_the_truth() {
    let mut pool = Pool::new(&["a"]);
    // Four cores: four of one core each.
    let ids: Vec<_> = (0..6)
        .map(|_| {
            pool.run_for(100);
            pool.open(spec(&["main", "db"]))
        })
        .collect();
    pool.run_for(2_000);
    let phases: Vec<_> = ids.iter().map(|id| pool.phase(id)).collect();
    assert_eq!(phases, ["ready", "ready", "ready", "ready", "queued", "queued"]);
    assert_eq!((pool.place_in_queue(&ids[4]), pool.place_in_queue(&ids[5])), (Some(1), Some(2)));
    assert!(pool.message(&ids[4]).contains("no room on the only host"), "{}", pool.message(&ids[4]));
    assert!(pool.message(&ids[5]).ends_with("1 is before it in the queue"), "{}", pool.message(&ids[5]));
    // A small one would fit when half a core is free, and still nobody is overtaken.
    let small = pool.open(spec(&["main"]));
    pool.wish(&ids[0], WorkspaceWish::Ended);
    pool.until_phase(&ids[4], "ready");
    assert_eq!((pool.phase(&ids[5]), pool.phase(&small)), ("queued", "queued"));
    pool.wish(&ids[1], WorkspaceWish::Ended);
    pool.wish(&ids[2], WorkspaceWish::Ended);
    pool.until_phase(&small, "ready");
    pool.until_phase(&ids[5], "ready");
}

#[test]
fn one_that_fits_no_host_holds_up_nobody() {
    let mut pool = Pool::new(&["a", "b"]);
    let mut huge = spec(&["main"]);
    huge.containers[0].limits.reserved = Resources::new(9_000, 64);
    let huge = pool.open(huge);
    let small = pool.open(spec(&["main"]));
    pool.until_phase(&small, "ready");
    assert_eq!(pool.phase(&huge), "queued");
    assert!(pool.message(&huge).contains("lacks 5 CPU"), "{}", pool.message(&huge));
}

#[test]
fn only_hosts_with_an_agent_take_them() {
    let mut pool = Pool::new(&["a", "b"]);
    pool.host("a").record.agent = None;
    pool.observe();
    let ids: Vec<_> = (0..5).map(|_| pool.open(spec(&["main", "db"]))).collect();
    pool.run_for(2_000);
    assert!(ids[..4].iter().all(|id| pool.engine_of(id).as_deref() == Some("b")));
    assert!(pool.message(&ids[4]).contains("1 has no agent"), "{}", pool.message(&ids[4]));
    pool.host("b").record.agent = None;
    pool.observe();
    let none = pool.open(spec(&["main"]));
    pool.run_for(500);
    assert!(pool.message(&none).contains("agent"), "{}", pool.message(&none));
}

#[test]
fn privileged_ones_go_where_an_administrator_lets_them() {
    let mut pool = Pool::new(&["a", "b"]);
    let privileged = EnvironmentSpec { asks: Asks { privileged: true, ..Asks::default() }, ..spec(&["main"]) };
    let id = pool.open(privileged);
    pool.run_for(1_000);
    assert_eq!(pool.phase(&id), "queued");
    assert!(pool.message(&id).contains("workspaces=privileged"), "{}", pool.message(&id));
    pool.host("b").record.labels.insert("workspaces=privileged".to_owned());
    pool.until_phase(&id, "ready");
    assert_eq!(pool.engine_of(&id).as_deref(), Some("b"));
}

#[test]
fn one_that_only_a_host_of_another_kind_could_hold_holds_up_nobody() {
    let mut pool = Pool::new(&["a", "b"]);
    pool.host("a").record.labels.insert("workspaces=privileged".to_owned());
    pool.host("a").record.capacity.cpu_millis = Some(1_000);
    let mut large = EnvironmentSpec { asks: Asks { privileged: true, ..Asks::default() }, ..spec(&["main"]) };
    large.containers[0].limits.reserved = Resources::new(3_000, 64);
    let large = pool.open(large);
    let small = pool.open(spec(&["main"]));
    pool.until_phase(&small, "ready");
    assert_eq!(pool.phase(&large), "queued");
    assert!(!pool.message(&large).contains("queue"), "{}", pool.message(&large));
}

#[test]
fn where_all_addresses_are_used_another_host_is_taken() {
    let mut pool = Pool::new(&["a", "b"]);
    pool.world.policy.workspace_subnets = Subnet::parse("10.213.0.0/27").unwrap();
    let ids: Vec<_> = (0..5).map(|_| pool.open(spec(&["main"]))).collect();
    pool.run_until("four are ready", |pool| ids.iter().filter(|id| pool.phase(id) == "ready").count() == 4);
    let last = ids.iter().find(|id| pool.phase(id) == "queued").unwrap();
    assert!(pool.message(last).contains("all addresses for workspaces are used"), "{}", pool.message(last));
}

#[test]
fn as_many_are_started_at_a_time_as_hosts_can_bear() {
    let mut pool = Pool::new(&["a"]);
    pool.world.policy.workspace_starts = 2;
    pool.host("a").latency_ms = 1_000;
    let ids: Vec<_> = (0..5).map(|_| pool.open(spec(&["main"]))).collect();
    pool.run_for(500);
    let count = |pool: &Pool, phase: &str| ids.iter().filter(|id| pool.phase(id) == phase).count();
    assert_eq!((count(&pool, "starting"), count(&pool, "queued")), (2, 3));
    pool.run_until("all are ready", |pool| count(pool, "ready") == 5);
}

#[test]
fn one_that_fails_on_a_host_is_tried_on_another_and_then_waits() {
    let mut pool = Pool::new(&["a", "b"]);
    pool.host("a").faults.push(("create".to_owned(), FailureKind::NoImage, 1));
    pool.host("b").faults.push(("create".to_owned(), FailureKind::NoImage, 1));
    let id = pool.open(spec(&["main"]));
    pool.run_until("both have failed", |pool| pool.assignments.get(&id).is_some_and(|found| found.failures == 2));
    pool.run_for(100);
    assert!(pool.message(&id).starts_with("NoImage; is tried again in"), "{}", pool.message(&id));
    pool.until_phase(&id, "ready");
    assert_eq!(pool.left(), (1, 1));
}

#[test]
fn taken_addresses_are_passed_over() {
    let mut pool = Pool::new(&["a"]);
    pool.host("a").faults.push(("create".to_owned(), FailureKind::SubnetTaken, 1));
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    assert_eq!(pool.engine_of(&id).as_deref(), Some("a"), "the host is not to blame");
    let creates: Vec<_> = pool.journal.iter().filter(|line| line.contains("create")).collect();
    assert_eq!(creates.len(), 2);
}

#[test]
fn some_are_started_ahead_and_given_without_a_new_container() {
    let mut pool = Pool::new(&["a", "b"]);
    let warm = EnvironmentSpec { warm: 3, ..spec(&["main"]) };
    pool.describe("lab", warm.clone());
    let ready = |pool: &Pool| pool.records.keys().filter(|id| pool.phase(id) == "ready").count();
    pool.run_until("three are ready", |pool| ready(pool) == 3);
    pool.run_for(10_000);
    assert_eq!(pool.records.len(), 3, "and no more");
    let (given, created) = (pool.records.keys().next().unwrap().clone(), pool.journal.len());
    let now = pool.now;
    pool.change(&given, |workspace| {
        workspace.wish = WorkspaceWish::Running;
        workspace.asked_at = now;
    });
    assert_eq!((pool.phase(&given), pool.journal.len()), ("ready", created));
    pool.run_until("it is made up for", |pool| pool.records.len() == 4 && ready(pool) == 4);
    assert_eq!(pool.work(&given), 1);
    // What was given is saved at its end; what was not is not.
    pool.describe("lab", EnvironmentSpec { warm: 0, ..warm });
    pool.run_until("only the given one is left", |pool| pool.left() == (1, 1));
    assert!(pool.saves.is_empty() && pool.engine_of(&given).is_some());
    pool.run_until("the others are forgotten", |pool| pool.records.len() == 1);
}

#[test]
fn a_described_environment_renews_what_is_started_ahead() {
    let mut pool = Pool::new(&["a"]);
    pool.describe("lab", EnvironmentSpec { warm: 1, ..spec(&["main"]) });
    pool.run_until("one is ready", |pool| pool.records.keys().any(|id| pool.phase(id) == "ready"));
    pool.describe("lab", EnvironmentSpec { warm: 1, ..spec(&["main", "db"]) });
    pool.run_until("the new one is ready", |pool| {
        pool.left() == (2, 1) && pool.records.len() == 1 && pool.records.values().all(|found| found.version == 2)
    });
}

#[test]
fn orphans_go_after_a_while_and_others_never() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    let foreign = {
        let host = pool.host("a");
        let ours = host.containers.values().next().unwrap().clone();
        let mut foreign = ours.clone();
        foreign.id = pierhead_model::ContainerId::parse("ffff").unwrap();
        foreign.name = "somebody".to_owned();
        foreign.labels.insert("pierhead.cluster".to_owned(), "another".to_owned());
        foreign.state = ContainerState::Exited;
        host.containers.insert(foreign.id.clone(), foreign.clone());
        foreign.id
    };
    pool.records.clear();
    pool.assignments.clear();
    pool.take_over();
    pool.run_for(5_000);
    assert_eq!(pool.left(), (2, 1), "a controller may not know everything yet");
    pool.run_until("only the foreign one is left", |pool| pool.left() == (1, 0));
    assert!(pool.hosts[&engine("a")].containers.contains_key(&foreign));
}
