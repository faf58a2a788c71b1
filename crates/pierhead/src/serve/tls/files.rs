//! A certificate and key in files, read anew when they change. A pair that cannot be used leaves the one before.

use super::Current;
use anyhow::{Context, Result, bail};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a verifier calls the certificate of an authority that a server shows as its own; it has no name of its own.
const CA_AS_SERVER: &str = "CaUsedAsEndEntity";

/// How often it is looked whether the files have changed.
const INTERVAL: Duration = Duration::from_secs(1);

/// Where a certificate and its key lie.
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    /// Where the fingerprint is told.
    told: Option<PathBuf>,
}

/// What was read last, to be compared.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    certificate: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
}

impl Files {
    pub(super) fn new(certificate: &Path, key: &Path) -> Self {
        Self { certificate: certificate.to_owned(), key: key.to_owned(), told: None }
    }

    /// The same; of each new certificate the fingerprint is written to a file.
    pub(super) fn telling(self, file: PathBuf) -> Self {
        Self { told: Some(file), ..self }
    }

    /// Reads both and checks that they go together.
    pub(super) async fn read(&self) -> Result<(Seen, CertifiedKey)> {
        let open = |path: PathBuf, flag: &'static str| async move {
            let read = tokio::fs::read(&path).await;
            read.with_context(|| format!("cannot read {}, the file of {flag}", path.display()))
        };
        let certificate = open(self.certificate.clone(), "--tls-cert").await?;
        let key = open(self.key.clone(), "--tls-key").await?;
        let pair = self.pair(&certificate, &key)?;
        Ok((Seen { certificate: Some(certificate), key: Some(key) }, pair))
    }

    async fn look(&self) -> Seen {
        Seen { certificate: tokio::fs::read(&self.certificate).await.ok(), key: tokio::fs::read(&self.key).await.ok() }
    }

    fn pair(&self, certificate: &[u8], key: &[u8]) -> Result<CertifiedKey> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        // Somebody may have swapped the two: no error that quotes the text.
        let Some(chain) = chain.ok().filter(|chain| !chain.is_empty()) else {
            bail!("{} must hold a certificate in PEM (-----BEGIN CERTIFICATE-----)", self.certificate.display());
        };
        let Ok(key) = PrivateKeyDer::from_pem_slice(key) else {
            bail!("{} must hold a private key in PEM without a passphrase", self.key.display());
        };
        if is_authority(&chain) {
            tracing::warn!(
                certificate = %self.certificate.display(),
                "the first certificate is marked as that of an authority (CA:TRUE), so programs refuse it as a server's; make it with basicConstraints=CA:FALSE, or let --tls-self-signed make one"
            );
        }
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => anyhow::anyhow!(
                "the key in {} does not belong to the first certificate in {}",
                self.key.display(),
                self.certificate.display()
            ),
            error => {
                anyhow::anyhow!("{} and {} cannot be used: {error}", self.certificate.display(), self.key.display())
            }
        })
    }

    fn tell(&self, fingerprint: &str) {
        let Some(file) = &self.told else { return };
        if let Err(error) = std::fs::write(file, fingerprint) {
            tracing::warn!(%error, file = %file.display(), "the new fingerprint could not be written");
        }
    }

    /// Follows the files for ever.
    pub(super) async fn follow(self, current: Arc<Current>, mut seen: Seen) {
        let mut changed = None;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let now = self.look().await;
            if now == seen {
                changed = None;
                continue;
            }
            match self.read().await {
                Ok((read, pair)) => {
                    self.tell(&super::fingerprint(&pair));
                    current.replace(pair);
                    tracing::info!(certificate = %self.certificate.display(), "the new certificate is in use");
                    (seen, changed) = (read, None);
                }
                // The two are written one after the other; what is still so at the next look will stay so.
                Err(error) if changed.as_ref() == Some(&now) => {
                    let error = format!("{error:#}");
                    tracing::error!(%error, "the changed certificate cannot be used; the one before stays in use");
                    (seen, changed) = (now, None);
                }
                Err(_) => changed = Some(now),
            }
        }
    }
}

/// Whether the first certificate is one that programs take for an authority's only.
pub(super) fn is_authority(chain: &[CertificateDer<'_>]) -> bool {
    let [first, rest @ ..] = chain else { return false };
    let mut roots = RootCertStore::empty();
    if roots.add(chain[chain.len() - 1].clone().into_owned()).is_err() {
        return false;
    }
    let provider = Arc::new(ring::default_provider());
    let Ok(verifier) = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build() else {
        return false;
    };
    let name = ServerName::from(std::net::Ipv4Addr::LOCALHOST);
    let verified = verifier.verify_server_cert(first, rest, &name, &[], UnixTime::now());
    verified.is_err_and(|error| format!("{error:?}").contains(CA_AS_SERVER))
}
