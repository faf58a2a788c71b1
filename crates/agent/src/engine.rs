//! The way to this host's engine: one connection over its socket for each request.
//!
//! Connections are not kept: one that the engine closed meanwhile would make a call fail whose outcome nobody knows.

use crate::error::{AgentError, Result};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

/// Why a body broke off.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// How long an engine may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The pause before it is tried again where too many connect at once.
const PAUSE: Duration = Duration::from_millis(5);
/// The most that is read of an answer ahead of whoever takes it, in bytes.
const AHEAD: usize = 64 * 1024;

/// An engine's socket.
#[derive(Debug, Clone)]
pub(crate) struct EngineSocket {
    path: PathBuf,
}

/// An answer, and what closes its connection when dropped.
pub(crate) struct Answer {
    pub(crate) response: Response<Incoming>,
    pub(crate) connection: Connection,
}

/// Closes a connection to the engine when dropped, unless it was upgraded.
pub(crate) struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl EngineSocket {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Sends a request. Dropping the future closes the connection.
    pub(crate) async fn send<B>(&self, mut request: Request<B>) -> Result<Answer>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let failed = |source: BodyError| AgentError::Engine { socket: self.path.clone(), source };
        let connected = tokio::time::timeout(CONNECT, connect(&self.path)).await;
        let stream = connected.map_err(|late| failed(late.into()))?.map_err(|error| failed(error.into()))?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(AHEAD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(error.into()))?;
        let connection = Connection(tokio::spawn(async move {
            // How it ended is seen by whoever reads the answer.
            let _ended = connection.with_upgrades().await;
        }));
        request.headers_mut().insert(HOST, HeaderValue::from_static("engine"));
        let response = sender.send_request(request).await.map_err(|error| failed(error.into()))?;
        Ok(Answer { response, connection })
    }
}

/// A connection to a socket, once there is room in its queue: a full one refuses at once.
async fn connect(path: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(PAUSE).await,
            connected => return connected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{UnixListener, UnixSocket};

    #[tokio::test]
    async fn a_full_queue_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind(&path).unwrap();
        let listener: UnixListener = socket.listen(1).unwrap();
        let _first = (UnixStream::connect(&path).await.unwrap(), UnixStream::connect(&path).await.unwrap());
        let refused = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock, "it is full");
        let more = tokio::spawn(async move { connect(&path).await });
        tokio::task::yield_now().await;
        let accepted = (listener.accept().await.unwrap(), listener.accept().await.unwrap());
        assert!(tokio::time::timeout(Duration::from_secs(60), more).await.unwrap().unwrap().is_ok());
        drop(accepted);
    }
}
