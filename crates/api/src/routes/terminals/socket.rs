//! The socket of a terminal: frames between a WebSocket and the terminal's home, wherever that is. It understands none of
//! them; what it guards is who may hold it, for how long, and how much it may hold up.

use crate::identity::browser::check_given_origin;
use crate::identity::{Caller, Shown};
use crate::relay::RelayError;
use crate::{Api, ApiError};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use pierhead_controller::{Actor, Line, Looking, TerminalWay};
use pierhead_terminal::{Frame, LONGEST_FRAME, SUBPROTOCOL};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use crate::body::Path;

/// How often the other side is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// How long it may take nothing of what waits for it, and say nothing, until it counts as gone.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How much of what is written may wait in this program, in bytes.
const MOST_WAITING: usize = 1 << 20;

/// Why sockets are closed by this side, beyond the protocol's own codes.
const REVOKED: u16 = 4401;
const RIGHT_LOST: u16 = 4403;
const SILENT: u16 = 4408;
const GOING_AWAY: u16 = 1001;
const OVER: u16 = 1000;

pub(in crate::routes) async fn socket(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    // Browsers always say where they come from, and send no tokens in headers.
    check_given_origin(&api.front, &headers, !matches!(caller.shown, Shown::Header | Shown::Pass))?;
    api.controller.terminal(&caller.actor(), &id)?;
    let upgrade = upgrade.map_err(|_| {
        let message =
            "this is a WebSocket: ask for it with GET, 'Connection: Upgrade', 'Upgrade: websocket', version 13";
        ApiError::new(StatusCode::UPGRADE_REQUIRED, "not_websocket", message)
    })?;
    if !offers(&headers) {
        let message = format!("the WebSocket must offer the subprotocol {SUBPROTOCOL}");
        return Err(ApiError::field("Sec-WebSocket-Protocol", message));
    }
    let may_drive = caller.may_work();
    let (line, looking) = match api.controller.join_terminal(&caller.actor(), &id, may_drive).await? {
        TerminalWay::Line(line, looking) => (line, looking),
        TerminalWay::Elsewhere(url, looking) => {
            let relay = api.relay.as_ref().ok_or_else(no_relay)?;
            let path = format!("/api/terminals/{id}/socket");
            (relay.line(&url, &path, &caller.pass(&api, &path)?).await.map_err(relay_failed)?, looking)
        }
    };
    let carried = Carried { actor: caller.actor(), caller, api, id, may_drive, _looking: looking };
    Ok(upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(LONGEST_FRAME)
        .max_frame_size(LONGEST_FRAME)
        .write_buffer_size(0)
        .max_write_buffer_size(MOST_WAITING + 2 * LONGEST_FRAME)
        .on_upgrade(move |socket| carried.carry(socket, line)))
}

fn offers(headers: &HeaderMap) -> bool {
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    offered.flat_map(|line| line.split(',')).any(|one| one.trim() == SUBPROTOCOL)
}

pub(super) fn no_relay() -> ApiError {
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "terminal_away",
        "the terminal lives in another controller: ask there",
    )
}

pub(super) fn relay_failed(error: RelayError) -> ApiError {
    match error {
        RelayError::Refused { status, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            ApiError { status, body, retry_after_s: None }
        }
        RelayError::Away(why) => {
            let message = format!("the controller in which the terminal lives can't be reached: {why}");
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "terminal_away", message)
        }
    }
}

/// What a socket is held with.
struct Carried {
    api: Api,
    caller: Caller,
    actor: Actor,
    id: String,
    may_drive: bool,
    _looking: Looking,
}

