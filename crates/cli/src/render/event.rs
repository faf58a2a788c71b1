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

/// What `events --follow` prints for each.
pub(crate) fn line(event: &EventView) -> String {
    let actor = event.actor.as_deref().unwrap_or("-");
    let engine = event.engine.as_ref().and_then(|engine| engine.get("id")).and_then(|id| id.as_str());
    let engine = engine.map(|id| format!("  engine={id}")).unwrap_or_default();
    format!("{}  {}  {actor}  {}{engine}  [{}]", event.time, event.kind, event.message, event.tags.join(", "))
}
