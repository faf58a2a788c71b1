//! Hosts and containers that fail, and come back.

use super::host::{Fault, observed};
use super::people::{key, of_size, publishing, restarting, spec};
use super::simulation::{Simulation, engine};
use crate::{HoldKey, SlotPhase};
use pierhead_model::{
    ContainerState, FailureKind, Generation, OperationId, OperationState, Ownership, Resources, RestartPolicy,
    Timestamp,
};

fn three_with_web(count: u32) -> Simulation {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    pool.run("web", count, spec("httpd"));
    pool.settle();
    pool
}

#[test]
fn the_slots_of_a_lost_host_move_after_the_grace_time() {
    let mut pool = three_with_web(3);
    pool.host("a").answers = false;
    let lost_at = pool.now;
    pool.run_for(2_900);
    assert_eq!(pool.status("web", 0).phase, SlotPhase::Lost);
    assert_eq!(pool.creations(), 3, "within the grace time nothing moves");
    pool.run_until("is replaced", |pool| pool.creations() == 4);
    assert!((3_000..3_500).contains(&pool.now.since(lost_at)), "{}", pool.now.since(lost_at));
    pool.settle();
    let moved = pool.assignment("web", 0);
    assert_eq!((moved.generation, moved.former.len()), (Generation(2), 1));
    assert_ne!(moved.engine, engine("a"));
}

#[test]
fn older_copies_go_when_their_host_returns_and_nothing_else_is_touched() {
    let mut pool = three_with_web(6);
    pool.add_foreign("a", observed());
    pool.host("a").answers = false;
    pool.run_until("are replaced", |pool| pool.creations() == 8);
    pool.rest();
    assert_eq!(pool.count("web"), 8, "nobody can reach the old ones yet");
    pool.host("a").answers = true;
    pool.journal.clear();
    pool.settle();
    assert_eq!(pool.count("web"), 6);
    assert!(pool.journal.iter().all(|line| line.starts_with("a: remove a")), "{:?}", pool.journal);
    assert_eq!(pool.host("a").running(), ["somebody-elses"]);
}

#[test]
fn a_host_that_returns_in_time_keeps_its_slots() {
    let mut pool = three_with_web(3);
    pool.host("a").answers = false;
    pool.run_for(2_000);
    pool.host("a").answers = true;
    pool.journal.clear();
    pool.settle();
    assert_eq!(pool.journal, Vec::<String>::new());
}

#[test]
fn a_lost_host_without_any_other_keeps_its_slots_until_it_returns() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 2, spec("httpd"));
    pool.settle();
    pool.host("a").answers = false;
    pool.run_for(30_000);
    insta::assert_debug_snapshot!(pool.reasons(), @r#"
    [
        "0: no place on the only host, a: down: no answer within 1000 ms",
        "1: no place on the only host, a: down: no answer within 1000 ms",
    ]
    "#);
    pool.host("a").answers = true;
    pool.journal.clear();
    pool.settle();
    assert_eq!(pool.journal, Vec::<String>::new());
}

#[test]
fn what_is_destroyed_while_its_host_is_down_goes_when_it_returns() {
    let mut pool = three_with_web(3);
    pool.host("a").answers = false;
    pool.run_for(1_000);
    let destroy = pool.destroy("web", &[0]);
    pool.run_for(1_000);
    assert_eq!(pool.state(&destroy), OperationState::Done);
    pool.settle();
    assert_eq!(pool.hosts[&engine("a")].running().len(), 1);
    pool.host("a").answers = true;
    pool.settle();
    assert_eq!(pool.hosts[&engine("a")].running().len(), 0);
}

#[test]
fn a_hung_create_moves_on_and_the_late_copy_goes() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.host("a").latency_ms = 20_000;
    let run = pool.run("web", 1, spec("httpd"));
    pool.run_for(500);
    pool.host("a").answers = false;
    pool.run_until("runs on b", |pool| pool.running()["b"] == ["web.0.2"]);
    pool.host("a").answers = true;
    pool.host("a").latency_ms = 0;
    pool.settle();
    assert_eq!((pool.state(&run), pool.count("web")), (OperationState::Done, 1));
}

