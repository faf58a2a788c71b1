//! Workspaces that were started ahead on fake hosts: their shells are nobody's, they rest, they are given with a shell and
//! without anything new, and never twice.

use crate::asking::to_the_end;
use crate::detection::Pool;
use crate::workspaces::{containers, described, from, host_of, made, reaches};
use futures_util::future::join_all;
use pierhead_client::Client;
use pierhead_engine::{EngineError, Fake, Verb};
use pierhead_model::ContainerState;
use pierhead_testkit::{ClusterOptions, PATIENCE, eventually};
use pierhead_wire::TerminalRequest;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long whoever is given one that rests waits until it goes on.
const AWAKE: Duration = Duration::from_millis(500);

/// A pool on which so many are started ahead, one after another at once, and rest soon or never.
async fn pool(hosts: usize, warm: u32, pause_ms: u64) -> (Pool, Client) {
    let mut options = ClusterOptions { hosts, ..ClusterOptions::default() };
    options.controller.policy.warm_every_ms = 0;
    options.controller.policy.warm_pause_ms = pause_ms;
    // Whoever comes, nothing is made up for while it is counted what was made.
    options.controller.policy.warm_quiet_ms = 3_600_000;
    let pool = Pool::start_with(options).await;
    let ann = pool.cluster.user("ann").await;
    let mut environment = described("lab", "exit 0");
    environment.description.warm = Some(warm);
    ann.add_environment(&environment).await.unwrap();
    eventually(PATIENCE, "all are ready ahead", async || ann.environment("lab").await.unwrap().warm_ready == warm)
        .await;
    (pool, ann)
}

fn calls(pool: &Pool, verb: Verb) -> u64 {
    pool.cluster.hosts().map(|(_, host)| host.calls(verb)).sum()
}

fn in_state(pool: &Pool, state: ContainerState) -> usize {
    let of = |host: &Fake| host.look().iter().filter(|container| container.state == state).count();
    pool.cluster.hosts().map(|(_, host)| of(host)).sum()
}

#[tokio::test]
async fn one_that_rests_is_given_with_its_shell_and_nothing_new() {
    let (pool, ann) = pool(1, 1, 100).await;
    eventually(PATIENCE, "it rests", async || in_state(&pool, ContainerState::Paused) == 2).await;
    assert!(ann.terminals(None).await.unwrap().is_empty(), "its shell is nobody's");
    assert!(pool.cluster.admin().terminals(None).await.unwrap().is_empty());
    let resting = pool.cluster.hosts().flat_map(|(_, host)| host.look()).next().unwrap();
    let (admin, plain, asked) = (pool.cluster.admin(), TerminalRequest::default(), to_the_end());
    let refused = admin.open_terminal(resting.id.as_str(), &plain, &asked).await.unwrap_err();
    assert_eq!(refused.code(), Some("not_running"), "nobody comes into what rests");
    let (creates, processes) = (calls(&pool, Verb::Create), calls(&pool, Verb::CreateExec));
    let bob = pool.cluster.user("bob").await;
    let began = Instant::now();
    let given = bob.open_workspace(&from("lab"), &to_the_end()).await.unwrap().into_value();
    let waited = began.elapsed();
    assert!(given.phase == "ready" || waited >= AWAKE, "{} after {waited:?}", given.phase);
    let given = reaches(&bob, &given.id, "ready").await;
    assert_eq!(given.message, "");
    assert_eq!((calls(&pool, Verb::Unpause), in_state(&pool, ContainerState::Running)), (2, 2));
    let container = containers(&given)[0].to_string();
    let request = TerminalRequest { name: Some("mine".to_owned()), ..TerminalRequest::default() };
    let asked = to_the_end();
    let shell = bob.open_terminal(&container, &request, &asked).await.unwrap().into_value();
    assert_eq!((shell.owner.as_str(), shell.name.as_str()), ("bob", "mine"));
    assert_eq!((calls(&pool, Verb::Create), calls(&pool, Verb::CreateExec)), (creates, processes), "all was there");
    let again = bob.open_terminal(&container, &request, &asked).await.unwrap().into_value();
    assert_eq!(again.id, shell.id, "the same request has one shell");
    let second = bob.open_terminal(&container, &request, &to_the_end()).await.unwrap().into_value();
    assert_ne!(second.id, shell.id);
    assert_eq!(calls(&pool, Verb::CreateExec), processes + 1, "there was one only");
    assert_eq!((bob.terminals(None).await.unwrap().len(), ann.terminals(None).await.unwrap().len()), (2, 0));
    assert_eq!(pool.cluster.admin().terminals(None).await.unwrap().len(), 2);
    bob.end_workspace(&given.id, true).await.unwrap();
    reaches(&bob, &given.id, "ended").await;
    pool.cluster.assert_invariants().await;
}

