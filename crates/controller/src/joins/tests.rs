use super::*;
use crate::{Clock, Options};
use pierhead_engine::{Fake, FakeOptions};
use pierhead_model::HostFacts;
use pierhead_store::Embedded;
use pierhead_store::seal::Sealer;
use rcgen::KeyPair;
use std::sync::Arc;

const HOUR: Duration = Duration::from_secs(3600);

struct Pool {
    _directory: tempfile::TempDir,
    controller: Controller,
    authority: Authority,
    admin: Actor,
}

impl Pool {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sealer = Arc::new(Sealer::open_or_create(directory.path()).unwrap());
        let store = Arc::new(Embedded::open(directory.path()).unwrap());
        let connect: crate::Connect = Arc::new(|_: &Engine| {
            Ok(crate::Connection { engine: Arc::new(Fake::new(FakeOptions::default())), registry_auth: None })
        });
        let options = Options {
            images: pierhead_blobs::Blobs::directory(directory.path().join("images"), false),
            ..Options::default()
        };
        let controller = Controller::start(store, Arc::clone(&sealer), connect, options).await.unwrap();
        let authority = Authority::open_or_create(&**controller.store(), &sealer, Clock::start()).await.unwrap();
        let username = Username::parse("admin").unwrap();
        let admin = Actor { username, may_change_all: true, may_run_privileged: true };
        Self { _directory: directory, controller, authority, admin }
    }

    async fn secret(&self, life: Duration) -> String {
        self.controller.make_join_secret(&self.admin, life, false, None).await.unwrap().secret
    }

    async fn join(&self, secret: &str, host: &JoiningHost) -> Result<Joined, JoinError> {
        let admission = Admission { life: HOUR, needs_approval: false };
        self.controller.join_host(&self.authority, secret, host, admission).await
    }

    async fn renew(&self, shown: &[u8]) -> Result<Joined, JoinError> {
        self.controller.renew_agent(&self.authority, &fingerprint(shown), &key(), HOUR).await
    }

    fn agent_of(&self, certificate: &[u8]) -> Option<String> {
        self.controller.agent_of(&fingerprint(certificate)).map(|id| id.to_string())
    }

    async fn events(&self, kind: &str) -> usize {
        let entries = self.controller.store().list_all(keys::EVENTS).await.unwrap().entries;
        entries.iter().filter(|entry| entry.json::<pierhead_model::Event>().unwrap().kind == kind).count()
    }
}

fn key() -> Vec<u8> {
    KeyPair::generate().unwrap().public_key_raw().to_vec()
}

fn host(name: &str, address: &str) -> JoiningHost {
    let labels = vec!["ssd".to_owned()];
    JoiningHost {
        name: Some(name.to_owned()),
        address: address.to_owned(),
        labels,
        public_key: key(),
        ..JoiningHost::default()
    }
}

#[tokio::test]
async fn a_secret_takes_in_one_host_and_no_other() {
    let pool = Pool::start().await;
    let (secret, web) = (pool.secret(HOUR).await, host("web", "10.0.0.5"));
    for entry in pool.controller.store().list_all("").await.unwrap().entries {
        assert!(
            !String::from_utf8_lossy(&entry.value).contains(&secret) && !entry.key.contains(&secret),
            "{}",
            entry.key
        );
    }
    let joined = pool.join(&secret, &web).await.unwrap();
    assert_eq!((joined.engine.as_str(), pool.agent_of(&joined.certificate).as_deref()), ("web", Some("web")));
    let record = pool.controller.known().world.engines()["web"].record.clone();
    assert_eq!((record.addr.as_str(), record.added_by.as_str()), ("agent://10.0.0.5", "admin"));
    assert!(record.labels.contains("ssd"));
    assert!(
        matches!(pool.join(&secret, &host("x", "10.0.0.6")).await, Err(JoinError::Used(id)) if id.as_str() == "web")
    );
    assert!(matches!(pool.join("nonsense", &web).await, Err(JoinError::Unknown)));
    let late = pool.secret(Duration::ZERO).await;
    assert!(matches!(pool.join(&late, &web).await, Err(JoinError::Expired)));
    // One of the same name is another host.
    let second = pool.join(&pool.secret(HOUR).await, &host("web", "10.0.0.6")).await.unwrap();
    assert_eq!(second.engine.as_str(), "web-2");
    assert_eq!((pool.events("join-engine").await, pool.events("make-join-token").await), (2, 3));
    assert_eq!(pool.controller.known().world.engines().len(), 2);
}

