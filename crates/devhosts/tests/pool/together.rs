//! Pools beside each other.

use std::thread;

use pierhead_devhosts::Pool;

use crate::support::{PING, Place, expect_pages, run_sample};

#[test]
fn two_pools_do_not_touch_each_other() {
    let places = [Place::new(), Place::new()];
    let pools = thread::scope(|scope| {
        let threads = places.each_ref().map(|place| scope.spawn(|| Pool::up(place.spec(1)).unwrap()));
        threads.map(|thread| thread.join().unwrap())
    });
    let hosts = pools.each_ref().map(|pool| pool.host("host-1").unwrap());
    assert_ne!(hosts[0].address(), hosts[1].address());
    assert_ne!(pools[0].bridge_address().unwrap(), pools[1].bridge_address().unwrap());
    let containers = hosts.each_ref().map(run_sample);
    for (host, container) in hosts.iter().zip(&containers) {
        expect_pages(host, container);
    }
    let [gone, stays] = pools;
    gone.down().unwrap();
    assert!(places[0].traces().is_empty(), "{:?}", places[0].traces());
    assert!(!hosts[0].answers(PING));
    assert!(hosts[1].answers(PING));
    expect_pages(&hosts[1], &containers[1]);
    stays.down().unwrap();
    assert!(places[1].traces().is_empty(), "{:?}", places[1].traces());
}
