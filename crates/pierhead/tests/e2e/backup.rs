//! A backup that is taken while a batch starts, restored where nothing is: what runs is adopted, and nothing is made twice
//! or removed before somebody says so.

use std::path::Path;

use pierhead_devhosts::{EtcdSpec, Pool, PoolSpec};
use serde_json::Value;

use crate::api::Api;
use crate::controller::{Controller, PASSWORD};
use crate::controllers::agent_of;
use crate::kills::store_in;
use crate::place::Place;
use crate::ports;
use crate::program::{Ended, program};
use crate::raw::{self, Listed, ids};
use crate::wait::{PATIENCE, until, until_right};

const BATCH: &str = "batch";
const LATER: &str = "later";
const COUNT: u32 = 8;

fn run(args: &[&str]) -> Ended {
    Ended::of(program().args(args))
}

fn ok(args: &[&str]) -> Value {
    let ended = run(args);
    assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    ended.json()
}

fn refused(args: &[&str], word: &str) {
    let ended = run(args);
    assert!(ended.code != 0 && ended.stderr.contains(word), "{args:?}: {ended:?}");
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Whether these are the containers of before, none of them started again.
fn are_untouched(before: &[Listed], now: &[Listed]) -> Result<(), String> {
    let same = ids(before) == ids(now) && now.iter().all(Listed::runs);
    if same { Ok(()) } else { Err(format!("{before:#?} became {now:#?}")) }
}

struct Restored {
    place: Place,
    pool: Pool,
    /// Arguments of the controller that is lost.
    lost: Vec<String>,
    /// What `restore` is told to make.
    target: Vec<String>,
    /// The arguments of the controller that comes after it.
    serve: Vec<String>,
    /// Whether the hosts have agents, which call whoever is where the lost one was.
    has_agents: bool,
}

fn restore<'a>(file: &'a str, restored: &'a Restored, more: &[&'a str]) -> Vec<&'a str> {
    let target = restored.target.iter().map(String::as_str);
    ["restore", file, "--json"].into_iter().chain(target).chain(more.iter().copied()).collect()
}

/// Where nothing is, and once.
fn is_restored_with_its_key_only(restored: &Restored, file: &str, key: &str, made: &Value) {
    refused(&restore(file, restored, &[]), "--secret-key-file");
    let other = text(&restored.place.beside("other.key"));
    std::fs::write(&other, [7; 32]).unwrap();
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    refused(&restore(file, restored, &["--secret-key-file", &other]), "does not fit this backup");
    let key_flags = ["--secret-key-file", key];
    let dry = ok(&restore(file, restored, &[&key_flags[..], &["--dry-run"]].concat()));
    assert_eq!(dry["documents"], made["documents"]);
    assert_eq!(ok(&restore(file, restored, &key_flags)), dry);
    refused(&restore(file, restored, &key_flags), "nothing is restored over it");
}

