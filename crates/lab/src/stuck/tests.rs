use super::*;
use pierhead_model::{AttemptId, CheckResult, LabId, QuizAnswer, QuizResult, StepProgress, Username};
use proptest::prelude::*;
use std::collections::BTreeMap;

const MINUTE: u64 = MINUTE_MS;
const NOW: Timestamp = Timestamp(100 * MINUTE);

fn points(standing: Standing) -> u32 {
    stuck(&standing).points
}

#[test]
fn each_thing_has_its_points() {
    let calm = Standing::default();
    assert_eq!(stuck(&calm), Stuck::default());
    for (standing, expected, reason) in [
        (Standing { hand_ms: Some(0), ..calm }, 1000, StuckReason::Hand),
        (Standing { hand_ms: Some(7 * MINUTE), ..calm }, 1007, StuckReason::Hand),
        (Standing { progress_ms: 5 * MINUTE, ..calm }, 2, StuckReason::NoProgress),
        (Standing { progress_ms: 300 * MINUTE, ..calm }, 50, StuckReason::NoProgress),
        (Standing { failing: 2, ..calm }, 20, StuckReason::Failing),
        (Standing { failing: 9, ..calm }, 30, StuckReason::Failing),
        (Standing { activity_ms: 6 * MINUTE, ..calm }, 2, StuckReason::Idle),
        (Standing { activity_ms: 90 * MINUTE, ..calm }, 15, StuckReason::Idle),
    ] {
        assert_eq!(stuck(&standing), Stuck { points: expected, reasons: vec![reason] }, "{standing:?}");
    }
    let tries = Standing { failing: 1, tries: 6, ..calm };
    assert_eq!(stuck(&tries), Stuck { points: 22, reasons: vec![StuckReason::Tries, StuckReason::Failing] });
    assert_eq!(points(Standing { tries: 6, ..calm }), 0, "what was tried and passed is over");
    assert_eq!(points(Standing { progress_ms: 5 * MINUTE - 1, activity_ms: 5 * MINUTE - 1, ..calm }), 0);
}

#[test]
fn a_raised_hand_goes_first_and_who_is_done_last() {
    let worst = Standing {
        hand_ms: None,
        progress_ms: u64::MAX,
        activity_ms: u64::MAX,
        failing: u32::MAX,
        tries: u32::MAX,
        is_done: false,
    };
    let asks = Standing { hand_ms: Some(0), ..Standing::default() };
    assert!(points(worst) < points(asks), "{} {}", points(worst), points(asks));
    assert_eq!(points(Standing { is_done: true, ..worst }), 0);
    assert_eq!(points(Standing { is_done: true, hand_ms: Some(0), ..worst }), 1000, "they may still ask");
    let names: Vec<_> = stuck(&Standing { hand_ms: Some(0), ..worst }).reasons.iter().map(|one| one.as_str()).collect();
    assert_eq!(names, ["hand", "no-progress", "failing", "tries", "idle"]);
}

fn attempt() -> LabAttempt {
    let check = |state, at, tries| CheckResult { state, score: 0, exit: None, hint: None, at: Timestamp(at), tries };
    let first = StepProgress {
        seen_at: Timestamp(10 * MINUTE),
        checks: BTreeMap::from([("a".to_owned(), check(CheckState::Passed, 30 * MINUTE, 4))]),
        quizzes: BTreeMap::from([(
            "q".to_owned(),
            QuizResult {
                answer: QuizAnswer::Text("x".to_owned()),
                right: true,
                score: 1,
                tries: 1,
                at: Timestamp(40 * MINUTE),
                explanation: String::new(),
            },
        )]),
        ..StepProgress::default()
    };
    let second = StepProgress {
        seen_at: Timestamp(50 * MINUTE),
        checks: BTreeMap::from([
            ("b".to_owned(), check(CheckState::Failed, 99 * MINUTE, 3)),
            ("c".to_owned(), check(CheckState::TimedOut, 98 * MINUTE, 2)),
            ("d".to_owned(), check(CheckState::NotRun, 98 * MINUTE, 9)),
        ]),
        ..StepProgress::default()
    };
    LabAttempt {
        id: AttemptId::parse("abcdefghij").unwrap(),
        lab: LabId::parse("first-steps").unwrap(),
        version: 1,
        account: Username::parse("sue").unwrap(),
        course: None,
        seed: String::new(),
        language: String::new(),
        opened: 0,
        workspace: None,
        prepared: None,
        step: 1,
        steps: BTreeMap::from([(0, first), (1, second)]),
        started_at: Timestamp(10 * MINUTE),
        done_at: None,
    }
}

#[test]
fn somebody_gets_on_by_passing_answering_and_coming_to_a_step() {
    let standing = Standing::of_attempt(&attempt(), Some(Timestamp(97 * MINUTE)), NOW);
    let expected = Standing {
        hand_ms: None,
        progress_ms: 50 * MINUTE,
        activity_ms: 3 * MINUTE,
        failing: 2,
        tries: 5,
        is_done: false,
    };
    assert_eq!(standing, expected, "a check that fails again is no progress, and one that was not run fails nothing");
    let mut at_first = attempt();
    at_first.step = 0;
    at_first.steps.remove(&1);
    let standing = Standing::of_attempt(&at_first, None, NOW);
    assert_eq!((standing.progress_ms, standing.failing), (60 * MINUTE, 0), "the answer came last");
    at_first.steps.clear();
    assert_eq!(Standing::of_attempt(&at_first, None, NOW).progress_ms, 90 * MINUTE, "since the beginning");
    at_first.done_at = Some(NOW);
    assert!(Standing::of_attempt(&at_first, None, NOW).is_done);
}

#[test]
fn who_works_at_no_lab_is_looked_at_when_nothing_happens() {
    let since = |active| Standing::of_workspace(Timestamp(80 * MINUTE), active, NOW);
    assert_eq!(points(since(Some(Timestamp(99 * MINUTE)))), 0);
    assert_eq!(points(since(None)), 15, "never active since it began");
    assert_eq!(points(since(Some(Timestamp(90 * MINUTE)))), 6);
}

fn any_standing() -> impl Strategy<Value = Standing> {
    let ms = || prop_oneof![0..3 * MINUTE, 0..200 * MINUTE, Just(u64::MAX)];
    (prop::option::of(ms()), ms(), ms(), 0..20_u32, 0..20_u32, any::<bool>()).prop_map(
        |(hand_ms, progress_ms, activity_ms, failing, tries, is_done)| Standing {
            hand_ms,
            progress_ms,
            activity_ms,
            failing,
            tries,
            is_done,
        },
    )
}

proptest! {
    #[test]
    fn more_of_anything_never_ranks_lower(one in any_standing(), more in any_standing()) {
        for worse in [
            Standing { hand_ms: one.hand_ms.max(more.hand_ms), ..one },
            Standing { progress_ms: one.progress_ms.max(more.progress_ms), ..one },
            Standing { activity_ms: one.activity_ms.max(more.activity_ms), ..one },
            Standing { failing: one.failing.max(more.failing), ..one },
            Standing { tries: one.tries.max(more.tries), ..one },
        ] {
            prop_assert!(points(worse) >= points(one), "{:?} {:?}", worse, one);
        }
        prop_assert_eq!(stuck(&one).reasons.is_empty(), points(one) == 0);
    }
}
