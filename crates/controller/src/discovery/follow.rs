//! Keeps a view of the registry: everything at the start, then every change. While the registry does not answer the
//! view stays as it was: a registry that is away takes no host with it.

use pierhead_model::REGISTRATIONS;
use pierhead_store::{Change, Error, Result, Revision, Store};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// After which time all is read anew, so that a watch that is silent for no good reason goes unnoticed no longer.
const ANEW: Duration = Duration::from_secs(10);
/// How long a listing may take.
const LISTING_LIMIT: Duration = Duration::from_secs(5);
/// The wait before the next attempt.
const PAUSE: Duration = Duration::from_millis(200);

/// The registry as it was last seen, by key.
pub(super) type View = BTreeMap<Arc<str>, Seen>;

/// One key of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub value: Arc<[u8]>,
    /// The registry's revision that wrote it last.
    pub revision: Revision,
}

/// Follows until the registry refuses us, as one does that was put in the place of another. Nothing is told before it was
/// read once.
pub(super) async fn follow(registry: Arc<dyn Store>, view: watch::Sender<Option<View>>) {
    let mut is_away = false;
    loop {
        match follow_once(&*registry, &view, &mut is_away).await {
            // It was long enough: all is read anew.
            Ok(()) => continue,
            Err(error @ Error::Denied { .. }) => {
                tracing::warn!(%error, "the registry of hosts is opened anew; the hosts that are known stay");
                return tokio::time::sleep(PAUSE).await;
            }
            Err(Error::Compacted { .. }) => tracing::info!("the registry of hosts was compacted; it is read anew"),
            Err(error) if is_away => tracing::debug!(%error, "the registry of hosts is still away"),
            Err(error) => {
                tracing::warn!(%error, "the registry of hosts can't be followed now; the hosts that are known stay");
                is_away = true;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn follow_once(registry: &dyn Store, view: &watch::Sender<Option<View>>, is_away: &mut bool) -> Result<()> {
    let late = || Error::Unavailable { reason: format!("no listing within {} s", LISTING_LIMIT.as_secs()) };
    let listing = registry.list_all(REGISTRATIONS);
    let listing = tokio::time::timeout(LISTING_LIMIT, listing).await.unwrap_or_else(|_| Err(late()))?;
    let found = listing.entries.into_iter();
    let found = found.map(|entry| (entry.key, Seen { value: entry.value, revision: entry.modified })).collect();
    view.send_if_modified(|seen| {
        let is_new = seen.as_ref() != Some(&found);
        if is_new {
            *seen = Some(found);
        }
        is_new
    });
    if std::mem::take(is_away) {
        tracing::info!("the registry of hosts is followed again");
    }
    let mut watch = registry.watch(REGISTRATIONS, listing.revision).await?;
    let until = tokio::time::Instant::now() + ANEW;
    while let Ok(changes) = tokio::time::timeout_at(until, watch.next()).await {
        let changes = changes?.changes;
        if !changes.is_empty() {
            view.send_modify(|seen| apply(seen.get_or_insert_default(), changes));
        }
    }
    Ok(())
}

fn apply(view: &mut View, changes: Vec<Change>) {
    for change in changes {
        match change.entry {
            Some(entry) => view.insert(change.key, Seen { value: entry.value, revision: entry.modified }),
            None => view.remove(&change.key),
        };
    }
}
