//! What is saved when something stops or begins anew, as what it is kept, and what is made again.

use super::pool::{MINUTE_MS, Pool, engine, spec};
use pierhead_model::{
    Duty, EnvironmentFile, EnvironmentSpec, FailureKind, StopCause, WorkspaceId, WorkspaceOrigin, WorkspaceStage,
    WorkspaceWish,
};

fn ready(pool: &mut Pool, spec: EnvironmentSpec) -> WorkspaceId {
    let id = pool.open(spec);
    pool.until_phase(&id, "ready");
    pool.work(&id);
    id
}

/// The names of the containers in each save, and whether the next one by itself takes its place.
fn saved(pool: &Pool) -> Vec<(Vec<&str>, bool)> {
    let names = |order: &crate::SaveOrder| {
        order.containers.iter().map(|container| container.name.to_string().leak() as &str).collect()
    };
    pool.orders.iter().map(|order| (names(order), order.automatic)).collect()
}

#[test]
fn what_begins_anew_as_something_else_is_saved_as_what_it_was() {
    let mut pool = Pool::new(&["a"]);
    let id = ready(&mut pool, spec(&["main", "db"]));
    pool.change(&id, |workspace| (workspace.version, workspace.spec) = (2, spec(&["web"])));
    pool.start(&id, WorkspaceOrigin::Environment);
    pool.run_until("it began anew", |pool| {
        pool.phase(&id) == "ready" && pool.assignments[&id].newest_generation.0 == 2
    });
    assert_eq!(saved(&pool), [(vec!["main", "db"], false)]);
    assert_eq!((pool.orders[0].version, pool.orders[0].spec.containers.len()), (1, 2));
    assert!(pool.orders[0].name.ends_with("before it began anew"), "{}", pool.orders[0].name);
    let place = pool.assignments[&id].place.clone().unwrap();
    assert_eq!((place.version, place.spec.containers[0].name.as_str()), (2, "web"));
    // What stops by itself is kept until the next time.
    pool.wish(&id, WorkspaceWish::Saved);
    pool.until_phase(&id, "saved");
    assert_eq!(saved(&pool)[1], (vec!["web"], true));
}

#[test]
fn what_was_left_behind_is_kept_beside_what_is_saved_later() {
    let mut pool = Pool::new(&["a", "b"]);
    let id = ready(&mut pool, spec(&["main"]));
    pool.change(&id, |workspace| workspace.saves_asked += 1);
    pool.run_until("a save", |pool| pool.saves.len() == 1 && pool.phase(&id) == "ready");
    let lost = pool.engine_of(&id).unwrap();
    pool.host(&lost).answers = false;
    pool.run_until("it goes on elsewhere", |pool| {
        pool.phase(&id) == "ready" && pool.engine_of(&id).is_some_and(|host| host != lost)
    });
    // It takes its time: what goes on elsewhere does not wait for it.
    pool.host(&lost).latency_ms = 30_000;
    pool.host(&lost).answers = true;
    pool.run_until("the copy is being saved", |pool| pool.assignments[&id].left[0].save.is_some());
    pool.run_for(1_000);
    pool.wish(&id, WorkspaceWish::Saved);
    pool.run_until("it is stopped", |pool| matches!(pool.assignments[&id].stage, WorkspaceStage::Over { .. }));
    assert_eq!(pool.assignments[&id].left.len(), 1, "the other one is still being saved");
    pool.run_until("both are saved", |pool| pool.saves.len() == 3);
    let left = pool.orders.iter().find(|order| order.name.contains("left on host")).unwrap();
    assert!(!left.automatic && left.stops);
}

#[test]
fn what_lacks_a_container_takes_no_other_saves_place() {
    let mut pool = Pool::new(&["a"]);
    let id = ready(&mut pool, spec(&["main", "db"]));
    let place = pool.assignments[&id].place.clone().unwrap();
    let db = place.containers.iter().find(|(name, _)| name.as_str() == "db").unwrap().1.clone();
    pool.host("a").faults.push(("create".to_owned(), FailureKind::NoImage, u32::MAX));
    pool.host("a").containers.remove(&db);
    pool.run_until("it is missed", |pool| pool.phase(&id) != "ready");
    pool.wish(&id, WorkspaceWish::Saved);
    pool.until_phase(&id, "saved");
    assert_eq!(saved(&pool), [(vec!["main"], false)]);
}

