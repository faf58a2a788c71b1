//! A host asks for a certificate: whom it says its secret to, and what a controller makes of what comes.

use crate::bed::{Bed, gate, in_time, timing};
use crate::certificates::{Authority, Signed};
use pierhead_agent::{
    Agent, AgentError, CONTROLLER_NAME, Call, Controller, Grant, Host, JOIN_PROTOCOL, JoinToken, Link, Load, Reply,
    accept_call, is_signed, join, listener_config,
};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn config(authority: &Authority, shown: &Signed) -> Arc<ServerConfig> {
    let chain = vec![shown.certificate.clone(), authority.certificate.clone()];
    let shown = CertifiedKey::from_der(chain, shown.key(), &default_provider()).unwrap();
    Arc::new(listener_config(authority.certificate.clone(), Arc::new(Shown(Arc::new(shown)))).unwrap())
}

/// A token for a listener of this authority.
fn token(authority: &Authority, listener: &TcpListener) -> JoinToken {
    use sha2::{Digest, Sha256};
    JoinToken {
        address: listener.local_addr().unwrap().to_string(),
        fingerprint: Sha256::digest(&authority.certificate).into(),
        secret: "s3cret".to_owned(),
    }
}

#[tokio::test]
async fn a_host_shows_its_secret_and_its_key_to_the_pinned_authority_only() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let good = token(&authority, &listener);
    let other = Authority::new();
    for (acceptor, is_believed) in [
        (config(&authority, &authority.controller(CONTROLLER_NAME)), true),
        // Of the authority, and for something else: another name, or a host that poses as a controller.
        (config(&authority, &authority.controller("elsewhere.test")), false),
        (config(&authority, &authority.host(CONTROLLER_NAME)), false),
        // Somebody else, who shows the authority's certificate beside.
        (config(&authority, &other.controller(CONTROLLER_NAME)), false),
        (config(&other, &other.controller(CONTROLLER_NAME)), false),
    ] {
        let (good, timing) = (good.clone(), timing());
        let host = Host { id: Some("web1".to_owned()), labels: vec!["ssd".to_owned()], ..Host::default() };
        let asked = tokio::spawn(async move { join(&good, &host, &timing).await });
        let stream = in_time("a call", listener.accept()).await.unwrap().0;
        let call = accept_call(stream, &TlsAcceptor::from(acceptor), &timing).await;
        if !is_believed {
            assert!(call.is_err(), "{call:?}");
            let error = asked.await.unwrap().unwrap_err();
            assert!(matches!(error, AgentError::Handshake { .. }), "{error}");
            continue;
        }
        let Call::Join(joining) = call.unwrap() else { panic!("no tunnel was asked for") };
        let ask = joining.ask.clone();
        assert_eq!((ask.secret.as_deref(), ask.id.as_deref(), &joining.peer), (Some("s3cret"), Some("web1"), &None));
        assert!(is_signed(&ask.public_key, &ask.signature).is_some() && !format!("{joining:?}").contains("s3cret"));
        // A certificate of another key than the host's is refused by the host.
        use base64::Engine as _;
        let certificate = base64::engine::general_purpose::STANDARD.encode(&authority.host("web1").certificate);
        let grant = Grant { engine: "web1".to_owned(), certificate, life_ms: 1000, waits: false };
        joining.answer(&Reply::Granted(grant), timing.handshake).await.unwrap();
        assert!(matches!(asked.await.unwrap(), Err(AgentError::Certificates(_))));
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_the_controllers_words() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let good = token(&authority, &listener);
    let asked = tokio::spawn(async move { join(&good, &Host::default(), &timing()).await });
    let acceptor = TlsAcceptor::from(config(&authority, &authority.controller(CONTROLLER_NAME)));
    let call = accept_call(listener.accept().await.unwrap().0, &acceptor, &timing()).await.unwrap();
    let Call::Join(joining) = call else { panic!("no tunnel was asked for") };
    joining.answer(&Reply::Refused("used already".to_owned()), timing().handshake).await.unwrap();
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the controller refuses: used already");
}

