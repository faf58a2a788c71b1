//! Recordings of class work, as they are shown to those who may see them.

use pierhead_controller::{ConsentNow, RecordingNow};
use pierhead_model::{DeletedRecording, RecordingMark};
use pierhead_wire::{ConsentView, DeletedRecordingView, RecordingMarkView, RecordingView, format_timestamp};

/// Whether somebody lets recordings be kept.
pub(crate) fn consent(consent: ConsentNow) -> ConsentView {
    ConsentView {
        days: (consent.days > 0).then_some(consent.days),
        recordings: consent.since.is_some(),
        since: consent.since.map(format_timestamp),
    }
}

/// A recording that was deleted.
pub(crate) fn deleted_recording(gone: &DeletedRecording) -> DeletedRecordingView {
    DeletedRecordingView {
        id: gone.id.to_string(),
        course: gone.course.to_string(),
        lab: gone.lab.to_string(),
        username: gone.account.to_string(),
        also: gone.also.iter().map(ToString::to_string).collect(),
        deleted_at: format_timestamp(gone.at),
        why: gone.why.clone(),
    }
}

/// A recording.
pub(crate) fn recording(now: &RecordingNow) -> RecordingView {
    let record = &now.record;
    let mark = |mark: &RecordingMark| RecordingMarkView {
        seconds: std::time::Duration::from_millis(mark.at.since(record.began)).as_secs_f64(),
        step: mark.step,
        what: if mark.passed.is_some() { "passed" } else { "seen" }.to_owned(),
        title: mark.title.clone(),
    };
    RecordingView {
        id: record.id.to_string(),
        course: record.course.to_string(),
        lab: record.lab.to_string(),
        username: record.account.to_string(),
        also: record.also.iter().map(ToString::to_string).collect(),
        submission: record.submission,
        name: record.name.clone(),
        began_at: format_timestamp(record.began),
        ended_at: format_timestamp(record.until),
        bytes: record.bytes,
        kept_until: format_timestamp(record.kept_until),
        marks: record.marks.iter().map(mark).collect(),
        may_delete: now.may_delete,
    }
}
