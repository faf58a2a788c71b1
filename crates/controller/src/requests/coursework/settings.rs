//! What teachers say of the work at a lab of a course: when it is due and for whom later, what becomes of what is late,
//! what it is graded by, whether students see what they got.

use super::{course_lab_as, invalid, missing};
use crate::known::Known;
use crate::requests::commit::Made;
use crate::requests::{Actor, RequestError};
use crate::{Controller, keys};
use pierhead_identity::deadline_moment;
use pierhead_model::{
    Course, CourseLab, CourseRight, CourseWork, Criterion, EventTag, LatePolicy, Points, PointsFrom, Timestamp,
    Username, Zone,
};
use pierhead_store::Transaction;
use std::collections::BTreeSet;

/// The longest title of a criterion, in characters.
const LONGEST_TITLE: usize = 200;
/// The form of moments.
const MOMENT: &str = "a date and time in the course's zone, such as 2026-12-01T18:00, or RFC 3339 with an offset";

/// A moment that is set anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueChange {
    /// There is none any more.
    None,
    /// As somebody wrote it: in the course's zone, or with an offset.
    At(String),
}

/// What shall be otherwise of the work at a lab; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkChange {
    /// From when on students see the lab.
    pub opens: Option<DueChange>,
    /// When it is due.
    pub due: Option<DueChange>,
    /// What becomes of what is late.
    pub late: Option<LatePolicy>,
    /// Whether what was begun is handed in by itself when it is due.
    pub collects: Option<bool>,
    /// What it is graded by.
    pub rubric: Option<Vec<Criterion>>,
    /// Whether students see what they got.
    pub published: Option<bool>,
}

/// Until when somebody has time; as everybody with `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionChange {
    /// Who.
    pub account: Username,
    /// Until when, as somebody wrote it.
    pub until: Option<String>,
}

impl Controller {
    /// Changes how the work at a lab of a course is handed in and graded.
    ///
    /// # Errors
    /// If there is no such lab as far as they may know, they don't teach the course, or a field has not the accepted form.
    pub async fn change_work(
        &self,
        actor: &Actor,
        course: &str,
        lab: &str,
        change: &WorkChange,
    ) -> Result<(), RequestError> {
        let committed = self.commit(None, |known, now| {
            let (found, entry) = course_lab_as(known, actor, course, lab, CourseRight::Teacher)?;
            let before = known.coursework(&found.record.id, &entry.lab);
            let next_entry = changed_entry(&entry, change, &found.record.zone)?;
            let work = changed_work(&before, change, now)?;
            let mut transaction = Transaction::new();
            if next_entry != entry {
                let key = keys::course(&found.record.id);
                let mut next = Course::clone(&found.record);
                next.labs.iter_mut().filter(|one| one.lab == entry.lab).for_each(|one| *one = next_entry.clone());
                transaction = transaction.unchanged(key.clone(), found.revision).put_json(key, &next)?;
            }
            if work != before {
                transaction = put_work(known, transaction, &work)?;
            }
            if transaction.writes.is_empty() {
                return Ok(Made::Already(()));
            }
            let told = format!("course={}, lab={}", found.record.id, entry.lab);
            let is_published = work.published_at.is_some() && before.published_at.is_none();
            let kind = if is_published { "publish-results" } else { "change-work" };
            let who = Some(&actor.username);
            Ok(Made::change(self.with_event(transaction, kind, told, EventTag::Cluster, who)?, ()))
        });
        committed.await?;
        self.handed_in.notify_one();
        Ok(())
    }

