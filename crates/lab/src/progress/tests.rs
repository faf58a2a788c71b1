use super::*;
use crate::files::{Folder, MemoryFiles};
use crate::model::{Lab, Problems};
use crate::path::LabPath;
use pierhead_model::{AttemptId, LabId, Username};
use proptest::prelude::*;
use std::collections::BTreeMap;

mod kept;

const FIRST: &str = "---\nsetup: [{run: touch /a}]\nchecks:\n  - {name: up, run: test -e /a, score: 2, hints: [{exit: 2, text: \"port {{port}}\"}, {timeout: true, text: slow}, {text: no}]}\n  - {name: on, run: test -e /b, continuous: true}\n---\n# First\n";
const SECOND: &str =
    "# Second\n\n> [!HINT] one\n> a\n\n```quiz name=q score=3\nA?\n- [ ] a\n- [x] b\n> Because.\n```\n";
const THIRD: &str = "# Third\n\n![b](/b.png)\n\n> [!HINT] h\n> [a](/a.csv)\n";
const NOW: Timestamp = Timestamp(1_000);

fn lab_of(steps: &[(&str, &str)]) -> (Lab, Outline) {
    let mut files = BTreeMap::from([(
        "lab.yaml".to_owned(),
        "title: L\nenvironment: shell\nvariables: {port: {value: \"80\"}}\n".to_owned(),
    )]);
    files.extend(steps.iter().map(|(name, text)| (format!("steps/{name}.md"), (*text).to_owned())));
    files.extend(["a.csv", "b.png", "c.sh"].map(|name| (name.to_owned(), String::new())));
    let files = files.into_iter().map(|(path, text)| (LabPath::parse(&path).unwrap(), text.into_bytes()));
    let files = MemoryFiles::new(files.collect()).unwrap();
    let (folder, mut problems) = (Folder::new(&files), Problems::default());
    let lab = crate::own::read(&folder, &mut problems).unwrap();
    assert!(!problems.any_errors(), "{:?}", problems.into_list());
    let outline = Outline::of(&lab, &folder);
    (lab, outline)
}

fn lab() -> (Lab, Outline) {
    lab_of(&[("1", FIRST), ("2", SECOND), ("3", THIRD)])
}

fn begun(outline: &Outline) -> LabAttempt {
    let mut attempt = LabAttempt {
        id: AttemptId::from_random(1),
        lab: LabId::parse("l").unwrap(),
        version: 1,
        account: Username::parse("ann").unwrap(),
        course: None,
        seed: "s".to_owned(),
        language: String::new(),
        opened: 0,
        workspace: None,
        prepared: None,
        step: 0,
        steps: BTreeMap::new(),
        started_at: NOW,
        done_at: None,
    };
    visit(&mut attempt, outline, 0, NOW);
    attempt
}

fn checked(attempt: &mut LabAttempt, lab: &Lab, outline: &Outline, check: usize, outcome: Outcome) -> CheckResult {
    let values = Values::from([("port".to_owned(), "80".to_owned())]);
    let check = &lab.steps[0].checks[check];
    take_check(attempt, outline, (0, check), (&outcome, Asked::ByStudent), &values, NOW);
    attempt.steps[&0].checks[&check.name].clone()
}

/// The quiz of the second step, as the renderer makes it.
fn quiz() -> Quiz {
    let (lab, _) = lab();
    let files = MemoryFiles::default();
    let (folder, values) = (Folder::new(&files), Values::new());
    let renderer = crate::Renderer::new(&folder, &lab, &values);
    let quiz = renderer.page(&lab.steps[1].page, &mut Problems::default()).quizzes.remove(0);
    assert_eq!(renderer.explanation(&lab.steps[1].page, &quiz).trim(), "<p>Because.</p>");
    quiz
}

#[test]
fn an_outline_says_what_is_asked_and_what_it_is_worth() {
    let (_, outline) = lab();
    let first = &outline.steps[0];
    assert_eq!((first.title.as_str(), first.has_setup, first.checks.len(), first.hints), ("First", true, 2, 0));
    assert_eq!((first.checks[0].continuous, first.checks[1].continuous), (false, true));
    assert_eq!((outline.steps[1].hints, outline.steps[1].quizzes[0].score, outline.most()), (1, 3, 6));
    let shown: Vec<&str> = outline.shown.iter().map(LabPath::as_str).collect();
    assert_eq!(shown, ["a.csv", "b.png"], "and neither scripts nor what nothing leads to");
}

