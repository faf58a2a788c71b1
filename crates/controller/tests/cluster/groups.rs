//! Groups of a course on fake hosts: one attempt and one workspace for all of a group, nobody else in it, and work that counts
//! for each of them.

use crate::coursework::{actor, begin, course, is_ready, names, over};
use crate::detection::Pool;
use pierhead_controller::{Actor, AttemptBeginning, Controller, RequestError, StudentChange};
use pierhead_model::{AttemptId, SubmissionStage, TerminalRole, Username, WorkspaceId, WorkspaceRight};
use pierhead_testkit::{ClusterOptions, PATIENCE, eventually};

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

/// Puts somebody into a group of the course, or out of any.
async fn group(controller: &Controller, who: &str, group: Option<&str>) {
    let change = StudentChange { username: name(who), group: Some(group.map(str::to_owned)), suspended: None };
    controller.enrol(&actor("wang"), "cs", &[change], None).await.unwrap();
}

/// What somebody begins, or finds: the attempt and its workspace.
async fn begun(controller: &Controller, who: &str) -> (AttemptId, Option<WorkspaceId>) {
    let beginning = AttemptBeginning { course: Some("cs".to_owned()), ..AttemptBeginning::default() };
    let now = controller.begin_attempt(&actor(who), "server", &beginning).await.unwrap();
    (now.record.id.clone(), now.record.workspace.clone())
}

fn right(controller: &Controller, who: &str, workspace: &WorkspaceId) -> Option<WorkspaceRight> {
    controller.workspace(&actor(who), workspace.as_str()).ok().map(|found| found.right)
}

async fn may(controller: &Controller, who: &str, workspace: &WorkspaceId, wanted: Option<WorkspaceRight>) {
    eventually(PATIENCE, &format!("{who} may {wanted:?}"), async || right(controller, who, workspace) == wanted).await;
}

fn is_refused<T>(result: &Result<T, RequestError>) -> bool {
    matches!(result, Err(RequestError::Forbidden(_)))
}

fn is_missing<T>(result: &Result<T, RequestError>) -> bool {
    matches!(result, Err(RequestError::NotFound { .. }))
}

