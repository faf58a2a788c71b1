//! What a step's outcome means for the record of its workspace.

use super::{Happened, WorkspaceAction, WorkspaceStep, after_leaving};
use crate::Policy;
use pierhead_model::{Failure, FailureKind, SaveCause, SaveId, Timestamp, WorkspaceAssignment, WorkspaceStage};

/// Told when all of it is off its host, and nothing follows by itself.
const NOTHING_RUNS: &str = "nothing of it runs any more";

/// The record of a workspace after a step, and what is told of it; `None` if the step says nothing about it.
#[must_use]
pub fn after_workspace_step(
    policy: &Policy,
    present: &WorkspaceAssignment,
    action: &WorkspaceAction,
    result: Result<(), Failure>,
    now: Timestamp,
) -> Option<(WorkspaceAssignment, Option<Happened>)> {
    let after = After { policy, present, now };
    let is_present =
        |place: &pierhead_model::WorkspacePlace| place.engine == action.engine && place.generation == action.generation;
    if let Some(at) = present.left.iter().position(is_present) {
        return after.left(at, &action.step, result);
    }
    present.place.as_ref().filter(|place| is_present(place))?;
    match (&action.step, result) {
        (WorkspaceStep::Create { .. }, Ok(())) => None,
        (WorkspaceStep::Create { .. }, Err(failure)) => Some(after.not_made(failure)),
        (WorkspaceStep::Start(_), Ok(())) => Some((after.tried(present.failure.clone()), None)),
        (WorkspaceStep::Start(_), Err(failure)) => Some((after.tried(Some(failure)), None)),
        (WorkspaceStep::Prime { name, .. }, result) => {
            let mut next = present.clone();
            let place = next.place.as_mut()?;
            place.primed.insert(name.clone());
            place.filled.insert(name.clone());
            let failure = result.err();
            let words = |failure: &Failure| format!("the startup script of {name}: {}", failure.message);
            let told = failure.as_ref().map(|failure| Happened { kind: "fail-workspace", message: words(failure) });
            if let Some(failure) = failure {
                // Its kind says that people can work all the same.
                let log = failure.log.clone();
                next.failure = Some(Failure { log, ..Failure::new(FailureKind::NotStarted, words(&failure)) });
            }
            Some((next, told))
        }
        // Without one people open theirs as everywhere.
        (WorkspaceStep::OpenShell { .. }, _) => {
            let mut next = present.clone();
            next.place.as_mut()?.ahead.has_shell = true;
            Some((next, None))
        }
        (WorkspaceStep::Pause(_) | WorkspaceStep::Unpause(_), Ok(())) => after.settled(),
        (WorkspaceStep::Pause(_) | WorkspaceStep::Unpause(_), Err(failure)) => Some((after.tried(Some(failure)), None)),
        (WorkspaceStep::Save(order), Ok(())) => after.saved(&order.id),
        (WorkspaceStep::Save(order), Err(failure)) => after.not_saved(&order.id, failure),
        (WorkspaceStep::Remove { .. }, Ok(())) => after.removed(),
        (WorkspaceStep::Remove { .. }, Err(_)) => None,
    }
}

struct After<'a> {
    policy: &'a Policy,
    present: &'a WorkspaceAssignment,
    now: Timestamp,
}