#[test]
fn a_check_says_what_came_of_it_and_a_pass_stays() {
    let (lab, outline) = lab();
    let mut attempt = begun(&outline);
    let mut check = |at, outcome| checked(&mut attempt, &lab, &outline, at, outcome);
    let failed = check(0, Outcome::Ended(2));
    assert_eq!((failed.state, failed.hint.as_deref(), failed.tries), (CheckState::Failed, Some("port 80"), 1));
    assert_eq!(check(0, Outcome::Ended(7)).hint.as_deref(), Some("no"), "the first that fits any");
    assert_eq!(check(0, Outcome::TimedOut).hint.as_deref(), Some("slow"));
    let away = check(0, Outcome::NotRun("its host is away".to_owned()));
    assert_eq!((away.state, away.hint.as_deref()), (CheckState::NotRun, Some("its host is away")));
    let passed = check(0, Outcome::Ended(0));
    assert_eq!((passed.state, passed.score, passed.hint, passed.tries), (CheckState::Passed, 2, None, 5));
    let after = check(0, Outcome::Ended(1));
    assert_eq!((after.state, after.score, after.exit, after.tries), (CheckState::Passed, 2, Some(0), 6));
    assert_eq!(check(1, Outcome::Ended(9)).hint, None, "nobody wrote one");
}

#[test]
fn a_check_that_goes_on_is_noted_when_it_says_something_else() {
    let (lab, outline) = lab();
    let (mut attempt, check) = (begun(&outline), &lab.steps[0].checks[1]);
    let values = Values::new();
    assert!(is_news(&attempt, 0, check, &Outcome::Ended(1)));
    let outcome = Outcome::Ended(1);
    take_check(&mut attempt, &outline, (0, check), (&outcome, Asked::ByItself), &values, NOW);
    assert_eq!(attempt.steps[&0].checks["on"].tries, 0, "nobody tried");
    assert!(!is_news(&attempt, 0, check, &Outcome::Ended(1)));
    assert!(is_news(&attempt, 0, check, &Outcome::Ended(2)) && is_news(&attempt, 0, check, &Outcome::TimedOut));
    take_check(&mut attempt, &outline, (0, check), (&Outcome::Ended(0), Asked::ByItself), &values, NOW);
    assert!(!is_news(&attempt, 0, check, &Outcome::Ended(2)), "it has passed");
}

#[test]
fn a_lab_is_done_when_all_of_it_is() {
    let (lab, outline) = lab();
    let mut attempt = begun(&outline);
    for check in 0..2 {
        checked(&mut attempt, &lab, &outline, check, Outcome::Ended(0));
    }
    assert!(is_done(&attempt, &outline, 0) && !is_done(&attempt, &outline, 1) && attempt.done_at.is_none());
    assert_eq!(score(&attempt, &outline), 3);
    visit(&mut attempt, &outline, 2, NOW);
    assert!(is_done(&attempt, &outline, 2), "it asks for nothing, and was seen");
    take_answer(&mut attempt, &outline, (1, &quiz(), "why"), QuizAnswer::Choice(vec![0]), NOW);
    assert_eq!((attempt.done_at, score(&attempt, &outline)), (Some(NOW), 3), "a wrong answer is one too");
    take_answer(&mut attempt, &outline, (1, &quiz(), "why"), QuizAnswer::Choice(vec![1]), NOW.plus(9));
    assert_eq!((attempt.done_at, score(&attempt, &outline)), (Some(NOW), 6));
    take_answer(&mut attempt, &outline, (1, &quiz(), "why"), QuizAnswer::Text("b".to_owned()), NOW.plus(9));
    let result = &attempt.steps[&1].quizzes["q"];
    assert_eq!((result.right, result.tries, &result.answer), (true, 3, &QuizAnswer::Choice(vec![1])));
    assert_eq!(result.explanation, "why");
    assert!(!is_done(&attempt, &outline, 7), "there is no such step");
}

#[test]
fn a_step_and_all_are_taken_back() {
    let (lab, outline) = lab();
    let mut attempt = begun(&outline);
    attempt.steps.get_mut(&0).unwrap().setup = SetupState::Done;
    checked(&mut attempt, &lab, &outline, 0, Outcome::Ended(0));
    visit(&mut attempt, &outline, 1, NOW);
    open_hint(&mut attempt, &outline, 1, 0, NOW);
    reset_step(&mut attempt, &outline, 0, NOW);
    assert_eq!((attempt.step, attempt.steps[&0].checks.len(), &attempt.steps[&0].setup), (1, 0, &SetupState::Waiting));
    assert!(attempt.steps[&1].hints.contains(&0), "other steps stay");
    attempt.prepared = Some(3);
    reset(&mut attempt, &outline, NOW);
    assert_eq!((attempt.step, attempt.steps.len(), attempt.prepared), (0, 1, None));
}

