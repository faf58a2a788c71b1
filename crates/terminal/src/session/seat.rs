//! Who drives.

use super::{Effect, Right, Session, ViewerId};
use crate::ServerMessage;
use pierhead_model::Timestamp;

/// For how long a driver whose line broke keeps the role, in milliseconds.
pub(super) const GRACE_MS: u64 = 10_000;
/// Somebody asks to drive at most so often, in milliseconds.
const ASK_MS: u64 = 10_000;

/// The driver's seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seat {
    /// Nobody drives.
    Free,
    /// Somebody does.
    Held(ViewerId),
    /// The line of who drove is broken, and they may come back until then.
    Kept { viewer: ViewerId, username: String, shown: u64, until: Timestamp },
}

impl Session {
    /// The one who drives now.
    pub(super) fn driver(&self) -> Option<ViewerId> {
        match self.seat {
            Seat::Held(viewer) => Some(viewer),
            Seat::Free | Seat::Kept { .. } => None,
        }
    }

    /// Whether somebody who comes now drives without asking.
    pub(super) fn sits_down(&self, id: ViewerId, was: Option<ViewerId>) -> bool {
        let Some(viewer) = self.viewers.get(&id).filter(|viewer| viewer.right >= Right::Driver) else { return false };
        match &self.seat {
            Seat::Free => viewer.right == Right::Owner,
            Seat::Held(driver) => was == Some(*driver),
            Seat::Kept { username, .. } => *username == viewer.username,
        }
    }

    /// From now on this one drives, in the size of its window.
    pub(super) fn seat(&mut self, id: ViewerId, now: Timestamp) -> Vec<Effect> {
        self.seat = Seat::Held(id);
        let mut size = None;
        if let Some(viewer) = self.viewers.get_mut(&id) {
            viewer.flow.begin(now);
            size = viewer.size.filter(|_| viewer.is_visible);
        }
        let mut effects = self.told_of_presence();
        if let Some(size) = size {
            effects.extend(self.resize(size, now));
        }
        effects
    }

    /// From now on nobody drives.
    pub(super) fn unseat(&mut self) -> Vec<Effect> {
        self.seat = Seat::Free;
        self.told_of_presence()
    }

    /// Everybody will be told who is there and who drives.
    pub(super) fn told_of_presence(&mut self) -> Vec<Effect> {
        self.presence = None;
        for viewer in self.viewers.values_mut() {
            viewer.is_presence_due = true;
        }
        vec![Effect::Changed]
    }

    /// The driver's line is gone.
    pub(super) fn keep_seat(&mut self, viewer: ViewerId, username: &str, shown: u64, now: Timestamp) {
        let until = now.plus(GRACE_MS);
        self.seat = Seat::Kept { viewer, username: username.to_owned(), shown, until };
    }

    /// Somebody wants to drive.
    pub(super) fn drive(&mut self, id: ViewerId, now: Timestamp) -> Vec<Effect> {
        let seat = self.seat.clone();
        let Some(viewer) = self.viewers.get_mut(&id) else { return Vec::new() };
        if viewer.right < Right::Driver {
            viewer.refuse("not_allowed", "you may look at this terminal, and not drive it");
            return Vec::new();
        }
        match seat {
            Seat::Free => self.seat(id, now),
            Seat::Held(driver) if driver == id => Vec::new(),
            Seat::Kept { username, .. } if username == viewer.username => self.seat(id, now),
            Seat::Kept { username, until, .. } => {
                let seconds = until.since(now).div_ceil(1000);
                viewer
                    .refuse("driver_away", format!("{username} may come back within {seconds} s; then nobody drives"));
                Vec::new()
            }
            Seat::Held(driver) => {
                if viewer.asked.is_some_and(|asked| now.since(asked) < ASK_MS) {
                    return Vec::new();
                }
                viewer.asked = Some(now);
                let asks = ServerMessage::Asks { viewer: id.to_string(), username: viewer.username.clone() };
                if let Some(driver) = self.viewers.get_mut(&driver) {
                    driver.tell(&asks);
                }
                vec![Effect::Wake]
            }
        }
    }

    /// The driver lets another one drive.
    pub(super) fn hand_over(&mut self, from: ViewerId, to: &str, now: Timestamp) -> Vec<Effect> {
        let other = ViewerId::parse(to).and_then(|to| Some((to, self.viewers.get(&to)?)));
        let (code, message) = match other.filter(|(_, other)| other.is_seen()) {
            _ if self.driver() != Some(from) => ("not_driver", "only who drives can let another one drive".to_owned()),
            None => ("not_here", format!("there is no viewer {to}")),
            Some((_, other)) if other.right < Right::Driver => {
                ("not_allowed", format!("{} may look at this terminal, and not drive it", other.username))
            }
            Some((to, _)) => return self.seat(to, now),
        };
        if let Some(viewer) = self.viewers.get_mut(&from) {
            viewer.refuse(code, message);
        }
        Vec::new()
    }
}
