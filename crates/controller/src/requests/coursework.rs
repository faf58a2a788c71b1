//! Requests about work in courses: how it is handed in and graded, and what each of those who have to do with it sees.
//! Who may what is said by the course: students hand in and see what is theirs, everybody who gives it sees and grades all,
//! its teachers say how.

mod grades;
mod settings;
mod submit;

pub use grades::{GradeChange, GradeLineChange, Gradebook, GradebookRow, LabResult};
pub use settings::{DueChange, ExtensionChange, WorkChange};

use super::attempts::attempt_of;
use super::courses::{CourseNow, find_as};
use super::{Actor, RequestError};
use crate::coursework::{counting, submissions_in};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_lab::grading::due_for;
use pierhead_model::{
    CourseId, CourseLab, CourseRight, CourseWork, LabAttempt, LabId, Outage, Service, Submission, Timestamp, Username,
};
use pierhead_store::StoreJson;
use std::sync::Arc;

/// A lab of a course, as somebody sees the work at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkNow {
    /// The lab in the course.
    pub entry: CourseLab,
    /// What it is called.
    pub title: String,
    /// How it is handed in and graded.
    pub work: CourseWork,
    /// When it is due for whoever asks.
    pub due_at: Option<Timestamp>,
    /// Whether whoever asks has begun it.
    pub is_begun: bool,
    /// What they handed in that counts.
    pub submission: Option<Submission>,
}

impl Known {
    /// How work at a lab of a course is handed in and graded.
    pub(crate) fn coursework(&self, course: &CourseId, lab: &LabId) -> CourseWork {
        let found = self.work.get(&(course.clone(), lab.clone()));
        found.map_or_else(|| CourseWork::new(course.clone(), lab.clone()), |work| CourseWork::clone(work))
    }

    /// The attempt with which somebody works at a lab for a course: the one that they began there, or by themselves.
    pub(crate) fn attempt_in(&self, who: &Username, course: &CourseId, lab: &LabId) -> Option<Arc<LabAttempt>> {
        let of_course = attempt_of(self, who, lab.as_str(), Some(course.as_str()));
        of_course.or_else(|| attempt_of(self, who, lab.as_str(), None)).cloned()
    }

    /// What a lab is called by its newest version.
    pub(crate) fn title_of(&self, lab: &LabId) -> String {
        let newest = self.labs.get(lab).and_then(|lab| lab.newest());
        newest.map_or_else(|| lab.to_string(), |newest| newest.title.clone())
    }
}

impl Controller {
    /// The labs of a course with the work at them, as somebody sees it: students what is open.
    ///
    /// # Errors
    /// If there is no such course as far as they may know, or those of the store.
    pub async fn work_of(&self, actor: &Actor, id: &str) -> Result<Vec<WorkNow>, RequestError> {
        let course = self.course(actor, id)?;
        let outages = self.outages().await?;
        let place = format!("{}{}/", keys::SUBMISSIONS, course.record.id);
        let mut theirs = submissions_in(self, &place).await?;
        theirs.retain(|one| one.counts_for(&actor.username));
        let (known, now) = (self.known(), self.clock.now());
        let is_shown = |entry: &&CourseLab| course.right > CourseRight::Student || course.record.shows(&entry.lab, now);
        let of_lab = |entry: &CourseLab| {
            let work = known.coursework(&course.record.id, &entry.lab);
            let of_this: Vec<Submission> = theirs.iter().filter(|one| one.key.lab == entry.lab).cloned().collect();
            WorkNow {
                due_at: due_for(entry.due_at, &work, &actor.username, &outages),
                title: known.title_of(&entry.lab),
                is_begun: known.attempt_in(&actor.username, &course.record.id, &entry.lab).is_some(),
                submission: counting(&of_this).cloned(),
                entry: entry.clone(),
                work,
            }
        };
        Ok(course.record.labs.iter().filter(is_shown).map(of_lab).collect())
    }

    /// What was handed in for a course, as somebody may see it: students their own.
    ///
    /// # Errors
    /// If there is no such course as far as they may know, or those of the store.
    pub async fn submissions(
        &self,
        actor: &Actor,
        id: &str,
        lab: Option<&str>,
        of: Option<&str>,
    ) -> Result<Vec<Submission>, RequestError> {
        let course = self.course(actor, id)?;
        let mut all = submissions_in(self, &format!("{}{}/", keys::SUBMISSIONS, course.record.id)).await?;
        let of = of.map(Username::parse);
        let sees_all = course.right > CourseRight::Student;
        all.retain(|one| {
            (sees_all || one.counts_for(&actor.username))
                && lab.is_none_or(|lab| one.key.lab.as_str() == lab)
                && of.as_ref().is_none_or(|of| of.as_ref().is_ok_and(|of| one.counts_for(of)))
        });
        Ok(all)
    }

    /// The times at which nobody could hand in anything.
    pub(super) async fn outages(&self) -> Result<Vec<Outage>, RequestError> {
        let read = self.store.get_json::<Service>(keys::SERVICE).await?;
        Ok(read.map(|(service, _)| service.outages).unwrap_or_default())
    }
}

/// A course, and a lab that it has and that whoever asks may see, if they may do as much in the course as is said.
fn course_lab_as(
    known: &Known,
    actor: &Actor,
    id: &str,
    lab: &str,
    needs: CourseRight,
) -> Result<(CourseNow, CourseLab), RequestError> {
    let course = find_as(known, actor, id, needs)?;
    let entry = course.record.labs.iter().find(|entry| entry.lab.as_str() == lab);
    let is_shown = |lab: &LabId| course.right > CourseRight::Student || course.record.shows(lab, known.clock.now());
    let entry = entry.filter(|entry| is_shown(&entry.lab)).cloned();
    let entry = entry.ok_or_else(|| missing("lab of that course", lab))?;
    Ok((course, entry))
}

fn missing(what: &'static str, id: &str) -> RequestError {
    RequestError::NotFound { what, id: id.chars().take(64).collect(), replaced_by: None }
}

fn invalid(field: &'static str, expected: impl Into<String>) -> RequestError {
    RequestError::Invalid { field, expected: expected.into() }
}
