//! Requests about environments: describe one, change it, let it go. Who may open one is said by its record.

use super::commit::Made;
use super::saves::{ReadSave, touch};
use super::{Actor, Idempotency, RequestError, events};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{
    Environment, EnvironmentId, EnvironmentSpec, EnvironmentVersion, EventTag, ImageReference, LabId, Timestamp,
    Username, Visibility,
};
use pierhead_store::{Revision, Transaction};

/// The most environments of one account.
pub const MOST_ENVIRONMENTS_OF_ONE: usize = 100;
/// The most workspaces that all environments of one account start ahead.
pub const MOST_WARM_OF_ONE: u32 = 100;

/// What a description needs that the world does not hold, as it was read.
struct Read {
    /// The saves that it begins from.
    saves: Vec<ReadSave>,
    /// When somebody last added to what its owner has.
    turn: Option<Revision>,
}

impl Read {
    /// The same if nothing of that has changed: of two who count the same at once, or of one who begins from a save and one
    /// who deletes it, one is too late.
    fn compared(
        &self,
        transaction: Transaction,
        owner: &Username,
        now: Timestamp,
    ) -> Result<Transaction, RequestError> {
        let key = keys::environments_counted(owner);
        let transaction = match self.turn {
            Some(revision) => transaction.unchanged(key.clone(), revision),
            None => transaction.absent(key.clone()),
        };
        touch(transaction.put_json(key, &now)?, &self.saves)
    }
}

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
        let once = self.once_if(&actor.username, asked);
        let read = || self.read_for(actor, &actor.username, spec);
        let committed = self.commit_reading(once.as_ref(), read, |known, now, read| {
            if id.as_str().starts_with(LabId::ENVIRONMENTS) {
                let expected = format!("another name: those that begin with {} are of labs", LabId::ENVIRONMENTS);
                return Err(RequestError::Invalid { field: "name", expected });
            }
            if known.world.environments().contains_key(id) {
                return Err(RequestError::Exists { what: "environment", id: id.to_string() });
            }
            let (owner, version) = (actor.username.clone(), 1);
            check_numbers(known, &owner, None, spec)?;
            let versions = vec![EnvironmentVersion { version, by: owner.clone(), at: now }];
            let (id, spec) = (id.clone(), spec.clone());
            let record = Environment { id, owner, visibility, version, spec, versions, created_at: now, lab: None };
            let key = keys::environment(&record.id);
            let transaction = Transaction::new().absent(key.clone()).put_json(key, &record)?;
            let transaction = read.compared(transaction, &record.owner, now)?;
            Ok(Made::change(self.with_environment_event(transaction, "add-environment", actor, &record)?, ()))
        });
        committed.await.map(drop)
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
        let read = || async move {
            match spec {
                Some(spec) => self.read_for(actor, &self.environment(actor, id)?.owner, spec).await.map(Some),
                None => Ok(None),
            }
        };
        self.change_environment(actor, id, read, |known, environment, read| {
            let of_lab = spec.map(|spec| of_lab(environment, spec)).transpose()?.flatten();
            let spec = of_lab.as_ref().or(spec);
            let (mut changed, now) = (environment.clone(), self.clock.now());
            changed.visibility = visibility.unwrap_or(changed.visibility);
            let mut transaction = Transaction::new();
            if let (Some(spec), Some(read)) = (spec.filter(|spec| **spec != environment.spec), read) {
                check_numbers(known, &environment.owner, Some(environment), spec)?;
                changed.describe(spec.clone(), &actor.username, now);
                transaction = read.compared(transaction, &environment.owner, now)?;
            }
            if changed == *environment {
                return Ok(Transaction::new());
            }
            let transaction = transaction.put_json(keys::environment(&environment.id), &changed)?;
            self.with_environment_event(transaction, "change-environment", actor, &changed)
        })
        .await
    }

    /// Forgets an environment. Workspaces and saves of it stay.
    ///
    /// # Errors
    /// If there is none, or it is somebody else's.
    pub async fn delete_environment(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        let nothing = || std::future::ready(Ok(()));
        self.change_environment(actor, id, nothing, |_, environment, ()| {
            let transaction = Transaction::new().delete(keys::environment(&environment.id));
            self.with_environment_event(transaction, "delete-environment", actor, environment)
        })
        .await
    }

    /// Makes a change of a record that is theirs; none if nothing is to be written.
    async fn change_environment<R, F: Future<Output = Result<R, RequestError>>>(
        &self,
        actor: &Actor,
        id: &str,
        read: impl Fn() -> F,
        change: impl Fn(&Known, &Environment, &R) -> Result<Transaction, RequestError>,
    ) -> Result<(), RequestError> {
        let committed = self.commit_reading(None, read, |known, _, read| {
            let environment = find(known, actor, id)?;
            if !is_theirs(actor, &environment.owner) {
                let words = "only who described an environment, or an administrator, may change it";
                return Err(RequestError::Forbidden(words.to_owned()));
            }
            let transaction = change(known, environment, read)?;
            if transaction.writes.is_empty() {
                return Ok(Made::Already(()));
            }
            let key = keys::environment(&environment.id);
            let revision = known.revision_of(&key).unwrap_or_default();
            Ok(Made::change(transaction.unchanged(key, revision), ()))
        });
        committed.await.map(drop)
    }

    /// Reads what a description needs, and sees to it that the world is not older than that.
    async fn read_for(&self, actor: &Actor, owner: &Username, spec: &EnvironmentSpec) -> Result<Read, RequestError> {
        check_asks(actor, spec)?;
        let saves = self.check_images(actor, &images(spec)).await?;
        let turn = self.store.get(&keys::environments_counted(owner)).await?.map(|found| found.modified);
        self.catch_up().await?;
        Ok(Read { saves, turn })
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

/// What a lab describes can't be described by others: only how many of it are started ahead.
fn of_lab(environment: &Environment, spec: &EnvironmentSpec) -> Result<Option<EnvironmentSpec>, RequestError> {
    let Some(lab) = &environment.lab else { return Ok(None) };
    let outline = |spec: &EnvironmentSpec| {
        let containers = spec.containers.iter().map(|container| (container.name.clone(), container.image.clone()));
        (containers.collect::<Vec<_>>(), spec.asks)
    };
    if outline(spec) != outline(&environment.spec) {
        let words = format!("environment {} is described by lab {lab}: change its lab.yaml", environment.id);
        return Err(RequestError::Forbidden(words));
    }
    Ok(Some(EnvironmentSpec { warm: spec.warm, ..environment.spec.clone() }))
}

/// Whether somebody may open an environment.
pub(super) fn may_open(actor: &Actor, environment: &Environment) -> bool {
    environment.visibility == Visibility::Shared || is_theirs(actor, &environment.owner)
}

fn is_theirs(actor: &Actor, owner: &Username) -> bool {
    *owner == actor.username || actor.may_change_all
}

/// Refuses what would be too much of one account: one more environment, or one that starts more ahead than before.
fn check_numbers(
    known: &Known,
    owner: &Username,
    before: Option<&Environment>,
    spec: &EnvironmentSpec,
) -> Result<(), RequestError> {
    let theirs = known.world.environments().values().filter(|environment| environment.owner == *owner);
    let described = theirs.clone().filter(|environment| environment.lab.is_none());
    if before.is_none() && described.count() >= MOST_ENVIRONMENTS_OF_ONE {
        return Err(RequestError::TooManyEnvironmentsOfOne);
    }
    let others = theirs.filter(|environment| before.is_none_or(|before| before.id != environment.id));
    let left = MOST_WARM_OF_ONE.saturating_sub(others.map(|environment| environment.spec.warm).sum());
    let present = before.map_or(0, |before| before.spec.warm);
    if spec.warm <= left.max(present) {
        return Ok(());
    }
    let expected = format!("at most {left}: all environments of {owner} may start {MOST_WARM_OF_ONE} ahead together");
    Err(RequestError::Invalid { field: "description.warm", expected })
}

/// What goes beyond what everybody gets needs a permission.
pub(in crate::requests) fn check_asks(actor: &Actor, spec: &EnvironmentSpec) -> Result<(), RequestError> {
    let asks = spec.asks.words();
    if asks.is_empty() || actor.may_run_privileged {
        return Ok(());
    }
    let words = asks.join(", ");
    Err(RequestError::Forbidden(format!("you may not describe environments that ask for {words}")))
}

pub(in crate::requests) fn images(spec: &EnvironmentSpec) -> Vec<&ImageReference> {
    spec.containers.iter().map(|container| &container.image).collect()
}

fn missing(id: &str) -> RequestError {
    RequestError::NotFound { what: "environment", id: id.chars().take(64).collect(), replaced_by: None }
}
