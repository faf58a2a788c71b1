//! What proves an engine to us, and us to an engine: the texts that an administrator gives, and what is wrong with
//! them. Who is believed is settled here: the given authority, and nobody else.

use rustls::client::Resumption;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, Error as TlsError, InconsistentKeys, RootCertStore};
use std::sync::Arc;

/// The longest text that is taken for one of the three, in bytes.
const LONGEST_PEM: usize = 64 * 1024;

/// The way into an engine that is started with `--tlsverify`.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tls {
    /// The authorities of which one must have signed the engine's certificate, PEM.
    pub ca_pem: String,
    /// Our certificate, followed by those that lead from it to the engine's authority, PEM.
    pub certificate_pem: String,
    /// The key of our certificate, PEM (PKCS#8, PKCS#1 or SEC1) and not encrypted.
    pub key_pem: String,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// One of the three texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsPart {
    /// [`Tls::ca_pem`].
    CaCertificate,
    /// [`Tls::certificate_pem`].
    Certificate,
    /// [`Tls::key_pem`].
    Key,
}

impl TlsPart {
    /// Its name in requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CaCertificate => "ca_certificate",
            Self::Certificate => "ssl_certificate",
            Self::Key => "ssl_key",
        }
    }
}

/// A text that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {problem}", part.as_str())]
pub struct InvalidTls {
    /// Which one.
    pub part: TlsPart,
    /// What is wrong with it; begins with a verb and contains nothing of the text.
    pub problem: String,
}

impl Tls {
    /// Whether the texts are what they should be, and the key belongs to the certificate.
    ///
    /// # Errors
    /// Names the first one that cannot be used.
    pub fn check(&self) -> Result<(), InvalidTls> {
        self.client_config().map(drop)
    }

    /// Connections that believe the given authority only. Nothing is remembered from one to the next, so a
    /// certificate that expires or is replaced counts at once.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, InvalidTls> {
        let authorities = self.authorities()?;
        let chain = certificates(TlsPart::Certificate, &self.certificate_pem)?;
        let key = self.key()?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(TlsPart::Key, format!("cannot be used: {error}")))?
            .with_root_certificates(authorities)
            .with_client_auth_cert(chain, key)
            .map_err(mismatch)?;
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    fn authorities(&self) -> Result<RootCertStore, InvalidTls> {
        let mut store = RootCertStore::empty();
        for certificate in certificates(TlsPart::CaCertificate, &self.ca_pem)? {
            store
                .add(certificate)
                .map_err(|error| invalid(TlsPart::CaCertificate, format!("must be a certificate of X.509: {error}")))?;
        }
        Ok(store)
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, InvalidTls> {
        let refused = |problem: &str| Err(invalid(TlsPart::Key, problem));
        if self.key_pem.len() > LONGEST_PEM {
            return refused(TOO_LONG);
        }
        if self.key_pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || self.key_pem.contains("Proc-Type: 4,ENCRYPTED") {
            return refused("must be a key without a passphrase");
        }
        match PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()) {
            Ok(key) => Ok(key),
            // The words of this error can be the text itself, which must not be repeated.
            Err(_) => refused("must hold a private key in PEM (-----BEGIN PRIVATE KEY-----)"),
        }
    }
}

const TOO_LONG: &str = "must have at most 64 KiB";

fn certificates(part: TlsPart, pem: &str) -> Result<Vec<CertificateDer<'static>>, InvalidTls> {
    if pem.len() > LONGEST_PEM {
        return Err(invalid(part, TOO_LONG));
    }
    let found: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        // Somebody may have put the key here: no error that quotes the text.
        _ => Err(invalid(part, "must hold a certificate in PEM (-----BEGIN CERTIFICATE-----)")),
    }
}

/// Our certificate and key do not go together, or one of them is none.
fn mismatch(error: TlsError) -> InvalidTls {
    match error {
        TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            invalid(TlsPart::Key, "must belong to ssl_certificate, and does not")
        }
        TlsError::InvalidCertificate(error) => {
            invalid(TlsPart::Certificate, format!("must be a certificate of X.509: {error}"))
        }
        error => invalid(TlsPart::Key, format!("must be a key of RSA, ECDSA or Ed25519: {error}")),
    }
}

fn invalid(part: TlsPart, problem: impl Into<String>) -> InvalidTls {
    InvalidTls { part, problem: problem.into() }
}

#[cfg(test)]
mod tests;
