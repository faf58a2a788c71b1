//! How somebody gets on with a lab: what each step asks for, what follows from a check, an answer or a hint, when a step
//! and the whole are done, what is kept when they move to another version.
//!
//! Pure: moments and outcomes are passed in, and it is the caller who stores what comes of it.

mod moving;
mod outline;

pub use outline::{CheckOutline, Outline, QuizOutline, StepOutline};

use crate::model::{Answer, Check, Quiz};
use crate::variables::{self, Values};
use pierhead_model::{
    CheckResult, CheckState, LabAttempt, QuizAnswer, QuizResult, SetupState, StepProgress, Timestamp,
};

/// How the run of a script came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// By itself, with this exit status.
    Ended(i64),
    /// It was ended because its time was over.
    TimedOut,
    /// It could not be begun, for this reason.
    NotRun(String),
}

impl Outcome {
    /// What it means for a check.
    #[must_use]
    pub fn state(&self) -> CheckState {
        match self {
            Self::Ended(0) => CheckState::Passed,
            Self::Ended(_) => CheckState::Failed,
            Self::TimedOut => CheckState::TimedOut,
            Self::NotRun(_) => CheckState::NotRun,
        }
    }

    /// The exit status, if it ended by itself.
    #[must_use]
    pub fn exit(&self) -> Option<i64> {
        if let Self::Ended(code) = self { Some(*code) } else { None }
    }

    /// What the student is told: the first hint that fits, or why it could not be run.
    #[must_use]
    pub fn hint(&self, check: &Check, values: &Values) -> Option<String> {
        let fits = |hint: &&crate::OutcomeHint| match self {
            Self::Ended(0) => false,
            Self::Ended(code) => !hint.timeout && hint.exit.is_none_or(|exit| i64::from(exit) == *code),
            Self::TimedOut => hint.timeout || hint.exit.is_none(),
            Self::NotRun(_) => false,
        };
        if let Self::NotRun(reason) = self {
            return Some(reason.clone());
        }
        let hint = check.hints.iter().find(fits)?;
        Some(variables::fill(&hint.text, values, |_| ()).into_owned())
    }
}

/// Whether the student asked for a check, or it was run because it goes on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// They asked.
    ByStudent,
    /// Nobody did.
    ByItself,
}

/// Notes that somebody comes to a step.
pub fn visit(attempt: &mut LabAttempt, outline: &Outline, step: u32, now: Timestamp) {
    attempt.step = step;
    see(attempt, outline, step, now);
}

/// Notes that somebody has to do with a step. One that is seen for the first time waits for what is run at that moment, if
/// there is anything.
pub fn see(attempt: &mut LabAttempt, outline: &Outline, step: u32, now: Timestamp) {
    let has_setup = outline.step(step).is_some_and(|step| step.has_setup);
    let setup = if has_setup { SetupState::Waiting } else { SetupState::Done };
    attempt.steps.entry(step).or_insert_with(|| StepProgress { seen_at: now, setup, ..StepProgress::default() });
    settle(attempt, outline, now);
}

/// Notes what came of a check. One that has passed stays so, whatever comes later.
pub fn take_check(
    attempt: &mut LabAttempt,
    outline: &Outline,
    (step, check): (u32, &Check),
    (outcome, asked): (&Outcome, Asked),
    values: &Values,
    now: Timestamp,
) {
    see(attempt, outline, step, now);
    let results = &mut attempt.steps.entry(step).or_default().checks;
    let before = results.get(&check.name);
    let has_passed = before.is_some_and(|before| before.state == CheckState::Passed);
    let tries = before.map_or(0, |before| before.tries).saturating_add(u32::from(asked == Asked::ByStudent));
    let state = if has_passed { CheckState::Passed } else { outcome.state() };
    let result = CheckResult {
        state,
        score: if state == CheckState::Passed { check.score } else { 0 },
        exit: if has_passed { Some(0) } else { outcome.exit() },
        hint: if has_passed { None } else { outcome.hint(check, values) },
        at: match before {
            Some(before) if has_passed => before.at,
            _ => now,
        },
        tries,
    };
    results.insert(check.name.clone(), result);
    settle(attempt, outline, now);
}

/// Whether the outcome of a check that goes on by itself says anything that is not noted yet.
#[must_use]
pub fn is_news(attempt: &LabAttempt, step: u32, check: &Check, outcome: &Outcome) -> bool {
    let before = attempt.progress(step).and_then(|progress| progress.checks.get(&check.name));
    before.is_none_or(|before| {
        before.state != CheckState::Passed && (before.state, before.exit) != (outcome.state(), outcome.exit())
    })
}

