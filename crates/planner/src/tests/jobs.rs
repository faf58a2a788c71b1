//! Containers that shall end.

use super::people::{of_size, restarting, spec};
use super::simulation::{Simulation, engine};
use crate::SlotPhase;
use pierhead_model::{ContainerSpec, ContainerState, OperationState, Resources, RestartPolicy};

fn job(image: &str) -> ContainerSpec {
    restarting(image, RestartPolicy::No)
}

fn exiting(code: i64) -> Simulation {
    let mut pool = Simulation::new(&["a", "b"]);
    for host in ["a", "b"] {
        pool.host(host).exits.insert("job:latest".to_owned(), code);
    }
    pool
}

#[test]
fn a_job_is_over_when_it_has_run_and_is_kept() {
    for code in [0, 7] {
        let mut pool = exiting(code);
        let run = pool.run("work", 2, job("job"));
        pool.settle();
        let state = if code == 0 { OperationState::Done } else { OperationState::Failed };
        assert_eq!(pool.state(&run), state);
        let status = pool.status("work", 0);
        let phase = if code == 0 { SlotPhase::Done } else { SlotPhase::Failed };
        assert_eq!((status.phase, status.message), (phase, format!("exited with code {code}")));
        assert!(pool.operation(&run).verdicts.iter().all(|verdict| verdict.container.is_some()));
        assert_eq!(pool.hosts.values().map(|host| host.containers.len()).sum::<usize>(), 2);
        assert_eq!(pool.world.ledger().totals().reserved, Resources::default(), "what is over reserves nothing");
        assert_eq!(pool.creations(), 2);
    }
}

#[test]
fn a_finished_job_is_left_alone_whatever_becomes_of_it_or_its_host() {
    let mut pool = exiting(0);
    pool.run("work", 2, job("job"));
    pool.settle();
    pool.host("a").containers.clear();
    pool.host("b").answers = false;
    pool.journal.clear();
    pool.run_for(60_000);
    assert_eq!(pool.journal, Vec::<String>::new());
    assert_eq!(pool.reasons(), Vec::<String>::new(), "nobody waits for anything");
    pool.settle();
}

#[test]
fn a_job_whose_host_is_lost_runs_again_elsewhere() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("work", 1, job("long"));
    pool.settle();
    pool.host("a").answers = false;
    pool.settle();
    assert_eq!(pool.running()["b"], ["work.0.2"]);
}

#[test]
fn a_finished_job_runs_once_more_when_asked() {
    let mut pool = exiting(0);
    pool.run("work", 1, job("job"));
    pool.settle();
    let id = pool.status("work", 0).container;
    let again = pool.restart("work", 0);
    pool.settle();
    assert_eq!((pool.state(&again), pool.status("work", 0).container), (OperationState::Done, id));
    assert_eq!(pool.journal.iter().filter(|line| line.contains(": start ")).count(), 1);
}

#[test]
fn a_finished_job_on_a_lost_host_runs_elsewhere_when_asked() {
    let mut pool = exiting(0);
    pool.run("work", 1, job("job"));
    pool.settle();
    pool.host("a").answers = false;
    pool.run_for(10_000);
    let again = pool.restart("work", 0);
    pool.settle();
    assert_eq!(pool.state(&again), OperationState::Done);
    assert_eq!(pool.assignment("work", 0).engine, engine("b"));
}

#[test]
fn a_finished_job_needs_room_to_run_once_more() {
    let mut pool = Simulation::new(&["a"]);
    pool.host("a").exits.insert("job:latest".to_owned(), 0);
    pool.run("work", 1, ContainerSpec { restart: RestartPolicy::No, ..of_size("job", 3000, 100) });
    pool.settle();
    pool.run("web", 1, of_size("httpd", 3000, 100));
    pool.settle();
    let again = pool.restart("work", 0);
    pool.settle();
    insta::assert_snapshot!(pool.error(&again), @"no_room: no room on the only host, a, which lacks 2 CPU");
    assert!(pool.world.ledger().totals().reserved.cpu_millis <= 4000);
    pool.destroy("web", &[0]);
    pool.settle();
}

#[test]
fn a_failing_one_is_started_again_so_many_times_and_no_more() {
    let mut pool = exiting(1);
    let run = pool.run("work", 1, restarting("job", RestartPolicy::OnFailure { maximum_retry_count: 3 }));
    pool.settle();
    assert_eq!(pool.journal.iter().filter(|line| line.contains(": start ")).count(), 3);
    assert_eq!(pool.status("work", 0).phase, SlotPhase::Failed);
    insta::assert_snapshot!(pool.error(&run), @"exited: slot 0 of work exited with code 1");
}