#[test]
fn what_is_run_at_first_visits_is_run_once_in_order_and_again_in_new_containers() {
    let (_, outline) = lab_of(&[("1", FIRST), ("2", SECOND), ("3", FIRST)]);
    let mut attempt = begun(&outline);
    visit(&mut attempt, &outline, 2, NOW);
    visit(&mut attempt, &outline, 1, NOW);
    assert_eq!(next_setup(&attempt), Some(0));
    for step in [0, 2] {
        assert_eq!(next_setup(&attempt), Some(step));
        attempt.steps.get_mut(&step).unwrap().setup = SetupState::Done;
    }
    visit(&mut attempt, &outline, 0, NOW);
    assert_eq!(next_setup(&attempt), None, "another visit is not the first");
    begin_anew(&mut attempt, &outline, 2);
    assert_eq!((next_setup(&attempt), attempt.prepared), (Some(0), Some(2)));
    assert_eq!(attempt.steps[&1].setup, SetupState::Done, "it has nothing to run");
}

#[test]
fn moving_keeps_what_is_the_same() {
    let (old, outline) = lab();
    let mut attempt = begun(&outline);
    checked(&mut attempt, &old, &outline, 0, Outcome::Ended(0));
    take_answer(&mut attempt, &outline, (1, &quiz(), "why"), QuizAnswer::Choice(vec![1]), NOW);
    visit(&mut attempt, &outline, 1, NOW);
    // A new step comes first, the second one asks something else now.
    let changed = SECOND.replace("A?", "B?");
    let (new, outline) = lab_of(&[("0", "# New\n"), ("1", FIRST), ("2", &changed), ("3", THIRD)]);
    move_to(&mut attempt, (&old, &new), &outline, 2, NOW);
    assert_eq!(attempt.steps[&1].checks["up"].state, CheckState::Passed, "the first is the second now");
    assert_eq!((attempt.version, attempt.step), (2, 0), "to the first that they have not seen");
    assert!(!attempt.steps.contains_key(&2) && score(&attempt, &outline) == 2);
}

#[test]
fn moving_where_values_differ_keeps_nothing() {
    let (old, outline) = lab();
    let mut attempt = begun(&outline);
    checked(&mut attempt, &old, &outline, 0, Outcome::Ended(0));
    let mut new = old.clone();
    new.variables.clear();
    move_to(&mut attempt, (&old, &new), &outline, 2, NOW);
    assert_eq!((attempt.steps.len(), score(&attempt, &outline)), (1, 0));
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![(0..4i64).prop_map(Outcome::Ended), Just(Outcome::TimedOut), Just(Outcome::NotRun("x".to_owned()))]
}

proptest! {
    /// Whatever happens in whatever order, points never exceed what the lab gives, never fall but by a reset, and it is done
    /// exactly when every step is.
    #[test]
    fn points_are_bounded_and_only_a_reset_takes_them(acts in proptest::collection::vec((0..5u8, 0..3u32, outcomes()), 0..40)) {
        let (lab, outline) = lab();
        let (mut attempt, quiz, values) = (begun(&outline), quiz(), Values::new());
        for (act, number, outcome) in acts {
            let before = score(&attempt, &outline);
            match act {
                0 => visit(&mut attempt, &outline, number, NOW),
                1 => {
                    let check = &lab.steps[0].checks[number as usize % 2];
                    take_check(&mut attempt, &outline, (0, check), (&outcome, Asked::ByItself), &values, NOW);
                }
                2 => take_answer(&mut attempt, &outline, (1, &quiz, ""), QuizAnswer::Choice(vec![number]), NOW),
                3 => open_hint(&mut attempt, &outline, number, number, NOW),
                _ => reset_step(&mut attempt, &outline, number, NOW),
            }
            let after = score(&attempt, &outline);
            prop_assert!(after <= outline.most() && (act == 4 || after >= before), "{before} -> {after}");
            let all = (0..3).all(|step| is_done(&attempt, &outline, step));
            prop_assert_eq!(attempt.done_at.is_some(), all);
        }
    }
}
