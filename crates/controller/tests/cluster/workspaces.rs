//! Workspaces on fake hosts with agents: made, saved before they stop, kept if they can't be saved, adopted by the next
//! controller, and closed to whom they are not for.

use crate::asking::{at_once, refused, to_the_end};
use crate::detection::Pool;
use crate::hosts_in_work::begun;
use pierhead_client::{Change, Client, ClientError, Wait};
use pierhead_engine::{EngineError, Fake, Verb};
use pierhead_model::{ContainerId, WorkspaceOwnership};
use pierhead_testkit::{ClusterOptions, Cut, PATIENCE, SAMPLE, eventually, eventually_ok};
use pierhead_wire::{
    EnvironmentContainerDescription, EnvironmentDescription, EnvironmentRequest, TerminalRequest, WorkspaceRequest,
    WorkspaceView,
};
use std::collections::BTreeSet;

pub fn container(name: &str, startup: &str) -> EnvironmentContainerDescription {
    EnvironmentContainerDescription {
        name: name.to_owned(),
        image: SAMPLE.to_owned(),
        cpus: Some(0.1),
        memory: Some(16.0),
        startup: Some(startup.to_owned()),
        ..EnvironmentContainerDescription::default()
    }
}

/// An environment of two containers that everybody may open.
pub fn described(name: &str, startup: &str) -> EnvironmentRequest {
    let containers = vec![container("main", startup), container("db", "exit 0")];
    let description = EnvironmentDescription { containers, ..EnvironmentDescription::default() };
    EnvironmentRequest { name: name.to_owned(), visibility: Some("shared".to_owned()), description }
}

pub async fn describe(client: &Client, name: &str, startup: &str) {
    client.add_environment(&described(name, startup)).await.unwrap();
}

pub fn from(environment: &str) -> WorkspaceRequest {
    WorkspaceRequest { environment: Some(environment.to_owned()), ..WorkspaceRequest::default() }
}

/// A pool on which a workspace whose host is lost comes back soon.
async fn quick_to_lose(hosts: usize) -> Pool {
    let mut options = ClusterOptions { hosts, ..ClusterOptions::default() };
    options.controller.policy.workspace_lost_ms = 50;
    Pool::start_with(options).await
}

pub fn host_of<'a>(pool: &'a Pool, workspace: &WorkspaceView) -> (usize, &'a Fake) {
    let name = workspace.engine.as_ref().unwrap();
    let at = pool.cluster.hosts().position(|(id, _)| id == *name).unwrap();
    (at, pool.host(at))
}

/// The ids of its containers, the first named first.
pub fn containers(workspace: &WorkspaceView) -> Vec<ContainerId> {
    workspace.containers.iter().map(|container| ContainerId::parse(container.id.as_ref().unwrap()).unwrap()).collect()
}

pub async fn open(client: &Client, environment: &str) -> WorkspaceView {
    let request = from(environment);
    let opened = client.open_workspace(&request, &to_the_end()).await.unwrap();
    reaches(client, &opened.id, "ready").await
}

/// What its containers are made of, as its host says.
pub fn images(pool: &Pool, workspace: &WorkspaceView) -> BTreeSet<String> {
    let ids = containers(workspace);
    let there = host_of(pool, workspace).1.look().into_iter().filter(|container| ids.contains(&container.id));
    there.map(|container| container.image).collect()
}

pub async fn show(client: &Client, id: &str) -> WorkspaceView {
    client.workspace(id).await.unwrap().into_value()
}

pub async fn reaches(client: &Client, id: &str, phase: &str) -> WorkspaceView {
    eventually_ok(PATIENCE, phase, async || {
        let now = show(client, id).await;
        if now.phase == phase { Ok(now) } else { Err(format!("{}: {}", now.phase, now.message)) }
    })
    .await
}

/// How many containers of workspaces are on all hosts.
pub fn made(pool: &Pool) -> usize {
    let of = |host: &Fake| {
        host.look().iter().filter(|container| WorkspaceOwnership::read(&container.labels).is_some()).count()
    };
    pool.cluster.hosts().map(|(_, host)| of(host)).sum()
}