#[test]
fn a_job_that_fails_fails_its_run_once_the_others_are_there_and_takes_nothing_away() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.host("a").exits.insert("job:latest".to_owned(), 3);
    pool.host("b").latency_ms = 5_000;
    let run = pool.run("work", 2, job("job"));
    pool.run_for(4_000);
    assert!(!pool.state(&run).has_ended(), "the other is on its way");
    pool.settle();
    insta::assert_snapshot!(pool.error(&run), @"exited: slot 0 of work exited with code 3");
    assert_eq!(pool.app("work").slots.len(), 2);
    assert_eq!((pool.status("work", 0).phase, pool.status("work", 1).phase), (SlotPhase::Failed, SlotPhase::Running));
    // Run once more it fails once more.
    let again = pool.restart("work", 0);
    pool.settle();
    insta::assert_snapshot!(pool.error(&again), @"exited: slot 0 of work exited with code 3");
    // What has ended before is no fault of what is asked next.
    pool.host("a").exits.clear();
    let more = pool.run("work", 1, job("job"));
    let change = pool.describe_anew("work", job("long"));
    pool.settle();
    assert_eq!((pool.state(&more), pool.state(&change)), (OperationState::Done, OperationState::Done));
}

#[test]
fn a_job_that_runs_for_a_while_has_started_however_it_ends() {
    let mut pool = Simulation::new(&["a"]);
    let run = pool.run("work", 1, job("long"));
    pool.settle();
    let id = pool.status("work", 0).container.unwrap();
    pool.host("a").end(&id, 3);
    pool.settle();
    assert_eq!((pool.state(&run), pool.status("work", 0).phase), (OperationState::Done, SlotPhase::Failed));
}

#[test]
fn a_new_description_that_runs_to_a_bad_end_is_taken_back() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("work", 2, restarting("long", RestartPolicy::OnFailure { maximum_retry_count: 1 }));
    pool.settle();
    pool.host("a").exits.insert("bad:latest".to_owned(), 3);
    let change = pool.describe_anew("work", restarting("bad", RestartPolicy::OnFailure { maximum_retry_count: 1 }));
    pool.settle();
    assert!(pool.error(&change).starts_with("exited: "), "{}", pool.error(&change));
    assert_eq!(pool.app("work").members[0].spec.image.as_str(), "long:latest");
    assert_eq!(pool.running()["a"].len(), 2);
}

#[test]
fn success_ends_what_is_restarted_on_failure_only() {
    let mut pool = exiting(0);
    pool.run("work", 1, restarting("job", RestartPolicy::OnFailure { maximum_retry_count: 0 }));
    pool.settle();
    assert_eq!((pool.journal.len(), pool.status("work", 0).phase), (1, SlotPhase::Done));
}

#[test]
fn a_new_description_does_not_run_a_finished_job_again() {
    let mut pool = exiting(0);
    pool.run("work", 1, job("job"));
    pool.settle();
    pool.journal.clear();
    let change = pool.describe_anew("work", job("other"));
    pool.settle();
    assert_eq!((pool.state(&change), pool.journal.len()), (OperationState::Done, 0));
}

#[test]
fn a_group_is_over_when_its_first_member_is() {
    let mut pool = Simulation::new(&["a"]);
    pool.host("a").exits.insert("setup:latest".to_owned(), 0);
    let members = vec![("main", job("work")), ("setup", spec("setup")), ("proxy", spec("proxy"))];
    pool.run_group("work", 1, members);
    pool.rest();
    assert_eq!(pool.status("work", 0).phase, SlotPhase::Running, "a helper that ends is not the end");
    let held = pool.world.ledger().totals().reserved;
    assert_eq!(held, Resources::new(300, 192));
    let main = pool.status("work", 0).container.unwrap();
    pool.host("a").end(&main, 5);
    pool.rest();
    let status = pool.status("work", 0);
    assert_eq!((status.phase, status.message.as_str()), (SlotPhase::Failed, "exited with code 5"));
    let is_idle = |host: &super::host::Host| host.containers.values().all(|c| c.state == ContainerState::Exited);
    assert!(is_idle(&pool.hosts[&engine("a")]), "helpers do not outlive the job");
}