    /// Gives somebody more time for a lab of a course, or takes that back.
    ///
    /// # Errors
    /// If there is no such lab or student as far as they may know, they don't teach the course, or the moment is none that
    /// is later than everybody's.
    pub async fn extend_work(
        &self,
        actor: &Actor,
        course: &str,
        lab: &str,
        change: &ExtensionChange,
    ) -> Result<(), RequestError> {
        let committed = self.commit(None, |known, _| {
            let (found, entry) = course_lab_as(known, actor, course, lab, CourseRight::Teacher)?;
            let before = known.coursework(&found.record.id, &entry.lab);
            let mut work = before.clone();
            let who = &change.account;
            match &change.until {
                None if work.extensions.remove(who).is_none() => return Err(missing("extension of", who.as_str())),
                None => {}
                Some(text) => {
                    if !found.enrolments.students.contains_key(who) {
                        return Err(missing("student of that course", who.as_str()));
                    }
                    let due =
                        entry.due_at.ok_or_else(|| invalid("due", "set for everybody first: this lab has none"))?;
                    let until = moment("due", text, &found.record.zone)?;
                    if until <= due {
                        return Err(invalid("due", "later than everybody's deadline"));
                    }
                    work.extensions.insert(who.clone(), until);
                }
            }
            if work == before {
                return Ok(Made::Already(()));
            }
            let told = format!("course={}, lab={}, account={who}", found.record.id, entry.lab);
            let transaction = put_work(known, Transaction::new(), &work)?;
            let by = Some(&actor.username);
            Ok(Made::change(self.with_event(transaction, "extend-work", told, EventTag::Cluster, by)?, ()))
        });
        committed.await.map(drop)
    }
}

/// A transaction that writes how work is handed in and graded, if nobody was faster.
fn put_work(known: &Known, transaction: Transaction, work: &CourseWork) -> Result<Transaction, RequestError> {
    let key = keys::work(&work.course, &work.lab);
    let transaction = match known.revision_of(&key) {
        Some(revision) => transaction.unchanged(key.clone(), revision),
        None => transaction.absent(key.clone()),
    };
    Ok(transaction.put_json(key, work)?)
}

fn moment(field: &'static str, text: &str, zone: &Zone) -> Result<Timestamp, RequestError> {
    deadline_moment(text, zone).ok_or_else(|| invalid(field, MOMENT))
}

fn changed_entry(entry: &CourseLab, change: &WorkChange, zone: &Zone) -> Result<CourseLab, RequestError> {
    let set = |field, change: &Option<DueChange>, present: Option<Timestamp>| match change {
        None => Ok(present),
        Some(DueChange::None) => Ok(None),
        Some(DueChange::At(text)) => moment(field, text, zone).map(Some),
    };
    let opens_at = set("opens", &change.opens, entry.opens_at)?;
    let due_at = set("due", &change.due, entry.due_at)?;
    if due_at.is_some_and(|due| opens_at.is_some_and(|opens| due <= opens)) {
        return Err(invalid("due", "later than the moment at which it opens"));
    }
    Ok(CourseLab { opens_at, due_at, ..entry.clone() })
}

fn changed_work(before: &CourseWork, change: &WorkChange, now: Timestamp) -> Result<CourseWork, RequestError> {
    let mut next = before.clone();
    next.late = change.late.unwrap_or(next.late);
    next.collects = change.collects.unwrap_or(next.collects);
    if let Some(rubric) = &change.rubric {
        check_rubric(rubric)?;
        next.rubric.clone_from(rubric);
    }
    next.published_at = match change.published {
        None => next.published_at,
        Some(false) => None,
        Some(true) => next.published_at.or(Some(now)),
    };
    Ok(next)
}

