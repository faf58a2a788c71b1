//! Engines as they are added and listed.

use crate::FieldError;
use pierhead_model::is_label;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// Body of `POST /api/engines`. The original's form, with `addr` and `labels` nested in `engine`, is accepted too.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EngineRequest {
    /// Its id; the digits of the address if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `http://10.0.0.5:2375`, `tcp://…`, `10.0.0.5:2375`, `https://…` or `unix:///var/run/docker.sock`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr: Option<String>,
    /// Labels to place by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// The authority that signed the engine's certificate, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// The client's certificate, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_certificate: Option<String>,
    /// The client's key, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_key: Option<String>,
    /// A registry account for pulls on this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<RegistryAuthRequest>,
    /// Cores that replace what the engine reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_cpus: Option<f64>,
    /// Megabytes that replace what the engine reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_memory: Option<f64>,
    /// Factor on the cores that may be reserved; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_commit_cpus: Option<f64>,
    /// Factor on the memory that may be reserved; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_commit_memory: Option<f64>,
    /// The original's nested form of `id`, `addr` and `labels`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<NestedEngine>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub health: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub docker_version: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub cpus: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub memory: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub duty: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub reserved_cpus: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub reserved_memory: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub container_count: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub image_count: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub api_version: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub operating_system: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub kernel: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub storage_driver: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub lacks: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub agent: Option<Value>,
}

/// The inner object of the original's form.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NestedEngine {
    /// As outside.
    #[serde(default)]
    pub id: Option<String>,
    /// As outside.
    #[serde(default)]
    pub addr: Option<String>,
    /// As outside.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub cpus: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub memory: Option<Value>,
}

/// A registry account.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegistryAuthRequest {
    /// The registry (`registry.lan:5000`); empty for the default one.
    #[serde(default)]
    pub server: String,
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// An engine as it is listed: never with a key or password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EngineView {
    /// Its id.
    pub id: String,
    /// Its address.
    pub addr: String,
    /// Cores that may be reserved.
    pub cpus: f64,
    /// Memory that may be reserved, in MB.
    pub memory: f64,
    /// Labels, people's and the engine's own.
    pub labels: Vec<String>,
    /// How it answers.
    pub health: HealthView,
    /// `in_service`, `cordoned`, `draining` or `drained`: nothing new is placed on the last three.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub duty: String,
    /// The engine's version; empty until it was reached.
    pub docker_version: String,
    /// Cores reserved.
    pub reserved_cpus: f64,
    /// Memory reserved, in MB.
    pub reserved_memory: f64,
    /// Containers running on it.
    pub container_count: u64,
    /// Images on it.
    pub image_count: u64,
    /// The API version that is spoken with it.
    pub api_version: String,
    /// The host's operating system.
    pub operating_system: String,
    /// The host's kernel.
    pub kernel: String,
    /// The engine's storage driver.
    pub storage_driver: String,
    /// What it lacks, each a sentence.
    pub lacks: Vec<String>,
    /// The agent that it is reached through; absent for one that is reached at its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentView>,
}

/// The agent of a host, and what that tells of the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentView {
    /// Whether the host waits for approval: until then nothing is asked of its engine.
    pub waits_for_approval: bool,
    /// SHA-256 of the certificates that count, the newest last; two while one replaces the other, none once revoked.
    pub fingerprints: Vec<String>,
    /// Until when the newest is good (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What it told when it called last; absent if it has not called yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostView>,
}

/// What an agent tells of its host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostView {
    /// The version of the agent.
    pub agent_version: String,
    /// Cores that the kernel runs.
    pub cpus: u32,
    /// Memory, in MB.
    pub memory: u64,
    /// Addresses under which others can reach the host.
    pub addresses: Vec<String>,
    /// The kernel's release.
    pub kernel: String,
    /// The engine's version; empty if it does not answer the agent.
    pub docker_version: String,
    /// The newest version of the engine's API.
    pub api_version: String,
    /// What starts containers, with its version.
    pub runtime: String,
    /// What keeps images.
    pub storage_driver: String,
    /// The version of control groups, `1` or `2`.
    pub cgroup_version: String,
    /// What is wrong or missing, each a sentence.
    pub lacks: Vec<String>,
}

