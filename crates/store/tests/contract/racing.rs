//! Many clients at once.

use std::sync::Arc;

use pierhead_store::{Changes, Error, Revision, Store, StoreJson, Transaction};
use tokio::task::JoinSet;

use super::{next, present, within};

/// Raises a counter by compare-and-put until it succeeds.
async fn increment(store: &dyn Store, key: &str) -> Revision {
    loop {
        let present = store.get_json::<u64>(key).await.expect("get");
        let (count, transaction) = match present {
            Some((count, revision)) => (count, Transaction::new().unchanged(key, revision)),
            None => (0, Transaction::new().absent(key)),
        };
        match store.commit(transaction.put_json(key, &(count + 1)).expect("a number")).await {
            Ok(revision) => return revision,
            Err(Error::Conflict { key: culprit }) => assert_eq!(culprit, key),
            Err(error) => panic!("{error}"),
        }
    }
}

pub async fn counters_lose_nothing(store: Arc<dyn Store>) {
    const CLIENTS: u64 = 8;
    const EACH: u64 = 25;
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let store = Arc::clone(&store);
        clients.spawn(async move {
            let mut last = Revision::ZERO;
            for round in 0..EACH {
                let key = format!("counter/{}", (client + round) % 3);
                let before = store.get_json::<u64>(&key).await.unwrap().map_or(0, |(count, _)| count);
                let revision = increment(&*store, &key).await;
                let after = store.get_json::<u64>(&key).await.unwrap().unwrap();
                assert!(after.0 > before && after.1 >= revision, "a later read sees the write");
                assert!(revision > last);
                last = revision;
            }
        });
    }
    within(clients.join_all()).await;
    let counters = store.list_all("counter/").await.unwrap().entries;
    let sum: u64 = counters.iter().map(|entry| entry.json::<u64>().unwrap()).sum();
    assert_eq!(sum, CLIENTS * EACH);
}

pub async fn watchers_see_all_in_order(store: Arc<dyn Store>) {
    const CLIENTS: usize = 16;
    const EACH: usize = 60;
    let start = present(&*store).await;
    let mut watchers = JoinSet::new();
    for _ in 0..4 {
        let mut watch = store.watch("k/", start).await.unwrap();
        watchers.spawn(async move {
            let mut seen: Vec<Changes> = Vec::new();
            while seen.len() < CLIENTS * EACH {
                seen.push(next(&mut watch).await);
            }
            seen
        });
    }
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let store = Arc::clone(&store);
        clients.spawn(async move {
            let mut acknowledged = Vec::new();
            for round in 0..EACH {
                let mine = Transaction::new().put(format!("k/{client}"), round.to_string().into_bytes());
                let both = mine.put("k/shared", client.to_string().into_bytes());
                acknowledged.push(store.commit(both).await.unwrap());
            }
            acknowledged
        });
    }
    let mut acknowledged: Vec<_> = within(clients.join_all()).await.into_iter().flatten().collect();
    acknowledged.sort_unstable();
    for seen in within(watchers.join_all()).await {
        let revisions: Vec<_> = seen.iter().map(|changes| changes.revision).collect();
        assert_eq!(revisions, acknowledged, "each commit once, in order");
        assert!(seen.iter().all(|changes| changes.changes.len() == 2));
        for client in 0..CLIENTS {
            let key = format!("k/{client}");
            let rounds: Vec<usize> = seen
                .iter()
                .flat_map(|changes| &changes.changes)
                .filter(|change| *change.key == key)
                .map(|change| change.entry.as_ref().unwrap().json().unwrap())
                .collect();
            assert_eq!(rounds, (0..EACH).collect::<Vec<_>>());
        }
    }
}

pub async fn one_creator_wins(store: Arc<dyn Store>) {
    for round in 0..20 {
        let key = format!("prize/{round}");
        let mut clients = JoinSet::new();
        for client in 0..16_u32 {
            let (store, key) = (Arc::clone(&store), key.clone());
            clients.spawn(async move {
                let claim = Transaction::new().absent(key.as_str()).put_json(key.as_str(), &client).unwrap();
                store.commit(claim).await.is_ok().then_some(client)
            });
        }
        let winners: Vec<_> = within(clients.join_all()).await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1);
        let (winner, _) = store.get_json::<u32>(&key).await.unwrap().unwrap();
        assert_eq!(winners, [winner]);
    }
}

/// Money moves between two accounts in one transaction; every snapshot shows the same sum.
pub async fn transfers_keep_the_sum(store: Arc<dyn Store>) {
    let open = Transaction::new().put_json("account/0", &500).unwrap().put_json("account/1", &500).unwrap();
    store.commit(open).await.unwrap();
    let mut clients = JoinSet::new();
    for client in 0..6_i64 {
        let store = Arc::clone(&store);
        clients.spawn(async move {
            let mut done = 0;
            while done < 20 {
                let accounts = store.list_all("account/").await.unwrap().entries;
                let amounts: Vec<i64> = accounts.iter().map(|entry| entry.json().unwrap()).collect();
                assert_eq!(amounts.iter().sum::<i64>(), 1000);
                let moved = client - 2;
                let transfer = Transaction::new()
                    .unchanged("account/0", accounts[0].modified)
                    .unchanged("account/1", accounts[1].modified)
                    .put_json("account/0", &(amounts[0] - moved))
                    .unwrap()
                    .put_json("account/1", &(amounts[1] + moved))
                    .unwrap();
                done += usize::from(store.commit(transfer).await.is_ok());
            }
        });
    }
    within(clients.join_all()).await;
    let (first, _) = store.get_json::<i64>("account/0").await.unwrap().unwrap();
    let moved: i64 = (0..6).map(|client| (client - 2) * 20).sum();
    assert_eq!(first, 500 - moved);
}
