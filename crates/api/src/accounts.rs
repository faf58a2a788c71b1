//! Accounts, roles and tokens: who may log in, and what they may. Passwords and tokens are stored as hashes only.
//!
//! Who changes accounts or roles can never give or take more than they have themselves.

mod identities;
mod limits;
mod links;
mod passwords;
mod people;
mod preview_tickets;
mod provider;
mod refusals;
mod roles;
mod sessions;
mod tickets;
mod tokens;

pub(crate) use identities::Identity;
pub use limits::LogInLimits;
pub(crate) use links::LinkFor;
pub use passwords::random_password;
pub(crate) use provider::NoAccount;
pub(crate) use sessions::SESSION_LIFE_MS;
pub(crate) use tickets::Owner;
pub(crate) use tokens::{TOKEN_LIFE_MS, TokenId, TokenOwner, token_hash};

use crate::relay::Passes;
use identities::Identities;
use limits::Attempts;
use passwords::Passwords;
use pierhead_controller::{Clock, Ids, Once, keys};
use pierhead_model::{EventTag, Permission, Role, RoleName, Username};
use pierhead_store::{Error, Store, StoreJson, Transaction};
use refusals::Refusals;
use std::collections::BTreeSet;
use std::sync::Arc;
use tickets::Tickets;
use tokio::task::JoinHandle;

/// Accounts, roles and tokens, in the store.
#[derive(Clone)]
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: Clock,
    ids: Arc<Ids>,
    passwords: Arc<Passwords>,
    attempts: Arc<Attempts>,
    refusals: Arc<Refusals>,
    identities: Arc<Identities>,
    tickets: Arc<Tickets>,
    /// The passes of other controllers that were shown here.
    pub(crate) passes: Arc<Passes>,
    /// The request that the next change carries out, if it must not be carried out twice.
    once: Option<Once>,
    _following: Arc<Following>,
}

/// The task that forgets what changes in the store; ends with the last clone of [`Accounts`].
struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
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
    /// The password is right, and yet nobody can log in with the account.
    #[error("this account is suspended; whoever administers accounts at your school can let you in again")]
    Suspended,
    /// A link that is worth nothing.
    #[error("this link was used, has expired, or never was one; ask for a new one")]
    LinkGone,
    /// A teacher gives no links for those who may more than students.
    #[error("{0} is no student; an administrator can make a link for them")]
    NoStudent(String),
    /// Too many attempts of one name or from one address: nobody learns of which.
    #[error("too many attempts to log in; try again in {retry_after_s} s")]
    TooManyAttempts {
        /// After how many seconds the next attempt may be made.
        retry_after_s: u64,
    },
    /// There is one already.
    #[error("account {0} exists already")]
    Exists(String),
    /// What a deleted account of that name left would become the new one's.
    #[error(
        "a former account {name} left {left}, which would be the new one's: delete them, choose another name, or say \
         \"inherit\": true ('account add --inherit')"
    )]
    NameOwns {
        /// The name.
        name: String,
        /// What is left, in words.
        left: String,
    },
    /// There is none.
    #[error("there is no account {0}")]
    NotFound(String),
    /// There is no such role.
    #[error("there is no role {0}; 'GET /api/roles' lists those that there are")]
    NoRole(String),
    /// Nobody could administer the pool any more.
    #[error("{0} is the last account with the role admin; it can't be deleted or get another role")]
    LastAdmin(String),
    /// It would give or take more than one has.
    #[error("{0} may do what your role may not; somebody who may do it must change it")]
    Beyond(String),
    /// There is a role of that name.
    #[error("role {0} exists already")]
    RoleExists(String),
    /// There is no such role to be shown, changed or deleted.
    #[error("there is no role {0}")]
    RoleNotFound(String),
    /// It is `admin` or `user`.
    #[error("role {0} is built in; it can't be changed or deleted")]
    BuiltIn(String),
    /// Somebody has it.
    #[error("role {role} is that of {account}; give them another first")]
    RoleInUse {
        /// The role.
        role: String,
        /// One of the accounts.
        account: String,
    },
    /// One token has opened too many streams that nobody came for.
    #[error("too many tickets are open; use those that you have, or try again in 30 s")]
    TooManyTickets,
    /// An account has as many tokens as it may.
    #[error("you have 100 tokens or more; revoke some of them and try again")]
    TooManyTokens,
    /// There is no such token, or it is somebody else's.
    #[error("there is no token {0}")]
    TokenNotFound(String),
}

