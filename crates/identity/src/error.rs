//! Why a list can't be read. Nothing here tells what stands in one.

use crate::Table;

/// Why a list of people can't be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file can't be read.
    #[error("{file} can't be read: {source}")]
    File {
        /// Which.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not CSV.
    #[error("{table}.csv, line {line}: {what}")]
    Csv {
        /// The table.
        table: Table,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The mapping can't be read.
    #[error("the mapping of the roster is wrong: {0}")]
    Mapping(String),
    /// A table lacks a column, or has one that nobody knows.
    #[error("the {table} have {what}; they have the columns {had}, and may have {known}")]
    Columns {
        /// The table.
        table: Table,
        /// What is wrong.
        what: String,
        /// The columns there.
        had: String,
        /// The columns that may be there.
        known: String,
    },
    /// There is more than anybody's school has.
    #[error("there are more than {most} {table}; the mapping is wrong")]
    TooMany {
        /// The table.
        table: Table,
        /// The most.
        most: usize,
    },
    /// The database can't be reached, or does not let us in.
    #[error("the database can't be reached: {0}")]
    Connect(String),
    /// The database fails at a query, at its beginning or on the way.
    #[error("the query of the {table} failed: {reason}")]
    Query {
        /// The table.
        table: Table,
        /// What the database says.
        reason: String,
    },
    /// It took too long.
    #[error("the list was not read within {seconds} s")]
    TooSlow {
        /// The time that it had.
        seconds: u64,
    },
}
