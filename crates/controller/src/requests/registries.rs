//! Requests about the pool's accounts at registries. Passwords are sealed before they are stored, and never told.

use super::{Actor, Idempotency, RequestError, events};
use crate::{Controller, keys};
use pierhead_model::{Event, EventTag, Registry, RegistryHost};
use pierhead_store::{Error, StoreJson, Transaction};

impl Controller {
    /// All registries with an account, by their hosts.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn registries(&self) -> Result<Vec<Registry>, RequestError> {
        let listing = self.store.list_all(keys::REGISTRIES).await?;
        Ok(listing.entries.iter().map(pierhead_store::Entry::json).collect::<Result<_, _>>()?)
    }

    /// One registry.
    ///
    /// # Errors
    /// If there is no account for it.
    pub async fn registry(&self, host: &RegistryHost) -> Result<Registry, RequestError> {
        let found = self.store.get_json::<Registry>(&keys::registry(host)).await?;
        found.map(|(registry, _)| registry).ok_or_else(|| not_found(host))
    }

    /// Gives the pool an account at a registry that it had none at.
    ///
    /// # Errors
    /// If it has one.
    pub async fn add_registry(
        &self,
        actor: &Actor,
        host: &RegistryHost,
        username: &str,
        password: &str,
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        if self.was_done_before(actor, asked).await? {
            return Ok(());
        }
        let (key, record) = (keys::registry(host), self.registry_record(actor, host, username, password)?);
        let transaction = Transaction::new().absent(key.clone()).put_json(key, &record)?;
        let transaction = self.with_registry_event(transaction, "add-registry", actor, host, username)?;
        let transaction = self.remember(transaction, actor, asked, None, self.clock.now())?;
        match self.store.commit(transaction).await {
            Ok(_) => Ok(()),
            Err(Error::Conflict { .. }) if self.was_done_before(actor, asked).await? => Ok(()),
            Err(Error::Conflict { .. }) => {
                Err(RequestError::Exists { what: "an account for registry", id: host.to_string() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sets the pool's account at a registry; it counts from the next pull on.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_registry(
        &self,
        actor: &Actor,
        host: &RegistryHost,
        username: &str,
        password: &str,
    ) -> Result<(), RequestError> {
        let record = self.registry_record(actor, host, username, password)?;
        let transaction = Transaction::new().put_json(keys::registry(host), &record)?;
        let transaction = self.with_registry_event(transaction, "change-registry", actor, host, username)?;
        self.store.commit(transaction).await?;
        Ok(())
    }

    /// Forgets the pool's account at a registry.
    ///
    /// # Errors
    /// If there is none.
    pub async fn delete_registry(
        &self,
        actor: &Actor,
        host: &RegistryHost,
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        if self.was_done_before(actor, asked).await? {
            return Ok(());
        }
        let (key, record) = (keys::registry(host), self.registry(host).await?);
        let transaction = Transaction::new().exists(key.clone()).delete(key);
        let transaction = self.with_registry_event(transaction, "delete-registry", actor, host, &record.username)?;
        let transaction = self.remember(transaction, actor, asked, None, self.clock.now())?;
        match self.store.commit(transaction).await {
            Ok(_) => Ok(()),
            Err(Error::Conflict { .. }) if self.was_done_before(actor, asked).await? => Ok(()),
            Err(Error::Conflict { .. }) => Err(not_found(host)),
            Err(error) => Err(error.into()),
        }
    }

    fn registry_record(
        &self,
        actor: &Actor,
        host: &RegistryHost,
        username: &str,
        password: &str,
    ) -> Result<Registry, RequestError> {
        Ok(Registry {
            host: host.clone(),
            username: username.to_owned(),
            sealed_password: self.registries.seal(host, password)?,
            changed_at: self.clock.now(),
            changed_by: actor.username.clone(),
        })
    }

    fn with_registry_event(
        &self,
        transaction: Transaction,
        kind: &str,
        actor: &Actor,
        host: &RegistryHost,
        username: &str,
    ) -> Result<Transaction, RequestError> {
        let message = format!("registry={host}, username={username}");
        let subject = events::Subject::default();
        let event = self.event(kind, message, EventTag::Cluster, Some(&actor.username), subject);
        events::append(transaction, &Event { tags: vec![EventTag::Cluster, EventTag::Security], ..event })
    }
}

fn not_found(host: &RegistryHost) -> RequestError {
    RequestError::NotFound { what: "account for registry", id: host.to_string(), replaced_by: None }
}
