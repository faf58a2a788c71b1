//! The program in a shell: completion as bash, zsh and fish do it, Ctrl-C, and readers that go away.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Background, Ended, PROGRAM, program, signal};
use crate::scripted::{Reply, Scripted};
use crate::wait::{PATIENCE, until_right, until_some};

const APPS: &str = r#"[{"id":"a1","name":"website","owner":"admin","image":{"name":"httpd:2.4"},"replicas":2,"running":2,
    "version":1,"created_at":"2026-01-01T00:00:00.000Z","slots":[]},
    {"id":"a2","name":"web;touch owned","owner":"admin","image":{"name":"x"},"replicas":1,"running":1,
    "version":1,"created_at":"2026-01-01T00:00:00.000Z","slots":[]}]"#;
const ENGINES: &str = r#"[{"id":"rack-1","addr":"http://10.0.0.5:2375","cpus":2.0,"memory":1533.0,"labels":[],
    "health":{"status":"healthy","response_time":3,"reason":"","since":"2026-01-01T00:00:00.000Z"},
    "docker_version":"20.10.24","reserved_cpus":0.5,"reserved_memory":64.0,"container_count":1,"image_count":2,
    "api_version":"1.41","operating_system":"Debian","kernel":"6.1","storage_driver":"overlay2","lacks":[]}]"#;
const EVENT: &str = r#"{"id":"0000000000000001","type":"run-container","time":"2026-01-01T00:00:00.000Z",
    "message":"name=web","tags":["cluster"]}"#;

/// Begins to type a password at a terminal and presses Ctrl-C; says whether typing was unseen, the exit code, and whether
/// it is seen again.
const TYPED_HALF: &str = r#"
import os, pty, termios, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("pierhead", ["pierhead", "account", "add", "clare"])
def echoes():
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
seen = b""
while b"assword" not in seen:
    seen += os.read(terminal, 1000)
deadline = time.monotonic() + 20
while echoes() and time.monotonic() < deadline:
    time.sleep(0.01)
hidden = not echoes()
os.write(terminal, b"half of it\x03")
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(hidden, code, echoes())
"#;

/// Types one password, then another, then twice the same; prints the exit code. It types when the echo is off:
/// turning it off throws away what was typed before.
const TYPED_TWICE: &str = r#"
import os, pty, signal, termios, time
signal.alarm(60)
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("pierhead", ["pierhead", "account", "passwd", "clare"])
def until(words):
    seen = b""
    while words not in seen:
        seen += os.read(terminal, 1000)
for asked, typed in [(b"New password", b"a slip"), (b"again", b"of the hand"), (b"New password", b"s3cret word"),
                     (b"again", b"s3cret word")]:
    until(asked)
    while termios.tcgetattr(terminal)[3] & termios.ECHO:
        time.sleep(0.002)
    os.write(terminal, typed + b"\r")
until(b"changed")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

/// A controller that says what it was told to, and the shells' way to it.
struct Desk {
    server: Scripted,
    folder: tempfile::TempDir,
    _threads: tokio::runtime::Runtime,
}

impl Desk {
    fn new() -> Self {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = threads.block_on(Scripted::start());
        server.json("GET /api/apps", APPS).json("GET /api/engines", ENGINES);
        server.json("GET /api/containers?all=true", "[]");
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(PROGRAM, folder.path().join("pierhead")).unwrap();
        Self { server, folder, _threads: threads }
    }

