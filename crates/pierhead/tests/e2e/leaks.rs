//! Logs that are followed and left leave nothing behind, neither in the program nor in a real engine.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::bed::Bed;
use crate::wait::{PATIENCE, until, until_right};

const AT_ONCE: usize = 50;
const ROUNDS: usize = 5;
/// How many connections to the engine may be kept open for the next call: some calls happen at the same time, others not.
const KEPT_FOR_LATER: usize = 4;
/// In how many looks in a row the number must be the same: a connection that was left is closed a moment later.
const SAME_LOOKS: usize = 10;

fn files_of(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Follows a log; returns when the answer has begun, which is after the engine's has.
fn follow(bed: &Bed, id: &str) -> TcpStream {
    let mut connection = TcpStream::connect(bed.text("url").strip_prefix("http://").unwrap()).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let token = bed.text("token");
    let head = format!(
        "GET /api/containers/{id}/logs?follow=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    let mut begun = [0; 15];
    connection.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200 OK");
    connection
}

#[test]
fn viewers_leave_nothing_behind_on_a_real_host() {
    let bed = Bed::up(1);
    bed.ok(&["run", pierhead_devhosts::sample::IMAGE, "--app", "web"]);
    let containers = bed.json(&["container", "ls"]);
    let id = containers.as_array().unwrap().iter().find(|container| container["app"] == "web").unwrap()["id"].clone();
    let id = id.as_str().unwrap();
    let controller = bed.pool.services().unwrap().into_iter().find(|service| service.name == "controller").unwrap();
    let (controller, engine) = (controller.pid.unwrap(), bed.hosts[0].pid().unwrap().unwrap());
    drop(follow(&bed, id));
    // What the first viewer and the deployment needed has to be gone before anything is compared with it.
    let (mut steady, mut same) = ((0, 0), 0);
    until("the number of open files stays the same", PATIENCE, || {
        let now = (files_of(controller), files_of(engine));
        same = if std::mem::replace(&mut steady, now) == now { same + 1 } else { 0 };
        same == SAME_LOOKS
    });
    let before = steady;
    for round in 0..ROUNDS {
        let open: Vec<TcpStream> = (0..AT_ONCE).map(|_| follow(&bed, id)).collect();
        let during = (files_of(controller), files_of(engine));
        assert!(
            during.0 >= before.0 + 2 * AT_ONCE && during.1 >= before.1 + AT_ONCE,
            "round {round}: one file for the viewer, one for the engine, and one there: {before:?}, {during:?}"
        );
        drop(open);
    }
    let back = until_right(PATIENCE, || {
        let now = (files_of(controller), files_of(engine));
        if now.0 <= before.0 + KEPT_FOR_LATER && now.1 <= before.1 + KEPT_FOR_LATER {
            Ok(())
        } else {
            Err(format!("{before:?} before, {now:?} now"))
        }
    });
    back.unwrap();
}
