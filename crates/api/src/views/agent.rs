//! The agent of a host, and what that told.

use pierhead_model::{AgentKeys, HostFacts, Timestamp};
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

/// Whether the agent is refused because none of its certificates is good any more.
pub(super) fn has_expired(keys: &AgentKeys, now: Timestamp) -> bool {
    keys.certificates.last().is_some_and(|newest| newest.expires_at <= now)
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

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::AgentCertificate;

    #[test]
    fn the_newest_certificate_counts() {
        let until = |at| AgentCertificate { fingerprint: "f".to_owned(), expires_at: Timestamp(at) };
        let keys = |certificates| AgentKeys { certificates, ..AgentKeys::default() };
        assert!(has_expired(&keys(vec![until(5)]), Timestamp(5)));
        assert!(!has_expired(&keys(vec![until(5), until(9)]), Timestamp(6)));
        assert!(!has_expired(&keys(vec![]), Timestamp(6)), "it was revoked, which is something else");
    }
}
