//! Watches that outlive their streams: a task asks etcd, and asks another member, from where it was, when a stream ends
//! or falls silent.
//!
//! Whoever reads slowly holds up only its own stream; etcd keeps what waits.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::failure::Failure;
use super::grpc::{self, Stream};
use super::keys::Keys;
use super::members::Shared;
use super::messages::{Event, WatchCreateRequest, WatchProgressRequest, WatchRequest, WatchRequestKind, WatchResponse};
use crate::{Change, Changes, Error, Result, Revision, Watcher};

/// Commits that may wait for their reader.
const AHEAD: usize = 16;
/// A stream that is silent for this long is asked for a sign of life,
const SILENCE: Duration = Duration::from_secs(2);
/// and given up if there is none in this time.
const SIGN_OF_LIFE: Duration = Duration::from_millis(1500);
/// Between two attempts to open a stream anew.
const PAUSE: Duration = Duration::from_millis(200);

/// The reader's end.
pub(super) struct EtcdWatcher {
    changes: mpsc::Receiver<Result<Changes>>,
    task: AbortHandle,
}

impl EtcdWatcher {
    /// Follows what lies in `range`, from the first change after the revision `after`.
    pub(super) fn new(members: Shared, keys: Keys, range: Range<Vec<u8>>, after: Revision) -> Self {
        let (tell, changes) = mpsc::channel(AHEAD);
        let runtime = members.runtime().clone();
        let following = Following { members, keys, range, seen: after, tell };
        Self { changes, task: runtime.spawn(following.run()).abort_handle() }
    }
}

impl Drop for EtcdWatcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl Watcher for EtcdWatcher {
    async fn next(&mut self) -> Result<Changes> {
        let closed = || Error::Unavailable { reason: "it was closed".to_owned() };
        self.changes.recv().await.unwrap_or_else(|| Err(closed()))
    }
}

/// Why a stream ended.
enum End {
    /// Nobody reads any more.
    Unread,
    /// No other stream would do better.
    Refused(Error),
    /// It broke off.
    Broken(String),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused { .. } if !failure.asks_for_new_session() => Self::Refused(failure.into()),
            other => Self::Broken(other.reason().to_owned()),
        }
    }
}

struct Following {
    members: Shared,
    keys: Keys,
    range: Range<Vec<u8>>,
    /// All changes up to this revision were told.
    seen: Revision,
    tell: mpsc::Sender<Result<Changes>>,
}

impl Following {
    async fn run(mut self) {
        let mut broken = false;
        loop {
            let member = self.members.current();
            match self.follow(member, &mut broken).await {
                End::Unread => return,
                End::Refused(error) => {
                    let _unread = self.tell.send(Err(error)).await;
                    return;
                }
                End::Broken(reason) => {
                    if !std::mem::replace(&mut broken, true) {
                        let member = self.members.name(member);
                        tracing::warn!(member, reason, "a watch on etcd broke off; it is opened anew");
                    }
                }
            }
            self.members.move_on(member).await;
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.tell.closed() => return,
            }
        }
    }

    /// Follows one stream to its end.
    async fn follow(&mut self, member: usize, broken: &mut bool) -> End {
        let create = WatchRequestKind::Create(WatchCreateRequest {
            key: self.range.start.clone(),
            range_end: self.range.end.clone(),
            // From the last that was told, which is left out here: etcd refuses it if it is forgotten, and some
            // versions lose deletions of the very revision to which history was forgotten.
            start_revision: self.keys.etcds(self.seen).max(1),
            progress_notify: true,
        });
        let opened = self.members.watch(member, &WatchRequest { request: Some(create) }).await;
        let (requests, mut stream) = match opened {
            Ok(opened) => opened,
            Err(failure) => return failure.into(),
        };
        loop {
            let response = match next(&requests, &mut stream).await {
                Ok(response) => response,
                Err(end) => return end,
            };
            if std::mem::take(broken) {
                tracing::info!(member = self.members.name(member), "the watch on etcd goes on");
            }
            if let Err(end) = self.take(response).await {
                return end;
            }
        }
    }

    async fn take(&mut self, response: WatchResponse) -> Result<(), End> {
        if response.compact_revision != 0 {
            let oldest = self.keys.revision(response.compact_revision);
            return Err(End::Refused(Error::Compacted { oldest }));
        }
        if response.canceled {
            let reason = response.cancel_reason;
            let is_refusal = reason.contains("permission denied");
            return Err(if is_refusal { End::Refused(Error::Denied { reason }) } else { End::Broken(reason) });
        }
        let is_progress = response.events.is_empty() && !response.created && response.watch_id >= 0;
        if is_progress && let Some(header) = response.header {
            self.seen = self.seen.max(self.keys.revision(header.revision));
        }
        for changes in commits(&self.keys, response.events).map_err(End::Refused)? {
            if changes.revision > self.seen {
                self.seen = changes.revision;
                self.tell.send(Ok(changes)).await.map_err(|_| End::Unread)?;
            }
        }
        if self.tell.is_closed() { Err(End::Unread) } else { Ok(()) }
    }
}

/// The next response, or the end of the stream, also if it gives no sign of life.
async fn next(requests: &mpsc::Sender<bytes::Bytes>, stream: &mut Stream) -> Result<WatchResponse, End> {
    let silent = || End::Broken(format!("it is silent for {:.1?}", SILENCE + SIGN_OF_LIFE));
    let came = match stream.next_within(SILENCE).await {
        Some(came) => came,
        None => {
            let asked = WatchRequest { request: Some(WatchRequestKind::Progress(WatchProgressRequest {})) };
            // If it is full, it has long been asked.
            let _full = requests.try_send(grpc::frame(&asked));
            stream.next_within(SIGN_OF_LIFE).await.ok_or_else(silent)?
        }
    };
    came?.ok_or_else(|| End::Broken("etcd ended it".to_owned()))
}

/// Events, which come in the order of their revisions, as commits.
fn commits(keys: &Keys, events: Vec<Event>) -> Result<Vec<Changes>> {
    const DELETED: i32 = 1;
    let mut commits: Vec<Changes> = Vec::new();
    for event in events {
        let Some(kv) = event.kv else { continue };
        let revision = keys.revision(kv.mod_revision);
        // A key that is no document's was written by somebody else.
        let Ok(key) = keys.own(&kv.key) else { continue };
        let change = if event.kind == DELETED {
            Change { key, entry: None }
        } else {
            let entry = keys.entry(kv)?;
            Change { key: entry.key.clone(), entry: Some(entry) }
        };
        match commits.last_mut() {
            Some(last) if last.revision == revision => last.changes.push(change),
            _ => commits.push(Changes { revision, changes: vec![change] }),
        }
    }
    Ok(commits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etcd::messages::KeyValue;

    fn event(kind: i32, key: &str, revision: i64) -> Event {
        let key = format!("p/{key}").into_bytes();
        Event { kind, kv: Some(KeyValue { key, mod_revision: revision, ..KeyValue::default() }) }
    }

    #[test]
    fn events_of_one_revision_are_one_commit() {
        let events = vec![event(0, "a", 4), event(1, "b", 4), event(0, "a", 6)];
        let commits = commits(&Keys::new("p/"), events).unwrap();
        let told: Vec<_> = commits
            .iter()
            .map(|commit| {
                let keys: Vec<_> = commit.changes.iter().map(|change| (&*change.key, change.entry.is_some())).collect();
                (commit.revision.value(), keys)
            })
            .collect();
        assert_eq!(told, [(4, vec![("a", true), ("b", false)]), (6, vec![("a", true)])]);
    }
}
