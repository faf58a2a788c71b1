//! What the tests share: a directory that is taken down in any case, the raw API, and a search for traces that does not
//! rely on the code under test.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use pierhead_devhosts::http::{Answer, Body, request};
use pierhead_devhosts::{Host, PoolSpec, down};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub const LIMIT: Duration = Duration::from_secs(30);
/// Enough for an engine that answers, on a busy machine too.
pub const PING: Duration = Duration::from_secs(3);
/// How long an engine that ought to be silent is given to prove the contrary.
pub const SILENCE: Duration = Duration::from_millis(300);

/// A folder in which a pool can be made; whatever is left of it goes when the test ends, passed or not.
pub struct Place {
    base: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { base: tempfile::tempdir().unwrap() }
    }

    pub fn dir(&self) -> PathBuf {
        self.base.path().join("pool")
    }

    pub fn spec(&self, hosts: usize) -> PoolSpec {
        PoolSpec { dir: self.dir(), hosts, ..PoolSpec::default() }
    }

    /// What all names of a pool in this place begin with.
    pub fn prefix(&self) -> String {
        let dir = self.base.path().canonicalize().unwrap().join("pool");
        let digest = Sha256::digest(dir.to_str().unwrap());
        format!("ph{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
    }

    /// The kinds of traces that a pool in this place has on the machine.
    pub fn traces(&self) -> BTreeSet<&'static str> {
        let prefix = self.prefix();
        let dir = self.base.path().canonicalize().unwrap().display().to_string();
        let shows = |program: &str, args: &[&str]| {
            let output = Command::new(program).args(args).output().unwrap();
            String::from_utf8_lossy(&output.stdout).contains(&prefix)
        };
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mut found = BTreeSet::new();
        for (kind, present) in [
            ("link", shows("ip", &["link", "show"])),
            ("namespace", shows("ip", &["netns", "list"])),
            ("rule", shows("iptables", &["-w", "-S"])),
            ("cgroup", shows("find", &["/sys/fs/cgroup", "-maxdepth", "2", "-type", "d", "-name", "ph*"])),
            ("mount", mounts.contains(&prefix) || mounts.contains(&dir)),
            ("process", has_process(&prefix, &dir)),
            ("directory", self.dir().exists()),
        ] {
            if present {
                found.insert(kind);
            }
        }
        found
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = down(&self.dir()) {
            eprintln!("{} is not down: {error}", self.dir().display());
        }
    }
}

/// Whether a process has the words in its command line, its environment or its cgroups. The dead that nobody has
/// reaped yet have neither of the first two, and are skipped by their state.
fn has_process(prefix: &str, dir: &str) -> bool {
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let mut processes = entries.filter(|path| path.join("stat").exists() && !path.ends_with(&own));
    processes.any(|process| {
        let read = |file| String::from_utf8_lossy(&fs::read(process.join(file)).unwrap_or_default()).into_owned();
        let dead = read("stat").rsplit_once(')').is_none_or(|(_, rest)| rest.starts_with(" Z"));
        let words = [read("cmdline"), read("environ"), read("cgroup")];
        !dead && words.iter().any(|text| text.contains(prefix) || text.contains(dir))
    })
}

/// Waits for a condition.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until all that a killed run had begun has ended or bears the mark of its pool, by which it is found. The
/// variable told that run its directory.
pub fn until_settled(place: &Place, variable: &str) {
    let of_the_run = format!("{variable}={}", place.dir().display());
    let mark = format!("DEVHOSTS_POOL={}", place.prefix());
    let is_unmarked = |environment: &[u8]| {
        let has = |wanted: &str| environment.split(|byte| *byte == 0).any(|found| found == wanted.as_bytes());
        has(&of_the_run) && !has(&mark)
    };
    eventually("what it had begun is settled", || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        !processes
            .map(|process| fs::read(process.path().join("environ")))
            .any(|it| is_unmarked(&it.unwrap_or_default()))
    });
}

/// One request to an engine's API.
pub fn call(host: &Host, method: &str, path: &str, body: Option<Value>) -> Answer {
    let text = body.map(|body| body.to_string());
    let body = text.as_deref().map_or(Body::Empty, Body::Json);
    request(host.docker_host(), method, path, body, LIMIT).unwrap()
}

/// One request that must succeed or have nothing to do, and its JSON answer.
pub fn json(host: &Host, method: &str, path: &str, body: Option<Value>) -> Value {
    let answer = call(host, method, path, body);
    assert!(answer.status < 400, "{method} {path}: {} {}", answer.status, answer.text());
    serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
}

/// The identity of a host's engine.
pub fn engine_id(host: &Host) -> String {
    json(host, "GET", "/info", None)["ID"].as_str().unwrap().to_owned()
}

/// Runs the sample with its web server published at host port 8080, and returns the container's id.
pub fn run_sample(host: &Host) -> String {
    let wanted = serde_json::json!({
        "Image": "pierhead/sample:1",
        "HostConfig": { "PortBindings": { "80/tcp": [{ "HostPort": "8080" }] } },
    });
    let id = json(host, "POST", "/containers/create", Some(wanted))["Id"].as_str().unwrap().to_owned();
    json(host, "POST", &format!("/containers/{id}/start"), None);
    id
}

/// The state of a container: `running`, `exited`, ...
pub fn state(host: &Host, id: &str) -> String {
    json(host, "GET", &format!("/containers/{id}/json"), None)["State"]["Status"].as_str().unwrap().to_owned()
}

/// A page that the sample on a host serves at port 8080; `None` if it does not answer.
pub fn page(address: IpAddr, path: &str) -> Option<(u16, String)> {
    let answer = request(&format!("tcp://{address}:8080"), "GET", path, Body::Empty, PING).ok()?;
    Some((answer.status, answer.text()))
}

/// Waits until the sample serves its pages, and checks them.
pub fn expect_pages(host: &Host, id: &str) {
    let expected = Some((200, format!("{}\n", &id[..12])));
    eventually("the page shows the host name", || page(host.address(), "/") == expected);
    assert_eq!(page(host.address(), "/health"), Some((200, "ok\n".to_owned())));
}

/// The names in a directory.
pub fn entries(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
