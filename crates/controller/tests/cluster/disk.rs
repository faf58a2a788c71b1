//! What workspaces write to the disks of fake hosts: no one of them keeps others from being looked at, and who can't be
//! counted is stopped like who writes too much.

use crate::detection::Pool;
use crate::workspaces::{containers, describe, host_of, open, reaches, show};
use pierhead_engine::Fake;
use pierhead_model::{ContainerId, ContainerState};
use pierhead_testkit::{ClusterOptions, PATIENCE, eventually};
use pierhead_wire::WorkspaceView;
use std::time::Duration;

const MB: u64 = 1 << 20;

/// One host, on whose disk each workspace may write 10 MB.
async fn narrow() -> Pool {
    let mut options = ClusterOptions { hosts: 1, ..ClusterOptions::default() };
    options.controller.policy.workspace_disk_mb = 10;
    options.controller.disk_look_interval = Duration::from_millis(20);
    Pool::start_with(options).await
}

#[tokio::test]
async fn who_makes_files_without_end_is_stopped_and_saved_though_they_are_empty() {
    let pool = narrow().await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let (many, few) = (open(&ann, "lab").await, open(&ann, "lab").await);
    let (_, host) = host_of(&pool, &many);
    // As many as its 10 MB allow are shared by its containers.
    host.set_files(&containers(&few)[0], 600).unwrap();
    let [first, last] = [containers(&many)[0].clone(), containers(&many).last().unwrap().clone()];
    host.set_files(&first, 400).unwrap();
    host.set_files(&last, if first == last { 641 } else { 241 }).unwrap();
    reaches(&ann, &many.id, "saved").await;
    assert!(show(&ann, &many.id).await.message.contains("it used more of the disk than it may"));
    assert_eq!(show(&ann, &few.id).await.phase, "ready");
    assert!(runs(host, &few));
    pool.cluster.assert_invariants().await;
}

fn runs(host: &Fake, workspace: &WorkspaceView) -> bool {
    let ids: Vec<ContainerId> = containers(workspace);
    host.look().iter().any(|found| ids.contains(&found.id) && found.state == ContainerState::Running)
}

#[tokio::test]
async fn one_that_can_not_be_counted_hides_nobody_and_is_stopped_itself() {
    let pool = narrow().await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let mut all = vec![open(&ann, "lab").await, open(&ann, "lab").await, open(&ann, "lab").await];
    let (_, host) = host_of(&pool, &all[0]);
    // They are looked at in the order of their ids.
    all.sort_by(|one, other| one.id.cmp(&other.id));
    let [hidden, large, small] = <[WorkspaceView; 3]>::try_from(all).unwrap();
    for container in containers(&hidden) {
        host.set_uncounted(&container, true).unwrap();
    }
    host.set_written(&containers(&large)[0], 11 * MB).unwrap();
    host.set_written(&containers(&small)[0], 5 * MB).unwrap();
    reaches(&ann, &large.id, "saved").await;
    eventually(PATIENCE, "it says why it can't be saved", async || {
        show(&ann, &hidden.id).await.message.contains("too many files")
    })
    .await;
    assert!(!runs(host, &hidden), "nothing of it writes on while it waits to be saved");
    assert_eq!(show(&ann, &small.id).await.phase, "ready");
    assert!(runs(host, &small));
    for container in containers(&hidden) {
        host.set_uncounted(&container, false).unwrap();
    }
    // Saved before it is known that it need not stop, or after that people go on working in it.
    eventually(PATIENCE, "it gets on", async || {
        ["saved", "ready"].contains(&show(&ann, &hidden.id).await.phase.as_str())
    })
    .await;
    pool.cluster.assert_invariants().await;
}
