//! Workspaces that are started ahead for classes on fake hosts: as many as are missing, given to who comes, and gone when
//! the class is over.

use crate::coursework::{actor, begin, course, is_ready, names};
use crate::detection::Pool;
use pierhead_controller::{Controller, CourseChange, LabAhead};
use pierhead_model::{CourseLab, CourseRight, CourseSession, LabId, Timestamp, WorkspaceWish};
use pierhead_testkit::{ClusterOptions, PATIENCE, eventually};

const MINUTE_MS: u64 = 60_000;

/// The course is held from some minutes on until others, at its lab.
async fn held(controller: &Controller, lab: CourseLab, span: Option<(i64, i64)>) {
    let now = controller.clock().now().0;
    let at = |minutes: i64| Timestamp(now.saturating_add_signed(minutes * MINUTE_MS as i64));
    let session = |(from, to): (i64, i64)| CourseSession { starts: at(from), ends: at(to), lab: Some(lab.lab.clone()) };
    let sessions = Some(span.into_iter().map(session).collect());
    let change = CourseChange { labs: Some(vec![lab.clone()]), sessions, ..CourseChange::default() };
    controller.change_course(&actor("wang"), "cs", &change).await.unwrap();
}

fn lab(version: Option<u32>) -> CourseLab {
    CourseLab { lab: LabId::parse("server").unwrap(), version, opens_at: None, due_at: None, warm_from: None }
}

/// What whoever gives the course is told: how many are wanted and ready.
async fn ahead(controller: &Controller) -> Option<(u32, u32)> {
    let course = controller.course_as(&actor("wang"), "cs", CourseRight::Teacher).unwrap();
    let told: Option<LabAhead> = controller.ahead_of(&course).await.pop();
    told.map(|told| (told.wanted, told.ready))
}

async fn are(controller: &Controller, wanted: u32, ready: u32) {
    eventually(PATIENCE, &format!("{ready} of {wanted} are ready"), async || {
        ahead(controller).await == Some((wanted, ready))
    })
    .await;
}

/// Those that are nobody's: the versions of their environment.
fn nobodys(controller: &Controller) -> Vec<u32> {
    let known = controller.known();
    let all = known.world.workspaces().values().filter(|one| one.wish == WorkspaceWish::Warm);
    all.map(|one| one.version).collect()
}

async fn pool() -> Pool {
    let mut options = ClusterOptions { hosts: 2, ..ClusterOptions::default() };
    options.controller.policy.warm_every_ms = 0;
    Pool::start_with(options).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_that_begins_soon_finds_its_workspaces_and_a_successor_keeps_them() {
    let mut pool = pool().await;
    let controller = pool.cluster.controller().clone();
    course(&controller, &names(&["li", "zhao", "wu"])).await;
    held(&controller, lab(None), Some((20, 60))).await;
    assert_eq!(ahead(&controller).await, Some((3, 0)), "it is known before it begins");
    assert!(nobodys(&controller).is_empty());
    held(&controller, lab(None), Some((10, 60))).await;
    are(&controller, 3, 3).await;
    let ids = |controller: &Controller| -> Vec<_> { controller.known().world.workspaces().keys().cloned().collect() };
    let before = ids(&controller);
    begin(&controller, "li").await;
    is_ready(&controller, "li").await;
    are(&controller, 2, 2).await;
    assert_eq!(ids(&controller), before, "they were given one of these, and none was made for it");
    drop(controller);
    pool.dies().await;
    pool.successor().await;
    let controller = pool.cluster.controller().clone();
    are(&controller, 2, 2).await;
    assert_eq!(ids(&controller), before, "and the next leader wants the same");
    held(&controller, lab(None), None).await;
    eventually(PATIENCE, "those that nobody took are gone", async || ids(&controller).len() == 1).await;
    is_ready(&controller, "li").await;
    let course = controller.course_as(&actor("li"), "cs", CourseRight::Student).unwrap();
    assert!(controller.ahead_of(&course).await.is_empty(), "students are not told");
    pool.cluster.assert_invariants().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_an_older_version_too_and_it_is_told_once() {
    let pool = pool().await;
    let controller = pool.cluster.controller();
    course(controller, &names(&["li", "zhao"])).await;
    crate::coursework::write(controller, "steps/1.md", "# Another\n").await;
    let head = "title: A server\ncontainers:\n  - {name: main, image: \"pierhead/sample:1\", memory: 64}\n";
    crate::coursework::write(controller, "lab.yaml", head).await;
    controller.publish_lab(&actor("wang"), "server", "", None, None).await.unwrap();
    let begins = CourseLab { warm_from: Some(controller.clock().now()), ..lab(Some(1)) };
    held(controller, begins, None).await;
    are(controller, 2, 2).await;
    assert_eq!(nobodys(controller), [0, 0]);
    begin(controller, "li").await;
    is_ready(controller, "li").await;
    are(controller, 1, 1).await;
    assert_eq!(nobodys(controller), [0], "li was given the other");
    let told = pool.cluster.admin().events(100).await.unwrap();
    let told: Vec<_> = told.iter().filter(|event| event.kind == "warm-course").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].message.starts_with("course=cs, lab=server, workspaces=2, minutes=14"), "{}", told[0].message);
    pool.cluster.assert_invariants().await;
}
