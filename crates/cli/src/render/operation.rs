//! How operations look.

use super::{age, fields, short, table};
use crate::progress::describe;
use pierhead_model::{Timestamp, Verdict, VerdictState};
use pierhead_wire::OperationView;

/// What `operation ls` prints.
pub(crate) fn list(operations: &[OperationView], now: Timestamp, width: Option<u16>) -> String {
    let row = |operation: &OperationView| {
        vec![
            operation.id.clone(),
            operation.state.clone(),
            operation.title.clone(),
            operation.app.clone(),
            operation.actor.clone(),
            age(&operation.created_at, now),
            progress(operation),
        ]
    };
    table(&["OPERATION", "STATE", "WHAT", "APP", "ACTOR", "AGE", "PROGRESS"], operations.iter().map(row), width)
}

/// How far one is that goes on, and what its first slot waits for.
fn progress(operation: &OperationView) -> String {
    match operation.ended_at.is_none() && !operation.verdicts.is_empty() {
        true => describe(operation, "done"),
        false => String::new(),
    }
}

/// What `operation show` prints.
pub(crate) fn one(operation: &OperationView, width: Option<u16>) -> String {
    let head = fields(&[
        ("id", operation.id.clone()),
        ("what", operation.title.clone()),
        ("state", operation.state.clone()),
        ("why", operation.error.as_ref().map(|error| error.message.clone()).unwrap_or_default()),
        ("app", operation.app.clone()),
        ("actor", operation.actor.clone()),
        ("created", operation.created_at.clone()),
        // Once it has ended nothing is due any more.
        ("deadline", if operation.ended_at.is_none() { operation.deadline.clone() } else { String::new() }),
        ("ended", operation.ended_at.clone().unwrap_or_default()),
    ]);
    if operation.verdicts.is_empty() {
        return head;
    }
    let header = ["SLOT", "STATE", "ENGINE", "CONTAINER", "MESSAGE"];
    format!("{head}\n{}", table(&header, operation.verdicts.iter().map(verdict), width))
}

fn verdict(verdict: &Verdict) -> Vec<String> {
    let state = match verdict.state {
        VerdictState::Pending => "pending",
        VerdictState::Done => "done",
        VerdictState::Failed => "failed",
    };
    let slot = match &verdict.app {
        Some(app) => format!("{app}/{}", verdict.slot),
        None => verdict.slot.to_string(),
    };
    vec![
        slot,
        state.to_owned(),
        verdict.engine.as_ref().map(ToString::to_string).unwrap_or_default(),
        verdict.container.as_ref().map(|id| short(id.as_str())).unwrap_or_default(),
        verdict.message.clone(),
    ]
}
