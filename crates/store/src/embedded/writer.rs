//! The one thread that writes: takes what is queued, makes it durable as one group, answers, tells watchers.
//!
//! After a failure the group is taken back whole, in the database and in memory, and the next one is tried afresh,
//! on a new connection if the old one can't be trusted.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::batch::Batch;
use super::database::{Database, failed};
use super::feed::{Feed, Publisher};
use super::index::{Index, Known};
use super::leases::Leases;
use super::select;
use crate::{Changes, Error, LeaseId, Result, Revision, Transaction};

/// Bounds of a group.
const GROUP_REQUESTS: usize = 256;
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// How long the end of a lease waits after the disk refused it.
const EXPIRY_RETRY: Duration = Duration::from_millis(200);

/// What the writer is asked.
pub(super) enum Request {
    Commit(Transaction),
    Grant(Duration),
    KeepAlive(LeaseId),
    Revoke(LeaseId),
    Compact(Revision),
}

impl Request {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Commit(transaction) => transaction.bytes(),
            _ => 0,
        }
    }
}

/// A request, and where its answer goes: the number of a revision or a lease.
pub(super) struct Job {
    pub request: Request,
    pub reply: oneshot::Sender<Result<u64>>,
    /// Its part of the queue's room.
    pub _room: OwnedSemaphorePermit,
}

/// What the writer keeps in memory, always equal to the database between groups.
pub(super) struct State {
    pub revision: u64,
    pub index: Index,
    pub leases: Leases,
    pub history: HistoryExtent,
}

/// How much history there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct HistoryExtent {
    pub kept_from: u64,
    pub changes: u64,
    pub bytes: u64,
}

impl HistoryExtent {
    pub(super) fn add(&mut self, bytes: usize) {
        self.changes += 1;
        self.bytes += bytes as u64;
    }
}

/// The thread's own things.
pub(super) struct Writer {
    database: Database,
    connection: Option<Connection>,
    state: State,
    publisher: Publisher,
    expiry_held_until: Option<Instant>,
}

impl Writer {
    /// Reads what the database holds, and ends the leases of earlier processes.
    pub(super) fn new(database: Database, connection: Connection, publisher: Publisher) -> Result<Self> {
        let state = load(&connection).map_err(|source| failed("read the documents", source))?;
        publisher.begin(state.revision);
        publisher.forget_before(state.history.kept_from);
        let mut writer = Self { database, connection: Some(connection), state, publisher, expiry_held_until: None };
        // On a full disk they are ended later, when there is room.
        if let Err(error) = writer.group(Vec::new()) {
            tracing::warn!(%error, "the leases of an earlier process couldn't be ended yet");
        }
        Ok(writer)
    }

