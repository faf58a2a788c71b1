//! The log newest first, page by page, and what may be asked of it.

use super::outline::Wanted;
use super::{Log, Position, security};
use crate::{RequestError, keys};
use pierhead_model::{Event, Timestamp, Username};
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
    /// Of those with the tag security only what this account did or what was done to it; absent for all.
    pub only_own_security: Option<Username>,
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
            && self.only_own_security.as_ref().is_none_or(|own| security::may_read(own, event))
    }

    /// Texts that stand in the stored form of every event that is taken: to look for them is much less work than to
    /// read an event.
    fn traces(&self) -> Vec<String> {
        let quoted = |text: &str| serde_json::to_string(text).expect("a text has a JSON form");
        let field =
            |name: &str, text: &Option<String>| text.as_deref().map(|text| format!("\"{name}\":{}", quoted(text)));
        // Of a container it may be the beginning of its id.
        let container = self.container.as_deref().map(|text| quoted(text.trim_start_matches('/')));
        let container = container.map(|text| text[1..text.len() - 1].to_owned());
        let fields = [field("type", &self.kind), field("app", &self.app), field("actor", &self.actor), container];
        fields.into_iter().chain([self.engine.as_deref().map(quoted)]).flatten().collect()
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
    log: Arc<Log>,
    filter: EventFilter,
    wanted: Wanted,
    traces: Vec<String>,
    start: Start,
    left: usize,
    /// How many entries are read next.
    limit: usize,
    after: Option<String>,
}

impl EventPages {
    pub(crate) async fn open(
        log: Arc<Log>,
        store: Arc<dyn Store>,
        filter: EventFilter,
        count: usize,
    ) -> Result<Self, RequestError> {
        let start = Start::find(&*store, filter.since.as_ref()).await?;
        Ok(Self {
            store,
            log,
            wanted: Wanted::by(&filter),
            traces: filter.traces(),
            filter,
            start,
            left: count,
            limit: count.clamp(1, MAX_PAGE_ENTRIES),
            after: None,
        })
    }

    /// The same from the event before one on, which need not be there any more.
    #[must_use]
    pub fn before(mut self, id: &str) -> Self {
        self.after = Some(keys::event(id));
        self
    }

    /// The next ones; none at the end.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn next(&mut self) -> Result<Vec<Event>, RequestError> {
        let mut found = Vec::new();
        while self.left > 0 && found.is_empty() {
            let page = match self.log.outline.next(self.after.as_deref(), &self.wanted) {
                Some(next) => self.store.list(keys::EVENTS, Some(&next.after), next.limit.min(self.limit)).await?,
                None => self.store.list(keys::EVENTS, self.after.as_deref(), self.limit).await?,
            };
            // Few are wanted and found soon, or it is a long search.
            self.limit = (self.limit * 4).min(MAX_PAGE_ENTRIES);
            for entry in &page.entries {
                if self.start.ends_at(entry) {
                    self.left = 0;
                    break;
                }
                if self.left == 0 || !self.start.is_before(entry) || !self.has_traces(entry) {
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

    fn has_traces(&self, entry: &Entry) -> bool {
        self.traces.is_empty()
            || std::str::from_utf8(&entry.value)
                .is_ok_and(|text| self.traces.iter().all(|trace| text.contains(trace.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::{ContainerId, ContainerState, ContainerThen, EventTag, ObservedContainer, Resources};

    fn event(kind: &str, name: &str) -> Event {
        let observed = ObservedContainer {
            id: ContainerId::parse("0badcafe").unwrap(),
            name: name.to_owned(),
            image: "sample".into(),
            state: ContainerState::Running,
            exit_code: None,
            started_at: None,
            created_at: Timestamp(0),
            ports: Vec::new(),
            limits: Resources::default(),
            labels: Default::default(),
            restart_count: 0,
        };
        Event {
            id: "1".to_owned(),
            kind: kind.to_owned(),
            time: Timestamp(5),
            message: String::new(),
            tags: vec![EventTag::Docker],
            container: Some(Box::new(ContainerThen::new(&observed, None))),
            engine: None,
            app: Some(name.to_owned()),
            actor: Username::parse("ann").ok(),
        }
    }

    /// Whether an event has the traces of a filter, and whether the filter takes it.
    fn judged(filter: &EventFilter, event: &Event) -> (bool, bool) {
        let text = serde_json::to_string(event).unwrap();
        (filter.traces().iter().all(|trace| text.contains(trace.as_str())), filter.takes(event))
    }

    #[test]
    fn what_is_taken_has_the_traces() {
        for text in ["start", "a\"b", "back\\slash", "tab\t", "é-ü", "/", "\u{1}", "{\"type\":\"x\"}"] {
            let name = text.trim_start_matches('/');
            for filter in [
                EventFilter { kind: Some(text.to_owned()), ..EventFilter::default() },
                EventFilter { app: Some(name.to_owned()), ..EventFilter::default() },
                EventFilter { container: Some(format!("/{name}")), ..EventFilter::default() },
                EventFilter { container: Some("0bad".to_owned()), ..EventFilter::default() },
                EventFilter { actor: Some("ann".to_owned()), tag: Some("docker".to_owned()), ..EventFilter::default() },
            ] {
                assert_eq!(judged(&filter, &event(text, name)), (true, true), "{filter:?}");
            }
        }
        let other = EventFilter { kind: Some("die".to_owned()), ..EventFilter::default() };
        assert_eq!(judged(&other, &event("start", "web")), (false, false));
        let engine = EventFilter { engine: Some("host-1".to_owned()), ..EventFilter::default() };
        assert_eq!(judged(&engine, &event("start", "web")), (false, false));
    }
}
