//! What people read about a placement.

use crate::placement::tests::sample::*;
use crate::{Avoid, HostFacts, Ledger, PlacementPolicy, Request, Verdict};
use insta::assert_snapshot;
use pierhead_model::Placement;
use std::fmt::Write;

fn told(ledger: &Ledger, request: &Request) -> String {
    let explanation = ledger.explain(request);
    let mut text = String::new();
    for host in explanation.hosts {
        match host.verdict {
            Verdict::Refused { filter, reason } => writeln!(text, "{}: {filter:?}: {reason}", host.engine),
            Verdict::Fits { score, cpu_part, memory_part, reserved, allocatable } => writeln!(
                text,
                "{}: {score:.2} = {cpu_part:.2} + {memory_part:.2}; {}/{} millis, {}/{} MB",
                host.engine, reserved.cpu_millis, allocatable.cpu_millis, reserved.memory_mb, allocatable.memory_mb,
            ),
        }
        .unwrap();
    }
    match (explanation.chosen, explanation.refusal) {
        (Some(engine), None) => writeln!(text, "=> {engine}").unwrap(),
        (None, Some(refusal)) => writeln!(text, "=> {refusal}").unwrap(),
        both => panic!("either or: {both:?}"),
    }
    text
}

fn refusal(ledger: &Ledger, request: &Request) -> String {
    ledger.place(request).unwrap_err().to_string()
}

