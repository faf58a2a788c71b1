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
        .query(
            "since",
            Kind::Like("2026-11-21T22:10:06Z"),
            "From this moment on (also seconds since 1970, or how long ago: `10m`, `1d`), or after the event of this id (22 hexadecimal digits) in the order of the log",
        )
        .query(
            "until",
            Kind::Like("2026-11-21T22:10:06Z"),
            "Before this moment (also seconds since 1970, or how long ago)",
        )
}

pub fn list() -> Doc {
    filtered("list_events", "The newest events")
        .query("count", Kind::Number(0, u32::MAX as u64), "How many at most; 100 if absent")
        .about("Events with the tag security, which tell of accounts, are shown to who may write accounts; to others only what they did, or what was done to their own account.")
        .lists::<EventView>("The events, newest first")
}

pub fn follow() -> Doc {
    let example =
        "id: 19aa2b3c4d5e6f00112233\ndata: {\"id\":\"19aa2b3c4d5e6f00112233\",\"type\":\"run-container\"}\n\n";
    filtered("follow_events", "Events as they happen")
        .about("Server-sent events, each with its id; whoever comes back with the last id that they saw misses none. Who may work through labs and may not read the log is told of what they did, and of what happens to what is theirs.")
        .header("Last-Event-ID", Kind::Like("19aa2b3c4d5e6f00112233"), "What was seen last; counts more than `since`")
        .answers_text("text/event-stream", "A stream that does not end", example)
}
