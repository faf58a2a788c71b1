//! Which crate may depend on which, and what the pure ones may bring along.

use crate::metadata::{Metadata, Node};
use crate::rules::PURE;
use std::collections::{BTreeMap, BTreeSet};

/// What each crate may use of ours; `*` is everything. A crate that is not here has no place yet.
const MAY_USE: [(&str, &[&str]); 24] = [
    ("pierhead", &["*"]),
    ("pierhead-bench", &["*"]),
    ("pierhead-testkit", &["*"]),
    (
        "pierhead-api",
        &[
            "console",
            "controller",
            "engine",
            "identity",
            "lab",
            "model",
            "planner",
            "sessions",
            "store",
            "terminal",
            "wire",
        ],
    ),
    (
        "pierhead-controller",
        &["blobs", "engine", "identity", "lab", "model", "outbound", "planner", "sessions", "store", "terminal"],
    ),
    ("pierhead-agent", &["engine", "model", "sessions", "terminal"]),
    ("pierhead-cli", &["client", "lab", "model", "terminal", "wire"]),
    ("pierhead-client", &["terminal", "wire"]),
    ("pierhead-wire", &["model", "terminal"]),
    ("pierhead-sessions", &["model", "terminal"]),
    ("pierhead-engine", &["model"]),
    ("pierhead-identity", &["model", "outbound"]),
    ("pierhead-ingress", &[]),
    ("pierhead-store", &[]),
    ("pierhead-blobs", &["outbound"]),
    ("pierhead-outbound", &[]),
    ("pierhead-bucketkit", &[]),
    ("pierhead-console", &[]),
    ("pierhead-devhosts", &[]),
    ("pierhead-lab", &["model"]),
    ("pierhead-planner", &["model"]),
    ("pierhead-terminal", &["model"]),
    ("pierhead-model", &[]),
    ("pierhead-guard", &[]),
];

/// Crates of ours that tests of any crate may use: real hosts, whole pools, and the client that drives them as a user.
const FOR_TESTS: [&str; 5] = ["bucketkit", "client", "devhosts", "testkit", "wire"];

/// All that the pure crates may bring along: no runtime, no clock, no randomness, no input or output.
const PURE_MAY_BRING: [&str; 22] = [
    "adler2",
    "alacritty_terminal",
    "ammonia",
    "base64",
    "bytes",
    "comrak",
    "itoa",
    "memchr",
    "miniz_oxide",
    "serde",
    "serde-saphyr",
    "serde_core",
    "serde_derive",
    "serde_json",
    "simd-adler32",
    "thiserror",
    "thiserror-impl",
    "proc-macro2",
    "quote",
    "syn",
    "unicode-ident",
    "zmij",
];

/// What is pure as far as we use it, though parts of it that we don't use are not: what it brings is not looked at. Of the
/// screen model these are its windows' event loop and its pseudo-terminals; of the readers of Markdown, HTML and YAML their
/// hash maps, and their ways to read from streams.
const PURE_IN_PART: [&str; 4] = ["alacritty_terminal", "ammonia", "comrak", "serde-saphyr"];

/// Dependencies against the direction.
pub(crate) fn check(metadata: &Metadata) -> Vec<String> {
    let names = metadata.names();
    let members: BTreeSet<&str> = metadata.workspace_members.iter().map(String::as_str).collect();
    let nodes: BTreeMap<&str, &Node> = metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let mut findings = Vec::new();
    for id in &members {
        let Some((name, node)) = names.get(id).zip(nodes.get(id)) else { continue };
        let Some((_, may_use)) = MAY_USE.iter().find(|(of, _)| of == name) else {
            findings.push(format!("crate {name} has no place in the picture of crates yet"));
            continue;
        };
        for dependency in node.deps.iter().filter(|dependency| members.contains(dependency.pkg.as_str())) {
            let used = names.get(dependency.pkg.as_str()).copied().unwrap_or_default();
            let short = used.trim_start_matches("pierhead-");
            let for_tests = !dependency.is_production() && FOR_TESTS.contains(&short);
            if !for_tests && !may_use.contains(&"*") && !may_use.contains(&short) {
                findings.push(format!("crate {name} depends on {used}, against the direction"));
            }
        }
        if PURE.contains(&name.trim_start_matches("pierhead-")) {
            findings.extend(impure(name, id, &names, &nodes));
        }
    }
    findings
}

