//! Labs on real hosts behind agents: those that come with Pierhead pass their own test, one that can't be solved does not, and
//! a student's progress is what their environment says. Images of registries are stood for by this machine's own programs.

mod images;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::program::{Background, Ended, program, signal};
use crate::raw;
use crate::wait::until;
use images::Kind;

/// Starts and scripts, on a busy machine.
const LONG: Duration = Duration::from_secs(120);

/// The labs that come with Pierhead, with what their images are made of here.
const LABS: [(&str, Kind); 10] = [
    ("linux-shell", Kind::Busybox),
    ("files-and-permissions", Kind::Busybox),
    ("http", Kind::Busybox),
    ("networking", Kind::Busybox),
    ("failure", Kind::Busybox),
    ("git", Kind::Git),
    ("python", Kind::Python),
    ("sql", Kind::MariaDb),
    ("pierhead", Kind::Pierhead),
    ("docker", Kind::Docker),
];

fn folder(lab: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../labs").join(lab)
}

/// Tests a lab on a pool, and says how long it took.
fn passes(bed: &Bed, lab: &str) {
    let began = Instant::now();
    let ended = bed.run(&["lab", "test", folder(lab).to_str().unwrap()]);
    assert_eq!(ended.code, 0, "{lab}: {ended:?}");
    eprintln!("{lab}: {:.1} s\n{}", began.elapsed().as_secs_f64(), ended.stdout);
}

/// Two of the ten, with two containers in one of them; all of them are tested with `PIERHEAD_SOAK`.
#[test]
fn labs_are_solved_and_noticed_and_a_student_gets_on() {
    let bed = Bed::up_with(1, &["--agents"]);
    images::give(&bed, Kind::Busybox).unwrap();
    passes(&bed, "networking");
    a_lab_that_cannot_be_solved_fails(&bed);
    nothing_is_left_of_a_test_that_is_interrupted(&bed);
    a_student_gets_on(&bed);
}

/// All that this machine has programs for. `PIERHEAD_LABS=git,sql` names some.
#[test]
fn all_labs_that_come_with_pierhead_pass_their_test() {
    let named = std::env::var("PIERHEAD_LABS").ok();
    if named.is_none() && std::env::var_os("PIERHEAD_SOAK").is_none() {
        return;
    }
    let bed = Bed::up_with(1, &["--agents", "--privileged-workspaces"]);
    let mut missing = Vec::new();
    for (lab, kind) in LABS {
        if named.as_ref().is_some_and(|named| !named.split(',').any(|name| name == lab)) {
            continue;
        }
        if kind == Kind::Docker {
            privileged_gets_what_there_is(&bed);
        }
        match images::give(&bed, kind) {
            Ok(()) => passes(&bed, lab),
            Err(why) => missing.push(format!("{lab}: {why}")),
        }
    }
    eprintln!("not tested: {missing:?}");
}

/// Lets the engines give privileged containers the capabilities that this machine has, which may not be all.
fn privileged_gets_what_there_is(bed: &Bed) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/labs/lesser_runc.py");
    let config = json!({ "runtimes": { "lesser": { "path": program } }, "default-runtime": "lesser" });
    for host in &bed.hosts {
        let folder = bed.place.pool().join("hosts").join(host.name());
        fs::write(folder.join("etc/daemon.json"), config.to_string()).unwrap();
        signal(host.pid().unwrap().unwrap(), "HUP");
        let is_lesser = || raw::ask(host.docker_host(), "GET", "/info", None).1["DefaultRuntime"] == "lesser";
        until("it is the runtime", LONG, is_lesser);
    }
}

