//! Leadership over any store: one leader per name at a time, by a leased document and its revision.
//!
//! Built of the contract's primitives only. The holder counts its time on the monotonic clock from before each
//! renewal, so it stops believing in itself before the store can let a successor begin; and [`Leadership::fence`]
//! makes the store refuse whatever it still sends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::{Entry, Error, LeaseId, Result, Revision, Store, Transaction};

/// Part of the time to live by which the holder stops early, for clocks that run at different speeds.
const SAFETY_DIVISOR: u32 = 10;
/// How many times a lease is renewed within its time to live.
const RENEWALS_PER_TTL: u32 = 4;

/// Who leads, as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// The name that the candidate gave itself.
    pub who: String,
}

/// Who leads `name` at present, and since which term.
///
/// # Errors
/// Those of [`Store::get`], and [`Error::Decode`].
pub async fn leader(store: &dyn Store, name: &str) -> Result<Option<(Leader, Revision)>> {
    store.get(&key_of(name)).await?.map(|entry| Ok((entry.json()?, entry.created))).transpose()
}

fn key_of(name: &str) -> Arc<str> {
    format!("leader/{name}").into()
}

/// Somebody who wants to lead.
#[derive(Clone)]
pub struct Candidate {
    store: Arc<dyn Store>,
    key: Arc<str>,
    who: String,
    ttl: Duration,
}

impl Candidate {
    /// A candidate for `name` that calls itself `who`. When it dies as the leader, a successor can begin after
    /// `ttl`; it renews four times within that.
    pub fn new(store: Arc<dyn Store>, name: &str, who: impl Into<String>, ttl: Duration) -> Self {
        Self { store, key: key_of(name), who: who.into(), ttl }
    }

