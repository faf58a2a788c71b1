//! What a container shall be: the normalised description, with everything optional decided or absent.

use crate::{EngineId, ImageReference, Invalid, LabelExpression, PortRequest, Resources, Volume, VolumeSource};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The description of one container. Two containers are identical exactly if their descriptions are equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// The image to run.
    pub image: ImageReference,
    /// What it reserves, and what its engine holds it to.
    pub limits: Limits,
    /// The cores that it may use, in the kernel's list format (`0-2,5`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpuset: Option<String>,
    /// Replaces the image's entry point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// Arguments of the entry point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The host name inside; the engine chooses one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The domain name inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    /// Which hosts come into question.
    pub placement: Placement,
    /// What is asked of the host's labels; all must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelExpression>,
    /// Ports to publish at the host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<PortRequest>,
    /// Publish every port that the image exposes, each at a port that the engine chooses.
    #[serde(default)]
    pub publish_all: bool,
    /// Lists of texts that the container finds as JSON in `PIERHEAD_USER_DATA`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user_data: BTreeMap<String, Vec<String>>,
    /// What is mounted into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Containers of the same host, by name, and the alias under which this one sees them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, String>,
    /// What happens when it exits.
    pub restart: RestartPolicy,
    /// The network that it joins.
    pub network: NetworkMode,
    /// Whether two copies of it must never run at the same time, whatever fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single_writer: bool,
}

impl ContainerSpec {
    /// A container of an image, on whichever host has room, with nothing asked that need not be.
    #[must_use]
    pub fn new(image: ImageReference, limits: Limits) -> Self {
        Self {
            image,
            limits,
            cpuset: None,
            entrypoint: Vec::new(),
            args: Vec::new(),
            environment: BTreeMap::new(),
            hostname: None,
            domainname: None,
            placement: Placement::default(),
            labels: Vec::new(),
            ports: Vec::new(),
            publish_all: false,
            user_data: BTreeMap::new(),
            volumes: Vec::new(),
            links: BTreeMap::new(),
            restart: RestartPolicy::default(),
            network: NetworkMode::default(),
            single_writer: false,
        }
    }
}

/// CPU and memory of a container. Where a description names none, defaults apply: a small reservation for the
/// planner, and a more generous limit of CPU, because CPU can be shared without harm and memory cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// What the planner reserves; the memory is also the engine's limit.
    pub reserved: Resources,
    /// The most CPU that the engine gives, in thousandths of a core.
    pub cpu_limit_millis: u64,
}

/// Which hosts come into question for a container: the `type` of the original's image description.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Hosts that satisfy all label expressions (`service`, `application`, or no type).
    #[default]
    Service,
    /// Hosts without a running container of the same image; labels do not count (`unique`).
    Unique,
    /// Both (`multi`).
    Multi,
    /// One named host, by the label `host:<id>` (`host`).
    Host(EngineId),
}

impl Placement {
    /// Whether label expressions are looked at.
    #[must_use]
    pub fn asks_labels(&self) -> bool {
        matches!(self, Self::Service | Self::Multi)
    }

    /// Whether at most one container of the image may run on a host.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        matches!(self, Self::Unique | Self::Multi)
    }

    /// The word for it in an image description.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Unique => "unique",
            Self::Multi => "multi",
            Self::Host(_) => "host",
        }
    }
}

/// What happens when a container exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// It is started again, whatever its exit code; the default.
    #[default]
    Always,
    /// It is started again if its exit code is not 0, at most so many times (0: without end).
    OnFailure {
        /// The most restarts; 0 is no limit.
        maximum_retry_count: u32,
    },
    /// Its exit is the end: a job done.
    No,
}

/// The network that a container joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkMode {
    /// The engine's bridge, the default.
    #[default]
    Bridge,
    /// The host's own network; needs a permission of its own.
    Host,
    /// None but the loopback.
    None,
}

impl NetworkMode {
    /// Parses the word of an image description.
    ///
    /// # Errors
    /// [`Invalid`] for any other word.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "" | "bridge" | "default" => Ok(Self::Bridge),
            "host" => Ok(Self::Host),
            "none" => Ok(Self::None),
            _ => Err(Invalid::new("network_mode", "bridge, host or none")),
        }
    }
}

impl fmt::Display for NetworkMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bridge => "bridge",
            Self::Host => "host",
            Self::None => "none",
        })
    }
}

impl ContainerSpec {
    /// What of this description needs a permission that only administrators have by default, in words.
    #[must_use]
    pub fn privileges(&self) -> Vec<String> {
        let mut privileges = Vec::new();
        if self.network == NetworkMode::Host {
            privileges.push("the host's network".to_owned());
        }
        for volume in &self.volumes {
            if let VolumeSource::HostPath(path) = &volume.source {
                privileges.push(format!("the host's path {path}"));
            }
        }
        privileges
    }
}
