use super::*;
use crate::Patience;

/// What browsers send with a page that they go to.
const LINK: (&str, &str) = ("sec-fetch-mode", "navigate");
const UPGRADE: (&str, &str) = ("upgrade-insecure-requests", "1");
/// The page of another host.
const THEIRS: (&str, &str) = ("referer", "http://b.localhost/x?y");

fn settings() -> Settings {
    Settings {
        is_tls: false,
        session_cookie: "seat".to_owned(),
        ticket: "ticket".to_owned(),
        hidden_cookies: vec![],
        hidden_headers: vec![],
        hidden_schemes: vec![],
        most_connections: 1,
        patience: Patience::default(),
    }
}

fn read(method: &str, target: &str, headers: &[(&str, &str)]) -> Result<Read, Refusal> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Read::of(&request.body(()).unwrap(), &settings())
}

#[test]
fn the_host_is_named_once_and_in_one_form() {
    for (host, name) in
        [("a.localhost", "a.localhost"), ("8000-AB.LocalHost:8081", "8000-ab.localhost"), ("a_b", "a_b")]
    {
        assert_eq!(read("GET", "/", &[("host", host)]).unwrap().host(), name);
    }
    let long = format!("{}.x", "a.".repeat(130));
    let label = format!("{}.x", "a".repeat(64));
    for bad in [
        "", "a.", ".a", "a..b", "a:", "a:x", "a:65536", "a:1:2", "a b", "a/b", "a?b", "a@b", "[::1]", "a,b", "a\tb",
        "ä", &long, &label,
    ] {
        assert_eq!(read("GET", "/", &[("host", bad)]).err().map(|it| it.code), Some("malformed"), "{bad:?}");
    }
    assert!(read("GET", "/", &[]).is_err(), "none");
    assert!(read("GET", "/", &[("host", "a"), ("host", "a")]).is_err(), "two, even if they are the same");
}

#[test]
fn only_a_path_is_asked_for() {
    let host = [("host", "a.localhost")];
    for bad in ["http://b.localhost/", "http://a.localhost/", "*"] {
        assert!(read("GET", bad, &host).is_err(), "{bad}");
    }
    for method in ["CONNECT", "TRACE"] {
        assert_eq!(read(method, "/", &host).err().map(|it| it.status.as_u16()), Some(405));
    }
    assert_eq!(read("OPTIONS", "/a?b", &host).unwrap().target, "/a?b");
}

#[test]
fn a_ticket_is_taken_out_of_the_query() {
    for (target, rest, ticket) in [
        ("/", "/", None),
        ("/?", "/?", None),
        ("/a?b=1", "/a?b=1", None),
        ("/a?ticket=x", "/a", Some("x")),
        ("/a?b=1&ticket=x&c", "/a?b=1&c", Some("x")),
        ("/a?ticket=x&ticket=y", "/a", Some("x")),
        ("/a?tickets=x", "/a?tickets=x", None),
        ("//b.localhost/?ticket=x", "//b.localhost/", Some("x")),
    ] {
        let read = read("GET", target, &[("host", "a")]).unwrap();
        assert_eq!((read.target.as_str(), read.ticket.as_deref()), (rest, ticket), "{target}");
    }
    let post = read("POST", "/a?ticket=x", &[("host", "a")]).unwrap();
    assert_eq!((post.target.as_str(), post.ticket), ("/a", None), "what is sent must not be lost");
}

#[test]
fn sessions_and_tokens_are_read() {
    let shown =
        [("host", "a"), ("cookie", "b=1; seat=one"), ("cookie", "seat=two;seat=;xseat=3; seat=three; seat=4; seat=5")];
    assert_eq!(read("GET", "/", &shown).unwrap().sessions, ["one", "two", "three", "4"]);
    for (value, token) in [("Bearer x", Some("x")), ("bearer  x ", Some("x")), ("Basic x", None), ("Bearer", None)] {
        assert_eq!(read("GET", "/", &[("host", "a"), ("authorization", value)]).unwrap().bearer.as_deref(), token);
    }
    let two = [("host", "a"), ("authorization", "Basic x"), ("authorization", "Bearer x")];
    assert!(read("GET", "/", &two).is_err(), "one of two might slip through");
}

