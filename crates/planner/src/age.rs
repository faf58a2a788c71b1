//! How old containers are: one order for lists and for choosing which go first. It decides nothing.

use pierhead_model::{ContainerId, ObservedContainer, Ownership, Slot, Timestamp};

/// Where a container stands among others: the smaller, the older. Of two that were made at the same moment the higher
/// slot counts as the newer.
#[must_use]
pub fn age(container: &ObservedContainer) -> (Timestamp, Option<Slot>, ContainerId) {
    let slot = Ownership::read(&container.labels).map(|owner| owner.slot.slot);
    (container.created_at, slot, container.id.clone())
}

/// A listing tells only the second in which a container was made, and of one that has run for a while not since when:
/// that must not hide what is known more exactly.
pub(crate) fn keep_exact_moment(container: &mut ObservedContainer, known: Option<&ObservedContainer>) {
    container.started_at = container.started_at.or(known.and_then(|known| known.started_at));
    if let Some(known) = known
        && container.created_at.0.is_multiple_of(1000)
        && known.created_at.0 / 1000 == container.created_at.0 / 1000
    {
        container.created_at = known.created_at;
    }
}
