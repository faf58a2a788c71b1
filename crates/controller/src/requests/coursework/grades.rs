//! What work was worth: what people give by hand, the gradebook for those who give a course, results for those who take it.

use super::{course_lab_as, invalid, missing};
use crate::coursework::{counting, grades_in, submissions_for, submissions_in};
use crate::requests::commit::Made;
use crate::requests::courses::CourseNow;
use crate::requests::{Actor, RequestError};
use crate::{Controller, keys};
use pierhead_lab::grading::{Score, due_for, nothing_done, rubric_of, scored};
use pierhead_model::{
    CourseLab, CourseRight, CourseWork, Criterion, EventTag, Grade, GradeLine, LabId, LabVersionRef, Outage, Points,
    Submission, Timestamp, Username,
};
use pierhead_store::{Revision, StoreJson, Transaction};
use std::collections::BTreeMap;

/// The longest comment, in characters.
const LONGEST_COMMENT: usize = 5_000;

/// What is given by hand; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GradeChange {
    /// By criterion.
    pub lines: BTreeMap<String, GradeLineChange>,
    /// A comment on the whole.
    pub comment: Option<String>,
}

/// The same of one criterion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GradeLineChange {
    /// The points, or (`Some(None)`) those that come of themselves.
    pub points: Option<Option<Points>>,
    /// A comment.
    pub comment: Option<String>,
}

/// What a student's work at a lab came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabResult {
    /// The lab.
    pub lab: LabId,
    /// What it is called.
    pub title: String,
    /// When it is due for them.
    pub due_at: Option<Timestamp>,
    /// Since when they see what they got.
    pub published_at: Option<Timestamp>,
    /// What they handed in that counts.
    pub submission: Option<Submission>,
    /// What it came to; nothing for students who don't see it yet.
    pub score: Option<Score>,
    /// What was said of the whole; empty for students who don't see it yet.
    pub comment: String,
    /// Who said so, and when.
    pub graded: Option<(Username, Timestamp)>,
}

/// What a student came to in a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GradebookRow {
    /// Who.
    pub account: Username,
    /// Their group.
    pub group: Option<String>,
    /// Whether they take the course no longer.
    pub suspended: bool,
    /// Lab by lab, in the course's order.
    pub labs: Vec<LabResult>,
}

/// What everybody came to in a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gradebook {
    /// The course.
    pub course: CourseNow,
    /// Student by student.
    pub rows: Vec<GradebookRow>,
}

/// What results are made of.
struct Sheet {
    outages: Vec<Outage>,
    submissions: BTreeMap<(LabId, Username), Vec<Submission>>,
    grades: BTreeMap<String, Grade>,
    work: BTreeMap<LabId, Work>,
}

/// What is said of a lab of the course.
struct Work {
    title: String,
    settings: CourseWork,
    /// What it is graded by where nothing was handed in that says so.
    rubric: Vec<Criterion>,
}

impl Controller {
    /// What somebody who takes a course came to in it. Points and what was said of them only where that was told.
    ///
    /// # Errors
    /// If there is no such course as far as they may know, or those of the store.
    pub async fn results(&self, actor: &Actor, id: &str) -> Result<Vec<LabResult>, RequestError> {
        let course = self.course(actor, id)?;
        let (sheet, now) = (self.sheet(&course).await?, self.clock.now());
        let shown = course
            .record
            .labs
            .iter()
            .filter(|entry| course.right > CourseRight::Student || entry.opens_at.is_none_or(|opens| opens <= now));
        let results = shown.map(|entry| {
            let result = sheet.result(&course, entry, &actor.username);
            match result.published_at {
                Some(_) => result,
                None => hidden(result),
            }
        });
        Ok(results.collect())
    }

    /// What everybody came to in a course, for those who give it.
    ///
    /// # Errors
    /// If there is no such course as far as they may know, they don't give it, or those of the store.
    pub async fn gradebook(&self, actor: &Actor, id: &str) -> Result<Gradebook, RequestError> {
        let course = self.course_as(actor, id, CourseRight::Assistant)?;
        let sheet = self.sheet(&course).await?;
        let row = |(who, enrolment): (&Username, &pierhead_model::Enrolment)| GradebookRow {
            account: who.clone(),
            group: course.enrolments.group_of(who).map(str::to_owned),
            suspended: !enrolment.is_active(),
            labs: course.record.labs.iter().map(|entry| sheet.result(&course, entry, who)).collect(),
        };
        let rows = course.enrolments.students.iter().map(row).collect();
        Ok(Gradebook { course, rows })
    }

