//! Ports of workspaces.

use crate::describe::Doc;
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{PortView, PreviewView};

const NO_WORKSPACE: &str = "There is no such workspace, or not for you";

fn of_workspace(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "The workspace's id")
        .refuses(404, "not_found", NO_WORKSPACE)
        .owners_or(WriteAllContainers)
}

pub fn ports() -> Doc {
    of_workspace("list_ports", "List a workspace's ports")
        .about(
            "Those on which something listens in its containers at this moment, and those that its environment declares. \
             Guests of the workspace see them too.",
        )
        .lists::<PortView>("The ports, by number")
        .refuses(409, "not_running", "Nothing of the workspace runs")
        .refuses(503, "workspace_away", "Its host can't be reached")
}

pub fn preview() -> Doc {
    of_workspace("open_preview", "Get the address at which a browser sees a port of a workspace")
        .about(
            "The ticket in it is good once, for 30 seconds. The browser that opens the address gets a session of that host \
             name only, and sees the port as the asker: as long as the asker's own token is good, and may see the \
             workspace. A guest who is a viewer can look, and send nothing. What listens there gets no cookie, token or \
             header of Pierhead.",
        )
        .path("port", "The port, from 1 to 65535")
        .answers::<PreviewView>(201, "The address")
        .refuses(429, "too_many_tickets", "Too many tickets of the asker's token are open")
        .refuses(503, "no_previews", "This server shows no previews")
}
