//! Apps come before workspaces that are nobody's: those give way, and only then is anything placed in their stead.

use super::people::{of_size, spec};
use super::simulation::{Simulation, engine};
use crate::{HoldKey, WorkspaceWrite, survive};
use pierhead_model::{
    Ahead, Asks, Environment, EnvironmentContainer, EnvironmentId, EnvironmentSpec, Generation, ImageReference, Limits,
    MemberName, OperationState, Resources, StopCause, Subnet, Timestamp, Username, Visibility, Workspace,
    WorkspaceAssignment, WorkspaceId, WorkspaceOrigin, WorkspacePlace, WorkspaceStage, WorkspaceWish,
};
use std::collections::{BTreeMap, BTreeSet};

fn environment(warm: u32) -> Environment {
    let container = EnvironmentContainer {
        name: MemberName::main(),
        image: ImageReference::parse("alpine").unwrap(),
        limits: Limits { reserved: Resources::new(1_000, 512), cpu_limit_millis: 1_000 },
        command: Vec::new(),
        environment: BTreeMap::new(),
        working_dir: None,
        user: None,
        ports: Vec::new(),
        files: Vec::new(),
        startup: None,
    };
    let asks = Asks::default();
    let spec = EnvironmentSpec { containers: vec![container], lifetime_minutes: 60, idle_minutes: 0, warm, asks };
    Environment {
        id: EnvironmentId::parse("lab").unwrap(),
        owner: Username::parse("ann").unwrap(),
        visibility: Visibility::Shared,
        version: 1,
        spec,
        versions: Vec::new(),
        created_at: Timestamp(1),
        lab: None,
    }
}

/// One core and 512 MB on a host, of nobody.
fn start_ahead(pool: &mut Simulation, number: u64, host: &str, is_paused: bool) -> WorkspaceId {
    let (id, environment) = (WorkspaceId::from_random(number), environment(9));
    pool.world.set_environment(environment.clone());
    pool.world.set_workspace(Workspace {
        id: id.clone(),
        name: "lab".to_owned(),
        owner: environment.owner.clone(),
        guests: BTreeMap::new(),
        environment: environment.id.clone(),
        version: 1,
        spec: environment.spec.clone(),
        wish: WorkspaceWish::Warm,
        run: 1,
        origin: WorkspaceOrigin::Environment,
        asked_at: Timestamp(number),
        extended_minutes: 0,
        by_group: Default::default(),
        standstill: None,
        saves_asked: 0,
        save_name: None,
        opened_with: None,
        created_at: Timestamp(number),
    });
    let place = WorkspacePlace {
        engine: engine(host),
        generation: Generation(1),
        subnet: Subnet::parse(&format!("10.213.0.{}/28", 16 * number)).unwrap(),
        reserved: environment.spec.resources(),
        version: 1,
        spec: environment.spec.clone(),
        from: None,
        containers: BTreeMap::new(),
        primed: BTreeSet::new(),
        filled: BTreeSet::new(),
        holds_work: false,
        save: None,
        not_before: Timestamp(0),
        ahead: Ahead { shells: 0, has_shell: true, is_paused },
        created_at: Timestamp(number),
    };
    pool.world.set_workspace_assignment(WorkspaceAssignment {
        workspace: id.clone(),
        run: 1,
        stage: WorkspaceStage::Ready,
        place: Some(place),
        newest_generation: Generation(1),
        left: Vec::new(),
        resumes: None,
        last_save: None,
        saved_at: Timestamp(0),
        saves_begun: 0,
        saves_taken: 0,
        ready_at: Some(Timestamp(number)),
        active_at: Timestamp(0),
        warned_minutes: None,
        note: None,
        failure: None,
        failures: 0,
        avoid: BTreeSet::new(),
        not_before: Timestamp(0),
    });
    id
}

/// Those that the plan gives up.
fn given_up(pool: &Simulation) -> Vec<WorkspaceId> {
    let leaves = |write: &WorkspaceWrite| match write {
        WorkspaceWrite::Assign { assignment, .. } => {
            (assignment.stage == WorkspaceStage::Leaving(StopCause::Yielded)).then(|| assignment.workspace.clone())
        }
        WorkspaceWrite::Forget(_) => None,
    };
    pool.plan().workspaces.writes.iter().filter_map(leaves).collect()
}

/// Writes that down.
fn let_go(pool: &mut Simulation) {
    for write in pool.plan().workspaces.writes {
        if let WorkspaceWrite::Assign { assignment, .. } = write {
            pool.world.set_workspace_assignment(*assignment);
        }
    }
}

fn remove(pool: &mut Simulation, id: &WorkspaceId) {
    pool.world.remove_workspace(id);
    pool.world.remove_workspace_assignment(id);
}

fn reserved(pool: &Simulation, host: &str) -> Resources {
    pool.world.ledger().reserved(&engine(host))
}

