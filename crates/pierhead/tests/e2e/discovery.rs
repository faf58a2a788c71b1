//! Hosts that register themselves in etcd, as the original's do: real hosts, a real etcd, its own command line.

use std::process::{Command, Stdio};
use std::time::Duration;

use pierhead_devhosts::{EtcdMember, EtcdSpec, Host, Pool, PoolSpec, sample};
use pierhead_wire::{ExplainRequest, ImageDescription};
use serde_json::Value;

use crate::api::Api;
use crate::controller::{Controller, PASSWORD};
use crate::place::Place;
use crate::program::{Background, Ended, PROGRAM, program, signal};
use crate::raw;
use crate::wait::{PATIENCE, until, until_some};

/// How often a registration is timed.
const ROUNDS: usize = 20;
/// Longer than it takes until a registration is renewed.
const LONGER_THAN_A_RENEWAL: Duration = Duration::from_secs(2);
/// Longer than a registration outlives its host.
const LONGER_THAN_A_LEASE: Duration = Duration::from_secs(7);

struct Registry {
    controller: Controller,
    url: String,
    token: String,
    /// The member that is asked; others may have gone.
    etcd: EtcdMember,
    members: Vec<EtcdMember>,
    hosts: Vec<Host>,
    // The last to be dropped: it removes what the others describe.
    place: Place,
}

impl Registry {
    fn up(hosts: usize) -> Self {
        Self::up_on(hosts, 1)
    }

    /// The same on an etcd cluster of so many members.
    fn up_on(hosts: usize, members: usize) -> Self {
        let place = Place::new();
        let etcd = EtcdSpec { members, ..EtcdSpec::default() };
        let pool = Pool::up(PoolSpec { dir: place.pool(), hosts, etcd, ..PoolSpec::default() }).unwrap();
        let (mut members, hosts) = (pool.etcd().unwrap(), pool.hosts().unwrap());
        let addresses: Vec<String> = members.iter().map(|member| member.url().replace("http://", "")).collect();
        let discover = format!("etcd://{}", addresses.join(","));
        let dir = place.beside("controller");
        let password = dir.join("password").display().to_string();
        let flags = ["--discover", &discover, "--admin-password-file", &password];
        let mut controller = Controller::new(&dir, &flags, &[]);
        let url = controller.start();
        let token = Api::new(&url, None).log_in(PASSWORD).unwrap();
        Self { controller, url, token, etcd: members.remove(0), members, hosts, place }
    }

    fn api(&self) -> Api {
        Api::new(&self.url, Some(&self.token))
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended::of(program().env("PIERHEAD_URL", &self.url).env("PIERHEAD_TOKEN", &self.token).args(args))
    }

    fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(&[args, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended.json()
    }

    /// The health of a host; `None` if it is not in the pool.
    fn health(&self, id: &str) -> Option<String> {
        let api = self.api();
        let engines = api.wait(api.client.engines()).unwrap().into_value();
        engines.into_iter().find(|engine| engine.id == id).map(|engine| engine.health.status)
    }

    fn becomes(&self, id: &str, expected: Option<&str>) -> Duration {
        until(&format!("{id} is {expected:?}"), PATIENCE, || self.health(id).as_deref() == expected)
    }

    fn all_become(&self, ids: &[String], expected: Option<&str>) {
        for id in ids {
            self.becomes(id, expected);
        }
    }

    /// How many hosts take something: what runs on one is known a moment after it is healthy.
    fn schedulable(&self) -> usize {
        let image = ImageDescription { name: sample::IMAGE.to_owned(), ..ImageDescription::default() };
        let api = self.api();
        let explained = api.wait(api.client.explain(&ExplainRequest { image, count: None })).unwrap().into_value();
        explained.hosts.iter().filter(|host| host.fits).count()
    }

    /// Starts the agent of a host in its namespaces.
    fn register(&self, host: &Host) -> Background {
        let all: Vec<String> = [&self.etcd].into_iter().chain(&self.members).map(EtcdMember::url).collect();
        let words = ["agent", "--etcd", &all.join(","), "--advertise", &format!("{}:2375", host.address())];
        Background::start(in_host(host).args(words).stdout(Stdio::null()).stderr(Stdio::null()))
    }

    fn value(&self, id: &str) -> String {
        ctl(&self.etcd, &["get", "--print-value-only", &format!("engines/{id}")]).trim_end().to_owned()
    }

    fn put(&self, id: &str, value: &str) {
        self.surely(&["put", &format!("engines/{id}"), value]);
    }

    fn delete(&self, id: &str) {
        self.surely(&["del", &format!("engines/{id}")]);
    }

    /// What may be done twice: members that have just lost their leader take nothing for a while.
    fn surely(&self, words: &[&str]) {
        until("etcd has taken it", PATIENCE, || try_ctl(&self.etcd, words).is_ok());
    }

    fn messages(&self, kind: &str) -> Vec<String> {
        let events = self.json(&["events", "500"]);
        let of_kind = events.as_array().unwrap().iter().filter(|event| event["type"] == kind);
        of_kind.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Where the containers of an app run, by the engines' own word.
    fn runs_on(&self, app: &str) -> Vec<String> {
        let running = raw::of_app(&self.hosts, app).into_iter().filter(raw::Listed::runs);
        let mut hosts: Vec<String> = running.map(|container| container.host).collect();
        hosts.sort();
        hosts
    }
}

/// This program in the namespaces of a host.
fn in_host(host: &Host) -> Command {
    let target = format!("--target={}", host.pid().unwrap().unwrap());
    let mut command = Command::new("nsenter");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PIERHEAD_")) {
        command.env_remove(name);
    }
    command.args([&target, "--mount", "--uts", "--net", "--", PROGRAM]).stdin(Stdio::null());
    command
}

fn ctl(etcd: &EtcdMember, words: &[&str]) -> String {
    try_ctl(etcd, words).unwrap_or_else(|wrong| panic!("{words:?}: {wrong}"))
}

fn try_ctl(etcd: &EtcdMember, words: &[&str]) -> Result<String, String> {
    let mut command = Command::new("etcdctl");
    let output = command.env("ETCDCTL_API", "3").args(["--endpoints", &etcd.url()]).args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// The id of a host as the original makes it.
fn digits(host: &Host) -> String {
    host.address().to_string().replace('.', "")
}

fn value_of(host: &Host) -> String {
    let (_, info) = raw::ask(host.docker_host(), "GET", "/info", None);
    let memory = info["MemTotal"].as_u64().unwrap() >> 20;
    format!("{}:2375-{}-{memory}", host.address(), info["NCPU"])
}

#[test]
fn hosts_register_serve_leave_and_return() {
    let mut registry = Registry::up(3);
    let agents = agents_register_their_hosts(&registry);
    a_put_by_hand_is_a_registration(&registry);
    what_lived_on_a_host_whose_lease_ended_lives_elsewhere(&registry, agents);
    what_cannot_be_used_is_told(&registry);
    what_is_added_by_hand_is_written_and_what_is_removed_erased(&registry);
    the_controller_comes_back(&mut registry);
    a_compaction_while_nobody_looks_is_survived(&mut registry);
}

fn agents_register_their_hosts(registry: &Registry) -> Vec<Background> {
    let agents: Vec<Background> = registry.hosts[..2].iter().map(|host| registry.register(host)).collect();
    for host in &registry.hosts[..2] {
        registry.becomes(&digits(host), Some("healthy"));
        assert_eq!(registry.value(&digits(host)), value_of(host), "what the original's program writes");
    }
    let engine = registry.json(&["engine", "inspect", &digits(&registry.hosts[0])]);
    assert_eq!(engine["addr"], format!("http://{}:2375", registry.hosts[0].address()));
    agents
}

fn a_put_by_hand_is_a_registration(registry: &Registry) {
    let (host, id) = (&registry.hosts[2], digits(&registry.hosts[2]));
    registry.put(&id, &format!("{}:2375-2-1533", host.address()));
    registry.becomes(&id, Some("healthy"));
    until("all three are schedulable", PATIENCE, || registry.schedulable() == 3);
    let api = registry.api();
    let operation = api.run_sample("web", 6, "web").unwrap();
    assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    assert_eq!(registry.runs_on("web"), ["host-1", "host-1", "host-2", "host-2", "host-3", "host-3"]);
}

fn what_lived_on_a_host_whose_lease_ended_lives_elsewhere(registry: &Registry, mut agents: Vec<Background>) {
    let ids: Vec<String> = registry.hosts.iter().map(digits).collect();
    // Killed: the key goes with the lease, the host with the key, and what lived there is placed anew.
    agents[0].kill();
    let took = registry.becomes(&ids[0], None);
    println!("a host whose agent was killed is gone after {took:?}");
    assert_eq!(registry.value(&ids[0]), "");
    let on = |app: &str| registry.runs_on(app).into_iter().filter(|host| host != "host-1").count();
    until("six run elsewhere", PATIENCE, || on("web") == 6);
    assert_eq!(registry.messages("leave-engine").len(), 1);
    agents[0] = registry.register(&registry.hosts[0]);
    registry.becomes(&ids[0], Some("healthy"));
    until("what was left behind there goes", PATIENCE, || registry.runs_on("web").len() == 6);
    // Ended in good order: it goes at once. Deleted by hand: so it does.
    signal(agents[1].pid(), "TERM");
    let (status, _) = agents[1].end();
    assert!(status.success());
    assert_eq!(registry.value(&ids[1]), "");
    registry.becomes(&ids[1], None);
    until("six run without it", PATIENCE, || {
        registry.runs_on("web").into_iter().filter(|host| host != "host-2").count() == 6
    });
    agents[1] = registry.register(&registry.hosts[1]);
    registry.becomes(&ids[1], Some("healthy"));
    let ended = registry.run(&["app", "rm", "web", "--yes"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    registry.delete(&ids[2]);
    let took = registry.becomes(&ids[2], None);
    println!("a host whose key was deleted is gone after {took:?}");
    // The agents' ends are noticed by nobody who counts on them later.
    for agent in &mut agents {
        signal(agent.pid(), "TERM");
        agent.end();
    }
    registry.all_become(&ids[..2], None);
}

fn what_cannot_be_used_is_told(registry: &Registry) {
    let host = &registry.hosts[0];
    registry.put("1", "garbage");
    registry.put("a b", "10.0.0.5:2375");
    registry.put("first", &format!("{}:2375", host.address()));
    registry.becomes("first", Some("healthy"));
    registry.put("second", &format!("{}:2375-2-1533", host.address()));
    registry.put("first", "10.99.99.99:2375-2-1533");
    let ((), took) = until_some("all are told of", PATIENCE, || {
        let told = registry.messages("ignored-registration").join("\n");
        let words = [
            "engines/1=\"garbage\" is ignored: the value must be ADDRESS:PORT-CPUS-MEMORY_MB",
            "engines/a b=\"10.0.0.5:2375\" is ignored: the key must be engines/<id>",
            &format!("is ignored: host first is at {}:2375 already", host.address()),
            "two hosts need two ids, register this one as engines/first-2",
        ];
        words.iter().all(|words| told.contains(words)).then_some(())
    });
    println!("told after {took:?}");
    assert_eq!(registry.json(&["engine", "ls"]).as_array().unwrap().len(), 1, "nothing else is in the pool");
    assert_eq!(registry.health("first").as_deref(), Some("healthy"));
    for id in ["1", "a b", "second", "first"] {
        registry.delete(id);
    }
    registry.becomes("first", None);
}

fn what_is_added_by_hand_is_written_and_what_is_removed_erased(registry: &Registry) {
    let host = &registry.hosts[0];
    registry.api().add_engine(host);
    until("it is written", PATIENCE, || registry.value("host-1") == format!("{}:2375", host.address()));
    registry.delete("host-1");
    until("it is written again", PATIENCE, || !registry.value("host-1").is_empty());
    registry.becomes("host-1", Some("healthy"));
    assert_eq!(registry.messages("leave-engine").len(), 2, "it did not leave meanwhile");
    let ended = registry.run(&["engine", "rm", "host-1", "--yes"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    until("it is erased", PATIENCE, || registry.value("host-1").is_empty());
    assert_eq!(registry.health("host-1"), None);
}

fn the_controller_comes_back(registry: &mut Registry) {
    let ids: Vec<String> = registry.hosts.iter().map(digits).collect();
    for (id, host) in ids.iter().zip(&registry.hosts).take(2) {
        registry.put(id, &value_of(host));
    }
    registry.all_become(&ids[..2], Some("healthy"));
    registry.controller.kill();
    registry.delete(&ids[1]);
    registry.put(&ids[2], &value_of(&registry.hosts[2]));
    registry.url = registry.controller.start();
    registry.becomes(&ids[0], Some("healthy"));
    registry.becomes(&ids[1], None);
    registry.becomes(&ids[2], Some("healthy"));
}

fn a_compaction_while_nobody_looks_is_survived(registry: &mut Registry) {
    let ids: Vec<String> = registry.hosts.iter().map(digits).collect();
    let pid = registry.controller.process().pid();
    signal(pid, "STOP");
    for _ in 0..20 {
        registry.put(&ids[1], &value_of(&registry.hosts[1]));
        registry.delete(&ids[2]);
    }
    let status: Value = serde_json::from_str(&ctl(&registry.etcd, &["endpoint", "status", "-w", "json"])).unwrap();
    let revision = status[0]["Status"]["header"]["revision"].to_string();
    ctl(&registry.etcd, &["compact", "--physical", &revision]);
    signal(pid, "CONT");
    registry.becomes(&ids[1], Some("healthy"));
    registry.becomes(&ids[2], None);
    registry.put(&ids[2], &value_of(&registry.hosts[2]));
    registry.becomes(&ids[2], Some("healthy"));
}

#[test]
fn an_etcd_that_dies_takes_no_host_with_it() {
    let registry = Registry::up(2);
    let ids: Vec<String> = registry.hosts.iter().map(digits).collect();
    let _agent = registry.register(&registry.hosts[0]);
    registry.put(&ids[1], &value_of(&registry.hosts[1]));
    registry.all_become(&ids, Some("healthy"));
    let api = registry.api();
    let operation = api.run_sample("web", 2, "web").unwrap();
    assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    let before = raw::ids(&raw::of_app(&registry.hosts, "web"));

    registry.etcd.kill().unwrap();
    let dead = std::time::Instant::now();
    while dead.elapsed() < LONGER_THAN_A_LEASE {
        ids.iter().for_each(|id| assert_eq!(registry.health(id).as_deref(), Some("healthy")));
        std::thread::sleep(Duration::from_millis(200));
    }
    registry.etcd.start().unwrap();
    registry.etcd.wait_until_it_answers().unwrap();
    // What was registered still is, and changes are seen again.
    registry.put("another", "10.99.99.99:2375");
    registry.becomes("another", Some("down"));
    registry.delete("another");
    registry.becomes("another", None);
    ids.iter().for_each(|id| assert_eq!(registry.health(id).as_deref(), Some("healthy")));
    assert_eq!(raw::ids(&raw::of_app(&registry.hosts, "web")), before, "nothing was placed anew");
    assert_eq!(registry.messages("leave-engine"), Vec::<String>::new());

    // One that comes back without its data: the agent registers its host again; what was put by hand is gone.
    registry.etcd.kill().unwrap();
    std::fs::remove_dir_all(registry.etcd.data_dir()).unwrap();
    registry.etcd.start().unwrap();
    registry.etcd.wait_until_it_answers().unwrap();
    until("the host has registered again", PATIENCE, || registry.value(&ids[0]) == value_of(&registry.hosts[0]));
    registry.put(&ids[1], &value_of(&registry.hosts[1]));
    registry.all_become(&ids, Some("healthy"));
    one_from_a_backup_is_another_cluster(&registry, &ids);
    until("two run", PATIENCE, || registry.runs_on("web").len() == 2);
}

/// Whoever knew the former one must get used to it, and so must its host.
fn one_from_a_backup_is_another_cluster(registry: &Registry, ids: &[String]) {
    let (etcd, snapshot) = (&registry.etcd, registry.place.beside("snapshot"));
    let before = lease(registry, &ids[0]);
    ctl(etcd, &["snapshot", "save", &snapshot.display().to_string()]);
    etcd.kill().unwrap();
    std::fs::remove_dir_all(etcd.data_dir()).unwrap();
    let peer = etcd.url().replace(":2379", ":2380");
    let restore = ["snapshot", "restore", &snapshot.display().to_string(), "--name", etcd.name()];
    let flags = ["--initial-cluster-token", "another", "--initial-advertise-peer-urls", &peer, "--initial-cluster"];
    let data = ["--data-dir", &etcd.data_dir().display().to_string()];
    let of = format!("{}={peer}", etcd.name());
    ctl(etcd, &[&restore[..], &flags, &[&of], &data].concat());
    etcd.start().unwrap();
    etcd.wait_until_it_answers().unwrap();
    registry.put("another", "10.99.99.99:2375");
    registry.becomes("another", Some("down"));
    registry.delete("another");
    registry.becomes("another", None);
    until("the agent has registered its host there", PATIENCE, || {
        let now = lease(registry, &ids[0]);
        now.is_some() && now != before
    });
    registry.all_become(ids, Some("healthy"));
}

/// The lease of a host's registration.
fn lease(registry: &Registry, id: &str) -> Option<Value> {
    let found = ctl(&registry.etcd, &["get", &format!("engines/{id}"), "-w", "json"]);
    let found: Value = serde_json::from_str(&found).unwrap();
    found["kvs"].get(0)?.get("lease").cloned()
}

#[test]
fn a_registered_host_is_schedulable_soon_and_one_member_is_not_missed() {
    let mut registry = Registry::up_on(1, 3);
    whichever_member_dies_hosts_come_and_go(&mut registry);
    registered_to_schedulable(&registry);
}

/// Controller and agent follow one member each: that it is killed is noticed by nobody.
fn whichever_member_dies_hosts_come_and_go(registry: &mut Registry) {
    let id = digits(&registry.hosts[0]);
    let mut agent = registry.register(&registry.hosts[0]);
    registry.becomes(&id, Some("healthy"));
    let leased = lease(registry, &id);
    assert!(leased.is_some());
    let mut killed = std::time::Instant::now();
    for _ in 0..=registry.members.len() {
        registry.etcd.kill().unwrap();
        killed = std::time::Instant::now();
        let dead = std::mem::replace(&mut registry.etcd, registry.members.remove(0));
        registry.put("another", "10.99.99.99:2375");
        registry.becomes("another", Some("down"));
        registry.delete("another");
        registry.becomes("another", None);
        until("the lease would have been renewed there", PATIENCE, || killed.elapsed() > LONGER_THAN_A_RENEWAL);
        dead.start().unwrap();
        dead.wait_until_it_answers().unwrap();
        registry.members.push(dead);
    }
    until("its lease would have ended", PATIENCE, || killed.elapsed() > LONGER_THAN_A_LEASE);
    assert_eq!(lease(registry, &id), leased, "it was kept alive");
    assert_eq!(registry.health(&id).as_deref(), Some("healthy"));
    let left = registry.messages("leave-engine");
    assert!(!left.iter().any(|message| message.contains(&id)), "{left:?}");
    signal(agent.pid(), "TERM");
    agent.end();
    registry.becomes(&id, None);
}

fn registered_to_schedulable(registry: &Registry) {
    let (host, id) = (&registry.hosts[0], digits(&registry.hosts[0]));
    let (api, value) = (registry.api(), value_of(&registry.hosts[0]));
    let image = ImageDescription { name: sample::IMAGE.to_owned(), ..ImageDescription::default() };
    let request = ExplainRequest { image, count: None };
    let is_schedulable = || {
        let explained = api.wait(api.client.explain(&request)).unwrap().into_value();
        explained.hosts.iter().any(|host| host.engine == id && host.fits)
    };
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = std::time::Instant::now();
            registry.put(&id, &value);
            until("it is schedulable", PATIENCE, is_schedulable);
            let took = began.elapsed();
            registry.delete(&id);
            registry.becomes(&id, None);
            took
        })
        .collect();
    took.sort();
    println!(
        "registered to schedulable, etcdctl's own start included: p50 {:?}, p95 {:?}",
        took[ROUNDS / 2],
        took[ROUNDS * 95 / 100 - 1]
    );
    // It does run something.
    registry.put(&id, &value);
    until("it is schedulable", PATIENCE, is_schedulable);
    let operation = api.run_sample("web", 1, "web").unwrap();
    assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    assert_eq!(raw::list(host).iter().filter(|container| container.is_of("web")).count(), 1);
}

#[test]
fn what_a_registered_host_cannot_be_is_said() {
    for (words, expected) in [
        (&["agent", "--etcd", "http://127.0.0.1:2379", "--join", "pj1-x"][..], "--etcd and --join exclude each other"),
        (&["agent", "--etcd", "127.0.0.1:2379"], "must be http://HOST:PORT"),
        (&["agent", "--etcd", "http://127.0.0.1:2379", "--advertise", "here"], "must be ADDRESS:PORT"),
        (&["agent", "--advertise", "10.0.0.5:2375"], "--advertise is for --etcd"),
        (&["serve", "--discover", "127.0.0.1:2379"], "must be http://HOST:PORT"),
    ] {
        let ended = Ended::of(program().args(words));
        assert!(ended.code == 1 && ended.stderr.contains(expected), "{words:?}: {ended:?}");
    }
}
