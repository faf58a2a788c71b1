//! Starts members: where they listen, their command line, and the wait until they are what they should be.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::{EtcdMember, EtcdSpec, MAX_MEMBERS, Ports};
use crate::error::{Error, Result, tail};
use crate::names::{self, Names};
use crate::process::{self, ProcessId};
use crate::record::{EtcdRecord, MemberRecord, Record};
use crate::service;

/// How long a cluster may take to come up on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long one question for health may take: a member tries for a second to commit something.
pub(super) const ASK_LIMIT: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(10);

/// Where the members of a pool listen: at its bridge, where the hosts reach them, or at a loopback address of the pool's
/// own if it has no hosts.
fn choose_address(names: &Names, subnet: Option<u8>, members: usize) -> Result<Ipv4Addr> {
    if let Some(subnet) = subnet {
        return Ok(names::bridge_address(subnet));
    }
    let all_free = |address: &Ipv4Addr| {
        let ports = (1..=members).flat_map(|index| Ports::of(*address, index).all());
        // All are held until the last is tried.
        ports.map(TcpListener::bind).collect::<Result<Vec<_>, _>>().is_ok()
    };
    names.loopback_addresses().take(100).find(all_free).ok_or(Error::ChooseNetwork)
}

/// Makes the members of a cluster and waits until each can commit. The record has the cluster before anything is started.
pub(crate) fn bring_up(names: &Names, spec: &EtcdSpec) -> Result<()> {
    if spec.members == 0 {
        return Ok(());
    }
    if spec.members > MAX_MEMBERS {
        return Err(Error::MemberCount { asked: spec.members, max: MAX_MEMBERS });
    }
    let cluster = Record::change(names, |record| {
        let address = choose_address(names, record.subnet, spec.members)?;
        let members = (1..=spec.members).map(|index| MemberRecord {
            name: format!("etcd-{index}"),
            ports: Ports::of(address, index),
            process: None,
        });
        let cluster = EtcdRecord { args: spec.args.clone(), https: spec.https, members: members.collect() };
        record.etcd = Some(cluster.clone());
        Ok(cluster)
    })?;
    let members: Vec<EtcdMember> =
        cluster.members.iter().map(|member| EtcdMember::new(names, &cluster, member)).collect();
    // Each waits for the others before it answers.
    thread::scope(|scope| {
        let threads: Vec<_> = members
            .iter()
            .map(|member| scope.spawn(|| member.start().and_then(|()| member.wait_until_it_answers())))
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a thread does not panic"))
    })
}

/// Starts the process of a member.
pub(super) fn process(names: &Names, cluster: &EtcdRecord, member: &MemberRecord) -> Result<ProcessId> {
    service::folder(names, &member.name)?;
    let all: Vec<String> =
        cluster.members.iter().map(|member| format!("{}={}", member.name, member.ports.peer_url())).collect();
    let (client, peer) = (member.ports.client_url(cluster.https), member.ports.peer_url());
    let data = data_dir(names, &member.name).to_string_lossy().into_owned();
    let flags = [
        ("name", member.name.as_str()),
        ("data-dir", &data),
        ("listen-client-urls", &client),
        ("advertise-client-urls", &client),
        ("listen-peer-urls", &peer),
        ("initial-advertise-peer-urls", &peer),
        ("initial-cluster", &all.join(",")),
        ("initial-cluster-token", names.prefix()),
        ("initial-cluster-state", "new"),
        // Health is told here without TLS and without an account.
        ("listen-metrics-urls", &member.ports.health_url()),
        ("logger", "zap"),
        ("log-outputs", "stderr"),
        ("log-level", "warn"),
    ];
    let mut argv = vec!["etcd".to_owned()];
    argv.extend(flags.map(|(flag, value)| format!("--{flag}={value}")));
    argv.extend_from_slice(&cluster.args);
    process::start_detached(names, &argv, &[], &log_file(names, &member.name))
}

pub(super) fn data_dir(names: &Names, member: &str) -> PathBuf {
    names.services_dir().join(member).join("data")
}

pub(super) fn log_file(names: &Names, member: &str) -> PathBuf {
    names.services_dir().join(member).join("log")
}

pub(super) fn wait(
    names: &Names,
    member: &EtcdMember,
    process: ProcessId,
    complaint: &str,
    ready: impl Fn() -> bool,
) -> Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    while !ready() {
        let ended = !process.is_alive();
        if ended || Instant::now() >= deadline {
            let log = log_file(names, &member.name);
            let tail = tail(&fs::read_to_string(&log).unwrap_or_default());
            let reason = if ended { "its process ended" } else { complaint }.to_owned();
            return Err(Error::StartHost { name: member.name.clone(), reason, log, tail });
        }
        thread::sleep(POLL);
    }
    Ok(())
}
