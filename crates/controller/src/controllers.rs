//! The controllers of a pool: each keeps a record of itself under a lease, and all see those of the others. Who leads
//! is not decided here, and nobody is believed for standing in this list.

use crate::{Controller, keys};
use pierhead_model::Timestamp;
use pierhead_store::{LeaseId, Result, Revision, Transaction, Write};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the record of a controller outlives it.
const TTL: Duration = Duration::from_secs(10);
/// How often its lease is renewed. That is no write in etcd.
const RENEWAL: Duration = Duration::from_millis(2_500);
/// The pause before a record that could not be written is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the controllers may take to tell how far they are.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);
/// How long one is still waited for when another has answered in its place: as a rule it is what that one was before.
const FORMER_LIFE: Duration = Duration::from_millis(200);
/// How long what they told counts: whoever asks more often writes no more for that.
const FRESH: Duration = Duration::from_secs(1);
/// How long a store may take to hear that a controller ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where a controller answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerAddresses {
    /// The URL of its API.
    pub url: String,
    /// Where it takes agents, `host:port`, if it does.
    pub agents: Option<String>,
}

/// What a controller tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ControllerRecord {
    addresses: ControllerAddresses,
    started_at: Timestamp,
    /// Since when it leads, if it does.
    leads_since: Option<Timestamp>,
    /// The last question of how far it is that it has seen, by its revision.
    seen: u64,
}

impl ControllerRecord {
    /// The URL of its API.
    pub(crate) fn url(&self) -> &str {
        &self.addresses.url
    }
}

/// How it stands with one controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllerState {
    /// Its id, another one after each start.
    pub id: String,
    /// Where it answers.
    pub addresses: ControllerAddresses,
    /// Whether it leads.
    pub leads: bool,
    /// Since when it leads, or else since when it runs.
    pub since: Timestamp,
    /// How long it took until it had seen what was written just now, and this controller its answer; `None` if that did
    /// not happen within a second.
    pub lag: Option<Duration>,
    /// Of the one that is asked: how old what it knows may be, since its store does not answer; `None` while it does.
    pub stale: Option<Duration>,
}

/// This controller's place among them.
pub(crate) struct Controllers {
    me: String,
    lease: Mutex<Option<LeaseId>>,
    lags: tokio::sync::Mutex<Option<(Instant, BTreeMap<String, Duration>)>>,
}

impl Controllers {
    pub(crate) fn new(me: String) -> Self {
        Self { me, lease: Mutex::default(), lags: tokio::sync::Mutex::default() }
    }

    /// This controller's id.
    pub(crate) fn me(&self) -> &str {
        &self.me
    }

    fn set_lease(&self, lease: Option<LeaseId>) -> Option<LeaseId> {
        std::mem::replace(&mut *self.lease.lock().unwrap_or_else(PoisonError::into_inner), lease)
    }
}