#[tokio::test]
async fn of_many_hosts_with_one_secret_one_joins() {
    let pool = Pool::start().await;
    let secret = pool.secret(HOUR).await;
    let hosts: Vec<JoiningHost> = (0..8).map(|number| host(&format!("h{number}"), "10.0.0.5")).collect();
    let joins = hosts.iter().map(|host| pool.join(&secret, host));
    let joined = futures_util::future::join_all(joins).await;
    assert_eq!(joined.iter().filter(|result| result.is_ok()).count(), 1, "{joined:?}");
    assert!(joined.iter().all(|result| matches!(result, Ok(_) | Err(JoinError::Used(_)))), "{joined:?}");
    assert_eq!(pool.controller.known().world.engines().len(), 1);
}

#[tokio::test]
async fn what_a_host_says_of_itself_is_checked_and_uses_up_nothing() {
    let pool = Pool::start().await;
    let secret = pool.secret(HOUR).await;
    let taken = pool.join(&pool.secret(HOUR).await, &host("web", "10.0.0.5")).await.unwrap();
    for (bad, words) in [
        (JoiningHost { id: Some("web".to_owned()), ..host("web", "10.0.0.5") }, "already"),
        (JoiningHost { id: Some("a b".to_owned()), ..host("web", "10.0.0.5") }, "--id"),
        (JoiningHost { labels: vec!["a b".to_owned()], ..host("x", "10.0.0.5") }, "--label"),
        (JoiningHost { labels: vec!["a".to_owned(); 257], ..host("x", "10.0.0.5") }, "--label"),
        (host("x", "http://x"), "--address"),
    ] {
        let refused = pool.join(&secret, &bad).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    assert_eq!(pool.controller.known().world.engines().len(), 1);
    assert!(pool.agent_of(&taken.certificate).is_some());
    pool.join(&secret, &host("x", "10.0.0.6")).await.unwrap();
}

#[tokio::test]
async fn a_certificate_is_renewed_and_its_predecessor_counts_until_the_new_one_is_shown() {
    let pool = Pool::start().await;
    let first = pool.join(&pool.secret(HOUR).await, &host("web", "10.0.0.5")).await.unwrap();
    // An answer that got lost: the host asks again with what it has.
    let lost = pool.renew(&first.certificate).await.unwrap();
    let second = pool.renew(&first.certificate).await.unwrap();
    assert_eq!(second.engine.as_str(), "web");
    assert!(pool.agent_of(&first.certificate).is_some() && pool.agent_of(&second.certificate).is_some());
    assert!(pool.agent_of(&lost.certificate).is_none());
    pool.controller.settle_agent(&second.engine, &fingerprint(&second.certificate)).await.unwrap();
    let revision = pool.controller.store().list(keys::ENGINES, None, 1).await.unwrap().revision;
    pool.controller.reached(revision).await;
    assert!(pool.agent_of(&first.certificate).is_none() && pool.agent_of(&second.certificate).is_some());
    assert!(matches!(pool.renew(&first.certificate).await, Err(JoinError::Revoked)));
}

#[tokio::test]
async fn a_revoked_host_gets_its_place_back_with_a_new_secret_only() {
    let pool = Pool::start().await;
    let first = pool.join(&pool.secret(HOUR).await, &host("web", "10.0.0.5")).await.unwrap();
    pool.controller.revoke_agent(&pool.admin, "web", None).await.unwrap();
    assert_eq!((pool.agent_of(&first.certificate), pool.events("revoke-engine").await), (None, 1));
    assert!(matches!(pool.renew(&first.certificate).await, Err(JoinError::Revoked)));
    let again = pool.join(&pool.secret(HOUR).await, &host("web", "10.0.0.5")).await.unwrap();
    assert_eq!((again.engine.as_str(), pool.controller.known().world.engines().len()), ("web", 1));
    assert!(pool.agent_of(&first.certificate).is_none());
    pool.controller.remove_engine(&pool.admin, "web", None).await.unwrap();
    assert_eq!(pool.agent_of(&again.certificate), None);
    let missing = pool.controller.revoke_agent(&pool.admin, "web", None).await;
    assert!(matches!(missing, Err(RequestError::NotFound { .. })));
}

/// Whether the pool has asked its engine anything: a fake that was asked is healthy soon.
fn status(pool: &Pool, id: &str) -> pierhead_model::HealthStatus {
    pool.controller.known().world.engines()[id].health.status
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_host_waits_for_approval_unless_its_secret_says_otherwise() {
    let pool = Pool::start().await;
    let admission = Admission { life: HOUR, needs_approval: true };
    let approved = pool.controller.make_join_secret(&pool.admin, HOUR, true, None).await.unwrap().secret;
    let trusted = host("trusted", "10.0.0.6");
    assert!(!pool.controller.join_host(&pool.authority, &approved, &trusted, admission).await.unwrap().waits);
    let (secret, web) = (pool.secret(HOUR).await, host("web", "10.0.0.5"));
    let joined = pool.controller.join_host(&pool.authority, &secret, &web, admission).await.unwrap();
    let id = joined.engine.clone();
    assert!(joined.waits && pool.controller.waits_for_approval(&id) && pool.agent_of(&joined.certificate).is_some());
    until("the other is asked", || status(&pool, "trusted") == HealthStatus::Healthy).await;
    assert_eq!(status(&pool, "web"), HealthStatus::Pending, "it was asked");
    assert!(pool.controller.engines.link(&id).is_none());
    // A renewal does not let it in.
    let renewed = pool.renew(&joined.certificate).await.unwrap();
    assert!(renewed.waits && pool.controller.waits_for_approval(&id));
    let told = HostTold { from: "10.0.0.7".to_owned(), ..HostTold::default() };
    let facts = HostFacts { cpus: 3, ..HostFacts::default() };
    pool.controller.host_told(&id, facts, &told).await.unwrap();
    let state = pool.controller.known().world.engines()["web"].clone();
    assert_eq!((state.host.unwrap().cpus, state.record.addr.as_str()), (3, "agent://10.0.0.7"));
    assert!(pool.controller.waits_for_approval(&id), "what it tells lets it in");
    pool.controller.approve_engine(&pool.admin, "web", None).await.unwrap();
    until("it is asked", || status(&pool, "web") == HealthStatus::Healthy).await;
    pool.controller.approve_engine(&pool.admin, "web", None).await.unwrap();
    let (approvals, changes) = (pool.events("approve-engine").await, pool.events("change-engine").await);
    assert_eq!((approvals, changes), (1, 1), "once is enough");
    let missing = pool.controller.approve_engine(&pool.admin, "nobody", None).await;
    assert!(matches!(missing, Err(RequestError::NotFound { .. })));
    // Who joins again waits again.
    pool.controller.revoke_agent(&pool.admin, "web", None).await.unwrap();
    let secret = pool.secret(HOUR).await;
    let moved = host("web", "10.0.0.7");
    assert!(pool.controller.join_host(&pool.authority, &secret, &moved, admission).await.unwrap().waits);
}

#[tokio::test]
async fn a_host_whose_certificate_has_expired_joins_again_as_itself() {
    let pool = Pool::start().await;
    let web = host("web", "10.0.0.5");
    let brief = Admission { life: Duration::from_millis(1), needs_approval: false };
    let (first, second) = (pool.secret(HOUR).await, pool.secret(HOUR).await);
    let joined = pool.controller.join_host(&pool.authority, &first, &web, brief).await.unwrap();
    let expired = pool.controller.clock().now().plus(1);
    until("it has expired", || pool.controller.clock().now() > expired).await;
    let again = pool.join(&second, &web).await.unwrap();
    assert_eq!((joined.engine.as_str(), again.engine.as_str()), ("web", "web"));
    assert!(pool.agent_of(&joined.certificate).is_none() && pool.agent_of(&again.certificate).is_some());
    // Now it counts, and one of the same name is another.
    assert_eq!(pool.join(&pool.secret(HOUR).await, &web).await.unwrap().engine.as_str(), "web-2");
}
