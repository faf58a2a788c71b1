//! Images that one host has and another one lacks: copied from host to host, only what is missing, and what goes wrong
//! on the way.

use crate::asking::{at_once, refused, run_options, running, to_the_end};
use pierhead_client::{RunOptions, Started};
use pierhead_engine::{EngineError, Fake, FakeImage, Verb};
use pierhead_model::ImageReference;
use pierhead_testkit::{Cluster, ClusterOptions, Cut, PATIENCE, described, eventually, image_archive, image_id};
use std::io::Cursor;
use std::time::Duration;

/// More than the layers of an image have in common with one that is sent whole: one layer of a fake's.
const ONE_LAYER: u64 = 16 * 1024;

async fn start(hosts: usize) -> Cluster {
    Cluster::start(ClusterOptions { hosts, ..ClusterOptions::default() }).await
}

fn shop() -> FakeImage {
    FakeImage::new("shop:1").layered(&["base", "middle", "top"])
}

fn reference(name: &str) -> ImageReference {
    ImageReference::parse(name).unwrap()
}

/// What a host has under a name.
async fn on(host: &Fake, name: &str) -> Option<String> {
    host.engine().image(&reference(name)).await.unwrap()
}

/// Only these hosts, counted from 0, take new containers.
async fn only(cluster: &Cluster, open: &[usize]) {
    for at in 0..cluster.hosts().count() {
        let id = format!("host-{}", at + 1);
        let done = match open.contains(&at) {
            true => cluster.admin().uncordon_engine(&id).await,
            false => cluster.admin().cordon_engine(&id).await,
        };
        done.unwrap();
    }
}

/// One container of an image on a host of one's choice; the refusal if it does not come to run.
async fn run_on(cluster: &Cluster, at: usize, image: &str, app: &str) -> Result<(), (u16, String)> {
    only(cluster, &[at]).await;
    let run = cluster.admin().run(&described(image), &run_options(app, 1), &to_the_end()).await;
    run.map(drop).map_err(|error| {
        let (status, body) = refused(Err::<(), _>(error));
        (status, body.message)
    })
}

