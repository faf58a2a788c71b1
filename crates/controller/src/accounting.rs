//! Accounts for what workspaces use: the leading controller looks every few seconds and adds it once a minute to a record
//! for each person and course.
//!
//! Records are fenced by the leader's term. A leader that ends in order writes what it has; what it could not write is lost,
//! and never counted by its successor too.

mod meter;

use crate::Controller;
use crate::known::Known;
use crate::{keys, stats::Stats};
use meter::{CopyKey, Holder, Meter, Seen};
use pierhead_model::{CourseId, Timestamp, UsageRecord, Used, Workspace, WorkspacePlace, WorkspaceWish};
use pierhead_store::leadership::Standing;
use pierhead_store::{Entry, Result as StoreResult, StoreJson, Transaction};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(5);
/// How many records are written at once.
const AT_ONCE: usize = 30;

/// How long the end of a leadership may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The accounts of one leadership.
pub(crate) struct Accounts {
    controller: Controller,
    standing: Standing,
    meter: Meter,
}

impl Accounts {
    /// They begin now.
    pub(crate) fn begin(controller: Controller, standing: Standing) -> Self {
        let meter = Meter::begin(controller.clock.now());
        Self { controller, standing, meter }
    }

    /// Accounts as long as this is polled.
    pub(crate) async fn keep(&mut self) {
        let every = self.controller.options.usage_write_interval;
        let mut written = self.controller.clock.now();
        loop {
            let now = self.look();
            if now.since(written) >= u64::try_from(every.as_millis()).unwrap_or(u64::MAX) {
                written = now;
                write(&self.controller, &self.standing, &mut self.meter, now).await;
            }
            tokio::time::sleep(LOOK.min(every)).await;
        }
    }

    /// Writes what is not written yet, while the store still holds that this controller leads.
    pub(crate) async fn end(mut self) {
        let now = self.look();
        let written = write(&self.controller, &self.standing, &mut self.meter, now);
        if tokio::time::timeout(FAREWELL, written).await.is_err() {
            tracing::warn!("what was used in the last minute could not be accounted for in time");
        }
    }

    fn look(&mut self) -> Timestamp {
        let now = self.controller.clock.now();
        self.meter.look(seen(&self.controller.known(), &self.controller.stats), now);
        now
    }
}

/// The copies of workspaces that are on hosts, and what was read of them.
fn seen(known: &Known, stats: &Stats) -> BTreeMap<CopyKey, Seen> {
    let placed = known.world.workspace_assignments().values().filter_map(|one| Some((one, one.place.as_ref()?)));
    let of = |place: &WorkspacePlace, record: Option<&Workspace>| Seen {
        holder: record.and_then(|record| holder(known, record)),
        memory_mb: place.reserved.memory_mb,
        counters: place.containers.values().map(|id| (id.clone(), stats.counter(&place.engine, id))).collect(),
    };
    let records = known.world.workspaces();
    placed
        .map(|(one, place)| ((one.workspace.clone(), place.generation), of(place, records.get(&one.workspace))))
        .collect()
}

/// Who a workspace counts for: its owner, and the course of the attempt that is worked at in it.
fn holder(known: &Known, record: &Workspace) -> Option<Holder> {
    if record.wish == WorkspaceWish::Warm {
        return None;
    }
    let attempt = known.attempts_at.get(&record.id).and_then(|id| known.attempts.get(id));
    let course = attempt.and_then(|attempt| attempt.course.as_ref()).and_then(|id| CourseId::parse(id.clone()).ok());
    Some(Holder { account: record.owner.clone(), course })
}

/// Adds what is due to the records. What could not even be read for it stays due.
async fn write(controller: &Controller, standing: &Standing, meter: &mut Meter, now: Timestamp) {
    let due: Vec<(Holder, Used)> = meter.take_due().into_iter().collect();
    for some in due.chunks(AT_ONCE) {
        let transaction = match added(controller, some, now).await {
            Ok(transaction) => transaction,
            Err(error) => {
                tracing::debug!(%error, "what was used could not be read; it is tried again");
                some.iter().for_each(|(holder, used)| meter.give_back(holder.clone(), *used));
                continue;
            }
        };
        // Whether it was written is not known for certain then, so it is not written again.
        if let Err(error) = controller.store.commit(standing.fence(transaction)).await {
            tracing::warn!(%error, people = some.len(), "what was used in the last minute could not be accounted for");
        }
    }
}

/// A transaction that adds to the records of these, each as it is now.
async fn added(controller: &Controller, some: &[(Holder, Used)], now: Timestamp) -> StoreResult<Transaction> {
    let mut transaction = Transaction::new();
    for (Holder { account, course }, used) in some {
        let key = keys::usage(course.as_ref(), account);
        let before = controller.store.get_json::<UsageRecord>(&key).await?;
        transaction = match &before {
            Some((_, revision)) => transaction.unchanged(key.clone(), *revision),
            None => transaction.absent(key.clone()),
        };
        let (so_far, since) = before.map_or((Used::default(), now), |(record, _)| (record.used, record.since));
        let (account, course) = (account.clone(), course.clone());
        let next = UsageRecord { account, course, used: so_far.plus(*used), since, until: now };
        transaction = transaction.put_json(key, &next)?;
    }
    Ok(transaction)
}

/// The records below a place, by their keys.
pub(crate) async fn usage_in(controller: &Controller, place: &str) -> StoreResult<Vec<UsageRecord>> {
    let listing = controller.store().list_all(place).await?;
    listing.entries.iter().map(Entry::json::<UsageRecord>).collect()
}
