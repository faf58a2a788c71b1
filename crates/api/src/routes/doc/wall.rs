//! The wall, raised hands and messages.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{
    HandRequest, HandView, HandsView, MessageRequest, MessagesReadRequest, MessagesView, WallChangeRequest,
    WallChangeView, WallView,
};

const NO_WORKSPACE: &str = "There is no such workspace, or not for you";
const NOBODY: &str = "There is no workspace of somebody else that you lead, among those that it is about";
const MEANWHILE: &str = "Somebody changed the same thing meanwhile";

const NOT_GIVEN: &str = "It is about a course that you take, and do not give";
const NO_COURSE: &str = "There is no such course, or not for you";

fn of_some(doc: Doc) -> Doc {
    doc.query("environment", Kind::Like("python"), "Only workspaces of this environment")
        .query("course", Kind::Like("python-1"), "Only those in which students of this course work at its labs")
        .query("lab", Kind::Like("first-steps"), "Only those that are for this lab")
        .refuses(403, "forbidden", NOT_GIVEN)
        .refuses(404, "not_found", NO_COURSE)
}

pub fn show() -> Doc {
    of_some(Doc::new("show_wall", "Show everybody whose work one may watch"))
        .about(
            "The owners of workspaces that one may watch: one's own, those that one is a guest of, those of labs \
             that one writes or of courses that one gives, and for administrators all. Of those who work at a lab it tells how far \
             they have come (`work`), but not to guests. Who seems stuck comes first: a raised hand counts 1000 points and one for each minute \
             that it is up; 5 minutes or more without getting on 2 for each minute after the fourth, at most 50; \
             each failing check 10, at most 30; each try at these from the third on 3, at most 30; 5 minutes or more without \
             activity 1 for each minute after the fourth, at most 15.",
        )
        .answers::<WallView>(200, "Everybody, at most 500")
}

pub fn socket() -> Doc {
    of_some(Doc::new("wall_socket", "Follow the wall, with small pictures of terminals"))
        .about(
            "A WebSocket of the subprotocol `pierhead.wall.v1`, with a token in a header or a ticket. A browser's must come \
             from a page of this very server. Everything is JSON with a `type`. The server says `people`: the `order` \
             of workspaces, and those `people` of whom something is new. The client says `show` with the ids of the \
             `terminals` that can be seen now, at most 200, and is told `pictures` of these: at most two a second of \
             each, the first one `whole`, then the `lines` that changed by their numbers. A line is a list of runs of \
             text (`t`) with colours (`f`, `b`: 0 to 15, 16 that of the background, 17 that of text) and attributes \
             (`a`: 1 bold, 2 dim, 4 underlined, added up). It is closed with 4401 when the token ends, 4403 when you do not give its course any more, 4400 when \
             something is not understood, 4408 when nothing was heard for a minute.",
        )
        .switches("The wall")
        .refuses(400, "invalid", "The subprotocol is not offered")
        .refuses(403, "foreign_origin", "A page of another site asks")
        .refuses(426, "not_websocket", "It is no WebSocket")
        .refuses(429, "too_many_terminals", "You look at as many walls as one can")
}

pub fn change() -> Doc {
    Doc::new("change_wall", "Extend, save, pause, resume, stop or start the workspaces of many")
        .about(
            "Each by itself: what can't be done for one is told with why, and done for the others. One that is paused stands still: its \
             containers are frozen, keep what they have, and go on with `resume`; nothing is opened in it until then. It can be saved \
             and stopped, and its time goes on.",
        )
        .takes::<WallChangeRequest>()
        .answers::<WallChangeView>(200, "What came of each")
        .once()
        .refuses(403, "forbidden", NOT_GIVEN)
        .refuses(404, "not_found", NO_COURSE)
        .refuses(409, "nobody", NOBODY)
}

pub fn hands() -> Doc {
    Doc::new("list_hands", "Show the queue of raised hands")
        .about("One's own, and those of everybody whose work one may watch.")
        .answers::<HandsView>(200, "The hands, the longest raised first")
}

fn hand(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "The workspace's id")
        .refuses(403, "forbidden", "You may only look at that workspace")
        .refuses(404, "not_found", NO_WORKSPACE)
        .refuses(409, "conflict", MEANWHILE)
        .owners_or(WriteAllContainers)
}

pub fn raise() -> Doc {
    hand("raise_hand", "Raise the hand in a workspace")
        .about("One that is up keeps its place in the queue, with the newer question.")
        .takes::<HandRequest>()
        .answers::<HandView>(200, "It is up")
}

pub fn lower() -> Doc {
    hand("lower_hand", "Lower the hand in a workspace")
        .about("Whoever raised it needs no help any more, or somebody has answered.")
        .nothing("It is down")
}

pub fn list_messages() -> Doc {
    Doc::new("list_messages", "List the messages that one has not read, and those that one has sent")
        .answers::<MessagesView>(200, "The messages, the oldest first")
}

pub fn send() -> Doc {
    Doc::new("send_message", "Tell many people something")
        .about(
            "The owners of the workspaces that one leads; they see it until they have read it, at most for a week. With a \
             terminal of one's own, all of them may look at that from then on.",
        )
        .takes::<MessageRequest>()
        .answers::<MessagesView>(201, "It was sent; a request that is repeated with its key answers with nothing")
        .once()
        .refuses(403, "forbidden", NOT_GIVEN)
        .refuses(404, "not_found", NO_COURSE)
        .refuses(409, "nobody", NOBODY)
        .refuses(409, "conflict", MEANWHILE)
}

pub fn read() -> Doc {
    Doc::new("read_messages", "Note that one has read messages")
        .about("What is not among one's own messages is left out.")
        .takes::<MessagesReadRequest>()
        .nothing("It is noted")
        .refuses(409, "conflict", MEANWHILE)
}
