//! Saves of workspaces.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{EnvironmentView, SaveChangesView, SaveEnvironmentRequest, SaveView};

fn save(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "Its id")
        .refuses(404, "not_found", "There is no such save, or not for you")
        .owners_or(WriteAllContainers)
}

pub fn list() -> Doc {
    Doc::new("list_saves", "List the saves that one may begin from")
        .about("Files of workspaces, as they were: not their running processes, nor what these had in memory.")
        .lists::<SaveView>("The saves, the newest first")
}

pub fn show() -> Doc {
    save("show_save", "Show a save").answers::<SaveView>(200, "The save")
}

pub fn changes() -> Doc {
    save("save_changes", "Tell how the files of a save differ")
        .about("From those that its environment began with. All of the image is read on one of its hosts for it.")
        .query("since", Kind::Text, "An earlier save, to compare with that instead")
        .lists::<SaveChangesView>("The containers, and what is another in each; at most 2,000 files are named")
        .refuses(400, "invalid_value", "One of them is not complete yet")
        .refuses(429, "busy", "The account compares already, or its hosts have too much to do")
        .refuses(503, "save_away", "No host that answers has it")
}

pub fn delete() -> Doc {
    save("delete_save", "Forget a save")
        .about("Its images go from the hosts soon after.")
        .nothing("It is forgotten")
        .refuses(409, "save_needed", "A workspace or an environment begins from it")
}

pub fn environment() -> Doc {
    save("save_environment", "Make an environment that begins as a save")
        .takes::<SaveEnvironmentRequest>()
        .answers::<EnvironmentView>(201, "It is there")
        .once()
        .refuses(409, "exists", "There is one of that name")
        .refuses(429, "too_many_environments", "You have as many as one can have")
}
