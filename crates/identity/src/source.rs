//! Where lists lie: files of CSV, or a database. They are read whole before anything is compared: a list that ends on the way
//! is no list.

#[cfg(feature = "sql")]
mod address;
#[cfg(feature = "sql")]
mod sql;

#[cfg(feature = "sql")]
pub use address::{AddressError, DatabaseAddress};

#[cfg(feature = "sql")]
use crate::Mapping;
use crate::roster::{Reading, Roster};
use crate::{SourceError, Table, csv};
use std::path::PathBuf;
use std::time::Duration;

/// How long reading may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// The largest file of a list, in bytes.
const LARGEST_FILE: u64 = 256 * 1024 * 1024;

/// Where a list lies.
#[derive(Debug, Clone)]
pub enum RosterSource {
    /// In a directory, as `people.csv`, `courses.csv` and `enrolments.csv`.
    Folder(PathBuf),
    /// In a database.
    #[cfg(feature = "sql")]
    Database(DatabaseAddress, Mapping),
    /// Here.
    Texts(CsvTexts),
}

/// A list as three texts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CsvTexts {
    /// Who there is.
    pub people: String,
    /// What is taught; nothing without.
    pub courses: String,
    /// Who gives and takes what; nothing without.
    pub enrolments: String,
}

impl std::fmt::Debug for CsvTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvTexts").finish_non_exhaustive()
    }
}

impl CsvTexts {
    /// Reads it. Takes up to seconds of a core.
    ///
    /// # Errors
    /// [`SourceError`] if it is no list.
    pub fn read(&self) -> Result<Roster, SourceError> {
        let mut reading = Reading::default();
        for (table, text) in
            [(Table::People, &self.people), (Table::Courses, &self.courses), (Table::Enrolments, &self.enrolments)]
        {
            if table == Table::People || !text.is_empty() {
                csv::read(table, text.as_bytes(), &mut reading)?;
            }
        }
        Ok(reading.done())
    }
}

impl RosterSource {
    /// What it is, for people: never with a password.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Folder(path) => format!("CSV files in {}", path.display()),
            #[cfg(feature = "sql")]
            Self::Database(address, _) => address.to_string(),
            Self::Texts(_) => "CSV files that were sent in".to_owned(),
        }
    }

    /// Reads the whole list.
    ///
    /// # Errors
    /// [`SourceError`], if it can't be had or ends on the way.
    pub async fn read(&self) -> Result<Roster, SourceError> {
        let read = async {
            match self {
                Self::Folder(path) => {
                    let path = path.clone();
                    in_background(move || read_folder(&path)).await
                }
                #[cfg(feature = "sql")]
                Self::Database(address, mapping) => sql::read(address, mapping).await,
                Self::Texts(texts) => {
                    let texts = texts.clone();
                    in_background(move || texts.read()).await
                }
            }
        };
        let too_slow = || SourceError::TooSlow { seconds: PATIENCE.as_secs() };
        tokio::time::timeout(PATIENCE, read).await.map_err(|_| too_slow())?
    }
}

async fn in_background(
    read: impl FnOnce() -> Result<Roster, SourceError> + Send + 'static,
) -> Result<Roster, SourceError> {
    tokio::task::spawn_blocking(read).await.expect("reading does not panic")
}

fn read_folder(path: &std::path::Path) -> Result<Roster, SourceError> {
    let mut reading = Reading::default();
    for table in Table::ALL {
        let file = path.join(format!("{table}.csv"));
        let failed = |source| SourceError::File { file: file.display().to_string(), source };
        let size = std::fs::metadata(&file).map_err(failed)?.len();
        if size > LARGEST_FILE {
            let what = format!("the file has {size} bytes, more than {LARGEST_FILE}");
            return Err(SourceError::Csv { table, line: 1, what });
        }
        let bytes = std::fs::read(&file).map_err(failed)?;
        csv::read(table, &bytes, &mut reading)?;
    }
    Ok(reading.done())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_a_list_if_all_of_it_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        put("people.csv", "username\nli\n");
        put("courses.csv", "course\ncs\n");
        let source = RosterSource::Folder(dir.path().to_owned());
        let refused = source.read().await.unwrap_err();
        assert!(matches!(&refused, SourceError::File { file, .. } if file.ends_with("enrolments.csv")), "{refused}");
        put("enrolments.csv", "course,username\ncs,li\n");
        let roster = source.read().await.unwrap();
        assert_eq!((roster.people.len(), roster.courses.len(), roster.enrolments.len()), (1, 1, 1));
        assert!(source.told().starts_with("CSV files in "));
    }

    #[tokio::test]
    async fn texts_may_be_of_people_only() {
        let texts = CsvTexts { people: "username\nli\n".to_owned(), ..CsvTexts::default() };
        assert!(!format!("{texts:?}").contains("li"));
        let roster = RosterSource::Texts(texts).read().await.unwrap();
        assert_eq!((roster.people.len(), roster.courses.len()), (1, 0));
        assert!(RosterSource::Texts(CsvTexts::default()).read().await.is_err());
    }
}
