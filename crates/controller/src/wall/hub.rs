//! The pictures of terminals that walls show: one subscription for each home, however many walls look, and for each wall
//! nothing but how far it has been told.

use crate::measured::{Gauge, Open, Share, Shares};
use pierhead_model::{EngineId, TerminalId, Username};
use pierhead_sessions::Wanted;
use pierhead_terminal::{Picture, PictureChange};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// The most terminals that one wall shows at once: what is on a screen, and some more.
pub const MOST_SHOWN: usize = 200;
/// The most walls that are looked at through one controller, and the most of one account.
const MOST_WALLS: u64 = 500;
const MOST_WALLS_OF_ONE: u64 = 10;
/// The most that one home paints at once.
const MOST_OF_A_HOME: usize = 400;

/// Where terminals live that can be painted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Home {
    /// In the agent of a host.
    Agent(EngineId),
    /// In this controller.
    Here,
}

/// A terminal that at least one wall shows.
struct Tile {
    home: Home,
    /// How many walls show it.
    walls: usize,
    /// Under which number its home is asked for it.
    number: u64,
    picture: Picture,
    /// When each row, and anything else of it, changed last.
    rows: Vec<u64>,
    changed: u64,
    /// When it was last painted anew as a whole.
    whole: u64,
    is_over: bool,
}

#[derive(Default)]
struct Shown {
    /// Counts changes: the clock by which walls know what they lack.
    count: u64,
    tiles: BTreeMap<TerminalId, Tile>,
    homes: BTreeMap<Home, watch::Sender<Wanted>>,
}

/// See the module. Clones are the same.
#[derive(Clone)]
pub(crate) struct Hub {
    shown: Arc<Mutex<Shown>>,
    /// Told when homes are asked that were not asked before.
    asked: Arc<Notify>,
    turn: Arc<tokio::sync::Mutex<()>>,
    walls: Gauge,
    walls_of: Shares,
}

/// What one wall shows; it shows nothing once this is dropped.
pub struct WallPictures {
    hub: Hub,
    shown: BTreeMap<TerminalId, u64>,
    _place: Option<(Share, Open)>,
}

