//! Files of containers through the tunnel: every byte in both directions, what breaks off, and whose they are.

use crate::bed::{Bed, in_time};
use crate::fake::CONTAINER;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use hyper::body::Bytes;
use pierhead_agent::{AgentError, Tunnel};
use pierhead_model::{ArchiveForm, FileAct, FileBefore, FilePath, FileTold};
use serde_json::json;
use std::io;
use std::os::unix::fs::MetadataExt;
use tempfile::TempDir;

type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// A container whose processes are this very program's, so its root is this machine's.
fn container() -> serde_json::Value {
    json!({
        "Id": CONTAINER,
        "State": {"Running": true, "Paused": false, "Pid": std::process::id()},
        "Config": {"Labels": {"pierhead.cluster": "c", "pierhead.workspace": "ab2"}},
        "NetworkSettings": {"Networks": {}},
    })
}

/// A folder in which somebody without capabilities may write, since it is theirs.
fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn at(folder: &TempDir, name: &str) -> FilePath {
    FilePath::parse(folder.path().join(name).to_str().unwrap()).unwrap()
}

fn write(path: FilePath, size: Option<u64>) -> FileAct {
    FileAct::Write { path, before: FileBefore::Any, mode: None, parents: false, size }
}

fn nothing() -> Pieces {
    stream::empty().boxed()
}

async fn act(tunnel: &Tunnel, workspace: &str, act: FileAct, bytes: Pieces) -> Result<(FileTold, Vec<u8>), String> {
    let asked = in_time("an answer", tunnel.files(workspace, CONTAINER, act, bytes)).await;
    let answer = asked.map_err(|error| match error {
        AgentError::Refused { message, .. } => {
            let told: serde_json::Value = serde_json::from_str(&message).unwrap();
            told["code"].as_str().unwrap().to_owned()
        }
        error => panic!("{error:?}"),
    })?;
    let told = answer.told.clone();
    let pieces: Vec<Bytes> = in_time("all bytes", answer.into_bytes().try_collect()).await.unwrap();
    Ok((told, pieces.concat()))
}

