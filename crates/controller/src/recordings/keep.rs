//! Keeps one recording: whether it may be, its bytes, its record.

use super::cast::Cast;
use super::recordings_in;
use crate::known::Known;
use crate::labs::digest_of;
use crate::requests::RequestError;
use crate::terminals::HomeError;
use crate::{Controller, keys};
use pierhead_model::{
    AttemptId, CheckState, CourseId, KeptRecording, LabAttempt, RecordingMark, Terminal, Timestamp, Username,
};
use pierhead_store::leadership::Standing;
use pierhead_store::{Revision, Transaction};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long a home may take to give a recording.
const FETCH: Duration = Duration::from_secs(10);
/// The largest that is taken of one, in bytes: homes record less.
const LARGEST: usize = 4 << 20;
const DAY_MS: u64 = 24 * 3600 * 1000;

/// What came of it.
pub(super) enum Kept {
    /// It is kept, or shall not be.
    Done,
    /// It may be tried again; why it was not kept.
    Later(String),
}

/// That a recording may be kept, and by what.
#[derive(Debug, PartialEq, Eq)]
struct Allowed {
    course: CourseId,
    days: u32,
    also: BTreeSet<Username>,
    /// What says so: nothing is kept if somebody takes their word back meanwhile.
    said_at: Revision,
}

/// Keeps what a terminal shows up to now, in place of what was kept of it before.
pub(super) async fn keep(
    controller: &Controller,
    standing: &Standing,
    terminal: &Terminal,
    attempt: &AttemptId,
    submission: Option<u32>,
) -> Kept {
    kept(controller, standing, terminal, attempt, submission)
        .await
        .unwrap_or_else(|error| Kept::Later(error.to_string()))
}

async fn kept(
    controller: &Controller,
    standing: &Standing,
    terminal: &Terminal,
    attempt: &AttemptId,
    submission: Option<u32>,
) -> Result<Kept, RequestError> {
    let (attempt, allowed) = {
        let known = controller.known();
        let Some(attempt) = known.attempts.get(attempt).cloned() else { return Ok(Kept::Done) };
        let Some(allowed) = allowed(&known, terminal, &attempt) else { return Ok(Kept::Done) };
        (attempt, allowed)
    };
    let raw = match tokio::time::timeout(FETCH, controller.recorded(terminal, LARGEST)).await {
        Ok(Ok(raw)) => raw,
        // It ended long ago: what there was of it is kept already.
        Ok(Err(HomeError::Gone)) => return Ok(Kept::Done),
        Ok(Err(error)) => return Ok(Kept::Later(error.to_string())),
        Err(_) => return Ok(Kept::Later("the place where the terminal lives does not answer".to_owned())),
    };
    let Some(cast) = Cast::read(&raw, &terminal.id) else { return Ok(Kept::Done) };
    let now = controller.clock().now();
    let record = KeptRecording {
        id: terminal.id.clone(),
        course: allowed.course.clone(),
        lab: attempt.lab.clone(),
        account: attempt.account.clone(),
        also: allowed.also.clone(),
        attempt: attempt.id.clone(),
        submission,
        name: terminal.name.clone(),
        began: cast.began,
        until: terminal.end().map_or(now, |end| end.at),
        bytes: cast.bytes.len() as u64,
        blob: digest_of(&cast.bytes),
        kept_until: now.plus(u64::from(allowed.days) * DAY_MS),
        marks: Vec::new(),
    };
    let marks = marks(&attempt, &titles(controller, &attempt).await, record.began, record.until);
    write(controller, standing, KeptRecording { marks, ..record }, cast.bytes, allowed.said_at).await
}

/// Writes a recording and its record, unless it would be too much.
async fn write(
    controller: &Controller,
    standing: &Standing,
    mut record: KeptRecording,
    bytes: Vec<u8>,
    said_at: Revision,
) -> Result<Kept, RequestError> {
    let key = keys::recording(&record);
    let theirs = recordings_in(controller, &keys::recordings_by(&record.course, &record.lab, &record.account)).await?;
    let before = theirs.iter().find(|(one, _)| one.id == record.id);
    let others = theirs.iter().filter(|(one, _)| one.id != record.id).map(|(one, _)| one.bytes);
    if !has_room(others, record.bytes) {
        tracing::info!(recording = key, "a recording is not kept: there are as many as may be of one student");
        return Ok(Kept::Done);
    }
    record.submission = record.submission.or(before.and_then(|(one, _)| one.submission));
    controller.library.keep_bytes(bytes, &record.blob, &format!("recording-{}", controller.ids().unique())).await?;
    let unrecorded = keys::unrecorded(&record.id);
    if controller.store().get(&unrecorded).await?.is_some() {
        return Ok(Kept::Done);
    }
    let transaction = Transaction::new().absent(unrecorded).unchanged(keys::enrolments(&record.course), said_at);
    let transaction = match before {
        Some((_, revision)) => transaction.unchanged(key.clone(), *revision),
        None => {
            let event = controller.event_of_pool("keep-recording", told(&record));
            transaction.absent(key.clone()).put_json(keys::event(&event.id), &event)?
        }
    };
    let revision = controller.store().commit(standing.fence(transaction.put_json(key, &record)?)).await?;
    controller.reached(revision).await;
    if let Some((before, _)) = before.filter(|(before, _)| before.blob != record.blob) {
        // What is left of it is swept.
        let _left = controller.library.remove(&before.blob).await;
    }
    Ok(Kept::Done)
}

