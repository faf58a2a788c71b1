//! Many clients at once while members of the cluster die and hang, or have no space left: what each of them was told must
//! agree with the one order that a watch saw.
//!
//! With `PIERHEAD_SOAK=1` in the environment the faults go on for five minutes.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pierhead_store::leadership::Candidate;
use pierhead_store::{Error, Etcd, EtcdAddress, EtcdSettings, Revision, Store, Transaction};
use rustix::process::Signal;
use tokio::task::JoinSet;

use crate::contract::{next, within};
use crate::member::Member;

const KEYS: usize = 3;
const CLIENTS: usize = 6;
/// How long a fault lasts, and how long the cluster is left alone after it.
const FAULT: Duration = Duration::from_millis(1500);

/// What a client asked for and was told. Revisions at which an absent document was read are zero.
#[derive(Debug)]
enum Step {
    Read { key: usize, began: Instant, ended: Instant, found: Revision },
    Written { key: usize, began: Instant, ended: Instant, value: String, after: Revision, at: Revision },
    Refused { value: String },
    NoRoom { value: String },
    Unknown,
}

fn settings(members: &[Member]) -> EtcdSettings {
    let hosts: Vec<_> = members.iter().map(Member::host).collect();
    EtcdSettings::new(EtcdAddress::parse(&format!("etcd://{}/history", hosts.join(","))).unwrap())
}

/// Reads a document and writes it, in turn, with a value that nobody else writes.
async fn client(number: usize, store: Arc<Etcd>, stop: Arc<AtomicBool>) -> Vec<Step> {
    let mut steps = Vec::new();
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = (number + round) % KEYS;
        let name = format!("k{key}");
        let began = Instant::now();
        let Ok(found) = store.get(&name).await else { continue };
        let after = found.map_or(Revision::ZERO, |entry| entry.modified);
        steps.push(Step::Read { key, began, ended: Instant::now(), found: after });
        let value = format!("{number}-{round}");
        let guard = match after {
            Revision::ZERO => Transaction::new().absent(name.as_str()),
            since => Transaction::new().unchanged(name.as_str(), since),
        };
        let began = Instant::now();
        let step = match store.commit(guard.put(name, value.as_bytes())).await {
            Ok(at) => Step::Written { key, began, ended: Instant::now(), value, after, at },
            Err(Error::Conflict { .. }) => Step::Refused { value },
            Err(Error::Full(_)) => Step::NoRoom { value },
            Err(Error::Unavailable { .. }) => Step::Unknown,
            Err(error) => panic!("{error}"),
        };
        steps.push(step);
    }
    steps
}

/// All writes of each document, as a watch told them.
type Order = Vec<BTreeMap<Revision, String>>;

async fn watched(store: Arc<Etcd>, from: Revision) -> Order {
    let mut order: Order = vec![BTreeMap::new(); KEYS];
    let mut watch = store.watch("", from).await.unwrap();
    let mut last = from;
    loop {
        let changes = next(&mut watch).await;
        assert!(changes.revision > last, "{} came after {last}", changes.revision);
        last = changes.revision;
        for change in changes.changes {
            let value = change.entry.map(|entry| String::from_utf8(entry.value.to_vec()).unwrap());
            match change.key.strip_prefix('k').and_then(|key| key.parse::<usize>().ok()) {
                Some(key) => drop(order[key].insert(last, value.unwrap())),
                None if &*change.key == "end" => return order,
                None => {}
            }
        }
    }
}

