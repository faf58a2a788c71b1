//! Requests for the logs of all containers of an app as one: in the order in which lines were written, and followed, also
//! of containers that come later. It reads; it changes nothing.

mod lines;
mod order;

use self::lines::Lines;
use self::order::Order;
use super::apps::owned_app;
use super::logs::Reader;
use super::{Actor, RequestError};
use crate::Controller;
use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::{Stream, StreamExt};
use pierhead_engine::{DynEngine, EngineError, LogLine, LogOptions};
use pierhead_model::{AppId, AppName, ContainerId, EngineId, SlotKey};
use pierhead_planner::{SlotPhase, slot_status};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

/// The most containers of one app whose logs are read as one.
pub const MOST_MERGED: usize = 100;

/// How long a line waits for older ones of other containers: of a log that is followed, and of one that has an end.
const SHORT_PATIENCE: Duration = Duration::from_millis(150);
const LONG_PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked for containers that came later, or that can be read again.
const LOOK: Duration = Duration::from_millis(500);
/// The pause before a log that ended or failed is asked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// What comes of the logs of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppLogPiece {
    /// A line, or a piece of a long one.
    Line {
        /// The container's name.
        container: String,
        /// When it was written, as the host's engine says it; empty if it did not.
        at: String,
        /// Without its end.
        text: Vec<u8>,
    },
    /// The container's log has come to its end: it stopped, or is gone.
    Ended {
        /// The container's name.
        container: String,
    },
    /// The container's log can't be read now.
    Failed {
        /// The container's name.
        container: String,
        /// Why, in words.
        why: String,
    },
    /// The app has more containers than are read as one.
    Left {
        /// How many.
        containers: usize,
    },
}

impl Controller {
    /// What the containers of an app printed. One that is followed ends when nothing of the app will print any more.
    /// Dropping it ends it, at the engines too.
    ///
    /// # Errors
    /// If there is no such app, the actor may not, too many logs are read already, or, unless it is followed, if there is
    /// no container.
    pub fn app_logs(
        &self,
        actor: &Actor,
        name: &AppName,
        options: LogOptions,
    ) -> Result<BoxStream<'static, AppLogPiece>, RequestError> {
        let app = owned_app(&self.known(), actor, name)?.id;
        let mut merged = Merged::new(self.clone(), actor.clone(), app, options);
        if let Some(refused) = merged.look() {
            return Err(refused);
        }
        if merged.sources.is_empty() && !merged.options.follow {
            return Err(RequestError::NotFound { what: "container of app", id: name.to_string(), replaced_by: None });
        }
        let pieces = stream::unfold(merged, |mut merged| async move { Some((merged.next().await?, merged)) });
        Ok(pieces.boxed())
    }
}

/// A container as it was found.
struct Found {
    id: ContainerId,
    engine: EngineId,
    name: String,
    runs: bool,
    is_reachable: bool,
}

/// A container whose log is read, or was.
struct Source {
    name: String,
    lines: Lines,
    is_open: bool,
    /// Not before this it is asked for again.
    not_before: Instant,
    /// Whether it was said that it ended, or can't be read.
    is_told: bool,
}

/// What came of one container's log.
enum Piece {
    Bytes(Vec<u8>),
    End,
    Broken(String),
}

struct Merged {
    controller: Controller,
    actor: Actor,
    app: AppId,
    options: LogOptions,
    sources: BTreeMap<ContainerId, Source>,
    open: SelectAll<BoxStream<'static, (ContainerId, Piece)>>,
    order: Order<ContainerId>,
    changes: watch::Receiver<u64>,
    looks: Interval,
    /// Whether some container waits to be asked for again.
    is_waiting: bool,
    /// Whether it was looked for containers before.
    has_begun: bool,
    /// How many containers are left out, as it was said last.
    left: usize,
}

impl Merged {
    fn new(controller: Controller, actor: Actor, app: AppId, options: LogOptions) -> Self {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let changes = controller.changes();
        let order = Order::new(if options.follow { SHORT_PATIENCE } else { LONG_PATIENCE });
        let (sources, open) = (BTreeMap::new(), SelectAll::new());
        let (is_waiting, has_begun, left) = (false, false, 0);
        Self { controller, actor, app, options, sources, open, order, changes, looks, is_waiting, has_begun, left }
    }

