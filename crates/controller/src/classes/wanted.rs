//! How many workspaces courses want ahead at a moment, from the records alone: a pure function.

use crate::known::Known;
use crate::requests::{MOST_WARM_OF_ONE, version_for};
use pierhead_model::{Course, CourseId, CourseLab, LabId, Timestamp, Username, WorkspaceWish};
use std::collections::{BTreeMap, BTreeSet};

/// How long before an entry of a timetable workspaces are started ahead for it.
const LEAD_MS: u64 = 15 * 60_000;
/// How long they are kept for a lab that has neither a due date nor an entry in the timetable.
const LONGEST_MS: u64 = 24 * 3_600_000;

/// For how long workspaces are wanted ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// From this moment on.
    pub from: Timestamp,
    /// Before this moment.
    pub until: Timestamp,
}

impl Window {
    /// Whether a moment is in it.
    pub(crate) fn is_at(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// Workspaces that a course wants ahead of one of its labs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClassAhead {
    /// The course.
    pub course: CourseId,
    /// Its lab.
    pub lab: LabId,
    /// The version with which its students begin.
    pub version: u32,
    /// For how long.
    pub window: Window,
    /// How many.
    pub count: u32,
}

/// What all courses want now. The owner of a lab may have no more ahead than they may keep ahead of their environments.
pub(crate) fn classes(known: &Known, now: Timestamp) -> Vec<ClassAhead> {
    let mut left: BTreeMap<Username, u32> = BTreeMap::new();
    let mut all = Vec::new();
    for course in known.courses.values() {
        for entry in &course.labs {
            let window = window(course, entry, now).filter(|window| window.is_at(now));
            let lab = known.labs.get(&entry.lab);
            let (Some(window), Some(lab)) = (window, lab) else { continue };
            let Some(version) = version_for(known, lab, Some(course.id.as_str())) else { continue };
            let left = left.entry(lab.owner.clone()).or_insert_with(|| may_have(known, &lab.owner));
            let count = lacking(known, course, entry).min(*left);
            if count > 0 {
                *left -= count;
                all.push(ClassAhead { course: course.id.clone(), lab: lab.id.clone(), version, window, count });
            }
        }
    }
    all
}

/// How many somebody may have ahead beside those that their environments keep ahead themselves.
fn may_have(known: &Known, owner: &Username) -> u32 {
    let theirs = known.world.environments().values().filter(|environment| environment.owner == *owner);
    MOST_WARM_OF_ONE.saturating_sub(theirs.map(|environment| environment.spec.warm).sum())
}

/// When workspaces are wanted ahead for a lab: the span of the moment, or else the next one.
pub(crate) fn window(course: &Course, entry: &CourseLab, now: Timestamp) -> Option<Window> {
    if course.is_over() {
        return None;
    }
    let begin = entry.warm_from.unwrap_or_default();
    let is_of_lab = |session: &&pierhead_model::CourseSession| session.lab.as_ref() == Some(&entry.lab);
    let sessions = course.sessions.iter().filter(is_of_lab).filter(|session| session.ends > begin);
    let mut windows: Vec<Window> = sessions
        .map(|session| {
            let lead = Timestamp(session.starts.0.saturating_sub(LEAD_MS));
            Window { from: lead.max(begin), until: session.ends }
        })
        .collect();
    match (windows.first_mut(), entry.warm_from) {
        // What is said counts for the first that follows.
        (Some(first), Some(from)) => first.from = from,
        (None, Some(from)) => {
            let due = entry.due_at.filter(|due| *due > from);
            windows.push(Window { from, until: due.unwrap_or_else(|| from.plus(LONGEST_MS)) });
        }
        (_, None) => {}
    }
    windows.into_iter().filter(|window| window.until > now).min_by_key(|window| window.from)
}

/// How many workspaces those who take a course lack of one of its labs: one for each group, and for each who is in none.
pub(crate) fn lacking(known: &Known, course: &Course, entry: &CourseLab) -> u32 {
    let Some(enrolments) = known.enrolments.get(&course.id) else { return 0 };
    let of_lab = known
        .attempts
        .values()
        .filter(|attempt| attempt.lab == entry.lab && attempt.course.as_deref() == Some(course.id.as_str()));
    let needs_none = of_lab.filter(|attempt| {
        let workspace = attempt.workspace.as_ref().and_then(|id| known.world.workspaces().get(id));
        let is_alive = |wish| !matches!(wish, WorkspaceWish::Ended | WorkspaceWish::Discarded);
        attempt.done_at.is_some() || workspace.is_some_and(|workspace| is_alive(workspace.wish))
    });
    let supplied: BTreeSet<&Username> = needs_none.map(|attempt| &attempt.account).collect();
    let mut group_of: BTreeMap<&Username, &str> = BTreeMap::new();
    let mut served: BTreeSet<&str> = BTreeSet::new();
    for (name, members) in &enrolments.groups {
        group_of.extend(members.iter().map(|member| (member, name.as_str())));
        if members.iter().any(|member| supplied.contains(member)) {
            served.insert(name);
        }
    }
    let mut count = 0;
    for student in enrolments.active() {
        let lacks = match group_of.get(student) {
            Some(group) => served.insert(group),
            None => !supplied.contains(student),
        };
        count += u32::from(lacks);
    }
    count
}

#[cfg(test)]
mod tests;
