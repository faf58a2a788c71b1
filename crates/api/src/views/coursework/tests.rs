use super::*;
use pierhead_lab::grading::scored;
use pierhead_model::{Course, CourseLab, CourseWork, Criterion, Grade, GradeLine, PointsFrom};
use pierhead_store::Revision;
use std::collections::BTreeMap;
use std::sync::Arc;

/// 18:00 on the first of December in Shanghai.
const DUE: Timestamp = Timestamp(1_796_119_200_000);

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn handed_in(stage: SubmissionStage) -> Submission {
    let text = r#"{"course":"cs-101","lab":"mysql","account":"li","number":3,"asked_at":1796119200000,
        "attempt":"aaaaaaaaaa","version":2,"stage":"asked","since":1,"late":true,"by":"li","note":"as it was",
        "results":{"ran_on_copy":true,"checks":[
            {"step":0,"name":"up","title":"Up","most":3,"state":"passed","on_copy":"failed"},
            {"step":1,"name":"more","title":"More","most":2,"on_copy":"timed-out"}],
            "quizzes":[{"step":0,"name":"port","most":1,"score":1}]}}"#;
    Submission { stage, ..serde_json::from_str(text).unwrap() }
}

fn grade() -> Grade {
    let line = GradeLine { points: Some(Points(150)), comment: "neat".to_owned() };
    Grade { lines: BTreeMap::from([("style".to_owned(), line)]), comment: "Good.".to_owned(), ..Grade::default() }
}

fn came_to(submission: Option<Submission>) -> LabResult {
    let criterion = |id: &str, from, most| Criterion { id: id.to_owned(), title: id.to_owned(), from, most };
    let rubric = [
        criterion("work", PointsFrom::Checks, Points::whole(10)),
        criterion("style", PointsFrom::Hand, Points::whole(2)),
    ];
    let score = scored(&rubric, submission.as_ref().map(|one| &one.results), &grade());
    LabResult {
        lab: pierhead_model::LabId::parse("mysql").unwrap(),
        title: "A database".to_owned(),
        due_at: Some(DUE),
        published_at: None,
        submission,
        score: Some(score),
        comment: "Good.".to_owned(),
        graded: Some((name("zhao"), DUE)),
    }
}

fn course(right: CourseRight) -> CourseNow {
    let text = r#"{"id":"cs-101","title":"Databases","term":"","zone":"Asia/Shanghai","teachers":["wang"],"assistants":[],
        "labs":[{"lab":"mysql"}],"sessions":[],"created_at":1}"#;
    let record: Course = serde_json::from_str(text).unwrap();
    CourseNow { record: Arc::new(record), revision: Revision::ZERO, enrolments: Arc::default(), right }
}

fn at_work(published_at: Option<Timestamp>) -> WorkNow {
    let course = course(CourseRight::Student).record;
    let entry: CourseLab = course.labs[0].clone();
    let mut work = CourseWork::new(course.id.clone(), entry.lab.clone());
    work.extensions.insert(name("wu"), DUE.plus(86_400_000));
    work.published_at = published_at;
    WorkNow {
        entry: CourseLab { due_at: Some(DUE), ..entry },
        title: "A database".to_owned(),
        work,
        due_at: Some(DUE),
        is_begun: true,
        submission: Some(handed_in(SubmissionStage::Complete)),
    }
}

#[test]
fn students_see_their_deadline_and_neither_others_nor_results_before_they_are_told() {
    let seen = work(&course(CourseRight::Student), &at_work(None));
    assert_eq!(seen.due.as_ref().map(|due| due.local.as_str()), Some("2026-12-01T18:00:00+08:00"));
    assert_eq!(seen.extensions, None, "for whom it is due later is theirs");
    let of_theirs = seen.submission.unwrap();
    assert!(of_theirs.checks.is_empty() && of_theirs.quizzes.is_empty() && !of_theirs.ran_on_copy);
    assert_eq!((of_theirs.state.as_str(), of_theirs.late), ("complete", true), "that it was taken is told");
    let told = work(&course(CourseRight::Student), &at_work(Some(Timestamp(1)))).submission.unwrap();
    assert_eq!((told.checks.len(), told.quizzes.len(), told.ran_on_copy), (2, 1, true));
    let staff = work(&course(CourseRight::Assistant), &at_work(None));
    assert_eq!(staff.extensions.unwrap()[0].username, "wu");
    assert_eq!(staff.submission.unwrap().checks.len(), 2);
}

