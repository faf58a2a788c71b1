//! Examples of recordings of class work.

use super::{Example, MOMENT};
use crate::{ConsentRequest, ConsentView, DeletedRecordingView, RecordingMarkView, RecordingView};

impl Example for ConsentRequest {
    fn example() -> Self {
        Self { recordings: false }
    }
}

impl Example for ConsentView {
    fn example() -> Self {
        Self { days: Some(30), recordings: true, since: Some(MOMENT.to_owned()) }
    }
}

impl Example for DeletedRecordingView {
    fn example() -> Self {
        Self {
            id: "06fdn2m3x4t5v".to_owned(),
            course: "cs-101".to_owned(),
            lab: "mysql".to_owned(),
            username: "clare".to_owned(),
            also: vec!["wu".to_owned()],
            deleted_at: MOMENT.to_owned(),
            why: "its time was over".to_owned(),
        }
    }
}

impl Example for RecordingMarkView {
    fn example() -> Self {
        Self { seconds: 12.5, step: 1, what: "passed".to_owned(), title: "The server answers".to_owned() }
    }
}

impl Example for RecordingView {
    fn example() -> Self {
        Self {
            id: "06fdn2m3x4t5v".to_owned(),
            course: "cs-101".to_owned(),
            lab: "mysql".to_owned(),
            username: "clare".to_owned(),
            also: vec!["wu".to_owned()],
            submission: Some(1),
            name: "main".to_owned(),
            began_at: MOMENT.to_owned(),
            ended_at: "2026-11-21T23:05:00.000Z".to_owned(),
            bytes: 48_213,
            kept_until: "2026-12-21T23:05:01.000Z".to_owned(),
            marks: vec![RecordingMarkView::example()],
            may_delete: true,
        }
    }
}
