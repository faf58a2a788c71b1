//! Environments and workspaces.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{
    EnvironmentChange, EnvironmentRequest, EnvironmentView, ExtendRequest, GuestRequest, WorkspaceRequest,
    WorkspaceSaveRequest, WorkspaceStartRequest, WorkspaceView,
};

const NO_ENVIRONMENT: &str = "There is no such environment, or not for you";
const NO_WORKSPACE: &str = "There is no such workspace, or not for you";
const MEANWHILE: &str = "Somebody changed the same thing meanwhile";

fn environment(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary).path("id", "Its name").refuses(404, "not_found", NO_ENVIRONMENT).owners_or(WriteAllContainers)
}

pub fn list_environments() -> Doc {
    Doc::new("list_environments", "List the environments that one may open")
        .about("One's own and the shared ones; an administrator's are all.")
        .lists::<EnvironmentView>("The environments, by their names")
}

pub fn add_environment() -> Doc {
    Doc::new("add_environment", "Describe an environment")
        .about(
            "A set of containers that is placed on one host, on a network of its own where they find one another by name. \
             What it asks for beyond what everybody gets needs a permission.",
        )
        .takes::<EnvironmentRequest>()
        .answers::<EnvironmentView>(201, "It is there")
        .once()
        .refuses(403, "forbidden", "It asks for more than you may give")
        .refuses(409, "exists", "There is one of that name")
        .refuses(429, "too_many_environments", "You have as many as one can have")
}

pub fn show_environment() -> Doc {
    environment("show_environment", "Show an environment").answers::<EnvironmentView>(200, "The environment")
}

pub fn set_environment() -> Doc {
    environment("set_environment", "Change an environment")
        .about("A changed description is a new version. Workspaces keep the one that they were made from until they are reset.")
        .takes::<EnvironmentChange>()
        .answers::<EnvironmentView>(200, "The environment as it is now")
        .refuses(403, "forbidden", "It is somebody else's, or asks for more than you may give")
        .refuses(409, "conflict", MEANWHILE)
}

pub fn delete_environment() -> Doc {
    environment("delete_environment", "Forget an environment")
        .about("Workspaces and saves of it stay.")
        .nothing("It is forgotten")
        .refuses(403, "forbidden", "It is somebody else's")
        .refuses(409, "conflict", MEANWHILE)
}

fn workspace(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary).path("id", "Its id").refuses(404, "not_found", NO_WORKSPACE).owners_or(WriteAllContainers)
}

fn change(id: &'static str, summary: &'static str, about: &str) -> Doc {
    workspace(id, summary)
        .about(about)
        .answers::<WorkspaceView>(200, "It is written down, and done as soon as it can be; this is how it stands")
        .once()
        .refuses(403, "forbidden", "A guest asks who may not")
        .refuses(409, "workspace_state", "It can't be, as the workspace is now")
}

pub fn list() -> Doc {
    Doc::new("list_workspaces", "List the workspaces that one may come to")
        .about("One's own and those that one is a guest of; an administrator's are all. Ended ones stay for a day.")
        .lists::<WorkspaceView>("The workspaces, the newest first")
}

pub fn open() -> Doc {
    Doc::new("open_workspace", "Open a workspace")
        .about(
            "From an environment, or a copy of a save. One that was started ahead is ready at once; else it gets its place in \
             the queue, and its `phase` tells how far it is. It hangs on no connection.",
        )
        .takes::<WorkspaceRequest>()
        .answers::<WorkspaceView>(201, "It is written down, and made as soon as there is room")
        .once()
        .refuses(404, "not_found", "There is no such environment or save, or not for you")
        .refuses(429, "too_many_workspaces", "You have as many as one can have")
        .refuses(429, "too_often", "You open them too often")
}

pub fn show() -> Doc {
    workspace("show_workspace", "Show a workspace").answers::<WorkspaceView>(200, "The workspace")
}

pub fn end() -> Doc {
    workspace("end_workspace", "End a workspace")
        .about("It is saved before, unless `discard` says that what is in it may go. Its saves stay.")
        .query("discard", Kind::Flag, "Whether it goes without being saved")
        .nothing("It is written down, and done as soon as it can be")
        .refuses(403, "forbidden", "A guest asks")
        .refuses(409, "conflict", MEANWHILE)
}

pub fn extend() -> Doc {
    change("extend_workspace", "Put off the end of a workspace", "A guest who is a driver may do it too.")
        .takes::<ExtendRequest>()
}

pub fn save() -> Doc {
    change(
        "save_workspace",
        "Save a workspace",
        "It runs on. A save holds the files of all its containers, and not the processes that run. A driver may ask too.",
    )
    .takes::<WorkspaceSaveRequest>()
}

pub fn stop() -> Doc {
    change("stop_workspace", "Save and stop a workspace", "Nothing of it runs then, and `start` brings it back.")
}

pub fn start() -> Doc {
    change("start_workspace", "Start a workspace", "Where it was, or from a certain save, on any host that has room.")
        .takes::<WorkspaceStartRequest>()
        .refuses(429, "too_often", "It was started or reset just now")
}

pub fn reset() -> Doc {
    change(
        "reset_workspace",
        "Begin a workspace anew",
        "From its environment as that is described now. It is saved before.",
    )
    .refuses(429, "too_often", "It was started or reset just now")
}

pub fn share() -> Doc {
    workspace("share_workspace", "Let an account come to a workspace")
        .about(
            "As a `viewer`, who looks at terminals that they are shown, or as a `driver`, who may open terminals too.",
        )
        .path("username", "The account")
        .takes::<GuestRequest>()
        .nothing("They may come")
        .refuses(403, "forbidden", "A guest asks")
        .refuses(409, "conflict", MEANWHILE)
}

pub fn unshare() -> Doc {
    workspace("unshare_workspace", "Let an account not come to a workspace any more")
        .path("username", "The account")
        .nothing("They may not come")
        .refuses(403, "forbidden", "A guest asks")
        .refuses(409, "conflict", MEANWHILE)
}
