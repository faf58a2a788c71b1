//! Two controllers on one etcd whose image archives lie in a bucket: what is sent to one is deployed by the other.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use pierhead_bucketkit::{BucketServer, Fault, KEY_ID, SECRET};
use pierhead_devhosts::{EtcdSpec, Pool, PoolSpec};
use pierhead_testkit::image_archive;
use rcgen::{CertifiedKey, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::runtime::Runtime;

use crate::api::Api;
use crate::controller::{Controller, PASSWORD};
use crate::images::{on, save};
use crate::kills::store_in;
use crate::place::Place;
use crate::program::{Ended, program};
use crate::raw;
use crate::wait::{PATIENCE, until};

const BUCKET: &str = "school";
const PREFIX: &str = "pierhead/images";

/// The program as the administrator of a controller.
fn ask(url: &str, token: &str, args: &[&str]) -> Ended {
    Ended::of(program().env("PIERHEAD_URL", url).env("PIERHEAD_TOKEN", token).args(args))
}

fn ok(url: &str, token: &str, args: &[&str]) -> String {
    let ended = ask(url, token, args);
    assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    ended.stdout
}

fn run(url: &str, token: &str, app: &str) -> Ended {
    ask(url, token, &["run", "shop:1", "--app", app, "--cpus", "0.05", "--memory", "16"])
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn an_image_that_one_controller_took_is_deployed_by_another() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(BucketServer::start(&[BUCKET])).unwrap();
    let place = Place::new();
    let etcd = EtcdSpec { members: 1, ..EtcdSpec::default() };
    let pool = Pool::up(PoolSpec { dir: place.pool(), hosts: 2, etcd, ..PoolSpec::default() }).unwrap();
    let hosts = pool.hosts().unwrap();
    let (store, key) = (store_in(&pool).address().to_string(), place.beside("secret.key").display().to_string());
    let (blobs, endpoint) = (format!("s3://{BUCKET}/{PREFIX}"), server.endpoint());
    let password = place.beside("first").join("password").display().to_string();
    let mut args = vec!["--store", &store, "--secret-key-file", &key, "--blobs", &blobs, "--blobs-endpoint", &endpoint];
    args.extend(["--admin-password-file", &password]);
    let env = |secret| [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", secret)];

    // Who may not write there does not start, and is told what to look at.
    let mut stranger = program();
    stranger.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(place.beside("stranger")).args(&args);
    let refused = Ended::of(stranger.envs(env("not the key")));
    assert!(refused.code != 0 && refused.stderr.contains("AWS_SECRET_ACCESS_KEY"), "{refused:?}");
    assert!(refused.stderr.contains(&format!("--blobs {blobs} refuses to be written")), "{refused:?}");

    let mut first = Controller::new(&place.beside("first"), &args, &env(SECRET));
    let mut second = Controller::new(&place.beside("second"), &args, &env(SECRET));
    let (one, other) = (first.start(), second.start());
    let api = Api::new(&one, None);
    let token = api.log_in(PASSWORD).unwrap();
    let api = Api::new(&one, Some(&token));
    hosts.iter().for_each(|host| api.add_engine(host));
    until("the hosts are there", PATIENCE, || hosts.iter().all(|host| api.health(host.name()).0 == "healthy"));

    let file = place.beside("shop.tar");
    let id = save(&hosts[0], "shop", 20, &file);
    ok(&one, &token, &["image", "push", &file.display().to_string()]);
    let kept = server.objects(BUCKET, PREFIX);
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(server.parts(), 0, "it was put together");
    assert!(server.seen().iter().any(|line| line.contains("partNumber=3")), "it was sent in parts");
    assert_eq!(files(&first.data_dir().join("incoming")) + files(&first.data_dir().join("images")), 0);

    // The one that took it is no more; the other has never seen its bytes.
    first.kill();
    let ended = run(&other, &token, "shop");
    assert_eq!(ended.code, 0, "{ended:?}\n{}", second.output());
    let running = raw::of_app(&hosts, "shop");
    assert!(running.len() == 1 && running[0].runs(), "{running:?}");
    let host = hosts.iter().find(|host| on(host, "shop:1").is_some()).unwrap();
    assert_eq!(on(host, "shop:1").as_ref(), Some(&id));
    let one = first.start_again();

    // The bucket is away: hosts that have the image run it, and an upload says what is wrong.
    for method in ["GET", "PUT", "POST", "HEAD", "DELETE"] {
        server.fault(method, "", usize::MAX, Fault::HangUp);
    }
    ok(&one, &token, &["engine", "cordon", hosts.iter().find(|other| other.name() != host.name()).unwrap().name()]);
    let ended = run(&one, &token, "again");
    assert_eq!(ended.code, 0, "{ended:?}\n{}\n{}", first.output(), second.output());
    let newer = save(&hosts[0], "newer", 1, &place.beside("newer.tar"));
    let ended = ask(&one, &token, &["image", "push", &place.beside("newer.tar").display().to_string()]);
    assert!(ended.code != 0 && ended.stderr.contains(&format!("--blobs {blobs} does not answer")), "{ended:?}");
    assert!(!ended.stderr.contains(SECRET) && !first.output().contains(SECRET), "{ended:?}");
    server.heal();
    let told = ok(&one, &token, &["image", "push", &place.beside("newer.tar").display().to_string()]);
    assert!(told.contains(&newer), "{told}");
    assert_eq!(server.objects(BUCKET, PREFIX).len(), 2);

    ok(&other, &token, &["image", "rm", "shop:1", "--yes"]);
    ok(&one, &token, &["image", "rm", "newer:1", "--yes"]);
    assert_eq!(server.objects(BUCKET, PREFIX), Vec::<String>::new());
    for app in ["shop", "again"] {
        ok(&one, &token, &["app", "rm", app, "--yes"]);
    }
    assert!(raw::ours(&hosts).is_empty(), "{:?}", raw::ours(&hosts));
}

fn server_config(pair: &CertifiedKey<KeyPair>) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der());
    builder.with_single_cert(vec![pair.cert.der().clone()], key.into()).unwrap()
}

