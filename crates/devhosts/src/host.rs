//! One host of a pool, and the faults that tests inflict on it. Changes the pool's record where a pid changes; makes and
//! removes no hosts.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Serialize;

use crate::engine;
use crate::error::{Error, Result};
use crate::http;
use crate::names::Names;
use crate::network;
use crate::process::{self, ProcessId};
use crate::record::{HostRecord, Record};
use crate::service;

/// How long a killed process may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// A host of a live pool.
#[derive(Clone, Debug)]
pub struct Host {
    names: Names,
    name: String,
    index: usize,
    address: Ipv4Addr,
    docker_host: String,
}

/// What a host was like when it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostStatus {
    /// `host-1`, `host-2`, ...
    pub name: String,
    /// Where its published ports answer.
    pub address: IpAddr,
    /// The pid of its `dockerd`, dead or alive; `None` if none was ever started.
    pub pid: Option<u32>,
    /// Its engine, as the `docker` program takes it: `tcp://10.77.0.11:2375`.
    pub docker_host: String,
    /// Whether its `dockerd` runs (it may hang).
    pub alive: bool,
    /// Whether its engine answered within a second.
    pub answers: bool,
}

impl Host {
    pub(crate) fn new(names: &Names, record: &HostRecord) -> Self {
        Self {
            names: names.clone(),
            name: record.name.clone(),
            index: record.index,
            address: record.address,
            docker_host: engine::docker_host(record),
        }
    }

    /// `host-1`, `host-2`, ...
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its published ports answer.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address.into()
    }

    /// Its engine, as the `docker` program takes it: `tcp://10.77.0.11:2375`.
    #[must_use]
    pub fn docker_host(&self) -> &str {
        &self.docker_host
    }

    /// Where the output of its engine goes.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.names.host_dir(&self.name).join("dockerd.log")
    }

    /// The pid of its `dockerd` if that runs.
    ///
    /// # Errors
    /// The pool's record cannot be read.
    pub fn pid(&self) -> Result<Option<u32>> {
        Ok(self.engine()?.filter(|engine| engine.is_alive()).map(|engine| engine.pid))
    }

    /// Whether the engine answers a ping within `limit`.
    #[must_use]
    pub fn answers(&self, limit: Duration) -> bool {
        http::answers(&self.docker_host, limit)
    }

    /// What the host is like now.
    ///
    /// # Errors
    /// The pool's record cannot be read.
    pub fn status(&self) -> Result<HostStatus> {
        let engine = self.engine()?;
        let alive = engine.is_some_and(ProcessId::is_alive);
        Ok(HostStatus {
            name: self.name.clone(),
            address: self.address(),
            pid: engine.map(|engine| engine.pid),
            docker_host: self.docker_host.clone(),
            alive,
            answers: alive && self.answers(Duration::from_secs(1)),
        })
    }

    /// Kills the engine without warning, as a crash does; returns when it is gone. Containers run on.
    ///
    /// # Errors
    /// The engine does not run, or does not die.
    pub fn kill_engine(&self) -> Result<()> {
        let engine = self.signal(Signal::KILL)?;
        if service::gone_within(engine, KILL_LIMIT) {
            return Ok(());
        }
        Err(Error::KillProcesses { pids: vec![engine.pid] })
    }

    /// Starts the engine if it does not run, and waits until it answers. Like any engine without `--live-restore`, it
    /// stops the containers that outlived its predecessor.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start_engine(&self) -> Result<()> {
        let (record, engine) = Record::change(&self.names, |record| {
            let args = record.dockerd_args.clone();
            let host = record.host_mut(&self.name)?;
            let engine = match host.engine {
                Some(engine) if engine.is_alive() => engine,
                _ => {
                    let holder = match host.holder {
                        Some(holder) if holder.is_alive() => holder,
                        _ => engine::start_holder(&self.names, host)?,
                    };
                    host.holder = Some(holder);
                    engine::start_engine(&self.names, host, holder, &args)?
                }
            };
            host.engine = Some(engine);
            Ok((host.clone(), engine))
        })?;
        engine::wait_for_engine(&self.names, &record, engine)
    }

    /// Stops the engine in its tracks: it accepts connections and answers nothing.
    ///
    /// # Errors
    /// The engine does not run.
    pub fn hang_engine(&self) -> Result<()> {
        self.signal(Signal::STOP).map(drop)
    }

    /// Lets a hanging engine go on.
    ///
    /// # Errors
    /// The engine does not run.
    pub fn resume_engine(&self) -> Result<()> {
        self.signal(Signal::CONT).map(drop)
    }

    /// Cuts the host off from the network; nobody is told, packets just vanish.
    ///
    /// # Errors
    /// Its link is gone.
    pub fn cut(&self) -> Result<()> {
        network::set_link(&self.names, self.index, false)
    }

    /// Connects the host again.
    ///
    /// # Errors
    /// Its link is gone.
    pub fn restore(&self) -> Result<()> {
        network::set_link(&self.names, self.index, true)
    }

    /// Switches the host off, as when its power fails: its link is dead, and all that ran on it is gone, containers
    /// included. [`Host::restore`] and [`Host::start_engine`] switch it on again.
    ///
    /// # Errors
    /// Its link is gone, or something on it does not die.
    pub fn power_off(&self) -> Result<()> {
        self.cut()?;
        let netns = self.names.netns(self.index);
        let deadline = Instant::now() + KILL_LIMIT;
        loop {
            let left = process::of_host(&netns, process::namespace(network::netns_file(&netns)));
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Error::KillProcesses { pids: left.iter().map(|process| process.pid).collect() });
            }
            for process in left {
                process.signal(Signal::KILL)?;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Makes the folder, the holder and the engine of a host whose network exists, and waits until the engine answers.
    pub(crate) fn switch_on(&self) -> Result<()> {
        let dir = self.names.host_dir(&self.name);
        fs::create_dir_all(&dir).map_err(Error::file("make", &dir))?;
        self.start_engine()
    }

    fn engine(&self) -> Result<Option<ProcessId>> {
        Ok(Record::existing(&self.names)?.host(&self.name)?.engine)
    }

    fn signal(&self, signal: Signal) -> Result<ProcessId> {
        let missing = || Error::SignalEngine { name: self.name.clone() };
        let engine = self.engine()?.ok_or_else(missing)?;
        if engine.signal(signal)? { Ok(engine) } else { Err(missing()) }
    }
}