impl After<'_> {
    /// One more try, after which it waits before the next.
    fn tried(&self, failure: Option<Failure>) -> WorkspaceAssignment {
        let failures = self.present.failures.saturating_add(1);
        let not_before = self.now.plus(self.policy.back_off(failures));
        WorkspaceAssignment { failures, not_before, failure, ..self.present.clone() }
    }

    /// What was tried again works now.
    fn settled(&self) -> Option<(WorkspaceAssignment, Option<Happened>)> {
        let next = WorkspaceAssignment { failures: 0, failure: None, not_before: Timestamp(0), ..self.present.clone() };
        (self.present.failures > 0).then_some((next, None))
    }

    /// Containers could not be made. Where there is work already, only the missing ones are tried again; else it is
    /// another host's turn.
    fn not_made(&self, failure: Failure) -> (WorkspaceAssignment, Option<Happened>) {
        let told = Happened { kind: "fail-workspace", message: failure.message.clone() };
        let told = (self.present.failures == 0).then_some(told);
        let kind = failure.kind;
        let next = self.tried(Some(failure));
        let Some(place) = self.present.place.as_ref().filter(|place| !place.holds_work) else { return (next, told) };
        let mut avoid = next.avoid.clone();
        // Other addresses may be free on the same host.
        if kind != FailureKind::SubnetTaken {
            avoid.insert(place.engine.clone());
        }
        (WorkspaceAssignment { stage: WorkspaceStage::Waiting, place: None, avoid, ..next }, told)
    }

    fn saved(&self, save: &SaveId) -> Option<(WorkspaceAssignment, Option<Happened>)> {
        let stage = match self.saves_as(save)? {
            SaveCause::Asked => WorkspaceStage::Ready,
            SaveCause::Stops(cause) => WorkspaceStage::Leaving(cause),
        };
        let next = WorkspaceAssignment {
            stage,
            last_save: Some(save.clone()),
            resumes: Some(save.clone()),
            saved_at: self.now,
            failure: None,
            failures: 0,
            not_before: Timestamp(0),
            ..self.present.clone()
        };
        Some((next, Some(Happened { kind: "save-workspace", message: format!("save={save}") })))
    }

    /// Why it is being saved, if that is the save that it waits for.
    fn saves_as(&self, id: &SaveId) -> Option<SaveCause> {
        match &self.present.stage {
            WorkspaceStage::Saving { save, cause, .. } if save == id => Some(*cause),
            _ => None,
        }
    }

    fn not_saved(&self, save: &SaveId, failure: Failure) -> Option<(WorkspaceAssignment, Option<Happened>)> {
        let cause = self.saves_as(save)?;
        let told = Happened { kind: "fail-save", message: failure.message.clone() };
        let is_news = self.present.failure.as_ref().is_none_or(|last| last.message != failure.message);
        let next = self.tried(Some(failure));
        let next = match cause {
            SaveCause::Asked => WorkspaceAssignment { stage: WorkspaceStage::Ready, failures: 0, ..next },
            // They were stopped for it and started again: what follows a start is to be done again if it runs on, and what is
            // saved then is another save than the one that may be there all the same.
            SaveCause::Stops(_) => {
                let saves_begun = next.saves_begun + 1;
                let save = SaveId::of(&next.workspace, saves_begun);
                let stage = WorkspaceStage::Saving { save, cause, name: None };
                let mut next = WorkspaceAssignment { stage, saves_begun, ..next };
                next.place.iter_mut().for_each(|place| place.primed.clear());
                next
            }
        };
        Some((next, is_news.then_some(told)))
    }

    fn removed(&self) -> Option<(WorkspaceAssignment, Option<Happened>)> {
        let WorkspaceStage::Leaving(cause) = self.present.stage else { return None };
        let next = after_leaving(self.present, cause, self.now);
        // Who may not read the log of the pool hears of it by this alone.
        let is_over = matches!(next.stage, WorkspaceStage::Over { .. });
        let told = is_over.then(|| Happened { kind: "stop-workspace", message: NOTHING_RUNS.to_owned() });
        Some((next, told))
    }

    /// A copy that was left on a lost host.
    fn left(
        &self,
        at: usize,
        step: &WorkspaceStep,
        result: Result<(), Failure>,
    ) -> Option<(WorkspaceAssignment, Option<Happened>)> {
        let mut next = self.present.clone();
        match (step, result) {
            // It was begun before the host was lost: there may be more by now.
            (WorkspaceStep::Save(order), _) if next.left[at].save.as_ref() != Some(&order.id) => None,
            (WorkspaceStep::Save(order), Ok(())) => {
                next.left[at].holds_work = false;
                // Where it did not go on elsewhere, it goes on from there.
                let is_newest = next.left[at].generation == next.newest_generation && next.place.is_none();
                if is_newest && matches!(next.stage, WorkspaceStage::Over { .. }) {
                    next.last_save = Some(order.id.clone());
                    next.saved_at = self.now;
                }
                let engine = &next.left[at].engine;
                let message = format!("save={}: what was left on host {engine} when that was lost", order.id);
                Some((next, Some(Happened { kind: "save-workspace", message })))
            }
            (WorkspaceStep::Save(_), Err(failure)) => {
                next.left[at].not_before = self.now.plus(self.policy.longest_back_off_ms);
                Some((next, Some(Happened { kind: "fail-save", message: failure.message })))
            }
            (WorkspaceStep::Remove { .. }, Ok(())) => {
                next.left.remove(at);
                Some((next, None))
            }
            _ => None,
        }
    }
}
