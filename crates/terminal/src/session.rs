//! One terminal and everybody who looks at it, as a machine: told what happened and when, it says what shall be done.
//!
//! What a viewer gets is pulled, frame by frame, as fast as its line takes it: nothing is queued for a viewer but its place
//! in the log.

mod flow;
mod pull;
mod receive;
mod seat;
#[cfg(test)]
mod tests;
mod viewer;

use crate::log::Log;
use crate::recording::Recording;
use crate::screen::Screen;
use crate::{Frame, Picture, Role, SizeOf, ViewerView};
use bytes::Bytes;
use pierhead_model::Timestamp;
use pull::Snapshot;
use seat::Seat;
use std::collections::BTreeMap;
use std::fmt;
use viewer::{QUEUE, Viewer};

/// How much is kept of what was printed, in bytes.
const LOG: usize = 2 * 1024 * 1024;
/// How far the screen may be behind the log, and how much it is told at once.
const BEHIND: u64 = 512 * 1024;
const AT_LEISURE: usize = 64 * 1024;
/// The largest screen.
const LARGEST: SizeOf = SizeOf { columns: 1000, rows: 500 };
/// How long a line may be without its `attach`, in milliseconds.
const ATTACH_MS: u64 = 10_000;

/// Tells viewers of one session apart; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewerId(pub u64);

impl fmt::Display for ViewerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl ViewerId {
    /// Reads what `Display` has written.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix('v')?.parse().ok().map(Self)
    }
}

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

/// How far a session was when it was painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureMark {
    printed: u64,
    sizes: u64,
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
    /// A viewer has something to be told that came from another one.
    Wake,
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
    began: Timestamp,
    log: Log,
    errors: Log,
    screen: Screen,
    recording: Recording,
    viewers: BTreeMap<ViewerId, Viewer>,
    joined: u64,
    seat: Seat,
    guests: BTreeMap<String, Role>,
    size: SizeOf,
    /// How often the size has changed, and where in the log the last time.
    sizes: (u64, u64),
    /// Until then the driver, who has interrupted the program, may lose what it printed too much, and holds up nothing.
    interrupted_until: Timestamp,
    /// Whether the process takes its input more slowly than it comes.
    is_input_full: bool,
    snapshot: Option<Snapshot>,
    /// Who is there, as it is told to everybody.
    presence: Option<Frame>,
    end: Option<End>,
}

impl Session {
    /// A terminal that has printed nothing yet.
    pub fn new(spec: SessionSpec, now: Timestamp) -> Self {
        let size = bounded(SizeOf {
            columns: if spec.columns == 0 { 80 } else { spec.columns },
            rows: if spec.rows == 0 { 24 } else { spec.rows },
        });
        Self {
            began: now,
            log: Log::new(LOG),
            errors: Log::new(LOG),
            screen: Screen::new(size),
            recording: Recording::new(&spec.title, size, spec.recording_bytes, now),
            viewers: BTreeMap::new(),
            joined: 0,
            seat: Seat::Free,
            guests: BTreeMap::new(),
            size,
            sizes: (0, 0),
            interrupted_until: Timestamp(0),
            is_input_full: false,
            snapshot: None,
            presence: None,
            end: None,
            spec,
        }
    }

    /// The process has printed this, of its errors if `is_stderr`. What it prints should be bounded: as long as
    /// [`may_read`](Self::may_read) says no, it should not be read.
    pub fn output(&mut self, bytes: &[u8], is_stderr: bool, now: Timestamp) {
        self.recording.output(bytes, now);
        if is_stderr {
            self.errors.push(bytes);
            return;
        }
        for bytes in bytes.chunks(LOG / 4) {
            self.log.push(bytes);
            // The screen is told at leisure, but long before anything that it lacks is gone.
            if self.log.end() - self.screen.fed() > BEHIND {
                self.catch_up();
            }
        }
    }

    /// Tells the screen all that was printed meanwhile.
    fn catch_up(&mut self) {
        while self.catch_up_some() {}
    }

