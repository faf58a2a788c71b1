use super::*;
use crate::progress::{CheckOutline, QuizOutline, StepOutline};
use pierhead_model::{AttemptId, CheckResult, CheckState, CourseId, GradeLine, LabId, QuizAnswer, QuizResult};
use proptest::prelude::*;
use std::collections::BTreeMap;

const HOUR: u64 = 3_600_000;

fn work() -> CourseWork {
    CourseWork::new(CourseId::parse("cs-101").unwrap(), LabId::parse("mysql").unwrap())
}

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn check(name: &str, most: u32, state: Option<CheckState>) -> FrozenCheck {
    FrozenCheck { step: 0, name: name.to_owned(), title: name.to_owned(), most, state, on_copy: None }
}

fn quiz(most: u32, score: Option<u32>) -> FrozenQuiz {
    FrozenQuiz { step: 0, name: "q".to_owned(), most, score }
}

fn results() -> FrozenResults {
    FrozenResults {
        checks: vec![check("a", 2, Some(CheckState::Passed)), check("b", 1, Some(CheckState::Failed))],
        quizzes: vec![quiz(3, Some(3)), quiz(1, None)],
        ran_on_copy: false,
    }
}

fn criterion(id: &str, from: PointsFrom, most: u32) -> Criterion {
    Criterion { id: id.to_owned(), title: id.to_owned(), from, most: Points::whole(most) }
}

fn given(id: &str, points: Option<u32>, comment: &str) -> Grade {
    let line = GradeLine { points: points.map(Points::whole), comment: comment.to_owned() };
    Grade { lines: BTreeMap::from([(id.to_owned(), line)]), ..Grade::default() }
}

#[test]
fn an_extension_is_for_one_and_never_earlier() {
    let (due, mut work) = (Timestamp(10 * HOUR), work());
    work.extensions.insert(name("li"), Timestamp(12 * HOUR));
    work.extensions.insert(name("wu"), Timestamp(9 * HOUR));
    let due_for = |who: &str| due_for(Some(due), &work, &name(who), &[]);
    assert_eq!(due_for("li"), Some(Timestamp(12 * HOUR)));
    assert_eq!(due_for("wu"), Some(due), "everybody's was put off since");
    assert_eq!(due_for("han"), Some(due));
    assert_eq!(super::due_for(None, &work, &name("li"), &[]), None, "what is never due is due for nobody");
}

#[test]
fn the_last_moment_is_in_time() {
    let due = Some(Timestamp(10));
    assert!(!is_late(Timestamp(10), due) && is_late(Timestamp(11), due) && !is_late(Timestamp(u64::MAX), None));
    assert!(is_taken(Timestamp(10), due, LatePolicy::Refuse) && !is_taken(Timestamp(11), due, LatePolicy::Refuse));
    assert!(is_taken(Timestamp(11), due, LatePolicy::Mark));
}

#[test]
fn what_was_due_while_nobody_answered_is_due_after_that() {
    let outage = |from, to| Outage { from: Timestamp(from * HOUR), to: Timestamp(to * HOUR) };
    let due = |at: u64, outages: &[Outage]| due_for(Some(Timestamp(at * HOUR)), &work(), &name("li"), outages).unwrap();
    let one = [outage(9, 11)];
    assert_eq!(due(10, &one), Timestamp(11 * HOUR + GRACE_MS));
    assert_eq!(due(11, &one), Timestamp(11 * HOUR + GRACE_MS));
    assert_eq!((due(9, &one), due(12, &one)), (Timestamp(9 * HOUR), Timestamp(12 * HOUR)));
    let from = Timestamp(11 * HOUR + 1);
    let again = [outage(9, 11), Outage { from, to: Timestamp(15 * HOUR) }];
    assert_eq!(due(10, &again), Timestamp(15 * HOUR + GRACE_MS), "it fell into the next one");
}

