//! Docker hosts.

use crate::describe::Doc;
use pierhead_wire::{EngineRequest, EngineView, JoinTokenCreated, JoinTokenRequest};

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

pub fn make_join_token() -> Doc {
    Doc::new("make_join_token", "Make a token with which a host joins")
        .about(
            "The host's agent exchanges it for a certificate of its own, and calls from then on: nothing on the host \
             listens. It is good for one host, and is told only once.",
        )
        .takes::<JoinTokenRequest>()
        .answers::<JoinTokenCreated>(201, "The token")
        .once()
        .refuses(409, "no_agents", "This controller takes no agents")
        .refuses(409, "token_given", "The request was carried out before, and its token is told only once")
}

pub fn revoke() -> Doc {
    Doc::new("revoke_engine", "Revoke the certificate of a host's agent")
        .about("Its connection is cut and it is shut out until it joins again. What runs there goes on running.")
        .path("id", "Its id")
        .answers::<EngineView>(200, "The host")
        .once()
        .refuses(404, "not_found", "There is no such host")
}

pub fn approve() -> Doc {
    Doc::new("approve_engine", "Approve a host that waits")
        .about(
            "With `--approve-hosts` a host that joins waits: it is listed with what its agent tells, nothing is asked of \
             its engine, and nothing is placed there. To refuse it, remove it. One that does not wait stays as it is.",
        )
        .path("id", "Its id")
        .answers::<EngineView>(200, "The host")
        .once()
        .refuses(404, "not_found", "There is no such host")
}
