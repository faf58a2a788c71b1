use super::*;
use rcgen::{CertificateParams, KeyPair};

/// A certificate that signed itself, and its key.
fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["a.lan".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn good() -> Tls {
    let (ca_pem, _) = pair();
    let (certificate_pem, key_pem) = pair();
    Tls { ca_pem, certificate_pem, key_pem }
}

#[test]
fn texts_that_fit_together() {
    good().check().unwrap();
    let (more, _) = pair();
    let tls = good();
    Tls { ca_pem: format!("for the old hosts\n{}{more}", tls.ca_pem), ..tls.clone() }.check().unwrap();
    Tls { certificate_pem: tls.certificate_pem.clone() + &more, ..tls }.check().unwrap();
}

/// What is spoilt, the part that must be named, and a word of the complaint.
type Spoilt = (fn(&mut Tls), TlsPart, &'static str);

#[test]
fn each_text_that_is_wrong_is_named() {
    let cases: &[Spoilt] = &[
        (|tls| tls.ca_pem.clear(), TlsPart::CaCertificate, "certificate in PEM"),
        (|tls| tls.ca_pem = "PEM".into(), TlsPart::CaCertificate, "certificate in PEM"),
        (|tls| tls.ca_pem = tls.key_pem.clone(), TlsPart::CaCertificate, "certificate in PEM"),
        (|tls| tls.ca_pem = garbage("CERTIFICATE"), TlsPart::CaCertificate, "X.509"),
        (|tls| tls.ca_pem = "x".repeat(LONGEST_PEM + 1), TlsPart::CaCertificate, "64 KiB"),
        (|tls| tls.ca_pem.truncate(200), TlsPart::CaCertificate, "certificate in PEM"),
        (|tls| tls.certificate_pem.clear(), TlsPart::Certificate, "certificate in PEM"),
        (|tls| tls.certificate_pem = tls.key_pem.clone(), TlsPart::Certificate, "certificate in PEM"),
        (|tls| tls.certificate_pem = garbage("CERTIFICATE"), TlsPart::Certificate, "X.509"),
        (|tls| tls.key_pem.clear(), TlsPart::Key, "private key in PEM"),
        (|tls| tls.key_pem = tls.certificate_pem.clone(), TlsPart::Key, "private key in PEM"),
        (|tls| tls.key_pem = garbage("PRIVATE KEY"), TlsPart::Key, "RSA, ECDSA"),
        (|tls| tls.key_pem = garbage("ENCRYPTED PRIVATE KEY"), TlsPart::Key, "passphrase"),
        (|tls| tls.key_pem = pair().1, TlsPart::Key, "belong to ssl_certificate"),
    ];
    for (at, (spoil, part, word)) in cases.iter().enumerate() {
        let mut tls = good();
        spoil(&mut tls);
        let invalid = tls.check().unwrap_err();
        assert_eq!(invalid.part, *part, "case {at}: {invalid}");
        assert!(invalid.problem.contains(word), "case {at}: {invalid}");
    }
}

fn garbage(label: &str) -> String {
    format!("-----BEGIN {label}-----\nZ2FyYmFnZQ==\n-----END {label}-----\n")
}

#[test]
fn no_part_of_a_key_is_ever_printed() {
    let canary = "canaryCANARYcanary";
    let key = format!("-----BEGIN PRIVATE KEY-----\n{canary}!\n-----END {canary}-----\n");
    for tls in [
        Tls { key_pem: key.clone(), ..good() },
        Tls { ca_pem: key.clone(), ..good() },
        Tls { certificate_pem: key, ..good() },
        Tls { key_pem: canary.to_owned(), ..good() },
    ] {
        let invalid = tls.check().unwrap_err();
        for printed in [invalid.to_string(), format!("{invalid:?}"), format!("{tls:?}")] {
            assert!(!printed.contains(canary), "{printed}");
        }
    }
}
