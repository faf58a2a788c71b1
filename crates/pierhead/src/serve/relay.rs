//! The way to the other controllers' APIs, for terminals that live there.

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use pierhead_api::{Relay, RelayError};
use pierhead_client::{Addresses, Authority, Client, ClientError, LogStream, TerminalReceiver, TerminalSender};
use pierhead_controller::Line;
use pierhead_terminal::Frame;
use pierhead_wire::TerminalView;
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How many frames may wait in each direction.
const WAITING: usize = 8;
/// A controller that was silent for so long is gone: it asks thrice in that time whether somebody is there.
const SILENT: Duration = Duration::from_secs(60);
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long it may take to tell of terminals.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
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
        let (sender, receiver) = socket.split();
        tokio::spawn(carry(sender, receiver, from_viewer, to_viewer));
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

    async fn terminals(&self, url: &str, id: Option<&str>, pass: &str) -> Result<Vec<TerminalView>, RelayError> {
        let client = self.client(url, pass)?;
        let asked = async {
            match id {
                Some(id) => client.terminal(id).await.map(|told| vec![told.into_value()]),
                None => client.terminals(None).await.map(|told| told.into_value()),
            }
        };
        let late = || RelayError::Away("it does not answer in time".to_owned());
        timeout(TOLD_WITHIN, asked).await.map_err(|_| late())?.map_err(failed)
    }
}

/// Between a viewer here and the socket there, until either goes. A side that takes nothing makes the other one wait, in
/// its own direction only: what is printed must come though what is typed can go no further.
async fn carry(
    mut sender: TerminalSender,
    mut receiver: TerminalReceiver,
    mut from_viewer: mpsc::Receiver<Frame>,
    to_viewer: mpsc::Sender<Frame>,
) {
    let there = async {
        while let Some(frame) = from_viewer.recv().await {
            if sender.send(frame).await.is_err() {
                // What came until then is still told.
                return std::future::pending().await;
            }
        }
    };
    tokio::select! {
        () = there => {}
        () = back(&mut receiver, &to_viewer) => {}
        () = to_viewer.closed() => {}
    }
    // Whoever is gone already is not told.
    let _gone = timeout(FAREWELL, sender.close()).await;
}

/// From the socket to the viewer.
async fn back(receiver: &mut TerminalReceiver, to_viewer: &mpsc::Sender<Frame>) {
    while let Ok(permit) = to_viewer.reserve().await {
        let frame = loop {
            match timeout(LOOK, receiver.next()).await {
                Ok(frame) => break frame,
                Err(_) if receiver.silent_for() > SILENT => return,
                Err(_) => {}
            }
        };
        match frame {
            Ok(frame) => permit.send(frame),
            Err(_) => return,
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
