//! What of a request has to do with terminals. They are opened by the leader. Whoever comes, looks or ends one may come
//! through any controller: which one it is makes no difference to a terminal that there is once.

use super::{Gate, TALK, TunnelBody, receive, talk, told, told_json};
use crate::allow::Access;
use crate::engine::BodyError;
use crate::forbid::{self, Forbid};
use crate::refusal::Refusal;
use crate::terminals::{Ending, Granting, LiveTerminals, Opening, Terminals, Visiting, is_id, pictures};
use futures_util::stream::{self, Stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Bytes, Frame};
use hyper::http::request::Parts;
use hyper::{Method, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Where terminals are opened, and told of.
pub(crate) const TERMINALS: &str = "/pierhead/terminals";
/// The least time between two lists of terminals that are told.
const BETWEEN_LISTS: Duration = Duration::from_millis(100);

/// What may be asked of terminals.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// How it stands with all of them, again and again.
    Watch,
    /// A new one.
    Open,
    /// The end of one.
    End(&'a str),
    /// What an account may do at one from now on.
    Grant(&'a str),
    /// A viewer's line to one.
    Join(&'a str),
    /// What was recorded of one.
    Recording(&'a str),
    /// Small pictures of some, again and again.
    Pictures,
}

/// What a request asks of terminals, if it is such a request.
pub(super) fn asked(head: &Parts) -> Option<Asked<'_>> {
    let rest = head.uri.path().strip_prefix(TERMINALS).filter(|_| head.uri.query().is_none())?;
    let rest = match (&head.method, rest.strip_prefix('/')) {
        (&Method::GET, None) if rest.is_empty() => return Some(Asked::Watch),
        (&Method::POST, None) if rest.is_empty() => return Some(Asked::Open),
        (&Method::POST, Some("pictures")) => return Some(Asked::Pictures),
        (_, rest) => rest?,
    };
    match (&head.method, rest.split_once('/')) {
        (&Method::POST, Some((id, "end"))) if is_id(id) => Some(Asked::End(id)),
        (&Method::POST, Some((id, "grant"))) if is_id(id) => Some(Asked::Grant(id)),
        (&Method::POST, Some((id, "join"))) if is_id(id) => Some(Asked::Join(id)),
        (&Method::GET, Some((id, "recording"))) if is_id(id) => Some(Asked::Recording(id)),
        _ => None,
    }
}

impl Gate {
    pub(super) async fn terminal<B>(
        &self,
        asked: Asked<'_>,
        head: &Parts,
        mut body: B,
    ) -> Result<Response<TunnelBody>, Refusal>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError> + Send,
    {
        let none = || Refusal::not_allowed("this host keeps no terminals");
        let terminals = self.terminals.as_ref().ok_or_else(none)?;
        let access = match asked {
            Asked::Open => Access::Change,
            Asked::Watch | Asked::End(_) | Asked::Grant(_) | Asked::Join(_) | Asked::Recording(_) | Asked::Pictures => {
                Access::Read
            }
        };
        self.terms.admit(access, &head.headers).await?;
        match asked {
            Asked::Join(id) => {
                let length = talk::json_length(&head.headers)?
                    .ok_or_else(|| Refusal::malformed(format!("a line needs the header {TALK}")))?;
                let (json, first) = receive::exactly(&mut body, length).await?;
                let frames = terminals.join(id, Visiting::parse(&json)?)?.run(first, body);
                return Ok(Response::new(StreamBody::new(frames).boxed_unsync()));
            }
            Asked::Pictures => return Ok(told(StreamBody::new(pictures::run(terminals, body)).boxed_unsync())),
            Asked::Open => self.open_terminal(terminals, &receive::json(body).await?).await?,
            Asked::End(id) => {
                let Ending { reason } = Ending::parse(&receive::json(body).await?)?;
                terminals.end(id, &reason).await?;
            }
            Asked::Grant(id) => {
                let Granting { username, role } = Granting::parse(&receive::json(body).await?)?;
                terminals.grant(id, &username, role)?;
            }
            Asked::Watch => {
                receive::nothing(body).await?;
                return Ok(told(StreamBody::new(lists(terminals)).boxed_unsync()));
            }
            Asked::Recording(id) => {
                receive::nothing(body).await?;
                let pieces = terminals.recording(id)?.into_iter().map(|piece| Ok(Frame::data(piece)));
                return Ok(Response::new(StreamBody::new(stream::iter(pieces)).boxed_unsync()));
            }
        }
        Ok(told_json(&()))
    }

    async fn open_terminal(&self, terminals: &Arc<Terminals>, json: &[u8]) -> Result<(), Refusal> {
        let opening = Opening::parse(json)?;
        if self.forbidden.contains(&Forbid::Terminals) {
            return Err(forbid::refused(Forbid::Terminals));
        }
        forbid::check_container(&self.forbidden, &opening.container, &self.engine).await?;
        terminals.begin(opening).await
    }
}

/// All terminals at first and after each change, each time as one line of JSON.
fn lists(terminals: &Arc<Terminals>) -> impl Stream<Item = Result<Frame<Bytes>, BodyError>> + Send + use<> {
    let state = (Arc::clone(terminals), terminals.changes(), true);
    stream::unfold(state, |(terminals, mut changes, is_first)| async move {
        if !is_first {
            next_change(&mut changes).await?;
        }
        changes.mark_unchanged();
        Some((Ok(Frame::data(line(&terminals.live()))), (terminals, changes, false)))
    })
}

/// Waits for a change and for what comes right after it; nothing if there will be none.
async fn next_change(changes: &mut watch::Receiver<u64>) -> Option<()> {
    tokio::time::sleep(BETWEEN_LISTS).await;
    changes.changed().await.ok()
}

fn line(live: &LiveTerminals) -> Bytes {
    let mut line = serde_json::to_vec(live).unwrap_or_default();
    line.push(b'\n');
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn asks(method: &str, target: &str) -> String {
        let (head, ()) = Request::builder().method(method).uri(target).body(()).unwrap().into_parts();
        asked(&head).map_or_else(|| "nothing".to_owned(), |asked| format!("{asked:?}"))
    }

    #[test]
    fn what_is_asked_is_read_in_one_way() {
        for (method, target, expected) in [
            ("GET", "/pierhead/terminals", "Watch"),
            ("POST", "/pierhead/terminals", "Open"),
            ("POST", "/pierhead/terminals/t-1/end", "End(\"t-1\")"),
            ("POST", "/pierhead/terminals/t-1/grant", "Grant(\"t-1\")"),
            ("POST", "/pierhead/terminals/t-1/join", "Join(\"t-1\")"),
            ("GET", "/pierhead/terminals/t-1/recording", "Recording(\"t-1\")"),
            ("POST", "/pierhead/terminals/pictures", "Pictures"),
            ("GET", "/pierhead/terminals/pictures", "nothing"),
            ("POST", "/pierhead/terminals/pictures/x", "nothing"),
            ("GET", "/pierhead/terminals/", "nothing"),
            ("GET", "/pierhead/terminals?x=1", "nothing"),
            ("GET", "/pierhead/terminalsx", "nothing"),
            ("PUT", "/pierhead/terminals", "nothing"),
            ("GET", "/pierhead/terminals/t-1", "nothing"),
            ("DELETE", "/pierhead/terminals/t-1", "nothing"),
            ("POST", "/pierhead/terminals/../end", "nothing"),
            ("GET", "/pierhead/terminals/t-1/end", "nothing"),
            ("POST", "/pierhead/terminals/t%2d1/join", "nothing"),
            ("POST", "/pierhead/terminals/t-1/join/x", "nothing"),
            ("POST", "/pierhead/terminals//join", "nothing"),
        ] {
            assert_eq!(asks(method, target), expected, "{method} {target}");
        }
    }
}