#[test]
fn what_came_out_is_kept_as_it_stood() {
    let asks =
        |name: &str, score| CheckOutline { name: name.to_owned(), title: name.to_owned(), continuous: false, score };
    let quizzes = vec![QuizOutline { name: "port".to_owned(), score: 2 }];
    let first = StepOutline { checks: vec![asks("up", 3), asks("new", 1)], quizzes, ..StepOutline::default() };
    let second = StepOutline { checks: vec![asks("up", 1)], ..StepOutline::default() };
    let outline = Outline { steps: vec![first, second], ..Outline::default() };
    let mut attempt: LabAttempt = serde_json::from_str(
        r#"{"id":"aaaaaaaaaa","lab":"mysql","version":1,"account":"li","seed":"x","started_at":1,"steps":{"0":{"seen_at":1}}}"#,
    )
    .unwrap();
    assert_eq!(attempt.id, AttemptId::parse("aaaaaaaaaa").unwrap());
    let progress = attempt.steps.get_mut(&0).unwrap();
    let at = Timestamp(1);
    let result = |state| CheckResult { state, score: 3, exit: None, hint: None, at, tries: 1 };
    progress.checks.insert("up".to_owned(), result(CheckState::Passed));
    progress.checks.insert("of another version".to_owned(), result(CheckState::Passed));
    let answer = QuizAnswer::Text("80".to_owned());
    progress.quizzes.insert(
        "port".to_owned(),
        QuizResult { answer, right: true, score: 9, tries: 1, at, explanation: String::new() },
    );
    let frozen = frozen(&attempt, &outline);
    let states: Vec<_> = frozen.checks.iter().map(|check| (check.step, check.name.as_str(), check.state)).collect();
    assert_eq!(states, [(0, "up", Some(CheckState::Passed)), (0, "new", None), (1, "up", None)]);
    assert_eq!(frozen.quizzes[0].score, Some(2), "never more than the lab gives");
    assert!(!frozen.ran_on_copy);
}

#[test]
fn without_a_rubric_the_labs_own_points_count() {
    let score = scored(&[], Some(&results()), &Grade::default());
    let lines: Vec<_> = score.lines.iter().map(|line| (line.criterion.id.as_str(), line.points.unwrap())).collect();
    assert_eq!(lines, [("checks", Points::whole(2)), ("quizzes", Points::whole(3))]);
    assert_eq!((score.points, score.most, score.is_whole), (Points::whole(5), Points::whole(7), true));
    let none = scored(&[], None, &Grade::default());
    assert_eq!((none.points, none.most, none.is_whole), (Points(0), Points(0), false));
    let nothing = scored(&[], Some(&FrozenResults::default()), &Grade::default());
    assert!(nothing.lines.is_empty(), "a lab without checks and questions gives nothing by itself");
}

#[test]
fn a_rubric_weighs_and_a_hand_counts_more() {
    let rubric = [
        criterion("work", PointsFrom::Checks, 10),
        criterion("theory", PointsFrom::Quizzes, 2),
        criterion("style", PointsFrom::Hand, 5),
    ];
    let score = scored(&rubric, Some(&results()), &given("style", None, "tidy"));
    let points: Vec<_> = score.lines.iter().map(|line| line.points).collect();
    // Two of three points, of ten: to the nearest hundredth.
    assert_eq!(points, [Some(Points(667)), Some(Points(150)), None]);
    assert_eq!((score.points, score.most, score.is_whole), (Points(817), Points::whole(17), false));
    assert_eq!((score.lines[2].comment.as_str(), score.lines[2].by_hand), ("tidy", false));
    let score = scored(&rubric, Some(&results()), &given("style", Some(4), ""));
    assert!(score.is_whole && score.points == Points(1217));
    let score = scored(&rubric, Some(&results()), &given("work", Some(1), "copied"));
    assert_eq!((score.lines[0].points, score.lines[0].by_hand), (Some(Points::whole(1)), true));
    let score = scored(&rubric, Some(&results()), &given("work", Some(99), ""));
    assert_eq!(score.lines[0].points, Some(Points::whole(10)), "the rubric may have been made smaller since");
    let score = scored(&rubric, None, &given("style", Some(2), ""));
    assert_eq!((score.points, score.lines[0].points), (Points::whole(2), None), "nothing was handed in");
}

