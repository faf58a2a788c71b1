//! From the world to the next safe steps: pure and deterministic.

mod rollout;

use self::rollout::next_to_replace;
pub(crate) use self::rollout::{is_clearing, serves};
use crate::freeze::{Freeze, freeze};
use crate::making_room::MakingRoom;
use crate::operations::progress;
use crate::placement::Filter;
use crate::plan::{Blocked, Plan, RecordWrite};
use crate::relocation::Relocations;
use crate::request::{rerun_request, retry_request, slot_request};
use crate::restored;
use crate::retry::{has_failed, is_worn_out, lasting_attempts};
use crate::slot::{SlotStep, SlotView, in_seconds, is_up, next_step};
use crate::surplus::remove_surplus;
use crate::workspaces;
use crate::world::{needed_ports, needed_resources};
use crate::writer;
use crate::{Hold, HoldKey, Ledger, Refusal, Request, World};
use pierhead_model::{
    App, Assignment, Attempt, EngineId, Fallback, Generation, OperationId, Slot, SlotIntent, SlotKey, SlotWish,
    Timestamp,
};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The next safe steps, and why others can't be done. The same world and moment give the same plan, always.
#[must_use]
pub fn plan(world: &World, now: Timestamp) -> Plan {
    let relocations = Relocations::of(world, now);
    let freeze = freeze(world);
    let ledger = Cow::Borrowed(world.ledger());
    let room = MakingRoom::of(world);
    let mut draft = Draft { world, now, freeze: freeze.as_ref(), relocations, ledger, room, plan: Plan::default() };
    let mut newcomers: BTreeMap<OperationId, Vec<(&App, Slot)>> = BTreeMap::new();
    for app in world.apps().values() {
        draft.app(app, &mut newcomers);
    }
    for slots in newcomers.values() {
        draft.place_together(slots);
    }
    let Draft { mut plan, relocations, mut ledger, mut room, .. } = draft;
    plan.workspaces = workspaces::plan_with(world, &mut ledger, &mut room, now);
    remove_surplus(world, &relocations, now, &mut plan);
    progress(world, now, &mut plan);
    if world.is_restored {
        restored::keep_open(&mut plan);
    }
    plan
}

/// A plan in the making, with the ledger as it will be.
struct Draft<'a> {
    world: &'a World,
    now: Timestamp,
    freeze: Option<&'a Freeze>,
    relocations: Relocations<'a>,
    ledger: Cow<'a, Ledger>,
    room: MakingRoom,
    plan: Plan,
}

