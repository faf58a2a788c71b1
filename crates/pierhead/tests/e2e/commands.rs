//! Every command of the original's command line with its original options, on real hosts: what it prints for people,
//! and the same with `--json`.

use pierhead_devhosts::sample;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::program::{Ended, program};
use crate::raw;
use crate::wait::{PATIENCE, until};

/// Somebody at a shell, who logged in and is known by that alone.
struct Person {
    bed: Bed,
}

impl Person {
    fn command(&self, line: &[&str]) -> std::process::Command {
        let mut command = program();
        command.env("PIERHEAD_CONFIG_DIR", self.bed.place.beside("person")).args(line);
        command
    }

    fn run(&self, line: &[&str]) -> Ended {
        Ended::of(&mut self.command(line))
    }

    fn ok(&self, line: &[&str]) -> String {
        let ended = self.run(line);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{line:?}: {ended:?}");
        ended.stdout
    }

    fn json(&self, line: &[&str]) -> Value {
        let text = self.ok(&[&["--json"][..], line].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line:?}: {error}: {text}"))
    }

    /// Rows of a table, cut at spaces, without the header; which must be this.
    fn rows(&self, line: &[&str], header: &str) -> Vec<Vec<String>> {
        let text = self.ok(line);
        let mut rows = text.lines().map(|row| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(rows.next().unwrap().join(" "), header, "{line:?}: {text}");
        rows.collect()
    }
}

const CONTAINERS: &str = "CONTAINER NAME IMAGE ENGINE STATE AGE PORTS";

#[test]
fn every_command_of_the_original_does_what_it_did() {
    let person = Person { bed: Bed::up(2) };
    the_program_explains_itself(&person);
    who_logs_in_stays_logged_in(&person);
    hosts_are_listed_and_shown(&person);
    let id = a_container_is_run_and_its_binding_printed(&person);
    containers_are_listed_and_shown(&person, &id);
    containers_are_scaled(&person, &id);
    containers_are_stopped_started_and_restarted(&person, &id);
    what_it_wrote_is_printed(&person);
    the_pool_is_summed_up(&person);
    accounts_come_and_go(&person);
    what_happened_is_told(&person);
    containers_are_destroyed(&person, &id);
    a_host_leaves_and_comes_back(&person);
}

fn the_program_explains_itself(person: &Person) {
    let version = format!("pierhead {}\n", env!("CARGO_PKG_VERSION"));
    for line in ["-v", "--version", "version"] {
        assert_eq!(person.ok(&[line]), version, "{line}");
    }
    assert_eq!(person.json(&["version"]), json!({"version": env!("CARGO_PKG_VERSION")}));
    let help = person.ok(&["help"]);
    for (line, part) in [("-h", "Usage: pierhead"), ("h", "Exit codes:"), ("help", "serve")] {
        assert!(person.ok(&[line]).contains(part), "{line}");
    }
    for command in ["run", "scale", "container", "engine", "events", "completion", "login"] {
        assert!(help.contains(&format!("\n  {command}")), "{command}: {help}");
    }
    assert!(person.ok(&["help", "run"]).contains("--memory"));
    assert!(person.ok(&["completion", "bash"]).contains("pierhead"));
}

fn who_logs_in_stays_logged_in(person: &Person) {
    let (url, secret) = (person.bed.text("url"), format!("{}\n", person.bed.text("password")));
    let before = person.run(&["--url", url, "containers"]);
    assert!(before.code == 5 && before.stderr.contains("pierhead login"), "{before:?}");
    let log_in = ["login", url, "--username", "admin", "--password-stdin"];
    let wrong = Ended::with_input(&mut person.command(&log_in), "wrong\n");
    assert!(wrong.code == 5 && wrong.stdout.is_empty(), "{wrong:?}");
    let ended = Ended::with_input(&mut person.command(&log_in), &secret);
    assert!(ended.code == 0 && ended.stdout.contains(url) && ended.stdout.contains("admin"), "{ended:?}");
    assert!(!format!("{ended:?}").contains(person.bed.text("password")), "{ended:?}");
    let ended = Ended::with_input(&mut person.command(&[&log_in[..], &["--json"]].concat()), &secret);
    assert_eq!((ended.code, &ended.json()["username"]), (0, &json!("admin")), "{ended:?}");
}

fn hosts_are_listed_and_shown(person: &Person) {
    let rows = person.rows(&["engines"], "ENGINE ADDRESS HEALTH CPUS MEMORY MB CONTAINERS DOCKER LABELS");
    let listed = person.json(&["engines"]);
    assert_eq!((rows.len(), listed.as_array().unwrap().len()), (2, 2));
    for (row, engine) in rows.iter().zip(listed.as_array().unwrap()) {
        assert_eq!(json!(row[..3]), json!([engine["id"], engine["addr"], "healthy"]), "{row:?}");
        assert!(engine["cpus"].as_f64().unwrap() > 0.0 && engine["memory"].as_f64().unwrap() > 0.0, "{engine}");
    }
    let shown = person.ok(&["engine", "host-1"]);
    for part in ["host-1", "healthy", "cpus", "memory", "docker", &person.bed.host("host-1").address().to_string()] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(person.json(&["engine", "host-1"])["id"], "host-1");
    assert_eq!(person.run(&["engine", "host-9"]).code, 3);
}

fn a_container_is_run_and_its_binding_printed(person: &Person) -> String {
    let line = ["run", "--name", sample::IMAGE, "--port", "tcp/::80", "--memory", "100", "--pull", "false"];
    let rows = person.rows(&line, "CONTAINER APP ENGINE STATE PORTS");
    assert_eq!((rows.len(), rows[0][3].as_str()), (1, "running"));
    let page = raw::page(&rows[0][4].replace("http://", "tcp://"));
    assert_eq!((page.trim(), &rows[0][5..]), (rows[0][0].as_str(), &["->".to_owned(), "80".to_owned()][..]));
    let more = person.json(&line);
    assert_eq!(more.as_array().unwrap().len(), 1, "{more}");
    assert_eq!((&more[0]["image"]["memory"], &more[0]["ports"][0]["container_port"]), (&json!(100.0), &json!(80)));
    rows[0][0].clone()
}

fn containers_are_listed_and_shown(person: &Person, id: &str) {
    let rows = person.rows(&["containers"], CONTAINERS);
    let listed = person.json(&["containers"]);
    assert_eq!((rows.len(), listed.as_array().unwrap().len()), (2, 2));
    assert!(rows.iter().any(|row| row[0] == id && row[2] == sample::IMAGE && row[4] == "running"), "{rows:?}");
    let shown = person.ok(&["container", id]);
    for part in [id, sample::IMAGE, "running", "100 MB", "-> 80"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let one = person.json(&["container", &id[..6]]);
    assert_eq!((&one["state"], &one["image"]["name"]), (&json!("running"), &json!(sample::IMAGE)));
    assert!(one["id"].as_str().unwrap().starts_with(id));
}

fn containers_are_scaled(person: &Person, id: &str) {
    assert_eq!(person.ok(&["scale", id, "4"]), format!("scaled {id} to 4\n"));
    assert_eq!(person.rows(&["containers"], CONTAINERS).len(), 4);
    assert_eq!(person.json(&["scale", id, "3"])["state"], "done");
    assert_eq!(person.json(&["containers"]).as_array().unwrap().len(), 3);
    let ended = person.run(&["scale", id, "2001"]);
    assert!(ended.code == 2 && ended.stderr.contains("from 0 to 2000"), "{ended:?}");
}

fn containers_are_stopped_started_and_restarted(person: &Person, id: &str) {
    assert_eq!(person.ok(&["stop", id]), format!("stopped {id}\n"));
    assert!(!person.ok(&["containers"]).contains(id));
    let rows = person.rows(&["containers", "--all"], CONTAINERS);
    assert!(rows.iter().any(|row| row[0] == id && row[4] == "stopped"), "{rows:?}");
    assert_eq!(person.ok(&["start", id]), format!("started {id}\n"));
    assert_eq!(person.ok(&["restart", id]), format!("restarted {id}\n"));
    assert_eq!(person.json(&["container", id])["state"], "running");
    for line in ["stop", "start", "restart"] {
        assert_eq!(person.json(&[line, id])["state"], "done", "{line}");
    }
}

fn what_it_wrote_is_printed(person: &Person) {
    let script = "for n in 1 2 3; do echo line $n; done; echo oops >&2; exec sleep 600";
    let made = person.json(&["run", sample::IMAGE, "--app", "talker", "--memory", "16", "--", "sh", "-c", script]);
    let id = made[0]["id"].as_str().unwrap();
    until("all lines", PATIENCE, || person.ok(&["log", id]).lines().count() == 4);
    assert_eq!(person.ok(&["log", id, "--stdout"]), "line 1\nline 2\nline 3\n");
    assert_eq!(person.ok(&["log", id, "--tail", "2"]).lines().count(), 2);
    assert_eq!(person.ok(&["log", id, "--stderr", "-n", "all"]), "oops\n");
    assert_eq!(person.ok(&["log", id, "--stdout", "--stderr", "--since", "1h30m"]).lines().count(), 4);
    assert_eq!(person.ok(&["log", id, "--since", "2035-01-01"]), "");
    let timed = person.ok(&["log", id, "--stdout", "-t"]);
    assert!(timed.lines().all(|line| line.starts_with("20") && line.contains("Z line ")), "{timed}");
    person.ok(&["app", "rm", "talker", "--yes"]);
}

fn the_pool_is_summed_up(person: &Person) {
    let text = person.ok(&["clusterinfo"]);
    for name in ["engines", "cpus", "memory", "containers", "images"] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}: {text}");
    }
    let info = person.json(&["clusterinfo"]);
    assert_eq!((&info["engine_count"], &info["container_count"]), (&json!(2), &json!(3)));
    assert_eq!(info["reserved_memory"], 300.0);
}

