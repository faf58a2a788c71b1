//! Keeps the world in step with the store: everything at the start, then every change.

use crate::controllers::ControllerRecord;
use crate::engines::Engines;
use crate::keys;
use crate::known::{Known, Shared};
use pierhead_model::{
    App, AppId, Assignment, AttemptId, ClassMessage, Course, CourseId, CourseWork, Engine, EngineId, Enrolments,
    Environment, EnvironmentId, Hand, Lab, LabAttempt, Operation, OperationId, Slot, SlotKey, Terminal, Workspace,
    WorkspaceAssignment, WorkspaceId,
};
use pierhead_store::leadership::Leader;
use pierhead_store::{Entry, Error, Result, Revision, Store};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The records that the world is made of.
const FOLLOWED: [&str; 19] = [
    keys::RESTORED,
    keys::ENGINES,
    keys::APPS,
    keys::ASSIGNMENTS,
    keys::OPERATIONS,
    keys::CONTROLLERS,
    keys::CONTROLLERS_ASKED,
    keys::LEADER,
    keys::TERMINALS,
    keys::ENVIRONMENTS,
    keys::WORKSPACES,
    keys::WORKSPACE_ASSIGNMENTS,
    keys::LABS,
    keys::COURSES,
    keys::WORK,
    keys::ENROLMENTS,
    keys::ATTEMPTS,
    keys::HANDS,
    keys::MESSAGES,
];

/// Reads every record; the answer is the revision to follow from.
pub(crate) async fn load(store: &dyn Store, shared: &Shared, engines: &Engines) -> Result<Revision> {
    let mut from = None;
    for prefix in FOLLOWED {
        let listing = store.list_all(prefix).await?;
        // What changes while the others are read is read once more when it is followed.
        from.get_or_insert(listing.revision);
        for entry in &listing.entries {
            shared.change(|known| put(known, entry))?;
        }
        shared.change_quietly(|known| forget_all_but(known, prefix, &listing.entries));
    }
    let from = from.unwrap_or(Revision::ZERO);
    shared.change(|known| known.revision = from);
    shared.terminals_changed();
    engines.keep_up();
    Ok(from)
}

