//! The life of one pool: use, faults, growth, end.

use std::fs;
use std::time::{Duration, Instant};

use pierhead_devhosts::{Error, Host, Pool, PoolSpec, Service, down, sample};
use serde_json::json;

use crate::support::{
    PING, Place, SILENCE, call, engine_id, entries, eventually, expect_pages, json, page, run_sample, state,
};

#[test]
fn a_pool_lives_suffers_grows_and_goes_without_a_trace() {
    let place = Place::new();
    fs::create_dir(place.dir()).unwrap();
    let begin = Instant::now();
    let pool = Pool::up(PoolSpec { dockerd_args: vec!["--label=tier=test".into()], ..place.spec(2) }).unwrap();
    println!("up of 2 hosts: {:?}", begin.elapsed());
    let hosts = pool.hosts().unwrap();
    let (first, second) = (&hosts[0], &hosts[1]);

    engines_are_two_machines(first, second);
    let containers = [run_sample(first), run_sample(second)];
    expect_pages(first, &containers[0]);
    expect_pages(second, &containers[1]);
    assert_eq!(fetch_from_container(first, second), containers[1][..12]);
    assert_eq!(fetch_from_container(second, first), containers[0][..12]);

    status_is_seen_from_elsewhere(&pool);
    a_hanging_engine_is_silent_until_resumed(first, second);
    a_cut_host_is_silent_until_restored(first, second, &containers[0]);
    containers_outlive_a_killed_engine(first, &containers[0]);
    the_sample_stops_at_once(second, &containers[1]);
    let third = a_host_is_added(&pool);
    power_takes_all_of_a_host_with_it(&third, first);
    services_run_beside_the_hosts(&pool);
    an_image_that_is_nowhere_is_refused_at_once(second);
    the_sample_is_loaded_through_a_socket(second);

    // What makes a removal hard: a hanging engine, a dead one, a frozen container, a file of somebody else.
    let frozen = run_sample(&third);
    json(&third, "POST", &format!("/containers/{frozen}/pause"), None);
    third.hang_engine().unwrap();
    first.kill_engine().unwrap();
    fs::write(place.dir().join("notes.txt"), "mine").unwrap();
    let all = ["cgroup", "directory", "link", "mount", "namespace", "process", "rule"];
    assert_eq!(place.traces().into_iter().collect::<Vec<_>>(), all, "the search sees what is there");
    let begin = Instant::now();
    pool.down().unwrap();
    println!("down of 3 hosts: {:?}", begin.elapsed());
    assert_eq!(place.traces().into_iter().collect::<Vec<_>>(), ["directory"]);
    assert_eq!(entries(&place.dir()), ["notes.txt"]);
    down(&place.dir()).unwrap();
    assert!(matches!(Pool::open(&place.dir()), Err(Error::NoPool { .. })));
}

fn engines_are_two_machines(first: &Host, second: &Host) {
    assert_ne!(engine_id(first), engine_id(second));
    assert_ne!(first.address(), second.address());
    for host in [first, second] {
        let info = json(host, "GET", "/info", None);
        assert_eq!(info["Name"], host.name());
        assert_eq!(info["Labels"], json!(["tier=test"]));
        assert_eq!(call(host, "GET", "/images/pierhead/sample:1/json", None).status, 200);
    }
}

/// The host name that a container on one host reads from the sample on another.
fn fetch_from_container(from: &Host, to: &Host) -> String {
    let url = format!("http://{}:8080/", to.address());
    let wanted = json!({ "Image": "pierhead/sample:1", "Tty": true, "Cmd": ["wget", "-q", "-O", "-", url] });
    let id = json(from, "POST", "/containers/create", Some(wanted))["Id"].as_str().unwrap().to_owned();
    json(from, "POST", &format!("/containers/{id}/start"), None);
    assert_eq!(json(from, "POST", &format!("/containers/{id}/wait"), None)["StatusCode"], 0);
    let answer = call(from, "GET", &format!("/containers/{id}/logs?stdout=1&stderr=1"), None);
    answer.text().trim().to_owned()
}

fn status_is_seen_from_elsewhere(pool: &Pool) {
    let found = Pool::open(pool.dir()).unwrap();
    eventually("all are seen to answer", || found.status().unwrap().iter().all(|host| host.answers));
    let status = found.status().unwrap();
    let names: Vec<_> = status.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["host-1", "host-2"]);
    for host in status {
        assert!(host.alive, "{host:?}");
        assert_eq!(host.docker_host, format!("tcp://{}:2375", host.address));
        let command = fs::read_to_string(format!("/proc/{}/comm", host.pid.unwrap())).unwrap();
        assert_eq!(command, "dockerd\n");
    }
    let again = Pool::up(PoolSpec { dir: pool.dir().to_owned(), hosts: 1, ..PoolSpec::default() }).unwrap_err();
    assert!(matches!(&again, Error::AlreadyUp { running, .. } if running == &["host-1", "host-2"]), "{again}");
}

fn a_hanging_engine_is_silent_until_resumed(first: &Host, second: &Host) {
    first.hang_engine().unwrap();
    assert!(!first.answers(SILENCE));
    let status = first.status().unwrap();
    assert!(status.alive && !status.answers, "{status:?}");
    assert!(second.answers(PING));
    first.resume_engine().unwrap();
    eventually("the engine answers again", || first.answers(PING));
}

fn a_cut_host_is_silent_until_restored(first: &Host, second: &Host, container: &str) {
    first.cut().unwrap();
    assert!(!first.answers(SILENCE));
    assert!(second.answers(PING));
    first.restore().unwrap();
    eventually("the host answers again", || first.answers(PING));
    expect_pages(first, container);
}

