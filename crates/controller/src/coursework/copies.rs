//! Copies of what was handed in, in which its checks are run: short-lived workspaces that nobody comes to, a few at once.

use super::Desk;
use crate::attempts::Seat;
use crate::requests::{RequestError, of_save};
use crate::{Controller, keys};
use pierhead_model::{
    CheckState, LabVersionRef, OwnImage, Submission, SubmissionStage, Username, Workspace, WorkspaceOrigin,
    WorkspaceWish,
};
use pierhead_store::{Result as StoreResult, Revision, StoreJson, Transaction};

/// The most copies at a time: they take room that students need.
pub(super) const AT_ONCE: usize = 8;

/// How often a check that does not pass is run in a copy: what is started with it may take a while to be up.
const TRIES: u32 = 4;

/// What came of the checks of a submission.
pub(super) struct Ran {
    /// Its key.
    place: String,
    /// Check by check, or nothing if they could not be run.
    states: Option<Vec<(u32, String, CheckState)>>,
}

impl Desk {
    /// Opens a copy of what was saved; the record names it in the same transaction.
    pub(super) async fn open_copy(&self, submission: Submission, revision: Revision) -> Result<(), RequestError> {
        let now = self.controller.clock().now();
        let id = submission.save.clone().expect("what is checked was saved");
        let found = self.controller.saves.find(&id).await.map_err(of_save)?;
        let spec = self.controller.saves.spec(&id).await.map_err(of_save)?;
        let (Some((save, _)), Some(spec)) = (found, spec) else {
            let note = "nobody knows any more how its workspace was described: its checks were not run on a copy";
            let note = Some(note.to_owned());
            return self.write(Submission { stage: SubmissionStage::Complete, note, ..submission }, revision).await;
        };
        let owner = Username::parse(OwnImage::NAMESPACE).expect("the pool's own name is one");
        let key = &submission.key;
        let copy = Workspace {
            id: self.controller.ids().workspace(),
            name: format!("checks of what {} handed in for {} ({})", key.account, key.lab, key.number),
            owner,
            guests: Default::default(),
            environment: save.environment.clone(),
            version: save.version,
            spec,
            wish: WorkspaceWish::Running,
            run: 1,
            origin: WorkspaceOrigin::Save(id),
            asked_at: now,
            extended_minutes: 0,
            by_group: Default::default(),
            standstill: None,
            saves_asked: 0,
            save_name: None,
            opened_with: None,
            created_at: now,
        };
        let place = keys::workspace(&copy.id);
        let transaction = Transaction::new().absent(place.clone()).put_json(place, &copy)?;
        let stage = SubmissionStage::Checking { copy: Some(copy.id) };
        self.write_with(transaction, Submission { stage, since: now, ..submission }, revision).await
    }

    /// Runs the checks in the copy, beside everything else.
    pub(super) fn run(&mut self, submission: Submission) {
        let place = keys::submission(&submission.key);
        if !self.running.insert(place.clone()) {
            return;
        }
        let (controller, tell) = (self.controller.clone(), self.tell.clone());
        self.controller.spawn(async move {
            let states = checked(&controller, &submission).await;
            // Nobody listens any more if this controller stopped leading: its successor runs them anew.
            let _ = tell.send(Ran { place, states });
        });
    }

    /// Writes what came of the checks; the copy goes.
    pub(super) async fn take(&mut self, ran: Ran) {
        if let Err(error) = self.keep(&ran).await {
            tracing::warn!(%error, submission = ran.place, "what came of checks could not be written; they are run again");
        }
        self.running.remove(&ran.place);
    }

    async fn keep(&self, ran: &Ran) -> Result<(), RequestError> {
        let Some((mut submission, revision)) = self.controller.store().get_json::<Submission>(&ran.place).await? else {
            return Ok(());
        };
        if !matches!(submission.stage, SubmissionStage::Checking { copy: Some(_) }) {
            return Ok(());
        }
        match &ran.states {
            Some(states) => {
                submission.results.ran_on_copy = true;
                for (step, name, state) in states {
                    let of_check =
                        submission.results.checks.iter_mut().find(|one| one.step == *step && one.name == *name);
                    if let Some(check) = of_check {
                        check.on_copy = Some(*state);
                    }
                }
            }
            None => submission.note = Some("its checks could not be run on a copy".to_owned()),
        }
        let transaction = self.without_copy(&submission)?;
        submission.stage = SubmissionStage::Complete;
        self.write_with(transaction, submission, revision).await
    }

    /// A transaction by which the copy of a submission goes, with what is in it.
    pub(super) fn without_copy(&self, submission: &Submission) -> StoreResult<Transaction> {
        let SubmissionStage::Checking { copy: Some(copy) } = &submission.stage else { return Ok(Transaction::new()) };
        let key = keys::workspace(copy);
        let known = self.controller.known();
        let (record, revision) = (known.world.workspaces().get(copy), known.revision_of(&key));
        let (Some(record), Some(revision)) = (record, revision) else { return Ok(Transaction::new()) };
        let gone = Workspace { wish: WorkspaceWish::Discarded, ..record.clone() };
        Transaction::new().unchanged(key.clone(), revision).put_json(key, &gone)
    }
}

/// What the checks come to in the copy, one after the other; those that do not pass at once get some more time.
async fn checked(controller: &Controller, submission: &Submission) -> Option<Vec<(u32, String, CheckState)>> {
    let SubmissionStage::Checking { copy: Some(copy) } = &submission.stage else { return None };
    let seat = Seat::of(&controller.known(), copy)?;
    let attempt = controller.known().attempts.get(&submission.attempt).cloned()?;
    let version = LabVersionRef::Number(submission.version);
    let document = controller.lab_document(&submission.key.lab, version).await;
    let unread = |error: &RequestError| tracing::warn!(%error, "a lab whose checks are to be run could not be read");
    let document = document.inspect_err(unread).ok()?;
    let values = document.values(&attempt.seed);
    let steps = (0..).zip(&document.text().steps);
    let checks: Vec<_> = steps.flat_map(|(at, step)| step.checks.iter().map(move |check| (at, check))).collect();
    let mut states = Vec::with_capacity(checks.len());
    for (_, check) in &checks {
        states.push(controller.run_check(&seat, check, &values).await.outcome.state());
    }
    for _ in 1..TRIES {
        if states.iter().all(|state| *state == CheckState::Passed) {
            break;
        }
        tokio::time::sleep(controller.options.copy_check_interval).await;
        for ((_, check), state) in checks.iter().zip(&mut states).filter(|(_, state)| **state != CheckState::Passed) {
            *state = controller.run_check(&seat, check, &values).await.outcome.state();
        }
    }
    Some(checks.into_iter().zip(states).map(|((at, check), state)| (at, check.name.clone(), state)).collect())
}
