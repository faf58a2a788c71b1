//! The tables, their version, and the names that a store gets at its creation.

use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::{Connection, OptionalExtension, params};

use super::database::failed;
use crate::{Error, Origin, Result};

/// The schema that this program writes. Raise it with every change of the tables, and bring older ones up.
const SCHEMA_VERSION: u64 = 1;

/// `place` is [`place`] of the revision and the ordinal within it; `value` is null for a deletion.
const TABLES: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE documents (
        key TEXT PRIMARY KEY, value BLOB NOT NULL,
        created INTEGER NOT NULL, modified INTEGER NOT NULL, lease INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE history (
        place INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, value BLOB, lease INTEGER
    ) STRICT;
";

const ORDINAL_BITS: u32 = 20;
const MAX_REVISION: u64 = (1 << (63 - ORDINAL_BITS)) - 1;

/// Where a change stands in the history: by revision, then by ordinal. 43 bits of revision last for centuries.
pub(super) fn place(revision: u64, ordinal: usize) -> i64 {
    let ordinal = ordinal.min((1 << ORDINAL_BITS) - 1);
    let place = (revision.min(MAX_REVISION) << ORDINAL_BITS) | ordinal as u64;
    i64::try_from(place).expect("63 bits")
}

/// The revision of a [`place`].
pub(super) fn revision_of(place: i64) -> u64 {
    u64::try_from(place).unwrap_or(0) >> ORDINAL_BITS
}

/// What tells this store from others.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub cluster: String,
    pub store: String,
}

/// Makes the tables if the database is new, for a copy if there is an origin; refuses one that a later version wrote.
pub(super) fn prepare(connection: &Connection, directory: &Path, origin: Option<&Origin>) -> Result<Identity> {
    let operation = "prepare the tables";
    let existing: bool = connection
        .query_row("SELECT count(*) > 0 FROM sqlite_master WHERE name = 'meta'", [], |row| row.get(0))
        .map_err(|source| failed(operation, source))?;
    if !existing {
        let cluster = origin.map_or_else(random_name, |origin| Ok(origin.cluster.clone()))?;
        let identity = Identity { cluster, store: random_name()? };
        let revision = origin.map_or(0, |origin| origin.revision.value());
        return create(connection, &identity, revision).map(|()| identity).map_err(|source| failed(operation, source));
    }
    if origin.is_some() {
        return Err(Error::Occupied { place: directory.display().to_string() });
    }
    let found: i64 = meta(connection, "schema").map_err(|source| failed(operation, source))?.unwrap_or(0);
    let found = u64::try_from(found).unwrap_or(0);
    if found > SCHEMA_VERSION {
        return Err(Error::SchemaTooNew { directory: directory.to_owned(), found, known: SCHEMA_VERSION });
    }
    let name = |name| meta(connection, name).map_err(|source| failed(operation, source));
    Ok(Identity { cluster: name("cluster")?.unwrap_or_default(), store: name("store")?.unwrap_or_default() })
}

fn create(connection: &Connection, identity: &Identity, revision: u64) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    set_meta(&transaction, "schema", i64::try_from(SCHEMA_VERSION).expect("small"))?;
    set_meta(&transaction, "cluster", &identity.cluster)?;
    set_meta(&transaction, "store", &identity.store)?;
    set_meta(&transaction, KEPT_FROM, i64::try_from(revision.min(MAX_REVISION) + 1).expect("43 bits"))?;
    transaction.commit()
}

/// The name of the first revision whose changes are still in the history.
pub(super) const KEPT_FROM: &str = "kept_from";

/// One of the store's own settings.
pub(super) fn meta<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<Option<T>> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    statement.query_row([name], |row| row.get(0)).optional()
}

/// Writes one of the store's own settings.
pub(super) fn set_meta(connection: &Connection, name: &str, value: impl rusqlite::ToSql) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("REPLACE INTO meta (name, value) VALUES (?1, ?2)")?;
    statement.execute(params![name, value]).map(drop)
}

fn random_name() -> Result<String> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}
