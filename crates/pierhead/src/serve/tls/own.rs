//! A certificate of the pool's own authority, renewed long before it ends. Its key is in memory only.

use super::Current;
use anyhow::{Context, Result};
use pierhead_controller::{Authority, Clock};
use pierhead_model::Timestamp;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a certificate is good: 90 days.
const LIFE: Duration = Duration::from_secs(90 * 24 * 3600);
/// When it is tried again after it could not be renewed.
const PAUSE: Duration = Duration::from_secs(60);

/// Who takes certificates for this server.
pub(super) struct Own {
    authority: Arc<Authority>,
    listen: IpAddr,
    /// Beside those that this machine has anyway.
    names: Vec<String>,
    clock: Clock,
    life: Duration,
}

impl Own {
    pub(super) fn new(authority: Arc<Authority>, listen: IpAddr, names: Vec<String>, clock: Clock) -> Self {
        Self { authority, listen, names, clock, life: LIFE }
    }

    #[cfg(test)]
    pub(super) fn with_life(self, life: Duration) -> Self {
        Self { life, ..self }
    }

    /// A new certificate, and when the next one is due.
    pub(super) fn take(&self) -> Result<(CertifiedKey, Timestamp)> {
        let names: Vec<String> = self.all_names().into_iter().collect();
        let issued = self.authority.issue_server(&names, self.clock.now(), self.life)?;
        let chain = issued.chain.into_iter().map(CertificateDer::from).collect();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(issued.key));
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider()).context("its key")?;
        Ok((certified, issued.renew_at))
    }

    /// Under what people may reach this server.
    fn all_names(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.names.iter().cloned().collect();
        names.extend(["localhost".to_owned(), self.listen.to_string()]);
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        // What is no name of DNS cannot stand in a certificate.
        names.extend(Some(host).filter(|host| super::super::settings::is_name(host)));
        if self.listen.is_unspecified() {
            let found = if_addrs::get_if_addrs().unwrap_or_else(|error| {
                tracing::warn!(%error, "the addresses of this machine are unknown; name them with --tls-name");
                Vec::new()
            });
            names.extend(found.into_iter().map(|interface| interface.ip().to_string()));
        }
        names
    }

    /// Renews it in time, for ever.
    pub(super) async fn follow(self, current: Arc<Current>, mut renew_at: Timestamp) {
        loop {
            tokio::time::sleep(Duration::from_millis(renew_at.since(self.clock.now()))).await;
            match self.take() {
                Ok((certified, next)) => {
                    current.replace(certified);
                    renew_at = next;
                    tracing::info!("the server's certificate was renewed");
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(%error, "the server's certificate could not be renewed; it is tried again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