/// Everything that was told must fit the order in which writes happened, each at one moment between question and answer.
fn check(order: &Order, steps: &[Step]) {
    let all: BTreeMap<&str, usize> = order.iter().flat_map(BTreeMap::values).fold(BTreeMap::new(), |mut all, value| {
        *all.entry(value.as_str()).or_default() += 1;
        all
    });
    assert!(all.values().all(|times| *times == 1), "a write happened twice: {all:?}");
    let mut known: Vec<Vec<(Instant, Instant, Revision)>> = vec![Vec::new(); KEYS];
    for step in steps {
        match step {
            Step::Written { key, began, ended, value, after, at } => {
                assert_eq!(order[*key].get(at), Some(value), "{step:?} was told, and is not so");
                let before = order[*key].range(..at).next_back().map_or(Revision::ZERO, |(revision, _)| *revision);
                assert_eq!(before, *after, "{step:?} overwrote what it had not seen");
                known[*key].push((*began, *ended, *at));
            }
            Step::Read { key, began, ended, found } => {
                assert!(*found == Revision::ZERO || order[*key].contains_key(found), "{step:?} never was");
                known[*key].push((*began, *ended, *found));
            }
            Step::Refused { value } | Step::NoRoom { value } => {
                assert!(!all.contains_key(value.as_str()), "{step:?}, and yet it happened")
            }
            Step::Unknown => {}
        }
    }
    for mut answers in known {
        answers.sort_by_key(|(began, ..)| *began);
        let mut ended: Vec<_> = answers.clone();
        ended.sort_by_key(|(_, ended, _)| *ended);
        let (mut next, mut newest) = (0, Revision::ZERO);
        for (began, _, revision) in &answers {
            while next < ended.len() && ended[next].1 < *began {
                newest = newest.max(ended[next].2);
                next += 1;
            }
            assert!(*revision >= newest, "{revision} was told after somebody had been told {newest}");
        }
    }
}

/// One fault after the other, for this long; always one member at a time.
fn faults(members: &[Member], limit: Duration) -> usize {
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed() < limit || count < 2 * members.len() {
        let member = &members[count / 2 % members.len()];
        if count % 2 == 0 {
            member.kill();
            std::thread::sleep(FAULT);
            member.go_on();
        } else {
            member.signal(Signal::STOP);
            // Longer than one member is waited for.
            std::thread::sleep(3 * FAULT);
            member.signal(Signal::CONT);
        }
        std::thread::sleep(FAULT);
        count += 1;
    }
    count
}

/// What clients were told while something befell the members, if that agrees with the order that a watch saw; with it what
/// the fault came to.
async fn told<T: Send + 'static>(
    members: Vec<Member>,
    befalls: impl FnOnce(&[Member]) -> T + Send + 'static,
) -> (Vec<Step>, T) {
    let settings = settings(&members);
    members[0].answers_to(&settings).await;
    let open = async || Arc::new(Etcd::open(&settings).await.unwrap());
    let store = open().await;
    let from = store.list("", None, 1).await.unwrap().revision;
    let watching = tokio::spawn(watched(open().await, from));
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(client(number, open().await, Arc::clone(&stop)));
    }
    let befell = tokio::task::spawn_blocking(move || (befalls(&members), members));
    let (befell, _members) = befell.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let steps: Vec<_> = within(clients.join_all()).await.into_iter().flatten().collect();
    within(async { while store.commit(Transaction::new().put("end", *b"")).await.is_err() {} }).await;
    check(&within(watching).await.unwrap(), &steps);
    (steps, befell)
}