/// A client without a certificate that says this, and what becomes of its call.
async fn said(words: &[u8], protocol: &[u8]) -> Result<Call, AgentError> {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.certificate.clone()).unwrap();
    let mut client = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![protocol.to_vec()];
    let words = words.to_vec();
    let client = tokio::spawn(async move {
        let stream = TcpStream::connect(address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
        let name = CONTROLLER_NAME.try_into().unwrap();
        let Ok(mut stream) = connector.connect(name, stream).await else { return };
        // The other side may have hung up.
        let _ = stream.write_all(&words).await;
        let _ = stream.shutdown().await;
    });
    let acceptor = TlsAcceptor::from(config(&authority, &authority.controller(CONTROLLER_NAME)));
    let call = in_time("an end", accept_call(listener.accept().await.unwrap().0, &acceptor, &timing())).await;
    client.await.unwrap();
    call
}

#[tokio::test]
async fn garbage_and_tunnels_without_a_certificate_are_refused() {
    let huge = vec![b'x'; 100_000];
    let unknown_field = br#"{"public_key":"","signature":"","other":1}"#;
    let garbage: [&[u8]; 6] = [b"", b"\n", b"{", b"GET / HTTP/1.1\r\n\r\n", unknown_field, &huge];
    for words in garbage {
        assert!(matches!(said(words, JOIN_PROTOCOL).await, Err(AgentError::Broken(_))), "{words:?}");
    }
    let tunnel = said(b"", pierhead_agent::PROTOCOL).await.unwrap_err();
    assert!(std::error::Error::source(&tunnel).unwrap().to_string().contains("no certificate"), "{tunnel}");
    assert!(said(b"", b"h2").await.is_err());
}

/// A listener that ends each tunnel before it asks anything, and answers those who want to know how they stand.
async fn shuts_out(listener: TcpListener, acceptor: TlsAcceptor, calls: watch::Sender<(usize, usize)>) {
    loop {
        let stream = listener.accept().await.unwrap().0;
        match accept_call(stream, &acceptor, &timing()).await {
            Ok(Call::Tunnel(tunnel)) => {
                tunnel.cut();
                calls.send_modify(|(tunnels, _)| *tunnels += 1);
            }
            Ok(Call::Join(joining)) => {
                assert!(joining.ask.look && joining.peer.is_some());
                calls.send_modify(|(_, looks)| *looks += 1);
                joining.answer(&Reply::Refused("it was revoked".to_owned()), timing().handshake).await.unwrap();
            }
            Err(_) => {}
        }
    }
}

#[tokio::test]
async fn a_host_that_is_shut_out_learns_why_once_and_goes_on_calling() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let acceptor = TlsAcceptor::from(config(&authority, &authority.controller(CONTROLLER_NAME)));
    let (calls, mut called) = watch::channel((0, 0));
    let listening = tokio::spawn(shuts_out(listener, acceptor, calls));
    let bed = Bed::up().await;
    let (_tls, tls) = watch::channel(authority.for_agent(&authority.host("host-1")));
    let gate = gate(&bed.dir, &bed.fake, Arc::new(Load::default));
    let agent = Agent::new(vec![Controller::at(&address)], tls, gate, timing());
    let mut link = agent.links().remove(0);
    let agent = tokio::spawn(agent.run());
    let refused = in_time("it asks", link.wait_for(|link| matches!(link, Link::Refused(_)))).await.unwrap().clone();
    assert_eq!(refused, Link::Refused("the controller refuses: it was revoked".to_owned()));
    in_time("it goes on", called.wait_for(|(tunnels, _)| *tunnels > 10)).await.unwrap();
    assert_eq!(called.borrow().1, 1, "it asks once");
    agent.abort();
    listening.abort();
}
