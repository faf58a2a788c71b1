//! Whatever opens a door is never in the log, however much is logged.

use super::server::{PASSWORD, Server, files_below};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn no_token_cookie_or_ticket_is_logged_or_stored() {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("cert"), pair.cert.pem()).unwrap();
    std::fs::write(path("key"), pair.signing_key.serialize_pem()).unwrap();
    let server = Server::start(&["--debug", "--tls-cert", &path("cert"), "--tls-key", &path("key")]);
    let pem = pair.cert.pem();
    let credentials = format!(r#"{{"username":"admin","password":"{PASSWORD}"}}"#);
    let logged_in = json(&server.send(&pem, "POST /auth/login", &[], &credentials).body);
    let token = logged_in["token"].as_str().unwrap().to_owned();
    let opened = server.send(&pem, "POST /auth/session", &[], &credentials);
    let cookie = opened.head.split("__Host-pierhead=").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let header = [("Authorization", bearer.as_str())];
    let resource = r#"{"resource":"/api/containers/none/logs"}"#;
    let mut tickets = Vec::new();
    for _ in 0..2 {
        let given = json(&server.send(&pem, "POST /api/tickets", &header, resource).body);
        tickets.push(given["ticket"].as_str().unwrap().to_owned());
    }
    // Used well, used at the wrong place, used twice, and in every way that is refused.
    for (line, headers) in [
        (format!("GET /api/containers/none/logs?ticket={}", tickets[0]), vec![]),
        (format!("GET /api/containers/none/logs?ticket={}", tickets[0]), vec![]),
        (format!("GET /api/events?ticket={}", tickets[1]), vec![header[0]]),
        (format!("GET /nowhere?ticket={}&token={token}", tickets[1]), vec![]),
        ("GET /api/engines".to_owned(), vec![("X-Access-Token", token.as_str())]),
        ("GET /api/engines".to_owned(), vec![("Cookie", cookie.as_str())]),
    ] {
        let answer = server.send(&pem, &line, &headers, "");
        assert!(answer.status >= 400, "{answer:?}");
        for secret in tickets.iter().chain([&token, &cookie]) {
            assert!(!answer.body.contains(secret.as_str()), "{line}: {answer:?}");
        }
    }
    let named = format!("__Host-pierhead={cookie}");
    assert_eq!(server.send(&pem, "GET /api/engines", &[("Cookie", &named)], "").status, 200);

    let mut places = vec![("the log".to_owned(), server.output().into_bytes())];
    for path in files_below(&server.data()) {
        places.push((path.display().to_string(), std::fs::read(path).unwrap()));
    }
    assert!(server.output().contains("TRACE"), "everything is logged: {}", server.output());
    for secret in tickets.iter().map(String::as_str).chain([&token, &cookie, PASSWORD]) {
        for (place, bytes) in &places {
            assert!(!bytes.windows(secret.len()).any(|found| found == secret.as_bytes()), "{secret} is in {place}");
        }
    }
}
