//! Networks: what an engine is told about one to make.

use pierhead_model::{Asks, Subnet, Workspace, WorkspaceId};
use std::collections::BTreeMap;

/// How the bridges of workspaces without and with a way out are named on their hosts, up to the workspace's id. The
/// firewall that agents keep goes by these names, so that it is in place before there is any network.
pub const WORKSPACE_BRIDGES: [&str; 2] = ["phw-", "phe-"];

/// Everything an engine is told about a network. It is a bridge of its own on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRequest {
    /// Its name, unique on the engine.
    pub name: String,
    /// The name of its bridge on the host, at most 15 bytes.
    pub bridge: String,
    /// Its addresses; the first that can be used is the host's.
    pub subnet: Subnet,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether its containers reach nothing beyond it: they get no route out.
    pub is_internal: bool,
    /// Whether its containers reach one another.
    pub connects: bool,
    /// Whether what leaves it bears the host's address.
    pub masquerades: bool,
}

impl NetworkRequest {
    /// The network of a workspace: its containers reach one another, and the world outside only if its environment asks
    /// for that.
    #[must_use]
    pub fn of_workspace(id: &WorkspaceId, subnet: Subnet, labels: BTreeMap<String, String>, asks: &Asks) -> Self {
        Self {
            name: Workspace::network_name(id),
            bridge: format!("{}{id}", WORKSPACE_BRIDGES[usize::from(asks.egress)]),
            subnet,
            labels,
            is_internal: !asks.egress,
            connects: true,
            masquerades: asks.egress,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_out_is_only_there_if_it_is_asked_for() {
        let id = WorkspaceId::parse("abcdefgh23").unwrap();
        let subnet = Subnet::parse("10.213.0.0/28").unwrap();
        let made = |egress| {
            let asks = Asks { egress, root: true, ..Asks::default() };
            NetworkRequest::of_workspace(&id, subnet, BTreeMap::new(), &asks)
        };
        let (closed, open) = (made(false), made(true));
        assert_eq!((closed.name.as_str(), closed.bridge.as_str()), ("ph-abcdefgh23", "phw-abcdefgh23"));
        assert!(closed.is_internal && !closed.masquerades && closed.connects);
        assert_eq!((open.name.as_str(), open.bridge.as_str()), ("ph-abcdefgh23", "phe-abcdefgh23"));
        assert!(!open.is_internal && open.masquerades && open.connects);
        assert!(closed.bridge.len() <= 15, "the kernel takes no longer name");
    }
}
