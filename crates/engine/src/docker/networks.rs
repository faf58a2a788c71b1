//! Networks on a real engine.

use super::{Docker, observe};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::network::NetworkRequest;
use bollard::models::{Ipam, IpamConfig, Network, NetworkCreateRequest};
use bollard::query_parameters::ListNetworksOptionsBuilder;
use pierhead_model::{ObservedNetwork, Ownership, Subnet, Timestamp};
use std::collections::HashMap;

/// The names of a bridge's options.
const BRIDGE: &str = "com.docker.network.bridge.name";
const CONNECTS: &str = "com.docker.network.bridge.enable_icc";
const MASQUERADES: &str = "com.docker.network.bridge.enable_ip_masquerade";

impl Docker {
    pub(super) async fn network_made(&self, request: &NetworkRequest) -> Result<()> {
        let deadline = self.deadlines.network;
        self.within(Verb::CreateNetwork, deadline, async {
            // Engines up to API 1.43 would make a second one of the same name.
            if self.has_network(&request.name).await? {
                return Err(EngineError::NameTaken);
            }
            let body = body(request);
            let made = self.call(Verb::CreateNetwork, deadline, |client| {
                let body = body.clone();
                async move { client.create_network(body).await.map(drop) }
            });
            match made.await {
                // Somebody else made it meanwhile, and the engine blames its addresses.
                Err(EngineError::SubnetTaken(_)) if self.has_network(&request.name).await? => {
                    Err(EngineError::NameTaken)
                }
                result => result,
            }
        })
        .await
    }

    pub(super) async fn networks_seen(&self) -> Result<Vec<ObservedNetwork>> {
        Ok(self.listed(&[("label", Ownership::CLUSTER)]).await?.into_iter().filter_map(seen).collect())
    }

    pub(super) async fn network_removed(&self, name: &str) -> Result<()> {
        let removed = self.call(Verb::RemoveNetwork, self.deadlines.network, |client| async move {
            client.remove_network(name).await
        });
        match removed.await {
            Err(EngineError::NotFound) => Ok(()),
            result => result,
        }
    }

    async fn has_network(&self, name: &str) -> Result<bool> {
        // The engine takes the name for a part of one.
        Ok(self.listed(&[("name", name)]).await?.iter().any(|network| network.name.as_deref() == Some(name)))
    }

    async fn listed(&self, filters: &[(&str, &str)]) -> Result<Vec<Network>> {
        let filters: HashMap<&str, Vec<&str>> = filters.iter().map(|(key, value)| (*key, vec![*value])).collect();
        let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
        self.call(Verb::Networks, self.deadlines.network, |client| {
            let options = options.clone();
            async move { client.list_networks(Some(options)).await }
        })
        .await
    }
}

/// The body of a request: a bridge with these addresses and nothing that could come from elsewhere.
fn body(request: &NetworkRequest) -> NetworkCreateRequest {
    let options = [
        (BRIDGE, request.bridge.clone()),
        (CONNECTS, request.connects.to_string()),
        (MASQUERADES, request.masquerades.to_string()),
    ];
    let addresses = IpamConfig { subnet: Some(request.subnet.to_string()), ..IpamConfig::default() };
    NetworkCreateRequest {
        name: request.name.clone(),
        driver: Some("bridge".to_owned()),
        internal: Some(request.is_internal),
        attachable: Some(false),
        enable_ipv6: Some(false),
        ipam: Some(Ipam { config: Some(vec![addresses]), ..Ipam::default() }),
        options: Some(options.map(|(key, value)| (key.to_owned(), value)).into()),
        labels: Some(request.labels.clone().into_iter().collect()),
        ..NetworkCreateRequest::default()
    }
}

fn seen(network: Network) -> Option<ObservedNetwork> {
    let addresses = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    Some(ObservedNetwork {
        name: network.name?,
        subnet: addresses.iter().find_map(|config| Subnet::parse(config.subnet.as_deref()?).ok()),
        labels: network.labels.unwrap_or_default().into_iter().collect(),
        created_at: network.created.as_deref().map_or(Timestamp(0), observe::moment),
    })
}

