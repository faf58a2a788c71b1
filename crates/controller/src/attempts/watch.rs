//! What goes on by itself in attempts: what is run at the first visit of a step, and continuous checks. The leading
//! controller does it, for those whose workspace is ready and who were there lately; all others cost nothing.

use super::documents::Document;
use super::queue::{Key, Queue};
use super::run::{Purpose, Seat};
use crate::Controller;
use crate::clock::millis;
use crate::requests::RequestError;
use pierhead_lab::progress::{self, Asked, Outcome};
use pierhead_lab::{Check, When, fill};
use pierhead_model::{AttemptId, CheckState, LabAttempt, LabId, SetupState, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(300);
/// For how long after somebody was there their checks go on, in milliseconds.
const LATELY_MS: u64 = 10 * 60_000;
/// For how long they go on at their own pace; after that, slower.
const JUST_NOW_MS: u64 = 2 * 60_000;
/// How much slower.
const SLOWER: u64 = 4;
/// How long a look waits after the documents of attempts could not be had.
const REST: Duration = Duration::from_secs(5);

/// An attempt that can be worked at now.
struct Live {
    record: Arc<LabAttempt>,
    seat: Seat,
    /// When somebody or something was active there last.
    active_at: Timestamp,
}

/// What a task says when it is over.
enum Over {
    /// A check ran for so many milliseconds.
    Checked(Key, u64, u64),
    /// What had to be run at first visits was.
    Prepared(AttemptId),
}

/// What is remembered from look to look.
struct Watch {
    controller: Controller,
    queue: Queue,
    preparing: BTreeSet<AttemptId>,
    documents: BTreeMap<(LabId, u32), Document>,
    over: mpsc::UnboundedSender<Over>,
}

/// Looks, for ever.
pub(crate) async fn watch_attempts(controller: Controller) {
    let (over, mut heard) = mpsc::unbounded_channel();
    let (preparing, documents) = (BTreeSet::new(), BTreeMap::new());
    let mut watch = Watch { controller, queue: Queue::default(), preparing, documents, over };
    loop {
        tokio::time::sleep(LOOK).await;
        while let Ok(over) = heard.try_recv() {
            watch.note(over);
        }
        if watch.controller.standing.term().is_none() {
            watch.queue.clear();
            watch.documents.clear();
            continue;
        }
        if let Err(error) = watch.look().await {
            tracing::info!(%error, "the attempts at labs could not be looked at");
            tokio::time::sleep(REST).await;
        }
    }
}

impl Watch {
    fn note(&mut self, over: Over) {
        match over {
            Over::Checked(key, took, every) => self.queue.ended(&key, took, every, self.controller.clock.now()),
            Over::Prepared(attempt) => drop(self.preparing.remove(&attempt)),
        }
    }

    async fn look(&mut self) -> Result<(), RequestError> {
        let live = self.live();
        self.read_documents(&live).await;
        let now = self.controller.clock.now();
        let mut going_on = Vec::new();
        for one in &live {
            if one.seat.is_new_to(&one.record) || progress::next_setup(&one.record).is_some() {
                self.prepare(one);
            } else if now.since(one.active_at) < LATELY_MS {
                going_on.extend(self.continuous(one, now));
            }
        }
        self.queue.set(going_on, now);
        for (key, late) in self.queue.take(now) {
            self.check(&live, key, late);
        }
        Ok(())
    }

    /// The attempts whose workspaces are ready.
    fn live(&self) -> Vec<Live> {
        let known = self.controller.known();
        let attempts = known.attempts_at.iter();
        let live = attempts.filter_map(|(workspace, attempt)| {
            let seat = Seat::of(&known, workspace)?;
            let record = Arc::clone(known.attempts.get(attempt)?);
            let noted = known
                .world
                .workspace_assignments()
                .get(workspace)
                .map(|assignment| assignment.active_at.max(assignment.ready_at.unwrap_or_default()));
            let active_at = known.world.activity(workspace).max(noted.unwrap_or_default());
            Some(Live { record, seat, active_at })
        });
        live.collect()
    }

    /// Reads what is not held yet of the documents that they work with, and forgets those that nobody works with.
    async fn read_documents(&mut self, live: &[Live]) {
        let key = |live: &Live| (live.record.lab.clone(), live.record.version);
        let wanted: BTreeSet<(LabId, u32)> = live.iter().map(key).collect();
        self.documents.retain(|key, _| wanted.contains(key));
        for one in live {
            if !self.documents.contains_key(&key(one)) {
                // Of a lab that was deleted nothing goes on.
                if let Ok(document) = self.controller.attempt_document(&one.record).await {
                    self.documents.insert(key(one), document);
                }
            }
        }
    }

    fn document(&self, record: &LabAttempt) -> Option<&Document> {
        self.documents.get(&(record.lab.clone(), record.version))
    }

    /// The checks of the step that somebody is at that go on, with their host and pace.
    fn continuous(&self, live: &Live, now: Timestamp) -> Vec<(Key, pierhead_model::EngineId, u64)> {
        let record = &live.record;
        let Some(document) = self.document(record) else { return Vec::new() };
        let has_passed = |check: &Check| {
            let result = record.progress(record.step).and_then(|progress| progress.checks.get(&check.name));
            result.is_some_and(|result| result.state == CheckState::Passed)
        };
        let pace = if now.since(live.active_at) < JUST_NOW_MS { 1 } else { SLOWER };
        let checks = document.checks(record.step).iter().filter(|check| !has_passed(check));
        let going_on = checks.filter_map(|check| {
            let When::Continuous { every_seconds } = check.when else { return None };
            let key = Key { attempt: record.id.clone(), step: record.step, check: check.name.clone() };
            Some((key, live.seat.engine.clone(), u64::from(every_seconds) * 1_000 * pace))
        });
        going_on.collect()
    }

    fn check(&self, live: &[Live], key: Key, late: u64) {
        let one = live.iter().find(|one| one.record.id == key.attempt);
        let found = one.and_then(|one| {
            let document = self.document(&one.record)?.clone();
            let check = document.checks(key.step).iter().find(|check| check.name == key.check)?.clone();
            Some((Arc::clone(&one.record), one.seat.clone(), document, check))
        });
        let (controller, over) = (self.controller.clone(), self.over.clone());
        let Some((record, seat, document, check)) = found else {
            let _over = over.send(Over::Checked(key, 0, 1_000));
            return;
        };
        self.controller.measured.lab_checks.observe(Duration::from_millis(late));
        self.controller.spawn(async move {
            let values = document.values(&record.seed);
            let ran = controller.run_check(&seat, &check, &values).await;
            let every = match check.when {
                When::Continuous { every_seconds } => u64::from(every_seconds) * 1_000,
                When::Click => u64::MAX,
            };
            if progress::is_news(&record, key.step, &check, &ran.outcome) {
                note_check(&controller, &record, &document, (key.step, &check), &ran.outcome).await;
            }
            let _over = over.send(Over::Checked(key, millis(ran.took), every));
        });
    }

    fn prepare(&mut self, live: &Live) {
        let (record, seat) = (Arc::clone(&live.record), live.seat.clone());
        let Some(document) = self.document(&record).cloned() else { return };
        if !self.preparing.insert(record.id.clone()) {
            return;
        }
        let (controller, over) = (self.controller.clone(), self.over.clone());
        self.controller.spawn(async move {
            if let Err(error) = prepared(&controller, &record, &seat, &document).await {
                tracing::info!(attempt = %record.id, %error, "a step of a lab could not be prepared");
            }
            let _over = over.send(Over::Prepared(record.id.clone()));
        });
    }
}

/// Notes what came of a check that nobody asked for.
async fn note_check(
    controller: &Controller,
    record: &LabAttempt,
    document: &Document,
    (step, check): (u32, &Check),
    outcome: &Outcome,
) {
    let values = document.values(&record.seed);
    let told = format!(", step={step}, check={}, state={}", check.name, outcome.state().as_str());
    let noted = controller.change_attempt(&record.id, ("attempt-check", &told, None), |attempt, now| {
        // Between the look and now somebody may have taken the step back, or asked for the same.
        if attempt.version == record.version && progress::is_news(attempt, step, check, outcome) {
            progress::take_check(attempt, &document.outline, (step, check), (outcome, Asked::ByItself), &values, now);
        }
        Ok(())
    });
    if let Err(error) = noted.await {
        tracing::info!(attempt = %record.id, %error, "what came of a check could not be noted");
    }
}

/// Runs what waits to be run at first visits, of the first step that has something to run.
async fn prepared(
    controller: &Controller,
    record: &LabAttempt,
    seat: &Seat,
    document: &Document,
) -> Result<(), RequestError> {
    if let Some(generation) = seat.fresh.filter(|_| seat.is_new_to(record)) {
        let change = |attempt: &mut LabAttempt, _| {
            if attempt.workspace.as_ref() == Some(&seat.workspace) {
                progress::begin_anew(attempt, &document.outline, generation);
            }
            Ok(())
        };
        controller.change_attempt(&record.id, ("attempt-prepared", "", None), change).await?;
        return Ok(());
    }
    let Some(step) = progress::next_setup(record) else { return Ok(()) };
    let (values, seen_at) = (document.values(&record.seed), record.progress(step).map(|progress| progress.seen_at));
    let mut state = SetupState::Done;
    for setup in document.text().steps.get(step as usize).map_or(&[][..], |step| &step.setup) {
        let script = fill(&setup.script.text, &values, |_| ());
        let ran = controller.run_script(seat, setup.container.as_deref(), (&script, Purpose::Work)).await;
        let words = match &ran.outcome {
            Outcome::Ended(0) => continue,
            Outcome::Ended(code) => format!("{} ended with exit code {code}", setup.script.file),
            Outcome::TimedOut => format!("{} did not end in time", setup.script.file),
            Outcome::NotRun(reason) => format!("{} was not run: {reason}", setup.script.file),
        };
        state = SetupState::Failed(words);
        break;
    }
    if controller.seat_is(seat) {
        let told = format!(", step={step}");
        let change = |attempt: &mut LabAttempt, _| {
            // It may have been taken back meanwhile; then it is run once more.
            if let Some(progress) = attempt.steps.get_mut(&step).filter(|now| Some(now.seen_at) == seen_at) {
                progress.setup = state.clone();
            }
            Ok(())
        };
        controller.change_attempt(&record.id, ("attempt-prepared", &told, None), change).await?;
    }
    Ok(())
}

impl Controller {
    /// Whether the containers of a workspace are still those that they were.
    fn seat_is(&self, seat: &Seat) -> bool {
        Seat::of(&self.known(), &seat.workspace).as_ref() == Some(seat)
    }
}
