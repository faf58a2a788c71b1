//! The way to an engine's API: its address, and what opens it. Says nothing on it.

use super::address::Address;
use super::encrypted::{Encrypted, explain};
use crate::dial::Dial;
use crate::error::{EngineError, Result};
use crate::tls::Tls;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where connections go. Cheap to clone.
#[derive(Clone)]
pub(super) enum Endpoint {
    /// A socket of this machine, by its path.
    Unix(String),
    /// `host:port`, without encryption.
    Tcp(String),
    /// `host:port`, with both sides proving who they are.
    Tls { authority: String, name: ServerName<'static>, connector: TlsConnector },
    /// Whatever opens connections to it.
    Dialled { name: String, dial: Arc<dyn Dial> },
}

impl Endpoint {
    pub(super) fn new(addr: &str, tls: Option<&Tls>) -> Result<Self> {
        let refused = |why: &str| Err(EngineError::Refused(format!("the address '{addr}': {why}")));
        match (Address::parse(addr)?, tls) {
            (Address::Unix(path), None) => Ok(Self::Unix(path)),
            (Address::Tcp(authority), None) => Ok(Self::Tcp(authority)),
            (Address::Tls(_), None) => refused("https needs a CA certificate, a certificate and its key"),
            (Address::Unix(_) | Address::Tcp(_), Some(_)) => refused("with certificates it must be https://host:port"),
            (Address::Tls(authority), Some(tls)) => {
                let config = tls.client_config().map_err(|invalid| EngineError::Refused(invalid.to_string()))?;
                let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host);
                let Ok(name) = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()) else {
                    return refused("its host is no name that a certificate can bear");
                };
                Ok(Self::Tls { authority, name, connector: TlsConnector::from(Arc::new(config)) })
            }
        }
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Tcp(authority) => write!(f, "http://{authority}"),
            Self::Tls { authority, .. } => write!(f, "https://{authority}"),
            Self::Dialled { name, .. } => f.write_str(name),
        }
    }
}

/// A connection over the network, without encryption.
pub(super) async fn tcp(authority: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A connection on which the engine has proven that it is `name`.
pub(super) async fn tls(
    authority: &str,
    name: &ServerName<'static>,
    connector: &TlsConnector,
) -> io::Result<Encrypted> {
    let stream = tcp(authority).await?;
    connector.connect(name.clone(), stream).await.map(Encrypted).map_err(explain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_and_https_go_together() {
        let tls = Tls { ca_pem: String::new(), certificate_pem: String::new(), key_pem: String::new() };
        for (addr, tls, word) in [
            ("https://h", None, "needs a CA certificate"),
            ("http://h", Some(&tls), "must be https://"),
            ("tcp://h", Some(&tls), "must be https://"),
            ("unix:///s", Some(&tls), "must be https://"),
            ("https://h", Some(&tls), "ca_certificate must hold a certificate"),
        ] {
            let error = Endpoint::new(addr, tls).unwrap_err();
            assert!(matches!(&error, EngineError::Refused(text) if text.contains(word)), "{addr}: {error}");
        }
        assert_eq!(format!("{:?}", Endpoint::new("tcp://h", None).unwrap()), "http://h:2375");
    }
}
