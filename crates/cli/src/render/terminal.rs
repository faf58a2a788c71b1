//! How terminals look.

use super::{age, fields, short, table};
use pierhead_model::Timestamp;
use pierhead_wire::TerminalView;

/// What `terminal ls` prints.
pub(crate) fn list(terminals: &[TerminalView], now: Timestamp, width: Option<u16>) -> String {
    let row = |terminal: &TerminalView| {
        vec![
            terminal.id.clone(),
            terminal.name.clone(),
            short(&terminal.container),
            terminal.owner.clone(),
            state(terminal),
            terminal.viewers.len().to_string(),
            age(&terminal.created_at, now),
        ]
    };
    table(&["TERMINAL", "NAME", "CONTAINER", "OWNER", "STATE", "THERE", "AGE"], terminals.iter().map(row), width)
}

/// What `terminal show` prints.
pub(crate) fn one(terminal: &TerminalView) -> String {
    let viewers = terminal.viewers.iter().map(|viewer| format!("{} ({})", viewer.username, viewer.role));
    let guests = terminal.guests.iter().map(|guest| format!("{} ({})", guest.username, guest.role));
    fields(&[
        ("id", terminal.id.clone()),
        ("name", terminal.name.clone()),
        ("container", terminal.container.clone()),
        ("app", terminal.app.clone().unwrap_or_default()),
        ("engine", terminal.engine.clone()),
        ("owner", terminal.owner.clone()),
        ("you may", terminal.right.clone()),
        ("command", terminal.command.join(" ")),
        ("size", if terminal.tty { format!("{} x {}", terminal.columns, terminal.rows) } else { String::new() }),
        ("lives in", home(terminal).to_owned()),
        ("state", state(terminal)),
        ("reason", terminal.reason.clone().unwrap_or_default()),
        ("there", viewers.collect::<Vec<_>>().join(", ")),
        ("guests", guests.collect::<Vec<_>>().join(", ")),
        ("opened", terminal.created_at.clone()),
        ("ended", terminal.ended_at.clone().unwrap_or_default()),
    ])
}

fn state(terminal: &TerminalView) -> String {
    match terminal.exit_code {
        Some(code) => format!("{} ({code})", terminal.state),
        None => terminal.state.clone(),
    }
}

fn home(terminal: &TerminalView) -> &'static str {
    match terminal.home.as_str() {
        "agent" => "the host's agent",
        _ => "a controller, with which it ends",
    }
}
