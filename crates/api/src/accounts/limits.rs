//! How often somebody may try to log in: a bucket of attempts for each user name and for each address, in memory.
//!
//! A name counts as it was typed, whether there is such an account or not, so that a refusal tells nobody which.

use super::passwords::random_secret;
use pierhead_model::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// How many names, and how many addresses, are remembered.
const MOST_REMEMBERED: usize = 20_000;

/// How often somebody may try to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogInLimits {
    /// Attempts for one user name within the window; 0 for any number.
    pub per_account: u32,
    /// Failed attempts from one address within the window; 0 for any number.
    pub per_address: u32,
    /// How long it takes until all attempts are given back, in milliseconds. They come back one by one.
    pub window_ms: u64,
}

impl LogInLimits {
    /// As often as anybody likes.
    pub const OFF: Self = Self { per_account: 0, per_address: 0, window_ms: 1 };
}

impl Default for LogInLimits {
    /// Ten guesses, then one every 30 s; many may share an address.
    fn default() -> Self {
        Self { per_account: 10, per_address: 200, window_ms: 300_000 }
    }
}

/// What is left to whom.
pub(super) struct Attempts {
    limits: LogInLimits,
    /// Makes it impossible to find names that share a bucket.
    salt: String,
    left: Mutex<Left>,
}

#[derive(Default)]
struct Left {
    accounts: HashMap<[u8; 16], Bucket>,
    addresses: HashMap<IpAddr, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// An attempt that was let through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    account: Option<[u8; 16]>,
    address: Option<IpAddr>,
}

impl Attempts {
    pub fn new(limits: LogInLimits) -> Self {
        Self { limits, salt: random_secret(), left: Mutex::default() }
    }

    /// Counts an attempt before anything is looked up; or says after how many seconds the next one may be made.
    pub fn begin(&self, name: &str, address: Option<IpAddr>, now: Timestamp) -> Result<Attempt, u64> {
        let digest = Sha256::new().chain_update(&self.salt).chain_update(name).finalize();
        let mut account = [0; 16];
        account.copy_from_slice(&digest[..16]);
        let attempt = Attempt { account: Some(account), address: address.map(network) };
        let LogInLimits { per_account, per_address, window_ms } = self.limits;
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let Left { accounts, addresses } = &mut *left;
        let mut of_address = attempt.address.map(|key| refilled(addresses, key, per_address, window_ms, now));
        let mut of_account = refilled(accounts, account, per_account, window_ms, now);
        // Both are asked before either is charged: whoever is locked out uses up nothing of anybody else's.
        let waits = [of_account.wait(per_account, window_ms), of_address.map_or(0, |b| b.wait(per_address, window_ms))];
        if let Some(wait) = waits.into_iter().max().filter(|wait| *wait > 0) {
            return Err(wait);
        }
        of_account.tokens -= 1.0;
        charge(accounts, account, of_account, per_account);
        if let (Some(key), Some(bucket)) = (attempt.address, of_address.as_mut()) {
            bucket.tokens -= 1.0;
            charge(addresses, key, *bucket, per_address);
        }
        Ok(attempt)
    }

    /// The same for an attempt of which it is not known yet whose it is.
    pub fn begin_nameless(&self, address: Option<IpAddr>, now: Timestamp) -> Result<Attempt, u64> {
        let attempt = Attempt { account: None, address: address.map(network) };
        let LogInLimits { per_address, window_ms, .. } = self.limits;
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = attempt.address {
            let mut bucket = refilled(&left.addresses, key, per_address, window_ms, now);
            match bucket.wait(per_address, window_ms) {
                0 => bucket.tokens -= 1.0,
                wait => return Err(wait),
            }
            charge(&mut left.addresses, key, bucket, per_address);
        }
        Ok(attempt)
    }

    /// The password was right: the account starts anew, and the address gets its attempt back.
    pub fn succeeded(&self, attempt: Attempt) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = attempt.account {
            left.accounts.remove(&account);
        }
        if let Some(bucket) = attempt.address.and_then(|address| left.addresses.get_mut(&address)) {
            bucket.tokens = (bucket.tokens + 1.0).min(f64::from(self.limits.per_address));
        }
    }
}

impl Bucket {
    /// Whole seconds until it holds one attempt.
    fn wait(&self, most: u32, window_ms: u64) -> u64 {
        if most == 0 || self.tokens >= 1.0 {
            return 0;
        }
        let per_attempt_s = window_ms as f64 / f64::from(most) / 1000.0;
        ((1.0 - self.tokens) * per_attempt_s).ceil().max(1.0) as u64
    }
}

/// One address of IPv4; of IPv6 the network, since everybody has a whole one.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

fn refilled<K: std::hash::Hash + Eq>(
    buckets: &HashMap<K, Bucket>,
    key: K,
    most: u32,
    window_ms: u64,
    now: Timestamp,
) -> Bucket {
    let most = f64::from(most);
    let Some(found) = buckets.get(&key) else { return Bucket { tokens: most, at: now } };
    let regained = now.since(found.at) as f64 * most / window_ms.max(1) as f64;
    Bucket { tokens: (found.tokens + regained).min(most), at: now }
}

fn charge<K: std::hash::Hash + Eq + Copy>(buckets: &mut HashMap<K, Bucket>, key: K, bucket: Bucket, most: u32) {
    if most == 0 {
        return;
    }
    if buckets.len() >= MOST_REMEMBERED && !buckets.contains_key(&key) {
        forget_half(buckets);
    }
    buckets.insert(key, bucket);
}

/// Forgets those with the most attempts left: who is locked out stays so.
fn forget_half<K: std::hash::Hash + Eq + Copy>(buckets: &mut HashMap<K, Bucket>) {
    let mut by_left: Vec<(f64, K)> = buckets.iter().map(|(key, bucket)| (bucket.tokens, *key)).collect();
    by_left.sort_by(|one, other| one.0.total_cmp(&other.0));
    for (_, key) in by_left.drain(MOST_REMEMBERED / 2..) {
        buckets.remove(&key);
    }
}

#[cfg(test)]
mod tests;
