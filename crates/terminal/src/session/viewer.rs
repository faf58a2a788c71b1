//! Somebody with a line to a session: what they may, where they are in the log, what they are still to be told.

use super::flow::Flow;
use super::{Right, ViewerId, Visitor};
use crate::{Frame, Role, ServerMessage, SizeOf, ViewerView};
use pierhead_model::Timestamp;
use std::collections::VecDeque;

/// A viewer that is further behind gets a snapshot, in bytes.
pub(super) const QUEUE: u64 = 256 * 1024;
/// Who makes more answers wait than this is not listening.
const OUTBOX: usize = 64;

/// Where a viewer is put next, since it can't have what comes next in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Jump {
    /// To what is shown now.
    Latest,
    /// To the oldest that is there; where nothing is shown.
    Oldest,
}

#[derive(Debug)]
pub(super) struct Viewer {
    pub(super) username: String,
    pub(super) right: Right,
    pub(super) since: Timestamp,
    /// Whether its `attach` has come.
    pub(super) is_there: bool,
    /// Whether its line shall be closed once it was told why.
    pub(super) is_closing: bool,
    pub(super) is_visible: bool,
    pub(super) size: Option<SizeOf>,
    /// The next offset of the log that it gets, and of the errors.
    pub(super) next: u64,
    pub(super) next_error: u64,
    pub(super) jump: Option<Jump>,
    /// How far behind it may be.
    pub(super) limit: u64,
    pub(super) flow: Flow,
    pub(super) is_presence_due: bool,
    pub(super) presence_told: Timestamp,
    /// The number of the size that it was told last.
    pub(super) size_told: u64,
    pub(super) is_exit_told: bool,
    pub(super) asked: Option<Timestamp>,
    outbox: VecDeque<Frame>,
}

impl Viewer {
    pub(super) fn new(visitor: Visitor, now: Timestamp) -> Self {
        Self {
            username: visitor.username,
            right: visitor.right,
            since: now,
            is_there: false,
            is_closing: false,
            is_visible: true,
            size: None,
            next: 0,
            next_error: 0,
            jump: None,
            limit: QUEUE,
            flow: Flow::new(0, now),
            is_presence_due: false,
            presence_told: Timestamp(0),
            size_told: 0,
            is_exit_told: false,
            asked: None,
            outbox: VecDeque::new(),
        }
    }

    /// Tells it something, ahead of all output.
    pub(super) fn tell(&mut self, message: &ServerMessage) {
        if self.outbox.len() >= OUTBOX {
            self.is_closing = true;
        } else {
            self.outbox.push_back(message.to_frame());
        }
    }

    /// Tells it that something was not done; of the same errors in a row one is enough.
    pub(super) fn refuse(&mut self, code: &str, message: impl Into<String>) {
        let frame = ServerMessage::Error { code: code.to_owned(), message: message.into() }.to_frame();
        if self.outbox.back() != Some(&frame) && self.outbox.len() < OUTBOX {
            self.outbox.push_back(frame);
        }
    }

    /// Closes its line, with the reason.
    pub(super) fn close(&mut self, code: &str, message: impl Into<String>) {
        self.refuse(code, message);
        self.is_closing = true;
    }

    pub(super) fn next_message(&mut self) -> Option<Frame> {
        self.outbox.pop_front()
    }

    pub(super) fn view(&self, id: ViewerId, is_driver: bool) -> ViewerView {
        ViewerView {
            id: id.to_string(),
            username: self.username.clone(),
            role: if is_driver { Role::Driver } else { Role::Viewer },
            since: self.since,
        }
    }

    /// Whether others see it.
    pub(super) fn is_seen(&self) -> bool {
        self.is_there && !self.is_closing
    }
}
