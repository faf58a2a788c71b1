//! What work in a course is worth, and whether it came in time: deadlines with extensions and with times at which nobody
//! could hand in anything, points by a rubric, the gradebook as a table for other programs.
//!
//! Pure: moments are passed in. What a time on a wall means in a zone is worked out elsewhere.

mod table;

pub use table::{Cell, CsvTable};

use crate::progress::Outline;
use pierhead_model::{
    CourseWork, Criterion, FrozenCheck, FrozenQuiz, FrozenResults, Grade, LabAttempt, LatePolicy, Outage, Points,
    PointsFrom, Timestamp, Username,
};

/// For how long work can be handed in after an outage in which it was due, in milliseconds.
pub const GRACE_MS: u64 = 10 * 60_000;

/// When work is due for somebody: as everybody's or as their extension says, whichever is later; and if no controller
/// answered at that moment, somewhat after one did again.
#[must_use]
pub fn due_for(due: Option<Timestamp>, work: &CourseWork, who: &Username, outages: &[Outage]) -> Option<Timestamp> {
    let due = due?;
    let due = work.extensions.get(who).map_or(due, |later| due.max(*later));
    Some(after_outages(due, outages))
}

/// A deadline moved behind the outages that it lies in. One may lead into the next.
fn after_outages(due: Timestamp, outages: &[Outage]) -> Timestamp {
    let mut due = due;
    loop {
        let hit = outages.iter().find(|outage| outage.from < due && due <= outage.to);
        let Some(outage) = hit else { return due };
        due = outage.to.plus(GRACE_MS);
    }
}

/// Whether what was handed in at a moment is late. The moment at which it is due is in time.
#[must_use]
pub fn is_late(asked: Timestamp, due: Option<Timestamp>) -> bool {
    due.is_some_and(|due| asked > due)
}

/// Whether what is handed in at a moment is taken.
#[must_use]
pub fn is_taken(asked: Timestamp, due: Option<Timestamp>, policy: LatePolicy) -> bool {
    policy == LatePolicy::Mark || !is_late(asked, due)
}

/// What an attempt has come to, as it is handed in.
#[must_use]
pub fn frozen(attempt: &LabAttempt, outline: &Outline) -> FrozenResults {
    results(Some(attempt), outline)
}

/// What it is for those who did nothing.
#[must_use]
pub fn nothing_done(outline: &Outline) -> FrozenResults {
    results(None, outline)
}

fn results(attempt: Option<&LabAttempt>, outline: &Outline) -> FrozenResults {
    let mut results = FrozenResults::default();
    for (step, asks) in (0..).zip(&outline.steps) {
        let progress = attempt.and_then(|attempt| attempt.progress(step));
        results.checks.extend(asks.checks.iter().map(|check| FrozenCheck {
            step,
            name: check.name.clone(),
            title: check.title.clone(),
            most: check.score,
            state: progress.and_then(|progress| Some(progress.checks.get(&check.name)?.state)),
            on_copy: None,
        }));
        results.quizzes.extend(asks.quizzes.iter().map(|quiz| FrozenQuiz {
            step,
            name: quiz.name.clone(),
            most: quiz.score,
            score: progress.and_then(|progress| Some(progress.quizzes.get(&quiz.name)?.score.min(quiz.score))),
        }));
    }
    results
}

/// What one criterion came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreLine {
    /// The criterion.
    pub criterion: Criterion,
    /// Its points; none while nobody gave any.
    pub points: Option<Points>,
    /// Whether somebody gave them.
    pub by_hand: bool,
    /// What somebody said of it.
    pub comment: String,
}

/// What somebody's work came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Score {
    /// Criterion by criterion.
    pub lines: Vec<ScoreLine>,
    /// The points so far.
    pub points: Points,
    /// The most that there are.
    pub most: Points,
    /// Whether every criterion has points.
    pub is_whole: bool,
}

/// What work came to by a rubric; what was given by hand counts instead of what comes of itself. Work of which nothing was
/// handed in has only what was given by hand.
#[must_use]
pub fn scored(rubric: &[Criterion], results: Option<&FrozenResults>, grade: &Grade) -> Score {
    let own;
    let rubric = if rubric.is_empty() {
        own = results.map(rubric_of).unwrap_or_default();
        &own
    } else {
        rubric
    };
    let line = |criterion: &Criterion| {
        let given = grade.lines.get(&criterion.id);
        let by_hand = given.and_then(|given| given.points).map(|points| points.min(criterion.most));
        let points = by_hand.or_else(|| by_itself(criterion, results?));
        let comment = given.map(|given| given.comment.clone()).unwrap_or_default();
        ScoreLine { criterion: criterion.clone(), points, by_hand: by_hand.is_some(), comment }
    };
    let lines: Vec<ScoreLine> = rubric.iter().map(line).collect();
    Score {
        points: lines.iter().filter_map(|line| line.points).fold(Points(0), Points::plus),
        most: rubric.iter().map(|criterion| criterion.most).fold(Points(0), Points::plus),
        is_whole: !lines.is_empty() && lines.iter().all(|line| line.points.is_some()),
        lines,
    }
}

/// The rubric of work of which nobody said how it is graded: the points of its checks and of its questions.
#[must_use]
pub fn rubric_of(results: &FrozenResults) -> Vec<Criterion> {
    let criterion = |from: PointsFrom, title: &str| {
        let (_, most) = raw(from, results);
        let most = Points::whole(u32::try_from(most).unwrap_or(Points::MOST).min(Points::MOST));
        Criterion { id: from.as_str().to_owned(), title: title.to_owned(), from, most }
    };
    let both = [criterion(PointsFrom::Checks, "Checks"), criterion(PointsFrom::Quizzes, "Questions")];
    both.into_iter().filter(|criterion| criterion.most > Points(0)).collect()
}

/// The share of a criterion's points that is the share of the lab's own, rounded to the nearest hundredth; none if the lab
/// has none to give.
fn by_itself(criterion: &Criterion, results: &FrozenResults) -> Option<Points> {
    let (got, most) = raw(criterion.from, results);
    if most == 0 {
        return None;
    }
    let hundredths = (u64::from(criterion.most.0) * got.min(most) * 2 + most) / (2 * most);
    Some(Points(u32::try_from(hundredths).unwrap_or(criterion.most.0).min(criterion.most.0)))
}

/// The lab's own points: those that were had, and the most.
fn raw(from: PointsFrom, results: &FrozenResults) -> (u64, u64) {
    let sum = |points: &mut dyn Iterator<Item = (u32, u32)>| {
        points.fold((0, 0), |(got, most), (one, of)| (got + u64::from(one.min(of)), most + u64::from(of)))
    };
    match from {
        PointsFrom::Checks => {
            sum(&mut results.checks.iter().map(|check| (if check.has_passed() { check.most } else { 0 }, check.most)))
        }
        PointsFrom::Quizzes => sum(&mut results.quizzes.iter().map(|quiz| (quiz.score.unwrap_or(0), quiz.most))),
        PointsFrom::Hand => (0, 0),
    }
}

#[cfg(test)]
mod tests;
