//! The store in an etcd cluster (3.4 or newer), shared by any number of controllers.
//!
//! Documents lie under a prefix of their own, one key each, so revisions, transactions, leases and history are etcd's
//! own; its revision also counts what others write there. Two things are made up for here: streams that die are opened
//! anew ([`watching`]), and a member that doesn't answer is passed over ([`members`]).

mod address;
mod failure;
mod grpc;
mod identity;
mod keys;
mod members;
mod messages;
mod txn;
mod watching;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::{
    Entry, Error, LeaseId, Listing, MAX_PAGE_ENTRIES, Origin, Page, Result, Revision, Store, Transaction, Watch,
};
pub use address::{EtcdAddress, EtcdSettings};
use failure::Failure;
use identity::Identity;
use keys::{Keys, signed};
use members::{COMMIT, COMPACT, GRANT, KEEP_ALIVE, Members, PATIENCE, RANGE, READ, REVOKE, Shared, TIME_TO_LIVE};
use messages::{
    CompactionRequest, CompactionResponse, LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveResponse, LeaseRequest,
    LeaseRevokeResponse, LeaseTimeToLiveResponse, RangeRequest, RangeResponse, TxnResponse,
};
use txn::Outcome;
use watching::EtcdWatcher;

/// How long a member may take for a commit before another is asked, if asking twice does no harm.
const GUARDED_ATTEMPT: Duration = Duration::from_secs(2);
/// etcd takes no longer leases.
const MAX_TTL_SECONDS: u64 = 9_000_000_000;

/// A [`Store`] in an etcd cluster.
///
/// Dropping it leaves its leases to end by themselves.
pub struct Etcd {
    members: Shared,
    keys: Keys,
    cluster: String,
    /// The revision of the last change that was made through this value; at first that at which it was opened.
    last: AtomicU64,
}

impl Etcd {
    /// Opens the store under the prefix of the address, and creates it if it isn't there. To be called on the runtime
    /// that its connections shall live on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if no member answers within some seconds, [`Error::Denied`], or [`Error::SchemaTooNew`].
    pub async fn open(settings: &EtcdSettings) -> Result<Self> {
        let around = Self::around(settings);
        let identity = identity::read_or_create(&around, settings.address()).await?;
        Ok(around.within(settings, identity))
    }

    /// Creates a store that is to be a copy of another, empty as yet.
    ///
    /// # Errors
    /// [`Error::Occupied`] if there is one, or those of [`Etcd::open`].
    pub async fn create(settings: &EtcdSettings, origin: &Origin) -> Result<Self> {
        let around = Self::around(settings);
        let identity = identity::create(&around, settings.address(), origin).await?;
        Ok(around.within(settings, identity))
    }

    /// Whether there is anything under the prefix of the address.
    ///
    /// # Errors
    /// Those of [`Etcd::open`].
    pub async fn exists(settings: &EtcdSettings) -> Result<bool> {
        Ok(!Self::around(settings).list("", None, 1).await?.entries.is_empty())
    }

    /// All that is under the prefix.
    fn around(settings: &EtcdSettings) -> Self {
        Self::over(settings, &format!("{}/", settings.address().prefix()))
    }

    /// The documents of the store whose prefix this sees.
    fn within(self, settings: &EtcdSettings, identity: Identity) -> Self {
        let root = format!("{}/documents/", settings.address().prefix());
        let keys = Keys::new(&root).above(identity.base);
        let last = keys.revision(signed(self.members.latest()));
        Self { keys, cluster: identity.cluster, last: AtomicU64::new(last.value()), members: self.members }
    }

    /// All that lies in an etcd cluster as it is, under no prefix and with no document of ours: for what others write
    /// there. Its cluster id is etcd's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if no member answers within some seconds, or [`Error::Denied`].
    pub async fn open_bare(settings: &EtcdSettings) -> Result<Self> {
        let mut store = Self::over(settings, "");
        store.get("\u{1}").await?;
        store.cluster = format!("{:016x}", store.members.cluster());
        Ok(store)
    }

    fn over(settings: &EtcdSettings, root: &str) -> Self {
        Self {
            members: Arc::new(Members::new(settings)),
            keys: Keys::new(root),
            cluster: String::new(),
            last: AtomicU64::new(0),
        }
    }

    async fn range(&self, request: RangeRequest) -> Result<RangeResponse, Failure> {
        self.members.call(RANGE, &request).await
    }

