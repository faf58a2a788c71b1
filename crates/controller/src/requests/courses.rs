//! Requests about courses: make one, change it, enrol people. Who may what in a course is said by its records.

mod ahead;
mod students;

pub use ahead::LabAhead;
pub use students::StudentChange;

use super::commit::Made;
use super::labs::may_write;
use super::{Actor, Idempotency, RequestError, events};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{
    Course, CourseId, CourseLab, CourseRight, CourseSession, Enrolments, EventTag, Lab, LabId, Username, Visibility,
    Zone,
};
use pierhead_store::{Revision, Transaction};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most courses that one account teaches, of those that were made here.
pub const MOST_COURSES_OF_ONE: usize = 200;
/// How many names stand in the message of an event.
const MOST_NAMED: usize = 20;

/// A course as somebody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseNow {
    /// Its record.
    pub record: Arc<Course>,
    /// The revision of it.
    pub revision: Revision,
    /// Who takes it.
    pub enrolments: Arc<Enrolments>,
    /// What the asker may in it.
    pub right: CourseRight,
}

/// What shall be otherwise of a course; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CourseChange {
    /// The revision that it was made of; it is refused if there is a newer one by now. Any without.
    pub based_on: Option<Revision>,
    /// What people call it.
    pub title: Option<String>,
    /// The term.
    pub term: Option<String>,
    /// The time zone.
    pub zone: Option<Zone>,
    /// Who may change it. That the accounts exist is the caller's to check.
    pub teachers: Option<BTreeSet<Username>>,
    /// Who may see everything in it. That the accounts exist is the caller's to check.
    pub assistants: Option<BTreeSet<Username>>,
    /// Its labs.
    pub labs: Option<Vec<CourseLab>>,
    /// Its timetable.
    pub sessions: Option<Vec<CourseSession>>,
    /// For how many days it asks to keep recordings; for none with 0.
    pub recording_days: Option<u32>,
    /// Whether it is over.
    pub archived: Option<bool>,
}

impl Controller {
    /// The courses that somebody gives, helps in or takes, by their ids.
    #[must_use]
    pub fn courses_of(&self, actor: &Actor) -> Vec<CourseNow> {
        let known = self.known();
        known.courses.values().filter_map(|course| now(&known, actor, course)).collect()
    }

    /// One course, if they have to do with it.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub fn course(&self, actor: &Actor, id: &str) -> Result<CourseNow, RequestError> {
        find(&self.known(), actor, id)
    }

    /// The same for who may do as much in it as is said.
    ///
    /// # Errors
    /// If there is none, as far as they may know, or they may less.
    pub fn course_as(&self, actor: &Actor, id: &str, needs: CourseRight) -> Result<CourseNow, RequestError> {
        find_as(&self.known(), actor, id, needs)
    }

    /// Makes a course; whoever makes it is its teacher unless it names others.
    ///
    /// # Errors
    /// If there is one of that id, or what it is to be has not the accepted form.
    pub async fn add_course(
        &self,
        actor: &Actor,
        id: &CourseId,
        change: &CourseChange,
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        let once = self.once_if(&actor.username, asked);
        let committed = self.commit(once.as_ref(), |known, now| {
            if known.courses.contains_key(id) {
                return Err(RequestError::Exists { what: "course", id: id.to_string() });
            }
            let own = known.courses.values().filter(|course| {
                course.source.is_here() && !course.is_over() && course.teachers.contains(&actor.username)
            });
            if !actor.may_change_all && own.count() >= MOST_COURSES_OF_ONE {
                return Err(RequestError::TooManyCoursesOfOne);
            }
            let empty = Course {
                id: id.clone(),
                title: id.to_string(),
                term: String::new(),
                zone: Zone::default(),
                teachers: BTreeSet::from([actor.username.clone()]),
                assistants: BTreeSet::new(),
                listed: BTreeSet::new(),
                labs: Vec::new(),
                sessions: Vec::new(),
                recording_days: 0,
                source: pierhead_model::Origin::Here,
                archived: false,
                unlisted: false,
                created_at: now,
            };
            let course = changed(known, actor, &empty, change)?;
            let key = keys::course(id);
            let transaction = Transaction::new().absent(key.clone()).put_json(key, &course)?;
            Ok(Made::change(self.with_course_event(transaction, "add-course", actor, &course, "")?, ()))
        });
        committed.await.map(drop)
    }

    /// Changes a course.
    ///
    /// # Errors
    /// If there is none, they may not, somebody changed it since what the change was made of, or what it is to be has not the
    /// accepted form.
    pub async fn change_course(&self, actor: &Actor, id: &str, change: &CourseChange) -> Result<(), RequestError> {
        let committed = self.commit(None, |known, _| {
            let found = find_as(known, actor, id, CourseRight::Teacher)?;
            if change.based_on.is_some_and(|revision| revision != found.revision) {
                return Err(RequestError::ChangedMeanwhile {
                    path: format!("course {}", found.record.id),
                    by: None,
                    at: None,
                });
            }
            let course = changed(known, actor, &found.record, change)?;
            if course == *found.record {
                return Ok(Made::Already(()));
            }
            let key = keys::course(&course.id);
            let transaction = Transaction::new().unchanged(key.clone(), found.revision).put_json(key, &course)?;
            Ok(Made::change(self.with_course_event(transaction, "change-course", actor, &course, "")?, ()))
        });
        committed.await.map(drop)
    }

    /// Forgets a course and who took it. What they did stays.
    ///
    /// # Errors
    /// If there is none, they may not, or it comes from the school's list.
    pub async fn delete_course(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        let committed = self.commit(None, |known, _| {
            let course = find_as(known, actor, id, CourseRight::Teacher)?.record;
            if !course.source.is_here() && !course.unlisted {
                return Err(RequestError::FromRoster(format!("course {} can't be deleted", course.id)));
            }
            let (key, of_students) = (keys::course(&course.id), keys::enrolments(&course.id));
            let transaction = Transaction::new().unchanged(key.clone(), known.revision_of(&key).unwrap_or_default());
            let transaction = transaction.delete(key).delete(of_students);
            Ok(Made::change(self.with_course_event(transaction, "delete-course", actor, &course, "")?, ()))
        });
        committed.await.map(drop)
    }

    fn with_course_event(
        &self,
        transaction: Transaction,
        kind: &str,
        actor: &Actor,
        course: &Course,
        more: &str,
    ) -> Result<Transaction, RequestError> {
        let message = format!("course={}{more}", course.id);
        let subject = events::Subject::default();
        events::append(transaction, &self.event(kind, message, EventTag::Cluster, Some(&actor.username), subject))
    }
}

