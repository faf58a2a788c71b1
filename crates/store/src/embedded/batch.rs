//! One group of requests within one database transaction: every request is decided in memory first, so that one
//! that is refused leaves the others of its group alone. Never commits what it couldn't write whole.

use std::sync::Arc;
use std::time::Instant;

use rusqlite::{CachedStatement, Connection, params};

use super::index::Known;
use super::schema::{KEPT_FROM, place, revision_of, set_meta};
use super::writer::State;
use crate::{Change, Changes, Entry, Error, LeaseId, Result, Revision, Transaction, Write};

/// The history is trimmed in passing to this many changes and bytes, once it is beyond by the slack.
const HISTORY_CHANGES: u64 = 100_000;
const HISTORY_BYTES: u64 = 256 * 1024 * 1024;
const HISTORY_SLACK: u64 = 1000;

/// What the answer to one request is, unless the database fails.
type Verdict = rusqlite::Result<Result<u64>>;

/// A group under way.
pub(super) struct Batch<'a> {
    connection: &'a Connection,
    state: &'a mut State,
    now: Instant,
    open: Option<Statements<'a>>,
    commits: Vec<Changes>,
}

/// Prepared once for the group.
struct Statements<'a> {
    insert: CachedStatement<'a>,
    update: CachedStatement<'a>,
    delete: CachedStatement<'a>,
    log: CachedStatement<'a>,
}

impl<'a> Statements<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            insert: connection.prepare_cached(
                "INSERT INTO documents (key, value, created, modified, lease) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
            update: connection
                .prepare_cached("UPDATE documents SET value = ?2, modified = ?3, lease = ?4 WHERE key = ?1")?,
            delete: connection.prepare_cached("DELETE FROM documents WHERE key = ?1")?,
            log: connection.prepare_cached(
                "INSERT INTO history (place, key, created, value, lease) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
        })
    }
}

impl<'a> Batch<'a> {
    pub(super) fn new(connection: &'a Connection, state: &'a mut State, now: Instant) -> Self {
        Self { connection, state, now, open: None, commits: Vec::new() }
    }

    /// Decides a transaction and, if it may, writes it.
    pub(super) fn commit(&mut self, transaction: Transaction) -> Verdict {
        if let Some(compare) = self.state.index.conflict(&transaction.compares) {
            return Ok(Err(Error::Conflict { key: compare.key.to_string() }));
        }
        for write in &transaction.writes {
            if let Write::Put { lease: Some(lease), .. } = write
                && !self.state.leases.is_live(*lease, self.now)
            {
                return Ok(Err(Error::LeaseGone { lease: *lease }));
            }
        }
        self.write(transaction.writes).map(Ok)
    }

    /// Ends a lease that lives.
    pub(super) fn revoke(&mut self, lease: LeaseId) -> Verdict {
        if !self.state.leases.is_live(lease, self.now) {
            return Ok(Err(Error::LeaseGone { lease }));
        }
        self.end(lease).map(Ok)
    }

    /// Ends the leases whose time is over.
    pub(super) fn expire(&mut self) -> rusqlite::Result<()> {
        for lease in self.state.leases.expired(self.now) {
            self.end(lease)?;
        }
        Ok(())
    }

    /// Forgets the history before a revision.
    pub(super) fn compact(&mut self, before: Revision) -> Verdict {
        let before = before.value().min(self.state.revision);
        if before > self.state.history.kept_from {
            self.open()?;
            self.forget_before(before)?;
        }
        Ok(Ok(0))
    }

    /// Makes it durable, and gives the commits for the watchers.
    pub(super) fn finish(mut self) -> rusqlite::Result<Vec<Changes>> {
        if self.open.is_some() {
            self.trim()?;
            self.open = None;
            self.connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(self.commits)
    }

    fn end(&mut self, lease: LeaseId) -> rusqlite::Result<u64> {
        let bearing = self.state.index.bearing(lease);
        self.state.leases.end(lease);
        self.write(bearing.into_iter().map(|key| Write::Delete { key }).collect())
    }

    fn open(&mut self) -> rusqlite::Result<&mut Statements<'a>> {
        if self.open.is_none() {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            self.open = Some(Statements::prepare(self.connection)?);
        }
        Ok(self.open.as_mut().expect("opened above"))
    }

