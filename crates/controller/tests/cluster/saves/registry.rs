//! Saves in a registry: as the second place, while it is away or denies, and when hosts have lost what it has.

use super::*;
use pierhead_client::EventQuery;
use pierhead_engine::{RegistryAuth, Verb};
use pierhead_model::SaveRegistry;
use pierhead_wire::{RegistryChange, RegistryRequest};

const HOST: &str = "registry.lan:5000";
const SWEEP: Duration = Duration::from_millis(50);

/// So many hosts, and a registry for saves; hosts are looked through at once or hardly ever.
fn with_registry(count: usize, sweep: Duration) -> ClusterOptions {
    let mut options = hosts(count);
    options.controller.save_registry = Some(SaveRegistry::parse(&format!("{HOST}/school")).unwrap());
    options.controller.save_sweep_interval = sweep;
    options
}

fn seldom() -> Duration {
    Duration::from_secs(3600)
}

/// The name of the image of the only container of a save in the registry.
fn sent(save: &SaveView) -> String {
    format!("{}:{}-main", save.registry.as_ref().unwrap(), save.id)
}

fn guard(pool: &Pool, password: &str) {
    for (_, host) in pool.cluster.hosts() {
        host.guard_registry(RegistryAuth {
            server: HOST.to_owned(),
            username: "pool".to_owned(),
            password: password.to_owned(),
        });
    }
}

/// What was told of the registry, the first first.
pub(super) async fn told(pool: &Pool) -> Vec<(String, String)> {
    let events = pool.cluster.admin().find_events(&EventQuery::default()).await.unwrap().into_value();
    let about = events.into_iter().filter(|event| event.kind.starts_with("save-registry"));
    let mut all: Vec<_> = about.map(|event| (event.kind, event.message)).collect();
    all.reverse();
    all
}

async fn becomes(client: &Client, id: &str, what: &str, is_so: impl Fn(&SaveView) -> bool) -> SaveView {
    eventually_ok(PATIENCE, what, async || {
        let now = client.save(id).await.unwrap().into_value();
        if is_so(&now) { Ok(now) } else { Err(format!("{now:?}")) }
    })
    .await
}

