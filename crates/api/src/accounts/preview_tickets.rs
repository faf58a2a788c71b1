//! Tickets for previews. Whoever has one may come to any controller, and each is good once in the whole pool: so they are
//! records, by their hashes, which go when they are used.

use super::passwords::random_secret;
use super::{Accounts, AccountsError, Owner, token_hash};
use pierhead_controller::keys;
use pierhead_model::{Timestamp, TokenKind};
use pierhead_store::{Error, StoreJson, Transaction};
use serde::{Deserialize, Serialize};

/// How long a ticket is good, in milliseconds.
const LIFE_MS: u64 = 30_000;
/// How many there are at most, of one token and of all.
const MOST_OF_TOKEN: usize = 100;
const MOST: usize = 10_000;
/// How many that nobody came with are removed when a new one is given; a transaction has no room for many more.
const REMOVED_AT_ONCE: usize = 90;

#[derive(Debug, Serialize, Deserialize)]
struct Ticket {
    name: String,
    token_hash: String,
    kind: TokenKind,
    expires_at: Timestamp,
}

impl Accounts {
    /// A ticket for a preview, and until when it is good.
    ///
    /// # Errors
    /// [`AccountsError::TooManyTickets`], or those of the store.
    pub(crate) async fn give_preview_ticket(
        &self,
        name: &str,
        owner: Owner,
    ) -> Result<(String, Timestamp), AccountsError> {
        let now = self.clock.now();
        let mut transaction = Transaction::new();
        let (mut of_token, mut all, mut removed) = (0, 0, 0);
        for entry in self.store.list_all(keys::PREVIEW_TICKETS).await?.entries {
            match entry.json::<Ticket>() {
                Ok(ticket) if now < ticket.expires_at => {
                    all += 1;
                    of_token += usize::from(ticket.token_hash == owner.token_hash);
                }
                _ if removed < REMOVED_AT_ONCE => {
                    removed += 1;
                    transaction = transaction.delete(entry.key);
                }
                _ => {}
            }
        }
        if of_token >= MOST_OF_TOKEN || all >= MOST {
            return Err(AccountsError::TooManyTickets);
        }
        let (secret, expires_at) = (random_secret(), now.plus(LIFE_MS));
        let ticket = Ticket { name: name.to_owned(), token_hash: owner.token_hash, kind: owner.kind, expires_at };
        self.store.commit(transaction.put_json(key(&secret), &ticket)?).await?;
        Ok((secret, expires_at))
    }