fn impure(name: &str, id: &str, names: &BTreeMap<&str, &str>, nodes: &BTreeMap<&str, &Node>) -> Vec<String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![id]);
    while let Some(id) = open.pop() {
        let in_part = names.get(id).is_some_and(|name| PURE_IN_PART.contains(name));
        let Some(node) = nodes.get(id).filter(|_| !in_part) else { continue };
        for dependency in node.deps.iter().filter(|dependency| dependency.is_production()) {
            if seen.insert(dependency.pkg.as_str()) {
                open.push(&dependency.pkg);
            }
        }
    }
    let brought = seen.iter().filter_map(|id| names.get(id));
    brought
        .filter(|brought| !brought.starts_with("pierhead-") && !PURE_MAY_BRING.contains(brought))
        .map(|brought| format!("crate {name} must be pure, and brings {brought}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::samples::metadata;

    #[test]
    fn the_picture_passes() {
        let world = metadata(&[
            ("pierhead", "pierhead-api", "normal"),
            ("pierhead-api", "pierhead-controller", "normal"),
            ("pierhead-controller", "pierhead-planner", "normal"),
            ("pierhead-planner", "pierhead-model", "normal"),
            ("pierhead-planner", "insta", "dev"),
            ("insta", "tokio", "normal"),
            ("pierhead-model", "serde", "normal"),
            ("pierhead-engine", "tokio", "normal"),
            ("pierhead-engine", "pierhead-devhosts", "dev"),
        ]);
        assert_eq!(check(&world), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_upwards_is_found() {
        let world = metadata(&[("pierhead-planner", "pierhead-store", "normal")]);
        assert_eq!(check(&world), ["crate pierhead-planner depends on pierhead-store, against the direction"]);
    }

    #[test]
    fn tests_may_use_only_what_is_for_tests() {
        let world = metadata(&[("pierhead-store", "pierhead-engine", "dev")]);
        assert_eq!(check(&world).len(), 1);
        for used in FOR_TESTS {
            let edge = |kind| metadata(&[("pierhead-store", &format!("pierhead-{used}"), kind)]);
            assert_eq!(check(&edge("dev")), Vec::<String>::new());
            assert_eq!(check(&edge("normal")).len(), 1);
        }
    }

    #[test]
    fn a_pure_crate_brings_no_runtime_even_by_a_detour() {
        let world = metadata(&[("pierhead-model", "serde", "normal"), ("serde", "tokio", "normal")]);
        assert_eq!(check(&world), ["crate pierhead-model must be pure, and brings tokio"]);
    }

    #[test]
    fn of_the_screen_model_only_itself_is_looked_at() {
        let world = metadata(&[
            ("pierhead-terminal", "alacritty_terminal", "normal"),
            ("alacritty_terminal", "polling", "normal"),
        ]);
        assert_eq!(check(&world), Vec::<String>::new());
        let world = metadata(&[("pierhead-lab", "comrak", "normal"), ("comrak", "typed-arena", "normal")]);
        assert_eq!(check(&world), Vec::<String>::new());
        let world = metadata(&[("pierhead-terminal", "polling", "normal")]);
        assert_eq!(check(&world), ["crate pierhead-terminal must be pure, and brings polling"]);
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        let world = metadata(&[("pierhead-helpful", "serde", "normal")]);
        assert_eq!(check(&world), ["crate pierhead-helpful has no place in the picture of crates yet"]);
    }
}
