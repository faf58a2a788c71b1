use super::*;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

const PATIENCE: Duration = Duration::from_secs(20);

struct Bed {
    listener: TlsListener,
    connector: TlsConnector,
}

impl Bed {
    async fn new(limit: Duration, most: usize) -> Self {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![pair.cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(pair.cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = TlsListener::limited(listener, Arc::new(config), limit, most).unwrap();
        Self { listener, connector: TlsConnector::from(Arc::new(client)) }
    }

    async fn silent(&self) -> TcpStream {
        TcpStream::connect(self.listener.address).await.unwrap()
    }

    /// A client that agrees, and the address that the server is told of it.
    async fn agree(&mut self) -> SocketAddr {
        let stream = self.silent().await;
        let own = stream.local_addr().unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let both = async { tokio::join!(self.connector.connect(name, stream), self.listener.accept()) };
        let (client, (mut server, told)) = tokio::time::timeout(PATIENCE, both).await.unwrap();
        assert_eq!(told, own);
        server.write_all(b"hello").await.unwrap();
        server.flush().await.unwrap();
        let mut heard = [0; 5];
        client.unwrap().read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
        assert!(server.get_ref().0.nodelay().unwrap(), "small answers leave at once");
        told
    }
}

/// Waits until the other side hangs up.
async fn is_hung_up(stream: &mut TcpStream) {
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 64])).await;
    assert!(matches!(read.expect("the server hangs up"), Ok(0) | Err(_)));
}

#[tokio::test]
async fn who_says_nothing_holds_up_nobody() {
    let mut bed = Bed::new(Duration::from_secs(3600), 1000).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(bed.silent().await);
    }
    bed.agree().await;
    silent[0].write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    bed.agree().await;
}

#[tokio::test]
async fn a_handshake_ends_in_time() {
    let limit = Duration::from_millis(300);
    let mut bed = Bed::new(limit, 1000).await;
    let began = Instant::now();
    let mut silent = bed.silent().await;
    is_hung_up(&mut silent).await;
    assert!(began.elapsed() >= limit);
    bed.agree().await;
}

#[tokio::test]
async fn there_are_so_many_handshakes_and_the_oldest_goes_first() {
    let mut bed = Bed::new(Duration::from_secs(3600), 4).await;
    let mut silent = Vec::new();
    for _ in 0..6 {
        silent.push(bed.silent().await);
    }
    for stream in &mut silent[..2] {
        is_hung_up(stream).await;
    }
    bed.agree().await;
    is_hung_up(&mut silent[2]).await;
    let still = tokio::time::timeout(Duration::from_millis(50), silent[5].read(&mut [0; 1])).await;
    assert!(still.is_err(), "the newest is let be");
}

#[tokio::test]
async fn its_address_is_free_when_it_is_gone() {
    let bed = Bed::new(Duration::from_secs(1), 4).await;
    let address = bed.listener.address;
    drop(bed);
    let deadline = Instant::now() + PATIENCE;
    while TcpListener::bind(address).await.is_err() {
        assert!(Instant::now() < deadline, "the address stays taken");
        tokio::task::yield_now().await;
    }
}
