//! From the world to the next safe steps: pure and deterministic.

use crate::operations::progress;
use crate::plan::{Blocked, Plan, RecordWrite};
use crate::request::{retry_request, slot_request};
use crate::slot::{SlotStep, SlotView, next_step};
use crate::surplus::remove_surplus;
use crate::{Hold, HoldKey, Ledger, Refusal, Request, World};
use pierhead_model::{App, Assignment, Generation, OperationId, Slot, SlotKey, SlotWish, Timestamp};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The next safe steps, and why others can't be done. The same world and moment give the same plan, always.
#[must_use]
pub fn plan(world: &World, now: Timestamp) -> Plan {
    let mut draft = Draft { world, now, ledger: Cow::Borrowed(world.ledger()), plan: Plan::default() };
    let mut newcomers: BTreeMap<OperationId, Vec<(&App, Slot)>> = BTreeMap::new();
    for app in world.apps().values() {
        draft.app(app, &mut newcomers);
    }
    for slots in newcomers.values() {
        draft.place_together(slots);
    }
    let mut plan = draft.plan;
    remove_surplus(world, now, &mut plan);
    progress(world, now, &mut plan);
    plan
}

/// A plan in the making, with the ledger as it will be.
struct Draft<'a> {
    world: &'a World,
    now: Timestamp,
    ledger: Cow<'a, Ledger>,
    plan: Plan,
}

impl<'a> Draft<'a> {
    fn app(&mut self, app: &'a App, newcomers: &mut BTreeMap<OperationId, Vec<(&'a App, Slot)>>) {
        let replaceable = next_to_replace(self.world, app);
        for (&slot, intent) in &app.slots {
            let key = SlotKey { app: app.id.clone(), slot };
            let Some(assignment) = self.world.assignments().get(&key) else {
                let open = intent.added_by.as_ref().filter(|&id| self.world.operations().contains_key(id));
                match (intent.wish, open) {
                    (SlotWish::Stopped, _) => {}
                    (SlotWish::Running, Some(operation)) => {
                        newcomers.entry(operation.clone()).or_default().push((app, slot))
                    }
                    (SlotWish::Running, None) => self.place_alone(app, slot),
                }
                continue;
            };
            let may_replace = replaceable == Some(slot);
            let view = SlotView { world: self.world, app, intent, assignment, now: self.now, may_replace };
            self.take(app, assignment, next_step(&view));
        }
    }

    fn take(&mut self, app: &App, assignment: &Assignment, step: SlotStep) {
        if step.needs_host {
            return self.replace(app, &step.write.unwrap_or_else(|| assignment.clone()));
        }
        if let Some(reason) = step.waits_for {
            self.block(app, assignment.slot, reason, None);
        }
        self.plan.writes.extend(step.write.map(RecordWrite::Assign));
        self.plan.actions.extend(step.actions);
    }

    /// A slot that had containers needs new ones: somewhere it has not failed lately, or, when that is nowhere, after
    /// a wait, anywhere.
    fn replace(&mut self, app: &App, previous: &Assignment) {
        let key = HoldKey::Slot(previous.key());
        let held = self.ledger.to_mut().release(&key);
        let generation = previous.generation.next();
        let mut request = retry_request(app, previous, generation);
        let mut placed = self.ledger.place(&request);
        let mut attempts = previous.attempts.clone();
        let gives_up_waiting = self.now >= previous.not_before && !previous.attempts.is_empty();
        if placed.is_err() && gives_up_waiting {
            request.avoid.clear();
            request.avoid_ports.clear();
            placed = self.ledger.place(&request);
            // The last one stays: it tells what was wrong.
            let last = attempts.len().saturating_sub(1);
            attempts.drain(..last);
        }
        match placed {
            Ok(placed) => {
                let next = Assignment { attempts, ..reassign(previous, app, generation, placed, self.now) };
                self.assign(app, next);
            }
            Err(refusal) => {
                if let Some(hold) = held {
                    self.ledger.to_mut().hold(key, hold);
                }
                self.block(app, previous.slot, refusal.to_string(), Some(refusal));
            }
        }
    }

    fn place_alone(&mut self, app: &App, slot: Slot) {
        match self.ledger.place(&slot_request(app, slot, Generation::FIRST)) {
            Ok(placed) => self.assign(app, first_assignment(app, slot, placed, self.now)),
            Err(refusal) => self.block(app, slot, refusal.to_string(), Some(refusal)),
        }
    }

    /// The slots of one request are placed all or none.
    fn place_together(&mut self, slots: &[(&App, Slot)]) {
        let before = (self.ledger.clone(), self.plan.writes.len());
        for (placed_already, &(app, slot)) in slots.iter().enumerate() {
            match self.ledger.place(&slot_request(app, slot, Generation::FIRST)) {
                Ok(placed) => self.assign(app, first_assignment(app, slot, placed, self.now)),
                Err(refusal) => {
                    (self.ledger, _) = before;
                    self.plan.writes.truncate(before.1);
                    let room = match (placed_already, slots.len()) {
                        (0, _) => refusal.to_string(),
                        (some, all) => format!("there is room for {some} of {all} only: {refusal}"),
                    };
                    for &(app, slot) in slots {
                        self.block(app, slot, room.clone(), Some(refusal.clone()));
                    }
                    return;
                }
            }
        }
    }

    fn assign(&mut self, app: &App, assignment: Assignment) {
        let hold = Hold {
            engine: assignment.engine.clone(),
            resources: assignment.reserved,
            ports: assignment.ports.values().flatten().cloned().collect(),
            images: app.members.iter().map(|member| member.spec.image.to_string()).collect(),
            names: Vec::new(),
        };
        self.ledger.to_mut().hold(HoldKey::Slot(assignment.key()), hold);
        self.plan.writes.push(RecordWrite::Assign(assignment));
    }

    fn block(&mut self, app: &App, slot: Slot, reason: String, refusal: Option<Refusal>) {
        self.plan.blocked.push(Blocked {
            key: SlotKey { app: app.id.clone(), slot },
            app: app.name.clone(),
            reason,
            refusal,
        });
    }
}

