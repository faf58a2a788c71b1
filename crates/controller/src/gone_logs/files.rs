//! The files of kept logs. Their names tell when and whose, so that nothing must be opened to know what is there.
//! Everything here blocks.

use super::GoneLog;
use pierhead_model::{ContainerId, Timestamp};
use pierhead_store::seal::Sealer;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Error, ErrorKind, Result, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A directory of kept logs.
pub(super) struct Files {
    directory: PathBuf,
    sealer: Arc<Sealer>,
    most: usize,
    age: Duration,
    /// When each container that has a file went.
    present: Mutex<BTreeMap<ContainerId, Timestamp>>,
}

impl Files {
    pub(super) fn open(directory: PathBuf, sealer: Arc<Sealer>, most: usize, age: Duration) -> Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        let mut present = BTreeMap::new();
        for file in fs::read_dir(&directory)? {
            let name = file?.file_name();
            match name.to_str().and_then(parse) {
                Some((id, at)) => drop(present.insert(id, at)),
                // A draft, left by a sudden end.
                None => fs::remove_file(directory.join(name))?,
            }
        }
        Ok(Self { directory, sealer, most, age, present: Mutex::new(present) })
    }

    /// Writes a log, and removes those that are too old or too many.
    pub(super) fn write(&self, log: &GoneLog, now: Timestamp) -> Result<()> {
        let plain = serde_json::to_vec(log).map_err(Error::other)?;
        let sealed = self.sealer.seal(&context(&log.container), &plain).map_err(Error::other)?;
        let mut present = self.present();
        let draft = self.directory.join(format!("draft-{}", log.container));
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(sealed.as_bytes())?;
        fs::rename(&draft, self.path(&log.container, log.gone_at))?;
        if let Some(former) = present.insert(log.container.clone(), log.gone_at)
            && former != log.gone_at
        {
            self.remove(&log.container, former);
        }
        self.make_room(&mut present, now);
        Ok(())
    }

    /// The log of the one container whose id begins so.
    pub(super) fn read(&self, id: &str, now: Timestamp) -> Result<Option<GoneLog>> {
        let found = {
            let mut present = self.present();
            self.make_room(&mut present, now);
            let mut matches = present.iter().filter(|(container, _)| container.as_str().starts_with(id));
            match (matches.next(), matches.next()) {
                (Some((container, at)), None) => Some((container.clone(), *at)),
                _ => None,
            }
        };
        let Some((container, at)) = found else { return Ok(None) };
        let sealed = match fs::read_to_string(self.path(&container, at)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            sealed => sealed?,
        };
        let plain = self.sealer.open(&context(&container), &sealed).map_err(Error::other)?;
        serde_json::from_slice(&plain).map(Some).map_err(Error::other)
    }

    fn make_room(&self, present: &mut BTreeMap<ContainerId, Timestamp>, now: Timestamp) {
        let age = u64::try_from(self.age.as_millis()).unwrap_or(u64::MAX);
        let mut by_age: Vec<(Timestamp, ContainerId)> = present.iter().map(|(id, at)| (*at, id.clone())).collect();
        by_age.sort_unstable_by(|one, other| other.cmp(one));
        let young = by_age.iter().take(self.most).take_while(|(at, _)| now.since(*at) <= age).count();
        for (at, id) in by_age.drain(young..) {
            present.remove(&id);
            self.remove(&id, at);
        }
    }

    fn remove(&self, id: &ContainerId, at: Timestamp) {
        if let Err(error) = fs::remove_file(self.path(id, at)) {
            tracing::debug!(container = %id, %error, "an old log is left behind");
        }
    }

    fn path(&self, id: &ContainerId, at: Timestamp) -> PathBuf {
        self.directory.join(format!("{:013}-{id}", at.0))
    }

    fn present(&self) -> MutexGuard<'_, BTreeMap<ContainerId, Timestamp>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn context(id: &ContainerId) -> String {
    format!("gone-log/{id}")
}

fn parse(name: &str) -> Option<(ContainerId, Timestamp)> {
    let (at, id) = name.split_once('-')?;
    Some((ContainerId::parse(id).ok()?, Timestamp(at.parse().ok()?)))
}
