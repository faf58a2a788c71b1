//! What stands where in the log, so that a search for what is rare reads few events.
//!
//! Of every so many events that follow one another it is remembered, in a Bloom filter, of what types they are, and what
//! containers, engines, apps, accounts and tags they name. A search leaves out those in which nothing can be that it
//! looks for. This is in memory only, made in the background from what is so old that no more comes between; of what
//! is newer, and until it is made, all is read.

use super::pages::EventFilter;
use crate::clock::Clock;
use crate::keys;
use pierhead_model::Timestamp;
use pierhead_store::{Entry, MAX_PAGE_ENTRIES, Result, Store};
use serde::Deserialize;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// How many events stand together.
const BLOCK: usize = 128;
/// How many bits are kept of them: a few hundred different names leave most of them unset.
const BITS: usize = 4096;
/// How old an event must be, in milliseconds: twice the time in which one may be committed late.
const SETTLED_MS: u64 = 2 * super::pages::LATEST_COMMIT_MS;
/// How often what became old is added.
const PAUSE: Duration = Duration::from_secs(30);
/// Of a container's id its first digits are remembered: so many, and so many.
const DIGITS: [usize; 2] = [12, 4];

/// Where the bits of one name are.
type Places = [usize; 3];

fn places(field: &str, value: &str) -> Places {
    let mut hasher = DefaultHasher::new();
    (field, value).hash(&mut hasher);
    let hash = hasher.finish();
    [0, 16, 32].map(|shift| usize::try_from(hash >> shift & 0xffff).unwrap_or(0) % BITS)
}

/// What is looked for: of each of these alternatives one.
pub(super) struct Wanted(Vec<Vec<Places>>);

impl Wanted {
    pub(super) fn by(filter: &EventFilter) -> Self {
        let exact = [
            ("type", filter.kind.clone()),
            ("tag", filter.tag.as_ref().map(|tag| tag.to_ascii_lowercase())),
            ("engine", filter.engine.clone()),
            ("app", filter.app.clone()),
            ("actor", filter.actor.clone()),
        ];
        let exact = exact.into_iter().filter_map(|(field, value)| Some(vec![places(field, &value?)]));
        // Of a shorter beginning of an id nothing is remembered.
        let is_id = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let container = filter.container.as_ref().filter(|text| !is_id(text) || text.len() >= DIGITS[1]);
        let container = container.map(|text| {
            let digits = DIGITS.iter().find_map(|count| text.get(..*count)).map(|digits| places("container", digits));
            digits.into_iter().chain([places("name", text.trim_start_matches('/'))]).collect()
        });
        Self(exact.chain(container).collect())
    }
}

/// As much of an event as is remembered.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    tags: Vec<String>,
    app: Option<String>,
    actor: Option<String>,
    engine: Option<NamedEngine>,
    container: Option<NamedContainer>,
}

#[derive(Deserialize)]
struct NamedEngine {
    record: EngineRecord,
}

#[derive(Deserialize)]
struct EngineRecord {
    id: String,
}

#[derive(Deserialize)]
struct NamedContainer {
    observed: ObservedContainer,
}

#[derive(Deserialize)]
struct ObservedContainer {
    id: String,
    name: String,
}

/// What some events name.
#[derive(Clone)]
struct Names([u64; BITS / 64]);

impl Names {
    const NONE: Self = Self([0; BITS / 64]);
    const ANY: Self = Self([u64::MAX; BITS / 64]);

    fn of(entry: &Entry) -> Self {
        // What can't be read must be come upon, and said.
        let Ok(event) = entry.json::<Named>() else { return Self::ANY };
        let mut names = Self::NONE;
        names.set(places("type", &event.kind));
        event.tags.iter().for_each(|tag| names.set(places("tag", &tag.to_ascii_lowercase())));
        event.app.iter().for_each(|app| names.set(places("app", app)));
        event.actor.iter().for_each(|actor| names.set(places("actor", actor)));
        event.engine.iter().for_each(|engine| names.set(places("engine", &engine.record.id)));
        if let Some(NamedContainer { observed }) = &event.container {
            DIGITS
                .iter()
                .filter_map(|count| observed.id.get(..*count))
                .for_each(|id| names.set(places("container", id)));
            names.set(places("name", &observed.name));
        }
        names
    }

    fn set(&mut self, places: Places) {
        places.iter().for_each(|place| self.0[place / 64] |= 1 << (place % 64));
    }

    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
    }

    fn may_have(&self, wanted: &Wanted) -> bool {
        let has = |places: &Places| places.iter().all(|place| self.0[place / 64] & 1 << (place % 64) != 0);
        wanted.0.iter().all(|alternatives| alternatives.iter().any(has))
    }
}

/// Events that follow one another, down to the oldest of them.
struct Block {
    oldest: Arc<str>,
    count: usize,
    names: Box<Names>,
}

#[derive(Default)]
struct Blocks {
    /// The key of the newest event in them.
    newest: Option<Arc<str>>,
    /// Newest first, without anything between them.
    blocks: VecDeque<Block>,
    /// What came among the old while they were read.
    late: Vec<Entry>,
}

