//! Terminals, against a whole pool of fake hosts: what goes in and comes out, exit codes, and lines that break.

use crate::session::Recorder;
use clap::{CommandFactory, Parser};
use pierhead_cli::{Cli, Output, Terminals, execute, report};
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, sample};
use std::io::{self, BufReader, Cursor, Read};
use std::sync::mpsc;

struct Ran {
    code: u8,
    out: String,
    err: String,
}

struct Pool {
    cluster: Cluster,
    folder: tempfile::TempDir,
}

impl Pool {
    async fn up() -> Self {
        let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
        cluster.run("web", 1, &sample()).await;
        Self { cluster, folder: tempfile::tempdir().unwrap() }
    }

    async fn run_as(&self, token: &str, words: &[&str], input: Box<dyn Read + Send>) -> Ran {
        let folder = self.folder.path().to_str().unwrap();
        let fixed = ["pierhead", "--url", self.cluster.url(), "--token", token, "--config-dir", folder];
        let cli = Cli::try_parse_from(fixed.iter().chain(words)).unwrap();
        let (out, err) = (Recorder::default(), Recorder::default());
        let input = Box::new(BufReader::new(input));
        let mut output = Output::new(Box::new(out.clone()), Box::new(err.clone()), input, Terminals::default());
        let done = execute(cli.command, &cli.connection, Cli::command, &mut output);
        // Others may do several things meanwhile, each of which is waited for.
        let code = match tokio::time::timeout(PATIENCE * 5, done).await.expect("it ends") {
            Ok(()) => 0,
            Err(error) => report(&error, &mut output),
        };
        Ran { code, out: out.text(), err: err.text() }
    }

    async fn run(&self, words: &[&str], input: &'static str) -> Ran {
        self.run_as(self.cluster.admin_token(), words, Box::new(Cursor::new(input))).await
    }
}

/// An input that is fed from elsewhere; its end is the end of the other side.
struct Fed(mpsc::Receiver<&'static str>);

impl Read for Fed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Ok(piece) = self.0.recv() else { return Ok(0) };
        buffer[..piece.len()].copy_from_slice(piece.as_bytes());
        Ok(piece.len())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_has_its_input_output_errors_and_exit_code() {
    let pool = Pool::up().await;
    let piped = pool.run(&["exec", "-i", "web", "--", "/bin/sh", "-c", "cat; echo oh >&2; exit 7"], "one\ntwo\n").await;
    assert_eq!((piped.code, piped.out.as_str(), piped.err.as_str()), (7, "one\ntwo\n", "oh\n"));
    let plain = pool.run(&["exec", "web", "--", "/bin/sh", "-c", "exit 0"], "never read").await;
    assert_eq!((plain.code, plain.out.as_str(), plain.err.as_str()), (0, "", ""));
    let missing = pool.run(&["exec", "web", "--", "/no/such/program"], "").await;
    assert_eq!(missing.code, 127, "{}", missing.err);
    let script = pool.run(&["exec", "-i", "web", "ash"], "echo from a script\nprint PIERHEAD_TERMINAL\nexit 3\n").await;
    assert_eq!(script.code, 3, "{}", script.err);
    assert!(script.out.starts_with("from a script\n") && script.out.lines().count() == 2, "{:?}", script.out);
    let nowhere = pool.run(&["exec", "nothing", "--", "true"], "").await;
    assert_eq!(nowhere.code, 3);
    assert!(nowhere.err.contains("neither an app nor a container"), "{}", nowhere.err);
    let no_terminal = pool.run(&["exec", "-it", "web"], "").await;
    assert_eq!(no_terminal.code, 2);
    assert!(no_terminal.err.contains("leave out -t"), "{}", no_terminal.err);
    eventually(PATIENCE, "nothing runs on", async || pool.cluster.host(0).processes() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminals_are_listed_shared_shown_and_ended() {
    let pool = Pool::up().await;
    assert!(pool.run(&["terminal"], "").await.out.contains("pierhead exec -it"));
    let (feed, fed) = mpsc::channel();
    let sitting =
        pool.run_as(pool.cluster.admin_token(), &["exec", "-i", "--name", "looking", "web", "ash"], Box::new(Fed(fed)));
    let others = async {
        let mut id = String::new();
        eventually(PATIENCE, "it is listed", async || {
            let listed = pool.run(&["terminal", "ls", "--json"], "").await.out;
            let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
            id = listed[0]["id"].as_str().unwrap_or_default().to_owned();
            !id.is_empty() && listed[0]["state"] == "running"
        })
        .await;
        let table = pool.run(&["terminals"], "").await.out;
        assert!(table.contains(&id) && table.contains("looking") && table.contains("admin"), "{table}");
        let ann = pool.cluster.user_token("ann").await;
        let refused = pool.run_as(&ann, &["attach", &id[..20]], Box::new(io::empty())).await;
        assert_eq!(refused.code, 3, "{}", refused.err);
        assert_eq!(pool.run(&["terminal", "share", "looking", "ann"], "").await.code, 0);
        let shown = pool.run(&["terminal", "show", &id[..20]], "").await.out;
        assert!(shown.contains("ann (viewer)") && shown.contains("a controller, with which it ends"), "{shown}");
        let looking = pool.run_as(&ann, &["attach", "--view", "looking"], Box::new(io::empty()));
        let ends = async {
            eventually(PATIENCE, "both are there", async || {
                let shown = pool.run(&["terminal", "show", &id], "").await.out;
                shown.contains("admin (driver)") && shown.contains("ann (viewer), ") | shown.contains(", ann (viewer)")
            })
            .await;
            feed.send("echo for everybody\n").unwrap();
            feed.send("exit 4\n").unwrap();
        };
        let (looked, ()) = tokio::join!(looking, ends);
        assert_eq!((looked.code, looked.out.as_str()), (4, "for everybody\n"), "{}", looked.err);
        let recorded = pool.run(&["terminal", "record", &id], "").await;
        assert!(recorded.code == 0 && recorded.out.contains("for everybody"), "{}", recorded.out);
        id
    };
    let (sat, id) = tokio::join!(sitting, others);
    assert_eq!((sat.code, sat.out.as_str()), (4, "for everybody\n"), "{}", sat.err);
    eventually(PATIENCE, "it has ended", async || {
        pool.run(&["terminal", "ls", "--all"], "").await.out.contains("ended (4)")
    })
    .await;
    assert_eq!(pool.run(&["terminal", "end", &id], "").await.code, 0);
    assert!(!pool.run(&["terminal", "ls", "--all"], "").await.out.contains(&id));
    assert_eq!(pool.run(&["terminal", "unshare", &id, "ann"], "").await.code, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_else_ends_what_one_sits_at() {
    let pool = Pool::up().await;
    let (feed, fed) = mpsc::channel();
    let sitting =
        pool.run_as(pool.cluster.admin_token(), &["exec", "-i", "--name", "mine", "web", "ash"], Box::new(Fed(fed)));
    let ends = async {
        eventually(PATIENCE, "it runs, and somebody sits there", async || {
            let shown = pool.run(&["terminal", "show", "mine"], "").await.out;
            shown.contains("admin (driver)") && pool.cluster.host(0).processes() == 1
        })
        .await;
        eventually(PATIENCE, "it is ended", async || pool.run(&["terminal", "end", "mine"], "").await.code == 0).await;
        drop(feed);
    };
    let (sat, ()) = tokio::join!(sitting, ends);
    assert!(sat.code == 1 && sat.err.contains("admin ended it"), "{}: {}", sat.code, sat.err);
    assert_eq!(pool.cluster.host(0).processes(), 0);
}
