//! The controller's end of the terminals that live in an agent: opened, joined, told of, ended.

use super::{Tunnel, WAITING, broken, parse};
use crate::engine::BodyError;
use crate::error::Result;
use crate::gate::{TALK, TERMINALS};
use crate::term::TERM;
use crate::terminals::pictures::{Painted, Wanting};
use crate::terminals::{Ending, Granting, LiveTerminals, Opening, Visiting};
use crate::whole::Whole;
use futures_util::stream::{self, Stream};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Request;
use hyper::body::{Bytes, Frame as Piece, Incoming};
use hyper::http::request::Builder;
use pierhead_sessions::Wanted;
use pierhead_terminal::{Frame, FrameDecoder, PictureChange, ProtocolError, Role, SessionView};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};

/// The longest list of terminals, in bytes.
const LONGEST_LIST: usize = 4 << 20;

/// Both directions between a viewer and a terminal.
pub struct TerminalLine {
    /// To the terminal, each frame as [`Frame::encode`] writes it; dropping it is leaving.
    pub to_agent: mpsc::Sender<Bytes>,
    /// From the terminal.
    pub from_agent: TerminalFrames,
}

/// What a terminal says to a viewer.
pub struct TerminalFrames {
    body: Whole<Incoming>,
    decoder: FrameDecoder,
}

impl TerminalFrames {
    /// The next frame; nothing after the last one, or if the line broke.
    ///
    /// # Errors
    /// The agent does not keep to the protocol.
    pub async fn next(&mut self) -> std::result::Result<Option<Frame>, ProtocolError> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(Some(frame));
            }
            match self.body.frame().await {
                Some(Ok(piece)) => {
                    self.decoder.buffer().extend_from_slice(&piece.into_data().unwrap_or_default());
                }
                Some(Err(_)) | None => return Ok(None),
            }
        }
    }
}

impl Tunnel {
    /// Opens a terminal in a leader's term; one that is there already under this id is left as it is.
    ///
    /// # Errors
    /// The tunnel broke, or the agent or the engine refuses.
    pub async fn open_terminal(&self, opening: &Opening, term: u64) -> Result<()> {
        self.tell(Request::post(TERMINALS).header(TERM, term), opening).await
    }

    /// Ends a terminal, for a reason that people read; one that is gone is a success.
    ///
    /// # Errors
    /// The tunnel broke, or something could not be ended.
    pub async fn end_terminal(&self, id: &str, reason: &str) -> Result<()> {
        let ending = Ending { reason: reason.to_owned() };
        self.tell(Request::post(format!("{TERMINALS}/{id}/end")), &ending).await
    }

    /// An account that is at a terminal may do this from now on, or nothing.
    ///
    /// # Errors
    /// The tunnel broke, or there is no such terminal.
    pub async fn grant_terminal(&self, id: &str, username: &str, role: Option<Role>) -> Result<()> {
        let granting = Granting { username: username.to_owned(), role };
        self.tell(Request::post(format!("{TERMINALS}/{id}/grant")), &granting).await
    }

    async fn tell(&self, request: Builder, what: &impl Serialize) -> Result<()> {
        let json = serde_json::to_vec(what).map_err(|error| broken(error.into()))?;
        let json = Full::from(json).map_err(|never| match never {}).boxed_unsync();
        self.ask(request.body(json).map_err(|error| broken(error.into()))?).await.map(drop)
    }

    /// Comes to a terminal, whatever controller leads.
    ///
    /// # Errors
    /// The tunnel broke, or there is no such terminal.
    pub async fn join_terminal(&self, id: &str, visiting: &Visiting) -> Result<TerminalLine> {
        let json = serde_json::to_vec(visiting).map_err(|error| broken(error.into()))?;
        let length = json.len();
        let (to_agent, pieces) = mpsc::channel::<Bytes>(WAITING);
        let first = stream::iter([Bytes::from(json)]);
        let rest = stream::unfold(pieces, |mut pieces| async move { Some((pieces.recv().await?, pieces)) });
        let pieces = stream::StreamExt::map(stream::StreamExt::chain(first, rest), |piece| {
            Ok::<_, BodyError>(Piece::data(piece))
        });
        let request = Request::post(format!("{TERMINALS}/{id}/join")).header(TALK, length);
        let request = request.body(StreamBody::new(pieces).boxed_unsync()).map_err(|error| broken(error.into()))?;
        let body = self.ask(request).await?;
        Ok(TerminalLine { to_agent, from_agent: TerminalFrames { body, decoder: FrameDecoder::new() } })
    }

