//! That the firewall is kept, with a program that notes what it is told in place of `nft`.

use super::*;
use std::os::unix::fs::PermissionsExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

/// Keeps what it is told as the table, and tells it again.
const STAND_IN: &str = r#"#!/bin/sh
dir=$(dirname "$0")
test -e "$dir/broken" && { echo "Error: Operation not permitted" >&2; exit 1; }
case "$1" in
-f) cat > "$dir/new"; echo x >> "$dir/count"; mv "$dir/new" "$dir/table" ;;
*) cat "$dir/table" ;;
esac
"#;

const SOON: Duration = Duration::from_secs(60);

fn stand_in() -> (tempfile::TempDir, Firewall) {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("nft");
    // Written by another process: one that is forked meanwhile would hold it open for writing.
    let mut copy = std::process::Command::new("sh");
    copy.args(["-c", "printf '%s' \"$1\" > \"$2\"", "sh", STAND_IN]).arg(&program);
    assert!(copy.status().unwrap().success());
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    // Of no host: this one may join networks meanwhile.
    let firewall = Firewall { rules: || Ok(rules::rules(&[].into(), &[].into())), ..Firewall::with(&program) };
    (dir, firewall)
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, wait).await.expect(what);
}

#[tokio::test]
async fn it_is_written_once_and_put_back_when_it_is_gone() {
    let (dir, firewall) = stand_in();
    let table = dir.path().join("table");
    let count = || std::fs::read_to_string(dir.path().join("count")).unwrap_or_default().lines().count();
    let keeper = tokio::spawn({
        let firewall = firewall.clone();
        async move { firewall.keep().await }
    });
    assert_eq!(firewall.missing().await, None);
    let written = std::fs::read_to_string(&table).unwrap();
    assert!(written.contains("169.254.0.0/16") && count() == 1);
    std::fs::remove_file(&table).unwrap();
    until("it is put back", || std::fs::read_to_string(&table).is_ok_and(|now| now == written)).await;
    assert_eq!(count(), 2);
    std::fs::write(dir.path().join("broken"), "").unwrap();
    let mut standing = firewall.standing.subscribe();
    let lost = standing.wait_for(|standing| matches!(standing, Standing::Missing(_)));
    tokio::time::timeout(SOON, lost).await.unwrap().unwrap();
    assert!(firewall.missing().await.unwrap().contains("may not change the firewall"));
    std::fs::remove_file(dir.path().join("broken")).unwrap();
    let again = standing.wait_for(|standing| *standing == Standing::Kept);
    tokio::time::timeout(SOON, again).await.unwrap().unwrap();
    keeper.abort();
}

#[tokio::test(start_paused = true)]
async fn a_verdict_that_does_not_come_is_none() {
    let firewall = Firewall::default();
    assert!(firewall.missing().await.unwrap().contains("not written yet"));
}

/// An engine that has these networks.
async fn engine(dir: &Path, networks: &'static str) -> PathBuf {
    let socket = dir.join("engine.sock");
    let _old = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let length = stream.read(&mut asked).await.unwrap();
        assert!(String::from_utf8_lossy(&asked[..length]).starts_with("GET /networks?filters="));
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{networks}", networks.len());
        stream.write_all(head.as_bytes()).await.unwrap();
    });
    socket
}

#[tokio::test]
async fn it_goes_with_the_agent_unless_there_are_workspaces() {
    let (dir, firewall) = stand_in();
    let told = || std::fs::read_to_string(dir.path().join("table")).ok();
    firewall.leave(&engine(dir.path(), r#"[{"Name": "ph-abcdefgh23"}]"#).await).await;
    assert_eq!(told(), None, "nothing is removed");
    firewall.leave(&dir.path().join("nobody.sock")).await;
    assert_eq!(told(), None, "nobody knows");
    firewall.leave(&engine(dir.path(), "[]").await).await;
    assert_eq!(told().as_deref(), Some(rules::REMOVAL));
}

/// How often the table was written.
fn count(dir: &Path) -> usize {
    std::fs::read_to_string(dir.join("count")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn it_is_written_anew_when_it_differs_and_only_then() {
    let (dir, firewall) = stand_in();
    let table = dir.path().join("table");
    let mut written = None;
    for _ in 0..3 {
        firewall.hold(&mut written).await.unwrap();
        assert_eq!(count(dir.path()), 1);
    }
    let rules = std::fs::read_to_string(&table).unwrap();
    // The host joined another network, or asks another resolver.
    written.as_mut().unwrap().rules.push('#');
    firewall.hold(&mut written).await.unwrap();
    assert_eq!((count(dir.path()), &written.as_ref().unwrap().rules), (2, &rules));
    std::fs::write(&table, rules.replace("goto refused", "accept")).unwrap();
    firewall.hold(&mut written).await.unwrap();
    assert_eq!((count(dir.path()), std::fs::read_to_string(&table).unwrap()), (3, rules));
    // An agent that begins anew trusts nothing that it finds.
    firewall.hold(&mut None).await.unwrap();
    assert_eq!(count(dir.path()), 4);
}

#[tokio::test]
async fn what_could_not_be_written_or_looked_at_does_not_count_as_kept() {
    let (dir, firewall) = stand_in();
    let broken = dir.path().join("broken");
    std::fs::write(&broken, "").unwrap();
    let mut written = None;
    assert!(firewall.hold(&mut written).await.is_err() && written.is_none());
    std::fs::remove_file(&broken).unwrap();
    firewall.hold(&mut written).await.unwrap();
    std::fs::write(&broken, "").unwrap();
    assert!(firewall.hold(&mut written).await.is_err());
    assert!(written.is_none(), "whatever was there before may be gone");
    std::fs::remove_file(&broken).unwrap();
    firewall.hold(&mut written).await.unwrap();
    assert_eq!(count(dir.path()), 2, "it was written once more, although nobody had touched it");
}

#[tokio::test]
async fn where_the_hosts_networks_are_not_known_it_stays_as_it_was_and_does_not_count_as_kept() {
    let (dir, firewall) = stand_in();
    let mut written = None;
    firewall.hold(&mut written).await.unwrap();
    let table = std::fs::read_to_string(dir.path().join("table")).unwrap();
    let blind = Firewall { rules: || Err("the networks of this host are not known: x".to_owned()), ..firewall.clone() };
    assert!(blind.hold(&mut written).await.unwrap_err().contains("not known"));
    assert_eq!((count(dir.path()), std::fs::read_to_string(dir.path().join("table")).unwrap()), (1, table));
    let keeper = tokio::spawn({
        let blind = blind.clone();
        async move { blind.keep().await }
    });
    assert!(blind.missing().await.unwrap().contains("not known"));
    keeper.abort();
    firewall.hold(&mut written).await.unwrap();
    assert_eq!(count(dir.path()), 1, "nobody had touched it");
}

#[tokio::test]
async fn it_stays_when_an_engine_says_nothing_that_can_be_read() {
    let (dir, firewall) = stand_in();
    for answer in ["", "{}", "[", "null", "\"ph-abcdefgh23\""] {
        firewall.leave(&engine(dir.path(), answer).await).await;
        assert!(!dir.path().join("table").exists(), "{answer}");
    }
}
