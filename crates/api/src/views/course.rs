//! Courses and who takes them, as they are shown to those who have to do with them; and what became of the school's list.

use pierhead_controller::{CourseNow, LabAhead, RosterReport};
use pierhead_identity::wall_time;
use pierhead_model::{CourseLab, CourseRight, CourseSession, Timestamp, Username, Zone};
use pierhead_wire::{
    CourseAheadView, CourseLabEntry, CourseSessionEntry, CourseView, RosterChangeView, RosterProblemView, RosterTotals,
    RosterView, StudentView, format_timestamp,
};
use std::collections::{BTreeSet, HashMap};

/// A course, for somebody.
pub(crate) fn course(now: &CourseNow, who: &Username) -> CourseView {
    let (record, is_student) = (&now.record, now.right == CourseRight::Student);
    let names = |people: &BTreeSet<Username>| people.iter().map(ToString::to_string).collect();
    CourseView {
        id: record.id.to_string(),
        title: record.title.clone(),
        term: record.term.clone(),
        zone: record.zone.as_str().to_owned(),
        right: now.right.as_str().to_owned(),
        teachers: names(&record.teachers),
        assistants: names(&record.assistants),
        labs: record.labs.iter().map(|entry| lab(entry, &record.zone)).collect(),
        sessions: record.sessions.iter().map(|entry| session(entry, &record.zone)).collect(),
        recording_days: (record.recording_days > 0).then_some(record.recording_days),
        ahead: Vec::new(),
        students: (!is_student).then(|| u32::try_from(now.enrolments.active().count()).unwrap_or(u32::MAX)),
        group: now.enrolments.group_of(who).map(str::to_owned),
        source: record.source.as_str().to_owned(),
        archived: record.is_over(),
        revision: now.revision.value(),
        created_at: format_timestamp(record.created_at),
    }
}

fn lab(entry: &CourseLab, zone: &Zone) -> CourseLabEntry {
    let moment = |at: Option<Timestamp>| at.map(|at| wall_time(at, zone));
    CourseLabEntry {
        lab: entry.lab.to_string(),
        version: entry.version,
        opens_at: moment(entry.opens_at),
        due_at: moment(entry.due_at),
        warm_from: moment(entry.warm_from),
    }
}

/// What is started ahead for its labs.
pub(crate) fn ahead(of: &LabAhead, zone: &Zone) -> CourseAheadView {
    CourseAheadView {
        lab: of.lab.to_string(),
        from: wall_time(of.from, zone),
        until: wall_time(of.until, zone),
        wanted: of.wanted,
        ready: of.ready,
    }
}

fn session(entry: &CourseSession, zone: &Zone) -> CourseSessionEntry {
    CourseSessionEntry {
        starts: wall_time(entry.starts, zone),
        ends: wall_time(entry.ends, zone),
        lab: entry.lab.as_ref().map(ToString::to_string),
    }
}

/// Everybody who takes a course, with what they are called.
pub(crate) fn students(now: &CourseNow, called: &HashMap<Username, String>) -> Vec<StudentView> {
    let groups: HashMap<&Username, &String> =
        now.enrolments.groups.iter().flat_map(|(name, members)| members.iter().map(move |who| (who, name))).collect();
    let student = |(who, entry): (&Username, &pierhead_model::Enrolment)| StudentView {
        username: who.to_string(),
        name: called.get(who).cloned().unwrap_or_default(),
        group: groups.get(who).map(ToString::to_string),
        suspended: !entry.is_active(),
        source: entry.source.as_str().to_owned(),
        since: format_timestamp(entry.since),
    };
    now.enrolments.students.iter().map(student).collect()
}

/// What a list would change, or has changed.
pub(crate) fn roster(report: &RosterReport) -> RosterView {
    let totals = &report.totals;
    let count = |number: usize| number as u64;
    let change = |(what, to): &(&'static str, String)| RosterChangeView { what: (*what).to_owned(), to: to.clone() };
    let problem = |problem: &pierhead_identity::Problem| RosterProblemView {
        table: problem.table.to_string(),
        row: count(problem.row),
        what: problem.what.clone(),
    };
    let (people, courses, enrolments) = report.listed;
    RosterView {
        source: report.source.clone(),
        digest: report.digest.clone(),
        done: report.done,
        refused: report.refused.as_ref().map(ToString::to_string),
        listed: RosterTotals { people: count(people), courses: count(courses), enrolments: count(enrolments) },
        added: count(totals.added),
        changed: count(totals.changed),
        suspended: count(totals.suspended),
        resumed: count(totals.resumed),
        courses_added: count(totals.courses_added),
        courses_changed: count(totals.courses_changed),
        courses_ended: count(totals.courses_ended),
        enrolled: count(totals.enrolled),
        left: count(totals.left),
        regrouped: count(totals.regrouped),
        kept: report.kept.clone(),
        changes: report.changes.iter().map(change).collect(),
        more_changes: count(report.more_changes),
        problems: report.problems.iter().map(problem).collect(),
        more_problems: count(report.more_problems),
        took_ms: report.took_ms,
    }
}
