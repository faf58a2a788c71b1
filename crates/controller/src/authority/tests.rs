use super::*;
use pierhead_store::Embedded;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error as TlsError, RootCertStore};
use std::sync::Arc;

const HOUR: Duration = Duration::from_secs(3600);

struct Place {
    _directory: tempfile::TempDir,
    store: Embedded,
    sealer: Sealer,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (store, sealer) =
            (Embedded::open(directory.path()).unwrap(), Sealer::open_or_create(directory.path()).unwrap());
        Self { _directory: directory, store, sealer }
    }

    async fn authority(&self) -> Authority {
        Authority::open_or_create(&self.store, &self.sealer, Clock::start()).await.unwrap()
    }
}

/// What a client that believes this authority says of a certificate for a name at a moment.
fn judged(authority: &Authority, issued: &Issued, name: &str, at: Timestamp) -> Result<(), TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.certificate_der.clone())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let chain: Vec<CertificateDer<'_>> = issued.chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let at = UnixTime::since_unix_epoch(Duration::from_millis(at.0));
    verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], at).map(drop)
}

fn is(found: Result<(), TlsError>, expected: fn(&CertificateError) -> bool) -> bool {
    matches!(found, Err(TlsError::InvalidCertificate(error)) if expected(&error))
}

#[tokio::test]
async fn it_is_made_once_and_its_key_is_never_in_the_clear() {
    let place = Place::new();
    let (first, again) = (place.authority().await, place.authority().await);
    assert_eq!((first.fingerprint(), first.certificate_pem()), (again.fingerprint(), again.certificate_pem()));
    assert_eq!(first.fingerprint().len(), 64);
    let key = first.issuer.key().serialized_der();
    assert_eq!(key, again.issuer.key().serialized_der());
    let record = place.store.get(keys::AUTHORITY).await.unwrap().unwrap();
    let written = serde_json::to_string(key).unwrap();
    let text = String::from_utf8(record.value.to_vec()).unwrap();
    assert!(!text.contains(written.trim_matches(['[', ']'])) && !text.contains("PRIVATE"), "{text}");

    let other = Place::new();
    assert_ne!(other.authority().await.fingerprint(), first.fingerprint(), "each pool has its own");
    let opened = Authority::open_or_create(&place.store, &other.sealer, Clock::start()).await;
    assert!(matches!(opened, Err(AuthorityError::Record(Error::WrongKey { .. }))));
}

#[tokio::test]
async fn what_it_signs_counts_for_its_names_and_its_time_and_for_nobody_else() {
    let place = Place::new();
    let (authority, now) = (place.authority().await, Clock::start().now());
    let names = ["pool.example".to_owned(), "10.1.2.3".to_owned(), "fd00::7".to_owned()];
    let issued = authority.issue_server(&names, now, HOUR).unwrap();
    for name in ["pool.example", "10.1.2.3", "fd00::7"] {
        assert_eq!(judged(&authority, &issued, name, now), Ok(()), "{name}");
    }
    let wrong_name = |error: &CertificateError| {
        matches!(error, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })
    };
    for name in ["other.example", "10.1.2.4", "sub.pool.example"] {
        assert!(is(judged(&authority, &issued, name, now), wrong_name), "{name}");
    }
    let expired =
        |error: &CertificateError| matches!(error, CertificateError::Expired | CertificateError::ExpiredContext { .. });
    assert!(is(judged(&authority, &issued, "pool.example", now.plus(3_601_000)), expired));
    let another = Place::new().authority().await;
    assert!(is(judged(&another, &issued, "pool.example", now), |error| *error == CertificateError::UnknownIssuer));

    assert_eq!(issued.renew_at, now.plus(2_400_000));
    let next = authority.issue_server(&names, now, HOUR).unwrap();
    assert!(next.key != issued.key && next.chain[0] != issued.chain[0] && next.chain[1] == issued.chain[1]);
    assert!(!format!("{issued:?}").contains("key"), "{issued:?}");
    assert!(authority.issue_server(&["näme".to_owned()], now, HOUR).is_err());
}

#[tokio::test]
async fn a_client_has_a_certificate_of_its_own_key_and_is_no_server() {
    use rustls::server::WebPkiClientVerifier;
    let place = Place::new();
    let authority = place.authority().await;
    let (key, now) = (KeyPair::generate().unwrap(), Clock::start().now());
    let certificate = authority.issue_client(key.public_key_raw(), "host-1", now, HOUR).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.certificate_der().to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let judge = |after: u64| {
        let at = UnixTime::since_unix_epoch(Duration::from_millis(now.0) + Duration::from_secs(after));
        verifier.verify_client_cert(&CertificateDer::from(certificate.as_slice()), &[], at).map(drop)
    };
    judge(60).unwrap();
    assert!(matches!(judge(3_700), Err(TlsError::InvalidCertificate(CertificateError::ExpiredContext { .. }))));
    let chain = vec![CertificateDer::from(certificate.clone())];
    let pair = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    rustls::sign::CertifiedKey::from_der(chain, pair, &provider).unwrap().keys_match().unwrap();
    assert!(certificate.windows(6).any(|piece| piece == b"host-1"), "it bears the name");
    let served = Issued { chain: vec![certificate], key: Vec::new(), renew_at: now };
    assert!(judged(&authority, &served, "host-1", now).is_err(), "a host cannot pass for a controller");
}
