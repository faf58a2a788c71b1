//! Accounts, roles and tokens: passwords as Argon2id, tokens as hashes.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pierhead_controller::{Clock, Ids, keys};
use pierhead_model::{Account, EventTag, Permission, Role, RoleName, TokenRecord, Username};
use pierhead_store::{Error, Store, StoreJson, Transaction};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How long a token is good, in milliseconds: 30 days.
const TOKEN_LIFE_MS: u64 = 30 * 24 * 3600 * 1000;

/// Accounts, roles and tokens, in the store.
#[derive(Clone)]
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: Clock,
    ids: Arc<Ids>,
    /// The hash of a password that nobody has, checked for users that do not exist so that both take as long.
    nobody: Arc<str>,
}

/// Somebody whose token was good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub username: Username,
    pub permissions: BTreeSet<Permission>,
}

/// Why something about accounts could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The store can't do it.
    #[error(transparent)]
    Store(#[from] Error),
    /// A password could not be hashed.
    #[error("the password could not be hashed")]
    Hash,
    /// Wrong name or password: nobody learns which.
    #[error("wrong user name or password")]
    WrongPassword,
    /// There is one already.
    #[error("account {0} exists already")]
    Exists(String),
    /// There is none.
    #[error("there is no account {0}")]
    NotFound(String),
    /// There is no such role.
    #[error("there is no role {0}; there are admin and user")]
    NoRole(String),
    /// Nobody could administer the pool any more.
    #[error("{0} is the last account that may administer accounts; it can't be deleted")]
    LastAdmin(String),
}

type Result<T> = std::result::Result<T, AccountsError>;