#[test]
fn a_check_that_passed_once_counts_and_both_are_shown() {
    let shown = submission(&handed_in(SubmissionStage::Complete), true);
    let of = |at: usize| {
        let check = &shown.checks[at];
        (check.state.as_str(), check.on_copy.as_deref(), check.score, check.most)
    };
    assert_eq!(of(0), ("passed", Some("failed"), 3, 3));
    assert_eq!(of(1), ("not-run", Some("timed-out"), 0, 2));
    assert_eq!(
        (shown.quizzes[0].score, shown.automatic, shown.message.as_deref()),
        (Some(1), false, Some("as it was"))
    );
    let failed = SubmissionStage::Failed { why: "it could not be saved".to_owned() };
    let shown = submission(&handed_in(failed), false);
    assert_eq!((shown.state.as_str(), shown.message.as_deref()), ("failed", Some("it could not be saved")));
    assert!(submission(&Submission { by: None, ..handed_in(SubmissionStage::Asked) }, false).automatic);
}

#[test]
fn a_result_without_a_score_tells_nothing_of_it() {
    let whole = result(&came_to(Some(handed_in(SubmissionStage::Complete))));
    assert_eq!((whole.points, whole.most, whole.whole), (Some(7.5), Some(12.0), true), "6 of 10 and 1.5 of 2");
    assert_eq!(
        whole.lines.iter().map(|line| (line.points, line.by_hand)).collect::<Vec<_>>(),
        [(Some(6.0), false), (Some(1.5), true)]
    );
    assert_eq!((whole.graded_by.as_deref(), whole.lines[1].comment.as_str()), (Some("zhao"), "neat"));
    let hidden = LabResult { score: None, comment: String::new(), graded: None, ..came_to(None) };
    let hidden = result(&hidden);
    assert_eq!((hidden.points, hidden.most, hidden.whole, hidden.graded_by), (None, None, false, None));
    assert!(hidden.lines.is_empty() && hidden.submission.is_none() && hidden.due_at.is_some());
}

#[test]
fn a_gradebook_is_a_table_of_values_in_the_courses_time() {
    let row = |account: &str, group: Option<&str>, of: Option<Submission>| GradebookRow {
        account: name(account),
        group: group.map(str::to_owned),
        suspended: false,
        labs: vec![came_to(of)],
    };
    let li = row("li", Some("=cmd()"), Some(handed_in(SubmissionStage::Complete)));
    let rows = vec![li, row("wu", None, None)];
    let gradebook = Gradebook { course: course(CourseRight::Teacher), rows };
    let called = HashMap::from([(name("li"), "Li, \"Lee\" Na".to_owned()), (name("wu"), "@SUM(A1)".to_owned())]);
    let text = gradebook_csv(&gradebook, &called);
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').split_terminator("\r\n").collect();
    assert_eq!(
        lines,
        [
            "username,name,group,mysql state,mysql submitted,mysql late,mysql points,mysql most,points,most",
            "li,\"Li, \"\"Lee\"\" Na\",'=cmd(),complete,2026-12-01T18:00:00+08:00,late,7.5,12,7.5,12",
            "wu,'@SUM(A1),,,,,1.5,12,1.5,12",
        ]
    );
    let shown = gradebook_row(&gradebook.rows[1], &HashMap::new());
    assert_eq!((shown.name.as_str(), shown.points, shown.most), ("", 1.5, 12.0), "whom nobody has called anything");
}