    async fn sheet(&self, course: &CourseNow) -> Result<Sheet, RequestError> {
        let id = &course.record.id;
        let mut submissions: BTreeMap<_, Vec<Submission>> = BTreeMap::new();
        for one in submissions_in(self, &format!("{}{id}/", keys::SUBMISSIONS)).await? {
            for who in one.also.iter().chain([&one.key.account]) {
                submissions.entry((one.key.lab.clone(), who.clone())).or_default().push(one.clone());
            }
        }
        let grades = grades_in(self, &format!("{}{id}/", keys::GRADES)).await?;
        let outages = self.outages().await?;
        let mut work = BTreeMap::new();
        for entry in &course.record.labs {
            work.insert(entry.lab.clone(), self.work_at(course, entry).await);
        }
        Ok(Sheet { outages, submissions, grades, work })
    }

    async fn work_at(&self, course: &CourseNow, entry: &CourseLab) -> Work {
        let (title, settings) = {
            let known = self.known();
            (known.title_of(&entry.lab), known.coursework(&course.record.id, &entry.lab))
        };
        let mut rubric = settings.rubric.clone();
        if rubric.is_empty() {
            let version = entry.version.map_or(LabVersionRef::Newest, LabVersionRef::Number);
            // Of a lab that is gone, or whose files can't be had just now, only what was handed in is known.
            if let Ok(document) = self.lab_document(&entry.lab, version).await {
                rubric = rubric_of(&nothing_done(&document.outline));
            }
        }
        Work { title, settings, rubric }
    }

    /// Gives points and comments by hand.
    ///
    /// # Errors
    /// If there is no such lab or student as far as they may know, they don't give the course, or there is no such
    /// criterion or not so many points in it.
    pub async fn set_grade(
        &self,
        actor: &Actor,
        course: &str,
        lab: &str,
        account: &str,
        change: &GradeChange,
    ) -> Result<LabResult, RequestError> {
        let (found, entry) = course_lab_as(&self.known(), actor, course, lab, CourseRight::Assistant)?;
        let student = Username::parse(account).ok().filter(|who| found.enrolments.students.contains_key(who));
        let student = student.ok_or_else(|| missing("student of that course", account))?;
        let key = keys::grade(&found.record.id, &entry.lab, &student);
        let read = || async {
            let grade = self.store.get_json::<Grade>(&key).await?;
            let theirs = submissions_for(self, &found.record.id, &entry.lab, &student).await?;
            Ok((grade, counting(&theirs).cloned()))
        };
        let committed = self.commit_reading(None, read, |known, now, (read, submission)| {
            let work = known.coursework(&found.record.id, &entry.lab);
            let (before, revision): (Grade, Option<Revision>) =
                read.clone().map_or_else(Default::default, |(grade, revision)| (grade, Some(revision)));
            let results = submission.as_ref().map(|submission| &submission.results);
            let score = scored(&work.rubric, results, &before);
            let mut next = changed(&before, &score, change)?;
            if next == before {
                return Ok(Made::Already(()));
            }
            (next.by, next.at) = (Some(actor.username.clone()), now);
            let transaction = match revision {
                Some(revision) => Transaction::new().unchanged(key.clone(), revision),
                None => Transaction::new().absent(key.clone()),
            };
            let told = format!("course={}, lab={}, account={student}", found.record.id, entry.lab);
            let transaction = transaction.put_json(key.clone(), &next)?;
            let by = Some(&actor.username);
            Ok(Made::change(self.with_event(transaction, "grade-work", told, EventTag::Cluster, by)?, ()))
        });
        committed.await?;
        Ok(self.sheet(&found).await?.result(&found, &entry, &student))
    }
}

impl Sheet {
    fn result(&self, course: &CourseNow, entry: &CourseLab, who: &Username) -> LabResult {
        let of = (entry.lab.clone(), who.clone());
        let submission = self.submissions.get(&of).and_then(|theirs| counting(theirs)).cloned();
        let grade = self.grades.get(&keys::grade(&course.record.id, &entry.lab, who)).cloned().unwrap_or_default();
        let work = &self.work[&entry.lab];
        let results = submission.as_ref().map(|submission| &submission.results);
        let rubric = if results.is_some() { &work.settings.rubric } else { &work.rubric };
        let score = scored(rubric, results, &grade);
        LabResult {
            lab: entry.lab.clone(),
            title: work.title.clone(),
            due_at: due_for(entry.due_at, &work.settings, who, &self.outages),
            published_at: work.settings.published_at,
            submission,
            score: Some(score),
            graded: grade.by.map(|by| (by, grade.at)),
            comment: grade.comment,
        }
    }
}

