//! The controller's side of a request for a certificate.

use super::{Ask, LONGEST, Reply};
use crate::error::{AgentError, Result};
use crate::tunnel::within;
use rustls::pki_types::CertificateDer;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A host that asks for a certificate and waits for the answer.
#[derive(Debug)]
pub struct Joining {
    /// What it asks for. Nothing of it is checked.
    pub ask: Ask,
    /// The certificate that it has shown; of the pool's authority and still good, if there is one.
    pub peer: Option<CertificateDer<'static>>,
    /// Where it calls from.
    pub from: SocketAddr,
    stream: TlsStream<TcpStream>,
}

impl Joining {
    pub(crate) async fn read(
        mut stream: TlsStream<TcpStream>,
        peer: Option<CertificateDer<'static>>,
        from: SocketAddr,
        patience: Duration,
    ) -> Result<Self> {
        let mut line = Vec::new();
        let mut limited = BufReader::new((&mut stream).take(LONGEST));
        let read = within(&from.to_string(), "ask", patience, limited.read_until(b'\n', &mut line)).await?;
        read.map_err(|error| AgentError::Broken(error.into()))?;
        // Nothing of what came is repeated: it may hold a secret.
        let unread = || AgentError::Broken(io::Error::other("it asks for nothing that can be read").into());
        let ask = serde_json::from_slice(&line).map_err(|_| unread())?;
        Ok(Self { ask, peer, from, stream })
    }

    /// Answers, and ends the connection.
    ///
    /// # Errors
    /// The connection broke: whether the host has the answer is not known.
    pub async fn answer(mut self, reply: &Reply, patience: Duration) -> Result<()> {
        let broken = |error: io::Error| AgentError::Broken(error.into());
        let mut line = serde_json::to_vec(reply).map_err(|error| AgentError::Broken(error.into()))?;
        line.push(b'\n');
        let told = async {
            self.stream.write_all(&line).await?;
            self.stream.shutdown().await
        };
        within(&self.from.to_string(), "take the answer", patience, told).await?.map_err(broken)
    }
}
