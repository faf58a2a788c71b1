//! What workspaces begin from: descriptions that are only shown to whom they are open, descriptions that are kept with
//! saves, and saves that somebody deletes at the same moment.

use crate::asking::{refused, to_the_end};
use crate::detection::Pool;
use crate::workspaces::{containers, described, from, open, reaches};
use pierhead_client::Client;
use pierhead_controller::keys;
use pierhead_model::{SaveId, WorkspaceId};
use pierhead_store::Transaction;
use pierhead_testkit::{PATIENCE, eventually_ok};
use pierhead_wire::{
    AsksDescription, EnvironmentChange, EnvironmentRequest, SaveView, WorkspaceRequest, WorkspaceView,
};

/// An environment whose description says something that others shall not read.
fn secretive(name: &str, secret: &str) -> EnvironmentRequest {
    let mut request = described(name, "exit 0");
    request.description.containers[0].environment.insert("SECRET".to_owned(), secret.to_owned());
    request
}

fn of_save(save: &SaveView) -> WorkspaceRequest {
    WorkspaceRequest { save: Some(save.id.clone()), ..WorkspaceRequest::default() }
}

/// Saves a workspace, and ends it.
async fn saved(client: &Client, workspace: &WorkspaceView) -> SaveView {
    client.end_workspace(&workspace.id, false).await.unwrap();
    let ended = reaches(client, &workspace.id, "ended").await;
    client.save(&ended.last_save.unwrap()).await.unwrap().into_value()
}

/// What a container of a workspace was told by its environment.
fn secret(pool: &Pool, workspace: &WorkspaceView) -> Option<String> {
    let host = pool.cluster.host_named(workspace.engine.as_ref().unwrap());
    let request = host.request(&containers(workspace)[0]).unwrap();
    request.spec.environment.get("SECRET").cloned()
}

/// Nothing is known any more of the workspace and its environment.
async fn forget(pool: &Pool, workspace: &WorkspaceView, more: &[String]) {
    let id = WorkspaceId::parse(&workspace.id).unwrap();
    let gone = Transaction::new().delete(keys::workspace(&id)).delete(keys::workspace_assignment(&id));
    let gone = more.iter().fold(gone, |gone, key| gone.delete(key.clone()));
    let revision = pool.cluster.controller().store().commit(gone).await.unwrap();
    pool.cluster.controller().reached(revision).await;
}

/// Resets a workspace: not sooner than two seconds after it was opened.
async fn reset(client: &Client, id: &str) -> WorkspaceView {
    eventually_ok(PATIENCE, "it may be reset", async || client.reset_workspace(id).await.map(drop)).await;
    reaches(client, id, "ready").await
}

#[tokio::test]
async fn a_save_is_opened_as_it_was_described_when_all_else_is_gone() {
    let pool = Pool::start(2, 150).await;
    let ann = pool.cluster.user("ann").await;
    ann.add_environment(&secretive("lab", "first")).await.unwrap();
    let opened = open(&ann, "lab").await;
    let save = saved(&ann, &opened).await;
    let changed = EnvironmentChange { description: Some(secretive("lab", "second").description), visibility: None };
    ann.set_environment("lab", &changed).await.unwrap();
    let copy = ann.open_workspace(&of_save(&save), &to_the_end()).await.unwrap();
    let copy = reaches(&ann, &copy.id, "ready").await;
    assert_eq!((copy.version, secret(&pool, &copy).as_deref()), (1, Some("first")), "not as it is described now");
    ann.end_workspace(&copy.id, true).await.unwrap();
    ann.delete_environment("lab").await.unwrap();
    forget(&pool, &opened, &[]).await;
    let copy = ann.open_workspace(&of_save(&save), &to_the_end()).await.unwrap();
    let copy = reaches(&ann, &copy.id, "ready").await;
    assert_eq!(secret(&pool, &copy).as_deref(), Some("first"));
    let made = ann.save_environment(&save.id, "again").await.unwrap();
    assert_eq!(made.description.containers[0].environment["SECRET"], "first");
    // What is kept lies nowhere in plain text.
    let files = std::fs::read_dir(pool.cluster.directory()).unwrap().flatten().map(|entry| entry.path());
    let read: Vec<u8> = files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!read.is_empty());
    let text = String::from_utf8_lossy(&read);
    assert!(!text.contains("\"SECRET\""), "descriptions are sealed");
}