#[test]
fn files_are_written_once_into_each_container_that_is_made_of_the_environment() {
    let mut pool = Pool::new(&["a", "b"]);
    let mut with_files = spec(&["main"]);
    with_files.containers[0].files =
        vec![EnvironmentFile { path: "/a".to_owned(), content: "b".to_owned(), mode: 0o644, blob: None }];
    let id = pool.open_as(with_files, WorkspaceWish::Warm, "lab", 1);
    let mut lab = spec(&["main"]);
    lab.warm = 1;
    pool.describe("lab", lab);
    pool.until_phase(&id, "ready");
    let first = pool.engine_of(&id).unwrap();
    pool.host(&first).record.duty = Duty::Drained;
    pool.run_until("it moved", |pool| {
        pool.phase(&id) == "ready" && pool.engine_of(&id).is_some_and(|host| host != first)
    });
    assert_eq!((pool.filled.len(), pool.saves.len()), (2, 0), "{:?}", pool.journal);
    // One that is somebody's is brought back from a save, where they are as people left them.
    pool.host(&first).record.duty = Duty::InService;
    pool.wish(&id, WorkspaceWish::Running);
    pool.run_until("there is work", |pool| pool.assignments[&id].place.as_ref().is_some_and(|place| place.holds_work));
    let second = pool.engine_of(&id).unwrap();
    pool.host(&second).record.duty = Duty::Drained;
    pool.run_until("it moved again", |pool| {
        pool.phase(&id) == "ready" && pool.engine_of(&id).as_deref() == Some(&*first)
    });
    assert_eq!((pool.filled.len(), pool.saves.len()), (2, 1));
}

#[test]
fn one_that_was_given_to_somebody_while_nobody_led_is_saved() {
    let mut pool = Pool::new(&["a"]);
    let mut lab = spec(&["main"]);
    lab.warm = 1;
    pool.describe("lab", lab.clone());
    let id = pool.open_as(lab, WorkspaceWish::Warm, "lab", 1);
    pool.until_phase(&id, "ready");
    assert!(!pool.assignments[&id].place.as_ref().unwrap().holds_work);
    pool.wish(&id, WorkspaceWish::Saved);
    pool.until_phase(&id, "saved");
    assert_eq!(pool.saves.len(), 1);
}

#[test]
fn what_is_saved_does_not_wait_for_a_host_that_dies_then() {
    let mut pool = Pool::new(&["a", "b"]);
    let id = ready(&mut pool, spec(&["main"]));
    let home = pool.engine_of(&id).unwrap();
    pool.host(&home).faults.push(("remove".to_owned(), FailureKind::Unreachable, u32::MAX));
    pool.wish(&id, WorkspaceWish::Saved);
    pool.run_until("it leaves", |pool| matches!(pool.assignments[&id].stage, WorkspaceStage::Leaving(_)));
    pool.host(&home).answers = false;
    pool.until_phase(&id, "saved");
    pool.start(&id, WorkspaceOrigin::Newest);
    pool.until_phase(&id, "ready");
    assert_eq!((pool.worth(&id), pool.engine_of(&id) == Some(home.clone())), (1, false));
    pool.host(&home).faults.clear();
    pool.host(&home).answers = true;
    pool.run_until("the old ones are gone", |pool| pool.hosts[&engine(&home)].containers.is_empty());
    assert_eq!(pool.left(), (1, 1));
}

#[test]
fn what_never_gets_ready_holds_up_nobody_and_is_given_up() {
    let mut pool = Pool::new(&["a"]);
    pool.world.policy.workspace_starts = 1;
    pool.host("a").faults.push(("start".to_owned(), FailureKind::NotStarted, u32::MAX));
    let id = pool.open(spec(&["main"]));
    pool.run_until("it was made", |pool| pool.hosts[&engine("a")].containers.len() == 1);
    let container = pool.host("a").containers.values_mut().next().unwrap();
    container.state = pierhead_model::ContainerState::Exited;
    pool.run_until("it fails", |pool| pool.phase(&id) == "failed");
    let second = pool.open(spec(&["main"]));
    pool.run_until("the other one is made", |pool| pool.hosts[&engine("a")].containers.len() == 2);
    assert!(!pool.message(&second).contains("being started"), "{}", pool.message(&second));
    pool.run_for(61 * MINUTE_MS);
    let over = WorkspaceStage::Over { cause: StopCause::Expired, at: pool.now };
    let same = std::mem::discriminant(&pool.assignments[&id].stage) == std::mem::discriminant(&over);
    assert!(same, "{:?}", pool.assignments[&id].stage);
}

#[test]
fn what_vanished_as_a_whole_comes_back_as_it_was_saved_last() {
    let mut pool = Pool::new(&["a"]);
    let id = ready(&mut pool, spec(&["main", "db"]));
    pool.change(&id, |workspace| workspace.saves_asked += 1);
    pool.run_until("a save", |pool| pool.saves.len() == 1 && pool.phase(&id) == "ready");
    pool.work(&id);
    pool.host("a").containers.clear();
    pool.run_until("it is missed", |pool| pool.phase(&id) != "ready");
    pool.until_phase(&id, "ready");
    assert_eq!((pool.worth(&id), pool.left()), (1, (2, 1)));
}
