//! What the pages of all other formats have in common when they are translated.

use super::foreign::{rooted, without_foreign};
use super::markdown::{Fence, Part, Rewritten, parts};
use super::spans::{Piece, pieces};
use crate::model::{Action, Problems};
use crate::path::LabPath;
use crate::spell;

/// A page that is translated.
pub(super) struct Source<'a> {
    /// Its file.
    pub(super) file: &'a LabPath,
    /// How many lines of the file are before its text.
    pub(super) before: usize,
    /// Its text.
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// The line of the file, from 1, of a line of the text, from 0.
    pub(super) fn line(&self, at: usize) -> u32 {
        (self.before + at + 1) as u32
    }
}

/// How a format writes what a page has beside text. Whatever is written must have as many lines as what was read, or
/// fewer.
pub(super) trait Dialect {
    /// What stands for a code fence.
    fn fence(&mut self, fence: &Fence<'_>, line: u32, problems: &mut Problems) -> String;

    /// What stands for lines outside of fences; as many lines.
    fn prose(&mut self, text: &str, line: u32, problems: &mut Problems) -> String;

    /// What empty lines begin with here that stand for what was read and is not needed.
    fn indent(&self) -> String {
        String::new()
    }
}

/// Translates a page.
pub(super) fn translate(source: &Source<'_>, dialect: &mut dyn Dialect, problems: &mut Problems) -> String {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut page = Rewritten::default();
    for part in parts(&lines) {
        match part {
            Part::Fence(fence) => {
                let written = dialect.fence(&fence, source.line(fence.at), problems);
                page.put(&written, fence.lines(), &(dialect.indent() + &fence.indent()));
            }
            Part::Prose { at, lines } => {
                let text = without_foreign(&lines.join("\n"), source.file, source.line(at), problems);
                let written = rooted(&dialect.prose(&text, source.line(at), problems), source.file);
                page.put_each(&written, lines.len());
            }
        }
    }
    page.text()
}

/// The text with what `change` makes of each run of lines outside of fences; it is told the first of them, from 0, and
/// must make as many of them.
pub(super) fn outside_fences(text: &str, mut change: impl FnMut(&str, usize) -> String) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut written = Vec::new();
    for part in parts(&lines) {
        match part {
            Part::Prose { at, lines } => written.push(change(&lines.join("\n"), at)),
            Part::Fence(fence) => written.push(lines[fence.at..fence.at + fence.lines()].join("\n")),
        }
    }
    written.join("\n") + "\n"
}

/// Code in lines with what happens to it on a click: its marks stay as they are.
pub(super) fn with_action(whole: &str, action: &Action) -> String {
    let spelled = spell::inline("x", action);
    format!("{whole}{}", spelled.trim_start_matches("`x`"))
}

/// What a fence is called that is run by a shell: its own language, or that of shells.
pub(super) fn language(info: &str) -> &str {
    info.split([' ', '{', '[', ',']).next().filter(|word| !word.is_empty()).unwrap_or("sh")
}

/// How many line breaks are before a place in a text.
pub(super) fn breaks(text: &str) -> u32 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u32
}

/// The text with what `change` makes of each piece that is no code; it is told the line of the piece.
pub(super) fn outside_code(text: &str, line: u32, mut change: impl FnMut(&str, u32) -> String) -> String {
    let (mut written, mut line) = (String::new(), line);
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => {
                written.push_str(&change(text, line));
                line += breaks(text);
            }
            Piece::Code { whole, .. } => {
                written.push_str(whole);
                line += breaks(whole);
            }
        }
    }
    written
}

/// The value of an attribute of a tag.
pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.match_indices(name).find_map(|(at, _)| {
        let own = tag[..at].ends_with(|c: char| c.is_ascii_whitespace());
        let value = tag[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|c| own && matches!(c, '"' | '\''))?;
        value[1..].split(quote).next().map(str::trim)
    })
}

/// Text without the escapes of HTML.
pub(super) fn unescaped(text: &str) -> String {
    let escapes = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    escapes.iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

/// The minutes that a text such as `30 minutes`, `1h` or `90m` speaks of.
pub(super) fn minutes(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.split(|c: char| !c.is_ascii_digit()).next().filter(|digits| !digits.is_empty())?;
    let number: u32 = digits.parse().ok()?;
    let hours = text[digits.len()..].trim_start().to_ascii_lowercase().starts_with('h');
    Some(if hours { number.checked_mul(60)? } else { number }).filter(|minutes| (1..=10_000).contains(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_and_escapes() {
        let tag = "<pre class=\"file\" data-filename='a b.js' data-target = \"replace\">";
        assert_eq!(attribute(tag, "class"), Some("file"));
        assert_eq!(attribute(tag, "data-filename"), Some("a b.js"));
        assert_eq!(attribute(tag, "data-target"), Some("replace"));
        assert_eq!(attribute(tag, "filename"), None);
        assert_eq!(unescaped("a &lt;b&gt; &amp;amp;"), "a <b> &amp;");
    }

    #[test]
    fn times_are_minutes() {
        let cases = [
            ("30m", Some(30)),
            ("5 minutes", Some(5)),
            ("2h", Some(120)),
            ("1 hour", Some(60)),
            ("x", None),
            ("0", None),
            ("99999999999", None),
        ];
        for (text, expected) in cases {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }

    #[test]
    fn code_in_lines_gets_its_action() {
        let run = Action::Run { terminal: Some("host02".to_owned()), interrupt: true };
        assert_eq!(with_action("``a`b``", &run), "``a`b``{run terminal=host02 interrupt}");
        assert_eq!(with_action("`a`", &Action::Copy), "`a`{copy}");
        assert_eq!((language(""), language("bash {x}"), language("yaml{1}")), ("sh", "bash", "yaml"));
    }
}
