//! Apps, and why they are where they are.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{AppChange, AppView, ExplainRequest, ExplainView};

const NO_APP: &str = "There is no such app";

fn named(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary).path("name", "The app's name")
}

pub fn list() -> Doc {
    Doc::new("list_apps", "List the apps").lists::<AppView>("All apps by their names")
}

pub fn show() -> Doc {
    named("show_app", "Show an app")
        .answers::<AppView>(200, "The app with its slots; of others' apps without values of variables and user_data")
        .refuses(404, "not_found", NO_APP)
}

pub fn set() -> Doc {
    named("set_app", "Make an app or change it")
        .about("A change of the description replaces the app's containers one by one.")
        .takes::<AppChange>()
        .answers::<AppView>(200, "It is changed")
        .answers::<AppView>(201, "It is made")
        .operation(true)
        .owners_or(WriteAllContainers)
        .refuses(404, "not_found", "The app was deleted meanwhile")
}

pub fn delete() -> Doc {
    named("delete_app", "Delete an app")
        .nothing("It is gone, with its containers; volumes stay")
        .operation(true)
        .owners_or(WriteAllContainers)
        .refuses(404, "not_found", NO_APP)
}

pub fn scale() -> Doc {
    named("scale_app", "Set how many containers an app runs")
        .must("count", Kind::Number(0, 2_000), "How many")
        .nothing("As many run")
        .operation(true)
        .owners_or(WriteAllContainers)
        .refuses(404, "not_found", NO_APP)
}

pub fn logs() -> Doc {
    named("app_logs", "What the containers of an app wrote")
        .about(
            "The lines of all of them, in the order in which they were written; each begins with the name of its \
             container. A line that begins with `#` is about a log: it ended, cannot be read at present, or is left out \
             because there are more than 100. Followed, it goes on with containers that come later, until nothing of the \
             app writes any more.",
        )
        .which_of_log()
        .answers_text("text/plain; charset=utf-8", "The lines", "web.0.1 listening on port 80\n")
        .owners_or(WriteAllContainers)
        .refuses(404, "not_found", "There is no such app, or no container of it and it is not followed")
        .refuses(429, "too_many_log_readers", "Too many logs are being read")
}

pub fn explain() -> Doc {
    named("explain_app", "Why an app is where it is")
        .answers::<ExplainView>(200, "What every host scores or why it was refused, and where every slot is")
        .refuses(404, "not_found", NO_APP)
}

pub fn explain_request() -> Doc {
    Doc::new("explain_request", "Where containers would go")
        .about("Nothing is run.")
        .takes::<ExplainRequest>()
        .answers::<ExplainView>(200, "What every host scores or why it was refused, and where each would go")
}