    /// Whether there is a good token of this hash, however it must be shown.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn is_token(&self, hash: &str) -> Result<bool, AccountsError> {
        Ok(self.find(hash, self.clock.now()).await?.is_some())
    }

    /// Whose ticket it is. From then on it is worth nothing, also if it was shown at the wrong place.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn redeem_preview_ticket(&self, secret: &str, name: &str) -> Result<Option<Owner>, AccountsError> {
        let key = key(secret);
        let Some((ticket, revision)) = self.store.get_json::<Ticket>(&key).await? else { return Ok(None) };
        let used = Transaction::new().unchanged(key.clone(), revision).delete(key);
        match self.store.commit(used).await {
            Ok(_) => {}
            // Somebody else came with it at the same moment.
            Err(Error::Conflict { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let is_good = ticket.name == name && self.clock.now() < ticket.expires_at;
        Ok(is_good.then_some(Owner { token_hash: ticket.token_hash, kind: ticket.kind }))
    }
}

fn key(secret: &str) -> String {
    format!("{}{}", keys::PREVIEW_TICKETS, token_hash(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_controller::Clock;
    use pierhead_store::{Embedded, Store};
    use std::sync::Arc;

    fn owner(hash: &str) -> Owner {
        Owner { token_hash: hash.to_owned(), kind: TokenKind::Session }
    }

    async fn accounts() -> (tempfile::TempDir, Accounts, Accounts) {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(dir.path()).unwrap());
        let one = Accounts::new(Arc::clone(&store), Clock::start()).unwrap();
        (dir, one, Accounts::new(store, Clock::start()).unwrap())
    }

    #[tokio::test]
    async fn a_ticket_is_good_once_at_one_place_at_any_controller() {
        let (_dir, here, there) = accounts().await;
        let give = async || here.give_preview_ticket("80-a", owner("h")).await.unwrap().0;
        let good = give().await;
        assert_eq!(there.redeem_preview_ticket(&good, "80-a").await.unwrap(), Some(owner("h")));
        assert_eq!(here.redeem_preview_ticket(&good, "80-a").await.unwrap(), None, "only once");
        let elsewhere = give().await;
        assert_eq!(here.redeem_preview_ticket(&elsewhere, "81-a").await.unwrap(), None);
        assert_eq!(
            here.redeem_preview_ticket(&elsewhere, "80-a").await.unwrap(),
            None,
            "who tries it elsewhere has lost it"
        );
        for bad in ["", "x", "../tokens/x"] {
            assert_eq!(here.redeem_preview_ticket(bad, "80-a").await.unwrap(), None);
        }
        let raced = give().await;
        let racing = (0..8).map(|at| {
            let accounts = if at % 2 == 0 { here.clone() } else { there.clone() };
            let raced = raced.clone();
            tokio::spawn(async move { accounts.redeem_preview_ticket(&raced, "80-a").await.unwrap() })
        });
        let mut won = 0;
        for racer in racing.collect::<Vec<_>>() {
            won += usize::from(racer.await.unwrap().is_some());
        }
        assert_eq!(won, 1);
        assert!(here.store.list_all(keys::PREVIEW_TICKETS).await.unwrap().entries.is_empty(), "nothing stays");
    }

    #[tokio::test]
    async fn their_number_is_bounded_and_old_ones_go() {
        let (_dir, here, _) = accounts().await;
        for _ in 0..MOST_OF_TOKEN {
            here.give_preview_ticket("80-a", owner("h")).await.unwrap();
        }
        let refused = here.give_preview_ticket("80-a", owner("h")).await;
        assert!(matches!(refused, Err(AccountsError::TooManyTickets)));
        let (theirs, _) = here.give_preview_ticket("80-a", owner("other")).await.unwrap();
        let (key, past) = (key(&theirs), Timestamp(1));
        let old = Ticket {
            name: "80-a".to_owned(),
            token_hash: "other".to_owned(),
            kind: TokenKind::Token,
            expires_at: past,
        };
        here.store.put_json(&key, &old).await.unwrap();
        assert_eq!(here.redeem_preview_ticket(&theirs, "80-a").await.unwrap(), None, "not after its time");
        here.store.put_json(&key, &old).await.unwrap();
        here.give_preview_ticket("80-a", owner("third")).await.unwrap();
        assert!(here.store.get(&key).await.unwrap().is_none());
    }

    /// Writes down tickets that are good until a moment, of as many tokens.
    async fn written(accounts: &Accounts, count: usize, expires_at: Timestamp) {
        let ticket = |at: usize| Ticket {
            name: "80-a".to_owned(),
            token_hash: format!("of-{at}"),
            kind: TokenKind::Token,
            expires_at,
        };
        for from in (0..count).step_by(100) {
            let all = (from..count.min(from + 100)).try_fold(Transaction::new(), |all, at| {
                all.put_json(key(&format!("{at} until {}", expires_at.0)), &ticket(at))
            });
            accounts.store.commit(all.unwrap()).await.unwrap();
        }
    }

    async fn count(accounts: &Accounts) -> usize {
        accounts.store.list_all(keys::PREVIEW_TICKETS).await.unwrap().entries.len()
    }

    #[tokio::test]
    async fn all_together_are_bounded_too_and_those_that_are_over_do_not_count() {
        let (_dir, here, there) = accounts().await;
        let later = here.clock.now().plus(3_600_000);
        written(&here, MOST - 1, later).await;
        let (last, _) = there.give_preview_ticket("80-a", owner("h")).await.unwrap();
        let refused = here.give_preview_ticket("80-a", owner("other")).await;
        assert!(matches!(refused, Err(AccountsError::TooManyTickets)), "at whichever controller they were given");
        assert_eq!(count(&here).await, MOST);
        assert!(here.redeem_preview_ticket(&last, "80-a").await.unwrap().is_some());
        there.give_preview_ticket("80-a", owner("other")).await.unwrap();
    }

    #[tokio::test]
    async fn those_that_are_over_go_some_at_a_time_and_what_nobody_can_read_with_them() {
        let (_dir, here, _) = accounts().await;
        written(&here, REMOVED_AT_ONCE + 50, Timestamp(1)).await;
        here.store.put_json(&key("strange"), &"no ticket").await.unwrap();
        let mut left = Vec::new();
        for _ in 0..3 {
            here.give_preview_ticket("80-a", owner("h")).await.unwrap();
            left.push(count(&here).await);
        }
        assert_eq!(left, [51 + 1, 2, 3], "each time one comes, and so many go at most");
        let strange = here.store.get(&key("strange")).await.unwrap();
        assert!(strange.is_none());
    }

    #[tokio::test]
    async fn a_ticket_tells_nothing_of_itself_where_it_is_kept() {
        let (_dir, here, _) = accounts().await;
        let (one, until) = here.give_preview_ticket("80-a", owner("h")).await.unwrap();
        let (other, _) = here.give_preview_ticket("80-a", owner("h")).await.unwrap();
        assert_ne!(one, other);
        assert!(here.clock.now() < until && until <= here.clock.now().plus(LIFE_MS));
        for entry in here.store.list_all(keys::PREVIEW_TICKETS).await.unwrap().entries {
            let text = format!("{} {}", entry.key, String::from_utf8_lossy(&entry.value));
            assert!(!text.contains(&one) && !text.contains(&other), "{text}");
        }
        assert_eq!(here.redeem_preview_ticket(&other, "80-a").await.unwrap(), Some(owner("h")), "each for itself");
        assert_eq!(here.redeem_preview_ticket(&one, "80-a").await.unwrap(), Some(owner("h")));
    }
}
