//! `pierhead dev up` with an etcd cluster and several controllers on it.

use pierhead_devhosts::sample;
use serde_json::Value;

use crate::api::Api;
use crate::bed::Bed;
use crate::place::Place;
use crate::program::{Ended, program, signal};
use crate::raw;
use crate::wait::{PATIENCE, until, until_some};

fn servers(bed: &Bed, kind: &str) -> Vec<(String, u32)> {
    let server = |told: &Value| (told["url"].as_str().unwrap().to_owned(), told["pid"].as_u64().unwrap() as u32);
    bed.told[kind].as_array().unwrap().iter().map(server).collect()
}

fn status(bed: &Bed) -> Ended {
    Ended::of(program().args(["dev", "status", "--json", "--dir"]).arg(bed.place.pool()))
}

#[test]
fn several_controllers_share_an_etcd_and_all_hosts() {
    let bed = Bed::up_with(2, &["--agents", "--etcd", "3", "--controllers", "2"]);
    let (controllers, members) = (servers(&bed, "controllers"), servers(&bed, "etcd"));
    assert_eq!((controllers.len(), members.len()), (2, 3));
    assert_eq!(bed.text("url"), controllers[0].0);
    let program_of = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    assert!(controllers.iter().all(|(_, pid)| program_of(*pid) == "pierhead\n"));
    assert!(members.iter().all(|(url, pid)| program_of(*pid) == "etcd\n" && url.starts_with("http://10.77.")));
    each_sees_what_the_other_made(&bed, &controllers);

    until("all members answer", PATIENCE, || {
        let told = status(&bed).json();
        told["etcd"].as_array().unwrap().iter().all(|member| member["answers"] == true)
    });
    // One of each may be dead.
    signal(controllers[1].1, "KILL");
    signal(members[0].1, "KILL");
    let seen = until_some("their ends are noticed", PATIENCE, || {
        let told = status(&bed);
        let seen = told.json();
        let dead = seen["services"].as_array()?.iter().filter(|service| service["alive"] == false).count();
        (dead == 1 && seen["etcd"][0]["alive"] == false).then_some(told)
    });
    assert_eq!(seen.0.code, 0, "{seen:?}");
    assert_eq!(seen.0.json()["etcd"][1]["alive"], true);
    signal(controllers[0].1, "KILL");
    until("a pool without a controller is none", PATIENCE, || status(&bed).code == 1);
    let down = Ended::of(program().args(["dev", "down", "--dir"]).arg(bed.place.pool()));
    assert_eq!(down.code, 0, "{down:?}");
    assert!(bed.place.traces().is_empty(), "{:?}", bed.place.traces());
}

fn each_sees_what_the_other_made(bed: &Bed, controllers: &[(String, u32)]) {
    bed.ok(&["run", sample::IMAGE, "--count", "4", "--app", "web", "--memory", "16", "--cpus", "0.05"]);
    for (url, _) in controllers {
        let api = Api::new(url, Some(bed.text("token")));
        until("both hosts are well, as every controller says", PATIENCE, || {
            let engines = api.wait(api.client.engines()).unwrap().into_value();
            engines.len() == 2 && engines.iter().all(|engine| engine.health.status == "healthy")
        });
        until("four run, as every controller says", PATIENCE, || {
            api.wait(api.client.app("web")).is_ok_and(|app| app.running == 4)
        });
    }
    assert_eq!(raw::of_app(&bed.hosts, "web").len(), 4);
}

#[test]
fn controllers_that_share_nothing_are_refused() {
    let place = Place::new();
    let refused = |flags: &[&str]| Ended::of(program().args(["dev", "up", "--dir"]).arg(place.pool()).args(flags));
    let alone = refused(&["--controllers", "2"]);
    assert!(alone.code == 1 && alone.stderr.contains("give --etcd 1 or --etcd 3 too"), "{alone:?}");
    for flags in [["--etcd", "10"], ["--etcd", "-1"], ["--controllers", "0"], ["--controllers", "10"]] {
        assert_eq!(refused(&flags).code, 2, "{flags:?}");
    }
    assert!(!place.pool().exists());
}
