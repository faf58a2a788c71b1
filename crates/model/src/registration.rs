//! How a host stands in etcd that registered itself there: the key is `engines/<id>`, the value
//! `ADDRESS:PORT-CPUS-MEMORY_MB`, or `ADDRESS:PORT` where nobody measured. Pure text; nothing here reaches etcd.

use crate::{EngineId, Invalid};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What the keys of registrations begin with.
pub const REGISTRATIONS: &str = "engines/";

/// Longest value that is looked at, in bytes.
const LONGEST: usize = 512;

/// A registered host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// What it is called in the pool.
    pub id: EngineId,
    /// Where its engine answers.
    pub at: Endpoint,
    /// What it said of its size; what counts is what its engine says.
    pub size: Option<RegisteredSize>,
}

/// A host and a port, as `10.0.0.5:2375`, `[fd00::5]:2375` or `docker-3.lan:2375`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    host: String,
    port: u16,
}

/// What a host said of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisteredSize {
    /// Cores.
    pub cpus: u32,
    /// Megabytes of 2^20 bytes.
    pub memory_mb: u64,
}

impl Registration {
    /// Reads a registration from its key and value.
    ///
    /// # Errors
    /// [`Invalid`], which names the accepted form, if one of them is something else.
    pub fn parse(key: &str, value: &[u8]) -> Result<Self, Invalid> {
        let id = key.strip_prefix(REGISTRATIONS).and_then(|id| EngineId::parse(id).ok());
        let id = id.ok_or(Invalid::new(
            "the key",
            "engines/<id> with an id such as 1921687101, the digits of the host's address",
        ))?;
        let read = std::str::from_utf8(value).ok().filter(|text| text.len() <= LONGEST).map(str::trim);
        let (at, size) = read.and_then(parse_value).ok_or(Invalid::new(
            "the value",
            "ADDRESS:PORT-CPUS-MEMORY_MB such as 192.168.7.101:2375-2-1533, or ADDRESS:PORT",
        ))?;
        Ok(Self { id, at, size })
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{REGISTRATIONS}{}", self.id)
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> String {
        match self.size {
            Some(RegisteredSize { cpus, memory_mb }) => format!("{}-{cpus}-{memory_mb}", self.at),
            None => self.at.to_string(),
        }
    }
}

fn parse_value(text: &str) -> Option<(Endpoint, Option<RegisteredSize>)> {
    let (host, rest) = text.rsplit_once(':')?;
    let mut parts = rest.split('-');
    let port = parts.next()?;
    let size = match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => None,
        (Some(cpus), Some(memory), None) => {
            let cpus = number(cpus)?.try_into().ok().filter(|cpus| *cpus > 0)?;
            Some(RegisteredSize { cpus, memory_mb: number(memory).filter(|memory| *memory > 0)? })
        }
        _ => return None,
    };
    Some((Endpoint::parse(&format!("{host}:{port}"))?, size))
}