#[test]
fn every_host_has_its_verdict() {
    let mut ledger = ledger([
        facts("host-1", 4, 4096),
        facts("host-2", 8, 8192),
        HostFacts { unavailable: Some("down: connection refused".to_owned()), ..facts("host-3", 8, 8192) },
        facts("host-4", 1, 1024),
        facts("host-5", 4, 256),
    ]);
    ledger.hold(key(1), hold("host-2", 3000, 1024));
    ledger.hold(key(2), hold("host-4", 900, 64));
    assert_snapshot!(told(&ledger, &request(500, 512)), @r"
    host-1: 87.50 = 56.88 + 30.62; 0/4000 millis, 0/4096 MB
    host-2: 65.00 = 36.56 + 28.44; 3000/8000 millis, 1024/8192 MB
    host-3: Unavailable: down: connection refused
    host-4: Cpu: lacks 0.4 CPU: 0.1 of 1 free
    host-5: Memory: lacks 256 MB memory: 256 of 256 MB free
    => host-1
    ");
}

#[test]
fn every_filter_says_why() {
    let mut ledger = ledger([
        labelled("bare", &[]),
        labelled("failed", &["ssd"]),
        labelled("port", &["ssd"]),
        labelled("runs", &["ssd"]),
        labelled("suits", &["ssd"]),
        labelled("unlinked", &["ssd"]),
    ]);
    for (number, id) in (0..).zip(["bare", "failed", "port", "runs", "suits"]) {
        let mut held = hold(id, 0, 0);
        held.names = vec!["db".to_owned()];
        if id == "port" {
            held.ports = vec![bound(None, 80)];
        }
        if id == "runs" {
            held.images = vec!["httpd:latest".to_owned()];
        }
        ledger.hold(key(number), held);
    }
    let mut asked = with(request(100, 64), |member| {
        member.placement = Placement::Multi;
        member.labels = vec![label("ssd|nvme")];
        member.links = vec!["db".to_owned()];
        member.ports = vec![port(None, Some(80))];
    });
    asked.avoid = vec![Avoid { engine: engine("failed"), reason: "no such image".to_owned() }];
    assert_snapshot!(told(&ledger, &asked), @r"
    bare: Label: its labels don't satisfy ssd|nvme
    failed: Tried: failed there before: no such image
    port: Port: port 80/tcp is taken
    runs: Unique: it runs httpd:latest already
    suits: 97.83 = 63.38 + 34.45; 0/4000 millis, 0/4096 MB
    unlinked: Link: it has no container db to link to
    => suits
    ");
    ledger.remove_host(&engine("suits"));
    assert_snapshot!(refusal(&ledger, &asked), @"no place on any of 5 hosts: 1 lacks a label, 1 runs the image already, 1 lacks a linked container, 1 failed before, 1 has no free port for it; nearest is port: port 80/tcp is taken");
}

#[test]
fn of_a_named_host_alone_it_is_told_why() {
    let down = HostFacts { unavailable: Some("down: no route to host".to_owned()), ..facts("host-2", 1, 1024) };
    let ledger = ledger([facts("host-1", 1, 1024), down, facts("host-3", 1, 1024)]);
    let on = |id| with(request(2000, 64), |member| member.placement = Placement::Host(engine(id)));
    assert_snapshot!(refusal(&ledger, &on("host-1")), @"no room on the host that is asked for, host-1, which lacks 1 CPU");
    assert_snapshot!(refusal(&ledger, &on("host-2")), @"no place on the host that is asked for, host-2: down: no route to host");
    assert_snapshot!(refusal(&ledger, &on("host-4")), @"no place: host-4 is asked for, which is not a host of the pool");
}

#[test]
fn a_refusal_names_the_nearest_host_and_what_it_lacks() {
    let mut ledger = three_hosts();
    ledger.hold(key(1), hold("host-1", 3900, 0));
    ledger.hold(key(2), hold("host-2", 3400, 0));
    ledger.hold(key(3), hold("host-3", 0, 4000));
    assert_snapshot!(refusal(&ledger, &request(1000, 512)), @"no room on any of 3 hosts: 2 lack CPU, 1 lacks memory; nearest is host-2, which lacks 0.4 CPU");
    assert_snapshot!(refusal(&ledger, &request(100_000, 512)), @"no room on any of 3 hosts: all lack CPU; nearest is host-3, which lacks 96 CPU and 416 MB memory");
    assert_snapshot!(refusal(&ledger, &request(100_000, 1_000_000)), @"no room on any of 3 hosts: all lack CPU; nearest is host-2, which lacks 99.4 CPU and 995904 MB memory");
}

#[test]
fn few_hosts_are_told_in_fewer_words() {
    let none = ledger([]);
    assert_snapshot!(refusal(&none, &request(1, 1)), @"there are no hosts yet");
    let one = ledger([facts("host-1", 1, 1024)]);
    assert_snapshot!(refusal(&one, &request(1, 2048)), @"no room on the only host, host-1, which lacks 1024 MB memory");
    let down = ledger([HostFacts { unavailable: Some("cordoned".to_owned()), ..facts("host-1", 1, 1024) }]);
    assert_snapshot!(refusal(&down, &request(1, 2048)), @"no place on the only host, host-1: cordoned");
}

#[test]
fn ports_are_told_by_number() {
    let mut ledger = Ledger::new(PlacementPolicy { host_ports: 20_000..=20_000, ..PlacementPolicy::default() });
    ledger.set_host(facts("host-1", 1, 1024));
    let two =
        |ports: [Option<u16>; 2]| with(request(1, 1), |member| member.ports = ports.map(|n| port(None, n)).into());
    assert_snapshot!(refusal(&ledger, &two([None, None])), @"no place on the only host, host-1: no tcp port from 20000 to 20000 is free");
    assert_snapshot!(refusal(&ledger, &two([Some(80), Some(80)])), @"no place on the only host, host-1: port 80/tcp is asked for twice");
}

#[test]
fn the_parts_add_up_to_the_score() {
    let mut ledger = ledger([facts("a", 3, 1000), facts("b", 7, 7777)]);
    ledger.hold(key(1), hold("a", 1234, 77));
    for host in ledger.explain(&request(333, 111)).hosts {
        let Verdict::Fits { score, cpu_part, memory_part, .. } = host.verdict else { panic!("{host:?}") };
        assert!((score - cpu_part - memory_part).abs() < 1e-9);
    }
}
