//! Collects what one engine tells into the event log: each event once, many in one transaction, and a record of every
//! gap. Done by the leader only.
//!
//! How far the log is, is kept beside it and written in the same transaction. When a stream begins anew, it begins a
//! little before that: whatever is known is left out, and that something known came shows that nothing is missing.

mod cursor;
mod telling;

pub(crate) use telling::{Told, engine_then, tell};

use crate::clock::Clock;
use crate::measured::Measured;
use crate::{Ids, keys};
use cursor::{Cursor, Mark};
use pierhead_engine::EngineEvent;
use pierhead_model::{EngineId, EngineThen, Event, EventTag, Timestamp};
use pierhead_store::{MAX_OPERATIONS, MAX_TRANSACTION_BYTES, Result, Revision, Store, StoreJson, Transaction};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How many events go in one transaction, beside the two compares and the cursor.
const AT_ONCE: usize = MAX_OPERATIONS - 10;
/// An event of more bytes goes without the description of its container.
const MOST_BYTES: usize = MAX_TRANSACTION_BYTES / MAX_OPERATIONS;
/// How long events are gathered before they are written.
const GATHERING: Duration = Duration::from_millis(10);
/// How long a stream that begins anew may take to show that nothing is missing.
const PROOF: Duration = Duration::from_secs(1);
/// How many events are held until then.
const MOST_HELD: usize = 1_000;
/// How many `exec_*` events of an engine are logged in each minute; health checks make two every few seconds for each
/// container.
const EXECS: u32 = 60;
/// That minute.
const EXEC_WINDOW: Duration = Duration::from_secs(60);

/// The leadership under which events are collected: the key and revision that the store compares.
pub(crate) type Term = (Arc<str>, Revision);

/// What collecting needs of the controller.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) clock: Clock,
    pub(crate) measured: Arc<Measured>,
}

/// The collector of one stream of one engine.
pub(crate) struct Collector {
    desk: Desk,
    term: Term,
    engine: EngineId,
    cursor: Cursor,
    /// The revision of the stored cursor.
    revision: Revision,
    /// Whether the engine was listened to before, so that something may have been missed.
    is_resumed: bool,
    execs: Execs,
}

/// The `exec_*` events of one minute.
struct Execs {
    began: Instant,
    logged: u32,
    left_out: u64,
    first_left_out: Timestamp,
    engine: Option<EngineThen>,
}

impl Execs {
    fn new() -> Self {
        Self { began: Instant::now(), logged: 0, left_out: 0, first_left_out: Timestamp(0), engine: None }
    }
}

impl Collector {
    /// Reads how far the log is; of an engine that was never listened to, it is written where the log begins.
    pub(crate) async fn open(desk: Desk, term: Term, engine: EngineId) -> Result<Self> {
        let key = keys::event_cursor(&engine);
        let (cursor, revision, is_resumed) = match desk.store.get_json::<Cursor>(&key).await? {
            Some((cursor, revision)) => (cursor, revision, true),
            None => {
                let cursor = Cursor::new(desk.clock.now());
                let begun = Transaction::new().unchanged(Arc::clone(&term.0), term.1).absent(key.clone());
                (cursor.clone(), desk.store.commit(begun.put_json(key, &cursor)?).await?, false)
            }
        };
        Ok(Self { desk, term, engine, cursor, revision, is_resumed, execs: Execs::new() })
    }

    /// From where on the engine is to tell again what it has.
    pub(crate) fn since(&self) -> u64 {
        self.cursor.since()
    }

    /// Writes what is told until nobody tells any more, or until the store refuses.
    pub(crate) async fn run(mut self, mut told: mpsc::Receiver<Told>) -> Result<()> {
        if self.is_resumed {
            self.settle(&mut told).await?;
        }
        let mut batch = Vec::new();
        loop {
            let due = self.execs.began + EXEC_WINDOW;
            let is_open = tokio::select! {
                count = told.recv_many(&mut batch, AT_ONCE) => count > 0,
                () = tokio::time::sleep_until(due), if self.execs.left_out > 0 => true,
            };
            if is_open && batch.len() < AT_ONCE {
                tokio::time::sleep(GATHERING).await;
                while batch.len() < AT_ONCE
                    && let Ok(one) = told.try_recv()
                {
                    batch.push(one);
                }
            }
            let mut events = Vec::new();
            self.take(batch.drain(..), &mut events);
            self.count_execs(!is_open, &mut events);
            self.write(events).await?;
            if !is_open {
                return Ok(());
            }
        }
    }

