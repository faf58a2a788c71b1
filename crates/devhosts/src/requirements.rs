//! What a machine needs for hosts, and in words what it lacks. Installs nothing and leaves nothing behind.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::Path;

use crate::command::{find, run, search_path};

/// Programs, what they are for, and the Debian packages that bring them.
const PROGRAMS: [(&str, &str, &str); 8] = [
    ("ip", "to make networks", "iproute2"),
    ("iptables", "to let hosts reach each other", "iptables"),
    ("nsenter", "to enter namespaces", "util-linux"),
    ("unshare", "to make namespaces", "util-linux"),
    ("mount", "to give each engine its own files", "mount"),
    ("dockerd", "as the hosts' engine", "docker.io"),
    ("containerd", "as part of the engine", "containerd"),
    ("busybox", "for the sample image", "busybox-static"),
];

/// As [`PROGRAMS`], for an etcd cluster.
const ETCD_PROGRAMS: [(&str, &str, &str); 1] = [("etcd", "as a member of the cluster", "etcd-server")];

/// As [`PROGRAMS`], for hosts with quotas of disk.
const QUOTA_PROGRAMS: [(&str, &str, &str); 1] = [("mkfs.btrfs", "to make disks with quotas", "btrfs-progs")];

/// Tries, in namespaces that end with it, what a pool does to the machine.
const TRIAL: &str = "mount -t tmpfs tmpfs /run && ip link add name try0 type bridge && \
                     ip link add try1 type veth peer name try2 && ip link set try1 master try0";

/// What a machine lacks for hosts, or an etcd cluster, of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Missing {
    purpose: &'static str,
    lacks: Vec<String>,
    packages: Vec<&'static str>,
}

impl Missing {
    /// What is missing, one sentence each.
    #[must_use]
    pub fn lacks(&self) -> &[String] {
        &self.lacks
    }

    /// The Debian packages that would bring what is missing.
    #[must_use]
    pub fn packages(&self) -> &[&'static str] {
        &self.packages
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this machine cannot hold {}: {}", self.purpose, self.lacks.join("; "))?;
        if !self.packages.is_empty() {
            write!(f, "; on Debian: apt-get install {}", self.packages.join(" "))?;
        }
        Ok(())
    }
}

/// Checks that hosts can be made on this machine.
///
/// # Errors
/// All that is missing, with the packages that bring it.
pub fn requirements() -> Result<(), Missing> {
    let mut missing = missing_programs(&search_path());
    if !rustix::process::geteuid().is_root() {
        missing.lacks.insert(0, "it takes root to make network namespaces".to_owned());
    } else if missing.lacks.is_empty()
        && let Err(error) = run("unshare", &["--net", "--mount", "--uts", "sh", "-c", TRIAL])
    {
        missing.lacks.push(format!("namespaces, bridges and links cannot be made here ({error})"));
    }
    if missing.lacks.is_empty() { Ok(()) } else { Err(missing) }
}

/// Checks that an etcd cluster can be made on this machine.
///
/// # Errors
/// What is missing, with the package that brings it.
pub fn etcd_requirements() -> Result<(), Missing> {
    let missing = missing_of("an etcd cluster", &ETCD_PROGRAMS, &search_path());
    if missing.lacks.is_empty() { Ok(()) } else { Err(missing) }
}

/// Checks that hosts whose engines have quotas of disk can be made on this machine, as far as programs go.
///
/// # Errors
/// What is missing, with the package that brings it.
pub(crate) fn quota_requirements() -> Result<(), Missing> {
    let missing = missing_of("quotas of disk", &QUOTA_PROGRAMS, &search_path());
    if missing.lacks.is_empty() { Ok(()) } else { Err(missing) }
}

fn missing_programs(path: &OsString) -> Missing {
    let mut missing = missing_of("Docker hosts", &PROGRAMS, path);
    if let Some(busybox) = find("busybox", path)
        && !is_static(&busybox)
    {
        let package = "busybox-static";
        missing.lacks.push(format!("{} needs shared libraries, and the sample image has none", busybox.display()));
        if !missing.packages.contains(&package) {
            missing.packages.push(package);
        }
    }
    missing
}

