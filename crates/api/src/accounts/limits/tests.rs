use super::*;

const NOW: Timestamp = Timestamp(1_000_000);
const LIMITS: LogInLimits = LogInLimits { per_account: 3, per_address: 5, window_ms: 30_000 };

fn address(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([10, 0, 0, last]))
}

/// How many attempts get through before one is refused, and for how long that one has to wait.
fn until_refused(attempts: &Attempts, name: &str, address: Option<IpAddr>, now: Timestamp) -> (u32, u64) {
    let mut through = 0;
    loop {
        match attempts.begin(name, address, now) {
            Ok(_) => through += 1,
            Err(wait) => return (through, wait),
        }
        assert!(through < 1000, "nothing limits it");
    }
}

#[test]
fn an_account_is_locked_for_a_while_and_no_other_with_it() {
    let attempts = Attempts::new(LIMITS);
    assert_eq!(until_refused(&attempts, "ann", address(1), NOW), (3, 10));
    assert_eq!(until_refused(&attempts, "ann", address(2), NOW), (0, 10), "from wherever");
    assert!(attempts.begin("bob", address(1), NOW).is_ok(), "others go on, from there too");
    assert_eq!(until_refused(&attempts, "ann", address(3), NOW.plus(9_000)), (0, 1));
    assert_eq!(until_refused(&attempts, "ann", address(3), NOW.plus(10_000)), (1, 10), "one comes back");
    assert_eq!(until_refused(&attempts, "ann", address(4), NOW.plus(900_000)), (3, 10), "all, and no more");
}

#[test]
fn an_address_is_locked_whatever_it_tries_and_no_other_with_it() {
    let attempts = Attempts::new(LIMITS);
    let through = (0..10).filter(|n| attempts.begin(&format!("user{n}"), address(1), NOW).is_ok()).count();
    assert_eq!(through, 5);
    assert!(attempts.begin("user9", address(2), NOW).is_ok(), "a refused attempt costs the account nothing");
    assert_eq!(until_refused(&attempts, "user9", address(2), NOW).0, 2);
    assert!(attempts.begin("user8", None, NOW).is_ok());
}

#[test]
fn a_right_password_gives_everything_back() {
    let attempts = Attempts::new(LIMITS);
    for _ in 0..100 {
        let attempt = attempts.begin("ann", address(1), NOW).expect("never locked");
        attempts.succeeded(attempt);
    }
    assert_eq!(until_refused(&attempts, "ann", address(1), NOW), (3, 10));
}

#[test]
fn a_network_of_ipv6_is_one_address() {
    let attempts = Attempts::new(LIMITS);
    let of = |text: &str| Some(text.parse::<IpAddr>().unwrap());
    for host in 0..5 {
        assert!(attempts.begin(&format!("user{host}"), of(&format!("2001:db8:0:1::{host}")), NOW).is_ok());
    }
    assert!(attempts.begin("else", of("2001:db8:0:1:ffff::1"), NOW).is_err());
    assert!(attempts.begin("else", of("2001:db8:0:2::1"), NOW).is_ok());
    assert_eq!(network(of("::ffff:10.0.0.1").unwrap()), address(1).unwrap(), "IPv4 in disguise");
}

#[test]
fn off_is_off() {
    let attempts = Attempts::new(LogInLimits::OFF);
    assert!((0..1000).all(|_| attempts.begin("ann", address(1), NOW).is_ok()));
    assert!(attempts.left.lock().unwrap().accounts.is_empty(), "and remembers nobody");
}

#[test]
fn memory_is_bounded_and_the_locked_stay_locked() {
    let attempts = Attempts::new(LogInLimits { per_address: 0, ..LIMITS });
    assert_eq!(until_refused(&attempts, "ann", None, NOW).0, 3);
    for n in 0..MOST_REMEMBERED * 2 {
        assert!(attempts.begin(&format!("user{n}"), None, NOW).is_ok());
    }
    assert!(attempts.left.lock().unwrap().accounts.len() <= MOST_REMEMBERED);
    assert!(attempts.begin("ann", None, NOW).is_err());
}

#[test]
fn an_attempt_of_nobody_known_counts_for_its_address_only() {
    let attempts = Attempts::new(LogInLimits { per_account: 3, per_address: 2, window_ms: 60_000 });
    let now = Timestamp(60_000);
    for _ in 0..5 {
        let right = attempts.begin_nameless(address(1), now).unwrap();
        attempts.succeeded(right);
    }
    assert!(attempts.begin_nameless(address(1), now).is_ok() && attempts.begin_nameless(address(1), now).is_ok());
    assert!(attempts.begin_nameless(address(1), now).unwrap_err() > 0);
    assert!(attempts.begin("ann", address(1), now).is_err(), "passwords from there wait too");
    assert!(attempts.begin("ann", address(2), now).is_ok());
    assert!(attempts.begin_nameless(address(1), now.plus(30_000)).is_ok(), "they come back one by one");
    assert!(attempts.begin_nameless(None, now).is_ok());
}
