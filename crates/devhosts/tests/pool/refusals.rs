//! What is refused, and that nothing changes when it is.

use std::fs::{self, File};

use pierhead_devhosts::{Error, Pool, PoolSpec, Service, requirements};

use crate::support::{Place, entries};

#[test]
fn this_machine_can_hold_hosts() {
    requirements().unwrap();
}

#[test]
fn a_directory_with_other_contents_is_refused_and_stays() {
    let place = Place::new();
    fs::create_dir_all(place.dir().join("hosts")).unwrap();
    fs::write(place.dir().join("hosts/inventory"), "mine").unwrap();
    let refused = Pool::up(place.spec(1)).unwrap_err();
    let expected = format!(
        "{} is not empty (it has \"hosts\"); a pool needs an empty directory or a new one",
        place.dir().canonicalize().unwrap().display()
    );
    assert_eq!(refused.to_string(), expected);
    assert_eq!(entries(&place.dir().join("hosts")), ["inventory"]);
    assert_eq!(place.traces().into_iter().collect::<Vec<_>>(), ["directory"]);
}

#[test]
fn absurd_numbers_of_hosts_are_refused() {
    let place = Place::new();
    for hosts in [0, 201, usize::MAX] {
        let refused = Pool::up(place.spec(hosts)).unwrap_err();
        assert_eq!(refused.to_string(), format!("a pool has 1 to 200 hosts, not {hosts}"));
    }
    assert!(!place.dir().exists());
}

#[test]
fn a_directory_that_somebody_works_on_is_refused() {
    let place = Place::new();
    fs::create_dir(place.dir()).unwrap();
    let folder = File::open(place.dir()).unwrap();
    folder.lock().unwrap();
    assert!(matches!(Pool::up(place.spec(1)), Err(Error::Busy { .. })));
    assert!(entries(&place.dir()).is_empty());
    drop(folder);
}

#[test]
fn an_engine_that_does_not_start_is_shown_and_leaves_nothing() {
    let place = Place::new();
    let spec = PoolSpec { dockerd_args: vec!["--no-such-flag".into()], ..place.spec(2) };
    let failed = Pool::up(spec).unwrap_err();
    let text = failed.to_string();
    assert!(matches!(failed, Error::StartHost { .. }), "{text}");
    assert!(text.contains("its process ended") && text.contains("unknown flag: --no-such-flag"), "{text}");
    assert!(place.traces().is_empty(), "{:?}", place.traces());
}

#[test]
fn there_is_no_pool_in_a_file_or_in_nothing() {
    let place = Place::new();
    assert!(matches!(Pool::open(&place.dir()), Err(Error::NoPool { .. })));
    fs::write(place.dir(), "a file").unwrap();
    assert!(matches!(Pool::open(&place.dir()), Err(Error::NoPool { .. })));
    assert!(matches!(Pool::up(place.spec(1)), Err(Error::File { .. })));
    assert_eq!(fs::read_to_string(place.dir()).unwrap(), "a file");
}

#[test]
fn unknown_services_and_their_names_are_refused() {
    let place = Place::new();
    let pool = Pool::up(place.spec(1)).unwrap();
    assert!(matches!(pool.stop_service("web"), Err(Error::ServiceName { .. })));
    for name in ["", "..", "a/b", "hosts/../..", "Web"] {
        let service = Service { name: name.into(), argv: vec!["true".into()], ..Service::default() };
        assert!(matches!(pool.spawn(&service), Err(Error::ServiceName { .. })), "{name:?}");
    }
    for argv in [vec![], vec!["no-such-program".to_owned()]] {
        let service = Service { name: "web".into(), argv, ..Service::default() };
        assert!(matches!(pool.spawn(&service), Err(Error::StartCommand { .. })));
    }
    assert!(pool.services().unwrap().is_empty());

    let folder = File::open(place.dir()).unwrap();
    folder.lock().unwrap();
    assert!(matches!(pool.add_host(), Err(Error::Busy { .. })));
    drop(folder);
    assert_eq!(pool.hosts().unwrap().len(), 1);

    let link = format!("{}v1", place.prefix());
    assert!(std::process::Command::new("ip").args(["link", "delete", &link]).status().unwrap().success());
    let host = pool.host("host-1").unwrap();
    let failed = host.cut().unwrap_err().to_string();
    assert!(failed.contains(&link), "{failed}");
    pool.down().unwrap();
    assert!(place.traces().is_empty(), "{:?}", place.traces());
}