#[tokio::test]
async fn a_drain_is_done_when_workspaces_have_left_too() {
    let pool = Pool::start(2, 150).await;
    let (ann, admin) = (pool.cluster.user("ann").await, pool.cluster.admin());
    describe(&ann, "lab", "exit 0").await;
    let opened = open(&ann, "lab").await;
    let home = opened.engine.clone().unwrap();
    let (status, body) = refused(admin.remove_engine(&home).await);
    assert_eq!((status, body.field.as_deref()), (400, Some("id")));
    assert!(body.message.contains("1 lives on") && body.message.contains("engine drain"), "{}", body.message);
    let host = host_of(&pool, &opened).1;
    host.fail_always(Verb::Commit, EngineError::Failed("no room".to_owned()));
    let drain = begun(admin.drain_engine(&home, &at_once()).await.unwrap());
    eventually(PATIENCE, "it says why it is kept", async || {
        show(&ann, &opened.id).await.message.contains("could not be saved, so it is kept")
    })
    .await;
    assert_eq!(admin.operation(&drain.id, None).await.unwrap().state, "running", "it is still there");
    host.heal();
    eventually(PATIENCE, "it is drained", async || admin.operation(&drain.id, None).await.unwrap().state == "done")
        .await;
    let moved = reaches(&ann, &opened.id, "ready").await;
    assert_ne!(moved.engine.as_ref(), Some(&home));
    admin.remove_engine(&home).await.unwrap();
}

#[tokio::test]
async fn it_is_kept_until_it_is_saved() {
    let pool = Pool::start(2, 150).await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let opened = open(&ann, "lab").await;
    assert_eq!((made(&pool), opened.containers.len(), opened.message.as_str()), (2, 2, ""));
    for (_, host) in pool.cluster.hosts() {
        host.fail_always(Verb::Commit, EngineError::Failed("no room".to_owned()));
    }
    ann.stop_workspace(&opened.id).await.unwrap();
    eventually(PATIENCE, "it says why it is kept", async || {
        show(&ann, &opened.id).await.message.contains("could not be saved, so it is kept")
    })
    .await;
    assert_eq!(made(&pool), 2);
    pool.cluster.hosts().for_each(|(_, host)| host.heal());
    let saved = reaches(&ann, &opened.id, "saved").await;
    assert_eq!((made(&pool), saved.last_save.is_some()), (0, true));
    ann.start_workspace(&opened.id, None).await.unwrap();
    reaches(&ann, &opened.id, "ready").await;
    ann.end_workspace(&opened.id, false).await.unwrap();
    reaches(&ann, &opened.id, "ended").await;
    assert_eq!(made(&pool), 0);
    let (status, body) = refused(ann.start_workspace(&opened.id, None).await);
    assert_eq!((status, body.code.as_str()), (409, "workspace_state"));
    pool.cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_script_that_fails_is_told_and_people_can_work_all_the_same() {
    let pool = Pool::start(1, 150).await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 3").await;
    let opened = open(&ann, "lab").await;
    assert_eq!(opened.message, "the startup script of main: it ended with exit code 3");
    let name = &opened.containers[0].id.clone().unwrap();
    let request = TerminalRequest::default();
    ann.open_terminal(name, &request, &Change::new(Wait::UntilEnded)).await.unwrap();
}

#[tokio::test]
async fn it_is_its_peoples_and_nobody_elses() {
    let pool = Pool::start(1, 150).await;
    let (ann, bob) = (pool.cluster.user("ann").await, pool.cluster.user("bob").await);
    describe(&ann, "lab", "exit 0").await;
    let opened = open(&ann, "lab").await;
    let container = opened.containers[0].id.clone().unwrap();
    let terminal = async |client: &Client| {
        let opened =
            client.open_terminal(&container, &TerminalRequest::default(), &Change::new(Wait::UntilEnded)).await;
        opened.err().as_ref().and_then(ClientError::status)
    };
    assert_eq!(refused(bob.workspace(&opened.id).await).0, 404);
    assert!(bob.workspaces().await.unwrap().into_value().is_empty());
    assert_eq!(terminal(&bob).await, Some(403));
    for role in ["viewer", "driver"] {
        ann.share_workspace(&opened.id, "bob", role).await.unwrap();
        assert_eq!(show(&bob, &opened.id).await.right, role);
        assert_eq!(refused(bob.stop_workspace(&opened.id).await).0, 403);
        assert_eq!(refused(bob.share_workspace(&opened.id, "bob", "driver").await).0, 403);
        assert_eq!(bob.extend_workspace(&opened.id, 1).await.is_ok(), role == "driver");
        assert_eq!(terminal(&bob).await.is_none(), role == "driver");
    }
    ann.extend_workspace(&opened.id, 30).await.unwrap();
    let ends_at = show(&ann, &opened.id).await.ends_at;
    let (status, body) = refused(ann.extend_workspace(&opened.id, 10_000).await);
    assert_eq!((status, body.field.as_deref()), (400, Some("minutes")), "it would end in more than a week");
    assert_eq!(show(&ann, &opened.id).await.ends_at, ends_at);
    ann.unshare_workspace(&opened.id, "bob").await.unwrap();
    assert_eq!((terminal(&bob).await, terminal(&ann).await), (Some(403), None));
    // Nobody, not even its owner, destroys one of its containers alone.
    assert_eq!(refused(ann.destroy(&container, &to_the_end()).await.map(drop)).0, 403);
    assert_eq!(made(&pool), 2);
}

#[tokio::test]
async fn a_request_that_is_sent_twice_at_once_opens_one() {
    let pool = Pool::start(1, 150).await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let (request, change) = (from("lab"), Change::with_key("once", Wait::UntilEnded));
    let (one, other) = tokio::join!(ann.open_workspace(&request, &change), ann.open_workspace(&request, &change));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.id, other.id);
    let again = ann.open_workspace(&from("lab"), &change).await.unwrap();
    assert_eq!((again.id.clone(), ann.workspaces().await.unwrap().len()), (one.id.clone(), 1));
    let named = WorkspaceRequest { name: Some("mine".to_owned()), ..from("lab") };
    let (status, body) = refused(ann.open_workspace(&named, &change).await);
    assert_eq!((status, body.code.as_str()), (422, "idempotency_key_reused"), "the key was of another request");
    let bobs = pool.cluster.user("bob").await.open_workspace(&request, &change).await.unwrap();
    assert!(bobs.id != one.id && bobs.owner == "bob", "keys are everybody's own");
}

