//! A controller that dies at any moment, and its successor.

use super::people::spec;
use super::simulation::Simulation;
use pierhead_model::OperationState;

#[test]
fn a_new_controller_adopts_what_runs() {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    pool.run("web", 9, spec("httpd"));
    pool.settle();
    pool.journal.clear();
    pool.crash();
    pool.settle();
    assert_eq!(pool.journal, Vec::<String>::new());
}

#[test]
fn nothing_is_made_or_moved_before_the_containers_of_its_host_are_known() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 4, spec("httpd"));
    pool.settle();
    pool.host("a").lists = false;
    pool.crash();
    pool.journal.clear();
    pool.run_for(60_000);
    assert_eq!(pool.journal, Vec::<String>::new());
    insta::assert_debug_snapshot!(pool.reasons(), @r#"
    [
        "0: waits until it is known what runs on host a",
        "2: waits until it is known what runs on host a",
    ]
    "#);

    // A controller that takes an unknown host for an empty one would make everything on it a second time.
    let mut rash = pool.clone();
    let unknown = super::simulation::engine("a");
    rash.world.set_facts(&unknown, pool.hosts[&unknown].facts.clone());
    rash.world.set_inventory(&unknown, Vec::new());
    rash.run_for(5_000);
    assert!(rash.count("web") >= 6, "the two on the unknown host would run twice");
    assert!(!rash.violations().is_empty(), "and the invariants see it");

    pool.host("a").lists = true;
    pool.settle();
    assert_eq!(pool.journal, Vec::<String>::new());
}

/// Dies in every round of a run, after the writes and before or after the steps.
#[test]
fn a_controller_may_die_at_any_moment_of_a_run() {
    for (die_at, before_steps) in (0..12).flat_map(|round| [(round, true), (round, false)]) {
        let mut pool = Simulation::new(&["a", "b", "c"]);
        for host in ["a", "b", "c"] {
            pool.host(host).latency_ms = 300;
        }
        let run = pool.run("web", 6, spec("httpd"));
        (0..die_at).for_each(|_| pool.round());
        if before_steps {
            let writes = pool.plan().writes;
            pool.write(&writes);
        }
        pool.crash();
        pool.settle();
        assert_eq!((pool.state(&run), pool.count("web")), (OperationState::Done, 6), "round {die_at}");
        let generations: Vec<u32> = pool.records.assignments.values().map(|a| a.generation.0).collect();
        assert_eq!(generations, [1; 6], "round {die_at}: nothing was made twice");
    }
}

#[test]
fn a_controller_may_die_at_any_moment_of_a_scale_down_and_of_taking_back() {
    for die_at in 0..8 {
        let mut pool = Simulation::new(&["a", "b"]);
        pool.run("web", 6, spec("httpd"));
        pool.settle();
        for host in ["a", "b"] {
            pool.host(host).latency_ms = 200;
        }
        let down = pool.scale_down("web", 4);
        let up = pool.run("web", 500, spec("httpd"));
        (0..die_at).for_each(|_| pool.round());
        pool.crash();
        pool.settle();
        assert_eq!((pool.state(&down), pool.state(&up)), (OperationState::Done, OperationState::Failed));
        assert_eq!(pool.count("web"), 2);
    }
}