#[test]
fn where_a_request_comes_from_is_seen() {
    let other = |host: &str| Comes::Other(host.to_owned());
    let from = |method: &str, headers: &[(&str, &str)]| {
        read(method, "/", &[&[("host", "a.localhost:81")], headers].concat()).unwrap().comes
    };
    for (method, headers, expected) in [
        ("POST", &[][..], Comes::Own),
        ("POST", &[("origin", "http://a.localhost:81")], Comes::Own),
        ("POST", &[("origin", "http://A.localhost:81")], Comes::Own),
        ("POST", &[("origin", "http://a.localhost:82")], other("a.localhost")),
        ("GET", &[("origin", "http://b.localhost:81")], other("b.localhost")),
        ("GET", &[("origin", "null")], Comes::Hidden),
        ("GET", &[("origin", "http://a.localhost:81"), ("origin", "http://b")], Comes::Hidden),
        ("GET", &[("origin", "http://a.localhost:81@b")], Comes::Hidden),
        ("GET", &[("sec-fetch-site", "none")], Comes::Own),
        ("GET", &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "no-cors")], Comes::Own),
        ("GET", &[("sec-fetch-site", "same-site"), LINK, ("sec-fetch-dest", "document")], Comes::Own),
        ("HEAD", &[("sec-fetch-site", "cross-site"), LINK, ("sec-fetch-dest", "document")], Comes::Own),
        ("POST", &[("sec-fetch-site", "same-site"), LINK, ("sec-fetch-dest", "document")], Comes::Hidden),
        // Frames go somewhere, too.
        ("GET", &[("sec-fetch-site", "same-site"), LINK], Comes::Hidden),
        ("GET", &[("sec-fetch-site", "same-site"), LINK, ("sec-fetch-dest", "iframe")], Comes::Hidden),
        ("GET", &[("sec-fetch-site", "cross-site"), LINK, ("sec-fetch-dest", "embed"), THEIRS], other("b.localhost")),
        ("GET", &[("sec-fetch-site", "same-origin"), LINK, ("sec-fetch-dest", "iframe")], Comes::Own),
        ("GET", &[("sec-fetch-site", "whatever"), ("sec-fetch-mode", "no-cors")], Comes::Hidden),
        ("GET", &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")], Comes::Hidden),
        ("GET", &[("sec-fetch-site", "cross-site"), ("referer", "http://b.localhost/x?y")], other("b.localhost")),
        ("GET", &[("sec-fetch-site", "cross-site"), ("referer", "http://a.localhost:81/")], Comes::Own),
        ("GET", &[("sec-fetch-site", "cross-site"), ("referer", "x")], Comes::Hidden),
        // Without TLS there are no Sec-Fetch headers.
        ("GET", &[THEIRS], other("b.localhost")),
        ("HEAD", &[THEIRS], other("b.localhost")),
        ("POST", &[THEIRS, UPGRADE], other("b.localhost")),
        ("GET", &[("referer", "x")], Comes::Hidden),
        ("GET", &[("referer", "http://a.localhost:81/page")], Comes::Own),
        ("GET", &[THEIRS, UPGRADE], Comes::Own),
    ] {
        assert_eq!(from(method, headers), expected, "{method} {headers:?}");
    }
}

#[test]
fn who_may_show_a_page_in_a_frame_is_said_of_pages_only() {
    let said = |headers: &[(&str, &str)]| {
        read("GET", "/", &[&[("host", "a.localhost:81")], headers].concat()).unwrap().framed_by
    };
    let own = Some("frame-ancestors 'self'");
    for (headers, expected) in [
        (&[][..], own),
        (&[THEIRS, UPGRADE], own),
        (&[("sec-fetch-site", "none"), ("sec-fetch-dest", "document")], own),
        (&[("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "iframe")], None),
        (&[("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "script")], None),
    ] {
        assert_eq!(said(headers), expected, "{headers:?}");
    }
}

#[test]
fn who_only_looks_changes_nothing() {
    let upgrade = [("host", "a"), ("connection", "upgrade"), ("upgrade", "websocket")];
    for (method, headers, is_change) in [
        ("GET", &upgrade[..1], false),
        ("HEAD", &upgrade[..1], false),
        ("OPTIONS", &upgrade[..1], false),
        ("POST", &upgrade[..1], true),
        ("PROPFIND", &upgrade[..1], true),
        ("GET", &upgrade[..], true),
    ] {
        let read = read(method, "/", headers).unwrap();
        assert_eq!((read.is_change, read.is_websocket), (is_change, headers.len() > 1), "{method}");
    }
}
