//! Operations: when each ends, with what, and what is taken back.

use super::host::Fault;
use super::people::{app_id, key, of_size, publishing, spec};
use super::simulation::Simulation;
use crate::SlotPhase;
use pierhead_model::{FailureKind, OperationState, VerdictState};

fn failing(image: &str, kind: FailureKind, times: u32) -> Fault {
    Fault { image: format!("{image}:latest"), kind, times, is_made: false }
}

#[test]
fn a_run_of_many_is_spread_evenly_and_done_when_all_run() {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    let run = pool.run("web", 30, spec("httpd"));
    pool.settle();
    assert_eq!(pool.state(&run), OperationState::Done);
    assert_eq!(pool.running().values().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10]);
    let verdicts = &pool.operation(&run).verdicts;
    assert_eq!(verdicts.len(), 30);
    assert!(verdicts.iter().all(|verdict| verdict.state == VerdictState::Done && verdict.container.is_some()));
    assert!(
        pool.app("web").slots.values().all(|intent| intent.added_by.is_none()),
        "they are slots like any other now"
    );
    assert_eq!(pool.creations(), 30);
}

#[test]
fn up_and_down_keeps_the_oldest() {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    pool.run("web", 5, spec("httpd"));
    pool.settle();
    let down = pool.scale_down("web", 3);
    pool.settle();
    assert_eq!((pool.state(&down), pool.count("web")), (OperationState::Done, 2));
    let up = pool.run("web", 2, spec("httpd"));
    pool.settle();
    assert_eq!((pool.state(&up), pool.count("web")), (OperationState::Done, 4));
    let slots: Vec<u32> = pool.app("web").slots.keys().map(|slot| slot.0).collect();
    assert_eq!(slots, [0, 1, 5, 6], "numbers are never used twice");
}

#[test]
fn without_room_for_all_nothing_is_begun() {
    let mut pool = Simulation::new(&["a", "b"]);
    let run = pool.run("web", 5, of_size("httpd", 2000, 100));
    let plan = pool.plan();
    assert!(!plan.writes.iter().any(|write| matches!(write, crate::RecordWrite::Assign(_))), "all or none");
    pool.settle();
    assert_eq!(pool.state(&run), OperationState::Failed);
    assert!(pool.operation(&run).verdicts.iter().all(|verdict| verdict.state == VerdictState::Failed));
    assert_eq!(pool.journal, Vec::<String>::new());
    assert!(pool.records.assignments.is_empty());
    assert!(pool.records.apps.is_empty(), "the app was made by the run and went with it");
    insta::assert_snapshot!(pool.error(&run), @"no_room: there is room for 4 of 5 only: no room on any of 2 hosts: all lack CPU; nearest is a, which lacks 2 CPU");
}

#[test]
fn a_refused_scale_up_leaves_what_ran() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 2, of_size("httpd", 1500, 100));
    pool.settle();
    let up = pool.run("web", 1, of_size("httpd", 1500, 100));
    pool.settle();
    assert_eq!((pool.state(&up), pool.count("web")), (OperationState::Failed, 2));
    assert_eq!(pool.app("web").slots.len(), 2);
    insta::assert_snapshot!(pool.error(&up), @"no_room: no room on the only host, a, which lacks 0.5 CPU");
}

#[test]
fn two_requests_never_share_room() {
    let mut pool = Simulation::new(&["a"]);
    let first = pool.run("one", 1, of_size("httpd", 3000, 100));
    let second = pool.run("two", 1, of_size("httpd", 3000, 100));
    pool.settle();
    assert_eq!(pool.state(&first), OperationState::Done);
    assert_eq!(pool.state(&second), OperationState::Failed);
}

#[test]
fn a_refused_request_leaves_its_room_to_the_next() {
    let mut pool = Simulation::new(&["a", "b"]);
    let first = pool.run("one", 5, of_size("httpd", 2000, 100));
    let second = pool.run("two", 4, of_size("httpd", 2000, 100));
    pool.settle();
    assert_eq!((pool.state(&first), pool.state(&second)), (OperationState::Failed, OperationState::Done));
}

