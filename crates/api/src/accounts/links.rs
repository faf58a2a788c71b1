//! Links with which somebody logs in once: made by who may, for whoever has no password, or forgot it. What is kept of one is
//! its hash. And links of the school's site that were used.

use super::passwords::random_secret;
use super::{Accounts, AccountsError, Identity, Result, check_within, token_hash};
use pierhead_controller::keys;
use pierhead_identity::RedirectLink;
use pierhead_model::{Account, Permission, Timestamp, Username};
use pierhead_store::{Error, StoreJson, Transaction};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most links of one account that nobody has used yet; with one more, the oldest is worth nothing.
const MOST_OF_ONE: usize = 5;

/// A link that can be used.
#[derive(Debug, Serialize, Deserialize)]
struct Link {
    username: Username,
    /// A link is worth nothing once the account's password changed or it was suspended.
    epoch: String,
    made_at: Timestamp,
    expires_at: Timestamp,
}

/// That a link of the school's site was used.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Used {
    pub expires_at: Timestamp,
}

/// For whom somebody makes links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkFor {
    /// For everybody who may no more than they.
    Anybody,
    /// For those who may work through labs and nothing else, in a course that they give.
    Students,
}

impl Accounts {
    /// Makes a link for an account: its secret, and until when it is good.
    ///
    /// # Errors
    /// If there is no such account, it is suspended, or it may do more than who makes the link.
    pub(crate) async fn give_link(
        &self,
        name: &Username,
        minutes: u32,
        whom: LinkFor,
        by: &Identity,
    ) -> Result<(String, Timestamp)> {
        let key = keys::account(name);
        let found = self.store.get_json::<Account>(&key).await?;
        let (account, revision) = found.ok_or_else(|| AccountsError::NotFound(name.to_string()))?;
        let permissions = self.permissions(account.role()).await?;
        match whom {
            LinkFor::Anybody => check_within(Some(by), &permissions, name.as_str())?,
            LinkFor::Students if permissions.is_subset(&BTreeSet::from([Permission::ReadLabs])) => {}
            LinkFor::Students => return Err(AccountsError::NoStudent(name.to_string())),
        }
        if account.suspended_at.is_some() {
            return Err(AccountsError::Suspended);
        }
        let now = self.clock.now();
        let (secret, expires_at) = (random_secret(), now.plus(u64::from(minutes) * 60_000));
        let link = Link { username: name.clone(), epoch: account.token_epoch, made_at: now, expires_at };
        // Whoever is given another role at the same moment gets no link of before.
        let mut transaction = Transaction::new().unchanged(key, revision).put_json(link_key(&secret), &link)?;
        for surplus in self.surplus_links(name).await? {
            transaction = transaction.delete(surplus);
        }
        let message = format!("name={name} minutes={minutes}");
        let transaction = self.with_event(transaction, "give-link", message, Some(&by.username))?;
        self.store.commit(transaction).await?;
        Ok((secret, expires_at))
    }

    /// The keys of the oldest links of an account, such that there is room for one more.
    async fn surplus_links(&self, name: &Username) -> Result<Vec<std::sync::Arc<str>>> {
        let mut theirs = Vec::new();
        for entry in self.store.list_all(keys::LINKS).await?.entries {
            match entry.json::<Link>() {
                Ok(link) if link.username == *name => theirs.push((link.made_at, entry.key)),
                _ => {}
            }
        }
        theirs.sort();
        let surplus = (theirs.len() + 1).saturating_sub(MOST_OF_ONE);
        Ok(theirs.into_iter().take(surplus).map(|(_, key)| key).collect())
    }

    /// Whose link it is, and uses it up.
    ///
    /// # Errors
    /// [`AccountsError::LinkGone`] if it is worth nothing.
    pub(crate) async fn redeem_link(&self, secret: &str) -> Result<Account> {
        let key = link_key(secret);
        let (link, revision) = self.store.get_json::<Link>(&key).await?.ok_or(AccountsError::LinkGone)?;
        match self.store.commit(Transaction::new().unchanged(key.clone(), revision).delete(key)).await {
            Ok(_) => {}
            // Somebody else came with it at the same moment.
            Err(Error::Conflict { .. }) => return Err(AccountsError::LinkGone),
            Err(error) => return Err(error.into()),
        }
        let account = self.store.get_json::<Account>(&keys::account(&link.username)).await?;
        let is_good = |account: &Account| account.token_epoch == link.epoch && self.clock.now() < link.expires_at;
        account.map(|(account, _)| account).filter(is_good).ok_or(AccountsError::LinkGone)
    }

