//! How apps look.

use super::container::binding;
use super::{age, fields, short, table};
use pierhead_model::Timestamp;
use pierhead_wire::{AppView, SlotView};

/// What `app ls` prints.
pub(crate) fn list(apps: &[AppView], now: Timestamp, width: Option<u16>) -> String {
    let row = |app: &AppView| {
        vec![app.name.clone(), app.image.name.clone(), counts(app, "/"), app.owner.clone(), age(&app.created_at, now)]
    };
    table(&["APP", "IMAGE", "RUNNING", "OWNER", "AGE"], apps.iter().map(row), width)
}

/// How many run of those that shall, and how many have ended: `2 of 3`, `2 done, 1 failed`.
fn counts(app: &AppView, of: &str) -> String {
    let has_ended = app.done + app.failed;
    let shall_run = app.replicas.saturating_sub(has_ended);
    let mut parts = Vec::new();
    if shall_run > 0 || has_ended == 0 {
        parts.push(format!("{}{of}{shall_run}", app.running));
    }
    let ended = [(app.done, "done"), (app.failed, "failed")];
    parts.extend(ended.iter().filter(|(count, _)| *count > 0).map(|(count, how)| format!("{count} {how}")));
    parts.join(", ")
}

/// `failed (exit 3)`.
fn state(slot: &SlotView) -> String {
    match slot.exit_code.filter(|code| *code != 0) {
        Some(code) => format!("{} (exit {code})", slot.state),
        None => slot.state.clone(),
    }
}

/// What `app show` prints.
pub(crate) fn one(app: &AppView, width: Option<u16>) -> String {
    let head = fields(&[
        ("name", app.name.clone()),
        ("image", app.image.name.clone()),
        ("running", counts(app, " of ")),
        ("owner", app.owner.clone()),
        ("version", app.version.to_string()),
        ("writers", if app.image.single_writer == Some(true) { "never two at a time" } else { "" }.to_owned()),
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
        state(slot),
        engine.clone(),
        slot.container.as_deref().map(short).unwrap_or_default(),
        slot.ports.iter().map(|port| binding(port, &engine, &engine)).collect::<Vec<_>>().join(", "),
        slot.message.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_wire::ImageDescription;

    fn app(replicas: u32, running: u32, done: u32, failed: u32) -> AppView {
        AppView {
            id: "a1".to_owned(),
            name: "web".to_owned(),
            owner: "clare".to_owned(),
            image: ImageDescription::default(),
            replicas,
            running,
            done,
            failed,
            version: 1,
            message: String::new(),
            created_at: String::new(),
            slots: Vec::new(),
        }
    }

    #[test]
    fn what_has_ended_is_not_missed() {
        let shown = |replicas, running, done, failed| counts(&app(replicas, running, done, failed), "/");
        assert_eq!(shown(3, 2, 0, 0), "2/3");
        assert_eq!(shown(0, 0, 0, 0), "0/0");
        assert_eq!(shown(2, 0, 2, 0), "2 done");
        assert_eq!(shown(4, 1, 1, 1), "1/2, 1 done, 1 failed");
    }
}
