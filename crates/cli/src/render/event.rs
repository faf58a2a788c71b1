//! How events look.

use super::table;
use pierhead_wire::EventView;

/// What `events` prints.
pub(crate) fn list(events: &[EventView], width: Option<u16>) -> String {
    let row = |event: &EventView| {
        vec![
            event.time.clone(),
            event.kind.clone(),
            event.actor.clone().unwrap_or_default(),
            event.message.clone(),
            event.tags.join(", "),
        ]
    };
    table(&["TIME", "TYPE", "ACTOR", "MESSAGE", "TAGS"], events.iter().map(row), width)
}
