//! Host ports: fixed ones as a filter, others chosen from the range.

use crate::placement::tests::sample::*;
use crate::{Filter, Ledger, PlacementPolicy, Request};
use pierhead_model::{MemberName, PortRequest, Protocol};
use std::ops::RangeInclusive;

fn asking(ports: impl IntoIterator<Item = PortRequest>) -> Request {
    with(request(10, 10), |member| member.ports = ports.into_iter().collect())
}

fn one_host(host_ports: RangeInclusive<u16>) -> Ledger {
    let mut ledger = Ledger::new(PlacementPolicy { host_ports, ..PlacementPolicy::default() });
    ledger.set_host(facts("a", 4, 4096));
    ledger
}

/// The host ports of the first member.
fn given(ledger: &Ledger, asked: &Request) -> Vec<u16> {
    let mut placed = ledger.place(asked).unwrap();
    placed.ports.remove(&MemberName::main()).unwrap().iter().map(|port| port.host_port).collect()
}

fn is_refused(ledger: &Ledger, asked: &Request) -> bool {
    ledger.place(asked).is_err_and(|refusal| refusal.refused.keys().eq([&Filter::Port]))
}

#[test]
fn a_fixed_port_goes_once_to_each_host() {
    let mut ledger = three_hosts();
    let asked = asking([port(None, Some(8080))]);
    let engines: Vec<_> = (0..4).map(|number| place_and_hold(&mut ledger, number, &asked)).collect();
    assert_eq!(engines.iter().flatten().collect::<Vec<_>>(), ["host-1", "host-2", "host-3"]);
    assert!(is_refused(&ledger, &asked));
    assert!(!is_refused(&ledger, &asking([port(None, Some(8081))])));
    ledger.release(&key(1));
    assert_eq!(ledger.place(&asked).unwrap().engine, engine("host-2"));
}

#[test]
fn addresses_and_transports_tell_ports_apart() {
    let mut ledger = one_host(20_000..=20_009);
    let mut held = hold("a", 0, 0);
    held.ports = vec![bound(Some("10.0.0.1"), 80)];
    ledger.hold(key(1), held);
    assert!(is_refused(&ledger, &asking([port(None, Some(80))])));
    assert!(is_refused(&ledger, &asking([port(Some("10.0.0.1"), Some(80))])));
    assert!(!is_refused(&ledger, &asking([port(Some("10.0.0.2"), Some(80))])));
    let udp = PortRequest { protocol: Protocol::Udp, ..port(None, Some(80)) };
    assert!(!is_refused(&ledger, &asking([udp])));
}

#[test]
fn one_port_twice_in_a_request_fits_nowhere() {
    let ledger = one_host(20_000..=20_009);
    assert!(is_refused(&ledger, &asking([port(None, Some(80)), port(Some("10.0.0.1"), Some(80))])));
    let apart = [port(Some("10.0.0.2"), Some(80)), port(Some("10.0.0.1"), Some(80))];
    assert_eq!(given(&ledger, &asking(apart)), [80, 80]);
    let mut across = asking([port(None, Some(80))]);
    across.members.push(member("other"));
    across.members[1].ports = vec![port(None, Some(80))];
    assert!(is_refused(&ledger, &across), "across members too");
}

#[test]
fn the_search_starts_where_the_seed_says_and_goes_round() {
    let ledger = one_host(20_000..=20_009);
    let mut asked = asking([port(None, None), port(None, None), port(None, None)]);
    for (seed, expected) in [
        (0, [20_000, 20_001, 20_002]),
        (1, [20_001, 20_002, 20_003]),
        (8, [20_008, 20_009, 20_000]),
        (10, [20_000, 20_001, 20_002]),
        (u64::MAX, [20_005, 20_006, 20_007]),
    ] {
        asked.seed = seed;
        assert_eq!(given(&ledger, &asked), expected, "{seed}");
    }
}

#[test]
fn a_chosen_port_is_free() {
    let mut ledger = one_host(20_000..=20_004);
    let mut held = hold("a", 0, 0);
    held.ports = vec![bound(None, 20_000)];
    ledger.hold(key(1), held);
    // A fixed port of the same request, asked for after it, is kept free too, and so is one found taken there.
    let mut asked = asking([port(None, None), port(None, Some(20_001)), port(None, None)]);
    asked.avoid_ports = vec![(engine("a"), Protocol::Tcp, 20_002), (engine("b"), Protocol::Tcp, 20_003)];
    assert_eq!(given(&ledger, &asked), [20_003, 20_001, 20_004]);
    asked.members[0].ports.push(port(None, None));
    assert!(is_refused(&ledger, &asked), "the range is used up");
}

#[test]
fn a_port_found_taken_is_not_given_on_that_host() {
    let mut ledger = three_hosts();
    let mut asked = asking([port(None, Some(80))]);
    asked.avoid_ports = vec![(engine("host-1"), Protocol::Tcp, 80), (engine("host-2"), Protocol::Udp, 80)];
    assert_eq!(ledger.place(&asked).unwrap().engine, engine("host-2"));
    ledger.remove_host(&engine("host-2"));
    ledger.remove_host(&engine("host-3"));
    assert!(is_refused(&ledger, &asked));
}

#[test]
fn transports_have_a_range_each_and_an_empty_range_has_nothing() {
    let ledger = one_host(20_000..=20_000);
    let udp = PortRequest { protocol: Protocol::Udp, ..port(None, None) };
    assert_eq!(given(&ledger, &asking([port(None, None), udp.clone()])), [20_000, 20_000]);
    assert!(is_refused(&ledger, &asking([udp.clone(), udp])));
    #[expect(clippy::reversed_empty_ranges, reason = "a setting that nobody should make must not panic")]
    let none = one_host(2..=1);
    assert!(is_refused(&none, &asking([port(None, None)])));
    assert!(none.place(&asking([port(None, Some(80))])).is_ok());
    let all = one_host(0..=u16::MAX);
    assert_eq!(given(&all, &asking([port(None, None)])), [0]);
}

#[test]
fn ports_are_answered_per_member_in_the_order_asked() {
    let ledger = one_host(20_000..=20_009);
    let mut asked = asking([port(None, None), port(Some("127.0.0.1"), Some(80))]);
    asked.members.push(member("quiet"));
    asked.members.push(member("other"));
    asked.members[2].ports = vec![port(None, None)];
    let ports = ledger.place(&asked).unwrap().ports;
    let name = |name| MemberName::parse(name).unwrap();
    assert_eq!(ports.keys().collect::<Vec<_>>(), [&name("main"), &name("other")]);
    assert_eq!(ports[&name("main")], [bound(None, 20_000), bound(Some("127.0.0.1"), 80)]);
    assert_eq!(ports[&name("other")], [bound(None, 20_001)]);
}