#[test]
fn nobody_takes_the_room_of_a_slot_that_waits_to_be_tried_again() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, of_size("httpd", 3000, 100));
    pool.settle();
    pool.host("a").faults.push(failing("httpd", FailureKind::NoSpace, 3));
    pool.host("a").containers.clear();
    pool.run_until("waits", |pool| !pool.reasons().is_empty());
    let other = pool.run("other", 1, of_size("other", 3000, 100));
    pool.settle();
    assert_eq!((pool.state(&other), pool.count("web")), (OperationState::Failed, 1));
}

#[test]
fn a_slot_that_fails_on_one_host_goes_to_another() {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    pool.host("a").faults.push(failing("httpd", FailureKind::NoSpace, 1000));
    let run = pool.run("web", 3, spec("httpd"));
    pool.settle();
    assert_eq!(pool.state(&run), OperationState::Done);
    assert_eq!(pool.running()["a"], Vec::<String>::new());
    assert_eq!(pool.count("web"), 3);
}

#[test]
fn one_that_fails_everywhere_fails_the_request_which_is_taken_back_whole() {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    for host in ["a", "b", "c"] {
        pool.host(host).faults.push(failing("broken", FailureKind::NoImage, 1000));
    }
    let run = pool.run("web", 2, spec("broken"));
    pool.settle();
    assert_eq!(pool.state(&run), OperationState::Failed);
    assert!(pool.creations() <= 6, "{:?}", pool.journal);
    assert!(pool.records.apps.is_empty() && pool.records.assignments.is_empty());
    insta::assert_snapshot!(pool.error(&run), @"no_such_image: b cannot run broken:latest");
}

#[test]
fn one_failing_slot_takes_back_those_that_run() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("old", 1, spec("httpd"));
    pool.settle();
    for host in ["a", "b"] {
        pool.host(host).faults.push(failing("httpd", FailureKind::Other, 3));
    }
    let run = pool.run("web", 4, spec("httpd"));
    pool.run_until("some run", |pool| pool.count("web") > 0);
    pool.run_until("fails", |pool| pool.operation(&run).ending.is_some());
    assert_eq!(pool.state(&run), OperationState::Running, "it has not ended while anything is left");
    pool.run_until("ends", |pool| pool.state(&run).has_ended());
    assert_eq!(pool.count("web"), 0, "it ends only when everything is gone");
    pool.settle();
    assert_eq!(pool.count("old"), 1);
}

#[test]
fn what_the_engine_refuses_is_not_tried_elsewhere() {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    for host in ["a", "b", "c"] {
        pool.host(host).faults.push(failing("bad", FailureKind::Refused, 1000));
    }
    let run = pool.run("web", 1, spec("bad"));
    pool.settle();
    assert_eq!(pool.creations(), 1);
    assert!(pool.error(&run).starts_with("refused_by_engine: "), "{}", pool.error(&run));
}

#[test]
fn a_refused_description_can_be_mended() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 2, spec("httpd"));
    pool.settle();
    pool.host("a").faults.push(failing("bad", FailureKind::Refused, 1000));
    let bad = pool.describe_anew("web", spec("bad"));
    pool.run_until("fails", |pool| pool.state(&bad).has_ended());
    let good = pool.describe_anew("web", spec("good"));
    pool.settle();
    assert_eq!(pool.state(&bad), OperationState::Failed);
    assert_eq!(pool.state(&good), OperationState::Done, "{:?}", pool.operation(&good).error);
}

