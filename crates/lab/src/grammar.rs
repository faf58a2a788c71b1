//! Reads what `spell` writes: the words of fences, the suffix of inline code, links to previews, and quizzes.

use crate::model::{Action, Answers, Quiz, QuizOption};
use crate::own::is_name;
use std::collections::BTreeMap;

/// What the info of a fence says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Info {
    /// Code to look at, in this language.
    Plain(String),
    /// Code in this language, with what happens to it on a click.
    Action(String, Action),
    /// A question.
    Quiz {
        /// Its name, if it has one.
        name: Option<String>,
        /// Its points.
        score: u32,
    },
}

/// Reads the info of a fence.
///
/// # Errors
/// If it begins like one of ours and goes on otherwise.
pub(crate) fn info(text: &str) -> Result<Info, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (language, words) = match words.as_slice() {
        [first, ..] if is_ours(first) => ("", words.as_slice()),
        [language, second, ..] if is_ours(second) => (*language, &words[1..]),
        other => return Ok(Info::Plain(language_of(other.first().unwrap_or(&"")))),
    };
    if words.first() == Some(&"quiz") {
        let mut options = options(&words[1..], &["name", "score"], &[])?;
        let name = options.remove("name");
        if let Some(name) = name.as_ref().filter(|name| !is_name(name)) {
            return Err(format!("{name:?} can't be the name of a quiz: lower-case letters, digits and hyphens"));
        }
        let score = options.remove("score").map_or(Ok(1), |score| score.parse());
        let score = score.ok().filter(|score| *score <= 1000).ok_or("`score` must be a number up to 1000")?;
        return Ok(Info::Quiz { name, score });
    }
    Ok(Info::Action(language_of(language), action(words)?))
}

fn is_ours(word: &str) -> bool {
    ["run", "copy", "edit", "quiz"].contains(&word)
}

/// A language as far as it can be one: what is shown as code needs no name that nobody knows.
fn language_of(word: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+-#._".contains(c);
    if word.len() <= 30 && word.chars().all(fits) { word.to_lowercase() } else { String::new() }
}

/// Reads what happens on a click, such as `run terminal=db`.
///
/// # Errors
/// If a word is not known or one is missing.
pub(crate) fn action(words: &[&str]) -> Result<Action, String> {
    match words {
        ["run", rest @ ..] => {
            let mut options = options(rest, &["terminal"], &["interrupt"])?;
            let terminal = options.remove("terminal");
            if let Some(name) = terminal.as_ref().filter(|name| !is_name(name)) {
                return Err(format!(
                    "{name:?} can't be the name of a terminal: lower-case letters, digits and hyphens"
                ));
            }
            Ok(Action::Run { terminal, interrupt: options.contains_key("interrupt") })
        }
        ["copy", rest @ ..] => options(rest, &[], &[]).map(|_| Action::Copy),
        ["edit", rest @ ..] => {
            let mut options = options(rest, &["file", "container"], &[])?;
            let file =
                options.remove("file").ok_or("`edit` needs the file in the container, as `file=/etc/app.yaml`")?;
            if !file.starts_with('/') || file.split('/').any(|part| part == "..") {
                return Err(format!("{file:?} must be a path in the container, from its root on and without `..`"));
            }
            Ok(Action::Edit { file, container: options.remove("container") })
        }
        _ => Err("a block is run, copied or edited: `run`, `copy` or `edit`".to_owned()),
    }
}

/// Words such as `name=value`, each at most once, and words that stand alone.
fn options(words: &[&str], named: &[&str], alone: &[&str]) -> Result<BTreeMap<String, String>, String> {
    let mut options = BTreeMap::new();
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let known = if word.contains('=') { named.contains(&name) && !value.is_empty() } else { alone.contains(word) };
        if !known {
            let values = named.iter().map(|name| format!("`{name}=…`"));
            let list: Vec<String> = values.chain(alone.iter().map(|word| format!("`{word}`"))).collect();
            let list = if list.is_empty() { "nothing".to_owned() } else { list.join(" and ") };
            return Err(format!("{word:?} is not known here; what may follow is {list}"));
        }
        if options.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(format!("`{name}` is there twice"));
        }
    }
    Ok(options)
}

