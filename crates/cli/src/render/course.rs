//! How courses and the school's list look.

use super::{fields, table};
use pierhead_wire::{
    CourseAheadView, CourseLabEntry, CourseSessionEntry, CourseView, RosterStatusView, RosterView, StudentView,
};

/// How many changes and problems are printed; the API tells more.
const MOST_SHOWN: usize = 40;

/// What `course ls` prints.
pub(crate) fn list(courses: &[CourseView], width: Option<u16>) -> String {
    let row = |course: &CourseView| {
        let students = course.students.map(|count| count.to_string()).unwrap_or_default();
        let state = if course.archived { "over" } else { "open" };
        vec![
            course.id.clone(),
            course.title.clone(),
            course.term.clone(),
            course.right.clone(),
            students,
            course.labs.len().to_string(),
            state.to_owned(),
        ]
    };
    table(&["COURSE", "TITLE", "TERM", "YOU", "STUDENTS", "LABS", "STATE"], courses.iter().map(row), width)
}

/// What `course show` prints.
pub(crate) fn show(course: &CourseView) -> String {
    let mut rows = vec![
        ("course", course.id.clone()),
        ("title", course.title.clone()),
        ("term", course.term.clone()),
        ("zone", course.zone.clone()),
        ("you", course.right.clone()),
        ("teachers", course.teachers.join(", ")),
        ("assistants", course.assistants.join(", ")),
    ];
    rows.extend(course.students.map(|count| ("students", count.to_string())));
    rows.extend(course.group.clone().map(|group| ("group", group)));
    rows.extend(course.recording_days.map(|days| ("recordings", format!("asked for, kept for {days} days"))));
    rows.push(("source", course.source.clone()));
    rows.push(("state", if course.archived { "over" } else { "open" }.to_owned()));
    let first = |at: usize, name: &'static str| if at == 0 { name } else { "" };
    rows.extend(course.labs.iter().enumerate().map(|(at, entry)| (first(at, "labs"), lab(entry))));
    let sessions = course.sessions.iter().enumerate();
    rows.extend(sessions.map(|(at, one)| (first(at, "sessions"), format!("{}. {}", at + 1, session(one)))));
    rows.extend(course.ahead.iter().enumerate().map(|(at, one)| (first(at, "ahead"), ahead(one))));
    rows.retain(|(_, value)| !value.is_empty());
    fields(&rows)
}

fn ahead(of: &CourseAheadView) -> String {
    let CourseAheadView { lab, from, until, wanted, ready } = of;
    format!("{lab}: {ready} of {wanted} workspaces ready, from {from} to {until}")
}

fn lab(entry: &CourseLabEntry) -> String {
    let mut text = entry.lab.clone();
    if let Some(version) = entry.version {
        text = format!("{text} version {version}");
    }
    for (word, at) in [("opens", &entry.opens_at), ("due", &entry.due_at)] {
        if let Some(at) = at {
            text = format!("{text}, {word} {at}");
        }
    }
    text
}

fn session(entry: &CourseSessionEntry) -> String {
    let lab = entry.lab.as_ref().map(|lab| format!(", {lab}")).unwrap_or_default();
    format!("{} to {}{lab}", entry.starts, entry.ends)
}

/// What `course students` prints.
pub(crate) fn students(students: &[StudentView], width: Option<u16>) -> String {
    let row = |student: &StudentView| {
        let state = if student.suspended { "left" } else { "takes it" };
        let group = student.group.clone().unwrap_or_default();
        let StudentView { username, name, source, since, .. } = student.clone();
        vec![username, name, group, state.to_owned(), source, since]
    };
    table(&["USER", "NAME", "GROUP", "STATE", "SOURCE", "SINCE"], students.iter().map(row), width)
}

/// What `roster show` prints.
pub(crate) fn roster_status(status: &RosterStatusView) -> String {
    let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
    let every = status.every_seconds.map_or("by hand".to_owned(), |seconds| format!("every {seconds} s"));
    fields(&[
        ("list", or(&status.source, "none; start the server with --roster-url")),
        ("looked at", every),
        ("last look", or(&status.looked_at, "never")),
        ("outcome", or(&status.outcome, "none")),
        ("message", or(&status.message, "none")),
        ("last done", or(&status.done_at, "never")),
    ])
}

