//! What an engine tells of itself, as far as it matters here. Fields that an engine does not know stay open.

use super::EngineState;
use serde::Deserialize;

/// `GET /info`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Info {
    #[serde(rename = "ID")]
    pub(super) id: Option<String>,
    pub(super) driver: Option<String>,
    pub(super) docker_root_dir: Option<String>,
    pub(super) memory_limit: Option<bool>,
    pub(super) swap_limit: Option<bool>,
    #[serde(rename = "CpuCfsQuota", alias = "CPUCfsQuota")]
    pub(super) cpu_quota: Option<bool>,
    #[serde(rename = "CPUSet")]
    pub(super) cpu_set: Option<bool>,
    pub(super) pids_limit: Option<bool>,
    #[serde(rename = "IPv4Forwarding")]
    pub(super) forwarding: Option<bool>,
    pub(super) live_restore_enabled: Option<bool>,
    pub(super) cgroup_version: Option<String>,
    pub(super) default_runtime: Option<String>,
    pub(super) security_options: Option<Vec<String>>,
    pub(super) driver_status: Option<Vec<Vec<String>>>,
    #[serde(rename = "OSType")]
    pub(super) os_type: Option<String>,
}

/// `GET /version`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Version {
    pub(super) version: Option<String>,
    pub(super) api_version: Option<String>,
    pub(super) components: Option<Vec<Component>>,
}

/// A program that the engine consists of.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Component {
    pub(super) name: String,
    pub(super) version: String,
}

impl Version {
    /// The version of runc, without the letters around it.
    pub(super) fn runc(&self) -> Option<&str> {
        let components = self.components.as_deref().unwrap_or_default();
        components.iter().find(|component| component.name == "runc").map(|runc| runc.version.as_str())
    }
}

/// The engine in our words.
pub(super) fn engine(info: &Info, version: &Version) -> EngineState {
    let runtime = info.default_runtime.as_deref().unwrap_or("runc");
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    EngineState::Answers {
        id: text(&info.id),
        version: text(&version.version),
        api_version: text(&version.api_version),
        runtime: match version.runc().filter(|_| runtime == "runc") {
            Some(number) => format!("runc {number}"),
            None => runtime.to_owned(),
        },
        storage_driver: text(&info.driver),
        cgroup_version: info.cgroup_version.clone().unwrap_or_else(|| "1".to_owned()),
    }
}
