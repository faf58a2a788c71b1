//! How recordings of class work look.

use super::stats::bytes;
use super::table;
use pierhead_wire::{ConsentView, DeletedRecordingView, RecordingView};

/// What `recording ls` prints.
pub(crate) fn list(all: &[RecordingView], width: Option<u16>) -> String {
    let row = |one: &RecordingView| {
        vec![
            one.id.clone(),
            one.lab.clone(),
            people(&one.username, &one.also),
            one.name.clone(),
            one.submission.map(|number| number.to_string()).unwrap_or_default(),
            one.began_at.clone(),
            bytes(one.bytes),
            one.kept_until.clone(),
        ]
    };
    let head = ["RECORDING", "LAB", "WHOSE", "TERMINAL", "HANDED IN", "BEGAN", "SIZE", "KEPT UNTIL"];
    table(&head, all.iter().map(row), width)
}

/// What `recording deleted` prints.
pub(crate) fn deleted(all: &[DeletedRecordingView], width: Option<u16>) -> String {
    let row = |one: &DeletedRecordingView| {
        let whose = people(&one.username, &one.also);
        vec![one.id.clone(), one.lab.clone(), whose, one.deleted_at.clone(), one.why.clone()]
    };
    table(&["RECORDING", "LAB", "WHOSE", "DELETED", "WHY"], all.iter().map(row), width)
}

fn people(first: &str, others: &[String]) -> String {
    let all: Vec<&str> = std::iter::once(first).chain(others.iter().map(String::as_str)).collect();
    all.join(", ")
}

/// What `recording consent` prints.
pub(crate) fn consent(course: &str, consent: &ConsentView) -> String {
    let asked = match consent.days {
        Some(days) => format!("{course} asks to keep recordings of terminals for {days} days"),
        None => format!("{course} asks for no recordings"),
    };
    match &consent.since {
        Some(since) => format!("{asked}. You have let them be kept since {since}."),
        None => format!("{asked}. None of yours are kept."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_wire::Example;

    #[test]
    fn whose_they_are_and_until_when_is_told() {
        let one = RecordingView::example();
        let alone = RecordingView { also: Vec::new(), submission: None, ..one.clone() };
        let told = list(&[one.clone(), alone], None);
        assert!(told.contains("clare, wu") && told.contains(&one.kept_until) && told.contains("47.1 KiB"), "{told}");
        assert_eq!(told.lines().count(), 3);
    }

    #[test]
    fn what_is_asked_and_what_was_said_are_both_told() {
        let yes = ConsentView::example();
        assert!(consent("cs", &yes).contains("for 30 days. You have let them be kept since 2026-11-21"));
        let no = ConsentView { days: None, recordings: false, since: None };
        assert_eq!(consent("cs", &no), "cs asks for no recordings. None of yours are kept.");
    }
}
