//! What is to be done so that the pool's records and the registry agree. Pure.

use super::follow::{Seen, View};
use pierhead_model::{Endpoint, Engine, EngineId, REGISTRATIONS, Registered, Registration};
use pierhead_planner::World;
use pierhead_store::Revision;
use std::collections::BTreeSet;

/// The longest part of a foreign value that is told of, in characters.
const LONGEST_TOLD: usize = 128;

/// One thing to do. Each stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A host has registered: it comes into the pool.
    Add(Registration),
    /// A host's registration has gone: it counts as down.
    Leave(EngineId),
    /// It is registered again.
    Return(EngineId),
    /// It has left, and nothing lives there: its record goes.
    Forget(EngineId),
    /// A host that was added by hand is written into the registry.
    Write { key: String, value: String },
    /// A host that an administrator removed is erased from the registry.
    Erase { key: String, revision: Revision },
    /// Nothing is left to erase of a removed host.
    Done(EngineId),
    /// A registration cannot be used: it is told once.
    Tell { key: String, revision: Revision, message: String },
}

/// What is to be done, given the registry, the pool, and the hosts that were removed by hand and may still be registered.
pub(super) fn steps(view: &View, world: &World, removed: &BTreeSet<EngineId>) -> Vec<Step> {
    let record = |id: &EngineId| world.engines().get(id).map(|state| &state.record);
    let mut steps: Vec<Step> =
        view.iter().filter_map(|(key, seen)| of_registration(world, removed, key, seen)).collect();
    for state in world.engines().values() {
        steps.extend(of_record(view, world, &state.record));
    }
    let is_erased = |id: &&EngineId| record(id).is_some() || !view.contains_key(key_of(id).as_str());
    steps.extend(removed.iter().filter(is_erased).cloned().map(Step::Done));
    steps
}

fn of_registration(world: &World, removed: &BTreeSet<EngineId>, key: &str, seen: &Seen) -> Option<Step> {
    let ignored = |why: String| {
        let value: String = String::from_utf8_lossy(&seen.value).chars().take(LONGEST_TOLD).collect();
        let message = format!("{key}={value:?} is ignored: {why}");
        Some(Step::Tell { key: key.to_owned(), revision: seen.revision, message })
    };
    let registration = match Registration::parse(key, &seen.value) {
        Ok(registration) => registration,
        Err(invalid) => return ignored(invalid.to_string()),
    };
    let (id, at) = (&registration.id, &registration.at);
    let Some(state) = world.engines().get(id) else {
        if removed.contains(id) {
            return Some(Step::Erase { key: key.to_owned(), revision: seen.revision });
        }
        let same = world.engines().values().find(|other| is_at(&other.record, at));
        return match same {
            Some(same) => ignored(format!("host {} is at {at} already", same.record.id)),
            None => Some(Step::Add(registration)),
        };
    };
    match (is_at(&state.record, at), state.record.registered) {
        (true, Some(Registered::NoMore)) => Some(Step::Return(id.clone())),
        (true, _) => None,
        (false, _) => ignored(format!(
            "host {id} is at {}; two hosts need two ids, register this one as {REGISTRATIONS}{}",
            state.record.addr,
            free(world, id)
        )),
    }
}

fn of_record(view: &View, world: &World, record: &Engine) -> Option<Step> {
    let id = &record.id;
    let registered = view.get(key_of(id).as_str());
    let is_there = registered.is_some_and(|seen| is_same_host(record, id, seen));
    match record.registered {
        None => {
            let at = Endpoint::of_address(&record.addr)?;
            registered.is_none().then(|| Step::Write { key: key_of(id), value: at.to_string() })
        }
        Some(Registered::Now) if registered.is_some() => None,
        Some(Registered::NoMore) if is_there => None,
        Some(_) if record.is_plain() && !is_lived_in(world, id) => Some(Step::Forget(id.clone())),
        Some(Registered::Now) => Some(Step::Leave(id.clone())),
        Some(Registered::NoMore) => None,
    }
}

fn is_same_host(record: &Engine, id: &EngineId, seen: &Seen) -> bool {
    Registration::parse(&key_of(id), &seen.value).is_ok_and(|registration| is_at(record, &registration.at))
}

fn is_at(record: &Engine, at: &Endpoint) -> bool {
    Endpoint::of_address(&record.addr).as_ref() == Some(at)
}

fn is_lived_in(world: &World, id: &EngineId) -> bool {
    world.assignments().values().any(|assignment| assignment.engine == *id)
}

fn key_of(id: &EngineId) -> String {
    format!("{REGISTRATIONS}{id}")
}

/// An id that no host has.
fn free(world: &World, id: &EngineId) -> String {
    let is_free = |id: &String| EngineId::parse(id.as_str()).is_ok_and(|id| !world.engines().contains_key(&id));
    (2..1_000).map(|number| format!("{id}-{number}")).find(is_free).unwrap_or_else(|| "another id".to_owned())
}

#[cfg(test)]
mod tests;