fn accounts_come_and_go(person: &Person) {
    let add = ["aadd", "--id", "a1", "--name", "clare", "--password", "a long secret", "--role", "user"];
    assert_eq!(person.ok(&add), "added clare (user)\n");
    let again = person.run(&add);
    assert!(again.code == 4 && again.stderr.contains("pierhead account set-role"), "{again:?}");
    for line in ["accounts", "account"] {
        let rows = person.rows(&[line], "USER ROLE NAME STATE CREATED ID");
        assert!(rows.iter().any(|row| row[..2] == ["clare", "user"] && row[5] == "a1"), "{rows:?}");
        let listed = person.json(&[line]);
        let clare = listed.as_array().unwrap().iter().find(|account| account["username"] == "clare").unwrap();
        assert!(clare["role"]["name"] == "user" && clare.get("password").is_none(), "{clare}");
    }
    assert_eq!(person.ok(&["adelete", "clare"]), "deleted clare\n");
    assert_eq!(person.run(&["adelete", "clare"]).code, 3);
    assert_eq!(person.ok(&add), "added clare (user)\n");
    assert_eq!(person.json(&["adelete", "clare"]), json!({"done": "deleted clare"}));
}

fn what_happened_is_told(person: &Person) {
    let rows = person.rows(&["events", "3", "--tag", "cluster"], "TIME TYPE ACTOR MESSAGE TAGS");
    assert_eq!(rows.len(), 3);
    let kinds: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(kinds, ["delete-account", "add-account", "delete-account"], "newest first");
    assert!(rows[0].contains(&"name=clare".to_owned()) && rows[0][2] == "admin", "{rows:?}");
    let all = person.json(&["events", "100000"]);
    let all = all.as_array().unwrap();
    assert!(all.len() > 20 && all.len() < 100_000, "as many as there are");
    assert_eq!(person.json(&["events", "5"]).as_array().unwrap().len(), 5);
}

