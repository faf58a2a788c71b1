//! The one ledger of reservations: which hosts there are, and what is held on each.
//!
//! It counts and never decides: placement reads it, whoever keeps it writes what was decided. Everything that is
//! assigned is held here, running or not yet, and so are containers that are not ours.

mod host;

pub(crate) use host::Host;

use crate::placement::{Index, Weights};
use pierhead_model::{ContainerId, EngineId, Generation, HostPort, Resources, SlotKey, Username, WorkspaceId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// How hosts are compared, and which ports are given out.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacementPolicy {
    /// The most that free CPU adds to a host's score; counted in thousandths.
    pub cpu_weight: f64,
    /// The most that free memory adds to a host's score; counted in thousandths.
    pub memory_weight: f64,
    /// Where host ports come from for containers that don't ask for a certain one.
    pub host_ports: RangeInclusive<u16>,
}

impl Default for PlacementPolicy {
    fn default() -> Self {
        Self { cpu_weight: 65.0, memory_weight: 35.0, host_ports: 20_000..=29_999 }
    }
}

/// What placement has to know of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    /// Its id.
    pub id: EngineId,
    /// What may be reserved on it in total.
    pub allocatable: Resources,
    /// Its labels. `host:<id>` counts as one more, and need not be among them.
    pub labels: BTreeSet<String>,
    /// Why nothing may be placed on it now, in words ("down: connection refused", "cordoned").
    pub unavailable: Option<String>,
    /// Whether it is reached through an agent.
    pub has_agent: bool,
    /// Why workspaces cannot be kept apart on it, in words, as far as its agent has told.
    pub unguarded: Option<String>,
}

/// Who holds something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldKey {
    /// A slot of ours.
    Slot(SlotKey),
    /// The former containers of a slot, which serve until its present ones do.
    Fallback(SlotKey),
    /// The containers of a workspace, of one generation.
    Workspace(WorkspaceId, Generation),
    /// A container that belongs to no slot: somebody else's, or a surplus one of ours.
    Container(EngineId, ContainerId),
}

/// What is held on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The host.
    pub engine: EngineId,
    /// Reserved CPU and memory.
    pub resources: Resources,
    /// Ports of the host.
    pub ports: Vec<HostPort>,
    /// Images of the containers, with their tags.
    pub images: Vec<String>,
    /// Names of the containers.
    pub names: Vec<String>,
    /// Whose app they belong to, if to any.
    pub owner: Option<Username>,
}

