//! Requests about one container: find it, start, stop, restart, destroy it, read its log.

use super::apps::may_change;
use super::edit::{AppEdit, Edit};
use super::events::{self, Subject};
use super::workspaces::{forbidden, right_of};
use super::{Actor, Idempotency, RequestError, Started};
use crate::Controller;
use crate::known::Known;
use pierhead_model::{
    App, ContainerId, ContainerState, EngineId, Goal, ObservedContainer, Ownership, Slot, SlotIntent, SlotKey,
    SlotWish, WorkspaceId, WorkspaceOwnership, WorkspaceRight,
};
use std::time::Duration;

/// A container that was asked for by its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Where it is.
    pub engine: EngineId,
    /// What it is.
    pub observed: ObservedContainer,
    /// The slot that it stands for; absent for a container that is not ours.
    pub slot: Option<SlotKey>,
    /// The workspace that it belongs to, if to any.
    pub workspace: Option<WorkspaceId>,
}

/// A verb on one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Start,
    Stop,
    Restart,
    Destroy,
}

impl Verb {
    fn event(self) -> &'static str {
        match self {
            Self::Start => "start-container",
            Self::Stop => "stop-container",
            Self::Restart => "restart-container",
            Self::Destroy => "destroy-container",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Destroy => "destroy",
        }
    }
}

impl Controller {
    /// Finds a container by its id or a unique beginning of it.
    ///
    /// # Errors
    /// If there is none, naming the container that took its place; or several.
    pub fn find_container(&self, id: &str) -> Result<Container, RequestError> {
        find(&self.known(), id)
    }

    /// Starts a container; one that is not ours, directly.
    ///
    /// # Errors
    /// If there is none, the actor may not, or its engine can't.
    pub async fn start_container(
        &self,
        actor: &Actor,
        id: &str,
        key: Option<&Idempotency>,
    ) -> Result<Option<Started>, RequestError> {
        self.verb(actor, id, Verb::Start, key).await
    }

    /// Stops a container; its slot is kept and left alone until it is started.
    ///
    /// # Errors
    /// As [`Controller::start_container`].
    pub async fn stop_container(
        &self,
        actor: &Actor,
        id: &str,
        key: Option<&Idempotency>,
    ) -> Result<Option<Started>, RequestError> {
        self.verb(actor, id, Verb::Stop, key).await
    }

    /// Restarts a container; one that does not run is started.
    ///
    /// # Errors
    /// As [`Controller::start_container`].
    pub async fn restart_container(
        &self,
        actor: &Actor,
        id: &str,
        key: Option<&Idempotency>,
    ) -> Result<Option<Started>, RequestError> {
        self.verb(actor, id, Verb::Restart, key).await
    }

    /// Sets how many slots of a container's app run.
    ///
    /// # Errors
    /// If it belongs to no app, or as [`Controller::scale`].
    pub async fn scale_app_of(
        &self,
        actor: &Actor,
        container: &Container,
        count: u32,
        timeout: Option<Duration>,
        key: Option<&Idempotency>,
    ) -> Result<Started, RequestError> {
        let app = container
            .slot
            .as_ref()
            .and_then(|slot| self.known().world.apps().get(&slot.app).map(|app| app.name.clone()));
        let refuse = || RequestError::Forbidden("this container belongs to no app, so it can't be scaled".to_owned());
        self.resize(actor, &app.ok_or_else(refuse)?, Some(container), count, timeout, key).await
    }

    /// Destroys a container, whether it runs or not; its app has one replica less.
    ///
    /// # Errors
    /// As [`Controller::start_container`].
    pub async fn destroy_container(
        &self,
        actor: &Actor,
        id: &str,
        key: Option<&Idempotency>,
    ) -> Result<Option<Started>, RequestError> {
        self.verb(actor, id, Verb::Destroy, key).await
    }

