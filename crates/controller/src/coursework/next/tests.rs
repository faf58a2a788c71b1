use super::*;
use pierhead_model::{CheckState, Failure, FailureKind, FrozenCheck, FrozenResults, SaveCause, StopCause};

const NOW: Timestamp = Timestamp(1_000_000);

fn submission(stage: SubmissionStage) -> Submission {
    let text = r#"{"course":"cs-101","lab":"mysql","account":"li","number":3,"asked_at":999000,"attempt":"aaaaaaaaaa",
        "version":1,"workspace":"abcdefgh23","stage":"asked","results":{},"since":1000000}"#;
    let check = FrozenCheck {
        step: 0,
        name: "up".to_owned(),
        title: "Up".to_owned(),
        most: 1,
        state: Some(CheckState::Failed),
        on_copy: None,
    };
    let results = FrozenResults { checks: vec![check], ..FrozenResults::default() };
    Submission { stage, results, ..serde_json::from_str(text).unwrap() }
}

fn record() -> Workspace {
    let text = r#"{"id":"abcdefgh23","name":"w","owner":"li","environment":"lab-mysql","version":1,
        "spec":{"containers":[],"lifetime_minutes":60,"idle_minutes":60,"warm":0,"asks":{}},"wish":"running","run":1,
        "origin":"environment","asked_at":1,"saves_asked":4,"created_at":1}"#;
    serde_json::from_str(text).unwrap()
}

fn at(stage: WorkspaceStage, last_save: Option<u32>) -> WorkspaceAssignment {
    let text = r#"{"workspace":"abcdefgh23","run":1,"stage":"ready","newest_generation":1,"saved_at":700,"saves_begun":7,
        "saves_taken":4}"#;
    let last_save = last_save.map(|number| SaveId::of(&record().id, number));
    WorkspaceAssignment { stage, last_save, ..serde_json::from_str(text).unwrap() }
}

fn over() -> WorkspaceStage {
    WorkspaceStage::Over { cause: StopCause::Idle, at: Timestamp(5) }
}

fn put(next: Next) -> Submission {
    match next {
        Next::Put(next) => *next,
        other => panic!("{other:?}"),
    }
}

fn save(number: u32) -> Option<SaveId> {
    Some(SaveId::of(&record().id, number))
}

#[test]
fn a_workspace_that_runs_is_asked_for_a_save_of_its_own() {
    let saving = WorkspaceStage::Saving { save: save(7).unwrap(), cause: SaveCause::Asked, name: None };
    for stage in [WorkspaceStage::Ready, saving] {
        let next = next(&submission(SubmissionStage::Asked), Some(&record()), Some(&at(stage, Some(7))), NOW);
        let Next::Ask(submission, wanted) = next else { panic!("{next:?}") };
        // A save that was begun before has not all of it.
        assert_eq!(submission.stage, SubmissionStage::Saving { wish: 5, after: 7 });
        assert_eq!((wanted.saves_asked, wanted.save_name.as_deref()), (5, Some("mysql, handed in (3)")));
        assert_eq!(submission.asked_at, Timestamp(999_000), "when it was handed in stays what it was");
    }
    // One that somebody asked for and that has not begun is the same, and has their name.
    let owed = Workspace { saves_asked: 5, save_name: Some("mine".to_owned()), ..record() };
    let next = next(&submission(SubmissionStage::Asked), Some(&owed), Some(&at(WorkspaceStage::Ready, Some(7))), NOW);
    let Next::Ask(_, wanted) = next else { panic!("{next:?}") };
    assert_eq!((wanted.saves_asked, wanted.save_name.as_deref()), (6, Some("mine")));
}