fn containers_are_destroyed(person: &Person, id: &str) {
    assert_eq!(person.ok(&["destroy", id]), format!("destroyed {id}\n"));
    assert_eq!(person.run(&["container", id]).code, 3);
    let left = person.json(&["containers", "--all"]);
    let ids: Vec<&str> = left.as_array().unwrap().iter().map(|one| &one["id"].as_str().unwrap()[..12]).collect();
    assert_eq!(ids.len(), 2);
    let ended = person.run(&["destroy", ids[0], "0000", ids[1]]);
    assert_eq!((ended.code, ended.stdout.lines().count()), (3, 2), "one that is not there stops no other: {ended:?}");
    assert_eq!(raw::ours(&person.bed.hosts), []);
    assert!(person.ok(&["containers"]).contains("pierhead run IMAGE"), "what to do next");
    assert_eq!(person.json(&["containers"]), json!([]));
}

fn a_host_leaves_and_comes_back(person: &Person) {
    let host = person.bed.host("host-2");
    assert_eq!(person.ok(&["edelete", "host-2"]), "removed host-2\n");
    assert_eq!(person.rows(&["engines"], "ENGINE ADDRESS HEALTH CPUS MEMORY MB CONTAINERS DOCKER LABELS").len(), 1);
    let address = format!("http://{}:2375", host.address());
    assert_eq!(person.ok(&["eadd", "--id", "host-2", "--addr", &address]), format!("added host-2 ({address})\n"));
    let again = person.run(&["eadd", "--id", "host-2", "--addr", &address]);
    assert!(again.code == 4 && again.stderr.contains("pierhead engine rm"), "{again:?}");
    assert!(!again.stderr.contains("app set"), "{again:?}");
    until("it is healthy", PATIENCE, || person.json(&["engine", "host-2"])["health"]["status"] == "healthy");
    assert_eq!(person.json(&["edelete", "host-2"]), json!({"done": "removed host-2"}));
    assert_eq!(person.json(&["eadd", "--id", "host-2", "--addr", &address])["id"], "host-2");
}
