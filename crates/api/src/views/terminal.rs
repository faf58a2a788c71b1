//! Terminals as they are shown to those who may come to them.

use crate::identity::Caller;
use pierhead_controller::TerminalNow;
use pierhead_terminal::{Right, Role};
use pierhead_wire::{TerminalGuest, TerminalView, TerminalViewer, format_timestamp};

/// A terminal.
pub(crate) fn terminal(caller: &Caller, now: &TerminalNow) -> TerminalView {
    let (record, view) = (&now.record, now.view.as_ref());
    let end = record.end();
    let viewers = view.map(|view| view.viewers.as_slice()).unwrap_or_default();
    let guests = record
        .guests
        .iter()
        .map(|(username, role)| TerminalGuest { username: username.to_string(), role: role.as_str().to_owned() });
    TerminalView {
        id: record.id.to_string(),
        container: record.container.to_string(),
        engine: record.engine.to_string(),
        app: record.app.clone(),
        owner: record.owner.to_string(),
        name: record.name.clone(),
        command: record.command.clone(),
        tty: record.tty,
        columns: view.map_or(record.columns, |view| view.columns),
        rows: view.map_or(record.rows, |view| view.rows),
        home: record.home.as_str().to_owned(),
        state: if end.is_some() { "ended" } else { "running" }.to_owned(),
        exit_code: end.and_then(|end| end.exit_code),
        reason: end.map(|end| end.reason.clone()).filter(|reason| !reason.is_empty()),
        created_at: format_timestamp(record.created_at),
        ended_at: end.map(|end| format_timestamp(end.at)),
        right: right(caller, now).to_owned(),
        viewers: viewers.iter().map(viewer).collect(),
        guests: guests.collect(),
    }
}

/// Somebody at a terminal.
pub(crate) fn viewer(viewer: &pierhead_terminal::ViewerView) -> TerminalViewer {
    TerminalViewer {
        id: viewer.id.clone(),
        username: viewer.username.clone(),
        role: if viewer.role == Role::Driver { "driver" } else { "viewer" }.to_owned(),
        since: format_timestamp(viewer.since),
    }
}

fn right(caller: &Caller, now: &TerminalNow) -> &'static str {
    match now.right {
        _ if !caller.may_work() => "viewer",
        Right::Owner => "owner",
        Right::Driver => "driver",
        Right::Viewer => "viewer",
    }
}
