//! A controller that keeps everything in etcd: killed, with members of etcd killed, and refused what is not its own.

mod full;
mod tls;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pierhead_client::ClientError;
use pierhead_devhosts::{EtcdSpec, Pool, PoolSpec};

use crate::controller::{Controller, PASSWORD};
use crate::kills::{KilledPool, Moment, Work, store_in};
use crate::place::Place;
use crate::program::{Ended, program};
use crate::raw::{self, ids};
use crate::wait::{PATIENCE, until_right};

/// Longer than the store asks all members before it gives up.
const REFUSED_WITHIN: Duration = Duration::from_secs(30);

#[test]
fn on_etcd_a_killed_controller_and_dead_members_lose_and_double_nothing() {
    let mut pool = KilledPool::with_etcd(&[], 3);
    pool.begin().unwrap();
    let moments = [
        (Work::Run, Moment::Millis(3)),
        (Work::ScaleUp, Moment::Seen(2)),
        (Work::ScaleDown, Moment::Millis(20)),
        (Work::Run, Moment::Seen(4)),
    ];
    for (round, (work, moment)) in moments.into_iter().enumerate() {
        if let Err(wrong) = pool.round(work, moment) {
            panic!("round {round}, {work:?}, killed at {moment:?}: {wrong}\n{}", pool.controller.output());
        }
    }
    if let Err(wrong) = one_member_is_not_missed(&mut pool).and_then(|()| without_a_quorum_all_runs_on(&pool)) {
        panic!("{wrong}\n{}", pool.controller.output());
    }
}

/// Whichever member dies, requests go on without an error.
fn one_member_is_not_missed(pool: &mut KilledPool) -> Result<(), String> {
    for (round, member) in pool.pool.etcd().unwrap().into_iter().enumerate() {
        member.kill().unwrap();
        let api = pool.api();
        for count in [5, 4] {
            let key = format!("member-{round}-{count}");
            let operation = api.scale("scaled", count, &key).map_err(|error| format!("{}: {error}", member.name()))?;
            pool.is_done(&operation)?;
        }
        api.wait(api.client.apps()).map_err(|error| error.to_string())?;
        member.start().unwrap();
        member.wait_until_it_answers().unwrap();
    }
    pool.is_right()
}

fn without_a_quorum_all_runs_on(pool: &KilledPool) -> Result<(), String> {
    let (members, api) = (pool.pool.etcd().unwrap(), pool.api());
    let before = ids(&raw::of_app(&pool.hosts, "scaled"));
    members[..2].iter().for_each(|member| member.kill().unwrap());

    let began = Instant::now();
    let refused = api.scale("scaled", 6, "without-quorum");
    match &refused {
        Err(ClientError::Refused { status: 503, body, .. }) if body.message.contains("store") => {}
        other => return Err(format!("not refused with a reason: {other:?}")),
    }
    if began.elapsed() > REFUSED_WITHIN {
        return Err(format!("refused after {:?}", began.elapsed()));
    }
    are_marked(pool)?;
    let apps = api.wait(api.client.apps()).map_err(|error| format!("reads are answered: {error}"))?.into_value();
    let told: BTreeSet<String> = apps.into_iter().flat_map(|app| app.slots).filter_map(|slot| slot.container).collect();
    if told.len() != before.len() {
        return Err(format!("the last view: {told:?}"));
    }

    members[..2].iter().for_each(|member| member.start().unwrap());
    members.iter().for_each(|member| member.wait_until_it_answers().unwrap());
    let after = ids(&raw::of_app(&pool.hosts, "scaled"));
    if before != after {
        return Err(format!("{before:?} became {after:?}"));
    }
    pool.is_right()?;
    until_right(PATIENCE, || {
        let (told, controllers) = (pool.cli(&["app", "ls"]), pool.api().controllers());
        let is_fresh = controllers.is_ok_and(|all| all.iter().all(|controller| controller.stale.is_none()));
        if is_fresh && told.stderr.is_empty() { Ok(()) } else { Err(format!("all is well, and it tells {told:?}")) }
    })?;
    // Nothing was begun by what was refused, or all of it: asked again, it is the same operation.
    let operation = until_some_operation(pool)?;
    pool.is_done(&operation)?;
    let back = api.scale("scaled", 4, "back").map_err(|error| error.to_string())?;
    pool.is_done(&back)?;
    pool.is_right()
}

