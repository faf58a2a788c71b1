//! A certificate in files: refused if it is none, and replaced under load without a failed request.

use super::server::{Server, send};
use crate::program::{Ended, program};
use crate::wait::{PATIENCE, until_some};
use rcgen::{CertifiedKey, KeyPair};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

fn pair() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap()
}

fn write(folder: &Path, pair: &CertifiedKey<KeyPair>) {
    // As tools do it that renew certificates: one after the other.
    std::fs::write(folder.join("cert.pem"), pair.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
}

#[test]
fn a_renewed_certificate_is_shown_and_no_request_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (pair(), pair());
    write(folder.path(), &first);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let server = Server::start(&["--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem")]);
    let both = format!("{}{}", first.cert.pem(), second.cert.pem());
    let asks = |pem: &str| send(&server.url, "127.0.0.1", pem, "GET /healthz", &[], "");
    assert_eq!(asks(&first.cert.pem()).unwrap().status, 200);
    assert!(asks(&second.cert.pem()).is_err());

    let (is_over, answered) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    assert_eq!(asks(&both).unwrap().status, 200);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        write(folder.path(), &second);
        until_some("the new certificate is shown", PATIENCE, || asks(&second.cert.pem()).ok());
        std::fs::write(folder.path().join("key.pem"), "broken").unwrap();
        until_some("the broken key is complained of", PATIENCE, || {
            server.output().contains("the changed certificate cannot be used").then_some(())
        });
        assert_eq!(asks(&second.cert.pem()).unwrap().status, 200, "the one before stays in use");
        let so_far = answered.load(Ordering::Relaxed);
        until_some("two more looks", PATIENCE, || (answered.load(Ordering::Relaxed) > so_far + 50).then_some(()));
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(server.output().matches("the changed certificate cannot be used").count(), 1, "it complains once");
}

#[test]
fn what_is_no_pair_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    write(folder.path(), &pair());
    std::fs::write(path("other.pem"), pair().signing_key.serialize_pem()).unwrap();
    let (cert, key, other, none) = (path("cert.pem"), path("key.pem"), path("other.pem"), path("none.pem"));
    for (args, expected) in [
        (vec!["--tls-cert", &cert], "--tls-key"),
        (vec!["--tls-cert", &none, "--tls-key", &key], "none.pem"),
        (vec!["--tls-cert", &cert, "--tls-key", &none], "none.pem"),
        (vec!["--tls-cert", &cert, "--tls-key", &other], "does not belong"),
        (vec!["--tls-cert", &key, "--tls-key", &key], "must hold a certificate"),
        (vec!["--tls-cert", &cert, "--tls-key", &key, "--tls-self-signed"], "exclude"),
        (vec!["--tls-name", "a.example"], "--tls-self-signed"),
        (vec!["--tls-self-signed", "--tls-name", "https://a.example"], "--tls-name"),
    ] {
        let mut serve = program();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path().join("data")).args(&args);
        let ended = Ended::of(&mut serve);
        assert!(ended.code == 1 && ended.stderr.contains(expected), "{args:?}: {ended:?}");
        assert!(!ended.stderr.contains("BEGIN PRIVATE KEY"), "{ended:?}");
    }
}
