//! What the program says of itself: help, manual pages, scripts for shells; and that it still lives.

use crate::scripted::Reply;
use crate::session::{Session, app};
use clap::CommandFactory;
use pierhead_cli::{Cli, Terminals};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

#[tokio::test]
async fn every_command_and_topic_has_its_help() {
    let session = Session::start().await;
    let all = session.run_alone("help").await;
    for part in ["Exit codes:", "130", "completion", "Usage: pierhead"] {
        assert!(all.code == 0 && all.out.contains(part), "{part}: {all:?}");
    }
    assert_eq!(session.run_alone("h").await.out, all.out, "the original's short form");
    assert!(session.run_alone("help app set").await.out.contains("Usage: pierhead app set"));
    assert!(session.run_alone("h run").await.out.contains("--memory"));
    assert!(session.run_alone("help exit-codes").await.out.contains("6    no controller answers"));
    assert!(session.run_alone("help json").await.out.contains("one document for each answer"));
    for (short, long) in [("edelete ID", "engine rm ID"), ("clusterinfo", "cluster info"), ("log ID", "logs ID")] {
        let names = session.run_alone("help short-names").await.out;
        assert!(names.lines().any(|line| line.contains(short) && line.contains(long)), "{short}: {names}");
    }
    let version = all.out.lines().find(|line| line.contains("--version")).map(|_| all.out.find("--version"));
    assert!(version.flatten() < all.out.find("Connection:"), "it is no matter of the connection: {}", all.out);
    assert!(session.run_alone("help environment").await.out.contains("PIERHEAD_TOKEN"));
    let json: Value = serde_json::from_str(&session.run_alone("--json help exit-codes").await.out).unwrap();
    assert!(json["help"].as_str().unwrap().contains("130"), "{json}");
    let ran = session.run_alone("help nonsense").await;
    assert!(ran.code == 2 && ran.err.contains("there is no command nonsense"), "{ran:?}");
}

/// Every command that is not hidden, as its page is called.
fn pages(command: &clap::Command, name: &str) -> Vec<String> {
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help");
    let below = shown.flat_map(|below| pages(below, &format!("{name}-{}", below.get_name())));
    std::iter::once(format!("{name}.1")).chain(below.collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn there_is_a_manual_page_for_each_command() {
    let session = Session::start().await;
    let folder = session.folder.path().join("not/yet/man1");
    let ran = session.run_alone(&format!("man --dir {}", folder.display())).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut written: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    written.sort();
    let mut expected = pages(&Cli::command(), "pierhead");
    expected.sort();
    assert_eq!(written, expected);
    assert!(written.len() > 40 && written.contains(&"pierhead-app-set.1".to_owned()));
    for page in &written {
        let text = std::fs::read_to_string(folder.join(page)).unwrap();
        let name = page.trim_end_matches(".1");
        assert!(text.lines().any(|line| line.starts_with(&format!(".TH {name} 1"))), "{page}: {text}");
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"] {
            assert!(text.contains(section), "{page} lacks {section}");
        }
        assert!(!text.contains('\u{1b}'), "{page}");
        is_formatted_without_complaint(&folder.join(page));
    }
    let one = session.run_alone("man").await;
    assert!(one.code == 0 && one.out.contains(".TH pierhead 1") && one.out.contains("Exit codes"), "{one:?}");
    let refused = session.run_alone("man --dir /proc/nowhere").await;
    assert!(refused.code == 1 && refused.err.contains("cannot write /proc/nowhere"), "{refused:?}");
}

/// groff warns of macros and escapes that it does not know. It is not on every machine.
fn is_formatted_without_complaint(page: &std::path::Path) {
    let Ok(output) = std::process::Command::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(page).output()
    else {
        return;
    };
    assert!(output.status.success() && output.stderr.is_empty(), "{}: {output:?}", page.display());
}

#[tokio::test]
async fn scripts_for_shells_call_the_program_again() {
    let session = Session::start().await;
    for shell in ["bash", "zsh", "fish"] {
        let ran = session.run_alone(&format!("completion {shell}")).await;
        assert!(ran.code == 0 && ran.out.contains("PIERHEAD_COMPLETE") && ran.out.contains("pierhead"), "{ran:?}");
    }
}

#[tokio::test]
async fn who_waits_longer_than_a_second_sees_that_something_goes_on() {
    let mut session = Session::start().await;
    let gate = Arc::new(Notify::new());
    session.server.on("GET /api/apps/web", Reply::Gated(gate.clone(), Box::new(Reply::Json(200, app("web")))));
    session.terminals = Terminals { stderr: true, ..Terminals::default() };
    let seen = session.progress.clone();
    let open_when_seen = async {
        tokio::time::timeout(Duration::from_secs(20), async {
            while !seen.text().contains("waiting for the controller") {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("a sign of life");
        gate.notify_one();
    };
    let (ran, ()) = tokio::join!(session.run("app web"), open_when_seen);
    assert!(ran.code == 0 && ran.out.contains("running  1 of 2"), "{ran:?}");
    session.terminals.stderr = false;
    gate.notify_one();
    assert_eq!(session.run("app web").await.err, "", "a script sees nothing of it");
}

/// A file of the project's documents.
fn document(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[tokio::test]
async fn every_short_name_is_told_in_the_help_and_in_the_guide() {
    let topic = Session::start().await.run_alone("help short-names").await.out;
    let guide = document("guide.md");
    let definition = Cli::command();
    let hidden: Vec<&str> =
        definition.get_subcommands().filter(|command| command.is_hide_set()).map(clap::Command::get_name).collect();
    assert!(hidden.len() > 10, "{hidden:?}");
    for name in hidden {
        assert!(topic.split([' ', ',', '\n']).any(|word| word == name), "{name}: {topic}");
        assert!(guide.contains(&format!("`{name}`")) || guide.contains(&format!("`{name} ")), "{name}");
    }
}

#[test]
fn the_guide_lists_every_path_of_the_api() {
    let guide = document("guide.md");
    let rows: Vec<&str> = guide.lines().filter(|line| line.starts_with("| ")).collect();
    let api: Value = serde_json::from_str(&document("openapi.json")).unwrap();
    for path in api["paths"].as_object().unwrap().keys() {
        let (above, last) = path.rsplit_once('/').unwrap();
        let names = |row: &&&str| row.contains(above) && row.contains(&format!("/{last}"));
        assert!(rows.iter().any(|row| names(&row)), "{path}");
    }
}
