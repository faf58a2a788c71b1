//! The loop's part for workspaces: records, steps, and what comes of them.

use super::{Busy, Outcome, PAUSE, Reconciler};
use crate::keys;
use crate::known::Known;
use pierhead_model::{
    Environment, Event, Failure, Timestamp, Workspace, WorkspaceAssignment, WorkspaceId, WorkspaceOrigin,
    WorkspaceStage, WorkspaceWish,
};
use pierhead_planner::{Happened, WorkspaceAction, WorkspacePlan, WorkspaceStep, WorkspaceWrite, after_workspace_step};
use pierhead_store::{Result, Transaction};

impl Reconciler<'_> {
    /// The plan's writes for workspaces, each in a transaction of its own with what is told of it.
    pub(super) fn workspace_transactions(&self, known: &Known, plan: &WorkspacePlan) -> Result<Vec<Transaction>> {
        let mut transactions = Vec::new();
        let mut written = std::collections::BTreeSet::new();
        for write in &plan.writes {
            let id = match write {
                WorkspaceWrite::Assign { assignment, .. } => &assignment.workspace,
                WorkspaceWrite::Forget(id) => id,
            };
            // A record is written once a round: the next change of it is planned from what it then is.
            if self.is_busy_with_workspace(known, write) || !written.insert(id.clone()) {
                continue;
            }
            transactions.push(self.workspace_transaction(known, write)?);
        }
        for environment in &plan.warm {
            transactions.push(self.warm(environment)?);
        }
        Ok(transactions)
    }

    /// What people want must not have changed since it was decided.
    fn workspace_transaction(&self, known: &Known, write: &WorkspaceWrite) -> Result<Transaction> {
        let unchanged = |id: &WorkspaceId| {
            let key = keys::workspace(id);
            let revision = known.revision_of(&key).unwrap_or_default();
            (key.clone(), Transaction::new().unchanged(key, revision))
        };
        match write {
            WorkspaceWrite::Assign { assignment, told } => {
                let (_, transaction) = unchanged(&assignment.workspace);
                let transaction =
                    transaction.put_json(keys::workspace_assignment(&assignment.workspace), assignment)?;
                self.with_told(transaction, known, &assignment.workspace, told.as_ref())
            }
            WorkspaceWrite::Forget(id) => {
                let (key, transaction) = unchanged(id);
                Ok(transaction.delete(key).delete(keys::workspace_assignment(id)))
            }
        }
    }

    fn with_told(
        &self,
        transaction: Transaction,
        known: &Known,
        id: &WorkspaceId,
        told: Option<&Happened>,
    ) -> Result<Transaction> {
        let Some(told) = told else { return Ok(transaction) };
        let name = known.world.workspaces().get(id).map_or("", |workspace| workspace.name.as_str());
        let message = format!("workspace={id}, name={name}, what={}", told.message);
        let event: Event = self.controller.event_of_pool(told.kind, message);
        transaction.put_json(keys::event(&event.id), &event)
    }

    /// One more workspace that is started ahead.
    fn warm(&self, environment: &Environment) -> Result<Transaction> {
        let now = self.controller.clock.now();
        let workspace = Workspace {
            id: self.controller.ids.workspace(),
            name: environment.id.to_string(),
            owner: environment.owner.clone(),
            guests: Default::default(),
            environment: environment.id.clone(),
            version: environment.version,
            spec: environment.spec.clone(),
            wish: WorkspaceWish::Warm,
            run: 1,
            origin: WorkspaceOrigin::Environment,
            asked_at: now,
            extended_minutes: 0,
            by_group: Default::default(),
            standstill: None,
            saves_asked: 0,
            save_name: None,
            opened_with: None,
            created_at: now,
        };
        let key = keys::workspace(&workspace.id);
        Transaction::new().absent(key.clone()).put_json(key, &workspace)
    }

    /// Whether a step is under way whose outcome decides first: at the workspace's present place, or about a copy that was
    /// left and is written about. What leaves the present place does not wait for it, as its host may never answer.
    fn is_busy_with_workspace(&self, known: &Known, write: &WorkspaceWrite) -> bool {
        let id = match write {
            WorkspaceWrite::Assign { assignment, .. } => &assignment.workspace,
            WorkspaceWrite::Forget(id) => id,
        };
        let Some(present) = known.world.workspace_assignments().get(id) else { return false };
        let is_busy = |place: &pierhead_model::WorkspacePlace| {
            self.busy.contains(&Busy::Workspace(id.clone(), place.engine.clone(), place.generation))
        };
        let (leaves, left) = match write {
            WorkspaceWrite::Assign { assignment, .. } => (assignment.place.is_none(), assignment.left.as_slice()),
            WorkspaceWrite::Forget(_) => (false, [].as_slice()),
        };
        let changed = present.left.iter().filter(|place| !left.contains(place));
        present.place.iter().filter(|_| !leaves).chain(changed).any(is_busy)
    }

    pub(super) fn begin_for_workspace(&mut self, action: WorkspaceAction) {
        let busy = busy_with(&action);
        if !self.leadership.is_held() || self.busy.contains(&busy) || self.is_outdated_for_workspace(&action) {
            return;
        }
        self.busy.insert(busy);
        let (executor, tell) = (self.executor.clone(), self.outcomes.0.clone());
        let controller = self.controller.clone();
        self.controller.spawn(async move {
            let result = match &action.step {
                WorkspaceStep::OpenShell { container, terminal } => {
                    controller.open_shell_ahead(&action.workspace, container, terminal).await
                }
                _ => executor.carry_out_for_workspace(&action).await,
            };
            if result.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
            // Nobody listens any more if this controller stopped leading: its successor plans anew.
            let _ = tell.send(Outcome::Workspace(Box::new(action), result));
        });
    }

    /// Whether the workspace moved on since the plan was made.
    fn is_outdated_for_workspace(&self, action: &WorkspaceAction) -> bool {
        let known = self.controller.known();
        let present = known.world.workspace_assignments().get(&action.workspace);
        let is_left = present.is_some_and(|present| {
            present.left.iter().any(|place| place.engine == action.engine && place.generation == action.generation)
        });
        let is_there = present.is_some_and(|present| present.place_of(&action.engine, action.generation).is_some());
        match &action.step {
            // Of what has a place only what leaves it, or was left, is removed.
            WorkspaceStep::Remove { .. } => {
                let leaves = present.is_some_and(|present| matches!(present.stage, WorkspaceStage::Leaving(_)));
                is_there && !is_left && !leaves
            }
            _ => !is_there,
        }
    }

    /// Remembers what came of a step. Only then may the next one of the same workspace begin.
    pub(super) async fn take_for_workspace(
        &mut self,
        action: &WorkspaceAction,
        result: std::result::Result<(), Failure>,
    ) {
        let transaction = {
            let (known, now) = (self.controller.known(), self.controller.clock.now());
            self.consequence_for_workspace(&known, action, result, now)
        };
        if let Some(transaction) = transaction {
            match self.controller.store.commit(self.leadership.fence(transaction)).await {
                Ok(revision) => self.controller.reached(revision).await,
                Err(error) => {
                    tracing::warn!(%error, "the outcome of a step could not be written; the step is planned anew");
                }
            }
        }
        self.busy.remove(&busy_with(action));
    }

    fn consequence_for_workspace(
        &self,
        known: &Known,
        action: &WorkspaceAction,
        result: std::result::Result<(), Failure>,
        now: Timestamp,
    ) -> Option<Transaction> {
        let present = known.world.workspace_assignments().get(&action.workspace)?;
        let policy = &known.world.policy;
        let (next, told): (WorkspaceAssignment, _) = after_workspace_step(policy, present, action, result, now)?;
        let transaction = Transaction::new().put_json(keys::workspace_assignment(&action.workspace), &next).ok()?;
        self.with_told(transaction, known, &action.workspace, told.as_ref()).ok()
    }
}

fn busy_with(action: &WorkspaceAction) -> Busy {
    Busy::Workspace(action.workspace.clone(), action.engine.clone(), action.generation)
}