impl<'a> Draft<'a> {
    fn app(&mut self, app: &'a App, newcomers: &mut BTreeMap<OperationId, Vec<(&'a App, Slot)>>) {
        let replaceable = next_to_replace(self.world, app, self.now);
        let mut departed = None;
        for (&slot, intent) in &app.slots {
            let key = SlotKey { app: app.id.clone(), slot };
            let assignment = self.world.assignments().get(&key);
            if self.world.is_restored {
                self.hold(app, intent, &key, assignment);
                continue;
            }
            let Some(assignment) = assignment else {
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
            if self.goes_back(app, intent, assignment) {
                continue;
            }
            if let Some(to) = self.relocations.destination(intent, assignment)
                && self.relocate(app, assignment, to, departed)
            {
                departed = Some(slot);
                continue;
            }
            if replaceable == Some(slot) {
                self.renew(app, assignment);
                continue;
            }
            let view = SlotView { world: self.world, app, intent, assignment, freeze: self.freeze, now: self.now };
            self.take(app, assignment, next_step(&view));
        }
    }

    /// A slot of records that were restored: what runs counts, and is written down; nothing is made.
    fn hold(&mut self, app: &App, intent: &SlotIntent, key: &SlotKey, assignment: Option<&Assignment>) {
        if let Some(newer) = restored::newer_place(self.world, app, key, assignment) {
            let restored::NewerPlace { placed, generation, containers } = newer;
            let former = assignment.map(|former| former.former.clone()).unwrap_or_default();
            let first = first_assignment(self.world, app, key.slot, placed, self.now);
            return self.assign(app, Assignment { generation, containers, former, ..first });
        }
        let Some(assignment) = assignment else {
            if intent.wish == SlotWish::Running {
                self.block(app, key.slot, restored::WAITS.to_owned(), None);
            }
            return;
        };
        let view = SlotView { world: self.world, app, intent, assignment, freeze: self.freeze, now: self.now };
        let step = next_step(&view);
        if step.needs_host || step.needs_room || restored::waits(app, assignment, &step.actions) {
            return self.block(app, key.slot, restored::WAITS.to_owned(), None);
        }
        self.take(app, assignment, step);
    }

    fn take(&mut self, app: &App, assignment: &Assignment, step: SlotStep) {
        if step.needs_host {
            return self.replace(app, &step.write.unwrap_or_else(|| assignment.clone()));
        }
        if step.needs_room {
            return self.run_again(app, assignment);
        }
        if let Some(reason) = step.waits_for {
            self.block(app, assignment.slot, reason, None);
        }
        if writer::has_one_writer(app, assignment) {
            let not_yet = |action| writer::not_yet(self.world, app, assignment, action, self.now);
            if let Some(reason) = step.actions.iter().find_map(not_yet) {
                return self.block(app, assignment.slot, reason, None);
            }
        }
        self.plan.writes.extend(step.write.map(RecordWrite::Assign));
        self.plan.actions.extend(step.actions);
    }

    /// Why a slot that must not run twice cannot leave the places that it has: of its former containers those that serve
    /// stay in its record.
    fn is_kept(&self, app: &App, previous: &Assignment) -> Option<String> {
        if !writer::has_one_writer(app, previous) {
            return None;
        }
        let former = previous.fallback.as_deref().map(|former| &former.assignment);
        let lost = former.filter(|former| !serves(self.world, former));
        let mut places = std::iter::once(previous).chain(lost);
        places.find_map(|place| writer::may_still_run(self.world, place, self.now))
    }

    /// A slot that had containers needs new ones: somewhere it has not failed lately, or, when that is nowhere, after
    /// a wait, anywhere.
    fn replace(&mut self, app: &App, previous: &Assignment) {
        if let Some(reason) = self.is_kept(app, previous) {
            return self.block(app, previous.slot, reason, None);
        }
        let generation = previous.next_generation();
        let attempts = lasting_attempts(app, previous);
        let is_forgiven = attempts.is_empty();
        let wait = if is_forgiven { 0 } else { previous.not_before.since(self.now) };
        let key = HoldKey::Slot(previous.key());
        let held = self.ledger.to_mut().release(&key);
        let mut placed = self.ledger.place(&retry_request(app, previous.slot, attempts, generation));
        let mut kept = attempts;
        if wait == 0 && !is_forgiven && (placed.is_err() || is_worn_out(attempts)) {
            placed = self.ledger.place(&slot_request(app, previous.slot, generation));
            // The last one stays: it tells what was wrong.
            kept = &attempts[attempts.len() - 1..];
        }
        let has_to_wait = is_worn_out(kept);
        match placed {
            Ok(placed) if !has_to_wait => {
                let fallback = previous.fallback.clone().filter(|former| serves(self.world, &former.assignment));
                let next = Assignment { fallback, ..reassign(self.world, previous, app, kept, placed, self.now) };
                return self.assign(app, next);
            }
            Ok(_) => {
                let (times, seconds) = (attempts.len(), in_seconds(wait));
                let reason = format!("failed {times} times in a row; is tried again in {seconds}");
                self.block(app, previous.slot, reason, None);
            }
            Err(refusal) if wait > 0 => {
                let reason = format!("{refusal}; is tried again in {}", in_seconds(wait));
                self.block(app, previous.slot, reason, Some(refusal));
            }
            Err(refusal) => self.refuse(app, slot_request(app, previous.slot, generation), previous.slot, refusal),
        }
        if let Some(hold) = held {
            self.ledger.to_mut().hold(key, hold);
        }
    }

    /// A slot goes to another host as soon as nothing keeps it; tells whether it does.
    fn relocate(&mut self, app: &App, assignment: &Assignment, to: Option<&EngineId>, departed: Option<Slot>) -> bool {
        let slot = assignment.slot;
        if let Some(obstacle) = self.relocations.obstacle(app, assignment, departed) {
            self.block(app, slot, obstacle, None);
            return false;
        }
        // One that is on its way already takes its former place along.
        if assignment.fallback.is_some()
            && let Some(reason) = self.is_kept(app, assignment)
        {
            self.block(app, slot, reason, None);
            return false;
        }
        let attempts = lasting_attempts(app, assignment);
        let request = retry_request(app, slot, attempts, assignment.next_generation());
        let placed = match to {
            None => self.ledger.place(&request).map_err(|refusal| (refusal.to_string(), refusal)),
            Some(host) => self.ledger.place_on(host, &request).map_err(|refusal| {
                let lacks = refusal.nearest.as_ref().map(|nearest| nearest.lacks.as_str()).unwrap_or_default();
                (format!("host {host} does not take it any more: {lacks}"), refusal)
            }),
        };
        match placed {
            Ok(placed) => {
                let stops_first = writer::has_one_writer(app, assignment) && assignment.fallback.is_none();
                let fallback = match stops_first {
                    true => Some(Box::new(Fallback { assignment: assignment.clone(), goes_first: true })),
                    false => assignment.fallback.clone(),
                };
                let next = Assignment { fallback, ..reassign(self.world, assignment, app, attempts, placed, self.now) };
                self.assign(app, next);
                true
            }
            Err((reason, refusal)) => {
                let wanted = [(HoldKey::Slot(assignment.key()), request)];
                match to.is_none().then(|| self.make_room(&refusal, &wanted)).flatten() {
                    Some(room) => self.block(app, slot, room, None),
                    None => self.block(app, slot, reason, Some(refusal)),
                }
                false
            }
        }
    }

    /// A slot that has ended gives its room back; to run once more, as the same containers, it needs it again.
    fn run_again(&mut self, app: &App, assignment: &Assignment) {
        let request = rerun_request(app, assignment);
        match self.without_own_hold(assignment, |ledger| ledger.place(&request)) {
            Ok(_) => self.assign(app, Assignment { exit: None, ..assignment.clone() }),
            Err(refusal) => self.refuse(app, request, assignment.slot, refusal),
        }
    }

    fn without_own_hold<T>(&mut self, assignment: &Assignment, ask: impl FnOnce(&Ledger) -> T) -> T {
        let key = HoldKey::Slot(assignment.key());
        let held = self.ledger.to_mut().release(&key);
        let answer = ask(&self.ledger);
        if let Some(hold) = held {
            self.ledger.to_mut().hold(key, hold);
        }
        answer
    }

    fn place_alone(&mut self, app: &App, slot: Slot) {
        if let Some(reason) = self.waits_for_another(app, slot) {
            return self.block(app, slot, reason, None);
        }
        let request = slot_request(app, slot, Generation::FIRST);
        match self.ledger.place(&request) {
            Ok(placed) => self.assign(app, first_assignment(self.world, app, slot, placed, self.now)),
            Err(refusal) => self.refuse(app, request, slot, refusal),
        }
    }

    /// A slot that no host takes waits until workspaces that were started ahead have made room for it, if that helps.
    fn refuse(&mut self, app: &App, request: Request, slot: Slot, refusal: Refusal) {
        let key = HoldKey::Slot(SlotKey { app: app.id.clone(), slot });
        match self.make_room(&refusal, &[(key, request)]) {
            Some(reason) => self.block(app, slot, reason, None),
            None => self.block(app, slot, refusal.to_string(), Some(refusal)),
        }
    }

    /// Gives up what was started ahead, if that makes room for all of these; what they wait for then.
    fn make_room(&mut self, refusal: &Refusal, wanted: &[(HoldKey, Request)]) -> Option<String> {
        let is_about_room = refusal.refused.keys().any(|filter| matches!(filter, Filter::Cpu | Filter::Memory));
        is_about_room.then(|| self.room.for_all(&self.ledger, wanted)).flatten()
    }

    fn waits_for_another(&self, app: &App, slot: Slot) -> Option<String> {
        let key = SlotKey { app: app.id.clone(), slot };
        app.has_one_writer().then(|| writer::other_slot(self.world, app, &key)).flatten()
    }

    /// The slots of one request are placed all or none.
    fn place_together(&mut self, slots: &[(&App, Slot)]) {
        let waits = |&(app, slot): &(&App, Slot)| self.waits_for_another(app, slot);
        if let Some(reason) = slots.iter().find_map(waits) {
            return slots.iter().for_each(|&(app, slot)| self.block(app, slot, reason.clone(), None));
        }
        let writes_before = self.plan.writes.len();
        for (placed_already, &(app, slot)) in slots.iter().enumerate() {
            match self.ledger.place(&slot_request(app, slot, Generation::FIRST)) {
                Ok(placed) => self.assign(app, first_assignment(self.world, app, slot, placed, self.now)),
                Err(refusal) => {
                    self.take_back(writes_before);
                    let wanted: Vec<_> = slots.iter().map(|&(app, slot)| wanted(app, slot)).collect();
                    if let Some(reason) = self.make_room(&refusal, &wanted) {
                        return slots.iter().for_each(|&(app, slot)| self.block(app, slot, reason.clone(), None));
                    }
                    let room = match placed_already {
                        0 => refusal.to_string(),
                        some => format!("there is room for {some} of {} only: {refusal}", slots.len()),
                    };
                    for &(app, slot) in slots {
                        self.block(app, slot, room.clone(), Some(refusal.clone()));
                    }
                    return;
                }
            }
        }
    }

    /// Undoes the assignments that were planned last, down to so many writes.
    fn take_back(&mut self, writes: usize) {
        for write in self.plan.writes.drain(writes..) {
            if let RecordWrite::Assign(assignment) = write {
                self.ledger.to_mut().release(&HoldKey::Slot(assignment.key()));
            }
        }
    }

    fn assign(&mut self, app: &App, assignment: Assignment) {
        let hold = Hold {
            engine: assignment.engine.clone(),
            resources: needed_resources(&assignment),
            ports: needed_ports(&assignment),
            images: app.members.iter().map(|member| member.spec.image.to_string()).collect(),
            names: Vec::new(),
            owner: Some(app.owner.clone()),
        };
        self.ledger.to_mut().hold(HoldKey::Slot(assignment.key()), hold);
        if let Some(former) = self.world.fallback_hold(&assignment) {
            self.ledger.to_mut().hold(HoldKey::Fallback(assignment.key()), former);
        }
        self.plan.writes.push(RecordWrite::Assign(assignment));
    }

    /// A refusal is not the last word while some host is not known yet.
    fn block(&mut self, app: &App, slot: Slot, mut reason: String, mut refusal: Option<Refusal>) {
        if refusal.is_some()
            && let Some(host) = self.world.unknown_host(self.now)
        {
            reason = format!("{reason}; waits until host {host} is known");
            refusal = None;
        }
        self.plan.blocked.push(Blocked {
            key: SlotKey { app: app.id.clone(), slot },
            app: app.name.clone(),
            reason,
            refusal,
        });
    }
}

