//! Verbs on one container: stop, start, restart, destroy, and what takes the place of one that is gone.

use crate::asking::{all_containers, ended, ids, refused, reserved_memory, running, to_the_end};
use pierhead_client::Verb::{Restart, Start, Stop};
use pierhead_engine::Verb;
use pierhead_model::{ContainerId, Resources};
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, SAMPLE, described, eventually_ok, job, sample};
use pierhead_wire::ImageDescription;

fn id(text: &str) -> ContainerId {
    ContainerId::parse(text).unwrap()
}

#[tokio::test]
async fn a_stopped_container_is_kept_with_its_room_and_left_alone() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let made = cluster.run("web", 2, &sample()).await;
    let (one, host) = (made[0].id.as_str(), made[0].engine.id.as_str());
    ended(admin.act(one, Stop, &to_the_end()).await.unwrap());
    assert!(!cluster.host_named(host).look().iter().any(|found| found.id == id(one) && found.state.is_running()));
    assert_eq!(admin.container(one).await.unwrap().state, "stopped");
    assert_eq!(reserved_memory(&cluster), 2 * 64, "its room is kept");
    cluster.assert_invariants().await;
    cluster.crash().await;
    cluster.restart().await;
    let admin = cluster.admin();
    cluster.assert_invariants().await;
    assert_eq!(admin.container(one).await.unwrap().state, "stopped", "also by the next controller");

    ended(admin.act(one, Start, &to_the_end()).await.unwrap());
    assert_eq!(running(&cluster, "web"), ids(&made), "it is the same container");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_restart_keeps_the_container_and_happens_once() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let made = cluster.run("web", 2, &sample()).await;
    let host = cluster.host_named(&made[0].engine.id);
    ended(admin.act(&made[0].id, Restart, &to_the_end()).await.unwrap());
    assert_eq!(host.calls(Verb::Restart), 1);
    ended(admin.act(&made[0].id, Stop, &to_the_end()).await.unwrap());
    ended(admin.act(&made[0].id, Restart, &to_the_end()).await.unwrap());
    assert_eq!(running(&cluster, "web"), ids(&made), "one that was stopped is started");
    ended(admin.act(&made[0].id, Start, &to_the_end()).await.unwrap());
    assert_eq!(host.calls(Verb::Restart), 1, "a start of what runs does nothing");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn destroying_one_lowers_the_replicas_by_one() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let made = cluster.run("web", 3, &sample()).await;
    ended(admin.act(&made[1].id, Stop, &to_the_end()).await.unwrap());
    for one in [&made[0], &made[1]] {
        ended(admin.destroy(&one.id, &to_the_end()).await.unwrap());
        assert_eq!(refused(admin.container(&one.id).await).0, 404);
    }
    assert_eq!(running(&cluster, "web"), ids(&made[2..]));
    assert_eq!(admin.app("web").await.unwrap().replicas, 1);
    ended(admin.destroy(&made[2].id, &to_the_end()).await.unwrap());
    assert_eq!(refused(admin.app("web").await).0, 404, "an app that a run made goes with its last container");
    assert_eq!((all_containers(&cluster), reserved_memory(&cluster)), (0, 0));
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_container_that_vanished_is_made_anew_and_named_by_the_old_id() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let made = cluster.run("web", 3, &sample()).await;
    let gone = &made[0];
    cluster.host_named(&gone.engine.id).vanish(&id(&gone.id));
    let heir = eventually_ok(PATIENCE, "the old id names its heir", async || {
        let Err(error) = admin.container(&gone.id).await else { return Err("it is still shown") };
        let (status, body) = refused::<()>(Err(error));
        assert_eq!(status, 404);
        body.replaced_by.ok_or("nothing took its place yet")
    })
    .await;
    cluster.assert_invariants().await;
    let now = running(&cluster, "web");
    assert!(now.contains(&heir) && now.len() == 3);
    assert_eq!(now.intersection(&ids(&made)).count(), 2, "the others are untouched");
    let by_prefix = refused(admin.container(&gone.id[..12]).await).1;
    assert_eq!(by_prefix.replaced_by.as_deref(), Some(heir.as_str()));
    let by_verb = refused(admin.act(&gone.id, Stop, &to_the_end()).await).1;
    assert_eq!(by_verb.replaced_by.as_deref(), Some(heir.as_str()));
}

#[tokio::test]
async fn a_container_that_exits_is_started_again() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let once_more = pierhead_wire::RestartDescription { name: "on-failure".to_owned(), maximum_retry_count: None };
    let image = ImageDescription { restart_policy: Some(once_more), ..sample() };
    let made = cluster.run("web", 2, &image).await;
    cluster.host(0).exit(&id(&made[0].id), 3).unwrap();
    cluster.assert_invariants().await;
    assert_eq!(running(&cluster, "web"), ids(&made), "as the same container");
    cluster.host(0).exit(&id(&made[0].id), 0).unwrap();
    cluster.assert_invariants().await;
    assert_eq!(running(&cluster, "web"), ids(&made[1..]), "with 0 it is done");
}

#[tokio::test]
async fn a_job_runs_again_when_asked_to() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let made = cluster.run("once", 1, &job()).await;
    let starts = cluster.host(0).calls(Verb::Start);
    ended(cluster.admin().act(&made[0].id, Start, &to_the_end()).await.unwrap());
    assert_eq!(cluster.host(0).calls(Verb::Start), starts + 1);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn containers_of_others_obey_administrators_only() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    let (admin, ann) = (cluster.admin(), cluster.user("ann").await);
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    let doomed = cluster.host(1).add_foreign("doomed", SAMPLE, Resources::default());
    cluster.run("web", 1, &described(SAMPLE)).await;
    let seen = async |id: &ContainerId| admin.container(id.as_str()).await.map(|found| found.state.clone());
    eventually_ok(PATIENCE, "both are seen", async || seen(&theirs).await.and(seen(&doomed).await)).await;
    for verb in [Start, Stop, Restart] {
        assert_eq!(refused(ann.act(theirs.as_str(), verb, &to_the_end()).await).0, 403);
    }
    assert_eq!(refused(ann.destroy(theirs.as_str(), &to_the_end()).await).0, 403);
    assert_eq!(refused(admin.scale_container(theirs.as_str(), 2, &to_the_end()).await).0, 403);
    ended(admin.act(doomed.as_str(), Stop, &to_the_end()).await.unwrap());
    assert_eq!(seen(&doomed).await.unwrap(), "stopped");
    ended(admin.destroy(doomed.as_str(), &to_the_end()).await.unwrap());
    assert_eq!(refused(admin.container(doomed.as_str()).await).0, 404);
    let told = admin.events(100).await.unwrap();
    assert!(told.iter().any(|event| event.kind == "destroy-container" && event.message.contains("doomed")));
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn room_that_foreign_containers_take_is_not_given_away() {
    let mut cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let all_of_it = Resources::new(4000, 8192);
    let theirs = cluster.add_foreign(0, "theirs", all_of_it);
    let admin = cluster.admin();
    eventually_ok(PATIENCE, "it is seen", async || admin.container(theirs.as_str()).await.map(drop)).await;
    let made = cluster.run("web", 4, &sample()).await;
    assert!(made.iter().all(|container| container.engine.id == "host-2"), "{made:?}");
    cluster.assert_invariants().await;
}
