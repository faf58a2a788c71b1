//! Small pictures of sessions, for who looks at many.

use crate::process::{Stage, asks, soon, spec};
use pierhead_sessions::{PICTURE_PACE, Pictures, Wanted};
use pierhead_terminal::{Picture, PictureChange};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;

fn wanted(ids: &[&str]) -> Wanted {
    numbered(ids, 0)
}

fn numbered(ids: &[&str], number: u64) -> Wanted {
    Arc::new(ids.iter().map(|id| ((*id).to_owned(), number)).collect())
}

/// Somebody who follows pictures, and how each stands by what they were told.
struct Looker {
    pictures: Pictures,
    seen: BTreeMap<String, Picture>,
    told: Vec<PictureChange>,
}

impl Looker {
    fn new(stage: &Stage, wanted: watch::Receiver<Wanted>) -> Self {
        Self { pictures: stage.sessions.pictures(wanted), seen: BTreeMap::new(), told: Vec::new() }
    }

    /// Looks until something is so.
    async fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        soon(what, async {
            while !is_so(self) {
                for change in self.pictures.next().await.expect("somebody wants pictures") {
                    self.seen.entry(change.terminal.clone()).or_default().apply(&change);
                    self.told.push(change);
                }
            }
        })
        .await;
    }

    fn shows(&self, id: &str, row: usize, text: &str) -> bool {
        let line = self.seen.get(id).and_then(|picture| picture.lines.get(row));
        line.is_some_and(|line| line.iter().map(|run| run.text.as_str()).collect::<String>() == text)
    }
}

#[tokio::test]
async fn a_picture_follows_what_is_printed_row_by_row() {
    let mut stage = Stage::new(true);
    let (_wants, wants) = watch::channel(wanted(&["t1"]));
    let mut looker = Looker::new(&stage, wants);
    stage.print(b"one\r\ntwo\r\n").await;
    looker.until("two rows", |looker| looker.shows("t1", 1, "two")).await;
    let before = looker.told.len();
    stage.print(b"three").await;
    looker.until("the third", |looker| looker.shows("t1", 2, "three")).await;
    assert!(looker.shows("t1", 0, "one"));
    for change in &looker.told[before..] {
        assert!(!change.whole && change.lines.iter().all(|(at, _)| *at == 2), "{change:?}");
    }
}

#[tokio::test]
async fn a_program_that_never_stops_is_painted_at_most_twice_a_second() {
    let mut stage = Stage::new(true);
    let (_wants, wants) = watch::channel(wanted(&["t1"]));
    let mut looker = Looker::new(&stage, wants);
    let began = Instant::now();
    let prints = async {
        let mut line = 0_u64;
        loop {
            stage.process.write_all(format!("line {line}\r\n").as_bytes()).await.unwrap();
            line += 1;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = prints => {}
        () = looker.until("four pictures", |looker| looker.told.len() >= 4) => {}
    }
    let least = PICTURE_PACE * 2;
    assert!(began.elapsed() >= least, "the first may come at once, the others not: {:?}", began.elapsed());
}

#[tokio::test]
async fn only_what_is_wanted_is_painted_and_what_is_wanted_may_change() {
    let mut stage = Stage::new(true);
    let (ours, mut other) = tokio::io::duplex(1024);
    stage.sessions.open(spec("t2", true), ours, asks() as _).unwrap();
    let (wants, wanted_now) = watch::channel(wanted(&["t2"]));
    let mut looker = Looker::new(&stage, wanted_now);
    stage.print(b"mine").await;
    other.write_all(b"yours").await.unwrap();
    looker.until("the second", |looker| looker.shows("t2", 0, "yours")).await;
    assert!(!looker.seen.contains_key("t1"));
    wants.send_replace(wanted(&["t1"]));
    looker.until("the first", |looker| looker.shows("t1", 0, "mine")).await;
    let before = looker.told.len();
    other.write_all(b" more").await.unwrap();
    stage.print(b" more").await;
    looker.until("more", |looker| looker.shows("t1", 0, "mine more")).await;
    assert!(looker.told[before..].iter().all(|change| change.terminal == "t1"));
    wants.send_replace(wanted(&["t1", "t2"]));
    looker.until("whole again", |looker| looker.shows("t2", 0, "yours more")).await;
    let before = looker.told.len();
    wants.send_replace(numbered(&["t1", "t2"], 1));
    let both = |looker: &Looker| looker.told[before..].iter().filter(|change| change.whole).count() == 2;
    looker.until("whole for who has forgotten it", both).await;
    drop(wants);
    assert!(soon("the end", looker.pictures.next()).await.is_none(), "nobody says what is wanted");
}

#[tokio::test]
async fn the_end_of_a_session_is_told_once() {
    let stage = Stage::new(true);
    let (wants, wanted_now) = watch::channel(wanted(&["t1", "nowhere"]));
    let mut looker = Looker::new(&stage, wanted_now);
    let overs =
        |looker: &Looker, id: &str| looker.told.iter().filter(|change| change.over && change.terminal == id).count();
    looker.until("one that is not there", |looker| overs(looker, "nowhere") == 1).await;
    stage.sessions.end("t1", "enough").await.unwrap();
    looker.until("its end", |looker| overs(looker, "t1") == 1).await;
    drop(wants);
    while let Some(changes) = soon("the end", looker.pictures.next()).await {
        assert!(changes.is_empty(), "{changes:?}");
    }
}