/// What a student sees before results are told: that they handed in, and nothing of what it came to.
fn hidden(mut result: LabResult) -> LabResult {
    if let Some(submission) = &mut result.submission {
        submission.results = Default::default();
    }
    LabResult { score: None, comment: String::new(), graded: None, ..result }
}

fn changed(before: &Grade, score: &Score, change: &GradeChange) -> Result<Grade, RequestError> {
    let mut next = before.clone();
    for (id, line) in &change.lines {
        let of = score.lines.iter().find(|of| of.criterion.id == *id).map(|of| &of.criterion);
        let of = of.ok_or_else(|| {
            let known: Vec<&str> = score.lines.iter().map(|line| line.criterion.id.as_str()).collect();
            let words =
                if known.is_empty() { "none: hand in or make a rubric first".to_owned() } else { known.join(", ") };
            invalid("points", format!("by criterion, of which there are: {words}"))
        })?;
        let entry = next.lines.entry(id.clone()).or_default();
        if let Some(points) = line.points {
            if points.is_some_and(|points| points > of.most) {
                return Err(invalid("points", format!("at most {} for {id}", of.most)));
            }
            entry.points = points;
        }
        if let Some(comment) = &line.comment {
            entry.comment = comment_of("comments", comment)?;
        }
    }
    next.lines.retain(|_, line| *line != GradeLine::default());
    if let Some(comment) = &change.comment {
        next.comment = comment_of("comment", comment)?;
    }
    Ok(next)
}

fn comment_of(field: &'static str, text: &str) -> Result<String, RequestError> {
    let is_good =
        text.chars().count() <= LONGEST_COMMENT && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    if is_good {
        Ok(text.trim().to_owned())
    } else {
        Err(invalid(field, format!("text of at most {LONGEST_COMMENT} characters")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::{Criterion, PointsFrom};

    fn score() -> Score {
        let criterion =
            |id: &str, from| Criterion { id: id.to_owned(), title: id.to_owned(), from, most: Points::whole(5) };
        let rubric = [criterion("work", PointsFrom::Checks), criterion("style", PointsFrom::Hand)];
        scored(&rubric, None, &Grade::default())
    }

    fn line(points: Option<Option<u32>>, comment: Option<&str>) -> GradeLineChange {
        let points = points.map(|points| points.map(Points::whole));
        GradeLineChange { points, comment: comment.map(str::to_owned) }
    }

    fn of(id: &str, line: GradeLineChange) -> GradeChange {
        GradeChange { lines: BTreeMap::from([(id.to_owned(), line)]), comment: None }
    }

    #[test]
    fn what_is_not_given_stays_and_what_is_taken_back_goes() {
        let given = changed(&Grade::default(), &score(), &of("style", line(Some(Some(3)), Some(" neat ")))).unwrap();
        assert_eq!(given.lines["style"], GradeLine { points: Some(Points::whole(3)), comment: "neat".to_owned() });
        let later = changed(&given, &score(), &of("style", line(None, Some("very neat")))).unwrap();
        assert_eq!(later.lines["style"].points, Some(Points::whole(3)));
        let back = changed(&later, &score(), &of("style", line(Some(None), Some("")))).unwrap();
        assert_eq!(back, Grade::default());
        let said = GradeChange { comment: Some("Good.".to_owned()), ..GradeChange::default() };
        assert_eq!(changed(&given, &score(), &said).unwrap().comment, "Good.");
    }

    #[test]
    fn points_are_within_the_rubric() {
        for (change, field) in [
            (of("style", line(Some(Some(6)), None)), "points"),
            (of("beauty", line(Some(Some(1)), None)), "points"),
            (of("style", line(None, Some("a\u{7}"))), "comments"),
            (GradeChange { comment: Some("x".repeat(5_001)), ..GradeChange::default() }, "comment"),
        ] {
            let refused = changed(&Grade::default(), &score(), &change).unwrap_err();
            assert!(matches!(refused, RequestError::Invalid { field: named, .. } if named == field), "{refused}");
        }
        assert!(changed(&Grade::default(), &score(), &of("style", line(Some(Some(5)), None))).is_ok());
    }
}
