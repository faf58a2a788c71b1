//! One host's page of the ledger: what is known of it, what is held on it, and sums that answer questions fast.

use super::{Hold, HoldKey, HostFacts};
use pierhead_model::{EngineId, HostPort, Protocol, Resources, Username};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A host, known or only named by holds.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    id: EngineId,
    facts: Option<HostFacts>,
    /// Those of the facts and `host:<id>`.
    labels: BTreeSet<String>,
    holds: BTreeMap<HoldKey, Hold>,
    /// Wider than any sum of holds, so that adding and taking away never drift apart.
    cpu_millis: u128,
    memory_mb: u128,
    ports: BTreeMap<(Protocol, u16), Vec<HostPort>>,
    images: BTreeMap<String, u32>,
    names: BTreeMap<String, u32>,
}

impl Host {
    pub(super) fn new(id: EngineId) -> Self {
        Self {
            id,
            facts: None,
            labels: BTreeSet::new(),
            holds: BTreeMap::new(),
            cpu_millis: 0,
            memory_mb: 0,
            ports: BTreeMap::new(),
            images: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// Takes over what is known; answers whether anything changed that the index takes as fixed.
    pub(super) fn set_facts(&mut self, facts: HostFacts) -> bool {
        let same =
            self.facts.as_ref().is_some_and(|old| old.allocatable == facts.allocatable && old.labels == facts.labels);
        if !same {
            self.labels = facts.labels.clone();
            self.labels.insert(format!("host:{}", facts.id));
        }
        self.facts = Some(facts);
        !same
    }

    /// Forgets what is known; answers whether anything was.
    pub(super) fn clear_facts(&mut self) -> bool {
        self.labels.clear();
        self.facts.take().is_some()
    }

    pub(super) fn add(&mut self, key: HoldKey, hold: Hold) {
        self.cpu_millis += u128::from(hold.resources.cpu_millis);
        self.memory_mb += u128::from(hold.resources.memory_mb);
        for port in &hold.ports {
            self.ports.entry((port.protocol, port.host_port)).or_default().push(port.clone());
        }
        hold.images.iter().for_each(|image| count(&mut self.images, image));
        hold.names.iter().for_each(|name| count(&mut self.names, name));
        self.holds.insert(key, hold);
    }

    pub(super) fn remove(&mut self, key: &HoldKey) -> Option<Hold> {
        let hold = self.holds.remove(key)?;
        self.cpu_millis -= u128::from(hold.resources.cpu_millis);
        self.memory_mb -= u128::from(hold.resources.memory_mb);
        for port in &hold.ports {
            self.free_port(port);
        }
        hold.images.iter().for_each(|image| discount(&mut self.images, image));
        hold.names.iter().for_each(|name| discount(&mut self.names, name));
        Some(hold)
    }

    fn free_port(&mut self, port: &HostPort) {
        let number = (port.protocol, port.host_port);
        if let Some(bound) = self.ports.get_mut(&number) {
            if let Some(at) = bound.iter().position(|other| other == port) {
                bound.swap_remove(at);
            }
            if bound.is_empty() {
                self.ports.remove(&number);
            }
        }
    }

    pub(crate) fn id(&self) -> &EngineId {
        &self.id
    }

    pub(crate) fn facts(&self) -> Option<&HostFacts> {
        self.facts.as_ref()
    }

    pub(crate) fn labels(&self) -> &BTreeSet<String> {
        &self.labels
    }

    pub(crate) fn hold(&self, key: &HoldKey) -> Option<&Hold> {
        self.holds.get(key)
    }

    pub(crate) fn holds(&self) -> impl Iterator<Item = (&HoldKey, &Hold)> {
        self.holds.iter()
    }

    /// Whether nothing would be lost with it.
    pub(super) fn is_empty(&self) -> bool {
        self.facts.is_none() && self.holds.is_empty()
    }

    pub(crate) fn reserved(&self) -> Resources {
        let clamp = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        Resources::new(clamp(self.cpu_millis), clamp(self.memory_mb))
    }

    /// What can still be reserved; nothing where more is reserved than there is.
    pub(crate) fn free(&self, facts: &HostFacts) -> Resources {
        facts.allocatable.saturating_sub(self.reserved())
    }

    /// Whether something bound on the host is in the way of this port.
    pub(crate) fn is_port_taken(&self, protocol: Protocol, host_ip: Option<IpAddr>, number: u16) -> bool {
        self.ports
            .get(&(protocol, number))
            .is_some_and(|bound| bound.iter().any(|port| port.collides(protocol, host_ip, number)))
    }

    pub(crate) fn runs_image(&self, image: &str) -> bool {
        self.images.contains_key(image)
    }

    pub(crate) fn has_container(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Whether all that bears a name belongs to apps of one owner.
    pub(crate) fn is_owned(&self, name: &str, owner: &Username) -> bool {
        let named = |hold: &&Hold| hold.names.iter().any(|other| other == name);
        self.holds.values().filter(named).all(|hold| hold.owner.as_ref() == Some(owner))
    }
}

fn count(counts: &mut BTreeMap<String, u32>, what: &str) {
    match counts.get_mut(what) {
        Some(count) => *count += 1,
        None => {
            counts.insert(what.to_owned(), 1);
        }
    }
}

fn discount(counts: &mut BTreeMap<String, u32>, what: &str) {
    if let Some(count) = counts.get_mut(what) {
        *count -= 1;
        if *count == 0 {
            counts.remove(what);
        }
    }
}
