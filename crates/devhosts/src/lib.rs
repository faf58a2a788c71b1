//! Real Docker hosts in network namespaces on one machine.
//!
//! A [`Pool`] is a bridge, and for each [`Host`] a network namespace with a veth pair into that bridge and a `dockerd`
//! of its own: own address, own identity, own images. It lives in one directory, survives the program that made it,
//! and [`down`] removes every trace of it, also after a crash. An etcd cluster can stand beside the hosts, or alone. The crate knows nothing of apps or of the controller:
//! whatever else shall run beside the hosts is started with [`Pool::spawn`].
//!
//! Everything here is synchronous and needs root; [`requirements`] says what a machine lacks.

mod cgroup;
mod command;
mod engine;
mod error;
mod etcd;
mod host;
pub mod http;
mod names;
mod network;
mod pool;
mod process;
mod record;
mod requirements;
pub mod sample;
mod service;
mod teardown;

pub use error::{Error, Result};
pub use etcd::{EtcdMember, EtcdSpec, EtcdStatus, MAX_MEMBERS};
pub use host::{Host, HostStatus};
pub use pool::{MAX_HOSTS, Pool, PoolSpec};
pub use requirements::{Missing, etcd_requirements, requirements};
pub use service::{Service, ServiceStatus};
pub use teardown::{down, has_traces};
