//! Reading documents and history. Only reads, each within one snapshot.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::schema::{KEPT_FROM, meta, place, revision_of};
use crate::{Change, Changes, Entry, LeaseId, Listing, Page, Revision};

/// A page ends early beyond this many bytes of values.
const PAGE_BYTES: usize = 8 * 1024 * 1024;
/// A piece of history ends, after a whole commit, beyond this many changes or bytes.
const PIECE_CHANGES: usize = 1000;
const PIECE_BYTES: usize = 4 * 1024 * 1024;

/// The keys from one on, up to, but not including, another.
pub(super) struct KeyRange {
    from: String,
    until: Value,
}

impl KeyRange {
    /// The keys that begin with `prefix` and come after `after`.
    pub(super) fn new(prefix: &str, after: Option<&str>) -> Self {
        let from = match after {
            Some(after) if after >= prefix => format!("{after}\0"),
            _ => prefix.to_owned(),
        };
        Self { from, until: prefix_end(prefix) }
    }
}

/// The least value above every key with this prefix. UTF-8 sorts as the characters do, so it is the prefix
/// with its last character raised; a blob, which SQLite sorts after all text, if there is no such text.
fn prefix_end(prefix: &str) -> Value {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            characters.push(next);
            return Value::Text(characters.into_iter().collect());
        }
    }
    Value::Blob(Vec::new())
}

/// The document at `key`.
pub(super) fn entry(connection: &Connection, key: &str) -> rusqlite::Result<Option<Entry>> {
    connection
        .prepare_cached("SELECT key, value, created, modified, lease FROM documents WHERE key = ?1")?
        .query_row([key], read_entry)
        .optional()
}

/// Up to `limit` documents of the range.
pub(super) fn page(connection: &Connection, range: &KeyRange, limit: usize) -> rusqlite::Result<Page> {
    let snapshot = connection.unchecked_transaction()?;
    let revision = Revision::new(revision(&snapshot)?);
    let mut entries = Vec::new();
    let mut bytes = 0;
    let more = each_entry(&snapshot, range, |entry| {
        if entries.len() == limit || bytes > PAGE_BYTES {
            return false;
        }
        bytes += entry.value.len();
        entries.push(entry);
        true
    })?;
    Ok(Page { entries, revision, more })
}

/// All documents of the range.
pub(super) fn all(connection: &Connection, range: &KeyRange) -> rusqlite::Result<Listing> {
    let snapshot = connection.unchecked_transaction()?;
    let revision = Revision::new(revision(&snapshot)?);
    let mut entries = Vec::new();
    each_entry(&snapshot, range, |entry| {
        entries.push(entry);
        true
    })?;
    Ok(Listing { entries, revision })
}

/// Gives the entries of the range in turn until `take` declines one; whether it did.
fn each_entry(
    connection: &Connection,
    range: &KeyRange,
    mut take: impl FnMut(Entry) -> bool,
) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT key, value, created, modified, lease FROM documents WHERE key >= ?1 AND key < ?2 ORDER BY key",
    )?;
    let mut rows = statement.query(params![range.from, range.until])?;
    while let Some(row) = rows.next()? {
        if !take(read_entry(row)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The present revision. Trimming always leaves the last commit in the history; a new store may begin above zero.
pub(super) fn revision(connection: &Connection) -> rusqlite::Result<u64> {
    let last: Option<i64> =
        connection.prepare_cached("SELECT max(place) FROM history")?.query_row([], |row| row.get(0))?;
    last.map_or_else(|| Ok(kept_from(connection)?.saturating_sub(1)), |last| Ok(revision_of(last)))
}

/// The first revision whose changes are still in the history.
pub(super) fn kept_from(connection: &Connection) -> rusqlite::Result<u64> {
    let kept_from: Option<i64> = meta(connection, KEPT_FROM)?;
    Ok(kept_from.and_then(|revision| u64::try_from(revision).ok()).unwrap_or(1))
}

/// A piece of the history.
pub(super) struct Piece {
    /// Commits with changes under the prefix, in order.
    pub commits: Vec<Changes>,
    /// All up to this revision has been looked at.
    pub until: u64,
    /// The first revision that is still there.
    pub kept_from: u64,
}

/// The changes after a revision, under a prefix; a part of them if they are many.
pub(super) fn history(connection: &Connection, prefix: &str, after: u64) -> rusqlite::Result<Piece> {
    let snapshot = connection.unchecked_transaction()?;
    let mut piece =
        Piece { commits: Vec::new(), until: revision(&snapshot)?.max(after), kept_from: kept_from(&snapshot)? };
    let range = KeyRange::new(prefix, None);
    let mut statement = snapshot.prepare_cached(
        "SELECT place, key, created, value, lease FROM history
         WHERE place >= ?1 AND key >= ?2 AND key < ?3 ORDER BY place",
    )?;
    let mut rows = statement.query(params![place(after.saturating_add(1), 0), range.from, range.until])?;
    let (mut changes, mut bytes) = (0, 0);
    while let Some(row) = rows.next()? {
        let revision = Revision::new(revision_of(row.get(0)?));
        let same = piece.commits.last().is_some_and(|commit| commit.revision == revision);
        if !same && (changes >= PIECE_CHANGES || bytes >= PIECE_BYTES) {
            piece.until = piece.commits.last().map_or(after, |commit| commit.revision.value());
            break;
        }
        if !same {
            piece.commits.push(Changes { revision, changes: Vec::new() });
        }
        let change = read_change(row, revision)?;
        changes += 1;
        bytes += change.entry.as_ref().map_or(0, |entry| entry.value.len());
        piece.commits.last_mut().expect("just pushed").changes.push(change);
    }
    Ok(piece)
}

fn read_entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        key: Arc::from(row.get_ref(0)?.as_str()?),
        value: Arc::from(row.get_ref(1)?.as_blob()?),
        created: read_revision(row.get(2)?),
        modified: read_revision(row.get(3)?),
        lease: read_lease(row.get(4)?),
    })
}

fn read_change(row: &Row<'_>, revision: Revision) -> rusqlite::Result<Change> {
    let key: Arc<str> = Arc::from(row.get_ref(1)?.as_str()?);
    let entry = match row.get_ref(3)?.as_blob_or_null()? {
        None => None,
        Some(value) => Some(Entry {
            key: Arc::clone(&key),
            value: Arc::from(value),
            created: read_revision(row.get(2)?),
            modified: revision,
            lease: read_lease(row.get(4)?),
        }),
    };
    Ok(Change { key, entry })
}

pub(super) fn read_revision(number: i64) -> Revision {
    Revision::new(u64::try_from(number).unwrap_or(0))
}

pub(super) fn read_lease(number: Option<i64>) -> Option<LeaseId> {
    number.and_then(|number| u64::try_from(number).ok()).map(LeaseId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_the_next_text() {
        assert_eq!(prefix_end("a/"), Value::Text("a0".to_owned()));
        assert_eq!(prefix_end("a\u{10ffff}\u{10ffff}"), Value::Text("b".to_owned()));
        assert_eq!(prefix_end("\u{d7ff}"), Value::Text("\u{e000}".to_owned()));
        assert_eq!(prefix_end(""), Value::Blob(Vec::new()));
        assert_eq!(prefix_end("\u{10ffff}"), Value::Blob(Vec::new()));
    }
}
