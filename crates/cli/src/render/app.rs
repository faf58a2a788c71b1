//! How apps look.

use super::container::binding;
use super::{age, fields, short, table};
use pierhead_model::Timestamp;
use pierhead_wire::{AppView, SlotView};

/// What `app ls` prints.
pub(crate) fn list(apps: &[AppView], now: Timestamp, width: Option<u16>) -> String {
    let row = |app: &AppView| {
        vec![
            app.name.clone(),
            app.image.name.clone(),
            format!("{}/{}", app.running, app.replicas),
            app.owner.clone(),
            age(&app.created_at, now),
        ]
    };
    table(&["APP", "IMAGE", "RUNNING", "OWNER", "AGE"], apps.iter().map(row), width)
}

/// What `app show` prints.
pub(crate) fn one(app: &AppView, width: Option<u16>) -> String {
    let head = fields(&[
        ("name", app.name.clone()),
        ("image", app.image.name.clone()),
        ("running", format!("{} of {}", app.running, app.replicas)),
        ("owner", app.owner.clone()),
        ("version", app.version.to_string()),
        ("note", app.message.clone()),
        ("created", app.created_at.clone()),
    ]);
    let slots = table(&["SLOT", "STATE", "ENGINE", "CONTAINER", "PORTS", "MESSAGE"], app.slots.iter().map(slot), width);
    format!("{head}\n{slots}")
}

fn slot(slot: &SlotView) -> Vec<String> {
    let engine = slot.engine.clone().unwrap_or_default();
    vec![
        slot.slot.to_string(),
        slot.state.clone(),
        engine.clone(),
        slot.container.as_deref().map(short).unwrap_or_default(),
        slot.ports.iter().map(|port| binding(port, &engine, &engine)).collect::<Vec<_>>().join(", "),
        slot.message.clone(),
    ]
}