#[tokio::test]
async fn what_is_given_up_is_not_saved() {
    let pool = Pool::start(2, 150).await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let opened = open(&ann, "lab").await;
    ann.end_workspace(&opened.id, true).await.unwrap();
    reaches(&ann, &opened.id, "ended").await;
    pool.cluster.assert_invariants().await;
    assert_eq!((made(&pool), ann.saves().await.unwrap().len()), (0, 0));
    ann.end_workspace(&opened.id, false).await.expect("it has ended, as is asked for");
    for answer in [ann.stop_workspace(&opened.id).await, ann.extend_workspace(&opened.id, 5).await] {
        assert_eq!(refused(answer).1.code, "workspace_state");
    }
}

/// Stops a workspace while the power of the controller goes, and tells what its successor made of it.
async fn stopped_with_a_cut(word: &'static str, cut: Cut) {
    let mut pool = Pool::start(2, 150).await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let opened = open(&ann, "lab").await;
    pool.cluster.power().cut_at_first(word, cut);
    let asked = tokio::spawn({
        let id = opened.id.clone();
        async move { ann.stop_workspace(&id).await.map(drop) }
    });
    pool.cluster.power().gone().await;
    pool.succeed().await;
    asked.abort();
    let ann = pool.cluster.user("ann").await;
    let saved = reaches(&ann, &opened.id, "saved").await;
    pool.cluster.assert_invariants().await;
    assert_eq!(made(&pool), 0, "{word} {cut:?}");
    let saves = ann.saves().await.unwrap();
    let last = saves.iter().find(|save| Some(&save.id) == saved.last_save.as_ref()).expect("it was saved before");
    assert_eq!((saves.len(), last.containers.len()), (1, 2), "{word} {cut:?}");
    // A successor that does not know the other host yet makes the copy there later.
    assert!(["complete", "single-copy"].contains(&last.state.as_str()), "{word} {cut:?}: {}", last.state);
    ann.start_workspace(&opened.id, None).await.unwrap();
    let back = reaches(&ann, &opened.id, "ready").await;
    assert_eq!(
        images(&pool, &back),
        last.containers.iter().map(|container| container.image.clone()).collect(),
        "{word} {cut:?}"
    );
}

#[tokio::test]
async fn a_stop_that_was_cut_short_while_it_was_saved_is_finished() {
    for (word, cut) in [("squash", Cut::After), ("remove_image", Cut::Before), ("load", Cut::Before)] {
        stopped_with_a_cut(word, cut).await;
    }
}

#[tokio::test]
async fn a_stop_that_was_cut_short_while_it_left_is_finished() {
    for (word, cut) in [("stop ", Cut::After), ("remove ", Cut::Before), ("remove_network", Cut::After)] {
        stopped_with_a_cut(word, cut).await;
    }
}

#[tokio::test]
async fn one_that_was_half_made_is_made_once() {
    for (word, cut) in [("create_network", Cut::After), ("create ", Cut::After), ("start ", Cut::Before)] {
        let mut pool = Pool::start(2, 150).await;
        let ann = pool.cluster.user("ann").await;
        describe(&ann, "lab", "exit 0").await;
        pool.cluster.power().cut_at_first(word, cut);
        let change = Change::with_key("once", Wait::UntilEnded);
        let asked = tokio::spawn({
            let change = change.clone();
            async move { ann.open_workspace(&from("lab"), &change).await.map(drop) }
        });
        pool.cluster.power().gone().await;
        pool.succeed().await;
        asked.abort();
        let ann = pool.cluster.user("ann").await;
        let opened = ann.open_workspace(&from("lab"), &change).await.unwrap();
        let opened = reaches(&ann, &opened.id, "ready").await;
        pool.cluster.assert_invariants().await;
        assert_eq!((made(&pool), ann.workspaces().await.unwrap().len()), (2, 1), "{word} {cut:?}");
        let (_, host) = host_of(&pool, &opened);
        let networks = host.engine().networks().await.unwrap();
        assert_eq!(networks.len(), 1, "{word} {cut:?}");
    }
}

