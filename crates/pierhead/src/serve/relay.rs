//! The way to the other controllers' APIs, for terminals that live there.

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use pierhead_api::{Relay, RelayError};
use pierhead_client::{Addresses, Authority, Client, ClientError, LogStream, SocketEnd, TerminalSocket};
use pierhead_controller::Line;
use std::io;
use tokio::sync::mpsc;

/// How many frames may wait in each direction.
const WAITING: usize = 8;
/// The scheme of the header that a pass goes in.
const SCHEME: &str = "Pierhead-Pass";

/// Calls other controllers, whose certificates must be of the pool's own authority, or of one that the system trusts.
pub(super) struct Peers {
    authority: Option<Authority>,
}

impl Peers {
    /// With the certificate of the pool's authority, PEM, where controllers bear certificates of it.
    pub(super) fn new(ca_certificate: Option<&str>) -> Result<Self> {
        let authority = ca_certificate.map(Authority::from_pem);
        Ok(Self { authority: authority.transpose().context("the pool's authority")? })
    }

    fn client(&self, url: &str, pass: &str) -> Result<Client, RelayError> {
        let away = |error: ClientError| RelayError::Away(error.to_string());
        let addresses = Addresses::parse(url).map_err(away)?;
        let client = Client::trusting(addresses, Some(pass.to_owned()), self.authority.as_ref()).map_err(away)?;
        Ok(client.with_scheme(SCHEME))
    }
}

fn failed(error: ClientError) -> RelayError {
    match error {
        ClientError::Refused { status, body } => RelayError::Refused { status, body },
        error => RelayError::Away(error.to_string()),
    }
}

/// The id in the path of something about a terminal.
fn id_of(path: &str) -> &str {
    path.strip_prefix("/api/terminals/").and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

#[async_trait::async_trait]
impl Relay for Peers {
    async fn line(&self, url: &str, path: &str, pass: &str) -> Result<Line, RelayError> {
        let socket = self.client(url, pass)?.terminal_socket(id_of(path)).await.map_err(failed)?;
        let (to_home, from_viewer) = mpsc::channel(WAITING);
        let (to_viewer, from_home) = mpsc::channel(WAITING);
        tokio::spawn(carry(socket, from_viewer, to_viewer));
        Ok(Line { to_home, from_home })
    }

    async fn get(
        &self,
        url: &str,
        path: &str,
        pass: &str,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, RelayError> {
        let recording = self.client(url, pass)?.terminal_recording(id_of(path)).await.map_err(failed)?;
        let pieces = stream::unfold(Some(recording), |recording: Option<LogStream>| async move {
            let mut recording = recording?;
            match recording.next().await {
                Ok(Some(bytes)) => Some((Ok(Bytes::from(bytes)), Some(recording))),
                Ok(None) => None,
                Err(error) => Some((Err(io::Error::other(error.to_string())), None)),
            }
        });
        Ok(pieces.boxed())
    }
}

/// Between a viewer here and the socket there, until either goes.
async fn carry(
    mut socket: TerminalSocket,
    mut from_viewer: mpsc::Receiver<pierhead_terminal::Frame>,
    to_viewer: mpsc::Sender<pierhead_terminal::Frame>,
) {
    loop {
        tokio::select! {
            frame = from_viewer.recv() => match frame {
                Some(frame) => {
                    if socket.send(frame).await.is_err() {
                        return;
                    }
                }
                None => return socket.close().await,
            },
            // A viewer who takes nothing makes the other controller wait.
            permit = to_viewer.reserve() => {
                let Ok(permit) = permit else { return socket.close().await };
                tokio::select! {
                    frame = socket.next() => match frame {
                        Ok(frame) => permit.send(frame),
                        Err(SocketEnd::Closed(..) | SocketEnd::Broken(_)) => return,
                    },
                    frame = from_viewer.recv() => match frame {
                        Some(frame) => {
                            if socket.send(frame).await.is_err() {
                                return;
                            }
                        }
                        None => return socket.close().await,
                    },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_in_the_path() {
        assert_eq!(id_of("/api/terminals/abc/socket"), "abc");
        assert_eq!(id_of("/api/terminals/abc/recording"), "abc");
        assert_eq!(id_of("/elsewhere"), "");
    }
}
