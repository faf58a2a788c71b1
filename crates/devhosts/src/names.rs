//! The names of everything that a pool makes outside of its directory. They follow from the directory alone, so that
//! a pool can be removed when its record is lost. Looks nothing up, makes nothing.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The environment variable that marks every process of a pool and is inherited by its children. It is none of those
/// that programs of this project read as settings.
pub(crate) const MARKER_VARIABLE: &str = "DEVHOSTS_POOL";

/// A pool's directory and the prefix of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    dir: PathBuf,
    prefix: String,
}

impl Names {
    /// The names for a directory, which need not exist.
    pub(crate) fn of(dir: &Path) -> Result<Self> {
        let dir = resolve(dir).map_err(Error::file("resolve", dir))?;
        let digest = Sha256::digest(dir.as_os_str().as_encoded_bytes());
        let prefix = digest[..4].iter().fold(String::from("ph"), |text, byte| text + &format!("{byte:02x}"));
        Ok(Self { dir, prefix })
    }

    /// The pool's directory, absolute and without symbolic links.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// What all names of this pool begin with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn bridge(&self) -> &str {
        &self.prefix
    }

    /// The root namespace's end of a host's link.
    pub(crate) fn veth(&self, index: usize) -> String {
        format!("{}v{index}", self.prefix)
    }

    /// A host's network namespace; also the name of its cgroup parent.
    pub(crate) fn netns(&self, index: usize) -> String {
        format!("{}-host-{index}", self.prefix)
    }

    /// Whether a network link bears one of this pool's names.
    pub(crate) fn owns_link(&self, link: &str) -> bool {
        link.strip_prefix(&self.prefix).is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix('v')
                    .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
        })
    }

    /// Whether a network namespace or a cgroup bears one of this pool's names.
    pub(crate) fn owns_netns(&self, name: &str) -> bool {
        name.strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with("-host-"))
    }

    /// Loopback addresses for a pool without hosts, the likeliest to be free first.
    pub(crate) fn loopback_addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        let own = u32::from_str_radix(self.prefix.get(2..6).unwrap_or_default(), 16).unwrap_or_default();
        let count = 1 << 16;
        (0..count).map(move |next| Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 77, 0, 0)) + (own + next) % count))
    }

    pub(crate) fn hosts_dir(&self) -> PathBuf {
        self.dir.join("hosts")
    }

    pub(crate) fn host_dir(&self, host: &str) -> PathBuf {
        self.hosts_dir().join(host)
    }

    /// Where the engine of a host answers that listens on no network.
    pub(crate) fn engine_socket(&self, host: &str) -> PathBuf {
        self.host_dir(host).join("docker.sock")
    }

    pub(crate) fn services_dir(&self) -> PathBuf {
        self.dir.join("services")
    }

    /// The file inside of a folder which says that a pool made the folder.
    pub(crate) fn made_by_us(folder: &Path) -> PathBuf {
        folder.join(".pierhead-pool")
    }
}

/// The address of host number `index` (from 1) in network `subnet`.
pub(crate) fn host_address(subnet: u8, index: usize) -> Ipv4Addr {
    let last = u8::try_from(10 + index).expect("a pool has at most 200 hosts");
    Ipv4Addr::new(10, 77, subnet, last)
}

/// The address of the bridge, which is the machine itself, in network `subnet`.
pub(crate) fn bridge_address(subnet: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, subnet, 1)
}

/// An absolute path without symbolic links; what does not exist yet is taken literally.
fn resolve(dir: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(dir)?;
    match fs::canonicalize(&absolute) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match (absolute.parent(), absolute.file_name()) {
            (Some(parent), Some(name)) => Ok(resolve(parent)?.join(name)),
            _ => Err(error),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_names_fit_and_differ_by_directory() {
        let here = Names::of(Path::new("/srv/pool-a")).unwrap();
        let there = Names::of(Path::new("/srv/pool-b")).unwrap();
        assert_ne!(here.prefix(), there.prefix());
        assert!(here.veth(200).len() <= 15, "{}", here.veth(200));
        assert!(here.bridge().len() <= 15);
        assert_eq!(here, Names::of(Path::new("/srv/pool-a")).unwrap());
    }

    #[test]
    fn one_directory_has_one_name_by_every_path() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", base.path().join("link")).unwrap();
        let real = Names::of(&base.path().join("real/pool")).unwrap();
        assert_eq!(real, Names::of(&base.path().join("link/pool")).unwrap());
        fs::create_dir(base.path().join("real/pool")).unwrap();
        assert_eq!(real, Names::of(&base.path().join("link/./pool/")).unwrap());
    }

    #[test]
    fn only_names_of_the_pool_are_owned() {
        let names = Names::of(Path::new("/srv/pool-a")).unwrap();
        let prefix = names.prefix();
        for owned in [names.bridge().to_owned(), names.veth(1), names.veth(17)] {
            assert!(names.owns_link(&owned), "{owned}");
        }
        for foreign in ["eth0", "docker0", &format!("{prefix}v"), &format!("{prefix}vx"), &format!("{prefix}1")] {
            assert!(!names.owns_link(foreign), "{foreign}");
        }
        assert!(names.owns_netns(&names.netns(3)));
        assert!(!names.owns_netns(&format!("{prefix}x-host-1")));
        assert!(!names.owns_netns("host-1"));
    }

    #[test]
    fn addresses_count_from_eleven() {
        assert_eq!(host_address(3, 1).to_string(), "10.77.3.11");
        assert_eq!(host_address(0, 200).to_string(), "10.77.0.210");
        assert_eq!(bridge_address(3).to_string(), "10.77.3.1");
        let names = Names { dir: "/x".into(), prefix: "phffff0000".to_owned() };
        let first: Vec<_> = names.loopback_addresses().take(2).map(|address| address.to_string()).collect();
        assert_eq!(first, ["127.77.255.255", "127.77.0.0"]);
    }
}