/// A course as somebody may see it, if they may.
fn now(known: &Known, actor: &Actor, course: &Arc<Course>) -> Option<CourseNow> {
    let enrolments = known.enrolments.get(&course.id);
    let right = match course.right_of(&actor.username, enrolments.map(|enrolments| &**enrolments)) {
        _ if actor.may_change_all => CourseRight::Teacher,
        right => right?,
    };
    let revision = known.revision_of(&keys::course(&course.id)).unwrap_or_default();
    let enrolments = enrolments.cloned().unwrap_or_default();
    Some(CourseNow { record: Arc::clone(course), revision, enrolments, right })
}

fn find(known: &Known, actor: &Actor, id: &str) -> Result<CourseNow, RequestError> {
    let found = known.courses.get(id).and_then(|course| now(known, actor, course));
    found.ok_or_else(|| missing("course", id))
}

pub(super) fn find_as(known: &Known, actor: &Actor, id: &str, needs: CourseRight) -> Result<CourseNow, RequestError> {
    let found = find(known, actor, id)?;
    if found.right >= needs {
        return Ok(found);
    }
    let words = match needs {
        CourseRight::Teacher => "only a teacher of the course, or an administrator, may do that",
        CourseRight::Assistant | CourseRight::Student => "only those who give the course may do that",
    };
    Err(RequestError::Forbidden(words.to_owned()))
}

fn missing(what: &'static str, id: &str) -> RequestError {
    RequestError::NotFound { what, id: id.chars().take(64).collect(), replaced_by: None }
}

/// The first course by which somebody may see a lab now, and the version that its students begin with.
pub(crate) fn course_with(known: &Known, who: &Username, lab: &LabId) -> Option<(CourseId, Option<u32>)> {
    known.courses.values().find_map(|course| {
        let enrolments = known.enrolments.get(&course.id).map(|enrolments| &**enrolments);
        let entry = entry_of(known, course, course.right_of(who, enrolments)?, lab)?;
        Some((course.id.clone(), entry.version))
    })
}

/// The course for which somebody works at a lab: the one that they name, else the first that they take and that shows it.
///
/// # Errors
/// If they have nothing to do with the one that they name, or it doesn't show them the lab.
pub(crate) fn course_for(
    known: &Known,
    actor: &Actor,
    lab: &LabId,
    named: Option<&str>,
) -> Result<Option<CourseId>, RequestError> {
    if let Some(id) = named {
        let CourseNow { record, right, .. } = find(known, actor, id)?;
        entry_of(known, &record, right, lab).ok_or_else(|| missing("lab of that course", lab.as_str()))?;
        return Ok(Some(record.id.clone()));
    }
    let is_taken = |course: &&Arc<Course>| {
        let enrolments = known.enrolments.get(&course.id).map(|enrolments| &**enrolments);
        course.right_of(&actor.username, enrolments) == Some(CourseRight::Student)
            && course.shows(lab, known.clock.now())
    };
    Ok(known.courses.values().find(is_taken).map(|course| course.id.clone()))
}

/// The version of a lab at which people work for a course, or by themselves: the one that the course names, if it is there,
/// else the newest.
pub(crate) fn version_for(known: &Known, lab: &Lab, course: Option<&str>) -> Option<u32> {
    let course = course.and_then(|id| known.courses.get(id));
    let entry = course.and_then(|course| course.labs.iter().find(|entry| entry.lab == lab.id));
    let named = entry.and_then(|entry| lab.version(entry.version?));
    named.or_else(|| lab.newest()).map(|version| version.number)
}

