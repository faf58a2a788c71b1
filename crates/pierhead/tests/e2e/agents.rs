//! Hosts behind agents: they join by one command, nothing of theirs listens, and only whom the pool believes is let in.

use crate::bed::Bed;
use crate::program::{Background, Ended, program, signal, text_of};
use crate::raw;
use crate::wait::{PATIENCE, until};
use pierhead_agent::{Controller, Host, Identity, JoinToken, Timing};
use pierhead_devhosts::{Service, sample};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn hosts_behind_agents_do_all_and_open_nothing() {
    // What is moved off a host that is away for longer is no matter here.
    let bed = Bed::up_in(2, &["--agents"], &[("PIERHEAD_GRACE", "30s")]);
    nothing_listens(&bed);
    everything_works(&bed);
    refused_tokens_change_nothing(&bed);
    an_agent_comes_back(&bed);
    the_controller_comes_back(&bed);
    a_new_host_joins_by_one_command(&bed);
    an_older_term_is_refused(&bed);
    a_revoked_host_is_shut_out_until_it_joins_again(&bed);
}

pub fn agent(bed: &Bed, host: &str) -> u32 {
    let name = format!("agent-{host}");
    bed.pool.services().unwrap().iter().find(|service| service.name == name).unwrap().pid.unwrap()
}

pub fn is_healthy(bed: &Bed, host: &str) -> bool {
    bed.engine(host)["health"]["status"] == "healthy"
}

