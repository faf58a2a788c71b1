//! What the kernel says of files, in words for people and codes for programs.

use crate::refusal::Refusal;
use hyper::StatusCode;
use pierhead_model::FilePath;
use rustix::io::Errno;

/// Why nothing was done with a file.
pub(super) fn trouble(error: Errno, path: &FilePath) -> Refusal {
    let (status, code, message) = match error {
        Errno::NOENT => (StatusCode::NOT_FOUND, "no_such_file", format!("nothing is at {path}")),
        Errno::ACCESS | Errno::PERM => {
            (StatusCode::FORBIDDEN, "file_forbidden", format!("the container's user may not do that with {path}"))
        }
        Errno::NOTDIR => {
            (StatusCode::CONFLICT, "not_a_folder", format!("{path}, or something on the way to it, is no folder"))
        }
        Errno::ISDIR => (StatusCode::CONFLICT, "is_a_folder", format!("{path} is a folder")),
        Errno::EXIST => (StatusCode::CONFLICT, "exists", format!("{path} is there already")),
        Errno::NOTEMPTY => (StatusCode::CONFLICT, "not_empty", format!("{path} is not empty")),
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => {
            (StatusCode::INSUFFICIENT_STORAGE, "no_space", format!("there is no room for {path} on the disk"))
        }
        Errno::ROFS => (StatusCode::CONFLICT, "read_only", format!("{path} can only be read")),
        Errno::LOOP => (StatusCode::CONFLICT, "too_many_links", format!("{path} leads over links without end")),
        Errno::NAMETOOLONG => (StatusCode::BAD_REQUEST, "name_too_long", format!("{path} is too long")),
        Errno::XDEV => (
            StatusCode::CONFLICT,
            "elsewhere",
            format!("{path} cannot be moved as it is, since it comes from the image or lies on another disk: copy it"),
        ),
        Errno::BUSY | Errno::TXTBSY => (StatusCode::CONFLICT, "in_use", format!("{path} is in use")),
        Errno::NOSYS => (
            StatusCode::NOT_IMPLEMENTED,
            "not_readable",
            "the host's kernel is too old to look for files safely: it must be 5.6 or newer".to_owned(),
        ),
        error => (StatusCode::BAD_GATEWAY, "failed", format!("{path}: {error}")),
    };
    Refusal::new(status, code, message)
}

/// What is neither an ordinary file nor a folder, or the kernel's own.
pub(super) fn not_ordinary(path: &FilePath) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "not_ordinary", format!("{path} is no ordinary file or folder"))
}

/// What is more than is done at once.
pub(super) fn too_deep(path: &FilePath) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "too_deep", format!("too many folders lie within one another in {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_lack_of_rights() {
        let path = FilePath::parse("/srv/a%25").unwrap();
        let of = |error| trouble(error, &path);
        assert_eq!((of(Errno::NOSPC).status.as_u16(), of(Errno::NOSPC).code), (507, "no_space"));
        assert_eq!(of(Errno::DQUOT).code, "no_space");
        assert_eq!((of(Errno::ACCESS).status.as_u16(), of(Errno::PERM).code), (403, "file_forbidden"));
        assert_eq!(of(Errno::NOENT).message, "nothing is at /srv/a%25");
        assert!(of(Errno::IO).message.starts_with("/srv/a%25: "), "what is rare is told as the kernel says it");
    }
}