#[tokio::test]
async fn people_of_the_same_moment_are_given_different_ones() {
    let (pool, ann) = pool(2, 4, 3_600_000).await;
    let creates = calls(&pool, Verb::Create);
    let people = join_all(["bob", "clare", "dan", "eve"].map(|name| pool.cluster.user(name))).await;
    let (request, change) = (from("lab"), to_the_end());
    let opened =
        join_all(people.iter().map(|person| async { person.open_workspace(&request, &change).await.unwrap() })).await;
    let ids: BTreeSet<&str> = opened.iter().map(|workspace| workspace.id.as_str()).collect();
    assert_eq!((ids.len(), calls(&pool, Verb::Create)), (4, creates), "each has one, and none was made");
    assert!(opened.iter().all(|workspace| workspace.phase == "ready"));
    assert_eq!((made(&pool), ann.environment("lab").await.unwrap().warm_ready), (8, 0));
    pool.cluster.assert_invariants().await;
}

#[tokio::test]
async fn one_that_cannot_be_thawed_is_told_and_tried_again() {
    let (pool, _ann) = pool(1, 1, 100).await;
    eventually(PATIENCE, "it rests", async || in_state(&pool, ContainerState::Paused) == 2).await;
    let bob = pool.cluster.user("bob").await;
    for (_, host) in pool.cluster.hosts() {
        host.fail_always(Verb::Unpause, EngineError::Failed("the freezer is stuck".to_owned()));
    }
    let given = bob.open_workspace(&from("lab"), &to_the_end()).await.unwrap();
    assert_eq!(given.phase, "starting", "nobody is told that what is frozen is ready");
    eventually(PATIENCE, "it says why", async || {
        bob.workspace(&given.id).await.unwrap().message.contains("the freezer is stuck")
    })
    .await;
    pool.cluster.hosts().for_each(|(_, host)| host.heal());
    let ready = reaches(&bob, &given.id, "ready").await;
    assert_eq!(host_of(&pool, &ready).1.calls(Verb::Create), 2, "{ready:?}");
    // A host tells that it runs before the step that let it go on has ended.
    eventually(PATIENCE, "it says nothing more of it", async || {
        bob.workspace(&given.id).await.unwrap().message.is_empty()
    })
    .await;
    pool.cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_shell_that_cannot_be_had_keeps_nobody_waiting() {
    let mut options = ClusterOptions { hosts: 1, ..ClusterOptions::default() };
    options.controller.policy.warm_every_ms = 0;
    let pool = Pool::start_with(options).await;
    let ann = pool.cluster.user("ann").await;
    let mut environment = described("lab", "exit 0");
    environment.description.containers.iter_mut().for_each(|container| container.startup = None);
    environment.description.warm = Some(1);
    for (_, host) in pool.cluster.hosts() {
        host.fail_always(Verb::CreateExec, EngineError::Failed("no shell".to_owned()));
    }
    ann.add_environment(&environment).await.unwrap();
    eventually(PATIENCE, "it is ready", async || ann.environment("lab").await.unwrap().warm_ready == 1).await;
    pool.cluster.hosts().for_each(|(_, host)| host.heal());
    let given = ann.open_workspace(&from("lab"), &to_the_end()).await.unwrap().into_value();
    let container = containers(&given)[0].to_string();
    ann.open_terminal(&container, &TerminalRequest::default(), &to_the_end()).await.unwrap();
    assert_eq!(ann.terminals(None).await.unwrap().len(), 1);
    pool.cluster.assert_invariants().await;
}