/// Of the programs that listen in the hosts' networks none is an engine or an agent.
fn nothing_listens(bed: &Bed) {
    for (host, told) in bed.hosts.iter().zip(bed.told["agents"].as_array().unwrap()) {
        assert!(host.docker_host().starts_with("unix://"), "{}", host.docker_host());
        assert_eq!(
            (told["host"].as_str().unwrap(), told["pid"].as_u64().unwrap()),
            (host.name(), agent(bed, host.name()).into())
        );
        let target = host.pid().unwrap().unwrap().to_string();
        let listed = Command::new("nsenter").args(["-t", &target, "-n", "ss", "-Hltnp"]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert!(!listed.contains("dockerd") && !listed.contains("pierhead"), "{listed}");
        let agents_network = std::fs::read_link(format!("/proc/{}/ns/net", agent(bed, host.name()))).unwrap();
        assert_eq!(agents_network, std::fs::read_link(format!("/proc/{target}/ns/net")).unwrap());
    }
}

fn everything_works(bed: &Bed) {
    let engine = bed.engine("host-1");
    assert!(engine["addr"].as_str().unwrap().starts_with("agent://10.77.") && engine["cpus"].as_f64().unwrap() > 0.0);
    let limits = ["--cpus", "0.05", "--memory", "16", "-p", "80"];
    bed.ok(&[&["run", sample::IMAGE, "--count", "2", "--app", "web"], &limits[..]].concat());
    bed.ok(&["scale", "web", "3"]);
    let containers = bed.json(&["container", "ls"]);
    let containers = containers.as_array().unwrap();
    assert_eq!(containers.len(), 3);
    let first = containers[0]["id"].as_str().unwrap();
    let script = "echo tick; exec sleep 1000";
    let made = bed.ok(&["run", "--json", sample::IMAGE, "--app", "talker", "--memory", "16", "--", "sh", "-c", script]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let talker = made[0]["id"].as_str().unwrap();
    let mut logs = program();
    logs.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
    let mut logs = logs.args(["logs", "-f", talker]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(logs.stdout.take().unwrap()).read_line(&mut line).unwrap();
    drop(Background::of(logs));
    assert_eq!(line.trim(), "tick", "a log comes through the tunnel");
    bed.ok(&["app", "rm", "talker", "--yes"]);
    bed.ok(&["container", "rm", first, "--yes"]);
    // Docker's own events come through the tunnel too.
    until("the event of a container that went", PATIENCE, || {
        bed.json(&["events"])
            .as_array()
            .unwrap()
            .iter()
            .any(|event| event["type"] == "destroy" && event.to_string().contains(first))
    });
    bed.ok(&["scale", "web", "2"]);
}

/// What runs, by its id: when it was started.
pub fn started(bed: &Bed) -> BTreeMap<String, Value> {
    let started = |host: &pierhead_devhosts::Host| {
        let (_, listed) = raw::ask(host.docker_host(), "GET", "/containers/json", None);
        let ids: Vec<String> =
            listed.as_array().unwrap().iter().map(|it| it["Id"].as_str().unwrap().to_owned()).collect();
        let docker_host = host.docker_host().to_owned();
        ids.into_iter().map(move |id| {
            let (_, container) = raw::ask(&docker_host, "GET", &format!("/containers/{id}/json"), None);
            (id, container["State"]["StartedAt"].clone())
        })
    };
    bed.hosts.iter().flat_map(started).collect()
}

/// An agent in the namespaces of a host, as a person starts it there, to its end.
pub fn on_host(bed: &Bed, host: &str, args: &[&str]) -> Ended {
    let target = format!("--target={}", bed.host(host).pid().unwrap().unwrap());
    let mut command = Command::new("timeout");
    command.args(["20", "nsenter", &target, "--mount", "--uts", "--net", "--", crate::program::PROGRAM, "agent"]);
    Ended::of(command.args(args))
}

pub fn join_token(bed: &Bed) -> String {
    bed.json(&["engine", "join-command"])["token"].as_str().unwrap().to_owned()
}

fn refused_tokens_change_nothing(bed: &Bed) {
    let state = bed.place.beside("stranger").display().to_string();
    let used = std::fs::read(format!("/proc/{}/cmdline", agent(bed, "host-1"))).unwrap();
    let used = String::from_utf8(used).unwrap();
    let used = used.split('\0').find(|word| word.starts_with("pj1-")).unwrap().to_owned();
    let good: JoinToken = join_token(bed).parse().unwrap();
    let foreign = JoinToken { fingerprint: [1; 32], ..good.clone() }.to_string();
    let unknown = JoinToken { secret: "0".repeat(64), ..good.clone() }.to_string();
    for (token, words) in [
        (used.as_str(), "was used already"),
        (&foreign, "no agreement"),
        (&unknown, "not one of this pool's"),
        ("garbage", "no join token"),
    ] {
        let ended = on_host(bed, "host-1", &["--state-dir", &state, "--join", token]);
        assert!(ended.code == 1 && ended.stderr.contains(words), "{words}: {ended:?}");
        assert!(!bed.place.beside("stranger").join("identity.json").exists());
    }
    assert_eq!(bed.json(&["engine", "ls"]).as_array().unwrap().len(), 2);
    until("the refusals are told", PATIENCE, || {
        let told = bed.json(&["events", "--type", "agent-refused"]).to_string();
        ["used_token", "unknown_token", "not_believed"].iter().all(|code| told.contains(code))
    });
    assert!(!bed.json(&["events"]).to_string().contains(&good.secret), "a secret in an event");
}

/// Starts a service of the pool again, as it was.
pub fn again(bed: &Bed, name: &str, argv: Vec<String>) {
    let service = Service { name: name.to_owned(), argv, ..Service::default() };
    // Whoever was killed is gone a moment later.
    until("the former process has ended", PATIENCE, || match bed.pool.spawn(&service) {
        Err(pierhead_devhosts::Error::ServiceRuns { .. }) => false,
        started => started.map(|_| true).unwrap(),
    });
}

/// The command line of a process of the pool; what enters namespaces has become the program.
pub fn argv(pid: u32) -> Vec<String> {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let words = String::from_utf8(words).unwrap();
    words.split_terminator('\0').map(str::to_owned).collect()
}

pub fn in_host(bed: &Bed, host: &str, argv: Vec<String>) -> Vec<String> {
    let target = format!("--target={}", bed.host(host).pid().unwrap().unwrap());
    let words = ["nsenter", &target, "--mount", "--uts", "--net", "--"].map(str::to_owned);
    words.into_iter().chain(argv).collect()
}

fn an_agent_comes_back(bed: &Bed) {
    let before = started(bed);
    let pid = agent(bed, "host-1");
    let mut words = argv(pid);
    // Without its token, as any restart is.
    let at = words.iter().position(|word| word == "--join").unwrap();
    words.drain(at..at + 2);
    signal(pid, "KILL");
    until("a host without its agent is not healthy", PATIENCE, || !is_healthy(bed, "host-1"));
    again(bed, "agent-host-1", in_host(bed, "host-1", words));
    until("a host with its agent is healthy", PATIENCE, || is_healthy(bed, "host-1"));
    assert_eq!(started(bed), before, "nothing was restarted");
}

/// Kills the controller; the answer is how it is started again at the same address.
pub fn kill_controller(bed: &Bed) -> Vec<String> {
    let (pid, words) = controller(bed);
    signal(pid, "KILL");
    until("the controller is gone", PATIENCE, || bed.run(&["engine", "ls"]).code != 0);
    words
}

/// Stops the controller, which may end in order; the answer is how it is started again at the same address.
pub fn stop_controller(bed: &Bed) -> Vec<String> {
    let (_, words) = controller(bed);
    bed.pool.stop_service("controller").unwrap();
    words
}

/// The controller's process, and how it is started again at the same address.
fn controller(bed: &Bed) -> (u32, Vec<String>) {
    let pid = bed.pool.services().unwrap().iter().find(|service| service.name == "controller").unwrap().pid.unwrap();
    let mut words = argv(pid);
    let at = words.iter().position(|word| word == "--listen").unwrap();
    words[at + 1] = bed.text("url").trim_start_matches("http://").to_owned();
    (pid, words)
}

/// Starts the controller that was killed or stopped.
pub fn start_controller(bed: &Bed, words: Vec<String>) {
    again(bed, "controller", words);
    until("the controller answers", PATIENCE, || bed.run(&["engine", "ls"]).code == 0);
}

fn the_controller_comes_back(bed: &Bed) {
    let before = started(bed);
    start_controller(bed, kill_controller(bed));
    until("all agents have called", PATIENCE, || ["host-1", "host-2"].iter().all(|host| is_healthy(bed, host)));
    bed.ok(&["scale", "web", "3"]);
    bed.ok(&["scale", "web", "2"]);
    let after = started(bed);
    assert!(before.iter().all(|(id, when)| after.get(id) == Some(when)), "{before:?} became {after:?}");
}

fn a_new_host_joins_by_one_command(bed: &Bed) {
    let host = bed.pool.add_host().unwrap();
    let command = bed.ok(&["engine", "join-command", "--label", "new"]);
    let state = bed.pool.service_dir("agent-new").unwrap().join("state").display().to_string();
    let pasted = format!(
        "exec {}/{} --state-dir {state}",
        crate::program::PROGRAM.trim_end_matches("/pierhead"),
        command.trim()
    );
    let target = format!("--target={}", host.pid().unwrap().unwrap());
    let argv = ["nsenter", &target, "--mount", "--uts", "--net", "--", "sh", "-c", &pasted].map(str::to_owned);
    again(bed, "agent-new", argv.to_vec());
    // It is called as it calls itself.
    until("the host is schedulable", PATIENCE, || is_healthy(bed, host.name()));
    let engine = bed.engine(host.name());
    assert_eq!(engine["labels"], serde_json::json!(["new"]));
    bed.ok(&["run", sample::IMAGE, "--label", "new", "--cpus", "0.05", "--memory", "16", "--app", "there"]);
    let (_, listed) = raw::ask(host.docker_host(), "GET", "/containers/json", None);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let doctor = Ended::of(
        Command::new("nsenter")
            .args([target.as_str(), "--mount", "--uts", "--net", "--", crate::program::PROGRAM, "agent", "doctor"])
            .args(["--state-dir", &state]),
    );
    assert!(doctor.code == 0 && doctor.stdout.contains("can be called"), "{doctor:?}");
    bed.ok(&["app", "rm", "there", "--yes"]);
    bed.ok(&["engine", "rm", host.name(), "--leave", "--yes"]);
    let log = bed.pool.service_dir("agent-new").unwrap().join("log");
    until("a removed host is cut off", PATIENCE, || {
        text_of(&log).contains("the controller asks nothing") || text_of(&log).matches("no tunnel").count() > 0
    });
    assert_eq!(bed.engine(host.name()), Value::Null);
}

/// A leader of a later term has been at a host: this one's changes are refused there, and it is told.
fn an_older_term_is_refused(bed: &Bed) {
    let state = bed.pool.service_dir("agent-host-2").unwrap().join("state");
    let pid = agent(bed, "host-2");
    let words = argv(pid);
    signal(pid, "KILL");
    until("the agent is gone", PATIENCE, || !is_healthy(bed, "host-2"));
    let term = std::fs::read_to_string(state.join("term")).unwrap();
    std::fs::write(state.join("term"), "99999999\n").unwrap();
    again(bed, "agent-host-2", in_host(bed, "host-2", words.clone()));
    until("reading is for everybody", PATIENCE, || is_healthy(bed, "host-2"));
    let on_it = |bed: &Bed| {
        let (_, listed) = raw::ask(bed.host("host-2").docker_host(), "GET", "/containers/json?all=1", None);
        listed.as_array().unwrap().len()
    };
    let before = on_it(bed);
    let late = ["run", sample::IMAGE, "--type", "host", "--label", "host:host-2", "--cpus", "0.05", "--memory", "16"];
    until("the refusal is told", PATIENCE, || {
        // Until the host was listed there is no place at all.
        let tried = bed.run(&[&late[..], &["--app", "late", "--timeout", "2"]].concat());
        assert_ne!(tried.code, 0, "{tried:?}");
        bed.run(&["app", "rm", "late", "--yes"]);
        bed.json(&["events", "--type", "agent-refused"]).to_string().contains("term_past")
    });
    assert_eq!(on_it(bed), before, "a past leader changed something");
    signal(agent(bed, "host-2"), "KILL");
    until("the agent is gone", PATIENCE, || !is_healthy(bed, "host-2"));
    std::fs::write(state.join("term"), term).unwrap();
    again(bed, "agent-host-2", in_host(bed, "host-2", words));
    until("the host is back", PATIENCE, || is_healthy(bed, "host-2"));
}

fn a_revoked_host_is_shut_out_until_it_joins_again(bed: &Bed) {
    bed.ok(&["engine", "revoke", "host-2", "--yes"]);
    until("the tunnel is cut", PATIENCE, || !is_healthy(bed, "host-2"));
    let told = bed.json(&["events", "--type", "revoke-engine"]);
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    // Its certificate is refused whatever it is used for.
    let state = bed.pool.service_dir("agent-host-2").unwrap().join("state");
    let identity = Identity::read(&state).unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let renewed = runtime.block_on(pierhead_agent::renew(&identity, &Timing::default())).unwrap_err();
    assert!(renewed.to_string().contains("revoked"), "{renewed}");
    let address = identity.controllers[0].clone();
    assert_eq!(Controller::at(&address).address, address);
    // The same host, with a token: it is the same engine again.
    let token: JoinToken = join_token(bed).parse().unwrap();
    let host = Host {
        id: Some("host-2".to_owned()),
        address: Some(bed.host("host-2").address().to_string()),
        ..Host::default()
    };
    let joined = runtime.block_on(pierhead_agent::join(&token, &host, &Timing::default())).unwrap();
    let stolen = runtime.block_on(pierhead_agent::join(&token, &host, &Timing::default())).unwrap_err();
    assert!(stolen.to_string().contains("used already"), "{stolen}");
    let words: Vec<String> = argv(agent(bed, "host-2"));
    signal(agent(bed, "host-2"), "KILL");
    joined.keep(&state).unwrap();
    let at = words.iter().position(|word| word == "--join").unwrap();
    let words = [&words[..at], &words[at + 2..]].concat();
    again(bed, "agent-host-2", in_host(bed, "host-2", words));
    until("the host is back", PATIENCE, || is_healthy(bed, "host-2"));
}
