//! Recordings of class work on fake hosts: kept of those alone who said yes, seen by those alone who have to do with it,
//! and gone when their time is over, by hand, or when who said yes takes it back.

use crate::coursework::{actor, begin, course, is_ready, names, over};
use crate::detection::Pool;
use pierhead_controller::{
    Controller, CourseChange, Options, RecordingNow, RequestError, StudentChange, TerminalRequest, WorkspaceChange,
    keys,
};
use pierhead_model::{KeptRecording, SubmissionStage, Terminal, TerminalPlace, TerminalRole, Timestamp, Username};
use pierhead_store::StoreJson;
use pierhead_testkit::{ClusterOptions, PATIENCE, eventually, eventually_ok, quick};
use std::sync::Arc;
use std::time::Duration;

const DAY_MS: u64 = 24 * 3600 * 1000;

/// A pool with a course that asks for recordings, which these take; they have begun.
async fn school(students: &[&str]) -> Pool {
    let controller = Options { recording_look_interval: Duration::from_millis(200), ..quick() };
    let pool = Pool::start_with(ClusterOptions { hosts: 2, controller, ..ClusterOptions::default() }).await;
    let controller = pool.cluster.controller();
    course(controller, &names(students)).await;
    asks(controller, 30).await;
    pool
}

async fn asks(controller: &Controller, days: u32) {
    let change = CourseChange { recording_days: Some(days), ..CourseChange::default() };
    controller.change_course(&actor("wang"), "cs", &change).await.unwrap();
}

async fn says(controller: &Controller, name: &str, yes: bool) {
    let said = controller.set_consent(&actor(name), "cs", yes).await.unwrap();
    assert_eq!((said.since.is_some(), said.days), (yes, 30));
}

/// Somebody begins, and opens a shell, which prints its prompt.
async fn works(controller: &Controller, name: &str) -> Arc<Terminal> {
    begin(controller, name).await;
    is_ready(controller, name).await;
    opens(controller, name, name).await
}

/// Somebody opens a shell in the workspace of somebody.
async fn opens(controller: &Controller, name: &str, of: &str) -> Arc<Terminal> {
    let container = {
        let known = controller.known();
        let mut all = known.world.workspaces().values();
        let theirs = all.rfind(|one| one.owner.as_str() == of && one.wants_to_run()).unwrap();
        let place = known.world.workspace_assignments().get(&theirs.id).and_then(|one| one.place.clone()).unwrap();
        place.containers.values().next().unwrap().clone()
    };
    let request = TerminalRequest {
        command: Vec::new(),
        tty: true,
        user: None,
        working_dir: None,
        name: Some(format!("{name}s shell")),
        columns: 80,
        rows: 24,
    };
    let opened = controller.open_terminal(&actor(name), container.as_str(), &request, None).await.unwrap();
    let looks = actor("wang");
    eventually(PATIENCE, "its prompt is there", async || {
        let now =
            controller.terminal(&actor(name), opened.id.as_str()).or(controller.terminal(&looks, opened.id.as_str()));
        now.is_ok_and(|now| now.view.is_some_and(|view| view.printed > 0))
    })
    .await;
    opened
}

async fn seen(controller: &Controller, name: &str) -> Vec<RecordingNow> {
    controller.recordings(&actor(name), "cs", None, None).await.unwrap()
}

/// The only recording that somebody sees, once there is one.
async fn only(controller: &Controller, name: &str) -> KeptRecording {
    eventually_ok(PATIENCE, "a recording is kept", async || match &seen(controller, name).await[..] {
        [one] => Ok(one.record.clone()),
        all => Err(format!("{} are kept", all.len())),
    })
    .await
}

async fn gone(controller: &Controller, id: &str, why: &str) {
    eventually(PATIENCE, why, async || seen(controller, "wang").await.is_empty()).await;
    let told = events(controller).await;
    let is_it = |event: &&String| {
        event.contains("delete-recording") && event.contains(id) && event.contains(&format!("why={why}"))
    };
    assert_eq!(told.iter().filter(is_it).count(), 1, "{why}: {told:#?}");
}

async fn events(controller: &Controller) -> Vec<String> {
    let all = controller.store().list_all(keys::EVENTS).await.unwrap();
    all.entries.iter().map(|entry| String::from_utf8_lossy(&entry.value).into_owned()).collect()
}

/// Two looks of the leading controller have gone by.
async fn looked() {
    tokio::time::sleep(Duration::from_millis(2_500)).await;
}

