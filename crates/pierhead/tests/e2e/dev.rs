//! `pierhead dev`: up, status, down, and `run` in the foreground.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use pierhead_devhosts::{Pool, sample};

use crate::bed::Bed;
use crate::place::{Place, network_of, network_traces};
use crate::program::{Background, Ended, program, signal};
use crate::raw;
use crate::wait::{PATIENCE, until, until_right, until_some};

fn dev(place: &Place, args: &[&str]) -> Ended {
    Ended::of(program().arg("dev").args(args).arg("--dir").arg(place.pool()))
}

#[test]
fn what_is_no_pool_is_neither_removed_nor_shown() {
    let place = Place::new();
    let mine = place.beside("mine");
    std::fs::create_dir_all(&mine).unwrap();
    std::fs::write(mine.join("notes"), "mine").unwrap();
    for folder in [&mine, &place.beside("typo")] {
        for verb in ["down", "status"] {
            let refused = Ended::of(program().args(["dev", verb, "--dir"]).arg(folder));
            assert!(refused.code == 1 && refused.stdout.is_empty(), "{verb}: {refused:?}");
            assert!(refused.stderr.contains("there is no pool in"), "{verb}: {refused:?}");
        }
    }
    assert_eq!(std::fs::read_to_string(mine.join("notes")).unwrap(), "mine");
}

