//! What of a request has to do with the ports of a workspace's containers: which are in use, and a connection to one. Any
//! controller may ask, since nothing is changed.

use super::{Gate, TunnelBody, receive, talk, told_json};
use crate::allow::Access;
use crate::engine::BodyError;
use crate::forbid;
use crate::previews::Inside;
use crate::refusal::Refusal;
use hyper::body::{Body, Bytes};
use hyper::http::request::Parts;
use hyper::{Method, Response};

/// Where a connection to a port of a container is asked for: the two bodies are the two directions.
pub(crate) const DIAL: &str = "/pierhead/dial";
/// Where the ports are told that are in use in a container.
pub(crate) const PORTS: &str = "/pierhead/ports";

/// What may be asked of ports.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A connection to one.
    Dial(Inside, u16),
    /// All that are in use.
    Ports(Inside),
}

/// What a request asks of ports, if it is such a request.
pub(super) fn asked(head: &Parts) -> Option<Result<Asked, Refusal>> {
    match (&head.method, head.uri.path()) {
        (&Method::POST, DIAL) => Some(read(head.uri.query(), true)),
        (&Method::GET, PORTS) => Some(read(head.uri.query(), false)),
        _ => None,
    }
}

fn read(query: Option<&str>, with_port: bool) -> Result<Asked, Refusal> {
    let form = || {
        let port = if with_port { "&port=NUMBER" } else { "" };
        Refusal::malformed(format!("the query must be workspace=ID&container=ID{port}"))
    };
    let mut values = query.unwrap_or_default().split('&');
    let mut value = |name: &str| {
        values.next().and_then(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned).ok_or_else(form)
    };
    let inside = Inside::parse(&value("workspace")?, &value("container")?)?;
    let asked = match with_port {
        true => {
            let port = value("port")?;
            let is_plain = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| is_plain && *port != 0);
            Asked::Dial(inside, port.ok_or_else(|| Refusal::malformed("port must be from 1 to 65535"))?)
        }
        false => Asked::Ports(inside),
    };
    match values.next() {
        None => Ok(asked),
        Some(_) => Err(form()),
    }
}

impl Gate {
    pub(super) async fn preview<B>(&self, asked: Asked, head: &Parts, body: B) -> Result<Response<TunnelBody>, Refusal>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError> + Send,
    {
        self.terms.admit(Access::Read, &head.headers).await?;
        let (Asked::Dial(inside, _) | Asked::Ports(inside)) = &asked;
        forbid::check_container(&self.forbidden, &inside.container, &self.engine).await?;
        match asked {
            Asked::Dial(inside, port) => {
                let stream = inside.dial(&self.engine, port).await?;
                Ok(Response::new(talk::carry(stream, Bytes::new(), body)))
            }
            Asked::Ports(inside) => {
                receive::nothing(body).await?;
                Ok(told_json(&inside.listening(&self.engine).await?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    const ID: &str = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";

    fn asks(method: &str, target: &str) -> String {
        let target = target.replace("ID", ID);
        let (head, ()) = Request::builder().method(method).uri(target).body(()).unwrap().into_parts();
        match asked(&head) {
            None => "nothing".to_owned(),
            Some(Ok(Asked::Dial(inside, port))) => format!("{} {port}", inside.workspace),
            Some(Ok(Asked::Ports(inside))) => inside.workspace,
            Some(Err(refusal)) => refusal.code.to_owned(),
        }
    }

    #[test]
    fn what_is_asked_is_read_in_one_way() {
        for (method, target, expected) in [
            ("POST", "/pierhead/dial?workspace=ab2&container=ID&port=8000", "ab2 8000"),
            ("GET", "/pierhead/ports?workspace=ab2&container=ID", "ab2"),
            ("GET", "/pierhead/dial?workspace=ab2&container=ID&port=8000", "nothing"),
            ("POST", "/pierhead/ports?workspace=ab2&container=ID", "nothing"),
            ("POST", "/pierhead/dial/?workspace=ab2&container=ID&port=8000", "nothing"),
            ("POST", "/pierhead/dial", "malformed"),
            ("POST", "/pierhead/dial?workspace=ab2&container=ID", "malformed"),
            ("POST", "/pierhead/dial?container=ID&workspace=ab2&port=1", "malformed"),
            ("POST", "/pierhead/dial?workspace=ab2&container=ID&port=0", "malformed"),
            ("POST", "/pierhead/dial?workspace=ab2&container=ID&port=+1", "malformed"),
            ("POST", "/pierhead/dial?workspace=ab2&container=ID&port=65536", "malformed"),
            ("POST", "/pierhead/dial?workspace=ab2&container=ID&port=1&port=2", "malformed"),
            ("POST", "/pierhead/dial?workspace=ab2&container=ID&port=1&host=169.254.169.254", "malformed"),
            ("POST", "/pierhead/dial?workspace=ab2&container=../ID&port=1", "malformed"),
            ("POST", "/pierhead/dial?workspace=a%62&container=ID&port=1", "malformed"),
            ("GET", "/pierhead/ports?workspace=ab2&container=ID&port=1", "malformed"),
            ("GET", "/pierhead/ports?workspace=ab2&container=web", "malformed"),
        ] {
            assert_eq!(asks(method, target), expected, "{method} {target}");
        }
    }
}
