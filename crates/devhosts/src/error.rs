//! What can fail while hosts are made, used and removed. Owns the error type; decides nothing.

use std::io;
use std::path::PathBuf;

use crate::requirements::Missing;

/// The result of an operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation, named for what was tried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine lacks something that hosts need.
    #[error(transparent)]
    Requirements(#[from] Missing),
    /// The number of hosts is outside of what one pool can hold.
    #[error("a pool has 1 to {max} hosts, not {asked}")]
    HostCount {
        /// How many hosts were asked for.
        asked: usize,
        /// How many a pool can hold.
        max: usize,
    },
    /// The number of members is outside of what one etcd cluster can have.
    #[error("an etcd cluster has 1 to {max} members, not {asked}")]
    MemberCount {
        /// How many members were asked for.
        asked: usize,
        /// How many a cluster can have.
        max: usize,
    },
    /// A file or folder could not be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another process works on the same directory.
    #[error("{} is being brought up or down by another process; wait until it ends", dir.display())]
    Busy {
        /// The pool's directory.
        dir: PathBuf,
    },
    /// The directory already has a pool whose processes run.
    #[error("{} already holds a running pool ({}); take it down first or choose another directory", dir.display(), running.join(", "))]
    AlreadyUp {
        /// The pool's directory.
        dir: PathBuf,
        /// What runs, by name.
        running: Vec<String>,
    },
    /// The directory has contents that no pool made.
    #[error("{} is not empty (it has {entry:?}); a pool needs an empty directory or a new one", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
        /// One of the entries in it.
        entry: String,
    },
    /// The directory was moved or copied from where its pool was made.
    #[error("the pool in {} was made in {}; use that path", dir.display(), made_in.display())]
    Moved {
        /// Where the record was found.
        dir: PathBuf,
        /// Where the pool was made.
        made_in: PathBuf,
    },
    /// There is no pool in the directory.
    #[error("there is no pool in {}", dir.display())]
    NoPool {
        /// The directory.
        dir: PathBuf,
    },
    /// The pool was never completely brought up.
    #[error("the pool in {} was not brought up completely; take it down and bring it up again", dir.display())]
    Unfinished {
        /// The pool's directory.
        dir: PathBuf,
    },
    /// The pool was made without hosts, so none can be added.
    #[error("the pool in {} has no network: it was made without hosts", dir.display())]
    NoNetwork {
        /// The pool's directory.
        dir: PathBuf,
    },
    /// The record of a pool cannot be understood.
    #[error("{} is not the record of a pool", path.display())]
    ReadRecord {
        /// The record's file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// The pool has no host of that name.
    #[error("the pool has no host {name:?}; it has {}", known.join(", "))]
    NoHost {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// Every 10.77.x.0/24 network is in use.
    #[error("no free network is left among 10.77.0.0/24 to 10.77.255.0/24")]
    ChooseNetwork,
    /// A program could not be started.
    #[error("cannot start {command:?}")]
    StartCommand {
        /// The command line.
        command: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("{command:?} failed: {stderr}")]
    RunCommand {
        /// The command line.
        command: String,
        /// What it wrote to its standard error.
        stderr: String,
    },
    /// A host's namespaces or its engine, or an etcd member, did not come up.
    #[error("{name} did not come up: {reason}; the end of {}: {tail}", log.display())]
    StartHost {
        /// The host or member.
        name: String,
        /// What was missing.
        reason: String,
        /// Where its output went.
        log: PathBuf,
        /// The last lines of that output.
        tail: String,
    },
    /// The engine of a host is not running, so the fault or signal cannot be applied.
    #[error("the engine of {name} is not running")]
    SignalEngine {
        /// The host.
        name: String,
    },
    /// The pool has no etcd member of that name.
    #[error("the pool has no etcd member {name:?}")]
    NoMember {
        /// The name that was asked for.
        name: String,
    },
    /// An etcd member is not running, so the fault or signal cannot be applied.
    #[error("{name} is not running")]
    SignalMember {
        /// The member.
        name: String,
    },
    /// A service of that name is already running.
    #[error("a service {name:?} already runs with pid {pid}")]
    ServiceRuns {
        /// The service.
        name: String,
        /// Its process.
        pid: u32,
    },
    /// There is no service of that name, or the name cannot be used as one.
    #[error("{name:?} is not the name of a service")]
    ServiceName {
        /// The name.
        name: String,
    },
    /// A process could not be identified or signalled.
    #[error("cannot watch or signal process {pid}")]
    Signal {
        /// The process.
        pid: u32,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Processes outlived SIGKILL for too long.
    #[error("these processes do not end: {pids:?}")]
    KillProcesses {
        /// The processes.
        pids: Vec<u32>,
    },
    /// The address of an engine is of a kind that cannot be reached from here.
    #[error("cannot use {docker_host:?}: only unix:///PATH and tcp://ADDRESS:PORT are known")]
    ParseDockerHost {
        /// The address as given.
        docker_host: String,
    },
    /// A request to an engine did not come to an answer.
    #[error("{method} {path} to {docker_host} failed")]
    Request {
        /// The engine.
        docker_host: String,
        /// The request's method.
        method: String,
        /// The request's path.
        path: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The engine did not take the sample image.
    #[error("{docker_host} does not load the sample image ({status}): {message}")]
    LoadSample {
        /// The engine.
        docker_host: String,
        /// The answer's status code.
        status: u16,
        /// What the engine said.
        message: String,
    },
}

impl Error {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// The last lines of an output, on one line.
pub(crate) fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}
