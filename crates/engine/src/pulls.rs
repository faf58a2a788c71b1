//! One pull per image at a time: whoever asks for an image that is being pulled waits for that pull.

use crate::{EngineError, Progress, Result};
use pierhead_model::ImageReference;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The pulls that are under way.
#[derive(Debug, Default)]
pub(crate) struct Pulls {
    running: Mutex<HashMap<ImageReference, Arc<watch::Sender<State>>>>,
}

#[derive(Debug, Clone, Default)]
struct State {
    percent: u8,
    result: Option<Result<()>>,
}

impl Pulls {
    /// Waits for the pull of an image, and starts it with `pull` if there is none. A pull goes on as long as
    /// anybody waits for it.
    pub(crate) async fn join<P, F>(self: &Arc<Self>, image: &ImageReference, progress: Progress, pull: P) -> Result<()>
    where
        P: FnOnce(Progress) -> F,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let mut state = {
            let mut running = self.lock();
            if let Some(sender) = running.get(image) {
                sender.subscribe()
            } else {
                let (sender, receiver) = watch::channel(State::default());
                let sender = Arc::new(sender);
                running.insert(image.clone(), sender.clone());
                let entry = Entry { pulls: self.clone(), image: image.clone(), sender: sender.clone() };
                let report: Progress = Arc::new(move |percent| {
                    sender.send_if_modified(|state| {
                        let rises = percent > state.percent;
                        state.percent = state.percent.max(percent);
                        rises
                    });
                });
                tokio::spawn(entry.run(pull(report)));
                receiver
            }
        };
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
                return Err(EngineError::Failed("the pull was given up".to_owned()));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ImageReference, Arc<watch::Sender<State>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pull's place in the list, given back when the pull ends in whatever way.
struct Entry {
    pulls: Arc<Pulls>,
    image: ImageReference,
    sender: Arc<watch::Sender<State>>,
}

impl Entry {
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

impl Drop for Entry {
    fn drop(&mut self) {
        let mut running = self.pulls.lock();
        if running.get(&self.image).is_some_and(|sender| Arc::ptr_eq(sender, &self.sender)) {
            running.remove(&self.image);
        }
    }
}

#[cfg(test)]
mod tests;
