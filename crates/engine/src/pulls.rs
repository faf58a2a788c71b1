//! One pull per image at a time, and one load per archive: whoever asks for an image that is on its way waits for it.

use crate::{EngineError, Progress, Result};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The pulls that are under way, by what is pulled.
#[derive(Debug)]
pub(crate) struct Pulls<K> {
    running: Mutex<HashMap<K, Arc<watch::Sender<State>>>>,
}

impl<K> Default for Pulls<K> {
    fn default() -> Self {
        Self { running: Mutex::default() }
    }
}

#[derive(Debug, Clone, Default)]
struct State {
    percent: u8,
    result: Option<Result<()>>,
}

impl<K: Clone + Eq + Hash + Send + 'static> Pulls<K> {
    /// Waits for the pull of an image, and starts it with `pull` if there is none. A pull goes on as long as
    /// anybody waits for it.
    pub(crate) async fn join<P, F>(self: &Arc<Self>, image: &K, progress: Progress, pull: P) -> Result<()>
    where
        P: FnOnce(Progress) -> F,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (mut state, entry) = self.enter(image);
        if let Some(entry) = entry {
            let sender = entry.sender.clone();
            let report: Progress = Arc::new(move |percent| {
                sender.send_if_modified(|state| {
                    let rises = percent > state.percent;
                    state.percent = state.percent.max(percent);
                    rises
                });
            });
            tokio::spawn(entry.run(pull(report)));
        }
        let mut told = None;
        loop {
            let State { percent, result } = state.borrow_and_update().clone();
            if told.is_none_or(|told| percent > told) {
                told = Some(percent);
                progress(percent);
            }
            if let Some(result) = result {
                return result;
            }
            if state.changed().await.is_err() {
                return Err(EngineError::Failed("the transfer was given up".to_owned()));
            }
        }
    }

    /// Joins whoever pulls the image, or enters it into the list: the entry is for the one who then pulls it. Nothing may be
    /// spawned under the lock: a runtime that is ending drops what it is given at once, and an entry that is dropped takes the lock.
    fn enter(self: &Arc<Self>, image: &K) -> (watch::Receiver<State>, Option<Entry<K>>) {
        let mut running = self.lock();
        if let Some(sender) = running.get(image) {
            return (sender.subscribe(), None);
        }
        let (sender, receiver) = watch::channel(State::default());
        let sender = Arc::new(sender);
        running.insert(image.clone(), sender.clone());
        (receiver, Some(Entry { pulls: self.clone(), image: image.clone(), sender }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<watch::Sender<State>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pull's place in the list, given back when the pull ends in whatever way.
struct Entry<K: Clone + Eq + Hash + Send + 'static> {
    pulls: Arc<Pulls<K>>,
    image: K,
    sender: Arc<watch::Sender<State>>,
}

impl<K: Clone + Eq + Hash + Send + 'static> Entry<K> {
    async fn run(self, pull: impl Future<Output = Result<()>> + Send) {
        let mut pull = std::pin::pin!(pull);
        loop {
            tokio::select! {
                result = &mut pull => {
                    // Off the list first: whoever comes now asks for a new pull and not for an old result.
                    self.pulls.lock().remove(&self.image);
                    self.sender.send_modify(|state| {
                        if result.is_ok() {
                            state.percent = 100;
                        }
                        state.result = Some(result);
                    });
                    return;
                }
                () = self.sender.closed() => {
                    let mut running = self.pulls.lock();
                    if self.sender.receiver_count() == 0 {
                        running.remove(&self.image);
                        return;
                    }
                }
            }
        }
    }
}

impl<K: Clone + Eq + Hash + Send + 'static> Drop for Entry<K> {
    fn drop(&mut self) {
        let mut running = self.pulls.lock();
        if running.get(&self.image).is_some_and(|sender| Arc::ptr_eq(sender, &self.sender)) {
            running.remove(&self.image);
        }
    }
}

#[cfg(test)]
mod tests;
