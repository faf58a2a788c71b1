//! Moves of slots from host to host that people asked for: which may begin now, how far each is, and which older copy
//! stays until the new one runs.
//!
//! A moved slot gets its new host first and loses its old containers only once the new ones run. At most one slot of
//! an app is on its way at a time, and it sets out only while the others run well.

use crate::World;
use crate::reconcile::runs_well;
use crate::retry::has_failed;
use crate::slot::{has_run, is_up};
use crate::status::{SlotPhase, slot_status};
use pierhead_model::{
    App, Assignment, ContainerState, EngineId, HealthStatus, Move, ObservedContainer, Operation, Ownership, Relocation,
    RestartPolicy, Slot, SlotIntent, SlotKey, SlotWish, Timestamp, WorkspaceAssignment, WorkspacePlace,
};
use std::collections::{BTreeMap, BTreeSet};

/// The moves of all open operations.
pub(crate) struct Relocations<'a> {
    world: &'a World,
    now: Timestamp,
    /// Hosts that everything leaves now.
    drains: BTreeSet<&'a EngineId>,
    /// The next move of each list, if its turn has come.
    next: BTreeMap<&'a SlotKey, &'a Move>,
    /// Hosts and slots with moves that may be under way, also of operations that begin no more.
    left: BTreeSet<&'a EngineId>,
    leaving: BTreeSet<(&'a SlotKey, &'a EngineId)>,
}

/// How far a move is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MoveState {
    /// The slot still lives where it did.
    Waiting,
    /// It lives elsewhere and does not run yet, or its older copy is still there.
    UnderWay,
    /// There is nothing left to move; why, in words.
    Over(String),
}

impl<'a> Relocations<'a> {
    pub fn of(world: &'a World, now: Timestamp) -> Self {
        let mut all = Self {
            world,
            now,
            drains: BTreeSet::new(),
            next: BTreeMap::new(),
            left: BTreeSet::new(),
            leaving: BTreeSet::new(),
        };
        for operation in world.operations().values() {
            if let Some(relocation) = &operation.relocation {
                all.note(relocation, operation.ending.is_none());
            }
        }
        all
    }

    fn note(&mut self, relocation: &'a Relocation, begins: bool) {
        if let Some(host) = &relocation.drained {
            self.left.insert(host);
            if begins {
                self.drains.insert(host);
            }
            return;
        }
        self.leaving.extend(relocation.moves.iter().map(|moved| (&moved.key, &moved.from)));
        let first = relocation.moves.iter().map(|moved| (moved, move_state(self.world, moved)));
        let first = first.into_iter().find(|(_, state)| !matches!(state, MoveState::Over(_)));
        if let Some((moved, MoveState::Waiting)) = first
            && begins
        {
            self.next.insert(&moved.key, moved);
        }
    }

    /// Whether a slot shall go elsewhere now, and to which host if that was decided.
    pub fn destination(&self, intent: &SlotIntent, assignment: &Assignment) -> Option<Option<&'a EngineId>> {
        let engine = self.world.engines().get(&assignment.engine).filter(|engine| engine.is_usable())?;
        // What failed finds another host by itself.
        if intent.wish != SlotWish::Running || assignment.exit.is_some() || has_failed(assignment) {
            return None;
        }
        if self.drains.contains(&assignment.engine) && !engine.record.duty.is_in_service() {
            return Some(None);
        }
        let moved = self.next.get(&assignment.key())?;
        (moved.generation == assignment.generation).then_some(moved.to.as_ref())
    }

    /// Why a slot that shall go elsewhere must not set out yet; another one of its app may have set out just now.
    pub fn obstacle(&self, app: &App, assignment: &Assignment, departed: Option<Slot>) -> Option<String> {
        let current = self.world.current(assignment);
        let has_ended = |main: &&ObservedContainer| main.state == ContainerState::Exited && main.exit_code == Some(0);
        match app.members.first().map(|main| (main.spec.restart, current.get(&main.name))) {
            Some((RestartPolicy::No, Some(_))) => {
                return Some("is a job, and is waited for until it has ended".to_owned());
            }
            Some((RestartPolicy::OnFailure { .. }, Some(main))) if has_ended(main) => {
                return Some("is about to have ended".to_owned());
            }
            // What does not run is missed by nobody.
            _ if !is_up(app, &current) => return None,
            _ if assignment.fallback.is_some() => return Some("waits until its new description runs".to_owned()),
            _ => {}
        }
        let wanted = || {
            self.world.assignments_of(&app.id).filter(|other| {
                let wish = app.slots.get(&other.slot).map(|intent| intent.wish);
                wish == Some(SlotWish::Running) && other.exit.is_none()
            })
        };
        if wanted().any(|other| other.version != app.version) {
            return Some(format!("waits until all of {} is made from its new description", app.name));
        }
        let late = wanted().find(|other| other.slot != assignment.slot && !runs_well(self.world, app, other));
        let late = departed.or(late.map(|late| late.slot))?;
        Some(format!("waits until slot {late} of {} runs well", app.name))
    }

    /// Whether an older copy stays because the slot is on its way and does not run in its new place yet.
    pub fn keeps(&self, owner: &Ownership, engine: &EngineId, container: &ObservedContainer) -> bool {
        let is_left = self.left.contains(engine) || self.leaving.contains(&(&owner.slot, engine));
        if !is_left || container.state != ContainerState::Running {
            return false;
        }
        let Some(app) = self.world.apps().get(&owner.slot.app) else { return false };
        let wish = app.slots.get(&owner.slot.slot).map(|intent| intent.wish);
        let assignment = self.world.assignments().get(&owner.slot);
        wish == Some(SlotWish::Running)
            && assignment.is_some_and(|assignment| {
                assignment.exit.is_none()
                    && assignment.engine != *engine
                    && !has_run(self.world, app, assignment, self.now, self.world.policy.started_ms)
            })
    }
}

