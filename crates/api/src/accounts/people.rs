//! Accounts: added, listed, changed and deleted. There is always one with the role admin.

use super::{Accounts, AccountsError, Identity, Result, check_within, excerpt};
use pierhead_controller::keys;
use pierhead_model::{Account, Course, Enrolments, Origin, Role, RoleName, TokenRecord, Username};
use pierhead_store::{Error, Revision, StoreJson, Transaction};
use serde::Deserialize;

/// What matters here of the records of apps and of names of images.
#[derive(Deserialize)]
struct Owned {
    owner: Username,
}

/// A change of an account.
enum Edit<'a> {
    Delete,
    Role(&'a str),
    /// Nobody can log in with it any more; what it owns stays.
    Suspend,
    /// They can again.
    Resume,
    /// With the key of the token that goes on being good.
    Password {
        password_hash: String,
        kept: Option<String>,
    },
}

impl Edit<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Delete => "delete-account",
            Self::Role(_) => "change-account",
            Self::Suspend => "suspend-account",
            Self::Resume => "resume-account",
            Self::Password { .. } => "change-password",
        }
    }

    fn message(&self, name: &Username) -> String {
        match self {
            Self::Role(role) => format!("name={name} role={}", excerpt(role)),
            Self::Delete | Self::Suspend | Self::Resume | Self::Password { .. } => format!("name={name}"),
        }
    }
}

