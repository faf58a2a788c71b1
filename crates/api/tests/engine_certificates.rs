//! Engines that are added with certificates: checked before anything is kept, kept sealed, and never shown.
#![cfg(test)]

use pierhead_engine::Tls;
use pierhead_store::seal::Sealer;
use pierhead_testkit::{Cluster, ClusterOptions};
use pierhead_wire::ErrorBody;
use rcgen::{CertificateParams, KeyPair};
use reqwest::Method;
use serde_json::{Value, json};

async fn send(cluster: &Cluster, method: Method, path: &str, body: &Value) -> (u16, String) {
    let request = reqwest::Client::new().request(method, format!("{}{path}", cluster.url()));
    let request = request.bearer_auth(cluster.admin_token()).body(body.to_string());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["a.lan".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn good() -> Tls {
    let ((ca_pem, _), (certificate_pem, key_pem)) = (pair(), pair());
    Tls { ca_pem, certificate_pem, key_pem }
}

fn body(addr: &str, tls: &Tls) -> Value {
    json!({"id": "safe", "addr": addr, "ca_certificate": tls.ca_pem, "ssl_certificate": tls.certificate_pem,
        "ssl_key": tls.key_pem})
}

async fn one_host() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_refused_by_name_and_nothing_is_kept() {
    let cluster = one_host().await;
    let tls = good();
    let (https, key) = ("https://10.0.0.9:2376", tls.key_pem.lines().nth(1).unwrap().to_owned());
    for (body, field) in [
        (json!({"id": "safe", "addr": https}), "addr"),
        (body("http://10.0.0.9:2375", &tls), "addr"),
        (body("unix:///var/run/docker.sock", &tls), "addr"),
        (body(https, &Tls { ca_pem: String::new(), ..tls.clone() }), "ca_certificate"),
        (body(https, &Tls { certificate_pem: String::new(), ..tls.clone() }), "ssl_certificate"),
        (body(https, &Tls { key_pem: String::new(), ..tls.clone() }), "ssl_key"),
        (json!({"id": "safe", "addr": https, "ca_certificate": tls.ca_pem}), "ssl_certificate"),
        (json!({"id": "safe", "addr": "10.0.0.9", "ssl_key": tls.key_pem}), "ca_certificate"),
        (body(https, &Tls { ca_pem: "PEM".into(), ..tls.clone() }), "ca_certificate"),
        (body(https, &Tls { ca_pem: tls.key_pem.clone(), ..tls.clone() }), "ca_certificate"),
        (body(https, &Tls { certificate_pem: tls.key_pem.clone(), ..tls.clone() }), "ssl_certificate"),
        (body(https, &Tls { key_pem: format!("{} {key}", tls.ca_pem), ..tls.clone() }), "ssl_key"),
        (body(https, &Tls { key_pem: pair().1, ..tls.clone() }), "ssl_key"),
        (body(https, &Tls { key_pem: tls.key_pem.replace("PRIVATE", "ENCRYPTED PRIVATE"), ..tls.clone() }), "ssl_key"),
    ] {
        let (status, text) = send(&cluster, Method::POST, "/api/engines", &body).await;
        let error: ErrorBody = serde_json::from_str(&text).unwrap();
        assert_eq!((status, error.code.as_str(), error.field.as_deref()), (400, "invalid", Some(field)), "{text}");
        assert!(error.message.starts_with(field) && !text.contains(&key), "{text}");
    }
    assert_eq!(send(&cluster, Method::GET, "/api/engines/safe", &Value::Null).await.0, 404);
    assert_eq!(cluster.controller().known().world.engines().len(), 1);
}

#[tokio::test]
async fn certificates_are_kept_sealed_and_never_shown() {
    let cluster = one_host().await;
    let tls = good();
    let secret = tls.key_pem.lines().nth(1).unwrap();
    // Where certificates are given, an address without a scheme is one of TLS.
    let (status, added) = send(&cluster, Method::POST, "/api/engines", &body("10.0.0.9", &tls)).await;
    assert_eq!(status, 201, "{added}");
    assert_eq!(serde_json::from_str::<Value>(&added).unwrap()["addr"], "https://10.0.0.9:2376");
    let mut shown = vec![added];
    for path in ["/api/engines/safe", "/api/engines", "/api/events"] {
        let (status, text) = send(&cluster, Method::GET, path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {text}");
        assert!(text.contains("10.0.0.9"), "{path} tells of the engine: {text}");
        shown.push(text);
    }
    let record = cluster.controller().known().world.engines()["safe"].record.clone();
    let sealed = record.sealed_tls.expect("it is kept");
    for text in shown {
        assert!(!text.contains(secret) && !text.contains("BEGIN") && !text.contains(&sealed), "{text}");
    }

    let sealer = Sealer::open_or_create(cluster.directory()).unwrap();
    let plain = sealer.open("engine/safe/tls", &sealed).unwrap();
    assert_eq!(serde_json::from_slice::<Tls>(&plain).unwrap(), tls);
    assert!(sealer.open("engine/other/tls", &sealed).is_err(), "it is bound to its engine");
    let files: Vec<_> = std::fs::read_dir(cluster.directory()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let kept: Vec<u8> =
        files.iter().filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect();
    let holds = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds(&sealed), "the record is in these files");
    assert!(!holds(secret), "and the key is not");
}
