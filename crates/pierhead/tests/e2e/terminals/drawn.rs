//! Programs that draw the whole screen, as Debian has them: vim with its mouse, and top. What they need of this machine
//! is packed as an image.

use super::homes::Homes;
use super::seat::Seat;
use crate::wait::PATIENCE;
use pierhead_devhosts::http::{Body, request};
use pierhead_terminal::{ClientMessage, SizeOf};
use pierhead_wire::TerminalRequest;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const IMAGE: &str = "pierhead/screens:1";
const PROGRAMS: [&str; 3] = ["/usr/bin/vim", "/usr/bin/top", "/usr/bin/busybox"];
/// What they read beside their libraries.
const DATA: [&str; 2] = ["/lib/terminfo/x/xterm-256color", "/usr/lib/locale/C.utf8"];
/// Twelve megabytes, on a machine that does much else.
const LOAD_LIMIT: Duration = Duration::from_secs(60);

pub async fn programs_draw(homes: &Homes) {
    load(homes.bare_engine());
    let container = homes.run_bare(IMAGE, "screens");
    vim(homes, &container).await;
    top(homes, &container).await;
}

/// A wide text is typed, a click puts the cursor between its characters, and somebody who comes later sees all of it.
async fn vim(homes: &Homes, container: &str) {
    let begins = "exec vim -u NONE -N -n -c 'set mouse=a ttymouse=sgr nosol laststatus=2' /x";
    let terminal = open(homes, container, begins).await;
    let mut seat = Seat::take(&homes.client, &terminal).await;
    seat.until_seen("/x").await;
    seat.type_in("i你好🙂|wide\r\x1b[200~  pasted\r  twice\x1b[201~\x1b").await;
    seat.until_seen("twice").await;
    // In the fifth cell of the first line stands the third character.
    seat.type_in("\x1b[<0;5;1M\x1b[<0;5;1m").await;
    seat.type_in("iHERE\x1b").await;
    seat.until_seen("HERE").await;
    seat.say(&ClientMessage::Resize(SizeOf { columns: 100, rows: 30 })).await;
    seat.type_in(":vsplit\r").await;
    until_wide(&mut seat).await;
    let screen = Seat::look(&homes.client, &terminal).await;
    assert_eq!(screen.matches("你好HERE🙂|wide").count(), 2, "once in each half: {screen:?}");
    for mode in ["\x1b[?1049h", "\x1b[?1006h", "\x1b[?2004h"] {
        assert!(screen.contains(mode), "{mode:?} is not in {screen:?}");
    }
    seat.type_in(":wqa\r").await;
    seat.end().await;
    let shown = open(homes, container, "cat /x; echo; exec sleep 1000").await;
    let mut seat = Seat::take(&homes.client, &shown).await;
    seat.until_seen("你好HERE🙂|wide\r\n  pasted\r\n  twice\r\n").await;
    homes.client.end_terminal(&shown).await.unwrap();
}

/// The size comes to the program a moment after everybody was told of it.
async fn until_wide(seat: &mut Seat) {
    let deadline = Instant::now() + PATIENCE;
    while !seat.has_seen("is=100") {
        assert!(Instant::now() < deadline, "{}", seat.tail());
        seat.seen.clear();
        seat.type_in(":echo 'is'.'='.&columns\r").await;
        seat.until_seen("is=").await;
        seat.until_seen("0").await;
    }
}

async fn top(homes: &Homes, container: &str) {
    let terminal = open(homes, container, "exec /usr/bin/top -d 0.5").await;
    let mut seat = Seat::take(&homes.client, &terminal).await;
    seat.until_seen("load average").await;
    seat.until_seen("PID").await;
    let screen = Seat::look(&homes.client, &terminal).await;
    assert!(screen.contains("load average") && screen.contains("PID") && screen.contains("top"), "{screen:?}");
    seat.type_in("q").await;
    seat.end().await;
}

async fn open(homes: &Homes, container: &str, script: &str) -> String {
    let script = format!("export LANG=C.UTF-8 TERM=xterm-256color; {script}");
    let command = ["/bin/sh".to_owned(), "-c".to_owned(), script].to_vec();
    homes.open_as(container, &TerminalRequest { command, ..TerminalRequest::default() }).await.id
}

/// Packs the programs with what they are linked with, and gives them to an engine.
fn load(docker_host: &str) {
    let mut files: BTreeSet<PathBuf> = PROGRAMS.iter().chain(&DATA).map(PathBuf::from).collect();
    files.extend(PROGRAMS.iter().flat_map(|program| libraries(program)));
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let into = dir.path().join(file.strip_prefix("/").unwrap());
        std::fs::create_dir_all(into.parent().unwrap()).unwrap();
        copy(&file, &into);
    }
    std::fs::create_dir_all(dir.path().join("bin")).unwrap();
    for name in ["sh", "cat", "sleep", "stty"] {
        std::os::unix::fs::symlink("/usr/bin/busybox", dir.path().join("bin").join(name)).unwrap();
    }
    let packed = Command::new("tar").args(["-c", "-C"]).arg(dir.path()).arg(".").output().unwrap();
    assert!(packed.status.success(), "{packed:?}");
    let changes = "CMD%20%5B%22%2Fbin%2Fsleep%22%2C%221000%22%5D";
    let (name, tag) = IMAGE.split_once(':').unwrap();
    let path = format!("/images/create?fromSrc=-&repo={name}&tag={tag}&changes={changes}");
    let answer = request(docker_host, "POST", &path, Body::Tar(&packed.stdout), LOAD_LIMIT).unwrap();
    assert!(answer.status == 200 && !answer.text().contains("errorDetail"), "{}", answer.text());
}

/// A file, or all of a folder; what is behind a link.
fn copy(from: &Path, into: &Path) {
    if !from.is_dir() {
        std::fs::copy(from, into).unwrap();
        return;
    }
    std::fs::create_dir_all(into).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        copy(&from.join(&name), &into.join(&name));
    }
}

/// What a program is linked with, its loader too; nothing for a static one.
fn libraries(program: &str) -> Vec<PathBuf> {
    let told = Command::new("ldd").arg(program).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    told.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}
