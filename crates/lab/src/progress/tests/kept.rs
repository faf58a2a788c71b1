//! What is kept and what it counts when a lab changes under an attempt.

use super::*;
use pierhead_model::CheckState::{Failed, NotRun, Passed, TimedOut};

#[test]
fn an_outcome_has_a_state_a_status_and_the_first_hint_that_fits() {
    let (lab, _) = lab();
    let hint = |exit, timeout, text: &str| crate::OutcomeHint { exit, timeout, text: text.to_owned() };
    let check = Check {
        hints: vec![hint(Some(2), false, "two"), hint(None, true, "late"), hint(None, false, "any {{port}} {{x}}")],
        ..lab.steps[0].checks[0].clone()
    };
    let values = Values::from([("port".to_owned(), "80".to_owned())]);
    for (outcome, state, exit, told) in [
        (Outcome::Ended(0), Passed, Some(0), None),
        (Outcome::Ended(2), Failed, Some(2), Some("two")),
        (Outcome::Ended(258), Failed, Some(258), Some("any 80 {{x}}")),
        (Outcome::Ended(-1), Failed, Some(-1), Some("any 80 {{x}}")),
        (Outcome::TimedOut, TimedOut, None, Some("late")),
        (Outcome::NotRun("{{port}}".to_owned()), NotRun, None, Some("{{port}}")),
    ] {
        assert_eq!((outcome.state(), outcome.exit()), (state, exit), "{outcome:?}");
        assert_eq!(outcome.hint(&check, &values).as_deref(), told, "{outcome:?}");
    }
    let only = Check { hints: vec![hint(Some(2), false, "two")], ..check.clone() };
    assert_eq!(Outcome::TimedOut.hint(&only, &values), None, "it is for a status");
    let any = Check { hints: vec![hint(None, false, "any")], ..check };
    assert_eq!(Outcome::TimedOut.hint(&any, &values).as_deref(), Some("any"));
}

#[test]
fn points_are_those_that_the_lab_gives_now() {
    let (lab, mut outline) = lab();
    let mut attempt = begun(&outline);
    checked(&mut attempt, &lab, &outline, 0, Outcome::Ended(0));
    checked(&mut attempt, &lab, &outline, 1, Outcome::Ended(0));
    assert_eq!(score(&attempt, &outline), 3);
    outline.steps[0].checks[0].score = 1;
    assert_eq!(score(&attempt, &outline), 2, "not more than it gives now");
    outline.steps[0].checks[1].score = 100;
    assert_eq!(score(&attempt, &outline), 2, "not more than was given");
    outline.steps[0].checks.remove(0);
    assert_eq!(score(&attempt, &outline), 1, "nothing for what is asked no more");
    outline.steps[0].checks[0].score = u32::MAX;
    outline.steps[1].quizzes[0].score = u32::MAX;
    assert_eq!(outline.most(), u32::MAX, "it does not begin anew at zero");
    outline.steps.clear();
    assert_eq!((score(&attempt, &outline), outline.most()), (0, 0));
}

#[test]
fn a_check_that_passed_keeps_its_moment_and_a_lab_taken_back_is_not_done() {
    let (lab, outline) = lab_of(&[("1", FIRST)]);
    let mut attempt = begun(&outline);
    let values = Values::new();
    for (seconds, code) in [(1, 0), (2, 1), (3, 0)] {
        for check in &lab.steps[0].checks {
            let told = (&Outcome::Ended(code), Asked::ByStudent);
            take_check(&mut attempt, &outline, (0, check), told, &values, NOW.plus(seconds));
        }
    }
    let up = &attempt.steps[&0].checks["up"];
    assert_eq!((up.at, up.tries, attempt.done_at), (NOW.plus(1), 3, Some(NOW.plus(1))));
    reset_step(&mut attempt, &outline, 0, NOW.plus(9));
    assert_eq!((attempt.done_at, attempt.steps[&0].seen_at), (None, NOW.plus(9)));
}

/// Where the three steps of the usual lab are found again among these: their numbers there, by number here.
fn kept(steps: &[(&str, &str)]) -> Vec<(u32, u32)> {
    let ((old, _), (new, _)) = (lab(), lab_of(steps));
    moving::places(&old, &new).into_iter().collect()
}

#[test]
fn steps_are_the_same_by_what_they_hold_and_not_by_where_they_stand() {
    assert_eq!(kept(&[("1", THIRD), ("2", FIRST), ("3", SECOND)]), [(0, 1), (1, 2), (2, 0)]);
    assert_eq!(kept(&[("a", SECOND), ("b", SECOND)]), [(1, 0)], "one is not two");
    for (what, changed) in [
        ("its title", FIRST.replace("# First", "# Other")),
        ("its text", format!("{FIRST}\nMore.\n")),
        ("what is run first", FIRST.replace("touch /a", "touch /b")),
        ("a script", FIRST.replace("test -e /b", "test -e /c")),
        ("the points", FIRST.replace("score: 2", "score: 3")),
        ("a hint", FIRST.replace("text: slow", "text: late")),
        ("when it is checked", FIRST.replace(", continuous: true", "")),
    ] {
        assert_ne!(changed, FIRST, "{what}");
        assert_eq!(kept(&[("1", &changed), ("2", SECOND), ("3", THIRD)]), [(1, 1), (2, 2)], "{what}");
    }
}

#[test]
fn a_student_whose_step_is_gone_comes_to_the_first_that_is_new() {
    let (old, outline) = lab();
    let mut attempt = begun(&outline);
    visit(&mut attempt, &outline, 1, NOW);
    let (new, outline) = lab_of(&[("1", FIRST), ("2", THIRD), ("3", "# New\n")]);
    move_to(&mut attempt, (&old, &new), &outline, 5, NOW.plus(7));
    assert_eq!((attempt.version, attempt.step), (5, 1), "the third was never seen");
    assert_eq!((attempt.steps[&0].seen_at, attempt.steps[&1].seen_at), (NOW, NOW.plus(7)));
    let (all, outline) = lab_of(&[("1", THIRD), ("2", FIRST)]);
    move_to(&mut attempt, (&new, &all), &outline, 6, NOW.plus(8));
    assert_eq!((attempt.step, attempt.steps[&1].seen_at), (0, NOW), "they stay where they were");
}
