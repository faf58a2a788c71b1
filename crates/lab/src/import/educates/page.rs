//! One page of a workshop: actions, sections that open, notes.

use super::checks;
use super::shortcodes::{Around, around};
use crate::files::Folder;
use crate::import::markdown::Fence;
use crate::import::node::{Node, Value, read_yaml};
use crate::import::page::{Dialect, with_action};
use crate::import::spans::{Piece, pieces};
use crate::model::{Action, Check, Problems};
use crate::own::slug;
use crate::path::LabPath;
use crate::spell;

/// What a page is translated with.
pub(super) struct Instructions<'a> {
    pub(super) folder: &'a Folder<'a>,
    pub(super) place: &'a LabPath,
    pub(super) file: &'a LabPath,
    /// The checks of the page so far.
    pub(super) checks: Vec<Check>,
    /// The terminals that it named so far, beside the first one.
    pub(super) terminals: Vec<String>,
    /// What is open: sections and notes.
    open: Vec<Open>,
}

/// How many sections and notes may lie in one another.
const DEEPEST: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// A section, whose lines are quoted.
    Section,
    /// A section in a section: there are no hints in hints.
    Inner,
    /// A note, whose lines are quoted.
    Note,
}

/// What a terminal is called; the first one has the container's name.
pub(super) fn terminal_name(session: &str) -> String {
    if session.chars().all(|c| c.is_ascii_digit()) { format!("terminal-{session}") } else { slug(session) }
}

impl<'a> Instructions<'a> {
    /// For a page.
    pub(super) fn of(folder: &'a Folder<'a>, place: &'a LabPath, file: &'a LabPath) -> Self {
        Self { folder, place, file, checks: Vec::new(), terminals: Vec::new(), open: Vec::new() }
    }

    /// That the page is over.
    pub(super) fn end(&mut self, line: u32, problems: &mut Problems) {
        if !self.open.is_empty() {
            problems.error(self.file, line, "a section or note does not end");
        }
    }

    /// The terminal of a session; none for the first one.
    pub(super) fn terminal(&mut self, session: Option<&str>) -> Option<String> {
        let name = terminal_name(session.filter(|session| *session != "1")?);
        if !self.terminals.contains(&name) {
            self.terminals.push(name.clone());
        }
        Some(name)
    }

    fn quote(&self) -> String {
        "> ".repeat(self.open.iter().filter(|open| **open != Open::Inner).count())
    }

