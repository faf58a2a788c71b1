//! Hosts that register themselves: they come, go, return, and are told apart. The registry is a store like another.

use crate::asking::{ids, running};
use pierhead_controller::HostInRegistry;
use pierhead_model::{Endpoint, RegisteredSize};
use pierhead_store::{Embedded, Store, Transaction};
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, sample};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

struct Registry {
    store: Arc<dyn Store>,
    _directory: tempfile::TempDir,
}

impl Registry {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { store: Arc::new(Embedded::open(directory.path()).unwrap()), _directory: directory }
    }

    async fn put(&self, key: &str, value: &str) {
        self.store.commit(Transaction::new().put(key, value.as_bytes())).await.unwrap();
    }

    async fn delete(&self, key: &str) {
        self.store.commit(Transaction::new().delete(key)).await.unwrap();
    }

    async fn value(&self, key: &str) -> Option<String> {
        self.store.get(key).await.unwrap().map(|entry| String::from_utf8(entry.value.to_vec()).unwrap())
    }
}

/// A cluster whose first host was added by hand; the others are not in the pool yet.
async fn cluster() -> (Cluster, Registry) {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    for host in ["host-2", "host-3"] {
        cluster.admin().remove_engine(host).await.unwrap();
    }
    let registry = Registry::new();
    let store = Arc::clone(&registry.store);
    cluster.controller().discover(Arc::new(move || Box::pin(std::future::ready(Arc::clone(&store)))));
    (cluster, registry)
}

async fn health(cluster: &Cluster, id: &str) -> Option<String> {
    let engines = cluster.admin().engines().await.unwrap().into_value();
    engines.into_iter().find(|engine| engine.id == id).map(|engine| engine.health.status)
}

async fn becomes(cluster: &Cluster, id: &str, expected: Option<&str>) {
    let what = format!("{id} is {expected:?}");
    eventually(PATIENCE, &what, async || health(cluster, id).await.as_deref() == expected).await;
}

async fn messages(cluster: &Cluster, kind: &str) -> Vec<String> {
    let events = cluster.admin().events(200).await.unwrap().into_value();
    events.into_iter().filter(|event| event.kind == kind).map(|event| event.message).collect()
}

#[tokio::test]
async fn a_registration_makes_a_host_and_its_end_takes_it_away() {
    let (cluster, registry) = cluster().await;
    registry.put("engines/host-2", "10.0.0.2:2375-4-8192").await;
    registry.put("engines/host-3", "10.0.0.3:2375").await;
    becomes(&cluster, "host-2", Some("healthy")).await;
    becomes(&cluster, "host-3", Some("healthy")).await;
    cluster.all_healthy().await;
    let made = cluster.run("web", 6, &sample()).await;
    let there = |host: &str| made.iter().filter(|container| container.engine.id == host).cloned().collect::<Vec<_>>();
    assert!(!there("host-2").is_empty() && !there("host-3").is_empty());

    registry.delete("engines/host-2").await;
    // Its engine answers as before; it is down all the same, until its slots live elsewhere, and then it is gone.
    becomes(&cluster, "host-2", None).await;
    eventually(PATIENCE, "its slots live elsewhere", async || {
        cluster.admin().app("web").await.unwrap().running == 6
            && running(&cluster, "web").is_superset(&ids(&there("host-3")))
    })
    .await;
    let left = messages(&cluster, "leave-engine").await;
    assert_eq!(left, ["addr=http://10.0.0.2:2375, it is not registered in etcd any more, and counts as down"]);
    assert_eq!(messages(&cluster, "delete-engine").await.len(), 3, "two by hand, one by itself");

    registry.put("engines/host-2", "10.0.0.2:2375-4-8192").await;
    becomes(&cluster, "host-2", Some("healthy")).await;
    cluster.assert_invariants().await;
    assert!(running(&cluster, "web").is_disjoint(&ids(&there("host-2"))), "older copies go");
    // One on which nothing lives is gone at once.
    cluster.admin().delete_app("web", &crate::asking::to_the_end()).await.unwrap();
    registry.delete("engines/host-3").await;
    becomes(&cluster, "host-3", None).await;
    assert_eq!(messages(&cluster, "leave-engine").await.len(), 1);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn hosts_added_by_hand_are_written_there_and_removed_ones_erased() {
    let (cluster, registry) = cluster().await;
    eventually(PATIENCE, "host-1 is written", async || {
        registry.value("engines/host-1").await.as_deref() == Some("10.0.0.1:2375")
    })
    .await;
    cluster.admin().add_engine(&cluster.engine_request(1)).await.unwrap();
    eventually(PATIENCE, "host-2 is written", async || registry.value("engines/host-2").await.is_some()).await;
    registry.delete("engines/host-1").await;
    eventually(PATIENCE, "host-1 is written again", async || registry.value("engines/host-1").await.is_some()).await;
    assert_eq!(health(&cluster, "host-1").await.as_deref(), Some("healthy"));

    cluster.admin().remove_engine("host-2").await.unwrap();
    registry.put("engines/host-3", "10.0.0.3:2375-4-8192").await;
    eventually(PATIENCE, "host-2 is erased", async || registry.value("engines/host-2").await.is_none()).await;
    becomes(&cluster, "host-3", Some("healthy")).await;
    cluster.admin().remove_engine("host-3").await.unwrap();
    eventually(PATIENCE, "host-3 is erased", async || registry.value("engines/host-3").await.is_none()).await;
    eventually(PATIENCE, "nothing is left to erase", async || {
        cluster.controller().store().list_all("unregistered/").await.unwrap().entries.is_empty()
    })
    .await;
    assert_eq!(cluster.admin().engines().await.unwrap().len(), 1);
    // Registered anew, it is a host again.
    registry.put("engines/host-3", "10.0.0.3:2375-4-8192").await;
    becomes(&cluster, "host-3", Some("healthy")).await;
}

#[tokio::test]
async fn what_cannot_be_used_is_told_once_and_changes_nothing() {
    let (cluster, registry) = cluster().await;
    registry.put("engines/1", "garbage").await;
    registry.put("engines/host-1", "10.0.0.2:2375-4-8192").await;
    registry.put("engines/another", "10.0.0.1:2375").await;
    let told = async || messages(&cluster, "ignored-registration").await;
    eventually(PATIENCE, "all are told of", async || told().await.len() == 3).await;
    let all = told().await.join("\n");
    assert!(all.contains("engines/1=\"garbage\" is ignored: the value must be ADDRESS:PORT-CPUS-MEMORY_MB"), "{all}");
    assert!(all.contains("register this one as engines/host-1-2"), "{all}");
    assert!(all.contains("engines/another=\"10.0.0.1:2375\" is ignored: host host-1 is at 10.0.0.1:2375 al"), "{all}");
    // What comes next is seen, so what was told was not told again.
    registry.put("engines/host-3", "10.0.0.3:2375").await;
    becomes(&cluster, "host-3", Some("healthy")).await;
    assert_eq!(told().await.len(), 3);
    assert_eq!(cluster.admin().engines().await.unwrap().len(), 2);
    registry.put("engines/1", "still garbage").await;
    eventually(PATIENCE, "another value is told of", async || told().await.len() == 4).await;
}

/// Registers a host as its agent does.
fn register(registry: &Registry, at: &str, ttl: Duration) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let size = RegisteredSize { cpus: 4, memory_mb: 8192 };
    let host = HostInRegistry::new(Arc::clone(&registry.store), Endpoint::parse(at).unwrap(), size, ttl).unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    (stop, tokio::spawn(async move { host.run(stopped.cancelled()).await }))
}