impl Accounts {
    /// Accounts in a store.
    ///
    /// # Errors
    /// If hashing does not work at all.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Result<Self> {
        let nobody = hash(&random_secret())?.into();
        Ok(Self { store, clock, ids: Arc::new(Ids::new(clock)), nobody })
    }

    /// Makes the built-in roles and, if there is no account yet, an administrator with this password. Tells whether
    /// it was made.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn first_start(&self, password: &str) -> Result<bool> {
        for role in Role::built_in() {
            self.store.put_json(&keys::role(&role.name.0), &role).await?;
        }
        if !self.store.list(keys::ACCOUNTS, None, 1).await?.entries.is_empty() {
            return Ok(false);
        }
        let admin = Username::parse("admin").expect("admin is a user name");
        self.add(&admin, None, password, Role::ADMIN, None).await?;
        Ok(true)
    }

    /// Adds an account.
    ///
    /// # Errors
    /// If there is one of that name, or no such role.
    pub async fn add(
        &self,
        name: &Username,
        id: Option<String>,
        password: &str,
        role: &str,
        actor: Option<&Username>,
    ) -> Result<()> {
        if self.store.get(&keys::role(role)).await?.is_none() {
            return Err(AccountsError::NoRole(role.chars().take(64).collect()));
        }
        let account = Account {
            id: id.unwrap_or_else(|| self.ids.unique()),
            username: name.clone(),
            password_hash: hash_slowly(password.to_owned()).await?,
            role: RoleName(role.to_owned()),
            created_at: self.clock.now(),
        };
        let key = keys::account(name);
        let transaction = Transaction::new().absent(key.clone()).put_json(key, &account)?;
        let transaction = self.with_event(transaction, "add-account", format!("name={name}"), actor)?;
        match self.store.commit(transaction).await {
            Ok(_) => Ok(()),
            Err(Error::Conflict { .. }) => Err(AccountsError::Exists(name.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self) -> Result<Vec<Account>> {
        let listing = self.store.list_all(keys::ACCOUNTS).await?;
        Ok(listing.entries.iter().map(pierhead_store::Entry::json).collect::<std::result::Result<_, _>>()?)
    }

    /// Deletes an account with its tokens.
    ///
    /// # Errors
    /// If there is none, or it is the last that may administer accounts.
    pub async fn delete(&self, name: &Username, actor: &Username) -> Result<()> {
        let key = keys::account(name);
        let not_found = || AccountsError::NotFound(name.to_string());
        let (account, revision) = self.store.get_json::<Account>(&key).await?.ok_or_else(not_found)?;
        let admins = self.list().await?.iter().filter(|account| account.role.0 == Role::ADMIN).count();
        if account.role.0 == Role::ADMIN && admins == 1 {
            return Err(AccountsError::LastAdmin(name.to_string()));
        }
        let transaction = Transaction::new().unchanged(key.clone(), revision).delete(key);
        let transaction = self.with_event(transaction, "delete-account", format!("name={name}"), Some(actor))?;
        match self.store.commit(transaction).await {
            Ok(_) => self.revoke_all(name, None).await,
            Err(Error::Conflict { .. }) => Err(not_found()),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes a password; every token but the one in use is revoked.
    ///
    /// # Errors
    /// If there is no such account.
    pub async fn change_password(
        &self,
        name: &Username,
        password: &str,
        actor: &Username,
        keep: Option<&str>,
    ) -> Result<()> {
        let password_hash = hash_slowly(password.to_owned()).await?;
        let key = keys::account(name);
        loop {
            let found = self.store.get_json::<Account>(&key).await?;
            let (account, revision) = found.ok_or_else(|| AccountsError::NotFound(name.to_string()))?;
            let changed = Account { password_hash: password_hash.clone(), ..account };
            let transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key.clone(), &changed)?;
            let transaction = self.with_event(transaction, "change-password", format!("name={name}"), Some(actor))?;
            match self.store.commit(transaction).await {
                Ok(_) => return self.revoke_all(name, keep).await,
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Checks a password and gives a token. An unknown name takes as long as a wrong password.
    ///
    /// # Errors
    /// If name and password do not belong together.
    pub async fn log_in(&self, name: &str, password: &str) -> Result<(String, TokenRecord, RoleName)> {
        let account = match Username::parse(name) {
            Ok(name) => self.store.get_json::<Account>(&keys::account(&name)).await?.map(|(account, _)| account),
            Err(_) => None,
        };
        let stored = account.as_ref().map_or_else(|| self.nobody.to_string(), |account| account.password_hash.clone());
        let is_right = verify_slowly(password.to_owned(), stored).await?;
        let Some(account) = account.filter(|_| is_right) else { return Err(AccountsError::WrongPassword) };
        let token = random_secret();
        let now = self.clock.now();
        let record = TokenRecord { username: account.username, created_at: now, expires_at: now.plus(TOKEN_LIFE_MS) };
        self.store.put_json(&keys::token(&token_hash(&token)), &record).await?;
        Ok((token, record, account.role))
    }

    /// Whose token it is, and what they may.
    pub(crate) async fn identify(&self, token: &str) -> Result<Option<Identity>> {
        let Some((record, _)) = self.store.get_json::<TokenRecord>(&keys::token(&token_hash(token))).await? else {
            return Ok(None);
        };
        if record.expires_at <= self.clock.now() {
            return Ok(None);
        }
        let Some((account, _)) = self.store.get_json::<Account>(&keys::account(&record.username)).await? else {
            return Ok(None);
        };
        let role = self.store.get_json::<Role>(&keys::role(&account.role.0)).await?;
        let permissions = role.map(|(role, _)| role.permissions).unwrap_or_default();
        Ok(Some(Identity { username: account.username, permissions }))
    }

    async fn revoke_all(&self, name: &Username, keep: Option<&str>) -> Result<()> {
        let kept = keep.map(|token| keys::token(&token_hash(token)));
        for entry in self.store.list_all(keys::TOKENS).await?.entries {
            let is_theirs = entry.json::<TokenRecord>().is_ok_and(|record| record.username == *name);
            if is_theirs && kept.as_deref() != Some(&*entry.key) {
                self.store.commit(Transaction::new().delete(entry.key)).await?;
            }
        }
        Ok(())
    }

    fn with_event(
        &self,
        transaction: Transaction,
        kind: &str,
        message: String,
        actor: Option<&Username>,
    ) -> Result<Transaction> {
        let event = pierhead_model::Event {
            id: self.ids.unique(),
            kind: kind.to_owned(),
            time: self.clock.now(),
            message,
            tags: vec![EventTag::Cluster, EventTag::Security],
            container: None,
            engine: None,
            app: None,
            actor: actor.cloned(),
        };
        Ok(transaction.put_json(keys::event(&event.id), &event)?)
    }
}

/// 256 random bits as 43 characters.
pub(crate) fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// A password that nobody guesses and that can still be typed: 96 random bits as 16 characters.
#[must_use]
pub fn random_password() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>())
}

fn token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

fn hash(password: &str) -> Result<String> {
    let hashed = Argon2::default().hash_password(password.as_bytes()).map_err(|_| AccountsError::Hash)?;
    Ok(hashed.to_string())
}

/// Hashing takes tens of milliseconds of CPU: off the threads that serve.
async fn hash_slowly(password: String) -> Result<String> {
    tokio::task::spawn_blocking(move || hash(&password)).await.map_err(|_| AccountsError::Hash)?
}

async fn verify_slowly(password: String, stored: String) -> Result<bool> {
    let verify = move || {
        let parsed = PasswordHash::new(&stored).map_err(|_| AccountsError::Hash)?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
    };
    tokio::task::spawn_blocking(verify).await.map_err(|_| AccountsError::Hash)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passwords_are_verified_by_their_hash() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        assert!(verify_slowly("correct horse".into(), stored.clone()).await.unwrap());
        assert!(!verify_slowly("wrong horse".into(), stored).await.unwrap());
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(random_secret(), random_secret());
        assert_eq!(random_secret().len(), 43);
    }
}
