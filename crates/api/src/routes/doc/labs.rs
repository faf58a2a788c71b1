//! Labs.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{
    LabDiffView, LabEnvironmentRequest, LabFileView, LabHistoryView, LabImagesView, LabImportView, LabOutlineView,
    LabPageView, LabPreviewRequest, LabRequest, LabSettings, LabView, MoveLabFileRequest, PublishRequest,
    WorkspaceView,
};

const NO_LAB: &str = "There is no such lab, or not for you; or it has no such version, file or step";
const MEANWHILE: &str = "Somebody changed the same thing meanwhile";
const CHANGED: &str =
    "Something else is there than must be: the message says who changed it and when; nothing was changed";
const DIGEST: &str = "\"3f5a2bc0d1e2f3a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c\"";
const VERSION: &str = "`draft`, `newest`, or the number of a version";
const PATH: &str = "A path from the lab's folder on, without `..`";

fn lab(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "The lab's name")
        .refuses(404, "not_found", NO_LAB)
        .refuses(403, "forbidden", "You see it and may not do that")
        .owners_or(WriteAllContainers)
}

fn with_if_match(doc: Doc, about: &'static str) -> Doc {
    doc.header("If-Match", Kind::Like(DIGEST), about)
        .header("If-None-Match", Kind::Like("*"), "Nothing may be there")
        .refuses(412, "changed_meanwhile", CHANGED)
}

fn takes_files(doc: Doc) -> Doc {
    doc.refuses(400, "bad_archive", "It can't be read, or ended before it was complete")
        .refuses(400, "bad_files", "It would be more than a lab may hold, or one file is in the way of another")
        .refuses(408, "too_slow", "Nothing came for a minute")
        .refuses(413, "too_large", "It is too large")
        .refuses(429, "busy", "Too many are on their way; try again")
        .refuses(507, "disk_full", "The controller's disk has no room for it; nothing was changed")
}

pub fn list() -> Doc {
    Doc::new("list_labs", "List the labs that one may see")
        .about("Those that one writes, and what is published of those that are shared; an administrator's are all.")
        .lists::<LabView>("The labs, by their names")
}

pub fn add() -> Doc {
    Doc::new("add_lab", "Make a lab")
        .about("It begins with a draft of one step.")
        .takes::<LabRequest>()
        .answers::<LabView>(201, "It is there")
        .once()
        .refuses(409, "exists", "There is one of that name")
        .refuses(429, "too_many_labs", "You have as many as one can have")
}

pub fn show() -> Doc {
    lab("show_lab", "Show a lab").answers::<LabView>(200, "The lab")
}

pub fn set() -> Doc {
    lab("set_lab", "Change who may see and write a lab")
        .about("For its owner: what is in it is changed by its files.")
        .takes::<LabSettings>()
        .answers::<LabView>(200, "The lab as it is now")
        .refuses(409, "conflict", MEANWHILE)
}

pub fn delete() -> Doc {
    lab("delete_lab", "Forget a lab")
        .about("With all its versions and its environments. Workspaces that were opened of it stay.")
        .nothing("It is forgotten")
        .refuses(409, "lab_state", "Somebody works at it")
        .refuses(409, "conflict", MEANWHILE)
}

pub fn replace() -> Doc {
    takes_files(with_if_match(
        lab("replace_lab_draft", "Put a whole folder in place of a draft"),
        "The digest of the draft's list of files that must be there, in quotes",
    ))
    .about("All of it, or nothing: a tar archive, which may be compressed by gzip. What it does not have is gone from the draft.")
    .takes_bytes("application/x-tar", "The folder")
    .answers::<LabView>(200, "The lab as it is now")
    .refuses(409, "conflict", MEANWHILE)
}

pub fn archive() -> Doc {
    lab("get_lab_archive", "Get all files of a lab as one")
        .query("version", Kind::Like("draft"), VERSION)
        .answers_text("application/x-tar", "A tar archive", "lab.yaml")
        .sends(200, "ETag", "The digest of the list of files, in quotes")
}

pub fn files() -> Doc {
    lab("list_lab_files", "List the files of a lab")
        .query("version", Kind::Like("draft"), VERSION)
        .lists::<LabFileView>("The files, by their paths")
        .sends(200, "ETag", "The digest of the list, in quotes")
}

pub fn read_file() -> Doc {
    lab("read_lab_file", "Get a file of a lab")
        .about("As an image if it is called one, else as bytes; nothing of it runs in a browser.")
        .must("path", Kind::Like("pages/page.png"), PATH)
        .query("version", Kind::Like("draft"), VERSION)
        .answers_text("application/octet-stream", "The bytes", "title: A page of your own")
        .sends(200, "ETag", "The digest of the bytes, in quotes: what `If-Match` takes")
}

pub fn write_file() -> Doc {
    let doc = takes_files(with_if_match(
        lab("write_lab_file", "Write a file of a draft"),
        "The digest of what must be there, in quotes",
    ));
    doc.about(
        "Who writes over what they have not seen is refused: of two who write the same file at once, one is told so. The \
         same bytes again are good in any case.",
    )
    .must("path", Kind::Like("steps/01-serve.md"), PATH)
    .query("executable", Kind::Flag, "Whether it may be run as a program; as before if absent")
    .takes_bytes("application/octet-stream", "The bytes")
    .answers::<LabFileView>(200, "The file as it is now")
    .answers::<LabFileView>(201, "It is new")
    .sends(200, "ETag", "The digest of the bytes, in quotes")
    .sends(201, "ETag", "The digest of the bytes, in quotes")
    .refuses(409, "conflict", MEANWHILE)
}