/// Notes an answer, with what explains the right one. A right answer stays, whatever is answered later.
pub fn take_answer(
    attempt: &mut LabAttempt,
    outline: &Outline,
    (step, quiz, explanation): (u32, &Quiz, &str),
    answer: QuizAnswer,
    now: Timestamp,
) {
    see(attempt, outline, step, now);
    let results = &mut attempt.steps.entry(step).or_default().quizzes;
    let before = results.get(&quiz.name);
    let tries = before.map_or(0, |before| before.tries).saturating_add(1);
    let result = match before {
        Some(before) if before.right => QuizResult { tries, ..before.clone() },
        _ => {
            let right = quiz.is_right(&of(&answer));
            let (score, explanation) = (if right { quiz.score } else { 0 }, explanation.to_owned());
            QuizResult { answer, right, score, tries, at: now, explanation }
        }
    };
    results.insert(quiz.name.clone(), result);
    settle(attempt, outline, now);
}

fn of(answer: &QuizAnswer) -> Answer {
    match answer {
        QuizAnswer::Choice(chosen) => Answer::Choice(chosen.iter().map(|at| *at as usize).collect()),
        QuizAnswer::Text(text) => Answer::Text(text.clone()),
    }
}

/// Notes that a hint was opened.
pub fn open_hint(attempt: &mut LabAttempt, outline: &Outline, step: u32, hint: u32, now: Timestamp) {
    see(attempt, outline, step, now);
    attempt.steps.entry(step).or_default().hints.insert(hint);
}

/// Takes a step back to what it was at the first visit; what is run then is run again.
pub fn reset_step(attempt: &mut LabAttempt, outline: &Outline, step: u32, now: Timestamp) {
    attempt.steps.remove(&step);
    attempt.done_at = None;
    see(attempt, outline, step, now);
}

/// Takes everything back to the beginning.
pub fn reset(attempt: &mut LabAttempt, outline: &Outline, now: Timestamp) {
    attempt.steps.clear();
    (attempt.done_at, attempt.prepared) = (None, None);
    visit(attempt, outline, 0, now);
}

/// Notes that the containers began anew from their images: everything that is run at first visits is to be run again.
pub fn begin_anew(attempt: &mut LabAttempt, outline: &Outline, generation: u32) {
    attempt.prepared = Some(generation);
    for (number, progress) in &mut attempt.steps {
        if outline.step(*number).is_some_and(|step| step.has_setup) {
            progress.setup = SetupState::Waiting;
        }
    }
}

/// The step whose setup is to be run next: of those that were seen, in their order.
#[must_use]
pub fn next_setup(attempt: &LabAttempt) -> Option<u32> {
    attempt.steps.iter().find(|(_, progress)| progress.setup == SetupState::Waiting).map(|(number, _)| *number)
}

/// Whether everything that a step asks for was done: its checks have passed and its quizzes were answered. One that asks
/// for nothing is done when it was seen.
#[must_use]
pub fn is_done(attempt: &LabAttempt, outline: &Outline, step: u32) -> bool {
    let (Some(asks), Some(progress)) = (outline.step(step), attempt.progress(step)) else { return false };
    let passed = |check: &CheckOutline| {
        progress.checks.get(&check.name).is_some_and(|result| result.state == CheckState::Passed)
    };
    asks.checks.iter().all(passed) && asks.quizzes.iter().all(|quiz| progress.quizzes.contains_key(&quiz.name))
}

/// The points so far. What a lab does not ask for any more gives none, and nothing gives more than the lab says.
#[must_use]
pub fn score(attempt: &LabAttempt, outline: &Outline) -> u32 {
    let of_step = |(number, asks): (u32, &StepOutline)| {
        let Some(progress) = attempt.progress(number) else { return 0 };
        let checks =
            asks.checks.iter().filter_map(|check| Some(progress.checks.get(&check.name)?.score.min(check.score)));
        let quizzes =
            asks.quizzes.iter().filter_map(|quiz| Some(progress.quizzes.get(&quiz.name)?.score.min(quiz.score)));
        checks.chain(quizzes).fold(0, u32::saturating_add)
    };
    (0..).zip(&outline.steps).map(of_step).fold(0, u32::saturating_add)
}

/// Notes the moment at which all of it was done.
fn settle(attempt: &mut LabAttempt, outline: &Outline, now: Timestamp) {
    let is_all_done = (0..).zip(&outline.steps).all(|(number, _)| is_done(attempt, outline, number));
    attempt.done_at = if is_all_done { attempt.done_at.or(Some(now)) } else { None };
}

/// Moves an attempt to another version of its lab: what was come to in steps that are the same in both is kept. The student
/// comes to the step that they were at, or the first that is new to them.
pub fn move_to(
    attempt: &mut LabAttempt,
    (from, to): (&crate::Lab, &crate::Lab),
    outline: &Outline,
    version: u32,
    now: Timestamp,
) {
    let places = moving::places(from, to);
    let before = std::mem::take(&mut attempt.steps);
    let at = attempt.step;
    attempt.version = version;
    for (old, progress) in before {
        if let Some(new) = places.get(&old) {
            attempt.steps.insert(*new, progress);
        }
    }
    let first_new =
        (0..).zip(&outline.steps).map(|(number, _)| number).find(|number| !attempt.steps.contains_key(number));
    let step = places.get(&at).copied().or(first_new).unwrap_or(0);
    visit(attempt, outline, step, now);
}

#[cfg(test)]
mod tests;
