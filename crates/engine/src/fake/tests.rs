//! Faults, and what a test may ask.

mod workspaces;

use super::*;
use crate::{CreateRequest, Engine, LogOptions, Usage, Verb};
use futures_util::StreamExt;
use pierhead_model::{ContainerId, ContainerSpec, ContainerState, FailureKind, HostPort, Limits, ObservedContainer};
use std::collections::BTreeMap;
use std::time::Instant;

fn fake() -> Fake {
    let options = FakeOptions { images: vec![FakeImage::new("a:1")], ..FakeOptions::default() };
    Fake::new(FakeOptions { deadlines: Deadlines::uniform(Duration::from_millis(50)), ..options })
}

fn request(name: &str) -> CreateRequest {
    CreateRequest {
        name: name.to_owned(),
        spec: ContainerSpec::new(
            ImageReference::parse("a:1").unwrap(),
            Limits { reserved: Resources::new(100, 32), cpu_limit_millis: 500 },
        ),
        ports: vec![],
        labels: BTreeMap::new(),
        pids_limit: 64,
        engine_restarts: false,
        workspace: None,
    }
}

async fn running(fake: &Fake, name: &str) -> ContainerId {
    let id = fake.create(&request(name)).await.unwrap();
    fake.start(&id).await.unwrap();
    id
}

#[tokio::test]
async fn a_scripted_failure_comes_once_and_does_nothing() {
    let fake = fake();
    fake.fail_next(Verb::Create, EngineError::NoSpace("disk".to_owned()));
    fake.fail_next(Verb::Create, EngineError::Failed("again".to_owned()));
    let kinds = [fake.create(&request("xx")).await, fake.create(&request("xx")).await];
    assert_eq!(kinds.map(|result| result.unwrap_err().failure().kind), [FailureKind::NoSpace, FailureKind::Other]);
    assert!(fake.look().is_empty());
    fake.create(&request("xx")).await.unwrap();
}

