//! Who seems stuck: a ranking for whoever looks after many at once. It says where to look first, and nothing about anybody.
//!
//! | what | points |
//! |---|---|
//! | a raised hand | 1000, and one for each minute that it is up: before everybody else, the longest first |
//! | nothing passed, answered rightly or begun for 5 minutes or more | 2 for each minute after the fourth, at most 50 |
//! | checks of the present step that failed when they were last run | 10 each, at most 30 |
//! | tries at these, from the third on | 3 each, at most 30 |
//! | nobody active for 5 minutes or more | 1 for each minute after the fourth, at most 15 |
//!
//! Whoever has done everything has points for a raised hand only. More of any of these never ranks somebody lower.

use pierhead_model::{CheckState, LabAttempt, Timestamp};

const MINUTE_MS: u64 = 60_000;
/// For so many minutes it is no matter that nothing happens.
const PATIENCE: u64 = 4;

/// What is known of somebody who works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// For how long their hand is up, in milliseconds; none if it is not.
    pub hand_ms: Option<u64>,
    /// How long ago they got on, in milliseconds: passed a check, gave a right answer, came to a step, or began.
    pub progress_ms: u64,
    /// How long ago anything was typed or printed, in milliseconds.
    pub activity_ms: u64,
    /// How many checks of the step that they are at failed when they were last run.
    pub failing: u32,
    /// How often they asked for these.
    pub tries: u32,
    /// Whether there is nothing left to do.
    pub is_done: bool,
}

/// How stuck somebody seems.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stuck {
    /// The more, the sooner somebody should look.
    pub points: u32,
    /// Why, the weightiest first.
    pub reasons: Vec<StuckReason>,
}

/// Why somebody seems stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StuckReason {
    /// Their hand is up.
    Hand,
    /// They have not got on for a while.
    NoProgress,
    /// Checks fail.
    Failing,
    /// They have tried several times.
    Tries,
    /// Nothing happens.
    Idle,
}

impl StuckReason {
    /// Its name for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::NoProgress => "no-progress",
            Self::Failing => "failing",
            Self::Tries => "tries",
            Self::Idle => "idle",
        }
    }
}

/// How stuck somebody seems.
#[must_use]
pub fn stuck(standing: &Standing) -> Stuck {
    let whole = |points: u64| u32::try_from(points).unwrap_or(u32::MAX);
    let after = |ms: u64| (ms / MINUTE_MS).saturating_sub(PATIENCE);
    let hand = standing.hand_ms.map_or(0, |ms| 1000 + (ms / MINUTE_MS).min(100_000));
    let works = u64::from(!standing.is_done);
    let has_failed = u64::from(standing.failing > 0);
    let mut parts = [
        (StuckReason::NoProgress, works * (2 * after(standing.progress_ms)).min(50)),
        (StuckReason::Failing, works * (10 * u64::from(standing.failing)).min(30)),
        (StuckReason::Tries, works * has_failed * (3 * u64::from(standing.tries.saturating_sub(2))).min(30)),
        (StuckReason::Idle, works * after(standing.activity_ms).min(15)),
    ];
    parts.sort_by_key(|(_, points)| std::cmp::Reverse(*points));
    let parts = std::iter::once((StuckReason::Hand, hand)).chain(parts).filter(|(_, points)| *points > 0);
    let (points, reasons) = parts.fold((0, Vec::new()), |(sum, mut reasons), (reason, points)| {
        reasons.push(reason);
        (sum + points, reasons)
    });
    Stuck { points: whole(points), reasons }
}

impl Standing {
    /// How somebody stands who works at no lab: since when, and when something was last typed or printed.
    #[must_use]
    pub fn of_workspace(since: Timestamp, active_at: Option<Timestamp>, now: Timestamp) -> Self {
        let activity_ms = now.since(active_at.unwrap_or(since));
        Self { activity_ms, ..Self::default() }
    }

    /// How somebody stands with a lab.
    #[must_use]
    pub fn of_attempt(attempt: &LabAttempt, active_at: Option<Timestamp>, now: Timestamp) -> Self {
        let steps = attempt.steps.values();
        let moments = steps.flat_map(|step| {
            let passed = step.checks.values().filter(|check| check.state == CheckState::Passed).map(|check| check.at);
            let right = step.quizzes.values().filter(|quiz| quiz.right).map(|quiz| quiz.at);
            std::iter::once(step.seen_at).chain(passed).chain(right)
        });
        let progress = moments.chain([attempt.started_at]).max().unwrap_or(attempt.started_at);
        let present = attempt.progress(attempt.step).into_iter().flat_map(|step| step.checks.values());
        let failed = present.filter(|check| matches!(check.state, CheckState::Failed | CheckState::TimedOut));
        let (failing, tries) =
            failed.fold((0, 0_u32), |(failing, tries), check| (failing + 1, tries.saturating_add(check.tries)));
        Self {
            hand_ms: None,
            progress_ms: now.since(progress),
            activity_ms: now.since(active_at.unwrap_or(progress)),
            failing,
            tries,
            is_done: attempt.done_at.is_some(),
        }
    }
}

#[cfg(test)]
mod tests;