    async fn next(&mut self) -> Option<AppLogPiece> {
        loop {
            let open = self.sources.values().filter(|source| source.is_open).count();
            if let Some(piece) = self.order.pop(open, Instant::now()) {
                return Some(piece);
            }
            let is_over = self.open.is_empty() && self.order.is_empty();
            if is_over && (!self.options.follow || self.will_be_silent()) {
                return None;
            }
            let due = self.order.due();
            tokio::select! {
                piece = self.open.next(), if !self.open.is_empty() && !self.order.is_full() => {
                    // Nothing, and all of them have ended.
                    if let Some((id, piece)) = piece {
                        self.take(&id, piece);
                    }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                _ = self.looks.tick(), if self.options.follow => {
                    if self.is_waiting || self.changes.has_changed().unwrap_or(true) {
                        self.look();
                    }
                }
            }
        }
    }

    fn take(&mut self, id: &ContainerId, piece: Piece) {
        let Some(source) = self.sources.get_mut(id) else { return };
        let now = Instant::now();
        let container = source.name.clone();
        let (records, last) = match piece {
            Piece::Bytes(bytes) => (source.lines.push(&bytes), None),
            Piece::End => (source.lines.end().into_iter().collect(), Some(AppLogPiece::Ended { container })),
            Piece::Broken(why) => (Vec::new(), Some(AppLogPiece::Failed { container, why })),
        };
        if !records.is_empty() {
            source.is_told = false;
        }
        for record in records {
            let line = AppLogPiece::Line { container: source.name.clone(), at: record.at.clone(), text: record.text };
            self.order.push(id, record.at, line, now);
        }
        if let Some(last) = last {
            (source.is_open, source.not_before) = (false, now + PAUSE);
            if !std::mem::replace(&mut source.is_told, true) {
                self.order.push(id, String::new(), last, now);
            }
        }
    }

    /// Opens what is not open; the answer is why nothing at all could be.
    fn look(&mut self) -> Option<RequestError> {
        self.changes.mark_unchanged();
        self.is_waiting = false;
        let all = self.find();
        // What is gone makes room for what comes.
        self.sources.retain(|id, source| source.is_open || all.iter().any(|found| found.id == *id));
        let left = all.len().saturating_sub(MOST_MERGED);
        let mut refused = None;
        let now = Instant::now();
        for found in all {
            let (is_new, is_due) = match self.sources.get(&found.id) {
                None if self.sources.len() >= MOST_MERGED => continue,
                None => (true, true),
                Some(source) if source.is_open => continue,
                Some(source) => (false, source.not_before <= now && found.runs),
            };
            self.is_waiting |= found.runs;
            if is_due && let Err(error) = self.open_one(found, is_new, now) {
                refused = Some(error);
            }
        }
        self.tell_left(left);
        self.has_begun = true;
        refused.filter(|_| self.open.is_empty() && self.order.is_empty())
    }

    fn open_one(&mut self, found: Found, is_new: bool, now: Instant) -> Result<(), RequestError> {
        let Found { id, engine, name, is_reachable, .. } = found;
        let source = self.sources.entry(id.clone()).or_insert_with(|| Source {
            name,
            lines: Lines::default(),
            is_open: false,
            not_before: now,
            is_told: false,
        });
        let mut options = LogOptions { timestamps: true, ..self.options.clone() };
        // All of a container that came later is wanted.
        if is_new && self.has_begun {
            options.tail = None;
        }
        if !is_new && let Some(since) = source.lines.again() {
            (options.since, options.tail) = (Some(since), None);
        }
        let link = self.controller.engines.link(&engine).filter(|_| is_reachable);
        let Some(link) = link else {
            self.take(&id, Piece::Broken(format!("host {engine} does not answer")));
            return Ok(());
        };
        let reader = match self.controller.log_reader(&self.actor) {
            Ok(reader) => reader,
            Err(error) => {
                source.not_before = now + PAUSE;
                return Err(error);
            }
        };
        source.is_open = true;
        self.open.push(pieces(link.engine.clone(), id, options, reader));
        Ok(())
    }

    /// The app's containers that do or did its work, those that run first.
    fn find(&self) -> Vec<Found> {
        let known = self.controller.known();
        let all = known
            .world
            .labelled_of(&self.app)
            .filter(|(_, state, container)| !known.is_outdated(&state.record.id, container));
        let mut all: Vec<Found> = all
            .map(|(_, state, container)| Found {
                id: container.id.clone(),
                engine: state.record.id.clone(),
                name: container.name.clone(),
                runs: container.state.is_running(),
                is_reachable: state.is_usable(),
            })
            .collect();
        all.sort_by_key(|found| !found.runs);
        all
    }

    fn tell_left(&mut self, containers: usize) {
        if std::mem::replace(&mut self.left, containers) < containers
            && let Some(first) = self.sources.keys().next().cloned()
        {
            self.order.push(&first, String::new(), AppLogPiece::Left { containers }, Instant::now());
        }
    }

    /// Whether the app is gone, or every slot of it has come to its end.
    fn will_be_silent(&self) -> bool {
        let known = self.controller.known();
        let Some(app) = known.world.apps().get(&self.app) else { return true };
        let is_over = |slot| {
            let phase = slot_status(&known.world, &SlotKey { app: self.app.clone(), slot }).phase;
            matches!(phase, SlotPhase::Done | SlotPhase::Failed | SlotPhase::Stopped)
        };
        app.slots.keys().all(|slot| is_over(*slot))
    }
}

/// What one container prints until its log ends, marked with its id. Engines are asked at the same time: one that hangs
/// holds up none of the others.
fn pieces(
    host: DynEngine,
    id: ContainerId,
    options: LogOptions,
    reader: Reader,
) -> BoxStream<'static, (ContainerId, Piece)> {
    let of = id.clone();
    let opened = stream::once(async move {
        let log = host.logs(&id, options).await;
        match log {
            Ok(lines) => read(lines, host, id).boxed(),
            Err(error) => stream::iter([ended(error)]).boxed(),
        }
    });
    let pieces = opened.flatten().map(move |piece| {
        let _open = &reader;
        (of.clone(), piece)
    });
    pieces.boxed()
}

type EngineLines = BoxStream<'static, pierhead_engine::Result<LogLine>>;

fn read(lines: EngineLines, host: DynEngine, id: ContainerId) -> impl Stream<Item = Piece> + Send {
    stream::unfold(Some((lines, host, id)), |state| async move {
        let (mut lines, host, id) = state?;
        match lines.next().await {
            Some(Ok(line)) => Some((Piece::Bytes(line.bytes), Some((lines, host, id)))),
            None => Some((Piece::End, None)),
            // Engines cut the log of a container that goes.
            Some(Err(error)) => match host.container(&id).await {
                Err(EngineError::NotFound) => Some((Piece::End, None)),
                Ok(container) if !container.state.is_running() => Some((Piece::End, None)),
                _ => Some((ended(error), None)),
            },
        }
    })
}

fn ended(error: EngineError) -> Piece {
    match error {
        EngineError::NotFound => Piece::End,
        error => Piece::Broken(error.to_string()),
    }
}
