//! Ports that a container asks for, and ports of a host that it was given.

use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// The transport of a published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, the default.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Parses `tcp` or `udp`, in any case.
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            _ => Err(Invalid::new("proto", "tcp or udp")),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// A port of the container that shall be reachable at its host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PortRequest {
    /// The transport.
    pub protocol: Protocol,
    /// The address of the host to bind to; `None` means all.
    pub host_ip: Option<IpAddr>,
    /// The host's port; `None` lets the planner choose one.
    pub host_port: Option<u16>,
    /// The port inside the container.
    pub container_port: u16,
}

/// A port of a host that is bound to a port of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostPort {
    /// The transport.
    pub protocol: Protocol,
    /// The address of the host that it is bound to; `None` means all.
    pub host_ip: Option<IpAddr>,
    /// The host's port.
    pub host_port: u16,
    /// The port inside the container.
    pub container_port: u16,
}

impl HostPort {
    /// Whether both cannot be bound on one host: same transport and port, and addresses that overlap.
    #[must_use]
    pub fn collides(&self, protocol: Protocol, host_ip: Option<IpAddr>, host_port: u16) -> bool {
        let any = |ip: Option<IpAddr>| ip.is_none_or(|ip| ip.is_unspecified());
        self.protocol == protocol
            && self.host_port == host_port
            && (any(self.host_ip) || any(host_ip) || self.host_ip == host_ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_decide_whether_ports_collide() {
        let bound = |ip: Option<&str>| HostPort {
            protocol: Protocol::Tcp,
            host_ip: ip.map(|ip| ip.parse().unwrap()),
            host_port: 80,
            container_port: 80,
        };
        let one: Option<IpAddr> = Some("10.0.0.1".parse().unwrap());
        let other: Option<IpAddr> = Some("10.0.0.2".parse().unwrap());
        assert!(bound(None).collides(Protocol::Tcp, one, 80));
        assert!(bound(Some("0.0.0.0")).collides(Protocol::Tcp, one, 80));
        assert!(bound(Some("10.0.0.1")).collides(Protocol::Tcp, None, 80));
        assert!(bound(Some("10.0.0.1")).collides(Protocol::Tcp, one, 80));
        assert!(!bound(Some("10.0.0.1")).collides(Protocol::Tcp, other, 80));
        assert!(!bound(None).collides(Protocol::Udp, None, 80));
        assert!(!bound(None).collides(Protocol::Tcp, None, 81));
    }
}
