//! Docker hosts.

use crate::describe::Doc;
use pierhead_wire::{EngineRequest, EngineView};

pub fn list() -> Doc {
    Doc::new("list_engines", "List the hosts").lists::<EngineView>("All hosts, never with a key or password")
}

pub fn show() -> Doc {
    Doc::new("show_engine", "Show a host").path("id", "Its id").answers::<EngineView>(200, "The host").refuses(
        404,
        "not_found",
        "There is no such host",
    )
}

pub fn add() -> Doc {
    Doc::new("add_engine", "Add a host")
        .about(
            "Its capacity is read from the engine. Certificates make the connection one of TLS, where only the given \
             authority counts.",
        )
        .takes::<EngineRequest>()
        .answers::<EngineView>(201, "The host as it was added; it is asked from now on")
        .once()
        .refuses(404, "not_found", "It was removed meanwhile")
        .refuses(409, "exists", "There is a host of that id or address")
}

pub fn remove() -> Doc {
    Doc::new("remove_engine", "Forget a host")
        .about("What runs there goes on running, and is adopted if the host is added again. To move it first, drain.")
        .path("id", "Its id")
        .nothing("It is forgotten")
        .once()
        .refuses(404, "not_found", "There is no such host")
}
