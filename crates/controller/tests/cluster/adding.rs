//! Runs: what they add, where they fail, and what is taken back.

use crate::asking::{all_containers, at_once, ended, ids, refused, run_options, running, to_the_end};
use pierhead_client::RunOptions;
use pierhead_engine::{EngineError, FakeImage, Verb};
use pierhead_model::{Protocol, VerdictState};
use pierhead_testkit::{
    Cluster, ClusterOptions, PATIENCE, SAMPLE, crashing, described, eventually, failing, job, sample,
};
use pierhead_wire::{ImageDescription, PortDescription, PortNumber};

#[tokio::test]
async fn containers_are_spread_and_answered_in_full() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let made = cluster.run("web", 5, &sample()).await;
    assert_eq!(ids(&made), running(&cluster, "web"));
    assert_eq!(made.len(), 5);
    for (id, host) in cluster.hosts() {
        assert!((1..=2).contains(&host.look().len()), "{id} has {}", host.look().len());
    }
    for container in &made {
        assert_eq!((container.state.as_str(), container.app.as_deref()), ("running", Some("web")));
        assert_eq!(container.owner.as_deref(), Some("admin"));
        let [port] = container.ports.as_slice() else { panic!("{:?}", container.ports) };
        assert!(port.host_ip.starts_with("10.0.0."), "{port:?}");
        let fake = cluster.host_named(&container.engine.id);
        assert_eq!(fake.bound_ports().iter().filter(|bound| Some(bound.host_port) == number(port)).count(), 1);
    }
    cluster.assert_invariants().await;
}

fn number(port: &PortDescription) -> Option<u16> {
    port.port.as_ref().and_then(PortNumber::number)
}

