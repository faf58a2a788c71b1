//! Work that students hand in, carried out by the leading controller: each submission is a record before anything is done
//! for it, and goes on from where it is, whoever leads. What is due is handed in by itself.
//!
//! Who may do what is not decided here.

mod collect;
mod copies;
mod next;
mod records;

pub(crate) use next::{Next, next, waits_for};
pub(crate) use records::{HandedIn, begun, counting, grades_in, submissions_for, submissions_in, written};

use crate::requests::RequestError;
use crate::{Controller, keys};
use copies::Ran;
use pierhead_model::{Course, Service, Submission, SubmissionKey, SubmissionStage, Timestamp};
use pierhead_store::leadership::Standing;
use pierhead_store::{Result as StoreResult, Revision, StoreJson, Transaction};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often it is looked what is to be done, while something is, and while nothing is known to be.
const TICK: Duration = Duration::from_millis(250);
const IDLE_TICK: Duration = Duration::from_secs(2);

/// Goes on as long as this is polled, in the name of a leadership.
///
/// What is handed in is told to `recorder` as soon as it is seen, and never waited for.
pub(crate) async fn keep_working(
    controller: Controller,
    standing: Standing,
    recorder: mpsc::UnboundedSender<Submission>,
) {
    let (tell, told) = mpsc::unbounded_channel();
    let (running, announced, service) = (BTreeSet::new(), BTreeSet::new(), None);
    let mut desk = Desk { controller, standing, running, announced, recorder, tell, told, service };
    loop {
        let is_busy = desk.round().await.unwrap_or_else(|error| {
            tracing::debug!(%error, "submissions could not be looked through; it is tried again");
            true
        });
        let tick = if is_busy { TICK } else { IDLE_TICK };
        tokio::select! {
            () = desk.controller.handed_in.notified() => {}
            Some(ran) = desk.told.recv() => desk.take(ran).await,
            () = tokio::time::sleep(tick) => {}
        }
    }
}

/// What the leading controller is at.
struct Desk {
    controller: Controller,
    standing: Standing,
    /// The submissions whose checks are being run.
    running: BTreeSet<String>,
    /// Those that the recorder was told of.
    announced: BTreeSet<String>,
    recorder: mpsc::UnboundedSender<Submission>,
    tell: mpsc::UnboundedSender<Ran>,
    told: mpsc::UnboundedReceiver<Ran>,
    /// What was last written of that; none until it was read.
    service: Option<Service>,
}

impl Desk {
    /// Once over everything; tells whether something is under way.
    async fn round(&mut self) -> Result<bool, RequestError> {
        self.beat().await?;
        self.collect().await?;
        let under_way = self.controller.store().list_all(keys::SUBMITTING).await?;
        let (mut copies, mut seen) = (0, BTreeSet::new());
        for entry in &under_way.entries {
            let Ok(key) = entry.json::<SubmissionKey>() else { continue };
            let place = keys::submission(&key);
            let Some((submission, revision)) = self.controller.store().get_json::<Submission>(&place).await? else {
                self.commit(Transaction::new().delete(entry.key.clone())).await?;
                continue;
            };
            if !self.announced.contains(&place) {
                // Without anybody who records, nothing is recorded.
                let _nobody = self.recorder.send(submission.clone());
            }
            seen.insert(place.clone());
            copies += usize::from(matches!(submission.stage, SubmissionStage::Checking { copy: Some(_) }));
            if let Err(error) = self.step(submission, revision, &mut copies).await {
                // One that was changed meanwhile, or can't be written, holds up no other.
                tracing::debug!(%error, submission = place, "a submission waits");
            }
        }
        self.announced = seen;
        Ok(!under_way.entries.is_empty())
    }