#[test]
fn a_failed_slot_is_tried_again_when_somebody_asks() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, spec("httpd"));
    pool.settle();
    pool.host("a").faults.push(failing("httpd", FailureKind::Refused, 1));
    let id = pool.host("a").containers.keys().next().unwrap().clone();
    pool.host("a").containers.remove(&id);
    pool.run_until("was tried", |pool| pool.creations() == 2);
    let restart = pool.restart("web", 0);
    pool.settle();
    assert_eq!(pool.state(&restart), OperationState::Done);
}

#[test]
fn a_chosen_port_that_is_taken_is_chosen_anew_on_the_same_host() {
    let mut pool = Simulation::new(&["a"]);
    let chosen = {
        let mut trial = pool.clone();
        trial.run("web", 1, publishing("httpd", None));
        trial.settle();
        trial.assignment("web", 0).ports.values().flatten().next().unwrap().host_port
    };
    pool.host("a").busy_ports.insert(chosen);
    let run = pool.run("web", 1, publishing("httpd", None));
    pool.settle();
    assert_eq!(pool.state(&run), OperationState::Done);
    assert_ne!(pool.assignment("web", 0).ports.values().flatten().next().unwrap().host_port, chosen);
    assert_eq!(pool.creations(), 2);
}

#[test]
fn a_fixed_port_that_is_taken_is_sought_on_another_host() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.host("a").busy_ports.insert(8080);
    let run = pool.run("web", 1, publishing("httpd", Some(8080)));
    pool.settle();
    assert_eq!((pool.state(&run), pool.running()["b"].len()), (OperationState::Done, 1));
    pool.host("b").busy_ports.insert(8080);
    let second = pool.run("more", 1, publishing("httpd", Some(8080)));
    pool.settle();
    assert_eq!(pool.error(&second), "port_taken: a port of the host is taken: 8080");
    let third = pool.run("web", 2, publishing("httpd", Some(8080)));
    pool.settle();
    insta::assert_snapshot!(pool.error(&third), @"no_room: there is room for 1 of 2 only: no place on any of 2 hosts: all have no free port for it; nearest is a: port 8080/tcp is taken");
}

#[test]
fn an_operation_that_is_called_off_takes_back_what_it_added() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, spec("httpd"));
    pool.settle();
    pool.host("a").latency_ms = 5_000;
    let run = pool.run("web", 3, spec("httpd"));
    pool.run_for(1_000);
    pool.cancel(&run);
    assert_eq!(crate::cancel(&pool.world, pool.operation(&run), pool.now), None, "once is enough");
    pool.settle();
    assert_eq!((pool.state(&run), pool.count("web")), (OperationState::Cancelled, 1));
    assert_eq!(pool.error(&run), "cancelled: called off");
}

#[test]
fn what_takes_too_long_times_out_and_is_taken_back() {
    let mut pool = Simulation::new(&["a"]);
    pool.host("a").latency_ms = 400_000;
    let run = pool.run("web", 2, spec("httpd"));
    pool.run_until("ends", |pool| pool.state(&run).has_ended());
    assert_eq!(pool.state(&run), OperationState::TimedOut);
    insta::assert_snapshot!(pool.error(&run), @"timed_out: 2 of 2 not done in time; slot 0 starts on host a; it is still being taken back");
    pool.host("a").latency_ms = 0;
    pool.settle();
    assert_eq!(pool.count("web"), 0, "what was made too late is gone as well");
}

#[test]
fn an_operation_that_cannot_take_back_ends_all_the_same() {
    let mut pool = Simulation::new(&["a", "b"]);
    let run = pool.run("web", 2, spec("httpd"));
    pool.host("a").faults.push(failing("httpd", FailureKind::Refused, 1));
    pool.run_until("runs on b", |pool| !pool.running()["b"].is_empty());
    pool.host("b").latency_ms = 10_000_000;
    pool.run_until("ends", |pool| pool.state(&run).has_ended());
    assert_eq!(pool.state(&run), OperationState::Failed);
    pool.host("b").latency_ms = 0;
    pool.crash();
    pool.settle();
}

