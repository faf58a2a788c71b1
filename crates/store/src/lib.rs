//! Documents with revisions, compare-and-put, watch, leases and leadership.
//!
//! This crate owns the [`Store`] contract, the bounds that every form of it keeps, and its two forms: embedded
//! ([`Embedded`]) and in an etcd cluster ([`Etcd`]). It knows nothing of what the documents mean, and must never learn it: keys are text,
//! values are bytes.
//!
//! The contract holds nothing that a replicated key-value service could not offer, so a controller behaves
//! the same on one directory as on a cluster.

pub mod backup;
pub mod copy;
mod directory;
mod document;
mod embedded;
mod error;
mod etcd;
mod json;
pub mod leadership;
pub mod seal;
mod transaction;
mod watch;

pub use backup::Backup;
pub use copy::Origin;
pub use directory::DirectoryLock;
pub use document::{Change, Changes, Entry, LeaseId, Listing, Page, Revision};
pub use embedded::Embedded;
pub use error::{Error, Result};
pub use etcd::{Etcd, EtcdAddress, EtcdSettings};
pub use json::StoreJson;
pub use transaction::{Compare, Expectation, Transaction, Write};
pub use watch::{Watch, Watcher};

use std::time::Duration;

use async_trait::async_trait;

/// Most compares and writes, together, of one [`Transaction`].
pub const MAX_OPERATIONS: usize = 100;
/// Most bytes of one [`Transaction`]: all its keys and values.
pub const MAX_TRANSACTION_BYTES: usize = 1024 * 1024;
/// Most bytes of one key.
pub const MAX_KEY_BYTES: usize = 512;
/// Most entries of one [`Page`]; a larger `limit` is taken as this one.
pub const MAX_PAGE_ENTRIES: usize = 1000;

/// Documents with revisions. Held as `Arc<dyn Store>`.
///
/// Keys are ordered by their UTF-8 bytes, are 1 to [`MAX_KEY_BYTES`] long and hold no control characters.
/// Each commit that changes something raises the one global revision.
/// A read that begins after a commit was acknowledged sees it.
///
/// Dropping the future of [`Store::commit`] doesn't take the transaction back: it may or may not happen.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The random name that this store got when it was created, 16 hexadecimal digits, the same for ever.
    fn cluster_id(&self) -> &str;

    /// The document at `key`, if there is one.
    async fn get(&self, key: &str) -> Result<Option<Entry>>;

    /// Up to `limit` documents (1 to [`MAX_PAGE_ENTRIES`]) whose keys begin with `prefix` and come after
    /// `after`, in key order. Pages fetched one after another may see different revisions.
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page>;

    /// All documents whose keys begin with `prefix`, in key order, as they were at one revision. Watching from
    /// [`Listing::revision`] misses nothing.
    async fn list_all(&self, prefix: &str) -> Result<Listing>;

    /// Makes all writes if all compares hold, or none. Durable when it answers.
    ///
    /// The answer is the new revision, or the present one if nothing changed (no writes, or only deletes of
    /// absent keys).
    ///
    /// # Errors
    /// [`Error::Conflict`] names the first key whose compare failed. [`Error::TooLarge`],
    /// [`Error::InvalidKey`], [`Error::DuplicateWrite`] and [`Error::LeaseGone`] refuse before anything is
    /// written. [`Error::Full`]: nothing was written. [`Error::Io`] and [`Error::Unavailable`]: read again to
    /// know what happened.
    async fn commit(&self, transaction: Transaction) -> Result<Revision>;

    /// Every change of a key that begins with `prefix`, made after the revision `after`, in order.
    ///
    /// # Errors
    /// [`Error::Compacted`] if that part of the history is gone, from here or from the first
    /// [`Watch::next`]: list anew, and watch from there.
    async fn watch(&self, prefix: &str, after: Revision) -> Result<Watch>;

    /// A new lease that ends when nobody renews it for `ttl`, or somewhat later, never earlier.
    async fn grant(&self, ttl: Duration) -> Result<LeaseId>;

    /// Gives the lease its full time again, counted from some moment during this call.
    ///
    /// # Errors
    /// [`Error::LeaseGone`] if it has ended.
    async fn keep_alive(&self, lease: LeaseId) -> Result<()>;

    /// Ends the lease now; every document that bears it is deleted, visibly to watches, in one revision.
    ///
    /// # Errors
    /// [`Error::LeaseGone`] if it has already ended.
    async fn revoke(&self, lease: LeaseId) -> Result<()>;

    /// Allows the history before the revision `before` to be forgotten. Documents stay. A revision in the
    /// future is taken as the present one; one that is already forgotten changes nothing.
    async fn compact(&self, before: Revision) -> Result<()>;
}
