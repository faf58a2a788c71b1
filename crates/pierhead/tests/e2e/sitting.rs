//! `exec -it` and `attach` as a person uses them, at a pseudo-terminal: keys, sizes, leaving and coming back, exit codes.

use crate::bed::Bed;
use crate::program::{Ended, PROGRAM};
use pierhead_devhosts::sample;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Sits down, looks at its size before and after it changes, leaves, comes back, and ends the shell with 5.
const SITS: &str = r#"
import fcntl, json, os, pty, re, struct, sys, termios, time

def start(words):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("pierhead", ["pierhead"] + words)
    return pid, terminal

def resize(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

def wait(what, condition):
    deadline = time.monotonic() + 40
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("not in time: " + what)
        time.sleep(0.02)

def read(terminal, text, again=None):
    seen, deadline, asked = b"", time.monotonic() + 40, 0
    os.set_blocking(terminal, False)
    while not re.search(text, seen):
        if time.monotonic() > deadline:
            sys.exit("not in time: %r in %r" % (text, seen))
        if again and time.monotonic() > asked + 1:
            asked = time.monotonic()
            os.write(terminal, again)
        try:
            seen += os.read(terminal, 65536)
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:
            sys.exit("it ended: %r" % seen)
    return seen

told = {}
pid, terminal = start(["exec", "-it", "--name", "mine", "web"])
resize(terminal, 30, 100)
wait("keys come as they are typed", lambda: not echoes(terminal))
read(terminal, rb"[#$] ")
read(terminal, rb"30 100\r\n", b"stty size\r")
resize(terminal, 41, 101)
read(terminal, rb"41 101\r\n", b"stty size\r")
os.write(terminal, b"sleep 1000\r")
# An interrupt that comes before there is anything to be interrupted is a mere letter.
read(terminal, rb"alive\r\n", b"\x03echo al''ive\r")
os.write(terminal, b"\x10")
os.write(terminal, b"\x11")
left = read(terminal, rb"pierhead attach ([0-9a-z-]+)")
told["left"] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
told["echoes"] = echoes(terminal)
name = re.search(rb"pierhead attach ([0-9a-z-]+)", left).group(1).decode()
pid, terminal = start(["attach", name[:24]])
wait("keys come as they are typed", lambda: not echoes(terminal))
read(terminal, rb"back\r\n", b"echo ba''ck\r")
os.write(terminal, b"exit 5\r")
os.set_blocking(terminal, True)
try:
    while os.read(terminal, 65536):
        pass
except OSError:
    pass
told["ended"] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps(told))
"#;

#[test]
fn a_person_sits_down_leaves_and_comes_back() {
    let bed = Bed::up(1);
    bed.ok(&["run", sample::IMAGE, "--app", "web", "--cpus", "0.1", "--memory", "32"]);
    let folder = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut sits = Command::new("python3");
    sits.args(["-c", SITS]).env("PATH", path).env("TERM", "xterm");
    sits.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
    let ended = Ended::of(&mut sits);
    assert_eq!(ended.code, 0, "{ended:?}");
    let told: Value = ended.json();
    assert_eq!(told, serde_json::json!({ "left": 0, "echoes": true, "ended": 5 }));
    let piped = bed.run(&["exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 9"]);
    assert_eq!((piped.code, piped.stdout.as_str(), piped.stderr.as_str()), (9, "out\n", "err\n"));
    let counted = Ended::with_input(
        crate::program::program()
            .env("PIERHEAD_URL", bed.text("url"))
            .env("PIERHEAD_TOKEN", bed.text("token"))
            .args(["exec", "-i", "web", "--", "wc", "-c"]),
        &"x".repeat(1_000_000),
    );
    assert_eq!((counted.code, counted.stdout.trim()), (0, "1000000"), "{counted:?}");
    let missing = bed.run(&["exec", "web", "--", "/no/such/program"]);
    assert!([126, 127].contains(&missing.code), "{missing:?}");
}
