//! The highest term of a leader that this host has seen: whoever comes with an older one lost its right to change
//! anything here. It is on disk before the first request of that term goes on.
//!
//! Reads need no term, since any controller may look; but the term that a read brings counts as seen, so a new leader
//! that only lists a host has already shut out its predecessor. What was let in before goes on to its end.

use crate::allow::Access;
use crate::error::{AgentError, Result};
use crate::refusal::Refusal;
use hyper::{HeaderMap, StatusCode};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

/// The header with the term of the leader that asks, in decimal.
pub const TERM: &str = "x-pierhead-term";
/// How much later a term may be than the latest that was seen: what is later is no leader's, and would shut out all who
/// come after it. Terms are revisions of the store, which every commit raises, and a restored store begins far above its
/// backup.
const FARTHEST: u64 = 1 << 32;
/// The same where none was seen yet.
const FARTHEST_FIRST: u64 = 1 << 40;
/// The file in the directory of the agent's state.
const FILE: &str = "term";

/// The highest term, in memory and on disk.
#[derive(Debug)]
pub struct Terms {
    dir: PathBuf,
    highest: AtomicU64,
    writing: Mutex<()>,
}

impl Terms {
    /// Reads what an earlier run has seen; 0 if there was none.
    ///
    /// # Errors
    /// The file cannot be read, or does not hold a number: then nobody knows which leaders are past, and the agent
    /// must not begin.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let highest = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|_| AgentError::ParseTerm { path })?,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(source) => return Err(AgentError::ReadTerm { path, source }),
        };
        Ok(Self { dir: dir.to_owned(), highest: AtomicU64::new(highest), writing: Mutex::default() })
    }

    /// Forgets what an earlier run has seen, as a host does that joins a pool: the terms of another mean nothing there.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn forget(dir: &Path) -> Result<()> {
        let path = dir.join(FILE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(AgentError::ReadTerm { path, source }),
            _ => Ok(()),
        }
    }

    /// The highest term that was seen.
    #[must_use]
    pub fn highest(&self) -> u64 {
        self.highest.load(Ordering::Acquire)
    }

    /// Lets a request pass, or says why not.
    pub(crate) async fn admit(&self, access: Access, headers: &HeaderMap) -> std::result::Result<(), Refusal> {
        match (parse(headers)?, access) {
            (None, Access::Read) => Ok(()),
            (None, Access::Change) => Err(Refusal::new(
                StatusCode::CONFLICT,
                "term_missing",
                format!("a request that changes something needs the header {TERM} with the leader's term"),
            )),
            (Some(term), access) => {
                self.raise(term).await?;
                // Looked at again: another request may have brought a later one meanwhile.
                let highest = self.highest();
                if access == Access::Change && term < highest {
                    let message = format!("the leader's term {term} is past, this host has seen {highest}");
                    return Err(Refusal::new(StatusCode::CONFLICT, "term_past", message));
                }
                Ok(())
            }
        }
    }

    async fn raise(&self, term: u64) -> std::result::Result<(), Refusal> {
        if term <= self.highest() {
            return Ok(());
        }
        let _turn = self.writing.lock().await;
        let highest = self.highest();
        if term <= highest {
            return Ok(());
        }
        if term - highest > if highest == 0 { FARTHEST_FIRST } else { FARTHEST } {
            let message = format!("no leader's term is {term} where the latest seen is {highest}");
            return Err(Refusal::new(StatusCode::CONFLICT, "term_absurd", message));
        }
        let dir = self.dir.clone();
        let saved = tokio::task::spawn_blocking(move || save(&dir, term)).await;
        match saved {
            Ok(Ok(())) => {
                self.highest.store(term, Ordering::Release);
                Ok(())
            }
            failed => {
                tracing::error!(?failed, "the leader's term cannot be kept");
                let message = "this host cannot keep the leader's term on its disk, and does nothing without it";
                Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "term_not_kept", message))
            }
        }
    }
}

fn parse(headers: &HeaderMap) -> std::result::Result<Option<u64>, Refusal> {
    let mut values = headers.get_all(TERM).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse().ok()).filter(|_| values.next().is_none()) {
        Some(term) => Ok(Some(term)),
        None => Err(Refusal::malformed(format!("the header {TERM} must be one number"))),
    }
}

