//! Opening a workspace: one that was started ahead is given to who asks, else one is made.

use super::{MOST_WORKSPACES_OF_ONE, WorkspaceNow, missing};
use crate::known::Known;
use crate::requests::commit::{Committed, Made};
use crate::requests::environments::may_open;
use crate::requests::saves::{ReadSave, touch};
use crate::requests::{Actor, Idempotency, RequestError};
use crate::{Controller, keys};
use pierhead_model::{
    Environment, EnvironmentId, EnvironmentSpec, SaveId, Timestamp, Workspace, WorkspaceId, WorkspaceOrigin,
    WorkspaceStage, WorkspaceWish,
};
use pierhead_planner::{WorkspacePhase, workspace_has_ended};
use pierhead_store::Transaction;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How many workspaces somebody may open within a minute.
const MOST_A_MINUTE: usize = 20;

/// How long the answer waits for what is frozen of a workspace that was started ahead.
const AWAKE: Duration = Duration::from_millis(500);

/// A workspace that shall be opened.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenWorkspace {
    /// What it is made from.
    pub from: WorkspaceBeginning,
    /// What people shall call it; its environment's name without.
    pub name: Option<String>,
}

/// What a workspace is made from.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkspaceBeginning {
    /// An environment.
    Environment(EnvironmentId),
    /// A save: a copy of it, which stays as it is.
    Save(SaveId),
    /// An environment as it is described here, whatever its record says; whether they may use it was decided before.
    Described(Box<Environment>),
}

/// The save that a workspace begins from, and how that is described.
struct Begun {
    save: ReadSave,
    spec: EnvironmentSpec,
}

/// What a new workspace is.
struct Beginning {
    environment: EnvironmentId,
    version: u32,
    spec: EnvironmentSpec,
    origin: WorkspaceOrigin,
}

impl Controller {
    /// Opens a workspace. A retried request finds the one that it opened before.
    ///
    /// # Errors
    /// If there is no such environment or save as far as they may know, or they have too many.
    pub async fn open_workspace(
        &self,
        actor: &Actor,
        request: &OpenWorkspace,
        asked: Option<&Idempotency>,
    ) -> Result<WorkspaceNow, RequestError> {
        let opened_with = asked.map(|asked| self.sealer.fingerprint("workspace", &asked.of(&actor.username)));
        let once = self.once_if(&actor.username, asked);
        let read = || self.begun(actor, request);
        // Held until it is written, so that others of the same moment take others.
        let held = Mutex::new(None);
        let committed = self.commit_reading(once.as_ref(), read, |known, now, begun| {
            self.check_numbers(known, actor, now)?;
            let beginning = beginning(known, actor, request, begun.as_ref())?;
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            *held = None;
            *held = self.claims.take(|claims| claimable(known, &beginning, claims));
            let claimed = held.as_ref().and_then(|claim| known.world.workspaces().get(&claim.id));
            let record = match claimed {
                Some(warm) => given(warm, actor, request, now),
                None => self.made(&beginning, actor, request, now),
            };
            let record = Workspace { opened_with: opened_with.clone(), ..record };
            let key = keys::workspace(&record.id);
            let transaction = match known.revision_of(&key) {
                // What was started ahead may be on its way out already.
                Some(revision) => {
                    let assignment = keys::workspace_assignment(&record.id);
                    let of_assignment = known.revision_of(&assignment).unwrap_or_default();
                    Transaction::new().unchanged(key.clone(), revision).unchanged(assignment, of_assignment)
                }
                None => Transaction::new().absent(key.clone()),
            };
            let transaction = touch(transaction.put_json(key, &record)?, begun.iter().map(|begun| &begun.save))?;
            let transaction = self.with_event_of_workspace(transaction, "open-workspace", "", actor, &record)?;
            Ok(Made::change(transaction, (record.id, claimed.is_some())))
        });
        match committed.await? {
            Committed::Now((id, true)) => self.awake(actor, id.as_str()).await,
            Committed::Now((id, false)) => self.workspace(actor, id.as_str()),
            Committed::Before(_) => self.opened_before(actor, opened_with.as_deref()),
        }
    }

    /// One that was given away, as soon as what was frozen of it goes on.
    async fn awake(&self, actor: &Actor, id: &str) -> Result<WorkspaceNow, RequestError> {
        let mut changes = self.shared.changes();
        let end = Instant::now() + AWAKE;
        loop {
            let now = self.workspace(actor, id)?;
            if now.status.phase != WorkspacePhase::Starting || Instant::now() >= end {
                return Ok(now);
            }
            let _late = tokio::time::timeout_at(end, changes.changed()).await;
        }
    }

    fn opened_before(&self, actor: &Actor, opened_with: Option<&str>) -> Result<WorkspaceNow, RequestError> {
        let is_it = |workspace: &&Workspace| workspace.opened_with.as_deref() == opened_with;
        let id = self.known().world.workspaces().values().find(is_it).map(|workspace| workspace.id.clone());
        let id = id.ok_or_else(|| missing("of that request"))?;
        self.workspace(actor, id.as_str())
    }

    /// The save that a workspace shall begin from, if it is one.
    async fn begun(&self, actor: &Actor, request: &OpenWorkspace) -> Result<Option<Begun>, RequestError> {
        let WorkspaceBeginning::Save(id) = &request.from else { return Ok(None) };
        let save = self.save_for(actor, id).await?;
        let spec = self.spec_of(actor, &save.0).await?;
        Ok(Some(Begun { save, spec }))
    }

