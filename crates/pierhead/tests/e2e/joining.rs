//! One host from its token to the end of its certificate: it waits for approval, renews under a log that is followed,
//! gets another address, stays away for too long, and joins again.

use crate::agents::{again, is_healthy, kill_controller, start_controller};
use crate::bed::Bed;
use crate::program::{Background, Ended, PROGRAM, program, signal, text_of};
use crate::raw;
use crate::wait::{PATIENCE, until, until_some};
use pierhead_agent::Identity;
use pierhead_controller::fingerprint;
use pierhead_devhosts::{Host, sample};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SERVICE: &str = "agent-new";
/// The life of a certificate here: it is renewed at two thirds, and a busy machine may take its time for that.
const LIFE: &str = "18s";

#[test]
fn a_host_waits_renews_moves_expires_and_joins_again() {
    let bed = Bed::up_with(1, &["--agents"]);
    let mut words = kill_controller(&bed);
    words.extend(["--approve-hosts", "--agent-certificate-life", LIFE].map(str::to_owned));
    start_controller(&bed, words);
    until("who was in the pool is in it still", PATIENCE, || is_healthy(&bed, "host-1"));
    let new = Newcomer::start(&bed);
    it_waits(&bed, &new);
    it_is_approved(&bed, &new);
    it_renews_under_a_log(&bed, &new);
    it_gets_another_address(&bed, &new);
    it_is_away_for_too_long(&bed, &new);
}

struct Newcomer {
    host: Host,
    state: PathBuf,
    log: PathBuf,
}

impl Newcomer {
    fn start(bed: &Bed) -> Self {
        let host = bed.pool.add_host().unwrap();
        let dir = bed.pool.service_dir(SERVICE).unwrap();
        let new = Self { host, state: dir.join("state"), log: dir.join("log") };
        let token = bed.json(&["engine", "join-command"])["token"].as_str().unwrap().to_owned();
        again(bed, SERVICE, new.words(&["--label", "new", "--join", &token]));
        new
    }

    fn id(&self) -> &str {
        self.host.name()
    }

    /// What runs the agent in the host's namespaces.
    fn words(&self, args: &[&str]) -> Vec<String> {
        let (target, state) =
            (format!("--target={}", self.host.pid().unwrap().unwrap()), self.state.display().to_string());
        let enter = ["nsenter", &target, "--mount", "--uts", "--net", "--", PROGRAM, "agent", "--state-dir", &state];
        enter.iter().chain(args).map(|&word| word.to_owned()).collect()
    }

    fn identity(&self) -> Identity {
        Identity::read(&self.state).unwrap().unwrap()
    }

    fn doctor(&self) -> Ended {
        let words = self.words(&["doctor"]);
        Ended::of(Command::new(&words[0]).args(&words[1..]))
    }

    fn pid(&self, bed: &Bed) -> u32 {
        bed.pool.services().unwrap().iter().find(|service| service.name == SERVICE).unwrap().pid.unwrap()
    }

    fn containers(&self) -> usize {
        let (_, listed) = raw::ask(self.host.docker_host(), "GET", "/containers/json?all=1", None);
        listed.as_array().unwrap().len()
    }
}

fn events(bed: &Bed, kind: &str) -> String {
    bed.json(&["events", "--type", kind]).to_string()
}

fn it_waits(bed: &Bed, new: &Newcomer) {
    let (shown, _) = until_some("the host waits and has told what it is", PATIENCE, || {
        let engine = bed.engine(new.id());
        (engine["health"]["status"] == "waiting" && engine["agent"]["host"]["cpus"].as_u64()? > 0).then_some(engine)
    });
    assert_eq!(shown["agent"]["fingerprints"], serde_json::json!([fingerprint(&new.identity().certificate)]));
    let told = &shown["agent"]["host"];
    assert!(told["addresses"].to_string().contains(&new.host.address().to_string()), "{told}");
    assert!(!told["docker_version"].as_str().unwrap().is_empty() && told["memory"].as_u64().unwrap() > 0, "{told}");
    assert_eq!((&shown["docker_version"], &shown["labels"]), (&"".into(), &serde_json::json!(["new"])), "{shown}");
    assert!(bed.ok(&["engine", "ls"]).contains("waiting for approval"));
    assert!(bed.ok(&["engine", "show", new.id()]).contains(&fingerprint(&new.identity().certificate)));
    assert!(events(bed, "join-engine").contains("waits for approval"));
    let limits = ["--label", "new", "--cpus", "0.05", "--memory", "16", "--timeout", "3"];
    let refused = bed.run(&[&["run", sample::IMAGE, "--app", "early"], &limits[..]].concat());
    assert!(refused.code != 0 && refused.stderr.contains("is unavailable"), "{refused:?}");
    let why = bed.run(&["explain", "--image", sample::IMAGE, "--label", "new"]);
    assert!(format!("{why:?}").contains("it waits for approval"), "{why:?}");
    bed.run(&["app", "rm", "early", "--yes"]);
    let doctor = new.doctor();
    assert!(doctor.code == 1 && doctor.stdout.contains("waits for approval"), "{doctor:?}");
    assert_eq!((new.containers(), bed.engine(new.id())["health"]["status"].as_str()), (0, Some("waiting")));
    assert!(text_of(&new.log).contains(&format!("pierhead engine approve {}", new.id())));
}

fn it_is_approved(bed: &Bed, new: &Newcomer) {
    bed.ok(&["engine", "approve", new.id()]);
    until("the host is schedulable", PATIENCE, || is_healthy(bed, new.id()));
    bed.ok(&["engine", "approve", new.id()]);
    assert_eq!(bed.json(&["events", "--type", "approve-engine"]).as_array().unwrap().len(), 1);
    let doctor = new.doctor();
    assert!(doctor.code == 0 && doctor.stdout.contains("believes this host"), "{doctor:?}");
    let limits = ["--label", "new", "--cpus", "0.05", "--memory", "16"];
    bed.ok(&[&["run", sample::IMAGE, "--app", "site", "-p", "80"], &limits[..]].concat());
    assert_eq!(new.containers(), 1);
}