impl std::fmt::Debug for WallPictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WallPictures").field("shown", &self.shown.len()).finish_non_exhaustive()
    }
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self {
            shown: Arc::default(),
            asked: Arc::default(),
            turn: Arc::default(),
            walls: Gauge::default(),
            walls_of: Shares::default(),
        }
    }

    /// A wall that shows nothing yet, for somebody who looks at no more of them than they may.
    pub(crate) fn wall_of(&self, who: &Username) -> Option<WallPictures> {
        let place = (self.walls_of.open_below(who, MOST_WALLS_OF_ONE)?, self.walls.open_below(MOST_WALLS)?);
        Some(WallPictures { hub: self.clone(), shown: BTreeMap::new(), _place: Some(place) })
    }

    #[cfg(test)]
    fn wall(&self) -> WallPictures {
        WallPictures { hub: self.clone(), shown: BTreeMap::new(), _place: None }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a home has painted.
    pub(crate) fn paint(&self, home: &Home, changes: &[PictureChange]) {
        let mut shown = self.shown();
        let shown = &mut *shown;
        shown.count += 1;
        for change in changes {
            if let Some(tile) = shown.tiles.get_mut(change.terminal.as_str()).filter(|tile| tile.home == *home) {
                tile.apply(change, shown.count);
            }
        }
    }

    /// The homes that are asked, with what for.
    pub(crate) fn homes(&self) -> Vec<(Home, watch::Receiver<Wanted>)> {
        self.shown().homes.iter().map(|(home, wanted)| (home.clone(), wanted.subscribe())).collect()
    }

    /// One after another, for what many do to the same record at once.
    pub(crate) async fn turn(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Waits until other homes may be asked.
    pub(crate) async fn asked(&self) {
        self.asked.notified().await;
    }
}

impl Tile {
    fn apply(&mut self, change: &PictureChange, count: u64) {
        self.changed = count;
        if change.over {
            self.is_over = true;
            return;
        }
        self.is_over = false;
        if change.whole {
            self.whole = count;
            self.rows.clear();
        }
        self.picture.apply(change);
        self.rows.resize(self.picture.lines.len(), count);
        for (at, _) in &change.lines {
            if let Some(row) = self.rows.get_mut(usize::from(*at)) {
                *row = count;
            }
        }
    }

    /// What somebody lacks who was told all before a count.
    fn since(&self, id: &TerminalId, told: u64) -> PictureChange {
        if self.is_over {
            return PictureChange::over(id.as_str());
        }
        if told < self.whole || told == 0 {
            return self.picture.change(id.as_str(), None).unwrap_or_else(|| PictureChange::over(id.as_str()));
        }
        let lines = self.picture.lines.iter().zip(&self.rows).enumerate();
        let lines = lines.filter(|(_, (_, changed))| **changed > told);
        PictureChange {
            terminal: id.to_string(),
            columns: self.picture.columns,
            rows: self.picture.rows,
            cursor: self.picture.cursor,
            height: u16::try_from(self.picture.lines.len()).unwrap_or(u16::MAX),
            whole: false,
            lines: lines.map(|(at, (line, _))| (u16::try_from(at).unwrap_or(u16::MAX), line.clone())).collect(),
            over: false,
        }
    }
}

impl Shown {
    fn add(&mut self, id: &TerminalId, home: &Home) {
        self.count += 1;
        let number = self.count;
        let tile = self.tiles.entry(id.clone()).or_insert_with(|| Tile {
            home: home.clone(),
            walls: 0,
            number,
            picture: Picture::default(),
            rows: Vec::new(),
            changed: 0,
            whole: 0,
            is_over: false,
        });
        tile.walls += 1;
    }

    fn remove(&mut self, id: &TerminalId) {
        if let Some(tile) = self.tiles.get_mut(id) {
            tile.walls -= 1;
            if tile.walls == 0 {
                self.tiles.remove(id);
            }
        }
    }

    /// Tells the homes what is wanted of them now.
    fn ask(&mut self) {
        let mut wanted: BTreeMap<Home, BTreeMap<String, u64>> =
            self.homes.keys().map(|home| (home.clone(), BTreeMap::new())).collect();
        for (id, tile) in &self.tiles {
            let of_home = wanted.entry(tile.home.clone()).or_default();
            if of_home.len() < MOST_OF_A_HOME {
                of_home.insert(id.to_string(), tile.number);
            }
        }
        for (home, wanted) in wanted {
            if wanted.is_empty() {
                // The subscription ends with the sender.
                self.homes.remove(&home);
            } else {
                let sender = self.homes.entry(home).or_insert_with(|| watch::Sender::new(Wanted::default()));
                sender.send_if_modified(|before| {
                    let is_other = **before != wanted;
                    if is_other {
                        *before = Arc::new(wanted);
                    }
                    is_other
                });
            }
        }
    }
}

impl WallPictures {
    /// Shows these terminals from now on, and no others; at most [`MOST_SHOWN`].
    pub(crate) fn show(&mut self, terminals: &BTreeMap<TerminalId, Home>) {
        let wanted: BTreeMap<&TerminalId, &Home> = terminals.iter().take(MOST_SHOWN).collect();
        let gone: BTreeSet<TerminalId> = self.shown.keys().filter(|id| !wanted.contains_key(id)).cloned().collect();
        let new: Vec<_> = wanted.into_iter().filter(|(id, _)| !self.shown.contains_key(*id)).collect();
        if gone.is_empty() && new.is_empty() {
            return;
        }
        let mut shown = self.hub.shown();
        for id in &gone {
            self.shown.remove(id);
            shown.remove(id);
        }
        for (id, home) in new {
            shown.add(id, home);
            self.shown.insert(id.clone(), 0);
        }
        shown.ask();
        drop(shown);
        self.hub.asked.notify_one();
    }

    /// What is new of the terminals that are shown. What it says counts as told.
    pub fn take(&mut self) -> Vec<PictureChange> {
        let shown = self.hub.shown();
        let mut changes = Vec::new();
        for (id, told) in &mut self.shown {
            if let Some(tile) = shown.tiles.get(id).filter(|tile| tile.changed > *told) {
                changes.push(tile.since(id, *told));
                *told = tile.changed;
            }
        }
        changes
    }
}

impl Drop for WallPictures {
    fn drop(&mut self) {
        self.show(&BTreeMap::new());
    }
}

#[cfg(test)]
mod tests;
