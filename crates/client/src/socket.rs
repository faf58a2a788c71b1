//! Sockets of terminals and walls: frames of a protocol over a WebSocket. What they mean is the caller's business.

use crate::error::root_cause;
use crate::transport::Call;
use crate::{Client, ClientError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use pierhead_terminal::{Frame, LONGEST_FRAME};
use std::time::{Duration, Instant};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

type Messages = WebSocketStream<TokioIo<Upgraded>>;

/// An open socket. Dropping it is leaving.
pub struct Socket {
    sender: TerminalSender,
    receiver: TerminalReceiver,
}

/// What is sent on a socket.
#[derive(Debug)]
pub struct TerminalSender(SplitSink<Messages, Message>);

/// What comes on a socket.
#[derive(Debug)]
pub struct TerminalReceiver {
    stream: SplitStream<Messages>,
    heard: Instant,
}

/// How a socket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEnd {
    /// The server closed it: its code and reason.
    Closed(u16, String),
    /// The connection broke; why, in words.
    Broken(String),
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

impl Socket {
    pub(crate) async fn open(client: &Client, call: &Call, subprotocol: &str) -> Result<Self, ClientError> {
        let key = STANDARD.encode(rand::random::<[u8; 16]>());
        let headers: [(HeaderName, String); 5] = [
            (CONNECTION, "Upgrade".to_owned()),
            (UPGRADE, "websocket".to_owned()),
            (SEC_WEBSOCKET_VERSION, "13".to_owned()),
            (SEC_WEBSOCKET_KEY, key.clone()),
            (SEC_WEBSOCKET_PROTOCOL, subprotocol.to_owned()),
        ];
        let (answer, upgraded) = client.upgrade(call, &headers).await?;
        let told = |name: HeaderName| answer.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if told(SEC_WEBSOCKET_ACCEPT) != derive_accept_key(key.as_bytes())
            || told(SEC_WEBSOCKET_PROTOCOL) != subprotocol
        {
            let why = format!("it does not speak {subprotocol}");
            return Err(ClientError::ReadAnswer { url: "the socket".to_owned(), why });
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(2 * LONGEST_FRAME))
            .max_frame_size(Some(2 * LONGEST_FRAME))
            .write_buffer_size(0);
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
        let (sink, stream) = socket.split();
        Ok(Self { sender: TerminalSender(sink), receiver: TerminalReceiver { stream, heard: Instant::now() } })
    }

    /// Both directions by themselves: one that goes no further holds up nothing of the other.
    #[must_use]
    pub fn split(self) -> (TerminalSender, TerminalReceiver) {
        (self.sender, self.receiver)
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// As of [`TerminalSender::send`].
    pub async fn send(&mut self, frame: Frame) -> Result<(), SocketEnd> {
        self.sender.send(frame).await
    }

    /// The next frame, or how it ended. May be dropped without losing any.
    ///
    /// # Errors
    /// [`SocketEnd`]: from then on there is nothing.
    pub async fn next(&mut self) -> Result<Frame, SocketEnd> {
        self.receiver.next().await
    }

    /// For how long nothing was heard from the other side, which asks from time to time whether somebody is there.
    #[must_use]
    pub fn silent_for(&self) -> Duration {
        self.receiver.silent_for()
    }

    /// Leaves, in good order.
    pub async fn close(mut self) {
        self.sender.close().await;
    }
}

impl TerminalSender {
    /// Sends a frame. What came until then can still be read where this fails.
    ///
    /// # Errors
    /// [`SocketEnd::Broken`] if the connection is lost.
    pub async fn send(&mut self, frame: Frame) -> Result<(), SocketEnd> {
        let message = match frame {
            Frame::Binary(bytes) => Message::Binary(bytes),
            Frame::Text(text) => Message::Text(text.into()),
        };
        self.0.send(message).await.map_err(broken)
    }

    /// Leaves, in good order.
    pub async fn close(&mut self) {
        // Whoever is gone already is not told.
        let _gone = self.0.close().await;
    }
}

impl TerminalReceiver {
    /// The next frame, or how it ended. May be dropped without losing any.
    ///
    /// # Errors
    /// [`SocketEnd`]: from then on there is nothing.
    pub async fn next(&mut self) -> Result<Frame, SocketEnd> {
        loop {
            let message = self.stream.next().await;
            self.heard = Instant::now();
            match message {
                Some(Ok(Message::Binary(bytes))) => return Ok(Frame::Binary(bytes)),
                Some(Ok(Message::Text(text))) => return Ok(Frame::Text(text.as_str().to_owned())),
                Some(Ok(Message::Close(close))) => {
                    let (code, reason) = close
                        .map_or((1005, String::new()), |close| (close.code.into(), close.reason.as_str().to_owned()));
                    return Err(SocketEnd::Closed(code, reason));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(broken(error)),
                None => return Err(SocketEnd::Broken("the connection ended".to_owned())),
            }
        }
    }

    /// For how long nothing was heard from the other side, which asks from time to time whether somebody is there.
    #[must_use]
    pub fn silent_for(&self) -> Duration {
        self.heard.elapsed()
    }
}

fn broken(error: Error) -> SocketEnd {
    SocketEnd::Broken(root_cause(&error))
}