#[test]
fn a_run_waits_until_what_is_nobodys_has_gone() {
    let mut pool = Simulation::new(&["a"]);
    let ids: Vec<_> = (1..=3).map(|number| start_ahead(&mut pool, number, "a", false)).collect();
    // One core is free; two of the three have to go for two slots of one and a half.
    let run = pool.run("web", 2, of_size("httpd", 1_500, 64));
    pool.run_for(1_000);
    assert_eq!(pool.state(&run), OperationState::Running, "it neither fails nor is it placed");
    let blocked = pool.plan().blocked;
    assert_eq!(blocked.len(), 2);
    assert!(blocked.iter().all(|slot| slot.refusal.is_none()), "{blocked:?}");
    assert_eq!(blocked[0].reason, "waits until room is made on host a, where workspaces were started ahead");
    assert_eq!(given_up(&pool), ids[1..], "the youngest go, and no more than have to");
    let_go(&mut pool);
    pool.run_for(1_000);
    assert_eq!((pool.state(&run), given_up(&pool).len()), (OperationState::Running, 0), "their room is not free yet");
    remove(&mut pool, &ids[1]);
    pool.run_for(1_000);
    assert_eq!(pool.state(&run), OperationState::Running, "all or none");
    remove(&mut pool, &ids[2]);
    pool.run_until("it is done", |pool| pool.state(&run) == OperationState::Done);
    assert_eq!(reserved(&pool, "a"), Resources::new(4_000, 512 + 128));
    assert!(pool.world.workspaces().contains_key(&ids[0]));
}

#[test]
fn what_would_not_do_is_not_given_up() {
    let mut pool = Simulation::new(&["a", "b"]);
    start_ahead(&mut pool, 1, "a", false);
    start_ahead(&mut pool, 2, "b", false);
    let run = pool.run("web", 1, of_size("httpd", 4_100, 64));
    pool.rest();
    assert_eq!(pool.state(&run), OperationState::Failed);
    assert!(given_up(&pool).is_empty());
}

#[test]
fn what_rests_holds_no_cpu_and_goes_for_memory() {
    let mut pool = Simulation::new(&["a"]);
    let resting = start_ahead(&mut pool, 1, "a", true);
    let awake = start_ahead(&mut pool, 2, "a", false);
    assert_eq!(reserved(&pool, "a"), Resources::new(1_000, 1_024));
    let run = pool.run("web", 1, of_size("httpd", 3_000, 64));
    pool.run_until("it is done", |pool| pool.state(&run) == OperationState::Done);
    assert!(given_up(&pool).is_empty());
    pool.run("db", 1, of_size("mariadb", 0, 3_200));
    assert_eq!(given_up(&pool), [resting], "it takes longest to be given");
    assert!(pool.world.ledger().held(&HoldKey::Workspace(awake, Generation(1))).is_some());
}

#[test]
fn slots_of_a_lost_host_and_of_a_drained_one_come_before_it() {
    for drains in [false, true] {
        let mut pool = Simulation::new(&["a", "b", "c"]);
        pool.host("b").record.duty = pierhead_model::Duty::Cordoned;
        pool.host("c").record.duty = pierhead_model::Duty::Cordoned;
        pool.take_over();
        pool.observe();
        pool.run("web", 1, of_size("httpd", 3_500, 64));
        pool.settle();
        for host in ["b", "c"] {
            let number = 1 + u64::from(host == "c");
            start_ahead(&mut pool, number, host, false);
            let record = pool.world.engines()[&engine(host)].record.clone();
            pool.host(host).record.duty = pierhead_model::Duty::InService;
            pool.world.set_engine(pierhead_model::Engine { duty: pierhead_model::Duty::InService, ..record });
        }
        assert_eq!(survive(&pool.world, &engine("a"), pool.now).unwrap().homeless.len(), 0, "it would survive");
        if drains {
            pool.drain("a");
        } else {
            pool.host("a").answers = false;
            pool.run_for(5_000);
        }
        let gone = given_up(&pool);
        assert_eq!(gone.len(), 1, "drains: {drains}: {:?}", pool.plan().blocked);
        let_go(&mut pool);
        remove(&mut pool, &gone[0]);
        pool.run_until("it runs elsewhere", |pool| pool.status("web", 0).engine.as_ref() != Some(&engine("a")));
    }
}

#[test]
fn a_slot_that_runs_again_gets_its_room_back() {
    let mut pool = Simulation::new(&["a"]);
    pool.host("a").exits.insert("job:latest".to_owned(), 0);
    pool.run("job", 1, super::people::restarting("job", pierhead_model::RestartPolicy::No));
    pool.settle();
    pool.host("a").exits.clear();
    for number in 1..=4 {
        start_ahead(&mut pool, number, "a", false);
    }
    assert_eq!(reserved(&pool, "a").cpu_millis, 4_000);
    let again = pool.restart("job", 0);
    pool.run_for(500);
    let gone = given_up(&pool);
    assert_eq!((gone.len(), pool.state(&again)), (1, OperationState::Running), "{:?}", pool.plan().blocked);
    let_go(&mut pool);
    remove(&mut pool, &gone[0]);
    pool.run_until("it runs", |pool| pool.state(&again) == OperationState::Done);
}

#[test]
fn small_apps_disturb_nothing_that_is_started_ahead() {
    let mut pool = Simulation::new(&["a", "b"]);
    for number in 1..=6 {
        start_ahead(&mut pool, number, if number % 2 == 0 { "a" } else { "b" }, false);
    }
    let run = pool.run("web", 10, spec("httpd"));
    pool.run_until("it is done", |pool| pool.state(&run) == OperationState::Done);
    assert!(given_up(&pool).is_empty());
    assert_eq!(pool.world.workspaces().len(), 6);
}
