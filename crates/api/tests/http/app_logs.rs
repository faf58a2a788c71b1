//! The logs of all containers of an app as one.

use crate::raw::Sender;
use pierhead_client::{Change, Client, LogOptions, LogStream, Wait};
use pierhead_engine::{EngineError, Verb};
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, job, sample};
use pierhead_wire::ContainerView;
use std::time::Duration;

async fn cluster(hosts: usize) -> Cluster {
    Cluster::start(ClusterOptions { hosts, ..ClusterOptions::default() }).await
}

fn to_the_end() -> Change {
    Change::new(Wait::UntilEnded)
}

/// The containers of an app by their slots.
async fn replicas(cluster: &Cluster, count: u32) -> Vec<ContainerView> {
    let mut containers = cluster.run("web", count, &sample()).await;
    containers.sort_by_key(|container| container.slot);
    containers
}

/// A log that is followed, with what came of it so far.
struct Followed {
    stream: LogStream,
    text: String,
}

impl Followed {
    async fn begin(client: &Client, options: LogOptions) -> Self {
        let options = LogOptions { follow: true, ..options };
        Self { stream: client.app_logs("web", &options).await.unwrap(), text: String::new() }
    }

    /// Reads on until it says something.
    async fn until(&mut self, wanted: &str) {
        let read = async {
            while !self.text.contains(wanted) {
                let Some(bytes) = self.stream.next().await.unwrap() else { panic!("it ended: {}", self.text) };
                self.text.push_str(&String::from_utf8(bytes).unwrap());
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, read).await.is_ok();
        assert!(in_time, "never {wanted:?} in {}", self.text);
    }

    async fn the_whole(mut self) -> String {
        while let Some(bytes) = self.stream.next().await.unwrap() {
            self.text.push_str(&String::from_utf8(bytes).unwrap());
        }
        self.text
    }
}

#[tokio::test]
async fn lines_of_all_replicas_come_in_the_order_in_which_they_were_written() {
    let cluster = cluster(3).await;
    let containers = replicas(&cluster, 3).await;
    for (at, of) in [0, 2, 1, 1, 0, 2].into_iter().enumerate() {
        cluster.print(&containers[of], &format!("line {at}"));
        // The clock of the hosts tells milliseconds.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let admin = Sender::admin(&cluster);
    let all = "web.0.1 line 0\nweb.2.1 line 1\nweb.1.1 line 2\nweb.1.1 line 3\nweb.0.1 line 4\nweb.2.1 line 5\n";
    let lines = |text: &str| {
        text.lines().filter(|line| !line.starts_with('#')).fold(String::new(), |all, line| all + line + "\n")
    };
    let answer = admin.get("/api/apps/web/logs").await;
    assert_eq!((answer.status, lines(&answer.text).as_str()), (200, all));
    assert_eq!(answer.text.matches(" has ended\n").count(), 3, "{answer:?}");
    let last = lines(&admin.get("/api/apps/web/logs?tail=1").await.text);
    assert_eq!(last, "web.1.1 line 3\nweb.0.1 line 4\nweb.2.1 line 5\n", "the last one of each");
    let stamped = lines(&admin.get("/api/apps/web/logs?timestamps=true&tail=1").await.text);
    for line in stamped.lines() {
        let at = line.split(' ').nth(1).unwrap();
        assert!(pierhead_wire::parse_timestamp(at).is_some(), "{line}");
    }
    assert_eq!(lines(&admin.get("/api/apps/web/logs?since=4000000000").await.text), "");
}

#[tokio::test]
async fn replicas_that_come_and_go_are_followed() {
    let cluster = cluster(2).await;
    let admin = cluster.admin();
    let first = replicas(&cluster, 1).await.remove(0);
    cluster.print(&first, "early");
    let mut followed = Followed::begin(&admin, LogOptions { tail: Some(1), ..LogOptions::default() }).await;
    followed.until("web.0.1 early\n").await;
    admin.scale_app("web", 2, &to_the_end()).await.unwrap();
    let containers = admin.containers(false).await.unwrap().into_value();
    let second = containers.iter().find(|container| container.slot == Some(1)).unwrap();
    for line in ["one", "two", "three"] {
        cluster.print(second, line);
    }
    followed.until("web.1.1 one\nweb.1.1 two\nweb.1.1 three\n").await;
    cluster.print(&first, "late");
    followed.until("web.0.1 late\n").await;
    // One that is started again goes on behind what it said before.
    admin.act(&first.id, pierhead_client::Verb::Restart, &to_the_end()).await.unwrap();
    cluster.print(&first, "again");
    followed.until("web.0.1 again\n").await;
    admin.destroy(&second.id, &to_the_end()).await.unwrap();
    followed.until("# web.1.1 has ended\n").await;
    admin.delete_app("web", &to_the_end()).await.unwrap();
    let text = followed.the_whole().await;
    for line in ["early", "one", "late", "again"] {
        assert_eq!(text.matches(&format!(" {line}\n")).count(), 1, "{line} in {text}");
    }
    eventually(PATIENCE, "nobody reads", async || cluster.controller().measured().log_readers.count() == 0).await;
}

#[tokio::test]
async fn a_host_that_hangs_holds_up_no_other() {
    let cluster = cluster(2).await;
    let containers = replicas(&cluster, 2).await;
    let [hung, well] = [&containers[0], &containers[1]];
    assert_ne!(hung.engine.id, well.engine.id);
    cluster.print(hung, "of the one that hangs");
    cluster.print(well, "of the other");
    cluster.host_named(&hung.engine.id).delay(Verb::Logs, Duration::from_secs(600));
    let admin = cluster.admin();
    let mut followed = Followed::begin(&admin, LogOptions::default()).await;
    followed.until("web.1.1 of the other\n").await;
    assert!(!followed.text.contains("hangs"));
    drop(followed);
    eventually(PATIENCE, "nobody reads", async || cluster.controller().measured().log_readers.count() == 0).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_said_in_a_line_of_its_own() {
    let cluster = cluster(2).await;
    let containers = replicas(&cluster, 2).await;
    let cause = EngineError::Refused("the log driver does not support reading".to_owned());
    cluster.host_named(&containers[0].engine.id).fail_always(Verb::Logs, cause);
    cluster.print(&containers[1], "readable");
    let answer = Sender::admin(&cluster).get("/api/apps/web/logs").await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("web.1.1 readable\n"), "{answer:?}");
    let about = answer.text.lines().find(|line| line.starts_with("# web.0.1 cannot be read: ")).unwrap();
    assert!(about.contains("does not support reading"), "{about}");
}

#[tokio::test]
async fn it_ends_with_jobs_that_have_ended() {
    let cluster = cluster(1).await;
    cluster.run("web", 2, &job()).await;
    let text = Followed::begin(&cluster.admin(), LogOptions::default()).await.the_whole().await;
    let mut ended: Vec<&str> = text.lines().collect();
    ended.sort_unstable();
    assert_eq!(ended, ["# web.0.1 has ended", "# web.1.1 has ended"]);
}

#[tokio::test]
async fn only_owners_read_it_and_mistakes_are_named() {
    let cluster = cluster(1).await;
    let (ann, bob) = (Sender::user(&cluster, "ann").await, Sender::user(&cluster, "bob").await);
    let made = ann.post("/api/containers?app=hers&count=1", &crate::raw::sample()).await;
    assert_eq!(made.status, 200, "{made:?}");
    let refused = bob.get("/api/apps/hers/logs").await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (403, "forbidden"));
    for (path, status, field) in [
        ("/api/apps/hers/logs", 200, None),
        ("/api/apps/hers/logs?tail=x", 400, Some("tail")),
        ("/api/apps/hers/logs?follow=1&until=1m", 400, Some("until")),
        ("/api/apps/hers/logs?lines=5", 400, Some("lines")),
        ("/api/apps/hers/logs?tail=-1", 400, Some("tail")),
        ("/api/apps/hers/logs?since=yesterday", 400, Some("since")),
        ("/api/apps/hers/logs?follow=perhaps", 400, Some("follow")),
        ("/api/apps/hers/logs?timestamps=2", 400, Some("timestamps")),
        ("/api/apps/hers/logs?stdout=false&stderr=false", 400, Some("stdout")),
        ("/api/apps/nobodys/logs", 404, None),
        ("/api/apps/No%20Name/logs", 404, None),
    ] {
        let answer = ann.get(path).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        if status != 200 {
            assert_eq!(answer.refusal().field.as_deref(), field, "{path}");
        }
    }
    assert_eq!(ann.post("/api/apps/hers/scale?count=0", "").await.status, 204);
    let empty = ann.get("/api/apps/hers/logs").await;
    assert_eq!((empty.status, empty.refusal().code.as_str()), (404, "not_found"));
}

#[tokio::test]
async fn who_follows_it_hears_no_more_once_the_log_in_is_over() {
    let cluster = cluster(1).await;
    let (ann, admin) = (cluster.user("ann").await, Sender::admin(&cluster));
    let made = Sender::user(&cluster, "ann").await.post("/api/containers?app=web", &crate::raw::sample()).await;
    assert_eq!(made.status, 200, "{made:?}");
    let container = cluster.admin().containers(false).await.unwrap().into_value().remove(0);
    cluster.print(&container, "while she may");
    let mut hers = Followed::begin(&ann, LogOptions::default()).await;
    let mut theirs = Followed::begin(&cluster.admin(), LogOptions::default()).await;
    hers.until("web.0.1 while she may\n").await;
    assert_eq!(admin.send("DELETE", "/api/account/ann", "").await.status, 204);
    let text = tokio::time::timeout(PATIENCE, hers.the_whole()).await.expect("it ends");
    cluster.print(&container, "for others");
    assert!(!text.contains("for others"), "{text}");
    theirs.until("web.0.1 for others\n").await;
    drop(theirs);
    eventually(PATIENCE, "nobody reads", async || cluster.controller().measured().log_readers.count() == 0).await;
}
