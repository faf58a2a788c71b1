use super::*;
use pierhead_model::{Assignment, Capacity, Duty, OverCommit, Timestamp, Username};
use pierhead_planner::Policy;
use std::sync::Arc;

fn engine(id: &str, addr: &str, registered: Option<Registered>) -> Engine {
    Engine {
        id: EngineId::parse(id).unwrap(),
        addr: addr.to_owned(),
        labels: BTreeSet::new(),
        capacity: Capacity::default(),
        over_commit: OverCommit::default(),
        duty: Duty::default(),
        given_up: false,
        registered,
        agent: None,
        sealed_tls: None,
        sealed_registry_auth: None,
        added_at: Timestamp(0),
        added_by: Username::parse("admin").unwrap(),
    }
}

fn world(engines: &[Engine]) -> World {
    let mut world = World::new("cluster", Policy::default(), Timestamp(0));
    engines.iter().cloned().for_each(|engine| world.set_engine(engine));
    world
}

fn view(entries: &[(&str, &str)]) -> View {
    let seen = |value: &str| Seen { value: Arc::from(value.as_bytes()), revision: Revision::new(7) };
    entries.iter().map(|(key, value)| (Arc::from(*key), seen(value))).collect()
}

fn id(text: &str) -> EngineId {
    EngineId::parse(text).unwrap()
}

fn todo(entries: &[(&str, &str)], engines: &[Engine]) -> Vec<Step> {
    steps(&view(entries), &world(engines), &BTreeSet::new())
}

/// What is told of the only thing there is to do.
fn told(entries: &[(&str, &str)], engines: &[Engine]) -> String {
    match &todo(entries, engines)[..] {
        [Step::Tell { message, revision, .. }] if *revision == Revision::new(7) => message.clone(),
        other => panic!("{other:?}"),
    }
}

const KEY: &str = "engines/1921687101";
const VALUE: &str = "192.168.7.101:2375-2-1533";
const ADDR: &str = "http://192.168.7.101:2375";

#[test]
fn a_registered_host_comes_goes_and_returns() {
    let now = engine("1921687101", ADDR, Some(Registered::Now));
    let no_more = engine("1921687101", ADDR, Some(Registered::NoMore));
    let registration = Registration::parse(KEY, VALUE.as_bytes()).unwrap();
    assert_eq!(todo(&[(KEY, VALUE)], &[]), [Step::Add(registration)]);
    assert_eq!(todo(&[(KEY, VALUE)], std::slice::from_ref(&now)), []);
    assert_eq!(todo(&[(KEY, "192.168.7.101:2375")], std::slice::from_ref(&now)), [], "its size is the engine's matter");
    assert_eq!(todo(&[], &[now]), [Step::Forget(id("1921687101"))], "nothing lives there");
    assert_eq!(todo(&[(KEY, VALUE)], std::slice::from_ref(&no_more)), [Step::Return(id("1921687101"))]);
    assert_eq!(todo(&[], &[no_more]), [Step::Forget(id("1921687101"))]);
}

#[test]
fn a_host_on_which_something_lives_stays_until_that_lives_elsewhere() {
    let assignment = |engine: &str| -> Assignment {
        serde_json::from_value(serde_json::json!({
            "app": "a1", "app_name": "web", "slot": 0, "generation": 1, "version": 1, "engine": engine,
            "reserved": { "cpu_millis": 50, "memory_mb": 16 }, "created_at": 0,
        }))
        .unwrap()
    };
    for (now, expected) in
        [(Registered::Now, vec![Step::Leave(id("1921687101"))]), (Registered::NoMore, Vec::<Step>::new())]
    {
        let mut world = world(&[engine("1921687101", ADDR, Some(now)), engine("b", "agent://b", None)]);
        world.set_assignment(assignment("1921687101"));
        assert_eq!(steps(&view(&[]), &world, &BTreeSet::new()), expected);
        world.set_assignment(assignment("b"));
        assert_eq!(steps(&view(&[]), &world, &BTreeSet::new()), [Step::Forget(id("1921687101"))]);
    }
}

