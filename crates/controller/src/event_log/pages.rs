//! The log newest first, page by page, and what may be asked of it.

use super::Position;
use crate::{RequestError, keys};
use pierhead_model::{Event, Timestamp};
use pierhead_store::{Entry, MAX_PAGE_ENTRIES, Revision, Store};
use std::sync::Arc;

/// How much later than its id says an event may be committed, in milliseconds: further back nobody looks for what is
/// new.
pub(super) const LATEST_COMMIT_MS: u64 = 60_000;
/// How far the clocks of engines may be ahead of ours, in milliseconds.
const SKEW_MS: u64 = 300_000;

/// From where on events are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// After the event of this id, in the order of the log.
    Event(String),
    /// From this moment on.
    Moment(Timestamp),
}

/// Which events are wanted; what is absent is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// The type.
    pub kind: Option<String>,
    /// A tag, in any case.
    pub tag: Option<String>,
    /// The id of an engine.
    pub engine: Option<String>,
    /// The id of a container, the beginning of one, or a name.
    pub container: Option<String>,
    /// The name of an app.
    pub app: Option<String>,
    /// An account.
    pub actor: Option<String>,
    /// From where on.
    pub since: Option<Since>,
    /// The last moment.
    pub until: Option<Timestamp>,
}

impl EventFilter {
    /// Whether an event is one of the wanted; [`Since::Event`] is a matter of its place, not of the event.
    #[must_use]
    pub fn takes(&self, event: &Event) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|w| found == Some(w));
        let has_tag = |wanted: &String| event.tags.iter().any(|tag| tag.as_str().eq_ignore_ascii_case(wanted));
        let is_container = |wanted: &String| {
            event.container.as_ref().is_some_and(|container| {
                container.observed.id.as_str().starts_with(wanted.as_str())
                    || container.observed.name == wanted.trim_start_matches('/')
            })
        };
        is(&self.kind, Some(&event.kind))
            && self.tag.as_ref().is_none_or(has_tag)
            && is(&self.engine, event.engine.as_ref().map(|engine| engine.record.id.as_str()))
            && self.container.as_ref().is_none_or(is_container)
            && is(&self.app, event.app.as_deref())
            && is(&self.actor, event.actor.as_ref().map(pierhead_model::Username::as_str))
            && self.until.is_none_or(|until| event.time <= until)
            && !matches!(self.since, Some(Since::Moment(since)) if event.time < since)
    }

    fn takes_all(&self) -> bool {
        *self == Self::default()
    }
}

/// Where reading begins and how far back it must look.
pub(super) struct Start {
    /// What is wanted comes after this.
    after: Position,
    /// The event that `after` names is gone: only the ids are left to go by.
    is_gone: bool,
    /// Nothing older than this can be wanted, in milliseconds since 1970.
    floor: u64,
}

impl Start {
    pub(super) async fn find(store: &dyn Store, since: Option<&Since>) -> Result<Self, RequestError> {
        let everything = Position { revision: Revision::ZERO, id: String::new() };
        Ok(match since {
            None => Self { after: everything, is_gone: false, floor: 0 },
            Some(Since::Moment(moment)) => {
                Self { after: everything, is_gone: false, floor: moment.0.saturating_sub(SKEW_MS) }
            }
            Some(Since::Event(id)) => {
                let found = store.get(&keys::event(id)).await?;
                let after = found.as_ref().map(|entry| Position::of(entry, id));
                Self {
                    is_gone: after.is_none(),
                    after: after.unwrap_or(Position { revision: Revision::ZERO, id: id.clone() }),
                    floor: keys::event_time(id).saturating_sub(LATEST_COMMIT_MS),
                }
            }
        })
    }

    /// What was delivered up to a position.
    pub(super) fn after(after: Position, floor: u64) -> Self {
        Self { after, is_gone: false, floor }
    }

    pub(super) fn position(&self) -> &Position {
        &self.after
    }

    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    pub(super) fn is_before(&self, entry: &Entry) -> bool {
        let id = keys::event_id(&entry.key);
        if self.is_gone { id > self.after.id } else { Position::of(entry, &id) > self.after }
    }

    /// Whether neither this entry nor any that comes later in a listing can be wanted.
    pub(super) fn ends_at(&self, entry: &Entry) -> bool {
        keys::event_time(&keys::event_id(&entry.key)) < self.floor
    }
}

/// The events that a filter takes, newest first, as many as were asked for.
pub struct EventPages {
    store: Arc<dyn Store>,
    filter: EventFilter,
    start: Start,
    left: usize,
    after: Option<String>,
}

impl EventPages {
    pub(crate) async fn open(store: Arc<dyn Store>, filter: EventFilter, count: usize) -> Result<Self, RequestError> {
        let start = Start::find(&*store, filter.since.as_ref()).await?;
        Ok(Self { store, filter, start, left: count, after: None })
    }

    /// The next ones; none at the end.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn next(&mut self) -> Result<Vec<Event>, RequestError> {
        let mut found = Vec::new();
        while self.left > 0 && found.is_empty() {
            let limit = if self.filter.takes_all() { self.left.min(MAX_PAGE_ENTRIES) } else { MAX_PAGE_ENTRIES };
            let page = self.store.list(keys::EVENTS, self.after.as_deref(), limit).await?;
            for entry in &page.entries {
                if self.start.ends_at(entry) {
                    self.left = 0;
                    break;
                }
                if self.left == 0 || !self.start.is_before(entry) {
                    continue;
                }
                let event: Event = entry.json()?;
                if self.filter.takes(&event) {
                    found.push(event);
                    self.left -= 1;
                }
            }
            match page.entries.last() {
                Some(last) if page.more => self.after = Some(last.key.to_string()),
                _ => self.left = 0,
            }
        }
        Ok(found)
    }
}
