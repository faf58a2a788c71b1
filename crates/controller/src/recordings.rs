//! Recordings of class work, kept by the leading controller where a course asks for them and everybody who worked there
//! has said yes: of each terminal when the work is handed in, and when it ends. Nothing waits for that. What is kept goes
//! when its time is over, or when who said yes takes it back.
//!
//! Who may do what is not decided here.

mod cast;
mod keep;
mod removal;

pub(crate) use removal::{deleted, recordings_in, remove};

use crate::known::Known;
use crate::requests::workspace_of_terminal;
use crate::{Controller, clock};
use keep::Kept;
use pierhead_model::{AttemptId, Submission, Terminal, TerminalId, Timestamp};
use pierhead_store::leadership::Standing;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How often it is looked which terminals there are.
const LOOK: Duration = Duration::from_secs(1);
/// How many recordings are fetched at the same time: a host that hangs holds up no more than these.
const AT_ONCE: usize = 4;
/// How often one is tried, and the pause before the next try, in milliseconds.
const MOST_TRIES: u32 = 20;
const PAUSE_MS: u64 = 3_000;
/// For how long after its end a terminal's recording is asked for, in milliseconds: homes keep it for ten minutes.
const ENDED_MS: u64 = 9 * 60 * 1000;

/// A recording that shall be kept.
#[derive(Debug, Clone)]
struct Job {
    attempt: AttemptId,
    submission: Option<u32>,
    tries: u32,
    not_before: Timestamp,
}

/// Goes on as long as this is polled, in the name of a leadership.
pub(crate) async fn keep_recordings(
    controller: Controller,
    standing: Standing,
    mut handed_in: mpsc::UnboundedReceiver<Submission>,
) {
    let mut recorder = Recorder::new(controller, standing);
    let mut looked = Timestamp(0);
    loop {
        tokio::select! {
            Some(submission) = handed_in.recv() => recorder.hand_in(&submission),
            Some(done) = recorder.running.join_next() => recorder.take(done),
            () = tokio::time::sleep(LOOK) => {}
        }
        recorder.look();
        recorder.begin();
        let now = recorder.controller.clock().now();
        if now.since(looked) >= clock::millis(recorder.controller.options.recording_look_interval) {
            looked = now;
            removal::sweep(&recorder.controller, &recorder.standing).await;
        }
    }
}

struct Recorder {
    controller: Controller,
    standing: Standing,
    /// The attempt that each terminal belongs to: when it has ended, its container may be gone.
    seen: BTreeMap<TerminalId, AttemptId>,
    /// Those whose end was seen.
    ended: BTreeSet<TerminalId>,
    jobs: BTreeMap<TerminalId, Job>,
    busy: BTreeSet<TerminalId>,
    running: JoinSet<(TerminalId, Job, Kept)>,
}

impl Recorder {
    fn new(controller: Controller, standing: Standing) -> Self {
        let (seen, ended, jobs, busy) = Default::default();
        Self { controller, standing, seen, ended, jobs, busy, running: JoinSet::new() }
    }

    /// Notes which terminals there are, and wants those that have ended.
    fn look(&mut self) {
        let known = self.controller.known();
        let now = self.controller.clock().now();
        self.seen.retain(|id, _| known.terminals.contains_key(id));
        self.ended.retain(|id| known.terminals.contains_key(id));
        for record in known.terminals.values().filter(|record| !record.is_ahead) {
            if !self.seen.contains_key(&record.id)
                && let Some(attempt) = attempt_of(&known, record)
            {
                self.seen.insert(record.id.clone(), attempt);
            }
            let Some(end) = record.end() else { continue };
            let Some(attempt) = self.seen.get(&record.id) else { continue };
            if now.since(end.at) < ENDED_MS && self.ended.insert(record.id.clone()) {
                let submission = self.jobs.get(&record.id).and_then(|job| job.submission);
                let job = Job { attempt: attempt.clone(), submission, tries: 0, not_before: Timestamp(0) };
                self.jobs.insert(record.id.clone(), job);
            }
        }
    }

    /// Wants the recordings of what was handed in.
    fn hand_in(&mut self, submission: &Submission) {
        self.look();
        let (attempt, submission) = (&submission.attempt, Some(submission.key.number));
        for (id, _) in self.seen.iter().filter(|(_, of)| *of == attempt) {
            let job = Job { attempt: attempt.clone(), submission, tries: 0, not_before: Timestamp(0) };
            self.jobs.insert(id.clone(), job);
        }
    }

    /// Begins what can be begun.
    fn begin(&mut self) {
        let now = self.controller.clock().now();
        let is_due = |(id, job): &(&TerminalId, &Job)| job.not_before <= now && !self.busy.contains(*id);
        let free = AT_ONCE.saturating_sub(self.running.len());
        let due: Vec<TerminalId> = self.jobs.iter().filter(is_due).map(|(id, _)| id.clone()).take(free).collect();
        for id in due {
            let (Some(job), Some(terminal)) = (self.jobs.remove(&id), self.terminal(&id)) else { continue };
            self.busy.insert(id.clone());
            let (controller, standing) = (self.controller.clone(), self.standing.clone());
            self.running.spawn(async move {
                let kept = keep::keep(&controller, &standing, &terminal, &job.attempt, job.submission).await;
                (id, job, kept)
            });
        }
    }

    fn terminal(&self, id: &TerminalId) -> Option<Arc<Terminal>> {
        self.controller.known().terminals.get(id).cloned()
    }

    /// One came to its end.
    fn take(&mut self, done: Result<(TerminalId, Job, Kept), tokio::task::JoinError>) {
        let (id, job, kept) = match done {
            Ok(done) => done,
            Err(error) => return tracing::error!(%error, "the keeping of a recording broke off"),
        };
        self.busy.remove(&id);
        if let Kept::Later(why) = kept {
            if job.tries >= MOST_TRIES {
                return tracing::warn!(terminal = %id, why, "a recording could not be kept");
            }
            let not_before = self.controller.clock().now().plus(PAUSE_MS);
            let again = Job { tries: job.tries + 1, not_before, ..job };
            // What was asked for meanwhile is asked for anew as well.
            self.jobs.entry(id).or_insert(again);
        }
    }
}

/// The attempt at a lab of a course that somebody works at in a terminal.
fn attempt_of(known: &Known, terminal: &Terminal) -> Option<AttemptId> {
    let workspace = workspace_of_terminal(known, terminal)?;
    let attempt = known.attempts.get(known.attempts_at.get(&workspace.id)?)?;
    attempt.course.as_ref().map(|_| attempt.id.clone())
}