    fn quoted(&self, text: &str) -> String {
        let quote = self.quote();
        if quote.is_empty() {
            return text.to_owned();
        }
        let line = |line: &str| if line.is_empty() { quote.trim_end().to_owned() } else { format!("{quote}{line}") };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    /// That a section or a note is open, unless too many are.
    fn opened(&mut self, open: Open) {
        if self.open.len() < DEEPEST {
            self.open.push(open);
        }
    }

    /// A section begins: a hint, unless it is within one.
    pub(super) fn begin_section(&mut self, title: &str) -> String {
        let inner = self.open.iter().any(|open| matches!(open, Open::Section | Open::Inner));
        let line = if inner { format!("**{title}**") } else { format!("> [!HINT] {title}") };
        let text = self.quoted(&line);
        self.opened(if inner { Open::Inner } else { Open::Section });
        text
    }

    /// A section ends.
    pub(super) fn end_section(&mut self, line: u32, problems: &mut Problems) -> String {
        match self.open.iter().rposition(|open| *open != Open::Note) {
            Some(at) => self.open.truncate(at),
            None => problems.error(self.file, line, "a section ends that did not begin"),
        }
        self.quote().trim_end().to_owned()
    }

    /// A line that consists of a template.
    fn around(&mut self, kind: Around, name: &str, line: u32, problems: &mut Problems) -> String {
        match kind {
            Around::Note(kind) => {
                let text = self.quoted(&format!("> [!{kind}]"));
                self.opened(Open::Note);
                return text;
            }
            Around::End => match self.open.iter().rposition(|open| *open == Open::Note) {
                Some(at) => self.open.truncate(at),
                None => problems.error(self.file, line, "a note ends that did not begin"),
            },
            Around::Pathway => {
                problems.warn(self.file, line, "what is for one way through the workshop is shown on all");
            }
            Around::Unknown => problems.error(self.file, line, format!("the template {name:?} is left out")),
        }
        self.quote().trim_end().to_owned()
    }
}

impl Dialect for Instructions<'_> {
    fn fence(&mut self, fence: &Fence<'_>, line: u32, problems: &mut Problems) -> String {
        let kind = fence.info.split_whitespace().next().unwrap_or_default();
        let code = fence.code();
        if !super::actions::is_action(kind) {
            return self.quoted(&fence.with_info(fence.info));
        }
        let node = if kind.contains(':') {
            match read_yaml(&finite(&code), self.file, line as usize, problems) {
                Some(node) => node,
                None => return self.quoted(&fence.with_info("yaml")),
            }
        } else {
            Node { line: line + 1, value: Value::Text(code.clone()) }
        };
        if kind.starts_with("examiner:") {
            return self.check(&node, line, problems);
        }
        let indent = fence.indent();
        let before = fence.before.to_owned();
        let text = super::actions::action(self, kind, &node, &code, line, problems);
        let quote_is_done = kind.starts_with("section:");
        let text = text.trim_end_matches('\n');
        let indented: Vec<String> = text
            .split('\n')
            .enumerate()
            .map(|(at, line)| if at == 0 { format!("{before}{line}") } else { format!("{indent}{line}") })
            .collect();
        if quote_is_done { text.to_owned() } else { self.quoted(&indented.join("\n")) }
    }

    fn prose(&mut self, text: &str, line: u32, problems: &mut Problems) -> String {
        let mut written = Vec::new();
        for (at, text) in copies(text).split('\n').enumerate() {
            let line = line + at as u32;
            written.push(match around(text) {
                Some((kind, name)) => self.around(kind, &name, line, problems),
                None => self.quoted(text),
            });
        }
        written.join("\n")
    }

    fn indent(&self) -> String {
        self.quote()
    }
}

impl Instructions<'_> {
    /// A check: what is checked stands in the page.
    fn check(&mut self, node: &Node, line: u32, problems: &mut Problems) -> String {
        let title = node.text_of("title").or(node.text_of("name")).unwrap_or("Check").to_owned();
        let tests = (self.folder, self.place, self.file);
        if let Some(check) = checks::read(tests, node, &title, line, &self.checks, problems) {
            self.checks.push(check);
        }
        self.quoted(&format!("*{}*", title.replace('*', "")))
    }
}

/// The YAML of an action without numbers that have no end, which mean again and again.
fn finite(yaml: &str) -> String {
    let endless = [": .INF", ": .inf", ": .Inf"];
    let line = |line: &str| match endless.iter().find(|end| line.trim_end().ends_with(**end)) {
        Some(end) => format!("{}: -1", line.trim_end().trim_end_matches(*end)),
        None => line.to_owned(),
    };
    yaml.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Text with what is copied on a click: code with `{{<copy>}}` or `{{copy}}` behind it.
fn copies(text: &str) -> String {
    let pieces = pieces(text);
    let (mut written, mut behind) = (String::new(), 0);
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => {
                written.push_str(&text[behind..]);
                behind = 0;
            }
            Piece::Code { whole, .. } => {
                let next = if let Some(Piece::Text(next)) = pieces.get(index + 1) { next } else { "" };
                let mark = ["{{<copy>}}", "{{< copy >}}", "{{copy}}"].iter().find(|mark| next.starts_with(**mark));
                behind = mark.map_or(0, |mark| mark.len());
                written.push_str(&if mark.is_some() { with_action(whole, &Action::Copy) } else { (*whole).to_owned() });
            }
        }
    }
    written
}

/// A fence with what happens to its code.
pub(super) fn block(language: &str, action: &Action, code: &str) -> String {
    spell::fence(language, action, code.trim_end_matches('\n'), "")
}
