//! Who may open the socket of a wall, and what is said there that nobody understands.

use super::Wall;
use crate::raw::Sender;
use crate::terminals::origins::{opened, ticket};
use futures_util::{SinkExt, StreamExt};
use pierhead_client::WallOf;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const PATH: &str = "/api/wall/socket";
const PROTOCOL: (&str, &str) = ("Sec-WebSocket-Protocol", "pierhead.wall.v1");

async fn pool() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await
}

async fn socket(cluster: &Cluster, token: &str) -> WebSocketStream<TcpStream> {
    let address = cluster.url().strip_prefix("http://").unwrap().to_owned();
    let mut request = format!("ws://{address}{PATH}").into_client_request().unwrap();
    request.headers_mut().insert(PROTOCOL.0, PROTOCOL.1.parse().unwrap());
    request.headers_mut().insert("Authorization", format!("Bearer {token}").parse().unwrap());
    let stream = TcpStream::connect(&address).await.unwrap();
    tokio_tungstenite::client_async(request, stream).await.unwrap().0
}

/// The code with which the other side says goodbye.
async fn farewell(mut socket: WebSocketStream<TcpStream>) -> u16 {
    let told = async {
        while let Some(message) = socket.next().await {
            if let Message::Close(close) = message.unwrap() {
                return close.map_or(0, |close| close.code.into());
            }
        }
        0
    };
    tokio::time::timeout(PATIENCE, told).await.expect("a farewell")
}

#[tokio::test]
async fn only_pages_of_this_very_server_open_a_wall_and_a_ticket_does_once() {
    let cluster = pool().await;
    let (admin, own) = (Sender::admin(&cluster), cluster.url().to_owned());
    let bearer = format!("Bearer {}", cluster.admin_token());
    let bearer = ("Authorization", bearer.as_str());
    let open = async |path: &str, headers: &[(&str, &str)]| opened(&cluster, path, headers).await.0;
    assert_eq!(open(PATH, &[PROTOCOL]).await, 401);
    assert_eq!(open(PATH, &[PROTOCOL, bearer]).await, 101);
    assert_eq!(open(PATH, &[PROTOCOL, bearer, ("Origin", &own)]).await, 101);
    for foreign in ["null", "http://evil.example", "http://127.0.0.1:1"] {
        let (status, body) = opened(&cluster, PATH, &[PROTOCOL, bearer, ("Origin", foreign)]).await;
        assert!(status == 403 && body.contains("foreign_origin"), "{foreign}: {status} {body}");
    }
    let with = async |ticket: &str, more: &str, origin: Option<&str>| {
        let headers: Vec<_> = [PROTOCOL].into_iter().chain(origin.map(|origin| ("Origin", origin))).collect();
        open(&format!("{PATH}?ticket={ticket}{more}"), &headers).await
    };
    let given = ticket(&admin, PATH).await;
    assert_eq!(with(&given, "&environment=python&course=&lab=shell", Some(&own)).await, 101);
    assert_eq!(with(&given, "", Some(&own)).await, 401, "only once");
    assert_eq!(with(&ticket(&admin, PATH).await, "", None).await, 403, "it is in a browser's hands");
    assert_eq!(with(&ticket(&admin, PATH).await, "", Some("http://evil.example")).await, 403);
    assert_eq!(with(&ticket(&admin, "/api/events/stream").await, "", Some(&own)).await, 401, "only there");
    let refused = opened(&cluster, PATH, &[bearer]).await;
    assert!(refused.0 == 400 && refused.1.contains("pierhead.wall.v1"), "{refused:?}");
    for (query, status, word) in [("course=none", 404, "course"), ("course=a/b", 400, "course"), ("lab=X", 400, "lab")]
    {
        let refused = opened(&cluster, &format!("{PATH}?{query}"), &[PROTOCOL, bearer]).await;
        assert!(refused.0 == status && refused.1.contains(word), "{query}: {refused:?}");
    }
}

#[tokio::test]
async fn who_says_nonsense_or_loses_the_token_is_told_goodbye() {
    let cluster = pool().await;
    let token = cluster.admin_token();
    for nonsense in [
        Message::text("nonsense"),
        Message::text(r#"{"type":"hide"}"#),
        Message::text(r#"{"type":"show","terminals":"t"}"#),
        Message::binary(vec![0]),
    ] {
        let mut socket = socket(&cluster, token).await;
        socket.send(nonsense.clone()).await.unwrap();
        assert_eq!(farewell(socket).await, 4400, "{nonsense:?}");
    }
    let admin = Sender::admin(&cluster);
    let made = admin.post("/api/tokens", &json!({ "name": "of-a-wall" }).to_string()).await.json();
    let open = socket(&cluster, made["token"].as_str().unwrap()).await;
    assert_eq!(admin.send("DELETE", &format!("/api/tokens/{}", made["id"].as_str().unwrap()), "").await.status, 204);
    assert_eq!(farewell(open).await, 4401);
}

#[tokio::test]
async fn nobody_looks_at_more_walls_than_they_may() {
    let cluster = pool().await;
    let admin = cluster.admin();
    let walls = futures_util::future::join_all((0..10).map(|_| Wall::look(&admin))).await;
    let refused = admin.wall_socket(&WallOf::default()).await.expect_err("one too many");
    assert!(format!("{refused:?}").contains("429"), "{refused:?}");
    drop(walls);
    eventually(PATIENCE, "there is room again", async || admin.wall_socket(&WallOf::default()).await.is_ok()).await;
    let plain = Sender::admin(&cluster).get(PATH).await;
    assert_eq!((plain.status, plain.refusal().code.as_str()), (426, "not_websocket"));
}
