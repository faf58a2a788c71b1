//! What workspaces use on fake hosts, accounted for: to whom it is, for which course, and by one controller after the other.

use crate::coursework::{actor, begin, course, is_ready, names};
use crate::detection::Pool;
use pierhead_controller::{Actor, Controller, Options, RequestError, StatsOf, UsageNow, WorkspaceChange};
use pierhead_engine::Usage;
use pierhead_model::{ContainerId, EngineId, Timestamp};
use pierhead_testkit::{ClusterOptions, PATIENCE, eventually, eventually_ok, quick};
use std::time::Duration;

/// Whole cores in nanoseconds of each second.
const CORE: u64 = 1_000_000_000;
/// What is written in a container, in bytes.
const WRITTEN: u64 = 5 << 20;

async fn pool(written_every: Duration) -> Pool {
    let controller = Options { usage_write_interval: written_every, ..quick() };
    Pool::start_with(ClusterOptions { hosts: 2, controller, ..ClusterOptions::default() }).await
}

/// The container of somebody's workspace, its host, and the memory that it holds in MB.
fn container_of(controller: &Controller, name: &str) -> Option<(EngineId, ContainerId, u64)> {
    let known = controller.known();
    let theirs = known.world.workspaces().values().find(|one| one.owner.as_str() == name)?;
    let place = known.world.workspace_assignments().get(&theirs.id)?.place.as_ref()?;
    Some((place.engine.clone(), place.containers.values().next()?.clone(), place.reserved.memory_mb))
}

/// Somebody's container has written something, and uses a core from now on.
async fn burn(pool: &Pool, name: &str) -> Timestamp {
    let controller = pool.cluster.controller();
    let (host, id, _) =
        eventually_ok(PATIENCE, "its container is known", async || container_of(controller, name).ok_or("it is not"))
            .await;
    let began = controller.clock().now();
    let each_second = Usage { cpu_nanos: CORE, ..Usage::default() };
    pool.cluster
        .host_named(host.as_str())
        .set_usage(&id, Usage { cpu_nanos: 1, memory_bytes: 1, ..each_second })
        .unwrap();
    pool.cluster.host_named(host.as_str()).set_written(&id, WRITTEN).unwrap();
    pool.cluster.host_named(host.as_str()).set_growth(&id, each_second).unwrap();
    began
}

async fn seen_by(controller: &Controller, who: &Actor) -> Vec<UsageNow> {
    controller.course_usage(who, "cs").await.unwrap().1
}

/// What was counted of somebody for the course: CPU in milliseconds, memory in MB times milliseconds.
async fn counted(controller: &Controller, name: &str) -> (u64, u64) {
    let all = seen_by(controller, &actor("wang")).await;
    let theirs = all.iter().find(|one| one.account.as_str() == name).unwrap();
    assert_eq!(theirs.course.as_ref().map(ToString::to_string).as_deref(), Some("cs"));
    (theirs.used.cpu_nanos / 1_000_000, theirs.used.memory_mb_ms)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_counts_for_whose_it_is_and_never_twice() {
    let mut pool = pool(Duration::from_millis(100)).await;
    let controller = pool.cluster.controller().clone();
    course(&controller, &names(&["li", "wu"])).await;
    let before = controller.clock().now();
    for name in ["li", "wu"] {
        begin(&controller, name).await;
        is_ready(&controller, name).await;
    }
    let nothing = seen_by(&controller, &actor("wang")).await;
    assert_eq!(nothing.len(), 2, "who takes the course is told of with nothing too: {nothing:?}");
    let began = burn(&pool, "li").await;
    let looks = controller.watch_statistics(StatsOf::All);
    eventually(PATIENCE, "what li used is counted", async || counted(&controller, "li").await.0 >= 2_000).await;
    let (cpu, _) = counted(&controller, "li").await;
    assert!(cpu <= controller.clock().now().since(began) + 1_000, "{cpu} ms");
    let (_, _, held) = container_of(&controller, "wu").unwrap();
    assert!(held > 0);
    let (idle, memory) = counted(&controller, "wu").await;
    let longest = controller.clock().now().since(before) * held;
    assert!(idle == 0 && memory > 0 && memory <= longest, "{idle} ms, {memory} of at most {longest}");
    // Each sees what they may.
    assert_eq!(seen_by(&controller, &actor("li")).await.len(), 1);
    let refused = controller.course_usage(&actor("eve"), "cs").await.unwrap_err();
    assert!(matches!(refused, RequestError::NotFound { .. }), "{refused}");
    let everybody = controller.all_usage().await.unwrap();
    assert_eq!(everybody.iter().filter(|one| one.course.is_some()).count(), 2, "{everybody:?}");
    drop(looks);
    drop(controller);

    // Another one leads: what was counted stays, and nothing of it is counted once more.
    pool.succeed().await;
    let controller = pool.cluster.controller().clone();
    let _looks = controller.watch_statistics(StatsOf::All);
    let (kept, _) = counted(&controller, "li").await;
    assert!(kept >= cpu, "{kept} of {cpu} ms");
    eventually(PATIENCE, "it goes on", async || counted(&controller, "li").await.0 >= kept + 2_000).await;
    let (cpu, _) = counted(&controller, "li").await;
    let (_, memory) = counted(&controller, "wu").await;
    let passed = controller.clock().now();
    assert!(cpu <= passed.since(began) + 1_000, "{cpu} ms of CPU in {} ms", passed.since(began));
    assert!(memory <= passed.since(before) * held, "{memory}");

    // What is over stays counted, with what is kept of it.
    let ended =
        controller.workspaces_of(&actor("li")).into_iter().find(|one| one.record.owner.as_str() == "li").unwrap();
    controller.change_workspace(&actor("li"), ended.record.id.as_str(), &WorkspaceChange::Stop, None).await.unwrap();
    eventually(PATIENCE, "it is saved", async || {
        seen_by(&controller, &actor("li")).await.iter().any(|one| one.save_bytes == WRITTEN)
    })
    .await;
    assert!(counted(&controller, "li").await.0 >= cpu, "what is over stays counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_controller_that_ends_in_order_writes_what_it_has_counted() {
    let mut pool = pool(Duration::from_secs(3_600)).await;
    let controller = pool.cluster.controller().clone();
    let before = controller.clock().now();
    let looks = controller.watch_statistics(StatsOf::All);
    course(&controller, &names(&["li"])).await;
    begin(&controller, "li").await;
    is_ready(&controller, "li").await;
    let began = burn(&pool, "li").await;
    // It is looked every five seconds, and what was there in the first five is taken for a predecessor's.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(counted(&controller, "li").await, (0, 0), "nothing is written yet");
    let (_, _, held) = container_of(&controller, "li").unwrap();
    let (burnt, passed) = (controller.clock().now().since(began), controller.clock().now().since(before));
    drop((looks, controller));
    pool.stops().await;
    pool.successor().await;
    let (cpu, memory) = counted(pool.cluster.controller(), "li").await;
    assert!(cpu >= 2_000 && cpu <= burnt + 3_000, "{cpu} ms of {burnt}");
    assert!(memory > 0 && memory <= (passed + 3_000) * held, "{memory} in {passed} ms");
}
