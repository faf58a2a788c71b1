//! Requests about recordings of class work: whether one lets them be kept, and what is kept. A recording is seen by those
//! whose work it shows, those who give the course, and administrators: nobody else.

use super::commit::Made;
use super::{Actor, RequestError};
use crate::recordings::{deleted, recordings_in, remove};
use crate::{Controller, keys};
use pierhead_model::{CourseId, CourseRight, DeletedRecording, EventTag, KeptRecording, Timestamp, Username};
use pierhead_store::{Error, Revision, Transaction};

/// How often a deletion is tried anew while the recording is written anew.
const MOST_TRIES: u32 = 5;

/// Whether somebody lets recordings of their terminals be kept for a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentNow {
    /// For how many days the course asks to keep them; for none with 0.
    pub days: u32,
    /// Since when they let it; none if they don't.
    pub since: Option<Timestamp>,
}

/// A recording as somebody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingNow {
    /// Its record.
    pub record: KeptRecording,
    /// Whether they may delete it.
    pub may_delete: bool,
    revision: Revision,
}

impl Controller {
    /// Whether somebody lets recordings of their terminals be kept for a course.
    ///
    /// # Errors
    /// If there is no such course as far as they may know.
    pub fn consent(&self, actor: &Actor, course: &str) -> Result<ConsentNow, RequestError> {
        let known = self.known();
        let recorded = known.enrolments.get(course).and_then(|enrolments| enrolments.recorded.get(&actor.username));
        let since = recorded.copied();
        match (known.courses.get(course), since) {
            // Who has left the course can still take it back.
            (Some(found), Some(_)) => Ok(ConsentNow { days: found.recording_days, since }),
            _ => {
                drop(known);
                Ok(ConsentNow { days: self.course(actor, course)?.record.recording_days, since })
            }
        }
    }

    /// Lets recordings of one's own terminals be kept for a course, or not any longer: then what was kept is deleted.
    ///
    /// # Errors
    /// If there is no such course as far as they may know, they don't take it, or it asks for none.
    pub async fn set_consent(&self, actor: &Actor, course: &str, yes: bool) -> Result<ConsentNow, RequestError> {
        self.consent(actor, course)?;
        let committed = self.commit(None, |known, now| {
            let found = known.courses.get(course).ok_or_else(|| missing("course", course))?;
            let before = known.enrolments.get(course).cloned().unwrap_or_default();
            let (who, mut next) = (&actor.username, (*before).clone());
            if yes && !before.has(who) {
                return Err(state("only those who take the course are asked for recordings"));
            }
            if yes && found.recording_days == 0 {
                return Err(state("the course asks for no recordings"));
            }
            match yes {
                true => drop(next.recorded.entry(who.clone()).or_insert(now)),
                false => drop(next.recorded.remove(who)),
            }
            if next == *before {
                return Ok(Made::Already(()));
            }
            let key = keys::enrolments(&found.id);
            let transaction = match known.revision_of(&key) {
                Some(revision) => Transaction::new().unchanged(key.clone(), revision),
                None => Transaction::new().absent(key.clone()),
            };
            let kind = if yes { "allow-recordings" } else { "forbid-recordings" };
            let (told, tag) = (format!("course={}, account={who}", found.id), EventTag::Security);
            let transaction = self.with_event(transaction.put_json(key, &next)?, kind, told, tag, Some(who))?;
            Ok(Made::change(transaction, ()))
        });
        committed.await?;
        if !yes {
            self.delete_all_of(actor, course).await?;
        }
        self.consent(actor, course)
    }

