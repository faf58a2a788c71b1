//! Where an etcd cluster is, who asks, and whom to trust: read from what people write. Opens no connection.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::{Error, Result};

const SCHEME: &str = "etcd://";
const DEFAULT_PORT: u16 = 2379;
/// Where documents lie unless the address says otherwise.
const DEFAULT_PREFIX: &str = "pierhead";

/// An etcd cluster: `etcd://HOST:PORT,HOST:PORT,…/PREFIX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdAddress {
    members: Vec<(String, u16)>,
    prefix: String,
}

impl EtcdAddress {
    /// Reads an address. Ports left out are 2379, a prefix left out is `pierhead`.
    ///
    /// # Errors
    /// [`Error::Address`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        let refused = |reason: String| Error::Address { reason };
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| refused(format!("it must begin with {SCHEME}, as in etcd://a:2379,b:2379")))?;
        if rest.contains('@') {
            return Err(refused("it must hold no user and no password".to_owned()));
        }
        if let Some(character) = rest.chars().find(|character| character.is_whitespace() || "?#\\".contains(*character))
        {
            return Err(refused(format!("it must not hold {character:?}")));
        }
        let (members, prefix) = rest.split_once('/').unwrap_or((rest, DEFAULT_PREFIX));
        let prefix = prefix.trim_matches('/');
        let members = members.split(',').map(|member| parse_member(member).map_err(refused)).collect::<Result<_>>()?;
        Ok(Self { members, prefix: if prefix.is_empty() { DEFAULT_PREFIX } else { prefix }.to_owned() })
    }

    /// The members, as `HOST:PORT`.
    pub fn members(&self) -> impl Iterator<Item = String> + '_ {
        self.members.iter().map(|(host, port)| format!("{host}:{port}"))
    }

    /// The members, as hosts and ports.
    pub(super) fn hosts(&self) -> impl Iterator<Item = (String, u16)> + '_ {
        self.members.iter().cloned()
    }

    /// What all keys of the store begin with, before a slash.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl fmt::Display for EtcdAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<_> = self.members().collect();
        write!(formatter, "{SCHEME}{}/{}", members.join(","), self.prefix)
    }
}

fn parse_member(text: &str) -> Result<(String, u16), String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            let number = port.parse().ok().filter(|port| *port != 0);
            (host, number.ok_or_else(|| format!("{port:?} is not a port: 1 to 65535"))?)
        }
        _ => (text, DEFAULT_PORT),
    };
    let bare = bare(host);
    if bare.is_empty() || ServerName::try_from(bare).is_err() || (host == bare && bare.contains(':')) {
        return Err(format!("{host:?} is not a host: a name, an IPv4 address, or an IPv6 address in brackets"));
    }
    Ok((host.to_owned(), port))
}

/// A host without the brackets of an IPv6 address.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// How to reach an etcd cluster and who asks.
#[derive(Clone)]
pub struct EtcdSettings {
    pub(super) address: EtcdAddress,
    pub(super) user: Option<User>,
    pub(super) tls: Option<Arc<ClientConfig>>,
}

#[derive(Clone)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: String,
}

impl EtcdSettings {
    /// Without a user and without TLS.
    #[must_use]
    pub fn new(address: EtcdAddress) -> Self {
        Self { address, user: None, tls: None }
    }

    /// As a user of etcd's.
    #[must_use]
    pub fn with_user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.user = Some(User { name: name.into(), password: password.into() });
        self
    }

    /// With TLS that trusts only these authorities (PEM), and shows a certificate and its key (PEM) if they are given.
    ///
    /// # Errors
    /// [`Error::Address`] if one of them can't be read.
    pub fn with_tls(mut self, authorities: &[u8], identity: Option<(&[u8], &[u8])>) -> Result<Self> {
        let mut config = client_config(authorities, identity).map_err(|reason| Error::Address { reason })?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        self.tls = Some(Arc::new(config));
        Ok(self)
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &EtcdAddress {
        &self.address
    }
}

impl fmt::Debug for EtcdSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_ref().map(|user| &user.name);
        let mut fields = formatter.debug_struct("EtcdSettings");
        fields.field("address", &self.address).field("user", &user).field("tls", &self.tls.is_some());
        fields.finish_non_exhaustive()
    }
}

fn client_config(authorities: &[u8], identity: Option<(&[u8], &[u8])>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities, "authorities")? {
        roots.add(certificate).map_err(|error| format!("a certificate of the authorities is refused: {error}"))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let Some((chain, key)) = identity else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(chain, "client's certificate")?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "the client's key holds no private key in PEM form")?;
    builder.with_client_auth_cert(chain, key).map_err(|error| format!("the client's certificate is refused: {error}"))
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!("the {what} hold no certificate in PEM form")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> String {
        match EtcdAddress::parse(text) {
            Err(Error::Address { reason }) => reason,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn addresses_are_read() {
        for (text, full) in [
            ("etcd://a", "etcd://a:2379/pierhead"),
            ("etcd://a:1,b,[::1]:3/", "etcd://a:1,b:2379,[::1]:3/pierhead"),
            ("etcd://10.0.0.1:2379/teams/blue/", "etcd://10.0.0.1:2379/teams/blue"),
            ("etcd://[::1]", "etcd://[::1]:2379/pierhead"),
        ] {
            assert_eq!(EtcdAddress::parse(text).unwrap().to_string(), full, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_in_words() {
        for (text, told) in [
            ("http://a:2379", "begin with etcd://"),
            ("etcd://", "is not a host"),
            ("etcd://a,,b", "is not a host"),
            ("etcd://a:0", "is not a port"),
            ("etcd://a:x", "is not a port"),
            ("etcd://::1", "is not a host"),
            ("etcd://root:secret@a", "no user and no password"),
            ("etcd://a b", "must not hold ' '"),
            ("etcd://a?x=1", "must not hold '?'"),
        ] {
            let reason = reason(text);
            assert!(reason.contains(told), "{text}: {reason}");
            assert!(!reason.contains("secret"));
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let settings = EtcdSettings::new(EtcdAddress::parse("etcd://a").unwrap()).with_user("root", "canary-4711");
        let shown = format!("{settings:?}");
        assert!(shown.contains("root") && !shown.contains("canary"), "{shown}");
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let settings = EtcdSettings::new(EtcdAddress::parse("etcd://a").unwrap());
        let refused = settings.with_tls(b"nothing", None).unwrap_err();
        assert!(refused.to_string().contains("hold no certificate"), "{refused}");
    }
}
