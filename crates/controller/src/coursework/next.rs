//! What is to be done next for a submission, by what is known of its workspace. Pure.

use pierhead_model::{
    SaveId, Submission, SubmissionStage, Timestamp, Workspace, WorkspaceAssignment, WorkspaceStage, WorkspaceWish,
};

/// How often a save is asked for anew.
const MOST_TRIES: u32 = 5;
/// The pause after the first try that failed, in milliseconds; each later one is twice as long.
const PAUSE_MS: u64 = 2_000;
/// For how long a workspace may stay in between until what it was before is taken, in milliseconds.
const SAVING_MS: u64 = 30 * 60_000;
/// For how long a copy may wait for a host, and for its checks, in milliseconds.
const ROOM_MS: u64 = 5 * 60_000;
const COPY_MS: u64 = 20 * 60_000;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Next {
    /// Nothing now.
    Wait,
    /// It is written so.
    Put(Box<Submission>),
    /// The same, and its workspace, of which one more save is wanted.
    Ask(Box<Submission>, Box<Workspace>),
    /// A copy of what was saved is to be opened.
    Open,
    /// The checks are to be run in the copy, unless they are.
    Run,
}

/// The next step of a submission. The workspace is the student's; of one whose checks are run, the copy.
pub(crate) fn next(
    submission: &Submission,
    record: Option<&Workspace>,
    assignment: Option<&WorkspaceAssignment>,
    now: Timestamp,
) -> Next {
    if submission.not_before > now {
        return Next::Wait;
    }
    let at = At { submission, record, assignment, now };
    match &submission.stage {
        SubmissionStage::Asked => at.asked(),
        SubmissionStage::Saving { wish, after } => at.saving(*wish, *after),
        SubmissionStage::Checking { copy: None } => Next::Open,
        SubmissionStage::Checking { copy: Some(_) } => at.checking(),
        SubmissionStage::Complete | SubmissionStage::Failed { .. } => Next::Wait,
    }
}

/// Whether a save, which is being made now, is taken for a submission when it is there.
pub(crate) fn waits_for(submission: &Submission, save: &SaveId) -> bool {
    let is_of_it = submission.workspace.as_ref().is_some_and(|id| *id == save.workspace());
    is_of_it
        && match submission.stage {
            // What its workspace is saved as when it stops.
            SubmissionStage::Asked => true,
            SubmissionStage::Saving { after, .. } => number(save) > after,
            _ => false,
        }
}

struct At<'a> {
    submission: &'a Submission,
    record: Option<&'a Workspace>,
    assignment: Option<&'a WorkspaceAssignment>,
    now: Timestamp,
}

