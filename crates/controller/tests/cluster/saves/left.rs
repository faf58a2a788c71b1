//! What a registry has of saves that were deleted: it goes there too, and nothing waits for that.

use super::registry::told;
use super::*;
use pierhead_model::SaveRegistry;
use pierhead_wire::{RegistryChange, RegistryRequest};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SWEEP: Duration = Duration::from_millis(50);
/// `pool:right`.
const ACCOUNT: &str = "Basic cG9vbDpyaWdodA==";
const UNWRITTEN: &str = "sha256:00000000000000000000000000000000000000000000000000000000000000aa";

/// How a registry answers to who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mood {
    #[default]
    Deletes,
    Keeps,
    Away,
}

#[derive(Default)]
struct Seen {
    mood: Mood,
    /// The tags that it has, all under one digest.
    tags: Vec<String>,
    /// What was asked by the account, and of what part of a path behind `manifests/`.
    asked: Vec<(String, String)>,
    paths: Vec<String>,
}

/// The HTTP side of a registry, which asks for a password.
#[derive(Clone)]
struct Shelf(Arc<Mutex<Seen>>);

impl Shelf {
    /// Where it is, and what it sees.
    async fn open() -> (String, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shelf = Self(Arc::default());
        let serving = shelf.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.answer(stream).await;
            }
        });
        (address, shelf)
    }

    async fn answer(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let mut words = head.split_ascii_whitespace();
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let (path, last) = path.split_once("/manifests/").unwrap();
        let status = {
            let mut seen = self.0.lock().unwrap();
            if seen.mood == Mood::Away {
                return;
            }
            if head.contains(ACCOUNT) {
                seen.asked.push((method.to_owned(), last.to_owned()));
                seen.paths.push(path.to_owned());
                match (method, seen.mood) {
                    ("HEAD", _) if seen.tags.iter().any(|tag| tag == last) => {
                        format!("200 OK\r\nDocker-Content-Digest: {UNWRITTEN}")
                    }
                    ("HEAD", _) => "404 Not Found".to_owned(),
                    (_, Mood::Keeps) => "405 Method Not Allowed".to_owned(),
                    _ => "202 Accepted".to_owned(),
                }
            } else {
                "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"".to_owned()
            }
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _gone = stream.write_all(answer.as_bytes()).await;
    }

    fn is(&self, mood: Mood) {
        self.0.lock().unwrap().mood = mood;
    }

    fn has(&self, tag: String) {
        self.0.lock().unwrap().tags.push(tag);
    }

    fn deleted(&self) -> Vec<String> {
        let seen = self.0.lock().unwrap();
        seen.asked.iter().filter(|(method, _)| method == "DELETE").map(|(_, digest)| digest.clone()).collect()
    }

    fn paths(&self) -> Vec<String> {
        self.0.lock().unwrap().paths.clone()
    }
}

fn one_host(place: &str, sweep: Duration) -> ClusterOptions {
    let mut options = hosts(1);
    options.controller.save_registry = Some(SaveRegistry::parse(&format!("http://{place}/school")).unwrap());
    options.controller.save_sweep_interval = sweep;
    options
}

/// A workspace in a pool of one host, and a registry with the pool's account.
async fn opened_with(place: &str, options: ClusterOptions) -> (Pool, Client, WorkspaceView, ContainerId) {
    let (pool, ann, workspace, container) = opened(options).await;
    let [username, password] = ["pool", "right"].map(str::to_owned);
    let account = RegistryRequest { host: place.to_owned(), username, password };
    pool.cluster.admin().add_registry(&account).await.unwrap();
    (pool, ann, workspace, container)
}

/// The digest by which the registry knows the only container of a save.
async fn digest(pool: &Pool, save: &SaveView) -> String {
    let (record, _) = record(pool, save).await.unwrap();
    record.registry.unwrap().digests.into_values().next().unwrap()
}

async fn record(pool: &Pool, save: &SaveView) -> Option<(Save, pierhead_store::Revision)> {
    let store = pool.cluster.controller().store();
    let entry = store.get(&format!("saves/{}", save.id)).await.unwrap()?;
    Some((entry.json().unwrap(), entry.modified))
}

/// How many saves the registry is still to forget.
async fn left(pool: &Pool) -> usize {
    pool.cluster.controller().store().list("saves-left/", None, 100).await.unwrap().entries.len()
}

#[tokio::test]
async fn what_is_deleted_here_is_deleted_in_the_registry_and_nothing_else() {
    let (place, shelf) = Shelf::open().await;
    let (pool, ann, workspace, container) = opened_with(&place, one_host(&place, Duration::from_secs(3600))).await;
    let mut saves = Vec::new();
    for megabytes in 1..4 {
        pool.host(0).set_written(&container, megabytes * MB).unwrap();
        saves.push(save(&ann, &workspace, &megabytes.to_string()).await);
    }
    let mut gone = Vec::new();
    for save in &saves[..2] {
        gone.push(digest(&pool, save).await);
        ann.delete_save(&save.id).await.unwrap();
    }
    eventually(PATIENCE, "they are deleted there", async || left(&pool).await == 0).await;
    let mut deleted = shelf.deleted();
    deleted.sort();
    gone.sort();
    assert_eq!(deleted, gone);
    let cluster = pool.cluster.controller().store().cluster_id().to_ascii_lowercase();
    assert!(shelf.paths().iter().all(|path| *path == format!("/v2/school/{cluster}/pierhead/save")));
    assert!(ann.save(&saves[2].id).await.unwrap().registry.is_some());
    assert!(told(&pool).await.is_empty());
}

