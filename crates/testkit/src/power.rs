//! The power of a controller's machine: it can be cut at any step, before or after it is done. A step is a commit to
//! the store or a change on an engine.
//!
//! A step can also be held up, so that something happens in the middle of it.
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
    hold: Option<Hold>,
}

/// A step that is held up when it comes.
#[derive(Debug)]
struct Hold {
    word: String,
    /// How many more such steps come before it.
    before: usize,
    cut: Cut,
    gate: Arc<watch::Sender<Gate>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Gate {
    Awaited,
    /// It has come, and waits; its words.
    Closed(String),
    Open,
}

/// A step that is held up, or will be; it goes on when this is dropped.
#[derive(Debug)]
pub struct Held(Arc<watch::Sender<Gate>>);

impl Held {
    /// Waits until the step has come; gives its words.
    pub async fn reached(&self) -> String {
        let mut gate = self.0.subscribe();
        // The sender lives in `self`.
        let found = gate.wait_for(|gate| matches!(gate, Gate::Closed(_))).await;
        match found.as_deref() {
            Ok(Gate::Closed(words)) => words.clone(),
            _ => String::new(),
        }
    }

    /// Lets it go on.
    pub fn release(self) {}
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.send_replace(Gate::Open);
    }
}

impl Hold {
    async fn pass(&self, words: String) {
        let mut gate = self.gate.subscribe();
        self.gate.send_if_modified(|gate| {
            let is_awaited = *gate == Gate::Awaited;
            if is_awaited {
                *gate = Gate::Closed(words);
            }
            is_awaited
        });
        // The sender lives in `self`.
        let _ = gate.wait_for(|gate| *gate == Gate::Open).await;
    }
}

impl Plan {
    /// The hold on a step, if it is that one's turn.
    fn hold_of(&mut self, what: &str) -> Option<Hold> {
        let hold = self.hold.as_mut().filter(|hold| what.contains(&hold.word))?;
        if hold.before > 0 {
            hold.before -= 1;
            return None;
        }
        self.hold.take()
    }
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
        *self.plan() = Plan { cut_at: Some(Moment { step: 1, cut }), only: Some(word), ..Plan::default() };
    }

    /// Holds up the step from now on whose words contain this, after so many others of the kind.
    #[must_use]
    pub fn hold(&self, word: &str, before: usize, cut: Cut) -> Held {
        let gate = Arc::new(watch::Sender::new(Gate::Awaited));
        let held = Held(Arc::clone(&gate));
        self.plan().hold = Some(Hold { word: word.to_owned(), before, cut, gate });
        held
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
        let (cut, hold) = {
            let mut plan = self.plan();
            let what = what();
            let hold = plan.hold_of(&what).map(|hold| (hold, what.clone()));
            let counts = self.is_on() && plan.only.is_none_or(|word| what.contains(word));
            if counts {
                plan.steps.push(what);
            }
            let cut = plan.cut_at.filter(|moment| counts && moment.step == plan.steps.len()).map(|moment| moment.cut);
            (cut, hold)
        };
        if let Some((hold, what)) = hold.as_ref().filter(|(hold, _)| hold.cut == Cut::Before) {
            hold.pass(what.clone()).await;
        }
        if !self.is_on() || cut == Some(Cut::Before) {
            self.stop().await;
        }
        let result = act.await;
        if let Some((hold, what)) = hold.as_ref().filter(|(hold, _)| hold.cut == Cut::After) {
            hold.pass(what.clone()).await;
        }
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
    async fn a_step_is_held_up_until_it_may_go_on() {
        for (cut, done_meanwhile) in [(Cut::Before, 0), (Cut::After, 1)] {
            let power = Power::default();
            let held = power.hold("turn", 1, cut);
            let done = Arc::new(AtomicUsize::new(0));
            let work = tokio::spawn({
                let (power, done) = (power.clone(), Arc::clone(&done));
                async move {
                    power.step(|| "turn 1".to_owned(), async {}).await;
                    power.step(|| "turn 2".to_owned(), async { done.fetch_add(1, Ordering::SeqCst) }).await;
                    power.step(|| "turn 3".to_owned(), async {}).await;
                }
            });
            assert_eq!(held.reached().await, "turn 2");
            assert_eq!((done.load(Ordering::SeqCst), work.is_finished()), (done_meanwhile, false));
            held.release();
            work.await.unwrap();
            assert_eq!(done.load(Ordering::SeqCst), 1, "{cut:?}");
        }
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