fn containers_outlive_a_killed_engine(host: &Host, container: &str) {
    let (identity, pid) = (engine_id(host), host.pid().unwrap());
    host.kill_engine().unwrap();
    assert_eq!(host.pid().unwrap(), None);
    assert!(!host.answers(PING));
    assert!(!host.status().unwrap().alive);
    assert!(matches!(host.hang_engine(), Err(Error::SignalEngine { .. })));
    let health = page(host.address(), "/health");
    // The engine's port proxies die with it; the rules that lead packets to the container stay.
    assert_eq!(health, Some((200, "ok\n".to_owned())));

    host.start_engine().unwrap();
    assert!(host.answers(PING));
    assert_ne!(host.pid().unwrap(), pid);
    assert_eq!(engine_id(host), identity);
    let running = host.pid().unwrap();
    host.start_engine().unwrap();
    assert_eq!(host.pid().unwrap(), running, "an engine that runs is not started again");
    if state(host, container) != "running" {
        json(host, "POST", &format!("/containers/{container}/start"), None);
    }
    expect_pages(host, container);
}

fn power_takes_all_of_a_host_with_it(host: &Host, other: &Host) {
    let container = run_sample(host);
    expect_pages(host, &container);
    let listed = json(host, "GET", &format!("/containers/{container}/json"), None);
    // One that ended, and whose parent is too, may still be listed, but runs no program.
    let inside = format!("/proc/{}/exe", listed["State"]["Pid"]);
    assert!(fs::read_link(&inside).is_ok());
    host.power_off().unwrap();
    eventually("nothing of it runs", || host.pid().unwrap().is_none() && fs::read_link(&inside).is_err());
    assert!(!host.answers(SILENCE) && page(host.address(), "/health").is_none());
    assert!(other.answers(PING), "the other host has power");
    host.power_off().unwrap();
    host.restore().unwrap();
    host.start_engine().unwrap();
    assert_ne!(state(host, &container), "running");
    json(host, "DELETE", &format!("/containers/{container}?force=1"), None);
}

fn the_sample_stops_at_once(host: &Host, container: &str) {
    // A busy machine can delay one stop, but an ignored signal delays each by the engine's ten seconds of patience.
    let quickest = (0..3).map(|_| {
        json(host, "POST", &format!("/containers/{container}/start"), None);
        let begin = Instant::now();
        json(host, "POST", &format!("/containers/{container}/stop"), None);
        begin.elapsed()
    });
    let quickest = quickest.min().unwrap();
    println!("stop of the sample: {quickest:?}");
    assert!(quickest < Duration::from_secs(5), "{quickest:?}");
    assert_eq!(state(host, container), "exited");
    assert_eq!(page(host.address(), "/health"), None);
}

fn an_image_that_is_nowhere_is_refused_at_once(host: &Host) {
    let begin = Instant::now();
    let answer = call(host, "POST", "/images/create?fromImage=nowhere.invalid/nothing&tag=1", None);
    let took = begin.elapsed();
    assert!(answer.text().contains("127.0.0.1:53: read: connection refused"), "{}", answer.text());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

fn the_sample_is_loaded_through_a_socket(host: &Host) {
    const IMAGE: &str = "/images/pierhead/sample:1";
    assert_eq!(call(host, "DELETE", &format!("{IMAGE}?force=1"), None).status, 200);
    assert_eq!(call(host, "GET", &format!("{IMAGE}/json"), None).status, 404);
    let socket = format!("unix:///proc/{}/root/run/docker.sock", host.pid().unwrap().unwrap());
    sample::load_into(&socket).unwrap();
    assert_eq!(call(host, "GET", &format!("{IMAGE}/json"), None).status, 200);
    assert!(matches!(sample::load_into("unix:///nonexistent"), Err(Error::Request { .. })));
}

fn a_host_is_added(pool: &Pool) -> Host {
    let added = pool.add_host().unwrap();
    assert_eq!(added.name(), "host-3");
    assert_eq!(pool.host("host-3").unwrap().address(), added.address());
    assert_eq!(pool.status().unwrap().len(), 3);
    let first = pool.host("host-1").unwrap();
    let seen = fetch_from_container(&added, &first);
    assert_eq!(page(first.address(), "/").unwrap().1.trim(), seen);
    assert!(matches!(pool.host("host-4"), Err(Error::NoHost { .. })));
    added
}

fn services_run_beside_the_hosts(pool: &Pool) {
    let argv = ["sh", "-c", "echo $GREETING; sleep 600 & wait"].map(String::from).to_vec();
    let env = vec![("GREETING".to_owned(), "hello".to_owned())];
    let pid = pool.spawn(&Service { name: "controller".into(), argv, env, log: None }).unwrap();
    let service = pool.services().unwrap().remove(0);
    assert_eq!((service.name.as_str(), service.pid, service.alive), ("controller", Some(pid), true));
    assert!(service.log.starts_with(pool.service_dir("controller").unwrap()));
    eventually("the service has its environment", || fs::read_to_string(&service.log).unwrap() == "hello\n");
    pool.stop_service("controller").unwrap();
    assert!(!pool.services().unwrap()[0].alive);
    let argv = ["sleep", "600"].map(String::from).to_vec();
    pool.spawn(&Service { name: "controller".into(), argv, ..Service::default() }).unwrap();
    assert_eq!(pool.services().unwrap().len(), 1);
}
