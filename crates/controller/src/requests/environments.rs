//! Requests about environments: describe one, change it, let it go. Who may open one is said by its record.

use super::commit::Made;
use super::{Actor, Idempotency, RequestError, events};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{
    Environment, EnvironmentId, EnvironmentSpec, EnvironmentVersion, EventTag, ImageReference, Username, Visibility,
};
use pierhead_store::{Error, Transaction};

impl Controller {
    /// The environments that somebody may open, by their names.
    #[must_use]
    pub fn environments_of(&self, actor: &Actor) -> Vec<Environment> {
        let known = self.known();
        known.world.environments().values().filter(|environment| may_open(actor, environment)).cloned().collect()
    }

    /// One environment, if they may open it.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub fn environment(&self, actor: &Actor, id: &str) -> Result<Environment, RequestError> {
        find(&self.known(), actor, id).cloned()
    }

    /// Describes a new environment.
    ///
    /// # Errors
    /// If there is one of that name, or it asks for more than they may give.
    pub async fn add_environment(
        &self,
        actor: &Actor,
        id: &EnvironmentId,
        visibility: Visibility,
        spec: &EnvironmentSpec,
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        if self.was_done_before(actor, asked).await? {
            self.catch_up().await?;
            return Ok(());
        }
        check_asks(actor, spec)?;
        self.check_images(actor, &images(spec)).await?;
        let now = self.clock.now();
        let (owner, version) = (actor.username.clone(), 1);
        let versions = vec![EnvironmentVersion { version, by: owner.clone(), at: now }];
        let record =
            Environment { id: id.clone(), owner, visibility, version, spec: spec.clone(), versions, created_at: now };
        let key = keys::environment(id);
        let transaction = Transaction::new().absent(key.clone()).put_json(key, &record)?;
        let transaction = self.with_environment_event(transaction, "add-environment", actor, &record)?;
        let transaction = self.remember(transaction, actor, asked, None, now)?;
        match self.store.commit(transaction).await {
            Ok(revision) => {
                self.reached(revision).await;
                Ok(())
            }
            Err(Error::Conflict { .. }) if self.was_done_before(actor, asked).await? => Ok(()),
            Err(Error::Conflict { .. }) => Err(RequestError::Exists { what: "environment", id: id.to_string() }),
            Err(error) => Err(error.into()),
        }
    }

    /// Describes an environment anew. Workspaces of it stay as they are until they are reset.
    ///
    /// # Errors
    /// If there is none, it is somebody else's, or it asks for more than they may give.
    pub async fn set_environment(
        &self,
        actor: &Actor,
        id: &str,
        visibility: Option<Visibility>,
        spec: Option<&EnvironmentSpec>,
    ) -> Result<(), RequestError> {
        if let Some(spec) = spec {
            check_asks(actor, spec)?;
            self.check_images(actor, &images(spec)).await?;
        }
        self.change_environment(actor, id, |environment| {
            let mut changed = environment.clone();
            changed.visibility = visibility.unwrap_or(changed.visibility);
            if let Some(spec) = spec.filter(|spec| **spec != environment.spec) {
                changed.describe(spec.clone(), &actor.username, self.clock.now());
            }
            if changed == *environment {
                return Ok(Transaction::new());
            }
            let key = keys::environment(&environment.id);
            self.with_environment_event(
                Transaction::new().put_json(key, &changed)?,
                "change-environment",
                actor,
                &changed,
            )
        })
        .await
    }

    /// Forgets an environment. Workspaces and saves of it stay.
    ///
    /// # Errors
    /// If there is none, or it is somebody else's.
    pub async fn delete_environment(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        self.change_environment(actor, id, |environment| {
            let transaction = Transaction::new().delete(keys::environment(&environment.id));
            self.with_environment_event(transaction, "delete-environment", actor, environment)
        })
        .await
    }

    /// Makes a change of a record that is theirs; none if nothing is to be written.
    async fn change_environment(
        &self,
        actor: &Actor,
        id: &str,
        change: impl Fn(&Environment) -> Result<Transaction, RequestError>,
    ) -> Result<(), RequestError> {
        let committed = self.commit(None, |known, _| {
            let environment = find(known, actor, id)?;
            if !is_theirs(actor, &environment.owner) {
                let words = "only who described an environment, or an administrator, may change it";
                return Err(RequestError::Forbidden(words.to_owned()));
            }
            let transaction = change(environment)?;
            if transaction.writes.is_empty() {
                return Ok(Made::Already(()));
            }
            let key = keys::environment(&environment.id);
            let revision = known.revision_of(&key).unwrap_or_default();
            Ok(Made::change(transaction.unchanged(key, revision), ()))
        });
        committed.await.map(drop)
    }

    fn with_environment_event(
        &self,
        transaction: Transaction,
        kind: &str,
        actor: &Actor,
        environment: &Environment,
    ) -> Result<Transaction, RequestError> {
        let message = format!("environment={}, version={}", environment.id, environment.version);
        let subject = events::Subject::default();
        let event = self.event(kind, message, EventTag::Cluster, Some(&actor.username), subject);
        events::append(transaction, &event)
    }
}

fn find<'a>(known: &'a Known, actor: &Actor, id: &str) -> Result<&'a Environment, RequestError> {
    let id = EnvironmentId::parse(id).map_err(|_| missing(id))?;
    let found = known.world.environments().get(&id);
    found.filter(|environment| may_open(actor, environment)).ok_or_else(|| missing(id.as_str()))
}

/// Whether somebody may open an environment.
pub(super) fn may_open(actor: &Actor, environment: &Environment) -> bool {
    environment.visibility == Visibility::Shared || is_theirs(actor, &environment.owner)
}

fn is_theirs(actor: &Actor, owner: &Username) -> bool {
    *owner == actor.username || actor.may_change_all
}

/// What goes beyond what everybody gets needs a permission.
fn check_asks(actor: &Actor, spec: &EnvironmentSpec) -> Result<(), RequestError> {
    let asks = spec.asks.words();
    if asks.is_empty() || actor.may_run_privileged {
        return Ok(());
    }
    let words = asks.join(", ");
    Err(RequestError::Forbidden(format!("you may not describe environments that ask for {words}")))
}

fn images(spec: &EnvironmentSpec) -> Vec<&ImageReference> {
    spec.containers.iter().map(|container| &container.image).collect()
}

fn missing(id: &str) -> RequestError {
    RequestError::NotFound { what: "environment", id: id.chars().take(64).collect(), replaced_by: None }
}
