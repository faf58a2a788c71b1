//! A Docker engine started with `--tlsverify`, beside the plain one of a host and in the same network.

use crate::certificates::Signed;
use pierhead_devhosts::{Host, Pool, PoolSpec};
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One host; goes when it is dropped.
pub struct Bed {
    pool: Option<Pool>,
    pub host: Host,
    dir: PathBuf,
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.pool.take().map(Pool::down) {
            eprintln!("the host stays behind: {error}");
        }
    }
}

impl Bed {
    pub fn up() -> Self {
        // Always the same directory, so that what a killed run left is found and removed.
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tls");
        let pool = Pool::up(PoolSpec { dir, hosts: 1, ..PoolSpec::default() }).expect("a Docker host");
        let host = pool.hosts().unwrap().remove(0);
        let dir = pool.service_dir("tls").unwrap();
        Self { pool: Some(pool), host, dir }
    }

    /// `host:port` of the engine with TLS.
    pub fn authority(&self) -> String {
        format!("{}:2376", self.host.address())
    }

    /// Starts the engine with TLS, which ends when it is dropped.
    pub fn engine(&self, ca_pem: &str, server: &Signed) -> Engine {
        for (name, text) in [("ca.pem", ca_pem), ("cert.pem", &server.pem), ("key.pem", &server.key)] {
            fs::write(self.dir.join(name), text).unwrap();
        }
        let plain = self.host.pid().unwrap().expect("the plain engine runs");
        let arguments = fs::read_to_string(format!("/proc/{plain}/cmdline")).unwrap();
        let cgroup = arguments.split('\0').find(|argument| argument.starts_with("--cgroup-parent=")).unwrap();
        let log = self.dir.join("dockerd.log");
        let output = fs::File::create(&log).unwrap();
        let process = Command::new("nsenter")
            .args([format!("--target={plain}")].iter())
            .args(["--mount", "--uts", "--net", "dockerd", "--tlsverify", "--bridge=none", "--iptables=false"])
            .args(["--exec-opt=native.cgroupdriver=cgroupfs", cgroup])
            .arg(format!("--host=tcp://{}", self.authority()))
            .args(self.paths())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .expect("nsenter");
        let mut engine = Engine { process };
        engine.wait_until_it_listens(&self.authority(), &log);
        engine
    }

    fn paths(&self) -> Vec<String> {
        [
            ("data-root", "data"),
            ("exec-root", "exec"),
            ("pidfile", "pid"),
            ("tlscacert", "ca.pem"),
            ("tlscert", "cert.pem"),
            ("tlskey", "key.pem"),
        ]
        .map(|(option, name)| format!("--{option}={}", self.dir.join(name).display()))
        .to_vec()
    }
}

/// A `dockerd`; ends in an orderly way when it is dropped, so that the next one can have its files.
pub struct Engine {
    process: Child,
}

impl Engine {
    fn wait_until_it_listens(&mut self, authority: &str, log: &Path) {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(authority).is_err() {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{}", fs::read_to_string(log).unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Its containerd ends with it only if it is asked.
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        let deadline = Instant::now() + PATIENCE;
        while asked.is_ok() && matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Ok(None) = self.process.try_wait() {
            eprintln!("the engine had to be killed");
            drop(self.process.kill().and_then(|()| self.process.wait()));
        }
    }
}