/// What an engine's refusal of something about networks means; none if its words are no special ones.
pub(super) fn refusal(verb: Verb, status: u16, message: &str) -> Option<EngineError> {
    let words = message.to_lowercase();
    let says = |any: &[&str]| any.iter().any(|part| words.contains(part));
    match verb {
        Verb::CreateNetwork if says(SUBNET_TAKEN) => Some(EngineError::SubnetTaken(message.to_owned())),
        Verb::CreateNetwork if status == 409 || says(NAME_TAKEN) => Some(EngineError::NameTaken),
        // It is not the container that is missing.
        Verb::Start | Verb::Restart if status == 404 && words.starts_with("network ") => {
            Some(EngineError::Failed(message.to_owned()))
        }
        _ => None,
    }
}

const SUBNET_TAKEN: &[&str] = &["pool overlaps", "overlapping ipv4", "overlaps with"];
const NAME_TAKEN: &[&str] = &["same bridge name", "already exists"];

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::{Asks, WorkspaceId};
    use std::collections::BTreeMap;

    fn request(egress: bool) -> NetworkRequest {
        let labels = BTreeMap::from([(Ownership::CLUSTER.to_owned(), "c1".to_owned())]);
        let asks = Asks { egress, ..Asks::default() };
        let id = WorkspaceId::parse("abcdefgh23").unwrap();
        NetworkRequest::of_workspace(&id, Subnet::parse("10.213.0.16/28").unwrap(), labels, &asks)
    }

    #[test]
    fn what_an_engine_is_told() {
        for egress in [false, true] {
            let told = serde_json::to_value(body(&request(egress))).unwrap();
            let bridge = if egress { "phe-abcdefgh23" } else { "phw-abcdefgh23" };
            let expected = serde_json::json!({
                "Name": "ph-abcdefgh23", "Driver": "bridge", "Internal": !egress, "Attachable": false,
                "EnableIPv6": false, "IPAM": {"Config": [{"Subnet": "10.213.0.16/28"}]},
                "Options": {BRIDGE: bridge, CONNECTS: "true", MASQUERADES: egress.to_string()},
                "Labels": {"pierhead.cluster": "c1"},
            });
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn what_an_engine_tells() {
        let told = |ipam: serde_json::Value| {
            let network = serde_json::json!({
                "Name": "n", "Labels": {"a": "b"}, "IPAM": ipam, "Created": "2026-11-22T11:00:00.5Z",
            });
            seen(serde_json::from_value(network).unwrap()).unwrap()
        };
        let one = told(serde_json::json!({"Config": [{"Subnet": "fd00::/64"}, {"Subnet": "10.0.0.0/28"}]}));
        assert_eq!(one.subnet.map(|subnet| subnet.to_string()).as_deref(), Some("10.0.0.0/28"));
        assert!(one.labels["a"] == "b" && one.created_at.0 % 1000 == 500);
        assert_eq!(told(serde_json::json!({"Config": null})).subnet, None);
        assert_eq!(seen(Network::default()), None);
    }

    #[test]
    fn what_a_refusal_means() {
        for (verb, status, message, expected) in [
            (Verb::CreateNetwork, 403, "Pool overlaps with other one on this address space", "SubnetTaken"),
            (
                Verb::CreateNetwork,
                400,
                "invalid pool request: Pool overlaps with other one on this address space",
                "SubnetTaken",
            ),
            (Verb::CreateNetwork, 409, "network with name ph-a already exists", "NameTaken"),
            (
                Verb::CreateNetwork,
                403,
                "cannot create network 1f (phw-a): conflicts with network 2e (phw-a): networks have same bridge name",
                "NameTaken",
            ),
            (Verb::Start, 404, "network ph-a not found", "Failed"),
        ] {
            let error = refusal(verb, status, message).unwrap();
            assert!(format!("{error:?}").starts_with(expected), "{message}: {error:?}");
        }
        assert!(refusal(Verb::CreateNetwork, 500, "no space left on device").is_none());
        assert!(refusal(Verb::Start, 404, "No such container: x").is_none());
    }
}
