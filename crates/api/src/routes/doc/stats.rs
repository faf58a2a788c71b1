//! What hosts and containers use.

use crate::describe::{Doc, Kind};
use pierhead_wire::{StatsHistoryView, StatsView};

fn of(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .query("engine", Kind::Like("10005"), "Of this host and what runs on it")
        .query("container", Kind::Like("714e01115f76"), "Of this container alone: its id or the beginning of it")
        .refuses(404, "not_found", "There is no such host or container")
        .refuses(400, "ambiguous", "More than one container's id begins so")
}

pub fn show() -> Doc {
    of("show_stats", "What hosts and containers use now")
        .about(
            "Of the last second while somebody looks at the stream, and else of the last quarter of a minute. Hosts and \
             containers of which nothing is known, since they do not answer or have just begun, are left out. Each \
             controller reads for itself.",
        )
        .answers::<StatsView>(200, "What is used")
}

pub fn history() -> Doc {
    of("stats_history", "What a host or a container used before")
        .about(
            "Of five minutes by the second, as far as somebody looked then, and of six hours by the quarter of a minute. \
             One of `engine` and `container` must be given. It is kept in the memory of the controller that is asked and \
             begins with it.",
        )
        .query("since", Kind::Like("10m"), "Nothing older: a moment (RFC 3339), seconds since 1970, or how long ago")
        .answers::<StatsHistoryView>(200, "Both series; where nothing was read there is no point")
}

pub fn follow() -> Doc {
    let example = "event: stats\ndata: {\"at\":\"2026-11-21T22:10:06.120Z\",\"engines\":[],\"containers\":[]}\n\n";
    of("follow_stats", "What hosts and containers use, once a second")
        .about(
            "Server-sent events of the type `stats`, each like the answer of `GET /api/stats`; the first comes at once. \
             Whoever reads slowly gets the newest next, and misses what was between.",
        )
        .answers_text("text/event-stream", "A stream that does not end", example)
}
