//! The socket of a wall: who is on it, and small pictures of the terminals that the client shows. Nothing waits here for a
//! client that is slow: what is new since it was told last is looked up when it can be told.

use super::WallQuery;
use crate::body::Query;
use crate::identity::browser::check_given_origin;
use crate::identity::{Caller, Shown};
use crate::{Api, ApiError, views};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use pierhead_controller::{MOST_SHOWN, WallPictures, WallScope};
use pierhead_terminal::WALL_SUBPROTOCOL;
use pierhead_wire::{WallAsked, WallPersonView, WallSaid};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// The least time between two pictures of a terminal, and between two looks at who is on the wall.
const TURN: Duration = Duration::from_millis(500);
/// How long a client waits for what it begins to show.
const SOON: Duration = Duration::from_millis(100);
/// The most time between two looks at who is on the wall: who seems stuck depends on the time too.
const LOOK: Duration = Duration::from_secs(5);
/// How often the other side is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// How long it may take nothing, and say nothing, until it counts as gone.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How many pictures go in one message.
const TOGETHER: usize = 16;
/// The longest message of a client, in bytes: as many terminals as it may show.
const LONGEST_ASKED: usize = 32 * 1024;

/// Why sockets are closed by this side, beyond the protocol's own codes.
const REVOKED: u16 = 4401;
const LOST: u16 = 4403;
const SILENT: u16 = 4408;
const NOT_UNDERSTOOD: u16 = 4400;
const GOING_AWAY: u16 = 1001;

pub(in crate::routes) async fn socket(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<WallQuery>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    // Browsers always say where they come from, and send no tokens in headers.
    check_given_origin(&api.front, &headers, !matches!(caller.shown, Shown::Header | Shown::Pass))?;
    let scope = query.scope()?;
    let upgrade = upgrade.map_err(|_| {
        let message =
            "this is a WebSocket: ask for it with GET, 'Connection: Upgrade', 'Upgrade: websocket', version 13";
        ApiError::new(StatusCode::UPGRADE_REQUIRED, "not_websocket", message)
    })?;
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    if !offered.flat_map(|line| line.split(',')).any(|one| one.trim() == WALL_SUBPROTOCOL) {
        let message = format!("the WebSocket must offer the subprotocol {WALL_SUBPROTOCOL}");
        return Err(ApiError::field("Sec-WebSocket-Protocol", message));
    }
    api.controller.wall(&caller.actor(), &scope).await?;
    let pictures = api.controller.wall_pictures(&caller.actor())?;
    let wall = Wall { api, caller, scope, pictures, told: BTreeMap::new(), order: Vec::new() };
    Ok(upgrade
        .protocols([WALL_SUBPROTOCOL])
        .max_message_size(LONGEST_ASKED)
        .max_frame_size(LONGEST_ASKED)
        .on_upgrade(move |socket| wall.carry(socket)))
}

/// Somebody's wall, and what they were told of it.
struct Wall {
    api: Api,
    caller: Caller,
    scope: WallScope,
    pictures: WallPictures,
    told: BTreeMap<String, WallPersonView>,
    order: Vec<String>,
}

/// What a client has said, and when it was heard last.
#[derive(Clone)]
struct Heard {
    shows: BTreeSet<String>,
    at: Instant,
}

