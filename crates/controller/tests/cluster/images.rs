//! Image archives: sent in, kept, brought to hosts that need them, and what goes wrong on the way.

use crate::asking::{refused, run_options, running, to_the_end};
use pierhead_client::{Client, ClientError, RunOptions};
use pierhead_engine::{EngineError, FakeImage, Verb};
use pierhead_model::ImageReference;
use pierhead_testkit::{Cluster, ClusterOptions, Cut, PATIENCE, described, eventually, image_archive, image_id, quick};
use pierhead_wire::{EventView, ImageView, SpreadView};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::Duration;

async fn start(hosts: usize) -> Cluster {
    Cluster::start(ClusterOptions { hosts, ..ClusterOptions::default() }).await
}

pub async fn send(client: &Client, archive: Vec<u8>) -> Result<ImageView, ClientError> {
    let size = archive.len() as u64;
    let sent = client.upload_image(Cursor::new(archive), Some(size), |_| {}).await;
    sent.map(pierhead_client::Answer::into_value)
}

/// What a host has under a name.
pub async fn on_host(cluster: &Cluster, at: usize, name: &str) -> Option<String> {
    cluster.host(at).engine().image(&ImageReference::parse(name).unwrap()).await.unwrap()
}

fn files(cluster: &Cluster) -> usize {
    std::fs::read_dir(cluster.directory().join("images")).map_or(0, Iterator::count)
}

/// Reads a spread to its end: the last step of each host.
pub async fn spread(client: &Client, name: &str, engines: &[&str]) -> BTreeMap<String, SpreadView> {
    let engines: Vec<String> = engines.iter().map(|&engine| engine.to_owned()).collect();
    let mut feed = client.spread_image(name, &engines).await.unwrap();
    let mut last = BTreeMap::new();
    while let Some((_, step)) = feed.next().await.unwrap() {
        last.insert(step.engine.clone(), step);
    }
    assert!(last.values().all(SpreadView::has_ended), "{last:?}");
    last
}

async fn newest_event(cluster: &Cluster, kind: &str) -> EventView {
    let query = pierhead_client::EventQuery { kind: Some(kind.to_owned()), ..Default::default() };
    cluster.admin().find_events(&query).await.unwrap().into_value().remove(0)
}

