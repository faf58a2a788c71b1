//! How many of something each account has open. Accounts that have none are not kept.

use pierhead_model::Username;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many each account has open.
#[derive(Debug, Clone, Default)]
pub struct Shares(Arc<Mutex<HashMap<Username, u64>>>);

/// One that an account has open, until it is dropped.
#[derive(Debug)]
pub struct Share {
    shares: Shares,
    account: Username,
}

impl Shares {
    /// One more of an account, unless it has `most` already.
    #[must_use]
    pub fn open_below(&self, account: &Username, most: u64) -> Option<Share> {
        let mut counts = self.counts();
        let open = counts.get(account).copied().unwrap_or_default();
        if open >= most {
            return None;
        }
        counts.insert(account.clone(), open + 1);
        Some(Share { shares: self.clone(), account: account.clone() })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Username, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self.shares.counts();
        match counts.get_mut(&self.account) {
            Some(open) if *open > 1 => *open -= 1,
            _ => drop(counts.remove(&self.account)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_has_its_own_share() {
        let shares = Shares::default();
        let (ann, bob) = (Username::parse("ann").unwrap(), Username::parse("bob").unwrap());
        let held = [shares.open_below(&ann, 2).unwrap(), shares.open_below(&ann, 2).unwrap()];
        assert!(shares.open_below(&ann, 2).is_none() && shares.open_below(&bob, 2).is_some());
        let [one, other] = held;
        drop(one);
        let again = shares.open_below(&ann, 2);
        assert!(again.is_some() && shares.open_below(&ann, 2).is_none());
        drop((other, again));
        assert!(shares.counts().is_empty(), "who has none is not kept");
    }
}
