//! What viewers send.

use super::flow::Flow;
use super::seat::Seat;
use super::viewer::{Jump, QUEUE};
use super::{Effect, Session, ViewerId};
use crate::{Asked, ClientMessage, Frame, Role, ServerMessage, SizeOf};
use pierhead_model::Timestamp;

/// For how long an interrupt lets the program print on, in milliseconds.
const INTERRUPTED_MS: u64 = 1_000;
/// What is longer was not typed.
const LONGEST_KEY: usize = 8;
/// What a terminal takes for an interrupt, a quit and a stop.
const INTERRUPTS: [u8; 3] = [0x03, 0x1c, 0x1a];
/// What the key Enter sends.
const ENTER: u8 = b'\r';
const SIGNALS: [&str; 5] = ["INT", "QUIT", "TERM", "HUP", "KILL"];

impl Session {
    /// A viewer sent a frame.
    pub fn receive(&mut self, id: ViewerId, frame: Frame, now: Timestamp) -> Vec<Effect> {
        let Some(viewer) = self.viewers.get_mut(&id).filter(|viewer| !viewer.is_closing) else { return Vec::new() };
        let message = match frame {
            Frame::Binary(_) if !viewer.is_there => {
                viewer.refuse("attach_first", "the first message must be attach");
                return Vec::new();
            }
            Frame::Binary(bytes) => return self.input(id, bytes, now),
            Frame::Text(text) => ClientMessage::parse(&text),
        };
        match message {
            Err(error) => viewer.refuse("bad_message", error.to_string()),
            Ok(ClientMessage::Ping { id }) => viewer.tell(&ServerMessage::Pong { id }),
            Ok(ClientMessage::Attach(_)) if viewer.is_there => viewer.refuse("bad_message", "attach came twice"),
            Ok(ClientMessage::Attach(asked)) => return self.attach(id, &asked, now),
            Ok(_) if !viewer.is_there => viewer.refuse("attach_first", "the first message must be attach"),
            Ok(message) => return self.heed(id, message, now),
        }
        Vec::new()
    }

    /// What a viewer says who is there.
    fn heed(&mut self, id: ViewerId, message: ClientMessage, now: Timestamp) -> Vec<Effect> {
        let is_driver = self.driver() == Some(id);
        let Some(viewer) = self.viewers.get_mut(&id) else { return Vec::new() };
        match message {
            ClientMessage::Ack { offset } => viewer.flow.acknowledged(offset, viewer.next, now),
            ClientMessage::Resize(size) => {
                viewer.size = given(size);
                if let Some(size) = viewer.size.filter(|_| is_driver && viewer.is_visible) {
                    return self.resize(size, now);
                }
            }
            ClientMessage::Visible { is } => {
                viewer.is_visible = is;
                viewer.flow.begin(now);
                if let Some(size) = viewer.size.filter(|_| is_driver && is) {
                    return self.resize(size, now);
                }
            }
            ClientMessage::Drive => return self.drive(id, now),
            ClientMessage::HandOver { to } => return self.hand_over(id, &to, now),
            ClientMessage::Release | ClientMessage::Signal { .. } | ClientMessage::Eof if !is_driver => {
                viewer.refuse("not_driver", "only who drives can do that");
            }
            ClientMessage::Release => return self.unseat(),
            ClientMessage::Signal { name } => match SIGNALS.iter().find(|signal| **signal == name) {
                Some(signal) => {
                    self.interrupted_until = now.plus(INTERRUPTED_MS);
                    return vec![Effect::Signal(signal)];
                }
                None => viewer.refuse("bad_signal", format!("a signal must be one of {}", SIGNALS.join(", "))),
            },
            ClientMessage::Eof if self.spec.tty => {
                viewer.refuse("no_eof", "the input of a pseudo-terminal does not end; type Ctrl-D");
            }
            ClientMessage::Eof => return vec![Effect::EndInput],
            ClientMessage::Attach(_) | ClientMessage::Ping { .. } => {}
        }
        Vec::new()
    }