impl Carried {
    async fn carry(self, socket: WebSocket, line: Line) {
        let (sink, mut stream) = socket.split();
        let (heard, hearing) = mpsc::channel(1);
        let mut down = Down { sink, from_home: line.from_home, hearing };
        let over = async {
            tokio::select! {
                () = self.api.accounts.clone().ended(self.caller.token_hash.clone(), self.caller.identity.clone()) =>
                    (REVOKED, "log in again"),
                () = self.api.controller.terminal_right_lost(&self.actor, &self.id, self.may_drive) =>
                    (RIGHT_LOST, "you may not do this any more here"),
                () = self.api.controller.stopping() => (GOING_AWAY, "the controller stops; call again"),
            }
        };
        let farewell = tokio::select! {
            // What the home still says goes out first.
            biased;
            farewell = down.run() => farewell,
            () = up(&mut stream, line.to_home, heard) => None,
            farewell = over => Some(farewell),
        };
        // Who hung up in good order is answered so.
        let close = farewell.map(|(code, reason)| CloseFrame { code, reason: reason.into() });
        let farewell = async {
            // Whoever still talks must not find the connection gone: what waits to be read there would be lost with it.
            if down.sink.send(Message::Close(close)).await.is_ok() {
                while let Some(Ok(_)) = stream.next().await {}
            }
        };
        let _gone = timeout(FAREWELL, farewell).await;
    }
}

/// From the socket to the home, until either is gone. A home that takes nothing makes the socket wait.
async fn up(stream: &mut SplitStream<WebSocket>, to_home: mpsc::Sender<Frame>, heard: mpsc::Sender<()>) {
    while let Some(Ok(message)) = stream.next().await {
        // Full is heard too.
        let _full = heard.try_send(());
        let frame = match message {
            Message::Binary(bytes) => Frame::Binary(bytes),
            Message::Text(text) => Frame::Text(text.as_str().to_owned()),
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => return,
        };
        if to_home.send(frame).await.is_err() {
            // The other direction says what there is still to say.
            std::future::pending::<()>().await;
        }
    }
}

/// From the home to the socket.
struct Down {
    sink: SplitSink<WebSocket, Message>,
    from_home: mpsc::Receiver<Frame>,
    /// Told whenever something came from the other side.
    hearing: mpsc::Receiver<()>,
}

impl Down {
    /// Until the line ends, or the other side is gone; what is to be told it then.
    async fn run(&mut self) -> Option<(u16, &'static str)> {
        let mut pings = interval_at(Instant::now() + PING, PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            let sent = tokio::select! {
                frame = self.from_home.recv() => match frame {
                    Some(frame) => timeout(PATIENCE, self.send(frame)).await,
                    None => return Some((OVER, "")),
                },
                Some(()) = self.hearing.recv() => {
                    heard = Instant::now();
                    continue;
                }
                _ = pings.tick() => {
                    if heard.elapsed() > PATIENCE {
                        return Some((SILENT, "nothing was heard for a minute"));
                    }
                    timeout(PATIENCE, self.sink.send(Message::Ping(Bytes::new()))).await
                }
            };
            // Gone, or nothing was taken for a minute.
            if !matches!(sent, Ok(Ok(()))) {
                return None;
            }
        }
    }

    /// Sends a frame, and what else is there already, in one go.
    async fn send(&mut self, frame: Frame) -> Result<(), axum::Error> {
        let mut waiting = frame.len();
        self.sink.feed(message(frame)).await?;
        while waiting < MOST_WAITING
            && let Ok(frame) = self.from_home.try_recv()
        {
            waiting += frame.len();
            self.sink.feed(message(frame)).await?;
        }
        self.sink.flush().await
    }
}

fn message(frame: Frame) -> Message {
    match frame {
        Frame::Binary(bytes) => Message::Binary(bytes),
        Frame::Text(text) => Message::Text(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subprotocol_must_be_among_those_that_are_offered() {
        let offer = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::SEC_WEBSOCKET_PROTOCOL, header::HeaderValue::from_static(line));
            }
            offers(&headers)
        };
        assert!(
            offer(&["pierhead.terminal.v1"])
                && offer(&["a, pierhead.terminal.v1 "])
                && offer(&["a", "pierhead.terminal.v1"])
        );
        for bad in [&[][..], &[""], &["pierhead.terminal.v2"], &["pierhead.terminal"], &["xpierhead.terminal.v1"]] {
            assert!(!offer(bad), "{bad:?}");
        }
    }
}
