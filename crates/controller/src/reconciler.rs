//! The loop of the leading controller: plan, write the intent, act, and remember what came of it. A wake carries no
//! data; one run per key at a time.

mod workspaces;

use crate::Controller;
use crate::accounting::Accounts;
use crate::execute::{Executor, Told};
use crate::keys;
use crate::known::Known;
use crate::pool_events::{FreezeTold, HostsTold, found_again, why_anew};
use pierhead_model::{
    Assignment, ContainerId, EngineId, Failure, Generation, ObservedContainer, Operation, SlotKey, WorkspaceId,
};
use pierhead_planner::{Action, AppWrite, Blocked, Plan, RecordWrite, Step, WorkspaceAction, after_failure, plan};
use pierhead_store::leadership::Leadership;
use pierhead_store::{Error, MAX_OPERATIONS, MAX_TRANSACTION_BYTES, Result, Transaction};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How often time itself may have changed what is to be done, while something waits.
const TICK: Duration = Duration::from_millis(100);
/// The same while nothing waits.
const IDLE_TICK: Duration = Duration::from_secs(5);
/// How long a step that failed and leaves no trace in a record is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a store may take to hear that a controller that ends leads no more.
const FAREWELL: Duration = Duration::from_secs(2);

/// Leads whenever nobody else does, until this controller stops; then a successor can begin at once.
pub(crate) async fn lead(controller: Controller) {
    let stop = controller.stop.clone();
    loop {
        let elected = tokio::select! {
            () = stop.cancelled() => return,
            elected = async { controller.candidate().campaign().await } => elected,
        };
        match elected {
            Ok(leadership) => {
                tracing::info!(term = %leadership.term(), "this controller leads");
                controller.begin_to_lead(&leadership);
                controller.leading.send_replace(Some((leadership.key().into(), leadership.term())));
                // Before the first plan: what courses want ahead is let go where nobody asks for it.
                crate::classes::ask(&controller).await;
                let mut reconciler = Reconciler::new(&controller, leadership);
                let sweeping = crate::saves::keep_sweeping(reconciler.executor.clone());
                let (tell, handed_in) = tokio::sync::mpsc::unbounded_channel();
                let working =
                    crate::coursework::keep_working(controller.clone(), reconciler.leadership.standing(), tell);
                let standing = reconciler.leadership.standing();
                let recording = crate::recordings::keep_recordings(controller.clone(), standing, handed_in);
                let asking = crate::classes::keep_asking(controller.clone(), reconciler.leadership.standing());
                let sharing = crate::groups::keep_sharing(controller.clone(), reconciler.leadership.standing());
                let mut accounts = Accounts::begin(controller.clone(), reconciler.leadership.standing());
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = asking => {}
                    () = sharing => {}
                    () = reconciler.run() => {}
                    () = sweeping => {}
                    () = working => {}
                    () = recording => {}
                    () = accounts.keep() => {}
                }
                if stop.is_cancelled() {
                    accounts.end().await;
                }
                controller.leading.send_replace(None);
                controller.standing.end();
                tracing::warn!("this controller does not lead any more");
                // If the store does not hear it, the lease ends by itself.
                let _late = tokio::time::timeout(FAREWELL, reconciler.leadership.resign()).await;
            }
            Err(error) => tracing::warn!(%error, "nobody can lead now"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// What an action was about, so that no two are about the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Busy {
    Slot(SlotKey, Generation),
    Container(EngineId, ContainerId),
    Workspace(WorkspaceId, EngineId, Generation),
}

enum Outcome {
    Slot(Box<SlotOutcome>),
    Workspace(Box<WorkspaceAction>, std::result::Result<(), Failure>),
}

struct SlotOutcome {
    action: Action,
    result: std::result::Result<Told, Failure>,
}

struct Reconciler<'a> {
    controller: &'a Controller,
    leadership: Leadership,
    executor: Executor,
    busy: BTreeSet<Busy>,
    hosts_told: HostsTold,
    freeze_told: FreezeTold,
    outcomes: (mpsc::UnboundedSender<Outcome>, mpsc::UnboundedReceiver<Outcome>),
}

impl<'a> Reconciler<'a> {
    fn new(controller: &'a Controller, leadership: Leadership) -> Self {
        let executor = Executor {
            engines: controller.engines.clone(),
            options: controller.options.clone(),
            images: controller.images.clone(),
            registries: controller.registries.clone(),
            gone_logs: controller.gone_logs.clone(),
            saves: controller.saves.clone(),
            library: controller.library.clone(),
            standing: leadership.standing(),
        };
        Self {
            controller,
            leadership,
            executor,
            busy: BTreeSet::new(),
            hosts_told: HostsTold::default(),
            freeze_told: FreezeTold::default(),
            outcomes: mpsc::unbounded_channel(),
        }
    }

    async fn run(&mut self) {
        while self.leadership.is_held() {
            let waits = match self.round().await {
                Ok(waits) => waits,
                Err(error @ Error::Conflict { .. }) => {
                    tracing::debug!(%error, "the world changed while it was planned");
                    true
                }
                Err(error) => {
                    tracing::warn!(%error, "the plan could not be written; it is tried again");
                    tokio::time::sleep(PAUSE).await;
                    true
                }
            };
            let tick = if waits { TICK } else { IDLE_TICK };
            tokio::select! {
                () = self.controller.shared.woken() => {}
                Some(outcome) = self.outcomes.1.recv() => self.take(outcome).await,
                () = tokio::time::sleep(tick) => {}
                () = self.leadership.lost() => return,
            }
            while let Ok(outcome) = self.outcomes.1.try_recv() {
                self.take(outcome).await;
            }
        }
    }

    /// Plans and applies until there is nothing left to write; tells whether anything waits for time to pass.
    async fn round(&mut self) -> Result<bool> {
        self.tell_of_hosts().await?;
        loop {
            let (plan, writes) = {
                let known = self.controller.known();
                let began = Instant::now();
                let plan = plan(&known.world, self.controller.clock.now());
                self.controller.measured.plans.observe(began.elapsed());
                let mut writes = self.transactions(&known, &plan)?;
                writes.extend(self.workspace_transactions(&known, &plan.workspaces)?);
                (plan, writes)
            };
            #[cfg(feature = "mutants")]
            crate::mutants::make_before_writing(self.controller, &self.executor, &plan).await;
            let wrote = !writes.is_empty();
            for transaction in writes {
                let revision = self.controller.store.commit(self.leadership.fence(transaction)).await?;
                self.controller.reached(revision).await;
            }
            for action in plan.actions {
                self.begin(action);
            }
            let is_workspace_waiting = !plan.workspaces.blocked.is_empty() || plan.workspaces.warm_later;
            for action in plan.workspaces.actions {
                self.begin_for_workspace(action);
            }
            if !wrote {
                self.note_blocked(&plan.blocked);
                let known = self.controller.known();
                return Ok(is_workspace_waiting
                    || !plan.blocked.is_empty()
                    || !known.world.operations().is_empty()
                    || !self.busy.is_empty());
            }
        }
    }

    /// Hosts that go and come are events, and so is that several went at once.
    async fn tell_of_hosts(&mut self) -> Result<()> {
        let mut transaction = Transaction::new();
        {
            let known = self.controller.known();
            for change in self.hosts_told.changes(&known.world, self.controller.clock.now()) {
                let event = self.controller.event_of_engine(&known, change.kind, change.message, &change.engine, None);
                transaction = transaction.put_json(keys::event(&event.id), &event)?;
            }
            if let Some((kind, message)) = self.freeze_told.change(&known.world) {
                let event = self.controller.event_of_pool(kind, message);
                transaction = transaction.put_json(keys::event(&event.id), &event)?;
            }
            for record in found_again(&known.world) {
                let key = keys::engine(&record.id);
                let revision = known.revision_of(&key).unwrap_or_default();
                transaction = transaction.unchanged(key.clone(), revision).put_json(key, &record)?;
            }
        }
        if !transaction.writes.is_empty() {
            let revision = self.controller.store.commit(self.leadership.fence(transaction)).await?;
            self.controller.reached(revision).await;
        }
        Ok(())
    }

    /// A slot that is placed anew is an event of the same transaction.
    fn with_event(&self, transaction: Transaction, known: &Known, write: &RecordWrite) -> Result<Transaction> {
        let RecordWrite::Assign(next) = write else { return Ok(transaction) };
        let present = known.world.assignments().get(&next.key());
        let Some((present, reason)) = present.and_then(|present| Some((present, why_anew(known, present, next)?)))
        else {
            return Ok(transaction);
        };
        let (app, slot) = (&next.app_name, next.slot);
        let message = format!("app={app}, slot={slot}, from={}, to={}, reason={reason}", present.engine, next.engine);
        let app = Some(app.to_string());
        let event = self.controller.event_of_engine(known, "place-slot", message, &next.engine, app);
        transaction.put_json(keys::event(&event.id), &event)
    }

    /// Those who ask for an operation are told what it waits for.
    fn note_blocked(&self, blocked: &[Blocked]) {
        if self.controller.known().blocked != blocked {
            self.controller.shared.change_quietly(|known| known.blocked = blocked.to_vec());
        }
    }

    /// The plan's writes, in transactions of a size that every store takes. Records of slots that are busy stay as they
    /// are, so that nothing is decided twice.
    fn transactions(&self, known: &Known, plan: &Plan) -> Result<Vec<Transaction>> {
        let mut transactions = Vec::new();
        let mut open = Transaction::new();
        let mut written = BTreeSet::new();
        for write in &plan.writes {
            if self.is_busy_with(known, write) {
                continue;
            }
            let next = self.with_event(record(Transaction::new(), known, write)?, known, write)?;
            // A record is written once a round: the next change of it is planned from what it then is.
            if next.writes.iter().any(|write| written.contains(write.key())) {
                continue;
            }
            written.extend(next.writes.iter().map(|write| write.key().clone()));
            let count = open.compares.len() + open.writes.len() + next.compares.len() + next.writes.len();
            if count + 1 > MAX_OPERATIONS || open.bytes() + next.bytes() > MAX_TRANSACTION_BYTES {
                transactions.push(std::mem::take(&mut open));
            }
            open.compares.extend(next.compares);
            open.writes.extend(next.writes);
        }
        if !open.writes.is_empty() {
            transactions.push(open);
        }
        Ok(transactions)
    }

    /// Whether a step of the slot's present generation is under way, whose outcome decides first. A newer generation
    /// does not wait for it, as its host may never answer; of what must not run twice it does, until the step has failed.
    fn is_busy_with(&self, known: &Known, write: &RecordWrite) -> bool {
        let (key, generation) = match write {
            RecordWrite::Assign(assignment) => (assignment.key(), Some(assignment.generation)),
            RecordWrite::Release(key) => (key.clone(), None),
            RecordWrite::Progress { .. } => return false,
        };
        let Some(present) = known.world.assignments().get(&key) else { return false };
        let is_newer = generation.is_some_and(|generation| generation != present.generation);
        if is_newer && present.writer.is_none() {
            return false;
        }
        let on_container =
            |container: &ObservedContainer| Busy::Container(present.engine.clone(), container.id.clone());
        self.busy.contains(&Busy::Slot(key, present.generation))
            || known.world.current(present).values().any(|container| self.busy.contains(&on_container(container)))
    }

    fn begin(&mut self, action: Action) {
        if !self.leadership.is_held() {
            return;
        }
        let busy = busy(&action);
        let of_slot = action.slot.clone().map(|(key, generation)| Busy::Slot(key, generation));
        let is_blocked = self.busy.contains(&busy) || of_slot.is_some_and(|slot| self.busy.contains(&slot));
        if is_blocked || self.is_outdated(&action) {
            return;
        }
        self.busy.insert(busy);
        let (executor, tell) = (self.executor.clone(), self.outcomes.0.clone());
        self.controller.spawn(async move {
            let result = executor.carry_out(&action).await;
            let backs_off = matches!(action.step, Step::Create { .. } | Step::Pull(_) | Step::Start(_));
            if result.is_err() && !backs_off {
                tokio::time::sleep(PAUSE).await;
            }
            // Nobody listens any more if this controller stopped leading: its successor plans anew.
            let _ = tell.send(Outcome::Slot(Box::new(SlotOutcome { action, result })));
        });
    }

    /// Whether the slot moved on since the plan was made.
    fn is_outdated(&self, action: &Action) -> bool {
        let Some((key, generation)) = &action.slot else { return false };
        let known = self.controller.known();
        known.world.assignments().get(key).is_none_or(|assignment| assignment.generation != *generation)
    }

    /// Remembers what came of an action. Only then may the next one of the same slot begin.
    async fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Slot(outcome) => self.take_for_slot(*outcome).await,
            Outcome::Workspace(action, result) => self.take_for_workspace(&action, result).await,
        }
    }

    async fn take_for_slot(&mut self, outcome: SlotOutcome) {
        let action = &outcome.action;
        if let (Some((key, _)), Step::Create { .. } | Step::Start(_) | Step::Restart(_)) = (&action.slot, &action.step)
        {
            let now = self.controller.clock.now();
            self.controller.shared.change_quietly(|known| known.world.note_start(key, &action.engine, now));
        }
        if let Some(transaction) = self.consequence(&outcome) {
            match self.controller.store.commit(self.leadership.fence(transaction)).await {
                Ok(revision) => self.controller.reached(revision).await,
                Err(error) => {
                    tracing::warn!(%error, "the outcome of a step could not be written; the step is planned anew")
                }
            }
        }
        self.busy.remove(&busy(&outcome.action));
    }

    fn consequence(&self, outcome: &SlotOutcome) -> Option<Transaction> {
        let (key, generation) = outcome.action.slot.as_ref()?;
        let known = self.controller.known();
        let present = known.world.assignments().get(key).filter(|assignment| assignment.generation == *generation)?;
        let is_wanted = known.world.apps().get(&key.app).is_some_and(|app| app.slots.contains_key(&key.slot));
        let next = match (&outcome.result, &outcome.action.step) {
            (Ok(told), Step::ReadLog(_)) => with_log(outcome.action.then.clone()?, &told.log),
            (Ok(_), _) | (Err(_), Step::ReadLog(_)) => outcome.action.then.clone()?,
            (Err(failure), Step::Create { .. } | Step::Pull(_) | Step::Start(_)) if is_wanted => {
                after_failure(present, failure.clone(), self.controller.clock.now(), &known.world.policy)
            }
            (Err(_), _) => return None,
        };
        Transaction::new().put_json(keys::assignment(key), &next).ok()
    }
}

