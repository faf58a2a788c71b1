//! Who the tokens in use belong to, remembered: every request asks. Bounded; whatever changes in the store is forgotten
//! here at once, so that a revoked token is worth nothing from then on.

use pierhead_controller::keys;
use pierhead_model::{Permission, Timestamp, TokenKind, TokenRecord, Username};
use pierhead_store::{Result, Store};
use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::watch;

/// How many are remembered.
const MOST_REMEMBERED: usize = 10_000;
/// How long the store is left alone after a watch broke.
const PAUSE: Duration = Duration::from_secs(1);
/// How coarsely it is written down when a token was used, in milliseconds.
pub(super) const COARSE_MS: u64 = 600_000;

/// Somebody whose token was good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub username: Username,
    pub permissions: BTreeSet<Permission>,
}

/// Somebody who is remembered.
#[derive(Debug)]
pub(super) struct Remembered {
    pub identity: Arc<Identity>,
    pub kind: TokenKind,
    pub expires_at: Timestamp,
    /// From when on its use shall be written down again.
    touch_at: AtomicU64,
}

impl Remembered {
    pub fn new(identity: Arc<Identity>, record: &TokenRecord) -> Self {
        let touch_at = record.last_used_at.map_or(0, |used| used.plus(COARSE_MS).0);
        Self { identity, kind: record.kind, expires_at: record.expires_at, touch_at: AtomicU64::new(touch_at) }
    }

    /// Whether its use shall be written down now; yes only once.
    pub fn is_touch_due(&self, now: Timestamp) -> bool {
        let due = self.touch_at.load(Ordering::Relaxed);
        let next = now.plus(COARSE_MS).0;
        now.0 >= due && self.touch_at.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Identities by the hashes of their tokens.
#[derive(Debug, Default)]
pub(super) struct Identities {
    state: RwLock<State>,
    /// Tells of every change, without saying which.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether changes of the store arrive here. Nothing is remembered while they do not.
    is_live: bool,
    /// Rises with every change: what was read before it is not remembered after it.
    version: u64,
    by_hash: HashMap<String, Arc<Remembered>>,
}

impl Identities {
    pub fn get(&self, hash: &str) -> Option<Arc<Remembered>> {
        self.read().by_hash.get(hash).cloned()
    }

    /// Tells of every change of tokens, accounts and roles from now on.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// To be asked before the records are read.
    pub fn version(&self) -> u64 {
        self.read().version
    }

    /// Remembers what was read, unless anything changed since the version was asked for.
    pub fn remember(&self, version: u64, hash: String, found: Arc<Remembered>) {
        let mut state = self.write();
        if !state.is_live || state.version != version {
            return;
        }
        if state.by_hash.len() >= MOST_REMEMBERED {
            state.by_hash.clear();
        }
        state.by_hash.insert(hash, found);
    }

    /// A token has changed.
    pub fn forget(&self, hash: &str) {
        let mut state = self.write();
        state.version += 1;
        state.by_hash.remove(hash);
        self.changed.send_replace(state.version);
    }

    /// An account or a role has changed.
    pub fn forget_all(&self) {
        self.become_live(None);
    }

    fn become_live(&self, is_live: Option<bool>) {
        let mut state = self.write();
        state.version += 1;
        state.by_hash.clear();
        state.is_live = is_live.unwrap_or(state.is_live);
        self.changed.send_replace(state.version);
    }

    /// Forgets what others change in the store, for ever.
    pub async fn follow(self: Arc<Self>, store: Arc<dyn Store>) {
        loop {
            let Err(error) = self.watch(&*store).await;
            tracing::debug!(%error, "who is logged in is read anew for each request until the store can be watched");
            self.become_live(Some(false));
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn watch(&self, store: &dyn Store) -> Result<Infallible> {
        let from = store.list(keys::TOKENS, None, 1).await?.revision;
        let mut tokens = store.watch(keys::TOKENS, from).await?;
        let mut accounts = store.watch(keys::ACCOUNTS, from).await?;
        let mut roles = store.watch(keys::ROLES, from).await?;
        self.become_live(Some(true));
        loop {
            tokio::select! {
                changes = tokens.next() => {
                    for change in changes?.changes {
                        self.forget(change.key.strip_prefix(keys::TOKENS).unwrap_or_default());
                    }
                }
                changes = accounts.next() => drop((changes?, self.forget_all())),
                changes = roles.next() => drop((changes?, self.forget_all())),
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(last_used_at: Option<Timestamp>) -> TokenRecord {
        TokenRecord {
            username: Username::parse("ann").unwrap(),
            created_at: Timestamp(0),
            expires_at: Timestamp(100),
            name: String::new(),
            last_used_at,
            epoch: String::new(),
            kind: TokenKind::Token,
            at_log_in: false,
        }
    }

    fn somebody() -> Arc<Remembered> {
        let identity = Identity { username: Username::parse("ann").unwrap(), permissions: BTreeSet::new() };
        Arc::new(Remembered::new(Arc::new(identity), &record(None)))
    }

    fn live() -> Identities {
        let identities = Identities::default();
        identities.become_live(Some(true));
        identities
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let identities = live();
        let version = identities.version();
        identities.forget("another");
        identities.remember(version, "hash".to_owned(), somebody());
        assert!(identities.get("hash").is_none());
        identities.remember(identities.version(), "hash".to_owned(), somebody());
        assert!(identities.get("hash").is_some());
        identities.forget("hash");
        assert!(identities.get("hash").is_none());
    }

    #[test]
    fn nothing_is_remembered_while_changes_do_not_arrive() {
        let identities = live();
        identities.remember(identities.version(), "hash".to_owned(), somebody());
        identities.become_live(Some(false));
        identities.remember(identities.version(), "hash".to_owned(), somebody());
        assert!(identities.get("hash").is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let identities = live();
        for n in 0..MOST_REMEMBERED + 10 {
            identities.remember(identities.version(), n.to_string(), somebody());
        }
        assert!(identities.read().by_hash.len() <= MOST_REMEMBERED);
        assert!(identities.get(&(MOST_REMEMBERED + 9).to_string()).is_some());
    }

    #[test]
    fn use_is_written_down_now_and_then() {
        let found = somebody();
        assert!(found.is_touch_due(Timestamp(5)) && !found.is_touch_due(Timestamp(6)));
        assert!(!found.is_touch_due(Timestamp(COARSE_MS)) && found.is_touch_due(Timestamp(5 + COARSE_MS)));
        let fresh = Remembered::new(Arc::clone(&found.identity), &record(Some(Timestamp(5))));
        assert!(!fresh.is_touch_due(Timestamp(6)));
    }
}
