//! Hands in by itself what was begun and is due. What was collected is noted only when all of it was handed in, so that a
//! successor goes on with the rest.

use super::Desk;
use super::records::{HandedIn, begun, submissions_in};
use crate::keys;
use crate::requests::RequestError;
use pierhead_lab::grading::{due_for, frozen};
use pierhead_model::{CourseWork, LabAttempt, Outage, Submission, SubmissionStage, Timestamp, Username};
use pierhead_store::Transaction;
use std::sync::Arc;

/// A lab of a course of which something is due.
struct Due {
    work: CourseWork,
    /// Those who began it, and when it was due for each of them.
    students: Vec<(Arc<LabAttempt>, Timestamp)>,
}

impl Desk {
    /// Hands in what is due.
    pub(super) async fn collect(&self) -> Result<(), RequestError> {
        let now = self.controller.clock().now();
        for due in self.due(now) {
            let Due { mut work, students } = due;
            let mut is_all = true;
            for (attempt, due) in students {
                if let Err(error) = self.hand_in(&work, &attempt, due).await {
                    is_all = false;
                    tracing::warn!(%error, lab = %work.lab, account = %attempt.account, "what is due waits");
                }
            }
            if is_all {
                work.collected_until = now;
                self.put_collected(work).await?;
            }
        }
        Ok(())
    }

    /// What became due since it was collected last.
    fn due(&self, now: Timestamp) -> Vec<Due> {
        let known = self.controller.known();
        let mut all = Vec::new();
        for course in known.courses.values().filter(|course| !course.is_over()) {
            for entry in course.labs.iter().filter(|entry| entry.due_at.is_some()) {
                let work = known.coursework(&course.id, &entry.lab);
                if !work.collects || !self.is_due(entry.due_at, &work, now) {
                    continue;
                }
                let students = known.enrolments.get(&course.id).into_iter().flat_map(|enrolments| enrolments.active());
                let of_student = |who: &Username| {
                    let due = due_for(entry.due_at, &work, who, self.outages())?;
                    let is_now = work.collected_until < due && due < now;
                    let attempt = known.attempt_in(who, &course.id, &entry.lab).filter(|_| is_now)?;
                    // What a group does is due for who began it.
                    (attempt.account == *who).then_some((attempt, due))
                };
                let students = students.filter_map(of_student).collect();
                all.push(Due { work, students });
            }
        }
        all
    }

    /// The times at which nobody could hand in anything.
    fn outages(&self) -> &[Outage] {
        self.service.as_ref().map_or(&[], |service| &service.outages)
    }

    /// Whether it became due for anybody.
    fn is_due(&self, due: Option<Timestamp>, work: &CourseWork, now: Timestamp) -> bool {
        let nobody = Username::parse("0").expect("a digit is a name");
        let everybodys = due_for(due, work, &nobody, self.outages());
        let theirs = work.extensions.keys().filter_map(|who| due_for(due, work, who, self.outages()));
        everybodys.into_iter().chain(theirs).any(|due| work.collected_until < due && due < now)
    }

    /// Hands in an attempt, unless its student has done so, or it was by itself since it was due.
    async fn hand_in(&self, work: &CourseWork, attempt: &LabAttempt, due: Timestamp) -> Result<(), RequestError> {
        let place = keys::submissions_by(&work.course, &work.lab, &attempt.account);
        let theirs = submissions_in(&self.controller, &place).await?;
        let counts = |one: &Submission| {
            let failed = matches!(one.stage, SubmissionStage::Failed { .. });
            !failed && (one.by.is_some() || one.asked_at >= due)
        };
        if theirs.iter().any(counts) {
            return Ok(());
        }
        let document = self.controller.attempt_document(attempt).await?;
        let results = frozen(attempt, &document.outline);
        let number = theirs.iter().map(|one| one.key.number).max().unwrap_or(0) + 1;
        let handed_in = HandedIn { work, attempt, results, number, at: due, due: Some(due), by: None };
        let (begun, transaction) = {
            let known = self.controller.known();
            let begun = begun(&known, handed_in, self.controller.clock().now());
            let transaction = begun.put(&known, Transaction::new())?;
            (begun, transaction)
        };
        let event = self.controller.event_of_pool("submit-work", super::told(&begun.submission));
        self.commit(transaction.put_json(keys::event(&event.id), &event)?).await
    }

    async fn put_collected(&self, work: CourseWork) -> Result<(), RequestError> {
        let key = keys::work(&work.course, &work.lab);
        let read = self.controller.known().revision_of(&key);
        let transaction = match read {
            Some(revision) => Transaction::new().unchanged(key.clone(), revision),
            None => Transaction::new().absent(key.clone()),
        };
        self.commit(transaction.put_json(key, &work)?).await
    }
}