    /// Whether the screen was not yet told all that was printed.
    pub fn is_behind(&self) -> bool {
        self.spec.tty && self.screen.fed() < self.log.end()
    }

    /// Tells the screen some of what was printed meanwhile, and whether there is more: better while nothing else is to be
    /// done than when somebody waits for a snapshot.
    pub fn catch_up_some(&mut self) -> bool {
        if !self.is_behind() {
            return false;
        }
        let waiting: Vec<&[u8]> = self.log.bytes(self.screen.fed()).collect();
        if self.log.end() - self.screen.fed() > AT_LEISURE as u64 {
            self.screen.leave_out(self.screen.traceless(&waiting));
        }
        let mut fed = 0;
        for bytes in self.log.bytes(self.screen.fed()) {
            self.screen.feed(bytes);
            fed += bytes.len();
            if fed >= AT_LEISURE {
                break;
            }
        }
        self.is_behind()
    }

    /// The process has ended, or can't be reached any more. Viewers get what is left, then how it ended.
    pub fn ended(&mut self, code: Option<i64>, reason: &str, now: Timestamp) -> Vec<Effect> {
        if self.end.is_some() {
            return Vec::new();
        }
        self.recording.end();
        self.end = Some(End { code, reason: reason.to_owned(), at: now });
        vec![Effect::Changed]
    }

    /// Somebody has a line to it. They are there once their `attach` has come.
    pub fn join(&mut self, visitor: Visitor, now: Timestamp) -> ViewerId {
        self.joined += 1;
        let id = ViewerId(self.joined);
        self.viewers.insert(id, Viewer::new(visitor, now));
        id
    }

    /// A viewer's line is gone.
    pub fn leave(&mut self, id: ViewerId, now: Timestamp) -> Vec<Effect> {
        let Some(viewer) = self.viewers.remove(&id) else { return Vec::new() };
        if self.seat == Seat::Held(id) {
            self.keep_seat(id, &viewer.username, viewer.flow.shown(), now);
        }
        if viewer.is_there { self.told_of_presence() } else { Vec::new() }
    }

