//! What is kept, moved to etcd and back by the program, while containers run on.

use serde_json::Value;

use pierhead_devhosts::{EtcdSpec, Host, Pool, PoolSpec};

use crate::api::Api;
use crate::controller::{Controller, PASSWORD};
use crate::kills::store_in;
use crate::place::Place;
use crate::program::{Ended, program};
use crate::raw::{self, ids};
use crate::wait::{PATIENCE, until_right};

const APP: &str = "moved";

fn migrate(from: &str, to: &str, flags: &[&str]) -> Ended {
    Ended::of(program().args(["store", "migrate", "--json", "--from", from, "--to", to]).args(flags))
}

fn until_healthy(api: &Api, host: &Host) {
    let healthy = until_right(PATIENCE, || match api.health(host.name()) {
        (status, _) if status == "healthy" => Ok(()),
        unhealthy => Err(unhealthy),
    });
    healthy.unwrap();
}

fn moved(from: &str, to: &str, flags: &[&str]) -> Value {
    let ended = migrate(from, to, flags);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.json()
}

#[test]
fn a_pool_moves_to_etcd_and_back_and_its_containers_do_not_notice() {
    let place = Place::new();
    let etcd = EtcdSpec { members: 1, ..EtcdSpec::default() };
    let pool = Pool::up(PoolSpec { dir: place.pool(), hosts: 1, etcd, ..PoolSpec::default() }).unwrap();
    let hosts = pool.hosts().unwrap();
    let store = store_in(&pool).address().to_string();
    let dir = place.beside("controller");
    let password = dir.join("password").display().to_string();
    let mut first = Controller::new(&dir, &["--admin-password-file", &password], &[]);
    let url = first.start();
    let token = Api::new(&url, None).log_in(PASSWORD).unwrap();
    let api = Api::new(&url, Some(&token));
    api.add_engine(&hosts[0]);
    until_healthy(&api, &hosts[0]);
    let operation = api.run_sample(APP, 2, "run").unwrap();
    assert_eq!(api.ended(&operation, 30).unwrap().state, "done");
    let before = ids(&raw::of_app(&hosts, APP));

    let data = first.data_dir().display().to_string();
    let refused = migrate(&data, &store, &[]);
    assert!(refused.code != 0 && refused.stderr.contains("stop the controller first"), "{refused:?}");
    first.kill();
    let counted = moved(&data, &store, &["--dry-run"]);
    let copied = moved(&data, &store, &[]);
    assert_eq!((&counted["documents"], &counted["sha256"]), (&copied["documents"], &copied["sha256"]));
    assert!(copied["total"].as_u64().unwrap() > 10 && copied["documents"]["spec"].as_u64().unwrap() > 2, "{copied}");
    let refused = migrate(&data, &store, &[]);
    assert!(refused.code != 0 && refused.stderr.contains("nothing is copied over it"), "{refused:?}");

    // The same data directory still has the key; now everything else is in etcd.
    let mut second = Controller::new(&dir, &["--store", &store], &[]);
    let api = Api::new(&second.start(), Some(&token));
    until_healthy(&api, &hosts[0]);
    let operation = api.scale(APP, 3, "scale").unwrap();
    assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    let now = ids(&raw::of_app(&hosts, APP));
    assert!(now.len() == 3 && before.iter().all(|id| now.contains(id)), "{before:?} became {now:?}");
    let back = place.beside("back").display().to_string();
    let refused = migrate(&store, &back, &[]);
    assert!(refused.code != 0 && refused.stderr.contains("leads on"), "{refused:?}");
    second.kill();

    // Whoever was killed leads until its lease has ended.
    until_right(PATIENCE, || match migrate(&store, &back, &[]) {
        ended if ended.code == 0 => Ok(()),
        ended => Err(ended.stderr),
    })
    .unwrap();
    let third_dir = place.beside("third");
    std::fs::create_dir_all(&third_dir).unwrap();
    std::fs::rename(&back, third_dir.join("data")).unwrap();
    let key = format!("{data}/secret.key");
    let mut third = Controller::new(&third_dir, &["--secret-key-file", &key], &[]);
    let api = Api::new(&third.start(), Some(&token));
    let operation = api.scale(APP, 2, "scale back").unwrap();
    assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    let last = ids(&raw::of_app(&hosts, APP));
    assert!(last.len() == 2 && last.iter().all(|id| now.contains(id)), "{now:?} became {last:?}");
    third.kill();
}
