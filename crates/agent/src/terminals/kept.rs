//! Which sessions an agent has, on disk: one that was killed ends what it left when it starts again.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use tokio::sync::Mutex;

/// The file in the directory of the agent's state.
const NAME: &str = "terminals.json";

/// What is on disk.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Text {
    /// The full id of the container by the id of the session.
    sessions: BTreeMap<String, String>,
}

/// The sessions whose processes may still run.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    sessions: Mutex<BTreeMap<String, String>>,
}

impl Kept {
    /// What an earlier run left, and the list of this one, which holds it until it is [forgotten](Self::forget). A file
    /// that cannot be read says nothing, and is written anew.
    pub(super) fn open(dir: &Path) -> (Self, BTreeMap<String, String>) {
        let path = dir.join(NAME);
        let left = read(&path).unwrap_or_else(|error| {
            tracing::warn!(%error, path = %path.display(), "what an earlier run left of terminals is not known");
            BTreeMap::new()
        });
        (Self { path, sessions: Mutex::new(left.clone()) }, left)
    }

    /// Notes a session before anything of it runs.
    pub(super) async fn note(&self, session: &str, container: &str) -> io::Result<()> {
        let mut sessions = self.sessions.lock().await;
        sessions.insert(session.to_owned(), container.to_owned());
        let written = write(&self.path, &sessions).await;
        if written.is_err() {
            sessions.remove(session);
        }
        written
    }

    /// Whether something of a session may still run.
    pub(super) async fn has(&self, session: &str) -> bool {
        self.sessions.lock().await.contains_key(session)
    }

    /// Forgets a session of which nothing runs any more.
    pub(super) async fn forget(&self, session: &str) {
        let mut sessions = self.sessions.lock().await;
        sessions.remove(session);
        // What stays on disk is looked for once more, in vain.
        if let Err(error) = write(&self.path, &sessions).await {
            tracing::warn!(%error, path = %self.path.display(), "an ended terminal stays on disk");
        }
    }
}

fn read(path: &Path) -> io::Result<BTreeMap<String, String>> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice::<Text>(&text)?.sessions),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// Writes beside and renames, so that whoever is killed leaves the old text or the new one. After a power failure
/// nothing of it runs, so the disk is not waited for.
async fn write(path: &Path, sessions: &BTreeMap<String, String>) -> io::Result<()> {
    let (path, text) = (path.to_owned(), serde_json::to_vec(&Text { sessions: sessions.clone() })?);
    let write = move || {
        let beside = path.with_extension("new");
        fs::write(&beside, &text)?;
        fs::rename(&beside, &path)
    };
    tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_not_forgotten_is_left_to_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let (kept, left) = Kept::open(dir.path());
        assert!(left.is_empty());
        kept.note("t-1", "c-1").await.unwrap();
        kept.note("t-2", "c-1").await.unwrap();
        kept.forget("t-1").await;
        assert!(!kept.has("t-1").await && kept.has("t-2").await);
        let (again, left) = Kept::open(dir.path());
        assert_eq!(left, BTreeMap::from([("t-2".to_owned(), "c-1".to_owned())]));
        again.note("t-3", "c-2").await.unwrap();
        assert_eq!(Kept::open(dir.path()).1.len(), 2, "what was left stays until it is forgotten");
    }

    #[tokio::test]
    async fn a_session_that_cannot_be_noted_is_not_known() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), "{").unwrap();
        let (kept, left) = Kept::open(dir.path());
        assert!(left.is_empty(), "nonsense says nothing");
        kept.note("t-1", "c-1").await.unwrap();
        fs::remove_dir_all(dir.path()).unwrap();
        assert!(kept.note("t-2", "c-1").await.is_err());
        assert!(!kept.has("t-2").await);
    }
}
