//! The certificate that the server shows: from files that are watched, or of the pool's own authority and renewed.
//! Connections that are open keep theirs; the next handshake gets the newest.

mod files;
mod own;

use super::settings::TlsSource;
use anyhow::{Context, Result};
use files::Files;
use own::Own;
use pierhead_controller::{Authority, Clock};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::task::JoinHandle;

/// A server's TLS. Its certificate is kept fresh until this is dropped.
pub(super) struct Tls {
    /// What handshakes go by.
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the last certificate that it shows, usually its authority's: what people compare.
    pub fingerprint: String,
    keeping: JoinHandle<()>,
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// The certificate of the next handshake.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    fn new(first: CertifiedKey) -> Arc<Self> {
        Arc::new(Self(RwLock::new(Arc::new(first))))
    }

    fn replace(&self, next: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Takes a certificate from its source and keeps it fresh; whenever files bring another, its fingerprint is written
/// to `told`.
pub(super) async fn start(
    source: &TlsSource,
    listen: IpAddr,
    authority: &Arc<Authority>,
    clock: Clock,
    told: &Path,
) -> Result<Tls> {
    match source {
        TlsSource::Files { certificate, key } => {
            let files = Files::new(certificate, key).telling(told.to_owned());
            let (seen, first) = files.read().await?;
            let (fingerprint, current) = (fingerprint(&first), Current::new(first));
            let keeping = tokio::spawn(files.follow(Arc::clone(&current), seen));
            Ok(Tls { config: config(current)?, fingerprint, keeping })
        }
        TlsSource::Own { names } => {
            let own = Own::new(Arc::clone(authority), listen, names.clone(), clock);
            let (first, renew_at) = own.take().context("the server's certificate")?;
            let (fingerprint, current) = (fingerprint(&first), Current::new(first));
            let keeping = tokio::spawn(own.follow(Arc::clone(&current), renew_at));
            Ok(Tls { config: config(current)?, fingerprint, keeping })
        }
    }
}

/// The certificate of the listener for agents: of the pool's own authority, under one name wherever it listens. It is
/// kept fresh until this is dropped.
pub(super) struct Shown {
    current: Arc<Current>,
    keeping: JoinHandle<()>,
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

impl Shown {
    pub(super) fn new(listen: IpAddr, authority: &Arc<Authority>, clock: Clock) -> Result<Self> {
        let own = Own::new(Arc::clone(authority), listen, vec![pierhead_agent::CONTROLLER_NAME.to_owned()], clock);
        let (first, renew_at) = own.take().context("the certificate of the listener for agents")?;
        let current = Current::new(first);
        let keeping = tokio::spawn(own.follow(Arc::clone(&current), renew_at));
        Ok(Self { current, keeping })
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::clone(&self.current) as _
    }
}

fn fingerprint(shown: &CertifiedKey) -> String {
    shown.cert.last().map(|last| pierhead_controller::fingerprint(last)).unwrap_or_default()
}

fn config(current: Arc<Current>) -> Result<Arc<ServerConfig>> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().context("the versions of TLS")?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(current);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
