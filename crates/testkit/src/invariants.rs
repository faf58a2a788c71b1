//! What must hold after every test: compared is what people want, as the store has it, with what the hosts themselves
//! list.

use crate::{Cluster, PATIENCE, eventually_ok};
use pierhead_controller::keys;
use pierhead_engine::{Fake, Verb};
use pierhead_model::{
    App, Assignment, HealthStatus, ObservedContainer, Operation, Ownership, SlotKey, SlotWish, WorkspaceAssignment,
    WorkspaceOwnership,
};
use pierhead_store::Store;
use std::collections::BTreeMap;
use std::time::Duration;

/// What changes a container.
const CHANGING: [Verb; 4] = [Verb::Start, Verb::Stop, Verb::Restart, Verb::Remove];
/// Longer than the loop waits before it looks again: what it would still do, it does in this time.
const LONGER_THAN_A_TICK: Duration = Duration::from_millis(150);

/// What is found for one slot: each container with its host.
type Found<'a> = BTreeMap<SlotKey, Vec<(&'a str, ObservedContainer, Ownership)>>;

impl Cluster {
    /// Waits until everything is as wanted and nothing is being done any more.
    ///
    /// Exactly the wanted containers are on the hosts that answer, each where and what its record says; nothing is
    /// doubled or orphaned; nobody acted on containers that are not ours; every operation has ended.
    ///
    /// # Panics
    /// If that is not so within [`PATIENCE`]; says what is wrong.
    pub async fn assert_invariants(&self) {
        let mut looked_at: Option<(u64, tokio::time::Instant)> = None;
        eventually_ok(PATIENCE, "everything is as wanted", async || {
            if let Err(wrong) = self.check().await {
                looked_at = None;
                return Err(wrong);
            }
            let calls = self.hosts().map(|(_, host)| changes(host)).sum();
            match looked_at {
                Some((before, since)) if before == calls && since.elapsed() > LONGER_THAN_A_TICK => Ok(()),
                Some((before, _)) if before == calls => Err("it is not known yet whether it stays so".to_owned()),
                _ => {
                    looked_at = Some((calls, tokio::time::Instant::now()));
                    Err("something is still being done".to_owned())
                }
            }
        })
        .await;
    }

    /// What is not as it must be, if anything.
    ///
    /// # Errors
    /// The first thing that is wrong.
    ///
    /// # Panics
    /// If the store can't be read.
    pub async fn check(&self) -> Result<(), String> {
        let store = self.controller().store();
        let operations: Vec<Operation> = read(&**store, keys::OPERATIONS).await;
        if let Some(open) = operations.iter().find(|operation| !operation.state.has_ended()) {
            return Err(format!("operation {} ({}) has not ended", open.id, open.title));
        }
        let apps: Vec<App> = read(&**store, keys::APPS).await;
        let assignments: Vec<Assignment> = read(&**store, keys::ASSIGNMENTS).await;
        let assignments: BTreeMap<SlotKey, Assignment> =
            assignments.into_iter().map(|assignment| (assignment.key(), assignment)).collect();
        self.check_foreign()?;
        self.check_workspaces().await?;
        let answering = self.answering();
        let mut found = found(store.cluster_id(), &answering)?;
        for app in &apps {
            for (slot, intent) in &app.slots {
                let key = SlotKey { app: app.id.clone(), slot: *slot };
                let assignment = assignments.get(&key);
                let on_hosts = found.remove(&key).unwrap_or_default();
                let what = format!("slot {slot} of {}", app.name);
                check_slot(app, intent.wish, assignment, &on_hosts).map_err(|wrong| format!("{what}: {wrong}"))?;
            }
        }
        if let Some((slot, containers)) = found.first_key_value() {
            let (host, container, _) = &containers[0];
            return Err(format!("nobody wants {} of slot {slot} on {host}", container.name));
        }
        let wanted = |key: &SlotKey| apps.iter().any(|app| app.id == key.app && app.slots.contains_key(&key.slot));
        match assignments.keys().find(|key| !wanted(key)) {
            Some(key) => Err(format!("the record of slot {key} outlives the slot")),
            None => Ok(()),
        }
    }

