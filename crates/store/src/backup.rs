//! A whole store as one file, and a store made of such a file. The file holds what the store holds and no more: what is
//! sealed stays sealed, so it is worth nothing without the key file, which is not in it.
//!
//! Its form: a line with the version, a line of JSON that tells what is inside, the documents as gzipped lines of JSON,
//! and the SHA-256 of all that, as the last line.

mod file;
mod lines;

use std::path::Path;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::copy::{Census, fill};
use crate::seal::{CHECK_KEY, Sealer};
use crate::{Entry, Error, Origin, Result, Revision, Store, StoreJson};

/// The version of the form that this program writes and reads.
const VERSION: u32 = 1;
const MAGIC: &str = "pierhead-backup ";
/// Hexadecimal digits of the sum, and the end of its line.
const SUM_BYTES: usize = 65;

/// The key of the document that tells that a store was restored from a backup, until somebody says that all is well.
pub const RESTORED: &str = "restored";

/// How far the revisions of a restored store are above those of its backup: more than were made since in any case, so
/// that its leaders' terms are later than those of the leaders that came after the backup, and not so far that the agents
/// of hosts take them for absurd.
pub const RESTORED_ABOVE: u64 = 1 << 30;

/// What is inside a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// When it was made, in milliseconds since 1970.
    pub made_at: u64,
    /// The version of the program that made it.
    pub program: String,
    /// [`Store::cluster_id`].
    pub cluster: String,
    /// The revision of everything in it.
    pub revision: Revision,
    /// Its documents.
    #[serde(flatten)]
    pub census: Census,
}

/// A document that says that the store was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was made, in milliseconds since 1970.
    pub made_at: u64,
    /// When it was restored.
    pub restored_at: u64,
}

/// Everything that a store held at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    manifest: Manifest,
    entries: Vec<Entry>,
}

impl Backup {
    /// What a store holds now, while others may go on writing. It must be the store as it lies, not one that opens what
    /// is sealed.
    ///
    /// # Errors
    /// Those of [`Store::list_all`], and [`Error::Backup`] if the store is itself an unfinished copy.
    pub async fn of(store: &dyn Store, made_at: u64, program: &str) -> Result<Self> {
        if crate::copy::is_unfinished(store).await? {
            return Err(Error::Backup { reason: "the store is a copy that was never completed".to_owned() });
        }
        let listing = store.list_all("").await?;
        let leased = listing.entries.iter().filter(|entry| entry.lease.is_some()).count() as u64;
        let entries: Vec<Entry> = listing.entries.into_iter().filter(|entry| entry.lease.is_none()).collect();
        let census = Census { leased, ..Census::of_entries(&entries) };
        let (cluster, program) = (store.cluster_id().to_owned(), program.to_owned());
        Ok(Self { manifest: Manifest { made_at, program, cluster, revision: listing.revision, census }, entries })
    }

    /// What is inside.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The file. Takes a while for a large store, so not to be called on a thread that others wait for.
    ///
    /// # Errors
    /// [`Error::Backup`] if it can't be packed.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let refused = |reason: String| Error::Backup { reason };
        let manifest = serde_json::to_string(&self.manifest).map_err(|error| refused(error.to_string()))?;
        let mut bytes = format!("{MAGIC}{VERSION}\n{manifest}\n").into_bytes();
        lines::pack(&self.entries, &mut bytes).map_err(|error| refused(error.to_string()))?;
        let sum = sum(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a file that [`Backup::encode`] made, and checks all of it.
    ///
    /// # Errors
    /// [`Error::Backup`] if it is something else, of a later version, damaged anywhere, or not whole.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let refused = |reason: &str| Error::Backup { reason: reason.to_owned() };
        let damaged = || refused("it is damaged, or not whole: its check sum does not fit");
        let after_magic = bytes.strip_prefix(MAGIC.as_bytes()).ok_or_else(|| refused("it does not begin like one"))?;
        let version: Option<u32> = first_line(after_magic).and_then(|(line, _)| line.parse().ok());
        let content = bytes.len().checked_sub(SUM_BYTES).map(|end| bytes.split_at(end));
        let is_whole = content.is_some_and(|(all, last)| last == format!("{}\n", sum(all)).as_bytes());
        match version {
            Some(VERSION) => {}
            Some(later) if is_whole && later > VERSION => {
                return Err(Error::Backup {
                    reason: format!("it is of version {later} and this program knows {VERSION}: use a newer program"),
                });
            }
            _ => return Err(damaged()),
        }
        let (all, _) = content.filter(|_| is_whole).ok_or_else(damaged)?;
        let (_, rest) = first_line(all).ok_or_else(damaged)?;
        let (manifest, packed) = first_line(rest).ok_or_else(damaged)?;
        let manifest: Manifest =
            serde_json::from_str(manifest).map_err(|error| refused(&format!("what it tells of itself: {error}")))?;
        let entries = lines::unpack(packed, manifest.revision).map_err(|reason| Error::Backup { reason })?;
        let census = Census { leased: manifest.census.leased, ..Census::of_entries(&entries) };
        if census != manifest.census {
            return Err(refused("its documents are not those that it tells of"));
        }
        Ok(Self { manifest, entries })
    }

    /// Writes bytes of [`Backup::encode`] where a backup shall be: whole or not at all, durable, readable by its owner
    /// only. What was there is replaced.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
        file::save(path, bytes)
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`Error::Open`], or those of [`Backup::decode`].
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Open {
            operation: "read",
            path: path.to_owned(),
            source: Arc::new(source),
        })?;
        Self::decode(&bytes)
    }

    /// Whether there are secrets in it, so that it is of no use without their key.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.check().is_some()
    }

    /// Makes sure that its secrets belong to this key.
    ///
    /// # Errors
    /// [`Error::WrongKey`] or [`Error::Damaged`].
    pub fn check_key(&self, sealer: &Sealer) -> Result<()> {
        self.check().map_or(Ok(()), |check| sealer.open(CHECK_KEY, &String::from_utf8_lossy(&check.value)).map(drop))
    }

    fn check(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.key == CHECK_KEY)
    }

    /// What the store takes over that is made of it: see [`RESTORED_ABOVE`].
    #[must_use]
    pub fn origin(&self) -> Origin {
        let revision = self.manifest.revision.value().saturating_add(RESTORED_ABOVE);
        Origin { cluster: self.manifest.cluster.clone(), revision: Revision::new(revision) }
    }

    /// Writes everything into a store that was created with [`Backup::origin`], and marks it as restored.
    ///
    /// # Errors
    /// [`Error::CopyDiffers`], or those of the store. What is there is then not to be used, and knows it.
    pub async fn restore(&self, to: &dyn Store, restored_at: u64) -> Result<()> {
        let mark = Restored { made_at: self.manifest.made_at, restored_at };
        let encoded = serde_json::to_vec(&mark)
            .map_err(|source| Error::Encode { key: RESTORED.to_owned(), source: Arc::new(source) })?;
        fill(to, &self.entries, &self.manifest.census, (RESTORED, encoded)).await
    }
}

/// Whether a store was restored, and nobody has said yet that all is well.
///
/// # Errors
/// Those of [`Store::get`], and [`Error::Decode`].
pub async fn restored(store: &dyn Store) -> Result<Option<Restored>> {
    Ok(store.get_json(RESTORED).await?.map(|(restored, _)| restored))
}

/// A line of text and what follows it.
fn first_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

fn sum(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests;
