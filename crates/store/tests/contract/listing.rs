//! Lists: order, prefixes, pages, snapshots.

use std::sync::Arc;

use pierhead_store::{MAX_PAGE_ENTRIES, Page, Store, Transaction};

use super::{put, within};

fn keys(page: &Page) -> Vec<&str> {
    page.entries.iter().map(|entry| &*entry.key).collect()
}

pub async fn pages_follow_each_other(store: Arc<dyn Store>) {
    for key in ["b/3", "b/1", "a/9", "b/10", "b/2", "c/0"] {
        put(&*store, key, key).await;
    }
    let first = store.list("b/", None, 2).await.unwrap();
    assert_eq!((keys(&first), first.more), (vec!["b/1", "b/10"], true));
    let second = store.list("b/", Some("b/10"), 2).await.unwrap();
    assert_eq!((keys(&second), second.more), (vec!["b/2", "b/3"], false));
    let between = store.list("b/", Some("b/15"), 1).await.unwrap();
    assert_eq!((keys(&between), between.more), (vec!["b/2"], true));
    assert_eq!(keys(&store.list("b/", Some("a"), 9).await.unwrap()).len(), 4, "after may be before the prefix");
    assert_eq!(keys(&store.list("b/", Some("b/3"), 9).await.unwrap()).len(), 0);
    assert_eq!(keys(&store.list("b/", Some("c"), 9).await.unwrap()).len(), 0, "after may be beyond the prefix");
    assert_eq!(keys(&store.list("b/", None, 0).await.unwrap()), ["b/1"], "a page has one entry at least");
}

pub async fn prefixes_are_exact(store: Arc<dyn Store>) {
    let all = ["a", "a.", "a/", "a/\u{10ffff}", "a/b", "a/é", "a0", "aa", "é", "é/1", "ê", "\u{10ffff}", "\u{10ffff}x"];
    for key in all {
        put(&*store, key, "").await;
    }
    for prefix in ["", "a", "a/", "a0", "é", "é/", "\u{10ffff}", "a/\u{10ffff}", "b", "%", "A"] {
        let mut expected: Vec<_> = all.into_iter().filter(|key| key.starts_with(prefix)).collect();
        expected.sort_unstable();
        let page = store.list(prefix, None, 100).await.unwrap();
        assert_eq!(keys(&page), expected, "{prefix:?}");
        let listed = store.list_all(prefix).await.unwrap().entries;
        assert_eq!(listed, page.entries, "{prefix:?}");
    }
}

pub async fn an_empty_range(store: Arc<dyn Store>) {
    let revision = put(&*store, "a", "1").await;
    let page = store.list("b/", None, 10).await.unwrap();
    assert_eq!((page.entries.len(), page.more, page.revision), (0, false, revision));
    assert_eq!(store.list_all("b/").await.unwrap().revision, revision);
}

/// Each commit writes the same number to documents on different pages.
pub async fn all_at_one_revision(store: Arc<dyn Store>) {
    let documents = MAX_PAGE_ENTRIES + 200;
    let all: Vec<_> = (0..documents).map(|n| format!("d/{n:05}")).collect();
    for part in all.chunks(100) {
        let part = part.iter().fold(Transaction::new(), |all, key| all.put(key.as_str(), *b"0"));
        store.commit(part).await.unwrap();
    }
    let (first, last) = (all[0].clone(), all[documents - 1].clone());
    let both = Transaction::new().put(first.as_str(), *b"0").put(last.as_str(), *b"0");
    store.commit(both).await.unwrap();
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 1..=100 {
                let number = number.to_string().into_bytes();
                let both = Transaction::new().put(first.as_str(), number.clone()).put(last.as_str(), number);
                store.commit(both).await.unwrap();
            }
        }
    });
    let mut rounds = 0;
    while !writer.is_finished() || rounds < 3 {
        let listing = within(store.list_all("d/")).await.unwrap();
        let (first, last) = (&listing.entries[0], &listing.entries[documents - 1]);
        assert_eq!(listing.entries.len(), documents);
        assert_eq!((&first.value, first.modified), (&last.value, last.modified));
        assert!(last.modified <= listing.revision);
        rounds += 1;
    }
    writer.await.unwrap();
}