/// Lines of a log that is followed in the background.
struct Followed {
    lines: Arc<Mutex<Vec<String>>>,
    program: Background,
}

impl Followed {
    fn start(bed: &Bed, id: &str) -> Self {
        let mut logs = program();
        logs.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
        let mut logs = logs.args(["logs", "-f", id]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (lines, reader) = (Arc::<Mutex<Vec<String>>>::default(), BufReader::new(logs.stdout.take().unwrap()));
        let seen = Arc::clone(&lines);
        std::thread::spawn(move || {
            reader.lines().map_while(Result::ok).for_each(|line| seen.lock().unwrap().push(line))
        });
        Self { lines, program: Background::of(logs) }
    }

    fn count(&self) -> usize {
        self.lines.lock().unwrap().len()
    }
}

fn it_renews_under_a_log(bed: &Bed, new: &Newcomer) {
    let script = "i=0; while true; do echo tick $i; i=$((i+1)); sleep 1; done";
    let made = ["run", "--json", sample::IMAGE, "--app", "talker", "--label", "new", "--cpus", "0.05"];
    let made = bed.ok(&[&made[..], &["--memory", "16", "--", "sh", "-c", script]].concat());
    let made: Value = serde_json::from_str(&made).unwrap();
    let mut followed = Followed::start(bed, made[0]["id"].as_str().unwrap());
    let mut seen = BTreeSet::new();
    until("two renewals", PATIENCE * 3, || {
        seen.insert(fingerprint(&new.identity().certificate));
        seen.len() > 2
    });
    let so_far = followed.count();
    assert!(followed.program.has_ended().is_none(), "the log ended");
    until("the log goes on", PATIENCE, || followed.count() > so_far + 2);
    for (number, line) in followed.lines.lock().unwrap().iter().enumerate() {
        assert_eq!(line.trim(), format!("tick {number}"), "a line is missing");
    }
    until("only the newest certificate counts", PATIENCE, || {
        let shown = bed.engine(new.id())["agent"]["fingerprints"].clone();
        shown == serde_json::json!([fingerprint(&new.identity().certificate)])
    });
    until("the host is well", PATIENCE, || is_healthy(bed, new.id()));
}

fn it_gets_another_address(bed: &Bed, new: &Newcomer) {
    let before = new.host.address().to_string();
    let (network, _) = before.rsplit_once('.').unwrap();
    let now = format!("{network}.201");
    let target = new.host.pid().unwrap().unwrap().to_string();
    let ip = |args: &[&str]| {
        let told = Command::new("nsenter").args(["-t", &target, "-n", "ip"]).args(args).output().unwrap();
        assert!(told.status.success(), "{args:?}: {told:?}");
        String::from_utf8(told.stdout).unwrap()
    };
    let listed = ip(&["-4", "-o", "addr", "show"]);
    let line = listed.lines().find(|line| line.contains(&format!(" {before}/"))).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let (device, length) = (words[1].trim_end_matches(':'), words[3].rsplit_once('/').unwrap().1);
    ip(&["addr", "del", &format!("{before}/{length}"), "dev", device]);
    ip(&["addr", "add", &format!("{now}/{length}"), "dev", device]);
    until("the host is reached at its new address", PATIENCE, || {
        bed.engine(new.id())["addr"] == format!("agent://{now}") && is_healthy(bed, new.id())
    });
    let told = events(bed, "change-engine");
    assert!(told.contains(&format!("addr=agent://{now}, before=agent://{before}")), "{told}");
    let site =
        bed.json(&["container", "ls"]).as_array().unwrap().iter().find(|it| it["app"] == "site").cloned().unwrap();
    let port = &site["image"]["ports"][0];
    let port = if port.is_null() { &site["ports"][0] } else { port };
    assert_eq!(port["host_ip"], now.as_str(), "{site}");
    assert!(!raw::page(&format!("tcp://{now}:{}", port["port"])).is_empty());
    until("what the agent sees of itself follows", PATIENCE, || {
        let addresses = bed.engine(new.id())["agent"]["host"]["addresses"].to_string();
        addresses.contains(&now) && !addresses.contains(&before)
    });
}

fn it_is_away_for_too_long(bed: &Bed, new: &Newcomer) {
    let running = new.containers();
    signal(new.pid(bed), "KILL");
    let expires = Duration::from_millis(new.identity().expires_at) + Duration::from_secs(1);
    until("its certificate has expired", PATIENCE * 2, || {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap() > expires
    });
    again(bed, SERVICE, new.words(&[]));
    until("the agent says what to do", PATIENCE, || {
        let log = text_of(&new.log);
        log.contains("certificate has expired") && log.contains("join again with a new token")
    });
    until("the refusal is told", PATIENCE, || events(bed, "agent-refused").contains("expired_certificate"));
    let doctor = new.doctor();
    assert!(doctor.code == 1 && doctor.stdout.contains("has expired"), "{doctor:?}");
    assert_eq!(new.containers(), running, "what runs there was touched");
    signal(new.pid(bed), "KILL");
    let token = bed.json(&["engine", "join-command", "--approved"])["token"].as_str().unwrap().to_owned();
    again(bed, SERVICE, new.words(&["--join", &token]));
    until("the same host is back, without approval", PATIENCE, || is_healthy(bed, new.id()));
    assert_eq!(bed.json(&["engine", "ls"]).as_array().unwrap().len(), 2);
}