fn a_backup_of_a_batch_is_restored(restored: &Restored) {
    let (place, hosts) = (&restored.place, restored.pool.hosts().unwrap());
    let dir = place.beside("first");
    let password = text(&dir.join("password"));
    let lost = restored.lost.iter().map(String::as_str);
    let args: Vec<&str> = lost.chain(["--admin-password-file", &password]).collect();
    let mut first = Controller::new(&dir, &args, &[]);
    let url = first.start();
    let token = Api::new(&url, None).log_in(PASSWORD).unwrap();
    let api = Api::new(&url, Some(&token));
    let state = place.beside("agents");
    let _agents: Vec<_> = if restored.has_agents {
        hosts.iter().map(|host| agent_of(&api, host, &state)).collect()
    } else {
        hosts.iter().for_each(|host| api.add_engine(host));
        Vec::new()
    };
    until("the hosts are well", PATIENCE, || api.engines() == hosts.len());

    let operation = api.run_sample(BATCH, COUNT, "batch").unwrap();
    until("some of the batch run", PATIENCE, || raw::of_app(&hosts, BATCH).iter().any(Listed::runs));
    let file = text(&place.beside("backup"));
    // It may begin with a dash.
    let with_token = format!("--token={token}");
    let made = ok(&["backup", &file, "--json", "--url", &url, &with_token]);
    assert!(made["sealed"] == true && made["total"].as_u64().unwrap() > 10, "{made}");
    let checked = ok(&["backup", "verify", &file, "--json"]);
    assert_eq!(made, checked);
    let events = api.wait(api.client.events(100)).unwrap().into_value();
    let taken = events.iter().find(|event| event.kind == "read-backup").expect("it is told");
    assert!(taken.actor.as_deref() == Some("admin") && taken.message.starts_with("bytes="), "{taken:?}");
    assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    // What came after the backup: of an app that it knows, and of one that it does not.
    for operation in [api.scale(BATCH, COUNT + 2, "more").unwrap(), api.run_sample(LATER, 2, "later").unwrap()] {
        assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    }
    let before = raw::ours(&hosts);
    assert_eq!(before.len(), COUNT as usize + 4);

    // The machine is lost, but for its key, which was kept elsewhere.
    first.kill();
    let key = text(&place.beside("kept.key"));
    std::fs::rename(first.data_dir().join("secret.key"), &key).unwrap();
    std::fs::remove_dir_all(first.data_dir()).unwrap();

    is_restored_with_its_key_only(restored, &file, &key, &made);
    let mut args: Vec<&str> = restored.serve.iter().map(String::as_str).collect();
    args.extend(["--secret-key-file", &key, "--orphan-grace", "2s"]);
    let mut second = Controller::new(&place.beside("second"), &args, &[]);
    let url = second.start();
    let api = Api::new(&url, Some(&token));
    let info = || api.wait(api.client.cluster_info()).unwrap().into_value();
    // Of the app of the backup, those that it had a slot for are adopted; the rest is told.
    until_right(PATIENCE, || {
        let unknown = info().restored.ok_or("it does not say that it was restored")?.unknown;
        let app = api.wait(api.client.app(BATCH)).map_err(|error| error.to_string())?.into_value();
        match (unknown.len(), app.running) {
            (4, COUNT) => are_untouched(&before, &raw::ours(&hosts)),
            other => Err(format!("{other:?}")),
        }
    })
    .unwrap_or_else(|wrong| panic!("{wrong}\n{}", second.output()));
    let settle = ["cluster", "settle", "--url", &url, &with_token];
    refused(&settle, "--yes");
    // Longer than the time after which a container without a record would go.
    let began = std::time::Instant::now();
    until("the grace time of orphans is over", PATIENCE, || {
        are_untouched(&before, &raw::ours(&hosts)).unwrap();
        began.elapsed() > std::time::Duration::from_secs(5)
    });
    // What shall stay of the rest is asked for again, and has its place back.
    let operation = api.scale(BATCH, COUNT + 2, "again").unwrap();
    assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    are_untouched(&before, &raw::ours(&hosts)).unwrap();

    let settled = run(&[&settle[..], &["--yes"]].concat());
    assert!(settled.code == 0 && settled.stderr.contains("later.0.1"), "{settled:?}");
    until_right(PATIENCE, || {
        let kept: Vec<Listed> = before.iter().filter(|container| container.is_of(BATCH)).cloned().collect();
        are_untouched(&kept, &raw::ours(&hosts))
    })
    .unwrap_or_else(|wrong| panic!("{wrong}\n{}", second.output()));
    assert_eq!(info().restored, None);
    refused(&[&settle[..], &["--yes"]].concat(), "nothing is to be settled");
    let operation = api.scale(BATCH, 1, "fewer").unwrap();
    assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    second.kill();
}

