//! What is to go wrong, and what was called.

use crate::deadlines::{Deadlines, Verb};
use crate::error::{EngineError, Result};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How many calls are remembered one by one.
const JOURNAL_KEPT: usize = 100_000;

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The verb.
    pub verb: Verb,
    /// What it was about: a container's id, an image, the name of a container to create, or nothing.
    pub subject: String,
}

/// How the engine answers as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Answers,
    Hangs,
    CutOff,
}

#[derive(Debug)]
pub(super) struct Script {
    deadlines: Deadlines,
    pub(super) mood: watch::Sender<Mood>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) verbs: HashMap<Verb, VerbState>,
    pub(super) journal: VecDeque<Call>,
}

#[derive(Debug, Default)]
pub(super) struct VerbState {
    pub(super) calls: u64,
    pub(super) running: usize,
    pub(super) most_running: usize,
    /// What becomes of the next calls: they fail, or pass.
    pub(super) fail_next: VecDeque<Option<EngineError>>,
    pub(super) fail_always: Option<EngineError>,
    pub(super) lose_replies: u32,
    pub(super) delay: Duration,
}

/// A call under way; counts as over when dropped.
pub(super) struct Running<'a> {
    script: &'a Script,
    verb: Verb,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.script.verb(self.verb, |state| state.running -= 1);
    }
}

impl Script {
    pub(super) fn new(deadlines: Deadlines) -> Self {
        Self { deadlines, mood: watch::Sender::new(Mood::Answers), state: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn verb<T>(&self, verb: Verb, act: impl FnOnce(&mut VerbState) -> T) -> T {
        act(self.state().verbs.entry(verb).or_default())
    }

    /// Counts a call that begins.
    pub(super) fn begin(&self, verb: Verb, subject: &str) -> Running<'_> {
        let mut state = self.state();
        let of_verb = state.verbs.entry(verb).or_default();
        of_verb.calls += 1;
        of_verb.running += 1;
        of_verb.most_running = of_verb.most_running.max(of_verb.running);
        if state.journal.len() == JOURNAL_KEPT {
            state.journal.pop_front();
        }
        state.journal.push_back(Call { verb, subject: subject.to_owned() });
        Running { script: self, verb }
    }

    /// Waits as long as the script says, and fails if it says so. `Ok` means: now do it.
    pub(super) async fn pass(&self, verb: Verb, grace_seconds: u32) -> Result<()> {
        let delay = self.verb(verb, |state| state.delay);
        let deadline = self.deadlines.of(verb, grace_seconds);
        let wait = async {
            // As on a wire: others get their turn while a call is under way.
            tokio::task::yield_now().await;
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let mut mood = self.mood.subscribe();
            // The sender lives in `self`, so this ends only with the mood.
            let answers = mood.wait_for(|mood| *mood != Mood::Hangs).await.map_or(Mood::CutOff, |mood| *mood);
            answers == Mood::Answers
        };
        match tokio::time::timeout(deadline, wait).await {
            Err(_) => return Err(self.timed_out(verb, grace_seconds)),
            Ok(false) => return Err(super::cut_off()),
            Ok(true) => {}
        }
        self.verb(verb, |state| match state.fail_next.pop_front().unwrap_or_else(|| state.fail_always.clone()) {
            Some(error) => Err(error),
            None => Ok(()),
        })
    }

    /// The answer to a call that was done, unless it gets lost.
    pub(super) fn reply<T>(&self, verb: Verb, result: Result<T>) -> Result<T> {
        let lost = self.verb(verb, |state| {
            let lost = state.lose_replies > 0;
            state.lose_replies = state.lose_replies.saturating_sub(1);
            lost
        });
        if lost { Err(self.timed_out(verb, 0)) } else { result }
    }

    fn timed_out(&self, verb: Verb, grace_seconds: u32) -> EngineError {
        let deadline = self.deadlines.of(verb, grace_seconds);
        EngineError::TimedOut {
            call: verb.as_str(),
            milliseconds: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