#[tokio::test]
async fn a_pool_of_one_host_has_second_copies_in_the_registry() {
    let options = with_registry(1, seldom());
    let depot = options.depot.clone();
    let (pool, ann, workspace, container) = opened(options).await;
    let host = pool.host(0);
    host.set_written(&container, MB).unwrap();
    let one = save(&ann, &workspace, "one").await;
    assert_eq!((one.state.as_str(), one.why.as_deref(), one.copies.len()), ("complete", None, 1));
    let repository = one.registry.clone().unwrap();
    assert!(
        repository.starts_with("registry.lan:5000/school/") && repository.ends_with("/pierhead/save"),
        "{repository}"
    );
    assert_eq!(depot.names(), [sent(&one)]);
    let name = one.containers[0].image.clone();
    let meant = on(host, &name).await;
    assert!(!host.image_names().contains(&sent(&one)), "the host keeps no name of the registry");
    host.remove_image(&ImageReference::parse(&name).unwrap());
    let copy = ann.open_workspace(&of_save(&one), &to_the_end()).await.unwrap();
    reaches(&ann, &copy.id, "ready").await;
    assert_eq!(
        (on(host, &name).await, on(host, &sent(&one)).await),
        (meant, None),
        "the very same, under its own name"
    );
    assert!(
        host.worth_of_image(&name, &one.containers[0].image_id).is_some_and(|bytes| bytes >= MB),
        "with what was made"
    );
    assert!(told(&pool).await.is_empty());
    pool.cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_save_of_the_registry_is_opened_on_a_host_that_never_had_it() {
    let (pool, ann, workspace, container) = opened(with_registry(2, seldom())).await;
    let (at, host) = host_of(&pool, &workspace);
    host.set_written(&container, MB).unwrap();
    let one = save(&ann, &workspace, "one").await;
    let name = one.containers[0].image.clone();
    assert_eq!(one.copies, workspace.engine.clone().into_iter().collect::<Vec<_>>(), "the registry is enough");
    let other = pool.host(1 - at);
    assert_eq!(on(other, &name).await, None);
    host.remove_image(&ImageReference::parse(&name).unwrap());
    pool.cluster.admin().cordon_engine(&one.copies[0]).await.unwrap();
    let copy = ann.open_workspace(&of_save(&one), &to_the_end()).await.unwrap();
    let copy = reaches(&ann, &copy.id, "ready").await;
    assert_ne!(copy.engine, workspace.engine);
    assert_eq!(on(other, &name).await.as_ref(), Some(&one.containers[0].image_id));
}

#[tokio::test]
async fn a_registry_that_is_away_or_denies_is_told_once_and_sent_everything_later() {
    let options = with_registry(1, SWEEP);
    let depot = options.depot.clone();
    let (pool, ann, workspace, container) = opened(options).await;
    pool.host(0).set_written(&container, MB).unwrap();
    guard(&pool, "right");
    let admin = pool.cluster.admin();
    let account = |password: &str| (HOST.to_owned(), "pool".to_owned(), password.to_owned());
    let (host, username, password) = account("wrong");
    admin.add_registry(&RegistryRequest { host, username, password }).await.unwrap();
    let one = save(&ann, &workspace, "one").await;
    assert_eq!((one.state.as_str(), one.registry.clone()), ("single-copy", None));
    assert!(one.why.unwrap().contains("neither the registry nor a second host has it yet"));
    let first =
        eventually_ok(PATIENCE, "it is told", async || told(&pool).await.first().cloned().ok_or("not yet")).await;
    assert_eq!(first.0, "save-registry-away");
    for part in
        ["registry=registry.lan:5000/school", "denies it", "to pool, the pool's account", "pierhead registry set"]
    {
        assert!(first.1.contains(part), "{part}: {}", first.1);
    }
    assert!(!first.1.contains("wrong"), "{}", first.1);
    let (_, username, password) = account("right");
    admin.set_registry(HOST, &RegistryChange { username, password }).await.unwrap();
    becomes(&ann, &one.id, "it is complete", |save| save.state == "complete" && save.registry.is_some()).await;
    depot.set_away(true);
    let two = save(&ann, &workspace, "two").await;
    assert_eq!(two.state, "single-copy");
    depot.set_away(false);
    let two = becomes(&ann, &two.id, "that is complete too", |save| save.state == "complete").await;
    assert!(depot.names().contains(&sent(&two)));
    let kinds: Vec<String> = told(&pool).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["save-registry-away", "save-registry-back", "save-registry-away", "save-registry-back"]);
}

#[tokio::test]
async fn a_registry_that_is_away_is_asked_once_a_look_and_gets_everything_when_it_is_back() {
    let options = with_registry(1, seldom());
    let depot = options.depot.clone();
    depot.set_away(true);
    let (pool, ann, workspace, _) = opened(options).await;
    let asked = || pool.host(0).calls(Verb::Push);
    let mut away = Vec::new();
    for name in ["one", "two", "three"] {
        away.push(save(&ann, &workspace, name).await);
    }
    assert_eq!(asked(), 3, "each as it was made");
    // Hosts are looked through at once when a save is deleted. The newest is what the workspace begins from.
    ann.delete_save(&away.remove(0).id).await.unwrap();
    // A call counts from its beginning on.
    eventually(PATIENCE, "the registry is asked", async || asked() == 4 && pool.host(0).running(Verb::Push) == 0).await;
    depot.set_away(false);
    let four = save(&ann, &workspace, "four").await;
    assert_eq!(four.state, "complete");
    for one in &away {
        becomes(&ann, &one.id, "nobody waits for the next look", |save| save.registry.is_some()).await;
    }
    assert_eq!(asked(), 7, "once while it was away, for the fourth, and for the two that were left");
}