#[test]
fn what_passed_on_the_copy_counts_too() {
    let mut results = results();
    results.checks[1].on_copy = Some(CheckState::Passed);
    results.checks[0].on_copy = Some(CheckState::Failed);
    assert_eq!(scored(&[], Some(&results), &Grade::default()).lines[0].points, Some(Points::whole(3)));
}

fn any_results() -> impl Strategy<Value = FrozenResults> {
    let check = (any::<u32>(), any::<bool>()).prop_map(|(most, passed)| {
        check("c", most, Some(if passed { CheckState::Passed } else { CheckState::Failed }))
    });
    let quiz = (any::<u32>(), any::<Option<u32>>()).prop_map(|(most, score)| quiz(most, score));
    let lists = (prop::collection::vec(check, 0..6), prop::collection::vec(quiz, 0..6));
    lists.prop_map(|(checks, quizzes)| FrozenResults { checks, quizzes, ran_on_copy: false })
}

fn any_rubric() -> impl Strategy<Value = Vec<Criterion>> {
    let from = prop_oneof![Just(PointsFrom::Checks), Just(PointsFrom::Quizzes), Just(PointsFrom::Hand)];
    let one = (from, 0..=Points::MOST * 100);
    prop::collection::vec(one, 0..8).prop_map(|all| {
        let named = all.into_iter().enumerate();
        named
            .map(|(at, (from, most))| Criterion { most: Points(most), ..criterion(&format!("c{at}"), from, 0) })
            .collect()
    })
}

proptest! {
    #[test]
    fn nobody_gets_more_than_there_is(
        rubric in any_rubric(), results in any_results(), hand in prop::collection::vec(any::<Option<u32>>(), 8),
    ) {
        let mut grade = Grade::default();
        for (at, points) in hand.into_iter().enumerate() {
            let points = points.map(Points);
            grade.lines.insert(format!("c{at}"), GradeLine { points, comment: String::new() });
        }
        let score = scored(&rubric, Some(&results), &grade);
        prop_assert!(score.points <= score.most);
        for line in &score.lines {
            prop_assert!(line.points.is_none_or(|points| points <= line.criterion.most));
        }
        let sum = score.lines.iter().filter_map(|line| line.points).fold(Points(0), Points::plus);
        prop_assert_eq!(sum, score.points);
    }

    #[test]
    fn one_more_pass_never_costs_points(rubric in any_rubric(), results in any_results(), at in any::<prop::sample::Index>()) {
        prop_assume!(!results.checks.is_empty());
        let before = scored(&rubric, Some(&results), &Grade::default()).points;
        let mut better = results.clone();
        let at = at.index(better.checks.len());
        better.checks[at].on_copy = Some(CheckState::Passed);
        prop_assert!(scored(&rubric, Some(&better), &Grade::default()).points >= before);
    }

    #[test]
    fn nobody_is_late_by_our_fault(due in 0..1_000_u64, spans in prop::collection::vec((0..1_000_u64, 1..200_u64), 0..6)) {
        let minute = |at: u64| Timestamp(at * 60_000);
        let outages: Vec<Outage> =
            spans.iter().map(|(from, long)| Outage { from: minute(*from), to: minute(from + long) }).collect();
        let extended = due_for(Some(minute(due)), &work(), &name("li"), &outages).unwrap();
        prop_assert!(extended >= minute(due));
        // At the moment at which it ends somebody answers.
        prop_assert!(!outages.iter().any(|outage| outage.from < extended && extended <= outage.to));
        if !outages.iter().any(|outage| outage.from < minute(due) && minute(due) <= outage.to) {
            prop_assert_eq!(extended, minute(due), "nobody gets time that they did not lose");
        }
    }
}
