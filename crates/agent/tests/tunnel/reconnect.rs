//! The agent calls again whatever happens, and changes its certificates without losing what goes on.

use crate::bed::{Bed, ask, at, gate, in_time, request, timing};
use crate::certificates::Authority;
use http_body_util::BodyExt;
use pierhead_agent::{Agent, AgentError, Link, Load, accept, try_call};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpSocket};

#[tokio::test]
async fn it_calls_again_as_often_as_it_is_left() {
    let bed = Bed::up().await;
    for _ in 0..5 {
        let tunnel = bed.tunnel().await;
        assert_eq!(ask(&tunnel, "GET", "/info", "").await.0, 200);
    }
    let mut link = bed.link.clone();
    in_time("it says so", link.wait_for(|link| matches!(link, Link::Away(_)))).await.unwrap();
}

#[tokio::test]
async fn it_finds_a_controller_that_comes_back() {
    let bed = Bed::up().await;
    let (dir, authority) = (&bed.dir, &bed.authority);
    // Taken, and nobody listens there yet.
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = taken.local_addr().unwrap();
    let gate = gate(dir, &bed.fake, Arc::new(Load::default));
    let tls = tokio::sync::watch::channel(authority.for_agent(&authority.host("host-1")));
    // Two controllers, of which one is away: the other one is served meanwhile.
    let both = vec![at(address), at(bed.listener.local_addr().unwrap())];
    bed.agent.abort();
    let agent = Agent::new(both, tls.1, gate, timing());
    let mut links = agent.links();
    let again = agent.again();
    let task = tokio::spawn(agent.run());
    let away = in_time("one is away", links[0].wait_for(|link| matches!(link, Link::Away(_)))).await.unwrap().clone();
    assert!(
        matches!(&away, Link::Away(why) if why.contains("no connection to") && why.contains("refused")),
        "{away:?}"
    );
    let other = loop {
        // The agent that was there first may have left a call behind.
        let tunnel = bed.tunnel().await;
        if tunnel.facts().await.is_ok() {
            break tunnel;
        }
    };
    let listener = taken.listen(16).unwrap();
    let call = in_time("it calls", listener.accept()).await.unwrap().0;
    let tunnel = accept(call, &bed.acceptor, &timing()).await.unwrap();
    assert_eq!(ask(&tunnel, "GET", "/info", "").await.0, 200);
    assert_eq!(ask(&other, "GET", "/info", "").await.0, 200);
    again.send_replace(());
    let call = in_time("it calls anew", listener.accept()).await.unwrap().0;
    in_time("and leaves the old call", tunnel.ended()).await;
    let tunnel = accept(call, &bed.acceptor, &timing()).await.unwrap();
    assert_eq!(ask(&tunnel, "GET", "/info", "").await.0, 200);
    in_time("it is there again", links[0].wait_for(|link| *link == Link::Open)).await.unwrap();
    task.abort();
    in_time("no tunnel outlives the agent", async { tokio::join!(tunnel.ended(), other.ended()) }).await;
}

#[tokio::test]
async fn new_certificates_replace_the_tunnel_and_what_goes_on_is_finished() {
    let bed = Bed::up().await;
    let old = bed.tunnel().await;
    let mut image = old.send(request("GET", "/images/a/get", 1, "")).await.unwrap().into_body();
    image.frame().await.unwrap().unwrap();
    let renewed = bed.authority.host("host-1");
    bed.tls.send_replace(bed.authority.for_agent(&renewed));
    let new = bed.tunnel().await;
    assert_eq!(*new.peer(), renewed.certificate);
    assert_eq!(ask(&new, "GET", "/info", "").await.0, 200);
    for _ in 0..100 {
        in_time("the old one goes on", image.frame()).await.unwrap().unwrap();
    }
    assert!(old.send(request("GET", "/info", 1, "")).await.is_err(), "the old one takes nothing new");
    drop(image);
    in_time("the old one ends", old.ended()).await;
    assert_eq!(ask(&new, "GET", "/info", "").await.0, 200);
}

#[tokio::test]
async fn a_controller_that_asks_nothing_is_left() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    in_time("it is left", tunnel.ended()).await;
    let mut link = bed.link.clone();
    let away = in_time("it says why", link.wait_for(|link| matches!(link, Link::Away(_)))).await.unwrap().clone();
    assert_eq!(away, Link::Away("the controller asks nothing".to_owned()));
    assert_eq!(ask(&bed.tunnel().await, "GET", "/info", "").await.0, 200);
}

#[tokio::test]
async fn a_trial_says_where_a_call_ends() {
    let (bed, timing) = (Bed::up().await, timing());
    bed.agent.abort();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let controller = at(listener.local_addr().unwrap());
    let good = bed.authority.for_agent(&bed.authority.host("host-1"));
    let foreign = Authority::new();
    let distrustful = foreign.for_agent(&foreign.host("host-1"));
    let answer = async || {
        let call = in_time("a call", listener.accept()).await.unwrap().0;
        drop(accept(call, &bed.acceptor, &timing).await);
    };
    let (tried, ()) = tokio::join!(try_call(&controller, good.clone(), &timing), answer());
    tried.unwrap();
    let (tried, ()) = tokio::join!(try_call(&controller, distrustful, &timing), answer());
    assert!(matches!(tried, Err(AgentError::Handshake { .. })), "{tried:?}");
    let silent = in_time("nobody answers", try_call(&controller, good.clone(), &timing)).await;
    assert!(matches!(silent, Err(AgentError::TimedOut { milliseconds: 2000, .. })), "{silent:?}");
    drop(listener);
    let away = try_call(&controller, good, &timing).await;
    assert!(matches!(away, Err(AgentError::Connect { .. })), "{away:?}");
}

#[tokio::test]
async fn a_tunnel_that_is_cut_ends_whatever_goes_on_in_it() {
    use futures_util::StreamExt;
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let mut beats = tunnel.beats().await.unwrap();
    assert!(in_time("a beat", beats.next()).await.unwrap().is_ok());
    tunnel.cut();
    // The agent sees it too, and calls anew.
    let next = bed.tunnel().await;
    assert_eq!(ask(&next, "GET", "/info", "").await.0, 200);
    while in_time("the beats end", beats.next()).await.is_some_and(|beat| beat.is_ok()) {}
    in_time("the tunnel ends", tunnel.ended()).await;
}