    /// A program that finds ours by its name, and the controller.
    fn command(&self, shell: &str) -> Command {
        let mut command = Command::new(shell);
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.folder.path().display()));
        command.env("PIERHEAD_URL", &self.server.url).env("PIERHEAD_TOKEN", "secret").env("HOME", self.folder.path());
        command
    }

    fn script(&self, shell: &str, script: &str) -> Ended {
        let file = self.folder.path().join("script");
        std::fs::write(&file, script).unwrap();
        Ended::of(self.command(shell).arg(&file))
    }

    /// What bash offers for the last of these words.
    fn bash(&self, words: &[&str]) -> Vec<String> {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let script = format!(
            "source <(pierhead completion bash)\nfunction=$(complete -p pierhead | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n\
             COMP_WORDS=({}) COMP_CWORD={} COMP_TYPE=9 COMP_LINE='{}'\nCOMP_POINT=${{#COMP_LINE}}\n\
             \"$function\" pierhead '{}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            quoted.join(" "),
            words.len() - 1,
            words.join(" "),
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let ended = self.script("bash", &script);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{words:?}: {ended:?}");
        ended.stdout.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Waits until bash offers this name and nothing else: no shell is held up by a controller that takes its time.
    fn completes(&self, words: &[&str], name: &str) {
        let completed = until_right(PATIENCE, || match self.bash(words) {
            names if names == [name] => Ok(()),
            names => Err(names),
        });
        assert!(completed.is_ok(), "{words:?}: {completed:?}");
    }
}

fn is_there(shell: &str) -> bool {
    Command::new(shell).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

#[test]
fn bash_completes_commands_flags_and_names() {
    let desk = Desk::new();
    let commands = desk.bash(&["pierhead", "sc"]);
    assert_eq!(commands, ["scale"]);
    assert!(desk.bash(&["pierhead", "run", "--mem"]).contains(&"--memory".to_owned()));
    assert_eq!(desk.bash(&["pierhead", "completion", "z"]), ["zsh"]);
    for line in [
        &["pierhead", "scale", "web"][..],
        &["pierhead", "app", "show", "web"],
        &["pierhead", "logs", "-f", "we"],
        &["pierhead", "explain", "w"],
        &["pierhead", "events", "--app", "web"],
    ] {
        // And nothing that a shell would obey.
        desk.completes(line, "website");
    }
    desk.completes(&["pierhead", "engine", "drain", "ra"], "rack-1");
    assert!(desk.server.asked().iter().all(|asked| asked.token.as_deref() == Some("Bearer secret")));
}

#[test]
fn a_shell_is_never_held_up_or_told_of_errors() {
    let desk = Desk::new();
    desk.server.refuse("GET /api/roles", 403, "forbidden", "no");
    assert_eq!(desk.bash(&["pierhead", "role", "rm", "w"]), [""]);
    desk.server.on("GET /api/tokens", Reply::Gated(std::sync::Arc::default(), Box::new(Reply::Lost)));
    let began = Instant::now();
    assert_eq!(desk.bash(&["pierhead", "token", "rm", "w"]), [""]);
    // Two starts of the program and of bash on a machine that is busy; without a deadline it would never end.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn zsh_and_fish_complete_names() {
    let desk = Desk::new();
    if is_there("zsh") {
        // The completion system needs a terminal; its one function that asks the program does not.
        let script = "compdef() { registered=$1 }\nsource <(pierhead completion zsh)\n\
            _describe() { for entry in ${(P)3:-${(P)2}}; do print -r -- $entry; done }\n\
            words=(pierhead scale web) CURRENT=3\n$registered\n";
        let completed = until_right(PATIENCE, || {
            let ended = desk.script("zsh", script);
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
            if ended.stdout.lines().any(|line| line.starts_with("website")) { Ok(()) } else { Err(ended) }
        });
        completed.unwrap();
    }
    if is_there("fish") {
        let script = "pierhead completion fish | source\ncomplete -C 'pierhead scale web'\n";
        let completed = until_right(PATIENCE, || {
            let ended = desk.script("fish", script);
            if (ended.code, ended.stdout.as_str()) == (0, "website\thttpd:2.4\n") { Ok(()) } else { Err(ended) }
        });
        completed.unwrap();
    }
    for shell in ["bash", "zsh", "fish"].into_iter().filter(|shell| is_there(shell)) {
        let script = Ended::of(program().args(["completion", shell])).stdout;
        let file = desk.folder.path().join(shell);
        std::fs::write(&file, script).unwrap();
        let ended = Ended::of(Command::new(shell).arg("-n").arg(&file));
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{shell}: {ended:?}");
    }
}

/// The command's output up to its first line.
fn first_line(child: &mut std::process::Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line
}

#[test]
fn ctrl_c_ends_with_130() {
    let desk = Desk::new();
    let feed: &'static [u8] = format!("data: {}\n\n", EVENT.replace('\n', "")).leak().as_bytes();
    desk.server.on("GET /api/events/stream", Reply::Endless(feed));
    let mut follow = desk.command("pierhead");
    let mut child = follow.args(["events", "-f"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(first_line(&mut child).contains("run-container"));
    signal(child.id(), "INT");
    let mut child = Background::of(child);
    let (status, _) = child.end();
    assert_eq!(status.code(), Some(130));
}

#[test]
fn ctrl_c_at_a_password_leaves_a_terminal_that_shows_what_is_typed() {
    let desk = Desk::new();
    let ended = Ended::of(desk.command("python3").args(["-I", "-c", TYPED_HALF]));
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "True 130 True\n"), "{ended:?}");
    assert!(desk.server.asked().is_empty());
}

#[test]
fn a_new_password_is_typed_twice() {
    let desk = Desk::new();
    desk.server.json("POST /account/passwdchange", "");
    let ended = Ended::of(desk.command("python3").args(["-I", "-c", TYPED_TWICE]));
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "0\n"), "{ended:?}");
    let bodies: Vec<String> = desk.server.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies, [r#"{"username":"clare","password":"s3cret word"}"#], "and nothing of the first attempt");
}

#[test]
fn a_usage_line_does_not_want_what_the_environment_gives() {
    let desk = Desk::new();
    for (line, usage) in
        [("scale web", "Usage: pierhead scale <APP|ID> <N>"), ("scale --nonsense", "Usage: pierhead scale")]
    {
        let ended = Ended::of(desk.command("pierhead").env("PIERHEAD_CONFIG_DIR", "/tmp").args(line.split(' ')));
        assert!(ended.code == 2 && ended.stderr.contains(usage), "{ended:?}");
        assert!(!ended.stderr.contains("--config-dir") && !ended.stderr.contains("--token"), "{ended:?}");
    }
}

#[test]
fn ctrl_c_leaves_a_change_and_says_so() {
    let desk = Desk::new();
    let running = r#"{"id":"op1","title":"run 1 of httpd","state":"running","verdicts":[],"actor":"admin","app":"web",
        "created_at":"2026-01-01T00:00:00.000Z","deadline":"2026-01-01T00:05:00.000Z"}"#;
    desk.server.on("POST /api/containers?wait=0", Reply::Operation(202, "op1", running.to_owned()));
    desk.server.json("GET /api/operations/op1?wait=1", running);
    let mut run = desk.command("pierhead");
    let mut child = run.args(["run", "httpd"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until_some("it waits", PATIENCE, || {
        desk.server.lines().contains(&"GET /api/operations/op1?wait=1".to_owned()).then_some(())
    });
    signal(child.id(), "INT");
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    let (status, _) = Background::of(child).end();
    assert_eq!(status.code(), Some(130), "{told}");
    assert!(told.contains("operation op1 goes on") && told.contains("pierhead operation cancel op1"), "{told}");
}

#[test]
fn a_reader_that_goes_away_is_nothing_to_complain_of() {
    let desk = Desk::new();
    let many: Vec<String> = (0..5000).map(|at| EVENT.replace("name=web", &format!("name=web-{at}"))).collect();
    desk.server.json("GET /api/events?count=5000", format!("[{}]", many.join(",")));
    for flag in ["", "--json"] {
        let line = format!("pierhead events 5000 {flag} | head -n 1; echo \"${{PIPESTATUS[0]}}\"");
        let ended = desk.script("bash", &line);
        assert!(ended.stderr.is_empty() && ended.stdout.ends_with("\n0\n"), "{ended:?}");
    }
}

#[test]
fn a_wrong_command_line_is_told_as_json_where_that_is_wanted() {
    let ended = Ended::of(program().args(["--json", "scale", "web", "2001"]));
    let told: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!((ended.code, &told["code"], &told["exit_code"]), (2, &"usage".into(), &2.into()), "{ended:?}");
    assert!(told["message"].as_str().unwrap().contains("from 0 to 2000"), "{told}");
    let ended = Ended::of(program().args(["--json", "app", "rm"]));
    let told: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert!(told["message"].as_str().unwrap().contains("<NAME>"), "{told}");
    let alone = Ended::of(&mut program());
    assert!(alone.code == 2 && alone.stderr.contains("Exit codes:") && !alone.stderr.contains("edelete"), "{alone:?}");
    let ended = Ended::of(program().args(["scale", "web", "2001"]));
    assert!(ended.code == 2 && ended.stderr.starts_with("error: invalid value '2001'"), "{ended:?}");
}

#[test]
fn the_saved_log_in_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let token = r#"{"token":"t0ken","username":"ann","role":"user","expires_at":"2026-01-31T00:00:00.000Z"}"#;
    desk.server.json("POST /auth/login", token);
    let folder = desk.folder.path().join("config");
    let mut login = program();
    login.args(["login", &desk.server.url, "-u", "ann", "--password-stdin"]).env("PIERHEAD_CONFIG_DIR", &folder);
    assert_eq!(Ended::with_input(&mut login, "s3cret\n").code, 0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("login.json"))), (0o700, 0o600));
}
