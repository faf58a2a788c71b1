//! Events: which are asked for, and how they come one after another.

use crate::ClientError;
use crate::connection::Response;
use crate::error::root_cause;
use crate::transport::Call;
use pierhead_wire::EventView;
use std::collections::VecDeque;

/// Which events are asked for; what is absent is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// The most; 100 if absent. A feed has no end.
    pub count: Option<u32>,
    /// The type.
    pub kind: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// The id of an engine.
    pub engine: Option<String>,
    /// The id or name of a container.
    pub container: Option<String>,
    /// An app.
    pub app: Option<String>,
    /// An account.
    pub actor: Option<String>,
    /// After the event of this id, or from this moment on (RFC 3339).
    pub since: Option<String>,
    /// The last moment (RFC 3339).
    pub until: Option<String>,
}

impl EventQuery {
    pub(crate) fn on(&self, call: Call) -> Call {
        call.query_if("type", self.kind.as_ref())
            .query_if("tag", self.tag.as_ref())
            .query_if("engine", self.engine.as_ref())
            .query_if("container", self.container.as_ref())
            .query_if("app", self.app.as_ref())
            .query_if("actor", self.actor.as_ref())
            .query_if("since", self.since.as_ref())
            .query_if("until", self.until.as_ref())
    }
}

/// Events as they come. Dropping it ends it.
#[derive(Debug)]
pub struct EventFeed {
    response: Response,
    frames: Frames,
}

impl EventFeed {
    pub(crate) fn new(response: Response) -> Self {
        Self { response, frames: Frames::default() }
    }

    /// The next event, as JSON and read; `None` at the end. May be dropped without losing any.
    ///
    /// # Errors
    /// [`ClientError::ReadLog`] if the connection is lost, [`ClientError::ReadAnswer`] if it is no event.
    pub async fn next(&mut self) -> Result<Option<(String, EventView)>, ClientError> {
        loop {
            if let Some(json) = self.frames.next() {
                let event = serde_json::from_str(&json).map_err(|error| ClientError::ReadAnswer {
                    url: self.response.url.to_string(),
                    why: error.to_string(),
                })?;
                return Ok(Some((json, event)));
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.frames.feed(&bytes),
                Ok(None) => return Ok(None),
                Err(error) => return Err(ClientError::ReadLog { why: root_cause(&error) }),
            }
        }
    }
}

/// Cuts server-sent events out of pieces of text, wherever those end.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    line: Vec<u8>,
    data: String,
    ready: VecDeque<String>,
}

impl Frames {
    /// The data of the next frame that is whole.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.ready.pop_front()
    }

    /// Takes the next piece.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = String::from_utf8_lossy(&self.line).trim_end_matches('\r').to_owned();
            self.line.clear();
            if line.is_empty() {
                if !self.data.is_empty() {
                    self.ready.push_back(std::mem::take(&mut self.data));
                }
            } else if let Some(data) = line.strip_prefix("data:") {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_may_come_in_any_pieces() {
        let text =
            ": open\n\nid: 1\ndata: {\"a\":\"\u{fc}\"}\n\n: still here\n\nid: 2\r\ndata: {\r\ndata:}\r\n\r\ndata: half";
        for size in 1..text.len() {
            let mut frames = Frames::default();
            text.as_bytes().chunks(size).for_each(|piece| frames.feed(piece));
            assert_eq!(frames.ready, ["{\"a\":\"\u{fc}\"}", "{\n}"], "in pieces of {size}");
        }
    }
}