    pub(super) fn link_of(&self, container: &Container) -> Result<std::sync::Arc<crate::engines::Link>, RequestError> {
        self.engines.link(&container.engine).ok_or_else(|| RequestError::NotFound {
            what: "engine",
            id: container.engine.to_string(),
            replaced_by: None,
        })
    }

    async fn verb(
        &self,
        actor: &Actor,
        id: &str,
        verb: Verb,
        key: Option<&Idempotency>,
    ) -> Result<Option<Started>, RequestError> {
        // The id of a retried request may be gone by now: that is what it asked for.
        if let Some(found) = self.begun_before(actor, key).await? {
            return Ok(Some(found));
        }
        let container = self.find_container(id)?;
        if let Some(workspace) = &container.workspace {
            return Err(self.not_alone(actor, workspace));
        }
        let Some(slot) = container.slot.clone() else {
            self.direct(actor, &container, verb).await?;
            return Ok(None);
        };
        let started =
            self.edit(actor, key, None, |known, _, _| edit_slot(known, actor, &container, &slot, verb)).await?;
        Ok(Some(started))
    }

    /// Containers of a workspace are not started, stopped and destroyed one by one: what is in them would be lost.
    fn not_alone(&self, actor: &Actor, workspace: &WorkspaceId) -> RequestError {
        match of_workspace(&self.known(), actor, workspace) {
            Err(error) => error,
            Ok(()) => RequestError::Forbidden(format!(
                "this container belongs to workspace {workspace}, which is started, stopped and ended as a whole, and saved before"
            )),
        }
    }

    /// A verb on a container that is not ours: only at the explicit wish of somebody who may.
    async fn direct(&self, actor: &Actor, container: &Container, verb: Verb) -> Result<(), RequestError> {
        if !actor.may_change_all {
            return Err(not_ours());
        }
        let link = self.link_of(container)?;
        let (id, grace) = (&container.observed.id, self.options.stop_grace_seconds);
        let done = match verb {
            Verb::Start => link.engine.start(id).await,
            Verb::Stop => link.engine.stop(id, grace).await,
            Verb::Restart => link.engine.restart(id, grace).await,
            Verb::Destroy => {
                self.gone_logs.keep(&container.engine, &link.engine, id).await;
                link.engine.remove(id).await
            }
        };
        let subject = Subject::container(&self.known(), container);
        self.engines.refresh(&link, id).await;
        done.map_err(|source| RequestError::Engine { engine: container.engine.to_string(), source })?;
        let message = format!("id={id}, name={}", container.observed.name);
        let tag = pierhead_model::EventTag::Cluster;
        let event = self.event(verb.event(), message, tag, Some(&actor.username), subject);
        self.store.commit(events::append(pierhead_store::Transaction::new(), &event)?).await?;
        Ok(())
    }
}

fn not_ours() -> RequestError {
    RequestError::Forbidden("this container was not made by Pierhead; only an administrator may act on it".to_owned())
}

pub(super) fn authorise(known: &Known, actor: &Actor, container: &Container) -> Result<(), RequestError> {
    if let Some(workspace) = &container.workspace {
        return of_workspace(known, actor, workspace);
    }
    match container.slot.as_ref().and_then(|slot| known.world.apps().get(&slot.app)) {
        Some(app) => may_change(actor, app),
        None if actor.may_change_all => Ok(()),
        None => Err(not_ours()),
    }
}

/// Whether somebody may work in the containers of a workspace: its owner, those that it is shared with as drivers, and
/// administrators.
fn of_workspace(known: &Known, actor: &Actor, id: &WorkspaceId) -> Result<(), RequestError> {
    let right = known.world.workspaces().get(id).and_then(|workspace| right_of(actor, workspace));
    match right {
        Some(WorkspaceRight::Owner | WorkspaceRight::Driver) => Ok(()),
        // Of one that is over or nobody's yet, only what is left of it is there.
        None if actor.may_change_all => Ok(()),
        Some(WorkspaceRight::Viewer) => Err(forbidden(WorkspaceRight::Driver)),
        None => Err(RequestError::Forbidden("this container belongs to somebody else's workspace".to_owned())),
    }
}

