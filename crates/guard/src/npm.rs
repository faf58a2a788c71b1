//! Licences of the front end's packages, as its lock file names them.

use crate::licences::allows;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Where the front end's packages are written down.
const LOCK: &str = "web/package-lock.json";

/// Tools under a licence that asks for more of who changes them. They build and test the front end; nothing of them is
/// in the program.
const TOOLS: [(&str, &str); 3] = [("argparse", "Python-2.0"), ("axe-core", "MPL-2.0"), ("lightningcss", "MPL-2.0")];

/// The part of a lock file that is looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Lock {
    packages: BTreeMap<String, Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    #[serde(default)]
    license: Option<String>,
    /// Whether nothing but building and testing needs it.
    #[serde(default)]
    dev: bool,
}

/// The lock file, if there is a front end.
pub(crate) fn read(root: &Path) -> Result<Option<Lock>, Box<dyn Error>> {
    match fs::read(root.join(LOCK)) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Packages whose licence is not allowed, or not said.
pub(crate) fn check(lock: &Lock) -> Vec<String> {
    // The package without a path is the front end itself.
    let packages = lock.packages.iter().filter(|(path, _)| !path.is_empty());
    packages
        .filter_map(|(path, package)| {
            let name = path.rsplit("node_modules/").next().unwrap_or(path);
            match package.license.as_deref() {
                None => Some(format!("npm package {name} names no licence")),
                Some(licence) if allows(licence) || package.dev && is_tool(name, licence) => None,
                Some(licence) => Some(format!("npm package {name} is under {licence}")),
            }
        })
        .collect()
}

/// A tool, or what it has for one kind of machine.
fn is_tool(name: &str, licence: &str) -> bool {
    TOOLS.iter().any(|(tool, its)| {
        *its == licence && name.strip_prefix(tool).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(packages: &str) -> Vec<String> {
        check(&serde_json::from_str(&format!("{{\"lockfileVersion\": 3, \"packages\": {{{packages}}}}}")).unwrap())
    }

    #[test]
    fn what_is_shipped_asks_for_no_more_than_its_notice() {
        let good = r#""": {"name": "web"}, "node_modules/a": {"license": "MIT"},
            "node_modules/b/node_modules/@c/d": {"license": "(MIT OR GPL-3.0)", "dev": true}"#;
        assert_eq!(found(good), Vec::<String>::new());
        let bad = r#""node_modules/a": {}, "node_modules/b/node_modules/@c/d": {"license": "GPL-3.0", "dev": true}"#;
        assert_eq!(found(bad), ["npm package a names no licence", "npm package @c/d is under GPL-3.0"]);
    }

    #[test]
    fn a_tool_may_ask_for_more_as_long_as_it_is_not_shipped() {
        let of = |name: &str, dev: bool| {
            found(&format!("\"node_modules/{name}\": {{\"license\": \"MPL-2.0\", \"dev\": {dev}}}"))
        };
        assert_eq!(of("lightningcss-linux-x64-gnu", true), Vec::<String>::new());
        assert_eq!(of("axe-core", true), Vec::<String>::new());
        assert_eq!(of("axe-core", false), ["npm package axe-core is under MPL-2.0"]);
        assert_eq!(of("axe-corex", true), ["npm package axe-corex is under MPL-2.0"]);
        assert_eq!(of("argparse", true), ["npm package argparse is under MPL-2.0"]);
    }

    #[test]
    fn a_repository_without_a_front_end_has_nothing_to_check() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap().is_none());
        fs::create_dir(dir.path().join("web")).unwrap();
        fs::write(dir.path().join(LOCK), "no lock").unwrap();
        assert!(read(dir.path()).is_err());
    }
}
