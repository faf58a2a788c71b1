//! The checks of pages: programs in `workshop/examiner/tests`.

use crate::files::Folder;
use crate::import::node::Node;
use crate::import::scripts::with_arguments;
use crate::model::{Check, Problems, Script, When};
use crate::own::slug;
use crate::path::LabPath;

/// The time that a check gets there unless it says otherwise, in seconds.
const TIMEOUT_SECONDS: u32 = 15;

/// The check that an action describes.
pub(super) fn read(
    (folder, place, file): (&Folder<'_>, &LabPath, &LabPath),
    node: &Node,
    title: &str,
    line: u32,
    before: &[Check],
    problems: &mut Problems,
) -> Option<Check> {
    for (key, what) in [("inputs", "what it asks for"), ("url", "the service that it asks")] {
        if let Some(found) = node.get(key) {
            problems.error(file, found.line, format!("the check {title:?} is left out: there is nothing for {what}"));
            return None;
        }
    }
    let Some(name) = node.text_of("name") else {
        problems.error(file, line, "`name` is missing; it must be a program in workshop/examiner/tests");
        return None;
    };
    let named = place.resolve("workshop/examiner/tests").and_then(|tests| tests.resolve(name));
    let path = match named {
        Ok(path) => path,
        Err(error) => {
            problems.error(file, line, error.to_string());
            return None;
        }
    };
    let text = folder.text(&path, (file, node.get("name").map_or(line, |node| node.line)), problems)?;
    let arguments: Vec<&str> = node.items_of("args").iter().map(|node| node.text().unwrap_or_default()).collect();
    let Some(text) = with_arguments(&text, &arguments) else {
        problems.error(&path, 1, "arguments can be given to shell scripts only; the check is left out");
        return None;
    };
    let base = slug(name);
    let names = |name: &str| before.iter().any(|check| check.name == name);
    let unique = (2..1000).map(|number| format!("{}-{number}", &base[..base.len().min(34)]));
    let name = std::iter::once(base.clone()).chain(unique).find(|name| !names(name))?;
    let again = node.text_of("retries").is_some_and(|retries| retries != "0") || node.is("autostart");
    let every_seconds = node.number::<u32>("delay").filter(|delay| *delay > 0).unwrap_or(Check::EVERY_SECONDS);
    let timeout = node.number::<u32>("timeout").filter(|timeout| *timeout > 0).unwrap_or(TIMEOUT_SECONDS);
    Some(Check {
        name,
        title: title.to_owned(),
        script: Script { file: path, line: 1, text },
        container: None,
        timeout_seconds: timeout.min(Check::LONGEST_SECONDS),
        score: 1,
        when: if again { When::Continuous { every_seconds } } else { When::Click },
        hints: Vec::new(),
    })
}
