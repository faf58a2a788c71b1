use super::*;
use pierhead_store::Embedded;
use pierhead_store::seal::Sealer;
use rcgen::{CertifiedKey as Made, KeyPair};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

fn made() -> Made<KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

/// Writes a pair into the folder; the certificate's bytes.
fn write(folder: &Path, pair: &Made<KeyPair>) -> Vec<u8> {
    fs::write(folder.join("cert.pem"), pair.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
    pair.cert.der().to_vec()
}

fn files(folder: &Path) -> Files {
    Files::new(&folder.join("cert.pem"), &folder.join("key.pem"))
}

fn shown(current: &Current) -> Vec<u8> {
    current.0.read().unwrap().cert[0].to_vec()
}

async fn until_shown(current: &Current, expected: &[u8]) {
    let deadline = Instant::now() + PATIENCE;
    while shown(current) != expected {
        assert!(Instant::now() < deadline, "the certificate is not in use");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (pair, other) = (made(), made());
    let key = pair.signing_key.serialize_pem();
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (cert, key, expected) in [
        (None, Some(key.clone()), "cert.pem, the file of --tls-cert"),
        (Some(pair.cert.pem()), None, "key.pem, the file of --tls-key"),
        (Some(String::new()), Some(key.clone()), "cert.pem must hold a certificate"),
        (Some(key.clone()), Some(key.clone()), "cert.pem must hold a certificate"),
        (Some(pair.cert.pem()), Some(pair.cert.pem()), "key.pem must hold a private key"),
        (Some(pair.cert.pem()), Some(encrypted), "key.pem must hold a private key"),
        (Some(other.cert.pem()), Some(key.clone()), "key.pem does not belong to the first certificate"),
    ] {
        for (name, text) in [("cert.pem", cert), ("key.pem", key)] {
            let _absent = fs::remove_file(folder.path().join(name));
            if let Some(text) = text {
                fs::write(folder.path().join(name), text).unwrap();
            }
        }
        let error = format!("{:#}", files(folder.path()).read().await.unwrap_err());
        assert!(error.contains(expected) && !error.contains("BEGIN PRIVATE KEY"), "{expected}: {error}");
    }
    write(folder.path(), &pair);
    assert!(files(folder.path()).read().await.is_ok());
}

#[tokio::test]
async fn a_changed_pair_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let first = write(folder.path(), &made());
    let (seen, pair) = files(folder.path()).read().await.unwrap();
    let current = Current::new(pair);
    let following = tokio::spawn(files(folder.path()).follow(Arc::clone(&current), seen));
    let second = write(folder.path(), &made());
    until_shown(&current, &second).await;
    assert_ne!(first, second);

    // A half of another pair, and one file only: what is shown meanwhile is the pair before, or the one after.
    fs::write(folder.path().join("key.pem"), made().signing_key.serialize_pem()).unwrap();
    fs::remove_file(folder.path().join("cert.pem")).unwrap();
    assert_eq!(shown(&current), second);
    let third = write(folder.path(), &made());
    until_shown(&current, &third).await;
    following.abort();
}

async fn authority(folder: &Path) -> Arc<Authority> {
    let (store, sealer) = (Embedded::open(folder).unwrap(), Sealer::open_or_create(folder).unwrap());
    Arc::new(Authority::open_or_create(&store, &sealer, Clock::start()).await.unwrap())
}

#[tokio::test]
async fn its_own_certificate_is_renewed_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let own = Own::new(authority(folder.path()).await, "127.0.0.1".parse().unwrap(), Vec::new(), Clock::start());
    let own = own.with_life(Duration::from_millis(1_500));
    let (first, renew_at) = own.take().unwrap();
    let (current, first) = (Current::new(first.clone()), first.cert[0].to_vec());
    let following = tokio::spawn(own.follow(Arc::clone(&current), renew_at));
    let deadline = Instant::now() + PATIENCE;
    let mut known = vec![first];
    while known.len() < 3 {
        let now = shown(&current);
        if !known.contains(&now) {
            known.push(now);
        }
        assert!(Instant::now() < deadline, "it is renewed again and again: {}", known.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    following.abort();
}

#[tokio::test]
async fn a_source_becomes_tls_with_a_fingerprint() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path()).await;
    let listen = "0.0.0.0".parse().unwrap();
    let (names, told) = (vec!["pool.example".to_owned()], folder.path().join("ca-fingerprint"));
    let own = start(&TlsSource::Own { names }, listen, &authority, Clock::start(), &told).await.unwrap();
    assert_eq!(own.fingerprint, authority.fingerprint());
    let der = write(folder.path(), &made());
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let files = start(&TlsSource::Files { certificate, key }, listen, &authority, Clock::start(), &told).await.unwrap();
    assert_eq!(files.fingerprint, pierhead_controller::fingerprint(&der));
    let renewed = pierhead_controller::fingerprint(&write(folder.path(), &made()));
    let deadline = Instant::now() + PATIENCE;
    while fs::read_to_string(&told).ok() != Some(renewed.clone()) {
        assert!(Instant::now() < deadline, "the fingerprint of the new certificate is not told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn an_authority_that_is_shown_as_a_server_is_noticed() {
    let signing_key = KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&signing_key).unwrap();
    assert!(files::is_authority(&[authority.der().clone()]));
    assert!(!files::is_authority(&[made().cert.der().clone()]), "one that signed itself, and is a server's");
    assert!(!files::is_authority(&[made().cert.der().clone(), authority.der().clone()]));
    assert!(!files::is_authority(&[]));
}
