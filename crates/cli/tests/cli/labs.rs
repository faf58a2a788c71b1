//! Labs: from an empty folder to a published lab, and back; two folders of one lab; and what is refused.

use crate::scripted::Reply;
use crate::session::Session;
use pierhead_testkit::{Cluster, ClusterOptions};
use std::fs;
use std::path::Path;

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

const LAB: [(&str, &str); 3] = [
    ("lab.yaml", "title: Shell\ncontainers:\n  - {name: main, image: 'alpine:3.22'}\n"),
    ("steps/1-look.md", "---\nchecks:\n  - script: /checks/look.sh\n---\n# Look\n```sh run\nls\n```\n"),
    ("checks/look.sh", "test -e /tmp/looked\n"),
];

#[tokio::test]
async fn a_folder_becomes_a_published_lab_and_a_folder_again() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let token = cluster.user_token("ann").await;
    let session = Session::start().await;
    let (here, there) = (session.folder.path().join("shell"), session.folder.path().join("copy"));
    write(&here, &LAB);
    let run = async |line: &str| session.run_alone(&format!("--url {} --token {token} {line}", cluster.url())).await;
    let (from, to) = (here.display(), there.display());
    let pushed = run(&format!("lab push {from}")).await;
    assert_eq!((pushed.code, pushed.out.as_str()), (0, "pushed lab shell, revision 2: Shell\n"), "{pushed:?}");
    let published = run("lab publish shell --note first").await;
    assert_eq!(published.out, "lab shell is published as version 1: Shell\n", "{published:?}");
    let shown = run("lab show shell").await.out;
    assert!(shown.contains("Look") && shown.contains("first"), "{shown}");
    assert!(run("lab ls").await.out.contains("shell"));
    let pulled = run(&format!("lab pull shell {to}")).await;
    assert_eq!((pulled.code, pulled.out.as_str()), (0, format!("wrote 3 files to {to}\n").as_str()), "{pulled:?}");
    for (path, text) in LAB {
        assert_eq!(fs::read_to_string(there.join(path)).unwrap(), text, "{path}");
    }
    // Whoever has not seen what another folder pushed writes over nothing.
    write(&there, &[("steps/2-more.md", "# More\n")]);
    assert_eq!(run(&format!("lab push {to}")).await.code, 0);
    let stale = run(&format!("lab push {from}")).await;
    assert!(stale.code == 1 && stale.err.contains("changed meanwhile by ann"), "{stale:?}");
    let diff = run("lab diff shell").await.out;
    assert!(diff.contains("added steps/2-more.md") && diff.contains("+# More"), "{diff}");
    assert_eq!(run(&format!("lab push {from} --force")).await.code, 0);
    assert_eq!(run("lab diff shell").await.out, "nothing differs\n");
    let history = run("lab history shell").await.out;
    assert_eq!(history.matches("pushed").count(), 3, "{history}");
    assert!(run("lab restore shell 3").await.out.contains("as it was in revision 3"));
    assert!(run("lab set shell --visibility shared --author bob").await.err.contains("there is no account bob"));
    assert!(run("lab set shell --visibility shared").await.out.contains("is shared"));
    let refused = run(&format!("lab pull shell {to}")).await;
    assert!(refused.code == 2 && refused.err.contains("is there already"), "{refused:?}");
    assert_eq!(run("lab rm shell --yes").await.code, 0);
    assert_eq!(run("lab show shell").await.code, 3);
}

#[tokio::test]
async fn what_is_wrong_is_told_by_file_and_line() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let token = cluster.user_token("ann").await;
    let session = Session::start().await;
    let here = session.folder.path().join("bad");
    write(&here, &LAB);
    write(&here, &[("steps/2-bad.md", "# Bad\n\n![gone](gone.png)\n")]);
    let run = async |line: &str| session.run_alone(&format!("--url {} --token {token} {line}", cluster.url())).await;
    let refused = run(&format!("lab push {} --publish", here.display())).await;
    assert!(refused.code == 1 && refused.err.contains("steps/2-bad.md:3: error: "), "{refused:?}");
    let json = run("--json lab publish bad").await;
    let error: serde_json::Value = serde_json::from_str(json.err.trim()).unwrap();
    assert_eq!(
        (error["code"].as_str(), error["problems"][0]["line"].as_u64()),
        (Some("lab_invalid"), Some(3)),
        "{json:?}"
    );
    let empty = session.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let refused = run(&format!("lab push {}", empty.display())).await;
    assert!(refused.code == 2 && refused.err.contains("has no lab.yaml"), "{refused:?}");
    // A lab that somebody else may have made is not written over.
    let other = session.folder.path().join("other/bad");
    write(&other, &LAB);
    let refused = run(&format!("lab push {}", other.display())).await;
    assert!(refused.code == 2 && refused.err.contains("never pulled from it"), "{refused:?}");
}

#[tokio::test]
async fn an_archive_that_breaks_off_leaves_no_folder() {
    let session = Session::start().await;
    let lab = r#"{"id":"shell","owner":"ann","visibility":"private","title":"T","versions":[],"created_at":"x"}"#;
    session.server.json("GET /api/labs/shell", lab.to_owned());
    session.server.on("GET /api/labs/shell/archive?version=draft", Reply::Chunks(vec![b"no archive at all"]));
    let target = session.folder.path().join("out");
    let ran = session.run(&format!("lab pull shell {}", target.display())).await;
    assert!(ran.code != 0 && !target.exists(), "{ran:?}");
    let left = fs::read_dir(session.folder.path())
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("unfinished"));
    assert_eq!(left.count(), 0);
}
