//! Who is believed before there is anything to go by but a fingerprint: a controller whose certificate was signed by
//! the one authority that has it. Nothing is said to anybody else.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

/// Believes an authority by its fingerprint, and remembers its certificate.
#[derive(Debug)]
pub(super) struct Pinned {
    fingerprint: [u8; 32],
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<CertificateDer<'static>>>,
}

impl Pinned {
    pub(super) fn new(fingerprint: [u8; 32], provider: Arc<CryptoProvider>) -> Arc<Self> {
        Arc::new(Self { fingerprint, provider, seen: Mutex::default() })
    }

    /// The authority's certificate, after a handshake.
    pub(super) fn authority(&self) -> Option<CertificateDer<'static>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_it = |other: &&CertificateDer<'_>| Sha256::digest(other).as_slice() == self.fingerprint;
        let unknown = || Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let authority = others.iter().find(is_it).ok_or_else(unknown)?.clone().into_owned();
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider));
        let verified = verifier.build().map_err(|_| unknown())?.verify_server_cert(leaf, &[], name, ocsp, now)?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(authority);
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