    fn check_numbers(&self, known: &Known, actor: &Actor, now: Timestamp) -> Result<(), RequestError> {
        let theirs = known
            .world
            .workspaces()
            .values()
            .filter(|workspace| workspace.owner == actor.username && workspace.wish != WorkspaceWish::Warm);
        let alive = theirs.clone().filter(|workspace| !workspace_has_ended(&known.world, workspace));
        if alive.count() >= MOST_WORKSPACES_OF_ONE {
            return Err(RequestError::TooManyWorkspacesOfOne);
        }
        let mut lately: Vec<u64> =
            theirs.map(|workspace| now.since(workspace.created_at)).filter(|ago| *ago < 60_000).collect();
        if lately.len() >= MOST_A_MINUTE {
            lately.sort_unstable();
            let oldest = lately.last().copied().unwrap_or_default();
            return Err(RequestError::TooOften { what: "workspaces", seconds: (60_000 - oldest).div_ceil(1000) });
        }
        Ok(())
    }

    fn made(&self, beginning: &Beginning, actor: &Actor, request: &OpenWorkspace, now: Timestamp) -> Workspace {
        Workspace {
            id: self.ids.workspace(),
            name: request.name.clone().unwrap_or_else(|| beginning.environment.to_string()),
            owner: actor.username.clone(),
            guests: Default::default(),
            environment: beginning.environment.clone(),
            version: beginning.version,
            spec: beginning.spec.clone(),
            wish: WorkspaceWish::Running,
            run: 1,
            origin: beginning.origin.clone(),
            asked_at: now,
            extended_minutes: 0,
            by_group: Default::default(),
            standstill: None,
            saves_asked: 0,
            save_name: None,
            opened_with: None,
            created_at: now,
        }
    }
}

fn beginning(
    known: &Known,
    actor: &Actor,
    request: &OpenWorkspace,
    begun: Option<&Begun>,
) -> Result<Beginning, RequestError> {
    let missing = |what, id: String| RequestError::NotFound { what, id, replaced_by: None };
    match (&request.from, begun) {
        (WorkspaceBeginning::Save(id), Some(Begun { save: (save, _), spec })) => Ok(Beginning {
            environment: save.environment.clone(),
            version: save.version,
            spec: spec.clone(),
            origin: WorkspaceOrigin::Save(id.clone()),
        }),
        (WorkspaceBeginning::Environment(id), _) => {
            let environment = known.world.environments().get(id).filter(|environment| may_open(actor, environment));
            let environment = environment.ok_or_else(|| missing("environment", id.to_string()))?;
            let (version, spec) = (environment.version, environment.spec.clone());
            Ok(Beginning { environment: id.clone(), version, spec, origin: WorkspaceOrigin::Environment })
        }
        (WorkspaceBeginning::Described(environment), _) => {
            let (version, spec) = (environment.version, environment.spec.clone());
            let origin = WorkspaceOrigin::Environment;
            Ok(Beginning { environment: environment.id.clone(), version, spec, origin })
        }
        (WorkspaceBeginning::Save(id), None) => Err(missing("save", id.to_string())),
    }
}

/// One that was started ahead, is ready, and whose host answers: one that runs before one that rests, and of these the
/// oldest. Those of other requests of this moment are theirs.
fn claimable(known: &Known, beginning: &Beginning, claims: &BTreeSet<WorkspaceId>) -> Option<WorkspaceId> {
    let place_of = |workspace: &Workspace| {
        let assignment = known.world.workspace_assignments().get(&workspace.id);
        assignment.filter(|found| found.stage == WorkspaceStage::Ready).and_then(|found| found.place.as_ref())
    };
    let is_ready = |workspace: &&Workspace| {
        let Some(place) = place_of(workspace) else { return false };
        let engine = known.world.engines().get(&place.engine);
        let is_good = engine.is_some_and(|engine| engine.is_usable() && engine.record.duty.is_in_service());
        is_good && (!place.ahead.is_paused || known.world.has_cpu(&place.engine, place.reserved.cpu_millis))
    };
    let is_paused = |workspace: &Workspace| place_of(workspace).is_some_and(|place| place.ahead.is_paused);
    let warm = known.world.workspaces().values().filter(|workspace| {
        workspace.wish == WorkspaceWish::Warm
            && workspace.environment == beginning.environment
            && workspace.version == beginning.version
            // What has no record of its own is told by what it says.
            && (beginning.version > 0 || workspace.spec == beginning.spec)
            && beginning.origin == WorkspaceOrigin::Environment
            && !claims.contains(&workspace.id)
    });
    let claimable = warm.filter(is_ready).min_by_key(|found| (is_paused(found), found.created_at, &found.id));
    claimable.map(|found| found.id.clone())
}

fn given(warm: &Workspace, actor: &Actor, request: &OpenWorkspace, now: Timestamp) -> Workspace {
    Workspace {
        name: request.name.clone().unwrap_or_else(|| warm.environment.to_string()),
        owner: actor.username.clone(),
        wish: WorkspaceWish::Running,
        asked_at: now,
        created_at: now,
        ..warm.clone()
    }
}
