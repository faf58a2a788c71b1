//! The headers of requests and answers on their way through.
//!
//! What concerns one connection only is left out, with what a header `Connection` names. Where a request comes from is
//! set, whatever its sender claims. What would change how browsers treat other hosts, or how they reach this one, is the
//! ingress' own business.

use crate::{Settings, cookies};
use hyper::HeaderMap;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, EXPECT, FORWARDED, HOST, HeaderName,
    HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use std::net::IpAddr;

/// What concerns one connection only.
const HOP: [HeaderName; 9] = [
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];
/// What an answer may not say for others: these empty what browsers keep for a whole domain, or send them elsewhere.
const OURS_TO_SAY: [HeaderName; 3] =
    [HeaderName::from_static("clear-site-data"), HeaderName::from_static("alt-svc"), STRICT_TRANSPORT_SECURITY];
/// What begins so says where a request comes from, or is said between parts of Pierhead.
const CLAIMS: [&str; 2] = ["x-forwarded-", "x-pierhead-"];
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Who sends a request, and to which host.
pub(crate) struct Sender<'a> {
    pub peer: IpAddr,
    pub authority: &'a str,
}

/// The headers of a request as the other side gets them.
pub(crate) fn of_request(headers: &mut HeaderMap, sender: &Sender<'_>, settings: &Settings, hides_authorization: bool) {
    strip_hop(headers);
    headers.remove(EXPECT);
    headers.remove(FORWARDED);
    headers.remove(REAL_IP);
    strip_beginning(headers, &CLAIMS);
    for name in &settings.hidden_headers {
        headers.remove(name);
    }
    if hides_authorization || has_hidden_scheme(headers, &settings.hidden_schemes) {
        headers.remove(AUTHORIZATION);
    }
    cookies::hide(headers, &settings.hidden_cookies);
    set(headers, HOST, sender.authority);
    set(headers, HeaderName::from_static("x-forwarded-host"), sender.authority);
    set(headers, HeaderName::from_static("x-forwarded-for"), &sender.peer.to_string());
    set(headers, HeaderName::from_static("x-forwarded-proto"), if settings.is_tls { "https" } else { "http" });
}

/// The headers of an answer as the browser gets them. What it says itself of who may show it in a frame counts beside
/// `framed_by`: of several policies all must let it.
pub(crate) fn of_answer(headers: &mut HeaderMap, settings: &Settings, framed_by: Option<&'static str>) {
    let was_chunked = headers.contains_key(TRANSFER_ENCODING);
    strip_hop(headers);
    if was_chunked {
        // Of two lengths none is believed.
        headers.remove(CONTENT_LENGTH);
    }
    strip_beginning(headers, &CLAIMS[1..]);
    for name in OURS_TO_SAY.iter().chain(&settings.hidden_headers) {
        headers.remove(name);
    }
    cookies::confine(headers, &settings.hidden_cookies);
    if let Some(policy) = framed_by {
        headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
}

/// Whether a message asks to speak WebSocket from now on; no other protocol is spoken through here.
pub(crate) fn asks_for_websocket(headers: &HeaderMap) -> bool {
    let is_named = |name: &HeaderName, wanted: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(wanted))
    };
    is_named(&CONNECTION, "upgrade") && is_named(&UPGRADE, "websocket")
}