    /// Says that somebody is there to hand in to, as long as something is due in some course.
    async fn beat(&mut self) -> Result<(), RequestError> {
        let now = self.controller.clock().now();
        let has_deadlines = |course: &Course| !course.is_over() && course.labs.iter().any(|lab| lab.due_at.is_some());
        let is_due = self.controller.known().courses.values().any(|course| has_deadlines(course));
        let is_told = |service: &Service| match service.alive_at {
            Timestamp(0) => !is_due,
            last => is_due && now.since(last) < Service::BEAT_MS,
        };
        if self.service.as_ref().is_some_and(is_told) {
            return Ok(());
        }
        let read = self.controller.store().get_json::<Service>(keys::SERVICE).await?;
        let before = read.map(|(service, _)| service).unwrap_or_default();
        let mut service = before.clone();
        if is_due {
            service.beat(now);
        } else {
            service.rest();
        }
        if service.outages.len() != before.outages.len() {
            tracing::warn!("nobody could hand in work for a while; what was due then is due later");
        }
        if service != before {
            self.commit(Transaction::new().put_json(keys::SERVICE, &service)?).await?;
        }
        self.service = Some(service);
        Ok(())
    }

    /// One step of one submission.
    async fn step(
        &mut self,
        submission: Submission,
        revision: Revision,
        copies: &mut usize,
    ) -> Result<(), RequestError> {
        let now = self.controller.clock().now();
        let what = {
            let known = self.controller.known();
            let of = |id| (known.world.workspaces().get(id), known.world.workspace_assignments().get(id));
            let at = match &submission.stage {
                SubmissionStage::Checking { copy } => copy.as_ref(),
                _ => submission.workspace.as_ref(),
            };
            let (record, assignment) = at.map_or((None, None), of);
            next(&submission, record, assignment, now)
        };
        match what {
            Next::Wait => Ok(()),
            Next::Put(next) => {
                let transaction = self.without_copy(&submission)?;
                self.write_with(transaction, *next, revision).await
            }
            Next::Ask(next, wanted) => {
                let transaction = self.asked_of(&wanted)?;
                self.write_with(transaction, *next, revision).await
            }
            Next::Open if *copies >= copies::AT_ONCE => Ok(()),
            Next::Open => {
                *copies += 1;
                self.open_copy(submission, revision).await
            }
            Next::Run => {
                self.run(submission);
                Ok(())
            }
        }
    }

    /// A transaction that writes a workspace of which a save is wanted, if it is still what it was.
    fn asked_of(&self, wanted: &pierhead_model::Workspace) -> StoreResult<Transaction> {
        let key = keys::workspace(&wanted.id);
        let revision = self.controller.known().revision_of(&key).unwrap_or_default();
        Transaction::new().unchanged(key.clone(), revision).put_json(key, wanted)
    }

    async fn write(&self, next: Submission, revision: Revision) -> Result<(), RequestError> {
        self.write_with(Transaction::new(), next, revision).await
    }

    /// Writes a submission in place of the one that was read, with what follows from it.
    async fn write_with(
        &self,
        transaction: Transaction,
        next: Submission,
        revision: Revision,
    ) -> Result<(), RequestError> {
        let Some(transaction) = written(&self.controller, transaction, &next, revision).await? else {
            // The save that it names has gone: it begins anew.
            let again = Submission { save: None, saved_at: None, stage: SubmissionStage::Asked, ..next };
            let key = keys::submission(&again.key);
            let transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key, &again)?;
            return self.commit(transaction).await;
        };
        if next.stage.is_over() {
            tracing::info!(submission = keys::submission(&next.key), how = next.stage.as_str(), "work was handed in");
        }
        self.commit(transaction).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<(), RequestError> {
        let revision = self.controller.store().commit(self.standing.fence(transaction)).await?;
        self.controller.reached(revision).await;
        Ok(())
    }
}

/// What an event tells of a submission.
pub(crate) fn told(submission: &Submission) -> String {
    let SubmissionKey { course, lab, account, number } = &submission.key;
    format!("course={course}, lab={lab}, account={account}, submission={number}")
}
