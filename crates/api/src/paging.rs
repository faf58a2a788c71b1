//! Lists in parts, for who asks with `limit` or `cursor`: the one place for all lists. What follows is named by a
//! `Link` header; a list that nobody asks for in parts is not touched.

use crate::ApiError;
use crate::body::number;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LINK};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The most entries of one part.
pub(crate) const MOST: u64 = 1000;
/// How many there are in a part if only the cursor is given.
const USUAL: u64 = 100;

/// By what a list is ordered, and its entries told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the entries' ids.
    Id,
    /// By their names.
    Name,
    /// By the names of accounts.
    Username,
    /// By the names of their hosts.
    Host,
    /// The newest first; told apart by their ids.
    Newest,
    /// By the log, newest first, which finds the place of a cursor by itself.
    Log,
}

/// What of a list is wanted, for handlers that need not make all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The last entry that was seen.
    pub after: Option<String>,
    /// How many are wanted.
    pub limit: usize,
}

/// The place of an entry in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// When it was made, in lists that are ordered by that.
    moment: String,
    key: String,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    username: Cow<'a, str>,
    #[serde(borrow, default)]
    host: Cow<'a, str>,
    #[serde(borrow, default)]
    created_at: Cow<'a, str>,
}

/// Cuts the list that the routes behind this answer.
pub(crate) async fn page(State(order): State<Order>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let Some((part, cursor, rest)) = take(request.uri_mut())? else { return Ok(next.run(request).await) };
    let path = request.uri().path().to_owned();
    request.extensions_mut().insert(part.clone());
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let broken = |_| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "store_failed", "the list could not be read");
    let bytes = axum::body::to_bytes(body, usize::MAX).await.map_err(broken)?;
    let entries: Vec<&RawValue> = serde_json::from_slice(&bytes).expect("a list is a JSON array");
    let places: Vec<Place> = entries.iter().map(|entry| order.place(entry)).collect();
    let from = cursor.map_or(0, |cursor| order.after(&places, &cursor));
    let to = entries.len().min(from + part.limit);
    let text = entries[from..to].iter().map(|entry| entry.get()).collect::<Vec<_>>().join(",");
    if to < entries.len() && to > from {
        let link = format!("<{path}?{rest}limit={}&cursor={}>; rel=\"next\"", part.limit, places[to - 1].written());
        // The query was part of a URI, so it has nothing that a header may not have.
        parts.headers.extend(HeaderValue::from_str(&link).ok().map(|link| (LINK, link)));
    }
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(Response::from_parts(parts, Body::from(format!("[{text}]"))))
}

/// Takes `limit` and `cursor` out of a query; gives the rest of it, ready for more.
fn take(uri: &mut Uri) -> Result<Option<(Part, Option<Place>, String)>, ApiError> {
    let query = uri.query().unwrap_or_default().to_owned();
    let is_ours = |pair: &&str| ["limit", "cursor"].contains(&pair.split('=').next().unwrap_or_default());
    let pairs = || query.split('&').filter(|pair| !pair.is_empty());
    if !pairs().any(|pair| is_ours(&pair)) {
        return Ok(None);
    }
    let ours: Vec<&str> = pairs().filter(is_ours).collect();
    let given = |name: &'static str| -> Result<Option<String>, ApiError> {
        let mut found = ours.iter().filter(|pair| pair.split('=').next() == Some(name));
        let text = found.next().map(|pair| form_urlencoded::parse(pair.as_bytes()).map(|(_, value)| value).collect());
        if found.next().is_some() {
            return Err(ApiError::field(name, format!("{name} must be given once")));
        }
        Ok(text)
    };
    let limit = match number("limit", given("limit")?.as_deref(), MOST) {
        Ok(None) => USUAL,
        Ok(Some(limit)) if limit > 0 => limit,
        _ => return Err(ApiError::field("limit", format!("limit must be a whole number from 1 to {MOST}"))),
    };
    let cursor = given("cursor")?.filter(|text| !text.is_empty()).map(|text| Place::read(&text)).transpose()?;
    let rest: String = pairs().filter(|pair| !is_ours(pair)).map(|pair| format!("{pair}&")).collect();
    let target = match rest.trim_end_matches('&') {
        "" => uri.path().to_owned(),
        rest => format!("{}?{rest}", uri.path()),
    };
    *uri = target.parse().map_err(|_| ApiError::field("path", "the path must be UTF-8, escaped as in every URL"))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let after = cursor.as_ref().map(|place| place.key.clone());
    Ok(Some((Part { after, limit }, cursor, rest)))
}

