//! A clock of the test's own for single processes: each believes that it is as much later, or earlier, as a file says. The
//! machine's clock stays as it is, and so does the clock that only counts the time that passes.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// Put before the C library's own: the time of day comes from here.
const SOURCE: &str = r#"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long ahead(void) {
    char path[4096], text[32] = {0};
    const char *folder = getenv("TEST_CLOCK");
    if (!folder) return 0;
    snprintf(path, sizeof path, "%s/%d", folder, (int)getpid());
    int before = errno, file = open(path, O_RDONLY | O_CLOEXEC);
    long seconds = file >= 0 && read(file, text, sizeof text - 1) > 0 ? atol(text) : 0;
    if (file >= 0) close(file);
    errno = before;
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead();
    return failed;
}
"#;

pub struct Clock {
    folder: TempDir,
}

impl Clock {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (source, library) = (folder.path().join("clock.c"), folder.path().join("clock.so"));
        std::fs::write(&source, SOURCE).unwrap();
        let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([library, source]).status();
        assert!(built.unwrap().success());
        Self { folder }
    }

    /// What a process needs in its environment to go by it.
    pub fn env(&self) -> [(&'static str, String); 2] {
        let text = |path: PathBuf| path.display().to_string();
        [("LD_PRELOAD", text(self.folder.path().join("clock.so"))), ("TEST_CLOCK", text(self.folder.path().to_owned()))]
    }

    /// From now on a process is so many seconds ahead of the machine.
    pub fn set(&self, pid: u32, seconds: i64) {
        std::fs::write(self.folder.path().join(pid.to_string()), seconds.to_string()).unwrap();
    }
}

#[test]
fn a_process_goes_by_the_clock_that_it_is_given() {
    let clock = Clock::new();
    let script = "date +%s > before; echo -3600 > $TEST_CLOCK/$$; exec date +%s";
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new("sh").args(["-c", script]).envs(clock.env()).current_dir(&dir).output().unwrap();
    let number = |text: &str| text.trim().parse::<i64>().unwrap();
    let before = number(&std::fs::read_to_string(dir.path().join("before")).unwrap());
    let moved = number(&String::from_utf8(output.stdout).unwrap()) - before;
    assert!((-3600..-3000).contains(&moved), "{moved}");
    clock.set(std::process::id(), 3600);
    let own = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!(own.as_secs().abs_diff(before.unsigned_abs()) < 600, "nobody else goes by it");
}