    fn page(&self, found: RangeResponse) -> Result<Page> {
        let revision = found.header.map_or(Revision::ZERO, |header| self.keys.revision(header.revision));
        let mut entries = Vec::with_capacity(found.kvs.len());
        let mut foreign = None;
        for found in found.kvs {
            match self.keys.entry(found) {
                Ok(entry) => entries.push(entry),
                // Nobody here wrote it, and no document can be meant.
                Err(error) => foreign = Some(error),
            }
        }
        match foreign {
            // There is nothing to go on from.
            Some(error) if found.more && entries.is_empty() => Err(error),
            _ => Ok(Page { entries, revision, more: found.more }),
        }
    }

    /// One piece of a listing: the first sets the revision.
    async fn piece(&self, prefix: &str, after: Option<&str>, at: Option<Revision>) -> Result<Page> {
        let range = self.keys.range(prefix, after);
        let request = RangeRequest {
            key: range.start,
            range_end: range.end,
            limit: signed(MAX_PAGE_ENTRIES as u64),
            revision: at.map_or(0, |revision| self.keys.etcds(revision)),
            ..RangeRequest::default()
        };
        self.page(self.range(request).await?)
    }

    async fn list_at_once(&self, prefix: &str) -> Result<Listing> {
        let mut page = self.piece(prefix, None, None).await?;
        let (revision, mut entries) = (page.revision, Vec::new());
        loop {
            entries.append(&mut page.entries);
            let Some(last) = entries.last().filter(|_| page.more) else { return Ok(Listing { entries, revision }) };
            page = self.piece(prefix, Some(&last.key), Some(revision)).await?;
        }
    }

    /// Commits, and asks again where nobody knows whether it happened and asking twice does no harm.
    /// `before` is the newest revision that was known before.
    async fn commit_surely(&self, transaction: &Transaction, before: u64) -> Result<TxnResponse, Failure> {
        let request = txn::request(&self.keys, transaction);
        let deadline = Instant::now() + PATIENCE;
        if !txn::is_guarded(transaction) {
            return self.members.call_until(COMMIT, &request, deadline).await;
        }
        let mut unknown = None;
        loop {
            let until = deadline.min(Instant::now() + GUARDED_ATTEMPT);
            match self.members.call_until::<TxnResponse>(COMMIT, &request, until).await {
                Ok(answer) if answer.succeeded => return Ok(answer),
                Ok(answer) => match unknown {
                    None => return Ok(answer),
                    Some(failure) => return self.found_made(transaction, before).await.ok_or(failure),
                },
                Err(failure @ Failure::Unknown(_)) if Instant::now() < deadline => unknown = Some(failure),
                Err(Failure::Unsent(_)) if Instant::now() < deadline => {}
                Err(failure) => return Err(unknown.unwrap_or(failure)),
            }
        }
    }

    /// The answer that was lost, if what was asked for lies there, newer than anything that was known before.
    async fn found_made(&self, transaction: &Transaction, before: u64) -> Option<TxnResponse> {
        let found: TxnResponse = self.members.call(READ, &txn::written_keys(&self.keys, transaction)).await.ok()?;
        let made = txn::made_at(transaction, &found).filter(|made| *made > signed(before))?;
        Some(txn::as_made(found, made))
    }

    /// What became of a transaction that etcd had no space for: it says so also of one that it has made, if the space ran
    /// out between taking it and making it.
    async fn made_or_full(
        &self,
        transaction: &Transaction,
        before: u64,
        full: Failure,
    ) -> Result<TxnResponse, Failure> {
        let unknown = Failure::Unknown(full.reason().to_owned());
        let read = txn::written_keys(&self.keys, transaction);
        let Ok(found) = self.members.call::<TxnResponse>(READ, &read).await else { return Err(unknown) };
        match txn::made_at(transaction, &found) {
            Some(made) if made > signed(before) => Ok(txn::as_made(found, made)),
            _ if txn::is_as_of(&found, signed(before)) => Err(full),
            _ => Err(unknown),
        }
    }

    /// A transaction that changed nothing is told with the last revision that changed something here: etcd's own may
    /// count writes of others, and whoever waits to see that revision in a watch would wait for ever.
    async fn present(&self, told: Revision) -> Result<Revision> {
        let last = Revision::new(self.last.load(Ordering::Acquire));
        if last >= told {
            return Ok(told);
        }
        const DESCENDING: i32 = 2;
        const BY_MODIFIED: i32 = 3;
        let range = self.keys.range("", None);
        let newest = RangeRequest {
            key: range.start,
            range_end: range.end,
            limit: 1,
            sort_order: DESCENDING,
            sort_target: BY_MODIFIED,
            keys_only: true,
            ..RangeRequest::default()
        };
        let newest = self.range(newest).await?.kvs.first().map(|newest| self.keys.revision(newest.mod_revision));
        Ok(newest.unwrap_or(last).max(last))
    }

