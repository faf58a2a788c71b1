//! The networks on a fake engine, with Docker's own rules.

use crate::error::{EngineError, Result};
use crate::network::NetworkRequest;
use pierhead_model::{ObservedNetwork, Ownership, Timestamp};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Networks {
    by_name: BTreeMap<String, ObservedNetwork>,
}

impl Networks {
    pub(super) fn create(&mut self, request: &NetworkRequest, now: Timestamp) -> Result<()> {
        if self.has(&request.name) {
            return Err(EngineError::NameTaken);
        }
        let taken = |network: &&ObservedNetwork| network.subnet.is_some_and(|subnet| subnet.overlaps(request.subnet));
        if self.by_name.values().any(|network| taken(&network)) {
            let words = "Pool overlaps with other one on this address space";
            return Err(EngineError::SubnetTaken(words.to_owned()));
        }
        let network = ObservedNetwork {
            name: request.name.clone(),
            subnet: Some(request.subnet),
            labels: request.labels.clone(),
            created_at: now,
        };
        self.by_name.insert(request.name.clone(), network);
        Ok(())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Those with the label of a cluster.
    pub(super) fn ours(&self) -> Vec<ObservedNetwork> {
        self.by_name.values().filter(|network| network.labels.contains_key(Ownership::CLUSTER)).cloned().collect()
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.by_name.remove(name);
    }
}
