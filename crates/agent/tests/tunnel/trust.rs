//! Who is believed: the given authority, in the right role, under the right name, and nobody else.

use crate::bed::{Bed, at, gate, in_time, timing};
use crate::certificates::{Authority, CONTROLLER, Signed};
use pierhead_agent::{Agent, AgentError, Link, Load, PROTOCOL, accept, server_config};
use rustls::ServerConfig;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Asserts that the agent takes nobody who shows this, and says why.
async fn agent_refuses(case: &str, authority: &Authority, config: Arc<ServerConfig>, words: &str) {
    let bed = Bed::up().await;
    let other = watch::channel(authority.for_agent(&authority.host("host-1")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gate = gate(&bed.dir, &bed.fake, Arc::new(Load::default));
    let agent = Agent::new(vec![at(address)], other.1, gate, timing());
    let mut link = agent.links().remove(0);
    let task = tokio::spawn(agent.run());
    for _ in 0..3 {
        let call = in_time("it calls", listener.accept()).await.unwrap().0;
        let tunnel = accept(call, &TlsAcceptor::from(config.clone()), &timing()).await;
        if let Ok(tunnel) = tunnel {
            assert!(tunnel.facts().await.is_err(), "{case}");
        }
    }
    let away = in_time("it says why", link.wait_for(|link| matches!(link, Link::Away(_)))).await.unwrap().clone();
    assert!(matches!(&away, Link::Away(why) if why.contains(words)), "{case}: {away:?}");
    assert!(bed.fake.seen().is_empty(), "{case}");
    task.abort();
}

fn forged(ours: &Authority, shown: &Signed) -> Arc<ServerConfig> {
    Arc::new(server_config(ours.certificate.clone(), vec![shown.certificate.clone()], shown.key()).unwrap())
}

#[tokio::test]
async fn controllers_that_are_none() {
    let (ours, foreign) = (Authority::new(), Authority::new());
    agent_refuses("a foreign one", &ours, forged(&ours, &foreign.controller(CONTROLLER)), "invalid peer certificate")
        .await;
    agent_refuses("one of another name", &ours, forged(&ours, &ours.controller("other.test")), "not valid for name")
        .await;
    agent_refuses("a host", &ours, forged(&ours, &ours.host(CONTROLLER)), "invalid peer certificate").await;
    let mut mute = ServerConfig::clone(&forged(&ours, &ours.controller(CONTROLLER)));
    mute.alpn_protocols = vec![];
    agent_refuses("one that speaks something else", &ours, Arc::new(mute), "does not speak").await;
}

#[tokio::test]
async fn hosts_that_are_none() {
    let bed = Bed::up().await;
    bed.agent.abort();
    let (ours, foreign) = (&bed.authority, Authority::new());
    let mut good = (*ours.for_agent(&ours.host("host-1"))).clone();
    let mut cases = vec![
        ("a foreign one", (*ours.for_agent(&foreign.host("host-1"))).clone()),
        ("an expired one", (*ours.for_agent(&ours.expired_host())).clone()),
        ("a controller", (*ours.for_agent(&ours.controller(CONTROLLER))).clone()),
    ];
    good.alpn_protocols = vec![];
    cases.push(("one that speaks something else", good.clone()));
    good.alpn_protocols = vec![b"h2".to_vec()];
    cases.push(("one that speaks HTTP/2 alone", good.clone()));
    good.alpn_protocols = vec![PROTOCOL.to_vec()];
    good.client_auth_cert_resolver = Arc::new(Nameless);
    cases.push(("one without a certificate", good));
    for (case, config) in cases {
        let address = bed.listener.local_addr().unwrap();
        let calling = tokio::spawn(async move {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            // Whether it hears of the refusal here or later is a matter of luck.
            let _hung_up = TlsConnector::from(Arc::new(config)).connect(CONTROLLER.try_into().unwrap(), stream).await;
        });
        let refused = accept(bed.call().await, &bed.acceptor, &timing()).await;
        assert!(matches!(refused, Err(AgentError::Handshake { .. })), "{case}: {refused:?}");
        calling.await.unwrap();
    }
}

#[tokio::test]
async fn the_host_is_known_by_its_certificate_and_cut_off_at_once() {
    let bed = Bed::up().await;
    let host = bed.authority.host("host-7");
    bed.tls.send_replace(bed.authority.for_agent(&host));
    let tunnel = loop {
        let tunnel = bed.tunnel().await;
        if *tunnel.peer() == host.certificate {
            break tunnel;
        }
    };
    tunnel.facts().await.unwrap();
    tunnel.cut();
    in_time("it ends", tunnel.ended()).await;
    assert!(tunnel.facts().await.is_err());
}

/// Shows no certificate.
#[derive(Debug)]
struct Nameless;

impl rustls::client::ResolvesClientCert for Nameless {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
