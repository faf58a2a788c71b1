//! What a request must be before anybody is asked about it, and what it tells of who sent it.

use crate::headers::asks_for_websocket;
use crate::resolve::Refusal;
use crate::{Settings, cookies};
use hyper::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN, REFERER};
use hyper::{HeaderMap, Method, Request, Uri, Version};

/// The longest name of a host, in bytes.
const LONGEST_HOST: usize = 253;
/// How many session cookies are looked at.
const MOST_SESSIONS: usize = 4;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// What browsers send with a page that they go to or show in a frame, and no page can send to another host unasked.
const GOES_THERE: HeaderName = HeaderName::from_static("upgrade-insecure-requests");

/// The policy that lets a page be shown in frames of its own host only.
const OWN_FRAMES: &str = "frame-ancestors 'self'";

/// The page that made a browser send a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comes {
    /// One of the same host; or somebody who follows a link, or is no browser.
    Own,
    /// One of the host of this name.
    Other(String),
    /// One that does not say of which host it is, but of another.
    Hidden,
}

/// A request that is one.
pub(crate) struct Read {
    /// Name and port as they came, in small letters.
    pub authority: String,
    pub sessions: Vec<String>,
    pub ticket: Option<String>,
    pub bearer: Option<String>,
    pub comes: Comes,
    pub is_websocket: bool,
    pub is_change: bool,
    /// The policy with which the answer says which pages may show it in a frame.
    pub framed_by: Option<&'static str>,
    /// Path and query without the ticket.
    pub target: String,
}

impl Read {
    /// Reads the head of a request.
    pub fn of<B>(head: &Request<B>, settings: &Settings) -> Result<Self, Refusal> {
        if [Method::CONNECT, Method::TRACE].contains(head.method()) {
            return Err(Refusal::method());
        }
        if head.headers().get_all(AUTHORIZATION).iter().count() > 1 {
            return Err(Refusal::malformed(
                "It must have at most one header Authorization.",
                "最多只能有一个 Authorization 头。",
            ));
        }
        let authority = authority(head.headers())?;
        let (target, ticket) = target(head.uri(), &settings.ticket)?;
        let sessions = cookies::of(head.headers(), &settings.session_cookie).take(MOST_SESSIONS).collect();
        let comes = comes(head, &authority);
        // Whoever is sent elsewhere must not lose what they wanted to send.
        let ticket = ticket.filter(|_| head.method() == Method::GET);
        let is_websocket =
            head.method() == Method::GET && head.version() == Version::HTTP_11 && asks_for_websocket(head.headers());
        let only_looks = [Method::GET, Method::HEAD, Method::OPTIONS].contains(head.method());
        Ok(Self {
            sessions,
            ticket,
            bearer: bearer(head.headers()),
            framed_by: framed_by(head.headers()),
            comes,
            is_websocket,
            is_change: is_websocket || !only_looks,
            target,
            authority,
        })
    }

    /// The name of the host.
    pub fn host(&self) -> &str {
        host_of(&self.authority)
    }
}

/// What stands in the one header `Host`. Whatever else might be taken for the host's name, by anybody on the way, is
/// refused.
fn authority(headers: &HeaderMap) -> Result<String, Refusal> {
    let bad = || {
        Refusal::malformed(
            "It must have one header Host: a name, and a port if there is one.",
            "必须有且仅有一个 Host 头：主机名，以及可选的端口。",
        )
    };
    let mut all = headers.get_all(HOST).iter();
    let (Some(host), None) = (all.next(), all.next()) else { return Err(bad()) };
    let host = host.to_str().map_err(|_| bad())?.to_ascii_lowercase();
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host.as_str(), None),
    };
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(plain)
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_good = name.len() <= LONGEST_HOST && name.split('.').all(is_label) && port.is_none_or(is_port);
    if is_good { Ok(host) } else { Err(bad()) }
}

fn host_of(authority: &str) -> &str {
    authority.split(':').next().unwrap_or_default()
}

/// Path and query without the tickets in it, and the first of these.
fn target(uri: &Uri, parameter: &str) -> Result<(String, Option<String>), Refusal> {
    if uri.scheme().is_some() || uri.authority().is_some() || !uri.path().starts_with('/') {
        return Err(Refusal::malformed(
            "Its first line must have a path, and not a whole address.",
            "请求行中必须是路径，而不是完整的地址。",
        ));
    }
    let mut ticket = None;
    let mut rest = Vec::new();
    for pair in uri.query().unwrap_or_default().split('&') {
        match pair.strip_prefix(parameter).and_then(|value| value.strip_prefix('=')) {
            Some(value) => drop(ticket.get_or_insert_with(|| value.to_owned())),
            None => rest.push(pair),
        }
    }
    let query = rest.join("&");
    let target = match uri.query() {
        Some(_) if ticket.is_none() || !query.is_empty() => format!("{}?{query}", uri.path()),
        _ => uri.path().to_owned(),
    };
    Ok((target, ticket))
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Where a request comes from, by what no page can make a browser leave out or change.
fn comes<B>(head: &Request<B>, authority: &str) -> Comes {
    let text = |name: &HeaderName| head.headers().get(name).and_then(|value| value.to_str().ok());
    let mut origins = head.headers().get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => {}
        (Some(origin), None) => return page(origin.to_str().unwrap_or_default(), authority),
        (Some(_), Some(_)) => return Comes::Hidden,
    }
    let looks = [Method::GET, Method::HEAD].contains(head.method());
    match (text(&FETCH_SITE), text(&REFERER)) {
        (Some("same-origin" | "none"), _) => Comes::Own,
        // A link that somebody follows, and not a frame in a page of another.
        (Some(_), _) if looks && text(&FETCH_MODE) == Some("navigate") && text(&FETCH_DEST) == Some("document") => {
            Comes::Own
        }
        (Some(_), Some(referer)) => page(referer, authority),
        (Some(_), None) => Comes::Hidden,
        // Where there is no TLS browsers say no more than this. Frames of others are kept from being shown by the answer.
        (None, Some(referer)) if !(looks && head.headers().contains_key(GOES_THERE)) => page(referer, authority),
        (None, _) => Comes::Own,
    }
}

/// Which pages may show the answer in a frame, if that has to be said. Where the browser tells that it is for a frame that
/// was let, or for no page at all, it has not.
fn framed_by(headers: &HeaderMap) -> Option<&'static str> {
    let is_page = headers.get(FETCH_DEST).is_none_or(|destination| destination == "document");
    is_page.then_some(OWN_FRAMES)
}

/// The page at an address, of which the rest behind the host says nothing.
fn page(address: &str, own: &str) -> Comes {
    let Some((_, rest)) = address.split_once("://") else { return Comes::Hidden };
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    if place == own {
        return Comes::Own;
    }
    let host = host_of(&place);
    if host.is_empty() || place.contains('@') { Comes::Hidden } else { Comes::Other(host.to_owned()) }
}

#[cfg(test)]
mod tests;