fn first_assignment(app: &App, slot: Slot, placed: crate::Placed, now: Timestamp) -> Assignment {
    Assignment {
        app: app.id.clone(),
        app_name: app.name.clone(),
        slot,
        generation: Generation::FIRST,
        version: app.version,
        engine: placed.engine,
        reserved: app.slot_resources(),
        ports: placed.ports,
        containers: BTreeMap::new(),
        former: Vec::new(),
        exit: None,
        restarts_done: app.slots.get(&slot).map_or(0, |intent| intent.restarts),
        retries: 0,
        attempts: Vec::new(),
        not_before: Timestamp(0),
        created_at: now,
    }
}

/// The next generation of a slot: what was learnt from failures goes on, the ids of its containers become former ones.
fn reassign(
    previous: &Assignment,
    app: &App,
    generation: Generation,
    placed: crate::Placed,
    now: Timestamp,
) -> Assignment {
    let mut former = previous.former.clone();
    former.extend(previous.containers.values().cloned());
    let surplus = former.len().saturating_sub(Assignment::FORMER_KEPT);
    former.drain(..surplus);
    Assignment {
        generation,
        former,
        retries: previous.retries,
        not_before: previous.not_before,
        ..first_assignment(app, previous.slot, placed, now)
    }
}

/// The one slot that may be replaced now because the app's description changed: the next only when all that were
/// replaced before it run.
fn next_to_replace(world: &World, app: &App) -> Option<Slot> {
    let mut next = None;
    for (&slot, intent) in &app.slots {
        if intent.wish == SlotWish::Stopped {
            continue;
        }
        let key = SlotKey { app: app.id.clone(), slot };
        let Some(assignment) = world.assignments().get(&key).filter(|assignment| assignment.exit.is_none()) else {
            continue;
        };
        let current = world.current(assignment);
        let runs = current.len() == app.members.len() && current.values().all(|container| container.state.is_running());
        if !runs {
            return None;
        }
        if assignment.version != app.version && next.is_none() {
            next = Some(slot);
        }
    }
    next
}

/// The request of one more slot of an app, for those who ask where it would go.
#[must_use]
pub fn request_for(app: &App) -> Request {
    slot_request(app, Slot(app.next_slot), Generation::FIRST)
}
