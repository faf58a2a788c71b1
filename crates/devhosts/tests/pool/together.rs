//! Pools beside each other, and beside the programs that made them.

use std::env;
use std::process::{Command, Stdio};
use std::thread;

use pierhead_devhosts::{Error, Pool, PoolSpec, Service};

use crate::support::{PING, Place, eventually, expect_pages, run_sample};

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

/// Set for the copy of this program that makes a pool and ends.
const MAKER_DIR: &str = "PIERHEAD_TEST_MAKER_DIR";

#[test]
fn a_pool_survives_the_program_that_made_it() {
    if let Some(dir) = env::var_os(MAKER_DIR) {
        let pool = Pool::up(PoolSpec { dir: dir.into(), hosts: 1, ..PoolSpec::default() }).unwrap();
        let argv = ["sleep", "600"].map(String::from).to_vec();
        pool.spawn(&Service { name: "web".into(), argv, ..Service::default() }).unwrap();
        return;
    }
    let place = Place::new();
    // All of its output must be closed when it ends, or whoever reads that would wait for the pool's end.
    let maker = Command::new(env::current_exe().unwrap())
        .args(["--exact", "together::a_pool_survives_the_program_that_made_it"])
        .env(MAKER_DIR, place.dir())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(maker.status.success(), "{}", String::from_utf8_lossy(&maker.stderr));
    let pool = Pool::open(&place.dir()).unwrap();
    let host = pool.host("host-1").unwrap();
    assert!(pool.services().unwrap()[0].alive);
    expect_pages(&host, &run_sample(&host));
    host.kill_engine().unwrap();
    host.start_engine().unwrap();
    eventually("it is seen to answer", || host.status().unwrap().answers);
    pool.down().unwrap();
    assert!(place.traces().is_empty(), "{:?}", place.traces());
}

#[test]
fn of_two_that_want_one_directory_one_gets_it() {
    let place = Place::new();
    let outcomes = thread::scope(|scope| {
        let threads = [0, 1].map(|_| scope.spawn(|| Pool::up(place.spec(1))));
        threads.map(|thread| thread.join().unwrap())
    });
    let (made, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 1));
    let refused = refused.into_iter().next().unwrap().unwrap_err();
    assert!(matches!(refused, Error::Busy { .. } | Error::AlreadyUp { .. }), "{refused}");
    let pool = made.into_iter().next().unwrap().unwrap();
    eventually("its host is seen to answer", || pool.status().unwrap()[0].answers);
    pool.down().unwrap();
    // The refused one may have made the directory; then it was there before, as far as the other can know.
    let left: Vec<_> = place.traces().into_iter().filter(|kind| *kind != "directory").collect();
    assert!(left.is_empty(), "{left:?}");
}
