//! Accounts at registries: which one a pull is made with, and what is told of one that is denied.

use crate::asking::{refused, run_options, running, to_the_end};
use pierhead_client::{Client, ClientError, RunOptions};
use pierhead_engine::{FakeImage, RegistryAuth};
use pierhead_testkit::{Cluster, ClusterOptions, described};
use pierhead_wire::{EngineRequest, ErrorBody, RegistryAuthRequest, RegistryChange, RegistryRequest};

const HOST: &str = "registry.lan:5000";
const IMAGE: &str = "registry.lan:5000/team/shop:1";
const SECRET: &str = "canary-of-the-pool";
const OWN_SECRET: &str = "canary-of-the-host";

/// One host, and a registry that knows one account.
async fn start(username: &str, password: &str) -> Cluster {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    cluster.host(0).publish_image(FakeImage::new(IMAGE));
    guard(&cluster, username, password);
    cluster
}

fn guard(cluster: &Cluster, username: &str, password: &str) {
    let (server, username, password) = (HOST.to_owned(), username.to_owned(), password.to_owned());
    cluster.host(0).guard_registry(RegistryAuth { server, username, password });
}

fn account(username: &str, password: &str) -> RegistryRequest {
    RegistryRequest { host: HOST.to_owned(), username: username.to_owned(), password: password.to_owned() }
}

fn change(username: &str, password: &str) -> RegistryChange {
    RegistryChange { username: username.to_owned(), password: password.to_owned() }
}

async fn run(client: &Client, app: &str) -> Result<(), ClientError> {
    let options = RunOptions { pull: Some(true), ..run_options(app, 1) };
    client.run(&described(IMAGE), &options, &to_the_end()).await.map(drop)
}

async fn denied(client: &Client, app: &str) -> ErrorBody {
    let (status, body) = refused(run(client, app).await);
    assert_eq!((status, body.code.as_str()), (404, "no_such_image"), "{body:?}");
    assert!(body.message.contains(HOST), "{}", body.message);
    body
}

#[tokio::test]
async fn a_pull_is_made_with_the_pools_account() {
    let cluster = start("pool", SECRET).await;
    let admin = cluster.admin();
    let told = denied(&admin, "none").await.message;
    assert!(told.contains("without an account") && told.contains("pierhead registry add"), "{told}");
    admin.add_registry(&account("pool", "wrong")).await.unwrap();
    let told = denied(&admin, "wrong").await.message;
    assert!(told.contains("to pool, the pool's account") && !told.contains("wrong "), "{told}");
    admin.set_registry(HOST, &change("pool", SECRET)).await.unwrap();
    run(&admin, "right").await.unwrap();
    assert_eq!(running(&cluster, "right").len(), 1);
    // It changes there, and then here, without a restart of anything.
    guard(&cluster, "pool", "another");
    cluster.host(0).remove_image(&pierhead_model::ImageReference::parse(IMAGE).unwrap());
    denied(&admin, "changed").await;
    admin.set_registry(HOST, &change("pool", "another")).await.unwrap();
    run(&admin, "changed-too").await.unwrap();
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn an_image_that_is_there_runs_though_its_registry_denies_a_newer_one() {
    let cluster = start("pool", SECRET).await;
    cluster.host(0).put_image(FakeImage::new(IMAGE));
    run(&cluster.admin(), "shop").await.unwrap();
    assert_eq!((running(&cluster, "shop").len(), cluster.host(0).transfers()), (1, 1));
}

#[tokio::test]
async fn a_hosts_own_account_counts_more_for_its_registry_and_for_no_other() {
    let cluster = start("own", OWN_SECRET).await;
    let admin = cluster.admin();
    admin.add_registry(&account("pool", SECRET)).await.unwrap();
    assert!(denied(&admin, "pools").await.message.contains("the pool's account"));
    for (server, is_for_it) in [("other.lan", false), (HOST, true)] {
        admin.remove_engine("host-1").await.unwrap();
        let auth = RegistryAuthRequest {
            server: server.to_owned(),
            username: "own".to_owned(),
            password: OWN_SECRET.to_owned(),
        };
        admin.add_engine(&EngineRequest { auth: Some(auth), ..cluster.engine_request(0) }).await.unwrap();
        cluster.all_healthy().await;
        match is_for_it {
            true => run(&admin, "own").await.unwrap(),
            false => assert!(denied(&admin, "others").await.message.contains("the pool's account")),
        }
    }
    guard(&cluster, "own", "changed");
    cluster.host(0).remove_image(&pierhead_model::ImageReference::parse(IMAGE).unwrap());
    assert!(denied(&admin, "late").await.message.contains("to own, the account of the host itself"));
}

#[tokio::test]
async fn passwords_are_told_nowhere_and_only_administrators_set_them() {
    let cluster = start("pool", SECRET).await;
    let (admin, ann) = (cluster.admin(), cluster.user("ann").await);
    let added = admin.add_registry(&account("pool", SECRET)).await.unwrap();
    assert_eq!((added.host.as_str(), added.username.as_str(), added.changed_by.as_str()), (HOST, "pool", "admin"));
    assert_eq!(refused(admin.add_registry(&account("pool", SECRET)).await).0, 409);
    assert_eq!(refused(ann.add_registry(&account("ann", "hers")).await).0, 403);
    assert_eq!(refused(ann.set_registry(HOST, &change("ann", "hers")).await).0, 403);
    assert_eq!(refused(ann.delete_registry(HOST).await).0, 403);
    for (host, field) in [("", "host"), ("no registry", "host")] {
        let request = RegistryRequest { host: host.to_owned(), ..account("pool", SECRET) };
        assert_eq!(refused(admin.add_registry(&request).await).1.field.as_deref(), Some(field), "{host}");
    }
    admin.set_registry(HOST, &change("pool", SECRET)).await.unwrap();
    let events = admin.find_events(&pierhead_client::EventQuery::default()).await.unwrap();
    let (listed, shown) = (ann.registries().await.unwrap(), ann.registry(HOST).await.unwrap());
    assert_eq!((listed.len(), shown.username.as_str()), (1, "pool"));
    for text in [events.json(), listed.json(), shown.json()] {
        assert!(text.contains("pool") && !text.contains(SECRET), "{text}");
    }
    for kind in ["add-registry", "change-registry"] {
        let event = events.iter().find(|event| event.kind == kind).unwrap_or_else(|| panic!("no {kind}"));
        assert!(event.message.contains(&format!("registry={HOST}")) && event.tags.iter().any(|tag| tag == "security"));
    }
    admin.delete_registry(HOST).await.unwrap();
    assert_eq!(refused(admin.registry(HOST).await).0, 404);
    assert_eq!(refused(admin.delete_registry(HOST).await).0, 404);
    for entry in cluster.controller().store().list_all("").await.unwrap().entries {
        assert!(!String::from_utf8_lossy(&entry.value).contains(SECRET), "{}", entry.key);
    }
}
