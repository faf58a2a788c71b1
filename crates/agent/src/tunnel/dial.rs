//! The agent's call to a controller: one of its addresses, then TLS, each within its deadline.

use super::link::Controller;
use super::{PROTOCOL, SOCKET_BUFFER, Timing};
use crate::error::{AgentError, Result};
use rustls::ClientConfig;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A connection for a tunnel, on which both sides know each other.
pub(super) async fn dial(
    controller: &Controller,
    config: Arc<ClientConfig>,
    timing: &Timing,
) -> Result<TlsStream<TcpStream>> {
    call(controller, config, timing, PROTOCOL).await
}

/// A connection on which both sides speak a protocol.
pub(crate) async fn call(
    controller: &Controller,
    config: Arc<ClientConfig>,
    timing: &Timing,
    protocol: &[u8],
) -> Result<TlsStream<TcpStream>> {
    let address = &controller.address;
    let refused = |source| AgentError::Connect { address: address.clone(), source };
    let stream = within(address, "accept a connection", timing.connect, reach(address)).await?.map_err(refused)?;
    let handshake = TlsConnector::from(config).connect(controller.server_name.clone(), stream);
    let failed = |source| AgentError::Handshake { peer: address.clone(), source };
    let stream = within(address, "answer", timing.handshake, handshake).await?.map_err(failed)?;
    match stream.get_ref().1.alpn_protocol() {
        Some(spoken) if spoken == protocol => Ok(stream),
        _ => Err(failed(io::Error::other("it does not speak Pierhead's protocol"))),
    }
}

/// Whether a controller can be called with these certificates: a call that is ended at once.
///
/// # Errors
/// Says where it ends: at the address, at the deadline, or at the certificates. A controller that refuses ours may say
/// so only after this.
pub async fn try_call(controller: &Controller, config: Arc<ClientConfig>, timing: &Timing) -> Result<()> {
    dial(controller, config, timing).await.map(drop)
}

/// What comes of something in time.
pub(crate) async fn within<T>(
    peer: &str,
    what: &'static str,
    deadline: Duration,
    work: impl Future<Output = T>,
) -> Result<T> {
    tokio::time::timeout(deadline, work).await.map_err(|_| AgentError::TimedOut {
        peer: peer.to_owned(),
        what,
        milliseconds: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Tries the addresses of a name in turn; names are looked up each time, since addresses change.
async fn reach(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for candidate in lookup_host(address).await? {
        match open(candidate).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.set_nodelay(true)?;
    socket.connect(address).await
}
