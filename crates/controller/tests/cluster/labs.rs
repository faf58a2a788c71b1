//! Files of labs: what is kept of them, where the controller puts them, and what goes.

use pierhead_client::LabBefore;
use pierhead_controller::Options;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, quick};
use pierhead_wire::{LabRequest, PublishRequest};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

fn request(id: &str) -> LabRequest {
    LabRequest { id: id.to_owned(), title: None, visibility: None }
}

/// The names of the blobs that there are.
fn blobs(cluster: &Cluster) -> BTreeSet<String> {
    let entries = fs::read_dir(cluster.directory().join("labs")).unwrap();
    entries.flatten().map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// As if all of them had been written long ago.
fn age(cluster: &Cluster) {
    for name in blobs(cluster) {
        let file = File::options().write(true).open(cluster.directory().join("labs").join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(7_200)).unwrap();
    }
}

#[tokio::test]
async fn files_that_nothing_names_go_and_others_stay() {
    let controller = Options { sweep_interval: Duration::from_millis(50), ..quick() };
    let cluster = Cluster::start(ClusterOptions { hosts: 0, controller, ..ClusterOptions::default() }).await;
    let ann = cluster.user("ann").await;
    ann.add_lab(&request("kept")).await.unwrap();
    ann.add_lab(&request("gone")).await.unwrap();
    let write = async |id: &'static str, text: &'static str| {
        let written =
            ann.write_lab_file(id, "notes.md", LabBefore::Any, text.as_bytes(), Some(text.len() as u64)).await;
        format!("{}.tar", written.unwrap().digest)
    };
    let (published, draft) = (write("kept", "published").await, async { write("kept", "draft").await });
    ann.publish_lab("kept", &PublishRequest::default()).await.unwrap();
    let draft = draft.await;
    let gone = write("gone", "gone").await;
    age(&cluster);
    ann.delete_lab("gone").await.unwrap();
    // In a file of its own: what one person writes into one file within two minutes is one entry of the history.
    let young = ann.write_lab_file("kept", "more.md", LabBefore::Any, &b"young"[..], Some(5)).await;
    let young = format!("{}.tar", young.unwrap().digest);
    eventually(PATIENCE, "what nothing names is gone", async || !blobs(&cluster).contains(&gone)).await;
    let there = blobs(&cluster);
    assert!(there.contains(&published) && there.contains(&draft) && there.contains(&young), "{there:?}");
    // What is kept can still be read.
    let files = ann.lab_files("kept", "1").await.unwrap();
    assert!(files.iter().any(|file| format!("{}.tar", file.digest) == published));
    let mut stream = ann.read_lab_file("kept", "1", "notes.md").await.unwrap();
    assert_eq!(stream.next().await.unwrap().as_deref(), Some(&b"published"[..]));
}

#[tokio::test]
async fn what_is_written_again_is_young_again() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let ann = cluster.user("ann").await;
    ann.add_lab(&request("shell")).await.unwrap();
    let write = async || {
        let written = ann.write_lab_file("shell", "a.md", LabBefore::Any, &b"same"[..], Some(4)).await.unwrap();
        cluster.directory().join("labs").join(format!("{}.tar", written.digest))
    };
    let file = write().await;
    age(&cluster);
    ann.remove_lab_file("shell", "a.md", LabBefore::Any).await.unwrap();
    assert_eq!(write().await, file);
    let age = fs::metadata(&file).unwrap().modified().unwrap().elapsed().unwrap_or_default();
    assert!(age < Duration::from_secs(1_800), "a sweep of this moment would take it: {age:?}");
}

#[tokio::test]
async fn an_archive_that_is_too_large_is_refused_before_it_comes() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let begun = cluster.controller().begin_lab_archive(Some(1 << 30)).await;
    let refused = begun.err().map(|error| error.to_string()).unwrap();
    assert!(refused.contains("the archive of a lab may have at most"), "{refused}");
    assert!(cluster.controller().begin_lab_file(Some(40 << 20)).await.is_err());
    // What comes without a size is counted.
    let mut upload = cluster.controller().begin_lab_file(None).await.unwrap();
    let piece = vec![0_u8; 1 << 20];
    for _ in 0..32 {
        upload.write(&piece).await.unwrap();
    }
    assert!(upload.write(&piece).await.unwrap_err().to_string().contains("a file of a lab may have at most 33554432"));
    drop(upload);
    let left = blobs(&cluster).into_iter().filter(|name| name.ends_with(".part")).count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_new_controller_has_all_of_it() {
    let mut cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let ann = cluster.user("ann").await;
    ann.add_lab(&request("shell")).await.unwrap();
    ann.publish_lab("shell", &PublishRequest::default()).await.unwrap();
    cluster.crash().await;
    cluster.restart().await;
    let ann = cluster.user("ann").await;
    let page = ann.lab_page("shell", "newest", 0, None).await.unwrap();
    assert_eq!((page.title.as_str(), page.blocks.len()), ("First step", 1));
}