/// What is answered without the store says how old it may be: to programs, to people, and in the list of controllers.
fn are_marked(pool: &KilledPool) -> Result<(), String> {
    let api = pool.api();
    let age = || {
        api.wait(api.client.engines()).map_err(|error| format!("reads are answered: {error}"))?;
        api.client.stale().ok_or_else(|| "a read without the store that does not say so".to_owned())
    };
    until_right(PATIENCE, || age().map(drop))?;
    let first = age()?;
    until_right(PATIENCE, || if age()? > first { Ok(()) } else { Err(format!("it is {first:?} old and stays so")) })?;
    let controllers = api.controllers().map_err(|error| error.to_string())?;
    let stale = controllers.iter().filter_map(|controller| controller.stale).collect::<Vec<_>>();
    if stale.len() != 1 || stale[0] < first.as_secs() {
        return Err(format!("{stale:?} of {controllers:?}"));
    }
    let told = pool.cli(&["app", "ls"]);
    if told.code != 0 || !told.stdout.contains("scaled") || !told.stderr.contains("store has not answered for") {
        return Err(format!("people are told {told:?}"));
    }
    let told = pool.cli(&["controller", "ls"]);
    if !told.stdout.contains("stale for") {
        return Err(format!("the list of controllers tells {told:?}"));
    }
    Ok(())
}

fn until_some_operation(pool: &KilledPool) -> Result<String, String> {
    let api = pool.api();
    let mut operation = String::new();
    until_right(PATIENCE, || {
        operation = api.scale("scaled", 6, "without-quorum").map_err(|error| error.to_string())?;
        Ok::<(), String>(())
    })?;
    Ok(operation)
}

/// How a controller ends that can't begin.
fn refusal(args: &[&str]) -> String {
    let ended = Ended::of(program().args(["serve", "--listen", "127.0.0.1:0"]).args(args));
    assert_ne!(ended.code, 0, "{args:?}: {ended:?}");
    ended.stderr
}

#[test]
fn what_is_not_the_controllers_own_is_refused_in_words() {
    let place = Place::new();
    let etcd = EtcdSpec { members: 1, ..EtcdSpec::default() };
    let pool = Pool::up(PoolSpec { dir: place.pool(), hosts: 0, etcd, ..PoolSpec::default() }).unwrap();
    let store = store_in(&pool).address().to_string();
    let dir = place.beside("controller");
    let password = dir.join("password").display().to_string();
    let mut controller = Controller::new(&dir, &["--store", &store, "--admin-password-file", &password], &[]);
    let url = controller.start();
    crate::api::Api::new(&url, None).log_in(PASSWORD).unwrap();
    controller.kill();

    let other = place.beside("other").display().to_string();
    let refused = refusal(&["--store", &store, "--data-dir", &other]);
    assert!(refused.contains("--secret-key-file") && refused.contains("sealed with it"), "{refused}");
    let key = place.beside("other.key");
    std::fs::write(&key, [7; 32]).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let key = key.display().to_string();
    let refused = refusal(&["--store", &store, "--data-dir", &other, "--secret-key-file", &key]);
    assert!(refused.contains("sealed with another key"), "{refused}");

    let data_dir = controller.data_dir().display().to_string();
    let elsewhere = store.replace("/e2e", "/elsewhere");
    let refused = refusal(&["--store", &elsewhere, "--data-dir", &data_dir]);
    assert!(refused.contains("belongs to the store") && refused.contains(&elsewhere), "{refused}");
    let refused = refusal(&["--store", "etcd://127.0.0.1:1", "--data-dir", &other]);
    assert!(refused.contains("127.0.0.1:1: Connection refused"), "{refused}");
    let secret = place.beside("etcd-password");
    std::fs::write(&secret, "canary-4711").unwrap();
    let secret = secret.display().to_string();
    let access = ["--etcd-user", "nobody", "--etcd-password-file", &secret];
    let refused = refusal(&[&["--store", &store, "--data-dir", &other], &access[..]].concat());
    assert!(refused.contains("refuses access") && !refused.contains("canary"), "{refused}");

    let reset = |store: &str| {
        let args = ["admin", "reset-password", "--password-stdin", "--store", store];
        Ended::with_input(program().args(args), "another password for tests")
    };
    let refused = reset(&elsewhere);
    assert!(refused.code != 0 && refused.stderr.contains("holds no data of a server"), "{refused:?}");
    assert_eq!(reset(&store).code, 0);

    // With the right key a second directory serves the same.
    let key = controller.data_dir().join("secret.key").display().to_string();
    let args = ["--store", &store, "--secret-key-file", &key];
    let mut second = Controller::new(&place.beside("second"), &args, &[]);
    let url = second.start();
    let api = crate::api::Api::new(&url, None);
    assert!(api.log_in(PASSWORD).is_err(), "the old password is worth nothing any more");
    api.log_in("another password for tests").unwrap();
    second.kill();
}