    /// Notes that a link of the school's site is used: true once for each, at whichever controller.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn use_redirect(&self, link: &RedirectLink) -> Result<bool> {
        let key = format!("{}{}", keys::REDIRECTS, token_hash(&link.nonce));
        let used = Used { expires_at: link.expires_at };
        match self.store.commit(Transaction::new().absent(key.clone()).put_json(key, &used)?).await {
            Ok(_) => Ok(true),
            Err(Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn link_key(secret: &str) -> String {
    format!("{}{}", keys::LINKS, token_hash(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_controller::Clock;
    use pierhead_model::Role;
    use pierhead_store::{Embedded, Store};
    use std::sync::Arc;

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    async fn accounts() -> (tempfile::TempDir, Accounts, Identity, Identity) {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(dir.path()).unwrap());
        let accounts = Accounts::new(store, Clock::start()).unwrap();
        accounts.first_start("correct horse").await.unwrap();
        for (who, role) in [("li", "student"), ("wang", "teacher"), ("zhao", "teacher")] {
            accounts.add(&name(who), None, "correct horse", role, false, None).await.unwrap();
        }
        let as_role = |who: &str, role: &str| {
            let permissions = Role::built_in().into_iter().find(|found| found.name.0 == role).unwrap().permissions;
            Identity { username: name(who), permissions }
        };
        (dir, accounts, as_role("admin", "admin"), as_role("wang", "teacher"))
    }

    #[tokio::test]
    async fn a_link_is_good_once_and_for_its_time() {
        let (_dir, accounts, admin, _) = accounts().await;
        let give = async |minutes| accounts.give_link(&name("li"), minutes, LinkFor::Anybody, &admin).await.unwrap().0;
        let good = give(60).await;
        assert_eq!(accounts.redeem_link(&good).await.unwrap().username, name("li"));
        let gone = |result: Result<Account>| matches!(result, Err(AccountsError::LinkGone));
        assert!(gone(accounts.redeem_link(&good).await), "only once");
        assert!(gone(accounts.redeem_link(&give(0).await).await), "not after its time");
        assert!(gone(accounts.redeem_link("").await) && gone(accounts.redeem_link("../x").await));
        let before = give(60).await;
        accounts.reset_password(&name("li"), "another horse").await.unwrap();
        assert!(gone(accounts.redeem_link(&before).await), "not after the password changed");
        let raced = give(60).await;
        let racing = (0..6).map(|_| {
            let (accounts, raced) = (accounts.clone(), raced.clone());
            tokio::spawn(async move { accounts.redeem_link(&raced).await.is_ok() })
        });
        let mut won = 0;
        for racer in racing.collect::<Vec<_>>() {
            won += usize::from(racer.await.unwrap());
        }
        assert_eq!(won, 1);
    }

    #[tokio::test]
    async fn nobody_makes_a_link_for_who_may_more() {
        let (_dir, accounts, admin, teacher) = accounts().await;
        let by_teacher = async |who| accounts.give_link(&name(who), 60, LinkFor::Students, &teacher).await;
        assert!(by_teacher("li").await.is_ok());
        for more in ["admin", "zhao"] {
            assert!(matches!(by_teacher(more).await, Err(AccountsError::NoStudent(_))), "{more}");
        }
        let limited = Identity { username: name("clerk"), permissions: BTreeSet::from([Permission::WriteAccounts]) };
        let refused = accounts.give_link(&name("li"), 60, LinkFor::Anybody, &limited).await;
        assert!(matches!(refused, Err(AccountsError::Beyond(_))));
        accounts.suspend(&name("li"), &admin).await.unwrap();
        assert!(matches!(by_teacher("li").await, Err(AccountsError::Suspended)));
        assert!(matches!(by_teacher("nobody").await, Err(AccountsError::NotFound(_))));
    }

    #[tokio::test]
    async fn their_number_is_bounded_and_nothing_of_them_is_kept() {
        let (_dir, accounts, admin, _) = accounts().await;
        let mut given = Vec::new();
        for _ in 0..MOST_OF_ONE + 2 {
            given.push(accounts.give_link(&name("li"), 60, LinkFor::Anybody, &admin).await.unwrap().0);
        }
        let kept = accounts.store.list_all(keys::LINKS).await.unwrap().entries;
        assert_eq!(kept.len(), MOST_OF_ONE);
        for entry in &kept {
            let text = format!("{} {}", entry.key, String::from_utf8_lossy(&entry.value));
            assert!(!given.iter().any(|secret| text.contains(secret.as_str())), "{text}");
        }
        assert!(accounts.redeem_link(given.last().unwrap()).await.is_ok());
    }

    #[tokio::test]
    async fn a_link_of_the_school_counts_once() {
        let (_dir, accounts, ..) = accounts().await;
        let link = |nonce: &str| RedirectLink {
            username: name("li"),
            course: None,
            lab: None,
            nonce: nonce.to_owned(),
            expires_at: Timestamp(9),
        };
        assert!(accounts.use_redirect(&link("0123456789abcdef")).await.unwrap());
        assert!(!accounts.use_redirect(&link("0123456789abcdef")).await.unwrap());
        assert!(accounts.use_redirect(&link("0123456789abcdeF")).await.unwrap());
    }
}
