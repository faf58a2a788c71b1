//! The image description: how a container is asked for, and how it is shown.

mod parse;

use pierhead_model::{ContainerSpec, HostPort, Placement, Protocol, Resources, RestartPolicy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a container is, as it travels. Only `name` is required.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ImageDescription {
    /// The image reference; the server's default image if absent.
    #[serde(default)]
    pub name: String,
    /// Cores, as a fraction. Reserved by the planner and held to by the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Cores that it may use at most, where that is more than what is reserved; `cpus` if absent, or one core if that is
    /// absent, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<f64>,
    /// The cores that it may use (`0-2,5`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpuset: Option<String>,
    /// Memory in MB of 2^20 bytes. Reserved by the planner and held to by the engine, without swap beyond it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// Replaces the image's entry point.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub entrypoint: Vec<String>,
    /// Arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_is_default")]
    pub environment: BTreeMap<String, String>,
    /// The host name inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The domain name inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    /// `service` (the default; `application` is the same), `unique`, `multi` or `host`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What is asked of the host's labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub labels: Vec<String>,
    /// Ports to publish.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub bind_ports: Vec<PortDescription>,
    /// Lists of texts for the container.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_is_default")]
    pub user_data: BTreeMap<String, Vec<String>>,
    /// Mounts: `/path`, `name:/path`, `/host:/path`, each with an optional `:ro`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub volumes: Vec<String>,
    /// Containers of the same host by name, and their alias.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_is_default")]
    pub links: BTreeMap<String, String>,
    /// What happens when it exits; `always` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<RestartDescription>,
    /// Publish every port that the image exposes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<bool>,
    /// `bridge` (the default), `host` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_mode: Option<String>,
    /// Whether two copies of it must never run at the same time, whatever fails; its app then has one container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single_writer: Option<bool>,
}

/// Reads `null` as the empty value, as clients in Go write it.
fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A restart policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RestartDescription {
    /// `always`, `on-failure` or `no`.
    #[serde(default)]
    pub name: String,
    /// For `on-failure`: the most restarts; 0 or absent is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_retry_count: Option<u32>,
}

/// A port to publish, or one that is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PortDescription {
    /// `tcp` (the default) or `udp`.
    #[serde(default)]
    pub proto: String,
    /// The address of the host; all if empty.
    #[serde(default)]
    pub host_ip: String,
    /// The host's port; 0, "" or absent lets Pierhead choose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<PortNumber>,
    /// The container's port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_port: Option<PortNumber>,
}

/// A port number, or a text that holds one. Written as a number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum PortNumber {
    /// A number.
    Number(i64),
    /// A numeric text.
    Text(String),
}

impl Serialize for PortNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => match text.parse::<i64>() {
                Ok(number) => serializer.serialize_i64(number),
                Err(_) => serializer.serialize_str(text),
            },
        }
    }
}

impl PortNumber {
    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        match self {
            Self::Number(number) => u16::try_from(*number).ok(),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// What applies to a description that leaves something out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Defaults {
    /// The image when none is named; absent means that one must be named.
    pub image: Option<String>,
    /// What is reserved for a container that names no CPU or memory.
    pub reserved: Resources,
}

/// What stands for the value of an environment variable that only its owner may see.
pub const HIDDEN: &str = "(hidden)";

/// The most CPU for a container that names none, in thousandths of a core.
pub const DEFAULT_CPU_LIMIT_MILLIS: u64 = 1000;

impl ImageDescription {
    /// How a container of the model is shown. `redact` leaves out what only its owner may see.
    #[must_use]
    pub fn of(spec: &ContainerSpec, redact: bool) -> Self {
        let mut labels: Vec<String> = spec.labels.iter().map(ToString::to_string).collect();
        if let Placement::Host(id) = &spec.placement {
            labels.push(format!("host:{id}"));
        }
        let hidden = |value: &String| if redact { HIDDEN.to_owned() } else { value.clone() };
        Self {
            name: spec.image.to_string(),
            cpus: Some(spec.limits.reserved.cpus()),
            cpu_limit: (spec.limits.cpu_limit_millis != spec.limits.reserved.cpu_millis)
                .then(|| Resources::new(spec.limits.cpu_limit_millis, 0).cpus()),
            cpuset: spec.cpuset.clone(),
            memory: Some(spec.limits.reserved.memory_mb as f64),
            entrypoint: spec.entrypoint.clone(),
            args: spec.args.clone(),
            environment: spec.environment.iter().map(|(key, value)| (key.clone(), hidden(value))).collect(),
            hostname: spec.hostname.clone(),
            domainname: spec.domainname.clone(),
            kind: Some(spec.placement.type_name().to_owned()),
            labels,
            bind_ports: spec.ports.iter().map(PortDescription::of_request).collect(),
            user_data: if redact { BTreeMap::new() } else { spec.user_data.clone() },
            volumes: spec.volumes.iter().map(ToString::to_string).collect(),
            links: spec.links.clone(),
            restart_policy: Some(RestartDescription::of(spec.restart)),
            publish: Some(spec.publish_all),
            network_mode: Some(spec.network.to_string()),
            single_writer: spec.single_writer.then_some(true),
        }
    }
}

impl RestartDescription {
    fn of(policy: RestartPolicy) -> Self {
        match policy {
            RestartPolicy::Always => Self { name: "always".to_owned(), maximum_retry_count: None },
            RestartPolicy::No => Self { name: "no".to_owned(), maximum_retry_count: None },
            RestartPolicy::OnFailure { maximum_retry_count } => {
                Self { name: "on-failure".to_owned(), maximum_retry_count: Some(maximum_retry_count) }
            }
        }
    }
}

impl PortDescription {
    fn of_request(request: &pierhead_model::PortRequest) -> Self {
        Self::new(request.protocol, request.host_ip.map(|ip| ip.to_string()), request.host_port, request.container_port)
    }

    /// A port that is bound; `host` is where it answers if it is bound to all addresses.
    #[must_use]
    pub fn bound(port: &HostPort, host: Option<&str>) -> Self {
        let specific = port.host_ip.filter(|ip| !ip.is_unspecified()).map(|ip| ip.to_string());
        Self::new(
            port.protocol,
            specific.or_else(|| host.map(str::to_owned)),
            Some(port.host_port),
            port.container_port,
        )
    }

    fn new(protocol: Protocol, host_ip: Option<String>, port: Option<u16>, container_port: u16) -> Self {
        Self {
            proto: protocol.to_string(),
            host_ip: host_ip.unwrap_or_default(),
            port: port.map(|port| PortNumber::Number(i64::from(port))),
            container_port: Some(PortNumber::Number(i64::from(container_port))),
        }
    }
}

#[cfg(test)]
mod tests;
