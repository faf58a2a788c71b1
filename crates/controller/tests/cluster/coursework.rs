//! Work in courses on fake hosts: what is handed in while controllers die, by everybody at once, and by itself; what it was
//! worth. The shells of the hosts know `exit`.

use crate::detection::Pool;
use pierhead_controller::{
    Actor, AttemptBeginning, Clock, Controller, CourseChange, DueChange, ExtensionChange, GradeChange, GradeLineChange,
    LabBefore, RequestError, StudentChange, WorkChange, WorkspaceChange,
};
use pierhead_engine::{EngineError, Verb};
use pierhead_identity::wall_time;
use pierhead_lab::LabPath;
use pierhead_model::{
    CheckState, CourseId, CourseLab, LabId, LatePolicy, Points, Resources, SaveLimits, SaveTotals, Submission,
    SubmissionStage, Timestamp, Username, Visibility, Zone,
};
use pierhead_testkit::{ClusterOptions, Cut, PATIENCE, eventually, eventually_ok};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::task::JoinSet;

const HEAD: &str = "title: A server\ncontainers:\n  - {name: main, image: \"pierhead/sample:1\"}\n";
const STEP: &str =
    "---\nchecks:\n  - {name: up, title: Up, run: exit 0, score: 3}\n  - {name: more, run: exit 1}\n---\n# One\n";
const ZONE: &str = "Asia/Shanghai";

pub fn actor(name: &str) -> Actor {
    Actor { username: Username::parse(name).unwrap(), may_change_all: false, may_run_privileged: false }
}

fn zone() -> Zone {
    Zone::parse(ZONE).unwrap()
}

pub async fn write(controller: &Controller, path: &str, text: &str) {
    let mut upload = controller.begin_lab_file(None).await.unwrap();
    upload.write(text.as_bytes()).await.unwrap();
    let content = upload.finish().await.unwrap();
    let path = LabPath::parse(path).unwrap();
    controller.write_lab_file(&actor("wang"), "server", &path, &LabBefore::Any, None, &content).await.unwrap();
}

/// Wang's course `cs` with the lab `server` in it, which these take.
pub async fn course(controller: &Controller, students: &[String]) {
    let wang = actor("wang");
    let lab = LabId::parse("server").unwrap();
    controller.add_lab(&wang, &lab, Some("A server"), Visibility::Private, None).await.unwrap();
    let first = LabPath::parse("steps/01-first.md").unwrap();
    controller.remove_lab_file(&wang, "server", &first, &LabBefore::Any).await.unwrap();
    write(controller, "lab.yaml", HEAD).await;
    write(controller, "steps/1.md", STEP).await;
    controller.publish_lab(&wang, "server", "", None, None).await.unwrap();
    let labs = vec![CourseLab { lab, version: None, opens_at: None, due_at: None, warm_from: None }];
    let change = CourseChange { zone: Some(zone()), labs: Some(labs), ..CourseChange::default() };
    controller.add_course(&wang, &CourseId::parse("cs").unwrap(), &change, None).await.unwrap();
    let of = |name: &String| StudentChange {
        username: Username::parse(name.as_str()).unwrap(),
        group: None,
        suspended: None,
    };
    let students: Vec<StudentChange> = students.iter().map(of).collect();
    controller.enrol(&wang, "cs", &students, None).await.unwrap();
}

pub async fn begin(controller: &Controller, name: &str) {
    let beginning = AttemptBeginning { course: Some("cs".to_owned()), ..AttemptBeginning::default() };
    controller.begin_attempt(&actor(name), "server", &beginning).await.unwrap();
}

pub async fn is_ready(controller: &Controller, name: &str) {
    eventually(PATIENCE, "the workspace is ready", async || {
        let theirs = controller.workspaces_of(&actor(name));
        theirs.iter().any(|one| one.record.owner.as_str() == name && one.status.phase.as_str() == "ready")
    })
    .await;
}

async fn change(controller: &Controller, change: WorkChange) {
    controller.change_work(&actor("wang"), "cs", "server", &change).await.unwrap();
}

/// The time on walls where the course is given, to the second.
fn on_the_wall(at: Timestamp) -> String {
    wall_time(at, &zone())[..19].to_owned()
}

