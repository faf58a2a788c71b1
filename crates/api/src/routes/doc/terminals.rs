//! Terminals in containers.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{GuestRequest, TerminalRequest, TerminalView};

const NO_TERMINAL: &str = "There is no such terminal, or not for you";
const NO_CONTAINER: &str = "There is no such container; `replaced_by` names the one in its place, if there is one";
const AWAY: &str = "The place where it lives can't be reached";

fn of_id(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "Its id")
        .refuses(404, "not_found", NO_TERMINAL)
        .refuses(503, "terminal_away", AWAY)
        .owners_or(WriteAllContainers)
}

pub fn open() -> Doc {
    Doc::new("open_terminal", "Open a terminal in a container")
        .about(
            "Its program and what that prints are kept by the agent of the container's host if there is one, else by \
             the controller that was asked, and not by who looks: `/api/terminals/{id}/socket` may break and be opened \
             again. It ends with its program, its container or its keeper, or when somebody ends it, and everything that \
             it has started ends with it.",
        )
        .path("id", "The container's id, the beginning of it, or its name")
        .takes::<TerminalRequest>()
        .answers::<TerminalView>(201, "It runs")
        .once()
        .owners_or(WriteAllContainers)
        .refuses(400, "ambiguous", "More than one container's id begins so")
        .refuses(400, "refused_by_engine", "The engine refuses it")
        .refuses(404, "not_found", NO_CONTAINER)
        .refuses(409, "not_running", "The container does not run")
        .refuses(429, "too_many_terminals", "As many terminals run as can, of this account or in all")
        .refuses(503, "terminal_away", "The container's host does not answer")
}

pub fn list() -> Doc {
    Doc::new("list_terminals", "List the terminals that one may come to")
        .about("One's own and those that one is a guest of; an administrator's are all. Ended ones stay for a day.")
        .query(
            "container",
            Kind::Like("714e01115f76"),
            "Only those in the container of this id, or the beginning of it",
        )
        .lists::<TerminalView>("The terminals, the newest first")
}

pub fn show() -> Doc {
    of_id("show_terminal", "Show a terminal").answers::<TerminalView>(200, "The terminal")
}

pub fn end() -> Doc {
    of_id("end_terminal", "End a terminal")
        .about("Everything that it has started ends with it. One that has ended is forgotten.")
        .nothing("It has ended, or is forgotten")
        .refuses(403, "forbidden", "A guest asks")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn share() -> Doc {
    of_id("share_terminal", "Let an account come to a terminal")
        .path("username", "The account")
        .takes::<GuestRequest>()
        .nothing("They may come; who was there as something else is that now")
        .refuses(403, "forbidden", "A guest asks")
        .refuses(409, "has_ended", "It has ended")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn unshare() -> Doc {
    of_id("unshare_terminal", "Let an account not come to a terminal any more")
        .path("username", "The account")
        .nothing("They may not come; if they were there, they are shown out")
        .refuses(403, "forbidden", "A guest asks")
        .refuses(409, "has_ended", "It has ended")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn recording() -> Doc {
    of_id("terminal_recording", "What was recorded of a terminal")
        .about("A file of asciicast v2. It is there as long as the terminal runs and for some minutes after its end.")
        .answers_text("application/x-asciicast", "The recording", "{\"version\":2,\"width\":80,\"height\":24}\n")
        .refuses(409, "has_ended", "It ended a while ago, and nothing of it is left")
        .refuses(404, "terminal_gone", "Its home lost it")
}

pub fn socket() -> Doc {
    of_id("terminal_socket", "Use a terminal")
        .about(
            "A WebSocket of the subprotocol `pierhead.terminal.v1`, with a token in a header or a ticket. A browser's must come \
             from a page of this very server. From the server binary messages are a 64-bit offset in the terminal's log \
             and bytes; to the server they are input. All else is JSON with a `type`; the first message is `attach`. \
             It is closed with 4401 when the token ends, 4403 when the right is lost, 4408 when nothing was heard for a \
             minute.",
        )
        .switches("The terminal")
        .refuses(400, "invalid", "The subprotocol is not offered")
        .refuses(403, "foreign_origin", "A page of another site asks")
        .refuses(404, "terminal_gone", "Its home lost it")
        .refuses(409, "has_ended", "It ended a while ago, and nothing of it is left")
        .refuses(426, "not_websocket", "It is no WebSocket")
        .refuses(429, "too_many_terminals", "As many terminals are looked at as can be")
}