/// Reads the suffix of inline code at the beginning of what follows it, such as `{run terminal=db}`, and gives how many
/// bytes it has. None if what follows is no suffix of ours.
pub(crate) fn suffix(after: &str) -> Option<(Result<Action, String>, usize)> {
    let inner = after.strip_prefix('{')?;
    let end = inner.find('}')?;
    let words: Vec<&str> = inner[..end].split_whitespace().collect();
    // `edit` needs more than a line.
    ["run", "copy"].contains(words.first()?).then(|| (action(&words), end + 2))
}

/// Where a link to a preview leads: container, port, path.
pub(crate) type PreviewTo = (Option<String>, u16, String);

/// Reads the address of a link to a preview, `preview:web:8080/path`; none if it is another link.
pub(crate) fn preview(url: &str) -> Option<Result<PreviewTo, String>> {
    let rest = url.strip_prefix("preview:")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (place, path) = rest.split_at(end);
    let (container, port) = match place.split_once(':') {
        Some((container, port)) => (Some(container.to_owned()), port),
        None => (None, place),
    };
    let wrong = || format!("{url:?} is not `preview:PORT/path` or `preview:CONTAINER:PORT/path`");
    let port = port.parse::<u16>().ok().filter(|port| *port > 0);
    let named = container.as_ref().is_none_or(|name| is_name(name));
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let plain = !path.contains(|c: char| c.is_control() || c == '\\' || c.is_whitespace());
    Some(port.filter(|_| named && plain).map(|port| (container, port, path)).ok_or_else(wrong))
}

/// Reads the content of a quiz.
///
/// # Errors
/// If there is no question, no right answer, or options and texts are mixed.
pub(crate) fn quiz(name: String, score: u32, content: &str) -> Result<Quiz, String> {
    const MOST: usize = 50;
    let (mut question, mut explanation) = (String::new(), String::new());
    let (mut options, mut texts) = (Vec::new(), Vec::new());
    for line in content.lines() {
        if let Some((right, text)) = option(line) {
            options.push(QuizOption { text: text.to_owned(), right });
        } else if let Some(text) = line.strip_prefix("= ") {
            texts.push(text.trim().to_owned());
        } else if let Some(text) = line.strip_prefix('>') {
            explanation.push_str(text.strip_prefix(' ').unwrap_or(text));
            explanation.push('\n');
        } else if options.is_empty() && texts.is_empty() {
            question.push_str(line);
            question.push('\n');
        } else if !line.trim().is_empty() {
            return Err("after the answers of a quiz only lines `> …` may follow".to_owned());
        }
    }
    let question = question.trim().to_owned();
    let explanation = explanation.trim().to_owned();
    let answers = match (options.is_empty(), texts.is_empty()) {
        _ if question.is_empty() => return Err("the quiz has no question before its answers".to_owned()),
        _ if options.len() > MOST || texts.len() > MOST => return Err(format!("a quiz may have {MOST} answers")),
        (false, true) if options.iter().any(|option| option.right) => Answers::Choice(options),
        (false, true) => return Err("none of the options is right: mark it with `- [x]`".to_owned()),
        (true, false) if texts.iter().all(|text| !text.is_empty()) => Answers::Text(texts),
        _ => return Err("a quiz needs either options `- [ ]` and `- [x]` or answers `= text`".to_owned()),
    };
    Ok(Quiz { name, question, answers, explanation, score })
}

/// One option, such as `- [x] text`.
fn option(line: &str) -> Option<(bool, &str)> {
    let rest = line.trim_start().strip_prefix(['-', '*'])?.trim_start().strip_prefix('[')?;
    let (right, rest) = match rest.strip_prefix(' ') {
        Some(rest) => (false, rest),
        None => (true, rest.strip_prefix(['x', 'X'])?),
    };
    let text = rest.strip_prefix(']')?.trim();
    (!text.is_empty()).then_some((right, text))
}

#[cfg(test)]
mod tests;
