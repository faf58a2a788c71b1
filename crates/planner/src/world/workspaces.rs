//! The part of the world that workspaces are: what people want, what was decided, what is on the hosts, and what it holds
//! in the ledger.

use super::{EngineState, World};
use crate::{Hold, HoldKey};
use pierhead_model::{
    ContainerId, EngineId, Environment, EnvironmentId, Generation, MemberName, ObservedContainer, ObservedNetwork,
    Resources, Timestamp, Workspace, WorkspaceAssignment, WorkspaceId, WorkspaceOwnership, WorkspacePlace,
    WorkspaceWish,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Containers that were made for a workspace: where each is, and of which generation and name.
type Made = BTreeMap<(EngineId, ContainerId), (Generation, MemberName)>;

/// So many workspaces of an environment that are wanted ahead for a while, beyond those that it keeps ahead itself.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedAhead {
    /// The environment.
    pub environment: EnvironmentId,
    /// A description of it that has no record of its own; as its record says without.
    pub older: Option<Arc<Environment>>,
    /// How many.
    pub count: u32,
}

/// See the module.
#[derive(Clone, Default)]
pub(super) struct Workspaces {
    environments: BTreeMap<EnvironmentId, Environment>,
    asked_ahead: Vec<AskedAhead>,
    records: BTreeMap<WorkspaceId, Workspace>,
    assignments: BTreeMap<WorkspaceId, WorkspaceAssignment>,
    made: BTreeMap<WorkspaceId, Made>,
    networks: BTreeMap<EngineId, Vec<ObservedNetwork>>,
    over_disk: BTreeMap<WorkspaceId, String>,
    activity: BTreeMap<WorkspaceId, Timestamp>,
}

impl World {
    /// The environments.
    #[must_use]
    pub fn environments(&self) -> &BTreeMap<EnvironmentId, Environment> {
        &self.workspaces.environments
    }

    /// What is wanted ahead beyond what environments keep ahead themselves.
    #[must_use]
    pub fn asked_ahead(&self) -> &[AskedAhead] {
        &self.workspaces.asked_ahead
    }

    /// Takes note of what is wanted ahead from now on.
    pub fn ask_ahead(&mut self, asked: Vec<AskedAhead>) {
        self.workspaces.asked_ahead = asked;
    }

    /// What people want of workspaces.
    #[must_use]
    pub fn workspaces(&self) -> &BTreeMap<WorkspaceId, Workspace> {
        &self.workspaces.records
    }

    /// Where workspaces live and how far they are.
    #[must_use]
    pub fn workspace_assignments(&self) -> &BTreeMap<WorkspaceId, WorkspaceAssignment> {
        &self.workspaces.assignments
    }

    /// Whether its containers are frozen, or about to be: it was started ahead and sleeps, or stands still. Nothing that is
    /// begun in them then gets an answer, and of one that sleeps it is not kept.
    #[must_use]
    pub fn is_at_rest(&self, id: &WorkspaceId) -> bool {
        let sleeps = self.workspace_assignments().get(id).is_some_and(WorkspaceAssignment::is_paused);
        sleeps || self.workspaces().get(id).is_some_and(Workspace::stands_still)
    }

    /// Adds an environment or changes it.
    pub fn set_environment(&mut self, environment: Environment) {
        self.workspaces.environments.insert(environment.id.clone(), environment);
    }

    /// Forgets an environment; workspaces of it stay.
    pub fn remove_environment(&mut self, id: &EnvironmentId) {
        self.workspaces.environments.remove(id);
    }

    /// Adds a workspace or changes it.
    pub fn set_workspace(&mut self, workspace: Workspace) {
        self.workspaces.records.insert(workspace.id.clone(), workspace);
    }

    /// Forgets a workspace; its assignment stays until what it stands for is gone.
    pub fn remove_workspace(&mut self, id: &WorkspaceId) {
        self.workspaces.records.remove(id);
        self.workspaces.over_disk.remove(id);
        self.workspaces.activity.remove(id);
    }