    fn input(&mut self, id: ViewerId, bytes: bytes::Bytes, now: Timestamp) -> Vec<Effect> {
        if self.driver() != Some(id) {
            if let Some(viewer) = self.viewers.get_mut(&id) {
                viewer.refuse("not_driver", "only who drives can type");
            }
            return Vec::new();
        }
        if self.end.is_some() || bytes.is_empty() {
            return Vec::new();
        }
        if self.spec.tty && bytes.len() <= LONGEST_KEY && bytes.iter().any(|byte| INTERRUPTS.contains(byte)) {
            self.interrupted_until = now.plus(INTERRUPTED_MS);
        }
        if self.spec.tty && bytes.contains(&ENTER) && !self.screen.is_alternate() {
            self.recording.entered(now);
        }
        vec![Effect::Write(bytes)]
    }

    fn attach(&mut self, id: ViewerId, asked: &Asked, now: Timestamp) -> Vec<Effect> {
        let was = self.replaced(id, asked);
        let drove = was.is_some() && was == self.driver();
        let sits_down = (!asked.looks || drove) && self.sits_down(id, was);
        if let Some(old) = was.and_then(|was| self.viewers.get_mut(&was)) {
            old.close("replaced", "the same client has come back on another line");
        }
        if was.is_some() && was == self.driver() {
            self.seat = Seat::Free;
        }
        let (start, end) = (self.log.start(), self.log.end());
        let has_screen = self.spec.tty;
        let Some(viewer) = self.viewers.get_mut(&id) else { return Vec::new() };
        viewer.is_there = true;
        viewer.since = now;
        viewer.size = given(SizeOf { columns: asked.columns, rows: asked.rows });
        viewer.size_told = self.sizes.0;
        viewer.next = asked.from.filter(|from| (start..=end).contains(from)).unwrap_or(end);
        viewer.jump = match asked.from {
            Some(from) if (start..=end).contains(&from) => None,
            Some(_) if !has_screen => Some(Jump::Oldest),
            // Nothing was printed yet, so nothing is to be shown.
            None if end == 0 => None,
            None if !has_screen && start == 0 => {
                viewer.next = 0;
                None
            }
            None if !has_screen => Some(Jump::Oldest),
            Some(_) | None => Some(Jump::Latest),
        };
        viewer.limit = QUEUE + (end - viewer.next);
        let errors = self.errors.start()..=self.errors.end();
        viewer.next_error = asked.stderr_from.filter(|from| errors.contains(from)).unwrap_or(*errors.start());
        viewer.flow = Flow::new(viewer.next, now);
        let mut effects = if sits_down { self.seat(id, now) } else { self.told_of_presence() };
        self.greet(id, now);
        if effects.is_empty() {
            effects.push(Effect::Changed);
        }
        effects
    }

    fn greet(&mut self, id: ViewerId, now: Timestamp) {
        let driver = self.driver();
        let viewers = self.viewer_views();
        let hello = ServerMessage::Hello {
            terminal: self.spec.id.clone(),
            you: id.to_string(),
            role: if driver == Some(id) { Role::Driver } else { Role::Viewer },
            columns: self.size.columns,
            rows: self.size.rows,
            offset: self.log.end(),
            driver: driver.map(|driver| driver.to_string()),
            viewers,
        };
        let sizes = self.sizes.0;
        if let Some(viewer) = self.viewers.get_mut(&id) {
            viewer.tell(&hello);
            // It was told all that just now.
            (viewer.is_presence_due, viewer.presence_told) = (false, now);
            viewer.size_told = sizes;
        }
    }

    /// The line that a client had before, if it is the same account's and still there.
    fn replaced(&self, id: ViewerId, asked: &Asked) -> Option<ViewerId> {
        let was = ViewerId::parse(asked.was.as_deref()?)?;
        let (old, new) = (self.viewers.get(&was)?, self.viewers.get(&id)?);
        (was != id && old.username == new.username && old.is_seen()).then_some(was)
    }
}

/// A size, unless the client does not know it.
fn given(size: SizeOf) -> Option<SizeOf> {
    (size.columns > 0 && size.rows > 0).then_some(size)
}
