//! What is seen of real hosts behind agents when something of them dies, and that nothing is seen where nobody dies.

use crate::agents::{again, agent, argv, in_host, is_healthy, started};
use crate::api::Api;
use crate::bed::Bed;
use crate::program::signal;
use crate::wait::{PATIENCE, until, until_right};
use pierhead_devhosts::sample;
use rustix::process::{Pid, Signal, kill_process};
use std::thread;
use std::time::{Duration, Instant};

/// How long somebody stands still.
const PAUSE: Duration = Duration::from_millis(500);

#[test]
fn every_death_is_told_apart_and_nobody_dies_who_stands_still() {
    let bed = Bed::up_with(3, &["--agents"]);
    bed.ok(&["run", sample::IMAGE, "--count", "6", "--app", "web", "--cpus", "0.05", "--memory", "16"]);
    a_controller_that_stood_still_blames_nobody(&bed);
    assert_eq!(alarms_of_pauses(&bed, 8), Vec::<String>::new());
    an_agent_that_is_started_again_moves_nothing(&bed);
    an_engine_that_hangs(&bed);
    an_engine_that_is_dead(&bed);
    a_host_that_is_cut_off(&bed);
    a_host_whose_agent_stays_away(&bed);
}

fn controller(bed: &Bed) -> u32 {
    bed.pool.services().unwrap().iter().find(|service| service.name == "controller").unwrap().pid.unwrap()
}

/// The hosts that were called dead until now.
fn called_dead(bed: &Bed) -> Vec<String> {
    let events = bed.json(&["events", "--type", "engine-down"]);
    events.as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

fn all_are_healthy(bed: &Bed) {
    until("all hosts are healthy", PATIENCE, || bed.hosts.iter().all(|host| is_healthy(bed, host.name())));
}

/// Stops a process in its tracks for a while, and no longer: to start a program for that takes its time.
fn stand_still(pid: u32, pause: Duration) {
    let process = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(process, Signal::STOP).unwrap();
    // This is no condition to wait for: it is the fault itself.
    thread::sleep(pause);
    kill_process(process, Signal::CONT).unwrap();
}

fn a_controller_that_stood_still_blames_nobody(bed: &Bed) {
    stand_still(controller(bed), Duration::from_secs(3));
    until("the controller answers", PATIENCE, || bed.run(&["engine", "ls"]).code == 0);
    all_are_healthy(bed);
    assert_eq!(called_dead(bed), Vec::<String>::new());
}

/// Who is called dead while agents, engines and the controller stand still for half a second each, in turn.
pub fn alarms_of_pauses(bed: &Bed, rounds: u64) -> Vec<String> {
    let before = called_dead(bed);
    for round in 0..rounds {
        let host = &bed.hosts[usize::try_from(round).unwrap() % bed.hosts.len()];
        for pid in [agent(bed, host.name()), host.pid().unwrap().unwrap(), controller(bed)] {
            stand_still(pid, PAUSE);
        }
    }
    all_are_healthy(bed);
    let told = called_dead(bed);
    told[..told.len() - before.len()].to_vec()
}

/// Waits until a host is in a state for a reason, and says after how long. Some states last less than a second.
fn seen(bed: &Bed, host: &str, status: &str, words: &str, since: Instant) {
    let api = Api::new(bed.text("url"), Some(bed.text("token")));
    let mut last = (String::new(), String::new());
    until(&format!("{host} is {status}: {words}"), PATIENCE, || {
        let health = api.health(host);
        if health != last {
            last = health;
            println!("{host} after {:?}: {last:?}", since.elapsed());
        }
        last.0 == status && last.1.contains(words)
    });
}

/// Waits until it is told of the host that died last in one of these words.
fn told(bed: &Bed, words: &[&str]) {
    until_right(PATIENCE, || {
        let told = called_dead(bed);
        let is_told = told.first().is_some_and(|newest| words.iter().any(|words| newest.contains(words)));
        if is_told { Ok(()) } else { Err(told) }
    })
    .unwrap();
}

fn an_agent_that_is_started_again_moves_nothing(bed: &Bed) {
    let (before, pid) = (started(bed), agent(bed, "host-2"));
    let mut words = argv(pid);
    let at = words.iter().position(|word| word == "--join").unwrap();
    words.drain(at..at + 2);
    let words = in_host(bed, "host-2", words);
    let began = Instant::now();
    signal(pid, "KILL");
    seen(bed, "host-2", "suspect", "the host lives: its kernel answers", began);
    again(bed, "agent-host-2", words);
    seen(bed, "host-2", "healthy", "", began);
    assert_eq!(started(bed), before, "nothing was moved or restarted");
}

fn an_engine_that_hangs(bed: &Bed) {
    let host = bed.host("host-1");
    let began = Instant::now();
    host.hang_engine().unwrap();
    seen(bed, "host-1", "down", "its engine hangs", began);
    host.resume_engine().unwrap();
    all_are_healthy(bed);
}

fn an_engine_that_is_dead(bed: &Bed) {
    let host = bed.host("host-3");
    let began = Instant::now();
    host.kill_engine().unwrap();
    seen(bed, "host-3", "down", "its engine does not run", began);
    host.start_engine().unwrap();
    all_are_healthy(bed);
}

fn a_host_that_is_cut_off(bed: &Bed) {
    let host = bed.host("host-1");
    let began = Instant::now();
    host.cut().unwrap();
    seen(bed, "host-1", "down", "the host is off or cut off", began);
    told(bed, &["its kernel answers none of", "its kernel does not answer"]);
    host.restore().unwrap();
    all_are_healthy(bed);
}

fn a_host_whose_agent_stays_away(bed: &Bed) {
    let pid = agent(bed, "host-2");
    let began = Instant::now();
    signal(pid, "KILL");
    seen(bed, "host-2", "down", "its agent has not run or could not call", began);
    told(bed, &["the host lives: its kernel answers this controller"]);
}