    /// Forgets the workspaces that are nobody's: they go before anything else does.
    pub(crate) fn forget_warm(&mut self) {
        let is_warm = |workspace: &&Workspace| workspace.wish == WorkspaceWish::Warm;
        let warm: Vec<WorkspaceId> = self.workspaces().values().filter(is_warm).map(|found| found.id.clone()).collect();
        for id in warm {
            self.remove_workspace(&id);
            self.remove_workspace_assignment(&id);
        }
    }

    /// Adds where a workspace lives, or changes it.
    pub fn set_workspace_assignment(&mut self, assignment: WorkspaceAssignment) {
        let id = assignment.workspace.clone();
        let before = self.workspaces.assignments.insert(id.clone(), assignment);
        self.refresh_workspace(&id, before.as_ref());
    }

    /// Forgets where a workspace lives.
    pub fn remove_workspace_assignment(&mut self, id: &WorkspaceId) {
        let before = self.workspaces.assignments.remove(id);
        self.refresh_workspace(id, before.as_ref());
    }

    /// Takes note of the networks on an engine that bear our labels.
    pub fn set_networks(&mut self, engine: &EngineId, networks: Vec<ObservedNetwork>) {
        if networks.is_empty() {
            self.workspaces.networks.remove(engine);
        } else {
            self.workspaces.networks.insert(engine.clone(), networks);
        }
    }

    /// The networks on an engine that bear our labels, as they were seen last.
    pub fn networks(&self, engine: &EngineId) -> impl Iterator<Item = &ObservedNetwork> {
        self.workspaces.networks.get(engine).into_iter().flatten()
    }

    /// Takes note that a workspace uses more of its host's disk than it may, in words, or does not any more.
    pub fn set_over_disk(&mut self, id: &WorkspaceId, words: Option<String>) {
        match words {
            Some(words) if self.workspaces.records.contains_key(id) => {
                self.workspaces.over_disk.insert(id.clone(), words);
            }
            _ => drop(self.workspaces.over_disk.remove(id)),
        }
    }

    /// In which words a workspace uses more of the disk than it may.
    #[must_use]
    pub fn over_disk(&self, id: &WorkspaceId) -> Option<&str> {
        self.workspaces.over_disk.get(id).map(String::as_str)
    }

    /// Takes note that somebody or something was active in a workspace.
    pub fn note_activity(&mut self, id: &WorkspaceId, at: Timestamp) {
        if self.workspaces.records.contains_key(id) {
            let last = self.workspaces.activity.entry(id.clone()).or_default();
            *last = at.max(*last);
        }
    }

    /// When that was last noted; longer ago than it was if another controller noted it.
    #[must_use]
    pub fn activity(&self, id: &WorkspaceId) -> Timestamp {
        self.workspaces.activity.get(id).copied().unwrap_or_default()
    }

    /// The workspace that a container belongs to, if to any that is known.
    #[must_use]
    pub fn workspace_of(&self, container: &ObservedContainer) -> Option<&Workspace> {
        let of = WorkspaceOwnership::read(&container.labels).filter(|_| container.belongs_to(&self.cluster))?;
        self.workspaces.records.get(&of.workspace)
    }

    /// Whether so much CPU, in thousandths of a core, is free on a host.
    #[must_use]
    pub fn has_cpu(&self, engine: &EngineId, cpu_millis: u64) -> bool {
        let all = self.ledger.host(engine).map(|facts| facts.allocatable).unwrap_or_default();
        all.saturating_sub(self.ledger.reserved(engine)).cpu_millis >= cpu_millis
    }

    /// The containers of a workspace that are at a place of it.
    #[must_use]
    pub fn at_place(&self, id: &WorkspaceId, place: &WorkspacePlace) -> BTreeMap<&MemberName, &ObservedContainer> {
        let Some(engine) = self.engines.get(&place.engine) else { return BTreeMap::new() };
        let made = self.workspaces.made.get(id).into_iter().flatten();
        made.filter(|((on, _), (generation, _))| *on == place.engine && *generation == place.generation)
            .filter_map(|((_, id), (_, name))| Some((name, engine.containers.get(id)?)))
            .collect()
    }