pub(super) fn find(known: &Known, id: &str) -> Result<Container, RequestError> {
    let not_found =
        |replaced_by| RequestError::NotFound { what: "container", id: id.chars().take(64).collect(), replaced_by };
    let Ok(from) = ContainerId::parse(id) else { return Err(not_found(None)) };
    let mut found = Vec::new();
    for (engine, state) in known.world.engines() {
        let range = state.containers.range(from.clone()..);
        found.extend(
            range
                .take_while(|(found, _)| found.as_str().starts_with(id))
                .map(|(_, container)| (engine, container))
                .filter(|(engine, container)| !known.is_outdated(engine, container)),
        );
    }
    match found.as_slice() {
        [] => Err(not_found(successor(known, id))),
        [(engine, observed)] => Ok(Container::of(known, engine, observed)),
        several => match several.iter().find(|(_, container)| container.id.as_str() == id) {
            Some((engine, observed)) => Ok(Container::of(known, engine, observed)),
            None => Err(RequestError::Ambiguous { prefix: id.to_owned(), count: several.len() }),
        },
    }
}

impl Container {
    fn of(known: &Known, engine: &EngineId, observed: &ObservedContainer) -> Self {
        let of = WorkspaceOwnership::read(&observed.labels).filter(|_| observed.belongs_to(&known.world.cluster));
        Self {
            engine: engine.clone(),
            observed: observed.clone(),
            slot: slot_of(known, observed),
            workspace: of.map(|of| of.workspace),
        }
    }
}

fn slot_of(known: &Known, container: &ObservedContainer) -> Option<SlotKey> {
    container
        .belongs_to(&known.world.cluster)
        .then(|| Ownership::read(&container.labels).map(|owner| owner.slot))
        .flatten()
}

/// The container that took the place of one that is gone.
fn successor(known: &Known, id: &str) -> Option<String> {
    if id.len() < 12 {
        return None;
    }
    let is_former = |former: &ContainerId| former.as_str().starts_with(id);
    let assignment = known.world.assignments().values().find(|assignment| assignment.former.iter().any(is_former))?;
    known.world.current(assignment).values().next().map(|container| container.id.to_string())
}

fn edit_slot(
    known: &Known,
    actor: &Actor,
    container: &Container,
    key: &SlotKey,
    verb: Verb,
) -> Result<Edit, RequestError> {
    let id = &container.observed.id;
    let gone =
        || RequestError::NotFound { what: "container", id: id.to_string(), replaced_by: successor(known, id.as_str()) };
    let app = known.world.apps().get(&key.app).ok_or_else(gone)?;
    may_change(actor, app)?;
    let mut app: App = app.clone();
    let intent = app.slots.get_mut(&key.slot).ok_or_else(gone)?;
    let goal = match verb {
        Verb::Destroy => {
            app.slots.remove(&key.slot);
            Goal::Gone
        }
        Verb::Stop => {
            intent.wish = SlotWish::Stopped;
            Goal::Stopped
        }
        Verb::Start => {
            let runs = intent.wish == SlotWish::Running && container.observed.state == ContainerState::Running;
            wish_run(intent, !runs)
        }
        Verb::Restart => wish_run(intent, true),
    };
    let is_over = app.transient && app.slots.is_empty();
    let slot: Slot = key.slot;
    Ok(Edit {
        title: format!("{} {} of {}", verb.word(), container.observed.name, app.name),
        event: verb.event(),
        event_message: format!("id={id}, name={}, app={}", container.observed.name, app.name),
        targets: Edit::targets([slot], goal),
        describes: None,
        pull: false,
        container: Some(container.clone()),
        is_new: false,
        app: if is_over { AppEdit::Delete(app) } else { AppEdit::Put(app) },
    })
}

fn wish_run(intent: &mut SlotIntent, restart: bool) -> Goal {
    intent.wish = SlotWish::Running;
    intent.restarts += u32::from(restart);
    Goal::Running
}