#[test]
fn what_an_administrator_has_set_outlives_a_registration() {
    let cordoned = Engine { duty: Duty::Cordoned, ..engine("1921687101", ADDR, Some(Registered::Now)) };
    assert_eq!(todo(&[], std::slice::from_ref(&cordoned)), [Step::Leave(id("1921687101"))]);
    let left = Engine { registered: Some(Registered::NoMore), ..cordoned };
    assert_eq!(todo(&[], std::slice::from_ref(&left)), []);
    assert_eq!(todo(&[(KEY, VALUE)], &[left]), [Step::Return(id("1921687101"))]);
}

#[test]
fn hosts_added_by_hand_are_written_once_and_stay_ours() {
    let by_hand = [
        engine("host-1", "http://10.0.0.1:2375", None),
        engine("host-2", "unix:///var/run/docker.sock", None),
        engine("host-3", "agent://10.0.0.3", None),
        engine("host-4", "https://docker-4.lan:2376", None),
    ];
    let write = |key: &str, value: &str| Step::Write { key: key.to_owned(), value: value.to_owned() };
    let expected = [write("engines/host-1", "10.0.0.1:2375"), write("engines/host-4", "docker-4.lan:2376")];
    assert_eq!(todo(&[], &by_hand), expected);
    let written = [("engines/host-1", "10.0.0.1:2375-4-8192"), ("engines/host-4", "docker-4.lan:2376")];
    assert_eq!(todo(&written, &by_hand), []);
}

#[test]
fn a_host_that_was_removed_by_hand_is_erased_and_does_not_come_back() {
    let removed = BTreeSet::from([id("1921687101")]);
    let erase = Step::Erase { key: KEY.to_owned(), revision: Revision::new(7) };
    assert_eq!(steps(&view(&[(KEY, VALUE)]), &world(&[]), &removed), [erase]);
    assert_eq!(steps(&view(&[]), &world(&[]), &removed), [Step::Done(id("1921687101"))]);
    // Added again meanwhile: there is nothing to erase.
    let again = world(&[engine("1921687101", ADDR, None)]);
    assert_eq!(steps(&view(&[(KEY, VALUE)]), &again, &removed), [Step::Done(id("1921687101"))]);
}

#[test]
fn what_cannot_be_used_is_told_with_the_key_and_the_accepted_form() {
    let text = told(&[(KEY, "garbage")], &[]);
    let expected = "engines/1921687101=\"garbage\" is ignored: the value must be ADDRESS:PORT-CPUS-MEMORY_MB such as \
                    192.168.7.101:2375-2-1533, or ADDRESS:PORT";
    assert_eq!(text, expected);
    assert!(told(&[("engines/a b", VALUE)], &[]).contains("the key must be engines/<id>"));
    let long = told(&[(KEY, &"x".repeat(5_000))], &[]);
    assert!(long.len() < 400, "{long}");
    // A host that is registered stays when its value becomes unreadable.
    let now = engine("1921687101", ADDR, Some(Registered::Now));
    assert!(told(&[(KEY, "garbage")], &[now]).contains("is ignored"));
}

#[test]
fn two_hosts_with_the_same_digits_are_told_apart() {
    let first = engine("1077112", "http://10.77.1.12:2375", Some(Registered::Now));
    let other = ("engines/1077112", "10.77.11.2:2375-2-1533");
    let text = told(&[other], std::slice::from_ref(&first));
    let expected = "engines/1077112=\"10.77.11.2:2375-2-1533\" is ignored: host 1077112 is at \
                    http://10.77.1.12:2375; two hosts need two ids, register this one as engines/1077112-2";
    assert_eq!(text, expected);
    let own = ("engines/1077112", "10.77.1.12:2375-2-1533");
    let numbered = ("engines/1077112-2", "10.77.11.2:2375-2-1533");
    let added = Registration::parse(numbered.0, numbered.1.as_bytes()).unwrap();
    assert_eq!(todo(&[own, numbered], std::slice::from_ref(&first)), [Step::Add(added)]);
    // One that has left makes room as soon as nothing lives there.
    let left = Engine { registered: Some(Registered::NoMore), ..first };
    assert!(todo(&[other], &[left]).contains(&Step::Forget(id("1077112"))));
}

#[test]
fn one_host_under_two_keys_is_one_host() {
    let by_hand = engine("host-1", ADDR, None);
    let text = told(&[("engines/host-1", "192.168.7.101:2375"), (KEY, VALUE)], &[by_hand]);
    assert!(text.ends_with("is ignored: host host-1 is at 192.168.7.101:2375 already"), "{text}");
}
