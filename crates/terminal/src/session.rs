//! One terminal and everybody who looks at it, as a machine: told what happened and when, it says what shall be done.
//!
//! What a viewer gets is pulled, frame by frame, as fast as its line takes it: nothing is queued for a viewer but its place
//! in the log.

use crate::{Frame, Role, SizeOf, ViewerView};
use bytes::Bytes;
use pierhead_model::Timestamp;
use std::collections::BTreeMap;

/// Tells viewers of one session apart; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewerId(pub u64);

/// What somebody may do in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Look.
    Viewer,
    /// Drive, when nobody else does or when handed over to.
    Driver,
    /// As a driver; drives without asking when nobody does.
    Owner,
}

/// Somebody who comes to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// Their account.
    pub username: String,
    /// What they may.
    pub right: Right,
}

/// What a session is begun with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSpec {
    /// Its id, unique among all terminals.
    pub id: String,
    /// Its width, in cells; 0 counts as 80.
    pub columns: u16,
    /// Its height, in cells; 0 counts as 24.
    pub rows: u16,
    /// Whether it has a pseudo-terminal. Without one, output and errors are told apart and the input can end.
    pub tty: bool,
    /// What its recording is called.
    pub title: String,
    /// How many bytes its recording may have; 0 for none.
    pub recording_bytes: usize,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The exit code of its process, if it is known.
    pub code: Option<i64>,
    /// Why, for a person; empty where the process just exited.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// How it stands with a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// Its width, in cells.
    pub columns: u16,
    /// Its height, in cells.
    pub rows: u16,
    /// Whether it has a pseudo-terminal.
    pub tty: bool,
    /// When it began.
    pub since: Timestamp,
    /// Who is there.
    pub viewers: Vec<ViewerView>,
    /// The accounts that were granted a role while it runs.
    pub guests: BTreeMap<String, Role>,
    /// How it ended, if it did.
    pub end: Option<End>,
    /// How many bytes it has printed so far.
    pub printed: u64,
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Give this to the process as its input.
    Write(Bytes),
    /// The input ends.
    EndInput,
    /// Tell the pseudo-terminal its size.
    Resize(SizeOf),
    /// Send the process a signal, by its name without `SIG`.
    Signal(&'static str),
    /// Who is there, the size or the state has changed: what is told of it outside is old.
    Changed,
}

/// What is next for a viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pulled {
    /// This.
    Frame(Frame),
    /// Nothing now.
    Nothing,
    /// Nothing ever: its line shall be closed.
    Over,
}

/// One terminal.
#[derive(Debug)]
pub struct Session {
    spec: SessionSpec,
}

#[allow(unused_variables, reason = "bodies follow")]
impl Session {
    /// A terminal that has printed nothing yet.
    pub fn new(spec: SessionSpec, now: Timestamp) -> Self {
        Self { spec }
    }

    /// The process has printed this, of its errors if `is_stderr`.
    pub fn output(&mut self, bytes: Bytes, is_stderr: bool, now: Timestamp) {
        unreachable!("bodies follow")
    }

    /// The process has ended, or can't be reached any more.
    pub fn ended(&mut self, code: Option<i64>, reason: &str, now: Timestamp) -> Vec<Effect> {
        unreachable!("bodies follow")
    }

    /// Somebody has a line to it. They are there once their `attach` has come.
    pub fn join(&mut self, visitor: Visitor, now: Timestamp) -> ViewerId {
        unreachable!("bodies follow")
    }

    /// A viewer sent a frame.
    pub fn receive(&mut self, viewer: ViewerId, frame: Frame, now: Timestamp) -> Vec<Effect> {
        unreachable!("bodies follow")
    }

    /// A viewer's line is gone.
    pub fn leave(&mut self, viewer: ViewerId, now: Timestamp) -> Vec<Effect> {
        unreachable!("bodies follow")
    }

    /// What is next for a viewer.
    pub fn pull(&mut self, viewer: ViewerId, now: Timestamp) -> Pulled {
        unreachable!("bodies follow")
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        unreachable!("bodies follow")
    }

    /// An account may do this from now on, or nothing at all (`None`): whoever is there by its old right is told.
    pub fn grant(&mut self, username: &str, role: Option<Role>, now: Timestamp) -> Vec<Effect> {
        unreachable!("bodies follow")
    }

    /// Whether more output may be read now.
    pub fn may_read(&self, now: Timestamp) -> bool {
        unreachable!("bodies follow")
    }

    /// How it stands.
    pub fn view(&self) -> SessionView {
        unreachable!("bodies follow")
    }
}