/// Whether it is run once, and would begin anew elsewhere.
pub(crate) fn is_job(app: &App) -> bool {
    app.members.first().is_some_and(|member| member.spec.restart == RestartPolicy::No)
}

/// How far a move is.
pub(crate) fn move_state(world: &World, moved: &Move) -> MoveState {
    let over = |why: &str| MoveState::Over(why.to_owned());
    let wish = world.apps().get(&moved.key.app).and_then(|app| app.slots.get(&moved.key.slot));
    let Some(assignment) = world.assignments().get(&moved.key).filter(|_| wish.is_some()) else {
        return over("is gone");
    };
    // What is on a host that does not answer for a moment is there all the same; of one that is down nothing is waited for.
    let has_older = world.containers_of(&moved.key).any(|(engine, container)| {
        engine.health.status != HealthStatus::Down && !world.is_current(&engine.record.id, container)
    });
    let is_unseen = world.engines().get(&moved.from).is_some_and(|engine| !engine.is_seen());
    if wish.is_some_and(|intent| intent.wish == SlotWish::Stopped) {
        return over("is stopped");
    }
    if assignment.exit.is_some() {
        return over("has ended");
    }
    if assignment.engine == moved.from {
        return match (&moved.to, assignment.generation == moved.generation) {
            (Some(_), false) => MoveState::Over(format!("was made anew on host {}, and stays", moved.from)),
            _ => MoveState::Waiting,
        };
    }
    if has_older || is_unseen || slot_status(world, &moved.key).phase != SlotPhase::Running {
        return MoveState::UnderWay;
    }
    MoveState::Over(format!("moved to host {}", assignment.engine))
}

/// How many workspaces live on a host, or have work there that is in no save.
#[must_use]
pub fn workspaces_on(world: &World, host: &EngineId) -> usize {
    let is_there = |place: &WorkspacePlace| place.engine == *host;
    let lives = |assignment: &&WorkspaceAssignment| {
        let left = assignment.left.iter().filter(|place| place.holds_work);
        assignment.place.iter().chain(left).any(is_there)
    };
    world.workspace_assignments().values().filter(lives).count()
}

/// Whether nothing that shall run lives any more on the host that an operation drains.
pub(crate) fn has_been_left(world: &World, operation: &Operation) -> bool {
    let Some(host) = operation.relocation.as_ref().and_then(|relocation| relocation.drained.as_ref()) else {
        return true;
    };
    let is_there = |assignment: &Assignment| {
        let former = assignment.fallback.as_ref().map(|fallback| &fallback.assignment.engine);
        assignment.engine == *host || former == Some(host)
    };
    let has_slots = world.assignments().values().any(|assignment| is_there(assignment) && moves(world, assignment));
    !has_slots && workspaces_on(world, host) == 0
}

/// Whether a slot goes along when its host is drained: it shall run, and has not ended.
pub(crate) fn moves(world: &World, assignment: &Assignment) -> bool {
    let wish = world.apps().get(&assignment.app).and_then(|app| app.slots.get(&assignment.slot));
    assignment.exit.is_none() && wish.is_some_and(|intent| intent.wish == SlotWish::Running)
}

/// The moves of everything that runs on a host, for an operation that drains it.
#[must_use]
pub fn moves_off(world: &World, host: &EngineId) -> Vec<Move> {
    let there = world.assignments().values().filter(|assignment| assignment.engine == *host);
    there.filter(|assignment| moves(world, assignment)).map(|assignment| as_move(assignment, None)).collect()
}

pub(crate) fn as_move(assignment: &Assignment, to: Option<EngineId>) -> Move {
    Move {
        key: assignment.key(),
        app_name: assignment.app_name.clone(),
        generation: assignment.generation,
        from: assignment.engine.clone(),
        to,
    }
}
