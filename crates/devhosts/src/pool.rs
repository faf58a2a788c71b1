//! A pool of hosts: brings it up, finds it again, adds to it. What it is made of stands in the modules beside; how it
//! goes away, in `teardown`.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::etcd::{self, EtcdMember, EtcdSpec, EtcdStatus};
use crate::host::{Host, HostStatus};
use crate::names::{self, Names};
use crate::network;
use crate::record::{HostRecord, Phase, Record, lock_pool};
use crate::requirements::{etcd_requirements, quota_requirements, requirements};
use crate::sample;
use crate::service::{self, Service, ServiceStatus};
use crate::teardown;

/// How many hosts one pool can hold.
pub const MAX_HOSTS: usize = 200;

/// What to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolSpec {
    /// The pool's directory: an empty one, or one that does not exist.
    pub dir: PathBuf,
    /// How many hosts. None is enough where there are etcd members.
    pub hosts: usize,
    /// Further arguments for each `dockerd`, for example `--live-restore`.
    pub dockerd_args: Vec<String>,
    /// Whether the engines listen on no network: they answer at sockets of this machine.
    pub sockets_only: bool,
    /// Whether the engines hold containers to quotas of disk: each host has a disk of its own then, with btrfs.
    pub quotas: bool,
    /// The etcd cluster beside them.
    pub etcd: EtcdSpec,
}

/// Docker hosts that run in the background, described by a directory.
#[derive(Clone, Debug)]
pub struct Pool {
    names: Names,
}

impl Pool {
    /// Makes hosts and etcd members and waits until all answer and every engine has the sample image. What a dead run left
    /// in the directory is removed first; when bringing up fails, nothing is left.
    ///
    /// # Errors
    /// The machine lacks something, the directory is in use or not empty, or a host does not come up.
    pub fn up(spec: PoolSpec) -> Result<Self> {
        if (spec.hosts == 0 && spec.etcd.members == 0) || spec.hosts > MAX_HOSTS {
            return Err(Error::HostCount { asked: spec.hosts, max: MAX_HOSTS });
        }
        if spec.hosts > 0 {
            requirements()?;
        }
        if spec.quotas {
            quota_requirements()?;
        }
        if spec.etcd.members > 0 {
            etcd_requirements()?;
        }
        let made_dir = make_dir(&spec.dir)?;
        let names = Names::of(&spec.dir)?;
        let _lock = lock_pool(names.dir(), Duration::ZERO)?;
        let made_dir = clear_leftovers(&names)? || made_dir;
        let pool = Self { names };
        pool.build(spec, made_dir).inspect_err(|_| {
            // The failure of the build is the one to tell; what its removal could not reach, the next `down` will.
            let _ = teardown::remove(&pool.names, teardown::Directory::RemoveIfOurs);
        })?;
        Ok(pool)
    }

    /// Finds the pool in a directory.
    ///
    /// # Errors
    /// There is none, or it was never completely brought up.
    pub fn open(dir: &Path) -> Result<Self> {
        let names = Names::of(dir)?;
        match Record::existing(&names)?.phase {
            Phase::Up => Ok(Self { names }),
            Phase::Starting => Err(Error::Unfinished { dir: names.dir().to_owned() }),
        }
    }

    /// Removes the pool with every trace; as [`crate::down`].
    ///
    /// # Errors
    /// Something could not be removed; calling again goes on from there.
    pub fn down(self) -> Result<()> {
        teardown::down(self.names.dir())
    }