impl Controller {
    /// Tells the others where this controller answers, from now until it ends.
    pub fn announce(&self, addresses: ControllerAddresses) {
        let controller = self.clone();
        self.spawn(async move {
            loop {
                if let Err(error) = controller.keep_announced(&addresses).await {
                    tracing::warn!(%error, "the other controllers can't be told of this one; it is tried again");
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    async fn keep_announced(&self, addresses: &ControllerAddresses) -> Result<()> {
        let lease = self.store.grant(TTL).await?;
        self.controllers.set_lease(Some(lease));
        let mut changes = self.changes();
        let mut renewal = tokio::time::interval_at(tokio::time::Instant::now() + RENEWAL, RENEWAL);
        let mut written = None;
        loop {
            let record = self.record_of_myself(addresses);
            if written.as_ref() != Some(&record) {
                self.write_record(&record, lease).await?;
                written = Some(record);
            }
            tokio::select! {
                _ = renewal.tick() => self.store.keep_alive(lease).await?,
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }

    fn record_of_myself(&self, addresses: &ControllerAddresses) -> ControllerRecord {
        let known = self.known();
        ControllerRecord {
            addresses: addresses.clone(),
            started_at: known.world.since,
            leads_since: self.standing.term().map(|_| known.world.leads_since),
            seen: known.asked.value(),
        }
    }

    async fn write_record(&self, record: &ControllerRecord, lease: LeaseId) -> Result<()> {
        let key = keys::controller(self.controllers.me());
        let document = Transaction::new().put_json(key, record)?;
        let leased = |write| match write {
            Write::Put { key, value, .. } => Write::Put { key, value, lease: Some(lease) },
            delete => delete,
        };
        let writes = document.writes.into_iter().map(leased).collect();
        self.store.commit(Transaction { writes, ..Transaction::new() }).await.map(drop)
    }

    /// Takes this controller's record back.
    pub(crate) async fn leave(&self) {
        if let Some(lease) = self.controllers.set_lease(None) {
            // If the store can't be reached, the lease ends by itself.
            let _late = tokio::time::timeout(FAREWELL, self.store.revoke(lease)).await;
        }
    }

    /// All controllers of the pool by their ids, and how far each of them is behind. Without a store it is told who was
    /// there when it was last heard of.
    pub async fn controllers(&self) -> Vec<ControllerState> {
        let lags = self.lags().await;
        let known = self.known();
        let state = |(id, record): (&String, &ControllerRecord)| ControllerState {
            id: id.clone(),
            addresses: record.addresses.clone(),
            leads: known.leader.as_ref().is_some_and(|(leader, _)| leader == id),
            since: record.leads_since.unwrap_or(record.started_at),
            lag: lags.get(id).copied(),
            stale: self.stale_for().filter(|_| id == self.controllers.me()),
        };
        let all: Vec<ControllerState> = known.controllers.iter().map(state).collect();
        without_former_lives(all)
    }

    /// Where controllers take agents.
    #[must_use]
    pub fn agent_listeners(&self) -> BTreeSet<String> {
        self.known().controllers.values().filter_map(|record| record.addresses.agents.clone()).collect()
    }

    async fn lags(&self) -> BTreeMap<String, Duration> {
        let mut kept = self.controllers.lags.lock().await;
        if let Some((at, lags)) = &*kept
            && at.elapsed() < FRESH
        {
            return lags.clone();
        }
        let mut lags = BTreeMap::new();
        // Whoever has not answered by then has no lag that could be told.
        let _late = tokio::time::timeout(ANSWERED_WITHIN, self.ask_all(&mut lags)).await;
        *kept = Some((Instant::now(), lags.clone()));
        lags
    }

    async fn ask_all(&self, lags: &mut BTreeMap<String, Duration>) {
        let (mut changes, began) = (self.changes(), Instant::now());
        let question = Transaction::new().put(keys::CONTROLLERS_ASKED, self.controllers.me().as_bytes());
        let revision = match self.store.commit(question).await {
            Ok(revision) => revision,
            Err(error) => return tracing::debug!(%error, "how far the controllers are can't be asked"),
        };
        loop {
            let awaited = {
                let known = self.known();
                for (id, record) in &known.controllers {
                    if Revision::new(record.seen) >= revision {
                        lags.entry(id.clone()).or_insert_with(|| began.elapsed());
                    }
                }
                awaited(&known.controllers, lags)
            };
            let waits = awaited.map(|limit| tokio::time::timeout(limit, changes.changed()));
            let Some(waits) = waits else { return };
            if !matches!(waits.await, Ok(Ok(()))) {
                return;
            }
        }
    }
}

/// How long it is waited for those that have not answered yet; `None` if all have.
fn awaited(all: &BTreeMap<String, ControllerRecord>, lags: &BTreeMap<String, Duration>) -> Option<Duration> {
    let has_answered = |url: &str| all.iter().any(|(id, record)| record.url() == url && lags.contains_key(id));
    let silent = all.iter().filter(|(id, _)| !lags.contains_key(*id)).map(|(_, record)| record.url());
    silent.map(|url| if has_answered(url) { FORMER_LIFE } else { ANSWERED_WITHIN }).max()
}

/// Without those that do not answer where another does: that is what such a one was before it was started anew.
fn without_former_lives(all: Vec<ControllerState>) -> Vec<ControllerState> {
    let answer = all.iter().filter(|state| state.lag.is_some()).map(|state| state.addresses.url.clone());
    let taken: BTreeSet<String> = answer.collect();
    all.into_iter().filter(|state| state.lag.is_some() || !taken.contains(&state.addresses.url)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(id: &str, url: &str, lag: Option<u64>) -> ControllerState {
        ControllerState {
            id: id.to_owned(),
            addresses: ControllerAddresses { url: url.to_owned(), agents: None },
            leads: false,
            since: Timestamp(0),
            lag: lag.map(Duration::from_millis),
            stale: None,
        }
    }

    #[test]
    fn a_former_life_is_not_waited_for_as_long_as_one_that_is_away() {
        let record = |url: &str| ControllerRecord {
            addresses: ControllerAddresses { url: url.to_owned(), agents: None },
            started_at: Timestamp(0),
            leads_since: None,
            seen: 0,
        };
        let mut all = BTreeMap::from([("1".to_owned(), record("http://a")), ("2".to_owned(), record("http://a"))]);
        let mut lags = BTreeMap::new();
        assert_eq!(awaited(&all, &lags), Some(ANSWERED_WITHIN));
        lags.insert("2".to_owned(), Duration::ZERO);
        assert_eq!(awaited(&all, &lags), Some(FORMER_LIFE));
        all.insert("3".to_owned(), record("http://b"));
        assert_eq!(awaited(&all, &lags), Some(ANSWERED_WITHIN));
        lags.extend(["1", "3"].map(|id| (id.to_owned(), Duration::ZERO)));
        assert_eq!(awaited(&all, &lags), None);
    }

    #[test]
    fn a_former_life_is_left_out_and_one_that_is_away_is_not() {
        let all = vec![state("1", "http://a", None), state("2", "http://a", Some(1)), state("3", "http://b", None)];
        let left: Vec<String> = without_former_lives(all).into_iter().map(|state| state.id).collect();
        assert_eq!(left, ["2", "3"]);
        // At one loopback address on two machines.
        let both = vec![state("1", "http://a", Some(1)), state("2", "http://a", Some(2))];
        assert_eq!(without_former_lives(both.clone()), both);
    }
}