#[test]
fn a_lost_reply_leaves_no_second_copy() {
    let mut pool = Simulation::new(&["a", "b"]);
    let image = "httpd:latest".to_owned();
    pool.host("a").faults.push(Fault { image, kind: FailureKind::Unreachable, times: 1, is_made: true });
    let run = pool.run("web", 1, spec("httpd"));
    pool.settle();
    assert_eq!((pool.state(&run), pool.count("web")), (OperationState::Done, 1));
}

#[test]
fn what_is_removed_behind_our_back_is_made_anew_with_a_new_generation() {
    let mut pool = three_with_web(3);
    let id = pool.status("web", 1).container.unwrap();
    let host = pool.assignment("web", 1).engine.clone();
    pool.host(host.as_str()).containers.remove(&id);
    pool.settle();
    let anew = pool.assignment("web", 1);
    assert_eq!((anew.generation, &anew.former), (Generation(2), &vec![id]));
    assert_eq!(pool.creations(), 4);
}

#[test]
fn what_is_removed_again_and_again_is_made_with_growing_waits() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, spec("httpd"));
    pool.settle();
    let began = pool.now;
    for _ in 0..6 {
        pool.run_until("runs", |pool| !pool.hosts[&engine("a")].containers.is_empty());
        pool.round();
        pool.host("a").containers.clear();
    }
    pool.settle();
    assert!(pool.now.since(began) > 15_000, "1 + 2 + 4 + 8 s of waiting at least");
}

#[test]
fn a_container_that_exits_once_is_started_again_with_its_id() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, restarting("httpd", RestartPolicy::OnFailure { maximum_retry_count: 0 }));
    pool.settle();
    let id = pool.status("web", 0).container.unwrap();
    pool.host("a").end(&id, 1);
    pool.run_for(8_000);
    assert_eq!(pool.assignment("web", 0).retries, 1, "that it runs for a moment proves nothing");
    pool.settle();
    assert_eq!((pool.status("web", 0).container, pool.assignment("web", 0).retries), (Some(id), 0));
    assert_eq!(pool.creations(), 1);
}

#[test]
fn an_engine_restarts_by_itself_what_shall_always_run() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, spec("httpd"));
    pool.settle();
    let id = pool.status("web", 0).container.unwrap();
    pool.host("a").end(&id, 1);
    pool.journal.clear();
    pool.settle();
    assert_eq!((pool.journal.len(), pool.count("web")), (0, 1));
}

/// Looks at the hosts as they are and writes what follows from that.
fn look(pool: &mut Simulation) {
    pool.observe();
    let plan = pool.plan();
    pool.write(&plan.writes);
}

/// A run of one container whose program ends again and again, as its engine shows it in turn at each look.
fn ends_again_and_again(states: &[ContainerState]) -> (Simulation, OperationId) {
    let mut pool = Simulation::new(&["a"]);
    let run = pool.run("web", 1, spec("httpd"));
    pool.run_until("it runs", |pool| pool.count("web") == 1);
    let id = pool.host("a").containers.keys().next().cloned().unwrap();
    for state in states.iter().cycle().take(40) {
        pool.host("a").begin_anew(&id);
        let container = pool.host("a").containers.get_mut(&id).unwrap();
        // It has not been long enough for its host to be given up.
        (container.state, container.restart_count) = (*state, 1);
        look(&mut pool);
        pool.run_for(300);
        assert_eq!(pool.state(&run), OperationState::Running, "lives of 300 ms do not add up");
    }
    (pool, run)
}

#[test]
fn short_lives_do_not_add_up_whether_their_ends_are_seen_or_not() {
    for states in [&[ContainerState::Running][..], &[ContainerState::Restarting, ContainerState::Running]] {
        let (mut pool, run) = ends_again_and_again(states);
        assert_eq!(pool.count("web"), 1);
        pool.settle();
        assert_eq!(pool.state(&run), OperationState::Done, "it runs at last");
    }
}

