//! The three tables of a list, and their columns.

use crate::SourceError;
use std::fmt;

/// One of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Who there is.
    People,
    /// What is taught.
    Courses,
    /// Who gives and takes what.
    Enrolments,
}

impl Table {
    /// All of them, in the order in which they are read.
    pub const ALL: [Self; 3] = [Self::People, Self::Courses, Self::Enrolments];

    /// Its name, also of its file and of its part of a mapping.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Courses => "courses",
            Self::Enrolments => "enrolments",
        }
    }

    /// Its columns, those first that must be there.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::People => &["username", "name", "role", "password_hash", "active"],
            Self::Courses => &["course", "title", "term", "zone"],
            Self::Enrolments => &["course", "username", "role", "group"],
        }
    }

    fn needed(self) -> usize {
        match self {
            Self::People | Self::Courses => 1,
            Self::Enrolments => 2,
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where each known column stands among those of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns(Vec<Option<usize>>);

impl Columns {
    /// Finds the columns by their names, whatever their case.
    pub fn of(table: Table, names: &[String]) -> Result<Self, SourceError> {
        let refused = |what: String| SourceError::Columns {
            table,
            what,
            had: names.iter().map(|name| excerpt(name)).collect::<Vec<_>>().join(", "),
            known: table.columns().join(", "),
        };
        let mut at = vec![None; table.columns().len()];
        for (place, name) in names.iter().enumerate() {
            let known = table.columns().iter().position(|column| column.eq_ignore_ascii_case(name.trim()));
            let known = known.ok_or_else(|| refused(format!("the unknown column {}", excerpt(name))))?;
            if at[known].replace(place).is_some() {
                return Err(refused(format!("the column {} twice", excerpt(name))));
            }
        }
        match (0..table.needed()).find(|column| at[*column].is_none()) {
            Some(missing) => Err(refused(format!("no column {}", table.columns()[missing]))),
            None => Ok(Self(at)),
        }
    }

    /// Where a column stands, by its place among [`Table::columns`].
    pub fn get(&self, column: usize) -> Option<usize> {
        self.0.get(column).copied().flatten()
    }
}

/// The beginning of a text of somebody else's, without what a terminal might take for orders.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(table: Table, names: &[&str]) -> Result<Columns, String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Columns::of(table, &names).map_err(|refused| refused.to_string())
    }

    #[test]
    fn columns_are_found_in_any_order() {
        let columns = of(Table::People, &["Role", "USERNAME"]).unwrap();
        assert_eq!((columns.get(0), columns.get(2), columns.get(1), columns.get(9)), (Some(1), Some(0), None, None));
    }

    #[test]
    fn what_is_missing_unknown_or_twice_is_named() {
        assert_eq!(
            of(Table::Enrolments, &["course", "student"]).unwrap_err(),
            "the enrolments have the unknown column student; they have the columns course, student, and may have \
             course, username, role, group"
        );
        assert!(of(Table::Enrolments, &["course"]).unwrap_err().contains("no column username"));
        assert!(of(Table::Courses, &["course", "course"]).unwrap_err().contains("the column course twice"));
        let long = of(Table::Courses, &[&"\u{1b}x".repeat(100)]).unwrap_err();
        assert!(!long.contains('\u{1b}') && long.len() < 400, "{long}");
    }
}