impl At<'_> {
    fn asked(&self) -> Next {
        let (Some(record), Some(assignment)) = (self.record, self.assignment) else {
            return self.without("there was no workspace to save");
        };
        if assignment.run != record.run && !is_over(record) {
            return Next::Wait;
        }
        match &assignment.stage {
            WorkspaceStage::Ready | WorkspaceStage::Saving { .. } if record.wish == WorkspaceWish::Running => {
                self.ask(record, assignment, 0)
            }
            WorkspaceStage::Ready | WorkspaceStage::Saving { .. } | WorkspaceStage::Leaving(_) => Next::Wait,
            // Nobody has worked in it since.
            WorkspaceStage::Over { .. } | WorkspaceStage::Waiting | WorkspaceStage::Starting => {
                match &assignment.last_save {
                    Some(save) => self.taken(save, assignment.saved_at, None),
                    None => self.without("nothing of the workspace was saved, and it does not run"),
                }
            }
        }
    }

    /// Asks for a save that is made after this moment.
    fn ask(&self, record: &Workspace, assignment: &WorkspaceAssignment, tries: u32) -> Next {
        let mut wanted = record.clone();
        let key = &self.submission.key;
        // One that somebody asked for, which has not begun, is this one too, and keeps the name that they gave it.
        if !(assignment.owes_save(record) && record.save_name.is_some()) {
            wanted.save_name = Some(format!("{}, handed in ({})", key.lab, key.number));
        }
        wanted.saves_asked += 1;
        let stage = SubmissionStage::Saving { wish: wanted.saves_asked, after: assignment.saves_begun };
        let since = if tries == 0 { self.now } else { self.submission.since };
        let next = Submission { stage, tries, since, not_before: Timestamp(0), ..self.submission.clone() };
        Next::Ask(Box::new(next), Box::new(wanted))
    }

    fn saving(&self, wish: u32, after: u32) -> Next {
        let (Some(record), Some(assignment)) = (self.record, self.assignment) else {
            return self.failed("its workspace was gone before it could be saved");
        };
        let newest = assignment.last_save.as_ref();
        if let Some(save) = newest.filter(|save| number(save) > after) {
            return self.taken(save, assignment.saved_at, None);
        }
        let earlier = "the workspace stopped before it could be saved: this is what had been saved last";
        let is_late = self.now.since(self.submission.since) > SAVING_MS;
        let is_at_rest = matches!(assignment.stage, WorkspaceStage::Over { .. });
        match newest {
            Some(save) if is_at_rest || is_late => return self.taken(save, assignment.saved_at, Some(earlier)),
            None if is_at_rest || is_late => return self.failed("its workspace stopped before it could be saved"),
            _ => {}
        }
        // It was taken up, and nothing came of it.
        let is_lost = assignment.saves_taken >= wish && assignment.stage == WorkspaceStage::Ready;
        if !is_lost || assignment.run != record.run || record.wish != WorkspaceWish::Running {
            return Next::Wait;
        }
        let why = assignment.failure.as_ref().map_or("it could not be saved", |failure| &failure.message);
        let tries = self.submission.tries + 1;
        if tries > MOST_TRIES {
            return self.failed(why);
        }
        match self.ask(record, assignment, tries) {
            Next::Ask(next, wanted) => {
                let not_before = self.now.plus(PAUSE_MS << tries);
                Next::Ask(Box::new(Submission { not_before, note: Some(why.to_owned()), ..*next }), wanted)
            }
            other => other,
        }
    }

    fn checking(&self) -> Next {
        let waited = self.now.since(self.submission.since);
        let Some(assignment) = self.assignment.filter(|_| self.record.is_some_and(Workspace::wants_to_run)) else {
            // It was written together with the submission: where there is no record of its place yet, there will be.
            let is_gone = self.record.is_none_or(|record| !record.wants_to_run());
            return if is_gone || waited > ROOM_MS { self.unchecked() } else { Next::Wait };
        };
        match assignment.stage {
            WorkspaceStage::Ready if waited <= COPY_MS => Next::Run,
            WorkspaceStage::Ready | WorkspaceStage::Over { .. } => self.unchecked(),
            _ if waited > ROOM_MS => self.unchecked(),
            _ => Next::Wait,
        }
    }

    fn unchecked(&self) -> Next {
        let words = "its checks could not be run on a copy: what they had come to before counts";
        self.put(SubmissionStage::Complete, Some(words))
    }

    fn taken(&self, save: &SaveId, saved_at: Timestamp, note: Option<&str>) -> Next {
        let has_checks = !self.submission.results.checks.is_empty();
        let stage = if has_checks { SubmissionStage::Checking { copy: None } } else { SubmissionStage::Complete };
        let (save, saved_at) = (Some(save.clone()), Some(saved_at));
        let note = note.map(str::to_owned);
        Next::Put(Box::new(Submission { save, saved_at, note, ..self.at(stage) }))
    }

    /// What came out is all that there is.
    fn without(&self, note: &str) -> Next {
        self.put(SubmissionStage::Complete, Some(note))
    }

    fn failed(&self, why: &str) -> Next {
        self.put(SubmissionStage::Failed { why: why.to_owned() }, None)
    }

    fn put(&self, stage: SubmissionStage, note: Option<&str>) -> Next {
        let next = self.at(stage);
        let note = note.map(str::to_owned).or_else(|| next.note.clone());
        Next::Put(Box::new(Submission { note, ..next }))
    }

    fn at(&self, stage: SubmissionStage) -> Submission {
        Submission { stage, tries: 0, not_before: Timestamp(0), since: self.now, ..self.submission.clone() }
    }
}

fn is_over(record: &Workspace) -> bool {
    !record.wants_to_run()
}

/// The number of a save among those of its workspace.
fn number(save: &SaveId) -> u32 {
    save.as_str().rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