/// What `roster preview` and `roster sync` print.
pub(crate) fn roster(report: &RosterView) -> String {
    let mut lines = vec![format!(
        "{}: {} people, {} courses, {} enrolments",
        report.source, report.listed.people, report.listed.courses, report.listed.enrolments
    )];
    let counts = [
        (report.added, "added"),
        (report.changed, "changed"),
        (report.suspended, "suspended"),
        (report.resumed, "let in again"),
        (report.courses_added, "courses added"),
        (report.courses_changed, "courses changed"),
        (report.courses_ended, "courses ended"),
        (report.enrolled, "enrolled"),
        (report.left, "left"),
        (report.regrouped, "in another group"),
    ];
    let told: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let verb = if report.done { "done" } else { "would be" };
    lines.push(format!("{verb}: {}", if told.is_empty() { "nothing to change".to_owned() } else { told.join(", ") }));
    lines.extend(report.changes.iter().take(MOST_SHOWN).map(|change| format!("  {} {}", change.what, change.to)));
    more(&mut lines, report.changes.len(), report.more_changes);
    if !report.kept.is_empty() {
        lines.push(format!("left as they are, being of here: {}", report.kept.join(", ")));
    }
    if !report.problems.is_empty() {
        lines.push("rows that can't be used:".to_owned());
        let problem = |one: &pierhead_wire::RosterProblemView| format!("  {} {}: {}", one.table, one.row, one.what);
        lines.extend(report.problems.iter().take(MOST_SHOWN).map(problem));
        more(&mut lines, report.problems.len(), report.more_problems);
    }
    if let Some(refused) = &report.refused {
        lines.push(format!("refused unless forced: {refused}"));
    }
    if !report.done {
        lines.push(format!("carry out just this: pierhead roster sync --expect {}", report.digest));
    }
    lines.join("\n")
}

fn more(lines: &mut Vec<String>, shown: usize, more: u64) {
    let left = shown.saturating_sub(MOST_SHOWN) as u64 + more;
    if left > 0 {
        lines.push(format!("  and {left} more"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_wire::{RosterChangeView, RosterProblemView, RosterTotals};

    #[test]
    fn a_preview_says_what_would_be_and_a_sync_what_was() {
        let change = |at: u32| RosterChangeView { what: "add-person".to_owned(), to: format!("s{at}") };
        let mut report = RosterView {
            source: "CSV".to_owned(),
            digest: "0f".to_owned(),
            listed: RosterTotals { people: 60, courses: 1, enrolments: 60 },
            added: 60,
            changes: (0..60).map(change).collect(),
            kept: vec!["admin".to_owned()],
            problems: vec![RosterProblemView { table: "people".to_owned(), row: 3, what: "is none".to_owned() }],
            refused: Some("too much".to_owned()),
            ..RosterView::default()
        };
        let shown = roster(&report);
        for part in [
            "CSV: 60 people, 1 courses, 60 enrolments\nwould be: 60 added\n  add-person s0\n",
            "  and 20 more\nleft as they are, being of here: admin\n",
            "  people 3: is none\nrefused unless forced: too much\n",
            "pierhead roster sync --expect 0f",
        ] {
            assert!(shown.contains(part), "{shown}");
        }
        (report.done, report.added) = (true, 0);
        let done = roster(&report);
        assert!(done.contains("done: nothing to change") && !done.contains("--expect"), "{done}");
    }

    #[test]
    fn a_course_is_shown_without_what_it_has_not() {
        let mut course = pierhead_wire::CourseView {
            id: "cs".to_owned(),
            title: "Databases".to_owned(),
            term: String::new(),
            zone: "UTC".to_owned(),
            right: "student".to_owned(),
            teachers: vec!["wang".to_owned()],
            assistants: Vec::new(),
            labs: vec![CourseLabEntry {
                lab: "mysql".to_owned(),
                version: Some(2),
                due_at: Some("2026-12-01T10:00:00.000Z".to_owned()),
                ..CourseLabEntry::default()
            }],
            sessions: Vec::new(),
            recording_days: None,
            ahead: Vec::new(),
            students: None,
            group: None,
            source: "here".to_owned(),
            archived: false,
            revision: 7,
            created_at: String::new(),
        };
        let shown = show(&course);
        assert!(shown.contains("mysql version 2, due 2026-12-01T10:00:00.000Z"), "{shown}");
        assert!(!shown.contains("term") && !shown.contains("group"), "{shown}");
        let (from, until) = ("09:45".to_owned(), "11:30".to_owned());
        course.ahead.push(CourseAheadView { lab: "mysql".to_owned(), from, until, wanted: 30, ready: 12 });
        let shown = show(&course);
        assert!(shown.contains("mysql: 12 of 30 workspaces ready, from 09:45 to 11:30"), "{shown}");
        (course.students, course.archived) = (Some(60), true);
        let row = list(&[course], None);
        assert!(row.contains("60") && row.contains("over"), "{row}");
    }
}
