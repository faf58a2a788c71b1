//! A full disk under the data directory. The test runs once more, in a child process whose disk is really full.

use crate::raw::Sender;
use pierhead_testkit::{Cluster, ClusterOptions, sample};
use std::path::{Path, PathBuf};
use std::process::Command;

const DIRECTORY: &str = "FULL_DISK_DIRECTORY";
const TEST: &str = "disk::a_full_disk_is_told_and_got_over";

#[test]
fn a_full_disk_is_told_and_got_over() {
    if let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) {
        return get_over(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    let exe = std::env::current_exe().unwrap();
    let mount = format!("mount -t tmpfs -o size=32m none '{}'", directory.path().display());
    let script = format!("{mount} && exec '{}' --exact {TEST} --nocapture", exe.display());
    let own_mounts: &[&str] = if rustix::process::geteuid().is_root() {
        &["--mount", "--propagation", "private"]
    } else {
        &["--user", "--map-root-user", "--mount"]
    };
    let mut command = Command::new("unshare");
    command.args(own_mounts).args(["sh", "-c", &script]).env(DIRECTORY, directory.path());
    let output = command.output().unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("1 passed"), "{told}\n{errors}");
}

#[tokio::main(flavor = "current_thread")]
async fn get_over(directory: &Path) {
    let data = tempfile::tempdir_in(directory).unwrap();
    let cluster = Cluster::start_in(data, ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let made = cluster.run("web", 2, &sample()).await;
    let admin = Sender::admin(&cluster);
    // Almost all of it is free, and yet less than what is left to the store.
    let sent = admin.send("POST", "/api/images", pierhead_testkit::image_archive(&["shop:1"], "shop")).await;
    assert_eq!((sent.status, sent.refusal().code.as_str()), (507, "disk_full"));
    let filler = directory.join("filler");
    // As much as there is room for.
    assert!(std::fs::write(&filler, vec![1; 40 << 20]).is_err());
    let value = "v".repeat(30_000);
    let fat = format!(r#"{{"image":{{"name":"a","environment":{{"A":"{value}","B":"{value}"}}}},"replicas":0}}"#);
    let mut refusal = None;
    for number in 0..500 {
        let answer = admin.send("PUT", &format!("/api/apps/fat-{number}?wait=0"), fat.clone()).await;
        if answer.status >= 400 {
            refusal = Some(answer);
            break;
        }
    }
    let refusal = refusal.expect("the disk took everything");
    assert_eq!((refusal.status, refusal.refusal().code.as_str()), (503, "store_full"));
    assert!(refusal.refusal().message.contains("no room left"), "{}", refusal.text);
    let sent = admin.send("POST", "/api/images", pierhead_testkit::image_archive(&["shop:1"], "shop")).await;
    assert_eq!((sent.status, sent.refusal().code.as_str()), (507, "disk_full"));
    assert_eq!(std::fs::read_dir(cluster.directory().join("images")).map_or(0, Iterator::count), 0);
    for path in ["/healthz", "/api/containers", "/api/apps", "/api/engines", "/api/events", "/api/cluster/info"] {
        assert_eq!(admin.get(path).await.status, 200, "{path}");
    }
    let run = admin.post("/api/containers?app=more&count=1", &fat_run(&value)).await;
    assert_eq!(run.refusal().code, "store_full");
    assert_eq!(admin.get("/api/apps/more").await.status, 404);
    assert!(
        made.iter().all(|made| cluster.hosts().any(|(_, host)| host.look().iter().any(|c| c.id.as_str() == made.id)))
    );

    // Who comes up on a full disk finds everything as it was.
    let mut cluster = cluster;
    cluster.crash().await;
    cluster.restart().await;
    let admin = Sender::admin(&cluster);
    assert_eq!(admin.get("/api/apps/web").await.status, 200);

    std::fs::remove_file(&filler).unwrap();
    assert_eq!(cluster.run("more", 2, &sample()).await.len(), 2);
    cluster.assert_invariants().await;
}

fn fat_run(value: &str) -> String {
    format!(r#"{{"name":"pierhead/sample:1","environment":{{"A":"{value}","B":"{value}"}}}}"#)
}
