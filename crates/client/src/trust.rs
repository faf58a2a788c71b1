//! Whom a client believes about a controller's certificate, and what a controller shows before it is believed.
//!
//! Nothing but a handshake is ever said to a controller that is not believed yet.

use crate::error::{refused_certificate, root_cause};
use crate::{Addresses, ClientError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

/// How long a handshake may take, the way there included.
const LIMIT: Duration = Duration::from_secs(10);

/// Certificates of authorities, of which any counts and nobody else's.
#[derive(Clone, PartialEq, Eq)]
pub struct Authority(Vec<CertificateDer<'static>>);

/// SHA-256 of a certificate: what people compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(fingerprint)).finish()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// Reads 64 hexadecimal digits; colons between them do not matter.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let is_plain = digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit);
        let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        let bytes = bytes.filter(|_| is_plain).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| "a fingerprint is 64 hexadecimal digits".to_owned())
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}

impl Authority {
    /// Reads certificates in PEM.
    ///
    /// # Errors
    /// [`ClientError::ParseAuthority`] if there is none, or one of them is none of X.509.
    pub fn from_pem(text: &str) -> Result<Self, ClientError> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        let found = found.ok().filter(|found| !found.is_empty()).ok_or(ClientError::ParseAuthority)?;
        let authority = Self(found);
        authority.roots().map(|_| authority)
    }

    /// The same in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        let mut pem = String::new();
        for certificate in &self.0 {
            pem.push_str("-----BEGIN CERTIFICATE-----\n");
            for line in STANDARD.encode(certificate).as_bytes().chunks(64) {
                pem.extend(line.iter().copied().map(char::from));
                pem.push('\n');
            }
            pem.push_str("-----END CERTIFICATE-----\n");
        }
        pem
    }

    /// That of the first certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(self.0.first().expect("there is at least one"))
    }

    fn roots(&self) -> Result<RootCertStore, ClientError> {
        let mut roots = RootCertStore::empty();
        for certificate in &self.0 {
            roots.add(certificate.clone()).map_err(|_| ClientError::ParseAuthority)?;
        }
        Ok(roots)
    }
}

/// How connections to `addresses` are secured: the given authority alone counts, or else those of the system.
pub(crate) fn client_config(addresses: &Addresses, authority: Option<&Authority>) -> Result<ClientConfig, ClientError> {
    let roots = match authority {
        Some(authority) => authority.roots()?,
        None if addresses.https().next().is_some() => roots_of_system(),
        None => RootCertStore::empty(),
    };
    Ok(builder()?.with_root_certificates(roots).with_no_client_auth())
}

/// Those that can be read; whoever has none trusts nobody.
fn roots_of_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, ClientError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    builder.with_safe_default_protocol_versions().map_err(|error| ClientError::SetUp { why: error.to_string() })
}

impl Addresses {
    /// Agrees on TLS with the first controller that can be reached, and says nothing to it. Nothing is done if none of
    /// the addresses is https.
    ///
    /// # Errors
    /// [`ClientError::Untrusted`] if its certificate is not believed.
    pub async fn verify(&self, authority: Option<&Authority>) -> Result<(), ClientError> {
        let config = Arc::new(client_config(self, authority)?);
        self.first_reached(config).await.map(drop)
    }

    /// The certificates that the first controller shows which can be reached, its own first and each to be believed
    /// alone. They prove nothing yet. None if none of the addresses is https.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`].
    pub async fn shown(&self) -> Result<Vec<Authority>, ClientError> {
        let accepts_all = Arc::new(AcceptsAll(ring::default_provider().signature_verification_algorithms));
        let config = builder()?.dangerous().with_custom_certificate_verifier(accepts_all).with_no_client_auth();
        let chain = self.first_reached(Arc::new(config)).await?;
        Ok(chain.into_iter().map(|certificate| Authority(vec![certificate])).collect())
    }

    async fn first_reached(&self, config: Arc<ClientConfig>) -> Result<Vec<CertificateDer<'static>>, ClientError> {
        let mut last = Ok(Vec::new());
        for url in self.https() {
            let reached = tokio::time::timeout(LIMIT, handshake(url, Arc::clone(&config))).await;
            last = reached.unwrap_or_else(|_| Err(ClientError::unreachable(url, "no answer in time".to_owned())));
            if !matches!(last, Err(ClientError::Unreachable { .. })) {
                break;
            }
        }
        last
    }
}

/// Shakes hands and hangs up.
async fn handshake(url: &Url, config: Arc<ClientConfig>) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let lost = |error: std::io::Error| match refused_certificate(&error) {
        Some(refused) => ClientError::untrusted(url, refused),
        None => ClientError::unreachable(url, root_cause(&error)),
    };
    let name = ServerName::try_from(bare.to_owned());
    let name = name.map_err(|_| ClientError::unreachable(url, format!("{host} is no name of a server")))?;
    let port = url.port_or_known_default().unwrap_or(443);
    let stream = TcpStream::connect((bare, port)).await.map_err(lost)?;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(lost)?;
    let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
    Ok(shown.iter().map(|certificate| certificate.clone().into_owned()).collect())
}

/// Looks at certificates without believing them. Only for handshakes after which nothing is said.
#[derive(Debug)]
struct AcceptsAll(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AcceptsAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_in_every_usual_form() {
        let plain = "0123456789abcdef".repeat(4);
        let colons: Vec<String> =
            plain.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
        for text in [plain.clone(), plain.to_uppercase(), colons.join(":")] {
            assert_eq!(text.parse::<Fingerprint>().unwrap().to_string(), plain);
        }
        for bad in ["", "00", &plain[1..], &format!("{plain}00"), &plain.replace('0', "x"), &plain.replace('0', "+")] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "hello", garbage, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert!(matches!(Authority::from_pem(text), Err(ClientError::ParseAuthority)), "{text}");
        }
    }
}