#[tokio::test]
async fn what_is_not_open_to_somebody_is_not_described_to_them_by_a_reset_or_a_save() {
    let pool = Pool::start(2, 150).await;
    let (admin, bob) = (pool.cluster.admin(), pool.cluster.user("bob").await);
    admin.add_environment(&secretive("lab", "open")).await.unwrap();
    let opened = open(&bob, "lab").await;
    let saves_from = open(&bob, "lab").await;
    let save = saved(&bob, &saves_from).await;
    let mut hidden = secretive("lab", "hidden").description;
    hidden.asks = Some(AsksDescription { root: true, ..AsksDescription::default() });
    let hidden = EnvironmentChange { description: Some(hidden), visibility: Some("private".to_owned()) };
    admin.set_environment("lab", &hidden).await.unwrap();
    // By himself, and by an administrator, who may open it.
    for client in [&bob, &admin] {
        let anew = reset(client, &opened.id).await;
        assert_eq!((anew.version, secret(&pool, &anew).as_deref()), (1, Some("open")));
        assert!(anew.unconfined.is_empty(), "{:?}", anew.unconfined);
    }
    // Of a save that was made before descriptions were kept.
    let id = SaveId::parse(&save.id).unwrap();
    forget(&pool, &saves_from, &[format!("save-specs/{id}")]).await;
    assert_eq!(refused(bob.open_workspace(&of_save(&save), &to_the_end()).await).0, 404);
    assert_eq!(refused(bob.save_environment(&save.id, "mine").await).0, 404);
    assert_eq!(refused(bob.open_workspace(&from("lab"), &to_the_end()).await).0, 404);
    let shared = EnvironmentChange { description: None, visibility: Some("shared".to_owned()) };
    admin.set_environment("lab", &shared).await.unwrap();
    assert_eq!(reset(&bob, &opened.id).await.unconfined.len(), 1, "who may open it gets it as it is");
    let copy = bob.open_workspace(&of_save(&save), &to_the_end()).await.unwrap();
    assert_eq!(reaches(&bob, &copy.id, "ready").await.unconfined.len(), 1);
}

#[tokio::test]
async fn whoever_begins_from_a_save_touches_it_so_that_nobody_deletes_it_unseen() {
    let pool = Pool::start(2, 150).await;
    let ann = pool.cluster.user("ann").await;
    ann.add_environment(&described("lab", "exit 0")).await.unwrap();
    let opened = open(&ann, "lab").await;
    let save = saved(&ann, &open(&ann, "lab").await).await;
    let key = keys::save(&SaveId::parse(&save.id).unwrap());
    let revision = async || pool.cluster.controller().store().get(&key).await.unwrap().unwrap().modified;
    let mut before = revision().await;
    let mut is_touched = async |by: &str| {
        let now = revision().await;
        assert!(now > before, "{by}");
        before = now;
    };
    let copy = ann.open_workspace(&of_save(&save), &to_the_end()).await.unwrap();
    is_touched("a workspace").await;
    eventually_ok(PATIENCE, "it may be started", async || {
        ann.start_workspace(&opened.id, Some(&save.id)).await.map(drop)
    })
    .await;
    is_touched("a workspace that was there").await;
    ann.save_environment(&save.id, "prepared").await.unwrap();
    is_touched("an environment").await;
    let mut named = described("named", "exit 0");
    for (container, saved) in named.description.containers.iter_mut().zip(&save.containers) {
        container.image = format!("docker.io/{}", saved.image);
    }
    ann.add_environment(&named).await.unwrap();
    is_touched("an environment that names its images").await;
    let change = EnvironmentChange { description: Some(named.description), visibility: None };
    ann.set_environment("lab", &change).await.unwrap();
    is_touched("an environment that was described anew").await;
    assert_eq!(ann.save(&save.id).await.unwrap().into_value(), save, "and it stays as it is");
    reaches(&ann, &copy.id, "ready").await;
}

#[tokio::test]
async fn a_save_is_begun_from_or_deleted_and_never_both() {
    let pool = Pool::start(2, 150).await;
    let ann = pool.cluster.user("ann").await;
    ann.add_environment(&described("lab", "exit 0")).await.unwrap();
    for round in 0..4 {
        let save = saved(&ann, &open(&ann, "lab").await).await;
        let (request, change) = (of_save(&save), to_the_end());
        let (begun, deleted) = tokio::join!(ann.open_workspace(&request, &change), ann.delete_save(&save.id));
        assert!(begun.is_ok() != deleted.is_ok(), "round {round}: {begun:?} {deleted:?}");
        match begun {
            Ok(begun) => drop(reaches(&ann, &begun.id, "ready").await),
            Err(error) => assert_eq!(refused(Err::<(), _>(error)).0, 404),
        }
    }
    pool.cluster.assert_invariants().await;
}
