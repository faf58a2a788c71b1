use super::*;
use crate::tls::Tls;
use rcgen::{CertificateParams, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{InvalidMessage, PeerIncompatible};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, TlsConnector};

#[test]
fn an_administrator_reads_what_is_wrong() {
    let time = UnixTime::since_unix_epoch(Duration::from_secs(1_600_000_000));
    let name = |name: &str| ServerName::try_from(name.to_owned()).unwrap();
    let of_name = |presented: &[&str]| CertificateError::NotValidForNameContext {
        expected: name("10.0.0.5"),
        presented: presented.iter().map(|&name| name.to_owned()).collect(),
    };
    for (error, expected) in [
        (CertificateError::ExpiredContext { time, not_after: time }.into(), "expired on 2020-09-13 12:26 UTC"),
        (CertificateError::NotValidYetContext { time, not_before: time }.into(), "not valid before 2020-09-13"),
        (CertificateError::UnknownIssuer.into(), "not signed by the given CA"),
        (of_name(&["DnsName(\"a.lan\")", "IpAddress(10.0.0.6)"]).into(), "not for '10.0.0.5' but for a.lan, 10.0.0.6"),
        (of_name(&[]).into(), "names no host: '10.0.0.5'"),
        (CertificateError::InvalidPurpose.into(), "not one for servers"),
        (TlsError::InvalidMessage(InvalidMessage::InvalidContentType), "answers without TLS"),
        (TlsError::AlertReceived(AlertDescription::UnknownCA), "refuses our certificate: it does not know"),
        (TlsError::AlertReceived(AlertDescription::BadCertificate), "--tlscacert"),
        (TlsError::AlertReceived(AlertDescription::HandshakeFailure), "no version of TLS"),
        (TlsError::AlertReceived(AlertDescription::InternalError), "InternalError"),
        (TlsError::PeerIncompatible(PeerIncompatible::ExtendedMasterSecretExtensionRequired), "safe today"),
    ] {
        let explained = explain(io::Error::new(ErrorKind::InvalidData, error));
        let words = distrust(&explained).expect("an error of TLS");
        assert!(words.contains(expected), "{words}");
    }
}

#[test]
fn other_errors_stay_what_they_are() {
    let error = explain(io::Error::from(ErrorKind::ConnectionRefused));
    assert_eq!((error.kind(), distrust(&error)), (ErrorKind::ConnectionRefused, None));
    let error = explain(io::Error::new(ErrorKind::UnexpectedEof, "see https://manual"));
    assert_eq!(distrust(&error).as_deref(), Some("it broke off the connection"));
}

/// A certificate for `localhost` that signed itself, and its key.
fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// A server with this certificate that knows no client.
fn forbidding((certificate, key): &(String, String)) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut clients = RootCertStore::empty();
    clients.add(CertificateDer::from_pem_slice(pair().0.as_bytes()).unwrap()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(clients.into(), provider.clone()).build().unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        );
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

/// A connection that the server has closed already, with its reasons.
async fn refused() -> Encrypted {
    let server = pair();
    let acceptor = forbidding(&server);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let done = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        assert!(acceptor.accept(stream).await.is_err(), "it knows nobody");
    });
    let (certificate_pem, key_pem) = pair();
    let config = Tls { ca_pem: server.0, certificate_pem, key_pem }.client_config().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let connection = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    done.await.unwrap();
    Encrypted(connection)
}

#[tokio::test]
async fn a_refusal_is_heard_by_whoever_reads() {
    let error = refused().await.read_u8().await.unwrap_err();
    assert!(distrust(&error).unwrap().contains("it refuses our certificate"), "{error}");
}

#[tokio::test]
async fn a_refusal_is_heard_by_whoever_only_writes() {
    let mut connection = refused().await;
    let writing = async {
        loop {
            if let Err(error) = connection.write_all(&[0; 64 * 1024]).await {
                break error;
            }
        }
    };
    let error = tokio::time::timeout(Duration::from_secs(30), writing).await.expect("the server is gone");
    assert!(distrust(&error).is_some_and(|words| words.contains("it refuses our certificate")), "{error}");
}