    /// The pool's directory, absolute.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.names.dir()
    }

    /// The address under which the hosts reach this machine.
    ///
    /// # Errors
    /// The pool's record cannot be read.
    pub fn bridge_address(&self) -> Result<IpAddr> {
        let subnet = Record::existing(&self.names)?.subnet.ok_or_else(|| self.no_network())?;
        Ok(names::bridge_address(subnet).into())
    }

    /// All hosts, in the order of their numbers.
    ///
    /// # Errors
    /// The pool's record cannot be read.
    pub fn hosts(&self) -> Result<Vec<Host>> {
        let record = Record::existing(&self.names)?;
        Ok(record.hosts.iter().map(|host| Host::new(&self.names, host)).collect())
    }

    /// One host by its name, `host-1` and so on.
    ///
    /// # Errors
    /// There is no such host, or the pool's record cannot be read.
    pub fn host(&self, name: &str) -> Result<Host> {
        Ok(Host::new(&self.names, Record::existing(&self.names)?.host(name)?))
    }

    /// What all hosts are like now, asked at the same time: an answer takes about a second even if all hang.
    ///
    /// # Errors
    /// The pool's record cannot be read.
    pub fn status(&self) -> Result<Vec<HostStatus>> {
        in_parallel(&self.hosts()?, Host::status)
    }

    /// The members of the etcd cluster, in the order of their numbers; none if there is no cluster.
    ///
    /// # Errors
    /// The pool's record cannot be read.
    pub fn etcd(&self) -> Result<Vec<EtcdMember>> {
        let cluster = Record::existing(&self.names)?.etcd.unwrap_or_default();
        Ok(cluster.members.iter().map(|member| EtcdMember::new(&self.names, &cluster, member)).collect())
    }

    /// What all members of the etcd cluster are like now, asked at the same time.
    ///
    /// # Errors
    /// The pool's record cannot be read.
    pub fn etcd_status(&self) -> Result<Vec<EtcdStatus>> {
        in_parallel(&self.etcd()?, EtcdMember::status)
    }

    /// Adds a host to the live pool. One that does not come up stays in the pool as it is, for a look at its log.
    ///
    /// # Errors
    /// The host does not come up, or the pool is full.
    pub fn add_host(&self) -> Result<Host> {
        let _lock = lock_pool(self.dir(), Duration::ZERO)?;
        let (host, subnet) = Record::change(&self.names, |record| {
            let subnet = record.subnet.ok_or_else(|| self.no_network())?;
            let index = record.hosts.iter().map(|host| host.index).max().unwrap_or(0) + 1;
            if index > MAX_HOSTS {
                return Err(Error::HostCount { asked: index, max: MAX_HOSTS });
            }
            let host = self.host_record(subnet, index, record);
            record.hosts.push(host.clone());
            Ok((host, subnet))
        })?;
        {
            let _machine = network::lock_machine()?;
            network::make_host(&self.names, &host, subnet)?;
        }
        let host = Host::new(&self.names, &host);
        host.switch_on()?;
        sample::load_into(host.docker_host())?;
        Ok(host)
    }

    /// Starts a process beside the hosts that survives the caller and ends with the pool; returns its pid.
    ///
    /// # Errors
    /// One of that name runs already, or the program cannot be started.
    pub fn spawn(&self, service: &Service) -> Result<u32> {
        service::start(&self.names, service)
    }

    /// Makes the folder of a service for whatever it keeps. It goes when the pool goes.
    ///
    /// # Errors
    /// The name is not one of a service, or the folder cannot be made.
    pub fn service_dir(&self, name: &str) -> Result<PathBuf> {
        service::folder(&self.names, name)
    }

    /// All services that were started.
    ///
    /// # Errors
    /// The pool's record cannot be read.
    pub fn services(&self) -> Result<Vec<ServiceStatus>> {
        Ok(Record::existing(&self.names)?.services.iter().map(ServiceStatus::from).collect())
    }

    /// Ends a service: SIGTERM, and SIGKILL ten seconds later.
    ///
    /// # Errors
    /// There is none of that name, or it does not die.
    pub fn stop_service(&self, name: &str) -> Result<()> {
        let record = Record::existing(&self.names)?;
        let service = record.services.iter().find(|service| service.name == name);
        let service = service.ok_or_else(|| Error::ServiceName { name: name.to_owned() })?;
        service::stop(service, service::STOP_LIMIT)
    }

    fn build(&self, spec: PoolSpec, made_dir: bool) -> Result<()> {
        let names = &self.names;
        let mut record = Record {
            dir: names.dir().to_owned(),
            made_dir,
            phase: Phase::Starting,
            subnet: None,
            dockerd_args: spec.dockerd_args,
            sockets_only: spec.sockets_only,
            quotas: spec.quotas,
            hosts: Vec::new(),
            services: Vec::new(),
            etcd: None,
        };
        record.write(names)?;
        let hosts_dir = names.hosts_dir();
        fs::create_dir(&hosts_dir).map_err(Error::file("make", &hosts_dir))?;
        let proof = Names::made_by_us(&hosts_dir);
        fs::write(&proof, names.prefix()).map_err(Error::file("write", &proof))?;
        if spec.hosts > 0 {
            let _machine = network::lock_machine()?;
            let subnet = network::free_subnet()?;
            record.subnet = Some(subnet);
            record.hosts = (1..=spec.hosts).map(|index| self.host_record(subnet, index, &record)).collect();
            record.write(names)?;
            network::make_bridge(names, subnet)?;
            record.hosts.iter().try_for_each(|host| network::make_host(names, host, subnet))?;
        }
        thread::scope(|scope| {
            let etcd = scope.spawn(|| etcd::bring_up(names, &spec.etcd));
            let hosts = self.switch_on();
            hosts.and(etcd.join().expect("a thread does not panic"))
        })?;
        Record::change(names, |record| {
            record.phase = Phase::Up;
            Ok(())
        })
    }

    /// Switches all hosts on and gives them the sample image.
    fn switch_on(&self) -> Result<()> {
        let hosts = self.hosts()?;
        if hosts.is_empty() {
            return Ok(());
        }
        let archive = thread::scope(|scope| {
            let archive = scope.spawn(sample::image_archive);
            in_parallel(&hosts, Host::switch_on)?;
            archive.join().expect("a thread does not panic")
        })?;
        in_parallel(&hosts, |host| sample::load_archive(host.docker_host(), &archive)).map(drop)
    }

    fn host_record(&self, subnet: u8, index: usize, pool: &Record) -> HostRecord {
        let record = HostRecord::new(subnet, index);
        let socket = pool.sockets_only.then(|| self.names.engine_socket(&record.name));
        let disk = pool.quotas.then(|| self.names.host_dir(&record.name).join("disk"));
        HostRecord { socket, disk, ..record }
    }

    fn no_network(&self) -> Error {
        Error::NoNetwork { dir: self.dir().to_owned() }
    }
}