#[tokio::test]
async fn a_host_that_registers_itself_is_in_the_pool_as_long_as_it_does() {
    let (cluster, registry) = cluster().await;
    let ttl = Duration::from_secs(3);
    let (stop, done) = register(&registry, "10.0.0.2:2375", ttl);
    becomes(&cluster, "10002", Some("healthy")).await;
    assert_eq!(registry.value("engines/10002").await.as_deref(), Some("10.0.0.2:2375-4-8192"));
    // Somebody takes its lease away: it registers again.
    let lease = registry.store.get("engines/10002").await.unwrap().unwrap().lease.unwrap();
    registry.store.revoke(lease).await.unwrap();
    eventually(PATIENCE, "it is registered again", async || registry.value("engines/10002").await.is_some()).await;
    becomes(&cluster, "10002", Some("healthy")).await;
    // A clean end takes it back at once, the end of its process when the lease has ended.
    stop.cancel();
    done.await.unwrap();
    assert_eq!(registry.value("engines/10002").await, None);
    becomes(&cluster, "10002", None).await;
    let (_stop, done) = register(&registry, "10.0.0.2:2375", ttl);
    becomes(&cluster, "10002", Some("healthy")).await;
    done.abort();
    becomes(&cluster, "10002", None).await;
    assert_eq!(registry.value("engines/10002").await, None);
}

#[tokio::test]
async fn hosts_with_the_same_digits_get_two_ids_and_one_that_starts_anew_its_own() {
    let registry = Registry::new();
    let ttl = Duration::from_secs(60);
    let (_stop, first) = register(&registry, "10.77.1.12:2375", ttl);
    eventually(PATIENCE, "the first is there", async || registry.value("engines/1077112").await.is_some()).await;
    let (stop, second) = register(&registry, "10.77.11.2:2375", ttl);
    let key = "engines/1077112-2";
    eventually(PATIENCE, "the second is there", async || registry.value(key).await.is_some()).await;
    assert_eq!(registry.value(key).await.as_deref(), Some("10.77.11.2:2375-4-8192"));
    stop.cancel();
    second.await.unwrap();
    assert_eq!(registry.value(key).await, None);
    // The first dies and comes back before its lease has ended.
    first.abort();
    let before = registry.store.get("engines/1077112").await.unwrap().unwrap();
    let (_stop, _again) = register(&registry, "10.77.1.12:2375", ttl);
    eventually(PATIENCE, "it has its key again", async || {
        registry.store.get("engines/1077112").await.unwrap().is_some_and(|entry| entry.lease != before.lease)
    })
    .await;
    assert_eq!(registry.store.list_all("engines/").await.unwrap().entries.len(), 1);
}
