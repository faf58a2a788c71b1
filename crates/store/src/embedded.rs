//! The embedded store: one directory, one SQLite database, one process.
//!
//! One thread writes and groups commits; readers use connections of their own and never wait for it. This
//! module owns the directory and joins the parts; it decides nothing about documents itself.

mod batch;
mod database;
mod feed;
mod index;
mod leases;
mod readers;
mod schema;
mod select;
mod writer;

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::directory::{self, DirectoryLock};
use crate::{
    Entry, Error, LeaseId, Listing, MAX_PAGE_ENTRIES, Origin, Page, Result, Revision, Store, Transaction, Watch,
};
use database::Database;
use feed::{Feed, FeedWatcher};
use readers::Readers;
use writer::{Job, Request, Writer};

/// Room for requests that wait for the writer, in bytes: whoever comes beyond it waits before queueing.
const QUEUE_BYTES: usize = 16 * 1024 * 1024;
/// What a waiting request takes besides its keys and values, about.
const REQUEST_OVERHEAD_BYTES: usize = 1024;

/// A [`Store`] in a directory of this machine.
///
/// Dropping it waits for the commits under way, then lets go of the directory.
pub struct Embedded {
    identity: schema::Identity,
    readers: Arc<Readers>,
    feed: Arc<Feed>,
    revisions: watch::Receiver<u64>,
    room: Arc<Semaphore>,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// The last field: let go after all else is closed.
    _lock: DirectoryLock,
}

impl Embedded {
    /// Whether there is a store in a directory, open or not.
    pub fn exists(directory: impl AsRef<Path>) -> bool {
        directory.as_ref().join(database::DATABASE_FILE).is_file()
    }

    /// Opens the store in `directory`, creating it (mode 0700) if it isn't there. Documents that bore leases
    /// of an earlier process are deleted, since nobody can hold those any more.
    ///
    /// Blocks for some milliseconds; about a quarter of a second with 100,000 documents.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::SchemaTooNew`], [`Error::Open`], [`Error::Io`] or [`Error::Full`].
    pub fn open(directory: impl AsRef<Path>) -> Result<Self> {
        Self::open_or_create(directory.as_ref(), None)
    }

    /// Creates a store in `directory` that is to be a copy of another, empty as yet.
    ///
    /// # Errors
    /// [`Error::Occupied`] if there is one, or those of [`Embedded::open`].
    pub fn create(directory: impl AsRef<Path>, origin: &Origin) -> Result<Self> {
        Self::open_or_create(directory.as_ref(), Some(origin))
    }

    fn open_or_create(directory: &Path, origin: Option<&Origin>) -> Result<Self> {
        let lock = DirectoryLock::take(directory)?;
        let database = Database::prepare(directory)?;
        let connection = database.writer()?;
        let identity = schema::prepare(&connection, directory, origin)?;
        directory::sync(directory)?;

        let (publisher, revisions) = feed::channel();
        let writer = Writer::new(database.clone(), connection, publisher)?;
        let feed = writer.feed();
        let (jobs, queue) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(|source| database::io("start the writer", source))?;
        Ok(Self {
            identity,
            readers: Arc::new(Readers::new(database)),
            feed,
            revisions,
            room: Arc::new(Semaphore::new(QUEUE_BYTES)),
            jobs: Some(jobs),
            writer: Some(thread),
            _lock: lock,
        })
    }

    /// The random name that this directory got when it was created, 16 hexadecimal digits.
    pub fn store_id(&self) -> &str {
        &self.identity.store
    }

    /// Hands a request to the writer and waits for its answer.
    async fn ask(&self, request: Request) -> Result<u64> {
        let bytes = request.bytes().saturating_add(REQUEST_OVERHEAD_BYTES);
        let bytes = u32::try_from(bytes.min(QUEUE_BYTES)).expect("the queue is smaller than 4 GiB");
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| closed())?;
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(closed)?;
        jobs.send(Job { request, reply, _room: room }).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer had panicked");
        }
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Embedded").field("identity", &self.identity).finish_non_exhaustive()
    }
}

fn closed() -> Error {
    Error::Unavailable { reason: "it was closed".to_owned() }
}

#[async_trait]
impl Store for Embedded {
    fn cluster_id(&self) -> &str {
        &self.identity.cluster
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let key = key.to_owned();
        self.readers.read(move |connection| select::entry(connection, &key)).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        let range = select::KeyRange::new(prefix, after);
        let limit = limit.clamp(1, MAX_PAGE_ENTRIES);
        self.readers.read(move |connection| select::page(connection, &range, limit)).await
    }

    async fn list_all(&self, prefix: &str) -> Result<Listing> {
        let range = select::KeyRange::new(prefix, None);
        self.readers.read(move |connection| select::all(connection, &range)).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision> {
        transaction.check()?;
        self.ask(Request::Commit(transaction)).await.map(Revision::new)
    }

    async fn watch(&self, prefix: &str, after: Revision) -> Result<Watch> {
        self.feed.check_kept(after.value())?;
        let feed = Arc::clone(&self.feed);
        let readers = Arc::clone(&self.readers);
        Ok(Watch::new(FeedWatcher::new(feed, readers, self.revisions.clone(), prefix, after.value())))
    }

    async fn grant(&self, ttl: Duration) -> Result<LeaseId> {
        self.ask(Request::Grant(ttl)).await.map(LeaseId::new)
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<()> {
        self.ask(Request::KeepAlive(lease)).await.map(drop)
    }

    async fn revoke(&self, lease: LeaseId) -> Result<()> {
        self.ask(Request::Revoke(lease)).await.map(drop)
    }

    async fn compact(&self, before: Revision) -> Result<()> {
        self.ask(Request::Compact(before)).await.map(drop)
    }
}
