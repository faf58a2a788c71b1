//! Attempts at labs.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{
    AnswerRequest, AttemptRequest, AttemptView, CheckRequest, LabPageView, LabRunRequest, LabRunView, ResetRequest,
    StepRequest,
};

const NO_ATTEMPT: &str = "There is no such attempt, or not for you; or its lab has no such step, check, quiz or hint";
const NO_LAB: &str = "There is no such lab, or not for you; or nothing of it is published";
const STATE: &str = "Its environment is not ready, or is being prepared or checked";
const MEANWHILE: &str = "Somebody changed the same thing meanwhile";

fn attempt(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary).path("id", "Its id").refuses(404, "not_found", NO_ATTEMPT).owners_or(WriteAllContainers)
}

fn change(id: &'static str, summary: &'static str) -> Doc {
    attempt(id, summary).answers::<AttemptView>(200, "The attempt as it is now").refuses(409, "conflict", MEANWHILE)
}

fn of_step(doc: Doc) -> Doc {
    doc.path("step", "The step, from 0")
}

fn opens(doc: Doc) -> Doc {
    doc.refuses(409, "workspace_state", "The workspace can't be started as things stand")
        .refuses(429, "too_many_workspaces", "You have as many workspaces as one can have")
        .refuses(429, "too_often", "Workspaces are opened too often")
}

pub fn begin() -> Doc {
    let doc = Doc::new("begin_attempt", "Begin an attempt at a lab, or find the one that one has")
        .about("The version of the course is worked with until one moves, or the newest. In each course, and in none, one has an \
             attempt of one's own. The workspace is opened, or started again.")
        .path("id", "The lab's name")
        .takes::<AttemptRequest>()
        .answers::<AttemptView>(201, "The attempt")
        .refuses(404, "not_found", NO_LAB)
        .refuses(409, "conflict", MEANWHILE)
        .refuses(429, "too_many_attempts", "You have as many as one can have")
        .owners_or(WriteAllContainers);
    opens(doc)
}

pub fn list() -> Doc {
    Doc::new("list_attempts", "List one's attempts at labs")
        .query("lab", Kind::Like("http"), "Only those at this lab")
        .query("all", Kind::Flag, "Those of others too, as far as one may see them")
        .lists::<AttemptView>("The attempts, the newest first")
}

pub fn show() -> Doc {
    attempt("show_attempt", "Show an attempt").answers::<AttemptView>(200, "The attempt")
}

pub fn delete() -> Doc {
    attempt("delete_attempt", "Forget an attempt")
        .about("Its workspace is saved, and ends.")
        .nothing("It is forgotten")
        .refuses(409, "conflict", MEANWHILE)
}

pub fn page() -> Doc {
    of_step(attempt("show_attempt_page", "Show the page of a step, with the values of whose attempt it is"))
        .query("language", Kind::Like("de"), "Another language than the attempt's")
        .answers::<LabPageView>(200, "The page")
}

pub fn file() -> Doc {
    attempt("read_attempt_file", "Read a file that pages of the lab show or lead to")
        .about("Images come as what they are, all else as bytes. Scripts are never given.")
        .must("path", Kind::Like("images/page.png"), "A path from the lab's folder on")
        .answers_text("application/octet-stream", "The bytes", "")
}

pub fn visit() -> Doc {
    change("visit_step", "Come to a step")
        .about("What is to be run at the first visit is run soon after, as soon as the workspace is ready.")
        .takes::<StepRequest>()
}

pub fn check() -> Doc {
    of_step(change("check_step", "Run checks of a step"))
        .about(
            "Those that have not passed, or the one that is named. The answer comes when all are done; what came of each is \
             noted as soon as it is known.",
        )
        .takes::<CheckRequest>()
        .refuses(409, "attempt_state", STATE)
}

pub fn answer() -> Doc {
    of_step(change("answer_quiz", "Answer a question")).path("name", "Its name").takes::<AnswerRequest>()
}

pub fn hint() -> Doc {
    of_step(change("open_hint", "Open a hint")).path("hint", "The hint, from 0")
}

pub fn reset() -> Doc {
    let doc = change("reset_attempt", "Take back a step, or everything")
        .about("With everything the workspace begins anew from its environment, and is saved before.")
        .takes::<ResetRequest>()
        .refuses(409, "attempt_state", "The lab was deleted");
    opens(doc)
}

pub fn workspace() -> Doc {
    let doc = change("open_attempt", "Open the workspace of an attempt, or start it again");
    opens(doc.refuses(409, "attempt_state", "The lab was deleted"))
}

pub fn move_on() -> Doc {
    let doc = change("move_attempt", "Move to the newest version of the lab")
        .about(
            "Results of steps whose text and checks are the same are kept. If the environment is another, the workspace is \
             saved and ends, and a new one is opened.",
        )
        .refuses(409, "attempt_state", "The lab was deleted");
    opens(doc)
}

pub fn run_draft() -> Doc {
    Doc::new("run_lab_draft", "Run scripts of a lab's draft in a workspace of its author")
        .path("id", "The lab's name")
        .takes::<LabRunRequest>()
        .answers::<LabRunView>(200, "What came of them")
        .refuses(403, "forbidden", "The lab is for others to write, or you only look at the workspace")
        .refuses(404, "not_found", "There is no such lab, step or workspace, or not for you")
        .refuses(409, "workspace_state", "The workspace is not ready")
        .owners_or(WriteAllContainers)
}
