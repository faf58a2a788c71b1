//! How a database of a school becomes our three tables: a query for each, written by an administrator.

use crate::{SourceError, Table};
use serde::Deserialize;

/// The longest query, in bytes.
const LONGEST: usize = 64 * 1024;

/// A query for each table, whose columns have the names that are documented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    people: String,
    courses: String,
    enrolments: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    people: Part,
    courses: Part,
    enrolments: Part,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    query: String,
}

impl Mapping {
    /// What makes the schema of the default mapping, for MySQL, MariaDB and PostgreSQL.
    pub const SCHEMA: &'static str = include_str!("schema.sql");

    /// Reads a mapping in TOML: `[people]`, `[courses]` and `[enrolments]`, each with a `query`.
    ///
    /// # Errors
    /// [`SourceError::Mapping`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let written: Written =
            toml::from_str(text).map_err(|error| SourceError::Mapping(error.message().to_owned()))?;
        let query = |table: Table, part: Part| {
            let query = part.query.trim().trim_end_matches(';').trim().to_owned();
            let first = query.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase();
            if query.len() > LONGEST || !["select", "with", "table", "values"].contains(&first.as_str()) {
                return Err(SourceError::Mapping(format!("the query of the {table} must be one SELECT")));
            }
            Ok(query)
        };
        Ok(Self {
            people: query(Table::People, written.people)?,
            courses: query(Table::Courses, written.courses)?,
            enrolments: query(Table::Enrolments, written.enrolments)?,
        })
    }

    /// The query of a table.
    #[must_use]
    pub fn query(&self, table: Table) -> &str {
        match table {
            Table::People => &self.people,
            Table::Courses => &self.courses,
            Table::Enrolments => &self.enrolments,
        }
    }
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            people: "SELECT username, name, role, password_hash, active FROM people".to_owned(),
            courses: "SELECT id AS course, title, term, zone FROM courses".to_owned(),
            enrolments: "SELECT course_id AS course, username, role, group_name AS \"group\" FROM enrolments"
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[people]
query = "SELECT no AS username, xm AS name FROM student"
[courses]
query = """
  WITH c AS (SELECT 1) SELECT kch AS course FROM c;
"""
[enrolments]
query = "select 1"
"#;

    #[test]
    fn three_queries_are_a_mapping() {
        let mapping = Mapping::parse(GOOD).unwrap();
        assert_eq!(mapping.query(Table::Courses), "WITH c AS (SELECT 1) SELECT kch AS course FROM c");
        for table in Table::ALL {
            assert!(Mapping::default().query(table).starts_with("SELECT "));
        }
        assert!(Mapping::SCHEMA.contains("CREATE TABLE enrolments"));
    }

    #[test]
    fn what_is_no_mapping_is_refused_in_words() {
        for (from, to, told) in [
            ("[courses]", "[course]", "unknown field `course`"),
            ("query = \"select 1\"", "sql = \"select 1\"", "unknown field `sql`"),
            ("select 1", "DROP TABLE student", "the query of the enrolments must be one SELECT"),
            ("select 1", "", "the query of the enrolments must be one SELECT"),
            ("select 1", "selection", "the query of the enrolments must be one SELECT"),
        ] {
            let refused = Mapping::parse(&GOOD.replace(from, to)).unwrap_err().to_string();
            assert!(refused.contains(told), "{refused}");
        }
        assert!(Mapping::parse("").unwrap_err().to_string().contains("missing field `people`"));
    }
}
