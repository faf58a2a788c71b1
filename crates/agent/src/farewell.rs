//! The last word of an agent that ends: that it has given its lease up. It waits until each controller that listens was
//! told, so that none has to wait for a lease that nobody uses.

use std::time::Duration;
use tokio::sync::watch;

/// How long an agent that ends waits for beats to be taken.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many beats say it until it counts as told: the first comes early, so that the next may be made before that was
/// written; the others are an interval apart.
const ENOUGH: u8 = 3;
/// How long what was taken may take to be written.
const WRITTEN_WITHIN: Duration = Duration::from_millis(50);

/// Whether it is said, and who has not heard it. All clones are one.
#[derive(Debug, Clone)]
pub struct Farewell(watch::Sender<State>);

#[derive(Debug, Default)]
struct State {
    is_said: bool,
    /// How many listen and have not been told.
    untold: usize,
}

/// One who listens.
#[derive(Debug)]
pub(crate) struct Listener {
    state: watch::Sender<State>,
    changes: watch::Receiver<State>,
    /// How often it was told.
    told: u8,
}

impl Default for Farewell {
    fn default() -> Self {
        Self(watch::Sender::new(State::default()))
    }
}

impl Farewell {
    /// Says it: nothing runs any more that needs a lease.
    pub(crate) fn say(&self) {
        self.0.send_modify(|state| state.is_said = true);
    }

    /// Whether it was said.
    #[must_use]
    pub fn is_said(&self) -> bool {
        self.0.borrow().is_said
    }

    /// Returns when all who listen were told, or after a while.
    pub(crate) async fn heard(&self) {
        let mut changes = self.0.subscribe();
        let all = changes.wait_for(|state| state.untold == 0);
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            tracing::warn!("not every controller was told that this host has given its lease up");
        }
        tokio::time::sleep(WRITTEN_WITHIN).await;
    }

    pub(crate) fn listen(&self) -> Listener {
        self.0.send_modify(|state| state.untold += 1);
        Listener { state: self.0.clone(), changes: self.0.subscribe(), told: 0 }
    }
}

impl Listener {
    /// Whether it is to be told in the next beat. That it was told is known when it wants more.
    pub(crate) fn tell(&mut self) -> bool {
        let is_said = self.state.borrow().is_said;
        if is_said && self.told < ENOUGH {
            self.told += 1;
            if self.told == ENOUGH {
                self.state.send_modify(|state| state.untold -= 1);
            }
        }
        is_said
    }

    /// Returns when it is said and was not told yet.
    pub(crate) async fn said(&mut self) {
        if self.told > 0 || self.changes.wait_for(|state| state.is_said).await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.told < ENOUGH {
            self.state.send_modify(|state| state.untold -= 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn it_is_heard_when_all_want_more_or_are_gone() {
        let farewell = Farewell::default();
        let (mut one, other) = (farewell.listen(), farewell.listen());
        assert!(!one.tell() && !farewell.is_said());
        farewell.say();
        let began = Instant::now();
        let heard = tokio::spawn({
            let farewell = farewell.clone();
            async move { farewell.heard().await }
        });
        assert!(one.tell() && one.tell());
        drop(other);
        tokio::task::yield_now().await;
        assert!(!heard.is_finished(), "the beat may still be on its way");
        assert!(one.tell());
        heard.await.unwrap();
        assert!(one.tell() && began.elapsed() < PATIENCE);
        drop(one);
        farewell.heard().await;
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_without_end() {
        let farewell = Farewell::default();
        let mut deaf = farewell.listen();
        farewell.say();
        deaf.said().await;
        let began = Instant::now();
        farewell.heard().await;
        assert!(began.elapsed() >= PATIENCE);
    }
}
