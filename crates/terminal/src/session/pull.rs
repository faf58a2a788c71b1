//! What is next for a viewer: answers first, then output, or a snapshot in its place.

use super::viewer::{Jump, QUEUE};
use super::{Pulled, Session, ViewerId};
use crate::{Frame, ServerMessage, SizeOf};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use pierhead_model::Timestamp;

/// Who comes so soon after another one gets the same snapshot, in milliseconds.
const FRESH_MS: u64 = 100;

/// Among more than these, each is told only so often who is there, in milliseconds: a thousand who come one by one would
/// be told a million times.
pub(super) const CROWD: usize = 20;
pub(super) const PRESENCE_MS: u64 = 1_000;

/// The last snapshot that was made.
#[derive(Debug)]
pub(super) struct Snapshot {
    offset: u64,
    size: SizeOf,
    at: Timestamp,
    frame: Frame,
}

impl Session {
    /// What is next for a viewer.
    pub fn pull(&mut self, id: ViewerId, now: Timestamp) -> Pulled {
        let (driver, is_crowd) = (self.driver(), self.viewers.len() > CROWD);
        let Some(viewer) = self.viewers.get_mut(&id) else { return Pulled::Over };
        if let Some(frame) = viewer.next_message() {
            return Pulled::Frame(frame);
        }
        if viewer.is_closing || viewer.is_exit_told {
            return Pulled::Over;
        }
        if !viewer.is_there {
            return Pulled::Nothing;
        }
        if viewer.is_presence_due && (!is_crowd || now.since(viewer.presence_told) >= PRESENCE_MS) {
            (viewer.is_presence_due, viewer.presence_told) = (false, now);
            return Pulled::Frame(self.presence());
        }
        if viewer.size_told != self.sizes.0 && (viewer.next >= self.sizes.1 || viewer.jump.is_some()) {
            viewer.size_told = self.sizes.0;
            return Pulled::Frame(ServerMessage::Size(self.size).to_frame());
        }
        self.pull_output(id, driver == Some(id), now)
    }

    fn pull_output(&mut self, id: ViewerId, is_driver: bool, now: Timestamp) -> Pulled {
        if let Some(frame) = self.pull_errors(id) {
            return Pulled::Frame(frame);
        }
        let Some(viewer) = self.viewers.get_mut(&id) else { return Pulled::Over };
        let behind = self.log.end().saturating_sub(viewer.next);
        let may_lose = !is_driver || self.interrupted_until > now;
        if viewer.next < self.log.start() || (may_lose && behind > viewer.limit) {
            viewer.jump = viewer.jump.or(Some(Jump::Latest));
        }
        if behind < QUEUE / 2 {
            viewer.limit = QUEUE;
        }
        let has_room = viewer.flow.in_flight(viewer.next) < viewer.flow.window();
        let (jump, next) = (viewer.jump, viewer.next);
        if !has_room {
            return Pulled::Nothing;
        }
        if let Some(jump) = jump {
            return Pulled::Frame(self.snapshot(id, jump, now));
        }
        if let Some((frame, end)) = self.log.frame(next) {
            viewer.flow.sent(next, end, now);
            viewer.next = end;
            return Pulled::Frame(frame);
        }
        match &self.end {
            Some(end) => {
                viewer.is_exit_told = true;
                let exit = ServerMessage::Exit { code: end.code, reason: end.reason.clone() };
                Pulled::Frame(exit.to_frame())
            }
            None => Pulled::Nothing,
        }
    }

    fn presence(&mut self) -> Frame {
        if let Some(frame) = &self.presence {
            return frame.clone();
        }
        let driver = self.driver().map(|driver| driver.to_string());
        let frame = ServerMessage::Presence { driver, viewers: self.viewer_views() }.to_frame();
        self.presence = Some(frame.clone());
        frame
    }

    fn pull_errors(&mut self, id: ViewerId) -> Option<Frame> {
        let viewer = self.viewers.get_mut(&id)?;
        let from = viewer.next_error.max(self.errors.start());
        let (frame, end) = self.errors.frame(from)?;
        viewer.next_error = end;
        let Frame::Binary(frame) = frame else { return None };
        let (offset, bytes) = Frame::split_output(frame).unwrap_or((from, Bytes::new()));
        Some(ServerMessage::Stderr { offset, data: BASE64_STANDARD.encode(bytes) }.to_frame())
    }

    /// Puts a viewer where it can go on, and gives what stands for all before.
    fn snapshot(&mut self, id: ViewerId, jump: Jump, now: Timestamp) -> Frame {
        let (offset, frame) = if self.spec.tty {
            self.shown(now)
        } else {
            let offset = if jump == Jump::Oldest { self.log.start() } else { self.log.end() };
            (offset, self.message(offset, String::new()))
        };
        if let Some(viewer) = self.viewers.get_mut(&id) {
            viewer.jump = None;
            viewer.flow.jumped(viewer.next, offset, frame.len());
            viewer.next = offset;
            viewer.limit = QUEUE + (self.log.end() - offset);
        }
        frame
    }

    /// What is shown now, or a moment ago.
    fn shown(&mut self, now: Timestamp) -> (u64, Frame) {
        let fresh = self.snapshot.as_ref().filter(|last| {
            let is_near = self.log.end() - last.offset < QUEUE / 2 && now.since(last.at) < FRESH_MS;
            last.size == self.size && last.offset >= self.log.start() && (is_near || last.offset == self.log.end())
        });
        if let Some(last) = fresh {
            return (last.offset, last.frame.clone());
        }
        self.catch_up();
        let (offset, data) = (self.screen.at(), self.screen.dump());
        let frame = self.message(offset, data);
        self.snapshot = Some(Snapshot { offset, size: self.size, at: now, frame: frame.clone() });
        (offset, frame)
    }

    fn message(&self, offset: u64, data: String) -> Frame {
        ServerMessage::Snapshot { offset, columns: self.size.columns, rows: self.size.rows, data }.to_frame()
    }
}
