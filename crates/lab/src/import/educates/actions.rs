//! The actions of pages: fences whose info says what happens on a click.

use super::HOME;
use super::page::{Instructions, block};
use crate::import::node::Node;
use crate::model::{Action, Problems};

/// Whether the info of a fence is that of an action.
pub(super) fn is_action(kind: &str) -> bool {
    let families = ["terminal:", "workshop:", "dashboard:", "editor:", "files:", "examiner:", "section:"];
    let old = ["execute", "execute-1", "execute-2", "execute-3", "execute-all", "copy", "copy-and-edit"];
    families.iter().any(|family| kind.starts_with(family)) || old.contains(&kind)
}

/// What stands for an action in the page.
pub(super) fn action(
    page: &mut Instructions<'_>,
    kind: &str,
    node: &Node,
    code: &str,
    line: u32,
    problems: &mut Problems,
) -> String {
    if node.is("autostart") {
        problems.warn(page.file, line, "nothing is done by itself when a page opens; it is done on a click");
    }
    match kind {
        "section:begin" => page.begin_section(node.text_of("title").unwrap_or("More")),
        "section:end" => page.end_section(line, problems),
        "section:heading" => format!("**{}**", node.text_of("title").unwrap_or_default()),
        "copy" | "copy-and-edit" => block("", &Action::Copy, code),
        "workshop:copy" | "workshop:copy-and-edit" => block("", &Action::Copy, text(node, "text")),
        _ if kind.starts_with("execute") || kind.starts_with("terminal:") => terminal(page, kind, node, line, problems),
        _ if kind.starts_with("editor:") => editor(page, kind, node, code, line, problems),
        _ => other(page, kind, node, line, problems),
    }
}

/// A text as it was written, but for the line break at its end.
fn text<'a>(node: &'a Node, key: &str) -> &'a str {
    match node.get(key).map(|node| &node.value) {
        Some(crate::import::node::Value::Text(text)) => text.trim_end_matches('\n'),
        _ => "",
    }
}

fn terminal(page: &mut Instructions<'_>, kind: &str, node: &Node, line: u32, problems: &mut Problems) -> String {
    let session = match kind.strip_prefix("execute-") {
        Some("all") => None,
        Some(number) => Some(number),
        None => node.text_of("session"),
    };
    if kind.ends_with("-all") {
        problems.warn(page.file, line, "what is for all terminals is done in the first one");
    }
    let terminal = page.terminal(session);
    let run = |code: &str, interrupt| block("sh", &Action::Run { terminal: terminal.clone(), interrupt }, code);
    let old = node.text().unwrap_or_default();
    match kind.trim_start_matches("terminal:").trim_end_matches("-all") {
        "interrupt" => run("true", true),
        "clear" => run("clear", false),
        "select" => String::new(),
        "execute" if node.get("command").is_some() => run(text(node, "command"), false),
        "input" => {
            problems.warn(page.file, line, "the text is run as a command is");
            run(text(node, "text"), false)
        }
        _ if old == "<ctrl+c>" => run("true", true),
        _ if kind.starts_with("execute") && !old.is_empty() => run(old, false),
        _ => {
            problems.error(page.file, line, format!("the action {kind} is left out: it has no `command`"));
            String::new()
        }
    }
}

/// The path of a file there, from the root on.
fn path(file: &str) -> String {
    let below = file.strip_prefix("~/").or_else(|| file.strip_prefix("$HOME/"));
    match below {
        Some(below) => format!("{HOME}/{below}"),
        None if file.starts_with('/') => file.to_owned(),
        None => format!("{HOME}/{file}"),
    }
}

fn editor(
    page: &mut Instructions<'_>,
    kind: &str,
    node: &Node,
    code: &str,
    line: u32,
    problems: &mut Problems,
) -> String {
    let file = node.text_of("file").map(path).filter(|file| !file.contains(char::is_whitespace));
    let Some(file) = file else {
        problems.error(page.file, line, format!("the action {kind} has nothing here; what it says is shown"));
        return block("yaml", &Action::Copy, code);
    };
    let name = file.rsplit('/').next().unwrap_or_default().to_owned();
    let language = name.rsplit_once('.').map_or("", |(_, language)| language);
    match kind {
        "editor:create-file" => block(language, &Action::Edit { file, container: None }, text(node, "text")),
        "editor:append-lines-to-file" => {
            problems.warn(
                page.file,
                line,
                format!("the editor puts the text in place of what is in {file}, not behind it"),
            );
            block(language, &Action::Edit { file, container: None }, text(node, "text"))
        }
        "editor:open-file" => {
            problems.warn(page.file, line, format!("{file} is not opened on a click; its name stands there"));
            format!("`{file}`{{copy}}")
        }
        _ if node.get("text").is_some() => {
            problems.warn(page.file, line, format!("the text for {file} is copied on a click, not put there"));
            format!("`{file}`:\n\n{}", block(language, &Action::Copy, text(node, "text")))
        }
        _ => {
            problems.error(page.file, line, format!("the action {kind} has nothing here; what it says is shown"));
            block("yaml", &Action::Copy, code)
        }
    }
}

fn other(page: &mut Instructions<'_>, kind: &str, node: &Node, line: u32, problems: &mut Problems) -> String {
    let address = node.text_of("url").filter(|address| !address.starts_with("terminal:"));
    match (kind.split(':').next(), address) {
        (Some("dashboard"), Some(address)) => {
            let title = node.text_of("title").or(node.text_of("name")).unwrap_or(address);
            format!("[{title}]({address})")
        }
        (Some("dashboard"), None) => {
            problems.warn(page.file, line, format!("{kind} is left out: there are no tabs that it could open"));
            String::new()
        }
        (Some("files"), _) => {
            let file = node.text_of("path").map(path).unwrap_or_default();
            problems.warn(page.file, line, format!("{kind} is left out: files go in and out beside the document"));
            format!("`{file}`{{copy}}")
        }
        _ => {
            problems.error(page.file, line, format!("the action {kind} is not known and is left out"));
            String::new()
        }
    }
}
