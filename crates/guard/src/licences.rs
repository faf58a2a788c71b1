//! Licences of everything that is built in: only ones that a private company and a school can live with.

use crate::metadata::Metadata;

/// Licences that ask for no more than their notice.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// Packages under a licence that asks for changes of their own files and for nothing else: we use them as they come.
const UNCHANGED: [(&str, &str); 2] = [("cssparser", "MPL-2.0"), ("dtoa-short", "MPL-2.0")];

/// Packages whose licence is not allowed, or not said.
pub(crate) fn check(metadata: &Metadata) -> Vec<String> {
    let packages = metadata.packages.iter();
    packages
        .filter_map(|package| match package.license.as_deref() {
            None => Some(format!("package {} names no licence", package.name)),
            Some(licence) if UNCHANGED.contains(&(package.name.as_str(), licence)) => None,
            Some(licence) if !allows(licence) => Some(format!("package {} is under {licence}", package.name)),
            Some(_) => None,
        })
        .collect()
}

/// Whether an SPDX expression can be met with allowed licences alone. `/` is an old way to write `OR`.
pub(crate) fn allows(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = any_of(&words, &mut at);
    met && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize) -> bool {
    let mut met = all_of(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize) -> bool {
    let mut met = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at);
    }
    met
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let met = any_of(words, at);
        *at += 1;
        return met && words.get(*at - 1) == Some(&")");
    }
    if words.get(*at) != Some(&"WITH") {
        return ALLOWED.contains(word);
    }
    let exception = words.get(*at + 1).copied().unwrap_or_default();
    *at += 2;
    // An exception only ever permits more.
    ALLOWED.contains(word) || ALLOWED.contains(&format!("{word} WITH {exception}").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::samples::metadata;

    #[test]
    fn expressions_are_met_or_not() {
        for (expression, met) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0 AND MIT", false),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND GPL-3.0", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0", true),
            ("GPL-2.0 WITH Classpath-exception-2.0", false),
            ("MPL-2.0", false),
            ("MIT MIT", false),
            ("(MIT", false),
            ("", false),
        ] {
            assert_eq!(allows(expression), met, "{expression}");
        }
    }

    #[test]
    fn a_package_without_a_fitting_licence_is_named() {
        let mut world = metadata(&[("pierhead", "good", "normal"), ("pierhead", "bad", "normal")]);
        assert_eq!(check(&world), Vec::<String>::new());
        for package in &mut world.packages {
            match package.name.as_str() {
                "bad" => package.license = Some("AGPL-3.0".to_owned()),
                "good" => package.license = None,
                _ => {}
            }
        }
        assert_eq!(check(&world), ["package bad is under AGPL-3.0", "package good names no licence"]);
    }

    #[test]
    fn what_is_used_unchanged_is_allowed_by_name_and_licence() {
        let of = |name: &str, licence: &str| {
            let mut world = metadata(&[("pierhead", name, "normal")]);
            let package = world.packages.iter_mut().find(|package| package.name == name).unwrap();
            package.license = Some(licence.to_owned());
            check(&world)
        };
        assert_eq!(of("cssparser", "MPL-2.0"), Vec::<String>::new());
        assert_eq!(of("cssparserx", "MPL-2.0"), ["package cssparserx is under MPL-2.0"]);
        assert_eq!(of("cssparser", "GPL-3.0"), ["package cssparser is under GPL-3.0"]);
    }
}