/// What an event tells of a recording, and to whom.
pub(super) fn told(record: &KeptRecording) -> String {
    let people: String = record.people().map(|who| format!(", account={who}")).collect();
    format!("course={}, lab={}{people}, recording={}", record.course, record.lab, record.id)
}

/// Whether what was seen in a terminal may be kept: the course asks for it, whoever opened the terminal works at the
/// attempt, and all who do had said yes when it was opened.
fn allowed(known: &Known, terminal: &Terminal, attempt: &LabAttempt) -> Option<Allowed> {
    let course = known.courses.get(attempt.course.as_deref()?)?;
    let enrolments = known.enrolments.get(&course.id)?;
    if course.is_over() || course.recording_days == 0 || terminal.is_ahead {
        return None;
    }
    let also = crate::groups::members(known, attempt);
    let people: Vec<&Username> = also.iter().chain([&attempt.account]).collect();
    let has_said_yes = |who: &Username| {
        enrolments.has(who) && enrolments.recorded.get(who).is_some_and(|since| *since <= terminal.created_at)
    };
    if !people.contains(&&terminal.owner) || !people.into_iter().all(has_said_yes) {
        return None;
    }
    let said_at = known.revision_of(&keys::enrolments(&course.id))?;
    Some(Allowed { course: course.id.clone(), days: course.recording_days, also, said_at })
}

fn has_room(others: impl Iterator<Item = u64>, bytes: u64) -> bool {
    let (count, sum) = others.fold((1_usize, bytes), |(count, sum), bytes| (count + 1, sum.saturating_add(bytes)));
    count <= KeptRecording::MOST_OF_ONE && sum <= KeptRecording::MOST_BYTES_OF_ONE
}

/// What the steps of a lab and their checks are called.
type Titles = Vec<(String, Vec<(String, String)>)>;

async fn titles(controller: &Controller, attempt: &Arc<LabAttempt>) -> Titles {
    // The lab may be gone: then steps have numbers and checks their names.
    let Ok(document) = controller.attempt_document(attempt).await else { return Titles::new() };
    let checks = |step: &pierhead_lab::progress::StepOutline| {
        step.checks.iter().map(|check| (check.name.clone(), check.title.clone())).collect()
    };
    document.outline.steps.iter().map(|step| (step.title.clone(), checks(step))).collect()
}

/// What happened at an attempt between two moments.
fn marks(attempt: &LabAttempt, titles: &Titles, began: Timestamp, until: Timestamp) -> Vec<RecordingMark> {
    let mut marks = Vec::new();
    for (&step, progress) in &attempt.steps {
        let titles = titles.get(step as usize);
        let title = titles.map(|(title, _)| title.clone()).unwrap_or_default();
        marks.push(RecordingMark { at: progress.seen_at, step, passed: None, title });
        for (name, check) in progress.checks.iter().filter(|(_, check)| check.state == CheckState::Passed) {
            let found = titles.and_then(|(_, checks)| checks.iter().find(|(one, _)| one == name));
            let title = found.map_or(name, |(_, title)| title).clone();
            marks.push(RecordingMark { at: check.at, step, passed: Some(name.clone()), title });
        }
    }
    marks.retain(|mark| began <= mark.at && mark.at <= until);
    marks.sort();
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> LabAttempt {
        let text = r#"{"id":"aaaaaaaaaa","lab":"http","version":1,"account":"ann","seed":"x","started_at":1,"steps":{
            "0":{"seen_at":5,"checks":{"up":{"state":"passed","at":20},"down":{"state":"failed","at":21}}},
            "1":{"seen_at":30,"checks":{"left":{"state":"passed","at":40}}}}}"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_happened_in_its_time_is_marked_in_its_order() {
        let titles = vec![("One".to_owned(), vec![("up".to_owned(), "It is up".to_owned())])];
        let all = marks(&attempt(), &titles, Timestamp(5), Timestamp(40));
        let told: Vec<_> =
            all.iter().map(|mark| (mark.at.0, mark.step, mark.passed.as_deref(), mark.title.as_str())).collect();
        let (up, left) = ((20, 0, Some("up"), "It is up"), (40, 1, Some("left"), "left"));
        assert_eq!(told, [(5, 0, None, "One"), up, (30, 1, None, ""), left], "what failed is no mark");
        let some = marks(&attempt(), &titles, Timestamp(6), Timestamp(39));
        assert_eq!(some.iter().map(|mark| mark.at.0).collect::<Vec<_>>(), [20, 30]);
    }

    #[test]
    fn one_student_has_so_many_and_so_much() {
        let most = KeptRecording::MOST_OF_ONE;
        assert!(has_room([].into_iter(), 1));
        assert!(has_room(vec![1; most - 1].into_iter(), 1) && !has_room(vec![1; most].into_iter(), 1));
        let half = KeptRecording::MOST_BYTES_OF_ONE / 2;
        assert!(has_room([half].into_iter(), half) && !has_room([half].into_iter(), half + 1));
        assert!(!has_room([u64::MAX].into_iter(), u64::MAX));
    }
}
