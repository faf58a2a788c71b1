//! An image on its way out without the layers that its destination has: they are left out here, so that they never
//! travel. What is asked of the engine for it is on the list like everything else.

use super::{Gate, TunnelBody, hand_on, made, unreachable, with_connection};
use crate::allow;
use crate::engine::Answer;
use crate::refusal::Refusal;
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Response, StatusCode, Uri};
use pierhead_engine::{LeaveOut, sieve};
use std::io;

/// Before and after the image's name in the path of such a request.
const PATH: (&str, &str) = ("/pierhead/images/", "/archive");
/// The longest description of an image that is read, in bytes.
const LONGEST: usize = 4 << 20;

/// The image that a request is about, if it is such a request.
pub(super) fn asked(head: &Parts) -> Option<&str> {
    let path = head.uri.path().strip_prefix(PATH.0)?.strip_suffix(PATH.1)?;
    (head.method == Method::GET).then_some(path)
}

/// The chain of layers in a request's query: what the destination has.
fn chain(query: Option<&str>) -> Result<&str, Refusal> {
    let digits = query.and_then(|query| query.strip_prefix("have=sha256:")).unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    match digits.len() == 64 && digits.bytes().all(is_digit) {
        true => Ok(&query.unwrap_or_default()["have=".len()..]),
        false => Err(Refusal::malformed("the query must be have=sha256: and 64 hexadecimal digits, a chain of layers")),
    }
}

impl Gate {
    /// An image's archive without the layers of a chain.
    pub(super) async fn archive_without(&self, image: &str, head: &Parts) -> Result<Response<TunnelBody>, Refusal> {
        let chain = chain(head.uri.query())?;
        let described = self.ask(image, "json", &head.headers).await?;
        if !described.response.status().is_success() {
            return Ok(hand_on(described));
        }
        let layers = layers(described).await?;
        let leave_out = LeaveOut::up_to(&layers, chain).ok_or_else(|| {
            let message = format!("the image has no layers that end with the chain {chain}");
            Refusal::new(StatusCode::CONFLICT, "no_such_chain", message)
        })?;
        let Answer { response, connection } = self.ask(image, "get", &head.headers).await?;
        if !response.status().is_success() {
            return Ok(hand_on(Answer { response, connection }));
        }
        let pieces = with_connection(response.into_body(), connection).into_data_stream().map_err(io::Error::other);
        let kept = sieve(pieces, leave_out).map(|piece| piece.map(Frame::data).map_err(Into::into));
        let mut answer = Response::new(StreamBody::new(kept).boxed_unsync());
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
        Ok(answer)
    }

    async fn ask(&self, image: &str, what: &str, headers: &HeaderMap) -> Result<Answer, Refusal> {
        let target = format!("/images/{image}/{what}").parse::<Uri>();
        let target = target.map_err(|_| Refusal::malformed("the name of the image"))?;
        let allowed = allow::decide(&Method::GET, &target, &HeaderMap::new())?;
        self.terms.admit(allowed.rule.access, headers).await?;
        let request = made(&allowed, None, Full::<Bytes>::default())?;
        self.engine.send(request).await.map_err(|error| unreachable(&error))
    }
}

/// The layers in the description of an image, the lowest first.
async fn layers(described: Answer) -> Result<Vec<String>, Refusal> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Described {
        #[serde(rename = "RootFS")]
        root: Root,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Root {
        #[serde(default)]
        layers: Vec<String>,
    }
    let unreadable = |why: String| {
        Refusal::new(StatusCode::BAD_GATEWAY, "engine_away", format!("the engine's description of the image: {why}"))
    };
    let Answer { response, connection } = described;
    let body = Limited::new(response.into_body(), LONGEST).collect().await;
    drop(connection);
    let body = body.map_err(|error| unreadable(error.to_string()))?.to_bytes();
    let described: Described = serde_json::from_slice(&body).map_err(|error| unreadable(error.to_string()))?;
    Ok(described.root.layers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn head(method: &str, target: &str) -> Parts {
        Request::builder().method(method).uri(target).body(()).unwrap().into_parts().0
    }

    #[test]
    fn which_requests_are_about_an_image() {
        for (method, target, expected) in [
            ("GET", "/pierhead/images/shop:1/archive?have=x", Some("shop:1")),
            ("GET", "/pierhead/images/registry.lan:5000/team/shop:1/archive", Some("registry.lan:5000/team/shop:1")),
            ("POST", "/pierhead/images/shop:1/archive", None),
            ("GET", "/pierhead/images/shop:1/json", None),
            ("GET", "/images/shop:1/archive", None),
        ] {
            assert_eq!(asked(&head(method, target)), expected, "{method} {target}");
        }
    }

    #[test]
    fn a_chain_is_a_digest() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(chain(Some(&format!("have={digest}"))).unwrap(), digest);
        let upper = format!("have=sha256:{}", "0F".repeat(32));
        let more = format!("have={digest}&x=1");
        for bad in [None, Some(""), Some("have="), Some("have=sha256:12"), Some(upper.as_str()), Some(more.as_str())] {
            assert_eq!(chain(bad).unwrap_err().code, "malformed", "{bad:?}");
        }
    }
}