#[tokio::test]
async fn a_new_controller_adopts_what_people_work_in() {
    let mut pool = Pool::start(2, 150).await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let opened = open(&ann, "lab").await;
    ann.share_workspace(&opened.id, "ann", "viewer").await.expect_err("it is hers");
    pool.cluster.user("bob").await;
    ann.share_workspace(&opened.id, "bob", "viewer").await.unwrap();
    pool.cluster.hosts().for_each(|(_, host)| host.clear_journal());
    pool.succeed().await;
    pool.cluster.assert_invariants().await;
    let now = show(&pool.cluster.user("bob").await, &opened.id).await;
    assert_eq!((now.phase.as_str(), now.right.as_str(), containers(&now)), ("ready", "viewer", containers(&opened)));
    assert_eq!((now.ends_at, now.engine), (opened.ends_at, opened.engine));
    let changed = pool.cluster.hosts().flat_map(|(_, host)| host.journal()).find(|call| {
        matches!(call.verb, Verb::Create | Verb::Remove | Verb::Restart | Verb::Start | Verb::Stop | Verb::CreateExec)
    });
    assert_eq!(changed, None, "nothing is made, started or primed again");
}

#[tokio::test]
async fn one_whose_host_is_lost_comes_back_from_its_save_and_what_was_left_becomes_one() {
    let pool = quick_to_lose(4).await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let opened = open(&ann, "lab").await;
    ann.save_workspace(&opened.id, Some("before the storm")).await.unwrap();
    eventually(PATIENCE, "it is saved", async || show(&ann, &opened.id).await.last_save.is_some()).await;
    let (at, _) = host_of(&pool, &opened);
    pool.kernel_is_silent(at);
    pool.falls_silent(at);
    let back = eventually_ok(PATIENCE, "it is elsewhere", async || {
        let now = show(&ann, &opened.id).await;
        let is_back = now.phase == "ready" && now.engine != opened.engine;
        if is_back { Ok(now) } else { Err(format!("{}: {}", now.phase, now.message)) }
    })
    .await;
    let first = &ann.saves().await.unwrap()[0];
    assert_eq!(
        (first.name.as_str(), back.left_on.as_slice()),
        ("before the storm", &opened.engine.clone().into_iter().collect::<Vec<_>>()[..])
    );
    assert!(back.message.contains(&first.id), "people are told from which save it came: {}", back.message);
    assert_eq!(images(&pool, &back), first.containers.iter().map(|container| container.image.clone()).collect());
    pool.returns(at);
    pool.cluster.all_healthy().await;
    eventually(PATIENCE, "what was left there is saved", async || show(&ann, &opened.id).await.left_on.is_empty())
        .await;
    eventually(PATIENCE, "and gone", async || made(&pool) == 2).await;
    pool.cluster.assert_invariants().await;
    assert_eq!((made(&pool), ann.saves().await.unwrap().len()), (2, 2));
    assert_eq!(containers(&show(&ann, &opened.id).await), containers(&back), "the copy that people work in stays");
}

#[tokio::test]
async fn one_that_was_never_saved_waits_for_its_host_unless_it_is_reset() {
    let pool = quick_to_lose(4).await;
    let ann = pool.cluster.user("ann").await;
    describe(&ann, "lab", "exit 0").await;
    let opened = open(&ann, "lab").await;
    let (at, _) = host_of(&pool, &opened);
    pool.kernel_is_silent(at);
    pool.falls_silent(at);
    eventually(PATIENCE, "it says what can be done", async || {
        let now = show(&ann, &opened.id).await;
        now.phase == "failed" && now.message.contains("pierhead workspace reset") && now.engine == opened.engine
    })
    .await;
    // Not sooner than two seconds after it was opened.
    eventually_ok(PATIENCE, "it may be reset", async || ann.reset_workspace(&opened.id).await.map(drop)).await;
    assert_eq!(refused(ann.reset_workspace(&opened.id).await).1.code, "too_often");
    let back = reaches(&ann, &opened.id, "ready").await;
    assert_ne!(back.engine, opened.engine);
    pool.returns(at);
    pool.cluster.all_healthy().await;
    eventually(PATIENCE, "it is kept as a save", async || ann.saves().await.unwrap().len() == 1).await;
    eventually(PATIENCE, "one copy is left", async || made(&pool) == 2).await;
    pool.cluster.assert_invariants().await;
}
