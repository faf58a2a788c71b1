//! Roles: names for sets of permissions, which an administrator makes. `admin` and `user` are built in.

use super::{Accounts, AccountsError, Identity, Result, check_within};
use pierhead_controller::keys;
use pierhead_model::{Permission, Role, RoleName};
use pierhead_store::{Error, StoreJson, Transaction};
use std::collections::BTreeSet;

impl Accounts {
    /// All roles, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn roles(&self) -> Result<Vec<Role>> {
        let listing = self.store.list_all(keys::ROLES).await?;
        Ok(listing.entries.iter().map(pierhead_store::Entry::json).collect::<std::result::Result<_, _>>()?)
    }

    /// One role.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) async fn role(&self, name: &RoleName) -> Result<Role> {
        let found = self.store.get_json::<Role>(&keys::role(&name.0)).await?;
        found.map(|(role, _)| role).ok_or_else(|| AccountsError::RoleNotFound(name.0.clone()))
    }

    /// Makes a role.
    ///
    /// # Errors
    /// If there is one of that name, or it may do more than who makes it.
    pub(crate) async fn add_role(&self, role: &Role, by: &Identity) -> Result<()> {
        check_within(Some(by), &role.permissions, &format!("role {}", role.name.0))?;
        let key = keys::role(&role.name.0);
        let transaction = Transaction::new().absent(key.clone()).put_json(key, role)?;
        let message = format!("name={}", role.name.0);
        match self.store.commit(self.with_event(transaction, "add-role", message, Some(&by.username))?).await {
            Ok(_) => Ok(()),
            Err(Error::Conflict { .. }) => Err(AccountsError::RoleExists(role.name.0.clone())),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes what a role may do; all who have it are concerned from then on.
    ///
    /// # Errors
    /// If there is none, or it is built in, or may do more than who changes it, before or after.
    pub(crate) async fn set_role_permissions(
        &self,
        name: &RoleName,
        permissions: &BTreeSet<Permission>,
        by: &Identity,
    ) -> Result<()> {
        check_within(Some(by), permissions, &format!("role {}", name.0))?;
        self.change_role(name, Some(permissions), by).await
    }

    /// Deletes a role that nobody has.
    ///
    /// # Errors
    /// If there is none, or it is built in or somebody's, or may do more than who deletes it.
    pub(crate) async fn delete_role(&self, name: &RoleName, by: &Identity) -> Result<()> {
        self.change_role(name, None, by).await
    }

    /// Changes a role as it is read, or deletes it; again if somebody else changed it meanwhile.
    async fn change_role(
        &self,
        name: &RoleName,
        permissions: Option<&BTreeSet<Permission>>,
        by: &Identity,
    ) -> Result<()> {
        let key = keys::role(&name.0);
        loop {
            let found = self.store.get_json::<Role>(&key).await?;
            let (role, revision) = found.ok_or_else(|| AccountsError::RoleNotFound(name.0.clone()))?;
            if role.is_built_in() {
                return Err(AccountsError::BuiltIn(name.0.clone()));
            }
            check_within(Some(by), &role.permissions, &format!("role {}", name.0))?;
            let transaction = Transaction::new().unchanged(key.clone(), revision);
            let (kind, transaction) = if let Some(permissions) = permissions {
                let changed = Role { permissions: permissions.clone(), ..role };
                ("change-role", transaction.put_json(key.clone(), &changed)?)
            } else {
                // Whoever is given the role from now on rewrites its record, and this transaction fails.
                self.check_unused(name).await?;
                ("delete-role", transaction.delete(key.clone()))
            };
            let transaction = self.with_event(transaction, kind, format!("name={}", name.0), Some(&by.username))?;
            match self.store.commit(transaction).await {
                Ok(_) => {
                    self.identities.forget_all();
                    return Ok(());
                }
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn check_unused(&self, name: &RoleName) -> Result<()> {
        let accounts = self.list().await?;
        let owner = accounts.iter().find(|account| account.grants.iter().any(|grant| grant.role == *name));
        owner.map_or(Ok(()), |account| {
            Err(AccountsError::RoleInUse { role: name.0.clone(), account: account.username.to_string() })
        })
    }
}
