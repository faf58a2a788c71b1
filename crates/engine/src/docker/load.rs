//! Loading an image archive into a real engine: the bytes go out as fast as the engine takes them.

use super::{Docker, failure, timed_out};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::{Archive, Progress};
use bollard::query_parameters::ImportImageOptionsBuilder;
use futures_util::stream::StreamExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The share of the work, in per cent, that is done when an engine has all bytes; the rest is unpacking.
const SENT: u64 = 80;
/// The share when it has begun to unpack.
const UNPACKING: u8 = 90;

impl Docker {
    /// Loads, as long as bytes are taken or the engine tells something within each deadline.
    pub(super) async fn load_alone(&self, archive: &Archive, report: &Progress) -> Result<()> {
        let idle = self.deadlines.load_idle;
        let client = self.within(Verb::Load, idle, self.wire.client()).await?;
        let options = ImportImageOptionsBuilder::new().quiet(false).build();
        let sent = Arc::new(AtomicU64::new(0));
        let unreadable: Arc<Mutex<Option<String>>> = Arc::default();
        let body = counted(archive, Arc::clone(&sent), Arc::clone(&unreadable), Arc::clone(report));
        let mut told = std::pin::pin!(client.import_image(options, bollard::body_try_stream(body), None));
        loop {
            let before = sent.load(Ordering::Relaxed);
            let message = match tokio::time::timeout(idle, told.next()).await {
                Ok(message) => message,
                Err(_) if sent.load(Ordering::Relaxed) > before => continue,
                Err(_) => {
                    self.wire.mark_stale();
                    return Err(timed_out(Verb::Load, idle));
                }
            };
            match message {
                Some(Ok(_)) => report(UNPACKING),
                Some(Err(error)) => {
                    let ours = unreadable.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let failed = failure::classify(Verb::Load, error);
                    if matches!(failed, EngineError::Unreachable(_)) {
                        self.wire.mark_stale();
                    }
                    return Err(ours.map_or(failed, EngineError::Failed));
                }
                None => return Ok(()),
            }
        }
    }
}

/// The bytes of an archive, counted as they are taken. Why it could not be read is noted: the client library only tells
/// that the body ended.
fn counted(
    archive: &Archive,
    sent: Arc<AtomicU64>,
    unreadable: Arc<Mutex<Option<String>>>,
    report: Progress,
) -> impl futures_util::Stream<Item = std::io::Result<hyper::body::Bytes>> + Send + use<> {
    let size = archive.size().max(1);
    archive.stream().inspect(move |piece| match piece {
        Ok(bytes) => {
            let sent = sent.fetch_add(bytes.len() as u64, Ordering::Relaxed) + bytes.len() as u64;
            report(u8::try_from(SENT * sent.min(size) / size).unwrap_or(0));
        }
        Err(error) => {
            let mut unreadable = unreadable.lock().unwrap_or_else(PoisonError::into_inner);
            *unreadable = Some(format!("the archive cannot be read: {error}"));
        }
    })
}
