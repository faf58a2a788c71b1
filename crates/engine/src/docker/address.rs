//! Where an engine's API answers.

use crate::error::{EngineError, Result};

/// A parsed address of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A socket of this machine, by its path.
    Unix(String),
    /// `host:port`, without encryption.
    Tcp(String),
    /// `host:port`, with TLS.
    Tls(String),
}

/// Docker's port for plain TCP.
const PLAIN_PORT: u16 = 2375;
/// Docker's port for TLS.
const TLS_PORT: u16 = 2376;

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let refused = |why: &str| Err(EngineError::Refused(format!("the address '{text}': {why}")));
        let Some((scheme, rest)) = text.split_once("://") else {
            return refused("must be unix:///path, http://host:port, tcp://host:port or https://host:port");
        };
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(rest.to_owned())),
            "unix" => refused("the path of a socket must be absolute"),
            "http" | "tcp" => match authority(rest.trim_end_matches('/'), PLAIN_PORT) {
                Some(authority) => Ok(Self::Tcp(authority)),
                None => refused("must be http://host:port, without a path"),
            },
            "https" => match authority(rest.trim_end_matches('/'), TLS_PORT) {
                Some(authority) => Ok(Self::Tls(authority)),
                None => refused("must be https://host:port, without a path"),
            },
            _ => refused("must start with unix://, http://, tcp:// or https://"),
        }
    }
}

/// `host:port` of a text with or without a port; `None` if it is neither.
fn authority(text: &str, default_port: u16) -> Option<String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (text, default_port),
    };
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').filter(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok())?,
        None => host,
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let valid = !bare.is_empty() && (host.starts_with('[') || bare.bytes().all(plain));
    (valid && port != 0).then(|| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms() {
        for (text, expected) in [
            ("unix:///var/run/docker.sock", Address::Unix("/var/run/docker.sock".into())),
            ("http://10.0.0.5:2375", Address::Tcp("10.0.0.5:2375".into())),
            ("tcp://docker-3.lan:4000/", Address::Tcp("docker-3.lan:4000".into())),
            ("tcp://docker-3.lan", Address::Tcp("docker-3.lan:2375".into())),
            ("http://[::1]:2375", Address::Tcp("[::1]:2375".into())),
            ("http://[::1]", Address::Tcp("[::1]:2375".into())),
            ("https://docker-3.lan/", Address::Tls("docker-3.lan:2376".into())),
            ("https://[::1]:4000", Address::Tls("[::1]:4000".into())),
        ] {
            assert_eq!(Address::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "10.0.0.5:2375",
            "unix://docker.sock",
            "http://",
            "http://:2375",
            "http://h:0",
            "http://h:99999",
            "http://h:1/x",
            "http://u@h:1",
            "http://::1:2375",
            "http://[x]:1",
            "ssh://h",
            "https://",
            "https://h:2376/x",
        ] {
            assert!(matches!(Address::parse(text), Err(EngineError::Refused(_))), "{text}");
        }
    }
}
