//! The record of a pool, `pool.json` in its directory: what exists or is about to. It is written before the things it
//! names are made. Owns the file and its locks; makes and removes nothing else.

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::etcd::Ports;
use crate::names::{self, Names};
use crate::process::ProcessId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Somebody is making it, or died while doing so.
    Starting,
    Up,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Where the pool was made; its names follow from this.
    pub(crate) dir: PathBuf,
    /// Whether the directory itself is ours to remove.
    pub(crate) made_dir: bool,
    pub(crate) phase: Phase,
    /// The x of 10.77.x.0/24.
    pub(crate) subnet: Option<u8>,
    pub(crate) dockerd_args: Vec<String>,
    /// Whether its engines answer on no network.
    #[serde(default)]
    pub(crate) sockets_only: bool,
    /// Whether its engines hold containers to quotas of disk.
    #[serde(default)]
    pub(crate) quotas: bool,
    pub(crate) hosts: Vec<HostRecord>,
    pub(crate) services: Vec<ServiceRecord>,
    /// The etcd cluster beside the hosts.
    #[serde(default)]
    pub(crate) etcd: Option<EtcdRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HostRecord {
    pub(crate) name: String,
    pub(crate) index: usize,
    pub(crate) address: Ipv4Addr,
    /// Where its engine answers if it does not on the network.
    #[serde(default)]
    pub(crate) socket: Option<PathBuf>,
    /// The file that is its own disk, if it has one.
    #[serde(default)]
    pub(crate) disk: Option<PathBuf>,
    /// The process that keeps the host's namespaces, as a machine outlives its engine.
    pub(crate) holder: Option<ProcessId>,
    pub(crate) engine: Option<ProcessId>,
}

impl HostRecord {
    pub(crate) fn new(subnet: u8, index: usize) -> Self {
        let address = names::host_address(subnet, index);
        Self { name: format!("host-{index}"), index, address, socket: None, disk: None, holder: None, engine: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceRecord {
    pub(crate) name: String,
    pub(crate) log: PathBuf,
    pub(crate) process: Option<ProcessId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EtcdRecord {
    pub(crate) args: Vec<String>,
    pub(crate) https: bool,
    pub(crate) members: Vec<MemberRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MemberRecord {
    pub(crate) name: String,
    pub(crate) ports: Ports,
    pub(crate) process: Option<ProcessId>,
}

impl Record {
    pub(crate) fn file(names: &Names) -> PathBuf {
        names.dir().join("pool.json")
    }

    /// The half-written successor of the record.
    pub(crate) fn draft(names: &Names) -> PathBuf {
        names.dir().join("pool.json.new")
    }

    /// The record in the directory, if there is one.
    ///
    /// # Errors
    /// It cannot be understood, or belongs to another directory.
    pub(crate) fn read(names: &Names) -> Result<Option<Self>> {
        let path = Self::file(names);
        let text = match fs::read(&path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            other => other.map_err(Error::file("read", &path))?,
        };
        let record: Self = serde_json::from_slice(&text).map_err(|source| Error::ReadRecord { path, source })?;
        if record.dir != names.dir() {
            return Err(Error::Moved { dir: names.dir().to_owned(), made_in: record.dir });
        }
        Ok(Some(record))
    }

    /// Replaces the record in one step.
    pub(crate) fn write(&self, names: &Names) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).expect("a record has only string keys");
        let draft = Self::draft(names);
        fs::write(&draft, text).map_err(Error::file("write", &draft))?;
        let path = Self::file(names);
        fs::rename(&draft, &path).map_err(Error::file("write", path))
    }

    /// Reads, changes and writes the record while no other thread or process does.
    pub(crate) fn change<T>(names: &Names, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let _lock = lock_folder(&names.hosts_dir())?;
        let mut record = Self::existing(names)?;
        let before = record.clone();
        let result = change(&mut record)?;
        if record != before {
            record.write(names)?;
        }
        Ok(result)
    }

    /// The record, which must exist.
    pub(crate) fn existing(names: &Names) -> Result<Self> {
        Self::read(names)?.ok_or_else(|| Error::NoPool { dir: names.dir().to_owned() })
    }

    pub(crate) fn host(&self, name: &str) -> Result<&HostRecord> {
        self.hosts.iter().find(|host| host.name == name).ok_or_else(|| Error::NoHost {
            name: name.to_owned(),
            known: self.hosts.iter().map(|host| host.name.clone()).collect(),
        })
    }

    pub(crate) fn host_mut(&mut self, name: &str) -> Result<&mut HostRecord> {
        let position = self.hosts.iter().position(|host| host.name == name);
        match position {
            Some(position) => Ok(&mut self.hosts[position]),
            None => Err(self.host(name).map(|_| ()).expect_err("no host was found by this name")),
        }
    }

    pub(crate) fn member_mut(&mut self, name: &str) -> Result<&mut MemberRecord> {
        let mut members = self.etcd.iter_mut().flat_map(|etcd| &mut etcd.members);
        members.find(|member| member.name == name).ok_or_else(|| Error::NoMember { name: name.to_owned() })
    }

    /// The engines, etcd members and services that run.
    pub(crate) fn running(&self) -> Vec<String> {
        let alive = |process: &Option<ProcessId>| process.is_some_and(ProcessId::is_alive);
        let hosts = self.hosts.iter().filter(|host| alive(&host.engine)).map(|host| host.name.clone());
        let services = self.services.iter().filter(|service| alive(&service.process));
        let members = self.etcd.iter().flat_map(|etcd| &etcd.members).filter(|member| alive(&member.process));
        let members = members.map(|member| member.name.clone());
        hosts.chain(members).chain(services.map(|service| service.name.clone())).collect()
    }
}

/// Holds a lock on a folder until the returned file is dropped, or its process is gone. Waits for it.
pub(crate) fn lock_folder(folder: &Path) -> Result<File> {
    let file = File::open(folder).map_err(Error::file("open", folder))?;
    file.lock().map_err(Error::file("lock", folder))?;
    Ok(file)
}

/// As [`lock_folder`], for work on a whole pool, waiting no longer than `limit`.
pub(crate) fn lock_pool(dir: &Path, limit: Duration) -> Result<File> {
    let deadline = Instant::now() + limit;
    loop {
        let file = File::open(dir).map_err(Error::file("open", dir))?;
        match file.try_lock() {
            Ok(()) if is_current(&file, dir) => return Ok(file),
            // Whoever held the lock has removed the directory meanwhile.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Err(Error::Busy { dir: dir.to_owned() });
            }
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::Error(source)) => return Err(Error::file("lock", dir)(source)),
        }
    }
}

fn is_current(file: &File, path: &Path) -> bool {
    let identity = |meta: &fs::Metadata| (meta.dev(), meta.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(held), Ok(now)) if identity(&held) == identity(&now))
}

#[cfg(test)]
mod tests;
