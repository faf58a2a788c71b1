//! An etcd that speaks TLS and wants to see a certificate, and a controller that shows it.

use std::path::Path;
use std::time::Duration;

use pierhead_devhosts::{EtcdSpec, Pool, PoolSpec};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::api::Api;
use crate::controller::{Controller, PASSWORD};
use crate::place::Place;
use crate::raw::{self, ids};
use crate::wait::until;

const APP: &str = "sealed";

/// An authority of the test's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes a certificate and its key; it holds for every address that a pool's bridge may have.
    fn issue(&self, cert: &Path, key: &Path) {
        let pair = KeyPair::generate().unwrap();
        let names: Vec<String> = (0..=255).map(|subnet| format!("10.77.{subnet}.1")).collect();
        let params = CertificateParams::new(names).unwrap();
        std::fs::write(cert, params.signed_by(&pair, &self.0).unwrap().pem()).unwrap();
        std::fs::write(key, pair.serialize_pem()).unwrap();
    }
}

#[test]
fn a_controller_shows_its_certificate_to_an_etcd_that_asks_for_one() {
    let place = Place::new();
    let ours = Authority::new();
    let file = |name: &str| place.beside(name).display().to_string();
    ours.issue(&place.beside("server.pem"), &place.beside("server.key"));
    ours.issue(&place.beside("client.pem"), &place.beside("client.key"));
    std::fs::write(place.beside("ca.pem"), ours.0.pem()).unwrap();
    let args = [
        format!("--cert-file={}", file("server.pem")),
        format!("--key-file={}", file("server.key")),
        format!("--trusted-ca-file={}", file("ca.pem")),
        "--client-cert-auth=true".to_owned(),
    ];
    let etcd = EtcdSpec { members: 1, args: args.to_vec(), https: true };
    let pool = Pool::up(PoolSpec { dir: place.pool(), hosts: 1, etcd, ..PoolSpec::default() }).unwrap();
    let hosts = pool.hosts().unwrap();
    let store = format!("{}/e2e", pool.etcd().unwrap()[0].url().replace("https://", "etcd://"));
    let (cert, key) = (file("client.pem"), file("client.key"));

    let (ca, stranger) = (file("ca.pem"), file("stranger"));
    let args = ["--store", &store, "--data-dir", &stranger, "--etcd-ca", &ca];
    // It says so, or hangs up; on a busy machine it may say nothing in time.
    until("it is said what the member wants", Duration::from_secs(60), || {
        super::refusal(&args).to_lowercase().contains("certificate")
    });
    let refused = super::refusal(&[&args[..], &["--etcd-cert", &cert]].concat());
    assert!(refused.contains("belong together"), "{refused}");

    let dir = place.beside("controller");
    let password = dir.join("password").display().to_string();
    let args = ["--admin-password-file", &password, "--store", &store, "--etcd-ca", &ca];
    let mut controller = Controller::new(&dir, &[&args[..], &["--etcd-cert", &cert, "--etcd-key", &key]].concat(), &[]);
    let url = controller.start();
    let token = Api::new(&url, None).log_in(PASSWORD).unwrap();
    let api = Api::new(&url, Some(&token));
    api.add_engine(&hosts[0]);
    let operation = api.run_sample(APP, 2, "run").unwrap();
    assert_eq!(api.ended(&operation, 30).unwrap().state, "done");
    let before = ids(&raw::of_app(&hosts, APP));
    controller.kill();

    let api = Api::new(&controller.start(), Some(&token));
    let operation = api.scale(APP, 3, "scale").unwrap();
    assert_eq!(api.ended(&operation, 60).unwrap().state, "done");
    let now = ids(&raw::of_app(&hosts, APP));
    assert!(now.len() == 3 && before.iter().all(|id| now.contains(id)), "{before:?} became {now:?}");
    controller.kill();
}