fn missing_of(
    purpose: &'static str,
    programs: &[(&'static str, &'static str, &'static str)],
    path: &OsString,
) -> Missing {
    let mut missing = Missing { purpose, lacks: Vec::new(), packages: Vec::new() };
    let mut add = |lack: String, package| {
        missing.lacks.push(lack);
        if !missing.packages.contains(&package) {
            missing.packages.push(package);
        }
    };
    for (program, purpose, package) in programs {
        if find(program, path).is_none() {
            add(format!("the program {program} is needed {purpose}"), package);
        }
    }
    missing
}

/// Whether a program is a 64-bit ELF file that asks for no loader of shared libraries.
fn is_static(program: &Path) -> bool {
    fs::read(program).ok().and_then(|elf| asks_for_loader(&elf)) == Some(false)
}

fn asks_for_loader(elf: &[u8]) -> Option<bool> {
    const LITTLE_ENDIAN_64: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
    const PROGRAM_INTERPRETER: u32 = 3;
    if !elf.starts_with(&LITTLE_ENDIAN_64) {
        return None;
    }
    let table = usize::try_from(u64::from_le_bytes(elf.get(32..40)?.try_into().ok()?)).ok()?;
    let size = usize::from(u16::from_le_bytes(elf.get(54..56)?.try_into().ok()?));
    let count = usize::from(u16::from_le_bytes(elf.get(56..58)?.try_into().ok()?));
    let kinds = (0..count).map(|number| {
        let at = table.checked_add(number.checked_mul(size)?)?;
        Some(u32::from_le_bytes(elf.get(at..at.checked_add(4)?)?.try_into().ok()?))
    });
    kinds.collect::<Option<Vec<_>>>().map(|kinds| kinds.contains(&PROGRAM_INTERPRETER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_missing_is_named_with_its_package_once() {
        let missing = missing_programs(&OsString::from("/nonexistent"));
        assert_eq!(missing.lacks().len(), PROGRAMS.len());
        let packages = ["iproute2", "iptables", "util-linux", "mount", "docker.io", "containerd", "busybox-static"];
        assert_eq!(missing.packages(), packages);
        let text = missing.to_string();
        assert!(text.contains("the program dockerd is needed as the hosts' engine"), "{text}");
        assert!(text.ends_with(&format!("apt-get install {}", packages.join(" "))), "{text}");
    }

    #[test]
    fn a_busybox_with_shared_libraries_is_not_enough() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        for (program, ..) in PROGRAMS {
            symlink(find("sh", &search_path()).unwrap(), dir.path().join(program)).unwrap();
        }
        let missing = missing_programs(&dir.path().as_os_str().to_owned());
        assert_eq!(missing.packages(), ["busybox-static"]);
        assert!(missing.lacks()[0].contains("shared libraries"), "{missing}");
    }

    #[test]
    fn a_missing_etcd_is_named_with_its_package() {
        let missing = missing_of("an etcd cluster", &ETCD_PROGRAMS, &OsString::from("/nonexistent"));
        let text = "this machine cannot hold an etcd cluster: the program etcd is needed as a member of the cluster; \
                    on Debian: apt-get install etcd-server";
        assert_eq!(missing.to_string(), text);
    }

    #[test]
    fn torn_and_foreign_files_are_not_taken_for_programs() {
        let shell = fs::read(find("sh", &search_path()).unwrap()).unwrap();
        assert_eq!(asks_for_loader(&shell), Some(true));
        assert_eq!(asks_for_loader(&shell[..60]), None);
        assert_eq!(asks_for_loader(b"#!/bin/sh\n"), None);
        let mut absurd = shell[..64].to_vec();
        absurd[32..40].fill(0xff);
        assert_eq!(asks_for_loader(&absurd), None);
    }
}