/// Writes beside and renames, so that the file holds the old term or the new one whenever the power goes.
fn save(dir: &Path, term: u64) -> std::io::Result<()> {
    let beside = dir.join(format!("{FILE}.new"));
    let mut file = File::create(&beside)?;
    file.write_all(format!("{term}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, dir.join(FILE))?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Access::{Change, Read};

    fn with(term: &str) -> HeaderMap {
        HeaderMap::from_iter([(TERM.parse().unwrap(), term.parse().unwrap())])
    }

    #[tokio::test]
    async fn an_older_term_changes_nothing_and_may_look() {
        let dir = tempfile::tempdir().unwrap();
        let terms = Terms::open(dir.path()).unwrap();
        terms.admit(Change, &with("7")).await.unwrap();
        terms.admit(Change, &with("7")).await.unwrap();
        let refusal = terms.admit(Change, &with("6")).await.unwrap_err();
        assert_eq!((refusal.status, refusal.code), (StatusCode::CONFLICT, "term_past"));
        assert!(refusal.message.contains("term 6") && refusal.message.contains("seen 7"), "{refusal}");
        terms.admit(Read, &with("6")).await.unwrap();
        terms.admit(Read, &HeaderMap::new()).await.unwrap();
        assert_eq!(terms.admit(Change, &HeaderMap::new()).await.unwrap_err().code, "term_missing");
    }

    #[tokio::test]
    async fn a_look_of_a_new_leader_shuts_out_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let terms = Terms::open(dir.path()).unwrap();
        terms.admit(Change, &with("3")).await.unwrap();
        terms.admit(Read, &with("4")).await.unwrap();
        assert_eq!(terms.admit(Change, &with("3")).await.unwrap_err().code, "term_past");
    }

    #[tokio::test]
    async fn the_term_outlives_the_agent() {
        let dir = tempfile::tempdir().unwrap();
        Terms::open(dir.path()).unwrap().admit(Change, &with("12")).await.unwrap();
        // What a crash in the middle of the next save leaves.
        fs::write(dir.path().join("term.new"), "1").unwrap();
        let terms = Terms::open(dir.path()).unwrap();
        assert_eq!(terms.highest(), 12);
        assert!(terms.admit(Change, &with("11")).await.is_err());
        fs::write(dir.path().join("term"), "twelve").unwrap();
        assert!(matches!(Terms::open(dir.path()), Err(AgentError::ParseTerm { .. })));
    }

    #[tokio::test]
    async fn a_term_out_of_all_reason_shuts_out_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let terms = Terms::open(dir.path()).unwrap();
        let max = u64::MAX.to_string();
        assert_eq!(terms.admit(Change, &with(&max)).await.unwrap_err().code, "term_absurd");
        terms.admit(Change, &with("5000000")).await.unwrap();
        let farthest = 5_000_000 + FARTHEST;
        for absurd in [&(farthest + 1).to_string(), &max] {
            for access in [Read, Change] {
                let refusal = terms.admit(access, &with(absurd)).await.unwrap_err();
                assert_eq!((refusal.status, refusal.code), (StatusCode::CONFLICT, "term_absurd"), "{absurd}");
            }
        }
        assert_eq!(terms.highest(), 5_000_000);
        terms.admit(Change, &with(&farthest.to_string())).await.unwrap();
    }

    #[tokio::test]
    async fn a_host_that_joins_has_seen_no_term() {
        let dir = tempfile::tempdir().unwrap();
        Terms::forget(dir.path()).unwrap();
        Terms::open(dir.path()).unwrap().admit(Change, &with("12")).await.unwrap();
        Terms::forget(dir.path()).unwrap();
        let terms = Terms::open(dir.path()).unwrap();
        assert_eq!(terms.highest(), 0);
        terms.admit(Change, &with("3")).await.unwrap();
    }

    #[tokio::test]
    async fn a_term_that_cannot_be_kept_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let terms = Terms::open(dir.path()).unwrap();
        drop(dir);
        assert_eq!(terms.admit(Change, &with("1")).await.unwrap_err().code, "term_not_kept");
        assert_eq!(terms.highest(), 0);
    }

    #[tokio::test]
    async fn a_term_is_one_number() {
        let dir = tempfile::tempdir().unwrap();
        let terms = Terms::open(dir.path()).unwrap();
        for bad in ["", "-1", "+1", "x", "1.0", " 1 2", "18446744073709551616"] {
            assert_eq!(terms.admit(Read, &with(bad)).await.unwrap_err().code, "malformed", "{bad}");
        }
        let mut twice = with("1");
        twice.append(TERM, "2".parse().unwrap());
        assert_eq!(terms.admit(Change, &twice).await.unwrap_err().code, "malformed");
    }
}