pub fn remove_file() -> Doc {
    with_if_match(
        lab("remove_lab_file", "Remove a file of a draft, or a folder"),
        "The digest of what must be there, in quotes; of a file",
    )
    .must("path", Kind::Like("steps/01-serve.md"), PATH)
    .nothing("It is gone")
    .refuses(409, "conflict", MEANWHILE)
}

pub fn move_file() -> Doc {
    lab("move_lab_file", "Move a file or folder of a draft")
        .takes::<MoveLabFileRequest>()
        .answers::<LabView>(200, "The lab as it is now")
        .refuses(409, "exists", "Something is there already")
        .refuses(400, "bad_files", "One file would be in the way of another")
        .refuses(409, "conflict", MEANWHILE)
}

pub fn publish() -> Doc {
    lab("publish_lab", "Publish the draft of a lab")
        .about(
            "What has an error is not published; `problems` says what and where. What is published already is not published \
             again. Students stay on the version that they began with.",
        )
        .takes::<PublishRequest>()
        .answers::<LabView>(200, "The lab with its new version")
        .once()
        .refuses(409, "exists", "Something else has the name of the lab's environment")
        .refuses(409, "lab_state", "It has as many versions as are kept")
        .refuses(412, "changed_meanwhile", "The draft is another by now")
        .refuses(422, "lab_invalid", "It has errors")
}

pub fn delete_version() -> Doc {
    lab("delete_lab_version", "Forget a version of a lab")
        .path("version", "Its number")
        .nothing("It is forgotten")
        .refuses(409, "lab_state", "It is the newest, or somebody works through it")
        .refuses(409, "conflict", MEANWHILE)
}

pub fn history() -> Doc {
    lab("show_lab_history", "List what is remembered of the drafts of a lab")
        .lists::<LabHistoryView>("The drafts, the newest first; 100 at most")
}

pub fn restore() -> Doc {
    lab("restore_lab_draft", "Make a draft what it was")
        .path("revision", "The revision")
        .answers::<LabView>(200, "The lab as it is now")
        .refuses(409, "conflict", MEANWHILE)
}

pub fn diff() -> Doc {
    lab("show_lab_diff", "Show how two states of a lab differ")
        .query("from", Kind::Like("1"), "`draft`, `newest`, or the number of a version; the newest if absent")
        .query("to", Kind::Like("draft"), "The same; the draft if absent")
        .answers::<LabDiffView>(200, "The files that differ, and their lines")
}

pub fn outline() -> Doc {
    lab("show_lab_outline", "Show what a lab holds")
        .about("Those who don't write it see what is published, and neither its files nor what is wrong with it.")
        .query("version", Kind::Like("draft"), VERSION)
        .answers::<LabOutlineView>(200, "Its steps, languages and terminals, and what is wrong with it")
}

pub fn page() -> Doc {
    lab("show_lab_page", "Show a page of a lab")
        .about("For those who write it, as for a student without values of their own.")
        .path("step", "The step, from 0")
        .query("version", Kind::Like("draft"), VERSION)
        .query("language", Kind::Like("de"), "One of the lab's languages; that of its steps if absent")
        .answers::<LabPageView>(200, "The page")
}

pub fn preview() -> Doc {
    lab("preview_lab", "Show what a page would be")
        .about("As if the file held this text. Nothing is kept of it. A file that is no Markdown has only problems.")
        .takes::<LabPreviewRequest>()
        .answers::<LabPageView>(200, "The page, and what is wrong with the file")
}

pub fn workspace() -> Doc {
    lab("open_lab_workspace", "Open the workspace in which one tries the draft of a lab")
        .about("Or finds the one that one has. Its environment is described by the draft as it is now.")
        .answers::<WorkspaceView>(201, "It is there, or made as soon as there is room")
        .once()
        .refuses(409, "exists", "Something else has the name of the lab's environment")
        .refuses(422, "lab_invalid", "The draft describes no environment that there can be")
        .refuses(429, "too_many_workspaces", "You have as many as one can have")
        .refuses(429, "too_often", "You open them too often")
}

pub fn environment() -> Doc {
    lab("prepare_lab_environment", "Make what was saved of a workspace the environment of a lab")
        .about(
            "The draft's `lab.yaml` names it from then on, in place of its containers. Files that the lab puts into its \
             containers are put there as before.",
        )
        .takes::<LabEnvironmentRequest>()
        .answers::<LabView>(200, "The lab as it is now")
        .refuses(409, "exists", "Something else has the name of the lab's environment")
        .refuses(409, "lab_state", "Its lab.yaml is no text")
        .refuses(409, "conflict", MEANWHILE)
}

pub fn import() -> Doc {
    takes_files(Doc::new("import_lab", "Make a lab of an archive"))
        .about(
            "Of our own format or another one, as a zip or tar archive of a folder. Nothing of it is run. What can't be carried \
             is told with its file and line, and the rest is; of several labs one must be named by its `path`.",
        )
        .query("id", Kind::Like("first-page"), "The lab's name; made of its title if absent")
        .query("path", Kind::Like("docker/first-page"), "Where the lab is in the archive, if there are several")
        .takes_bytes("application/octet-stream", "The archive")
        .answers::<LabImportView>(200, "Nothing was made: the report says which labs there are, or what is wrong")
        .answers::<LabImportView>(201, "The lab, and what was found")
        .refuses(409, "exists", "There is one of that name")
        .refuses(409, "conflict", MEANWHILE)
        .refuses(429, "too_many_labs", "You have as many as one can have")
}

pub fn images() -> Doc {
    Doc::new("show_lab_images", "Show what images of other platforms become")
        .answers::<LabImagesView>(200, "The table by which labs are imported")
}

pub fn set_images() -> Doc {
    Doc::new("set_lab_images", "Say what images of other platforms become")
        .takes::<LabImagesView>()
        .answers::<LabImagesView>(200, "The table as it is now")
}