/// Follows every change; a broken watch is opened anew from where it ended.
pub(crate) async fn follow(store: Arc<dyn Store>, shared: Arc<Shared>, engines: Arc<Engines>, mut from: Revision) {
    loop {
        let error = match store.watch("", from).await {
            Ok(mut watch) => loop {
                match watch.next().await {
                    Ok(changes) => {
                        from = changes.revision;
                        if !changes.changes.iter().any(|change| is_followed(&change.key)) {
                            shared.advance(from);
                            continue;
                        }
                        // Nothing is planned by attempts, of which there are many.
                        if changes.changes.iter().all(|change| !is_followed(&change.key) || is_quiet(&change.key)) {
                            shared.change_quietly(|known| apply(known, changes));
                            shared.advance(from);
                            continue;
                        }
                        let touches_engines =
                            changes.changes.iter().any(|change| change.key.starts_with(keys::ENGINES));
                        let touches_terminals =
                            changes.changes.iter().any(|change| change.key.starts_with(keys::TERMINALS));
                        shared.change(|known| apply(known, changes));
                        if touches_terminals {
                            shared.terminals_changed();
                        }
                        if touches_engines {
                            engines.keep_up();
                        }
                    }
                    Err(error) => break error,
                }
            },
            Err(error) => error,
        };
        tracing::warn!(%error, "the watch on the store ended; it is opened anew");
        if matches!(error, Error::Compacted { .. }) {
            match load(&*store, &shared, &engines).await {
                Ok(revision) => from = revision,
                Err(error) => tracing::warn!(%error, "the store could not be read"),
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What went while nobody followed: nothing tells of it but that it is not listed.
fn forget_all_but(known: &mut Known, prefix: &str, listed: &[Entry]) {
    let listed: BTreeSet<&str> = listed.iter().map(|entry| &*entry.key).collect();
    for key in known.keys_below(prefix).iter().filter(|key| !listed.contains(key.as_str())) {
        delete(known, key);
    }
}

fn is_followed(key: &str) -> bool {
    FOLLOWED.iter().any(|prefix| key.starts_with(prefix))
}

/// Whether it changes nothing that somebody waits for or plans by.
fn is_quiet(key: &str) -> bool {
    key.starts_with(keys::ATTEMPTS)
}

fn apply(known: &mut Known, changes: pierhead_store::Changes) {
    for change in &changes.changes {
        match &change.entry {
            Some(entry) => {
                if let Err(error) = put(known, entry) {
                    tracing::error!(%error, "a record can't be read and is left out");
                }
            }
            None => delete(known, &change.key),
        }
    }
    known.revision = changes.revision;
}

fn put(known: &mut Known, entry: &Entry) -> Result<()> {
    let key = &*entry.key;
    if key.starts_with(keys::ENGINES) {
        known.world.set_engine(entry.json::<Engine>()?);
    } else if key.starts_with(keys::APPS) {
        known.world.set_app(entry.json::<App>()?);
    } else if key.starts_with(keys::ASSIGNMENTS) {
        known.world.set_assignment(entry.json::<Assignment>()?);
    } else if key.starts_with(keys::OPERATIONS) {
        known.world.set_operation(entry.json::<Operation>()?);
    } else if let Some(id) = key.strip_prefix(keys::CONTROLLERS) {
        known.controllers.insert(id.to_owned(), entry.json::<ControllerRecord>()?);
    } else if key.starts_with(keys::TERMINALS) {
        let terminal = entry.json::<Terminal>()?;
        known.terminals.insert(terminal.id.clone(), Arc::new(terminal));
    } else if key.starts_with(keys::ENVIRONMENTS) {
        known.world.set_environment(entry.json::<Environment>()?);
    } else if key.starts_with(keys::WORKSPACES) {
        known.world.set_workspace(entry.json::<Workspace>()?);
    } else if key.starts_with(keys::WORKSPACE_ASSIGNMENTS) {
        known.world.set_workspace_assignment(entry.json::<WorkspaceAssignment>()?);
    } else if key.starts_with(keys::LABS) {
        let lab = entry.json::<Lab>()?;
        known.labs.insert(lab.id.clone(), Arc::new(lab));
    } else if key.starts_with(keys::WORK) {
        let work = entry.json::<CourseWork>()?;
        known.work.insert((work.course.clone(), work.lab.clone()), Arc::new(work));
    } else if key.starts_with(keys::COURSES) {
        let course = entry.json::<Course>()?;
        known.courses.insert(course.id.clone(), Arc::new(course));
    } else if let Some(id) = key.strip_prefix(keys::ENROLMENTS).and_then(|id| CourseId::parse(id).ok()) {
        known.enrolments.insert(id, Arc::new(entry.json::<Enrolments>()?));
    } else if key.starts_with(keys::ATTEMPTS) {
        known.set_attempt(entry.json::<LabAttempt>()?);
    } else if key.starts_with(keys::HANDS) {
        let hand = entry.json::<Hand>()?;
        known.hands.insert(hand.workspace.clone(), hand);
    } else if key.starts_with(keys::MESSAGES) {
        let message = entry.json::<ClassMessage>()?;
        known.messages.insert(message.id.clone(), Arc::new(message));
    } else if key == keys::RESTORED {
        known.world.is_restored = true;
    } else if key == keys::CONTROLLERS_ASKED {
        known.asked = entry.modified;
    } else if key == keys::LEADER {
        known.leader = Some((entry.json::<Leader>()?.who, entry.created));
    } else {
        return Ok(());
    }
    known.set_revision(key, Some(entry.modified));
    Ok(())
}

fn delete(known: &mut Known, key: &str) {
    known.set_revision(key, None);
    if key == keys::RESTORED {
        known.world.is_restored = false;
    } else if let Some(id) = key.strip_prefix(keys::ENGINES) {
        if let Ok(id) = EngineId::parse(id) {
            known.world.remove_engine(&id);
        }
    } else if let Some(id) = key.strip_prefix(keys::APPS) {
        known.remove_app(&AppId(id.to_owned()));
    } else if let Some(id) = key.strip_prefix(keys::CONTROLLERS) {
        known.controllers.remove(id);
    } else if let Some(id) = key.strip_prefix(keys::TERMINALS) {
        known.terminals.remove(id);
    } else if let Some(id) = key.strip_prefix(keys::HANDS) {
        known.hands.remove(id);
    } else if let Some(id) = key.strip_prefix(keys::MESSAGES) {
        known.messages.remove(id);
    } else if let Some(id) = key.strip_prefix(keys::ENVIRONMENTS) {
        if let Ok(id) = EnvironmentId::parse(id) {
            known.world.remove_environment(&id);
        }
    } else if let Some(id) = key.strip_prefix(keys::WORKSPACES) {
        if let Ok(id) = WorkspaceId::parse(id) {
            known.world.remove_workspace(&id);
        }
    } else if let Some(id) = key.strip_prefix(keys::WORKSPACE_ASSIGNMENTS) {
        if let Ok(id) = WorkspaceId::parse(id) {
            known.world.remove_workspace_assignment(&id);
        }
    } else if let Some(id) = key.strip_prefix(keys::LABS) {
        known.labs.remove(id);
    } else if key.starts_with(keys::WORK) {
        known.work.retain(|(course, lab), _| keys::work(course, lab) != key);
    } else if let Some(id) = key.strip_prefix(keys::COURSES) {
        known.courses.remove(id);
    } else if let Some(id) = key.strip_prefix(keys::ENROLMENTS) {
        known.enrolments.remove(id);
    } else if let Some(id) = key.strip_prefix(keys::ATTEMPTS) {
        if let Ok(id) = AttemptId::parse(id) {
            known.remove_attempt(&id);
        }
    } else if key == keys::LEADER {
        known.leader = None;
    } else if let Some(id) = key.strip_prefix(keys::OPERATIONS) {
        if let Ok(id) = OperationId::parse(id) {
            known.world.remove_operation(&id);
        }
    } else if let Some(slot) = key.strip_prefix(keys::ASSIGNMENTS).and_then(slot_of) {
        known.world.remove_assignment(&slot);
    }
}

fn slot_of(rest: &str) -> Option<SlotKey> {
    let (app, slot) = rest.split_once('/')?;
    Some(SlotKey { app: AppId(app.to_owned()), slot: Slot(slot.parse().ok()?) })
}
