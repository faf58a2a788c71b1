//! What `cargo metadata` says about packages and what they depend on.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;

/// The parts of cargo's answer that are looked at.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    pub packages: Vec<Package>,
    pub workspace_members: Vec<String>,
    pub resolve: Resolve,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub license: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Resolve {
    pub nodes: Vec<Node>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Node {
    pub id: String,
    pub deps: Vec<Dependency>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    /// Package that is depended on.
    pub pkg: String,
    pub dep_kinds: Vec<Kind>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Kind {
    /// None for a normal dependency; `dev` or `build`.
    pub kind: Option<String>,
}

impl Dependency {
    /// Whether the program itself needs it, not only its tests.
    pub(crate) fn is_production(&self) -> bool {
        self.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"))
    }
}

impl Metadata {
    /// Names of the packages by their ids.
    pub(crate) fn names(&self) -> BTreeMap<&str, &str> {
        self.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect()
    }
}

/// Asks cargo, with every feature, and with the versions of `Cargo.lock`.
pub(crate) fn read(root: &Path) -> Result<Metadata, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["metadata", "--format-version", "1", "--all-features", "--locked"])
        .output()?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[cfg(test)]
pub(crate) mod samples {
    //! Small worlds to check.

    use super::*;

    /// `edges` as (crate, what it depends on, kind); names that begin with `pierhead` or `bench` are members.
    pub(crate) fn metadata(edges: &[(&str, &str, &str)]) -> Metadata {
        let mut names: Vec<&str> = edges.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
        names.sort_unstable();
        names.dedup();
        let package = |name: &&str| Package {
            id: format!("{name}#1"),
            name: (*name).to_owned(),
            license: Some("MIT".to_owned()),
        };
        let node = |name: &&str| Node {
            id: format!("{name}#1"),
            deps: edges.iter().filter(|(from, ..)| from == name).map(dependency).collect(),
        };
        Metadata {
            packages: names.iter().map(package).collect(),
            workspace_members: names.iter().filter(|n| n.starts_with("pierhead")).map(|n| format!("{n}#1")).collect(),
            resolve: Resolve { nodes: names.iter().map(node).collect() },
        }
    }

    fn dependency((_, to, kind): &(&str, &str, &str)) -> Dependency {
        let kind = Kind { kind: (*kind != "normal").then(|| (*kind).to_owned()) };
        Dependency { pkg: format!("{to}#1"), dep_kinds: vec![kind] }
    }
}
