//! Connections on which TLS is agreed. However slowly some agree, others never wait for them.

use super::answer::hurry;
use axum::serve::Listener;
use rustls::ServerConfig;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// How many handshakes are under way at most; one more ends the oldest.
const MOST_HANDSHAKES: usize = 1024;
/// How many connections wait at most until they are served.
const MOST_WAITING: usize = 64;
/// The pause after the system had no connection to give, as when all files are in use.
const PAUSE: Duration = Duration::from_millis(200);

type Agreed = (TlsStream<TcpStream>, SocketAddr);

/// A listener whose connections speak TLS.
pub(super) struct TlsListener {
    agreed: mpsc::Receiver<Agreed>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl TlsListener {
    pub(super) fn new(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<Self> {
        Self::limited(listener, config, HANDSHAKE_LIMIT, MOST_HANDSHAKES)
    }

    fn limited(listener: TcpListener, config: Arc<ServerConfig>, limit: Duration, most: usize) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (agree, agreed) = mpsc::channel(MOST_WAITING);
        let handshakes = Handshakes { acceptor: TlsAcceptor::from(config), agree, limit, most };
        let accepting = tokio::spawn(handshakes.accept(listener));
        Ok(Self { agreed, address, accepting })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Agreed {
        match self.agreed.recv().await {
            Some(agreed) => agreed,
            // Nobody accepts any more: the program ends.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

struct Handshakes {
    acceptor: TlsAcceptor,
    agree: mpsc::Sender<Agreed>,
    limit: Duration,
    most: usize,
}

impl Handshakes {
    async fn accept(self, listener: TcpListener) {
        let mut under_way = JoinSet::new();
        let mut oldest_first = VecDeque::new();
        loop {
            let (stream, address) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        pause_after(&error).await;
                        continue;
                    }
                },
                Some(_) = under_way.join_next() => continue,
            };
            hurry(&stream);
            oldest_first.retain(|handshake: &tokio::task::AbortHandle| !handshake.is_finished());
            if oldest_first.len() >= self.most
                && let Some(oldest) = oldest_first.pop_front()
            {
                oldest.abort();
            }
            oldest_first.push_back(under_way.spawn(self.handshake(stream, address)));
        }
    }

    fn handshake(&self, stream: TcpStream, address: SocketAddr) -> impl Future<Output = ()> + Send + 'static {
        let (accepting, agree, limit) = (self.acceptor.accept(stream), self.agree.clone(), self.limit);
        async move {
            match tokio::time::timeout(limit, accepting).await {
                // An error means that the program ends.
                Ok(Ok(stream)) => drop(agree.send((stream, address)).await),
                Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS was agreed"),
                Err(_) => tracing::debug!(%address, "no TLS was agreed in time"),
            }
        }
    }
}

/// A connection that was lost before it was taken is nobody's business; anything else may last.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection can be taken");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