#[test]
fn a_bucket_behind_tls_is_used_only_if_its_authority_is_trusted() {
    let runtime = Runtime::new().unwrap();
    let pair = || rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (ours, foreign) = (pair(), pair());
    let server = runtime.block_on(BucketServer::start_with_tls(&[BUCKET], server_config(&ours))).unwrap();
    let place = Place::new();
    let (blobs, endpoint) = (format!("s3://{BUCKET}/{PREFIX}"), server.endpoint());
    assert!(endpoint.starts_with("https://"), "{endpoint}");
    let trusting = |name: &str, pair: &CertifiedKey<KeyPair>| {
        let file = place.beside(name);
        fs::write(&file, pair.cert.pem()).unwrap();
        file.display().to_string()
    };
    let (ours, foreign) = (trusting("ours.pem", &ours), trusting("foreign.pem", &foreign));
    let password = place.beside("password").display().to_string();
    fs::write(&password, PASSWORD).unwrap();
    let args = ["--blobs", &blobs, "--blobs-endpoint", &endpoint, "--admin-password-file", &password];
    let keys = [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];

    let archive = place.beside("tiny.tar");
    fs::write(&archive, image_archive(&["tiny:1"], "tiny")).unwrap();
    let push = |name: &str, authority: &str| {
        let [id, secret] = keys;
        let mut controller = Controller::new(&place.beside(name), &args, &[id, secret, ("SSL_CERT_FILE", authority)]);
        let url = controller.start();
        let token = Api::new(&url, None).log_in(PASSWORD).unwrap();
        ask(&url, &token, &["image", "push", &archive.display().to_string()])
    };

    let refused = push("stranger", &foreign);
    assert!(refused.code != 0 && refused.stderr.contains("certificate"), "{refused:?}");
    assert_eq!(server.seen(), Vec::<String>::new(), "nothing was told to whom nobody trusts");
    let taken = push("first", &ours);
    assert_eq!(taken.code, 0, "{taken:?}");
    assert_eq!(server.objects(BUCKET, PREFIX).len(), 1);
}
