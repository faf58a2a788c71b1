//! Work in workspaces on real hosts that is not lost: controllers, agents and engines are killed, hosts are cut off and
//! switched off, at moments that the engines' own lists tell. Compared is what is in the files, byte by byte; they are a
//! database's, in an image that declares a volume for them.
//!
//! With `PIERHEAD_SOAK=1` in the environment: all causes, and 60 more pairs at random, or `PIERHEAD_SOAK_WORK`, from the seed
//! `PIERHEAD_SOAK_SEED`; and a hundred saves in a row of a gigabyte.

mod desk;
mod hosts;
mod many;

use std::net::Ipv4Addr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use pierhead_devhosts::Host;

use crate::agents::{again, agent, argv, in_host, is_healthy, kill_controller, start_controller};
use crate::bed::Bed;
use crate::program::{Background, signal};
use crate::raw;
use crate::wait::until;
use desk::{Desk, LONG};

/// What happens, always to the host that it lives on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cause {
    Controller,
    Agent,
    Engine,
    Cut,
    /// Somebody else asks for a save, too.
    Second,
}

/// When.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// Its files are becoming an image; it is frozen for that.
    Frozen,
    /// They became an image of several layers.
    Committed,
    /// They became one of one layer.
    Squashed,
    /// A second host has that.
    Copied,
    /// So many milliseconds after it was asked for.
    Millis(u64),
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Save,
    Stop,
}

use Moment::{Committed, Copied, Frozen, Millis, Squashed};
use Way::{Save, Stop};

const ALWAYS: [(Cause, Way, Moment); 2] = [(Cause::Engine, Save, Frozen), (Cause::Controller, Stop, Squashed)];
const IN_SOAK: [(Cause, Way, Moment); 7] = [
    (Cause::Second, Save, Committed),
    (Cause::Controller, Save, Committed),
    (Cause::Agent, Stop, Committed),
    (Cause::Agent, Save, Squashed),
    (Cause::Engine, Stop, Committed),
    (Cause::Cut, Save, Frozen),
    (Cause::Cut, Stop, Copied),
];

#[test]
fn whatever_is_killed_while_it_is_saved_its_work_is_kept() {
    let bed = Bed::up_with(3, &["--agents"]);
    let mut desk = Desk::open(&bed, 20_000_000);
    desk.save("first");
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let is_soak = is_soak();
    let more = number("PIERHEAD_SOAK_WORK").unwrap_or(if is_soak { 60 } else { 0 });
    let seed = number("PIERHEAD_SOAK_SEED").unwrap_or(1);
    let in_soak = IN_SOAK.into_iter().filter(|_| is_soak);
    for (round, (cause, way, moment)) in ALWAYS.into_iter().chain(in_soak).chain(random(more, seed)).enumerate() {
        let began = Instant::now();
        play(&mut desk, cause, way, moment);
        println!("{round}: {cause:?}, {way:?}, {moment:?}: {:?}", began.elapsed());
    }
    goes_on_when_it_was_left_frozen(&bed, &desk);
    is_kept_apart(&bed, &desk);
    hosts::one_is_lost_and_returns(&bed, &mut desk);
    desk.ends();
    if is_soak {
        many::are_the_same_however_often_they_are_saved();
    }
}

fn is_soak() -> bool {
    std::env::var_os("PIERHEAD_SOAK").is_some()
}

fn random(count: u64, seed: u64) -> Vec<(Cause, Way, Moment)> {
    let mut state = seed;
    let mut next = |below: usize| {
        // Knuth's constants; the upper bits are the better ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut draw = |_| {
        let cause = [Cause::Controller, Cause::Agent, Cause::Engine, Cause::Cut, Cause::Second][next(5)];
        let moment = [Frozen, Committed, Squashed, Copied, Millis(next(2_000) as u64)][next(5)];
        (cause, [Save, Stop][next(2)], moment)
    };
    (0..count).map(&mut draw).collect()
}