#[test]
fn of_one_that_rests_the_newest_save_is_taken() {
    for stage in [over(), WorkspaceStage::Waiting, WorkspaceStage::Starting] {
        let taken = put(next(&submission(SubmissionStage::Asked), Some(&record()), Some(&at(stage, Some(6))), NOW));
        assert_eq!((&taken.save, taken.saved_at), (&save(6), Some(Timestamp(700))));
        assert_eq!(taken.stage, SubmissionStage::Checking { copy: None });
    }
    let mut none = submission(SubmissionStage::Asked);
    none.results.checks.clear();
    let taken = put(next(&none, Some(&record()), Some(&at(over(), Some(6))), NOW));
    assert_eq!(taken.stage, SubmissionStage::Complete, "there is nothing to check");
}

#[test]
fn one_that_stops_or_begins_anew_is_waited_for() {
    let stops = SaveCause::Stops(StopCause::Idle);
    let saving = WorkspaceStage::Saving { save: save(8).unwrap(), cause: stops, name: None };
    let stopped = Workspace { wish: WorkspaceWish::Saved, ..record() };
    let asked = submission(SubmissionStage::Asked);
    for stage in [saving, WorkspaceStage::Leaving(StopCause::Idle), WorkspaceStage::Ready] {
        assert_eq!(next(&asked, Some(&stopped), Some(&at(stage, None)), NOW), Next::Wait);
    }
    let again = Workspace { run: 2, ..record() };
    assert_eq!(next(&asked, Some(&again), Some(&at(over(), Some(3))), NOW), Next::Wait);
    let later = Submission { not_before: NOW.plus(1), ..asked };
    assert_eq!(next(&later, Some(&record()), Some(&at(over(), Some(3))), NOW), Next::Wait);
}

#[test]
fn without_a_workspace_what_came_out_is_all() {
    let asked = submission(SubmissionStage::Asked);
    for (record, assignment) in [(None, None), (Some(record()), None), (Some(record()), Some(at(over(), None)))] {
        let done = put(next(&asked, record.as_ref(), assignment.as_ref(), NOW));
        assert_eq!((done.stage, done.save), (SubmissionStage::Complete, None));
        assert!(done.note.is_some(), "it says that nothing was saved");
    }
}

#[test]
fn only_a_save_that_was_begun_since_is_taken() {
    let saving = submission(SubmissionStage::Saving { wish: 5, after: 7 });
    let before = WorkspaceAssignment { saves_taken: 4, ..at(WorkspaceStage::Ready, Some(7)) };
    assert_eq!(next(&saving, Some(&record()), Some(&before), NOW), Next::Wait);
    let after = at(WorkspaceStage::Ready, Some(8));
    assert_eq!(put(next(&saving, Some(&record()), Some(&after), NOW)).save, save(8));
    // It stopped instead of being saved: that is a save too.
    assert_eq!(put(next(&saving, Some(&record()), Some(&at(over(), Some(8))), NOW)).save, save(8));
    let earlier = put(next(&saving, Some(&record()), Some(&at(over(), Some(7))), NOW));
    assert_eq!(earlier.save, save(7));
    assert!(earlier.note.unwrap().contains("what had been saved last"));
    let lost = put(next(&saving, Some(&record()), Some(&at(over(), None)), NOW));
    assert!(matches!(lost.stage, SubmissionStage::Failed { .. }));
    let gone = put(next(&saving, None, None, NOW));
    assert!(matches!(gone.stage, SubmissionStage::Failed { .. }));
}

#[test]
fn a_save_is_that_of_the_submission_that_will_take_it() {
    let (asked, saving) = (SubmissionStage::Asked, SubmissionStage::Saving { wish: 5, after: 7 });
    let waits = |stage: &SubmissionStage, number| waits_for(&submission(stage.clone()), &save(number).unwrap());
    assert!(waits(&asked, 1) && waits(&asked, 8), "whatever its workspace stops as");
    assert!(!waits(&saving, 6) && !waits(&saving, 7), "of what was begun before");
    assert!(waits(&saving, 8) && waits(&saving, 9));
    let other = SaveId::of(&pierhead_model::WorkspaceId::from_random(3), 8);
    for stage in [asked, saving] {
        assert!(!waits_for(&submission(stage.clone()), &other), "of another workspace");
        assert!(!waits_for(&Submission { workspace: None, ..submission(stage) }, &save(8).unwrap()));
    }
    let failed = SubmissionStage::Failed { why: "it was full".to_owned() };
    for stage in [SubmissionStage::Checking { copy: None }, SubmissionStage::Complete, failed] {
        assert!(!waits(&stage, 8), "{stage:?}");
    }
}

