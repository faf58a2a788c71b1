//! The way to an engine that is not called at an address: whoever has one opens connections to it.

use async_trait::async_trait;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection on which an engine's API is spoken.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens connections to one engine, such as through a tunnel that its host has opened.
#[async_trait]
pub trait Dial: Send + Sync {
    /// A connection for one request. It must not wait for a host that is away.
    ///
    /// # Errors
    /// Says why there is no way now; the call counts as one of an engine that cannot be reached.
    async fn dial(&self) -> io::Result<Box<dyn Stream>>;

    /// Whether the other end is Pierhead's agent, which leaves out layers by itself.
    fn is_agent(&self) -> bool {
        false
    }
}