#[tokio::test]
async fn a_registry_that_is_away_or_keeps_everything_is_told_once_and_asked_again() {
    for (mood, words) in [
        (Mood::Away, ["does not answer", "controllers must reach the registry too"]),
        (Mood::Keeps, ["deletes nothing", "REGISTRY_STORAGE_DELETE_ENABLED"]),
    ] {
        let (place, shelf) = Shelf::open().await;
        let (pool, ann, workspace, _) = opened_with(&place, one_host(&place, SWEEP)).await;
        let one = save(&ann, &workspace, "one").await;
        // The workspace begins from its newest save.
        save(&ann, &workspace, "two").await;
        let digest = digest(&pool, &one).await;
        shelf.is(mood);
        ann.delete_save(&one.id).await.unwrap();
        assert!(record(&pool, &one).await.is_none(), "that waits for nothing");
        eventually(PATIENCE, "it is told", async || !told(&pool).await.is_empty()).await;
        tokio::time::sleep(SWEEP * 4).await;
        assert_eq!(left(&pool).await, 1);
        let events = told(&pool).await;
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0].0, "save-registry-keeps");
        assert!(words.iter().all(|words| events[0].1.contains(words)), "{events:?}");
        assert!(!events[0].1.contains("right"), "{events:?}");
        shelf.is(Mood::Deletes);
        eventually(PATIENCE, "it is deleted there", async || left(&pool).await == 0).await;
        assert_eq!(shelf.deleted().last(), Some(&digest));
    }
}

#[tokio::test]
async fn a_wrong_account_is_told_by_its_name() {
    let (place, shelf) = Shelf::open().await;
    let (pool, ann, workspace, _) = opened_with(&place, one_host(&place, SWEEP)).await;
    let one = save(&ann, &workspace, "one").await;
    save(&ann, &workspace, "two").await;
    let change = RegistryChange { username: "guest".to_owned(), password: "wrong-canary".to_owned() };
    pool.cluster.admin().set_registry(&place, &change).await.unwrap();
    ann.delete_save(&one.id).await.unwrap();
    eventually(PATIENCE, "it is told", async || !told(&pool).await.is_empty()).await;
    let events = told(&pool).await;
    assert!(events[0].1.contains("denies it to guest") && !events[0].1.contains("canary"), "{events:?}");
    assert!(shelf.deleted().is_empty());
}

#[tokio::test]
async fn what_was_pushed_and_not_written_down_is_found_by_its_name() {
    let (place, shelf) = Shelf::open().await;
    let options = one_host(&place, SWEEP);
    options.depot.set_away(true);
    let (pool, ann, workspace, _) = opened_with(&place, options).await;
    let one = save(&ann, &workspace, "one").await;
    let two = save(&ann, &workspace, "two").await;
    save(&ann, &workspace, "three").await;
    assert_eq!((one.registry.clone(), two.registry.clone()), (None, None));
    shelf.has(format!("{}-main", two.id));
    for save in [&one, &two] {
        ann.delete_save(&save.id).await.unwrap();
    }
    eventually(PATIENCE, "both are looked for", async || left(&pool).await == 0).await;
    assert_eq!(shelf.deleted(), [UNWRITTEN], "one of them was there");
}

#[tokio::test]
async fn what_another_save_has_under_the_same_digest_stays() {
    let (place, shelf) = Shelf::open().await;
    let (pool, ann, workspace, container) = opened_with(&place, one_host(&place, SWEEP)).await;
    let one = save(&ann, &workspace, "one").await;
    pool.host(0).set_written(&container, MB).unwrap();
    let two = save(&ann, &workspace, "two").await;
    pool.host(0).set_written(&container, 2 * MB).unwrap();
    save(&ann, &workspace, "three").await;
    let shared = digest(&pool, &one).await;
    let (mut other, revision) = record(&pool, &two).await.unwrap();
    for digest in other.registry.as_mut().unwrap().digests.values_mut() {
        digest.clone_from(&shared);
    }
    let key = format!("saves/{}", two.id);
    let same = Transaction::new().unchanged(key.clone(), revision).put_json(key, &other).unwrap();
    pool.cluster.controller().store().commit(same).await.unwrap();
    ann.delete_save(&one.id).await.unwrap();
    eventually(PATIENCE, "it was looked at", async || record(&pool, &one).await.is_none() && left(&pool).await == 0)
        .await;
    assert!(shelf.deleted().is_empty());
    ann.delete_save(&two.id).await.unwrap();
    eventually(PATIENCE, "it goes with the last", async || shelf.deleted() == [shared.clone()]).await;
}
