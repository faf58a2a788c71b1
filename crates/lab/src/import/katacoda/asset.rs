//! Files that a scenario puts into its machines.

use super::page::{host_name, host_number};
use crate::files::Folder;
use crate::import::node::Node;
use crate::model::{Asset, Problems};
use crate::own::mode_of;
use crate::path::LabPath;

/// Where relative targets begin.
const HOME: &str = "/root";

/// The machine that a description means: `client` and `host01` are the first one.
pub(super) fn host(name: &str) -> String {
    host_name(host_number(name).unwrap_or(1))
}

/// The files of all machines, and how many machines are named.
pub(super) fn read(
    folder: &Folder<'_>,
    place: &LabPath,
    file: &LabPath,
    node: &Node,
    problems: &mut Problems,
) -> (Vec<Asset>, u8) {
    let (mut assets, mut hosts) = (Vec::new(), 1);
    for (name, items) in node.entries() {
        let number = host_number(name);
        if number.is_none() && name != "client" {
            let message = format!("{name:?} is no machine's name; the files go to {}", host_name(1));
            problems.error(file, items.line, message);
        }
        hosts = hosts.max(number.unwrap_or(1));
        for item in items.items() {
            let Some(mut asset) = one(place, file, item, problems) else { continue };
            asset.container = number.filter(|number| *number > 1).map(host_name);
            if asset.files(folder.list()).is_empty() {
                problems.error(file, item.line, format!("there is no file that fits {}", asset.from));
                continue;
            }
            assets.push(asset);
        }
    }
    (assets, hosts)
}

fn one(place: &LabPath, file: &LabPath, item: &Node, problems: &mut Problems) -> Option<Asset> {
    let Some(name) = item.text_of("file") else {
        problems.error(
            file,
            item.line,
            "`file` is missing; it must be a file in the folder assets, or a pattern of files",
        );
        return None;
    };
    let from = match place.resolve("assets").and_then(|assets| assets.resolve(name.trim_start_matches('/'))) {
        Ok(from) => from,
        Err(error) => {
            problems.error(file, item.line, error.to_string());
            return None;
        }
    };
    let target = item.text_of("target").unwrap_or("~/");
    let target = match target.strip_prefix('~') {
        Some(rest) => format!("{HOME}{rest}"),
        None if target.starts_with('/') => target.to_owned(),
        None => format!("{HOME}/{target}"),
    };
    // A target is a folder, whether or not it ends in a slash, unless it ends in the file's own name.
    let is_file = target.rsplit('/').next() == Some(from.name());
    let to = if is_file || target.ends_with('/') { target } else { format!("{target}/") };
    let mode = item.get("chmod").and_then(|node| {
        let mode = node.text().and_then(mode);
        if mode.is_none() {
            problems.error(file, node.line, "the permissions must be octal digits, such as 0755, or +x");
        }
        mode
    });
    let line = item.get("file").map_or(item.line, |node| node.line);
    Some(Asset { from: from.as_str().to_owned(), container: None, to, mode, file: file.clone(), line })
}

/// Permissions as `chmod` takes them, as far as scenarios use them.
fn mode(text: &str) -> Option<u32> {
    match text {
        "+x" | "a+x" | "u+x" | "ug+x" | "+rx" => Some(0o755),
        "+r" | "a+r" => Some(0o644),
        "+w" | "a+w" => Some(0o666),
        "+rwx" | "a+rwx" => Some(0o777),
        text => mode_of(text),
    }
}
