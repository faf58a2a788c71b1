//! `<pre class="file">`: text for a file in the editor, lifted into code fences.

use crate::import::page::{Source, attribute, unescaped};
use crate::model::{Action, Problems};
use crate::spell;

/// The text with fences for what is put into files; `folder` is what names of files are relative to.
pub(super) fn lift(source: &Source<'_>, folder: &str, problems: &mut Problems) -> String {
    if !source.text.contains("<pre") {
        return source.text.to_owned();
    }
    let lines: Vec<&str> = source.text.split('\n').collect();
    let (mut written, mut at) = (Vec::new(), 0);
    while at < lines.len() {
        let begin = lines[at].find("<pre ").filter(|begin| lines[at][..*begin].trim().is_empty());
        let end = begin.and_then(|_| (at..lines.len().min(at + 500)).find(|end| lines[*end].contains("</pre>")));
        let tag = begin.zip(end).and_then(|(begin, end)| {
            let whole = lines[at..=end].join("\n");
            let open = begin + whole[begin..].find('>')?;
            let tag = &whole[begin..open];
            let body = whole[open + 1..].split("</pre>").next()?.to_owned();
            (attribute(tag, "class") == Some("file")).then(|| (tag.to_owned(), body, end))
        });
        match tag {
            Some((tag, body, end)) => {
                let text = block(&tag, &body, folder, (source, source.line(at)), problems);
                let before = written.len();
                written.extend(text.lines().map(str::to_owned));
                // So that the lines behind it keep their numbers.
                let filled = (end + 1 - at).saturating_sub(written.len() - before);
                written.extend(std::iter::repeat_n(String::new(), filled));
                at = end + 1;
            }
            None => {
                written.push(lines[at].to_owned());
                at += 1;
            }
        }
    }
    written.join("\n")
}

fn block(tag: &str, body: &str, folder: &str, at: (&Source<'_>, u32), problems: &mut Problems) -> String {
    let code = unescaped(body.trim_matches('\n'));
    let name = attribute(tag, "data-filename").filter(|name| !name.is_empty());
    let target = attribute(tag, "data-target").unwrap_or("replace");
    let file = name.map(|name| {
        if name.starts_with('/') { name.to_owned() } else { format!("{folder}/{}", name.trim_start_matches("./")) }
    });
    let language = name.and_then(|name| name.rsplit_once('.')).map_or("", |(_, extension)| extension);
    let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
    let language = if plain(language) { language } else { "" };
    let action = match (target, file) {
        ("replace", Some(file)) if !file.contains(char::is_whitespace) => Action::Edit { file, container: None },
        ("clipboard", _) => Action::Copy,
        (target, file) => {
            let file = file.unwrap_or_else(|| "no file".to_owned());
            let message = format!("the text for {file} ({target}) is copied on a click, not put there");
            problems.warn(at.0.file, at.1, message);
            Action::Copy
        }
    };
    spell::fence(language, &action, &code, "")
}