impl Place {
    fn written(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}\n{}", self.moment, self.key))
    }

    fn read(text: &str) -> Result<Self, ApiError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let place = bytes.as_deref().and_then(|text| text.split_once('\n'));
        let (moment, key) = place
            .filter(|(_, key)| !key.is_empty() && !key.chars().any(char::is_control))
            .ok_or_else(|| ApiError::field("cursor", "cursor must be one that the Link header of a part gave"))?;
        Ok(Self { moment: moment.to_owned(), key: key.to_owned() })
    }
}

impl Order {
    fn place(self, entry: &RawValue) -> Place {
        let entry: Entry<'_> = serde_json::from_str(entry.get()).expect("an entry of a list is an object");
        let key = match self {
            Self::Id | Self::Newest | Self::Log => entry.id,
            Self::Name => entry.name,
            Self::Username => entry.username,
            Self::Host => entry.host,
        };
        let moment = if self == Self::Newest { entry.created_at.into_owned() } else { String::new() };
        Place { moment, key: key.into_owned() }
    }

    /// Where a list goes on after a place; if what was there is gone, where it was. Of those that were made in the same
    /// moment some may then come again, but none is left out.
    fn after(self, places: &[Place], cursor: &Place) -> usize {
        if self == Self::Log {
            return 0;
        }
        if let Some(at) = places.iter().position(|place| place.key == cursor.key) {
            return at + 1;
        }
        let is_later = |place: &Place| match self {
            Self::Newest => place.moment <= cursor.moment,
            _ => place.key > cursor.key,
        };
        places.iter().position(is_later).unwrap_or(places.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(of: &[(&str, &str)]) -> Vec<Place> {
        of.iter().map(|(moment, key)| Place { moment: (*moment).to_owned(), key: (*key).to_owned() }).collect()
    }

    #[test]
    fn a_list_goes_on_where_the_last_entry_was_even_if_it_is_gone() {
        let named = places(&[("", "a"), ("", "c"), ("", "e")]);
        for (seen, at) in [("a", 1), ("b", 1), ("c", 2), ("d", 2), ("e", 3), ("f", 3), ("Z", 0)] {
            assert_eq!(Order::Name.after(&named, &places(&[("", seen)])[0]), at, "{seen}");
        }
        let newest = places(&[("5", "v"), ("4", "x"), ("4", "b"), ("1", "z")]);
        for (moment, seen, at) in [("4", "x", 2), ("4", "gone", 1), ("3", "gone", 3), ("0", "gone", 4)] {
            assert_eq!(Order::Newest.after(&newest, &places(&[(moment, seen)])[0]), at, "{moment} {seen}");
        }
    }

    #[test]
    fn what_is_asked_is_taken_out_of_the_query() {
        let taken = |text: &str| {
            let mut uri: Uri = text.parse().unwrap();
            take(&mut uri).map(|taken| (taken, uri.to_string()))
        };
        assert_eq!(taken("/a?all=true").unwrap(), (None, "/a?all=true".to_owned()));
        let cursor = Place { moment: "m".to_owned(), key: "k".to_owned() };
        let asked = format!("/a?limit=7&all=true&cursor={}", cursor.written());
        let (found, uri) = taken(&asked).unwrap();
        let (part, place, rest) = found.unwrap();
        assert_eq!((part.limit, part.after.as_deref()), (7, Some("k")));
        assert_eq!((place, rest.as_str(), uri.as_str()), (Some(cursor), "all=true&", "/a?all=true"));
        assert_eq!(taken("/a?cursor=").unwrap().0.unwrap().0.limit, 100);
        for (bad, field) in [
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=x", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=!", "cursor"),
            ("cursor=YQ", "cursor"),
        ] {
            assert_eq!(taken(&format!("/a?{bad}")).unwrap_err().body.field.as_deref(), Some(field), "{bad}");
        }
    }
}
