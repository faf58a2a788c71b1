//! Ports that are still free when a program that was told of them gets to listen there, and when it is started again: below
//! those that the kernel gives to whoever calls somebody.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 20_000;
const COUNT: u32 = 10_000;

/// An address where nobody listens, and that is not given out twice.
pub fn free(at: IpAddr) -> SocketAddr {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Tests that run beside this one begin elsewhere.
    let begin = std::process::id().wrapping_mul(2_654_435_761) % COUNT;
    let mut ports = std::iter::repeat_with(|| FIRST + (begin + GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT);
    let mut found = ports.by_ref().take(COUNT as usize).filter_map(|port| {
        let address = SocketAddr::new(at, u16::try_from(port).unwrap());
        TcpListener::bind(address).is_ok().then_some(address)
    });
    found.next().expect("some port is free")
}

#[test]
fn a_port_is_given_once_and_not_one_that_is_taken() {
    let at = "127.0.0.1".parse().unwrap();
    let first = free(at);
    let _taken = TcpListener::bind(first).unwrap();
    let others: std::collections::BTreeSet<u16> = (0..100).map(|_| free(at).port()).collect();
    assert!(others.len() == 100 && !others.contains(&first.port()));
}
