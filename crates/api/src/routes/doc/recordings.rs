//! Recordings of class work.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{ConsentRequest, ConsentView, DeletedRecordingView, RecordingView};

fn course(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "The course's id")
        .refuses(404, "not_found", "There is no such course, or not for you")
        .owners_or(WriteAllContainers)
}

fn one(id: &'static str, summary: &'static str) -> Doc {
    course(id, summary).path("recording", "The recording's id").refuses(
        404,
        "not_found",
        "There is no such recording, or not for you",
    )
}

pub fn consent() -> Doc {
    course("show_consent", "Show whether one lets recordings be kept for a course")
        .about("Nobody else is told of it. Without an answer it is no.")
        .answers::<ConsentView>(200, "Whether the course asks, and what one has said")
}

pub fn set_consent() -> Doc {
    course("set_consent", "Let recordings of one's terminals be kept for a course, or not any longer")
        .about(
            "With yes, recordings of terminals that are opened from now on are kept when work is handed in and when they \
             end; of a group's, when all its members have said yes. With no, all that show one's work are deleted.",
        )
        .takes::<ConsentRequest>()
        .answers::<ConsentView>(200, "What one has said")
        .refuses(409, "work_state", "The course asks for no recordings, or one does not take it")
}

pub fn list() -> Doc {
    course("list_recordings", "List the recordings that are kept for a course")
        .about("Everybody's for those who give it, those of their own work for others.")
        .query("lab", Kind::Text, "For one lab only")
        .query("username", Kind::Text, "Of one student only")
        .lists::<RecordingView>("The recordings, the latest first")
}

pub fn deleted() -> Doc {
    course("list_deleted_recordings", "List the recordings of a course that were deleted in the last thirty days")
        .about("Everybody's for those who give it, those that showed their work for others. It is told why each was deleted.")
        .lists::<DeletedRecordingView>("What is told of them, the latest first")
}

pub fn fetch() -> Doc {
    one("fetch_recording", "Fetch a recording")
        .about("A file of asciicast v2. Markers (`m`) stand where a line was entered at a prompt; they never say what.")
        .answers_text("application/x-asciicast", "The file", "{\"version\":2,\"width\":80,\"height\":24}\n")
}

pub fn delete() -> Doc {
    one("delete_recording", "Delete a recording")
        .about("For those whose work it shows, and for teachers of the course.")
        .nothing("It is gone")
        .refuses(403, "forbidden", "It is not your work, and you are no teacher of the course")
}