#[test]
fn a_batch_is_adopted_by_a_new_machine() {
    let place = Place::new();
    let pool = Pool::up(PoolSpec { dir: place.pool(), hosts: 1, ..PoolSpec::default() }).unwrap();
    let target = vec!["--data-dir".to_owned(), text(&place.beside("second").join("data"))];
    a_backup_of_a_batch_is_restored(&Restored {
        place,
        pool,
        lost: Vec::new(),
        target,
        serve: Vec::new(),
        has_agents: false,
    });
}

#[test]
fn a_batch_on_hosts_with_agents_is_adopted_out_of_etcd() {
    let place = Place::new();
    let etcd = EtcdSpec { members: 1, ..EtcdSpec::default() };
    let pool = Pool::up(PoolSpec { dir: place.pool(), hosts: 1, etcd, ..PoolSpec::default() }).unwrap();
    let store = store_in(&pool).address().to_string();
    // The new machine takes the address of the old one.
    let listen = ports::free(pool.bridge_address().unwrap()).to_string();
    let with_agents = |store: &[String]| [store, &["--agent-listen".to_owned(), listen.clone()]].concat();
    let (old, new) =
        (["--store".to_owned(), store.clone()], ["--store".to_owned(), store.replace("/e2e", "/restored")]);
    let (lost, serve) = (with_agents(&old), with_agents(&new));
    a_backup_of_a_batch_is_restored(&Restored { place, pool, lost, target: new.to_vec(), serve, has_agents: true });
}

#[test]
fn backups_come_by_themselves_and_the_oldest_go() {
    let place = Place::new();
    let dir = place.beside("controller");
    let backups = place.beside("backups");
    refused(
        &["serve", "--backup-dir", &text(&backups), "--data-dir", &text(&dir)],
        "must be a directory that is there",
    );
    std::fs::create_dir(&backups).unwrap();
    let (to, password) = (text(&backups), text(&dir.join("password")));
    let flags = ["--admin-password-file", &password, "--backup-dir", &to, "--backup-every", "1s", "--backup-keep", "2"];
    let flags = [&flags[..], &["--advertise-url", "https://pool.example:8443/"]].concat();
    let mut controller = Controller::new(&dir, &flags, &[]);
    let url = controller.start();
    let token = Api::new(&url, None).log_in(PASSWORD).unwrap();
    let api = Api::new(&url, Some(&token));
    until("it tells where it is reached", PATIENCE, || {
        api.controllers().unwrap().iter().any(|it| it.url == "https://pool.example:8443")
    });
    let made = || {
        let events = api.wait(api.client.events(100)).unwrap().into_value();
        events.iter().filter(|event| event.kind == "make-backup").count()
    };
    until("four were made", PATIENCE, || made() >= 4);
    let kept = || {
        let mut files: Vec<_> = std::fs::read_dir(&backups).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    };
    until("two are kept", PATIENCE, || kept().len() == 2);
    controller.kill();
    for file in kept().iter().filter(|file| file.extension().is_some_and(|extension| extension == "backup")) {
        assert_eq!(ok(&["backup", "verify", &text(file), "--json"])["sealed"], true);
    }
    // A changed byte in the middle is found.
    let file = kept().into_iter().next().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    refused(&["backup", "verify", &text(&file)], "check sum");

    // Of one that is stopped, without asking it; and no schedule outlives its directory quietly.
    let offline = text(&place.beside("offline"));
    assert_eq!(ok(&["backup", &offline, "--json", "--from", &text(&controller.data_dir())])["sealed"], true);
    let url = controller.start();
    let api = Api::new(&url, Some(&token));
    // At once: another may just be written.
    std::fs::rename(&backups, place.beside("moved")).unwrap();
    until("the failure is told", PATIENCE, || {
        let events = api.wait(api.client.events(100)).unwrap().into_value();
        events.iter().any(|event| event.kind == "backup-failed" && event.message.contains(&to))
    });
    refused(&["backup", &offline, "--from", &text(&controller.data_dir())], "leave --from out");
    controller.kill();
}