    /// Every container that was made for a workspace, with what it was made for.
    pub fn made_for_workspaces(
        &self,
    ) -> impl Iterator<Item = (&WorkspaceId, Generation, &EngineState, &ObservedContainer)> {
        self.workspaces.made.iter().flat_map(move |(workspace, made)| {
            made.iter().filter_map(move |((engine, id), (generation, _))| {
                let engine = self.engines.get(engine)?;
                Some((workspace, *generation, engine, engine.containers.get(id)?))
            })
        })
    }

    /// Whether a container is at a place of its workspace, which holds what it uses.
    pub(super) fn is_of_workspace(&self, engine: &EngineId, container: &ObservedContainer) -> bool {
        container.belongs_to(&self.cluster)
            && WorkspaceOwnership::read(&container.labels).is_some_and(|of| {
                let assignment = self.workspaces.assignments.get(&of.workspace);
                assignment.is_some_and(|assignment| assignment.place_of(engine, of.generation).is_some())
            })
    }

    pub(super) fn note_of_workspace(&mut self, engine: &EngineId, container: &ObservedContainer) {
        let of = WorkspaceOwnership::read(&container.labels).filter(|_| container.belongs_to(&self.cluster));
        let Some(of) = of else { return };
        // One without a name in its environment is none that we made.
        let Some(name) = of.container else { return };
        let made = self.workspaces.made.entry(of.workspace).or_default();
        made.insert((engine.clone(), container.id.clone()), (of.generation, name));
    }

    pub(super) fn forget_of_workspace(&mut self, engine: &EngineId, container: &ObservedContainer) {
        let Some(of) = WorkspaceOwnership::read(&container.labels) else { return };
        if let Some(made) = self.workspaces.made.get_mut(&of.workspace) {
            made.remove(&(engine.clone(), container.id.clone()));
            if made.is_empty() {
                self.workspaces.made.remove(&of.workspace);
            }
        }
    }

    /// The places of a workspace hold what it reserves, from the decision until nothing is left there.
    fn refresh_workspace(&mut self, id: &WorkspaceId, before: Option<&WorkspaceAssignment>) {
        let places =
            |of: &WorkspaceAssignment| -> Vec<WorkspacePlace> { of.place.iter().chain(&of.left).cloned().collect() };
        let old = before.map(places).unwrap_or_default();
        let new = self.workspaces.assignments.get(id).map(places).unwrap_or_default();
        let is_kept = |place: &WorkspacePlace| new.iter().any(|other| other.generation == place.generation);
        for place in old.iter().filter(|place| !is_kept(place)) {
            self.ledger.release(&HoldKey::Workspace(id.clone(), place.generation));
        }
        for place in &new {
            let key = HoldKey::Workspace(id.clone(), place.generation);
            let hold = place_hold(place);
            if self.ledger.held(&key) != Some(&hold) {
                self.ledger.hold(key, hold);
            }
        }
        let made: Vec<_> = self.workspaces.made.get(id).into_iter().flat_map(BTreeMap::keys).cloned().collect();
        for (engine, container) in made {
            self.refresh_container(&engine, &container);
        }
    }
}

/// What a place of a workspace holds in the ledger: what is frozen keeps its memory and computes nothing.
pub(crate) fn place_hold(place: &WorkspacePlace) -> Hold {
    let cpu_millis = if place.ahead.is_paused { 0 } else { place.reserved.cpu_millis };
    Hold {
        engine: place.engine.clone(),
        resources: Resources::new(cpu_millis, place.reserved.memory_mb),
        ports: Vec::new(),
        images: Vec::new(),
        names: Vec::new(),
        // Nobody's app: no link leads into a workspace.
        owner: None,
    }
}