#[tokio::test]
async fn a_save_that_is_never_taken_holds_up_no_other() {
    let options = with_registry(1, SWEEP);
    let depot = options.depot.clone();
    depot.set_away(true);
    let (_pool, ann, workspace, _) = opened(options).await;
    let mut all = Vec::new();
    for name in ["one", "two", "three"] {
        all.push(save(&ann, &workspace, name).await);
    }
    depot.refuse(&all[0].id);
    depot.set_away(false);
    for one in &all[1..] {
        becomes(&ann, &one.id, "it is taken", |save| save.registry.is_some()).await;
    }
    assert!(ann.save(&all[0].id).await.unwrap().registry.is_none());
}

#[tokio::test]
async fn while_the_registry_is_away_another_host_has_the_copy() {
    let options = with_registry(2, SWEEP);
    let depot = options.depot.clone();
    depot.set_away(true);
    let (pool, ann, workspace, _) = opened(options).await;
    let one = save(&ann, &workspace, "one").await;
    assert_eq!((one.state.as_str(), one.copies.len(), one.registry.clone()), ("complete", 2, None));
    depot.set_away(false);
    let now = becomes(&ann, &one.id, "the registry has it too", |save| save.registry.is_some()).await;
    assert_eq!((now.state.as_str(), now.copies.len(), depot.names()), ("complete", 2, vec![sent(&now)]));
    assert_eq!(told(&pool).await.len(), 2);
}

#[tokio::test]
async fn what_somebody_removes_from_a_host_comes_back_from_the_registry() {
    let (pool, ann, workspace, _) = opened(with_registry(1, SWEEP)).await;
    let one = save(&ann, &workspace, "one").await;
    let (host, name) = (pool.host(0), one.containers[0].image.clone());
    host.remove_image(&ImageReference::parse(&name).unwrap());
    eventually(PATIENCE, "it is there again", async || on(host, &name).await.is_some()).await;
    assert_eq!(on(host, &name).await.as_ref(), Some(&one.containers[0].image_id));
    assert_eq!(ann.save(&one.id).await.unwrap().into_value(), one);
}

#[tokio::test]
async fn another_image_under_the_name_of_a_save_is_not_taken_for_it() {
    let options = with_registry(1, seldom());
    let depot = options.depot.clone();
    let (pool, ann, workspace, _) = opened(options).await;
    let one = save(&ann, &workspace, "one").await;
    let (host, name) = (pool.host(0), one.containers[0].image.clone());
    host.remove_image(&ImageReference::parse(&name).unwrap());
    assert!(depot.remove(&sent(&one)));
    host.publish_image(FakeImage::new(&sent(&one)));
    let copy = ann.open_workspace(&of_save(&one), &to_the_end()).await.unwrap();
    eventually(PATIENCE, "it says why", async || {
        show(&ann, &copy.id).await.message.contains("which is not the image of the save")
    })
    .await;
    assert_eq!(on(host, &name).await, None);
    // With each try it is there for a moment.
    eventually(PATIENCE, "nothing of it stays", async || on(host, &sent(&one)).await.is_none()).await;
}

#[tokio::test]
async fn what_a_crash_left_on_its_way_to_the_registry_goes() {
    let (pool, ann, workspace, _) = opened(with_registry(1, SWEEP)).await;
    let one = save(&ann, &workspace, "one").await;
    let (host, image) = (pool.host(0), ImageReference::parse(&one.containers[0].image).unwrap());
    host.engine().tag(&image, &ImageReference::parse(&sent(&one)).unwrap()).await.unwrap();
    host.put_image(FakeImage::new("registry.lan:5000/theirs/pierhead/save:x"));
    eventually(PATIENCE, "it goes", async || on(host, &sent(&one)).await.is_none()).await;
    assert!(on(host, image.as_str()).await.is_some(), "and the save stays");
    assert!(on(host, "registry.lan:5000/theirs/pierhead/save:x").await.is_some(), "nor is what others have touched");
}