/// How an engine answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthView {
    /// `waiting` (for approval), `pending`, `healthy`, `suspect` or `down`.
    pub status: String,
    /// How long its last answer took, in milliseconds.
    pub response_time: u64,
    /// Why it is not healthy, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Since when it is in this state (RFC 3339).
    pub since: String,
}

impl EngineRequest {
    /// The address in the form that is kept: with a scheme, `tcp` being `http` (or `https` with certificates).
    ///
    /// # Errors
    /// Names `addr` and the accepted forms.
    pub fn address(&self) -> Result<String, FieldError> {
        let expected = "an address such as http://10.0.0.5:2375, tcp://host:2375, https://host:2376 or unix:///var/run/docker.sock";
        let refuse = || FieldError::new("addr", expected);
        self.check_nested()?;
        let nested = self.engine.as_ref().and_then(|engine| engine.addr.as_deref());
        let text = self.addr.as_deref().or(nested).unwrap_or_default().trim_end_matches('/');
        if text.is_empty() || text.len() > 255 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(refuse());
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        let scheme = match scheme {
            "unix" if rest.starts_with('/') && !rest.contains("..") => return Ok(text.to_owned()),
            "tcp" if self.has_certificates() => "https",
            "tcp" | "http" => "http",
            "https" => "https",
            _ => return Err(refuse()),
        };
        if rest.contains(['/', '@', '?', '#']) {
            return Err(refuse());
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse::<u16>().map_err(|_| refuse())?),
            _ => (rest, if scheme == "https" { 2376 } else { 2375 }),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host_ok = match bare {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-'),
        };
        if !host_ok || port == 0 {
            return Err(refuse());
        }
        Ok(format!("{scheme}://{host}:{port}"))
    }

    /// Demands that what stands in both forms is the same in both.
    fn check_nested(&self) -> Result<(), FieldError> {
        let Some(nested) = &self.engine else { return Ok(()) };
        let differs = |one: &Option<String>, other: &Option<String>| one.is_some() && other.is_some() && one != other;
        let twice = [
            ("engine.id", differs(&self.id, &nested.id)),
            ("engine.addr", differs(&self.addr, &nested.addr)),
            ("engine.labels", self.labels.is_some() && nested.labels.is_some() && self.labels != nested.labels),
        ];
        match twice.into_iter().find(|(_, differs)| *differs) {
            Some((field, _)) => {
                let outer = field.trim_start_matches("engine.");
                Err(FieldError::new(field, format!("the same as {outer}, or left out")))
            }
            None => Ok(()),
        }
    }

    /// Whether it has any part of what TLS needs; an empty text is none.
    #[must_use]
    pub fn has_certificates(&self) -> bool {
        let parts = [&self.ca_certificate, &self.ssl_certificate, &self.ssl_key];
        parts.into_iter().flatten().any(|pem| !pem.is_empty())
    }

