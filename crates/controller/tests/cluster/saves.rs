//! Saves on fake hosts: whose they are, what they hold and how they differ, where their copies are, and when they go.

mod left;
mod registry;

use crate::asking::{refused, to_the_end};
use crate::detection::Pool;
use crate::workspaces::{containers, described, from, host_of, images, made, open, reaches, show};
use pierhead_client::Client;
use pierhead_engine::{EngineError, Fake, FakeImage, Verb};
use pierhead_model::{ContainerId, ImageReference, MemberName, Save, SaveId, SaveLimits, SaveTotals, WorkspaceId};
use pierhead_store::Transaction;
use pierhead_testkit::{ClusterOptions, Cut, PATIENCE, eventually, eventually_ok};
use pierhead_wire::{EnvironmentRequest, SaveView, WorkspaceRequest, WorkspaceView};
use std::collections::BTreeMap;
use std::time::Duration;

const MB: u64 = 1 << 20;

/// An environment of one container.
fn small(name: &str) -> EnvironmentRequest {
    let mut request = described(name, "exit 0");
    request.description.containers.truncate(1);
    request
}

/// A pool on which somebody has a workspace of one container.
async fn opened(options: ClusterOptions) -> (Pool, Client, WorkspaceView, ContainerId) {
    let pool = Pool::start_with(options).await;
    let ann = pool.cluster.user("ann").await;
    ann.add_environment(&small("lab")).await.unwrap();
    let workspace = open(&ann, "lab").await;
    let container = containers(&workspace).remove(0);
    (pool, ann, workspace, container)
}

fn hosts(hosts: usize) -> ClusterOptions {
    ClusterOptions { hosts, ..ClusterOptions::default() }
}

/// Saves a workspace, and gives the save once it is there.
async fn save(client: &Client, workspace: &WorkspaceView, name: &str) -> SaveView {
    client.save_workspace(&workspace.id, Some(name)).await.unwrap();
    // What is asked for before it is written down that it is done, is answered by the same.
    eventually_ok(PATIENCE, name, async || {
        let last = show(client, &workspace.id).await.last_save;
        let all = client.saves().await.unwrap().into_value();
        let found = all.into_iter().find(|save| save.name == name && last.as_ref() == Some(&save.id));
        found.ok_or_else(|| "it is not there".to_owned())
    })
    .await
}

fn of_save(save: &SaveView) -> WorkspaceRequest {
    WorkspaceRequest { save: Some(save.id.clone()), ..WorkspaceRequest::default() }
}

/// The id of what a host has under a name.
async fn on(host: &Fake, name: &str) -> Option<String> {
    host.engine().image(&ImageReference::parse(name).unwrap()).await.unwrap()
}

/// What an attempt to make the first save of a workspace, which failed, may leave on a host.
fn leave(pool: &Pool, host: &Fake, workspace: &WorkspaceView) {
    let id = SaveId::of(&WorkspaceId::parse(&workspace.id).unwrap(), 1);
    let name = Save::image(&id, &MemberName::parse("main").unwrap());
    let cluster = pool.cluster.controller().store().cluster_id().to_owned();
    let labels = BTreeMap::from([(Save::LABEL.to_owned(), cluster)]);
    host.put_image(FakeImage { id: format!("sha256:{}", "0e".repeat(32)), labels, ..FakeImage::new(&name) });
}

/// The hosts that have an image.
fn having(pool: &Pool, image: &str) -> Vec<String> {
    let has = pool.cluster.hosts().filter(|(_, host)| host.image_names().iter().any(|name| name == image));
    has.map(|(id, _)| id).collect()
}

#[tokio::test]
async fn versions_are_compared_with_what_was_before() {
    let (pool, ann, workspace, container) = opened(hosts(2)).await;
    let (_, host) = host_of(&pool, &workspace);
    let empty = save(&ann, &workspace, "empty").await;
    host.set_written(&container, 5 * MB).unwrap();
    let first = save(&ann, &workspace, "first").await;
    host.set_written(&container, 7 * MB).unwrap();
    let second = save(&ann, &workspace, "second").await;
    assert_eq!((empty.bytes, first.bytes, second.bytes), (0, 5 * MB, 7 * MB));
    assert_eq!(containers(&show(&ann, &workspace.id).await), [container], "it runs on");
    let changes = async |save: &SaveView, since: Option<&SaveView>| {
        let answer = ann.save_changes(&save.id, since.map(|since| since.id.as_str())).await.unwrap().into_value();
        let bytes = answer[0].files.iter().map(|file| (file.kind.clone(), file.bytes)).collect::<Vec<_>>();
        (answer.len(), answer[0].added, answer[0].removed, bytes)
    };
    let added = |bytes| ("added".to_owned(), bytes);
    assert_eq!(changes(&empty, None).await, (1, 0, 0, vec![]));
    assert_eq!(changes(&first, None).await, (1, 1, 0, vec![added(5 * MB)]));
    assert_eq!(changes(&first, Some(&empty)).await, changes(&first, None).await);
    assert_eq!(changes(&second, Some(&second)).await, (1, 0, 0, vec![]));
    let (_, there, gone, _) = changes(&first, Some(&second)).await;
    assert_eq!((there, gone), (1, 1));
    for (id, since, status) in
        [(&*first.id, "no save", 404), (&*first.id, "aaaaaaaaaa-1", 404), ("aaaaaaaaaa-1", "", 404)]
    {
        let since = (!since.is_empty()).then_some(since);
        assert_eq!(refused(ann.save_changes(id, since).await).0, status, "{id} {since:?}");
    }
}

