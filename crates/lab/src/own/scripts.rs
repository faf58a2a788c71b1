//! Scripts that are named by a file or stand in the document itself.

use crate::files::Folder;
use crate::model::{Problems, Script};
use crate::path::LabPath;

/// Where in a document something stands.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    /// The file.
    pub(crate) file: &'a LabPath,
    /// The line, from 1.
    pub(crate) line: u32,
}

/// The script that is named by `script` or stands in `run`; exactly one of them must be given.
pub(crate) fn script(
    folder: &Folder<'_>,
    at: At<'_>,
    (named, run): (Option<&str>, Option<&str>),
    problems: &mut Problems,
) -> Option<Script> {
    match (named, run) {
        (Some(named), None) => from_file(folder, at, named, problems),
        (None, Some(text)) if text.trim().is_empty() => {
            problems.error(at.file, at.line, "`run` is empty; it must be a script");
            None
        }
        (None, Some(text)) => Some(Script { file: at.file.clone(), line: at.line, text: text.to_owned() }),
        _ => {
            problems.error(
                at.file,
                at.line,
                "exactly one of `script` (a file) and `run` (the script itself) is needed",
            );
            None
        }
    }
}

/// The script in a file.
pub(crate) fn from_file(folder: &Folder<'_>, at: At<'_>, named: &str, problems: &mut Problems) -> Option<Script> {
    let path = match at.file.parent().resolve(named) {
        Ok(path) => path,
        Err(error) => {
            problems.error(at.file, at.line, error.to_string());
            return None;
        }
    };
    let text = folder.text(&path, (at.file, at.line), problems)?;
    if text.trim().is_empty() {
        problems.error(&path, 1, "the script is empty");
        return None;
    }
    Some(Script { file: path, line: 1, text })
}
