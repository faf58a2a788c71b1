use super::*;
use axum::http::HeaderValue;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn front(is_tls: bool) -> Front {
    Front { is_tls, ..Front::default() }
}

fn is_taken(is_tls: bool, host: &str, origin: &str) -> bool {
    check_origin(&front(is_tls), &Method::POST, &headers(&[("host", host), ("origin", origin)])).is_ok()
}

#[test]
fn only_the_servers_own_origin_may_change_anything() {
    for (is_tls, host, origin) in [
        (false, "pool.example:8080", "http://pool.example:8080"),
        (false, "pool.example", "http://pool.example"),
        (false, "pool.example:80", "http://pool.example"),
        (true, "pool.example", "https://pool.example"),
        (true, "pool.example:443", "https://pool.example"),
        (true, "Pool.Example", "https://pool.example:443"),
        (true, "[::1]:8443", "https://[::1]:8443"),
        (true, "[::1]", "https://[::1]"),
    ] {
        assert!(is_taken(is_tls, host, origin), "{host} {origin}");
    }
    for (is_tls, host, origin) in [
        (false, "pool.example", "null"),
        (false, "pool.example", ""),
        (false, "pool.example", "pool.example"),
        (false, "pool.example", "https://pool.example"),
        (true, "pool.example", "http://pool.example"),
        (true, "pool.example", "https://pool.example:8443"),
        (true, "pool.example:8443", "https://pool.example"),
        (true, "pool.example", "https://pool.example.evil"),
        (true, "pool.example", "https://evil-pool.example"),
        (true, "pool.example", "https://evil.pool.example"),
        (true, "pool.example", "https://pool.exampl"),
        (true, "pool.example", "https://pool.example/"),
        (true, "pool.example", "https://pool.example@evil"),
        (true, "pool.example", "https://evil@pool.example"),
        (true, "pool.example", "https://pool.example:"),
        (true, "pool.example", "https://pool.example:443:1"),
        (true, "pool.example", "https://https://pool.example"),
        (true, "pool.example", "file://"),
        (true, "", "https://"),
    ] {
        assert!(!is_taken(is_tls, host, origin), "{host} {origin}");
    }
    let twice = headers(&[("host", "a"), ("origin", "http://a"), ("origin", "http://a")]);
    assert!(check_origin(&front(false), &Method::POST, &twice).is_err());
    let homeless = headers(&[("origin", "http://a")]);
    assert!(check_origin(&front(false), &Method::POST, &homeless).is_err());
}

#[test]
fn behind_a_proxy_only_the_public_address_counts() {
    let front = |url: &str| Front { public: Some(crate::PublicUrl::parse(url).unwrap()), ..Front::default() };
    let is_taken = |url: &str, host: &str, origin: &str| {
        let sent = headers(&[("host", host), ("origin", origin)]);
        check_origin(&front(url), &Method::POST, &sent).is_ok()
    };
    for (url, origin) in [
        ("https://pool.example", "https://pool.example"),
        ("https://pool.example/", "https://pool.example"),
        ("https://pool.example:443", "https://pool.example"),
        ("https://pool.example:8443", "https://pool.example:8443"),
        ("http://pool.lan", "http://pool.lan"),
    ] {
        // Whatever the proxy says in Host.
        for host in ["127.0.0.1:8080", "pool.example", "evil.example", ""] {
            assert!(is_taken(url, host, origin), "{url} {host} {origin}");
        }
        assert!(
            check_origin(&front(url), &Method::POST, &headers(&[("origin", origin)])).is_ok(),
            "{url} without Host"
        );
        assert!(check_origin(&front(url), &Method::POST, &headers(&[("host", "pool.example")])).is_err(), "{url}");
    }
    for origin in [
        "null",
        "",
        "pool.example",
        "http://pool.example",
        "http://pool.example:443",
        "https://pool.example:8443",
        "https://pool.example.evil",
        "https://evil.pool.example",
        "https://pool.example/",
        "https://evil@pool.example",
        "http://127.0.0.1:8080",
        "https://127.0.0.1:8080",
        "https://evil.example",
    ] {
        for host in ["127.0.0.1:8080", "pool.example", "evil.example"] {
            assert!(!is_taken("https://pool.example", host, origin), "{host} {origin}");
        }
    }
}

#[test]
fn reading_needs_no_origin_but_a_foreign_one_is_foreign() {
    let silent = headers(&[("host", "a")]);
    for (method, is_taken) in [
        (Method::GET, true),
        (Method::HEAD, true),
        (Method::POST, false),
        (Method::PUT, false),
        (Method::DELETE, false),
        (Method::PATCH, false),
        (Method::OPTIONS, false),
    ] {
        assert_eq!(check_origin(&front(false), &method, &silent).is_ok(), is_taken, "{method}");
    }
    let foreign = headers(&[("host", "a"), ("origin", "http://b")]);
    assert!(check_origin(&front(false), &Method::GET, &foreign).is_err());
}

#[test]
fn the_cookie_is_found_among_others_and_never_guessed() {
    let plain = |line: &str| session_of(&headers(&[("cookie", line)]), false);
    assert_eq!(plain("pierhead=abc").as_deref(), Some("abc"));
    assert_eq!(plain("a=b; pierhead=abc;c=d").as_deref(), Some("abc"));
    for none in ["", "pierhead=", "pierhead", "xpierhead=abc", "__Host-pierhead=abc", "pierhead=a; pierhead=b"] {
        assert_eq!(plain(none), None, "{none}");
    }
    let tls = |line: &str| session_of(&headers(&[("cookie", line)]), true);
    assert_eq!(tls("__Host-pierhead=abc; pierhead=x").as_deref(), Some("abc"));
    assert_eq!(tls("pierhead=abc"), None, "what came without TLS does not count with it");
    let two = headers(&[("cookie", "pierhead=a"), ("cookie", "pierhead=b")]);
    assert_eq!(session_of(&two, false), None);
}

#[test]
fn cookies_are_for_this_server_and_no_script() {
    let plain = cookie("abc", 60, false);
    assert_eq!(plain, "pierhead=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
    let secure = cookie("abc", 60, true);
    assert_eq!(secure, "__Host-pierhead=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
}

#[test]
fn a_ticket_is_taken_out_of_the_query() {
    let taken = |text: &str| {
        let mut uri: Uri = text.parse().unwrap();
        take_ticket(&mut uri).map(|ticket| (ticket, uri.to_string())).map_err(|error| error.body.field)
    };
    let some = |ticket: &str, uri: &str| Ok((Some(ticket.to_owned()), uri.to_owned()));
    assert_eq!(taken("/a?ticket=x"), some("x", "/a"));
    assert_eq!(taken("/a?b=%20&ticket=x&c"), some("x", "/a?b=%20&c"));
    assert_eq!(taken("http://h/a?ticket="), some("", "http://h/a"));
    assert_eq!(taken("/a?tickets=x"), Ok((None, "/a?tickets=x".to_owned())));
    assert_eq!(taken("/a"), Ok((None, "/a".to_owned())));
    assert_eq!(taken("/a?ticket=x&ticket=y"), Err(Some("ticket".to_owned())));
}
