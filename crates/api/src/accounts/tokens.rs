//! Tokens: given for a password or to who is logged in, found by their hash, listed and revoked by an id that is worth
//! nothing.

use super::identities::Remembered;
use super::passwords::random_secret;
use super::refusals::address;
use super::{Accounts, AccountsError, Identity, Result, check_within, excerpt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pierhead_controller::keys;
use pierhead_model::{Account, RoleName, Timestamp, TokenKind, TokenRecord, Username};
use pierhead_store::{Error, StoreJson, Transaction};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;

/// How long a token is good unless its owner says otherwise, in milliseconds: 30 days.
pub(crate) const TOKEN_LIFE_MS: u64 = 30 * 24 * 3600 * 1000;

/// The most good tokens that an account has made when it asks for one more.
const MOST_TOKENS: usize = 100;

/// What a token is called in public: 16 hexadecimal digits of its hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokenId(pub String);

impl TokenId {
    /// That of a token.
    pub fn of(token: &str) -> Self {
        Self::of_hash(&token_hash(token))
    }

    /// That of a token of which the hash is given.
    pub fn of_hash(hash: &str) -> Self {
        Self::of_key(&keys::token(hash)).expect("a hash is longer than an id")
    }

    fn of_key(key: &str) -> Option<Self> {
        let hash = URL_SAFE_NO_PAD.decode(key.strip_prefix(keys::TOKENS)?).ok()?;
        Some(Self(hash.get(..8)?.iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

/// Whose tokens somebody may see and revoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenOwner<'a> {
    /// One account's.
    One(&'a Username),
    /// Everybody's.
    Anybody,
}

impl TokenOwner<'_> {
    fn is(self, record: &TokenRecord) -> bool {
        match self {
            Self::One(name) => record.username == *name,
            Self::Anybody => true,
        }
    }
}

impl Accounts {
    /// Checks a password and gives a token. An unknown name takes as long as a wrong password.
    ///
    /// # Errors
    /// If name and password do not belong together, or there were too many attempts.
    pub(crate) async fn log_in(
        &self,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
        client: &str,
    ) -> Result<(String, TokenRecord, Option<RoleName>)> {
        let account = self.check_password(name, password, from).await?;
        let expires_at = self.clock.now().plus(TOKEN_LIFE_MS);
        let (token, record) = self.give_at_log_in(&account, client, expires_at, TokenKind::Token, from, "").await?;
        Ok((token, record, account.role().cloned()))
    }

    /// The account of a name and password, which count as one attempt.
    ///
    /// # Errors
    /// If they do not belong together, or there were too many attempts.
    pub(crate) async fn check_password(&self, name: &str, password: &str, from: Option<IpAddr>) -> Result<Account> {
        let attempt = match self.attempts.begin(name, from, self.clock.now()) {
            Ok(attempt) => attempt,
            Err(retry_after_s) => {
                self.tell_refused(name, from, "too-many-attempts").await;
                return Err(AccountsError::TooManyAttempts { retry_after_s });
            }
        };
        let account = match Username::parse(name) {
            Ok(name) => self.store.get_json::<Account>(&keys::account(&name)).await?.map(|(account, _)| account),
            Err(_) => None,
        };
        // An account without a password is as one that there is not.
        let stored = account.as_ref().map(|account| account.password_hash.as_str()).filter(|hash| !hash.is_empty());
        let is_right = self.passwords.is_right(password, stored).await?;
        let Some(account) = account.filter(|_| is_right) else {
            self.tell_refused(name, from, "wrong-name-or-password").await;
            return Err(AccountsError::WrongPassword);
        };
        self.attempts.succeeded(attempt);
        if account.suspended_at.is_some() {
            self.tell_refused(name, from, "suspended").await;
            return Err(AccountsError::Suspended);
        }
        self.upgrade(account, password).await
    }

    /// Keeps a hash of our own from now on, where it was the school's.
    async fn upgrade(&self, account: Account, password: &str) -> Result<Account> {
        if self.passwords.is_ours(&account.password_hash) {
            return Ok(account);
        }
        let password_hash = self.passwords.hash(password).await?;
        let key = keys::account(&account.username);
        let Some((found, revision)) = self.store.get_json::<Account>(&key).await? else { return Ok(account) };
        if found.password_hash != account.password_hash {
            return Ok(account);
        }
        let next = Account { password_hash, ..found };
        let transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key, &next)?;
        match self.store.commit(transaction).await {
            Ok(_) => Ok(next),
            // Another time: the password was right all the same.
            Err(Error::Conflict { .. } | Error::Full(_)) => Ok(account),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a token to somebody who is logged in.
    ///
    /// # Errors
    /// Those of the store, or if the account was deleted meanwhile or has too many.
    pub(crate) async fn create_token(
        &self,
        owner: &Username,
        name: &str,
        expires_at: Timestamp,
    ) -> Result<(String, TokenRecord)> {
        let found = self.store.get_json::<Account>(&keys::account(owner)).await?;
        let (account, _) = found.ok_or_else(|| AccountsError::NotFound(owner.to_string()))?;
        let made = self.found_tokens(TokenOwner::One(owner)).await?;
        let now = self.clock.now();
        if made.iter().filter(|(_, _, record)| !record.at_log_in && record.is_good(&account, now)).count()
            >= MOST_TOKENS
        {
            return Err(AccountsError::TooManyTokens);
        }
        let (token, record) = self.new_token(&account, name, expires_at, TokenKind::Token);
        let message = format!("name={} account={}", record.name, account.username);
        self.write_token(&token, &record, "add-token", message).await?;
        Ok((token, record))
    }

    /// Gives a token for a password, which is in use from then on.
    pub(super) async fn give_at_log_in(
        &self,
        account: &Account,
        client: &str,
        expires_at: Timestamp,
        kind: TokenKind,
        from: Option<IpAddr>,
        how: &str,
    ) -> Result<(String, TokenRecord)> {
        let (token, record) = self.new_token(account, client, expires_at, kind);
        let record = TokenRecord { last_used_at: Some(record.created_at), at_log_in: true, ..record };
        let how = if how.is_empty() { String::new() } else { format!(" by={how}") };
        let message = format!("name={}{}{how}", account.username, address(from));
        self.write_token(&token, &record, "log-in", message).await?;
        self.end_surplus(account, kind).await?;
        Ok((token, record))
    }

    fn new_token(
        &self,
        account: &Account,
        name: &str,
        expires_at: Timestamp,
        kind: TokenKind,
    ) -> (String, TokenRecord) {
        let record = TokenRecord {
            username: account.username.clone(),
            created_at: self.clock.now(),
            expires_at,
            name: excerpt(name),
            last_used_at: None,
            epoch: account.token_epoch.clone(),
            kind,
            at_log_in: false,
        };
        (random_secret(), record)
    }

    async fn write_token(&self, token: &str, record: &TokenRecord, event: &str, message: String) -> Result<()> {
        let transaction = Transaction::new().put_json(keys::token(&token_hash(token)), record)?;
        let transaction = self.with_event(transaction, event, message, Some(&record.username))?;
        self.store.commit(transaction).await?;
        Ok(())
    }

    /// The good tokens of somebody, or of all, the oldest first.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn tokens(&self, owner: TokenOwner<'_>) -> Result<Vec<(TokenId, TokenRecord)>> {
        let accounts = self.list().await?;
        let now = self.clock.now();
        let mut tokens = self.found_tokens(owner).await?;
        tokens.retain(|(_, _, record)| accounts.iter().any(|account| record.is_good(account, now)));
        tokens.sort_by(|(_, id, one), (_, other_id, other)| (one.created_at, id).cmp(&(other.created_at, other_id)));
        Ok(tokens.into_iter().map(|(_, id, record)| (id, record)).collect())
    }

    /// Revokes one token.
    ///
    /// # Errors
    /// If the owner has none of that id, or it is another's who may do more than who revokes it.
    pub(crate) async fn revoke(&self, id: &TokenId, owner: TokenOwner<'_>, by: &Identity) -> Result<()> {
        let not_found = || AccountsError::TokenNotFound(excerpt(&id.0));
        loop {
            let found = self.found_tokens(owner).await?.into_iter().find(|(_, found, _)| found == id);
            let (key, _, record) = found.ok_or_else(not_found)?;
            let transaction = Transaction::new().exists(key.clone()).delete(key.clone());
            let transaction = self.within(transaction, &record.username, by).await?;
            let message = format!("name={} account={}", record.name, record.username);
            let transaction = self.with_event(transaction, "delete-token", message, Some(&by.username))?;
            let committed = self.store.commit(transaction).await;
            self.identities.forget(key.strip_prefix(keys::TOKENS).unwrap_or_default());
            match committed {
                Ok(_) => return Ok(()),
                // The token is gone, or its owner has another role.
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Demands that another account may nothing that this one may not, and still does not when the transaction is made.
    async fn within(&self, transaction: Transaction, owner: &Username, by: &Identity) -> Result<Transaction> {
        if by.username == *owner {
            return Ok(transaction);
        }
        let key = keys::account(owner);
        let Some((account, revision)) = self.store.get_json::<Account>(&key).await? else {
            return Ok(transaction);
        };
        check_within(Some(by), &self.permissions(account.role()).await?, owner.as_str())?;
        Ok(transaction.unchanged(key, revision))
    }

    /// The tokens of somebody, or of all, with their keys; whether they are good or not.
    pub(super) async fn found_tokens(&self, owner: TokenOwner<'_>) -> Result<Vec<(Arc<str>, TokenId, TokenRecord)>> {
        let entries = self.store.list_all(keys::TOKENS).await?.entries;
        let read = entries.into_iter().filter_map(|entry| {
            let record = entry.json::<TokenRecord>().ok().filter(|record| owner.is(record))?;
            let id = TokenId::of_key(&entry.key)?;
            Some((entry.key, id, record))
        });
        Ok(read.collect())
    }

    /// Removes the records of an account's tokens that are worth nothing any more.
    pub(super) async fn discard_tokens(&self, owner: &Username) -> Result<()> {
        let tokens = self.found_tokens(TokenOwner::One(owner)).await?;
        // Read after the tokens: one that was given since then is not among them.
        let account = self.store.get_json::<Account>(&keys::account(owner)).await?;
        let now = self.clock.now();
        for (key, _, record) in tokens {
            if !account.as_ref().is_some_and(|(account, _)| record.is_good(account, now)) {
                self.store.commit(Transaction::new().delete(key)).await?;
            }
        }
        Ok(())
    }

    /// Whose token it is by its hash, and what they may; nobody's if it must be shown in another way.
    pub(crate) async fn identify(&self, hash: &str, kind: TokenKind) -> Result<Option<Arc<Identity>>> {
        let now = self.clock.now();
        let Some(found) = self.find(hash, now).await?.filter(|found| found.kind == kind) else { return Ok(None) };
        if found.is_touch_due(now) {
            tokio::spawn(self.clone().touch(hash.to_owned(), now));
        }
        Ok(Some(Arc::clone(&found.identity)))
    }

    /// What is known of a token that is good.
    pub(super) async fn find(&self, hash: &str, now: Timestamp) -> Result<Option<Arc<Remembered>>> {
        let found = match self.identities.get(hash) {
            Some(found) => Some(found),
            None => self.look_up(hash, now).await?,
        };
        Ok(found.filter(|found| now < found.expires_at))
    }

    async fn look_up(&self, hash: &str, now: Timestamp) -> Result<Option<Arc<Remembered>>> {
        let version = self.identities.version();
        let Some((record, _)) = self.store.get_json::<TokenRecord>(&keys::token(hash)).await? else { return Ok(None) };
        let account = self.store.get_json::<Account>(&keys::account(&record.username)).await?;
        let Some((account, _)) = account.filter(|(account, _)| record.is_good(account, now)) else { return Ok(None) };
        let permissions = self.permissions(account.role()).await?;
        let identity = Arc::new(Identity { username: account.username, permissions });
        let found = Arc::new(Remembered::new(identity, &record));
        self.identities.remember(version, hash.to_owned(), Arc::clone(&found));
        Ok(Some(found))
    }

    /// Writes down that a token is used. If that does not work now, it does another time.
    async fn touch(self, hash: String, now: Timestamp) {
        let key = keys::token(&hash);
        let written = async {
            let Some((record, revision)) = self.store.get_json::<TokenRecord>(&key).await? else { return Ok(()) };
            let used = TokenRecord { last_used_at: Some(now), ..record };
            let transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key.clone(), &used)?;
            self.store.commit(transaction).await.map(drop)
        };
        if let Err::<(), Error>(error) = written.await {
            tracing::debug!(%error, "the use of a token was not written down");
        }
    }
}

/// Where a token's record lies.
pub(crate) fn token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}