    /// The id, wherever it stands.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        let nested = self.engine.as_ref().and_then(|engine| engine.id.as_deref());
        self.id.as_deref().or(nested).filter(|id| !id.is_empty())
    }

    /// The labels, wherever they stand; empty ones are left out.
    ///
    /// # Errors
    /// Names the label that does not have the accepted form.
    pub fn labels(&self) -> Result<BTreeSet<String>, FieldError> {
        let nested = self.engine.as_ref().and_then(|engine| engine.labels.as_ref());
        let labels = self.labels.as_ref().or(nested).map(Vec::as_slice).unwrap_or_default();
        if labels.len() > 256 {
            return Err(FieldError::new("labels", "a list of at most 256 labels"));
        }
        let check = |(at, label): (usize, &String)| {
            if is_label(label) {
                Ok(label.clone())
            } else {
                Err(FieldError::new(
                    format!("labels[{at}]"),
                    "1 to 128 printable characters without space, comma, '|' and '!'",
                ))
            }
        };
        labels.iter().enumerate().filter(|(_, label)| !label.is_empty()).map(check).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(addr: &str) -> Result<String, FieldError> {
        EngineRequest { addr: Some(addr.to_owned()), ..EngineRequest::default() }.address()
    }

    #[test]
    fn addresses_get_a_scheme_and_a_port() {
        assert_eq!(address("10.0.0.5:2375").unwrap(), "http://10.0.0.5:2375");
        assert_eq!(address("tcp://10.0.0.5").unwrap(), "http://10.0.0.5:2375");
        assert_eq!(address("https://docker-3.lan/").unwrap(), "https://docker-3.lan:2376");
        assert_eq!(address("http://[::1]:2375").unwrap(), "http://[::1]:2375");
        assert_eq!(address("unix:///var/run/docker.sock").unwrap(), "unix:///var/run/docker.sock");
    }

    #[test]
    fn certificates_make_an_address_one_of_tls() {
        for (pem, expected) in [("PEM", "https://10.0.0.5:2376"), ("", "http://10.0.0.5:2375")] {
            for at in 0..3 {
                let part = |index| (at == index).then(|| pem.to_owned());
                let request = EngineRequest {
                    addr: Some("10.0.0.5".to_owned()),
                    ca_certificate: part(0),
                    ssl_certificate: part(1),
                    ssl_key: part(2),
                    ..EngineRequest::default()
                };
                assert_eq!(request.address().unwrap(), expected);
            }
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for bad in [
            "",
            "ftp://x",
            "http://",
            "http://a b:1",
            "http://x:0",
            "http://x:99999",
            "http://u@x:1",
            "http://x:1/y",
            "unix://x",
            "http://$(id):1",
            "unix:///a/../b",
        ] {
            assert!(address(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_listed_can_be_sent_to_be_added() {
        let health = HealthView { status: "healthy".into(), response_time: 1, reason: "x".into(), since: "x".into() };
        let view = EngineView {
            id: "a".into(),
            addr: "http://10.0.0.5:2375".into(),
            cpus: 2.0,
            memory: 1.0,
            labels: vec!["ssd".into()],
            health,
            duty: "drained".into(),
            docker_version: "1".into(),
            reserved_cpus: 1.0,
            reserved_memory: 1.0,
            container_count: 1,
            image_count: 1,
            api_version: "1.41".into(),
            operating_system: "x".into(),
            kernel: "x".into(),
            storage_driver: "x".into(),
            lacks: vec!["x".into()],
            agent: Some(AgentView { waits_for_approval: false, fingerprints: vec![], expires_at: None, host: None }),
        };
        let request: EngineRequest = serde_json::from_value(serde_json::to_value(&view).unwrap()).unwrap();
        assert_eq!((request.id(), request.address().unwrap().as_str()), (Some("a"), "http://10.0.0.5:2375"));
        assert_eq!(request.labels().unwrap().len(), 1);
        let sent = serde_json::to_value(&request).unwrap();
        assert_eq!(sent.as_object().unwrap().keys().collect::<Vec<_>>(), ["addr", "id", "labels"]);
    }

    #[test]
    fn what_stands_in_both_forms_must_agree() {
        let same =
            r#"{"id":"a","addr":"10.0.0.5","labels":["x"],"engine":{"id":"a","addr":"10.0.0.5","labels":["x"]}}"#;
        assert!(serde_json::from_str::<EngineRequest>(same).unwrap().address().is_ok());
        for (outer, inner, field) in [
            (r#""addr":"10.0.0.5""#, r#""addr":"10.0.0.6""#, "engine.addr"),
            (r#""addr":"10.0.0.5","id":"a""#, r#""id":"b""#, "engine.id"),
            (r#""addr":"10.0.0.5","labels":[]"#, r#""labels":["x"]"#, "engine.labels"),
        ] {
            let body = format!(r#"{{{outer},"engine":{{{inner}}}}}"#);
            let refused = serde_json::from_str::<EngineRequest>(&body).unwrap().address().unwrap_err();
            assert_eq!(refused.field, field, "{body}");
            assert!(refused.message.contains("left out"), "{refused:?}");
        }
    }

    #[test]
    fn the_nested_form_of_the_original_is_understood() {
        let body = r#"{"engine":{"addr":"http://10.0.0.5:2375","labels":["ssd",""]},"health":{"status":"up"}}"#;
        let request: EngineRequest = serde_json::from_str(body).unwrap();
        assert_eq!(request.address().unwrap(), "http://10.0.0.5:2375");
        assert_eq!(request.labels().unwrap().into_iter().collect::<Vec<_>>(), ["ssd"]);
    }
}
