//! The pool's own authority, from the server's first start to a person's log-in.

use super::server::{PASSWORD, Server, files_below, send};

const OWN: &[&str] = &["--tls-self-signed", "--tls-name", "pool.example"];

/// The certificate of the authority, from somebody who already believes it.
fn authority(server: &Server) -> String {
    let shown = server.run(&["--json", "login", &server.url, "-u", "admin", "--password-stdin"], PASSWORD);
    assert_eq!(shown.code, 5, "{shown:?}");
    let ran = log_in(server, &server.fingerprint());
    assert_eq!(ran.code, 0, "{ran:?}");
    let saved = files_below(&server.data().parent().unwrap().join("login"));
    let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(&saved[0]).unwrap()).unwrap();
    saved["authority"].as_str().unwrap().to_owned()
}

fn log_in(server: &Server, fingerprint: &str) -> crate::program::Ended {
    let args = ["login", &server.url, "-u", "admin", "--password-stdin", "--ca-fingerprint", fingerprint];
    server.run(&args, PASSWORD)
}

#[test]
fn a_person_logs_in_by_the_fingerprint_that_the_server_tells() {
    let server = Server::start(OWN);
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let fingerprint = server.fingerprint();
    assert!(fingerprint.len() == 64 && server.output().contains(&fingerprint), "{}", server.output());
    let wrong = log_in(&server, &"ab".repeat(32));
    assert!(wrong.code == 5 && wrong.stderr.contains(&fingerprint), "{wrong:?}");
    let pem = authority(&server);
    assert_eq!(server.run(&["engine", "ls"], "").code, 0);
    assert_eq!(server.send(&pem, "GET /api/ca", &[], "").body, pem);
    for name in ["localhost", "pool.example"] {
        assert_eq!(send(&server.url, name, &pem, "GET /healthz", &[], "").unwrap().status, 200, "{name}");
    }
    let error = send(&server.url, "other.example", &pem, "GET /healthz", &[], "").unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");

    // The next life has another certificate of the same authority; who was logged in stays so.
    let server = Server::start_in(server.stop(), OWN);
    assert_eq!(server.fingerprint(), fingerprint);
    assert_eq!(server.send(&pem, "GET /healthz", &[], "").status, 200);
    for path in files_below(&server.data()) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(11).any(|found| found == b"PRIVATE KEY"), "{} holds a key", path.display());
    }
}

#[test]
fn plain_http_is_no_way_into_tls_and_stays_a_way_of_its_own() {
    let server = Server::start(OWN);
    let plain = server.url.replace("https", "http");
    let ran = server.run(&["--url", &plain, "engine", "ls"], "");
    assert_eq!(ran.code, 6, "{ran:?}");
    let server = Server::start_in(server.stop(), &[]);
    assert!(server.url.starts_with("http://") && server.fingerprint().is_empty());
    let ran = server.run(&["login", &server.url, "-u", "admin", "--password-stdin"], PASSWORD);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn the_limit_of_an_address_counts_with_tls_too() {
    let limits = ["--login-attempts-per-account", "0", "--login-attempts-per-address", "3"];
    let server = Server::start(&[OWN, &limits].concat());
    let pem = authority(&server);
    let attempt = |user: &str| {
        let body = format!(r#"{{"username":"{user}","password":"wrong wrong"}}"#);
        server.send(&pem, "POST /auth/login", &[("X-Forwarded-For", "10.0.0.9")], &body).status
    };
    let statuses: Vec<u16> = ["a", "b", "c", "d"].iter().map(|user| attempt(user)).collect();
    assert_eq!(statuses, [401, 401, 401, 429]);
}