/// Writes a small lab of one checked step, and gives its folder.
fn write(bed: &Bed, name: &str, solution: &str) -> PathBuf {
    let lab = bed.place.beside(name);
    let step = "---\nsetup: [{run: \"echo {{word}} > /srv/word\"}]\nchecks:\n  - {name: done, title: It is there, run: \"grep -qx {{word}} /srv/done\", \
                hints: [{exit: 2, text: There is no file yet.}, {text: \"Not {{word}}.\"}]}\n  - {name: by-itself, run: \"test -e /srv/open\", \
                continuous: true, every_seconds: 1}\n  - {name: hangs, run: \"sleep 600 & sleep 600\", timeout_seconds: 1, \
                hints: [{timeout: true, text: Slow}]}\nsolution: /solve.sh\n---\n# One\n\n```quiz name=q\nWhich?\n- [x] a\n- [ ] b\n```\n";
    fs::create_dir_all(lab.join("steps")).unwrap();
    let head = "title: Small\ncontainers: [{name: main, image: \"busybox:1.37\", memory: 16}]\nvariables: {word: {letters: 9}}\n";
    for (path, text) in [("lab.yaml", head), ("steps/1.md", step), ("solve.sh", solution)] {
        fs::write(lab.join(path), text).unwrap();
    }
    lab
}

fn a_lab_that_cannot_be_solved_fails(bed: &Bed) {
    let lab = write(bed, "unsolved", "echo wrong > /srv/done; touch /srv/open");
    let ended = bed.run(&["lab", "test", lab.to_str().unwrap(), "--json"]);
    let told = ended.json();
    assert_eq!((ended.code, told["ok"].as_bool()), (1, Some(false)), "{ended:?}");
    let step = &told["steps"][0];
    let states = |of: &str| -> Vec<String> {
        step[of].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states("before"), ["failed", "failed", "timed-out"], "{step}");
    assert_eq!(states("checks"), ["failed", "passed", "timed-out"], "{step}");
    assert!(step["problems"][0].as_str().unwrap().contains("check done failed"), "{step}");
}

fn is_clean(bed: &Bed) -> bool {
    let labs = bed.json(&["workspace", "ls", "--all"]);
    labs.as_array().unwrap().iter().all(|it| it["phase"] == "ended") && of_labs(bed) == 0
}

/// How many labs there are.
fn of_labs(bed: &Bed) -> usize {
    ask(bed, bed.text("token"), "GET", "/api/labs", None).1.as_array().unwrap().len()
}

/// Asks the controller as whoever has a token.
fn ask(bed: &Bed, token: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    sent(bed, token, method, path, body.map(|body| body.to_string().into_bytes()))
}

/// The same with any bytes, by a program that everybody has.
fn sent(bed: &Bed, token: &str, method: &str, path: &str, body: Option<Vec<u8>>) -> (u16, Value) {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-X", method, "-w", "\n%{http_code}", "-H", &format!("Authorization: Bearer {token}")]);
    curl.args(["-H", "Content-Type: application/json"]);
    if body.is_some() {
        curl.args(["--data-binary", "@-"]);
    }
    let curl = curl.arg(format!("{}{path}", bed.text("url")));
    let mut child = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&body.unwrap_or_default()).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let (answer, status) = said.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(answer).unwrap_or(Value::Null))
}

fn nothing_is_left_of_a_test_that_is_interrupted(bed: &Bed) {
    until("what was opened for tests is gone", LONG, || is_clean(bed));
    let lab = write(bed, "slow", "sleep 300");
    let mut test = program();
    test.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
    let mut test = Background::start(test.args(["lab", "test", lab.to_str().unwrap()]));
    until("its solution runs", LONG, || {
        let all = bed.json(&["workspace", "ls"]);
        let id = all.as_array().unwrap().iter().find(|it| it["phase"] == "ready").map(|it| it["id"].clone());
        id.is_some_and(|id| bed.run(&["workspace", "exec", id.as_str().unwrap(), "--", "pidof", "sleep"]).code == 0)
    });
    signal(test.pid(), "INT");
    assert_eq!(test.end().0.code(), Some(130));
    until("nothing is left of it", LONG, || is_clean(bed));
}

/// An account that may work through labs.
fn student(bed: &Bed) -> String {
    let word = "a long enough word";
    let mut add = program();
    add.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
    let added = Ended::with_input(add.args(["account", "add", "stud", "--password-stdin"]), word);
    assert_eq!(added.code, 0, "{added:?}");
    let server = bed.text("url").replace("http://", "tcp://");
    let log_in = json!({ "username": "stud", "password": word });
    raw::ask(&server, "POST", "/auth/login", Some(&log_in)).1["token"].as_str().unwrap().to_owned()
}