#[tokio::test]
async fn no_name_of_a_save_is_lost_to_another() {
    let (pool, ann, workspace, _) = opened(hosts(2)).await;
    let held = pool.cluster.power().hold("squash ", 0, Cut::Before);
    let ask = async |name: Option<&str>| ann.save_workspace(&workspace.id, name).await;
    ask(Some("first")).await.unwrap();
    tokio::time::timeout(PATIENCE, held.reached()).await.unwrap();
    // The first has begun, so what is asked for now is another.
    let asked = ask(Some("second")).await.unwrap().into_value();
    assert_eq!((asked.saves_asked, asked.saves_taken), (2, 1));
    ask(Some("second")).await.unwrap();
    assert_eq!(ask(None).await.unwrap().into_value().saves_asked, 4);
    let (status, refusal) = refused(ask(Some("third")).await);
    assert_eq!((status, &*refusal.code), (409, "workspace_state"), "{refusal:?}");
    assert!(refusal.message.contains("has not begun"), "{refusal:?}");
    assert_eq!(show(&ann, &workspace.id).await.saves_asked, 4);
    held.release();
    let is_over = async || {
        let now = show(&ann, &workspace.id).await;
        now.saves_taken == 4 && now.phase == "ready"
    };
    eventually(PATIENCE, "all are taken up", is_over).await;
    let mut names: Vec<String> = ann.saves().await.unwrap().iter().map(|save| save.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["first", "second"]);
    // Without a name it has none: that of an earlier one is not taken again.
    ask(None).await.unwrap();
    eventually(PATIENCE, "it is taken up", async || show(&ann, &workspace.id).await.saves_taken == 5).await;
    eventually(PATIENCE, "it is there", async || ann.saves().await.unwrap().len() == 3).await;
    assert!(ann.saves().await.unwrap().iter().any(|save| !names.contains(&save.name)));
}

#[tokio::test]
async fn a_save_is_its_owners_even_for_guests_of_the_workspace() {
    let (pool, ann, workspace, _) = opened(hosts(2)).await;
    let bob = pool.cluster.user("bob").await;
    ann.share_workspace(&workspace.id, "bob", "driver").await.unwrap();
    bob.save_workspace(&workspace.id, Some("by a guest")).await.unwrap();
    eventually(PATIENCE, "it is saved", async || show(&ann, &workspace.id).await.last_save.is_some()).await;
    assert_eq!(ann.saves().await.unwrap()[0].name, "by a guest", "it is hers");
    let one = save(&ann, &workspace, "by ann").await;
    assert!(bob.saves().await.unwrap().is_empty());
    let image = one.containers[0].image.clone();
    bob.add_environment(&small("bobs")).await.unwrap();
    let bobs = bob.open_workspace(&from("bobs"), &to_the_end()).await.unwrap();
    let bobs = reaches(&bob, &bobs.id, "ready").await;
    let mut by_name = small("stolen");
    by_name.description.containers[0].image = image;
    let answers = [
        refused(bob.save(&one.id).await),
        refused(bob.save_changes(&one.id, None).await),
        refused(bob.delete_save(&one.id).await),
        refused(bob.save_environment(&one.id, "mine").await),
        refused(bob.open_workspace(&of_save(&one), &to_the_end()).await),
        refused(bob.start_workspace(&bobs.id, Some(&one.id)).await),
        refused(bob.add_environment(&by_name).await),
    ];
    assert!(answers.iter().all(|(status, _)| *status == 404), "{answers:?}");
    assert_eq!(bob.environments().await.unwrap().len(), 2);
    assert_eq!(show(&bob, &bobs.id).await.last_save, None);
    let own = save(&bob, &bobs, "his").await;
    assert_eq!(refused(bob.save_changes(&own.id, Some(&one.id)).await).0, 404, "nor is his compared with hers");
    let admin = pool.cluster.admin();
    assert_eq!(admin.save(&one.id).await.unwrap().owner, "ann");
    assert_eq!(ann.save(&one.id).await.unwrap().into_value(), one);
}