    /// What was recorded of a terminal so far, as a file of asciicast.
    ///
    /// # Errors
    /// The tunnel broke, or there is no such terminal.
    pub async fn terminal_recording(&self, id: &str) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        let body = self.get(&format!("{TERMINALS}/{id}/recording")).await?;
        // After a break there is nothing.
        Ok(stream::unfold(Some(body), |body| async move {
            let mut body = body?;
            match body.frame().await? {
                Ok(piece) => Some((Ok(piece.into_data().unwrap_or_default()), Some(body))),
                Err(error) => Some((Err(broken(error)), None)),
            }
        }))
    }

    /// All terminals that live there, whole, at first and after each change.
    ///
    /// # Errors
    /// The tunnel broke, or the agent keeps no terminals.
    pub async fn terminals(&self) -> Result<impl Stream<Item = Result<Vec<SessionView>>> + Send + use<>> {
        let body = self.get(TERMINALS).await?;
        Ok(stream::StreamExt::map(lines(body), |list| list.map(|list: LiveTerminals| list.into())))
    }

    /// Small pictures of the terminals that are wanted, whole at first and then what is new, until nobody says any more
    /// what is wanted.
    ///
    /// # Errors
    /// The tunnel broke, or the agent keeps no terminals or paints none.
    pub async fn pictures(
        &self,
        wanted: watch::Receiver<Wanted>,
    ) -> Result<impl Stream<Item = Result<Vec<PictureChange>>> + Send + use<>> {
        let mut wanted = wanted;
        wanted.mark_changed();
        let wishes = stream::unfold(wanted, |mut wanted| async move {
            wanted.changed().await.ok()?;
            let wanting = Wanting { terminals: (**wanted.borrow_and_update()).clone() };
            let mut line = serde_json::to_vec(&wanting).unwrap_or_default();
            line.push(b'\n');
            Some((Ok::<_, BodyError>(Piece::data(Bytes::from(line))), wanted))
        });
        let request = Request::post(format!("{TERMINALS}/pictures"));
        let request = request.body(StreamBody::new(wishes).boxed_unsync()).map_err(|error| broken(error.into()))?;
        let body = self.ask(request).await?;
        Ok(stream::StreamExt::map(lines(body), |painted| {
            let Painted { pictures } = painted?;
            match pictures.iter().all(PictureChange::is_bounded) {
                true => Ok(pictures),
                false => Err(broken("a picture is too large".into())),
            }
        }))
    }
}

/// What comes line by line; after a break there is nothing.
fn lines<T: DeserializeOwned + Send>(body: Whole<Incoming>) -> impl Stream<Item = Result<T>> + Send {
    stream::unfold(Some((body, Vec::new())), |state| async move {
        let (mut body, mut read) = state?;
        loop {
            match next_line(&mut read) {
                Some(Ok(line)) => return Some((Ok(line), Some((body, read)))),
                Some(Err(error)) => return Some((Err(error), None)),
                None => {}
            }
            match body.frame().await? {
                Ok(piece) => read.extend_from_slice(&piece.into_data().unwrap_or_default()),
                Err(error) => return Some((Err(broken(error)), None)),
            }
        }
    })
}

/// Takes the next line out of what was read.
fn next_line<T: DeserializeOwned>(read: &mut Vec<u8>) -> Option<Result<T>> {
    match read.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let line = parse::<T>(&read[..end]);
            read.drain(..=end);
            Some(line)
        }
        None if read.len() > LONGEST_LIST => {
            read.clear();
            Some(Err(broken("a list of terminals is too long".into())))
        }
        None => None,
    }
}
