//! What is done when a lease has ended: everything that needs one is stopped, by the engine, and without it if that does
//! not answer. It goes on for as long as there is no lease: an engine that hung may carry out late what it was told.

use super::{Leases, processes};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// How often the clock is looked at: timers do not go on while the machine sleeps.
const TICK: Duration = Duration::from_millis(100);
/// How often it is looked whether something runs without a lease.
const LOOK: Duration = Duration::from_millis(500);
/// How often the list of what there is, is renewed under a lease.
const RENEWAL: Duration = Duration::from_secs(30);
/// How long processes may take to end by themselves when their engine does not answer.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long an agent that ends waits for what it stops.
const LAST_PATIENCE: Duration = Duration::from_secs(8);
/// The same where nothing is known that it would have to stop, and the engine does not tell.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);
/// How long a container may take to stop by itself, in seconds, before its engine kills it.
const STOP_SECONDS: u64 = 2;
/// The same where there is time, as its engine would wait for it.
const STOP_SECONDS_IN_TIME: u64 = 10;

impl Leases {
    /// Stops what needs a lease whenever there is none, without end.
    pub async fn guard(&self) {
        let mut looked: Option<Instant> = None;
        loop {
            let (ends, left) = (self.ends_ms.load(Ordering::Acquire), self.left_ms());
            let pause = if left > 0 {
                let is_due = looked.is_none_or(|at| at.elapsed() > RENEWAL) || !self.is_listed.load(Ordering::Acquire);
                if is_due && self.look().await.is_some() {
                    looked = Some(Instant::now());
                }
                Some(TICK.min(Duration::from_millis(self.left_ms())))
            } else if self.enforce("the lease has ended", STOP_SECONDS).await {
                self.enforced_ms.store(ends, Ordering::Release);
                // What was never started here need not be looked for; what may be is noted before.
                (!self.known().is_empty()).then_some(LOOK)
            } else {
                // Of what nobody knows nothing can be stopped before the engine tells.
                Some(if self.known().is_empty() { LOOK } else { TICK })
            };
            match pause {
                Some(pause) => drop(tokio::time::timeout(pause, self.changed.notified()).await),
                None => self.changed.notified().await,
            }
        }
    }

    /// Gives the lease up and stops what needs one: this agent will not be there when it ends. What stops has as long as
    /// its engine gives it, if the lease lasts.
    pub async fn give_up(&self) {
        self.is_ending.store(true, Ordering::Release);
        let _turn = self.writing.lock().await;
        // Also if the last of it is removed meanwhile: a controller that isn't told waits for what may run on.
        let is_awaited = self.left_ms() > 0 || !self.known().is_empty();
        let seconds = (self.left_ms() / 1_000).clamp(STOP_SECONDS, STOP_SECONDS_IN_TIME);
        let mut is_over = self.enforce("the agent ends", seconds).await;
        // Of what nobody knows nothing can be stopped.
        let deadline = Instant::now() + if self.known().is_empty() { SHORT_PATIENCE } else { LAST_PATIENCE };
        self.ends_ms.store(0, Ordering::Release);
        while !is_over && Instant::now() < deadline {
            tokio::time::sleep(TICK).await;
            is_over = self.enforce("the agent ends", STOP_SECONDS).await;
        }
        let known = self.known().clone();
        let is_awaited = is_awaited || !known.is_empty();
        if let Err(refusal) = self.keep(0, known).await {
            tracing::warn!(%refusal, "the lease stays on disk");
        }
        if is_over {
            self.farewell.say();
        }
        if is_over && is_awaited {
            self.farewell.heard().await;
        }
    }

    /// Learns which containers need a lease; those that run. Nothing if the engine does not tell.
    pub(super) async fn look(&self) -> Option<BTreeSet<String>> {
        let before = self.known().clone();
        let all = match self.engine.all().await {
            Ok(all) => all,
            Err(error) => {
                tracing::debug!(%error, "it is not known what needs a lease");
                return None;
            }
        };
        self.is_listed.store(true, Ordering::Release);
        let mut known = self.known();
        known.retain(|id| all.contains_key(id) || !before.contains(id));
        known.extend(all.keys().cloned());
        Some(all.into_iter().filter(|(_, runs)| *runs).map(|(id, _)| id).collect())
    }

    /// Stops what runs without a lease; `true` if nothing does any more.
    async fn enforce(&self, why: &str, seconds: u64) -> bool {
        match self.look().await {
            Some(running) if running.is_empty() => self.count(None).await == 0,
            Some(running) => {
                tracing::warn!(containers = running.len(), "{why}: what must not run twice is stopped");
                let stops = running.iter().map(|id| self.engine.stop(id, seconds));
                futures_util::future::join_all(stops).await.into_iter().for_each(|stopped| {
                    if let Err(error) = stopped {
                        tracing::warn!(%error, "the engine does not stop a container");
                    }
                });
                self.count(Some(Signal::KILL)).await;
                false
            }
            None => {
                if self.count(Some(Signal::TERM)).await > 0 {
                    tracing::warn!("{why} and the engine does not answer: processes are ended without it");
                    tokio::time::sleep(PATIENCE).await;
                    self.count(Some(Signal::KILL)).await;
                }
                false
            }
        }
    }

    /// How many processes there are of what is known to need a lease; they may get a signal.
    async fn count(&self, signal: Option<Signal>) -> usize {
        let known = self.known().clone();
        let count = move || match signal {
            Some(signal) => processes::signal(&known, signal),
            None => processes::count(&known),
        };
        tokio::task::spawn_blocking(count).await.unwrap_or(1)
    }
}
