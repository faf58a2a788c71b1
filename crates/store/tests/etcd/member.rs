//! A real etcd of one member, for one test process, in a directory that goes with it.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use pierhead_store::{Error, Etcd, EtcdAddress, EtcdSettings};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(30);

/// Running until it is dropped.
pub struct Member {
    directory: TempDir,
    port: u16,
    peer: String,
    args: Vec<String>,
    process: Mutex<Option<Child>>,
}

static SHARED: Mutex<Weak<Member>> = Mutex::new(Weak::new());
static PREFIXES: AtomicUsize = AtomicUsize::new(0);

impl Member {
    /// The one that all who want one at this time share.
    pub async fn shared() -> Arc<Self> {
        let (member, is_new) = {
            let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
            match shared.upgrade() {
                Some(member) => (member, false),
                None => {
                    let member = Arc::new(Self::start(&[]));
                    *shared = Arc::downgrade(&member);
                    (member, true)
                }
            }
        };
        if is_new {
            member.answers().await;
        }
        member
    }

    /// One of one's own, started with further arguments.
    pub fn start(args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self::started(free_port(), "http://127.0.0.1:0", args)
    }

    /// Several that are one cluster, each started with further arguments.
    pub fn cluster(count: usize, further: &[&str]) -> Vec<Self> {
        let peers: Vec<_> = (0..count).map(|_| format!("http://127.0.0.1:{}", free_port())).collect();
        let all: Vec<_> = peers.iter().enumerate().map(|(index, peer)| format!("m{index}={peer}")).collect();
        let member = |(index, peer): (usize, &String)| {
            let name = format!("m{index}");
            let args = ["--name", &name, "--initial-advertise-peer-urls", peer, "--initial-cluster", &all.join(",")];
            let args = args.iter().chain(further).map(|arg| (*arg).to_owned()).collect();
            Self::started(free_port(), peer, args)
        };
        peers.iter().enumerate().map(member).collect()
    }

    fn started(port: u16, peer: &str, args: Vec<String>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let member = Self { directory, port, peer: peer.to_owned(), args, process: Mutex::new(None) };
        member.go_on();
        member
    }

    /// Sends its process a signal.
    pub fn signal(&self, signal: Signal) {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = process.as_ref().and_then(|child| Pid::from_raw(child.id().try_into().ok()?));
        kill_process(pid.expect("it runs"), signal).expect("it is ours");
    }

    /// Starts its process, on the data that are there.
    pub fn go_on(&self) {
        let scheme = if self.args.iter().any(|arg| arg.starts_with("--cert-file")) { "https" } else { "http" };
        let url = format!("{scheme}://127.0.0.1:{}", self.port);
        let log = fs::File::options().create(true).append(true).open(self.path().join("log")).expect("a log");
        let child = Command::new("etcd")
            .arg("--data-dir")
            .arg(self.path().join("data"))
            .args(["--listen-client-urls", &url, "--advertise-client-urls", &url])
            .args(["--listen-peer-urls", &self.peer, "--log-level", "warn", "--logger", "zap"])
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("etcd is installed (make deps)");
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
    }

    /// Ends its process as a power cut would.
    pub fn kill(&self) {
        if let Some(mut child) = self.process.lock().unwrap_or_else(PoisonError::into_inner).take() {
            child.kill().expect("it runs");
            child.wait().expect("it ends");
        }
    }

    /// Waits until it answers.
    pub async fn answers(&self) {
        self.answers_to(&self.settings("none")).await;
    }

    /// Waits until it answers whoever asks so.
    pub async fn answers_to(&self, settings: &EtcdSettings) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match Etcd::open_bare(settings).await {
                Ok(_) => return,
                Err(Error::Unavailable { .. }) if Instant::now() < deadline => {}
                Err(error) => panic!("{error}: {}", fs::read_to_string(self.path().join("log")).unwrap_or_default()),
            }
        }
    }

    /// Where clients reach it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn settings(&self, prefix: &str) -> EtcdSettings {
        EtcdSettings::new(EtcdAddress::parse(&format!("etcd://{}/{prefix}", self.host())).expect("an address"))
    }

    pub fn settings_of_new_prefix(&self) -> EtcdSettings {
        self.settings(&format!("test-{}", PREFIXES.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on, and that no connection of others gets by itself while a member is down: those begin
/// at 32768.
fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let drawn = || u16::try_from(12_000 + RandomState::new().build_hasher().finish() % 20_000).expect("below 32768");
    std::iter::repeat_with(drawn).take(1_000).find(is_free).expect("a free port")
}