#[test]
fn what_is_seen_down_does_not_count_as_up() {
    let (mut pool, _) = ends_again_and_again(&[ContainerState::Running]);
    pool.settle();
    assert!(pool.assignment("web", 0).up_since.is_some());
    let id = pool.status("web", 0).container.unwrap();
    pool.host("a").containers.get_mut(&id).unwrap().state = ContainerState::Restarting;
    look(&mut pool);
    assert_eq!(pool.assignment("web", 0).up_since, None);
}

#[test]
fn one_that_keeps_exiting_is_tried_elsewhere() {
    for restart in [RestartPolicy::Always, RestartPolicy::OnFailure { maximum_retry_count: 0 }] {
        let mut pool = Simulation::new(&["a", "b"]);
        pool.host("a").exits.insert("httpd:latest".to_owned(), 3);
        let run = pool.run("web", 1, restarting("httpd", restart));
        pool.settle();
        assert_eq!((pool.state(&run), pool.running()["b"].len()), (OperationState::Done, 1), "{restart:?}");
    }
}

/// A pool of two hosts on which every container of the image exits at once, and how a run of it ends.
fn exiting_everywhere(restart: RestartPolicy) -> (OperationState, String) {
    let mut pool = Simulation::new(&["a", "b"]);
    for host in ["a", "b"] {
        pool.host(host).exits.insert("httpd:latest".to_owned(), 137);
    }
    let run = pool.run("web", 1, restarting("httpd", restart));
    pool.settle();
    (pool.state(&run), pool.error(&run))
}

#[test]
fn one_that_exits_everywhere_fails_its_request_with_the_exit_code() {
    let (state, error) = exiting_everywhere(RestartPolicy::Always);
    assert_eq!(state, OperationState::Failed);
    insta::assert_snapshot!(error, @"exited: keeps exiting on host b (exit code 137: killed, often because it used more memory than its limit)");
    // Our own restarts wait longer and longer, so that the time is up before every host was tried often enough.
    let (state, error) = exiting_everywhere(RestartPolicy::OnFailure { maximum_retry_count: 0 });
    assert_eq!(state, OperationState::TimedOut);
    insta::assert_snapshot!(error, @"timed_out: 1 of 1 not done in time; slot 0 exited (exit code 137: killed, often because it used more memory than its limit); is started again in 4 s");
}

#[test]
fn a_crash_loop_waits_longer_and_longer_and_heals_when_it_can() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, restarting("httpd", RestartPolicy::OnFailure { maximum_retry_count: 0 }));
    pool.settle();
    let id = pool.status("web", 0).container.unwrap();
    pool.host("a").exits.insert("httpd:latest".to_owned(), 1);
    pool.host("a").end(&id, 1);
    pool.journal.clear();
    pool.run_for(600_000);
    assert!((8..40).contains(&pool.journal.len()), "{} steps in ten minutes", pool.journal.len());
    pool.host("a").exits.clear();
    pool.settle();
    assert_eq!(pool.count("web"), 1);
    let healed = pool.assignment("web", 0);
    assert_eq!((healed.retries, healed.attempts.len()), (0, 0), "old failures are forgotten");
}

#[test]
fn failures_of_many_hosts_wait_in_between() {
    let ids: Vec<String> = (0..20).map(|number| format!("h{number:02}")).collect();
    let mut pool = Simulation::new(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    pool.run("web", 1, spec("httpd"));
    pool.settle();
    for id in &ids {
        let image = "httpd:latest".to_owned();
        pool.host(id).faults.push(Fault { image, kind: FailureKind::Other, times: 1000, is_made: false });
        pool.host(id).containers.clear();
    }
    pool.run_for(600_000);
    assert!(pool.creations() < 250, "{} creations in ten minutes", pool.creations());
    ids.iter().for_each(|id| pool.host(id).faults.clear());
    pool.settle();
}

#[test]
fn ports_that_are_taken_one_after_another_do_not_make_the_loop_spin() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, publishing("httpd", None));
    pool.settle();
    pool.host("a").busy_ports.extend(20_000..=29_999);
    pool.host("a").containers.clear();
    pool.run_for(60_000);
    assert!(pool.creations() < 60, "{} creations in a minute", pool.creations());
    pool.host("a").busy_ports.clear();
    pool.settle();
}

