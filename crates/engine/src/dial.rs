//! The way to an engine that is not called at an address: whoever has one opens connections to it.

use async_trait::async_trait;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection on which an engine's API is spoken.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What came of the wish to talk.
pub enum Talk {
    /// Both sides talk.
    Open(Box<dyn Stream>),
    /// The agent or the engine refused: the status, and the body of the answer.
    Refused(u16, Vec<u8>),
}

/// Opens connections to one engine, such as through a tunnel that its host has opened.
#[async_trait]
pub trait Dial: Send + Sync {
    /// A connection for one request. It must not wait for a host that is away.
    ///
    /// # Errors
    /// Says why there is no way now; the call counts as one of an engine that cannot be reached.
    async fn dial(&self) -> io::Result<Box<dyn Stream>>;

    /// Both directions of a process in a container, begun with a request of this path and JSON. Only asked of an agent.
    ///
    /// # Errors
    /// As of [`Dial::dial`].
    async fn talk(&self, path: &str, json: &[u8]) -> io::Result<Talk> {
        let (_, _) = (path, json);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Whether the other end is Pierhead's agent, which leaves out layers by itself.
    fn is_agent(&self) -> bool {
        false
    }
}
