//! Environments: what workspaces are made from.

use crate::{Digest, EnvironmentId, ImageReference, LabId, Limits, MemberName, Resources, Timestamp, Username};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A described set of containers that somebody can open as a workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Its name.
    pub id: EnvironmentId,
    /// Whose it is.
    pub owner: Username,
    /// Who may open it.
    pub visibility: Visibility,
    /// Rises with each change of the description. Workspaces keep the one that they were made from.
    pub version: u32,
    /// The description.
    pub spec: EnvironmentSpec,
    /// When each version was described and by whom, the newest last, at most [`Environment::VERSIONS_KEPT`].
    pub versions: Vec<EnvironmentVersion>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The lab that describes it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<LabId>,
}

/// Who may open an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Its owner and administrators.
    #[default]
    Private,
    /// Everybody who may open workspaces.
    Shared,
}

/// That an environment was described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentVersion {
    /// The version.
    pub version: u32,
    /// By whom.
    pub by: Username,
    /// When.
    pub at: Timestamp,
}

/// The description of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentSpec {
    /// The containers, in the order in which they start; at least one.
    pub containers: Vec<EnvironmentContainer>,
    /// How long a workspace runs until it is saved and stopped, in minutes, unless it is extended.
    pub lifetime_minutes: u32,
    /// After how many minutes without any activity it is saved and stopped; 0 for never.
    pub idle_minutes: u32,
    /// How many are started ahead, so that nobody waits.
    #[serde(default)]
    pub warm: u32,
    /// What it asks for beyond what everybody gets.
    #[serde(default)]
    pub asks: Asks,
}

/// One container of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentContainer {
    /// Its name, by which the others find it.
    pub name: MemberName,
    /// The image that it begins as.
    pub image: ImageReference,
    /// CPU and memory.
    pub limits: Limits,
    /// What runs in it in place of the image's own command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Where its processes begin; the image's own directory without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// As whom its processes run; the image's own user without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The ports on which it serves something to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// Files that are put into it at its first start, before the script runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<EnvironmentFile>,
    /// A script for `/bin/sh` that is run at every start, of what was restored from a save too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup: Option<String>,
}

/// A file of a container.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentFile {
    /// Where it is, from the root on.
    pub path: String,
    /// What is in it.
    pub content: String,
    /// Its permissions, such as 0o644.
    pub mode: u32,
    /// What is in it instead, if that lies among the files of labs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<EnvironmentBlob>,
}

/// What is in a file that lies among the files of labs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentBlob {
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub bytes: u64,
}

impl fmt::Debug for EnvironmentFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentFile").field("path", &self.path).field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// What an environment asks for beyond what everybody gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Asks {
    /// The capabilities that root needs to install packages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub root: bool,
    /// Connections to the world outside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub egress: bool,
    /// Privileged containers, on hosts that an administrator labelled for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub privileged: bool,
    /// The most processes of each container, where the default does not do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids: Option<u32>,
}

impl Asks {
    /// The most processes in a container that everybody gets.
    pub const PROCESSES: u32 = 256;

    /// What is asked, in words; empty if it is nothing.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.root {
            words.push("root, to install packages".to_owned());
        }
        if self.egress {
            words.push("connections to the world outside".to_owned());
        }
        if self.privileged {
            words.push("privileged containers".to_owned());
        }
        if let Some(pids) = self.pids.filter(|pids| *pids > Self::PROCESSES) {
            words.push(format!("{pids} processes a container"));
        }
        words
    }
}

impl EnvironmentSpec {
    /// What a workspace of it reserves: the sum over its containers.
    #[must_use]
    pub fn resources(&self) -> Resources {
        self.containers.iter().map(|container| container.limits.reserved).sum()
    }

    /// The container of a name.
    #[must_use]
    pub fn container(&self, name: &str) -> Option<&EnvironmentContainer> {
        self.containers.iter().find(|container| container.name.as_str() == name)
    }
}

impl Environment {
    /// How many versions are remembered.
    pub const VERSIONS_KEPT: usize = 20;
    /// The label of hosts that take privileged workspaces.
    pub const PRIVILEGED_LABEL: &'static str = "workspaces=privileged";

    /// Describes it anew; tells the version that stands for it.
    pub fn describe(&mut self, spec: EnvironmentSpec, by: &Username, at: Timestamp) -> u32 {
        self.spec = spec;
        self.version += 1;
        self.versions.push(EnvironmentVersion { version: self.version, by: by.clone(), at });
        let surplus = self.versions.len().saturating_sub(Self::VERSIONS_KEPT);
        self.versions.drain(..surplus);
        self.version
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn spec() -> EnvironmentSpec {
        let container = |name: &str, memory| EnvironmentContainer {
            name: MemberName::parse(name).unwrap(),
            image: ImageReference::parse("alpine").unwrap(),
            limits: Limits { reserved: Resources::new(250, memory), cpu_limit_millis: 1000 },
            command: Vec::new(),
            environment: BTreeMap::new(),
            working_dir: None,
            user: None,
            ports: vec![8080],
            files: vec![EnvironmentFile {
                path: "/etc/motd".into(),
                content: "s3cret".into(),
                mode: 0o644,
                blob: None,
            }],
            startup: Some("true".into()),
        };
        EnvironmentSpec {
            containers: vec![container("main", 128), container("db", 256)],
            lifetime_minutes: 240,
            idle_minutes: 60,
            warm: 0,
            asks: Asks::default(),
        }
    }

    #[test]
    fn an_environment_reserves_the_sum_of_its_containers() {
        assert_eq!(spec().resources(), Resources::new(500, 384));
        assert!(spec().container("db").is_some() && spec().container("web").is_none());
    }

    #[test]
    fn versions_rise_and_the_oldest_are_forgotten() {
        let clare = Username::parse("clare").unwrap();
        let mut environment = Environment {
            id: EnvironmentId::parse("python").unwrap(),
            owner: clare.clone(),
            visibility: Visibility::Private,
            version: 1,
            spec: spec(),
            versions: Vec::new(),
            created_at: Timestamp(1),
            lab: None,
        };
        for at in 0..25 {
            assert_eq!(environment.describe(spec(), &clare, Timestamp(at)), 2 + u32::try_from(at).unwrap());
        }
        assert_eq!(environment.versions.len(), Environment::VERSIONS_KEPT);
        assert_eq!(environment.versions.last().map(|last| last.version), Some(26));
        let text = serde_json::to_string(&environment).unwrap();
        assert_eq!(serde_json::from_str::<Environment>(&text).unwrap(), environment);
    }

    #[test]
    fn what_is_asked_is_told_in_words_and_contents_of_files_are_not() {
        assert!(Asks::default().words().is_empty());
        let all = Asks { root: true, egress: true, privileged: true, pids: Some(2048) };
        assert_eq!(all.words().len(), 4);
        assert!(!format!("{:?}", spec()).contains("s3cret"));
    }
}
