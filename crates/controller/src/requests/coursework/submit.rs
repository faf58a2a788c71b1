//! Handing in: what was asked for in time is in time, whatever happens to us afterwards.

use super::{course_lab_as, invalid, missing};
use crate::coursework::{HandedIn, begun, submissions_for, submissions_in, told};
use crate::requests::commit::{Committed, Made};
use crate::requests::{Actor, Idempotency, OpenWorkspace, RequestError, WorkspaceBeginning, WorkspaceNow};
use crate::{Controller, keys};
use pierhead_lab::grading::{due_for, frozen, is_taken};
use pierhead_model::{
    CourseRight, EventTag, FrozenResults, LabAttempt, Submission, SubmissionStage, Timestamp, Username,
};
use pierhead_store::{StoreJson, Transaction};
use std::sync::Arc;

/// The most submissions of one student for one lab.
const MOST_OF_ONE: u32 = 100;

/// What is read for each try to hand in.
struct Read {
    attempt: Arc<LabAttempt>,
    results: FrozenResults,
    theirs: Vec<Submission>,
}

impl Controller {
    /// Hands in what somebody has done at a lab of a course. While an earlier submission of theirs is under way, that one
    /// is answered.
    ///
    /// # Errors
    /// If there is no such lab as far as they may know, they don't take the course, have not begun it, or are late where
    /// that is refused.
    pub async fn submit_work(
        &self,
        actor: &Actor,
        course: &str,
        lab: &str,
        asked: Option<&Idempotency>,
    ) -> Result<Submission, RequestError> {
        // The moment at which it came counts, however long the rest takes.
        let at = self.clock.now();
        let (found, entry) = course_lab_as(&self.known(), actor, course, lab, CourseRight::Student)?;
        if !found.enrolments.has(&actor.username) {
            return Err(state("only those who take a course hand in work"));
        }
        let outages = self.outages().await?;
        let once = self.once_if(&actor.username, asked);
        let read = || async {
            let attempt = self.known().attempt_in(&actor.username, &found.record.id, &entry.lab);
            let attempt =
                attempt.ok_or_else(|| state("you have not begun this lab yet: there is nothing to hand in"))?;
            let document = self.attempt_document(&attempt).await?;
            let results = frozen(&attempt, &document.outline);
            // What a group does is handed in under the name of who began it.
            let place = keys::submissions_by(&found.record.id, &entry.lab, &attempt.account);
            Ok(Read { results, theirs: submissions_in(self, &place).await?, attempt })
        };
        let committed = self.commit_reading(once.as_ref(), read, |known, _, read| {
            if let Some(under_way) = read.theirs.iter().find(|one| !one.stage.is_over()) {
                return Ok(Made::Already(under_way.clone()));
            }
            let work = known.coursework(&found.record.id, &entry.lab);
            let due = due_for(entry.due_at, &work, &actor.username, &outages);
            if !is_taken(at, due, work.late) {
                return Err(state("it was due, and what is late is not taken in this course"));
            }
            let number = read.theirs.iter().map(|one| one.key.number).max().unwrap_or(0) + 1;
            if number > MOST_OF_ONE {
                return Err(invalid("lab", format!("one that you handed in at most {MOST_OF_ONE} times")));
            }
            let (attempt, results, by) = (&*read.attempt, read.results.clone(), Some(&actor.username));
            let begun = begun(known, HandedIn { work: &work, attempt, results, number, at, due, by }, self.clock.now());
            let transaction = begun.put(known, Transaction::new())?;
            let told = told(&begun.submission);
            let transaction = self.with_event(transaction, "submit-work", told, EventTag::Cluster, by)?;
            Ok(Made::change(transaction, begun.submission))
        });
        let submission = match committed.await? {
            Committed::Now(submission) => submission,
            Committed::Before(_) => {
                let theirs = submissions_for(self, &found.record.id, &entry.lab, &actor.username).await?;
                theirs.into_iter().max_by_key(|one| one.asked_at).ok_or_else(|| missing("submission", lab))?
            }
        };
        self.handed_in.notify_one();
        Ok(submission)
    }

    /// Tries a submission once more that failed. When it was handed in stays what it was.
    ///
    /// # Errors
    /// If there is none as far as they may know, they don't teach the course, or it did not fail.
    pub async fn retry_submission(
        &self,
        actor: &Actor,
        course: &str,
        lab: &str,
        account: &str,
    ) -> Result<Submission, RequestError> {
        let newest = self.newest_submission(actor, course, lab, account).await?;
        let key = keys::submission(&newest.key);
        let read = || async {
            let read = self.store.get_json::<Submission>(&key).await?;
            read.ok_or_else(|| missing("submission", account))
        };
        let committed = self.commit_reading(None, read, |_, now, (submission, revision)| {
            if !matches!(submission.stage, SubmissionStage::Failed { .. }) {
                return Err(state("only a submission that failed can be tried again"));
            }
            let (stage, not_before) = (SubmissionStage::Asked, Timestamp(0));
            let again = Submission { stage, not_before, tries: 0, since: now, note: None, ..submission.clone() };
            let transaction = Transaction::new().unchanged(key.clone(), *revision).put_json(key.clone(), &again)?;
            let transaction = transaction.put_json(keys::submitting(&again.key), &again.key)?;
            let told = told(&again);
            let who = Some(&actor.username);
            Ok(Made::change(self.with_event(transaction, "retry-submission", told, EventTag::Cluster, who)?, again))
        });
        match committed.await? {
            Committed::Now(submission) => {
                self.handed_in.notify_one();
                Ok(submission)
            }
            Committed::Before(_) => Ok(newest),
        }
    }

    /// Opens a copy of what a student handed in, as a workspace of whoever gives the course.
    ///
    /// # Errors
    /// If there is none as far as they may know, they don't give the course, or nothing of it was saved.
    pub async fn open_submission(
        &self,
        actor: &Actor,
        course: &str,
        lab: &str,
        account: &str,
        asked: Option<&Idempotency>,
    ) -> Result<WorkspaceNow, RequestError> {
        let submission = self.newest_submission(actor, course, lab, account).await?;
        let save = submission.save.ok_or_else(|| state("nothing of this submission was saved"))?;
        // The course has said that they may: a save is else its owner's.
        let reader = Actor { may_change_all: true, ..actor.clone() };
        let name: String = format!("{lab} of {account}").chars().take(60).collect();
        let request = OpenWorkspace { from: WorkspaceBeginning::Save(save), name: Some(name) };
        self.open_workspace(&reader, &request, asked).await
    }

    /// What a student handed in that counts, for those who give the course.
    async fn newest_submission(
        &self,
        actor: &Actor,
        course: &str,
        lab: &str,
        account: &str,
    ) -> Result<Submission, RequestError> {
        let (found, entry) = course_lab_as(&self.known(), actor, course, lab, CourseRight::Assistant)?;
        let account = Username::parse(account).map_err(|_| missing("submission", account))?;
        let theirs = submissions_for(self, &found.record.id, &entry.lab, &account).await?;
        let counts = crate::coursework::counting(&theirs).cloned();
        counts.ok_or_else(|| missing("submission", account.as_str()))
    }
}

fn state(why: &str) -> RequestError {
    RequestError::WorkState(why.to_owned())
}
