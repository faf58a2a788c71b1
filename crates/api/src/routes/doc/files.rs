//! Files of workspaces.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{FileView, FolderView, MakeFolderRequest, MoveFileRequest};

const NO_WORKSPACE: &str = "There is no such workspace, or not for you; or it has no such container";
const NO_FILE: &str = "There is no such file";
const PATH: &str =
    "An absolute path without `..`; `%` is written `%25`, and a byte that is no UTF-8 as `%` and its two digits";

fn of_files(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "The workspace's id")
        .refuses(404, "not_found", NO_WORKSPACE)
        .refuses(404, "no_such_file", NO_FILE)
        .refuses(403, "file_forbidden", "The container's user may not do that")
        .refuses(409, "not_running", "Nothing of the workspace runs")
        .refuses(409, "paused", "It is being saved; try again")
        .refuses(409, "container_changed", "It was started anew meanwhile; try again")
        .refuses(409, "not_ordinary", "It is a device, a socket or the kernel's own")
        .refuses(409, "not_a_folder", "Something on the way is no folder")
        .refuses(409, "is_a_folder", "It is a folder")
        .refuses(409, "too_many_links", "Links lead to one another without end")
        .refuses(429, "busy", "Too many files are on their way; try again")
        .refuses(503, "workspace_away", "Its host can't be reached")
        .owners_or(WriteAllContainers)
}

fn in_query(doc: Doc) -> Doc {
    doc.query("container", Kind::Like("main"), "The container, by its name in the environment; the first one if absent")
}

fn changing(doc: Doc) -> Doc {
    doc.refuses(403, "forbidden", "A guest who is a viewer asks")
        .refuses(409, "read_only", "It is where nothing can be written")
        .refuses(409, "in_use", "It is in use, or something is mounted there")
        .refuses(507, "no_space", "The disk is full; what was there is as it was")
}

pub fn list() -> Doc {
    in_query(of_files("list_files", "List a folder of a workspace"))
        .about(
            "As the container's own user sees it. Links are told with what they lead to within the container; they lead \
             nowhere else.",
        )
        .query("path", Kind::Like("/srv/clare"), "The folder; the root if absent. `%` is written `%25`")
        .answers::<FolderView>(200, "What is in it")
}

pub fn read() -> Doc {
    in_query(of_files("read_file", "Get a file of a workspace, or a folder as one file"))
        .about(
            "The bytes come as they are read. A folder comes as an archive: links are packed as links, and what the \
             container's user can't read is named in a file `LEFT-OUT.txt` in it.",
        )
        .must("path", Kind::Like("/srv/clare/main.py"), PATH)
        .query("archive", Kind::Like("tar"), "`tar` or `zip`: the file or folder with all that is in it")
        .answers_text("application/octet-stream", "The bytes", "print(\"hello\")\n")
        .sends(200, "ETag", "What `If-Match` takes; of a file")
}

pub fn write() -> Doc {
    changing(in_query(of_files("write_file", "Write a file of a workspace")))
        .about(
            "It is written beside what is there, and takes its place when all has come: a file that does not come to its \
             end, or finds no room, changes nothing. Its owner and mode stay.",
        )
        .must("path", Kind::Like("/srv/clare/main.py"), PATH)
        .query("mode", Kind::Like("755"), "Who may do what, in octal digits; as before, or 644, if absent")
        .query("parents", Kind::Flag, "Make the folders that are missing on the way")
        .header("If-Match", Kind::Like("\"2a1f-6920e65e.1312d00-400\""), "Only if the file still has this etag")
        .header("If-None-Match", Kind::Like("*"), "`*`: only if there is nothing")
        .takes_bytes("application/octet-stream", "The bytes, 16 GB at most")
        .answers::<FileView>(200, "It is there")
        .sends(200, "ETag", "What `If-Match` takes")
        .refuses(400, "broke_off", "It did not come to its end; nothing was changed")
        .refuses(400, "name_too_long", "Its name is too long")
        .refuses(409, "exists", "There is one already")
        .refuses(412, "changed", "Somebody changed it meanwhile; nothing was changed")
}

pub fn make_folder() -> Doc {
    changing(of_files("make_folder", "Make a folder in a workspace"))
        .takes::<MakeFolderRequest>()
        .answers::<FileView>(201, "It is there")
        .refuses(400, "name_too_long", "Its name is too long")
        .refuses(409, "exists", "Something of that name is there already")
}

pub fn rename() -> Doc {
    changing(of_files("move_file", "Move or rename a file or folder of a workspace"))
        .takes::<MoveFileRequest>()
        .answers::<FileView>(200, "It is there now")
        .refuses(400, "name_too_long", "Its name is too long")
        .refuses(409, "exists", "Something is there already")
        .refuses(409, "into_itself", "A folder can't be in itself")
        .refuses(409, "elsewhere", "A folder of the image, or another disk: it can be copied, not moved")
}

pub fn remove() -> Doc {
    changing(in_query(of_files("remove_file", "Remove a file or folder of a workspace")))
        .must("path", Kind::Like("/srv/clare/main.py"), PATH)
        .query("recursive", Kind::Flag, "A folder goes with all that is in it")
        .nothing("It is gone")
        .refuses(409, "not_empty", "The folder is not empty")
        .refuses(409, "too_deep", "Too many folders lie within one another")
}