/// The ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    policy: PlacementPolicy,
    weights: Weights,
    /// In no certain order; [`Index`] refers to positions in it.
    hosts: Vec<Host>,
    positions: BTreeMap<EngineId, usize>,
    engine_of: BTreeMap<HoldKey, EngineId>,
    /// Made when it is first needed; dropped when the set of hosts, or what of a host never moves, changes.
    index: OnceLock<Index>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new(policy: PlacementPolicy) -> Self {
        let weights = Weights::of(&policy);
        Self {
            policy,
            weights,
            hosts: Vec::new(),
            positions: BTreeMap::new(),
            engine_of: BTreeMap::new(),
            index: OnceLock::new(),
        }
    }

    /// The policy that it was made with.
    #[must_use]
    pub fn policy(&self) -> &PlacementPolicy {
        &self.policy
    }

    /// Adds a host, or replaces what is known of it. What is held on it stays.
    pub fn set_host(&mut self, facts: HostFacts) {
        let position = self.position_or_new(&facts.id);
        let host = &mut self.hosts[position];
        let moved = host.set_facts(facts);
        if moved {
            self.index.take();
        } else {
            self.refresh(position);
        }
    }

    /// Forgets a host: nothing is placed on it any more. What is held on it stays in the ledger until it is released.
    pub fn remove_host(&mut self, engine: &EngineId) {
        if let Some(&position) = self.positions.get(engine) {
            if self.hosts[position].clear_facts() {
                self.index.take();
            }
            self.drop_if_empty(position);
        }
    }

    /// Holds something for `key`, in place of what it held before. The host need not be known (yet).
    pub fn hold(&mut self, key: HoldKey, hold: Hold) {
        if let Some(earlier) = self.engine_of.insert(key.clone(), hold.engine.clone()) {
            self.take_from(&earlier, &key);
        }
        let position = self.position_or_new(&hold.engine);
        self.hosts[position].add(key, hold);
        self.refresh(position);
    }

    /// Gives back what `key` held, if it held anything.
    pub fn release(&mut self, key: &HoldKey) -> Option<Hold> {
        let engine = self.engine_of.remove(key)?;
        self.take_from(&engine, key)
    }

    fn take_from(&mut self, engine: &EngineId, key: &HoldKey) -> Option<Hold> {
        let &position = self.positions.get(engine)?;
        let hold = self.hosts[position].remove(key);
        self.refresh(position);
        self.drop_if_empty(position);
        hold
    }

    /// What `key` holds.
    #[must_use]
    pub fn held(&self, key: &HoldKey) -> Option<&Hold> {
        self.find(self.engine_of.get(key)?)?.hold(key)
    }

    /// What is held on a host, in the order of the keys.
    pub fn holds(&self, engine: &EngineId) -> impl Iterator<Item = (&HoldKey, &Hold)> {
        self.find(engine).into_iter().flat_map(Host::holds)
    }

    /// The sum of what is held on a host, which may be more than there is.
    #[must_use]
    pub fn reserved(&self, engine: &EngineId) -> Resources {
        self.find(engine).map(Host::reserved).unwrap_or_default()
    }

    /// What is held on all known hosts, and what they have.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for host in &self.hosts {
            if let Some(facts) = host.facts() {
                totals.hosts += 1;
                totals.reserved = saturating_add(totals.reserved, host.reserved());
                totals.allocatable = saturating_add(totals.allocatable, facts.allocatable);
            }
        }
        totals
    }

    /// What is known of a host.
    #[must_use]
    pub fn host(&self, engine: &EngineId) -> Option<&HostFacts> {
        self.find(engine)?.facts()
    }

    /// The hosts, in the order of their ids.
    pub fn hosts(&self) -> impl Iterator<Item = &HostFacts> {
        self.known_hosts().map(|(_, facts)| facts)
    }

    /// The hosts that can be placed on if they suit, in the order of their ids.
    pub(crate) fn known_hosts(&self) -> impl Iterator<Item = (&Host, &HostFacts)> {
        self.positions.values().filter_map(|&position| {
            let host = &self.hosts[position];
            Some((host, host.facts()?))
        })
    }

    pub(crate) fn find(&self, engine: &EngineId) -> Option<&Host> {
        self.positions.get(engine).map(|&position| &self.hosts[position])
    }

    pub(crate) fn at(&self, position: usize) -> &Host {
        &self.hosts[position]
    }

    pub(crate) fn weights(&self) -> Weights {
        self.weights
    }

    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let positions = self.positions.values().copied();
            Index::build(positions.map(|position| (position, &self.hosts[position])), self.hosts.len(), self.weights)
        })
    }

    fn position_or_new(&mut self, engine: &EngineId) -> usize {
        if let Some(&position) = self.positions.get(engine) {
            return position;
        }
        self.hosts.push(Host::new(engine.clone()));
        let position = self.hosts.len() - 1;
        self.positions.insert(engine.clone(), position);
        position
    }

    /// Keeps the index in step with a host whose reservations or availability changed.
    fn refresh(&mut self, position: usize) {
        if let Some(index) = self.index.get_mut() {
            index.refresh(position, &self.hosts[position], self.weights);
        }
    }

    /// Forgets a host that is neither known nor holds anything.
    fn drop_if_empty(&mut self, position: usize) {
        if !self.hosts[position].is_empty() {
            return;
        }
        self.index.take();
        let gone = self.hosts.swap_remove(position);
        self.positions.remove(gone.id());
        if let Some(moved) = self.hosts.get(position) {
            self.positions.insert(moved.id().clone(), position);
        }
    }
}

/// Sums over all known hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// How many hosts are known, available or not.
    pub hosts: usize,
    /// What is reserved on them.
    pub reserved: Resources,
    /// What may be reserved on them.
    pub allocatable: Resources,
}

fn saturating_add(a: Resources, b: Resources) -> Resources {
    Resources::new(a.cpu_millis.saturating_add(b.cpu_millis), a.memory_mb.saturating_add(b.memory_mb))
}

#[cfg(test)]
mod tests;
