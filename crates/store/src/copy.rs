//! A whole store copied into another of either form, and what tells that the copy is one. Documents with a lease stay
//! behind: whoever holds them is no part of what is kept.

use std::collections::BTreeMap;

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::{
    Entry, Error, MAX_OPERATIONS, MAX_PAGE_ENTRIES, MAX_TRANSACTION_BYTES, Result, Revision, Store, Transaction, Write,
};

/// Lies in a copy as long as it isn't whole.
const UNFINISHED: &str = "unfinished-copy";

/// What a copy takes over from the store that it is a copy of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// [`Store::cluster_id`], which containers bear as a label.
    pub cluster: String,
    /// The revision that all of the copy's are above, so that later leaders have greater terms than earlier ones.
    pub revision: Revision,
}

impl Origin {
    /// That of a copy of `store`.
    ///
    /// # Errors
    /// Those of [`Store::list`].
    pub async fn of(store: &dyn Store) -> Result<Self> {
        let revision = store.list("", None, 1).await?.revision;
        Ok(Self { cluster: store.cluster_id().to_owned(), revision })
    }
}

/// What there is in a store, without what bears a lease.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// How many documents, by the first part of their keys.
    pub documents: BTreeMap<String, u64>,
    /// Bytes of all keys and values.
    pub bytes: u64,
    /// How many bear a lease, and are left out of the rest.
    pub leased: u64,
    /// SHA-256 of all keys and values, in order: 64 hexadecimal digits.
    pub digest: String,
}

impl Census {
    /// How many documents there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.documents.values().sum()
    }

    /// Counts everything.
    ///
    /// # Errors
    /// Those of [`Store::list`].
    pub async fn of(store: &dyn Store) -> Result<Self> {
        let mut count = Count::new();
        let mut pages = Pages::new(store);
        while let Some(entries) = pages.next().await? {
            entries.iter().for_each(|entry| {
                count.takes(entry);
            });
        }
        Ok(count.census())
    }

    /// What there is among these.
    pub(crate) fn of_entries<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut count = Count::new();
        for entry in entries {
            count.takes(entry);
        }
        count.census()
    }

    pub(crate) fn same_as(&self, other: &Self) -> Result<()> {
        let differs = |what| Err(Error::CopyDiffers { what });
        if self.documents != other.documents {
            return differs("the number of documents");
        }
        if self.digest == other.digest { Ok(()) } else { differs("the documents") }
    }
}

/// Whether a store is a copy that was never completed.
///
/// # Errors
/// Those of [`Store::get`].
pub async fn is_unfinished(store: &dyn Store) -> Result<bool> {
    Ok(store.get(UNFINISHED).await?.is_some())
}

/// Copies everything to `to`, which [`crate::Embedded::create`] or [`crate::Etcd::create`] has made. Nobody may write to
/// either meanwhile.
///
/// # Errors
/// [`Error::CopyDiffers`] if what was copied isn't what was, or is, in `from`; or those of the stores. The copy is
/// then not to be used, and knows it.
pub async fn copy(from: &dyn Store, to: &dyn Store) -> Result<Census> {
    to.commit(Transaction::new().absent(UNFINISHED).put(UNFINISHED, *b"{}")).await?;
    let (mut count, mut batch) = (Count::new(), Batch::default());
    let mut pages = Pages::new(from);
    while let Some(entries) = pages.next().await? {
        for entry in entries {
            if count.takes(&entry) {
                batch.put(to, entry).await?;
            }
        }
    }
    batch.send(to).await?;
    let copied = count.census();
    copied.same_as(&Census::of(to).await?)?;
    copied.same_as(&Census::of(from).await?)?;
    to.commit(Transaction::new().exists(UNFINISHED).delete(UNFINISHED)).await?;
    Ok(copied)
}

/// Writes what a backup holds into a store that [`crate::Embedded::create`] or [`crate::Etcd::create`] has made, with a
/// mark that says so.
pub(crate) async fn fill(to: &dyn Store, entries: &[Entry], census: &Census, mark: (&str, Vec<u8>)) -> Result<()> {
    to.commit(Transaction::new().absent(UNFINISHED).put(UNFINISHED, *b"{}")).await?;
    let mut batch = Batch::default();
    for entry in entries {
        batch.put(to, entry.clone()).await?;
    }
    batch.send(to).await?;
    census.same_as(&Census::of(to).await?)?;
    let (key, value) = mark;
    to.commit(Transaction::new().exists(UNFINISHED).delete(UNFINISHED).put(key, value)).await.map(drop)
}

/// All documents, a page at a time.
struct Pages<'a> {
    store: &'a dyn Store,
    after: Option<String>,
    more: bool,
}

impl<'a> Pages<'a> {
    fn new(store: &'a dyn Store) -> Self {
        Self { store, after: None, more: true }
    }

    async fn next(&mut self) -> Result<Option<Vec<Entry>>> {
        if !self.more {
            return Ok(None);
        }
        let page = self.store.list("", self.after.as_deref(), MAX_PAGE_ENTRIES).await?;
        self.more = page.more && !page.entries.is_empty();
        self.after = page.entries.last().map(|last| last.key.to_string());
        Ok(Some(page.entries))
    }
}

struct Count {
    census: Census,
    digest: Context,
}

impl Count {
    fn new() -> Self {
        Self { census: Census::default(), digest: Context::new(&SHA256) }
    }

    /// Counts a document, and tells whether it belongs into a copy.
    fn takes(&mut self, entry: &Entry) -> bool {
        if entry.lease.is_some() {
            self.census.leased += 1;
            return false;
        }
        if &*entry.key == UNFINISHED {
            return false;
        }
        for part in [entry.key.as_bytes(), &entry.value] {
            self.digest.update(&(part.len() as u64).to_le_bytes());
            self.digest.update(part);
            self.census.bytes += part.len() as u64;
        }
        let kind = entry.key.split('/').next().unwrap_or_default();
        *self.census.documents.entry(kind.to_owned()).or_default() += 1;
        true
    }

    fn census(mut self) -> Census {
        let digest = self.digest.finish();
        self.census.digest = digest.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        self.census
    }
}

/// Writes that go together, for speed only.
#[derive(Default)]
struct Batch {
    transaction: Transaction,
    bytes: usize,
}

impl Batch {
    async fn put(&mut self, to: &dyn Store, entry: Entry) -> Result<()> {
        let bytes = entry.key.len() + entry.value.len();
        if self.transaction.writes.len() == MAX_OPERATIONS || self.bytes + bytes > MAX_TRANSACTION_BYTES {
            self.send(to).await?;
        }
        self.bytes += bytes;
        self.transaction.writes.push(Write::Put { key: entry.key, value: entry.value, lease: None });
        Ok(())
    }

    async fn send(&mut self, to: &dyn Store) -> Result<()> {
        let batch = std::mem::take(self);
        if batch.transaction.writes.is_empty() { Ok(()) } else { to.commit(batch.transaction).await.map(drop) }
    }
}
