//! Users, passwords and certificates.

use std::process::Command;

use pierhead_store::{Error, Etcd, EtcdSettings, Store, StoreJson, Transaction};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::contract::{next, present, told};
use crate::member::Member;

const PASSWORD: &str = "canary-4711";

fn etcdctl(member: &Member, args: &[&str]) {
    let done = Command::new("etcdctl")
        .args(["--endpoints", &member.host()])
        .args(args)
        .env("ETCDCTL_API", "3")
        .output()
        .expect("etcdctl is installed (make deps)");
    assert!(done.status.success(), "{args:?}: {done:?}");
}

/// One that knows `root`, and `pierhead`, who may use one prefix only. Sessions are short.
async fn guarded() -> Member {
    let member = Member::start(&["--auth-token-ttl", "1"]);
    member.answers().await;
    for user in ["root", "pierhead"] {
        etcdctl(&member, &["user", "add", &format!("{user}:{PASSWORD}")]);
    }
    etcdctl(&member, &["role", "add", "pierhead"]);
    etcdctl(&member, &["role", "grant-permission", "pierhead", "--prefix=true", "readwrite", "ours/"]);
    etcdctl(&member, &["user", "grant-role", "root", "root"]);
    etcdctl(&member, &["user", "grant-role", "pierhead", "pierhead"]);
    etcdctl(&member, &["auth", "enable"]);
    member
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_comes_in_with_the_password_and_stays_when_the_session_ends() {
    let member = guarded().await;
    let store = Etcd::open(&member.settings("ours").with_user("pierhead", PASSWORD)).await.unwrap();
    let mut watch = store.watch("", present(&store).await).await.unwrap();
    for round in 0..3 {
        store.put_json("a", &round).await.unwrap();
        assert_eq!(told(&next(&mut watch).await), [format!("a={round}")]);
        // Longer than a session without requests lives.
        let idle = tokio::time::timeout(std::time::Duration::from_millis(2500), watch.next()).await;
        assert!(idle.is_err(), "{idle:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_not_is_told_so_at_once_and_never_with_the_password() {
    let member = guarded().await;
    let settings = |prefix: &str| member.settings(prefix);
    for (settings, why) in [
        (settings("ours"), "user name is empty"),
        (settings("ours").with_user("pierhead", "wrong"), "authentication failed"),
        (settings("ours").with_user("nobody", PASSWORD), "authentication failed"),
        (settings("theirs").with_user("pierhead", PASSWORD), "permission denied"),
    ] {
        let refused = Etcd::open(&settings).await.unwrap_err();
        assert!(matches!(&refused, Error::Denied { reason } if reason.contains(why)), "{why}: {refused:?}");
        assert!(!format!("{refused:?} {refused}").contains(PASSWORD));
    }
    let store = Etcd::open(&settings("ours").with_user("pierhead", PASSWORD)).await.unwrap();
    assert!(!format!("{store:?}").contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_for_an_etcd_that_asks_for_none_is_told() {
    let member = Member::shared().await;
    let refused = Etcd::open(&member.settings("ours").with_user("pierhead", PASSWORD)).await;
    assert!(matches!(&refused, Err(Error::Denied { reason }) if reason.contains("not enabled")), "{refused:?}");
}

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_tls_only_the_given_authority_is_trusted_and_a_certificate_is_shown() {
    let (ours, other) = (Authority::new(), Authority::new());
    let directory = tempfile::tempdir().unwrap();
    let ((server, server_key), (client, client_key)) = (ours.issue(), ours.issue());
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (cert, key, ca) = (file("cert", &server), file("key", &server_key), file("ca", &ours.pem()));
    let member = Member::start(&[
        &format!("--cert-file={cert}"),
        &format!("--key-file={key}"),
        &format!("--trusted-ca-file={ca}"),
        "--client-cert-auth=true",
    ]);
    let identity = (client.as_bytes(), client_key.as_bytes());
    let with = |authority: &Authority, identity| -> EtcdSettings {
        member.settings("tls").with_tls(authority.pem().as_bytes(), identity).unwrap()
    };
    let good = with(&ours, Some(identity));
    member.answers_to(&good).await;
    let store = Etcd::open(&good).await.unwrap();
    let mut watch = store.watch("", present(&store).await).await.unwrap();
    store.commit(Transaction::new().put("a", *b"1")).await.unwrap();
    assert_eq!(told(&next(&mut watch).await), ["a=1"]);

    for (settings, why) in [
        (with(&other, Some(identity)), "invalid peer certificate"),
        // Who it is that asks is looked at after the handshake: the alert may be overtaken by the end of the connection.
        (with(&ours, None), ""),
        (member.settings("tls"), ""),
    ] {
        let refused = Etcd::open(&settings).await;
        let told = matches!(&refused, Err(Error::Unavailable { reason }) if reason.contains(why));
        assert!(told, "{why}: {refused:?}");
    }
}
