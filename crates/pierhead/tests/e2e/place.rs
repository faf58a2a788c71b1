//! A directory for one pool, from which every trace is removed when the test ends, passed or not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const PREFIX: &str = "pierhead-e2e-";

pub struct Place {
    base: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        remove_leftovers();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let base = std::env::temp_dir().join(format!("{PREFIX}{}-{count}", std::process::id()));
        fs::create_dir(&base).unwrap();
        Self { base }
    }

    /// Where the pool shall be; it does not exist yet.
    pub fn pool(&self) -> PathBuf {
        self.base.join("pool")
    }

    /// Where there is no pool.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    /// What processes, mounts and folders of this place there are.
    pub fn traces(&self) -> BTreeSet<String> {
        let dir = self.pool().display().to_string();
        let mut found = BTreeSet::new();
        if self.pool().exists() {
            found.insert("directory".to_owned());
        }
        if fs::read_to_string("/proc/self/mountinfo").unwrap().contains(&dir) {
            found.insert("mount".to_owned());
        }
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&words).contains(&dir) {
                found.insert(format!("process {}", String::from_utf8_lossy(&words).replace('\0', " ")));
            }
        }
        found
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        remove(&self.base);
    }
}

fn remove(base: &Path) {
    if let Err(error) = pierhead_devhosts::down(&base.join("pool")) {
        eprintln!("the pool in {} could not be removed: {error}", base.display());
        return;
    }
    if let Err(error) = fs::remove_dir_all(base) {
        eprintln!("{} could not be removed: {error}", base.display());
    }
}

/// What test runs left that were killed.
fn remove_leftovers() {
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let maker = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if maker.is_some_and(|pid| pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists()) {
            remove(&entry.path());
        }
    }
}

/// The network namespace of a process, by its name, if it has one of its own.
pub fn network_of(pid: u32) -> Option<String> {
    let output = Command::new("ip").args(["netns", "identify", &pid.to_string()]).output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned()).filter(|name| !name.is_empty())
}

/// What of a pool's network there is, by the name of one of its namespaces (`POOL-host-1`).
pub fn network_traces(netns: &str) -> Vec<String> {
    let pool = netns.split('-').next().unwrap();
    let listings: [&[&str]; 3] =
        [&["ip", "netns", "list"], &["ip", "-o", "link", "show"], &["iptables", "-w", "-S", "FORWARD"]];
    let lines = listings.iter().flat_map(|argv| {
        let output = Command::new(argv[0]).args(&argv[1..]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.contains(pool)).map(str::to_owned).collect::<Vec<_>>()
    });
    lines.collect()
}
