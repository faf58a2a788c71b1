//! Containers of all hosts.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{ContainerView, ExplainView, ImageDescription};

const NO_CONTAINER: &str = "There is no such container; `replaced_by` names the one in its place, if there is one";

fn of_id(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "Its id, the beginning of it, or its name")
        .refuses(404, "not_found", NO_CONTAINER)
        .refuses(400, "ambiguous", "More than one container's id begins so")
}

/// What a change of a container does; one that is not Pierhead's is changed directly on its host.
fn change(id: &'static str, summary: &'static str, done: &str) -> Doc {
    of_id(id, summary).nothing(done).operation(false).owners_or(WriteAllContainers)
}

pub fn list() -> Doc {
    Doc::new("list_containers", "List the containers of all hosts")
        .query("all", Kind::Flag, "Those that do not run, too")
        .lists::<ContainerView>("The containers; of others' without values of variables and user_data")
}

pub fn run() -> Doc {
    Doc::new("run_containers", "Run containers")
        .about("They are placed on the hosts that fit best. With `app` they join the app of that name and description.")
        .query("count", Kind::Number(1, 2_000), "How many; 1 if absent")
        .query("pull", Kind::Flag, "Pull the image even where it is on the host")
        .query("app", Kind::Like("web"), "The app's name; one is made up if absent")
        .takes::<ImageDescription>()
        .lists::<ContainerView>("They run")
        .operation(true)
        .refuses(409, "app_differs", "There is an app of that name with another description or owner")
}

pub fn show() -> Doc {
    of_id("show_container", "Show a container").answers::<ContainerView>(200, "The container")
}

pub fn destroy() -> Doc {
    change("destroy_container", "Destroy a container", "It is gone; its app has one slot less")
}

pub fn start() -> Doc {
    change("start_container", "Start a container", "It runs")
}

pub fn stop() -> Doc {
    change("stop_container", "Stop a container", "It does not run any more")
}

pub fn restart() -> Doc {
    change("restart_container", "Restart a container", "It runs anew")
}

pub fn scale() -> Doc {
    of_id("scale_container", "Set how many containers of a container's app run")
        .must("count", Kind::Number(0, 2_000), "How many")
        .nothing("As many run")
        .operation(true)
        .owners_or(WriteAllContainers)
}

pub fn logs() -> Doc {
    of_id("container_logs", "What a container wrote")
        .about(
            "Only its owner and who may change everybody's containers read it. Of a container that is gone the last \
             lines are kept for a while; their answer has the header `pierhead-gone-since`. What a failed host took \
             along is not kept.",
        )
        .which_of_log()
        .answers_text("text/plain; charset=utf-8", "The lines", "listening on port 80\n")
        .refuses(503, "engine_unreachable", "The host does not answer")
        .refuses(503, "engine_failed", "The host failed")
        .refuses(400, "refused_by_engine", "The engine refuses it")
        .owners_or(WriteAllContainers)
        .refuses(429, "too_many_log_readers", "Too many logs are being read")
}

impl Doc {
    /// Which part of a log is asked for.
    pub(super) fn which_of_log(self) -> Self {
        self.query("follow", Kind::Flag, "Go on with what is written from now on")
            .query("tail", Kind::Like("100"), "How many lines of a container at most, or `all`")
            .query(
                "since",
                Kind::Like("10m"),
                "Nothing older: a moment (RFC 3339), seconds since 1970, or how long ago",
            )
            .query("until", Kind::Like("2026-11-21T22:10:06Z"), "Nothing newer, in the same forms; not with `follow`")
            .query("timestamps", Kind::Flag, "The time before each line")
            .query("stdout", Kind::Flag, "With what was written as output")
            .query("stderr", Kind::Flag, "With what was written as errors")
    }
}

pub fn explain() -> Doc {
    of_id("explain_container", "Why a container is where it is")
        .answers::<ExplainView>(200, "What every host scores or why it was refused, and where the container is")
}