async fn pool() -> Pool {
    let pool = Pool::start_with(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    course(pool.cluster.controller(), &names(&["li", "wu", "zhao"])).await;
    for who in ["li", "wu"] {
        group(pool.cluster.controller(), who, Some("a")).await;
    }
    pool
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_works_at_one_attempt_in_one_workspace_and_nobody_else_does() {
    let pool = pool().await;
    let controller = pool.cluster.controller();
    let (attempt, workspace) = begun(controller, "li").await;
    let workspace = workspace.unwrap();
    assert_eq!(begun(controller, "wu").await, (attempt.clone(), Some(workspace.clone())), "the second comes into it");
    may(controller, "wu", &workspace, Some(WorkspaceRight::Driver)).await;
    assert_eq!(right(controller, "li", &workspace), Some(WorkspaceRight::Owner));
    assert_eq!(right(controller, "zhao", &workspace), None);
    let (wu, zhao, id) = (actor("wu"), actor("zhao"), attempt.as_str());
    let seen = controller.attempt(&wu, id).await.unwrap();
    assert_eq!(seen.members.iter().map(Username::as_str).collect::<Vec<_>>(), ["wu"]);
    assert_eq!(controller.attempts_of(&wu, Some("server"), false).await.len(), 1);
    controller.visit_step(&wu, id, 0).await.unwrap();
    controller.reset_attempt(&wu, id, Some(0)).await.unwrap();
    // What takes everything away is for who began it.
    assert!(is_refused(&controller.reset_attempt(&wu, id, None).await));
    assert!(is_refused(&controller.move_attempt(&wu, id).await));
    assert!(is_refused(&controller.delete_attempt(&wu, id).await));
    // Of others it is as if it were not there.
    assert!(is_missing(&controller.attempt(&zhao, id).await));
    assert!(is_missing(&controller.open_attempt(&zhao, id).await));
    assert!(is_missing(&controller.visit_step(&zhao, id, 0).await));
    assert!(is_missing(&controller.delete_attempt(&zhao, id).await));
    assert!(controller.attempts_of(&zhao, None, true).await.is_empty());
    assert_ne!(begun(controller, "zhao").await.0, attempt, "who is in no group has one of their own");
    // It stops, and any of them starts it again.
    is_ready(controller, "li").await;
    controller
        .change_workspace(&actor("li"), workspace.as_str(), &pierhead_controller::WorkspaceChange::Stop, None)
        .await
        .unwrap();
    eventually(PATIENCE, "it is saved", async || {
        controller.workspace(&wu, workspace.as_str()).unwrap().status.phase.as_str() == "saved"
    })
    .await;
    controller.open_attempt(&wu, id).await.unwrap();
    is_ready(controller, "li").await;
    pool.cluster.assert_invariants().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_the_group_loses_the_workspace_and_a_guest_does_not() {
    let pool = pool().await;
    let controller = pool.cluster.controller();
    let (attempt, workspace) = begun(controller, "li").await;
    let workspace = workspace.unwrap();
    may(controller, "wu", &workspace, Some(WorkspaceRight::Driver)).await;
    let share = |who: &str, role| pierhead_controller::WorkspaceChange::Share(name(who), role);
    let li = actor("li");
    controller
        .change_workspace(&li, workspace.as_str(), &share("eve", Some(TerminalRole::Viewer)), None)
        .await
        .unwrap();
    controller.change_workspace(&li, workspace.as_str(), &share("wu", None), None).await.unwrap();
    may(controller, "wu", &workspace, Some(WorkspaceRight::Driver)).await;
    group(controller, "wu", Some("b")).await;
    assert!(is_missing(&controller.attempt(&actor("wu"), attempt.as_str()).await), "at once");
    may(controller, "wu", &workspace, None).await;
    assert_eq!(right(controller, "eve", &workspace), Some(WorkspaceRight::Viewer), "whom somebody let in stays");
    let (own, _) = begun(controller, "wu").await;
    assert_ne!(own, attempt);
    group(controller, "zhao", Some("a")).await;
    may(controller, "zhao", &workspace, Some(WorkspaceRight::Driver)).await;
    assert_eq!(begun(controller, "zhao").await.0, attempt, "who comes to the group comes to its work");
    let suspended = StudentChange { username: name("zhao"), group: None, suspended: Some(true) };
    controller.enrol(&actor("wang"), "cs", &[suspended], None).await.unwrap();
    may(controller, "zhao", &workspace, None).await;
    assert!(is_missing(&controller.attempt(&actor("zhao"), attempt.as_str()).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_a_group_who_begin_at_the_same_moment_begin_one() {
    let pool = pool().await;
    let controller = pool.cluster.controller();
    let (one, other) = tokio::join!(begun(controller, "li"), begun(controller, "wu"));
    assert_eq!(one.0, other.0);
    let admin = Actor { may_change_all: true, ..actor("root") };
    assert_eq!(controller.attempts_of(&admin, None, true).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_group_hands_in_counts_for_each_of_it_whatever_the_groups_become() {
    let pool = pool().await;
    let controller = pool.cluster.controller();
    begin(controller, "li").await;
    is_ready(controller, "li").await;
    let asked = controller.submit_work(&actor("wu"), "cs", "server", None).await.unwrap();
    assert_eq!((asked.key.account.as_str(), asked.by.as_ref().map(Username::as_str)), ("li", Some("wu")));
    for who in ["li", "wu"] {
        let done = over(controller, who).await;
        assert_eq!((&done.stage, done.key.number), (&SubmissionStage::Complete, 1), "{who}");
    }
    assert!(controller.submissions(&actor("zhao"), "cs", None, None).await.unwrap().is_empty());
    group(controller, "wu", None).await;
    group(controller, "zhao", Some("a")).await;
    assert_eq!(over(controller, "wu").await.key.number, 1, "what was theirs then stays theirs");
    assert!(controller.submissions(&actor("zhao"), "cs", None, None).await.unwrap().is_empty(), "and is no newcomer's");
    let gradebook = controller.gradebook(&actor("wang"), "cs").await.unwrap();
    let handed_in: Vec<bool> = gradebook.rows.iter().map(|row| row.labs[0].submission.is_some()).collect();
    assert_eq!(handed_in, [true, true, false], "li, wu and zhao");
    let of_wu = controller.submissions(&actor("wang"), "cs", Some("server"), Some("wu")).await.unwrap();
    assert_eq!(of_wu.len(), 1);
}