async fn hand_in(controller: &Controller, name: &str) {
    controller.submit_work(&actor(name), "cs", "server", None).await.unwrap();
    let done = over(controller, name).await;
    assert_eq!(done.stage, SubmissionStage::Complete, "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_handed_in_is_kept_of_those_alone_who_said_yes() {
    let pool = school(&["li", "zhao"]).await;
    let controller = pool.cluster.controller();
    assert_eq!(controller.consent(&actor("li"), "cs").unwrap().since, None, "without an answer it is no");
    says(controller, "li", true).await;
    for who in ["wang", "eve"] {
        assert!(controller.set_consent(&actor(who), "cs", true).await.is_err(), "{who} does not take the course");
    }
    let terminal = works(controller, "li").await;
    works(controller, "zhao").await;
    let before = controller.clock().now();
    for who in ["li", "zhao"] {
        hand_in(controller, who).await;
    }
    let kept = only(controller, "wang").await;
    assert_eq!((&kept.id, kept.account.as_str(), kept.submission), (&terminal.id, "li", Some(1)));
    assert_eq!((kept.name.as_str(), kept.also.len()), ("lis shell", 0));
    assert!((before.0 + 30 * DAY_MS..before.0 + 31 * DAY_MS).contains(&kept.kept_until.0), "{kept:?}");
    assert!(kept.began <= kept.until && terminal.created_at.since(kept.began) < 2_000, "{kept:?}");
    // Who sees it, and who does not.
    let id = kept.id.as_str();
    for who in ["li", "wang"] {
        let file = controller.recording_file(&actor(who), "cs", id).await.unwrap();
        let text = String::from_utf8(file).unwrap();
        assert!(text.contains("\"o\", \"$ \"") && text.contains(id), "{text}");
    }
    assert!(seen(controller, "zhao").await.is_empty());
    let refused = controller.recording_file(&actor("zhao"), "cs", id).await;
    assert!(matches!(refused, Err(RequestError::NotFound { what: "recording", .. })), "{refused:?}");
    assert!(controller.delete_recording(&actor("zhao"), "cs", id).await.is_err());
    let stranger = controller.recordings(&actor("eve"), "cs", None, None).await;
    assert!(matches!(stranger, Err(RequestError::NotFound { what: "course", .. })), "{stranger:?}");
    // Who gives the course without teaching it sees it, and does not delete it.
    let change = CourseChange { assistants: Some([actor("han").username].into()), ..CourseChange::default() };
    controller.change_course(&actor("wang"), "cs", &change).await.unwrap();
    assert!(!seen(controller, "han").await[0].may_delete && seen(controller, "wang").await[0].may_delete);
    assert!(matches!(controller.delete_recording(&actor("han"), "cs", id).await, Err(RequestError::Forbidden(_))));
    // What somebody deletes does not come back when the terminal ends.
    controller.delete_recording(&actor("li"), "cs", id).await.unwrap();
    gone(controller, id, "deleted by li").await;
    controller.end_terminal(&actor("li"), id).await.unwrap();
    looked().await;
    assert!(seen(controller, "li").await.is_empty());
    pool.cluster.assert_invariants().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_ends_before_is_kept_at_its_end() {
    let pool = school(&["li"]).await;
    let controller = pool.cluster.controller();
    let early = works(controller, "li").await;
    says(controller, "li", true).await;
    let (one, other) = (opens(controller, "li", "li").await, opens(controller, "li", "li").await);
    let workspace = controller.workspaces_of(&actor("li")).remove(0).record.id.clone();
    let share = WorkspaceChange::Share(actor("eve").username, Some(TerminalRole::Driver));
    controller.change_workspace(&actor("li"), workspace.as_str(), &share, None).await.unwrap();
    let helper = opens(controller, "eve", "li").await;
    looked().await;
    for ended in [&early, &one, &helper] {
        let who = if ended.id == helper.id { "eve" } else { "li" };
        controller.end_terminal(&actor(who), ended.id.as_str()).await.unwrap();
    }
    let kept = only(controller, "li").await;
    assert_eq!((&kept.id, kept.submission), (&one.id, None), "not what was opened before, nor by somebody else");
    // Its container goes with its workspace.
    controller.change_workspace(&actor("li"), workspace.as_str(), &WorkspaceChange::Stop, None).await.unwrap();
    eventually(PATIENCE, "the other is kept too", async || {
        seen(controller, "li").await.iter().any(|found| found.record.id == other.id)
    })
    .await;
    assert_eq!(seen(controller, "li").await.len(), 2);
    pool.cluster.assert_invariants().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_group_all_must_have_said_yes_and_each_can_take_it_back() {
    let pool = school(&["li", "wu"]).await;
    let controller = pool.cluster.controller();
    let group = |name: &&str| StudentChange {
        username: Username::parse(*name).unwrap(),
        group: Some(Some("a".to_owned())),
        suspended: None,
    };
    let changes: Vec<StudentChange> = ["li", "wu"].iter().map(group).collect();
    controller.enrol(&actor("wang"), "cs", &changes, None).await.unwrap();
    says(controller, "li", true).await;
    let first = works(controller, "li").await;
    hand_in(controller, "li").await;
    looked().await;
    assert!(seen(controller, "wang").await.is_empty(), "wu has not said yes");
    says(controller, "wu", true).await;
    let second = opens(controller, "li", "li").await;
    hand_in(controller, "li").await;
    let kept = only(controller, "wu").await;
    assert_eq!((&kept.id, kept.submission), (&second.id, Some(2)), "and not {}", first.id);
    assert!(kept.shows(&actor("wu").username) && kept.account.as_str() == "li");
    says(controller, "wu", false).await;
    gone(controller, second.id.as_str(), "consent was withdrawn").await;
    assert!(seen(controller, "li").await.is_empty(), "it showed the work of both");
    let told = events(controller).await;
    let is_told = |event: &String| event.contains("delete-recording") && event.contains("account=wu");
    assert!(told.iter().any(is_told), "{told:#?}");
    // Another yes is for what comes later.
    says(controller, "wu", true).await;
    controller.end_terminal(&actor("li"), second.id.as_str()).await.unwrap();
    looked().await;
    assert!(seen(controller, "wang").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_had_holds_up_nothing_and_what_is_over_goes() {
    let pool = school(&["li", "zhao"]).await;
    let controller = pool.cluster.controller();
    for who in ["li", "zhao"] {
        says(controller, who, true).await;
    }
    let lost = works(controller, "li").await;
    // As if it lived in an agent that nobody can reach.
    let key = keys::terminal(&lost.id);
    let (record, _) = controller.store().get_json::<Terminal>(&key).await.unwrap().unwrap();
    let record = Terminal { home: TerminalPlace::Agent, ..record };
    let revision = controller.store().put_json(&key, &record).await.unwrap();
    controller.reached(revision).await;
    hand_in(controller, "li").await;
    works(controller, "zhao").await;
    hand_in(controller, "zhao").await;
    let kept = only(controller, "wang").await;
    assert_eq!(kept.account.as_str(), "zhao");
    // Who left the course still sees and deletes what is theirs, and their word still holds.
    controller.unenrol(&actor("wang"), "cs", &actor("zhao").username).await.unwrap();
    assert!(seen(controller, "zhao").await[0].may_delete);
    let past = KeptRecording { kept_until: Timestamp(1), ..kept.clone() };
    controller.store().put_json(&keys::recording(&past), &past).await.unwrap();
    gone(controller, past.id.as_str(), "its time was over").await;
    let again = KeptRecording { id: lost.id.clone(), ..kept };
    controller.store().put_json(&keys::recording(&again), &again).await.unwrap();
    looked().await;
    assert_eq!(seen(controller, "wang").await.len(), 1, "its time is not over");
    controller.delete_course(&actor("wang"), "cs").await.unwrap();
    eventually(PATIENCE, "it goes with its course", async || {
        controller.store().list_all(keys::RECORDINGS).await.unwrap().entries.is_empty()
    })
    .await;
    assert!(events(controller).await.iter().any(|event| event.contains("why=its course was deleted")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_that_asks_for_none_gets_none() {
    let pool = school(&["li"]).await;
    let controller = pool.cluster.controller();
    says(controller, "li", true).await;
    let terminal = works(controller, "li").await;
    asks(controller, 0).await;
    assert_eq!(controller.consent(&actor("li"), "cs").unwrap().days, 0);
    hand_in(controller, "li").await;
    controller.end_terminal(&actor("li"), terminal.id.as_str()).await.unwrap();
    looked().await;
    assert!(seen(controller, "wang").await.is_empty());
    controller.set_consent(&actor("li"), "cs", false).await.unwrap();
    let refused = controller.set_consent(&actor("li"), "cs", true).await.unwrap_err();
    assert!(matches!(refused, RequestError::WorkState(_)), "{refused}");
    let change = CourseChange { recording_days: Some(367), ..CourseChange::default() };
    let refused = controller.change_course(&actor("wang"), "cs", &change).await.unwrap_err();
    assert!(matches!(refused, RequestError::Invalid { field: "recording_days", .. }), "{refused}");
}
