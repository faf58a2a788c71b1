//! The examples of the guide, taken out of it and run as they stand, each against a pool of its own on fake hosts.
#![cfg(test)]

use pierhead_testkit::{Cluster, ClusterOptions, SAMPLE};
use pierhead_wire::{AccountRequest, RoleView};
use std::path::PathBuf;
use std::process::Output;
use tokio::process::Command;

const NAME: &str = "ada";
const PASSWORD: &str = "a long secret";

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn guide() -> String {
    std::fs::read_to_string(repository().join("docs/guide.md")).unwrap()
}

/// The only block of a language.
fn block(language: &str) -> String {
    let guide = guide();
    let mut blocks = guide.split("\n```").filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n'));
    let block = blocks.next().unwrap_or_else(|| panic!("the guide has no block of {language}"));
    assert_eq!(blocks.next(), None, "the guide has one block of {language}");
    format!("{block}\n")
}

/// A pool with one host in it and one beside it, and an administrator whose password is known.
async fn pool() -> (Cluster, String) {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let beside = cluster.engine_request(1);
    cluster.admin().remove_engine(beside.id.as_deref().unwrap()).await.unwrap();
    let account = AccountRequest {
        username: Some(NAME.to_owned()),
        password: Some(PASSWORD.to_owned()),
        role: Some(RoleView { name: "admin".to_owned() }),
        ..AccountRequest::default()
    };
    cluster.admin().add_account(&account).await.unwrap();
    (cluster, beside.addr.unwrap())
}

/// Runs an example in such a pool, and looks at what it did there and what it said.
async fn check(mut example: Command) {
    let (cluster, host) = pool().await;
    let example = example
        .env("URL", cluster.url())
        .env("NAME", NAME)
        .env("PASSWORD", PASSWORD)
        .env("HOST", host)
        .env("IMAGE", SAMPLE)
        .kill_on_drop(true);
    let Output { status, stdout, stderr } =
        tokio::time::timeout(pierhead_testkit::PATIENCE, example.output()).await.expect("it ends").unwrap();
    let (said, told) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success() && told.is_empty(), "{status}: {said}{told}");
    for part in ["run-container", "scale-container"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains(PASSWORD), "{said}");
    let admin = cluster.admin();
    assert_eq!(admin.engines().await.unwrap().len(), 2, "the host was added");
    assert!(admin.apps().await.unwrap().is_empty(), "it leaves nothing behind");
    let kinds: Vec<String> = admin
        .events(1000)
        .await
        .unwrap()
        .iter()
        .filter(|event| event.actor.as_deref() == Some(NAME))
        .map(|event| event.kind.clone())
        .collect();
    for kind in ["add-engine", "run-container", "scale-container", "delete-app"] {
        assert!(kinds.iter().any(|done| done == kind), "{kind}: {kinds:?}");
    }
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn the_example_for_a_shell() {
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &block("sh")]);
    check(bash).await;
}

#[tokio::test]
async fn the_example_in_python() {
    let mut python = Command::new("python3");
    python.args(["-I", "-c", &block("python")]);
    check(python).await;
}

#[tokio::test]
async fn the_example_in_rust() {
    let source = repository().join("crates/client/examples/tour.rs");
    assert_eq!(block("rust"), std::fs::read_to_string(&source).unwrap(), "docs/guide.md and {}", source.display());
    // Examples are built with the tests of a package.
    let beside = std::env::current_exe().unwrap().parent().unwrap().join("../examples/tour");
    assert!(beside.exists(), "build it: cargo build -p pierhead-client --example tour");
    check(Command::new(beside)).await;
}