    /// Writes at a new revision; gives the present one if that would change nothing.
    fn write(&mut self, mut writes: Vec<Write>) -> rusqlite::Result<u64> {
        writes.retain(|write| matches!(write, Write::Put { .. }) || self.state.index.get(write.key()).is_some());
        if writes.is_empty() {
            return Ok(self.state.revision);
        }
        self.open()?;
        self.state.revision += 1;
        let revision = Revision::new(self.state.revision);
        let mut changes = Vec::with_capacity(writes.len());
        for (ordinal, write) in writes.into_iter().enumerate() {
            let place = place(revision.value(), ordinal);
            changes.push(match write {
                Write::Put { key, value, lease } => self.put(place, revision, key, value, lease)?,
                Write::Delete { key } => self.delete(place, key)?,
            });
        }
        self.commits.push(Changes { revision, changes });
        Ok(revision.value())
    }

    fn put(
        &mut self,
        place: i64,
        modified: Revision,
        key: Arc<str>,
        value: Arc<[u8]>,
        lease: Option<LeaseId>,
    ) -> rusqlite::Result<Change> {
        let existing = self.state.index.get(&key).copied();
        let created = existing.map_or(modified, |known| known.created);
        let (created_number, modified_number) = (number(created.value()), number(modified.value()));
        let lease_number = lease.map(|lease| number(lease.value()));
        let statements = self.open()?;
        if existing.is_some() {
            statements.update.execute(params![&*key, &*value, modified_number, lease_number])?;
        } else {
            statements.insert.execute(params![&*key, &*value, created_number, modified_number, lease_number])?;
        }
        statements.log.execute(params![place, &*key, created_number, &*value, lease_number])?;
        self.state.index.put(&key, Known { created, modified, lease });
        self.state.history.add(value.len());
        let entry = Entry { key: Arc::clone(&key), value, created, modified, lease };
        Ok(Change { key, entry: Some(entry) })
    }

    fn delete(&mut self, place: i64, key: Arc<str>) -> rusqlite::Result<Change> {
        let statements = self.open()?;
        statements.delete.execute([&*key])?;
        statements.log.execute(params![place, &*key, 0, None::<&[u8]>, None::<i64>])?;
        self.state.index.delete(&key);
        self.state.history.add(0);
        Ok(Change { key, entry: None })
    }

    /// Forgets the oldest part of a history that is too long.
    fn trim(&mut self) -> rusqlite::Result<()> {
        let history = self.state.history;
        let excess = if history.changes > HISTORY_CHANGES + HISTORY_SLACK {
            history.changes - HISTORY_CHANGES
        } else if history.bytes > HISTORY_BYTES {
            (history.changes / 10).max(1)
        } else {
            return Ok(());
        };
        let first_kept: i64 = self
            .connection
            .prepare_cached("SELECT place FROM history ORDER BY place LIMIT 1 OFFSET ?1")?
            .query_row([number(excess)], |row| row.get(0))?;
        self.forget_before(revision_of(first_kept).min(self.state.revision))
    }

    fn forget_before(&mut self, revision: u64) -> rusqlite::Result<()> {
        let until = place(revision, 0);
        let (changes, bytes): (i64, i64) = self
            .connection
            .prepare_cached("SELECT count(*), coalesce(sum(length(value)), 0) FROM history WHERE place < ?1")?
            .query_row([until], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.connection.prepare_cached("DELETE FROM history WHERE place < ?1")?.execute([until])?;
        set_meta(self.connection, KEPT_FROM, number(revision))?;
        let history = &mut self.state.history;
        history.kept_from = revision;
        history.changes = history.changes.saturating_sub(changes.unsigned_abs());
        history.bytes = history.bytes.saturating_sub(bytes.unsigned_abs());
        Ok(())
    }
}

/// Revisions and leases stay far below the end of what the database can hold.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
