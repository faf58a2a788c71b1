//! An etcd whose space is used up by somebody else, tidied up while the controller goes on.

use std::process::Command;

use pierhead_client::ClientError;
use pierhead_devhosts::{EtcdMember, EtcdSpec, Pool, PoolSpec};

use crate::api::Api;
use crate::controller::{Controller, PASSWORD};
use crate::kills::store_in;
use crate::place::Place;
use crate::raw::{self, ids};
use crate::wait::{PATIENCE, until_right};

const APP: &str = "steady";
/// The least that a member takes for its data, in bytes, so that it is full soon.
const QUOTA: &str = "--quota-backend-bytes=16000000";
/// How much goes in at once.
const PIECE: usize = 1_000_000;
/// How long etcd's own client waits for an answer.
const LIMIT: &str = "--command-timeout=30s";

/// What etcd's own client says.
fn etcdctl(member: &EtcdMember, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new("etcdctl");
    command.env("ETCDCTL_API", "3").args([LIMIT, "--endpoints", &member.url()]).args(args);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn fill(member: &EtcdMember, place: &Place) {
    let piece = place.beside("piece");
    std::fs::write(&piece, "x".repeat(PIECE)).unwrap();
    let full = (0..100).find_map(|at| {
        let words = format!("etcdctl {LIMIT} --endpoints {} put junk-{at} < {}", member.url(), piece.display());
        let put = Command::new("sh").args(["-c", &words]).env("ETCDCTL_API", "3").output().unwrap();
        (!put.status.success()).then(|| String::from_utf8_lossy(&put.stderr).into_owned())
    });
    let full = full.expect("it has a quota");
    assert!(full.contains("database space exceeded"), "{full}");
}

/// What an operator does about it.
fn tidy_up(member: &EtcdMember) {
    etcdctl(member, &["del", "--prefix", "junk-"]).unwrap();
    let status = etcdctl(member, &["endpoint", "status", "-w", "json"]).unwrap();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let revision = status[0]["Status"]["header"]["revision"].to_string();
    etcdctl(member, &["compact", "--physical", &revision]).unwrap();
    etcdctl(member, &["defrag"]).unwrap();
    etcdctl(member, &["alarm", "disarm"]).unwrap();
}

#[test]
fn a_full_etcd_refuses_changes_in_words_and_all_goes_on_when_it_is_tidied_up() {
    let place = Place::new();
    let etcd = EtcdSpec { members: 1, args: vec![QUOTA.to_owned()], ..EtcdSpec::default() };
    let pool = Pool::up(PoolSpec { dir: place.pool(), hosts: 1, etcd, ..PoolSpec::default() }).unwrap();
    let (hosts, member) = (pool.hosts().unwrap(), pool.etcd().unwrap().remove(0));
    let store = store_in(&pool).address().to_string();
    let dir = place.beside("controller");
    let password = dir.join("password").display().to_string();
    let mut controller = Controller::new(&dir, &["--admin-password-file", &password, "--store", &store], &[]);
    let url = controller.start();
    let token = Api::new(&url, None).log_in(PASSWORD).unwrap();
    let api = Api::new(&url, Some(&token));
    api.add_engine(&hosts[0]);
    let operation = api.run_sample(APP, 2, "run").unwrap();
    assert_eq!(api.ended(&operation, 30).unwrap().state, "done");
    let before = ids(&raw::of_app(&hosts, APP));

    fill(&member, &place);
    match api.scale(APP, 3, "full") {
        Err(ClientError::Refused { status: 503, body, .. }) if body.code == "store_full" => {}
        other => panic!("{other:?}\n{}", controller.output()),
    }
    assert_eq!(api.wait(api.client.containers(false)).unwrap().into_value().len(), 2, "reads are answered");
    assert_eq!(ids(&raw::of_app(&hosts, APP)), before);

    tidy_up(&member);
    let mut operation = String::new();
    until_right(PATIENCE, || {
        operation = api.scale(APP, 3, "full").map_err(|error| error.to_string())?;
        Ok::<(), String>(())
    })
    .unwrap();
    assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    let after = raw::of_app(&hosts, APP);
    let now = ids(&after);
    assert!(now.len() == 3 && before.iter().all(|id| now.contains(id)), "{before:?} became {now:?}");
    // Compacted in the middle of its watches, it follows all changes still.
    let events = api.wait(api.client.containers(false)).unwrap().into_value();
    assert_eq!(events.len(), 3);
    controller.kill();
}
