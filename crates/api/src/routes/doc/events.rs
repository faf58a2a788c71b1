//! The event log.

use crate::describe::{Doc, Kind};
use pierhead_wire::EventView;

fn filtered(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .query("type", Kind::Like("run-container"), "Of this type")
        .query("tag", Kind::Like("Docker"), "With this tag, whatever its case")
        .query("engine", Kind::Like("10005"), "About this host")
        .query("container", Kind::Like("714e01115f76"), "About this container")
        .query("app", Kind::Like("web"), "About this app")
        .query("actor", Kind::Like("clare"), "Done by this account")
        .query("since", Kind::Like("2026-11-21T22:10:06Z"), "From this moment on, or after the event of this id in the order of the log")
        .query("until", Kind::Moment, "Before this moment")
}

pub fn list() -> Doc {
    filtered("list_events", "The newest events")
        .query("count", Kind::Number(0, u32::MAX as u64), "How many at most; 100 if absent")
        .lists::<EventView>("The events, newest first")
}

pub fn follow() -> Doc {
    let example = "id: 0000000000000a1f\ndata: {\"id\":\"0000000000000a1f\",\"type\":\"run-container\"}\n\n";
    filtered("follow_events", "Events as they happen")
        .about("Server-sent events, each with its id; whoever comes back with the last id that they saw misses none.")
        .header("Last-Event-ID", Kind::Like("0000000000000a1f"), "What was seen last; counts more than `since`")
        .answers_text("text/event-stream", "A stream that does not end", example)
}