    /// Waits for the proof that nothing is missing. Without it a gap is recorded before whatever came meanwhile.
    async fn settle(&mut self, told: &mut mpsc::Receiver<Told>) -> Result<()> {
        let deadline = Instant::now() + PROOF;
        let (mut held, mut is_proven, mut engine) = (Vec::new(), false, None);
        while !is_proven && held.len() < MOST_HELD {
            match tokio::time::timeout_at(deadline, told.recv()).await {
                Ok(Some(Told::Opened { engine: then })) => engine = Some(then),
                Ok(Some(one)) => {
                    is_proven = matches!(&one, Told::Happened { event, .. } if self.cursor.knows(&mark(event)));
                    held.push(one);
                }
                // The stream broke before it told anything: the next one may have the proof.
                Ok(None) if held.is_empty() => return Ok(()),
                Ok(None) | Err(_) => break,
            }
        }
        let mut events = Vec::new();
        if !is_proven && self.cursor.can_prove() {
            let first = held.iter().find_map(|one| match one {
                Told::Happened { event, .. } => Some(event.time),
                _ => None,
            });
            let (from, to) = (self.cursor.last(), first.unwrap_or(self.desk.clock.now()));
            let reason = "the stream of events was interrupted and the engine no longer has all of that time";
            events.push(self.gap(engine, from, to, reason));
            self.cursor.pass(to);
        }
        let mut held = held.into_iter().peekable();
        while held.peek().is_some() || !events.is_empty() {
            self.take(held.by_ref().take(AT_ONCE), &mut events);
            self.write(std::mem::take(&mut events)).await?;
        }
        Ok(())
    }

    fn take(&mut self, batch: impl IntoIterator<Item = Told>, events: &mut Vec<Event>) {
        for one in batch {
            match one {
                Told::Opened { .. } => {}
                Told::Missed { from, to, what, engine } => events.push(self.gap(Some(engine), from, to, &what)),
                Told::Happened { event, container, engine, app } => {
                    if !self.cursor.take(mark(&event)) || self.is_left_out(&event, &engine) {
                        continue;
                    }
                    events.push(Event {
                        id: self.desk.ids.unique(),
                        kind: telling::kind(&event),
                        time: event.time,
                        message: telling::message(&event),
                        tags: vec![EventTag::Docker],
                        container,
                        engine: Some(Box::new(engine)),
                        app,
                        actor: None,
                    });
                }
            }
        }
    }

    /// Whether an event is one too many of its kind.
    fn is_left_out(&mut self, event: &EngineEvent, engine: &EngineThen) -> bool {
        if !event.status.starts_with("exec_") {
            return false;
        }
        if self.execs.left_out == 0 && self.execs.began.elapsed() > EXEC_WINDOW {
            self.execs = Execs::new();
        }
        if self.execs.logged < EXECS {
            self.execs.logged += 1;
            return false;
        }
        if self.execs.left_out == 0 {
            self.execs.first_left_out = event.time;
            self.execs.engine = Some(engine.clone());
        }
        self.execs.left_out += 1;
        true
    }

    /// At the end of its minute, or of the stream, it is logged how many events were left out.
    fn count_execs(&mut self, is_end: bool, events: &mut Vec<Event>) {
        if self.execs.left_out > 0 && (is_end || self.execs.began.elapsed() >= EXEC_WINDOW) {
            let execs = std::mem::replace(&mut self.execs, Execs::new());
            let what = format!("{} exec events left out, more than {EXECS} a minute", execs.left_out);
            events.push(self.gap(execs.engine, execs.first_left_out, self.desk.clock.now(), &what));
        }
    }

    fn gap(&self, engine: Option<EngineThen>, from: Timestamp, to: Timestamp, reason: &str) -> Event {
        let to = to.max(from);
        let message =
            format!("engine={}, from={}, to={}, reason={reason}", self.engine, telling::text(from), telling::text(to));
        Event {
            id: self.desk.ids.unique(),
            kind: "gap".to_owned(),
            time: self.desk.clock.now(),
            message,
            tags: vec![EventTag::Docker],
            container: None,
            engine: engine.map(Box::new),
            app: None,
            actor: None,
        }
    }

    /// Writes events and how far the log now is, in one transaction: their number and sizes are such that it is enough.
    async fn write(&mut self, events: Vec<Event>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let key = keys::event_cursor(&self.engine);
        let mut transaction = Transaction::new()
            .unchanged(Arc::clone(&self.term.0), self.term.1)
            .unchanged(key.clone(), self.revision)
            .put_json(key, &self.cursor)?;
        for mut event in events {
            let next = Transaction::new().put_json(keys::event(&event.id), &event)?;
            let next = if next.bytes() > MOST_BYTES {
                event.container.iter_mut().for_each(|container| container.spec = None);
                Transaction::new().put_json(keys::event(&event.id), &event)?
            } else {
                next
            };
            transaction.writes.extend(next.writes);
        }
        self.revision = self.desk.store.commit(transaction).await?;
        Ok(())
    }
}

fn mark(event: &EngineEvent) -> Mark {
    Mark::of(event)
}