#[tokio::test]
async fn every_byte_goes_in_both_directions() {
    // Made before there is a tunnel: one in which nothing is asked is left.
    let all: Vec<u8> = (0..3_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let pieces: Vec<io::Result<Bytes>> = all.chunks(70_001).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let (bed, folder) = (Bed::up().await, folder());
    let tunnel = bed.tunnel().await;
    bed.fake.describe(container());
    let size = Some(all.len() as u64);
    let (told, rest) = act(&tunnel, "ab2", write(at(&folder, "a"), size), stream::iter(pieces).boxed()).await.unwrap();
    let FileTold::Entry(entry) = told else { panic!("{told:?}") };
    assert!(rest.is_empty() && entry.size == all.len() as u64);
    assert!(std::fs::read(folder.path().join("a")).unwrap() == all);
    let (told, back) = act(&tunnel, "ab2", FileAct::Read { path: at(&folder, "a") }, nothing()).await.unwrap();
    assert_eq!(told, FileTold::Entry(entry));
    assert!(back == all, "{} of {} bytes", back.len(), all.len());
    let pack = FileAct::Pack { path: at(&folder, ""), form: ArchiveForm::Tar };
    let (_, archive) = act(&tunnel, "ab2", pack, nothing()).await.unwrap();
    let mut archive = tar::Archive::new(archive.as_slice());
    let sizes: Vec<u64> = archive.entries().unwrap().map(|entry| entry.unwrap().size()).collect();
    assert_eq!(sizes, [0, all.len() as u64]);
    let (told, _) = act(&tunnel, "ab2", FileAct::List { path: at(&folder, "") }, nothing()).await.unwrap();
    let FileTold::Listing(listing) = told else { panic!("{told:?}") };
    assert_eq!((listing.entries.len(), listing.has_more), (1, false));
}

#[tokio::test]
async fn what_breaks_off_changes_nothing() {
    let (bed, folder) = (Bed::up().await, folder());
    let tunnel = bed.tunnel().await;
    bed.fake.describe(container());
    std::fs::write(folder.path().join("a"), "old").unwrap();
    let half = stream::iter([Ok(Bytes::from_static(b"half")), Err(io::Error::other("the browser went away"))]);
    let asked = in_time("an answer", tunnel.files("ab2", CONTAINER, write(at(&folder, "a"), None), half)).await;
    assert!(asked.is_err());
    let short = stream::iter([Ok(Bytes::from_static(b"half"))]).boxed();
    assert_eq!(act(&tunnel, "ab2", write(at(&folder, "a"), Some(5)), short).await, Err("broke_off".to_owned()));
    assert_eq!(std::fs::read_to_string(folder.path().join("a")).unwrap(), "old");
    crate::bed::until("nothing is left beside it", || std::fs::read_dir(folder.path()).unwrap().count() == 1).await;
}

#[tokio::test]
async fn a_file_is_its_containers_and_the_container_is_its_workspaces() {
    let (bed, folder) = (Bed::up().await, folder());
    let tunnel = bed.tunnel().await;
    let list = || FileAct::List { path: at(&folder, "") };
    let code = async |workspace: &str| act(&tunnel, workspace, list(), nothing()).await.map(drop);
    let refused = |code: &str| Err::<(), String>(code.to_owned());
    bed.fake.describe(container());
    assert_eq!(code("ab3").await, refused("not_of_workspace"));
    assert_eq!(code("../ab2").await, refused("malformed"));
    for (field, value, expected) in [("Running", false, "not_running"), ("Paused", true, "paused")] {
        let mut changed = container();
        changed["State"][field] = json!(value);
        bed.fake.describe(changed);
        assert_eq!(code("ab2").await, refused(expected));
    }
    let mut anew = container();
    anew["State"]["Pid"] = json!(1);
    bed.fake.describe_next(vec![container(), anew]);
    assert_eq!(code("ab2").await, refused("container_changed"));
    let mut nobody = container();
    nobody["Config"]["User"] = json!("nobody-of-this-name");
    bed.fake.describe(nobody);
    assert_eq!(code("ab2").await, refused("not_readable"));
}

#[tokio::test]
async fn what_is_written_belongs_to_the_containers_user() {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    // The folder of a test run may be closed to all but root.
    let (bed, folder) = (Bed::up().await, tempfile::tempdir_in("/tmp").unwrap());
    let tunnel = bed.tunnel().await;
    let mut theirs = container();
    theirs["Config"]["User"] = json!("4242:4243");
    bed.fake.describe(theirs);
    let word = || stream::iter([Ok(Bytes::from_static(b"word"))]).boxed();
    assert_eq!(act(&tunnel, "ab2", write(at(&folder, "a"), None), word()).await, Err("file_forbidden".to_owned()));
    std::os::unix::fs::chown(folder.path(), Some(4242), Some(4243)).unwrap();
    act(&tunnel, "ab2", write(at(&folder, "a"), None), word()).await.unwrap();
    let about = std::fs::metadata(folder.path().join("a")).unwrap();
    assert_eq!((about.uid(), about.gid(), about.mode() & 0o777), (4242, 4243, 0o644));
}

#[tokio::test]
async fn one_workspace_does_not_take_all_turns() {
    let (bed, folder) = (Bed::up().await, folder());
    let tunnel = bed.tunnel().await;
    bed.fake.describe(container());
    let large = std::fs::File::create(folder.path().join("a")).unwrap();
    large.set_len(64 << 20).unwrap();
    let read = || FileAct::Read { path: at(&folder, "a") };
    let mut held = Vec::new();
    // Nobody takes what they send, so each keeps its turn.
    for _ in 0..8 {
        held.push(in_time("an answer", tunnel.files("ab2", CONTAINER, read(), nothing())).await.unwrap());
    }
    assert_eq!(act(&tunnel, "ab2", read(), nothing()).await.map(drop), Err("busy".to_owned()));
    drop(held);
    let is_free = async || act(&tunnel, "ab2", FileAct::List { path: at(&folder, "") }, nothing()).await.is_ok();
    in_time("who goes away gives up their turn", async {
        while !is_free().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
