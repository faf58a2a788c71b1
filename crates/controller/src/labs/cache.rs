//! What was made with some effort and may be needed again, up to so many bytes: what was not asked for the longest goes
//! first. Several who ask for the same at once wait for one who makes it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// The least that anything counts, in bytes.
const LEAST: u64 = 512;

/// Values by their keys.
pub(crate) struct Cache<K, V> {
    most_bytes: u64,
    held: Mutex<Held<K, V>>,
}

struct Held<K, V> {
    entries: HashMap<K, Entry<V>>,
    bytes: u64,
    turn: u64,
}

struct Entry<V> {
    cell: Arc<OnceCell<V>>,
    bytes: u64,
    turn: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    /// Holds at most so many bytes, beside what is being made.
    pub(crate) fn new(most_bytes: u64) -> Self {
        Self { most_bytes, held: Mutex::new(Held { entries: HashMap::new(), bytes: 0, turn: 0 }) }
    }

    /// What is held for a key.
    pub(crate) fn peek(&self, key: &K) -> Option<V> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.turn += 1;
        let turn = held.turn;
        let entry = held.entries.get_mut(key)?;
        entry.turn = turn;
        entry.cell.get().cloned()
    }

    /// What is held for a key, or made now; `bytes` tells how much it is. What could not be made is tried again by the
    /// next who asks.
    pub(crate) async fn get<E>(
        &self,
        key: &K,
        bytes: impl Fn(&V) -> u64,
        make: impl AsyncFnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        let cell = self.cell(key);
        match cell.get_or_try_init(move || make()).await {
            Ok(value) => {
                self.made(key, bytes(value));
                Ok(value.clone())
            }
            Err(error) => {
                self.forget(key, &cell);
                Err(error)
            }
        }
    }

    fn cell(&self, key: &K) -> Arc<OnceCell<V>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.turn += 1;
        let turn = held.turn;
        let entry =
            held.entries.entry(key.clone()).or_insert_with(|| Entry { cell: Arc::default(), bytes: 0, turn: 0 });
        entry.turn = turn;
        Arc::clone(&entry.cell)
    }

    fn made(&self, key: &K, bytes: u64) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = bytes.max(LEAST);
        let Some(entry) = held.entries.get_mut(key) else { return };
        let before = std::mem::replace(&mut entry.bytes, bytes);
        held.bytes = held.bytes - before + bytes;
        while held.bytes > self.most_bytes {
            let oldest = held.entries.iter().filter(|(_, entry)| entry.bytes > 0).min_by_key(|(_, entry)| entry.turn);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
            if let Some(gone) = held.entries.remove(&oldest) {
                held.bytes -= gone.bytes;
            }
        }
    }

    /// One that could not be made is not held as if it were being made.
    fn forget(&self, key: &K, cell: &Arc<OnceCell<V>>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = held.entries.get(key).is_some_and(|entry| Arc::ptr_eq(&entry.cell, cell) && entry.bytes == 0);
        if is_it && !cell.initialized() {
            held.entries.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    async fn put(cache: &Cache<u32, u64>, key: u32, bytes: u64) {
        let _made = cache.get(&key, |bytes| *bytes, async || Ok::<_, ()>(bytes)).await;
    }

    #[tokio::test]
    async fn what_was_not_asked_for_the_longest_goes_first() {
        let cache = Cache::new(10_000);
        for key in 0..3 {
            put(&cache, key, 3_000).await;
        }
        assert_eq!(cache.peek(&0), Some(3_000));
        put(&cache, 3, 3_000).await;
        assert_eq!([0, 1, 2, 3].map(|key| cache.peek(&key).is_some()), [true, false, true, true]);
        put(&cache, 4, 50_000).await;
        assert_eq!(cache.peek(&4), None, "more than all that may be held");
        assert_eq!(cache.held.lock().unwrap().bytes, 0);
        for key in 10..100 {
            put(&cache, key, 0).await;
        }
        assert!(cache.held.lock().unwrap().entries.len() <= 19, "small things count too");
    }

    #[tokio::test]
    async fn what_several_ask_for_is_made_once() {
        let (cache, made) = (Cache::new(10_000), AtomicUsize::new(0));
        let make = async || {
            tokio::task::yield_now().await;
            Ok::<_, ()>(made.fetch_add(1, Ordering::SeqCst))
        };
        let all = (0..10).map(|_| cache.get(&1, |_| 1, &make));
        assert_eq!(futures_util::future::join_all(all).await, vec![Ok(0); 10]);
    }

    #[tokio::test]
    async fn what_could_not_be_made_is_tried_again() {
        let cache = Cache::new(10_000);
        assert_eq!(cache.get(&1, |_: &u32| 1, async || Err("no")).await, Err("no"));
        assert!(cache.held.lock().unwrap().entries.is_empty());
        assert_eq!(cache.get(&1, |_| 1, async || Ok::<_, ()>(7)).await, Ok(7));
    }
}