#[test]
fn operations_on_one_app_that_end_at_once_do_not_undo_each_other() {
    let mut pool = Simulation::new(&["a"]);
    let fits = pool.run("web", 1, of_size("httpd", 1000, 100));
    let also = pool.run("web", 2, of_size("httpd", 1000, 100));
    pool.settle();
    assert_eq!((pool.state(&fits), pool.state(&also)), (OperationState::Done, OperationState::Done));
    assert!(pool.app("web").slots.values().all(|intent| intent.added_by.is_none()));
    let refused = pool.run("web", 3, of_size("httpd", 1000, 100));
    let refused_too = pool.run("web", 4, of_size("httpd", 1000, 100));
    pool.settle();
    assert_eq!((pool.state(&refused), pool.state(&refused_too)), (OperationState::Failed, OperationState::Failed));
    assert_eq!((pool.count("web"), pool.app("web").slots.len()), (3, 3));
}

#[test]
fn a_transient_app_goes_with_its_last_slot_whoever_added_that() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, spec("httpd"));
    pool.settle();
    let up = pool.run("web", 100, spec("httpd"));
    let mut app = pool.app("web");
    app.slots.remove(&pierhead_model::Slot(0));
    pool.set_app(app);
    pool.settle();
    assert_eq!(pool.state(&up), OperationState::Failed);
    assert!(!pool.records.apps.contains_key(&app_id("web")));
}

#[test]
fn a_destroyed_slot_is_gone_when_the_operation_ends() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 2, spec("httpd"));
    pool.settle();
    let destroy = pool.destroy("web", &[0]);
    pool.host("a").latency_ms = 2_000;
    pool.run_for(1_000);
    assert_eq!(pool.state(&destroy), OperationState::Running);
    assert_eq!(pool.status("web", 0).phase, SlotPhase::Removing);
    pool.settle();
    assert_eq!(pool.state(&destroy), OperationState::Done);
    assert!(!pool.records.assignments.contains_key(&key("web", 0)));
}

#[test]
fn a_request_made_before_the_hosts_are_known_waits_for_them() {
    let mut pool = Simulation::new(&["a", "b"]);
    let run = pool.run("web", 2, spec("httpd"));
    pool.crash();
    let plan = pool.plan();
    assert!(plan.writes.is_empty() && plan.actions.is_empty(), "{plan:#?}");
    insta::assert_debug_snapshot!(pool.reasons(), @r#"
    [
        "0: no place on any of 2 hosts: all are unavailable; nearest is a: it was not reached yet; waits until host a is known",
        "1: no place on any of 2 hosts: all are unavailable; nearest is a: it was not reached yet; waits until host a is known",
    ]
    "#);
    pool.settle();
    assert_eq!(pool.state(&run), OperationState::Done);
}

#[test]
fn hosts_that_stay_unknown_are_not_waited_for_long() {
    let mut pool = Simulation::new(&["a"]);
    pool.host("a").lists = false;
    pool.crash();
    let run = pool.run("web", 1, spec("httpd"));
    pool.run_until("ends", |pool| pool.state(&run).has_ended());
    assert!(pool.now.since(pool.operation(&run).created_at) < 10_000);
    insta::assert_snapshot!(pool.error(&run), @"no_room: no place on the only host, a: its containers are not known yet");
}

#[test]
fn a_shortage_of_images_on_many_hosts_ends() {
    let ids: Vec<String> = (0..40).map(|number| format!("h{number:02}")).collect();
    let mut pool = Simulation::new(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    for id in &ids {
        pool.host(id).faults.push(failing("broken", FailureKind::NoImage, u32::MAX));
    }
    let run = pool.run("web", 1, spec("broken"));
    pool.run_until("ends", |pool| pool.state(&run).has_ended());
    assert!(pool.creations() <= 40, "{}", pool.creations());
    assert_eq!(pool.state(&run), OperationState::Failed);
    pool.settle();
}
