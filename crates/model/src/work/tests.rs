use super::*;

fn submission() -> Submission {
    let key = SubmissionKey {
        course: CourseId::parse("cs-101").unwrap(),
        lab: LabId::parse("mysql").unwrap(),
        account: Username::parse("li").unwrap(),
        number: 2,
    };
    let check = FrozenCheck {
        step: 1,
        name: "up".to_owned(),
        title: "The server is up".to_owned(),
        most: 5,
        state: None,
        on_copy: Some(CheckState::TimedOut),
    };
    let quiz = FrozenQuiz { step: 0, name: "port".to_owned(), most: 2, score: Some(2) };
    Submission {
        key,
        asked_at: Timestamp(5),
        due_at: Some(Timestamp(9)),
        late: false,
        by: None,
        attempt: AttemptId::from_random(1),
        version: 3,
        workspace: Some(WorkspaceId::from_random(2)),
        stage: SubmissionStage::Saving { wish: 4, after: 7 },
        save: None,
        saved_at: None,
        results: FrozenResults { checks: vec![check], quizzes: vec![quiz], ran_on_copy: true },
        note: None,
        tries: 1,
        not_before: Timestamp(6),
        since: Timestamp(5),
    }
}

#[test]
fn records_come_back_as_they_were() {
    let text = serde_json::to_string(&submission()).unwrap();
    assert_eq!(serde_json::from_str::<Submission>(&text).unwrap(), submission());
    assert!(text.contains(r#""course":"cs-101""#) && text.contains(r#""saving":{"wish":4,"after":7}"#), "{text}");
    let mut work = CourseWork::new(submission().key.course, submission().key.lab);
    work.extensions.insert(submission().key.account, Timestamp(77));
    let criterion = |id: &str, from| Criterion { id: id.to_owned(), title: String::new(), from, most: Points(250) };
    work.rubric = vec![criterion("a", PointsFrom::Checks), criterion("b", PointsFrom::Hand)];
    let text = serde_json::to_string(&work).unwrap();
    assert_eq!(serde_json::from_str::<CourseWork>(&text).unwrap(), work);
}

#[test]
fn what_an_older_program_wrote_is_read() {
    let work: CourseWork = serde_json::from_str(r#"{"course":"cs-101","lab":"mysql"}"#).unwrap();
    assert_eq!(work, CourseWork::new(work.course.clone(), work.lab.clone()));
    assert!(work.collects && work.late == LatePolicy::Mark);
    let grade: Grade = serde_json::from_str(r#"{"lines":{"style":{"points":150}}}"#).unwrap();
    assert_eq!(grade.lines["style"].points, Some(Points(150)));
    assert_eq!(serde_json::from_str::<Grade>("{}").unwrap(), Grade::default());
}

#[test]
fn points_have_at_most_two_decimals() {
    for (number, text) in [(0.0, "0"), (7.0, "7"), (7.5, "7.5"), (7.25, "7.25"), (0.07, "0.07"), (99.99, "99.99")] {
        let points = Points::parse(number).unwrap();
        assert_eq!(points.to_string(), text);
        assert!((points.as_f64() - number).abs() < 1e-9);
    }
    for bad in [-0.01, 0.001, 1.005, f64::NAN, f64::INFINITY, 100_000.01, -1.0] {
        assert_eq!(Points::parse(bad), None, "{bad}");
    }
    assert_eq!(Points::parse(100_000.0), Some(Points::whole(Points::MOST)));
    assert_eq!(Points::whole(u32::MAX).plus(Points(1)), Points(u32::MAX), "nothing wraps");
}

#[test]
fn names_are_as_they_are_stored() {
    for policy in [LatePolicy::Mark, LatePolicy::Refuse] {
        assert_eq!(serde_json::to_string(&policy).unwrap(), format!("\"{}\"", policy.as_str()));
        assert_eq!(LatePolicy::parse(policy.as_str()), Some(policy));
    }
    for from in [PointsFrom::Checks, PointsFrom::Quizzes, PointsFrom::Hand] {
        assert_eq!(serde_json::to_string(&from).unwrap(), format!("\"{}\"", from.as_str()));
        assert_eq!(PointsFrom::parse(from.as_str()), Some(from));
    }
    assert_eq!((LatePolicy::parse("never"), PointsFrom::parse("")), (None, None));
    let copy = None;
    let failed = SubmissionStage::Failed { why: "no room".to_owned() };
    let stages = [SubmissionStage::Asked, SubmissionStage::Checking { copy }, SubmissionStage::Complete, failed];
    let over: Vec<_> = stages.iter().map(|stage| (stage.as_str(), stage.is_over())).collect();
    assert_eq!(over, [("asked", false), ("checking", false), ("complete", true), ("failed", true)]);
}

#[test]
fn what_passed_in_class_or_on_the_copy_counts() {
    let mut check = submission().results.checks.remove(0);
    assert!(!check.has_passed());
    check.state = Some(CheckState::Passed);
    assert!(check.has_passed(), "the copy takes nothing away");
    (check.state, check.on_copy) = (Some(CheckState::Failed), Some(CheckState::Passed));
    assert!(check.has_passed());
}

#[test]
fn a_silence_is_an_outage_and_a_pause_is_none() {
    let mut service = Service::default();
    service.beat(Timestamp(1_000_000));
    assert!(service.outages.is_empty(), "before the first nobody was promised anything");
    service.beat(Timestamp(1_000_000 + Service::SILENCE_MS - 1));
    assert!(service.outages.is_empty());
    let last = service.alive_at;
    service.beat(last.plus(Service::SILENCE_MS));
    assert_eq!(service.outages, [Outage { from: last, to: last.plus(Service::SILENCE_MS) }]);
    let at = service.alive_at;
    service.beat(Timestamp(5));
    assert_eq!((service.alive_at, service.outages.len()), (at, 1), "a clock that lags takes nothing back");
    for _ in 0..2 * Service::KEPT {
        let next = service.alive_at.plus(Service::SILENCE_MS);
        service.beat(next);
    }
    assert_eq!(service.outages.len(), Service::KEPT);
    assert_eq!(service.outages.last().unwrap().to, service.alive_at);
}
