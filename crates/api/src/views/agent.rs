//! The agent of a host, and what that told.

use pierhead_model::{AgentKeys, HostFacts};
use pierhead_wire::{AgentView, HostView, format_timestamp};

/// An agent: by what it is known, and what it told last.
pub(super) fn agent(keys: &AgentKeys, host: Option<&HostFacts>) -> AgentView {
    AgentView {
        waits_for_approval: keys.waits,
        fingerprints: keys.certificates.iter().map(|certificate| certificate.fingerprint.clone()).collect(),
        expires_at: keys.certificates.last().map(|newest| format_timestamp(newest.expires_at)),
        host: host.map(told),
    }
}

fn told(host: &HostFacts) -> HostView {
    HostView {
        agent_version: host.agent_version.clone(),
        cpus: host.cpus,
        memory: host.memory_mb,
        addresses: host.addresses.iter().map(ToString::to_string).collect(),
        kernel: host.kernel.clone(),
        docker_version: host.engine_version.clone(),
        api_version: host.api_version.clone(),
        runtime: host.runtime.clone(),
        storage_driver: host.storage_driver.clone(),
        cgroup_version: host.cgroup_version.clone(),
        lacks: host.lacks.clone(),
    }
}