#[tokio::test]
async fn a_copy_of_a_save_is_another_workspace_with_the_same_files() {
    let (pool, ann, workspace, container) = opened(hosts(2)).await;
    host_of(&pool, &workspace).1.set_written(&container, 3 * MB).unwrap();
    let one = save(&ann, &workspace, "one").await;
    let copy = ann.open_workspace(&of_save(&one), &to_the_end()).await.unwrap();
    let copy = reaches(&ann, &copy.id, "ready").await;
    assert_ne!(copy.id, workspace.id);
    assert_eq!(images(&pool, &copy).into_iter().collect::<Vec<_>>(), [one.containers[0].image.clone()]);
    let (status, body) = refused(ann.delete_save(&one.id).await);
    assert_eq!((status, body.code.as_str()), (409, "save_needed"));
    assert!(ann.save(&one.id).await.is_ok(), "it is still there");
    // A save of the copy holds what the copy began with, too.
    host_of(&pool, &copy).1.set_written(&containers(&copy)[0], MB).unwrap();
    assert!(save(&ann, &copy, "of the copy").await.bytes > MB);
    for id in [&workspace.id, &copy.id] {
        ann.end_workspace(id, true).await.unwrap();
        reaches(&ann, id, "ended").await;
    }
    ann.delete_save(&one.id).await.unwrap();
    assert_eq!(refused(ann.delete_save(&one.id).await).0, 404);
    eventually(PATIENCE, "its images go", async || having(&pool, &one.containers[0].image).is_empty()).await;
    pool.cluster.assert_invariants().await;
}

#[tokio::test]
async fn an_environment_of_a_save_keeps_it() {
    let (pool, ann, workspace, container) = opened(hosts(2)).await;
    host_of(&pool, &workspace).1.set_written(&container, MB).unwrap();
    let one = save(&ann, &workspace, "one").await;
    let (status, body) = refused(ann.save_environment(&one.id, "No Name").await);
    assert_eq!((status, body.field.as_deref()), (400, Some("name")));
    assert_eq!(refused(ann.save_environment(&one.id, "lab").await).0, 409);
    let made_of = ann.save_environment(&one.id, "prepared").await.unwrap().into_value();
    assert_eq!((made_of.visibility.as_str(), made_of.version), ("private", 1));
    assert_eq!(made_of.description.containers[0].image, one.containers[0].image);
    ann.end_workspace(&workspace.id, true).await.unwrap();
    reaches(&ann, &workspace.id, "ended").await;
    let (status, body) = refused(ann.delete_save(&one.id).await);
    assert_eq!((status, body.code.as_str()), (409, "save_needed"));
    assert!(body.message.contains("environment prepared"), "{}", body.message);
    ann.delete_environment("lab").await.unwrap();
    open(&ann, "prepared").await;
}

#[tokio::test]
async fn what_would_be_too_much_is_not_saved_and_nothing_is_left_of_it() {
    let mut options = hosts(2);
    let most = SaveTotals { count: 1, bytes: 10 * MB };
    options.controller.save_limits = SaveLimits { person: most, ..SaveLimits::default() };
    let (pool, ann, workspace, container) = opened(options).await;
    let (_, host) = host_of(&pool, &workspace);
    host.set_written(&container, 11 * MB).unwrap();
    let says = async |words: &str| {
        eventually(PATIENCE, words, async || show(&ann, &workspace.id).await.message.contains(words)).await;
    };
    ann.save_workspace(&workspace.id, Some("large")).await.unwrap();
    says("delete saves that are not needed any more").await;
    assert_eq!(show(&ann, &workspace.id).await.phase, "ready", "people can go on working");
    assert_eq!((ann.saves().await.unwrap().len(), host.calls(Verb::Commit)), (0, 0), "it is not even begun");
    host.set_written(&container, MB).unwrap();
    let small = save(&ann, &workspace, "small").await;
    assert_eq!(show(&ann, &workspace.id).await.message, "");
    ann.save_workspace(&workspace.id, Some("one more")).await.unwrap();
    says("at most 1 saves may be kept, and there would be 2").await;
    host.set_written(&container, 11 * MB).unwrap();
    ann.stop_workspace(&workspace.id).await.unwrap();
    says("it could not be saved, so it is kept").await;
    assert_eq!((made(&pool), ann.saves().await.unwrap().len()), (1, 1));
    assert_eq!(refused(ann.delete_save(&small.id).await).1.code, "save_needed", "it would come back from that");
    ann.end_workspace(&workspace.id, true).await.unwrap();
    reaches(&ann, &workspace.id, "ended").await;
    assert_eq!(made(&pool), 0, "who gives it up needs no room");
}

