//! The ledger keeps count, whatever the order in which things happen.

use crate::placement::tests::sample::*;
use crate::{HoldKey, Totals};
use pierhead_model::{ContainerId, Resources};

#[test]
fn holds_add_up_and_are_given_back() {
    let mut ledger = three_hosts();
    ledger.hold(key(1), hold("host-1", 500, 64));
    ledger.hold(key(2), hold("host-1", 250, 32));
    assert_eq!(ledger.reserved(&engine("host-1")), Resources::new(750, 96));
    assert_eq!(ledger.release(&key(1)), Some(hold("host-1", 500, 64)));
    assert_eq!(ledger.release(&key(1)), None);
    assert_eq!(ledger.reserved(&engine("host-1")), Resources::new(250, 32));
    assert_eq!(ledger.reserved(&engine("host-2")), Resources::default());
    assert_eq!(ledger.held(&key(2)), Some(&hold("host-1", 250, 32)));
    assert_eq!(ledger.held(&key(1)), None);
}

#[test]
fn a_hold_replaces_the_earlier_one_of_its_key_even_elsewhere() {
    let mut ledger = three_hosts();
    ledger.hold(key(1), hold("host-1", 500, 64));
    ledger.hold(key(1), hold("host-1", 100, 10));
    assert_eq!(ledger.reserved(&engine("host-1")), Resources::new(100, 10));
    ledger.hold(key(1), hold("host-2", 100, 10));
    assert_eq!(ledger.reserved(&engine("host-1")), Resources::default());
    assert_eq!(ledger.reserved(&engine("host-2")), Resources::new(100, 10));
}

#[test]
fn holds_outlive_the_host_and_may_come_before_it() {
    let mut ledger = three_hosts();
    ledger.hold(key(1), hold("host-9", 1000, 1024));
    assert_eq!(ledger.host(&engine("host-9")), None);
    assert_eq!(ledger.reserved(&engine("host-9")), Resources::new(1000, 1024));
    assert_eq!(ledger.hosts().count(), 3);
    ledger.set_host(facts("host-9", 2, 2048));
    assert_eq!(ledger.explain(&request(1001, 1)).hosts.len(), 4);
    assert_eq!(ledger.place(&request(3000, 1)).unwrap().engine, engine("host-1"));

    ledger.remove_host(&engine("host-9"));
    assert_eq!(ledger.holds(&engine("host-9")).count(), 1);
    ledger.set_host(facts("host-9", 2, 2048));
    assert_eq!(ledger.reserved(&engine("host-9")), Resources::new(1000, 1024));
}

#[test]
fn hosts_come_in_the_order_of_their_ids_whatever_comes_and_goes() {
    let mut ledger = ledger(["d", "b", "a", "c"].map(|id| facts(id, 4, 4096)));
    ledger.hold(key(1), hold("c", 1, 1));
    ledger.remove_host(&engine("b"));
    ledger.remove_host(&engine("nobody"));
    ledger.set_host(facts("e", 4, 4096));
    let ids: Vec<_> = ledger.hosts().map(|facts| facts.id.as_str().to_owned()).collect();
    assert_eq!(ids, ["a", "c", "d", "e"]);
    assert_eq!(ledger.reserved(&engine("c")), Resources::new(1, 1));
    assert_eq!(ledger.place(&request(100, 64)).unwrap().engine, engine("a"));
}

#[test]
fn containers_that_are_not_ours_count_as_reserved() {
    let mut ledger = three_hosts();
    let foreign = HoldKey::Container(engine("host-1"), ContainerId::parse("0f").unwrap());
    ledger.hold(foreign.clone(), hold("host-1", 4000, 4096));
    assert_eq!(ledger.place(&request(100, 64)).unwrap().engine, engine("host-2"));
    ledger.release(&foreign);
    assert_eq!(ledger.place(&request(100, 64)).unwrap().engine, engine("host-1"));
}

#[test]
fn ports_images_and_names_are_counted_one_by_one() {
    let mut ledger = ledger([facts("a", 4, 4096)]);
    let mut held = hold("a", 0, 0);
    held.ports = vec![bound(Some("10.0.0.1"), 80)];
    held.images = vec!["httpd:latest".to_owned()];
    held.names = vec!["web".to_owned()];
    ledger.hold(key(1), held.clone());
    ledger.hold(key(2), held);
    let host = |ledger: &crate::Ledger| {
        let host = ledger.find(&engine("a")).unwrap();
        let taken = host.is_port_taken(pierhead_model::Protocol::Tcp, None, 80);
        (taken, host.runs_image("httpd:latest"), host.has_container("web"))
    };
    ledger.release(&key(1));
    assert_eq!(host(&ledger), (true, true, true), "the other one is still there");
    ledger.release(&key(2));
    assert_eq!(host(&ledger), (false, false, false));
}

#[test]
fn totals_count_known_hosts() {
    let mut ledger = three_hosts();
    ledger.hold(key(1), hold("host-1", 500, 64));
    ledger.hold(key(2), hold("host-9", 500, 64));
    let expected =
        Totals { hosts: 3, reserved: Resources::new(500, 64), allocatable: Resources::new(12_000, 3 * 4096) };
    assert_eq!(ledger.totals(), expected);
    ledger.hold(key(3), hold("host-1", u64::MAX, u64::MAX));
    ledger.hold(key(4), hold("host-2", u64::MAX, u64::MAX));
    assert_eq!(ledger.totals().reserved, Resources::new(u64::MAX, u64::MAX));
}
