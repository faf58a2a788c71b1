//! The power of a controller's machine: it can be cut at any step, before or after it is done. A step is a commit to
//! the store or a change on an engine.
//!
//! When it is cut nothing goes on: no further step is begun, and nobody hears of those that were under way, which may
//! be done or not.

mod engine;
mod store;

pub(crate) use engine::PoweredEngine;
pub(crate) use store::PoweredStore;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// On which side of a step the power is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The step is not done.
    Before,
    /// The step is done, and nobody hears of it.
    After,
}

/// When the power is cut: steps are counted from the moment at which this was said, the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Which step.
    pub step: usize,
    /// On which side of it.
    pub cut: Cut,
}

/// The power of one controller's machine. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Power(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    is_on: watch::Sender<bool>,
    plan: Mutex<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    cut_at: Option<Moment>,
    only: Option<&'static str>,
    steps: Vec<String>,
}

impl Default for Inner {
    fn default() -> Self {
        Self { is_on: watch::Sender::new(true), plan: Mutex::default() }
    }
}

impl Power {
    /// Cuts the power at a moment; counts from now on.
    pub fn cut_at(&self, moment: Moment) {
        *self.plan() = Plan { cut_at: Some(moment), ..Plan::default() };
    }

    /// Cuts the power at the first step from now on whose words contain this; only such steps are counted.
    pub fn cut_at_first(&self, word: &'static str, cut: Cut) {
        *self.plan() = Plan { cut_at: Some(Moment { step: 1, cut }), only: Some(word), steps: Vec::new() };
    }

    /// Counts from now on.
    pub fn count(&self) {
        *self.plan() = Plan::default();
    }

    /// The steps since then, each in a few words.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        self.plan().steps.clone()
    }

    /// Waits until it is cut.
    pub async fn gone(&self) {
        // The sender lives in `self`.
        let _ = self.0.is_on.subscribe().wait_for(|is_on| !is_on).await;
    }

    /// Whether it is still there.
    #[must_use]
    pub fn is_on(&self) -> bool {
        *self.0.is_on.borrow()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step: done, unless the power is cut before it; its result is told, unless it is cut by then.
    pub(crate) async fn step<T>(&self, what: impl FnOnce() -> String, act: impl Future<Output = T>) -> T {
        let cut = {
            let mut plan = self.plan();
            let what = what();
            let counts = self.is_on() && plan.only.is_none_or(|word| what.contains(word));
            if counts {
                plan.steps.push(what);
            }
            plan.cut_at.filter(|moment| counts && moment.step == plan.steps.len()).map(|moment| moment.cut)
        };
        if !self.is_on() || cut == Some(Cut::Before) {
            self.stop().await;
        }
        let result = act.await;
        if !self.is_on() || cut == Some(Cut::After) {
            self.stop().await;
        }
        result
    }

    /// Never goes on.
    async fn stop(&self) {
        self.0.is_on.send_replace(false);
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    async fn steps_done(cut: Cut) -> (usize, Power) {
        let power = Power::default();
        power.cut_at(Moment { step: 2, cut });
        let done = AtomicUsize::new(0);
        let work = async {
            for number in 0..5 {
                let step = async { done.fetch_add(1, Ordering::SeqCst) };
                power.step(|| format!("step {number}"), step).await;
            }
        };
        tokio::select! {
            () = work => panic!("the power was not cut"),
            () = power.gone() => {}
        }
        (done.into_inner(), power)
    }

    #[tokio::test]
    async fn the_power_is_cut_on_either_side_of_a_step() {
        assert_eq!(steps_done(Cut::Before).await.0, 1);
        let (done, power) = steps_done(Cut::After).await;
        assert_eq!(done, 2);
        assert_eq!(power.steps(), ["step 0", "step 1"]);
        assert!(!power.is_on());
    }
}
