//! Who is believed: certificates of one given authority, for the right side, over TLS 1.3, and nobody else.

use crate::error::{AgentError, Result};
use crate::join::JOIN_PROTOCOL;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;

/// What both sides must say that they speak.
pub const PROTOCOL: &[u8] = b"pierhead-tunnel/1";

/// The agent's side: believes controllers of this authority, and shows the host's own certificate. Nothing is
/// remembered from one connection to the next, so a certificate that is replaced counts at once.
///
/// # Errors
/// A certificate or the key is none, or they do not belong together.
pub fn client_config(
    authority: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(AgentError::Certificates)?
        .with_root_certificates(roots(authority)?)
        .with_client_auth_cert(chain, key)
        .map_err(AgentError::Certificates)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The controller's side: believes hosts of this authority, and shows the controller's certificate.
///
/// # Errors
/// A certificate or the key is none, or they do not belong together.
pub fn server_config(
    authority: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(authority)?), provider());
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(AgentError::Certificates)?
        .with_client_cert_verifier(verifier.build().map_err(AgentError::Authority)?)
        .with_single_cert(chain, key)
        .map_err(AgentError::Certificates)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// The configuration of a controller's listener: tunnels need a certificate of this authority, and who asks for one may
/// come without. A certificate that does not count is refused whatever it is for.
///
/// # Errors
/// The authority's certificate is none.
pub fn listener_config(authority: CertificateDer<'static>, shown: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(authority)?), provider());
    let verifier = verifier.allow_unauthenticated().build().map_err(AgentError::Authority)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(AgentError::Certificates)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![PROTOCOL.to_vec(), JOIN_PROTOCOL.to_vec()];
    config.send_tls13_tickets = 0;
    Ok(config)
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(authority: CertificateDer<'static>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(authority).map_err(AgentError::Certificates)?;
    Ok(roots)
}