    /// The hosts of the pool that answer.
    fn answering(&self) -> Vec<(String, &Fake)> {
        let known = self.controller().known();
        let answers =
            |id: &str| known.world.engines().get(id).is_some_and(|engine| engine.health.status != HealthStatus::Down);
        self.hosts().filter(|(id, _)| answers(id)).collect()
    }

    /// Nothing that was made for a workspace is anywhere but where its record says.
    async fn check_workspaces(&self) -> Result<(), String> {
        let store = self.controller().store();
        let assignments: Vec<WorkspaceAssignment> = read(&**store, keys::WORKSPACE_ASSIGNMENTS).await;
        for (host, fake) in self.answering() {
            for container in fake.look().into_iter().filter(|container| container.belongs_to(store.cluster_id())) {
                let Some(of) = WorkspaceOwnership::read(&container.labels) else { continue };
                let is_there = |assignment: &WorkspaceAssignment| {
                    let mut places = assignment.place.iter().chain(&assignment.left);
                    assignment.workspace == of.workspace
                        && places.any(|place| place.engine.as_str() == host && place.generation == of.generation)
                };
                if !assignments.iter().any(is_there) {
                    return Err(format!("{} on {host} outlives the record of its workspace", container.name));
                }
            }
        }
        Ok(())
    }

    fn check_foreign(&self) -> Result<(), String> {
        for (host, id) in self.foreign() {
            let runs = host.look().iter().any(|container| container.id == *id && container.state.is_running());
            if !runs {
                return Err(format!("the container {id}, which is not ours, does not run any more"));
            }
            let touched =
                host.journal().into_iter().find(|call| CHANGING.contains(&call.verb) && call.subject == id.as_str());
            if let Some(call) = touched {
                return Err(format!("somebody asked to {} the container {id}, which is not ours", call.verb));
            }
        }
        Ok(())
    }
}

fn changes(host: &Fake) -> u64 {
    CHANGING.iter().chain([&Verb::Create]).map(|verb| host.calls(*verb)).sum()
}

async fn read<T: serde::de::DeserializeOwned>(store: &dyn Store, prefix: &str) -> Vec<T> {
    let listing = store.list_all(prefix).await.expect("the store can be read");
    listing.entries.iter().map(|entry| entry.json().expect("a record can be read")).collect()
}

fn found<'a>(cluster: &str, hosts: &'a [(String, &Fake)]) -> Result<Found<'a>, String> {
    let mut found = Found::new();
    for (id, host) in hosts {
        let is_slots = |container: &ObservedContainer| {
            container.belongs_to(cluster) && WorkspaceOwnership::read(&container.labels).is_none()
        };
        for container in host.look().into_iter().filter(is_slots) {
            let owner = Ownership::read(&container.labels);
            let owner = owner.ok_or_else(|| format!("{} on {id} has half of our labels", container.name))?;
            found.entry(owner.slot.clone()).or_default().push((id, container, owner));
        }
    }
    Ok(found)
}

fn check_slot(
    app: &App,
    wish: SlotWish,
    assignment: Option<&Assignment>,
    on_hosts: &[(&str, ObservedContainer, Ownership)],
) -> Result<(), String> {
    let Some(assignment) = assignment else {
        return match (wish, on_hosts.len()) {
            (SlotWish::Stopped, 0) => Ok(()),
            (_, count) => Err(format!("it has no record, but {count} containers")),
        };
    };
    let stray = on_hosts
        .iter()
        .find(|(host, _, owner)| *host != assignment.engine.as_str() || owner.generation != assignment.generation);
    if let Some((host, container, _)) = stray {
        return Err(format!("{} on {host} is not what its record says", container.name));
    }
    if on_hosts.len() != app.members.len() {
        return Err(format!("it has {} containers instead of {}", on_hosts.len(), app.members.len()));
    }
    let shall_run = wish == SlotWish::Running && assignment.exit.is_none();
    match on_hosts.iter().find(|(_, container, _)| container.state.is_running() != shall_run) {
        Some((host, container, _)) => Err(format!("{} on {host} is {}", container.name, container.state.as_str())),
        None => Ok(()),
    }
}
