//! Accounts of those of whom a provider of log-ins tells: whose account belongs to whom there is a record of its own, once
//! they came. Before, the name that the provider tells counts, and for accounts that administer nothing only.

use super::links::Used;
use super::{Accounts, AccountsError, Result, limits, token_hash};
use pierhead_controller::keys;
use pierhead_identity::{NameProblem, OidcLogIn, OidcPerson};
use pierhead_model::{Account, Origin, Permission, RoleName, Timestamp, Username};
use pierhead_store::{Error, StoreJson, Transaction};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Who has one of these gets in by a provider only if it was known of them before that they belong together.
const ADMINISTERS: [Permission; 4] =
    [Permission::WriteAccounts, Permission::WriteEngines, Permission::WriteAllContainers, Permission::RunPrivileged];

/// Whose the account is that somebody at a provider has.
#[derive(Debug, Serialize, Deserialize)]
struct Linked {
    username: Username,
    /// The account's id: one made anew by the same name is another.
    account: String,
    linked_at: Timestamp,
}

/// Who at a provider has an account: the other direction.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    subject: String,
}

/// Why somebody has no account here.
#[derive(Debug)]
pub(crate) enum NoAccount {
    /// It is not known what they are called here.
    Name(NameProblem),
    /// There is none of that name.
    Unknown(Username),
    /// It is that of somebody else at the provider.
    Other(Username),
    /// It administers something, and nobody has said that it is theirs.
    MayMore(Username),
    /// What a deleted one of that name left would become theirs.
    LeftOver(Username),
    /// Something else.
    Failed(AccountsError),
}

impl<E: Into<AccountsError>> From<E> for NoAccount {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Accounts {
    /// Counts an attempt to log in from an address, whosever it is; it is given back by what this returns.
    ///
    /// # Errors
    /// If there were too many.
    pub(crate) fn begin_attempt(&self, from: Option<IpAddr>) -> Result<limits::Attempt> {
        let attempt = self.attempts.begin_nameless(from, self.clock.now());
        attempt.map_err(|retry_after_s| AccountsError::TooManyAttempts { retry_after_s })
    }

    /// The attempt was one of somebody who may come in.
    pub(crate) fn attempt_succeeded(&self, attempt: limits::Attempt) {
        self.attempts.succeeded(attempt);
    }

    /// Notes that a log-in came back: true once for each, at whichever controller.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn use_log_in(&self, log_in: &OidcLogIn) -> Result<bool> {
        let key = format!("{}{}", keys::REDIRECTS, token_hash(&log_in.state));
        let used = Used { expires_at: log_in.expires_at };
        match self.store.commit(Transaction::new().absent(key.clone()).put_json(key, &used)?).await {
            Ok(_) => Ok(true),
            Err(Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells of somebody whom a provider sent and who did not come in.
    pub(crate) async fn tell_refused_person(&self, name: &str, from: Option<IpAddr>, why: &str) {
        self.tell_refused(name, from, &format!("oidc-{why}")).await;
    }

    /// The account of somebody at a provider; from the first time on it is theirs. One is made if there is none and a role
    /// is given that it shall have.
    ///
    /// # Errors
    /// [`NoAccount`].
    pub(crate) async fn of_person(
        &self,
        person: &OidcPerson,
        create: Option<&RoleName>,
    ) -> std::result::Result<Account, NoAccount> {
        loop {
            let (transaction, account) = match self.found(person, create).await? {
                Found::Linked(account) => return Ok(account),
                Found::New(transaction, account) => (transaction, account),
            };
            match self.store.commit(transaction).await {
                Ok(_) => return Ok(account),
                // Somebody changed the account or came by the same name meanwhile.
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn found(&self, person: &OidcPerson, create: Option<&RoleName>) -> std::result::Result<Found, NoAccount> {
        let link_key = format!("{}{}", keys::OIDC_SUBJECTS, person.subject);
        let linked = self.store.get_json::<Linked>(&link_key).await?;
        if let Some((link, _)) = &linked
            && let Some((account, _)) = self.store.get_json::<Account>(&keys::account(&link.username)).await?
            && account.id == link.account
        {
            return Ok(Found::Linked(account));
        }
        let name = person.name.clone().map_err(NoAccount::Name)?;
        let key = keys::account(&name);
        let found = self.store.get_json::<Account>(&key).await?;
        let (account, transaction) = match (found, create) {
            (Some((account, revision)), _) => {
                if account.suspended_at.is_some() {
                    return Err(AccountsError::Suspended.into());
                }
                if administers(&self.permissions(account.role()).await?) {
                    return Err(NoAccount::MayMore(name));
                }
                let message = format!("name={name}");
                let transaction = Transaction::new().unchanged(key, revision);
                (account, self.with_event(transaction, "link-account", message, Some(&name))?)
            }
            (None, Some(role)) => self.made(name.clone(), role, &person.full_name).await?,
            (None, None) => return Err(NoAccount::Unknown(name)),
        };
        let holder_key = format!("{}{}", keys::OIDC_ACCOUNTS, account.id);
        if self.store.get(&holder_key).await?.is_some() {
            return Err(NoAccount::Other(name));
        }
        let link = Linked { username: name, account: account.id.clone(), linked_at: self.clock.now() };
        let transaction = match linked {
            Some((_, revision)) => transaction.unchanged(link_key.clone(), revision),
            None => transaction.absent(link_key.clone()),
        };
        let holder = Holder { subject: person.subject.clone() };
        let transaction = transaction.absent(holder_key.clone()).put_json(holder_key, &holder)?;
        Ok(Found::New(transaction.put_json(link_key, &link)?, account))
    }

    /// An account without a password, and what makes it.
    async fn made(
        &self,
        name: Username,
        role: &RoleName,
        full_name: &str,
    ) -> std::result::Result<(Account, Transaction), NoAccount> {
        match self.check_owns_nothing(&name).await {
            Err(AccountsError::NameOwns { .. }) => return Err(NoAccount::LeftOver(name)),
            checked => checked?,
        }
        let (role, transaction) = self.grantable(&role.0, None).await?;
        if administers(&self.permissions(Some(&role)).await?) {
            return Err(NoAccount::MayMore(name));
        }
        let account = Account {
            id: self.ids.unique(),
            username: name,
            password_hash: String::new(),
            grants: Vec::new(),
            created_at: self.clock.now(),
            token_epoch: self.ids.unique(),
            full_name: full_name.to_owned(),
            source: Origin::Here,
            suspended_at: None,
            suspended_by_roster: false,
            roster_password: String::new(),
        };
        let account = account.with_role(role);
        let (key, id_key) = (keys::account(&account.username), keys::account_id(&account.id));
        let transaction = transaction.absent(id_key.clone()).put_json(id_key, &account.username)?;
        let transaction = transaction.absent(key.clone()).put_json(key, &account)?;
        let message = format!("name={} by=oidc", account.username);
        let transaction = self.with_event(transaction, "add-account", message, Some(&account.username))?;
        Ok((account, transaction))
    }
}

enum Found {
    Linked(Account),
    New(Transaction, Account),
}

fn administers(permissions: &BTreeSet<Permission>) -> bool {
    ADMINISTERS.iter().any(|permission| permissions.contains(permission))
}

#[cfg(test)]
mod tests;
