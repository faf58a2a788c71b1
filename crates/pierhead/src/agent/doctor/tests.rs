use super::*;
use clap::Parser;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

fn args(dir: &Path, socket: &Path) -> HostArgs {
    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        host: HostArgs,
    }
    let (dir, socket) = (dir.display().to_string(), socket.display().to_string());
    Flags::parse_from(["agent", "--state-dir", &dir, "--docker-socket", &socket]).host
}

/// What is wrong on a host with this socket that is in no pool.
async fn bad(socket: &Path) -> String {
    let dir = tempfile::tempdir().unwrap();
    let found = look(&args(dir.path(), socket)).await;
    assert!(found.good.is_empty() && found.bad[0].contains("in no pool"), "{found:?}");
    found.bad[1..].join("\n")
}

#[tokio::test]
async fn an_engine_that_is_not_there_and_one_that_has_stopped_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("docker.sock");
    assert!(bad(&socket).await.contains("not installed, or not started"));
    drop(UnixListener::bind(&socket).unwrap());
    assert!(bad(&socket).await.contains("the engine has stopped"));
    assert!(bad(&socket).await.contains(&format!("The engine does not answer at {}: ", socket.display())));
}

#[tokio::test]
async fn an_engine_whose_socket_may_not_be_opened_is_told() {
    if rustix::process::geteuid().is_root() {
        // Nothing is closed to root: the words are tested where they are made.
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("docker.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o000)).unwrap();
    assert!(bad(&socket).await.contains("in the group docker"));
}

#[test]
fn clocks_that_are_apart_and_a_host_that_waits_are_told() {
    let told = |waits, now_ms| {
        let mut found = Found::default();
        tell_standing("a:1", &Standing { engine: "web".to_owned(), waits, now_ms }, &mut found);
        assert_eq!(found.good.len(), 1);
        found.bad.join("\n")
    };
    assert_eq!(told(false, moment()), "");
    assert!(told(true, moment()).contains("pierhead engine approve web"));
    for now_ms in [moment() - 3_600_000, moment() + 3_600_000] {
        let words = told(false, now_ms);
        assert!(words.contains("s apart") && (words.contains("3600") || words.contains("3599")), "{words}");
    }
}

#[test]
fn a_directory_that_takes_no_file_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut found = Found::default();
    look_at_directory(dir.path(), &mut found);
    assert!(found.bad.is_empty() && std::fs::read_dir(dir.path()).unwrap().count() == 0, "{found:?}");
    look_at_directory(&dir.path().join("gone"), &mut found);
    // A device that is always full.
    let full = dir.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::os::unix::fs::symlink("/dev/full", full.join("doctor.new")).unwrap();
    look_at_directory(&full, &mut found);
    assert!(found.bad[0].contains("gone") && found.bad[1].contains("disk is full"), "{found:?}");
}

#[test]
fn what_is_left_of_a_certificate_is_told_in_a_unit_that_fits() {
    for (seconds, words) in [
        (8, "8 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7_199, "119 minutes"),
        (7_200, "2 hours"),
        (47 * 3600, "47 hours"),
        (90 * 24 * 3600 - 1, "89 days"),
    ] {
        assert_eq!(span(seconds), words);
    }
}

#[test]
fn what_was_found_is_told_to_people_and_to_programs() {
    let one = |text: &str| vec![text.to_owned()];
    let found = Found { good: one("A."), bad: one("B."), lacks: one("C.") };
    assert_eq!(told(&found, false).unwrap(), "ok       A.\nlacks    C.\nproblem  B.");
    let json: serde_json::Value = serde_json::from_str(&told(&found, true).unwrap()).unwrap();
    assert_eq!(json, serde_json::json!({ "ok": ["A."], "problems": ["B."], "lacks": ["C."] }));
}
