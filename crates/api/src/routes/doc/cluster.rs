//! The pool as a whole, and the API itself.

use crate::describe::Doc;
use pierhead_wire::{ClusterInfo, ControllerView, Health, RebalanceRequest, RebalanceView, SurvivalView};

const NO_ENGINE: &str = "There is no such host";

pub fn health() -> Doc {
    Doc::new("health", "Whether this controller works").answers::<Health>(200, "It works, and so does its store")
}

pub fn openapi() -> Doc {
    Doc::new("openapi", "This document").answers_any("The description of all routes, OpenAPI 3.1")
}

pub fn metrics() -> Doc {
    Doc::new("metrics", "Measurements for Prometheus")
        .about("With the token of `--metrics-token-file`, which is good for nothing else. Off without that setting.")
        .answers_text("text/plain; version=0.0.4; charset=utf-8", "The measurements", "pierhead_apps 3\n")
        .refuses(404, "not_found", "Measurements are off")
}

pub fn page() -> Doc {
    Doc::new("docs", "This document as a page").answers_text(
        "text/html; charset=utf-8",
        "A page that needs nothing from elsewhere",
        "<!doctype html>",
    )
}

pub fn info() -> Doc {
    Doc::new("cluster_info", "The pool's totals")
        .answers::<ClusterInfo>(200, "Totals of the hosts that answer; those that do not are named")
}

pub fn controllers() -> Doc {
    Doc::new("list_controllers", "List the controllers")
        .about(
            "Those that share the store with this one. One that died is listed for some seconds more. While the store \
             does not answer, they are those of before, without a lag.",
        )
        .lists::<ControllerView>("The controllers, and which of them leads")
}

pub fn survive() -> Doc {
    Doc::new("survive", "Whether the others could carry what a host runs")
        .path("id", "The host's id")
        .answers::<SurvivalView>(200, "What would become of it; nothing is moved")
        .refuses(404, "not_found", NO_ENGINE)
}

pub fn plan_rebalance() -> Doc {
    Doc::new("plan_rebalance", "Moves that would even out the load")
        .answers::<RebalanceView>(200, "The moves in their order; nothing is moved")
}

pub fn rebalance() -> Doc {
    Doc::new("rebalance", "Even out the load")
        .about("Does the moves of the body, which must be those that the plan still tells.")
        .takes::<RebalanceRequest>()
        .nothing("They are done")
        .operation(true)
        .refuses(409, "exists", "The plan is another one by now")
        .refuses(404, "not_found", NO_ENGINE)
}

pub fn thaw() -> Doc {
    Doc::new("thaw", "Give up hosts that vanished at once")
        .about(
            "Nothing is moved off hosts of which so many vanish at once that it may be the controller's own view, as \
             `frozen` of the pool's totals then says. This gives those up that are frozen now: what lived there is \
             placed elsewhere. A host that answers again is like any other.",
        )
        .nothing("They are given up")
        .once()
        .refuses(409, "not_frozen", "Nothing is frozen")
}

pub fn settle() -> Doc {
    Doc::new("settle", "Say that all hosts are there after a restore")
        .about(
            "Records that were restored from a backup are older than what the hosts run. Until this is said nothing is \
             made, and nothing is removed, as `restored` of the pool's totals tells; then what it lists as unknown goes, \
             and what the records want and does not run is made.",
        )
        .nothing("The records count again")
        .once()
        .refuses(409, "not_restored", "The records were not restored, or that was said before")
}

pub fn backup() -> Doc {
    Doc::new("backup", "Everything that the pool keeps, as one file")
        .about(
            "Of one moment, while everything goes on. Secrets are in it as the store has them, sealed: it is of no use \
             without the file `secret.key`, which is not in it. Image archives are not in it either.",
        )
        .answers_text("application/octet-stream", "The backup, for `pierhead restore`", "pierhead-backup 1\n")
}

/// A change of what a host is for.
fn of_engine(id: &'static str, summary: &'static str, done: &str) -> Doc {
    Doc::new(id, summary).path("id", "The host's id").nothing(done).refuses(404, "not_found", NO_ENGINE)
}

pub fn cordon() -> Doc {
    of_engine("cordon_engine", "Place nothing new on a host", "Nothing new is placed there").once()
}

pub fn uncordon() -> Doc {
    of_engine("uncordon_engine", "Place on a host again", "It is in service again").once()
}

pub fn drain() -> Doc {
    of_engine("drain_engine", "Move everything off a host", "Nothing of Pierhead's runs there any more")
        .about("One slot of an app at a time, each new copy before its old one goes. It can be called off.")
        .operation(true)
        .refuses(409, "exists", "It is being drained already")
}