/// A slot that has no host yet, and what it asks for.
fn wanted(app: &App, slot: Slot) -> (HoldKey, Request) {
    (HoldKey::Slot(SlotKey { app: app.id.clone(), slot }), slot_request(app, slot, Generation::FIRST))
}

fn first_assignment(world: &World, app: &App, slot: Slot, placed: crate::Placed, now: Timestamp) -> Assignment {
    Assignment {
        writer: writer::guard(world, app, &placed.engine),
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
        up_since: None,
        started_at: None,
        fallback: None,
        has_images: false,
        newest_generation: Generation(0),
        created_at: now,
    }
}

/// The next generation of a slot: what was learnt from failures goes on, the ids of its containers become former ones.
fn reassign(
    world: &World,
    previous: &Assignment,
    app: &App,
    attempts: &[Attempt],
    placed: crate::Placed,
    now: Timestamp,
) -> Assignment {
    let mut former = previous.former.clone();
    former.extend(previous.containers.values().cloned());
    let surplus = former.len().saturating_sub(Assignment::FORMER_KEPT);
    former.drain(..surplus);
    let is_forgiven = attempts.is_empty() && !previous.attempts.is_empty();
    Assignment {
        generation: previous.next_generation(),
        former,
        attempts: attempts.to_vec(),
        retries: if is_forgiven { 0 } else { previous.retries },
        not_before: if is_forgiven { Timestamp(0) } else { previous.not_before },
        ..first_assignment(world, app, previous.slot, placed, now)
    }
}

/// Whether all containers of a slot run, are as they shall be and have not failed lately.
pub(crate) fn runs_well(world: &World, app: &App, assignment: &Assignment) -> bool {
    world.engines().get(&assignment.engine).is_some_and(|engine| engine.is_usable())
        && !has_failed(assignment)
        && assignment.retries == 0
        && assignment.fallback.is_none()
        && is_up(app, &world.current(assignment))
}

/// The request of one more slot of an app, for those who ask where it would go.
#[must_use]
pub fn request_for(app: &App) -> Request {
    slot_request(app, Slot(app.next_slot), Generation::FIRST)
}