#[tokio::test]
async fn who_has_as_many_saves_as_may_be_can_still_leave_and_come_back() {
    let mut options = hosts(2);
    let most = SaveTotals { count: 1, bytes: 100 * MB };
    options.controller.save_limits = SaveLimits { person: most, ..SaveLimits::default() };
    let (pool, ann, workspace, container) = opened(options).await;
    let (_, host) = host_of(&pool, &workspace);
    host.set_written(&container, MB).unwrap();
    let small = save(&ann, &workspace, "small").await;
    ann.stop_workspace(&workspace.id).await.unwrap();
    let stopped = reaches(&ann, &workspace.id, "saved").await;
    assert_ne!(stopped.last_save.as_deref(), Some(small.id.as_str()), "with what was done since");
    ann.start_workspace(&workspace.id, None).await.unwrap();
    reaches(&ann, &workspace.id, "ready").await;
    // The one that was made by itself counts, so that the number means what is listed.
    ann.save_workspace(&workspace.id, Some("large")).await.unwrap();
    eventually(PATIENCE, "it says why", async || {
        show(&ann, &workspace.id).await.message.contains("at most 1 saves may be kept, and there would be 3")
    })
    .await;
}

#[tokio::test]
async fn a_save_that_fails_half_way_leaves_nothing_behind() {
    let (pool, ann, workspace, container) = opened(hosts(2)).await;
    let (_, host) = host_of(&pool, &workspace);
    host.set_written(&container, MB).unwrap();
    let before = host.image_names();
    host.fail_always(Verb::Squash, EngineError::Failed("no room".to_owned()));
    ann.save_workspace(&workspace.id, None).await.unwrap();
    eventually(PATIENCE, "it says why", async || show(&ann, &workspace.id).await.message.contains("no room")).await;
    let now = show(&ann, &workspace.id).await;
    assert_eq!((now.phase.as_str(), containers(&now), now.last_save), ("ready", vec![container], None));
    assert!(ann.saves().await.unwrap().is_empty());
    assert_eq!(host.image_names(), before);
    host.heal();
    assert_eq!(save(&ann, &workspace, "again").await.state, "complete");
}

#[tokio::test]
async fn a_single_copy_gets_another_as_soon_as_there_is_a_host_for_it() {
    let mut options = hosts(2);
    options.controller.save_sweep_interval = Duration::from_millis(50);
    let (pool, ann, workspace, _) = opened(options).await;
    let (at, _) = host_of(&pool, &workspace);
    let other = 1 - at;
    pool.falls_silent(other);
    let (id, _) = pool.cluster.hosts().nth(other).unwrap();
    let admin = pool.cluster.admin();
    eventually(PATIENCE, "it is not healthy", async || admin.engine(&id).await.unwrap().health.status != "healthy")
        .await;
    let alone = save(&ann, &workspace, "alone").await;
    assert_eq!(
        (alone.state.as_str(), alone.copies.clone()),
        ("single-copy", workspace.engine.clone().into_iter().collect())
    );
    pool.returns(other);
    let both = eventually_ok(PATIENCE, "it has two", async || {
        let now = ann.save(&alone.id).await.unwrap().into_value();
        if now.state == "complete" { Ok(now) } else { Err(now.state) }
    })
    .await;
    assert_eq!((both.copies.len(), having(&pool, &alone.containers[0].image).len()), (2, 2));
}

#[tokio::test]
async fn what_no_host_that_answers_has_can_not_be_compared_now() {
    let (pool, ann, workspace, container) = opened(hosts(4)).await;
    host_of(&pool, &workspace).1.set_written(&container, MB).unwrap();
    let one = save(&ann, &workspace, "one").await;
    for (_, host) in pool.cluster.hosts().filter(|(id, _)| one.copies.contains(id)) {
        host.fail_always(Verb::Changes, EngineError::Failed("busy".to_owned()));
    }
    let (status, body) = refused(ann.save_changes(&one.id, None).await);
    assert_eq!((status, body.code.as_str()), (503, "save_away"));
    pool.cluster.host_named(&one.copies[1]).heal();
    assert_eq!(ann.save_changes(&one.id, None).await.unwrap()[0].added, 1, "any host that has it will do");
}

