//! Opening a store in etcd, and what is told when that can't be.

use std::sync::Arc;

use pierhead_store::{Error, Etcd, EtcdAddress, EtcdSettings, Store, StoreJson, Transaction};

use crate::member::Member;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prefixes_are_stores_of_their_own_and_keep_their_name() {
    let member = Member::shared().await;
    let open = async |prefix: &str| Etcd::open(&member.settings(prefix)).await.unwrap();
    let (blue, red) = (open("team/blue").await, open("team").await);
    assert_ne!(blue.cluster_id(), red.cluster_id());
    assert!(blue.cluster_id().len() == 16 && blue.cluster_id().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(open("team/blue").await.cluster_id(), blue.cluster_id());
    blue.commit(Transaction::new().put("a", *b"blue")).await.unwrap();
    assert_eq!(red.get("a").await.unwrap(), None);
    assert!(red.list_all("").await.unwrap().entries.is_empty());
    assert_eq!(&*open("team/blue").await.get("a").await.unwrap().unwrap().value, b"blue");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_open_at_once_agree_on_the_name() {
    let member = Member::shared().await;
    let settings = member.settings("new");
    let opening = (0..8).map(|_| {
        let settings = settings.clone();
        tokio::spawn(async move { Etcd::open(&settings).await.unwrap().cluster_id().to_owned() })
    });
    let mut names = Vec::new();
    for name in opening.collect::<Vec<_>>() {
        names.push(name.await.unwrap());
    }
    names.dedup();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_write_is_seen_bare() {
    let member = Member::shared().await;
    let bare = Etcd::open_bare(&member.settings("none")).await.unwrap();
    assert_ne!(bare.cluster_id(), "0000000000000000");
    let from = bare.list("", None, 1).await.unwrap().revision;
    let mut watch = bare.watch("engines/", from).await.unwrap();
    let put = std::process::Command::new("etcdctl")
        .args(["--endpoints", &member.host(), "put", "engines/1921687101", "192.168.7.101:2375-2-1533"])
        .env("ETCDCTL_API", "3")
        .output()
        .expect("etcdctl is installed (make deps)");
    assert!(put.status.success(), "{put:?}");
    let seen = super::super::contract::next(&mut watch).await.changes.remove(0).entry.unwrap();
    assert_eq!((&*seen.key, &*seen.value), ("engines/1921687101", &b"192.168.7.101:2375-2-1533"[..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_no_text_hides_no_other() {
    use std::os::unix::ffi::OsStrExt;
    let member = Member::shared().await;
    let bare = Etcd::open_bare(&member.settings("none")).await.unwrap();
    let from = bare.list("", None, 1).await.unwrap().revision;
    let mut watch = bare.watch("odd/", from).await.unwrap();
    for key in [&b"odd/\xff"[..], b"odd/a"] {
        let put = std::process::Command::new("etcdctl")
            .args(["--endpoints", &member.host(), "put"])
            .arg(std::ffi::OsStr::from_bytes(key))
            .arg("value")
            .env("ETCDCTL_API", "3")
            .output()
            .expect("etcdctl is installed (make deps)");
        assert!(put.status.success(), "{put:?}");
    }
    let seen = super::super::contract::next(&mut watch).await.changes.remove(0);
    assert_eq!(&*seen.key, "odd/a");
    let listed = bare.list_all("odd/").await.unwrap().entries;
    assert_eq!(listed.iter().map(|entry| &*entry.key).collect::<Vec<_>>(), ["odd/a"]);
}

/// Another program's writes raise etcd's revision; nobody shall wait to see them under this prefix.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_nothing_is_told_with_a_revision_that_watches_reach() {
    let member = Member::shared().await;
    let (store, other) = (member.settings("one"), member.settings("other"));
    let (store, other) = (Etcd::open(&store).await.unwrap(), Etcd::open(&other).await.unwrap());
    let last = store.commit(Transaction::new().put("a", *b"1")).await.unwrap();
    other.commit(Transaction::new().put("a", *b"1")).await.unwrap();
    assert_eq!(store.commit(Transaction::new().exists("a")).await.unwrap(), last);
    assert_eq!(store.commit(Transaction::new().delete("b")).await.unwrap(), last);
    let again = Etcd::open(&member.settings("one")).await.unwrap();
    let opened = again.list("", None, 1).await.unwrap().revision;
    other.commit(Transaction::new().put("a", *b"2")).await.unwrap();
    assert_eq!(again.commit(Transaction::new().exists("a")).await.unwrap(), opened, "also for who never wrote");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_etcd_that_is_not_there_is_told_with_its_members() {
    let address = EtcdAddress::parse("etcd://127.0.0.1:1,localhost:2").unwrap();
    let Err(Error::Unavailable { reason }) = Etcd::open(&EtcdSettings::new(address)).await else {
        panic!("there is nothing");
    };
    // The last one asked may have had no time to refuse.
    for told in ["127.0.0.1:1: ", "localhost:2: ", "Connection refused"] {
        assert!(reason.contains(told), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_member_is_passed_over() {
    let member = Member::shared().await;
    let address = EtcdAddress::parse(&format!("etcd://127.0.0.1:1,{}/passed", member.host())).unwrap();
    let store = Arc::new(Etcd::open(&EtcdSettings::new(address)).await.unwrap());
    let revision = store.put_json("a", &1).await.unwrap();
    assert_eq!(store.get_json::<u8>("a").await.unwrap(), Some((1, revision)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_different_clusters_are_not_mixed() {
    let (member, foreign) = (Member::shared().await, Member::start(&["--initial-cluster-token", "other"]));
    foreign.answers().await;
    let address = format!("etcd://{},{}/mixed", member.host(), foreign.host());
    let store = Etcd::open(&EtcdSettings::new(EtcdAddress::parse(&address).unwrap())).await.unwrap();
    store.put_json("a", &1).await.unwrap();
    drop(member);
    // The shared one is gone now; what the other answers is not taken for it.
    let refused = store.get("a").await;
    assert!(
        matches!(&refused, Err(Error::Denied { reason }) if reason.contains("another etcd cluster")),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_a_newer_version_is_refused() {
    let member = Member::shared().await;
    let bare = Etcd::open_bare(&member.settings("none")).await.unwrap();
    let newer = serde_json::json!({ "cluster": "0123456789abcdef", "schema": 99 });
    bare.put_json("newer/store", &newer).await.unwrap();
    let refused = Etcd::open(&member.settings("newer")).await;
    assert!(matches!(refused, Err(Error::SchemaTooNew { found: 99, .. })), "{refused:?}");
}