    /// Time has passed; see [`deadline`](Self::deadline).
    pub fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        for viewer in self.viewers.values_mut().filter(|viewer| !viewer.is_there && !viewer.is_closing) {
            if now.since(viewer.since) >= ATTACH_MS {
                viewer.close("late", format!("no attach came within {} s", ATTACH_MS / 1000));
            }
        }
        match self.seat {
            Seat::Kept { until, .. } if until <= now => self.unseat(),
            _ => Vec::new(),
        }
    }

    /// When [`tick`](Self::tick) or [`may_read`](Self::may_read) will have something to say though nothing happens.
    pub fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let late = self.viewers.values().filter(|viewer| !viewer.is_there && !viewer.is_closing);
        let late = late.map(|viewer| viewer.since.plus(ATTACH_MS)).min();
        let seat = match &self.seat {
            Seat::Kept { until, .. } => Some(*until),
            Seat::Held(id) if !self.may_read(now) => self.viewers.get(id).map(|viewer| viewer.flow.stalls_at()),
            Seat::Held(_) | Seat::Free => None,
        };
        let is_crowd = self.viewers.len() > pull::CROWD;
        let due = self.viewers.values().filter(|viewer| is_crowd && viewer.is_presence_due && viewer.is_seen());
        // Who could be told already was woken for it.
        let due = due.map(|viewer| viewer.presence_told.plus(pull::PRESENCE_MS)).filter(|due| *due > now).min();
        late.into_iter().chain(seat).chain(due).min()
    }

    /// An account may do this from now on, or nothing at all (`None`): whoever is there by its old right is told.
    pub fn grant(&mut self, username: &str, role: Option<Role>) -> Vec<Effect> {
        match role {
            Some(role) => self.guests.insert(username.to_owned(), role),
            None => self.guests.remove(username),
        };
        let right = match role {
            Some(Role::Driver) => Right::Driver,
            Some(Role::Viewer) | None => Right::Viewer,
        };
        let theirs = self.viewers.values_mut();
        for viewer in theirs.filter(|viewer| viewer.username == username && viewer.right != Right::Owner) {
            viewer.right = right;
            if role.is_none() {
                viewer.close("revoked", "you may not look at this terminal any more");
            }
        }
        let may_drive = match &self.seat {
            Seat::Held(id) => self.viewers.get(id).is_some_and(|driver| driver.right >= Right::Driver),
            Seat::Kept { username: kept, .. } => kept != username || right >= Right::Driver,
            Seat::Free => true,
        };
        if may_drive { self.told_of_presence() } else { self.unseat() }
    }

    /// Whether the process takes its input more slowly than it comes. What its driver has shown is not known then, since
    /// that comes behind the input: it must go on printing, or it might never go on reading.
    pub fn input_full(&mut self, is_full: bool) {
        self.is_input_full = is_full;
    }

    /// Whether more output may be read now: not while the driver has too much that it has not shown.
    pub fn may_read(&self, now: Timestamp) -> bool {
        self.is_input_full || self.interrupted_until > now || self.driver_has_room(now).unwrap_or(true)
    }

    /// Whether there is a driver whose reading sets the pace. Without one nothing slows down what the process prints.
    pub fn has_pace(&self, now: Timestamp) -> bool {
        self.driver_has_room(now).is_some()
    }

    /// Whether the driver can take more; `None` if nobody's reading holds up anything.
    fn driver_has_room(&self, now: Timestamp) -> Option<bool> {
        match &self.seat {
            Seat::Free => None,
            Seat::Kept { shown, .. } => Some(self.log.end().saturating_sub(*shown) < QUEUE),
            Seat::Held(id) => {
                let driver = self.viewers.get(id)?;
                let waits = driver.flow.in_flight(driver.next) + self.log.end().saturating_sub(driver.next);
                let errors = self.errors.end().saturating_sub(driver.next_error);
                let holds_up = driver.is_visible && driver.jump.is_none() && !driver.flow.is_stalled(now);
                holds_up.then_some(waits < driver.flow.window() && errors < QUEUE)
            }
        }
    }

    /// How it stands.
    pub fn view(&self) -> SessionView {
        SessionView {
            id: self.spec.id.clone(),
            columns: self.size.columns,
            rows: self.size.rows,
            tty: self.spec.tty,
            since: self.began,
            viewers: self.viewer_views(),
            guests: self.guests.clone(),
            end: self.end.clone(),
            printed: self.log.end() + self.errors.end(),
        }
    }

    /// A small picture of its screen, and how far that goes; nothing if it went no further since a mark.
    pub fn picture(&mut self, since: Option<PictureMark>) -> Option<(PictureMark, Picture)> {
        let mark = PictureMark { printed: self.log.end(), sizes: self.sizes.0 };
        if since == Some(mark) {
            return None;
        }
        self.catch_up();
        Some((mark, self.screen.picture()))
    }

    /// What was recorded so far, as a file of asciicast v2 in pieces.
    pub fn recording(&mut self) -> Vec<Bytes> {
        self.recording.pieces()
    }

    fn viewer_views(&self) -> Vec<ViewerView> {
        let driver = self.driver();
        let seen = self.viewers.iter().filter(|(_, viewer)| viewer.is_seen());
        seen.map(|(id, viewer)| viewer.view(*id, driver == Some(*id))).collect()
    }

    fn resize(&mut self, size: SizeOf, now: Timestamp) -> Vec<Effect> {
        let size = bounded(size);
        if size == self.size || self.end.is_some() {
            return Vec::new();
        }
        self.catch_up();
        self.screen.resize(size);
        self.recording.resized(size, now);
        self.size = size;
        self.sizes = (self.sizes.0 + 1, self.log.end());
        vec![Effect::Resize(size), Effect::Changed]
    }
}

fn bounded(size: SizeOf) -> SizeOf {
    SizeOf { columns: size.columns.clamp(2, LARGEST.columns), rows: size.rows.clamp(1, LARGEST.rows) }
}
