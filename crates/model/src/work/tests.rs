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
        also: BTreeSet::from([Username::parse("wu").unwrap()]),
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
fn what_a_group_hands_in_counts_for_each_of_it() {
    let counts = |name: &str| submission().counts_for(&Username::parse(name).unwrap());
    assert_eq!([counts("li"), counts("wu"), counts("eve")], [true, true, false]);
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
    let before = service.outages.clone();
    service.rest();
    service.beat(Timestamp(u64::MAX));
    assert_eq!(service.outages, before, "who has nothing to wait for misses nobody");
}

#[test]
fn points_are_read_as_they_are_written() {
    for hundredths in (0..2_000).chain([99_999, 1_000_001, 10_000_000]) {
        let points = Points(hundredths);
        let text = points.to_string();
        let number: f64 = text.parse().unwrap();
        assert_eq!(Points::parse(number), Some(points), "{text}");
        assert_eq!(Points::parse(points.as_f64()), Some(points), "{text}");
        assert!(!text.ends_with('.') && (!text.contains('.') || !text.ends_with('0')), "{text}");
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.01, 0.005, 100_000.01] {
        assert_eq!(Points::parse(bad), None, "{bad}");
    }
    assert_eq!(Points(u32::MAX).plus(Points(1)), Points(u32::MAX), "they end somewhere");
    assert_eq!(Points::whole(u32::MAX), Points(u32::MAX));
}

#[test]
fn work_of_which_nobody_said_anything_is_taken_late_and_collected() {
    let course = CourseId::parse("cs-101").unwrap();
    let lab = LabId::parse("mysql").unwrap();
    let unsaid = CourseWork::new(course, lab);
    assert_eq!((unsaid.late, unsaid.collects, unsaid.published_at), (LatePolicy::Mark, true, None));
    let shortest: CourseWork = serde_json::from_str(r#"{"course":"cs-101","lab":"mysql"}"#).unwrap();
    assert_eq!(shortest, unsaid, "what an older program left out is what nobody said");
    let mut said = unsaid.clone();
    said.extensions.insert(Username::parse("li").unwrap(), Timestamp(7));
    said.rubric.push(Criterion {
        id: "style".to_owned(),
        title: "Style".to_owned(),
        from: PointsFrom::Hand,
        most: Points(250),
    });
    let text = serde_json::to_string(&said).unwrap();
    assert_eq!(serde_json::from_str::<CourseWork>(&text).unwrap(), said);
    let later = text.replacen('{', r#"{"of_a_later_version":[1],"#, 1);
    assert_eq!(serde_json::from_str::<CourseWork>(&later).unwrap(), said);
}

#[test]
fn only_the_last_outages_are_remembered_and_time_never_goes_back() {
    let mut service = Service::default();
    let mut now = Timestamp(1_000_000);
    service.beat(now);
    assert!(service.outages.is_empty(), "before the first moment there was nobody to miss");
    for _ in 0..Service::KEPT + 5 {
        now = now.plus(Service::SILENCE_MS);
        service.beat(now);
    }
    assert_eq!(service.outages.len(), Service::KEPT);
    assert_eq!(service.outages.last().map(|outage| outage.to), Some(now), "the newest last");
    assert!(service.outages.windows(2).all(|pair| pair[0].to <= pair[1].from));
    let before = service.clone();
    service.beat(Timestamp(5));
    assert_eq!(service, before, "a clock that was put back is no outage");
}

#[test]
fn a_stage_is_over_when_nothing_more_becomes_of_it() {
    let stages = [
        (SubmissionStage::Asked, "asked", false),
        (SubmissionStage::Saving { wish: 1, after: 0 }, "saving", false),
        (SubmissionStage::Checking { copy: None }, "checking", false),
        (SubmissionStage::Complete, "complete", true),
        (SubmissionStage::Failed { why: "it could not be saved".to_owned() }, "failed", true),
    ];
    for (stage, name, is_over) in stages {
        assert_eq!((stage.as_str(), stage.is_over()), (name, is_over));
        let text = serde_json::to_string(&Submission { stage: stage.clone(), ..submission() }).unwrap();
        assert_eq!(serde_json::from_str::<Submission>(&text).unwrap().stage, stage);
    }
}