#[tokio::test]
async fn no_room_is_refused_before_anything_starts() {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let large = ImageDescription { memory: Some(5000.0), ..described(SAMPLE) };
    let (status, body) = refused(cluster.admin().run(&large, &run_options("large", 3), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (409, "no_room"));
    assert!(body.message.contains("room for 2 of 3"), "{}", body.message);
    assert!(body.message.contains("host-"), "the nearest host is named: {}", body.message);
    cluster.assert_invariants().await;
    assert!(cluster.hosts().all(|(_, host)| host.calls(Verb::Create) == 0));
    assert_eq!(refused(cluster.admin().app("large").await).0, 404, "nothing is left");
    assert_eq!(cluster.run("large", 2, &large).await.len(), 2, "what there is room for runs");
}

#[tokio::test]
async fn no_room_for_more_leaves_what_runs() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let large = ImageDescription { memory: Some(3000.0), ..described(SAMPLE) };
    let first = ids(&cluster.run("large", 1, &large).await);
    let admin = cluster.admin();
    assert_eq!(refused(admin.run(&large, &run_options("large", 5), &to_the_end()).await).1.code, "no_room");
    assert_eq!(refused(admin.scale_app("large", 9, &to_the_end()).await).1.code, "no_room");
    assert_eq!(running(&cluster, "large"), first);
    assert_eq!(admin.app("large").await.unwrap().replicas, 1);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_run_that_fails_half_way_is_taken_back_before_the_answer() {
    let mut cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    cluster.add_foreign(0, "theirs", pierhead_model::Resources::default());
    // The second one of each host is refused, wherever it is tried.
    for at in 0..2 {
        cluster.host(at).fail_next(Verb::Start, EngineError::Refused("no such option".to_owned()));
    }
    let (status, body) = refused(cluster.admin().run(&sample(), &run_options("web", 6), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (400, "refused_by_engine"));
    assert!(body.message.contains("no such option"), "{}", body.message);
    assert_eq!(all_containers(&cluster), 1, "at the moment of the answer nothing is left but what is not ours");
    let operation = cluster.admin().operation(&body.operation.unwrap(), None).await.unwrap();
    assert_eq!(operation.state, "failed");
    assert!(operation.verdicts.iter().any(|verdict| verdict.state == VerdictState::Failed));
    assert_eq!(refused(cluster.admin().app("web").await).0, 404);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn what_fails_everywhere_is_told_with_its_reason() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let (status, body) = refused(cluster.admin().run(&failing(), &run_options("bad", 2), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (422, "not_started"));
    assert!(body.message.contains("executable file not found"), "{}", body.message);
    let unknown = described("no/such:1");
    let (status, body) = refused(cluster.admin().run(&unknown, &run_options("none", 1), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (404, "no_such_image"));
    assert!(body.message.contains("no/such:1"), "{}", body.message);
    assert_eq!(all_containers(&cluster), 0);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_slot_that_fails_on_one_host_is_tried_on_another() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    cluster.host(0).fail_always(Verb::Start, EngineError::NotStarted("its disk is broken".to_owned()));
    let made = cluster.run("web", 6, &sample()).await;
    assert_eq!(made.len(), 6);
    assert!(made.iter().all(|container| container.engine.id != "host-1"), "{made:?}");
    assert!(cluster.host(0).calls(Verb::Start) > 0, "it was tried");
    assert!(cluster.host(0).look().is_empty(), "nothing half-made stays");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_port_that_something_else_took_is_replaced_by_another() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let first = pierhead_planner::Policy::default().placement.host_ports;
    for port in *first.start()..first.start() + 3 {
        cluster.host(0).occupy_port(Protocol::Tcp, port);
    }
    let made = cluster.run("web", 3, &sample()).await;
    assert!(made.iter().all(|container| number(&container.ports[0]).unwrap() >= first.start() + 3), "{made:?}");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn an_image_comes_to_each_host_once() {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    for (_, host) in cluster.hosts() {
        host.publish_image(FakeImage::new("registry.lan/app:2"));
    }
    assert_eq!(cluster.run("app", 6, &described("registry.lan/app:2")).await.len(), 6);
    for (id, host) in cluster.hosts() {
        // Whoever is later may have it from the other host instead.
        assert_eq!(host.transfers() + host.loads(), 1, "{id}");
    }
}

#[tokio::test]
async fn limits_always_reach_the_engine() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let plain = ImageDescription { name: SAMPLE.to_owned(), ..ImageDescription::default() };
    cluster.run("plain", 1, &plain).await;
    let container = cluster.host(0).look().remove(0);
    let request = cluster.host(0).request(&container.id).unwrap();
    assert!(request.pids_limit > 0);
    assert!(request.spec.limits.cpu_limit_millis > 0 && request.spec.limits.reserved.memory_mb > 0);
    let described = cluster.admin().container(container.id.as_str()).await.unwrap().image.clone();
    assert_eq!((described.cpus, described.memory), (Some(0.05), Some(64.0)), "the defaults are shown");
}

#[tokio::test]
async fn starts_on_one_host_are_bounded_and_hosts_work_side_by_side() {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    for (_, host) in cluster.hosts() {
        host.delay(Verb::Create, std::time::Duration::from_millis(20));
    }
    cluster.run("web", 20, &described(SAMPLE)).await;
    for (id, host) in cluster.hosts() {
        let most = host.most_at_once(Verb::Create);
        assert!((2..=4).contains(&most), "{id}: {most} at once");
    }
}

#[tokio::test]
async fn a_job_is_done_when_it_has_run() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let made = cluster.run("once", 2, &job()).await;
    assert_eq!(made.len(), 2);
    assert!(made.iter().all(|container| container.exit_code == Some(0)), "{made:?}");
    let app = cluster.admin().app("once").await.unwrap();
    assert!(app.slots.iter().all(|slot| slot.state == "done"), "{app:?}");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_named_app_takes_more_of_the_same_and_nothing_else() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let first = ids(&cluster.run("web", 2, &sample()).await);
    let more = ids(&cluster.run("web", 1, &sample()).await);
    assert!(first.is_disjoint(&more), "the answer names what was added");
    assert_eq!(running(&cluster, "web").len(), 3);
    let other = ImageDescription { memory: Some(65.0), ..sample() };
    let (status, body) = refused(cluster.admin().run(&other, &run_options("web", 1), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (409, "app_differs"));
    let ann = cluster.user("ann").await;
    let (status, body) = refused(ann.run(&sample(), &run_options("web", 1), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (409, "app_differs"));
    assert_eq!(running(&cluster, "web").len(), 3);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn unnamed_runs_of_one_owner_and_description_share_an_app() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let (admin, ann) = (cluster.admin(), cluster.user("ann").await);
    let unnamed = RunOptions::default();
    let mut apps = Vec::new();
    for client in [&admin, &admin, &ann] {
        let made = ended(client.run(&sample(), &unnamed, &to_the_end()).await.unwrap());
        apps.push(made[0].app.clone().unwrap());
    }
    assert_eq!(apps[0], apps[1]);
    assert_ne!(apps[0], apps[2], "another owner's is another app");
    let other = ended(admin.run(&described(SAMPLE), &unnamed, &to_the_end()).await.unwrap());
    assert!(!apps.contains(other[0].app.as_ref().unwrap()), "another description is another app");
    assert_eq!(admin.app(&apps[0]).await.unwrap().running, 2);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn runs_at_the_same_time_never_share_room_or_ports() {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let large = ImageDescription { memory: Some(2000.0), ..sample() };
    let names: Vec<String> = (0..12).map(|number| format!("app-{number}")).collect();
    let runs = names.iter().map(|name| {
        let (admin, large) = (cluster.admin(), large.clone());
        async move { admin.run(&large, &run_options(name, 1), &to_the_end()).await.map(ended) }
    });
    let answers = futures_util::future::join_all(runs).await;
    let (done, refusals): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(done.len(), 8, "four fit on each host: {refusals:?}");
    assert!(refusals.into_iter().all(|answer| refused(answer).1.code == "no_room"));
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn what_exits_again_and_again_is_taken_back_with_its_last_words() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let clare = cluster.user("clare").await;
    let started = clare.run(&crashing(), &run_options("web", 2), &at_once()).await.unwrap();
    let id = started.operation().unwrap().to_owned();
    let end = async || admin.operation(&id, None).await.unwrap().state == "failed";
    eventually(PATIENCE, "the run fails", end).await;
    let error = clare.operation(&id, None).await.unwrap().error.clone().unwrap();
    assert_eq!(error.code, "exited");
    assert!(error.message.ends_with("(exit code 3)"), "{}", error.message);
    assert_eq!(&error.log[..2], ["reading /etc/app.toml", "\u{1b}[31mno such key: port\u{1b}[0m"]);
    assert_eq!(all_containers(&cluster), 0);
    // Its log is not for everybody.
    let other = cluster.user("dave").await;
    let seen = other.operation(&id, None).await.unwrap().error.clone().unwrap();
    assert_eq!((seen.code.as_str(), seen.log.len()), ("exited", 0));
    let listed = other.operations().await.unwrap();
    assert!(listed.iter().all(|operation| operation.error.as_ref().is_none_or(|error| error.log.is_empty())));
    // Who waits for the end is told it, too.
    let (status, body) = refused(clare.run(&crashing(), &run_options("web", 2), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (422, "exited"));
    assert_eq!(&body.log[..2], ["reading /etc/app.toml", "\u{1b}[31mno such key: port\u{1b}[0m"]);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_job_that_ends_badly_fails_the_run_and_is_kept() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let job = ImageDescription { restart_policy: job().restart_policy, ..crashing() };
    let (status, body) = refused(admin.run(&job, &run_options("work", 2), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (422, "exited"));
    assert!(body.message.contains("exited with code 3"), "{}", body.message);
    let slots = admin.app("work").await.unwrap().slots.clone();
    assert_eq!(slots.len(), 2);
    let failed = slots.iter().filter(|slot| slot.state == "failed" && slot.message == "exited with code 3");
    assert!(failed.count() >= 1, "{slots:?}");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_slot_counts_as_started_only_when_it_has_run_for_a_moment() {
    let mut options = ClusterOptions::default();
    options.controller.policy.started_ms = 400;
    let cluster = Cluster::start(options).await;
    let begun = tokio::time::Instant::now();
    cluster.run("web", 30, &sample()).await;
    let took = begun.elapsed();
    assert!(took >= std::time::Duration::from_millis(400), "{took:?}");
    // All wait at the same time: one after the other they would wait for twelve seconds.
    assert!(took < std::time::Duration::from_millis(400 * 25), "{took:?}");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn what_is_one_too_many_is_told_in_numbers() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    cluster.run("web", 1, &sample()).await;
    let more = cluster.admin().run(&sample(), &run_options("web", 2000), &to_the_end()).await;
    let (status, body) = refused(more);
    assert_eq!((status, body.field.as_deref()), (400, Some("count")), "{body:?}");
    let told = "count must be at most 1999: app web has 1 of the 2000 containers that an app can have";
    assert!(body.message.contains(told), "{}", body.message);
}
