//! Who takes a course: enrolled, put into groups, suspended, taken off.

use super::{MOST_NAMED, find_as, missing};
use crate::known::Known;
use crate::requests::commit::Made;
use crate::requests::{Actor, Idempotency, RequestError};
use crate::{Controller, keys};
use pierhead_model::{Course, CourseRight, Enrolment, Enrolments, Origin, Username};
use pierhead_store::Transaction;

/// What shall be of somebody in a course; what is not given stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudentChange {
    /// Who. That the account exists is the caller's to check.
    pub username: Username,
    /// The group, or (`Some(None)`) none.
    pub group: Option<Option<String>>,
    /// Whether they take the course no longer.
    pub suspended: Option<bool>,
}

impl Controller {
    /// Enrols people, or changes how they are enrolled: all of them or none.
    ///
    /// # Errors
    /// If there is no such course, they may not, or it would have too many students.
    pub async fn enrol(
        &self,
        actor: &Actor,
        id: &str,
        changes: &[StudentChange],
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        let once = self.once_if(&actor.username, asked);
        let committed = self.commit(once.as_ref(), |known, now| {
            let found = find_as(known, actor, id, CourseRight::Teacher)?;
            let mut next = (*found.enrolments).clone();
            for change in changes {
                let fresh = || Enrolment { since: now, suspended: false, source: Origin::Here, unlisted: false };
                let entry = next.students.entry(change.username.clone()).or_insert_with(fresh);
                entry.suspended = change.suspended.unwrap_or(entry.suspended);
                if let Some(group) = &change.group {
                    next.set_group(&change.username, group.as_deref());
                }
            }
            if next.students.len() > Course::MOST_STUDENTS {
                let expected = format!("no more than a course can have: {} students", Course::MOST_STUDENTS);
                return Err(RequestError::Invalid { field: "students", expected });
            }
            self.put_enrolments(known, actor, &found.record, &found.enrolments, &next, "enrol")
        });
        committed.await.map(drop)
    }

    /// Takes somebody off a course. What they did stays.
    ///
    /// # Errors
    /// If there is no such course or student, they may not, or the student comes from the school's list.
    pub async fn unenrol(&self, actor: &Actor, id: &str, who: &Username) -> Result<(), RequestError> {
        let committed = self.commit(None, |known, _| {
            let found = find_as(known, actor, id, CourseRight::Teacher)?;
            let entry = found.enrolments.students.get(who).ok_or_else(|| missing("student", who.as_str()))?;
            if !entry.source.is_here() {
                return Err(RequestError::FromRoster(format!("{who} can be suspended here, and not taken off")));
            }
            let mut next = (*found.enrolments).clone();
            next.set_group(who, None);
            next.students.remove(who);
            self.put_enrolments(known, actor, &found.record, &found.enrolments, &next, "unenrol")
        });
        committed.await.map(drop)
    }

    fn put_enrolments(
        &self,
        known: &Known,
        actor: &Actor,
        course: &Course,
        before: &Enrolments,
        next: &Enrolments,
        event: &str,
    ) -> Result<Made<()>, RequestError> {
        if next == before {
            return Ok(Made::Already(()));
        }
        let (key, of_course) = (keys::enrolments(&course.id), keys::course(&course.id));
        // Who deletes the course at the same moment, or takes the teacher off it, makes this fail.
        let of_course_at = known.revision_of(&of_course).unwrap_or_default();
        let transaction = Transaction::new().unchanged(of_course, of_course_at);
        let transaction = match known.revision_of(&key) {
            Some(revision) => transaction.unchanged(key.clone(), revision),
            None => transaction.absent(key.clone()),
        };
        let more = format!(", students={}", names(before, next));
        let transaction = transaction.put_json(key, next)?;
        Ok(Made::change(self.with_course_event(transaction, event, actor, course, &more)?, ()))
    }
}

/// Whom a change is about, the first of them by name.
fn names(before: &Enrolments, next: &Enrolments) -> String {
    let everybody =
        before.students.keys().chain(next.students.keys().filter(|who| !before.students.contains_key(*who)));
    let differs = |who: &&Username| {
        before.students.get(*who) != next.students.get(*who) || before.group_of(who) != next.group_of(who)
    };
    let concerned: Vec<&Username> = everybody.filter(differs).collect();
    let mut text: Vec<String> = concerned.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    if concerned.len() > MOST_NAMED {
        text.push(format!("and {} more", concerned.len() - MOST_NAMED));
    }
    text.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::Timestamp;

    #[test]
    fn an_event_names_those_whom_it_is_about_and_not_thousands() {
        let entry = Enrolment { since: Timestamp(1), suspended: false, source: Origin::Here, unlisted: false };
        let (before, mut next) = (Enrolments::default(), Enrolments::default());
        for at in 0..30 {
            next.students.insert(Username::parse(format!("s{at:02}")).unwrap(), entry.clone());
        }
        let told = names(&before, &next);
        assert!(told.starts_with("s00,s01,") && told.ends_with("s19,and 10 more"), "{told}");
        let mut grouped = next.clone();
        grouped.set_group(&Username::parse("s07").unwrap(), Some("a"));
        assert_eq!(names(&next, &grouped), "s07");
        grouped.students.remove("s09");
        assert_eq!(names(&next, &grouped), "s07,s09");
    }
}