/// Says that WebSocket shall be spoken, or is.
pub(crate) fn ask_for_websocket(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

fn strip_hop(headers: &mut HeaderMap) {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> =
        values.flat_map(|value| value.split(',')).filter_map(|word| word.trim().parse().ok()).collect();
    // Nobody may have left out what says how long a body is, or for whom it is.
    let needed = [CONTENT_LENGTH, HOST];
    for name in named.iter().filter(|name| !needed.contains(name)).chain(&HOP) {
        headers.remove(name);
    }
}

fn strip_beginning(headers: &mut HeaderMap, beginnings: &[&str]) {
    let begins = |name: &HeaderName| beginnings.iter().any(|beginning| name.as_str().starts_with(beginning));
    let found: Vec<HeaderName> = headers.keys().filter(|name| begins(name)).cloned().collect();
    for name in &found {
        headers.remove(name);
    }
}

fn has_hidden_scheme(headers: &HeaderMap, schemes: &[String]) -> bool {
    headers.get_all(AUTHORIZATION).iter().any(|value| {
        let scheme = value.as_bytes().trim_ascii().split(|byte| *byte == b' ').next().unwrap_or_default();
        schemes.iter().any(|hidden| scheme.eq_ignore_ascii_case(hidden.as_bytes()))
    })
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // What is set is a name of a host that was read, an address, or a word.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Patience;

    fn settings() -> Settings {
        Settings {
            is_tls: true,
            session_cookie: "seat".to_owned(),
            ticket: "ticket".to_owned(),
            hidden_cookies: vec!["seat".to_owned()],
            hidden_headers: vec![HeaderName::from_static("x-access-token")],
            hidden_schemes: vec!["Pass".to_owned()],
            most_connections: 1,
            patience: Patience::default(),
        }
    }

    fn map(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    fn asked(pairs: &[(&str, &str)], hides_authorization: bool) -> HeaderMap {
        let mut headers = map(pairs);
        let sender = Sender { peer: "192.0.2.7".parse().unwrap(), authority: "a.localhost:81" };
        of_request(&mut headers, &sender, &settings(), hides_authorization);
        headers
    }

    #[test]
    fn the_other_side_learns_where_a_request_comes_from_and_no_secret() {
        let headers = asked(
            &[
                ("host", "evil"),
                ("accept", "*/*"),
                ("x-forwarded-for", "10.0.0.1"),
                ("x-forwarded-proto", "gopher"),
                ("x-forwarded-anything", "x"),
                ("forwarded", "for=10.0.0.1"),
                ("x-real-ip", "10.0.0.1"),
                ("x-pierhead-term", "7"),
                ("x-access-token", "ann:secret"),
                ("cookie", "seat=secret"),
                ("expect", "100-continue"),
                ("te", "trailers"),
                ("proxy-authorization", "x"),
            ],
            false,
        );
        assert_eq!(names(&headers), ["accept", "host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]);
        assert_eq!(headers["host"], "a.localhost:81");
        assert_eq!(headers["x-forwarded-for"], "192.0.2.7");
        assert_eq!(headers["x-forwarded-proto"], "https");
    }

    #[test]
    fn what_a_connection_names_ends_with_it_but_not_the_length() {
        let headers = asked(
            &[
                ("connection", "close, X-Secret-Hop,content-length"),
                ("connection", "host"),
                ("x-secret-hop", "1"),
                ("content-length", "3"),
                ("keep-alive", "timeout=5"),
                ("transfer-encoding", "chunked"),
                ("upgrade", "h2c"),
            ],
            false,
        );
        assert!(headers.contains_key("content-length") && headers.contains_key("host"));
        for gone in ["connection", "x-secret-hop", "keep-alive", "transfer-encoding", "upgrade"] {
            assert!(!headers.contains_key(gone), "{gone}");
        }
    }

    #[test]
    fn an_authorization_of_theirs_goes_on() {
        for (value, hides, stays) in [
            ("Basic x", false, true),
            ("Bearer theirs", false, true),
            ("Bearer ours", true, false),
            ("pass x", false, false),
            ("PASS  x", false, false),
        ] {
            assert_eq!(asked(&[("authorization", value)], hides).contains_key("authorization"), stays, "{value}");
        }
    }

    #[test]
    fn an_answer_says_nothing_for_others() {
        let mut headers = map(&[
            ("content-type", "text/html"),
            ("clear-site-data", "\"cookies\""),
            ("alt-svc", "h3=\":443\""),
            ("strict-transport-security", "max-age=1"),
            ("x-pierhead-refusal", "x"),
            ("x-forwarded-for", "x"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("content-length", "7"),
            ("set-cookie", "seat=x"),
            ("set-cookie", "a=b; Domain=localhost"),
        ]);
        of_answer(&mut headers, &settings(), None);
        assert_eq!(names(&headers), ["content-type", "set-cookie", "x-forwarded-for"]);
        assert_eq!(headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=b"]);
    }

    #[test]
    fn an_answer_says_who_may_frame_it_beside_what_its_program_says() {
        let mut headers = map(&[("content-security-policy", "default-src *; frame-ancestors *")]);
        of_answer(&mut headers, &settings(), Some("frame-ancestors 'self'"));
        let all: Vec<_> = headers.get_all("content-security-policy").iter().collect();
        assert_eq!(all, ["default-src *; frame-ancestors *", "frame-ancestors 'self'"]);
    }

    #[test]
    fn only_websocket_is_asked_for() {
        for (connection, upgrade, is_it) in [
            ("Upgrade", "websocket", true),
            ("keep-alive, upgrade", "WebSocket", true),
            ("keep-alive", "websocket", false),
            ("upgrade", "h2c", false),
            ("upgrade", "h2c, websocket", true),
        ] {
            let headers = map(&[("connection", connection), ("upgrade", upgrade)]);
            assert_eq!(asks_for_websocket(&headers), is_it, "{connection}: {upgrade}");
        }
    }
}
