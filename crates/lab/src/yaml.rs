//! YAML within bounds, with the line of whatever is wrong in it.

use crate::model::Problems;
use crate::path::LabPath;
use serde::de::DeserializeOwned;
use serde_saphyr::{Budget, Spanned};

/// Reads YAML; none, and a problem with the line, if it is broken or not what is expected. `first` is the line of the
/// file at which the text begins.
pub(crate) fn read<T: DeserializeOwned>(text: &str, file: &LabPath, first: u32, problems: &mut Problems) -> Option<T> {
    let mut budget = Budget::default();
    budget.max_events = 400_000;
    budget.max_nodes = 200_000;
    budget.max_aliases = 1_000;
    budget.max_anchors = 1_000;
    budget.max_depth = 64;
    budget.max_documents = 1;
    let mut options = serde_saphyr::Options::default();
    options.budget = Some(budget);
    options.with_snippet = false;
    match serde_saphyr::from_str_with_options(text, options) {
        Ok(value) => Some(value),
        Err(error) => {
            let line = error.location().map_or(0, |location| location.line());
            problems.error(file, line_in_file(line, first), without_place(&one_line(&error.to_string())));
            None
        }
    }
}

/// The line of the file on which a value stands.
pub(crate) fn line_of<T>(value: &Spanned<T>, first: u32) -> u32 {
    line_in_file(value.referenced.line(), first)
}

/// A value that is written, and was read from nowhere.
pub(crate) fn written<T>(value: T) -> Spanned<T> {
    Spanned::new(value, serde_saphyr::Location::UNKNOWN, serde_saphyr::Location::UNKNOWN)
}

fn line_in_file(line: u64, first: u32) -> u32 {
    u32::try_from(line.saturating_sub(1)).unwrap_or(u32::MAX).saturating_add(first)
}

/// The message without the line at its end, which is told beside it and counts from the beginning of the file there.
fn without_place(message: &str) -> &str {
    match message.rsplit_once(" at line ") {
        Some((before, place)) if place.chars().all(|c| c.is_ascii_digit() || ", column".contains(c)) => before,
        _ => message,
    }
}

/// The message without line breaks, and not longer than people read.
fn one_line(message: &str) -> String {
    const LONGEST: usize = 300;
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST { line } else { line.chars().take(LONGEST).chain("…".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        title: String,
        #[serde(default)]
        steps: Vec<Spanned<String>>,
    }

    fn problem_of(text: &str) -> (u32, String) {
        let mut problems = Problems::default();
        let file = LabPath::parse("lab.yaml").unwrap();
        assert!(read::<Sample>(text, &file, 1, &mut problems).is_none(), "{text:?} was read");
        let list = problems.into_list();
        assert_eq!(list.len(), 1, "{list:?}");
        assert_eq!(list[0].file, "lab.yaml");
        (list[0].line, list[0].message.clone())
    }

    #[test]
    fn values_know_their_lines() {
        let mut problems = Problems::default();
        let text = "title: 5\nsteps:\n  - a.md\n  - b.md\n";
        let sample: Sample = read(text, &LabPath::root(), 1, &mut problems).unwrap();
        assert_eq!(sample.title, "5");
        assert_eq!(line_of(&sample.steps[1], 1), 4);
        assert_eq!(line_of(&sample.steps[1], 11), 14);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert_eq!(problem_of("title: a\nsteps: [a, b\n").0, 2);
        let (line, message) = problem_of("title: a\ntilte: b\n");
        assert_eq!(line, 2);
        assert!(message.contains("tilte") && !message.contains("line"), "{message}");
        let (line, message) = problem_of("title: a\nsteps:\n  a: 1\n");
        assert!(line == 2 || line == 3, "{line} {message}");
        let (line, message) = problem_of("title: a\ntitle: b\n");
        assert_eq!(line, 2, "{message}");
        let (_, message) = problem_of("steps: []\n");
        assert!(message.contains("title"), "{message}");
        assert_eq!(problem_of("a: b: c\n").0, 1);
    }

    #[test]
    fn nothing_grows_without_bounds() {
        let mut laughs = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        for (name, of) in "bcdefghi".chars().zip("abcdefgh".chars()) {
            let line = format!("{name}: &{name} [*{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}]\n");
            laughs.push_str(&line);
        }
        let mut problems = Problems::default();
        let found: Option<BTreeMap<String, serde_json::Value>> = read(&laughs, &LabPath::root(), 1, &mut problems);
        assert!(found.is_none() && problems.any_errors());
        for text in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(50_000), "&a ".repeat(1000)] {
            let mut problems = Problems::default();
            assert!(read::<serde_json::Value>(&text, &LabPath::root(), 1, &mut problems).is_none());
            assert!(problems.into_list()[0].message.chars().count() <= 301);
        }
    }

    #[test]
    fn a_part_of_a_file_tells_the_lines_of_the_file() {
        let mut problems = Problems::default();
        let file = LabPath::parse("steps/1.md").unwrap();
        assert!(read::<Sample>("title: a\ntilte: b\n", &file, 11, &mut problems).is_none());
        assert_eq!(problems.into_list()[0].line, 12);
        assert_eq!(line_in_file(u64::MAX, 2), u32::MAX);
        assert_eq!(line_in_file(0, 7), 7, "nothing is known of the line");
    }

    #[test]
    fn messages_lose_their_place_and_nothing_else() {
        for (message, left) in [
            ("bad value at line 3, column 12", "bad value"),
            ("bad value at line 3", "bad value"),
            ("bad value at line three", "bad value at line three"),
            ("look at line 2 at line 3", "look at line 2"),
            ("bad value", "bad value"),
        ] {
            assert_eq!(without_place(message), left);
        }
        assert_eq!(one_line(" a\n\n  b\t"), "a b");
        assert_eq!(one_line(&"ü".repeat(300)).chars().count(), 300);
        assert!(one_line(&"ü".repeat(301)).ends_with("ü…"));
    }
}