fn check_rubric(rubric: &[Criterion]) -> Result<(), RequestError> {
    if rubric.len() > CourseWork::MOST_CRITERIA {
        return Err(invalid("rubric", format!("at most {} criteria", CourseWork::MOST_CRITERIA)));
    }
    let mut seen = BTreeSet::new();
    for criterion in rubric {
        let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=40).contains(&criterion.id.len()) || !criterion.id.chars().all(of_name) {
            return Err(invalid("rubric", "criteria with ids of 1 to 40 lower-case letters, digits and hyphens"));
        }
        if !seen.insert(&criterion.id) {
            return Err(invalid("rubric", format!("each id once; {} is given twice", criterion.id)));
        }
        let length = criterion.title.chars().count();
        if length == 0 || length > LONGEST_TITLE || criterion.title.chars().any(char::is_control) {
            return Err(invalid(
                "rubric",
                format!("criteria with titles of 1 to {LONGEST_TITLE} characters on one line"),
            ));
        }
        if criterion.most == Points(0) {
            return Err(invalid("rubric", "criteria that are worth something"));
        }
    }
    for from in [PointsFrom::Checks, PointsFrom::Quizzes] {
        if rubric.iter().filter(|criterion| criterion.from == from).count() > 1 {
            return Err(invalid("rubric", format!("at most one criterion from {}", from.as_str())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::{CourseId, LabId};

    fn criterion(id: &str, from: PointsFrom, most: u32) -> Criterion {
        Criterion { id: id.to_owned(), title: "Style".to_owned(), from, most: Points(most) }
    }

    #[test]
    fn a_rubric_has_a_form() {
        let hand = |id: &str| criterion(id, PointsFrom::Hand, 100);
        assert!(check_rubric(&[]).is_ok() && check_rubric(&[hand("a"), hand("b-2")]).is_ok());
        let untitled = Criterion { title: String::new(), ..hand("a") };
        let two_lines = Criterion { title: "a\nb".to_owned(), ..hand("a") };
        let checks = |id: &str| criterion(id, PointsFrom::Checks, 100);
        let many: Vec<_> = (0..31).map(|at| hand(&format!("c{at}"))).collect();
        let bad: [&[Criterion]; 8] = [
            &[hand("")],
            &[hand("A")],
            &[hand("a"), hand("a")],
            &[untitled],
            &[two_lines],
            &[criterion("a", PointsFrom::Hand, 0)],
            &[checks("a"), checks("b")],
            &many,
        ];
        for rubric in bad {
            let refused = check_rubric(rubric).unwrap_err();
            assert!(matches!(refused, RequestError::Invalid { field: "rubric", .. }), "{rubric:?}: {refused}");
        }
    }

    #[test]
    fn deadlines_are_set_in_the_courses_zone() {
        let entry: CourseLab = serde_json::from_str(r#"{"lab":"mysql","opens_at":5}"#).unwrap();
        let zone = |name: &str| Zone::parse(name).unwrap();
        let due = |text: &str| WorkChange { due: Some(DueChange::At(text.to_owned())), ..WorkChange::default() };
        let shanghai = changed_entry(&entry, &due("2026-12-01T18:00"), &zone("Asia/Shanghai")).unwrap();
        let utc = changed_entry(&entry, &due("2026-12-01T10:00"), &zone("UTC")).unwrap();
        assert_eq!(shanghai, utc);
        assert_eq!(shanghai.opens_at, Some(Timestamp(5)), "what is not given stays");
        let never = WorkChange { due: Some(DueChange::None), ..WorkChange::default() };
        assert_eq!(changed_entry(&shanghai, &never, &zone("UTC")).unwrap().due_at, None);
        for (text, field) in [("soon", "due"), ("1970-01-01T00:00:00Z", "due")] {
            let refused = changed_entry(&entry, &due(text), &zone("UTC")).unwrap_err();
            assert!(
                matches!(refused, RequestError::Invalid { field: named, .. } if named == field),
                "{text}: {refused}"
            );
        }
    }

    #[test]
    fn results_that_were_told_stay_told_since_then() {
        let before = CourseWork::new(CourseId::parse("c").unwrap(), LabId::parse("l").unwrap());
        let publish = |published| WorkChange { published: Some(published), ..WorkChange::default() };
        let told = changed_work(&before, &publish(true), Timestamp(5)).unwrap();
        assert_eq!(told.published_at, Some(Timestamp(5)));
        assert_eq!(changed_work(&told, &publish(true), Timestamp(9)).unwrap(), told);
        assert_eq!(changed_work(&told, &publish(false), Timestamp(9)).unwrap(), before);
        assert_eq!(changed_work(&told, &WorkChange::default(), Timestamp(9)).unwrap(), told);
    }
}
