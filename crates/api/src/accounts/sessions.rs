//! Sessions of browsers: tokens that count in a cookie only. And how long whoever watches something may go on.

use super::tokens::TokenOwner;
use super::{Accounts, AccountsError, Identity, Result};
use pierhead_controller::keys;
use pierhead_model::{Account, RoleName, Timestamp, TokenKind, TokenRecord, Username};
use pierhead_store::{StoreJson, Transaction};
use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a session is good, in milliseconds: 12 hours.
pub(crate) const SESSION_LIFE_MS: u64 = 12 * 3600 * 1000;
/// The most sessions of browsers that an account has, and the most log-ins of programs: with one more, that which was used
/// longest ago ends.
const MOST_LOG_INS: usize = 100;
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
        let client = browser_name(client);
        self.give_at_log_in(&account, &client, expires_at, TokenKind::Session, from, "").await
    }

    /// Opens a session for an account that was found by something else than a password.
    ///
    /// # Errors
    /// Those of the store, or if the account is suspended.
    pub(crate) async fn open_session_by(
        &self,
        how: &str,
        account: &Account,
        from: Option<IpAddr>,
        client: &str,
    ) -> Result<(String, TokenRecord)> {
        if account.suspended_at.is_some() {
            self.tell_refused(account.username.as_str(), from, "suspended").await;
            return Err(AccountsError::Suspended);
        }
        let expires_at = self.clock.now().plus(SESSION_LIFE_MS);
        let client = browser_name(client);
        self.give_at_log_in(account, &client, expires_at, TokenKind::Session, from, how).await
    }

    /// Ends the log-ins of a kind that an account has beyond the most.
    pub(super) async fn end_surplus(&self, account: &Account, kind: TokenKind) -> Result<()> {
        let now = self.clock.now();
        let mut live = self.found_tokens(TokenOwner::One(&account.username)).await?;
        live.retain(|(_, _, record)| record.at_log_in && record.kind == kind && record.is_good(account, now));
        live.sort_by_key(|(_, _, record)| Reverse((record.last_used_at, record.created_at)));
        for (key, _, record) in live.drain(MOST_LOG_INS.min(live.len())..) {
            let message = format!("name={} account={}", record.name, record.username);
            let transaction = self.with_event(Transaction::new().delete(key.clone()), "delete-token", message, None)?;
            self.store.commit(transaction).await?;
            self.identities.forget(key.strip_prefix(keys::TOKENS).unwrap_or_default());
        }
        Ok(())
    }

    /// The role of somebody, if there is such an account and it has one.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn role_of(&self, name: &Username) -> Result<Option<RoleName>> {
        let found = self.store.get_json::<Account>(&keys::account(name)).await?;
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

/// What a browser says it is, in few words: `Firefox, Linux`. Anything else as it is.
fn browser_name(agent: &str) -> String {
    // Most browsers name those that they are like, too: the first that is found counts.
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("HeadlessChrome/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    if !agent.starts_with("Mozilla/") {
        return agent.to_owned();
    }
    let of =
        |known: [(&str, &'static str); 6]| known.iter().find(|(mark, _)| agent.contains(mark)).map(|found| found.1);
    match (of(BROWSERS), of(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => agent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser_name;

    #[test]
    fn sessions_are_called_by_browser_and_system() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537 (KHTML, like Gecko) Chrome/141 Safari/537",
                "Chrome, Linux",
            ),
            ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/141 Safari/537 Edg/141", "Edge, Windows"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14.1; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, macOS"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604", "Safari, iOS"),
            ("Mozilla/5.0 (Linux; Android 15) Chrome/141 Mobile Safari/537", "Chrome, Android"),
            ("Mozilla/5.0 (compatible; Linux)", "Linux"),
            ("Mozilla/5.0", "Mozilla/5.0"),
            ("Firefox/200", "Firefox/200"),
            ("curl/8 (Windows)", "curl/8 (Windows)"),
        ] {
            assert_eq!(browser_name(agent), name, "{agent}");
        }
    }
}