#[tokio::test]
async fn a_lasting_failure_lasts_until_healed() {
    let fake = fake();
    fake.fail_always(Verb::Containers, EngineError::Failed("no".to_owned()));
    for _ in 0..3 {
        assert!(fake.containers().await.is_err());
    }
    fake.ping().await.unwrap();
    fake.heal();
    fake.containers().await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_let_pass_does_not_fail() {
    let fake = fake();
    fake.pass_next(Verb::Containers);
    fake.fail_next(Verb::Containers, EngineError::NotFound);
    fake.fail_always(Verb::Containers, EngineError::Failed("no".to_owned()));
    fake.containers().await.unwrap();
    assert!(matches!(fake.containers().await, Err(EngineError::NotFound)));
    assert!(matches!(fake.containers().await, Err(EngineError::Failed(_))));
}

#[tokio::test]
async fn a_lost_reply_was_done() {
    let fake = fake();
    fake.lose_reply(Verb::Create);
    let error = fake.create(&request("xx")).await.unwrap_err();
    assert!(matches!(error, EngineError::TimedOut { call: "create", .. }));
    assert_eq!(fake.look().len(), 1);
    assert!(matches!(fake.create(&request("xx")).await, Err(EngineError::NameTaken)));
}

#[tokio::test]
async fn an_engine_that_hangs_answers_nothing_until_it_is_resumed() {
    let fake = fake();
    fake.hang();
    let begin = Instant::now();
    assert!(matches!(fake.ping().await, Err(EngineError::TimedOut { call: "ping", milliseconds: 50 })));
    assert!(begin.elapsed() >= Duration::from_millis(50));
    let patient = Fake::new(FakeOptions {
        images: vec![FakeImage::new("a:1")],
        deadlines: Deadlines::uniform(Duration::from_secs(60)),
        ..FakeOptions::default()
    });
    patient.hang();
    let request = request("xx");
    let mut create = std::pin::pin!(patient.create(&request));
    assert!(futures_util::poll!(&mut create).is_pending());
    assert!(patient.look().is_empty());
    patient.resume();
    create.await.unwrap();
}

#[tokio::test]
async fn a_delay_beyond_the_deadline_is_a_timeout() {
    let fake = fake();
    fake.delay(Verb::Create, Duration::from_millis(5));
    fake.create(&request("xx")).await.unwrap();
    fake.delay(Verb::Create, Duration::from_secs(5));
    assert!(matches!(fake.create(&request("yy")).await, Err(EngineError::TimedOut { .. })));
    assert_eq!(fake.look().len(), 1);
}

#[tokio::test]
async fn an_engine_out_of_reach_keeps_its_containers_and_breaks_its_streams() {
    let fake = fake();
    let id = running(&fake, "xx").await;
    let mut events = fake.events(None).await.unwrap();
    fake.unreachable();
    assert!(matches!(events.next().await, Some(Err(EngineError::Unreachable(_)))));
    assert!(events.next().await.is_none());
    assert!(matches!(fake.containers().await, Err(EngineError::Unreachable(_))));
    fake.reachable();
    assert_eq!(fake.container(&id).await.unwrap().state, ContainerState::Running);
}

#[tokio::test]
async fn silent_events_are_never_told() {
    let fake = fake();
    let mut events = fake.events(None).await.unwrap();
    fake.silence_events(true);
    let id = running(&fake, "xx").await;
    fake.silence_events(false);
    fake.vanish(&id);
    let statuses: Vec<String> = events.by_ref().take(3).map(|event| event.unwrap().status).collect().await;
    assert_eq!(statuses, ["kill", "die", "destroy"]);
}

#[tokio::test]
async fn a_slow_listener_loses_events_and_goes_on() {
    let fake = fake();
    let mut events = fake.events(None).await.unwrap();
    for number in 0..EVENTS_KEPT * 2 {
        fake.create(&request(&format!("x{number}"))).await.unwrap();
    }
    let first = events.next().await.unwrap().unwrap();
    assert_eq!(first.attributes["name"], format!("x{EVENTS_KEPT}"));
}

#[tokio::test]
async fn exits_and_removals_behind_our_back() {
    let fake = fake();
    let id = running(&fake, "xx").await;
    fake.exit(&id, 3).unwrap();
    let container = fake.container(&id).await.unwrap();
    assert_eq!((container.state, container.exit_code), (ContainerState::Exited, Some(3)));
    assert!(fake.exit(&id, 3).is_err(), "it has exited already");
    fake.vanish(&id);
    assert!(matches!(fake.container(&id).await, Err(EngineError::NotFound)));
    let mut restarting = request("yy");
    restarting.engine_restarts = true;
    let id = fake.create(&restarting).await.unwrap();
    fake.start(&id).await.unwrap();
    fake.exit(&id, 1).unwrap();
    fake.exit(&id, 1).unwrap();
    let container = fake.container(&id).await.unwrap();
    assert_eq!((container.state, container.restart_count), (ContainerState::Running, 2));
}

#[tokio::test]
async fn a_port_that_something_else_holds() {
    let fake = fake();
    let mut with_port = request("xx");
    with_port.ports = vec![HostPort { protocol: Protocol::Tcp, host_ip: None, host_port: 80, container_port: 80 }];
    let id = fake.create(&with_port).await.unwrap();
    fake.occupy_port(Protocol::Tcp, 80);
    assert_eq!(fake.start(&id).await.unwrap_err().failure().kind, FailureKind::PortTaken);
    fake.free_port(Protocol::Tcp, 80);
    fake.start(&id).await.unwrap();
    assert_eq!(fake.bound_ports(), with_port.ports);
}

#[tokio::test]
async fn pulls_are_shared_and_only_what_is_published_comes() {
    let fake = fake();
    let image = ImageReference::parse("b:1").unwrap();
    let silent: crate::Progress = Arc::new(|_| {});
    assert!(matches!(fake.pull(&image, None, silent.clone()).await, Err(EngineError::NoImage(_))));
    fake.publish_image(FakeImage::new("b:1"));
    fake.delay(Verb::Pull, Duration::from_millis(10));
    let pulls = (0..10).map(|_| fake.pull(&image, None, silent.clone()));
    for pull in futures_util::future::join_all(pulls).await {
        pull.unwrap();
    }
    assert_eq!((fake.calls(Verb::Pull), fake.transfers()), (11, 2));
    assert!(fake.image(&image).await.unwrap().is_some());
}

#[tokio::test]
async fn calls_are_counted_and_remembered() {
    let fake = fake();
    let requests: Vec<CreateRequest> = (0..7).map(|number| request(&format!("x{number}"))).collect();
    let created = futures_util::future::join_all(requests.iter().map(|request| fake.create(request))).await;
    assert_eq!((fake.calls(Verb::Create), fake.most_at_once(Verb::Create)), (7, 7));
    let id = created[3].as_ref().unwrap();
    assert_eq!(*fake.request(id).unwrap(), requests[3]);
    assert_eq!(fake.journal()[3], Call { verb: Verb::Create, subject: "x3".to_owned() });
    fake.clear_journal();
    assert_eq!((fake.calls(Verb::Create), fake.most_at_once(Verb::Create), fake.journal().len()), (0, 0, 0));
}

#[tokio::test]
async fn a_call_that_is_dropped_is_not_under_way_any_more() {
    let fake = fake();
    fake.hang();
    {
        let mut ping = std::pin::pin!(fake.ping());
        assert!(futures_util::poll!(&mut ping).is_pending());
    }
    fake.resume();
    fake.clear_journal();
    fake.ping().await.unwrap();
    assert_eq!(fake.most_at_once(Verb::Ping), 1);
}

#[tokio::test]
async fn ids_are_dockers_and_differ_between_engines() {
    let (one, other) = (
        fake(),
        Fake::new(FakeOptions {
            name: "other".to_owned(),
            images: vec![FakeImage::new("a:1")],
            ..FakeOptions::default()
        }),
    );
    let ids = [one.create(&request("xx")).await.unwrap(), other.create(&request("xx")).await.unwrap()];
    assert_ne!(ids[0], ids[1]);
    assert!(ids.iter().all(|id| id.as_str().len() == 64 && id.as_str().bytes().all(|byte| byte.is_ascii_hexdigit())));
}

#[tokio::test]
async fn what_is_put_there_is_there() {
    let fake = fake();
    let id = ContainerId::parse("ab").unwrap();
    let container = ObservedContainer {
        id: id.clone(),
        name: "old".to_owned(),
        image: "a:1".to_owned(),
        state: ContainerState::Exited,
        exit_code: Some(1),
        created_at: Timestamp(5000),
        ports: vec![],
        limits: Resources::default(),
        labels: BTreeMap::new(),
        restart_count: 0,
        started_at: None,
    };
    fake.put(container.clone());
    assert_eq!(fake.container(&id).await.unwrap(), container);
    assert_eq!(fake.named("old"), Some(container));
    fake.start(&id).await.unwrap();
    fake.set_usage(&id, Usage { cpu_nanos: 1, memory_bytes: 2, ..Usage::default() }).unwrap();
    assert_eq!(fake.usage(&id).await.unwrap().memory_bytes, 2);
    fake.print(&id, LogLine { is_stderr: false, bytes: b"hello\n".to_vec() }).unwrap();
    let lines: Vec<_> = fake.logs(&id, LogOptions::default()).await.unwrap().collect().await;
    assert_eq!(lines.len(), 1);
}

#[tokio::test]
async fn tens_of_thousands_of_containers_are_cheap() {
    let fake = Fake::new(FakeOptions {
        images: vec![FakeImage::new("a:1")],
        deadlines: Deadlines::uniform(Duration::from_secs(60)),
        ..FakeOptions::default()
    });
    let begin = Instant::now();
    for number in 0..20_000 {
        running(&fake, &format!("x{number}")).await;
    }
    assert_eq!(fake.containers().await.unwrap().len(), 20_000);
    // Generous: it takes a fraction of a second, and whatever grows with the square takes minutes.
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_listener_who_comes_later_is_told_what_is_remembered() {
    let fake = Fake::new(FakeOptions::default());
    let id = fake.add_foreign("theirs", "a:1", Resources::default());
    let told = |nanos: Option<u64>| {
        let fake = fake.clone();
        async move {
            let mut events = fake.events(nanos).await.unwrap();
            fake.happen(&ContainerId::parse("f".repeat(64)).unwrap(), "nobody");
            fake.happen(&id_of(&fake), "top");
            let mut seen = Vec::new();
            while seen.last().is_none_or(|event: &EngineEvent| event.status != "top") {
                seen.push(events.next().await.unwrap().unwrap());
            }
            fake.shared.world.lock().unwrap().told.retain(|event| event.status != "top");
            seen
        }
    };
    let all = told(Some(0)).await;
    let statuses: Vec<&str> = all.iter().map(|event| event.status.as_str()).collect();
    assert_eq!(statuses, ["create", "start", "top"]);
    assert!(all.windows(2).all(|pair| pair[0].nanos < pair[1].nanos));
    assert_eq!(told(Some(all[1].nanos)).await.len(), 2, "the moment itself is part of it");
    assert_eq!(told(None).await.len(), 1);
    fake.forget_events();
    assert_eq!(told(Some(0)).await.len(), 1);
    assert_eq!(id_of(&fake), id);
}

fn id_of(fake: &Fake) -> ContainerId {
    fake.look()[0].id.clone()
}
