//! Background processes beside the hosts, such as a controller. Starts and stops them; does not watch them.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::names::Names;
use crate::process::{self, ProcessId};
use crate::record::{Record, ServiceRecord};

/// How long a service may take to end by itself after SIGTERM.
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A background process to start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name in the pool: lower-case letters, digits and dashes.
    pub name: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Variables to add to the environment.
    pub env: Vec<(String, String)>,
    /// Where its output is appended; `None`: `log` in its folder. A file outside of that folder outlives the pool.
    pub log: Option<PathBuf>,
}

/// A service of a pool when it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceStatus {
    /// Its name in the pool.
    pub name: String,
    /// Its process, dead or alive.
    pub pid: Option<u32>,
    /// Whether that process runs.
    pub alive: bool,
    /// Where its output goes.
    pub log: PathBuf,
}

impl From<&ServiceRecord> for ServiceStatus {
    fn from(record: &ServiceRecord) -> Self {
        Self {
            name: record.name.clone(),
            pid: record.process.map(|process| process.pid),
            alive: record.process.is_some_and(ProcessId::is_alive),
            log: record.log.clone(),
        }
    }
}

/// Makes the folder of a service, which goes when the pool goes.
pub(crate) fn folder(names: &Names, name: &str) -> Result<PathBuf> {
    let valid = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !valid {
        return Err(Error::ServiceName { name: name.to_owned() });
    }
    let folder = names.services_dir().join(name);
    fs::create_dir_all(&folder).map_err(Error::file("make", &folder))?;
    let proof = Names::made_by_us(&names.services_dir());
    fs::write(&proof, names.prefix()).map_err(Error::file("write", &proof))?;
    Ok(folder)
}

/// Starts a service and returns its pid.
pub(crate) fn start(names: &Names, service: &Service) -> Result<u32> {
    let log = folder(names, &service.name)?.join(service.log.clone().unwrap_or_else(|| "log".into()));
    Record::change(names, |record| {
        let earlier = record.services.iter().find(|known| known.name == service.name).and_then(|known| known.process);
        // Of one that was killed, threads can still hold its locks.
        if let Some(process) = earlier.filter(|process| !process.is_gone()) {
            return Err(Error::ServiceRuns { name: service.name.clone(), pid: process.pid });
        }
        let process = process::start_detached(names, &service.argv, &service.env, &log)?;
        record.services.retain(|known| known.name != service.name);
        record.services.push(ServiceRecord { name: service.name.clone(), log, process: Some(process) });
        Ok(process.pid)
    })
}

/// Asks a service to end, and ends it when it does not within `limit`.
pub(crate) fn stop(service: &ServiceRecord, limit: Duration) -> Result<()> {
    service.process.map_or(Ok(()), |process| end(process, limit))
}

/// As [`stop`], for any process.
pub(crate) fn end(process: ProcessId, limit: Duration) -> Result<()> {
    process.signal(Signal::TERM)?;
    // A stopped process hears SIGTERM only when it goes on.
    process.signal(Signal::CONT)?;
    if gone_within(process, limit) {
        return Ok(());
    }
    process.signal(Signal::KILL)?;
    if gone_within(process, STOP_LIMIT) { Ok(()) } else { Err(Error::KillProcesses { pids: vec![process.pid] }) }
}

pub(crate) fn gone_within(process: ProcessId, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while !process.is_gone() {
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Phase;

    fn pool() -> (tempfile::TempDir, Names) {
        let dir = tempfile::tempdir().unwrap();
        let names = Names::of(dir.path()).unwrap();
        fs::create_dir(names.hosts_dir()).unwrap();
        let record = Record {
            dir: names.dir().to_owned(),
            made_dir: false,
            phase: Phase::Up,
            subnet: None,
            dockerd_args: vec![],
            sockets_only: false,
            quotas: false,
            hosts: vec![],
            services: vec![],
            etcd: None,
        };
        record.write(&names).unwrap();
        (dir, names)
    }

    fn shell(name: &str, script: &str) -> Service {
        Service { name: name.to_owned(), argv: ["sh", "-c", script].map(String::from).to_vec(), ..Service::default() }
    }

    fn recorded(names: &Names) -> ServiceRecord {
        Record::existing(names).unwrap().services[0].clone()
    }

    #[test]
    fn a_service_is_recorded_refused_twice_and_replaced_when_dead() {
        let (_dir, names) = pool();
        let service = shell("web-1", "exec sleep 60");
        let pid = start(&names, &service).unwrap();
        assert_eq!(ServiceStatus::from(&recorded(&names)).pid, Some(pid));
        assert!(matches!(start(&names, &service), Err(Error::ServiceRuns { pid: running, .. }) if running == pid));
        stop(&recorded(&names), STOP_LIMIT).unwrap();
        assert!(!ServiceStatus::from(&recorded(&names)).alive);
        let next = start(&names, &service).unwrap();
        assert_ne!(next, pid);
        assert_eq!(Record::existing(&names).unwrap().services.len(), 1);
        stop(&recorded(&names), STOP_LIMIT).unwrap();
    }

    #[test]
    fn a_deaf_service_is_killed_after_the_limit_and_a_polite_one_is_heard_out() {
        let (_dir, names) = pool();
        start(&names, &shell("polite", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done")).unwrap();
        let polite = recorded(&names);
        wait_for(&polite, "up\n");
        stop(&polite, STOP_LIMIT).unwrap();
        assert_eq!(fs::read_to_string(&polite.log).unwrap(), "up\nbye\n");

        start(&names, &shell("deaf", "trap '' TERM; echo up; while :; do sleep 0.01; done")).unwrap();
        let deaf = Record::existing(&names).unwrap().services[1].clone();
        wait_for(&deaf, "up\n");
        let begin = Instant::now();
        stop(&deaf, Duration::from_millis(200)).unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(200));
        assert!(!deaf.process.unwrap().is_alive());
    }

    fn wait_for(service: &ServiceRecord, text: &str) {
        let deadline = Instant::now() + STOP_LIMIT;
        while fs::read_to_string(&service.log).unwrap_or_default() != text {
            assert!(Instant::now() < deadline, "{} never said {text:?}", service.name);
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn names_that_are_no_folder_names_are_refused() {
        let (_dir, names) = pool();
        for name in ["", "..", "a/b", "A", "a b"] {
            assert!(matches!(folder(&names, name), Err(Error::ServiceName { .. })), "{name:?}");
        }
        assert!(!names.services_dir().exists());
    }
}