/// Makes the directory if it does not exist, and tells whether it did so.
fn make_dir(dir: &Path) -> Result<bool> {
    if dir.is_dir() {
        return Ok(false);
    }
    fs::create_dir_all(dir).map_err(Error::file("make", dir)).map(|()| true)
}

/// Removes what a dead run left in the directory and tells whether that run had made the directory. Refuses to touch a
/// live pool, or a directory with other contents.
fn clear_leftovers(names: &Names) -> Result<bool> {
    let made_dir = match Record::read(names) {
        Ok(Some(record)) => {
            let running = record.running();
            // An unfinished pool has nobody who finishes it: its maker would hold the lock that we hold.
            if record.phase == Phase::Up && !running.is_empty() {
                return Err(Error::AlreadyUp { dir: names.dir().to_owned(), running });
            }
            record.made_dir
        }
        Ok(None) | Err(Error::ReadRecord { .. }) => false,
        Err(error) => return Err(error),
    };
    teardown::remove(names, teardown::Directory::Keep)?;
    let mut entries = fs::read_dir(names.dir()).map_err(Error::file("list", names.dir()))?;
    match entries.next() {
        None => Ok(made_dir),
        Some(entry) => {
            let entry = entry.map_err(Error::file("list", names.dir()))?.file_name().to_string_lossy().into_owned();
            Err(Error::NotEmpty { dir: names.dir().to_owned(), entry })
        }
    }
}

/// Does the same with all at once; the first failure is returned when all have ended.
fn in_parallel<H: Sync, T: Send>(all: &[H], work: impl Fn(&H) -> Result<T> + Sync) -> Result<Vec<T>> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = all.iter().map(|one| scope.spawn(move || work(one))).collect();
        let results: Vec<_> =
            threads.into_iter().map(|thread| thread.join().expect("a thread does not panic")).collect();
        results.into_iter().collect()
    })
}