    pub(super) fn feed(&self) -> Arc<Feed> {
        self.publisher.feed()
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Receiver<Job>) {
        loop {
            let mut group = Vec::new();
            match self.next(queue) {
                Ok(job) => gather(job, queue, &mut group),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let unasked = group.is_empty();
            if let Err(error) = self.group(group)
                && unasked
            {
                tracing::warn!(%error, "the end of a lease couldn't be written; trying again");
            }
        }
    }

    /// The next request, or a timeout when a lease ends before it comes.
    fn next(&self, queue: &Receiver<Job>) -> Result<Job, RecvTimeoutError> {
        match self.state.leases.next_end() {
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(end) => {
                let due = self.expiry_held_until.map_or(end, |held| end.max(held));
                queue.recv_timeout(due.saturating_duration_since(Instant::now()))
            }
        }
    }

    /// One group: all of it becomes durable, except what is refused, or none of it does.
    fn group(&mut self, jobs: Vec<Job>) -> Result<()> {
        let (mut replies, mut requests) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
        let now = Instant::now();
        for job in jobs {
            if let Some(verdict) = self.without_disk(&job.request, now) {
                answer(job.reply, verdict);
            } else {
                replies.push((job.reply, job._room));
                requests.push(job.request);
            }
        }
        match self.write(requests, now) {
            Ok(verdicts) => {
                for ((reply, _), verdict) in replies.into_iter().zip(verdicts) {
                    answer(reply, verdict);
                }
                Ok(())
            }
            Err(error) => {
                for (reply, _) in replies {
                    answer(reply, Err(error.clone()));
                }
                Err(error)
            }
        }
    }

    /// Leases live in memory: they are granted and renewed on a full disk too.
    fn without_disk(&mut self, request: &Request, now: Instant) -> Option<Result<u64>> {
        let leases = &mut self.state.leases;
        match request {
            Request::Grant(ttl) => Some(random_lease().map(|lease| {
                leases.grant(lease, *ttl, now);
                lease.value()
            })),
            Request::KeepAlive(lease) if leases.keep_alive(*lease, now) => Some(Ok(0)),
            Request::KeepAlive(lease) => Some(Err(Error::LeaseGone { lease: *lease })),
            _ => None,
        }
    }

    fn write(&mut self, requests: Vec<Request>, now: Instant) -> Result<Vec<Result<u64>>> {
        let connection = self.connect()?;
        let (revision, history) = (self.state.revision, self.state.history);
        let expire = self.expiry_held_until.is_none_or(|held| held <= now);
        let mut batch = Batch::new(&connection, &mut self.state, now);
        match apply(&mut batch, requests, expire).and_then(|verdicts| Ok((verdicts, batch.finish()?))) {
            Ok((verdicts, commits)) => {
                self.connection = Some(connection);
                self.settle(commits);
                Ok(verdicts)
            }
            Err(source) => {
                self.state.index.take_back();
                self.state.leases.take_back();
                self.state.revision = revision;
                self.state.history = history;
                self.expiry_held_until = Some(now + EXPIRY_RETRY);
                // Closing it rolls back; what happened on a disk that fails is read anew.
                drop(connection);
                Err(failed("write", source))
            }
        }
    }

    fn settle(&mut self, commits: Vec<Changes>) {
        self.state.index.settle();
        self.state.leases.settle();
        self.expiry_held_until = None;
        self.publisher.forget_before(self.state.history.kept_from);
        self.publisher.publish(commits);
    }

    /// The connection, or a new one after a failure, on which nothing but what we know of may have happened.
    fn connect(&mut self) -> Result<Connection> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let connection = self.database.writer()?;
        let found = select::revision(&connection).map_err(|source| failed("read the revision", source))?;
        if found != self.state.revision {
            tracing::warn!(found, known = self.state.revision, "a commit that failed had happened after all");
            let leases = std::mem::take(&mut self.state.leases);
            self.state = load(&connection).map_err(|source| failed("read the documents", source))?;
            self.state.leases = leases;
            self.publisher.begin(found);
        }
        Ok(connection)
    }
}

/// Takes what is queued, within the bounds of a group.
fn gather(first: Job, queue: &Receiver<Job>, group: &mut Vec<Job>) {
    let mut bytes = first.request.bytes();
    group.push(first);
    while group.len() < GROUP_REQUESTS && bytes < GROUP_BYTES {
        let Ok(job) = queue.try_recv() else { return };
        bytes += job.request.bytes();
        group.push(job);
    }
}

fn apply(batch: &mut Batch<'_>, requests: Vec<Request>, expire: bool) -> rusqlite::Result<Vec<Result<u64>>> {
    if expire {
        batch.expire()?;
    }
    let decide = |request| match request {
        Request::Commit(transaction) => batch.commit(transaction),
        Request::Revoke(lease) => batch.revoke(lease),
        Request::Compact(before) => batch.compact(before),
        Request::Grant(_) | Request::KeepAlive(_) => Ok(Ok(0)),
    };
    requests.into_iter().map(decide).collect()
}

fn answer(reply: oneshot::Sender<Result<u64>>, verdict: Result<u64>) {
    // Whoever asked may have gone.
    let _ = reply.send(verdict);
}

/// Never used before, in this process or an earlier one.
fn random_lease() -> Result<LeaseId> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(LeaseId::new(u64::from_be_bytes(bytes) >> 1))
}

fn load(connection: &Connection) -> rusqlite::Result<State> {
    let mut documents = HashMap::new();
    let mut leases = Leases::default();
    let mut statement = connection.prepare("SELECT key, created, modified, lease FROM documents")?;
    let mut rows = statement.query([])?;
    let now = Instant::now();
    while let Some(row) = rows.next()? {
        let known = Known {
            created: select::read_revision(row.get(1)?),
            modified: select::read_revision(row.get(2)?),
            lease: select::read_lease(row.get(3)?),
        };
        if let Some(lease) = known.lease {
            leases.grant(lease, Duration::ZERO, now);
        }
        documents.insert(Arc::from(row.get_ref(0)?.as_str()?), known);
    }
    let extent = "SELECT count(*), coalesce(sum(length(value)), 0) FROM history";
    let (changes, bytes): (i64, i64) = connection.query_row(extent, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(State {
        revision: select::revision(connection)?,
        index: Index::new(documents),
        leases,
        history: HistoryExtent {
            kept_from: select::kept_from(connection)?,
            changes: changes.unsigned_abs(),
            bytes: bytes.unsigned_abs(),
        },
    })
}
