//! Ports of containers through the tunnel: every byte, each direction's end by itself, and whose container it is.

use crate::bed::{Bed, in_time, until};
use crate::fake::CONTAINER;
use pierhead_agent::{AgentError, Tunnel};
use serde_json::json;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A container that runs, with these addresses; its processes are this very program's.
fn container(addresses: &[&str]) -> serde_json::Value {
    let networks: serde_json::Map<_, _> =
        addresses.iter().enumerate().map(|(at, it)| (format!("n{at}"), json!({"IPAddress": it}))).collect();
    json!({
        "Id": CONTAINER,
        "State": {"Running": true, "Paused": false, "Pid": std::process::id()},
        "Config": {"Labels": {"pierhead.cluster": "c", "pierhead.workspace": "ab2"}},
        "NetworkSettings": {"Networks": networks},
    })
}

async fn listening() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A refusal by its status and code.
async fn refusal(tunnel: &Tunnel, workspace: &str, port: u16) -> (u16, String) {
    let dialled = in_time("an answer", tunnel.dial(workspace, CONTAINER, port)).await;
    let Err(AgentError::Refused { status, message }) = dialled else { panic!("it was not refused") };
    let told: serde_json::Value = serde_json::from_str(&message).unwrap();
    (status, told["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_byte_goes_in_both_directions_and_each_ends_by_itself() {
    // Made before there is a tunnel: one in which nothing is asked is left.
    let all: Vec<u8> = (0..3_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let expected = all.clone();
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let (listener, port) = listening().await;
    bed.fake.describe(container(&["127.0.0.1"]));
    let server = tokio::spawn(async move {
        let mut stream: TcpStream = listener.accept().await.unwrap().0;
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.unwrap();
        // The other direction is open still.
        stream.write_all(&heard).await.unwrap();
        stream.write_all(b"end").await.unwrap();
        heard.len()
    });
    let mut dialled = in_time("a connection", tunnel.dial("ab2", CONTAINER, port)).await.unwrap();
    in_time("all is sent", dialled.write_all(&all)).await.unwrap();
    dialled.shutdown().await.unwrap();
    let mut back = Vec::new();
    in_time("all comes back", dialled.read_to_end(&mut back)).await.unwrap();
    assert!(back == [&expected[..], b"end"].concat(), "{} of {} bytes", back.len(), expected.len());
    assert_eq!(server.await.unwrap(), expected.len());
}

#[tokio::test]
async fn who_leaves_is_gone_for_the_container_too() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let (listener, port) = listening().await;
    bed.fake.describe(container(&["127.0.0.1"]));
    let mut dialled = in_time("a connection", tunnel.dial("ab2", CONTAINER, port)).await.unwrap();
    dialled.write_all(b"hello").await.unwrap();
    let mut stream = listener.accept().await.unwrap().0;
    let mut hello = [0; 5];
    in_time("the greeting", stream.read_exact(&mut hello)).await.unwrap();
    drop(dialled);
    let mut rest = Vec::new();
    // Whether it is an end or a break is all the same.
    let _ended = in_time("it hears of the end", stream.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn only_a_running_container_of_that_workspace_is_dialled_at_its_own_address() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let (listener, port) = listening().await;
    let refused = |status: u16, code: &str| (status, code.to_owned());
    bed.fake.describe(container(&["127.0.0.1"]));
    assert_eq!(refusal(&tunnel, "ab3", port).await, refused(403, "not_of_workspace"));
    assert_eq!(refusal(&tunnel, "AB", port).await, refused(400, "malformed"));
    let mut stopped = container(&["127.0.0.1"]);
    stopped["State"]["Running"] = json!(false);
    bed.fake.describe(stopped);
    assert_eq!(refusal(&tunnel, "ab2", port).await, refused(409, "not_running"));
    bed.fake.describe(container(&[]));
    assert_eq!(refusal(&tunnel, "ab2", port).await, refused(409, "no_address"));
    let mut unlabelled = container(&["127.0.0.1"]);
    unlabelled["Config"]["Labels"] = json!({"pierhead.cluster": "c"});
    bed.fake.describe(unlabelled);
    assert_eq!(refusal(&tunnel, "ab2", port).await, refused(403, "not_of_workspace"));
    bed.fake.describe(serde_json::Value::Null);
    assert_eq!(refusal(&tunnel, "ab2", port).await, refused(404, "no_such_container"));
    assert!(
        tokio::time::timeout(std::time::Duration::ZERO, listener.accept()).await.is_err(),
        "nobody was connected to what none of them may reach"
    );
}

#[tokio::test]
async fn an_address_that_was_given_to_another_container_meanwhile_is_not_used() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let (_listener, port) = listening().await;
    let mut anew = container(&["127.0.0.1"]);
    anew["State"]["Pid"] = json!(1);
    bed.fake.describe_next(vec![container(&["127.0.0.1"]), anew]);
    assert_eq!(refusal(&tunnel, "ab2", port).await, (409, "container_changed".to_owned()));
}

#[tokio::test]
async fn why_nothing_answers_is_told() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let (listener, port) = listening().await;
    // Another address of the loopback network stands for the container's own.
    bed.fake.describe(container(&["127.0.0.2"]));
    assert_eq!(refusal(&tunnel, "ab2", port).await, (502, "only_inside".to_owned()));
    let ports = in_time("the ports", tunnel.listening("ab2", CONTAINER)).await.unwrap();
    // Of a machine with very many only the lowest are told.
    assert!(ports.len() == 256 || ports.iter().any(|it| it.port == port && it.only_inside), "{ports:?}");
    drop(listener);
    until("the port is free", || std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).is_ok()).await;
    assert_eq!(refusal(&tunnel, "ab2", port).await, (502, "nothing_listens".to_owned()));
    let Err(AgentError::Refused { status, .. }) = tunnel.listening("ab3", CONTAINER).await else { panic!("refused") };
    assert_eq!(status, 403);
}
