//! Lists in MySQL, MariaDB and PostgreSQL: the three queries of a mapping, in one transaction that only reads and sees one
//! moment. Rows are taken as they come; never is a whole result held beside what becomes of it.

use super::address::{DatabaseAddress, Kind, Place, Tls};
use crate::roster::{Reading, Roster};
use crate::table::Columns;
use crate::{Mapping, SourceError, Table};
use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, Column, ColumnIndex, ConnectOptions, Connection, Decode, Executor, Row, Type, TypeInfo};
use std::time::Duration;

/// How long the database may take to let us in.
const CONNECT: Duration = Duration::from_secs(15);
/// How long it may be silent within a result.
const SILENCE: Duration = Duration::from_secs(60);

pub(super) async fn read(address: &DatabaseAddress, mapping: &Mapping) -> Result<Roster, SourceError> {
    match address.kind {
        Kind::MySql => {
            let mut connection = connected(my_sql(address).connect()).await?;
            begun(connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")).await?;
            let roster = read_my_sql(&mut connection, mapping).await;
            close(connection).await;
            roster
        }
        Kind::Postgres => {
            let mut connection = connected(postgres(address).connect()).await?;
            begun(connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")).await?;
            let roster = read_postgres(&mut connection, mapping).await;
            close(connection).await;
            roster
        }
    }
}

fn my_sql(address: &DatabaseAddress) -> MySqlConnectOptions {
    let mode = match address.tls {
        Tls::Off => MySqlSslMode::Disabled,
        Tls::Preferred => MySqlSslMode::Preferred,
        Tls::Required => MySqlSslMode::Required,
        Tls::Verified => MySqlSslMode::VerifyIdentity,
    };
    let options = MySqlConnectOptions::new().username(&address.user).database(&address.database).ssl_mode(mode);
    let options = match &address.place {
        Place::Tcp(host, port) => options.host(host).port(*port),
        Place::Socket(path) => options.socket(path),
    };
    let options = address.authorities().map_or(options.clone(), |file| options.ssl_ca(file));
    address
        .password
        .as_deref()
        .map_or(options.clone(), |password| options.password(password))
        .disable_statement_logging()
}

fn postgres(address: &DatabaseAddress) -> PgConnectOptions {
    let mode = match address.tls {
        Tls::Off => PgSslMode::Disable,
        Tls::Preferred => PgSslMode::Prefer,
        Tls::Required => PgSslMode::Require,
        Tls::Verified => PgSslMode::VerifyFull,
    };
    let options =
        PgConnectOptions::new_without_pgpass().username(&address.user).database(&address.database).ssl_mode(mode);
    let options = match &address.place {
        Place::Tcp(host, port) => options.host(host).port(*port),
        Place::Socket(path) => options.socket(path),
    };
    let options = address.authorities().map_or(options.clone(), |file| options.ssl_root_cert(file));
    address
        .password
        .as_deref()
        .map_or(options.clone(), |password| options.password(password))
        .disable_statement_logging()
}

async fn connected<C>(connecting: impl Future<Output = sqlx::Result<C>>) -> Result<C, SourceError> {
    match tokio::time::timeout(CONNECT, connecting).await {
        Ok(connected) => connected.map_err(|error| SourceError::Connect(told(&error))),
        Err(_) => Err(SourceError::Connect(format!("it did not answer within {} s", CONNECT.as_secs()))),
    }
}

async fn begun<T>(beginning: impl Future<Output = sqlx::Result<T>>) -> Result<(), SourceError> {
    connected(beginning).await.map(drop)
}

/// Says good-bye; whether that is heard does not matter.
async fn close<C: Connection>(connection: C) {
    let _heard = tokio::time::timeout(Duration::from_secs(2), connection.close()).await;
}

/// What a database says, in one line and without what it repeats of rows.
fn told(error: &sqlx::Error) -> String {
    let text = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// Reads the three tables. The two kinds of connection have no common form that could be lent here.
macro_rules! reader {
    ($name:ident, $connection:ty, $row:ty, $field:ident) => {
        async fn $name(connection: &mut $connection, mapping: &Mapping) -> Result<Roster, SourceError> {
            let mut reading = Reading::default();
            for table in Table::ALL {
                let failed = |error: &sqlx::Error| SourceError::Query { table, reason: told(error) };
                let silent =
                    || SourceError::Query { table, reason: format!("it is silent since {} s", SILENCE.as_secs()) };
                let query = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(mapping.query(table).to_owned()));
                // Prepared: whatever is written there, it is one statement.
                let described = tokio::time::timeout(SILENCE, connection.prepare(query));
                let described = described.await.map_err(|_| silent())?.map_err(|error| failed(&error))?;
                let names: Vec<String> =
                    sqlx::Statement::columns(&described).iter().map(|column| column.name().to_owned()).collect();
                let columns = Columns::of(table, &names)?;
                let mut rows = sqlx::Statement::query(&described).fetch(&mut *connection);
                loop {
                    let row = tokio::time::timeout(SILENCE, rows.try_next()).await.map_err(|_| silent())?;
                    let Some(row) = row.map_err(|error| failed(&error))? else { break };
                    take(table, &columns, &row, $field, &mut reading)?;
                }
            }
            Ok(reading.done())
        }
    };
}

reader!(read_my_sql, MySqlConnection, MySqlRow, my_sql_field);
reader!(read_postgres, PgConnection, PgRow, postgres_field);

fn take<R: Row>(
    table: Table,
    columns: &Columns,
    row: &R,
    field: fn(&R, usize) -> Option<Option<String>>,
    reading: &mut Reading,
) -> Result<(), SourceError> {
    let known = table.columns();
    let mut values: Vec<Option<String>> = vec![None; known.len()];
    for (column, value) in values.iter_mut().enumerate() {
        let Some(at) = columns.get(column) else { continue };
        *value = field(row, at).ok_or_else(|| {
            let kind = row.columns()[at].type_info().name().to_owned();
            let reason = format!("column {} is of the type {kind}; make a text of it, as with CAST", known[column]);
            SourceError::Query { table, reason }
        })?;
    }
    reading.row(table, columns, |column| values.get(column).and_then(Option::as_deref))
}

/// A field as a text; nothing if it is of a type that is none.
fn as_text<'r, R, T>(row: &'r R, at: usize) -> Option<Option<T>>
where
    R: Row,
    usize: ColumnIndex<R>,
    T: Decode<'r, R::Database> + Type<R::Database>,
{
    row.try_get::<Option<T>, usize>(at).ok()
}

fn shown<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn my_sql_field(row: &MySqlRow, at: usize) -> Option<Option<String>> {
    let text = || as_text::<_, String>(row, at);
    let signed = || as_text::<_, i64>(row, at).map(shown);
    let unsigned = || as_text::<_, u64>(row, at).map(shown);
    let boolean = || as_text::<_, bool>(row, at).map(shown);
    let bytes = || as_text::<_, Vec<u8>>(row, at).and_then(utf8);
    text().or_else(signed).or_else(unsigned).or_else(boolean).or_else(bytes)
}

fn postgres_field(row: &PgRow, at: usize) -> Option<Option<String>> {
    let text = || as_text::<_, String>(row, at);
    let long = || as_text::<_, i64>(row, at).map(shown);
    let middle = || as_text::<_, i32>(row, at).map(shown);
    let short = || as_text::<_, i16>(row, at).map(shown);
    let boolean = || as_text::<_, bool>(row, at).map(shown);
    let bytes = || as_text::<_, Vec<u8>>(row, at).and_then(utf8);
    text().or_else(long).or_else(middle).or_else(short).or_else(boolean).or_else(bytes)
}

fn utf8(bytes: Option<Vec<u8>>) -> Option<Option<String>> {
    match bytes {
        None => Some(None),
        Some(bytes) => String::from_utf8(bytes).ok().map(Some),
    }
}