#[tokio::test]
async fn only_the_missing_layers_come_from_the_host_that_has_the_image() {
    let cluster = start(2).await;
    cluster.host(0).put_image(shop());
    cluster.host(1).put_image(FakeImage::new("base:1").layered(&["base", "middle"]));
    // A registry has the name too: what hosts have is the same on all of them.
    cluster.host(1).publish_image(FakeImage::new("shop:1"));
    cluster.run("shop", 4, &described("shop:1")).await;
    let to = cluster.host(1);
    assert_eq!(on(to, "shop:1").await, on(cluster.host(0), "shop:1").await);
    assert_eq!((to.loads(), to.transfers(), cluster.host(0).loads()), (1, 0, 0), "one copy for all slots, and no pull");
    assert!((ONE_LAYER..2 * ONE_LAYER).contains(&to.loaded_bytes()), "{} bytes", to.loaded_bytes());
    assert_eq!(cluster.host(0).calls(Verb::Save), 1);
    assert_eq!(running(&cluster, "shop").len(), 4);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_single_layer_that_is_there_under_others_does_not_count() {
    let cluster = start(2).await;
    cluster.host(0).put_image(shop());
    cluster.host(1).put_image(FakeImage::new("other:1").layered(&["middle", "top"]));
    run_on(&cluster, 1, "shop:1", "shop").await.unwrap();
    assert!(cluster.host(1).loaded_bytes() > 3 * ONE_LAYER);
}

#[tokio::test]
async fn a_refusal_of_the_missing_layers_brings_the_whole_image() {
    let cluster = start(2).await;
    cluster.host(0).put_image(shop());
    let to = cluster.host(1);
    to.put_image(FakeImage::new("base:1").layered(&["base", "middle"]));
    to.fail_next(Verb::Load, EngineError::Failed("open layer.tar: no such file or directory".to_owned()));
    run_on(&cluster, 1, "shop:1", "shop").await.unwrap();
    assert_eq!((to.loads(), to.calls(Verb::Load), cluster.host(0).calls(Verb::Save)), (1, 2, 2));
    // Once, and not for ever.
    let error = EngineError::Failed("no".to_owned());
    to.fail_always(Verb::Load, error);
    to.remove_image(&reference("shop:1"));
    let (_, told) = run_on(&cluster, 1, "shop:1", "again").await.unwrap_err();
    assert!(told.contains("the engine failed: no"), "{told}");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn people_who_wait_are_told_what_is_copied_from_where() {
    let cluster = start(2).await;
    cluster.host(0).put_image(shop());
    cluster.host(1).put_image(FakeImage::new("base:1").layered(&["base", "middle"]));
    let held = cluster.power().hold("load ", 0, Cut::After);
    only(&cluster, &[1]).await;
    let run = cluster.admin().run(&described("shop:1"), &run_options("shop", 1), &at_once()).await.unwrap();
    let Started::Running(operation) = run else { panic!("it goes on") };
    let told = async || {
        let operation = cluster.admin().operation(&operation.id, None).await.unwrap().into_value();
        operation.verdicts.iter().map(|verdict| verdict.message.clone()).collect::<String>()
    };
    eventually(PATIENCE, "the copy is told of", async || {
        let told = told().await;
        told.starts_with("copies shop:1: 1 of 3 layers, ") && told.ends_with(" MB, from host-1")
    })
    .await;
    let app = cluster.admin().app("shop").await.unwrap();
    let slot = &app.slots[0].message;
    assert!(slot.starts_with("copies shop:1: 1 of 3 layers, ") && slot.ends_with(", from host-1"), "{slot}");
    held.release();
    eventually(PATIENCE, "it runs", async || cluster.admin().app("shop").await.unwrap().running == 1).await;
    assert_eq!(running(&cluster, "shop").len(), 1);
    assert!(!told().await.contains("copies"));
    assert_eq!(cluster.admin().app("shop").await.unwrap().slots[0].message, "");
}

#[tokio::test]
async fn a_host_that_breaks_off_is_replaced_by_another_one() {
    let cluster = start(3).await;
    for at in 0..2 {
        cluster.host(at).put_image(shop());
        cluster.host(at).break_next_save();
    }
    cluster.host(1).break_next_save();
    // The first of them breaks off, then the second, and nothing half-made is left.
    let (_, told) = run_on(&cluster, 2, "shop:1", "shop").await.unwrap_err();
    assert!(told.contains("copied from host-1: connection reset") && told.contains("from host-2"), "{told}");
    let cause = told.find("could not be copied").unwrap();
    assert!(
        told.find("nor could it be pulled instead").is_some_and(|registry| cause < registry),
        "cause first: {told}"
    );
    assert_eq!((on(cluster.host(2), "shop:1").await, cluster.host(2).loads()), (None, 0));
    // Host 2 breaks off once more, host 1 is well.
    run_on(&cluster, 2, "shop:1", "shop").await.unwrap();
    assert_eq!(cluster.host(2).loads(), 1);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_host_that_is_cut_off_in_the_middle_is_not_waited_for() {
    let cluster = start(2).await;
    cluster.host(0).put_image(shop());
    cluster.host(0).delay(Verb::Save, Duration::from_secs(4));
    cluster.host(1).publish_image(FakeImage::new("shop:1"));
    only(&cluster, &[1]).await;
    let admin = cluster.admin();
    let run =
        tokio::spawn(
            async move { admin.run(&described("shop:1"), &run_options("shop", 1), &to_the_end()).await.map(drop) },
        );
    eventually(PATIENCE, "the copy began", async || cluster.host(0).running(Verb::Save) > 0).await;
    cluster.host(0).hang();
    run.await.unwrap().unwrap();
    assert_eq!((cluster.host(1).transfers(), cluster.host(1).loads()), (1, 0), "the registry has it too");
    cluster.host(0).resume();
}

#[tokio::test]
async fn a_host_that_hangs_in_the_middle_is_replaced_by_another_one() {
    let cluster = start(3).await;
    cluster.host(0).put_image(shop());
    cluster.host(1).put_image(shop());
    // Whichever is asked first is the one that hangs.
    for at in 0..2 {
        cluster.host(at).delay(Verb::Save, Duration::from_secs(4));
    }
    only(&cluster, &[2]).await;
    let admin = cluster.admin();
    let run =
        tokio::spawn(
            async move { admin.run(&described("shop:1"), &run_options("shop", 1), &to_the_end()).await.map(drop) },
        );
    let begun = async || (0..2).any(|at| cluster.host(at).running(Verb::Save) > 0);
    eventually(PATIENCE, "the copy began", begun).await;
    let (hangs, gives) = if cluster.host(0).running(Verb::Save) > 0 { (0, 1) } else { (1, 0) };
    cluster.host(gives).delay(Verb::Save, Duration::ZERO);
    cluster.host(hangs).hang();
    run.await.unwrap().unwrap();
    assert_eq!((cluster.host(2).loads(), cluster.host(2).transfers()), (1, 0));
    assert!(cluster.host(gives).calls(Verb::Save) > 0);
    cluster.host(hangs).resume();
}

#[tokio::test]
async fn what_no_host_has_and_what_is_named_by_a_digest_is_pulled() {
    let cluster = start(2).await;
    let pinned = format!("shop@sha256:{}", "0f".repeat(32));
    cluster.host(0).put_image(FakeImage::new(&pinned));
    cluster.host(1).publish_image(FakeImage::new(&pinned));
    cluster.host(1).publish_image(FakeImage::new("web:1"));
    run_on(&cluster, 1, &pinned, "pinned").await.unwrap();
    run_on(&cluster, 1, "web:1", "web").await.unwrap();
    assert_eq!((cluster.host(1).transfers(), cluster.host(1).loads()), (2, 0));
}

#[tokio::test]
async fn who_wants_the_newest_asks_the_registry_first() {
    let cluster = start(2).await;
    cluster.host(0).put_image(shop());
    cluster.host(1).publish_image(FakeImage { id: "sha256:newer".to_owned(), ..FakeImage::new("shop:1") });
    only(&cluster, &[1]).await;
    let newest = |app: &str| RunOptions { pull: Some(true), ..run_options(app, 1) };
    cluster.admin().run(&described("shop:1"), &newest("shop"), &to_the_end()).await.unwrap();
    assert_eq!((on(cluster.host(1), "shop:1").await.unwrap().as_str(), cluster.host(1).loads()), ("sha256:newer", 0));
    // No registry has this one.
    cluster.host(0).put_image(FakeImage::new("own:1"));
    cluster.admin().run(&described("own:1"), &newest("own"), &to_the_end()).await.unwrap();
    assert_eq!(cluster.host(1).loads(), 1);
}

#[tokio::test]
async fn of_two_images_of_one_name_most_hosts_are_right() {
    let cluster = start(4).await;
    cluster.host(0).put_image(FakeImage { id: "sha256:rare".to_owned(), ..shop() });
    cluster.host(1).put_image(shop());
    cluster.host(2).put_image(shop());
    run_on(&cluster, 3, "shop:1", "shop").await.unwrap();
    assert_eq!(on(cluster.host(3), "shop:1").await, Some("sha256:shop:1".to_owned()));
}

#[tokio::test]
async fn a_host_gives_to_two_at_a_time() {
    let cluster = start(6).await;
    cluster.host(0).put_image(shop());
    cluster.host(0).delay(Verb::Save, Duration::from_millis(100));
    cluster.run("shop", 6, &described("shop:1")).await;
    assert_eq!(running(&cluster, "shop").len(), 6);
    assert!(cluster.host(0).most_at_once(Verb::Save) <= 2, "{} at once", cluster.host(0).most_at_once(Verb::Save));
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn an_upload_brings_a_host_only_the_layers_that_it_lacks() {
    let cluster = start(3).await;
    for at in 1..3 {
        cluster.host(at).put_image(FakeImage { layers: vec!["sha256:00".to_owned()], ..FakeImage::new("base:1") });
    }
    let archive = image_archive(&["shop:1"], "shop");
    let size = archive.len() as u64;
    cluster.admin().upload_image(Cursor::new(archive), Some(size), |_| {}).await.unwrap();
    cluster.host(2).fail_next(Verb::Load, EngineError::Failed("open layer.tar: no such file or directory".to_owned()));
    cluster.run("shop", 3, &described("shop:1")).await;
    for at in 0..3 {
        assert_eq!((on(cluster.host(at), "shop:1").await, cluster.host(at).loads()), (Some(image_id("shop")), 1));
    }
    // Its one layer is a head and a block. Where that was refused, all of it came then.
    assert_eq!(cluster.host(1).loaded_bytes(), cluster.host(0).loaded_bytes() - 1024);
    assert_eq!((cluster.host(1).calls(Verb::Load), cluster.host(2).calls(Verb::Load)), (1, 2));
}