    /// Waits until this candidate leads: a few milliseconds if nobody else does. Dropping the future withdraws it.
    ///
    /// # Errors
    /// Those of the store; try again after a while.
    pub async fn campaign(&self) -> Result<Leadership> {
        loop {
            self.wait_for_vacancy().await?;
            let asked = Instant::now();
            let lease = LeaseGuard::grant(&self.store, self.ttl).await?;
            match self.claim(lease.id).await {
                Ok(term) => return Ok(Leadership::begin(self, term, lease, asked)),
                Err(Error::Conflict { .. } | Error::LeaseGone { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn claim(&self, lease: LeaseId) -> Result<Revision> {
        let leader = serde_json::to_vec(&Leader { who: self.who.clone() })
            .map_err(|source| Error::Encode { key: self.key.to_string(), source: Arc::new(source) })?;
        let claim = Transaction::new().absent(self.key.clone()).put_leased(self.key.clone(), leader, lease);
        self.store.commit(claim).await
    }

    async fn wait_for_vacancy(&self) -> Result<()> {
        while let Some(held) = self.store.get(&self.key).await? {
            match self.wait_for_end(&held).await {
                Ok(()) | Err(Error::Compacted { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn wait_for_end(&self, held: &Entry) -> Result<()> {
        let mut watch = self.store.watch(&self.key, held.modified).await?;
        loop {
            let ended = |change: &crate::Change| change.key == self.key && change.entry.is_none();
            if watch.next().await?.changes.iter().any(ended) {
                return Ok(());
            }
        }
    }
}

/// Revokes its lease when dropped, so that a claim that was given up, or whose answer was lost, blocks nobody.
struct LeaseGuard {
    store: Arc<dyn Store>,
    id: LeaseId,
    revoked: bool,
}

impl LeaseGuard {
    async fn grant(store: &Arc<dyn Store>, ttl: Duration) -> Result<Self> {
        Ok(Self { id: store.grant(ttl).await?, store: Arc::clone(store), revoked: false })
    }

    async fn revoke(mut self) {
        // If the store can't be reached, the lease ends by itself.
        let _ = self.store.revoke(self.id).await;
        self.revoked = true;
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        if self.revoked {
            return;
        }
        // Without a runtime the process is ending, and the lease ends by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (store, id) = (Arc::clone(&self.store), self.id);
            runtime.spawn(async move { store.revoke(id).await });
        }
    }
}

/// Leading. Renews itself until it is resigned, dropped or lost.
pub struct Leadership {
    key: Arc<str>,
    term: Revision,
    held: watch::Receiver<Held>,
    resign: Option<oneshot::Sender<()>>,
    renewal: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy)]
enum Held {
    Until(Instant),
    Lost,
}

impl Leadership {
    fn begin(candidate: &Candidate, term: Revision, lease: LeaseGuard, asked: Instant) -> Self {
        let until = asked + safe(candidate.ttl);
        let (tell, held) = watch::channel(Held::Until(until));
        let (resign, resigned) = oneshot::channel();
        let renewal = Renewal {
            store: Arc::clone(&candidate.store),
            key: Arc::clone(&candidate.key),
            ttl: candidate.ttl,
            term,
            tell,
        };
        let renewal = tokio::spawn(async move {
            tokio::select! {
                () = renewal.run(lease.id, until) => {}
                _ = resigned => renewal.lose(),
            }
            lease.revoke().await;
        });
        Self { key: Arc::clone(&candidate.key), term, held, resign: Some(resign), renewal: Some(renewal) }
    }

    /// The revision that made this leadership; later ones have greater terms.
    pub fn term(&self) -> Revision {
        self.term
    }

    /// The key of the document that stands for it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it is certain, at this moment, that nobody else leads.
    pub fn is_held(&self) -> bool {
        is_held(&self.held)
    }

    /// What tells others whether it is held.
    pub fn standing(&self) -> Standing {
        Standing { key: Arc::clone(&self.key), term: self.term, held: self.held.clone() }
    }

    /// Waits until it is lost. May be called often, and dropped.
    pub async fn lost(&self) {
        let mut held = self.held.clone();
        loop {
            let until = match *held.borrow_and_update() {
                Held::Until(until) => until,
                Held::Lost => return,
            };
            tokio::select! {
                () = tokio::time::sleep_until(until.into()) => {
                    if !self.is_held() {
                        return;
                    }
                }
                changed = held.changed() => if changed.is_err() { return },
            }
        }
    }

    /// The transaction, refused by the store with [`Error::Conflict`] on [`Leadership::key`] unless this
    /// leadership still stands. Takes one of the operations.
    pub fn fence(&self, transaction: Transaction) -> Transaction {
        fence(&self.key, self.term, transaction)
    }

    /// Gives it up, so that a successor can begin at once; done when the store knows it.
    pub async fn resign(mut self) {
        self.resign = None;
        if let Some(renewal) = self.renewal.take() {
            // It ends in any case; a panic was reported where it happened.
            let _ = renewal.await;
        }
    }
}

impl std::fmt::Debug for Leadership {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = formatter.debug_struct("Leadership");
        fields.field("key", &self.key).field("term", &self.term).field("held", &self.is_held()).finish()
    }
}

fn fence(key: &Arc<str>, term: Revision, mut transaction: Transaction) -> Transaction {
    let fence = Transaction::new().unchanged(Arc::clone(key), term);
    transaction.compares.splice(0..0, fence.compares);
    transaction
}

/// Tells whether a leadership is held, for as long as anybody wants to know, and fences what is done in its name.
#[derive(Clone)]
pub struct Standing {
    key: Arc<str>,
    term: Revision,
    held: watch::Receiver<Held>,
}

impl Standing {
    /// Its term.
    pub fn term(&self) -> Revision {
        self.term
    }

    /// Whether it is certain, at this moment, that nobody else leads.
    pub fn is_held(&self) -> bool {
        is_held(&self.held)
    }

    /// The key of the document that stands for it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The same as [`Leadership::fence`].
    pub fn fence(&self, transaction: Transaction) -> Transaction {
        fence(&self.key, self.term, transaction)
    }
}

fn is_held(held: &watch::Receiver<Held>) -> bool {
    matches!(*held.borrow(), Held::Until(until) if Instant::now() < until)
}

/// The part of the time to live in which the holder may believe in itself.
fn safe(ttl: Duration) -> Duration {
    ttl - ttl / SAFETY_DIVISOR
}

struct Renewal {
    store: Arc<dyn Store>,
    key: Arc<str>,
    ttl: Duration,
    term: Revision,
    tell: watch::Sender<Held>,
}

impl Renewal {
    /// Renews until the leadership is lost.
    async fn run(&self, lease: LeaseId, mut until: Instant) {
        let pause = self.ttl / RENEWALS_PER_TTL;
        loop {
            tokio::time::sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
            let asked = Instant::now();
            let renewed = tokio::time::timeout_at(until.into(), self.renew(lease)).await;
            match renewed {
                Ok(Ok(true)) => {
                    until = asked + safe(self.ttl);
                    self.tell.send_replace(Held::Until(until));
                }
                Ok(Err(error)) if Instant::now() < until => {
                    tracing::warn!(key = %self.key, %error, "the leadership couldn't be renewed; trying again");
                }
                Ok(Ok(false) | Err(_)) | Err(_) => return self.lose(),
            }
        }
    }

    /// Whether the lease lives and the document is still ours.
    async fn renew(&self, lease: LeaseId) -> Result<bool> {
        match self.store.keep_alive(lease).await {
            Ok(()) => {}
            Err(Error::LeaseGone { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        let entry = self.store.get(&self.key).await?;
        Ok(entry.is_some_and(|entry| entry.modified == self.term))
    }

    fn lose(&self) {
        self.tell.send_replace(Held::Lost);
    }
}