type Result<T> = std::result::Result<T, AccountsError>;

impl Accounts {
    /// Accounts in a store, with the usual limits on attempts to log in. To be called within a runtime: what others
    /// change in the store is followed in the background.
    ///
    /// # Errors
    /// If hashing does not work at all.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Result<Self> {
        let identities = Arc::new(Identities::default());
        let following = tokio::spawn(Arc::clone(&identities).follow(Arc::clone(&store)));
        Ok(Self {
            store,
            clock,
            ids: Arc::new(Ids::new(clock)),
            passwords: Arc::new(Passwords::new()?),
            attempts: Arc::new(Attempts::new(LogInLimits::default())),
            refusals: Arc::default(),
            identities,
            tickets: Arc::default(),
            passes: Arc::default(),
            once: None,
            _following: Arc::new(Following(following)),
        })
    }

    /// With other limits on attempts to log in.
    #[must_use]
    pub fn with_limits(self, limits: LogInLimits) -> Self {
        Self { attempts: Arc::new(Attempts::new(limits)), ..self }
    }

    /// The same for one change, which fails if its request was carried out before.
    pub(crate) fn once(&self, once: Option<&Once>) -> Self {
        Self { once: once.cloned(), ..self.clone() }
    }

    /// Makes the built-in roles, or brings them up to this version. Tells whether there is no account yet.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn prepare(&self) -> Result<bool> {
        let is_first = self.store.list(keys::ACCOUNTS, None, 1).await?.entries.is_empty();
        for role in Role::built_in() {
            let key = keys::role(&role.name.0);
            if self.store.get_json::<Role>(&key).await?.is_some_and(|(found, _)| found == role) {
                continue;
            }
            match self.store.put_json(&key, &role).await {
                // Who is there goes on with the role as it was.
                Err(Error::Full(_)) if !is_first => {
                    tracing::warn!(role = role.name.0, "the disk is full: the built-in role stays as it was");
                }
                written => drop(written?),
            }
        }
        Ok(is_first)
    }

    /// Makes the built-in roles and, if there is no account yet, an administrator with this password. Tells whether
    /// it was made.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn first_start(&self, password: &str) -> Result<bool> {
        if !self.prepare().await? {
            return Ok(false);
        }
        let admin = Username::parse("admin").expect("admin is a user name");
        self.add(&admin, None, password, Role::ADMIN, true, None).await?;
        Ok(true)
    }

    /// The permissions of a role; none if there is no such role.
    async fn permissions(&self, role: Option<&RoleName>) -> Result<BTreeSet<Permission>> {
        let Some(role) = role else { return Ok(BTreeSet::new()) };
        let found = self.store.get_json::<Role>(&keys::role(&role.0)).await?;
        Ok(found.map(|(role, _)| role.permissions).unwrap_or_default())
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
        let transaction = transaction.put_json(keys::event(&event.id), &event)?;
        match &self.once {
            Some(once) => Ok(once.remember(transaction)?),
            None => Ok(transaction),
        }
    }
}

/// Refuses those who may less than what they are about to give or take. Without anybody it is this machine itself.
fn check_within(by: Option<&Identity>, permissions: &BTreeSet<Permission>, what: &str) -> Result<()> {
    match by {
        Some(by) if !by.permissions.is_superset(permissions) => Err(AccountsError::Beyond(what.to_owned())),
        _ => Ok(()),
    }
}

/// The first characters of what somebody typed, to be repeated to them.
fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
