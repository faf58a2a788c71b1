//! The pages of scenarios: what stands in double braces behind code, and what else their Markdown has.

use super::address::{addresses, addresses_in_code};
use super::{editor, quiz};
use crate::import::markdown::Fence;
use crate::import::node::Node;
use crate::import::page::{Dialect, Source, breaks, language, translate, with_action};
use crate::import::spans::{Piece, braces, pieces};
use crate::model::{Action, Problems, Script};
use crate::path::LabPath;
use std::collections::BTreeSet;

/// The most machines and terminals that a scenario may speak of.
const MOST: u8 = 9;

/// What the pages of a scenario were found to need.
#[derive(Debug, Default)]
pub(super) struct Scenario {
    /// How many machines.
    pub(super) hosts: u8,
    /// Further terminals: machine and number, from 2.
    pub(super) terminals: BTreeSet<(u8, u8)>,
    /// What machines serve.
    pub(super) ports: BTreeSet<(u8, u16)>,
    /// The folder that the editor shows.
    pub(super) editor: String,
    quizzes: usize,
}

/// What a machine is called.
pub(super) fn host_name(number: u8) -> String {
    format!("host{number:02}")
}

/// The number of a machine that is called `host01`, `HOST1`, or `1`.
pub(super) fn host_number(name: &str) -> Option<u8> {
    let digits = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    digits.parse().ok().filter(|number| (1..=MOST).contains(number))
}

/// What a terminal is called; the first one of a machine has its name.
pub(super) fn terminal_name(host: u8, terminal: u8) -> String {
    if terminal < 2 { host_name(host) } else { format!("{}-{terminal}", host_name(host)) }
}

impl Scenario {
    /// What a description says of it.
    pub(super) fn of(index: &Node) -> Self {
        let editor = index.at(&["environment", "uieditorpath"]).and_then(Node::text).unwrap_or("/root");
        Self { hosts: 1, editor: editor.trim_end_matches('/').to_owned(), ..Self::default() }
    }

    /// That a machine serves a port.
    pub(super) fn serve(&mut self, host: u8, port: u16) {
        self.hosts = self.hosts.max(host);
        self.ports.insert((host, port));
    }

    /// Translates a page.
    pub(super) fn translate(&mut self, file: &LabPath, text: &str, problems: &mut Problems) -> String {
        self.quizzes = 0;
        let source = Source { file, before: 0, text };
        let text = editor::lift(&source, &self.editor, problems);
        let source = Source { text: &text, ..source };
        translate(&source, &mut Pages { scenario: self, file }, problems)
    }

    /// A script with the names of machines for their addresses.
    pub(super) fn script(&mut self, script: Script, problems: &mut Problems) -> Script {
        let text = addresses_in_code(self, &script.text, (&script.file, script.line), problems);
        Script { text, ..script }
    }

    /// The name of the next quiz of a page.
    pub(super) fn next_quiz(&mut self) -> String {
        self.quizzes += 1;
        format!("q{}", self.quizzes)
    }

    /// What the words in double braces behind code mean; none for text that stays as it is.
    fn action(&mut self, words: &str, at: (&LabPath, u32), problems: &mut Problems) -> Option<Action> {
        let (mut run, mut copy, mut interrupt) = (false, false, false);
        let (mut host, mut terminal) = (1, 1);
        let mut named = false;
        for word in words.split_whitespace() {
            let number = host_number(word);
            match word.to_ascii_lowercase().as_str() {
                "execute" | "exec" => run = true,
                "copy" => copy = true,
                "open" => {
                    copy = true;
                    problems.warn(
                        at.0,
                        at.1,
                        "the name of the file is copied on a click; nothing opens it in an editor",
                    );
                }
                "interrupt" => interrupt = true,
                "ctrl-seq" => {
                    problems.error(at.0, at.1, "keys are not sent on a click; the text says only which ones to press");
                    return None;
                }
                lower if lower.starts_with("host") && number.is_some() => {
                    (host, named) = (number.unwrap_or(1), true);
                }
                lower if lower.starts_with('t') && lower.len() == 2 && number.is_some() => {
                    (terminal, named) = (number.unwrap_or(1), true);
                }
                _ => {
                    let message = format!("`{{{{{words}}}}}` behind code is not known; the word {word:?} is left out");
                    problems.error(at.0, at.1, message);
                }
            }
        }
        if run {
            self.hosts = self.hosts.max(host);
            if terminal > 1 {
                self.terminals.insert((host, terminal));
            }
            return Some(Action::Run { terminal: named.then(|| terminal_name(host, terminal)), interrupt });
        }
        copy.then_some(Action::Copy)
    }
}

/// Whether words in double braces surely say what happens on a click.
fn is_suffix(words: &str) -> bool {
    words.split_whitespace().any(|word| ["execute", "exec", "copy", "open"].contains(&word))
}

struct Pages<'a> {
    scenario: &'a mut Scenario,
    file: &'a LabPath,
}

impl Dialect for Pages<'_> {
    fn fence(&mut self, fence: &Fence<'_>, line: u32, problems: &mut Problems) -> String {
        let end = line + fence.body.len() as u32 + 1;
        let words = braces(fence.after()).map(|(words, _)| words);
        let action = words.and_then(|words| self.scenario.action(words, (self.file, end), problems));
        let info = match &action {
            Some(action) => crate::spell::info(language(fence.info), action),
            None => fence.info.to_owned(),
        };
        let written = fence.with_info(&info);
        let (first, rest) = written.split_once('\n').unwrap_or((&written, ""));
        format!("{first}\n{}", addresses_in_code(self.scenario, rest, (self.file, line + 1), problems))
    }

    fn prose(&mut self, text: &str, line: u32, problems: &mut Problems) -> String {
        let text = quiz::questions(text, (self.file, line), self.scenario, problems);
        let (mut written, mut line) = (String::new(), line);
        let pieces = pieces(&text);
        let mut behind = 0;
        for (index, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => {
                    let text = &text[behind..];
                    behind = 0;
                    written.push_str(&addresses(self.scenario, text, (self.file, line), problems));
                    line += breaks(text);
                }
                Piece::Code { whole, .. } => {
                    line += breaks(whole);
                    let code = addresses_in_code(self.scenario, whole, (self.file, line), problems);
                    let found = match pieces.get(index + 1) {
                        Some(Piece::Text(next)) => braces(next),
                        _ => None,
                    };
                    // With a blank before, it may be text that speaks of templates.
                    let found = found.filter(|(words, taken)| *taken == words.len() + 4 || is_suffix(words));
                    let action = found.and_then(|(words, taken)| {
                        behind = taken;
                        let next =
                            if let Some(Piece::Text(next)) = pieces.get(index + 1) { &next[taken..] } else { "" };
                        // The whole of a link is clicked to follow it.
                        let linked = next.starts_with("]({{TRAFFIC");
                        if linked { None } else { self.scenario.action(words, (self.file, line), problems) }
                    });
                    written.push_str(&action.map_or_else(|| code.clone(), |action| with_action(&code, &action)));
                }
            }
        }
        written
    }
}