fn play(desk: &mut Desk<'_>, cause: Cause, way: Way, moment: Moment) {
    desk.works("head -c 300000 /dev/urandom >fresh; $b ln -f fresh same; date >>log");
    let (bed, id, home) = (desk.bed, desk.id.clone(), desk.home());
    let before = desk.images();
    thread::scope(|scope| {
        let asked = scope.spawn(|| match way {
            Save => bed.run(&["workspace", "save", &id, "--name", "asked for"]),
            Stop => bed.run(&["workspace", "stop", &id]),
        });
        // What is over sooner than anybody could look is over: then the cause comes right after it.
        let reached = || match moment {
            Millis(_) => true,
            Frozen => desk.is_frozen() || desk.is_new(&before, 0),
            Committed => desk.is_new(&before, 0),
            Squashed => desk.is_new(&before, 1),
            Copied => desk.is_new(&before, 2),
        };
        if let Millis(milliseconds) = moment {
            thread::sleep(Duration::from_millis(milliseconds));
        }
        until("the moment", LONG, || asked.is_finished() || reached());
        inflict(bed, cause, &id, &home);
        drop(asked.join().unwrap());
    });
    // Whoever's request was cut off asks again.
    if way == Stop {
        until("it is stopped", LONG, || {
            desk.phase() == "saved" || bed.run(&["workspace", "stop", &id]).code == 0 && desk.phase() == "saved"
        });
        until("nothing of it is left", LONG, || desk.containers() == 0);
        until("it is started", LONG, || bed.run(&["workspace", "start", &id]).code == 0);
    }
    until("it is ready", LONG, || desk.phase() == "ready");
    desk.is_whole();
    until("it runs once", LONG, || desk.containers() == 1);
    desk.newest_save_is_complete();
}

fn inflict(bed: &Bed, cause: Cause, id: &str, home: &str) {
    let host = bed.host(home);
    match cause {
        Cause::Controller => start_controller(bed, kill_controller(bed)),
        Cause::Agent => {
            let words = words_of_agent(bed, home);
            signal(agent(bed, home), "KILL");
            until("a host without its agent is not healthy", LONG, || !is_healthy(bed, home));
            again(bed, &format!("agent-{home}"), in_host(bed, home, words));
        }
        Cause::Engine => {
            host.kill_engine().unwrap();
            until("a host without its engine is not healthy", LONG, || !is_healthy(bed, home));
            host.start_engine().unwrap();
        }
        Cause::Cut => {
            host.cut().unwrap();
            until("a host that is cut off is not healthy", LONG, || !is_healthy(bed, home));
            host.restore().unwrap();
        }
        Cause::Second => drop(bed.run(&["workspace", "save", id, "--name", "second"])),
    }
    until("the host is healthy", LONG, || is_healthy(bed, home));
}

/// How the agent of a host is started again: without its token, as any restart is.
fn words_of_agent(bed: &Bed, host: &str) -> Vec<String> {
    let mut words = argv(agent(bed, host));
    if let Some(at) = words.iter().position(|word| word == "--join") {
        words.drain(at..at + 2);
    }
    words
}

/// Runs something in a host's network.
fn inside(host: &Host, words: &[&str]) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["--target", &host.pid().unwrap().unwrap().to_string(), "--net", "--"]).args(words);
    command
}

/// So an engine leaves it that was killed while it read its files, if its containers outlive it.
fn goes_on_when_it_was_left_frozen(bed: &Bed, desk: &Desk<'_>) {
    let container = desk.show()["containers"][0]["id"].as_str().unwrap().to_owned();
    raw::call(bed.host(&desk.home()), "POST", &format!("/containers/{container}/pause"), None);
    until("it goes on", LONG, || !desk.is_frozen() && desk.phase() == "ready");
    desk.is_whole();
}

/// Engines were killed and started again, and it still does not reach a server on its host, which their own rules would let it.
fn is_kept_apart(bed: &Bed, desk: &Desk<'_>) {
    let host = bed.host(&desk.home());
    let pages = bed.place.beside("pages");
    std::fs::create_dir_all(&pages).unwrap();
    std::fs::write(pages.join("index.html"), "the host's\n").unwrap();
    let serve = ["busybox", "httpd", "-f", "-p", "8099", "-h", pages.to_str().unwrap()];
    let _server = Background::start(&mut inside(host, &serve));
    let networks = raw::call(host, "GET", "/networks", None);
    let its = networks.as_array().unwrap().iter().find(|it| it["Name"] == format!("ph-{}", desk.id)).unwrap();
    let subnet: Ipv4Addr =
        its["IPAM"]["Config"][0]["Subnet"].as_str().unwrap().split('/').next().unwrap().parse().unwrap();
    let url = format!("http://{}:8099/", Ipv4Addr::from(u32::from(subnet) + 1));
    until("the server answers its host", LONG, || {
        inside(host, &["busybox", "wget", "-q", "-O", "-", &url]).output().unwrap().stdout == b"the host's\n"
    });
    let tried = desk.exec(&format!("wget -T 5 -q -O - {url} || echo refused"));
    assert_eq!(tried.as_deref(), Some("refused\n"), "a workspace reaches its host");
}
