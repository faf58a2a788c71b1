//! How our own format spells blocks: what importers and writers use, so that the grammar stands in one place.

use crate::model::{Action, Answers, Quiz};
use std::fmt::Write;

/// The info of a code fence, such as `sh run terminal=db`.
#[must_use]
pub fn info(language: &str, action: &Action) -> String {
    let words = words(action);
    if language.is_empty() { words } else { format!("{language} {words}") }
}

/// A code fence with what happens to it on a click; lines after the first begin with `indent`, for lists.
#[must_use]
pub fn fence(language: &str, action: &Action, code: &str, indent: &str) -> String {
    fenced(&info(language, action), code, indent)
}

/// Code within a line, such as `` `ls -l`{run} ``. A block for an editor can't stand in a line: it is copied there.
#[must_use]
pub fn inline(code: &str, action: &Action) -> String {
    let words = if matches!(action, Action::Edit { .. }) { words(&Action::Copy) } else { words(action) };
    let ticks = "`".repeat(longest_run(code, '`') + 1);
    let blank = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
    format!("{ticks}{blank}{code}{blank}{ticks}{{{words}}}")
}

/// The address of a link to what a container serves, such as `preview:web:8080/path`; `path` begins with a slash or is
/// empty. The container is the first one if none is named.
#[must_use]
pub fn preview(container: Option<&str>, port: u16, path: &str) -> String {
    match container {
        Some(container) => format!("preview:{container}:{port}{path}"),
        None => format!("preview:{port}{path}"),
    }
}

/// A hint, which is closed until the student asks for it.
#[must_use]
pub fn hint(title: &str, markdown: &str) -> String {
    let mut text = format!("> [!HINT] {title}\n");
    for line in markdown.lines() {
        text.push_str(if line.is_empty() { ">" } else { "> " });
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// A question.
#[must_use]
pub fn quiz(quiz: &Quiz, indent: &str) -> String {
    let mut info = format!("quiz name={}", quiz.name);
    if quiz.score != 1 {
        let _ = write!(info, " score={}", quiz.score);
    }
    let mut text = format!("{}\n", quiz.question.trim());
    match &quiz.answers {
        Answers::Choice(options) => {
            for option in options {
                let _ = writeln!(text, "- [{}] {}", if option.right { "x" } else { " " }, option.text.trim());
            }
        }
        Answers::Text(answers) => {
            for answer in answers {
                let _ = writeln!(text, "= {}", answer.trim());
            }
        }
    }
    for line in quiz.explanation.lines() {
        let _ = writeln!(text, "> {line}");
    }
    fenced(&info, &text, indent)
}

fn words(action: &Action) -> String {
    match action {
        Action::Run { terminal, interrupt } => {
            let terminal = terminal.as_ref().map_or(String::new(), |name| format!(" terminal={name}"));
            format!("run{terminal}{}", if *interrupt { " interrupt" } else { "" })
        }
        Action::Copy => "copy".to_owned(),
        Action::Edit { file, container } => {
            let container = container.as_ref().map_or(String::new(), |name| format!(" container={name}"));
            format!("edit file={file}{container}")
        }
    }
}

fn fenced(info: &str, code: &str, indent: &str) -> String {
    let ticks = "`".repeat((longest_run(code, '`') + 1).max(3));
    let mut text = format!("{ticks}{info}\n");
    for line in code.lines() {
        if !line.is_empty() {
            text.push_str(indent);
            text.push_str(line);
        }
        text.push('\n');
    }
    text.push_str(indent);
    text.push_str(&ticks);
    text.push('\n');
    text
}

/// How often a character stands behind itself at most.
fn longest_run(text: &str, of: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests;
