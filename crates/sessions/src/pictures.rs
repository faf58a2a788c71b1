//! Small pictures of sessions for who looks at many at once: at most two a second of each, and only what is new.
//!
//! Nothing is queued: what changed since the last picture is found when the next one is asked for, so whoever is slow gets
//! fewer pictures and holds up nobody.

use crate::Sessions;
use pierhead_terminal::{Picture, PictureChange, PictureMark};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The least time between two pictures of one session.
pub const PICTURE_PACE: Duration = Duration::from_millis(500);
/// The least time between two looks at which sessions are wanted.
const LOOK: Duration = Duration::from_millis(100);

/// The sessions whose pictures are wanted, by their ids, and a number for each: with another number a picture begins anew,
/// for somebody who has forgotten the former one.
pub type Wanted = Arc<BTreeMap<String, u64>>;

/// What somebody was told of a session, under the number that they wanted it by.
struct Told {
    number: u64,
    /// Nothing if it was over.
    picture: Option<(PictureMark, Picture)>,
}

/// Pictures of sessions, for one who looks.
pub struct Pictures {
    sessions: Sessions,
    wanted: watch::Receiver<Wanted>,
    told: BTreeMap<String, Told>,
    pace: Interval,
}

impl std::fmt::Debug for Pictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pictures").field("told", &self.told.len()).finish_non_exhaustive()
    }
}

impl Sessions {
    /// Pictures of the sessions that are wanted, which may be others at any time.
    pub fn pictures(&self, mut wanted: watch::Receiver<Wanted>) -> Pictures {
        let mut pace = interval(PICTURE_PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        wanted.mark_changed();
        Pictures { sessions: self.clone(), wanted, told: BTreeMap::new(), pace }
    }
}

impl Pictures {
    /// What is new, at least one change; nothing once nobody says any more what is wanted. What comes of dropping this is
    /// that it is told the next time.
    pub async fn next(&mut self) -> Option<Vec<PictureChange>> {
        loop {
            let is_turn = tokio::select! {
                biased;
                changed = self.wanted.changed() => {
                    changed.ok()?;
                    tokio::time::sleep(LOOK).await;
                    false
                }
                _ = self.pace.tick() => true,
            };
            let changes = self.look(is_turn);
            if !changes.is_empty() {
                return Some(changes);
            }
        }
    }

    /// What is new of all of them, or of those of which nothing was told yet.
    fn look(&mut self, of_all: bool) -> Vec<PictureChange> {
        let wanted = Arc::clone(&self.wanted.borrow_and_update());
        // Who stops looking and looks again within a turn is told no more often for that.
        if of_all {
            self.told.retain(|id, _| wanted.contains_key(id));
        }
        let due = wanted.iter().filter(|(id, _)| of_all || !self.told.contains_key(*id));
        let changes: Vec<_> = due.map(|(id, number)| (id, *number)).collect();
        changes.into_iter().filter_map(|(id, number)| self.change(id, number)).collect()
    }

    fn change(&mut self, id: &str, number: u64) -> Option<PictureChange> {
        let told = self.told.get(id).filter(|told| told.number == number);
        let Some(running) = self.sessions.running(id) else {
            let was_told = told.is_some_and(|told| told.picture.is_none());
            self.told.insert(id.to_owned(), Told { number, picture: None });
            return (!was_told).then(|| PictureChange::over(id));
        };
        let before = told.and_then(|told| told.picture.as_ref());
        let (mark, picture) = running.session().picture(before.map(|(mark, _)| *mark))?;
        let change = picture.change(id, before.map(|(_, picture)| picture));
        self.told.insert(id.to_owned(), Told { number, picture: Some((mark, picture)) });
        change
    }
}
