//! The web console's files over HTTP, and what browsers are told about every answer.

use crate::raw::Sender;
use pierhead_testkit::{Cluster, ClusterOptions};
use reqwest::Response;
use std::fs;
use std::path::Path;

async fn cluster() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The front end that this was compiled with: its files outside the folder of those whose names hold a digest, and
/// those in it.
fn built() -> (Vec<String>, Vec<String>) {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(dist.join(folder)).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        files.map(|entry| format!("/{folder}{}", entry.file_name().to_string_lossy())).collect()
    };
    (names(""), names("assets/"))
}

#[tokio::test]
async fn the_page_is_there_for_everybody_and_may_do_little() {
    let cluster = cluster().await;
    let page = Sender::nobody(&cluster).begun("GET", "/", "").await;
    assert_eq!(page.status(), 200);
    assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&page, "cache-control"), "no-cache");
    let policy = header(&page, "content-security-policy").to_owned();
    let directives: Vec<&str> = policy.split("; ").collect();
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(directives.contains(&directive), "{directive}: {policy}");
    }
    assert!(header(&page, "permissions-policy").contains("camera=()"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(header(&page, name), value, "{name}");
    }
    assert!(page.headers().get("set-cookie").is_none());
    assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let cluster = cluster().await;
    let nobody = Sender::nobody(&cluster);
    let first = nobody.begun("GET", "/", "").await;
    let etag = header(&first, "etag").to_owned();
    assert!(etag.starts_with('"') && etag.len() == 34, "{etag}");
    for known in [etag.clone(), format!("W/{etag}"), format!("\"0\", {etag}"), "*".to_owned()] {
        let again = nobody.clone().header("if-none-match", known).begun("GET", "/", "").await;
        assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, etag.as_str()));
        assert!(header(&again, "cache-control") == "no-cache" && again.headers().get("content-type").is_none());
        assert_eq!(again.text().await.unwrap(), "");
    }
    let changed = nobody.clone().header("if-none-match", "\"0\"").begun("GET", "/", "").await;
    assert_eq!(changed.status(), 200);

    let head = nobody.begun("HEAD", "/", "").await;
    assert_eq!((head.status().as_u16(), header(&head, "etag")), (200, etag.as_str()));
    let length: usize = header(&head, "content-length").parse().unwrap();
    assert_eq!(head.text().await.unwrap(), "");
    assert_eq!(first.text().await.unwrap().len(), length);
}

#[tokio::test]
async fn each_file_of_the_front_end_is_served_as_it_was_built() {
    let cluster = cluster().await;
    let nobody = Sender::nobody(&cluster);
    let (plain, hashed) = built();
    let is_coded = |path: &&String| path.ends_with(".gz") || path.ends_with(".br");
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    for (paths, cache) in [(plain, "no-cache"), (hashed, "public, max-age=31536000, immutable")] {
        let (coded, whole): (Vec<&String>, Vec<&String>) = paths.iter().partition(is_coded);
        for path in whole.iter().filter(|path| *path != &"/index.html") {
            let answer = nobody.begun("GET", path, "").await;
            assert_eq!((answer.status().as_u16(), header(&answer, "cache-control")), (200, cache), "{path}");
            assert_eq!(header(&answer, "vary"), "accept-encoding", "{path}");
            assert_eq!(answer.bytes().await.unwrap(), fs::read(dist.join(&path[1..])).unwrap(), "{path}");
        }
        for path in coded.iter().filter(|path| path.ends_with(".gz") && path.starts_with("/assets/")) {
            assert_eq!(nobody.get(path).await.status, 404, "{path}");
            let whole = path.strip_suffix(".gz").unwrap();
            let short = nobody.clone().header("accept-encoding", "gzip").begun("GET", whole, "").await;
            assert_eq!(header(&short, "content-encoding"), "gzip", "{whole}");
            assert_eq!(short.bytes().await.unwrap(), fs::read(dist.join(&path[1..])).unwrap(), "{whole}");
        }
    }
}

#[tokio::test]
async fn the_console_takes_no_path_of_the_api() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    for path in ["/assets", "/assets/", "/assets/nothing.js", "/assets/../index.html", "/.git/config", "/index.html"] {
        let answer = admin.get(path).await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (404, "not_found"), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let answer = admin.send(method, "/", "{}").await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (405, "method_not_allowed"), "{method}");
    }
}

/// What a browser is told matters most where the content is somebody else's: logs, descriptions, errors.
#[tokio::test]
async fn no_answer_may_be_framed_sniffed_or_taken_for_a_page() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    for path in ["/healthz", "/api/engines", "/api/containers/nothing/logs", "/api/openapi.json", "/%3Cscript%3E", "/"]
    {
        let answer = admin.begun("GET", path, "").await;
        let policy = header(&answer, "content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&answer, "cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(answer.headers().get("access-control-allow-origin"), None, "{path}");
    }
}

/// An address stays in histories and logs.
#[tokio::test]
async fn a_token_in_an_address_is_worth_nothing() {
    let cluster = cluster().await;
    let (nobody, token) = (Sender::nobody(&cluster), cluster.admin_token());
    let plain = nobody.get("/").await;
    for name in ["token", "access_token", "X-Access-Token", "authorization", "ticket", "session", "pierhead"] {
        for value in [token.to_owned(), format!("admin:{token}"), format!("Bearer%20{token}")] {
            let answer = nobody.get(&format!("/api/engines?{name}={value}")).await;
            assert_eq!((answer.status, answer.cookie), (401, None), "{name}");
            let page = nobody.get(&format!("/?{name}={value}")).await;
            assert_eq!((page.status, page.cookie, &page.text), (200, None, &plain.text), "{name}");
        }
    }
}