/// The end of a container's log belongs to the failure for which it was read.
fn with_log(mut next: Assignment, log: &[String]) -> Assignment {
    if let Some(attempt) = next.attempts.last_mut() {
        attempt.failure.log = log.to_vec();
    }
    next
}

fn busy(action: &Action) -> Busy {
    match (&action.slot, action.container()) {
        (Some((key, generation)), None) => Busy::Slot(key.clone(), *generation),
        (_, Some(container)) => Busy::Container(action.engine.clone(), container.clone()),
        (None, None) => unreachable!("what is made is made for a slot"),
    }
}

/// Adds a record to a transaction, with a compare on what it was decided from.
fn record(transaction: Transaction, known: &Known, write: &RecordWrite) -> Result<Transaction> {
    match write {
        RecordWrite::Assign(assignment) => transaction.put_json(keys::assignment(&assignment.key()), assignment),
        RecordWrite::Release(slot) => Ok(transaction.delete(keys::assignment(slot))),
        RecordWrite::Progress { operation, app } => progress(transaction, known, operation, app),
    }
}

/// The end of an operation, and what it takes back, in one.
pub(crate) fn progress(
    transaction: Transaction,
    known: &Known,
    operation: &Operation,
    app: &AppWrite,
) -> Result<Transaction> {
    let key = keys::operation(&operation.id);
    let revision = known.revision_of(&key).unwrap_or_default();
    let transaction = transaction.unchanged(key.clone(), revision).put_json(key, operation)?;
    let unchanged = |transaction: Transaction, key: &str| {
        transaction.unchanged(key.to_owned(), known.revision_of(key).unwrap_or_default())
    };
    match app {
        AppWrite::Keep => Ok(transaction),
        AppWrite::Put(app) => {
            let key = keys::app(&app.id);
            unchanged(transaction, &key).put_json(key, app)
        }
        AppWrite::Delete(id, name) => {
            let key = keys::app(id);
            Ok(unchanged(transaction, &key).delete(key).delete(keys::app_name(name)))
        }
    }
}