fn a_student_gets_on(bed: &Bed) {
    let lab = write(bed, "small", "exit 0");
    let api = |token: &str, method: &str, path: &str, body: Option<&Value>| ask(bed, token, method, path, body);
    let admin = bed.text("token");
    let made = api(admin, "POST", "/api/labs", Some(&json!({ "id": "small", "visibility": "shared" })));
    assert_eq!(made.0, 201, "{made:?}");
    for file in ["lab.yaml", "steps/1.md", "solve.sh"] {
        let content = fs::read(lab.join(file)).unwrap();
        let path = format!("/api/labs/small/files/content?path={file}");
        let (status, answer) = sent(bed, admin, "PUT", &path, Some(content));
        assert!(matches!(status, 200 | 201), "{answer}");
    }
    let gone = api(admin, "DELETE", "/api/labs/small/files/content?path=steps/01-first.md", None);
    assert_eq!(gone.0, 204, "{gone:?}");
    let published = api(admin, "POST", "/api/labs/small/publish", Some(&json!({})));
    assert_eq!(published.0, 200, "{published:?}");
    let token = student(bed);
    let me = |args: &[&str]| {
        Ended::of(program().env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", &token).args(args))
    };
    let begun = me(&["lab", "start", "small", "--json"]).json();
    let (id, workspace) = (begun["id"].as_str().unwrap().to_owned(), begun["workspace"].as_str().unwrap().to_owned());
    let view = || api(&token, "GET", &format!("/api/attempts/{id}"), None).1;
    until("the step is prepared", LONG, || view()["steps"][0]["preparing"] == false && view()["phase"] == "ready");
    let inside = |script: &str| me(&["workspace", "exec", &workspace, "--", "sh", "-c", script]);
    let check = || api(&token, "POST", &format!("/api/attempts/{id}/steps/0/checks"), Some(&json!({}))).1;
    let state =
        |view: &Value, at: usize| view["steps"][0]["checks"][at]["state"].as_str().unwrap_or_default().to_owned();
    // Before: the hint is that of the exit status, and nothing of the check that hangs goes on.
    let before = check();
    assert_eq!((state(&before, 0).as_str(), state(&before, 2).as_str()), ("failed", "timed-out"), "{before}");
    assert_eq!(before["steps"][0]["checks"][0]["hint"], "There is no file yet.");
    until("nothing of a check goes on after its time", LONG, || inside("pidof sleep").code == 1);
    assert_eq!(inside("cat /srv/word >/srv/done && touch /srv/open").code, 0);
    until("what goes on by itself has passed", LONG, || state(&view(), 1) == "passed");
    assert_eq!(state(&check(), 0), "passed");
    let quiz = api(&token, "POST", &format!("/api/attempts/{id}/steps/0/quizzes/q"), Some(&json!({ "answer": [0] }))).1;
    assert_eq!(quiz["score"], 3, "{quiz}");
    // What was come to outlives the environment: stopped, and started again, the setup is not run once more.
    assert_eq!(me(&["workspace", "stop", &workspace]).code, 0);
    assert_eq!(view()["score"], 3);
    assert_eq!(inside("true").code, 1);
    let opened = api(&token, "POST", &format!("/api/attempts/{id}/workspace"), None);
    assert_eq!(opened.0, 200, "{opened:?}");
    until("it is there again", LONG, || view()["phase"] == "ready");
    assert_eq!(inside("cat /srv/done").code, 0);
    let listed = me(&["lab", "attempts"]).stdout;
    assert!(listed.contains(&id) && listed.contains("3/4"), "{listed}");
    assert_eq!(me(&["lab", "forget", &id, "--yes"]).code, 0);
    let gone = api(admin, "DELETE", "/api/labs/small", None);
    assert_eq!(gone.0, 204, "{gone:?}");
    until("nothing is left of it", LONG, || is_clean(bed));
}