#[test]
fn a_save_that_fails_is_asked_for_again_and_not_for_ever() {
    let failure = Failure::new(FailureKind::Other, "the saves of li: saves may hold at most 50 MB");
    let lost = WorkspaceAssignment { saves_taken: 5, failure: Some(failure), ..at(WorkspaceStage::Ready, Some(7)) };
    let mut saving = submission(SubmissionStage::Saving { wish: 5, after: 7 });
    let mut record = Workspace { saves_asked: 5, ..record() };
    let mut tries = 0;
    let why = loop {
        let now = saving.not_before.max(NOW);
        let assignment = WorkspaceAssignment { saves_taken: record.saves_asked, ..lost.clone() };
        match next(&saving, Some(&record), Some(&assignment), now) {
            Next::Ask(next, wanted) => {
                tries += 1;
                assert!(next.not_before > now && next.note.as_deref().unwrap().contains("at most 50 MB"));
                assert_eq!(wanted.saves_asked, record.saves_asked + 1);
                (saving, record) = (*next, *wanted);
            }
            Next::Put(next) => match next.stage {
                SubmissionStage::Failed { why } => break why,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(tries, MOST_TRIES);
    assert!(why.contains("at most 50"), "it says why: {why}");
}

#[test]
fn a_workspace_that_is_nowhere_for_long_holds_up_nobody() {
    let saving = submission(SubmissionStage::Saving { wish: 5, after: 7 });
    let waiting = |last| at(WorkspaceStage::Waiting, last);
    assert_eq!(next(&saving, Some(&record()), Some(&waiting(Some(7))), NOW), Next::Wait);
    let late = NOW.plus(SAVING_MS + 1);
    assert_eq!(put(next(&saving, Some(&record()), Some(&waiting(Some(7))), late)).save, save(7));
    let failed = put(next(&saving, Some(&record()), Some(&waiting(None)), late));
    assert!(matches!(failed.stage, SubmissionStage::Failed { .. }));
}

#[test]
fn checks_are_run_on_a_copy_if_there_is_room_for_one() {
    let id = record().id;
    assert_eq!(next(&submission(SubmissionStage::Checking { copy: None }), None, None, NOW), Next::Open);
    let checking = submission(SubmissionStage::Checking { copy: Some(id) });
    let step = |stage, at_ms| next(&checking, Some(&record()), Some(&at(stage, None)), NOW.plus(at_ms));
    assert_eq!(step(WorkspaceStage::Waiting, 0), Next::Wait);
    assert_eq!(step(WorkspaceStage::Ready, 0), Next::Run);
    for given_up in [
        step(WorkspaceStage::Waiting, ROOM_MS + 1),
        step(WorkspaceStage::Ready, COPY_MS + 1),
        step(over(), 0),
        next(&checking, None, None, NOW),
        next(&checking, Some(&record()), None, NOW.plus(ROOM_MS + 1)),
    ] {
        let done = put(given_up);
        assert_eq!(done.stage, SubmissionStage::Complete);
        assert!(done.note.unwrap().contains("could not be run on a copy"), "it is told");
    }
    assert_eq!(next(&checking, Some(&record()), None, NOW), Next::Wait, "the planner has not seen it yet");
    for over in [SubmissionStage::Complete, SubmissionStage::Failed { why: String::new() }] {
        assert_eq!(next(&submission(over), None, None, NOW), Next::Wait);
    }
}
