//! Sessions of browsers: tokens that count in a cookie only. And how long whoever watches something may go on.

use super::{Accounts, Identity, Result};
use pierhead_model::{RoleName, Timestamp, TokenKind, TokenRecord, Username};
use pierhead_store::StoreJson;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a session is good, in milliseconds: 12 hours.
pub(crate) const SESSION_LIFE_MS: u64 = 12 * 3600 * 1000;
/// How soon it is looked again at a store that does not work.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest that a timer is set; an end beyond it is looked at again.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Accounts {
    /// Checks a password and opens a session. An unknown name takes as long as a wrong password.
    ///
    /// # Errors
    /// If name and password do not belong together, or there were too many attempts.
    pub(crate) async fn open_session(
        &self,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
        client: &str,
    ) -> Result<(String, TokenRecord)> {
        let account = self.check_password(name, password, from).await?;
        let expires_at = self.clock.now().plus(SESSION_LIFE_MS);
        self.give_at_log_in(&account, client, expires_at, TokenKind::Session, from).await
    }

    /// The role of somebody, if there is such an account and it has one.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn role_of(&self, name: &Username) -> Result<Option<RoleName>> {
        let found = self.store.get_json::<pierhead_model::Account>(&pierhead_controller::keys::account(name)).await?;
        Ok(found.and_then(|(account, _)| account.role().cloned()))
    }

    /// Until when a token is good that was good just now.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn end_of(&self, hash: &str) -> Result<Option<Timestamp>> {
        Ok(self.find(hash, self.clock.now()).await?.map(|found| found.expires_at))
    }

    /// Returns when a token is not good any more, or its owner may other things than this identity.
    pub(crate) async fn ended(self, hash: String, identity: Arc<Identity>) {
        let mut changes = self.identities.changes();
        loop {
            changes.mark_unchanged();
            let now = self.clock.now();
            let left = match self.find(&hash, now).await {
                Ok(Some(found)) if found.identity == identity => {
                    Duration::from_millis(found.expires_at.since(now)).min(LONGEST)
                }
                Ok(_) => return,
                Err(_) => PAUSE,
            };
            tokio::select! {
                // The sender is a part of `self`.
                _ = changes.changed() => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }
}
