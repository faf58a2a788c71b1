//! Room for what somebody wants, where workspaces stand that were started ahead: which of those are given up for it.
//!
//! Nothing is ever placed where something still stands. Whoever needs the room waits until it is free, and is told so.

use crate::{Hold, HoldKey, Ledger, Request, World};
use pierhead_model::{EngineId, Resources, WorkspaceId, WorkspaceStage, WorkspaceWish};
use std::collections::BTreeSet;

/// How often it is tried in one plan. What is given up is written down, and then a new plan is made.
const MOST_TRIES: usize = 16;

/// A workspace whose room may be had.
struct Candidate {
    id: WorkspaceId,
    key: HoldKey,
    engine: EngineId,
    resources: Resources,
    /// Whether it goes whatever is decided here.
    is_going: bool,
}

/// Those that may be given up, and who waits for what room.
#[derive(Default)]
pub(crate) struct MakingRoom {
    /// Those that are kept as long as there is room, first.
    candidates: Vec<Candidate>,
    awaited: Vec<(HoldKey, Hold)>,
    given_up: BTreeSet<WorkspaceId>,
    tries: usize,
}

impl MakingRoom {
    pub(crate) fn of(world: &World) -> Self {
        let mut ranked: Vec<_> = world
            .workspace_assignments()
            .values()
            .filter_map(|assignment| {
                let place = assignment.place.as_ref()?;
                let workspace = world.workspaces().get(&assignment.workspace);
                let is_warm = workspace.is_some_and(|workspace| workspace.wish == WorkspaceWish::Warm);
                let is_going = matches!(assignment.stage, WorkspaceStage::Leaving(_));
                let is_usable = world.engines().get(&place.engine).is_some_and(|engine| engine.is_usable());
                if !is_usable || !is_warm && !is_going {
                    return None;
                }
                let key = HoldKey::Workspace(assignment.workspace.clone(), place.generation);
                let resources = world.ledger().held(&key)?.resources;
                // Those that can be given at once are worth the most, and of these the oldest.
                let rank = (assignment.stage != WorkspaceStage::Ready, place.ahead.is_paused, place.created_at);
                let (id, engine) = (assignment.workspace.clone(), place.engine.clone());
                Some((rank, Candidate { id, key, engine, resources, is_going }))
            })
            .collect();
        ranked.sort_by(|(one, first), (other, second)| (one, &first.id).cmp(&(other, &second.id)));
        Self { candidates: ranked.into_iter().map(|(_, candidate)| candidate).collect(), ..Self::default() }
    }

    /// Those that are given up.
    pub(crate) fn given_up(&self) -> &BTreeSet<WorkspaceId> {
        &self.given_up
    }

    /// Whether somebody waits for room that is being made.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Makes room for requests that no host takes as things stand, all or none of them; what those wait for then, in
    /// words, or `None` if giving up all would not do.
    pub(crate) fn for_all(&mut self, ledger: &Ledger, wanted: &[(HoldKey, Request)]) -> Option<String> {
        let mut future = self.future(ledger)?;
        let mut awaited = Vec::new();
        for (key, request) in wanted {
            future.release(key);
            let placed = future.place(request).ok()?;
            let hold = Hold {
                engine: placed.engine,
                resources: request.resources,
                ports: placed.ports.into_values().flatten().collect(),
                images: Vec::new(),
                names: Vec::new(),
                owner: None,
            };
            future.hold(key.clone(), hold.clone());
            awaited.push((key.clone(), hold));
        }
        Some(self.wait(&future, awaited))
    }

    /// The same for what has its host already, and needs more of it than it holds.
    pub(crate) fn for_more(&mut self, ledger: &Ledger, key: HoldKey, hold: Hold) -> Option<String> {
        let mut future = self.future(ledger)?;
        future.release(&key);
        if !hold.resources.fits(free(&future, &hold.engine)) {
            return None;
        }
        future.hold(key.clone(), hold.clone());
        Some(self.wait(&future, vec![(key, hold)]))
    }

    /// The ledger as it would be without any of them, and with those who wait.
    fn future(&mut self, ledger: &Ledger) -> Option<Ledger> {
        if self.candidates.is_empty() || self.tries == MOST_TRIES {
            return None;
        }
        self.tries += 1;
        let mut future = ledger.clone();
        for candidate in &self.candidates {
            future.release(&candidate.key);
        }
        for (key, hold) in &self.awaited {
            future.hold(key.clone(), hold.clone());
        }
        Some(future)
    }

    fn wait(&mut self, future: &Ledger, awaited: Vec<(HoldKey, Hold)>) -> String {
        let hosts: BTreeSet<EngineId> = awaited.iter().map(|(_, hold)| hold.engine.clone()).collect();
        self.awaited.extend(awaited);
        for host in &hosts {
            let mut left = free(future, host);
            for candidate in self.candidates.iter().filter(|candidate| candidate.engine == *host) {
                if candidate.is_going {
                    continue;
                }
                if candidate.resources.fits(left) && !self.given_up.contains(&candidate.id) {
                    left = left.saturating_sub(candidate.resources);
                } else {
                    self.given_up.insert(candidate.id.clone());
                }
            }
        }
        let hosts: Vec<&str> = hosts.iter().map(EngineId::as_str).collect();
        format!("waits until room is made on host {}, where workspaces were started ahead", hosts.join(", "))
    }
}

fn free(ledger: &Ledger, host: &EngineId) -> Resources {
    let allocatable = ledger.host(host).map(|facts| facts.allocatable).unwrap_or_default();
    allocatable.saturating_sub(ledger.reserved(host))
}
