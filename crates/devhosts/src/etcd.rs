//! Members of an etcd cluster beside the hosts, and the faults that tests inflict on them. Changes the pool's record
//! where a pid changes. A member answers at an address of the pool's own, so that it comes back where it was.

mod start;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::http::{self, Body};
use crate::names::Names;
use crate::process::ProcessId;
use crate::record::{EtcdRecord, MemberRecord, Record};
use crate::service::{self, gone_within};

pub(crate) use start::bring_up;

/// How many members one cluster can have.
pub const MAX_MEMBERS: usize = 9;
/// How long a killed process may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// An etcd cluster to make beside the hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EtcdSpec {
    /// How many members; none by default.
    pub members: usize,
    /// Further arguments for each, for example `--quota-backend-bytes=20000000`.
    pub args: Vec<String>,
    /// Whether clients must speak TLS; the arguments then name the files, as `--cert-file` and `--key-file` do.
    pub https: bool,
}

/// A member of a live pool's etcd cluster.
#[derive(Clone, Debug)]
pub struct EtcdMember {
    names: Names,
    name: String,
    ports: Ports,
    https: bool,
}

/// What a member was like when it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EtcdStatus {
    /// `etcd-1`, `etcd-2`, ...
    pub name: String,
    /// Where clients reach it.
    pub url: String,
    /// Its pid, dead or alive; `None` if it was never started.
    pub pid: Option<u32>,
    /// Whether its process runs (it may hang).
    pub alive: bool,
    /// Whether it said within two seconds that it has a leader and can commit.
    pub answers: bool,
}

/// Where one member listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ports {
    address: Ipv4Addr,
    client: u16,
    peer: u16,
    health: u16,
}

impl Ports {
    /// The usual ports for the first member, the next ten for the second: below those that the kernel gives to others.
    pub(crate) fn of(address: Ipv4Addr, index: usize) -> Self {
        let client = 2369 + 10 * u16::try_from(index).expect("a cluster has few members");
        Self { address, client, peer: client + 1, health: client + 2 }
    }

    fn all(self) -> [(Ipv4Addr, u16); 3] {
        [self.client, self.peer, self.health].map(|port| (self.address, port))
    }

    fn client_url(self, https: bool) -> String {
        format!("{}://{}:{}", if https { "https" } else { "http" }, self.address, self.client)
    }

    fn peer_url(self) -> String {
        format!("http://{}:{}", self.address, self.peer)
    }

    fn health_url(self) -> String {
        format!("http://{}:{}", self.address, self.health)
    }

    /// What a member says of its health; `None` if nothing within the limit.
    fn health(self, limit: Duration) -> Option<http::Answer> {
        let at = format!("tcp://{}:{}", self.address, self.health);
        http::request(&at, "GET", "/health", Body::Empty, limit).ok()
    }
}

impl EtcdMember {
    pub(crate) fn new(names: &Names, cluster: &EtcdRecord, member: &MemberRecord) -> Self {
        Self { names: names.clone(), name: member.name.clone(), ports: member.ports, https: cluster.https }
    }

    /// `etcd-1`, `etcd-2`, ...
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where clients reach it: `http://10.77.0.1:2379`.
    #[must_use]
    pub fn url(&self) -> String {
        self.ports.client_url(self.https)
    }

    /// Where it keeps its data.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        start::data_dir(&self.names, &self.name)
    }

    /// Where its output goes.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        start::log_file(&self.names, &self.name)
    }

    /// Its pid if it runs.
    ///
    /// # Errors
    /// The pool's record cannot be read.
    pub fn pid(&self) -> Result<Option<u32>> {
        Ok(self.process()?.filter(|process| process.is_alive()).map(|process| process.pid))
    }

    /// Whether it says within `limit` that it has a leader and can commit.
    #[must_use]
    pub fn answers(&self, limit: Duration) -> bool {
        self.ports.health(limit).is_some_and(|answer| answer.status == 200)
    }

    /// What it is like now.
    ///
    /// # Errors
    /// The pool's record cannot be read.
    pub fn status(&self) -> Result<EtcdStatus> {
        let process = self.process()?;
        let alive = process.is_some_and(ProcessId::is_alive);
        Ok(EtcdStatus {
            name: self.name.clone(),
            url: self.url(),
            pid: process.map(|process| process.pid),
            alive,
            answers: alive && self.answers(Duration::from_secs(2)),
        })
    }

    /// Kills it without warning, as a crash does; returns when it is gone.
    ///
    /// # Errors
    /// It does not run, or does not die.
    pub fn kill(&self) -> Result<()> {
        let process = self.signal(Signal::KILL)?;
        if gone_within(process, KILL_LIMIT) { Ok(()) } else { Err(Error::KillProcesses { pids: vec![process.pid] }) }
    }

    /// Ends it in good order.
    ///
    /// # Errors
    /// It does not run, or does not end.
    pub fn stop(&self) -> Result<()> {
        let process = self.signal(Signal::CONT)?;
        service::end(process, service::STOP_LIMIT)
    }

    /// Starts it with the data that it has, if it does not run, and waits until it listens. Whether it can commit depends
    /// on the others.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(&self) -> Result<()> {
        let process = Record::change(&self.names, |record| {
            let cluster = record.etcd.clone().unwrap_or_default();
            let member = record.member_mut(&self.name)?;
            let process = match member.process {
                Some(process) if process.is_alive() => process,
                _ => start::process(&self.names, &cluster, member)?,
            };
            member.process = Some(process);
            Ok(process)
        })?;
        start::wait(&self.names, self, process, "it does not listen", || self.ports.health(start::ASK_LIMIT).is_some())
    }

    /// Waits until it has a leader and can commit.
    ///
    /// # Errors
    /// It does not run, or it takes longer than a minute.
    pub fn wait_until_it_answers(&self) -> Result<()> {
        let process = self.process()?.ok_or_else(|| self.silent())?;
        start::wait(&self.names, self, process, "it has no leader", || self.answers(start::ASK_LIMIT))
    }

    /// Stops it in its tracks: it accepts connections and answers nothing.
    ///
    /// # Errors
    /// It does not run.
    pub fn hang(&self) -> Result<()> {
        self.signal(Signal::STOP).map(drop)
    }

    /// Lets it go on when it hangs.
    ///
    /// # Errors
    /// It does not run.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT).map(drop)
    }

    fn silent(&self) -> Error {
        Error::SignalMember { name: self.name.clone() }
    }

    fn process(&self) -> Result<Option<ProcessId>> {
        Ok(Record::existing(&self.names)?.member_mut(&self.name)?.process)
    }

    fn signal(&self, signal: Signal) -> Result<ProcessId> {
        let process = self.process()?.ok_or_else(|| self.silent())?;
        if process.signal(signal)? { Ok(process) } else { Err(self.silent()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_ports_of_their_own_below_the_kernels() {
        let all: Vec<_> = (1..=MAX_MEMBERS).flat_map(|index| Ports::of(Ipv4Addr::LOCALHOST, index).all()).collect();
        let different: std::collections::BTreeSet<_> = all.iter().copied().collect();
        assert_eq!(different.len(), 3 * MAX_MEMBERS);
        assert!(all.iter().all(|(_, port)| (1024..32_768).contains(port)), "{all:?}");
        let first = Ports::of(Ipv4Addr::new(10, 77, 0, 1), 1);
        assert_eq!(first.client_url(false), "http://10.77.0.1:2379");
        assert_eq!(first.client_url(true), "https://10.77.0.1:2379");
        assert_eq!(first.peer_url(), "http://10.77.0.1:2380");
    }
}