/// A lab in a course, as far as it shows it to somebody with a right in it.
fn entry_of<'a>(known: &Known, course: &'a Course, right: CourseRight, lab: &LabId) -> Option<&'a CourseLab> {
    let entry = course.labs.iter().find(|entry| entry.lab == *lab);
    entry.filter(|_| right > CourseRight::Student || course.shows(lab, known.clock.now()))
}

/// The course as it is to be.
fn changed(known: &Known, actor: &Actor, course: &Course, change: &CourseChange) -> Result<Course, RequestError> {
    let mut next = course.clone();
    if let Some(title) = &change.title {
        next.title = line("title", title, 1, 200)?;
    }
    if let Some(term) = &change.term {
        next.term = line("term", term, 0, 64)?;
    }
    if !course.source.is_here() && (next.title != course.title || next.term != course.term) {
        return Err(RequestError::FromRoster(format!("title and term of course {} can't be changed", course.id)));
    }
    next.zone = change.zone.clone().unwrap_or(next.zone);
    next.archived = change.archived.unwrap_or(next.archived);
    next.recording_days = change.recording_days.unwrap_or(next.recording_days);
    if next.recording_days > Course::MOST_RECORDING_DAYS {
        return Err(invalid("recording_days", format!("0 to {} days", Course::MOST_RECORDING_DAYS)));
    }
    if let Some(teachers) = &change.teachers {
        next.teachers = staff("teachers", teachers)?;
        if !actor.may_change_all && !next.teachers.contains(&actor.username) {
            return Err(invalid("teachers", "people among whom you are: another teacher may take you off"));
        }
    }
    if let Some(assistants) = &change.assistants {
        next.assistants = staff("assistants", assistants)?;
    }
    let gone = course.listed.iter().find(|who| !next.teachers.contains(*who) && !next.assistants.contains(*who));
    if let Some(gone) = gone {
        return Err(RequestError::FromRoster(format!("{gone} can't be taken off course {}", course.id)));
    }
    if let Some(labs) = &change.labs {
        check_labs(known, actor, course, labs)?;
        next.labs.clone_from(labs);
    }
    if let Some(sessions) = &change.sessions {
        next.sessions = timetable(sessions)?;
    }
    Ok(next)
}

fn invalid(field: &'static str, expected: impl Into<String>) -> RequestError {
    RequestError::Invalid { field, expected: expected.into() }
}

fn line(field: &'static str, text: &str, least: usize, most: usize) -> Result<String, RequestError> {
    let text = text.trim();
    if (least..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(invalid(field, format!("{least} to {most} characters without control characters")))
}

fn staff(field: &'static str, people: &BTreeSet<Username>) -> Result<BTreeSet<Username>, RequestError> {
    if people.len() <= Course::MOST_STAFF {
        return Ok(people.clone());
    }
    Err(invalid(field, format!("at most {} people", Course::MOST_STAFF)))
}

/// A lab comes into a course by somebody who may give it to others.
fn check_labs(known: &Known, actor: &Actor, course: &Course, labs: &[CourseLab]) -> Result<(), RequestError> {
    if labs.len() > Course::MOST_LABS {
        return Err(invalid("labs", format!("at most {} labs", Course::MOST_LABS)));
    }
    let mut seen = BTreeSet::new();
    for entry in labs {
        if !seen.insert(&entry.lab) {
            return Err(invalid("labs", format!("each lab once; {} is given twice", entry.lab)));
        }
        if entry.due_at.is_some_and(|due| entry.opens_at.is_some_and(|opens| due <= opens)) {
            return Err(invalid("labs", format!("due later than they open; {} is not", entry.lab)));
        }
        let was_there = course.labs.iter().any(|before| before.lab == entry.lab);
        if !was_there && !may_give(known, actor, &entry.lab) {
            return Err(missing("lab", entry.lab.as_str()));
        }
    }
    Ok(())
}

fn timetable(sessions: &[CourseSession]) -> Result<Vec<CourseSession>, RequestError> {
    if sessions.len() > Course::MOST_SESSIONS {
        return Err(invalid("sessions", format!("at most {} entries", Course::MOST_SESSIONS)));
    }
    let longest_ms = 24 * 3600 * 1000;
    if sessions.iter().any(|one| one.ends <= one.starts || one.ends.since(one.starts) > longest_ms) {
        return Err(invalid("sessions", "entries that end after they start, within a day"));
    }
    let mut sessions = sessions.to_vec();
    sessions.sort_by_key(|one| (one.starts, one.ends));
    sessions.dedup();
    Ok(sessions)
}

/// Whether somebody may let others work through a lab: those who write it, and everybody if it is shared.
fn may_give(known: &Known, actor: &Actor, lab: &LabId) -> bool {
    let is_shared = |lab: &Lab| lab.visibility == Visibility::Shared && lab.newest().is_some();
    known.labs.get(lab).is_some_and(|lab| may_write(actor, lab) || is_shared(lab))
}