#[test]
fn a_pool_is_told_refused_twice_and_removed_whatever_died() {
    let bed = Bed::up(2);
    what_is_told_is_so(&bed);
    the_password_logs_in(&bed);
    another_up_is_refused(&bed);
    status_tells_who_is_dead(&bed);

    bed.ok(&["run", sample::IMAGE, "--count", "2", "--memory", "16", "--cpus", "0.05"]);
    let pids: Vec<u32> = bed.hosts.iter().map(|host| host.pid().unwrap().unwrap()).collect();
    let netns = network_of(pids[0]).unwrap();
    assert!(!network_traces(&netns).is_empty());
    pids.into_iter().chain([controller(&bed)]).for_each(|process| signal(process, "KILL"));
    let (dead, _) = until_some("their ends are noticed", PATIENCE, || {
        Some(dev(&bed.place, &["status"])).filter(|status| status.code == 1 && status.stdout.contains("dead  "))
    });
    assert!(dead.stderr.contains("controller does not run"), "{dead:?}");
    let down = dev(&bed.place, &["down", "--json"]);
    assert_eq!(down.code, 0, "{down:?}");
    assert_eq!(down.json()["state"], "gone");
    assert_eq!(bed.place.traces().into_iter().collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(network_traces(&netns), Vec::<String>::new());
    let again = dev(&bed.place, &["down"]);
    assert!(again.code == 1 && again.stderr.contains("there is no pool in"), "{again:?}");
    let status = dev(&bed.place, &["status"]);
    assert!(status.code == 1 && status.stderr.contains(&bed.place.pool().display().to_string()), "{status:?}");
}

fn controller(bed: &Bed) -> u32 {
    bed.pool.services().unwrap().iter().find(|service| service.name == "controller").unwrap().pid.unwrap()
}

fn what_is_told_is_so(bed: &Bed) {
    assert_eq!(bed.text("username"), "admin");
    assert!(bed.text("url").starts_with("http://127.0.0.1:"));
    assert!(bed.text("password").len() >= 16 && bed.text("token").len() >= 16);
    let hosts = bed.told["hosts"].as_array().unwrap();
    let names: Vec<&str> = hosts.iter().map(|host| host["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["host-1", "host-2"]);
    for host in hosts {
        let docker_host = host["docker_host"].as_str().unwrap();
        assert!(docker_host.contains(host["address"].as_str().unwrap()));
        let (status, info) = raw::ask(docker_host, "GET", "/info", None);
        assert_eq!((status, &info["Name"]), (200, &host["name"]));
        assert!(std::fs::read_to_string(format!("/proc/{}/comm", host["pid"])).unwrap().starts_with("dockerd"));
    }
    assert_eq!(bed.json(&["engine", "ls"]).as_array().unwrap().len(), 2);
    assert_eq!(bed.json(&["container", "ls", "--all"]), serde_json::json!([]), "nothing is deployed");
}

fn the_password_logs_in(bed: &Bed) {
    let config = bed.place.beside("config").display().to_string();
    let here = ["--config-dir", &config];
    let args = ["login", "--url", bed.text("url"), "--username", "admin", "--password-stdin"];
    let mut log_in = program();
    let wrong = Ended::with_input(log_in.args(args).args(here), "not the password\n");
    assert_eq!(wrong.code, 5, "{wrong:?}");
    let mut log_in = program();
    let right = Ended::with_input(log_in.args(args).args(here), &format!("{}\n", bed.text("password")));
    assert_eq!(right.code, 0, "{right:?}");
    let listed = Ended::of(program().args(["engine", "ls", "--json"]).args(here));
    assert_eq!(listed.json().as_array().unwrap().len(), 2, "address and token were kept");
}

fn another_up_is_refused(bed: &Bed) {
    let again = dev(&bed.place, &["up", "--hosts", "1", "--json"]);
    assert_eq!((again.code, again.stdout.as_str()), (1, ""), "{again:?}");
    assert!(again.stderr.contains("already holds a running pool"), "{again:?}");
    assert_eq!(bed.pool.hosts().unwrap().len(), 2);
    let full = bed.place.beside("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("notes"), "mine").unwrap();
    let refused = Ended::of(program().args(["dev", "up", "--dir"]).arg(&full));
    assert!(refused.code == 1 && refused.stderr.contains("notes"), "{refused:?}");
    for bad in ["0", "51", "many"] {
        assert_eq!(dev(&bed.place, &["up", "--hosts", bad]).code, 2, "{bad}");
    }
}

fn status_tells_who_is_dead(bed: &Bed) {
    // Whoever takes longer than a second over an answer counts as one that hangs.
    let (status, _) = until_some("all hosts answer", PATIENCE, || {
        let status = dev(&bed.place, &["status", "--json"]).json();
        let all_answer = status["hosts"].as_array().unwrap().iter().all(|host| host["answers"] == true);
        all_answer.then_some(status)
    });
    assert_eq!(status["services"][0]["name"], "controller");
    bed.hosts[1].kill_engine().unwrap();
    until_right(PATIENCE, || {
        let table = dev(&bed.place, &["status"]).stdout;
        let state_of = |name: &str| {
            let row = table.lines().find(|row| row.starts_with(name)).unwrap();
            row.split_whitespace().nth(2).unwrap().to_owned()
        };
        let states = ["host-1", "host-2", "controller"].map(state_of);
        if states == ["answers", "dead", "runs"] { Ok(()) } else { Err(table) }
    })
    .unwrap();
    bed.hosts[1].start_engine().unwrap();
    until("the host is back", PATIENCE, || bed.engine("host-2")["health"]["status"] == "healthy");
}

#[test]
fn the_demonstration_shows_a_page_and_leaves_nothing() {
    let place = Place::new();
    let mut run = program();
    run.args(["dev", "run", "--hosts", "2", "--dir"]).arg(place.pool()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = run.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let errors = child.stderr.take().unwrap();
    let mut child = Background::of(child);
    let mut pages = Vec::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [id, _, _, url] = words[..]
            && let Some(address) = url.strip_prefix("http://10.")
        {
            pages.push((id.to_owned(), format!("tcp://10.{}", address.trim_end_matches('/'))));
        }
        if line.starts_with("Ctrl-C") {
            break;
        }
    }
    assert_eq!(pages.len(), 3);
    for (id, address) in &pages {
        assert_eq!(raw::page(address), *id);
    }
    let host = Pool::open(&place.pool()).unwrap().hosts().unwrap()[0].pid().unwrap().unwrap();
    let netns = network_of(host).unwrap();
    assert!(!network_traces(&netns).is_empty());

    signal(child.pid(), "INT");
    let (status, took) = child.end();
    println!("everything was removed after {took:?}");
    let told = std::io::read_to_string(errors).unwrap();
    assert!(status.success() && told.ends_with("Everything is gone.\n"), "{status}: {told}");
    assert_eq!(place.traces().into_iter().collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(network_traces(&netns), Vec::<String>::new());
}