#[test]
fn a_removal_that_never_ends_does_not_hold_up_the_slot() {
    for state in [ContainerState::Removing, ContainerState::Dead] {
        let mut pool = Simulation::new(&["a"]);
        pool.run("web", 1, spec("httpd"));
        pool.settle();
        let id = pool.status("web", 0).container.unwrap();
        pool.host("a").containers.get_mut(&id).unwrap().state = state;
        pool.host("a").stuck.insert(id.clone());
        pool.run_until("runs again", |pool| pool.count("web") == 1);
        pool.host("a").stuck.clear();
        pool.settle();
        assert_eq!(pool.assignment("web", 0).generation, Generation(2), "{state:?}");
    }
}

#[test]
fn an_engine_that_is_taken_out_of_the_pool_loses_its_slots_at_once() {
    let mut pool = three_with_web(3);
    pool.hosts.remove(&engine("a"));
    pool.world.remove_engine(&engine("a"));
    pool.settle();
    assert_eq!(pool.count("web"), 3);
}

#[test]
fn what_is_not_ours_counts_and_is_never_touched() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.add_foreign("a", pierhead_model::ObservedContainer { limits: Resources::new(3500, 1), ..observed() });
    let stopped = pierhead_model::ObservedContainer {
        limits: Resources::new(4000, 4096),
        state: ContainerState::Exited,
        name: "stopped".to_owned(),
        ..observed()
    };
    pool.add_foreign("b", stopped);
    pool.run("web", 4, of_size("httpd", 1000, 1));
    pool.settle();
    assert_eq!(pool.running()["b"].len(), 4, "a stopped container reserves nothing");
    let more = pool.run("web", 1, of_size("httpd", 1000, 1));
    pool.settle();
    assert_eq!(pool.state(&more), OperationState::Failed);
    assert!(pool.error(&more).starts_with("no_room: "));
}

#[test]
fn containers_of_another_cluster_are_somebody_elses() {
    let mut pool = three_with_web(1);
    let owner =
        Ownership { slot: key("web", 0), generation: Generation(1), member: pierhead_model::MemberName::main() };
    let theirs = pierhead_model::ObservedContainer { labels: owner.labels("another", "web"), ..observed() };
    for host in ["a", "b"] {
        let id = pool.add_foreign(host, theirs.clone());
        let is_held = pool.world.ledger().held(&HoldKey::Container(engine(host), id)).is_some();
        assert!(is_held, "on {host}");
    }
    pool.run_for(60_000);
    pool.destroy("web", &[0]);
    pool.settle();
    assert_eq!(pool.count("web"), 0);
}

#[test]
fn what_bears_our_labels_without_a_record_goes_after_a_grace_time() {
    let mut pool = three_with_web(1);
    let owner =
        Ownership { slot: key("forgotten", 7), generation: Generation(4), member: pierhead_model::MemberName::main() };
    let orphan = pierhead_model::ObservedContainer {
        labels: owner.labels(super::simulation::CLUSTER, "forgotten"),
        created_at: pool.now,
        ..observed()
    };
    pool.host("b").add(orphan.clone());
    pool.host("c").add(pierhead_model::ObservedContainer { created_at: Timestamp(u64::MAX), ..orphan.clone() });
    pool.run_for(9_000);
    assert_eq!(pool.journal.iter().filter(|line| line.contains("remove")).count(), 0);
    pool.run_for(2_000);
    pool.settle();

    pool.host("b").add(pierhead_model::ObservedContainer { created_at: Timestamp(0), ..orphan });
    pool.crash();
    pool.journal.clear();
    pool.run_for(9_000);
    assert_eq!(pool.journal, Vec::<String>::new(), "a new controller may not know everything yet");
    pool.run_for(2_000);
    pool.settle();
}
