//! Images and registries.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{Example, ImageView, RegistryChange, RegistryRequest, RegistryView, SpreadView};

pub fn list() -> Doc {
    Doc::new("list_images", "List the images of the pool")
        .about("Archives that were sent in, the newest first, then what else the hosts have.")
        .lists::<ImageView>("All images, and where each is")
}

pub fn show() -> Doc {
    named(Doc::new("show_image", "Show an image"), "A name of it, its id, or the begin of the id's digits")
        .answers::<ImageView>(200, "The image")
}

pub fn upload() -> Doc {
    Doc::new("upload_image", "Send in an image")
        .about(
            "The body is what `docker save NAME:TAG` writes, with gzip or without. Whatever hosts need the name get the \
             image from then on without a registry.",
        )
        .takes_bytes("application/x-tar", "One image")
        .owners_or(WriteAllContainers)
        .answers::<ImageView>(201, "The image as it was kept")
        .sends(201, "Location", "The image")
        .answers::<ImageView>(200, "The same image was there already; its names are those of both")
        .refuses(400, "bad_archive", "It is no archive of one image")
        .refuses(403, "forbidden", "One of its names is somebody else's")
        .refuses(408, "too_slow", "Nothing came for a minute")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
        .refuses(429, "busy", "Several archives are coming already")
        .refuses(507, "disk_full", "The controller's disk has no room for it")
}

pub fn delete() -> Doc {
    named(Doc::new("delete_image", "Delete an archive"), "A name of it, its id, or the begin of the id's digits")
        .about("What hosts have of it stays there.")
        .owners_or(WriteAllContainers)
        .nothing("It is deleted")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn spread() -> Doc {
    let line = serde_json::to_string(&SpreadView::example()).unwrap_or_default();
    named(Doc::new("spread_image", "Bring an archive to hosts"), "A name of it, its id, or the begin of the id's digits")
        .about("The answer tells how far each host is, a JSON object on a line, as it goes. Whoever stops reading calls it off.")
        .query("engine", Kind::Text, "A host, as often as there are; without it, all that can be used")
        .answers_text("application/x-ndjson", "What is new of one host on each line", &format!("{line}\n"))
}

pub fn list_registries() -> Doc {
    Doc::new("list_registries", "List the accounts at registries")
        .lists::<RegistryView>("The pool's accounts, never with a password")
}

pub fn show_registry() -> Doc {
    host(Doc::new("show_registry", "Show the account at a registry")).answers::<RegistryView>(200, "The account")
}

pub fn add_registry() -> Doc {
    Doc::new("add_registry", "Give the pool an account at a registry")
        .about("It counts from the next pull on, except on hosts that have an account of their own for that registry.")
        .takes::<RegistryRequest>()
        .answers::<RegistryView>(201, "The account")
        .once()
        .refuses(404, "not_found", "It was deleted meanwhile")
        .refuses(409, "exists", "There is one already")
}

pub fn set_registry() -> Doc {
    Doc::new("set_registry", "Set the account at a registry")
        .path("host", "Host and port, as images name it")
        .takes::<RegistryChange>()
        .nothing("It counts from the next pull on")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}

pub fn delete_registry() -> Doc {
    host(Doc::new("delete_registry", "Forget the account at a registry")).nothing("It is forgotten").once()
}

fn named(doc: Doc, about: &'static str) -> Doc {
    doc.path("id", about).refuses(404, "not_found", "There is no such image")
}

fn host(doc: Doc) -> Doc {
    doc.path("host", "Host and port, as images name it").refuses(404, "not_found", "There is no account for it")
}