fn due(at: Timestamp) -> WorkChange {
    WorkChange { due: Some(DueChange::At(on_the_wall(at))), ..WorkChange::default() }
}

async fn theirs(controller: &Controller, name: &str) -> Vec<Submission> {
    controller.submissions(&actor(name), "cs", None, None).await.unwrap()
}

/// The submission of somebody, once nothing more becomes of it.
pub async fn over(controller: &Controller, name: &str) -> Submission {
    eventually_ok(PATIENCE, name, async || {
        let all = theirs(controller, name).await;
        let newest = all.last().cloned().ok_or_else(|| "nothing was handed in".to_owned())?;
        if newest.stage.is_over() { Ok(newest) } else { Err(format!("{newest:?}")) }
    })
    .await
}

pub fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn until(clock: Clock, at: Timestamp) {
    eventually(PATIENCE, "it is due", async || clock.now() > at).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_handed_in_is_saved_and_checked_on_a_copy() {
    let pool = Pool::start_with(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let controller = pool.cluster.controller();
    course(controller, &names(&["li", "zhao"])).await;
    let (li, wang) = (actor("li"), actor("wang"));
    let refused = controller.submit_work(&li, "cs", "server", None).await.unwrap_err();
    assert!(matches!(refused, RequestError::WorkState(_)), "there is nothing to hand in yet: {refused}");
    assert!(matches!(
        controller.submit_work(&actor("eve"), "cs", "server", None).await,
        Err(RequestError::NotFound { .. })
    ));
    assert!(matches!(controller.submit_work(&wang, "cs", "server", None).await, Err(RequestError::WorkState(_))));
    begin(controller, "li").await;
    is_ready(controller, "li").await;
    let held = pool.cluster.power().hold("squash ", 0, Cut::Before);
    controller.submit_work(&li, "cs", "server", None).await.unwrap();
    let again = controller.submit_work(&li, "cs", "server", None).await.unwrap();
    assert_eq!(again.key.number, 1, "while it is under way there is one");
    held.release();
    let done = over(controller, "li").await;
    assert_eq!((&done.stage, done.late, done.by.as_ref()), (&SubmissionStage::Complete, false, Some(&li.username)));
    assert!(done.results.ran_on_copy, "{done:?}");
    let states: Vec<_> =
        done.results.checks.iter().map(|check| (check.name.as_str(), check.state, check.on_copy)).collect();
    assert_eq!(
        states,
        [("up", None, Some(CheckState::Passed)), ("more", None, Some(CheckState::Failed))],
        "nobody had run them before"
    );
    let save = done.save.clone().unwrap();
    let kept = controller.delete_save(&li, save.as_str()).await.unwrap_err();
    assert!(matches!(&kept, RequestError::SaveNeeded { by, .. } if by.contains("handed in")), "{kept}");
    eventually(PATIENCE, "the copy is gone", async || {
        let known = controller.known();
        let mut copies = known.world.workspaces().values().filter(|one| one.owner.as_str() == "pierhead");
        copies.all(|copy| known.world.workspace_assignments().get(&copy.id).is_none_or(|place| !place.is_live()))
    })
    .await;
    // Who gives the course opens a copy of their own; who takes it sees nothing of others.
    let copy = controller.open_submission(&wang, "cs", "server", "li", None).await.unwrap();
    assert_eq!(copy.record.owner, wang.username);
    assert!(controller.open_submission(&actor("zhao"), "cs", "server", "li", None).await.is_err());
    assert!(theirs(controller, "zhao").await.is_empty());
    assert_eq!(theirs(controller, "wang").await.len(), 1);
    // The next one takes the place of the first, whose save may go then.
    controller.submit_work(&li, "cs", "server", None).await.unwrap();
    let second = over(controller, "li").await;
    assert_eq!((second.key.number, &second.stage), (2, &SubmissionStage::Complete));
    assert_ne!(second.save, done.save);
    assert!(matches!(
        controller.delete_save(&li, second.save.unwrap().as_str()).await,
        Err(RequestError::SaveNeeded { .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_as_many_saves_as_may_be_hands_in_all_the_same() {
    let mut options = ClusterOptions { hosts: 2, ..ClusterOptions::default() };
    let most = SaveTotals { count: 1, bytes: 1 << 40 };
    options.controller.save_limits = SaveLimits { person: most, environment: most };
    let pool = Pool::start_with(options).await;
    let controller = pool.cluster.controller();
    course(controller, &names(&["li"])).await;
    let li = actor("li");
    begin(controller, "li").await;
    is_ready(controller, "li").await;
    let workspace = controller.workspaces_of(&li)[0].record.id.clone();
    let save = async |name: &str| {
        let change = WorkspaceChange::Save(Some(name.to_owned()));
        controller.change_workspace(&li, workspace.as_str(), &change, None).await.unwrap()
    };
    save("their own").await;
    eventually(PATIENCE, "it is there", async || controller.saves_of(&li).await.unwrap().len() == 1).await;
    for number in [1, 2] {
        controller.submit_work(&li, "cs", "server", None).await.unwrap();
        let done = over(controller, "li").await;
        assert_eq!((done.key.number, &done.stage), (number, &SubmissionStage::Complete), "{done:?}");
        assert!(done.note.is_none() && done.results.ran_on_copy, "{done:?}");
    }
    let saves = controller.saves_of(&li).await.unwrap();
    assert_eq!(saves.iter().filter(|save| save.handed_in).count(), 2);
    assert_eq!(saves.iter().map(|save| save.share().count).sum::<u64>(), 1, "their own");
    save("one more").await;
    eventually(PATIENCE, "it is refused", async || {
        let now = controller.workspaces_of(&li);
        now[0].status.message.contains("at most 1 saves may be kept, and there would be 2")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_holds_whichever_controller_is_there() {
    let mut pool = Pool::start_with(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let students = names(&["li", "zhao", "wu", "han"]);
    let controller = pool.cluster.controller().clone();
    course(&controller, &students).await;
    for name in ["li", "zhao", "wu"] {
        begin(&controller, name).await;
    }
    for name in ["li", "zhao", "wu"] {
        is_ready(&controller, name).await;
    }
    // Whole seconds: that is what is written on walls.
    let at = Timestamp((controller.clock().now().0 / 1000 + 3) * 1000);
    change(&controller, WorkChange { late: Some(LatePolicy::Refuse), ..due(at) }).await;
    let extension = |until| ExtensionChange { account: Username::parse("wu").unwrap(), until };
    let later = on_the_wall(at.plus(3_600_000));
    controller.extend_work(&actor("wang"), "cs", "server", &extension(Some(later))).await.unwrap();
    let earlier = extension(Some(on_the_wall(at)));
    let refused = controller.extend_work(&actor("wang"), "cs", "server", &earlier).await.unwrap_err();
    assert!(matches!(refused, RequestError::Invalid { field: "due", .. }), "{refused}");
    let shown = controller.work_of(&actor("li"), "cs").await.unwrap();
    assert_eq!(shown[0].due_at, Some(at), "what is written on a wall in Shanghai is the same moment here");
    let asked = controller.submit_work(&actor("li"), "cs", "server", None).await.unwrap();
    // The controller dies with the answer, and nobody is there when it is due.
    let clock = controller.clock();
    drop(controller);
    pool.dies().await;
    until(clock, at).await;
    pool.successor().await;
    let controller = pool.cluster.controller().clone();
    let handed_in = over(&controller, "li").await;
    assert_eq!((handed_in.asked_at, handed_in.late, handed_in.by.is_some()), (asked.asked_at, false, true));
    assert_eq!(handed_in.stage, SubmissionStage::Complete, "{handed_in:?}");
    assert!(handed_in.save.is_some() && handed_in.key.number == 1);
    let by_itself = over(&controller, "zhao").await;
    assert_eq!((by_itself.asked_at, by_itself.late, by_itself.by.clone()), (at, false, None));
    assert_eq!(by_itself.stage, SubmissionStage::Complete, "{by_itself:?}");
    assert!(theirs(&controller, "wu").await.is_empty(), "it is due for them later");
    assert!(theirs(&controller, "han").await.is_empty(), "who began nothing hands in nothing");
    // It is late now for all but one.
    let late = controller.submit_work(&actor("zhao"), "cs", "server", None).await.unwrap_err();
    assert!(matches!(late, RequestError::WorkState(_)), "{late}");
    controller.submit_work(&actor("wu"), "cs", "server", None).await.unwrap();
    assert!(!over(&controller, "wu").await.late);
    change(&controller, WorkChange { late: Some(LatePolicy::Mark), ..WorkChange::default() }).await;
    controller.submit_work(&actor("zhao"), "cs", "server", None).await.unwrap();
    let marked = over(&controller, "zhao").await;
    assert_eq!((marked.late, marked.key.number), (true, 2));
    assert_eq!(theirs(&controller, "wang").await.len(), 4, "each of them once, and no more than were handed in");
}

/// What is started with a copy may not be up when the copy is ready.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_does_not_pass_at_once_is_run_again_on_the_copy() {
    let pool = Pool::start_with(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let controller = pool.cluster.controller();
    course(controller, &names(&["li"])).await;
    begin(controller, "li").await;
    is_ready(controller, "li").await;
    let before = pool.host(0).calls(Verb::CreateExec);
    pool.host(0).fail_next(Verb::CreateExec, EngineError::Failed("not yet".to_owned()));
    controller.submit_work(&actor("li"), "cs", "server", None).await.unwrap();
    let done = over(controller, "li").await;
    let on_copy: Vec<_> = done.results.checks.iter().map(|check| (check.name.as_str(), check.on_copy)).collect();
    assert_eq!(on_copy, [("up", Some(CheckState::Passed)), ("more", Some(CheckState::Failed))]);
    let runs = pool.host(0).calls(Verb::CreateExec) - before;
    assert_eq!(runs, 2 + 4, "once more what passed then, and not for ever what never does");
}

const CLASS: usize = 60;

/// Sixty people at work, and their names.
async fn a_class_at_work() -> (Pool, Vec<String>) {
    let capacity = Resources::new(64_000, 65_536);
    let pool = Pool::start_with(ClusterOptions { hosts: 3, capacity, ..ClusterOptions::default() }).await;
    let controller = pool.cluster.controller();
    let students: Vec<String> = (0..CLASS).map(|at| format!("s{at:02}")).collect();
    course(controller, &students).await;
    for name in &students {
        begin(controller, name).await;
    }
    for name in &students {
        is_ready(controller, name).await;
    }
    (pool, students)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_hand_in_within_a_minute() {
    let (pool, students) = a_class_at_work().await;
    let controller = pool.cluster.controller();
    let at = controller.clock().now().plus(60_000);
    change(controller, due(at)).await;
    let began = controller.clock().now();
    let asked = students.iter().map(|name| {
        let controller = controller.clone();
        let who = actor(name);
        tokio::spawn(async move { controller.submit_work(&who, "cs", "server", None).await })
    });
    for asked in asked.collect::<Vec<_>>() {
        asked.await.unwrap().unwrap();
    }
    assert!(controller.clock().now().since(began) < 60_000, "none had to wait for longer than a minute");
    eventually(Duration::from_secs(180), "all are complete", async || {
        theirs(controller, "wang").await.iter().filter(|one| one.stage == SubmissionStage::Complete).count() == CLASS
    })
    .await;
    let all = theirs(controller, "wang").await;
    assert!(all.iter().all(|one| !one.late && one.results.ran_on_copy), "{all:?}");
    let saves: BTreeSet<_> = all.iter().filter_map(|one| one.save.clone()).collect();
    assert_eq!((all.len(), saves.len()), (CLASS, CLASS));
    let gradebook = controller.gradebook(&actor("wang"), "cs").await.unwrap();
    let points = |row: &pierhead_controller::GradebookRow| row.labs[0].score.as_ref().unwrap().points;
    assert!(gradebook.rows.iter().all(|row| points(row) == Points::whole(3)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_hand_in_while_controllers_die() {
    let (mut pool, students) = a_class_at_work().await;
    let at = pool.cluster.controller().clock().now().plus(600_000);
    change(pool.cluster.controller(), due(at)).await;
    let mut told = BTreeMap::new();
    for _ in 0..3 {
        let controller = pool.cluster.controller().clone();
        let mut asked = JoinSet::new();
        for name in students.iter().filter(|name| !told.contains_key(*name)) {
            let (controller, name) = (controller.clone(), name.clone());
            asked.spawn(async move {
                let answer = controller.submit_work(&actor(&name), "cs", "server", None).await;
                (name, answer)
            });
        }
        // A third of those who ask hear of it before the controller dies; of the others some were taken, and none knows.
        for _ in 0..asked.len().div_ceil(3) {
            let (name, answer) = asked.join_next().await.unwrap().unwrap();
            told.insert(name, answer.unwrap().asked_at);
        }
        asked.shutdown().await;
        drop(controller);
        pool.succeed().await;
    }
    let controller = pool.cluster.controller();
    for name in students.iter().filter(|name| !told.contains_key(*name)).cloned().collect::<Vec<_>>() {
        let answer = controller.submit_work(&actor(&name), "cs", "server", None).await.unwrap();
        told.insert(name, answer.asked_at);
    }
    eventually(Duration::from_secs(180), "all are over", async || {
        theirs(controller, "wang").await.iter().all(|one| one.stage.is_over())
    })
    .await;
    let mut saves = BTreeSet::new();
    for name in &students {
        let newest = over(controller, name).await;
        assert_eq!((&newest.stage, newest.late), (&SubmissionStage::Complete, false), "{newest:?}");
        assert!(newest.asked_at <= told[name] && newest.save.is_some_and(|save| saves.insert(save)), "{name}");
        let all = theirs(controller, name).await;
        assert!(all.iter().any(|one| one.asked_at == told[name]), "what was told is kept: {all:?}");
    }
    assert_eq!(saves.len(), CLASS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_their_students_and_told_when_the_teacher_says_so() {
    let pool = Pool::start_with(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let controller = pool.cluster.controller();
    course(controller, &names(&["li", "zhao"])).await;
    begin(controller, "li").await;
    is_ready(controller, "li").await;
    controller.submit_work(&actor("li"), "cs", "server", None).await.unwrap();
    over(controller, "li").await;
    let (wang, li) = (actor("wang"), actor("li"));
    let own = async || controller.results(&li, "cs").await.unwrap().remove(0);
    let before = own().await;
    assert!(before.score.is_none() && before.submission.is_some_and(|one| one.results.checks.is_empty()));
    let points = |points| GradeChange {
        lines: [(
            "checks".to_owned(),
            GradeLineChange { points: Some(Some(points)), comment: Some("copied".to_owned()) },
        )]
        .into(),
        comment: Some("See me.".to_owned()),
    };
    let too_many = controller.set_grade(&wang, "cs", "server", "li", &points(Points::whole(5))).await.unwrap_err();
    assert!(matches!(too_many, RequestError::Invalid { field: "points", .. }), "{too_many}");
    controller.set_grade(&wang, "cs", "server", "li", &points(Points(150))).await.unwrap();
    let gradebook = controller.gradebook(&wang, "cs").await.unwrap();
    let sums = gradebook.rows.iter().map(|row| row.labs[0].score.as_ref().map(|score| (score.points, score.most)));
    assert_eq!(
        sums.collect::<Vec<_>>(),
        [Some((Points(150), Points::whole(4))), Some((Points(0), Points::whole(4)))],
        "who handed in nothing could have had as much"
    );
    assert!(own().await.score.is_none() && own().await.comment.is_empty(), "it is not told yet");
    change(controller, WorkChange { published: Some(true), ..WorkChange::default() }).await;
    let told = own().await;
    let score = told.score.unwrap();
    assert_eq!((score.points, score.most, told.comment.as_str()), (Points(150), Points::whole(4), "See me."));
    assert_eq!((score.lines[0].by_hand, score.lines[0].comment.as_str()), (true, "copied"));
    for who in [&li, &actor("zhao")] {
        let grade = controller.set_grade(who, "cs", "server", "li", &points(Points(400))).await;
        assert!(matches!(grade, Err(RequestError::Forbidden(_))), "{who:?}");
        assert!(matches!(controller.gradebook(who, "cs").await, Err(RequestError::Forbidden(_))));
        let set = controller.change_work(who, "cs", "server", &WorkChange::default()).await;
        assert!(matches!(set, Err(RequestError::Forbidden(_))));
    }
    let eve = actor("eve");
    assert!(matches!(controller.results(&eve, "cs").await, Err(RequestError::NotFound { .. })));
    assert!(matches!(controller.gradebook(&eve, "cs").await, Err(RequestError::NotFound { .. })));
    change(controller, WorkChange { published: Some(false), ..WorkChange::default() }).await;
    assert!(own().await.score.is_none(), "and it can be taken back");
}
