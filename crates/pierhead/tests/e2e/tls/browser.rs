//! A browser's session over TLS: its cookie, and whose pages may change anything.

use super::server::{Answer, PASSWORD, Server, exchange};
use std::net::TcpStream;

fn opened(server: &Server, pem: &str, headers: &[(&str, &str)]) -> Answer {
    let body = format!(r#"{{"username":"admin","password":"{PASSWORD}"}}"#);
    server.send(pem, "POST /auth/session", headers, &body)
}

#[test]
fn the_cookie_is_this_servers_only_and_changes_need_its_origin() {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("cert"), pair.cert.pem()).unwrap();
    std::fs::write(path("key"), pair.signing_key.serialize_pem()).unwrap();
    let server = Server::start(&["--tls-cert", &path("cert"), "--tls-key", &path("key")]);
    let (pem, home) = (pair.cert.pem(), server.url.clone());

    let answer = opened(&server, &pem, &[("Origin", &home)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let (pair, attributes) = cookie.split_once(';').unwrap();
    assert!(pair.starts_with("__Host-pierhead="), "{cookie}");
    assert_eq!(attributes, " Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
    assert!(answer.head.contains("cache-control: no-store") && !answer.head.contains("access-control"), "{answer:?}");

    let session = ("Cookie", pair);
    assert_eq!(server.send(&pem, "GET /auth/session", &[session], "").status, 200);
    let role = r#"{"name":"watcher","permissions":[]}"#;
    let plain_home = home.replace("https", "http");
    for origin in ["null", &plain_home, "https://127.0.0.1", &format!("{home}.evil"), "https://evil.example"] {
        let answer = server.send(&pem, "POST /api/roles", &[session, ("Origin", origin)], role);
        assert_eq!(answer.status, 403, "{origin}: {answer:?}");
        assert_eq!(opened(&server, &pem, &[("Origin", origin)]).status, 403, "{origin}");
    }
    assert_eq!(server.send(&pem, "POST /api/roles", &[session], role).status, 403);
    assert_eq!(server.send(&pem, "POST /api/roles", &[session, ("Origin", &home)], role).status, 204);
    let preflight = [("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")];
    let answer = server.send(&pem, "OPTIONS /api/roles", &preflight, "");
    assert!(answer.status == 405 && !answer.head.contains("access-control"), "{answer:?}");
    let out = server.send(&pem, "DELETE /auth/session", &[session, ("Origin", &home)], "");
    assert!(out.status == 204 && out.head.contains("set-cookie: __Host-pierhead=; Path=/; Max-Age=0"), "{out:?}");
    assert_eq!(server.send(&pem, "GET /auth/session", &[session], "").status, 401);
}

#[test]
fn behind_a_proxy_that_ends_tls_the_public_address_is_home() {
    let server = Server::start(&["--public-url", "https://pool.example"]);
    let address = server.url.strip_prefix("http://").unwrap();
    let send = |line: &str, headers: &[(&str, &str)], body: &str| {
        exchange(TcpStream::connect(address).unwrap(), address, line, headers, body).unwrap()
    };
    let credentials = format!(r#"{{"username":"admin","password":"{PASSWORD}"}}"#);
    let direct = send("POST /auth/session", &[("Origin", &server.url)], &credentials);
    assert_eq!(direct.status, 403, "a page of the address behind the proxy is not home: {direct:?}");
    let answer = send("POST /auth/session", &[("Origin", "https://pool.example")], &credentials);
    let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.starts_with("__Host-pierhead=") && cookie.ends_with("; Secure"), "{cookie}");
    let session = ("Cookie", cookie.split(';').next().unwrap());
    let role = r#"{"name":"watcher","permissions":[]}"#;
    for origin in ["http://pool.example", "https://pool.example:8443", "https://evil.example", &server.url] {
        assert_eq!(send("POST /api/roles", &[session, ("Origin", origin)], role).status, 403, "{origin}");
    }
    assert_eq!(send("POST /api/roles", &[session, ("Origin", "https://pool.example")], role).status, 204);
}
