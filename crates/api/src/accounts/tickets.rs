//! Tickets: each opens one stream once, in place of a token that must not stand in an address. Kept in memory only.

use super::passwords::random_secret;
use super::{Accounts, AccountsError, Identity, Result};
use pierhead_model::{Timestamp, TokenKind};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a ticket is good, in milliseconds.
const LIFE_MS: u64 = 30_000;
/// How many there are at most, of one token and of all.
const MOST_OF_TOKEN: usize = 100;
const MOST: usize = 10_000;

/// Tickets that nobody came with yet, by their hashes.
#[derive(Default)]
pub(super) struct Tickets(Mutex<HashMap<[u8; 32], Ticket>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Ticket {
    resource: String,
    owner: Owner,
    expires_at: Timestamp,
}

/// The token that a ticket stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub token_hash: String,
    pub kind: TokenKind,
}

impl Tickets {
    /// A new ticket, if there are not too many.
    fn give(&self, resource: &str, owner: Owner, now: Timestamp) -> Option<(String, Timestamp)> {
        let mut tickets = self.lock();
        tickets.retain(|_, ticket| now < ticket.expires_at);
        let of_token = tickets.values().filter(|ticket| ticket.owner == owner).count();
        if of_token >= MOST_OF_TOKEN || tickets.len() >= MOST {
            return None;
        }
        let (secret, expires_at) = (random_secret(), now.plus(LIFE_MS));
        tickets.insert(hash(&secret), Ticket { resource: resource.to_owned(), owner, expires_at });
        Some((secret, expires_at))
    }

    /// Whose ticket it is. From then on it is worth nothing, also if it was shown at the wrong place.
    fn take(&self, secret: &str, resource: &str, now: Timestamp) -> Option<Owner> {
        let ticket = self.lock().remove(&hash(secret))?;
        (ticket.resource == resource && now < ticket.expires_at).then_some(ticket.owner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Ticket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

impl Accounts {
    /// A ticket for a path, and until when it is good.
    ///
    /// # Errors
    /// [`AccountsError::TooManyTickets`].
    pub(crate) fn give_ticket(&self, resource: &str, owner: Owner) -> Result<(String, Timestamp)> {
        self.tickets.give(resource, owner, self.clock.now()).ok_or(AccountsError::TooManyTickets)
    }

    /// Who comes with a ticket, as they are now: its token must still be good.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn redeem(&self, secret: &str, resource: &str) -> Result<Option<(Owner, Arc<Identity>)>> {
        let Some(owner) = self.tickets.take(secret, resource, self.clock.now()) else { return Ok(None) };
        let identity = self.identify(&owner.token_hash, owner.kind).await?;
        Ok(identity.map(|identity| (owner, identity)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/api/events/stream";
    const NOW: Timestamp = Timestamp(1_000);

    fn owner(hash: &str) -> Owner {
        Owner { token_hash: hash.to_owned(), kind: TokenKind::Token }
    }

    #[test]
    fn a_ticket_opens_one_path_once_and_not_for_long() {
        let tickets = Tickets::default();
        let give = || tickets.give(PATH, owner("a"), NOW).unwrap().0;
        let last = NOW.plus(LIFE_MS - 1);
        let good = give();
        assert_eq!(tickets.take(&good, PATH, last), Some(owner("a")));
        assert_eq!(tickets.take(&good, PATH, last), None, "only once");
        assert_eq!(tickets.take(&give(), PATH, NOW.plus(LIFE_MS)), None, "not after its time");
        let elsewhere = give();
        assert_eq!(tickets.take(&elsewhere, "/api/events/streams", NOW), None);
        assert_eq!(tickets.take(&elsewhere, PATH, NOW), None, "who tries it elsewhere has lost it");
        assert_eq!(tickets.take("", PATH, NOW), None);
        assert_ne!(give(), give());
    }

    #[test]
    fn their_number_is_bounded_and_nobody_takes_anothers_part() {
        let tickets = Tickets::default();
        let give = |of: &str, now| tickets.give(PATH, owner(of), now);
        for _ in 0..MOST_OF_TOKEN {
            assert!(give("a", NOW).is_some());
        }
        assert_eq!(give("a", NOW), None);
        assert!(give("b", NOW).is_some());
        assert!(give("a", NOW.plus(LIFE_MS)).is_some(), "old ones make room");
        for of in 0..MOST / MOST_OF_TOKEN + 1 {
            for _ in 0..MOST_OF_TOKEN {
                give(&of.to_string(), NOW.plus(LIFE_MS));
            }
        }
        assert_eq!((give("z", NOW.plus(LIFE_MS)), tickets.lock().len()), (None, MOST));
    }
}
