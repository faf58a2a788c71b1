//! How attempts at labs, and tests of labs, look.

use super::{fields, table};
use crate::escape::escape;
use pierhead_wire::{AttemptStepView, AttemptView};

/// What `lab attempts` prints.
pub(crate) fn list(attempts: &[AttemptView], width: Option<u16>) -> String {
    let row = |attempt: &AttemptView| {
        vec![
            attempt.id.clone(),
            attempt.lab.clone(),
            attempt.account.clone(),
            attempt.version.to_string(),
            steps(attempt),
            format!("{}/{}", attempt.score, attempt.most),
            attempt.phase.clone().unwrap_or_default(),
            attempt.started_at.clone(),
        ]
    };
    let heads = ["ATTEMPT", "LAB", "ACCOUNT", "VERSION", "STEPS DONE", "POINTS", "WORKSPACE", "BEGUN"];
    table(&heads, attempts.iter().map(row), width)
}

/// What `lab start` prints.
pub(crate) fn one(attempt: &AttemptView) -> String {
    let workspace = match (&attempt.workspace, &attempt.phase) {
        (Some(id), Some(phase)) => format!("{id} ({phase})"),
        _ => String::new(),
    };
    let newer = attempt.newest_version.filter(|newest| *newest > attempt.version);
    let newer = newer.map(|newest| format!(" (there is version {newest})")).unwrap_or_default();
    let mut text = fields(&[
        ("attempt", attempt.id.clone()),
        ("lab", format!("{}: {}", attempt.lab, escape(&attempt.title))),
        ("group", with_group(attempt)),
        ("version", format!("{}{newer}", attempt.version)),
        ("steps done", steps(attempt)),
        ("points", format!("{}/{}", attempt.score, attempt.most)),
        ("workspace", workspace),
        ("begun", attempt.started_at.clone()),
        ("done", attempt.done_at.clone().unwrap_or_default()),
    ]);
    for (number, step) in (1..).zip(&attempt.steps) {
        text.push_str(&format!("\n{} {number}. {}", mark(step), escape(&step.title)));
    }
    text
}

/// Everybody who works at it, if they are several.
fn with_group(attempt: &AttemptView) -> String {
    let all = std::iter::once(&attempt.account).chain(&attempt.group);
    if attempt.group.is_empty() { String::new() } else { all.cloned().collect::<Vec<_>>().join(", ") }
}

fn steps(attempt: &AttemptView) -> String {
    let done = attempt.steps.iter().filter(|step| step.done).count();
    format!("{done}/{}", attempt.steps.len())
}

fn mark(step: &AttemptStepView) -> &'static str {
    match (step.done, step.seen) {
        (true, _) => "[x]",
        (false, true) => "[-]",
        (false, false) => "[ ]",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> AttemptView {
        let json = r#"{"id":"p3zq7ab2kf","lab":"http","title":"HTTP \u001b[31m","version":1,"newest_version":2,"account":"ann",
            "language":"","languages":[],"workspace":"k3f5a2bq7x","phase":"ready","step":1,"score":2,"most":5,"terminals":[],
            "started_at":"2026-01-01T00:00:00.000Z","steps":[
              {"title":"One","seen":true,"done":true,"checks":[],"quizzes":[],"hints":0,"hints_opened":[]},
              {"title":"Two","seen":true,"done":false,"checks":[],"quizzes":[],"hints":0,"hints_opened":[]},
              {"title":"Three","seen":false,"done":false,"checks":[],"quizzes":[],"hints":0,"hints_opened":[]}]}"#;
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_attempt_shows_how_far_it_is() {
        let shown = one(&attempt());
        for part in [
            "p3zq7ab2kf",
            "1 (there is version 2)",
            "1/3",
            "2/5",
            "k3f5a2bq7x (ready)",
            "[x] 1. One",
            "[-] 2. Two",
            "[ ] 3. Three",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains('\u{1b}') && !shown.contains("group"), "{shown:?}");
        let shared = one(&AttemptView { group: vec!["bob".to_owned()], ..attempt() });
        assert!(shared.contains("ann, bob"), "{shared}");
        let listed = list(&[attempt()], None);
        assert!(listed.contains("STEPS DONE") && listed.contains("p3zq7ab2kf"), "{listed}");
    }
}
