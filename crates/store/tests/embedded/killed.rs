//! A process that is killed in the middle of its commits loses none that it acknowledged, and tears none.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pierhead_store::{Embedded, Revision, Store, StoreJson, Transaction};

const DIRECTORY: &str = "KILLED_STORE_DIRECTORY";
const CLIENTS: usize = 16;

/// After how many acknowledgements each child is killed; what it is doing at that moment is up to chance.
const MOMENTS: [usize; 12] = [1, 2, 3, 20, 64, 65, 150, 333, 700, 1500, 2500, 4000];

#[test]
fn acknowledged_commits_survive_a_kill() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return write_for_ever(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = HashMap::new();
    for moment in MOMENTS {
        kill_after(moment, directory.path(), &mut acknowledged);
        check(directory.path(), &acknowledged);
    }
}

/// What a client was told last: its round, and the revision.
type Acknowledged = HashMap<usize, (u64, Revision)>;

fn kill_after(moment: usize, directory: &Path, acknowledged: &mut Acknowledged) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::killed::acknowledged_commits_survive_a_kill", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(child.stdout.take().unwrap());
    let mut count = 0;
    for line in told.lines() {
        let line = line.unwrap();
        let Some(numbers) = line.strip_prefix("acknowledged ") else { continue };
        let numbers: Vec<u64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
        let client = usize::try_from(numbers[0]).unwrap();
        acknowledged.insert(client, (numbers[1], Revision::new(numbers[2])));
        count += 1;
        if count == moment {
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(count >= moment, "the child ended by itself after {count}: {status}");
}

#[tokio::main(flavor = "current_thread")]
async fn check(directory: &Path, acknowledged: &Acknowledged) {
    let store = Embedded::open(directory).unwrap();
    for (client, (round, revision)) in acknowledged {
        let (found, modified) = store.get_json::<u64>(&format!("client/{client}")).await.unwrap().unwrap();
        assert!(found >= *round && modified >= *revision, "{client}: {found} at {modified}, told {round}");
        let (twin, twin_modified) = store.get_json::<u64>(&format!("twin/{client}")).await.unwrap().unwrap();
        assert_eq!((twin, twin_modified), (found, modified), "both or none");
        let log = store.list(&format!("log/{client}/"), None, 1).await.unwrap();
        assert_eq!(log.entries[0].json::<u64>().unwrap(), found, "the old one deleted, the new one written");
        assert!(!log.more);
    }
    assert_eq!(store.list_all("leased/").await.unwrap().entries, [], "nobody holds those leases any more");
    whole_history(&store).await;
}

/// The history that survived ends with exactly the documents that survived.
async fn whole_history(store: &Embedded) {
    let listing = store.list_all("").await.unwrap();
    let mut watch = store.watch("", Revision::ZERO).await.unwrap();
    let mut built = HashMap::new();
    let mut last = Revision::ZERO;
    while last < listing.revision {
        let changes = tokio::time::timeout(Duration::from_secs(30), watch.next()).await.unwrap().unwrap();
        assert_eq!(changes.revision, last.next(), "no revision is missing");
        last = changes.revision;
        for change in changes.changes {
            match change.entry {
                Some(entry) => built.insert(change.key, entry),
                None => built.remove(&change.key),
            };
        }
    }
    assert_eq!(built.len(), listing.entries.len());
    assert!(listing.entries.iter().all(|entry| built.get(&entry.key) == Some(entry)));
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn write_for_ever(directory: &Path) {
    let store = Arc::new(Embedded::open(directory).unwrap());
    let lease = store.grant(Duration::from_secs(3600)).await.unwrap();
    store.commit(Transaction::new().put_leased("leased/a", *b"1", lease)).await.unwrap();
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let store = Arc::clone(&store);
        clients.spawn(async move {
            let (own, twin) = (format!("client/{client}"), format!("twin/{client}"));
            let mut round = store.get_json::<u64>(&own).await.unwrap().map_or(0, |(round, _)| round);
            loop {
                round += 1;
                let write = Transaction::new()
                    .put_json(own.as_str(), &round)
                    .and_then(|write| write.put_json(twin.as_str(), &round))
                    .and_then(|write| write.put_json(format!("log/{client}/{round}"), &round))
                    .unwrap()
                    .delete(format!("log/{client}/{}", round - 1));
                let revision = store.commit(write).await.unwrap();
                let line = format!("acknowledged {client} {round} {}\n", revision.value());
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        });
    }
    clients.join_next().await.unwrap().unwrap();
}
