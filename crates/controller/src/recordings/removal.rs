//! Deletes recordings: their record with the event that tells why, and then their bytes.

use super::keep::told;
use crate::requests::RequestError;
use crate::{Controller, keys};
use pierhead_model::{DeletedRecording, Event, EventTag, KeptRecording, Timestamp, Username};
use pierhead_store::leadership::Standing;
use pierhead_store::{Entry, Error, Result as StoreResult, Revision, Transaction};

/// Why recordings go by themselves.
const OVER: &str = "its time was over";
const WITHDRAWN: &str = "consent was withdrawn";
const NO_COURSE: &str = "its course was deleted";

/// The recordings below a place, with the revisions that they were read at.
pub(crate) async fn recordings_in(
    controller: &Controller,
    place: &str,
) -> Result<Vec<(KeptRecording, Revision)>, RequestError> {
    let listing = controller.store().list_all(place).await?;
    let read = |entry: &Entry| -> StoreResult<_> { Ok((entry.json::<KeptRecording>()?, entry.modified)) };
    Ok(listing.entries.iter().map(read).collect::<StoreResult<_>>()?)
}

/// The recordings that were deleted lately.
pub(crate) async fn deleted(controller: &Controller) -> Result<Vec<DeletedRecording>, RequestError> {
    let listing = controller.store().list_all(keys::UNRECORDED).await?;
    Ok(listing.entries.iter().map(Entry::json::<DeletedRecording>).collect::<StoreResult<_>>()?)
}

/// Deletes a recording. One that is gone already is a success; one that was written anew meanwhile is none.
///
/// # Errors
/// Those of the store.
pub(crate) async fn remove(
    controller: &Controller,
    (record, revision): &(KeptRecording, Revision),
    actor: Option<&Username>,
    why: &str,
    fence: impl FnOnce(Transaction) -> Transaction,
) -> Result<(), RequestError> {
    let event = event(controller, record, actor, why);
    let key = keys::recording(record);
    let transaction = Transaction::new()
        .unchanged(key.clone(), *revision)
        .delete(key)
        .put_json(keys::unrecorded(&record.id), &DeletedRecording::of(record, controller.clock().now(), why))?
        .put_json(keys::event(&event.id), &event)?;
    let revision = controller.store().commit(fence(transaction)).await?;
    controller.reached(revision).await;
    if let Err(error) = controller.library.remove(&record.blob).await {
        // Nobody finds it any more, and what nothing names is swept.
        tracing::warn!(%error, recording = %record.id, "the bytes of a deleted recording wait to be removed");
    }
    Ok(())
}

fn event(controller: &Controller, record: &KeptRecording, actor: Option<&Username>, why: &str) -> Event {
    let event = controller.event_of_pool("delete-recording", format!("{}, why={why}", told(record)));
    Event { actor: actor.cloned(), tags: vec![EventTag::Cluster], ..event }
}

/// Deletes what is not kept any longer.
pub(super) async fn sweep(controller: &Controller, standing: &Standing) {
    let all = match recordings_in(controller, keys::RECORDINGS).await {
        Ok(all) => all,
        Err(error) => return tracing::warn!(%error, "it could not be looked which recordings are over"),
    };
    let now = controller.clock().now();
    for found in &all {
        let Some(why) = over(controller, &found.0, now) else { continue };
        match remove(controller, found, None, why, |transaction| standing.fence(transaction)).await {
            Ok(()) | Err(RequestError::Store(Error::Conflict { .. })) => {}
            Err(error) => {
                tracing::warn!(%error, recording = %found.0.id, "a recording could not be deleted; it is tried again")
            }
        }
    }
}

/// Why a recording is not kept any longer.
fn over(controller: &Controller, record: &KeptRecording, now: Timestamp) -> Option<&'static str> {
    let known = controller.known();
    if record.kept_until <= now {
        return Some(OVER);
    }
    if !known.courses.contains_key(&record.course) {
        return Some(NO_COURSE);
    }
    let enrolments = known.enrolments.get(&record.course);
    let says_yes = |who: &Username| enrolments.is_some_and(|enrolments| enrolments.recorded.contains_key(who));
    (!record.people().all(says_yes)).then_some(WITHDRAWN)
}