    /// The first of these leases that has ended.
    async fn gone(&self, leases: &[LeaseId]) -> Result<Option<LeaseId>, Failure> {
        for lease in leases {
            let request = LeaseRequest { id: signed(lease.value()) };
            let lives: LeaseTimeToLiveResponse = self.members.call(TIME_TO_LIVE, &request).await?;
            if lives.ttl < 0 {
                return Ok(Some(*lease));
            }
        }
        Ok(None)
    }
}

impl std::fmt::Debug for Etcd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Etcd").field("cluster", &self.cluster).field("keys", &self.keys).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Etcd {
    fn cluster_id(&self) -> &str {
        &self.cluster
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        if key.is_empty() {
            return Ok(None);
        }
        let found = self.range(RangeRequest { key: self.keys.full(key), ..RangeRequest::default() }).await?;
        Ok(self.page(found)?.entries.pop())
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        let range = self.keys.range(prefix, after);
        let limit = signed(limit.clamp(1, MAX_PAGE_ENTRIES) as u64);
        let request = RangeRequest { key: range.start, range_end: range.end, limit, ..RangeRequest::default() };
        self.page(self.range(request).await?)
    }

    async fn list_all(&self, prefix: &str) -> Result<Listing> {
        loop {
            match self.list_at_once(prefix).await {
                // It was forgotten between two pieces: begin anew, at a later one.
                Err(Error::Compacted { .. }) => {}
                listed => return listed,
            }
        }
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision> {
        transaction.check()?;
        let before = self.members.latest();
        let answer = match self.commit_surely(&transaction, before).await {
            Err(failure) if failure.is_full() => self.made_or_full(&transaction, before, failure).await?,
            Err(failure) if failure.is_lease_gone() => {
                let leases = txn::leases(&transaction);
                let gone = self.gone(&leases).await?.or(leases.first().copied());
                return Err(gone.map_or_else(|| failure.into(), |lease| Error::LeaseGone { lease }));
            }
            answered => answered?,
        };
        match txn::outcome(&self.keys, &transaction, &answer)? {
            Outcome::Changed(revision) => {
                self.last.fetch_max(revision.value(), Ordering::AcqRel);
                Ok(revision)
            }
            Outcome::Unchanged(told) => self.present(told).await,
        }
    }

    async fn watch(&self, prefix: &str, after: Revision) -> Result<Watch> {
        if after < self.keys.base() {
            return Err(Error::Compacted { oldest: self.keys.base() });
        }
        let range = self.keys.range(prefix, None);
        Ok(Watch::new(EtcdWatcher::new(Arc::clone(&self.members), self.keys.clone(), range, after)))
    }

    async fn grant(&self, ttl: Duration) -> Result<LeaseId> {
        let seconds = ttl.as_secs().saturating_add(u64::from(ttl.subsec_nanos() > 0)).clamp(1, MAX_TTL_SECONDS);
        let request = LeaseGrantRequest { ttl: signed(seconds) };
        let granted: LeaseGrantResponse = self.members.call(GRANT, &request).await?;
        Ok(LeaseId::new(u64::try_from(granted.id).unwrap_or_default()))
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<()> {
        let request = LeaseRequest { id: signed(lease.value()) };
        let renewed: LeaseKeepAliveResponse = self.members.call(KEEP_ALIVE, &request).await?;
        if renewed.ttl > 0 { Ok(()) } else { Err(Error::LeaseGone { lease }) }
    }

    async fn revoke(&self, lease: LeaseId) -> Result<()> {
        let request = LeaseRequest { id: signed(lease.value()) };
        match self.members.call::<LeaseRevokeResponse>(REVOKE, &request).await {
            Err(failure) if failure.is_lease_gone() => Err(Error::LeaseGone { lease }),
            revoked => Ok(revoked.map(drop)?),
        }
    }

    async fn compact(&self, before: Revision) -> Result<()> {
        let present = self.list("", None, 1).await?.revision;
        // etcd forgets what is older than the revision it is given, and may forget a deletion at that one.
        let last = self.keys.etcds(before.min(present)) - 1;
        if last < 1 {
            return Ok(());
        }
        let request = CompactionRequest { revision: last };
        match self.members.call::<CompactionResponse>(COMPACT, &request).await {
            Err(failure) if failure.is_compacted() => Ok(()),
            compacted => Ok(compacted.map(drop)?),
        }
    }
}
