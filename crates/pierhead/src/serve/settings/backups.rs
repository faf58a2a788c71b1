//! Backups on a schedule: where to, how often, and how many are kept.

use super::{ServeArgs, Span};
use anyhow::{Result, bail};
use pierhead_controller::BackupOptions;
use std::time::Duration;

/// A day, in milliseconds.
const EVERY_MS: u64 = 24 * 3600 * 1000;
const KEEP: usize = 7;

impl ServeArgs {
    pub(super) fn backups(&self) -> Result<Option<BackupOptions>> {
        let Some(directory) = self.backup_dir.clone() else {
            if self.backup_every.is_some() || self.backup_keep.is_some() {
                bail!("--backup-every and --backup-keep need --backup-dir DIR beside them");
            }
            return Ok(None);
        };
        if !directory.is_dir() {
            bail!("--backup-dir {} must be a directory that is there", directory.display());
        }
        let (every_ms, keep) = (self.backup_every.map_or(EVERY_MS, Span::millis), self.backup_keep.unwrap_or(KEEP));
        if every_ms < 1_000 || !(1..=10_000).contains(&keep) {
            bail!("--backup-every must be at least 1s, --backup-keep a number from 1 to 10000");
        }
        Ok(Some(BackupOptions { directory, every: Duration::from_millis(every_ms), keep }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn args(directory: Option<&Path>, every: Option<&str>, keep: Option<usize>) -> ServeArgs {
        ServeArgs {
            backup_dir: directory.map(Path::to_owned),
            backup_every: every.map(|every| every.parse().unwrap()),
            backup_keep: keep,
            ..ServeArgs::default()
        }
    }

    #[test]
    fn a_schedule_needs_a_directory_and_sense() {
        let directory = tempfile::tempdir().unwrap();
        let here = Some(directory.path());
        assert_eq!(args(None, None, None).backups().unwrap(), None);
        let daily = args(here, None, None).backups().unwrap().unwrap();
        assert_eq!((daily.every, daily.keep), (Duration::from_secs(86_400), 7));
        let hourly = args(here, Some("1h"), Some(3)).backups().unwrap().unwrap();
        assert_eq!((hourly.every, hourly.keep), (Duration::from_secs(3_600), 3));
        let missing = directory.path().join("missing");
        for (refused, word) in [
            (args(None, Some("1h"), None), "--backup-dir"),
            (args(None, None, Some(3)), "--backup-dir"),
            (args(Some(&missing), None, None), "is there"),
            (args(here, Some("10ms"), None), "at least 1s"),
            (args(here, None, Some(0)), "--backup-keep"),
        ] {
            let refused = refused.backups().unwrap_err().to_string();
            assert!(refused.contains(word), "{refused}");
        }
    }
}