type Farewell = Option<(u16, &'static str)>;

impl Wall {
    async fn carry(mut self, socket: WebSocket) {
        let (mut sink, mut stream) = socket.split();
        let (tell, heard) = watch::channel(Heard { shows: BTreeSet::new(), at: Instant::now() });
        let (accounts, controller) = (self.api.accounts.clone(), self.api.controller.clone());
        let (token, identity) = (self.caller.token_hash.clone(), self.caller.identity.clone());
        let farewell = tokio::select! {
            farewell = self.show(&mut sink, heard) => farewell,
            farewell = hear(&mut stream, tell) => farewell,
            () = accounts.ended(token, identity) => Some((REVOKED, "log in again")),
            () = controller.stopping() => Some((GOING_AWAY, "the controller stops; call again")),
        };
        // Nothing more is painted for who is being told goodbye.
        drop(self);
        let close = farewell.map(|(code, reason)| CloseFrame { code, reason: reason.into() });
        let _gone = timeout(FAREWELL, async {
            if sink.send(Message::Close(close)).await.is_ok() {
                while let Some(Ok(_)) = stream.next().await {}
            }
        })
        .await;
    }

    /// Tells what is new, turn by turn, until the other side is gone.
    async fn show(&mut self, sink: &mut SplitSink<WebSocket, Message>, mut heard: watch::Receiver<Heard>) -> Farewell {
        let mut world = self.api.controller.changes();
        let mut turns = interval(TURN);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut looked, mut pinged) = (None::<Instant>, Instant::now());
        loop {
            let asks = tokio::select! {
                _ = turns.tick() => false,
                changed = heard.changed() => {
                    changed.ok()?;
                    tokio::time::sleep(SOON).await;
                    true
                }
            };
            let now = heard.borrow_and_update().clone();
            let is_old = looked.is_none_or(|looked| looked.elapsed() >= LOOK);
            let is_changed = world.has_changed().unwrap_or(false) && looked.is_none_or(|at| at.elapsed() >= 2 * TURN);
            let mut messages = Vec::new();
            if is_old || is_changed || asks {
                world.mark_unchanged();
                looked = Some(Instant::now());
                let Ok(said) = self.look(&now.shows).await else { return Some((LOST, "the course is none of yours")) };
                messages.extend(said);
            }
            if !asks {
                let changes = self.pictures.take();
                messages.extend(changes.chunks(TOGETHER).map(|some| WallSaid::Pictures { pictures: some.to_vec() }));
            }
            if now.at.elapsed() > PATIENCE {
                return Some((SILENT, "nothing was heard for a minute"));
            }
            let mut frames: Vec<Message> = messages.iter().filter_map(text).collect();
            if pinged.elapsed() >= PING {
                pinged = Instant::now();
                frames.push(Message::Ping(Bytes::new()));
            }
            for frame in frames {
                if !matches!(timeout(PATIENCE, sink.send(frame)).await, Ok(Ok(()))) {
                    return None;
                }
            }
        }
    }

    /// Looks who is on the wall; what is to be told of that, if something is new.
    ///
    /// # Errors
    /// If it is about a course that they do not give any more.
    async fn look(&mut self, shows: &BTreeSet<String>) -> Result<Option<WallSaid>, ApiError> {
        let entries = self.api.controller.wall(&self.caller.actor(), &self.scope).await?;
        self.api.controller.show_on_wall(&mut self.pictures, &entries, shows);
        let people: Vec<WallPersonView> = entries.iter().map(views::wall_person).collect();
        let order: Vec<String> = people.iter().map(|person| person.workspace.clone()).collect();
        let is_new = |person: &&WallPersonView| self.told.get(&person.workspace) != Some(*person);
        let new: Vec<WallPersonView> = people.iter().filter(is_new).cloned().collect();
        let is_first = self.order.is_empty() && self.told.is_empty();
        if new.is_empty() && order == self.order && !(is_first && order.is_empty()) {
            return Ok(None);
        }
        self.told = people.into_iter().map(|person| (person.workspace.clone(), person)).collect();
        self.order.clone_from(&order);
        Ok(Some(WallSaid::People { order, people: new }))
    }
}

fn text(said: &WallSaid) -> Option<Message> {
    serde_json::to_string(said).ok().map(|text| Message::Text(text.into()))
}

/// Hears which terminals a client shows, until it is gone or says what nobody understands.
async fn hear(stream: &mut SplitStream<WebSocket>, tell: watch::Sender<Heard>) -> Farewell {
    while let Some(Ok(message)) = stream.next().await {
        let at = Instant::now();
        match message {
            Message::Text(text) => {
                let asked = serde_json::from_str(text.as_str());
                let Ok(WallAsked::Show { terminals }) = asked else {
                    return Some((NOT_UNDERSTOOD, "say which terminals you show: {type: show, terminals: [ids]}"));
                };
                let shows = terminals.into_iter().take(MOST_SHOWN).collect();
                tell.send_replace(Heard { shows, at });
            }
            Message::Binary(_) => return Some((NOT_UNDERSTOOD, "everything that is said here is JSON")),
            Message::Ping(_) | Message::Pong(_) => {
                // Nobody needs to be told of that at once.
                tell.send_if_modified(|heard| {
                    heard.at = at;
                    false
                });
            }
            Message::Close(_) => return None,
        }
    }
    None
}
