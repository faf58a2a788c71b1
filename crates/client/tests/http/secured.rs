//! Controllers that speak TLS: their certificates, and what arrives there.

use pierhead_client::Authority;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// One that signs.
pub struct Signer {
    pub authority: Authority,
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Signer {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let authority = Authority::from_pem(&certificate.pem()).unwrap();
        Self { authority, certificate, issuer: Issuer::new(params, key) }
    }

    /// A controller with a certificate for a name; it shows the authority's beside it.
    pub async fn controller(&self, name: &str) -> Secured {
        self.start(CertificateParams::new(vec![name.to_owned()]).unwrap()).await
    }

    /// The same with a certificate of long ago, or of the far future.
    pub async fn controller_of(&self, year: i32) -> Secured {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(year, 1, 1), date_time_ymd(year + 1, 1, 1));
        self.start(params).await
    }

    async fn start(&self, params: CertificateParams) -> Secured {
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let chain = vec![signed.der().clone(), self.certificate.der().clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let told: Arc<Mutex<String>> = Arc::default();
        let (acceptor, heard) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&told));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(acceptor.clone(), stream, Arc::clone(&heard)));
            }
        });
        Secured { url, told }
    }
}

/// A controller that answers every request in the same way.
pub struct Secured {
    pub url: String,
    told: Arc<Mutex<String>>,
}

impl Secured {
    /// All that was said to it once TLS was agreed.
    pub fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }
}

const LOGGED_IN: &str = r#"{"token":"t0ken","username":"clare","role":"user","expires_at":"2027-01-01T00:00:00.000Z"}"#;

async fn answer(acceptor: TlsAcceptor, stream: TcpStream, told: Arc<Mutex<String>>) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        let text = String::from_utf8_lossy(&piece[..length]).into_owned();
        let body = if text.starts_with("POST /auth/login") { LOGGED_IN } else { "[]" };
        told.lock().unwrap().push_str(&text);
        if text.starts_with(|first: char| first.is_ascii_uppercase()) {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}