#[tokio::test]
async fn hosts_that_need_an_uploaded_image_get_it_without_a_registry() {
    let cluster = start(2).await;
    let ann = cluster.user("ann").await;
    let image = send(&ann, image_archive(&["ann/shop:1"], "shop")).await.unwrap();
    assert_eq!((image.id.as_str(), image.tags.as_slice()), (image_id("shop").as_str(), &["ann/shop:1".to_owned()][..]));
    assert_eq!(image.engines, Vec::<String>::new());
    assert_eq!(image.archive.as_ref().unwrap().uploaded_by, "ann");
    // By its name on two hosts, and by its id.
    cluster.run("shop", 4, &described("ann/shop:1")).await;
    cluster.run("shop-by-id", 1, &described(&image_id("shop"))).await;
    assert_eq!(running(&cluster, "shop").len() + running(&cluster, "shop-by-id").len(), 5);
    for at in 0..2 {
        assert_eq!(on_host(&cluster, at, "ann/shop:1").await, Some(image_id("shop")));
        // One load for all; whoever looked just before it ended loads once more.
        let (loads, pulls) = (cluster.host(at).loads(), cluster.host(at).transfers());
        assert!((1..=2).contains(&loads) && pulls == 0, "{loads} loads, {pulls} pulls");
    }
    let shown = ann.image("ann/shop:1").await.unwrap();
    assert_eq!(shown.engines, ["host-1", "host-2"]);
    let event = newest_event(&cluster, "upload-image").await;
    assert!(event.actor.as_deref() == Some("ann") && event.message.contains("tags=ann/shop:1"), "{event:?}");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn pull_asks_no_registry_for_a_name_that_was_uploaded() {
    let cluster = start(1).await;
    cluster.host(0).publish_image(FakeImage::new("shop:1"));
    send(&cluster.admin(), image_archive(&["shop:1"], "shop")).await.unwrap();
    let options = RunOptions { pull: Some(true), ..run_options("shop", 1) };
    cluster.admin().run(&described("shop:1"), &options, &to_the_end()).await.unwrap();
    assert_eq!(on_host(&cluster, 0, "shop:1").await, Some(image_id("shop")));
    assert_eq!(cluster.host(0).transfers(), 0);
}

#[tokio::test]
async fn the_newest_upload_has_the_name_everywhere() {
    let cluster = start(1).await;
    let admin = cluster.admin();
    send(&admin, image_archive(&["shop:1", "shop:old"], "first")).await.unwrap();
    cluster.run("before", 1, &described("shop:1")).await;
    send(&admin, image_archive(&["shop:1"], "second")).await.unwrap();
    cluster.run("after", 1, &described("shop:1")).await;
    assert_eq!(on_host(&cluster, 0, "shop:1").await, Some(image_id("second")));
    assert_eq!(admin.image("shop:1").await.unwrap().id, image_id("second"));
    let first = admin.image(&image_id("first")).await.unwrap();
    assert_eq!(first.archive.as_ref().unwrap().tags, ["shop:old"]);
    // The older archive still names the name that it has lost; it must not take it back.
    cluster.host(0).remove_image(&ImageReference::parse("shop:old").unwrap());
    let last = spread(&admin, "shop:old", &[]).await;
    assert_eq!(last["host-1"].state, "done");
    assert_eq!(on_host(&cluster, 0, "shop:old").await, Some(image_id("first")));
    assert_eq!(on_host(&cluster, 0, "shop:1").await, Some(image_id("second")));
}

#[tokio::test]
async fn the_same_image_is_one_record_and_one_file() {
    let cluster = start(1).await;
    let admin = cluster.admin();
    send(&admin, image_archive(&["shop:1"], "shop")).await.unwrap();
    send(&admin, image_archive(&["shop:1"], "shop")).await.unwrap();
    let both = send(&admin, image_archive(&["shop:2"], "shop")).await.unwrap();
    assert_eq!(both.archive.unwrap().tags, ["shop:1", "shop:2"]);
    let archives = admin.images().await.unwrap().iter().filter(|image| image.archive.is_some()).count();
    assert_eq!((archives, files(&cluster)), (1, 1));
    // A name that the file does not hold is there after a load all the same.
    cluster.run("shop", 1, &described("shop:2")).await;
    assert_eq!(on_host(&cluster, 0, "shop:2").await, Some(image_id("shop")));
}

#[tokio::test]
async fn names_and_archives_of_others_are_theirs() {
    let cluster = start(1).await;
    let (ann, bob, admin) = (cluster.user("ann").await, cluster.user("bob").await, cluster.admin());
    send(&ann, image_archive(&["ann/shop:1"], "ann")).await.unwrap();
    assert_eq!(refused(bob.delete_image("ann/shop:1").await).0, 403);
    // Names outside one's own namespace mean the same to everybody, wherever they come from and if anybody has them or not.
    for name in ["ann/shop:1", "shop:1", "pierhead/sample:1", "mysql:9", "bobby/shop:1", "registry.lan:5000/bob/shop:1"]
    {
        let (status, body) = refused(send(&bob, image_archive(&["bob/shop:1", name], "bob")).await);
        assert!(status == 403 && body.message.contains("yours begin with bob/"), "{name}: {body:?}");
    }
    assert_eq!((ann.image("ann/shop:1").await.unwrap().id.clone(), files(&cluster)), (image_id("ann"), 1));
    send(&ann, image_archive(&["ann/shop:1"], "ann again")).await.unwrap();
    send(&admin, image_archive(&["ann/shop:1"], "admin")).await.unwrap();
    assert_eq!(refused(send(&ann, image_archive(&["ann/shop:1"], "ann")).await).0, 403, "it is the admin's now");
    assert_eq!(refused(ann.delete_image(&image_id("ann again")).await).0, 404, "it went with its last name");
    cluster.run("shop", 1, &described("ann/shop:1")).await;
    admin.delete_image("ann/shop:1").await.unwrap();
    assert_eq!(refused(admin.delete_image("ann/shop:1").await).0, 404);
    assert_eq!(on_host(&cluster, 0, "ann/shop:1").await, Some(image_id("admin")), "what a host has stays");
    let event = newest_event(&cluster, "delete-image").await;
    assert!(event.message.contains(&image_id("admin")), "{event:?}");
    assert_eq!(files(&cluster), 0);
}

/// The names of an image, none if its archive is gone.
pub async fn names_of(client: &Client, content: &str) -> Vec<String> {
    let image = client.image(&image_id(content)).await;
    image.ok().and_then(|image| image.into_value().archive).map_or_else(Vec::new, |archive| archive.tags)
}

#[tokio::test]
async fn by_its_name_only_a_name_goes_and_by_its_id_only_what_is_all_ones_own() {
    let cluster = start(1).await;
    let (ann, bob, admin) = (cluster.user("ann").await, cluster.user("bob").await, cluster.admin());
    send(&ann, image_archive(&["ann/one:1", "ann/one:2"], "one")).await.unwrap();
    send(&admin, image_archive(&["one:1"], "one")).await.unwrap();
    send(&bob, image_archive(&["bob/one:1"], "one")).await.unwrap();
    let by_id = image_id("one");
    // Who sent it first has no more right to the names of the others than they to hers.
    let (status, body) = refused(ann.delete_image(&by_id).await);
    assert_eq!((status, body.code.as_str()), (403, "forbidden"));
    assert!(body.message.contains("bob/one:1 (bob), one:1 (admin)") && !body.message.contains("(ann)"), "{body:?}");
    for (client, name) in [(&ann, "one:1"), (&bob, "one:1"), (&bob, "ann/one:1"), (&bob, by_id.as_str())] {
        assert_eq!(refused(client.delete_image(name).await).0, 403, "{name}");
    }
    assert_eq!(names_of(&admin, "one").await, ["ann/one:1", "ann/one:2", "bob/one:1", "one:1"]);
    ann.delete_image("ann/one:1").await.unwrap();
    assert_eq!(refused(ann.delete_image("ann/one:1").await).0, 404);
    bob.delete_image("bob/one:1").await.unwrap();
    assert_eq!(names_of(&admin, "one").await, ["ann/one:2", "one:1"]);
    assert!(newest_event(&cluster, "delete-image").await.message.contains("tags=bob/one:1, left=ann/one:2 one:1"));
    admin.delete_image("one:1").await.unwrap();
    assert_eq!((names_of(&admin, "one").await.len(), files(&cluster)), (1, 1));
    ann.delete_image("ann/one:2").await.unwrap();
    assert_eq!((names_of(&admin, "one").await.len(), files(&cluster)), (0, 0), "it goes with its last name");
    // All one's own, and an administrator with those of others.
    send(&ann, image_archive(&["ann/two:1", "ann/two:2"], "two")).await.unwrap();
    ann.delete_image(&image_id("two")).await.unwrap();
    send(&ann, image_archive(&["ann/two:1"], "two")).await.unwrap();
    send(&bob, image_archive(&["bob/two:1"], "two")).await.unwrap();
    admin.delete_image(&image_id("two")).await.unwrap();
    assert_eq!((names_of(&admin, "two").await.len(), files(&cluster)), (0, 0));
    assert_eq!(refused(bob.delete_image("bob/two:1").await).0, 404, "its names went too");
}

#[tokio::test]
async fn an_archive_goes_when_its_last_name_is_taken_unless_an_app_names_its_id() {
    let controller = pierhead_controller::Options { sweep_interval: Duration::from_millis(50), ..quick() };
    let cluster = Cluster::start(ClusterOptions { hosts: 1, controller, ..ClusterOptions::default() }).await;
    let ann = cluster.user("ann").await;
    for content in ["first", "second", "third"] {
        send(&ann, image_archive(&["ann/shop:1"], content)).await.unwrap();
        assert_eq!((names_of(&ann, content).await.len(), files(&cluster)), (1, 1), "{content}");
    }
    assert_eq!(ann.images().await.unwrap().iter().filter(|image| image.archive.is_some()).count(), 1);
    cluster.run("pinned", 1, &described(&image_id("third"))).await;
    send(&ann, image_archive(&["ann/shop:1"], "fourth")).await.unwrap();
    assert_eq!(files(&cluster), 2);
    // It is there for new containers of the app, after sweeps too.
    cluster.host(0).remove_image(&ImageReference::parse("ann/shop:1").unwrap());
    cluster.admin().scale_app("pinned", 2, &to_the_end()).await.unwrap();
    assert_eq!(running(&cluster, "pinned").len(), 2);
    cluster.admin().delete_app("pinned", &to_the_end()).await.unwrap();
    eventually(PATIENCE, "it goes with the app", async || files(&cluster) == 1).await;
    assert!(ann.image(&image_id("third")).await.map_or(true, |image| image.archive.is_none()));
    assert_eq!(newest_event(&cluster, "delete-image").await.actor, None);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_load_that_fails_is_tried_again_and_then_told() {
    let cluster = start(2).await;
    send(&cluster.admin(), image_archive(&["shop:1"], "shop")).await.unwrap();
    cluster.host(0).fail_next(Verb::Load, EngineError::NoSpace("no space left on device".to_owned()));
    cluster.run("shop", 2, &described("shop:1")).await;
    assert_eq!(running(&cluster, "shop").len(), 2);
    send(&cluster.admin(), image_archive(&["other:1"], "other")).await.unwrap();
    for at in 0..2 {
        cluster.host(at).fail_always(Verb::Load, EngineError::NoSpace("no space left on device".to_owned()));
    }
    let run = cluster.admin().run(&described("other:1"), &run_options("other", 1), &to_the_end()).await;
    let (status, body) = refused(run);
    assert_eq!((status, body.code.as_str()), (503, "no_space"), "{body:?}");
    assert_eq!(running(&cluster, "other").len(), 0);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_host_that_loads_is_probed_as_ever() {
    let cluster = start(1).await;
    send(&cluster.admin(), image_archive(&["shop:1"], "shop")).await.unwrap();
    cluster.host(0).delay(Verb::Load, Duration::from_secs(2));
    let probes = cluster.host(0).calls(Verb::Ping);
    cluster.run("shop", 4, &described("shop:1")).await;
    assert!(cluster.host(0).calls(Verb::Ping) >= probes + 5, "a probe each 150 ms");
    assert_eq!((cluster.host(0).loads(), cluster.host(0).most_at_once(Verb::Load)), (1, 4));
}

#[tokio::test]
async fn a_spread_tells_of_each_host_how_it_ended() {
    let cluster = start(4).await;
    let admin = cluster.admin();
    send(&admin, image_archive(&["shop:1"], "shop")).await.unwrap();
    cluster.host(1).fail_next(Verb::Load, EngineError::Unreachable("connection reset".to_owned()));
    cluster.host(2).unreachable();
    eventually(PATIENCE, "the host is down", async || admin.engine("host-3").await.unwrap().health.status == "down")
        .await;
    let last = spread(&admin, "shop:1", &["host-1", "host-2", "host-3"]).await;
    let state = |host: &str| (last[host].state.as_str(), last[host].message.as_str());
    assert_eq!(state("host-1"), ("done", ""));
    assert!(state("host-2").0 == "failed" && state("host-2").1.contains("connection reset"), "{last:?}");
    assert!(state("host-3").0 == "failed" && state("host-3").1.contains("down"), "{last:?}");
    assert_eq!(on_host(&cluster, 3, "shop:1").await, None, "nobody asked for it there");
    let usable: Vec<String> = spread(&admin, "shop:1", &[]).await.into_keys().collect();
    assert_eq!(usable, ["host-1", "host-2", "host-4"]);
    assert_eq!(cluster.host(0).loads(), 1, "what is there is not loaded again");
    assert_eq!(admin.image("shop:1").await.unwrap().silent, ["host-3"]);
    for (name, engines) in [("shop:1", vec!["nowhere".to_owned()]), ("nothing:1", vec![])] {
        assert_eq!(refused(admin.spread_image(name, &engines).await).0, 404, "{name}");
    }
    assert!(newest_event(&cluster, "spread-image").await.message.contains("engines=host-1 host-2 host-4"));
}

#[tokio::test]
async fn who_stops_reading_a_spread_calls_it_off() {
    let cluster = start(1).await;
    send(&cluster.admin(), image_archive(&["shop:1"], "shop")).await.unwrap();
    cluster.host(0).delay(Verb::Load, Duration::from_secs(3));
    let mut feed = cluster.admin().spread_image("shop:1", &[]).await.unwrap();
    while feed.next().await.unwrap().expect("it goes on").1.state != "loading" {}
    drop(feed);
    eventually(PATIENCE, "the load is given up", async || cluster.host(0).running(Verb::Load) == 0).await;
    assert_eq!((cluster.host(0).loads(), on_host(&cluster, 0, "shop:1").await), (0, None));
}

#[tokio::test]
async fn what_is_no_archive_or_too_large_changes_nothing() {
    let controller = pierhead_controller::Options { largest_image_bytes: 100_000, ..quick() };
    let cluster = Cluster::start(ClusterOptions { hosts: 1, controller, ..ClusterOptions::default() }).await;
    let admin = cluster.admin();
    let whole = image_archive(&["shop:1"], "shop");
    let large = vec![0; 3 << 20];
    for (what, bytes, expected) in [
        ("noise", vec![b'x'; 5000], (400, "bad_archive")),
        ("nothing", vec![], (400, "bad_archive")),
        ("half", whole[..1500].to_vec(), (400, "bad_archive")),
        ("too much", large.clone(), (413, "too_large")),
    ] {
        let (status, body) = refused(send(&admin, bytes).await);
        assert_eq!((status, body.code.as_str()), expected, "{what}: {body:?}");
    }
    let unannounced = admin.upload_image(Cursor::new(large), None, |_| {}).await;
    assert_eq!(refused(unannounced).0, 413);
    assert_eq!(files(&cluster), 0);
    assert!(admin.images().await.unwrap().iter().all(|image| image.archive.is_none()));
    send(&admin, whole).await.unwrap();
}

/// The power is cut at the commit of the upload.
#[tokio::test]
async fn a_loss_of_power_leaves_a_whole_archive_or_none() {
    for (cut, kept) in [(Cut::Before, false), (Cut::After, true)] {
        let mut cluster = start(1).await;
        // What hosts tell is committed meanwhile too.
        cluster.power().cut_at_first("images/", cut);
        let admin = cluster.admin();
        let sent = tokio::spawn(async move { send(&admin, image_archive(&["shop:1"], "shop")).await.map(drop) });
        let power = cluster.power().clone();
        power.gone().await;
        cluster.crash().await;
        sent.abort();
        assert_eq!(files(&cluster), 1, "the file is there before its record");
        cluster.restart().await;
        cluster.all_healthy().await;
        let is_there = cluster.admin().image("shop:1").await.is_ok();
        assert_eq!((is_there, files(&cluster)), (kept, usize::from(kept)), "{cut:?}");
        send(&cluster.admin(), image_archive(&["shop:1"], "shop")).await.unwrap();
        cluster.run("shop", 1, &described("shop:1")).await;
        cluster.assert_invariants().await;
    }
}

#[tokio::test]
async fn an_archive_whose_file_is_lost_can_be_sent_in_again() {
    let cluster = start(1).await;
    let ann = cluster.user("ann").await;
    send(&ann, image_archive(&["ann/shop:1"], "shop")).await.unwrap();
    let folder = cluster.directory().join("images");
    for file in std::fs::read_dir(&folder).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    assert_eq!(refused(ann.spread_image("ann/shop:1", &[]).await).0, 400);
    let run = ann.run(&described("ann/shop:1"), &run_options("shop", 1), &to_the_end()).await;
    assert_eq!(refused(run).1.code, "no_such_image", "it is looked for as if it had never been sent in");
    send(&ann, image_archive(&["ann/shop:1"], "shop")).await.unwrap();
    let last = spread(&ann, "ann/shop:1", &[]).await;
    assert_eq!((last["host-1"].state.as_str(), files(&cluster)), ("done", 1));
}
