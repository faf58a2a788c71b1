//! Rules about text: names, openings of modules, and what must never be written down.

use crate::source::Source;

/// Names that say nothing about what a file holds.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "manager", "misc", "shared_utils"];

/// Crates that must stay pure, and what may not stand in their production code.
pub(crate) const PURE: [&str; 4] = ["model", "planner", "lab", "terminal"];
const IMPURE: [&str; 14] = [
    "std::fs",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "ToSocketAddrs",
    "std::env",
    "std::process",
    "std::thread",
    "std::io",
    "Instant",
    "SystemTime",
    "RandomState",
    "HashMap",
    "HashSet",
];

/// Crates that go by the time that passes, so that a wall clock that jumps moves no lease and no timer; and the file that
/// looks at it, once, at the start.
const STEADY: [&str; 4] = ["api", "controller", "sessions", "store"];
const WALL_CLOCK: (&str, &str) = ("SystemTime", "crates/controller/src/clock.rs");

/// Breaches in one Rust file.
pub(crate) fn check_source(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    let name = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    if EMPTY_NAMES.contains(&name) || source.path.split('/').any(|part| EMPTY_NAMES.contains(&part)) {
        findings.push(format!("{}: the name says nothing about what it holds", source.path));
    }
    if !source.is_test() && !source.text.starts_with("//!") {
        findings.push(format!("{}: begins without saying in `//!` what it owns", source.path));
    }
    if PURE.contains(&source.crate_name()) && !source.is_test() {
        findings.extend(written(source, &IMPURE, "in a crate that must be pure"));
    }
    let (word, reader) = WALL_CLOCK;
    if STEADY.contains(&source.crate_name()) && !source.is_test() && source.path != reader {
        findings.extend(written(source, &[word], "in a crate that must not go by the wall clock"));
    }
    findings
}

/// Words in production code that may not stand there.
fn written(source: &Source, words: &[&str], why: &str) -> Vec<String> {
    let production = source.code.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = production.lines().enumerate();
    lines
        .flat_map(|(line, code)| words.iter().filter(|word| has_word(code, word)).map(move |word| (line, word)))
        .map(|(line, word)| format!("{}:{}: {word} {why}", source.path, line + 1))
        .collect()
}

fn has_word(code: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(part_of_name)
            && !code[at + word.len()..].chars().next().is_some_and(part_of_name)
    })
}

/// Marks of unfinished work, and paths of a developer's machine; taken apart so that this file passes.
const UNWANTED: [(&str, &str); 5] = [
    (concat!("TO", "DO"), "unfinished work"),
    (concat!("FIX", "ME"), "unfinished work"),
    (concat!("/wo", "rk/"), "a path of a developer's machine"),
    (concat!("/ro", "ot/"), "a path of a developer's machine"),
    (concat!("/ho", "me/"), "a path of a developer's machine"),
];

/// Breaches in any text.
pub(crate) fn check_text(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(line, text)| {
            UNWANTED.iter().filter(|(word, _)| is_written(text, word)).map(move |found| (line, found))
        })
        .map(|(line, (word, why))| format!("{path}:{}: {word} ({why})", line + 1))
        .collect()
}

/// Whether a word stands in a line; a path counts only where it begins, not as the end of a longer one.
fn is_written(line: &str, word: &str) -> bool {
    let of_a_path = |c: char| c.is_alphanumeric() || "}/._-~".contains(c);
    line.match_indices(word).any(|(at, _)| !word.starts_with('/') || !line[..at].ends_with(of_a_path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str) -> Vec<String> {
        check_source(&Source::new(path, text))
    }

    #[test]
    fn a_good_file_passes() {
        let text = "//! Nouns. `HashMap` and std::fs are not used.\n\nfn instantly() {}\n\
                    #[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert_eq!(check("crates/model/src/app.rs", text), Vec::<String>::new());
        assert_eq!(check_text("README.md", "Work is done at home."), Vec::<String>::new());
    }

    #[test]
    fn names_and_openings_are_checked() {
        assert_eq!(check("crates/api/src/utils.rs", "//! Text.\n").len(), 1);
        assert_eq!(check("crates/api/src/common/text.rs", "//! Text.\n").len(), 1);
        let found = check("crates/api/src/text.rs", "use std::fmt;\n");
        assert_eq!(found, ["crates/api/src/text.rs: begins without saying in `//!` what it owns"]);
        assert_eq!(check("crates/api/src/text/tests.rs", "use std::fmt;\n"), Vec::<String>::new());
    }

    #[test]
    fn a_pure_crate_reads_no_clock_and_no_file() {
        let text = "//! Plans.\nuse std::time::Instant;\nfn f() { let now = Instant::now(); std::fs::read(\"x\"); }\n";
        let found = check("crates/planner/src/plan.rs", text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0], "crates/planner/src/plan.rs:2: Instant in a crate that must be pure");
        assert_eq!(check("crates/store/src/plan.rs", text), Vec::<String>::new());
    }

    #[test]
    fn a_crate_with_leases_reads_the_wall_clock_in_one_place() {
        let text = "//! Leases.\nuse std::time::{Instant, SystemTime};\n#[cfg(test)]\nmod tests { use std::time::SystemTime; }\n";
        let found = check("crates/store/src/leases.rs", text);
        assert_eq!(found, ["crates/store/src/leases.rs:2: SystemTime in a crate that must not go by the wall clock"]);
        for path in ["crates/controller/src/clock.rs", "crates/store/tests/leases.rs", "crates/cli/src/output.rs"] {
            assert_eq!(check(path, text), Vec::<String>::new(), "{path}");
        }
    }

    #[test]
    fn unfinished_work_and_paths_of_a_machine_are_found() {
        for (word, _) in UNWANTED {
            let found = check_text("docs/guide.md", &format!("first\nsee {word}x"));
            assert_eq!(found.len(), 1, "{word}");
            assert!(found[0].starts_with("docs/guide.md:2: "), "{found:?}");
        }
        let inside = concat!("unix:///proc/{pid}/ro", "ot/run/docker.sock");
        assert_eq!(check_text("docs/guide.md", inside), Vec::<String>::new());
    }
}