/// Digits only: no sign, no blank.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl Endpoint {
    /// Reads `HOST:PORT`; nothing if it is not of that form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = number(port).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)?;
        if let Some(bare) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            let ip: Ipv6Addr = bare.parse().ok().filter(|ip: &Ipv6Addr| !ip.is_unspecified())?;
            return Some(Self { host: format!("[{ip}]"), port });
        }
        if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            let ip: Ipv4Addr = host.parse().ok().filter(|ip: &Ipv4Addr| !ip.is_unspecified())?;
            return Some(Self { host: ip.to_string(), port });
        }
        let is_label = |label: &str| {
            let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
        };
        (host.len() <= 253 && host.split('.').all(is_label)).then(|| Self { host: host.to_owned(), port })
    }

    /// The endpoint of an engine's address, where that is a port in the network and no agent's.
    #[must_use]
    pub fn of_address(addr: &str) -> Option<Self> {
        let rest = addr.strip_prefix("http://").or_else(|| addr.strip_prefix("https://"))?;
        Self::parse(rest.trim_end_matches('/'))
    }

    /// The address of an engine that answers here.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{self}")
    }

    /// What a host is called that answers here, unless another has the same digits.
    ///
    /// # Errors
    /// [`Invalid`] if the host has no letters and digits.
    pub fn id(&self) -> Result<EngineId, Invalid> {
        EngineId::from_address(&self.host)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_value_are_read_and_written() {
        for (key, value, addr, size) in [
            ("engines/1921687101", "192.168.7.101:2375-2-1533", "http://192.168.7.101:2375", Some((2, 1533))),
            ("engines/1921687101", "192.168.7.101:2375", "http://192.168.7.101:2375", None),
            ("engines/docker-3", "docker-3.lan:1-64-262144", "http://docker-3.lan:1", Some((64, 262_144))),
            ("engines/fd005", "[fd00::5]:2375-1-6", "http://[fd00::5]:2375", Some((1, 6))),
        ] {
            let read = Registration::parse(key, value.as_bytes()).unwrap();
            assert_eq!((read.key(), read.value(), read.at.address()), (key.into(), value.into(), addr.to_owned()));
            assert_eq!(read.size.map(|size| (size.cpus, size.memory_mb)), size);
        }
        let padded = Registration::parse("engines/1", b" 10.0.0.5:2375-2-1533\n").unwrap();
        assert_eq!(padded.value(), "10.0.0.5:2375-2-1533");
    }

    #[test]
    fn anything_else_is_told_with_the_accepted_form() {
        let long = format!("{}:2375", "a".repeat(600));
        for value in [
            "",
            "garbage",
            "192.168.7.101",
            "192.168.7.101:",
            "192.168.7.101:0",
            "192.168.7.101:65536",
            "192.168.7.101:-2375-2-1533",
            "192.168.7.101:2375-2",
            "192.168.7.101:2375-2-",
            "192.168.7.101:2375-0-1533",
            "192.168.7.101:2375-2-0",
            "192.168.7.101:2375-two-1533",
            "192.168.7.101:2375-2-1533-1",
            "192.168.7.101:2375--2-1533",
            "192.168.7.101:2375-+2-1533",
            "192.168.7:2375-2-1533",
            "192.168.7.300:2375-2-1533",
            "0.0.0.0:2375-2-1533",
            "[::]:2375-2-1533",
            "[fd00::5:2375",
            "fd00::5:2375",
            "http://192.168.7.101:2375-2-1533",
            "a b:2375-2-1533",
            "-a:2375",
            "a..b:2375",
            ":2375-2-1533",
            &long,
        ] {
            let refused = Registration::parse("engines/1", value.as_bytes()).unwrap_err().to_string();
            assert!(refused.starts_with("the value must be ADDRESS:PORT-CPUS-MEMORY_MB"), "{value:?}: {refused}");
        }
        assert!(Registration::parse("engines/1", b"\xff:2375").is_err());
        for key in ["engines/", "engines/a/b", "engines/a b", "hosts/1", "engines"] {
            let refused = Registration::parse(key, b"10.0.0.5:2375").unwrap_err().to_string();
            assert!(refused.starts_with("the key must be engines/<id>"), "{key:?}: {refused}");
        }
    }

    #[test]
    fn addresses_of_engines_have_an_endpoint_if_they_are_ports() {
        let of = |addr| Endpoint::of_address(addr).map(|at| at.to_string());
        assert_eq!(of("http://10.0.0.5:2375").as_deref(), Some("10.0.0.5:2375"));
        assert_eq!(of("https://docker-3.lan:2376/").as_deref(), Some("docker-3.lan:2376"));
        assert_eq!(of("unix:///var/run/docker.sock"), None);
        assert_eq!(of("agent://10.0.0.5"), None);
        assert_eq!(Endpoint::parse("192.168.7.101:2375").unwrap().id().unwrap().as_str(), "1921687101");
    }
}
