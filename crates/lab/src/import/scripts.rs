//! Files that a description names, and scripts that are put together from several.

use super::node::Node;
use crate::files::Folder;
use crate::model::{Problems, Script};
use crate::path::LabPath;

/// Where what a description names is looked for.
pub(super) struct Named<'a> {
    folder: &'a Folder<'a>,
    description: LabPath,
    base: &'a LabPath,
}

impl<'a> Named<'a> {
    /// What `description` names, from the folder `base` on.
    pub(super) fn of(folder: &'a Folder<'a>, description: &LabPath, base: &'a LabPath) -> Self {
        Self { folder, description: description.clone(), base }
    }

    /// The file that a node names, and its text.
    pub(super) fn text(&self, node: &Node, problems: &mut Problems) -> Option<(LabPath, String)> {
        let Some(name) = node.text() else {
            problems.error(&self.description, node.line, "this must be the name of a file");
            return None;
        };
        match self.base.resolve(name.trim_start_matches('/')) {
            Ok(path) => {
                let text = self.folder.text(&path, (&self.description, node.line), problems)?;
                Some((path, text))
            }
            Err(error) => {
                problems.error(&self.description, node.line, error.to_string());
                None
            }
        }
    }

    /// The script that a node names.
    pub(super) fn script(&self, node: &Node, problems: &mut Problems) -> Option<Script> {
        let (file, text) = self.text(node, problems)?;
        if text.trim().is_empty() {
            problems.warn(&file, 1, "the script is empty and is left out");
            return None;
        }
        Some(Script { file, line: 1, text: interpreted(&text) })
    }
}

/// A script for the interpreter that other platforms run it with unless it names one.
pub(super) fn interpreted(text: &str) -> String {
    if text.starts_with("#!") { text.to_owned() } else { format!("#!/bin/bash\n{text}") }
}

/// The name of the program that a script is for, such as `bash`.
pub(super) fn interpreter(text: &str) -> &str {
    let first = text.lines().next().and_then(|line| line.strip_prefix("#!")).unwrap_or("/bin/sh");
    let mut words = first.split_whitespace();
    let program = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    if program == "env" { words.find(|word| !word.starts_with('-')).unwrap_or_default() } else { program }
}

/// Whether a script is for a shell.
pub(super) fn is_shell(text: &str) -> bool {
    matches!(interpreter(text), "sh" | "bash" | "ash" | "dash" | "ksh" | "zsh")
}

/// A check that says what `hint` says if it does not pass. Each runs by itself, so that neither ends the other.
pub(super) fn with_hint(check: Script, hint: Option<&Script>) -> Script {
    let Some(hint) = hint.filter(|hint| is_shell(&check.text) && is_shell(&hint.text)) else { return check };
    let (first, rest) = check.text.split_once('\n').unwrap_or((&check.text, ""));
    let hint_rest = hint.text.split_once('\n').map_or("", |(_, rest)| rest);
    let text = format!(
        "{first}\n(\n{}\n)\nstatus=$?\n[ \"$status\" -eq 0 ] || (\n{}\n)\nexit \"$status\"\n",
        rest.trim_end(),
        hint_rest.trim_end()
    );
    Script { text, ..check }
}

/// A shell script with arguments, without a change of its lines; none if it is for no shell.
pub(super) fn with_arguments(text: &str, arguments: &[&str]) -> Option<String> {
    if arguments.is_empty() {
        return Some(text.to_owned());
    }
    if !is_shell(text) {
        return None;
    }
    let words: String = arguments.iter().map(|argument| format!(" {}", quoted(argument))).collect();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let set = format!("set --{words};");
    Some(if first.starts_with("#!") { format!("{first}\n{set} {rest}") } else { format!("{set} {text}") })
}

/// A word that a shell takes as it is.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Script {
        Script { file: LabPath::root(), line: 1, text: text.to_owned() }
    }

    #[test]
    fn interpreters_are_known_by_the_first_line() {
        let cases = [
            ("#!/bin/bash\nx", "bash"),
            ("#!/usr/bin/env python3\n", "python3"),
            ("#!/usr/bin/env -S node\n", "node"),
            ("echo", "sh"),
            ("#! /bin/sh -e", "sh"),
        ];
        for (text, expected) in cases {
            assert_eq!(interpreter(text), expected, "{text}");
        }
        assert_eq!(interpreted("x\n"), "#!/bin/bash\nx\n");
        assert_eq!(interpreted("#!/bin/sh\nx\n"), "#!/bin/sh\nx\n");
        assert!(is_shell("#!/bin/ash\n") && !is_shell("#!/usr/bin/python3\n"));
    }

    #[test]
    fn a_hint_speaks_only_if_the_check_does_not_pass() {
        let text = with_hint(script("#!/bin/bash\nexit 3\n"), Some(&script("#!/bin/bash\necho try\nexit 0\n"))).text;
        assert_eq!(
            text,
            "#!/bin/bash\n(\nexit 3\n)\nstatus=$?\n[ \"$status\" -eq 0 ] || (\necho try\nexit 0\n)\nexit \"$status\"\n"
        );
        let python = script("#!/usr/bin/python3\nexit(1)\n");
        assert_eq!(with_hint(python.clone(), Some(&script("#!/bin/sh\n"))), python);
        assert_eq!(with_hint(python.clone(), None), python);
    }

    #[test]
    fn arguments_are_words_and_lines_stay() {
        let text = "#!/bin/bash\n# first\n[ \"$1\" = x ]\n";
        let with = with_arguments(text, &["it's", "$(rm)"]).unwrap();
        assert_eq!(with, "#!/bin/bash\nset -- 'it'\\''s' '$(rm)'; # first\n[ \"$1\" = x ]\n");
        assert_eq!(with_arguments("test $1\n", &["a"]).unwrap(), "set -- 'a'; test $1\n");
        assert_eq!(with_arguments("#!/bin/sh", &["a"]).unwrap(), "#!/bin/sh\nset -- 'a'; ");
        assert_eq!(with_arguments("#!/usr/bin/python3\n", &["a"]), None);
        assert_eq!(with_arguments("#!/usr/bin/python3\n", &[]).as_deref(), Some("#!/usr/bin/python3\n"));
    }
}
