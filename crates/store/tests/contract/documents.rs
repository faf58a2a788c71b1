//! Single documents and transactions.

use std::sync::Arc;

use pierhead_store::{
    Error, MAX_KEY_BYTES, MAX_OPERATIONS, MAX_TRANSACTION_BYTES, Revision, Store, StoreJson, Transaction,
};

use super::{present, put, value};

pub async fn commits_raise_the_revision(store: Arc<dyn Store>) {
    let before = present(&*store).await;
    let first = put(&*store, "a", "1").await;
    let second = put(&*store, "a", "2").await;
    let third = put(&*store, "b", "1").await;
    assert!(before < first && first < second && second < third);
    assert_eq!(present(&*store).await, third);

    let entry = store.get("a").await.unwrap().unwrap();
    assert_eq!((&*entry.key, &*entry.value), ("a", &b"2"[..]));
    assert_eq!((entry.created, entry.modified, entry.lease), (first, second, None));
    assert_eq!(store.get("c").await.unwrap(), None);
}

pub async fn compares_decide(store: Arc<dyn Store>) {
    let first = put(&*store, "a", "1").await;
    let second = put(&*store, "a", "2").await;
    let holds = [
        Transaction::new().exists("a"),
        Transaction::new().absent("b"),
        Transaction::new().unchanged("a", second),
        Transaction::new().exists("a").absent("b").unchanged("a", second),
    ];
    for transaction in holds {
        store.commit(transaction.clone()).await.unwrap_or_else(|error| panic!("{transaction:?}: {error}"));
    }
    let fails = [
        ("a", Transaction::new().absent("a")),
        ("b", Transaction::new().exists("b")),
        ("a", Transaction::new().unchanged("a", first)),
        ("a", Transaction::new().unchanged("a", Revision::ZERO)),
        ("b", Transaction::new().unchanged("b", second)),
        ("b", Transaction::new().exists("a").exists("b").absent("a")),
        ("a", Transaction::new().exists("a").absent("a").exists("b")),
    ];
    for (culprit, transaction) in fails {
        let refused = store.commit(transaction.clone()).await;
        assert!(matches!(&refused, Err(Error::Conflict { key }) if key == culprit), "{transaction:?}: {refused:?}");
    }
}

pub async fn a_conflict_writes_nothing(store: Arc<dyn Store>) {
    let before = put(&*store, "a", "1").await;
    let conflict = Transaction::new().put("a", *b"2").put("b", *b"2").delete("c").exists("c");
    assert!(matches!(store.commit(conflict).await, Err(Error::Conflict { key }) if key == "c"));
    assert_eq!(value(&*store, "a").await.as_deref(), Some("1"));
    assert_eq!(value(&*store, "b").await, None);
    assert_eq!(present(&*store).await, before);

    // Compares see what was before the transaction's own writes.
    let swap = Transaction::new().unchanged("a", before).absent("b").delete("a").put("b", *b"1");
    let revision = store.commit(swap).await.unwrap();
    assert_eq!(value(&*store, "a").await, None);
    assert_eq!(store.get("b").await.unwrap().unwrap().modified, revision);
}

pub async fn what_changes_nothing_has_no_revision(store: Arc<dyn Store>) {
    let revision = put(&*store, "a", "1").await;
    assert_eq!(store.commit(Transaction::new()).await.unwrap(), revision);
    assert_eq!(store.commit(Transaction::new().exists("a")).await.unwrap(), revision);
    assert_eq!(store.commit(Transaction::new().delete("b")).await.unwrap(), revision);
    let same_again = put(&*store, "a", "1").await;
    assert!(same_again > revision, "a put is a change, whatever it writes");
}

pub async fn bounds_are_kept(store: Arc<dyn Store>) {
    let before = put(&*store, "a", "1").await;
    let many = (0..=MAX_OPERATIONS).fold(Transaction::new(), |all, n| all.put(format!("k{n}"), *b"v"));
    let large = Transaction::new().put("k0", *b"v").put("k", vec![0; MAX_TRANSACTION_BYTES]);
    let long = Transaction::new().put("k0", *b"v").put("k".repeat(MAX_KEY_BYTES + 1), *b"v");
    for (limit, transaction) in [(MAX_OPERATIONS, many), (MAX_TRANSACTION_BYTES, large), (MAX_KEY_BYTES, long)] {
        match store.commit(transaction).await {
            Err(Error::TooLarge { limit: told, actual, .. }) => assert!(told == limit && actual > limit),
            other => panic!("{limit}: {other:?}"),
        }
    }
    let twice = Transaction::new().put("k0", *b"1").put("k1", *b"1").delete("k0");
    assert!(matches!(store.commit(twice).await, Err(Error::DuplicateWrite { key }) if key == "k0"));
    let nameless = Transaction::new().put("k0", *b"1").put("", *b"1");
    assert!(matches!(store.commit(nameless).await, Err(Error::InvalidKey { .. })));
    assert_eq!(value(&*store, "k0").await, None);
    assert_eq!(present(&*store).await, before);
}

pub async fn full_transactions_fit(store: Arc<dyn Store>) {
    let many = (1..MAX_OPERATIONS).fold(Transaction::new().absent("k1"), |all, n| all.put(format!("k{n}"), *b"v"));
    let revision = store.commit(many).await.unwrap();
    let entries = store.list_all("k").await.unwrap().entries;
    assert_eq!(entries.len(), MAX_OPERATIONS - 1);
    assert!(entries.iter().all(|entry| entry.modified == revision));

    let long = "k".repeat(MAX_KEY_BYTES);
    let large = vec![7; MAX_TRANSACTION_BYTES - MAX_KEY_BYTES];
    store.commit(Transaction::new().put(long.as_str(), large.clone())).await.unwrap();
    assert_eq!(*store.get(&long).await.unwrap().unwrap().value, *large);
}

pub async fn odd_values_and_keys(store: Arc<dyn Store>) {
    let bytes: Vec<u8> = (0..=255).collect();
    for key in ["a b", "a/b/../c", "'; DROP TABLE documents; --", "%", "ключ/値/🚢", "\u{10ffff}"] {
        for value in [&b""[..], b"\0", &bytes] {
            store.commit(Transaction::new().put(key, value)).await.unwrap();
            let entry = store.get(key).await.unwrap().unwrap();
            assert_eq!((&*entry.key, &*entry.value), (key, value));
        }
    }
    assert_eq!(store.get("").await.unwrap(), None);
    assert_eq!(store.get("A B").await.unwrap(), None, "case counts");
}

pub async fn recreated_documents_are_new(store: Arc<dyn Store>) {
    let first = put(&*store, "a", "1").await;
    store.commit(Transaction::new().delete("a")).await.unwrap();
    assert_eq!(store.get("a").await.unwrap(), None);
    let again = put(&*store, "a", "1").await;
    let entry = store.get("a").await.unwrap().unwrap();
    assert_eq!((entry.created, entry.modified), (again, again));
    assert!(store.commit(Transaction::new().unchanged("a", first)).await.is_err());
}

pub async fn json_documents(store: Arc<dyn Store>) {
    let ports = vec![80_u16, 443];
    let revision = store.put_json("ports", &ports).await.unwrap();
    assert_eq!(store.get_json::<Vec<u16>>("ports").await.unwrap(), Some((ports, revision)));
    assert_eq!(store.get_json::<Vec<u16>>("none").await.unwrap(), None);
    let other = store.get_json::<String>("ports").await;
    assert!(matches!(&other, Err(Error::Decode { key, .. }) if key == "ports"), "{other:?}");
}