fn counted(steps: &[Step], is: fn(&Step) -> bool) -> usize {
    steps.iter().filter(|step| is(step)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_while_members_die_and_hang_is_one_history() {
    let seconds = if std::env::var_os("PIERHEAD_SOAK").is_some() { 300 } else { 1 };
    let (steps, count) =
        told(Member::cluster(3, &[]), move |members| faults(members, Duration::from_secs(seconds))).await;
    let written = counted(&steps, |step| matches!(step, Step::Written { .. }));
    let unknown = counted(&steps, |step| matches!(step, Step::Unknown));
    println!("{count} faults, {written} writes, {unknown} of which nobody knows, {} steps", steps.len());
    assert!(written > 50 * count, "it went on: {written} writes in {count} faults");
    assert!(unknown * 50 < written, "little is left unknown: {unknown} of {written}");
}

/// How often the space is used up.
const FILLED: usize = 2;

/// Somebody else uses up the space, and tidies up again; returns when that was done for the last time.
fn space_is_used_up(members: &[Member]) -> Instant {
    let etcdctl = |member: &Member, args: &str| {
        let command = format!("head -c 500000 /dev/zero | tr '\\0' x | etcdctl --endpoints {} {args}", member.host());
        let output = Command::new("sh").args(["-c", &command]).env("ETCDCTL_API", "3").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    };
    let mut tidy = Instant::now();
    for _ in 0..FILLED {
        let refused = (0..100).find_map(|at| etcdctl(&members[0], &format!("put junk-{at}")).err());
        assert!(refused.as_ref().is_some_and(|words| words.contains("space exceeded")), "{refused:?}");
        std::thread::sleep(FAULT);
        etcdctl(&members[0], "del --prefix junk-").unwrap();
        let status = etcdctl(&members[0], "endpoint status -w fields").unwrap();
        let revision = status.lines().find_map(|line| line.strip_prefix("\"Revision\" : ")).unwrap();
        etcdctl(&members[0], &format!("compact --physical {revision}")).unwrap();
        for member in members {
            etcdctl(member, "defrag").unwrap();
        }
        etcdctl(&members[0], "alarm disarm").unwrap();
        tidy = Instant::now();
        std::thread::sleep(FAULT);
    }
    tidy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_while_no_space_is_left_is_one_history() {
    let members = Member::cluster(3, &["--quota-backend-bytes", "8000000"]);
    let (steps, tidy) = told(members, space_is_used_up).await;
    let refused = counted(&steps, |step| matches!(step, Step::NoRoom { .. }));
    let written = counted(&steps, |step| matches!(step, Step::Written { .. }));
    let after = steps.iter().filter(|step| matches!(step, Step::Written { began, .. } if *began > tidy)).count();
    println!("{written} writes, {after} of them at the end, {refused} refused for want of space");
    assert!(refused > FILLED, "nobody noticed that no space was left");
    assert!(written > 50 * FILLED && after > 0, "it went on: {written} writes, {after} at the end");
}

/// The leader's own member dies, and then hangs: it leads on with another, and nobody else does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_outlives_any_one_member() {
    const TTL: Duration = Duration::from_secs(20);
    let members = Member::cluster(3, &[]);
    let settings = settings(&members);
    members[0].answers_to(&settings).await;
    let store: Arc<Etcd> = Arc::new(Etcd::open(&settings).await.unwrap());
    let leadership = Candidate::new(store.clone(), "controller", "one", TTL).campaign().await.unwrap();
    for member in &members[..2] {
        member.signal(Signal::STOP);
        let lost = tokio::time::timeout(TTL, leadership.lost()).await;
        assert!(lost.is_err() && leadership.is_held(), "{} hung", member.host());
        within(store.commit(leadership.fence(Transaction::new().put("a", *b"1")))).await.unwrap();
        member.signal(Signal::CONT);
    }
}

/// A check that can't fail finds nothing.
mod the_check {
    use super::*;

    fn order() -> Order {
        let mut order: Order = vec![BTreeMap::new(); KEYS];
        order[0] = BTreeMap::from([(Revision::new(3), "a".to_owned()), (Revision::new(5), "b".to_owned())]);
        order
    }

    fn read(began: u64, ended: u64, found: u64) -> Step {
        let at = Instant::now();
        let moment = |seconds| at + Duration::from_secs(seconds);
        Step::Read { key: 0, began: moment(began), ended: moment(ended), found: Revision::new(found) }
    }

    fn written(value: &str, after: u64, at: u64) -> Step {
        let (began, ended) = (Instant::now(), Instant::now());
        let (after, at) = (Revision::new(after), Revision::new(at));
        Step::Written { key: 0, began, ended, value: value.to_owned(), after, at }
    }

    #[test]
    fn takes_what_may_be() {
        check(&order(), &[written("a", 0, 3), written("b", 3, 5), read(10, 20, 5), read(15, 25, 5)]);
        check(&order(), &[read(0, 20, 5), read(1, 25, 3)]);
        check(&order(), &[Step::Unknown, Step::Refused { value: "c".to_owned() }]);
    }

    #[test]
    #[should_panic(expected = "was told after somebody had been told 5")]
    fn finds_a_stale_read() {
        check(&order(), &[read(0, 1, 5), read(10, 20, 3)]);
    }

    #[test]
    #[should_panic(expected = "is not so")]
    fn finds_a_lost_write() {
        check(&order(), &[written("c", 5, 7)]);
    }

    #[test]
    #[should_panic(expected = "had not seen")]
    fn finds_an_overwritten_one() {
        check(&order(), &[written("b", 0, 5)]);
    }

    #[test]
    #[should_panic(expected = "yet it happened")]
    fn finds_what_was_refused_and_happened() {
        check(&order(), &[Step::Refused { value: "b".to_owned() }]);
    }
}
