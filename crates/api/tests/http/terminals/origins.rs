//! Who may open a socket at all: tokens, tickets, and where a browser's page comes from.

use super::Bed;
use crate::raw::Sender;
use pierhead_testkit::Cluster;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, http};

/// The status of the answer to a request for a socket with these headers; 101 if it opens.
async fn asked(bed: &Bed, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    opened(&bed.cluster, path, headers).await
}

/// The same in any pool.
pub async fn opened(cluster: &Cluster, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let address = cluster.url().strip_prefix("http://").unwrap().to_owned();
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(&address).await.unwrap();
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((_, answer)) => (answer.status().as_u16(), String::new()),
        Err(Error::Http(answer)) => {
            let body = answer.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
            (answer.status().as_u16(), body)
        }
        Err(error) => panic!("{path} {headers:?}: {error}"),
    }
}

const PROTOCOL: (&str, &str) = ("Sec-WebSocket-Protocol", "pierhead.terminal.v1");

pub async fn ticket(sender: &Sender, path: &str) -> String {
    let given = sender.post("/api/tickets", &json!({ "resource": path }).to_string()).await;
    given.json()["ticket"].as_str().unwrap_or_else(|| panic!("{given:?}")).to_owned()
}

#[tokio::test]
async fn only_pages_of_this_very_server_open_sockets() {
    let bed = Bed::set().await;
    let id = bed.shell().await.id;
    let path = format!("/api/terminals/{id}/socket");
    let address = bed.cluster.url().strip_prefix("http://").unwrap();
    let port = address.rsplit(':').next().unwrap();
    let own = format!("http://{address}");
    let foreign = [
        "null".to_owned(),
        "http://evil.example".to_owned(),
        format!("http://{address}.evil.example"),
        format!("http://evil-{address}"),
        format!("{own}0"),
        "http://127.0.0.1:1".to_owned(),
        "http://127.0.0.1".to_owned(),
        format!("https://{address}"),
        format!("http://localhost:{port}"),
        format!("http://{address}@evil.example"),
        String::new(),
    ];
    let credentials = json!({ "username": "admin", "password": "correct horse battery" }).to_string();
    let browser = Sender::nobody(&bed.cluster).header("origin", &own).post("/auth/session", &credentials).await;
    let cookie = browser.cookie.unwrap().split(';').next().unwrap().to_owned();
    let token = format!("Bearer {}", bed.cluster.admin_token());
    let admin = Sender::admin(&bed.cluster);
    // A cookie comes along by itself, a ticket is in a browser's hands: both must say where they come from.
    assert_eq!(asked(&bed, &path, &[PROTOCOL, ("Cookie", &cookie), ("Origin", &own)]).await.0, 101);
    assert_eq!(asked(&bed, &path, &[PROTOCOL, ("Cookie", &cookie)]).await.0, 403);
    let with_ticket = async |origin: Option<&str>| {
        let path = format!("{path}?ticket={}", ticket(&admin, &path).await);
        let headers: Vec<(&str, &str)> =
            [PROTOCOL].into_iter().chain(origin.map(|origin| ("Origin", origin))).collect();
        asked(&bed, &path, &headers).await.0
    };
    assert_eq!((with_ticket(Some(&own)).await, with_ticket(None).await), (101, 403));
    // A token in a header is no browser's; but a browser that has one is looked at all the same.
    assert_eq!(asked(&bed, &path, &[PROTOCOL, ("Authorization", &token)]).await.0, 101);
    for origin in &foreign {
        for way in [("Cookie", cookie.as_str()), ("Authorization", &token)] {
            let (status, body) = asked(&bed, &path, &[PROTOCOL, way, ("Origin", origin)]).await;
            assert!(status == 403 && body.contains("foreign_origin"), "{origin:?} {}: {status} {body}", way.0);
        }
        assert_eq!(with_ticket(Some(origin)).await, 403, "{origin:?}");
    }
    let twice = [PROTOCOL, ("Cookie", &cookie), ("Origin", &own), ("Origin", "http://evil.example")];
    assert_eq!(asked(&bed, &path, &twice).await.0, 403);
}

#[tokio::test]
async fn a_ticket_opens_one_socket_once() {
    let bed = Bed::set().await;
    let (one, other) = (bed.shell().await.id, bed.shell().await.id);
    let path = |id: &str| format!("/api/terminals/{id}/socket");
    let own = bed.cluster.url().to_owned();
    let open = async |path: &str, ticket: &str| {
        asked(&bed, &format!("{path}?ticket={ticket}"), &[PROTOCOL, ("Origin", &own)]).await.0
    };
    let admin = Sender::admin(&bed.cluster);
    let given = ticket(&admin, &path(&one)).await;
    assert_eq!(open(&path(&one), &given).await, 101);
    assert_eq!(open(&path(&one), &given).await, 401, "only once");
    let given = ticket(&admin, &path(&one)).await;
    assert_eq!(open(&path(&other), &given).await, 401, "only there");
    assert_eq!(open(&path(&one), &given).await, 401, "who tries it elsewhere has lost it");
    assert_eq!(open(&path(&one), "nonsense").await, 401);
    // A stranger's ticket is as good as the stranger.
    let stranger = ticket(&Sender::user(&bed.cluster, "ann").await, &path(&one)).await;
    assert_eq!(open(&path(&one), &stranger).await, 404);
    assert_eq!(asked(&bed, &path(&one), &[PROTOCOL]).await.0, 401);
    for bad in ["pierhead-pass", "pierhead-pass x", "Pierhead-Pass v1:AAAA"] {
        assert_eq!(asked(&bed, &path(&one), &[PROTOCOL, ("Authorization", bad)]).await.0, 401, "{bad}");
    }
}

#[tokio::test]
async fn what_is_no_socket_of_the_protocol() {
    let bed = Bed::set().await;
    let id = bed.shell().await.id;
    let (path, token) = (format!("/api/terminals/{id}/socket"), format!("Bearer {}", bed.cluster.admin_token()));
    let bearer = ("Authorization", token.as_str());
    let (status, body) = asked(&bed, &path, &[bearer]).await;
    assert!(status == 400 && body.contains("pierhead.terminal.v1"), "{status} {body}");
    let strange = ("Sec-WebSocket-Protocol", "pierhead.terminal.v9");
    assert_eq!(asked(&bed, &path, &[bearer, strange]).await.0, 400);
    let plain = Sender::admin(&bed.cluster).get(&path).await;
    assert_eq!((plain.status, plain.refusal().code.as_str()), (426, "not_websocket"));
    assert_eq!(asked(&bed, "/api/terminals/nothing/socket", &[bearer, PROTOCOL]).await.0, 404);
    assert_eq!(bed.cluster.controller().terminal_viewers(), 0);
}
