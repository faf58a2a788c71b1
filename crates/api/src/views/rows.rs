//! The list of all containers, from rows that are kept as they are sent: a container is encoded once after it changed,
//! not once for everybody who asks.

use super::{container_for, engine_of_container, is_down, sees_all};
use crate::identity::Caller;
use pierhead_controller::{Known, keys};
use pierhead_model::{App, AppId, ContainerId, EngineId, ObservedContainer, Ownership, Slot, Timestamp};
use pierhead_planner::{EngineState, World};
use pierhead_store::Revision;
use pierhead_wire::EngineOfContainer;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of every host.
#[derive(Default)]
pub(crate) struct Rows {
    hosts: Mutex<HashMap<EngineId, Host>>,
}

/// Rows of one host, and what they say of it.
struct Host {
    engine: EngineOfContainer,
    is_down: bool,
    rows: HashMap<ContainerId, Row>,
}

/// One container.
struct Row {
    /// What it was encoded from, without its labels, which never change.
    observed: ObservedContainer,
    slot: Option<Slot>,
    app: Option<AppId>,
    /// The revision of its app.
    revision: Option<Revision>,
    /// For those who see everything of it.
    whole: Arc<[u8]>,
    /// For others; absent until one of them asks.
    narrow: Option<Arc<[u8]>>,
}

/// What of an app matters to a row.
struct AppNow {
    revision: Option<Revision>,
    /// Whether the one who asks sees everything of it.
    is_open: bool,
}

impl Rows {
    /// The containers of all hosts as a JSON array, newest first.
    pub(crate) fn list(&self, known: &Known, caller: &Caller, all: bool) -> Vec<u8> {
        let world = &known.world;
        let now =
            |app: &App| AppNow { revision: known.revision_of(&keys::app(&app.id)), is_open: sees_all(caller, app) };
        let apps: HashMap<&AppId, AppNow> = world.apps().iter().map(|(id, app)| (id, now(app))).collect();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|id, _| world.engines().contains_key(id));
        let mut found = Vec::new();
        for (id, state) in world.engines() {
            let host = Host::up_to_date(&mut hosts, world, id, state);
            let is_down = host.is_down;
            let wanted = |found: &&ObservedContainer| all || (found.state.is_running() && !is_down);
            for observed in state.containers.values().filter(wanted) {
                found.extend(host.row(world, id, observed, &apps));
            }
            if host.rows.len() > state.containers.len() {
                host.rows.retain(|id, _| state.containers.contains_key(id));
            }
        }
        drop(hosts);
        found.sort_unstable_by(|one: &Found, other: &Found| one.age.cmp(&other.age));
        array(&found)
    }
}

/// A row with its place in the order of the list.
struct Found<'a> {
    age: Reverse<(Timestamp, Option<Slot>, &'a ContainerId)>,
    text: Arc<[u8]>,
}

fn array(found: &[Found<'_>]) -> Vec<u8> {
    let mut text = Vec::with_capacity(2 + found.iter().map(|row| row.text.len() + 1).sum::<usize>());
    text.push(b'[');
    for (at, row) in found.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        text.extend_from_slice(&row.text);
    }
    text.push(b']');
    text
}

impl Host {
    /// The rows of a host; none of them if what they say of it is not so any more.
    fn up_to_date<'a>(
        hosts: &'a mut HashMap<EngineId, Self>,
        world: &World,
        id: &EngineId,
        state: &EngineState,
    ) -> &'a mut Self {
        let (engine, is_down) = (engine_of_container(state), is_down(world, id));
        let fresh = || Self { engine: engine.clone(), is_down, rows: HashMap::new() };
        let host = hosts.entry(id.clone()).or_insert_with(fresh);
        if host.engine != engine || host.is_down != is_down {
            *host = fresh();
        }
        host
    }

    fn row<'a>(
        &mut self,
        world: &World,
        engine: &EngineId,
        observed: &'a ObservedContainer,
        apps: &HashMap<&AppId, AppNow>,
    ) -> Option<Found<'a>> {
        let encode = |is_open: bool| {
            let view = container_for(world, engine, observed, |_| is_open)?;
            serde_json::to_vec(&view).ok().map(Arc::<[u8]>::from)
        };
        let app_of = |row: &Row| row.app.as_ref().and_then(|app| apps.get(app));
        let is_same = |row: &Row| row.revision == app_of(row).and_then(|app| app.revision) && row.is_of(observed);
        if !self.rows.get(&observed.id).is_some_and(is_same) {
            let owner = observed.belongs_to(&world.cluster).then(|| Ownership::read(&observed.labels)).flatten();
            let app = owner.as_ref().map(|owner| owner.slot.app.clone());
            let row = Row {
                observed: ObservedContainer { labels: Default::default(), ..observed.clone() },
                slot: Ownership::read(&observed.labels).map(|owner| owner.slot.slot),
                revision: app.as_ref().and_then(|app| apps.get(app)).and_then(|app| app.revision),
                app,
                whole: encode(true)?,
                narrow: None,
            };
            self.rows.insert(observed.id.clone(), row);
        }
        let row = self.rows.get_mut(&observed.id)?;
        let text = if app_of(row).is_none_or(|app| app.is_open) {
            Arc::clone(&row.whole)
        } else {
            if row.narrow.is_none() {
                row.narrow =
                    encode(false).map(|narrow| if narrow == row.whole { Arc::clone(&row.whole) } else { narrow });
            }
            row.narrow.clone()?
        };
        Some(Found { age: Reverse((observed.created_at, row.slot, &observed.id)), text })
    }
}

impl Row {
    fn is_of(&self, now: &ObservedContainer) -> bool {
        let then = &self.observed;
        (then.state, then.exit_code, then.created_at, then.limits)
            == (now.state, now.exit_code, now.created_at, now.limits)
            && then.name == now.name
            && then.image == now.image
            && then.ports == now.ports
    }
}
