//! Leases through the tunnel: who may grant one, and who takes one.

use crate::bed::{Bed, at, in_time, timing};
use crate::certificates::Authority;
use crate::fake::Fake;
use pierhead_agent::{Agent, AgentError, Gate, LONGEST_LEASE, LeaseGrant, Leases, Load, Pulse, Terms, Tunnel, accept};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A tunnel to an agent that takes leases, and what keeps both alive.
struct Leased {
    tunnel: Tunnel,
    leases: Arc<Leases>,
    _dir: TempDir,
    _fake: Fake,
    _tls: tokio::sync::watch::Sender<Arc<rustls::ClientConfig>>,
}

async fn leased() -> Leased {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    let fake = Fake::listen(dir.path());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let leases = Leases::open(dir.path(), &fake.socket).unwrap();
    let pulse = Pulse::new(Duration::from_millis(5), Arc::new(Load::default));
    let gate = Gate::new(&fake.socket, Arc::new(Terms::open(dir.path()).unwrap()), pulse).leased(Arc::clone(&leases));
    let (tls, config) = tokio::sync::watch::channel(authority.for_agent(&authority.host("host-1")));
    let agent = Agent::new(vec![at(listener.local_addr().unwrap())], config, Arc::new(gate), timing());
    tokio::spawn(agent.run());
    let name = crate::certificates::CONTROLLER;
    let acceptor = TlsAcceptor::from(authority.for_controller(&authority.controller(name)));
    let stream = in_time("the agent calls", listener.accept()).await.unwrap().0;
    let tunnel = accept(stream, &acceptor, &timing()).await.unwrap();
    Leased { tunnel, leases, _dir: dir, _fake: fake, _tls: tls }
}

/// The status and the words of a refusal.
fn refused<T: std::fmt::Debug>(answer: Result<T, AgentError>) -> (u16, String) {
    match answer.unwrap_err() {
        AgentError::Refused { status, message } => (status, message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_host_takes_a_lease_of_the_latest_leader_only() {
    let host = leased().await;
    let stamp = in_time("a stamp", host.tunnel.lease_stamp()).await.unwrap();
    assert!(!stamp.boot.is_empty() && stamp.at_ms > 0);
    let grant = stamp.grant(LONGEST_LEASE);
    let (status, words) = refused(host.tunnel.grant_lease(&grant, 7).await);
    assert!(status == 409 && words.contains("still to be seen that nothing runs"), "{words}");
    // Nothing runs behind its engine, which tells.
    let leases = Arc::clone(&host.leases);
    tokio::spawn(async move { leases.guard().await });
    let taken = async {
        loop {
            let grant = host.tunnel.lease_stamp().await.unwrap().grant(LONGEST_LEASE);
            match host.tunnel.grant_lease(&grant, 7).await {
                Ok(left) => return left,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let left = in_time("a lease", taken).await;
    assert!(left <= LONGEST_LEASE && left > Duration::ZERO, "{left:?}");
    let (status, words) = refused(host.tunnel.grant_lease(&grant, 6).await);
    assert!(status == 409 && words.contains("term 6 is past"), "{words}");
}

#[tokio::test]
async fn what_is_no_lease_is_refused_and_changes_nothing() {
    let host = leased().await;
    let good = host.tunnel.lease_stamp().await.unwrap().grant(LONGEST_LEASE);
    for grant in [
        LeaseGrant { boot: "another".to_owned(), ..good.clone() },
        LeaseGrant { at_ms: u64::MAX, ..good.clone() },
        LeaseGrant { lasts_ms: u64::MAX, ..good },
    ] {
        let (status, words) = refused(host.tunnel.grant_lease(&grant, 1).await);
        assert!(status == 400 && words.contains("a lease must count from a stamp of this host"), "{words}");
    }
}

#[tokio::test]
async fn an_agent_without_leases_takes_none() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let (status, words) = refused(in_time("a stamp", tunnel.lease_stamp()).await);
    assert!(status == 403 && words.contains("takes no leases"), "{words}");
}
