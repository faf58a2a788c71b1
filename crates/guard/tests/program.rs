//! The whole program, on a workspace of its own that keeps or breaks the rules.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn member(root: &Path, name: &str, dependencies: &str) {
    let manifest = format!(
        "[package]\nname = \"pierhead-{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"Apache-2.0\"\n\n\
         [dependencies]\n{dependencies}"
    );
    write(root, &format!("crates/{name}/Cargo.toml"), &manifest);
    write(root, &format!("crates/{name}/src/lib.rs"), "//! A crate.\n\npub fn f() {}\n");
    write(root, &format!("crates/{name}/tests/f.rs"), "//! Tests.\n\n#[test]\nfn f() {}\n");
}

/// A workspace of a planner above a model, which keeps every rule.
fn workspace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
    member(dir.path(), "model", "");
    member(dir.path(), "planner", "pierhead-model = { path = \"../model\" }\n");
    dir
}

fn guard(root: &Path) -> (Output, String) {
    let lock = Command::new(env!("CARGO")).args(["generate-lockfile", "--offline"]).current_dir(root).output().unwrap();
    assert!(lock.status.success(), "{}", String::from_utf8_lossy(&lock.stderr));
    let output = Command::new(env!("CARGO_BIN_EXE_pierhead-guard")).arg(root).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output, said)
}

#[test]
fn a_workspace_that_keeps_the_rules_passes() {
    let dir = workspace();
    let (output, said) = guard(dir.path());
    assert!(output.status.success(), "{said}");
    assert!(said.contains("every rule is kept"), "{said}");
}

#[test]
fn each_kind_of_breach_fails_and_is_named() {
    let breaches: [(&str, &str, &str); 4] = [
        ("crates/model/src/utils.rs", "//! Text.\n", "the name says nothing"),
        ("crates/planner/src/clock.rs", "//! Time.\nuse std::time::Instant;\n", "Instant in a crate that must be pure"),
        ("docs/guide.md", concat!("TO", "DO: write this\n"), "unfinished work"),
        (
            "crates/model/Cargo.toml",
            "[package]\nname = \"pierhead-model\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"GPL-3.0\"\n",
            "package pierhead-model is under GPL-3.0",
        ),
    ];
    for (path, text, finding) in breaches {
        let dir = workspace();
        write(dir.path(), path, text);
        let (output, said) = guard(dir.path());
        assert_eq!(output.status.code(), Some(1), "{path}: {said}");
        assert!(said.contains(finding), "{path}: {said}");
    }
}

#[test]
fn an_arrow_upwards_fails() {
    let dir = workspace();
    member(dir.path(), "planner", "");
    member(dir.path(), "model", "pierhead-planner = { path = \"../planner\" }\n");
    let (output, said) = guard(dir.path());
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("crate pierhead-model depends on pierhead-planner, against the direction"), "{said}");
}

#[test]
fn a_folder_without_a_workspace_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_pierhead-guard")).arg(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cargo metadata failed"));
}