impl Accounts {
    /// Adds an account; `inherit` if it may get what a deleted one of its name left.
    ///
    /// # Errors
    /// If there is one of that name or id, or no such role, or the role may do more than who gives it, or the name owns
    /// things that it may not get.
    pub(crate) async fn add(
        &self,
        name: &Username,
        id: Option<String>,
        password: &str,
        role: &str,
        inherit: bool,
        by: Option<&Identity>,
    ) -> Result<()> {
        // Who may not give it costs nobody the hashing.
        self.grantable(role, by).await.map(drop)?;
        if let Some(id) = &id
            && let Some(same) = self.list().await?.into_iter().find(|account| account.id == *id)
        {
            return Err(AccountsError::Exists(same.username.to_string()));
        }
        let key = keys::account(name);
        if !inherit && self.store.get(&key).await?.is_none() {
            self.check_owns_nothing(name).await?;
        }
        let password_hash = self.passwords.hash(password).await?;
        loop {
            let (role, transaction) = self.grantable(role, by).await?;
            let account = Account {
                id: id.clone().unwrap_or_else(|| self.ids.unique()),
                username: name.clone(),
                password_hash: password_hash.clone(),
                grants: Vec::new(),
                created_at: self.clock.now(),
                token_epoch: self.ids.unique(),
                full_name: String::new(),
                source: Origin::Here,
                suspended_at: None,
                suspended_by_roster: false,
                roster_password: String::new(),
            };
            let id_key = keys::account_id(&account.id);
            let transaction = transaction.absent(id_key.clone()).put_json(id_key.clone(), name)?;
            let transaction = transaction.absent(key.clone()).put_json(key.clone(), &account.with_role(role))?;
            let actor = by.map(|by| &by.username);
            match self.store.commit(self.with_event(transaction, "add-account", format!("name={name}"), actor)?).await {
                Ok(_) => return Ok(()),
                Err(Error::Conflict { key: changed }) if changed == key => {
                    return Err(AccountsError::Exists(name.to_string()));
                }
                // Somebody took the id since it was looked for.
                Err(Error::Conflict { key: changed }) if changed == id_key => {
                    return Err(AccountsError::Exists(id.unwrap_or_default()));
                }
                // A request with the same key was faster.
                Err(error @ Error::Conflict { .. }) if self.once.is_some() => return Err(error.into()),
                // The role has changed.
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Refuses a name that owns apps or uploaded images, or has to do with courses.
    pub(super) async fn check_owns_nothing(&self, name: &Username) -> Result<()> {
        let (mut apps, mut images) = (0, 0);
        for (count, prefix) in [(&mut apps, keys::APPS), (&mut images, keys::IMAGE_TAGS)] {
            for entry in self.store.list_all(prefix).await?.entries {
                *count += usize::from(entry.json::<Owned>()?.owner == *name);
            }
        }
        let courses = self.courses_with(name).await?;
        if apps + images + courses == 0 {
            return Ok(());
        }
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let mut left = format!("{apps} app{} and {images} uploaded image{}", plural(apps), plural(images));
        if courses > 0 {
            left = format!("{left}, and a place in {courses} course{}", plural(courses));
        }
        Err(AccountsError::NameOwns { name: name.to_string(), left })
    }

    /// How many courses a name gives or takes.
    async fn courses_with(&self, name: &Username) -> Result<usize> {
        let mut courses = 0;
        for entry in self.store.list_all(keys::COURSES).await?.entries {
            courses += usize::from(entry.json::<Course>()?.right_of(name, None).is_some());
        }
        for entry in self.store.list_all(keys::ENROLMENTS).await?.entries {
            courses += usize::from(entry.json::<Enrolments>()?.students.contains_key(name));
        }
        Ok(courses)
    }

    /// One account.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) async fn account(&self, name: &Username) -> Result<Account> {
        let found = self.store.get_json::<Account>(&keys::account(name)).await?;
        found.map(|(account, _)| account).ok_or_else(|| AccountsError::NotFound(name.to_string()))
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn list(&self) -> Result<Vec<Account>> {
        Ok(self.listed().await?.into_iter().map(|(account, _)| account).collect())
    }

    async fn listed(&self) -> Result<Vec<(Account, Revision)>> {
        let listing = self.store.list_all(keys::ACCOUNTS).await?;
        let read = listing.entries.iter().map(|entry| Ok::<_, Error>((entry.json::<Account>()?, entry.modified)));
        Ok(read.collect::<std::result::Result<_, _>>()?)
    }

    /// Deletes an account with its tokens.
    ///
    /// # Errors
    /// If there is none, or it is the last administrator, or may do more than who deletes it.
    pub(crate) async fn delete(&self, name: &Username, by: &Identity) -> Result<()> {
        self.change(name, &Edit::Delete, Some(by)).await?;
        self.discard_tokens(name).await
    }

    /// Gives an account another role.
    ///
    /// # Errors
    /// If there is no such account or role, or one of them may do more than who changes it, or it is the last
    /// administrator.
    pub(crate) async fn set_role(&self, name: &Username, role: &str, by: &Identity) -> Result<()> {
        self.change(name, &Edit::Role(role), Some(by)).await
    }

    /// Suspends an account: nobody can log in with it, and its tokens are worth nothing for ever.
    ///
    /// # Errors
    /// If there is none, or it is the last administrator, or may do more than who suspends it.
    pub(crate) async fn suspend(&self, name: &Username, by: &Identity) -> Result<()> {
        self.change(name, &Edit::Suspend, Some(by)).await?;
        self.discard_tokens(name).await
    }

    /// Lets a suspended account in again.
    ///
    /// # Errors
    /// If there is none, or it may do more than who does this.
    pub(crate) async fn resume(&self, name: &Username, by: &Identity) -> Result<()> {
        self.change(name, &Edit::Resume, Some(by)).await
    }

    /// Changes a password; every token but the one in use (by its hash) is worth nothing from then on.
    ///
    /// # Errors
    /// If there is no such account, or it is another's that may do more than who changes it.
    pub(crate) async fn change_password(
        &self,
        name: &Username,
        password: &str,
        by: Option<&Identity>,
        keep: Option<&str>,
    ) -> Result<()> {
        let password_hash = self.passwords.hash(password).await?;
        let kept = keep.map(keys::token);
        self.change(name, &Edit::Password { password_hash, kept }, by).await?;
        self.discard_tokens(name).await
    }

    /// Sets a password from the server's own machine, where nobody is asked who they are. Revokes all tokens.
    ///
    /// # Errors
    /// If there is no such account.
    pub async fn reset_password(&self, name: &Username, password: &str) -> Result<()> {
        self.change_password(name, password, None, None).await
    }

    /// Changes an account as it is read, again if somebody else changed it meanwhile.
    async fn change(&self, name: &Username, edit: &Edit<'_>, by: Option<&Identity>) -> Result<()> {
        let key = keys::account(name);
        loop {
            let found = self.store.get_json::<Account>(&key).await?;
            let (account, revision) = found.ok_or_else(|| AccountsError::NotFound(name.to_string()))?;
            if by.is_some_and(|by| by.username != *name) {
                check_within(by, &self.permissions(account.role()).await?, name.as_str())?;
            }
            let transaction = Transaction::new().unchanged(key.clone(), revision);
            let transaction = self.edited(account, edit, by, transaction).await?;
            let actor = by.map(|by| &by.username);
            let transaction = self.with_event(transaction, edit.kind(), edit.message(name), actor)?;
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

    async fn edited(
        &self,
        account: Account,
        edit: &Edit<'_>,
        by: Option<&Identity>,
        mut transaction: Transaction,
    ) -> Result<Transaction> {
        let key = keys::account(&account.username);
        match edit {
            Edit::Delete => {
                let gone = transaction.delete(key).delete(keys::account_id(&account.id));
                self.with_other_admin(&account, gone).await
            }
            Edit::Suspend => {
                let suspended_at = account.suspended_at.or_else(|| Some(self.clock.now()));
                let token_epoch = self.ids.unique();
                let changed = Account { suspended_at, suspended_by_roster: false, token_epoch, ..account.clone() };
                self.with_other_admin(&account, transaction.put_json(key, &changed)?).await
            }
            Edit::Resume => {
                let changed = Account { suspended_at: None, suspended_by_roster: false, ..account };
                Ok(transaction.put_json(key, &changed)?)
            }
            Edit::Role(role) => {
                let (role, granted) = self.grantable(role, by).await?;
                transaction.compares.extend(granted.compares);
                transaction.writes.extend(granted.writes);
                if role.0 != Role::ADMIN {
                    transaction = self.with_other_admin(&account, transaction).await?;
                }
                Ok(transaction.put_json(key, &account.with_role(role))?)
            }
            Edit::Password { password_hash, kept } => {
                let token_epoch = self.ids.unique();
                if let Some(token) = kept
                    && let Some((record, revision)) = self.store.get_json::<TokenRecord>(token).await?
                {
                    let record = TokenRecord { epoch: token_epoch.clone(), ..record };
                    transaction = transaction.unchanged(token.clone(), revision).put_json(token.clone(), &record)?;
                }
                let changed = Account { password_hash: password_hash.clone(), token_epoch, ..account };
                Ok(transaction.put_json(key, &changed)?)
            }
        }
    }

    /// Demands that there is an administrator besides this account, and still is when the transaction is made.
    async fn with_other_admin(&self, account: &Account, transaction: Transaction) -> Result<Transaction> {
        if !account.is_admin() {
            return Ok(transaction);
        }
        let others = self.listed().await?;
        let is_other =
            |other: &Account| other.is_admin() && other.suspended_at.is_none() && other.username != account.username;
        let other = others.into_iter().find(|(other, _)| is_other(other));
        let (other, revision) = other.ok_or_else(|| AccountsError::LastAdmin(account.username.to_string()))?;
        Ok(transaction.unchanged(keys::account(&other.username), revision))
    }

    /// A role that may be given, and the transaction that gives it: it fails if the role is changed or deleted meanwhile,
    /// and makes a deletion fail that happens at the same time.
    pub(super) async fn grantable(&self, role: &str, by: Option<&Identity>) -> Result<(RoleName, Transaction)> {
        let no_role = || AccountsError::NoRole(excerpt(role));
        let name = RoleName::parse(role).map_err(|_| no_role())?;
        let key = keys::role(role);
        let (role, revision) = self.store.get_json::<Role>(&key).await?.ok_or_else(no_role)?;
        check_within(by, &role.permissions, &format!("role {}", name.0))?;
        let transaction = Transaction::new().unchanged(key.clone(), revision);
        // Nobody deletes the others.
        Ok((name, if role.is_built_in() { transaction } else { transaction.put_json(key, &role)? }))
    }
}
