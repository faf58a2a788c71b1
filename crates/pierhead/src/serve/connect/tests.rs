use super::*;
use pierhead_engine::{RegistryAuth, Tls};
use pierhead_model::{Capacity, EngineId, OverCommit, Timestamp, Username};
use rcgen::{CertificateParams, KeyPair};
use std::collections::BTreeSet;
use tempfile::TempDir;

fn sealer() -> (TempDir, Arc<Sealer>) {
    let directory = tempfile::tempdir().unwrap();
    let sealer = Arc::new(Sealer::open_or_create(directory.path()).unwrap());
    (directory, sealer)
}

fn tls() -> Tls {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["a.lan".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    Tls { ca_pem: certificate.clone(), certificate_pem: certificate, key_pem: key.serialize_pem() }
}

fn sealed<T: serde::Serialize>(sealer: &Sealer, context: &str, plain: &T) -> Option<String> {
    Some(sealer.seal(context, &serde_json::to_vec(plain).unwrap()).unwrap())
}

fn engine(addr: &str, sealed_tls: Option<String>) -> Engine {
    Engine {
        id: EngineId::parse("e1").unwrap(),
        addr: addr.to_owned(),
        labels: BTreeSet::new(),
        capacity: Capacity::default(),
        over_commit: OverCommit::default(),
        sealed_tls,
        duty: pierhead_model::Duty::default(),
        given_up: false,
        registered: None,
        agent: None,
        sealed_registry_auth: None,
        added_at: Timestamp(0),
        added_by: Username::parse("admin").unwrap(),
    }
}

#[test]
fn a_record_with_certificates_is_a_way_to_its_engine() {
    let (_directory, sealer) = sealer();
    let auth = RegistryAuth { server: "r:5000".into(), username: "bob".into(), password: "s3cret".into() };
    let record = Engine {
        sealed_registry_auth: sealed(&sealer, "engine/e1/registry", &auth),
        ..engine("https://a.lan:2376", sealed(&sealer, "engine/e1/tls", &tls()))
    };
    let connection = connect(sealer, Agents::new().0)(&record).map_err(|error| error.clone()).unwrap();
    assert_eq!(connection.registry_auth, Some(auth));
}

#[test]
fn whatever_is_wrong_with_a_record_is_told_without_its_secrets() {
    let (_directory, sealer) = sealer();
    let (tls, other) = (tls(), self::tls());
    let mixed = Tls { key_pem: other.key_pem.clone(), ..tls.clone() };
    for (addr, sealed_tls, words) in [
        ("https://a.lan:2376", None, "https needs"),
        ("http://a.lan:2375", sealed(&sealer, "engine/e1/tls", &tls), "must be https"),
        ("https://a.lan:2376", sealed(&sealer, "engine/e2/tls", &tls), ""),
        ("https://a.lan:2376", sealed(&sealer, "engine/e1/tls", &tls.key_pem), "is damaged"),
        ("https://a.lan:2376", sealed(&sealer, "engine/e1/tls", &mixed), "ssl_key must belong"),
    ] {
        let record = engine(addr, sealed_tls);
        let Err(error) = connect(Arc::clone(&sealer), Agents::new().0)(&record) else {
            panic!("{addr} is connected: {words}")
        };
        assert!(error.contains(words), "{error}");
        for key in [&tls.key_pem, &other.key_pem] {
            assert!(!error.contains(key.lines().nth(1).unwrap()), "{error}");
        }
    }
}