    /// Deletes what shows the work of somebody who has taken their word back.
    async fn delete_all_of(&self, actor: &Actor, course: &str) -> Result<(), RequestError> {
        let all = recordings_in(self, &format!("{}{course}/", keys::RECORDINGS)).await?;
        for found in all.iter().filter(|(record, _)| record.shows(&actor.username)) {
            match remove(self, found, Some(&actor.username), "consent was withdrawn", |it| it).await {
                // The leading controller goes on with what was written anew meanwhile.
                Ok(()) | Err(RequestError::Store(Error::Conflict { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The recordings that are kept for a course, as somebody may see them, the latest first.
    ///
    /// # Errors
    /// If there is no such course as far as they may know, or those of the store.
    pub async fn recordings(
        &self,
        actor: &Actor,
        course: &str,
        lab: Option<&str>,
        of: Option<&str>,
    ) -> Result<Vec<RecordingNow>, RequestError> {
        let id = CourseId::parse(course).map_err(|_| missing("course", course))?;
        let found = self.course(actor, course);
        let right = found.as_ref().ok().map(|found| found.right);
        let of = of.map(Username::parse);
        let all = recordings_in(self, &format!("{}{id}/", keys::RECORDINGS)).await?;
        let mut seen: Vec<RecordingNow> = all.into_iter().filter_map(|found| seen(actor, right, found)).collect();
        if seen.is_empty() {
            // Who has left the course sees what is kept of theirs.
            found?;
        }
        seen.retain(|one| {
            lab.is_none_or(|lab| one.record.lab.as_str() == lab)
                && of.as_ref().is_none_or(|of| of.as_ref().is_ok_and(|of| one.record.shows(of)))
        });
        seen.sort_by(|one, other| (other.record.began, &other.record.id).cmp(&(one.record.began, &one.record.id)));
        Ok(seen)
    }

    /// The recordings of a course that were deleted in the last thirty days, as far as they concern somebody, the latest
    /// first.
    ///
    /// # Errors
    /// As [`Controller::recordings`].
    pub async fn deleted_recordings(&self, actor: &Actor, course: &str) -> Result<Vec<DeletedRecording>, RequestError> {
        let found = self.course(actor, course);
        let gives = found.as_ref().is_ok_and(|found| found.right > CourseRight::Student);
        let mut all = deleted(self).await?;
        all.retain(|gone| gone.course.as_str() == course && (gives || gone.showed(&actor.username)));
        if all.is_empty() {
            found?;
        }
        all.sort_by_key(|gone| std::cmp::Reverse(gone.at));
        Ok(all)
    }

    /// One recording.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub async fn kept_recording(&self, actor: &Actor, course: &str, id: &str) -> Result<RecordingNow, RequestError> {
        let all = self.recordings(actor, course, None, None).await?;
        all.into_iter().find(|one| one.record.id.as_str() == id).ok_or_else(|| missing("recording", id))
    }

    /// The file of a recording.
    ///
    /// # Errors
    /// If there is none as far as they may know, or it can't be read.
    pub async fn recording_file(&self, actor: &Actor, course: &str, id: &str) -> Result<Vec<u8>, RequestError> {
        let record = self.kept_recording(actor, course, id).await?.record;
        Ok(self.library.whole(&record.blob, Some(record.bytes)).await?)
    }

    /// Deletes a recording.
    ///
    /// # Errors
    /// If there is none as far as they may know, or they neither teach the course nor is it their work.
    pub async fn delete_recording(&self, actor: &Actor, course: &str, id: &str) -> Result<(), RequestError> {
        for tries in 1.. {
            let found = self.kept_recording(actor, course, id).await?;
            if !found.may_delete {
                let words = "only those whose work it shows, or a teacher of the course, may delete a recording";
                return Err(RequestError::Forbidden(words.to_owned()));
            }
            let why = format!("deleted by {}", actor.username);
            let found = (found.record, found.revision);
            match remove(self, &found, Some(&actor.username), &why, |it| it).await {
                Err(RequestError::Store(Error::Conflict { .. })) if tries < MOST_TRIES => {}
                outcome => return outcome,
            }
        }
        Ok(())
    }
}

/// A recording for somebody with a right in its course, if they may see it at all.
fn seen(
    actor: &Actor,
    right: Option<CourseRight>,
    (record, revision): (KeptRecording, Revision),
) -> Option<RecordingNow> {
    let is_own = record.shows(&actor.username);
    let gives = right.is_some_and(|right| right > CourseRight::Student);
    if !is_own && !gives {
        return None;
    }
    Some(RecordingNow { record, may_delete: is_own || right == Some(CourseRight::Teacher), revision })
}

fn missing(what: &'static str, id: &str) -> RequestError {
    RequestError::NotFound { what, id: id.chars().take(64).collect(), replaced_by: None }
}

fn state(why: &str) -> RequestError {
    RequestError::WorkState(why.to_owned())
}
