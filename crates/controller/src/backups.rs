//! Backups on a schedule: the leader writes one when the newest that lies there is old enough, and removes those that are
//! too many. What a backup is, the store knows.

use crate::{Actor, Controller, keys};
use pierhead_model::EventTag;
use pierhead_store::{Backup, Result, Transaction};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often it is looked whether one is due, and how long it is waited after one that failed.
const LOOK: Duration = Duration::from_secs(60);
/// The shortest wait between two looks.
const SHORTEST: Duration = Duration::from_secs(1);
const NAME: &str = "pierhead-";
const ENDING: &str = ".backup";

/// Where backups go by themselves, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupOptions {
    /// The directory; it must be there.
    pub directory: PathBuf,
    /// The time between two.
    pub every: Duration,
    /// How many are kept.
    pub keep: usize,
}

impl Controller {
    /// Everything that is kept, as the bytes of one file. `program` is the version of the program.
    ///
    /// # Errors
    /// Those of [`Backup::of`].
    pub async fn backup(&self, program: &str) -> Result<Vec<u8>> {
        let backup = Backup::of(&*self.bare, self.clock.now().0, program).await?;
        in_background(move || backup.encode()).await
    }

    /// Tells that somebody took a backup with them. A store that is full can still be backed up: it is only logged then.
    pub async fn tell_backup_was_taken(&self, actor: &Actor, bytes: usize) {
        let who = &actor.username;
        let (message, tag) = (format!("bytes={bytes}"), EventTag::Security);
        let written = match self.with_event(Transaction::new(), "read-backup", message, tag, Some(who)) {
            Ok(transaction) => self.store.commit(transaction).await.map(drop).map_err(Into::into),
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => tracing::info!(%who, bytes, "a backup was taken"),
            Err(error) => {
                tracing::error!(%who, bytes, %error, "a backup was taken, and its event could not be written")
            }
        }
    }

    /// Makes one whenever it is due.
    pub(crate) async fn back_up(self, options: BackupOptions) {
        loop {
            let wait = if self.standing.term().is_some() { self.back_up_if_due(&options).await } else { LOOK };
            tokio::time::sleep(wait.min(options.every).clamp(SHORTEST, LOOK)).await;
        }
    }

    /// The answer is how long nothing is to be done.
    async fn back_up_if_due(&self, options: &BackupOptions) -> Duration {
        match newest(&options.directory) {
            Err(error) => {
                self.tell("backup-failed", format!("{} can't be read: {error}", options.directory.display())).await;
                LOOK
            }
            Ok(made_at) => {
                self.measured.last_backup.store(made_at, Ordering::Relaxed);
                let age = Duration::from_millis(self.clock.now().0.saturating_sub(made_at));
                match options.every.saturating_sub(age) {
                    Duration::ZERO => self.back_up_once(options).await,
                    left => left,
                }
            }
        }
    }

    async fn back_up_once(&self, options: &BackupOptions) -> Duration {
        let began = self.clock.now();
        let path = options.directory.join(format!("{NAME}{:015}{ENDING}", began.0));
        match self.write_backup(&path).await {
            Ok(bytes) => {
                self.measured.last_backup.store(began.0, Ordering::Relaxed);
                self.tell("make-backup", format!("file={}, bytes={bytes}", path.display())).await;
                if let Err(error) = remove_surplus(&options.directory, options.keep) {
                    tracing::warn!(%error, "old backups could not be removed");
                }
                options.every
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                self.tell("backup-failed", format!("file={}, reason={error}{cause}", path.display())).await;
                LOOK
            }
        }
    }

    /// Writes one, and reads it back.
    async fn write_backup(&self, path: &Path) -> Result<usize> {
        let bytes = self.backup(env!("CARGO_PKG_VERSION")).await?;
        let (path, length) = (path.to_owned(), bytes.len());
        in_background(move || {
            Backup::save(&path, &bytes)?;
            Backup::load(&path).map(drop)
        })
        .await?;
        Ok(length)
    }

    async fn tell(&self, kind: &str, message: String) {
        match kind {
            "make-backup" => tracing::info!(message, "a backup was made"),
            _ => tracing::error!(message, "a backup failed"),
        }
        let event = self.event_of_pool(kind, message);
        let written = match Transaction::new().put_json(keys::event(&event.id), &event) {
            Ok(transaction) => self.store.commit(transaction).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the event of a backup could not be written");
        }
    }
}

async fn in_background<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let stopped = |_| pierhead_store::Error::Unavailable { reason: "the program ends".to_owned() };
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}

/// When the newest backup of ours was made, by its name: 0 if there is none.
fn newest(directory: &Path) -> std::io::Result<u64> {
    Ok(ours(directory)?.last().map_or(0, |(made_at, _)| *made_at))
}

/// Removes all but the newest so many.
fn remove_surplus(directory: &Path, keep: usize) -> std::io::Result<()> {
    let ours = ours(directory)?;
    for (_, path) in ours.iter().take(ours.len().saturating_sub(keep)) {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The backups that a schedule made, the oldest first.
fn ours(directory: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let digits = name.strip_prefix(NAME).and_then(|rest| rest.strip_suffix(ENDING));
        if let Some(made_at) = digits.filter(|digits| digits.len() == 15).and_then(|digits| digits.parse().ok()) {
            found.push((made_at, path));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_oldest_of_our_own_go() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        let names = [9_u64, 10, 100, 11].map(|made_at| format!("{NAME}{made_at:015}{ENDING}"));
        let others =
            ["mine.backup", "pierhead-1.backup", "pierhead-before.backup", "pierhead-000000000000012.backup.77"];
        assert_eq!(newest(directory.path()).unwrap(), 0);
        for name in names.iter().map(String::as_str).chain(others) {
            std::fs::write(file(name), "x").unwrap();
        }
        assert_eq!(newest(directory.path()).unwrap(), 100);
        remove_surplus(directory.path(), 2).unwrap();
        assert!(!file(&names[0]).exists() && !file(&names[1]).exists());
        assert!(file(&names[2]).exists() && file(&names[3]).exists());
        assert!(others.iter().all(|name| file(name).exists()));
        remove_surplus(directory.path(), 2).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 6);
        assert!(newest(&file("missing")).is_err());
    }
}