impl Blocks {
    /// The block in which a key stands, or would.
    fn at(&self, key: &str) -> usize {
        self.blocks.partition_point(|block| &*block.oldest < key)
    }

    fn add(&mut self, entry: &Entry) {
        let at = self.at(&entry.key);
        if self.newest.as_deref().is_some_and(|newest| *entry.key > *newest)
            && let Some(block) = self.blocks.get_mut(at)
        {
            block.names.add(&Names::of(entry));
        }
    }
}

/// What stands where in the log.
#[derive(Default)]
pub(super) struct Outline(RwLock<Blocks>);

/// What a search reads next: what comes after this key, so many.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub after: String,
    pub limit: usize,
}

impl Outline {
    /// What to read after a key, if it is known that something may be left out.
    pub(super) fn next(&self, after: Option<&str>, wanted: &Wanted) -> Option<Next> {
        let known = self.read();
        let after = after.filter(|_| !wanted.0.is_empty())?;
        if *after < **known.newest.as_ref()? {
            return None;
        }
        // The first of which not all was read.
        let first = known.blocks.partition_point(|block| *block.oldest <= *after);
        let may = |block: &&Block| block.names.may_have(wanted);
        let left_out = known.blocks.iter().skip(first).take_while(|block| !may(block)).count();
        let at = first + left_out;
        let limit: usize = known.blocks.iter().skip(at).take_while(may).map(|block| block.count).sum();
        let passed = at.checked_sub(1).filter(|_| left_out > 0).and_then(|passed| known.blocks.get(passed));
        let after = passed.map_or(after, |block| &block.oldest).to_owned();
        // Beyond all that is known there is nothing, or what nobody has looked at.
        let limit = if limit == 0 { MAX_PAGE_ENTRIES } else { limit.min(MAX_PAGE_ENTRIES) };
        Some(Next { after, limit })
    }

    /// Takes note of an event that was just committed. Most are newer than anything here; but a clock may be put back.
    pub(super) fn came(&self, entry: &Entry, now: Timestamp) {
        if *entry.key > *settled(now) {
            let mut known = self.write();
            known.add(entry);
            known.late.push(entry.clone());
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        *self.write() = Blocks::default();
    }

    /// Adds what became old; at least as much as stands together, or nothing. Of more than `kept` events the oldest are
    /// forgotten.
    pub(super) async fn extend(&self, store: &dyn Store, now: Timestamp, kept: usize) -> Result<()> {
        let known = {
            let mut known = self.write();
            known.late.clear();
            known.newest.clone()
        };
        let (mut new, mut newest) = (VecDeque::<Block>::new(), None);
        let (mut after, mut limit) = (settled(now), BLOCK);
        loop {
            let page = store.list(keys::EVENTS, Some(&after), limit).await?;
            let is_new = |entry: &&Entry| known.as_deref().is_none_or(|known| *entry.key < *known);
            let mut read = 0;
            for entry in page.entries.iter().take_while(is_new) {
                newest.get_or_insert_with(|| Arc::clone(&entry.key));
                add(&mut new, entry);
                read += 1;
            }
            match page.entries.last() {
                Some(last) if page.more && read == page.entries.len() => after = last.key.to_string(),
                _ => break,
            }
            limit = MAX_PAGE_ENTRIES;
        }
        let count: usize = new.iter().map(|block| block.count).sum();
        let mut all = self.write();
        // Whoever forgot all meanwhile did so because it may be wrong.
        if count < BLOCK || all.newest != known {
            return Ok(());
        }
        new.append(&mut all.blocks);
        (all.blocks, all.newest) = (new, newest);
        std::mem::take(&mut all.late).iter().for_each(|entry| all.add(entry));
        let mut total: usize = all.blocks.iter().map(|block| block.count).sum();
        while let Some(last) = all.blocks.back().filter(|last| total - last.count >= kept) {
            total -= last.count;
            all.blocks.pop_back();
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Blocks> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Blocks> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(blocks: &mut VecDeque<Block>, entry: &Entry) {
    match blocks.back_mut().filter(|block| block.count < BLOCK) {
        Some(block) => {
            block.oldest = Arc::clone(&entry.key);
            block.count += 1;
            block.names.add(&Names::of(entry));
        }
        None => {
            let names = Box::new(Names::of(entry));
            blocks.push_back(Block { oldest: Arc::clone(&entry.key), count: 1, names });
        }
    }
}

/// Where in the log begins what is so old that no more comes between.
fn settled(now: Timestamp) -> String {
    keys::event(&format!("{:014x}{:08x}", now.0.saturating_sub(SETTLED_MS) << 12, 0))
}

/// Keeps the outline of the log in step with the store.
pub(crate) async fn outline(log: Arc<super::Log>, store: Arc<dyn Store>, clock: Clock, kept: usize) {
    loop {
        if let Err(error) = log.outline.extend(&*store, clock.now(), kept).await {
            tracing::warn!(%error, "the outline of the event log was not made; searches read all of it");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
