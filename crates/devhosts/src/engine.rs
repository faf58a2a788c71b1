//! Starts what a host consists of: a holder, the process that keeps the host's namespaces as long as the "machine" is
//! on, and the engine in them. Knows how they are laid out inside; who keeps their pids is not its business.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result, tail};
use crate::http;
use crate::names::Names;
use crate::network;
use crate::process::{self, ProcessId};
use crate::record::HostRecord;

/// The port on which engines answer, without encryption.
const ENGINE_PORT: u16 = 2375;
/// How long a host may take to come up on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The size of a host's own disk. It takes only as much of this machine's as is written to it.
const DISK: &str = "8G";
const PING_LIMIT: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(10);

/// Own host name, `/run` and `/etc/docker`: engines that share the latter share one identity. And an own resolver: no
/// name server can be reached from a host, and waiting for the machine's would take 20 s for each image that is nowhere.
/// Where no file is left after hiding `/run`, resolvers ask this machine by themselves. A disk of its own goes with the last
/// process that has its namespace, which after a failure of power may take a moment.
const HOLDER_SCRIPT: &str = r#"echo "$1" >/proc/sys/kernel/hostname &&
mount -t tmpfs -o mode=755 tmpfs /run &&
mkdir -p /etc/docker && mount --bind "$2" /etc/docker &&
echo 'nameserver 127.0.0.1' >/run/resolv.conf &&
if test -e /etc/resolv.conf; then mount --bind /run/resolv.conf /etc/resolv.conf; fi &&
if test -n "$5"; then
    { test -e "$5" || { truncate -s "$6" "$5.new" && mkfs.btrfs -q "$5.new" && mv "$5.new" "$5"; }; } && mkdir -p "$4" &&
    for try in 1 2 3 4 5 6 7 8 9 10; do mount -o loop "$5" "$4" && break; sleep 0.3; done && mountpoint -q "$4"
fi &&
: >"$3" && exec sleep infinity"#;

/// The pid files of an engine that was killed may name processes that are others by now.
const ENGINE_SCRIPT: &str = r#"rm -f /run/docker.pid /run/docker/containerd/containerd.pid && exec dockerd "$@""#;

/// Where a host's engine answers.
pub(crate) fn docker_host(host: &HostRecord) -> String {
    match &host.socket {
        Some(socket) => format!("unix://{}", text(socket)),
        None => format!("tcp://{}:{ENGINE_PORT}", host.address),
    }
}

/// Where the output of a host's processes goes.
pub(crate) fn log_file(names: &Names, host: &HostRecord) -> PathBuf {
    names.host_dir(&host.name).join("dockerd.log")
}

/// Where a host's engine keeps images and containers.
fn data_root(names: &Names, host: &HostRecord) -> PathBuf {
    names.host_dir(&host.name).join("data")
}

/// Starts the holder and waits until the namespaces are ready to be entered.
pub(crate) fn start_holder(names: &Names, host: &HostRecord) -> Result<ProcessId> {
    let dir = names.host_dir(&host.name);
    let (identity, ready) = (dir.join("etc"), dir.join("ready"));
    fs::create_dir_all(&identity).map_err(Error::file("make", &identity))?;
    if ready.exists() {
        fs::remove_file(&ready).map_err(Error::file("remove", &ready))?;
    }
    let enter = format!("--net={}", network::netns_file(&names.netns(host.index)));
    let words =
        ["nsenter", &enter, "unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", HOLDER_SCRIPT];
    let mut argv: Vec<String> = words.map(str::to_owned).to_vec();
    let disk = host.disk.as_deref().map(text).unwrap_or_default();
    let files = [text(&identity), text(&ready), text(&data_root(names, host)), disk];
    argv.extend(["sh".to_owned(), host.name.clone()].into_iter().chain(files).chain([DISK.to_owned()]));
    let log = log_file(names, host);
    let holder = process::start_detached(names, &argv, &[], &log)?;
    wait(names, host, holder, "its namespaces are not ready", || ready.exists())?;
    Ok(holder)
}

/// Starts the engine in the holder's namespaces; it does not answer yet.
pub(crate) fn start_engine(names: &Names, host: &HostRecord, holder: ProcessId, args: &[String]) -> Result<ProcessId> {
    wait_for_old_containerd(names, host)?;
    let target = format!("--target={}", holder.pid);
    let words = ["nsenter", &target, "--mount", "--uts", "--net", "sh", "-c", ENGINE_SCRIPT, "sh"];
    let mut argv: Vec<String> = words.map(str::to_owned).to_vec();
    argv.extend([
        format!("--data-root={}", text(&data_root(names, host))),
        "--host=unix:///run/docker.sock".to_owned(),
        format!("--host={}", docker_host(host)),
        "--tls=false".to_owned(),
        format!("--cgroup-parent=/{}", names.netns(host.index)),
        // With systemd's driver cgroups would be made elsewhere, by somebody else.
        "--exec-opt=native.cgroupdriver=cgroupfs".to_owned(),
    ]);
    // Newer engines would rather have overlay2 on it, which has no quotas there.
    argv.extend(host.disk.iter().map(|_| "--storage-driver=btrfs".to_owned()));
    argv.extend_from_slice(args);
    process::start_detached(names, &argv, &[], &log_file(names, host))
}

/// Waits until the engine answers.
pub(crate) fn wait_for_engine(names: &Names, host: &HostRecord, engine: ProcessId) -> Result<()> {
    let docker_host = docker_host(host);
    wait(names, host, engine, "its engine does not answer", || http::answers(&docker_host, PING_LIMIT))
}

/// An engine takes its containerd with it when it dies, though not in the same instant; the next one needs its files.
fn wait_for_old_containerd(names: &Names, host: &HostRecord) -> Result<()> {
    let Some(netns) = process::namespace(network::netns_file(&names.netns(host.index))) else {
        return Ok(());
    };
    let deadline = Instant::now() + START_LIMIT;
    while !process::in_namespace("containerd", netns).is_empty() {
        if Instant::now() >= deadline {
            return Err(failure(names, host, "the containerd of its last engine still runs"));
        }
        thread::sleep(POLL);
    }
    Ok(())
}

fn wait(names: &Names, host: &HostRecord, process: ProcessId, complaint: &str, ready: impl Fn() -> bool) -> Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    while !ready() {
        if !process.is_alive() {
            return Err(failure(names, host, "its process ended"));
        }
        if Instant::now() >= deadline {
            return Err(failure(names, host, complaint));
        }
        thread::sleep(POLL);
    }
    Ok(())
}

fn failure(names: &Names, host: &HostRecord, reason: &str) -> Error {
    let log = log_file(names, host);
    let output = fs::read_to_string(&log).unwrap_or_default();
    Error::StartHost { name: host.name.clone(), reason: reason.to_owned(), log, tail: tail(&output) }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