#[tokio::test]
async fn an_image_that_only_has_the_name_of_a_saves_is_not_taken_for_it() {
    let (pool, ann, workspace, container) = opened(hosts(4)).await;
    let (at, host) = host_of(&pool, &workspace);
    host.set_written(&container, MB).unwrap();
    for other in (0..4).filter(|other| *other != at) {
        leave(&pool, pool.host(other), &workspace);
    }
    let one = save(&ann, &workspace, "one").await;
    let name = &one.containers[0].image;
    let meant = on(host, name).await.unwrap();
    assert_eq!((one.state.as_str(), one.copies.len()), ("complete", 2));
    for copy in &one.copies {
        assert_eq!(on(pool.cluster.host_named(copy), name).await.as_ref(), Some(&meant), "{copy}");
        pool.cluster.admin().cordon_engine(copy).await.unwrap();
    }
    let elsewhere = ann.open_workspace(&of_save(&one), &to_the_end()).await.unwrap();
    let elsewhere = reaches(&ann, &elsewhere.id, "ready").await;
    assert!(!one.copies.contains(elsewhere.engine.as_ref().unwrap()));
    assert_eq!(on(host_of(&pool, &elsewhere).1, name).await, Some(meant), "nor where somebody begins from it");
}

#[tokio::test]
async fn what_a_save_that_failed_left_on_the_host_of_its_copy_goes() {
    let mut options = hosts(2);
    options.controller.save_sweep_interval = Duration::from_millis(50);
    let pool = Pool::start_with(options).await;
    let ann = pool.cluster.user("ann").await;
    ann.add_environment(&described("lab", "exit 0")).await.unwrap();
    let workspace = open(&ann, "lab").await;
    let other = pool.host(1 - host_of(&pool, &workspace).0);
    // Of two images one arrives.
    other.pass_next(Verb::Load);
    other.fail_always(Verb::Load, EngineError::Failed("no room".to_owned()));
    ann.save_workspace(&workspace.id, None).await.unwrap();
    eventually(PATIENCE, "it says why", async || show(&ann, &workspace.id).await.message.contains("no room")).await;
    assert_eq!((other.loads(), ann.saves().await.unwrap().len()), (1, 0));
    eventually(PATIENCE, "no host has anything of it", async || {
        pool.cluster.hosts().all(|(_, host)| !host.image_names().iter().any(|name| name.starts_with(Save::IMAGES)))
    })
    .await;
    other.heal();
    assert_eq!(save(&ann, &workspace, "again").await.state, "complete");
}

#[tokio::test]
async fn under_the_name_of_a_save_only_its_own_image_stays() {
    let mut options = hosts(3);
    options.controller.save_sweep_interval = Duration::from_millis(50);
    let (pool, ann, workspace, _) = opened(options).await;
    let one = save(&ann, &workspace, "one").await;
    let name = one.containers[0].image.clone();
    let (_, third) = pool.cluster.hosts().find(|(id, _)| !one.copies.contains(id)).unwrap();
    leave(&pool, third, &workspace);
    assert_eq!(having(&pool, &name).len(), 3);
    eventually(PATIENCE, "what is not the save's goes", async || on(third, &name).await.is_none()).await;
    assert_eq!(having(&pool, &name), one.copies);
    assert_eq!(ann.save(&one.id).await.unwrap().into_value(), one);
}

#[tokio::test]
async fn saves_that_are_newer_than_restored_records_stay_until_all_is_said_to_be_well() {
    let (pool, ann, workspace, _) = opened(hosts(3)).await;
    let one = save(&ann, &workspace, "one").await;
    let others = [save(&ann, &workspace, "two").await, save(&ann, &workspace, "three").await];
    // The newest is needed by its workspace.
    save(&ann, &workspace, "four").await;
    let name = one.containers[0].image.clone();
    let before = having(&pool, &name);
    // As it is after a restore from a backup that knew nothing of it.
    let restored = Transaction::new().put(pierhead_store::backup::RESTORED, *b"{}").delete(format!("saves/{}", one.id));
    pool.cluster.controller().store().commit(restored).await.unwrap();
    // Hosts are looked through when a save was removed.
    ann.delete_save(&others[0].id).await.unwrap();
    let asked = || pool.cluster.hosts().map(|(_, host)| host.calls(Verb::Ping)).sum::<u64>();
    let so_far = asked();
    eventually(PATIENCE, "hosts are asked on and on", async || asked() > so_far + 10).await;
    assert_eq!(having(&pool, &name), before);
    pool.cluster.admin().settle().await.unwrap();
    ann.delete_save(&others[1].id).await.unwrap();
    eventually(PATIENCE, "then it goes", async || having(&pool, &name).is_empty()).await;
}
