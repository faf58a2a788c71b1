use super::*;
use crate::Clock;
use crate::known::Shared;
use pierhead_model::{
    AttemptId, CourseSession, Enrolment, Enrolments, Environment, EnvironmentSpec, Lab, LabAttempt, Origin, Workspace,
    WorkspaceId,
};
use pierhead_planner::{Policy, World};
use serde_json::{Value, json};
use std::sync::Arc;

const HOUR_MS: u64 = 3_600_000;
const MINUTE_MS: u64 = 60_000;

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

/// A course of one lab, with entries of its timetable from one hour to another.
fn course(id: &str, warm_from: Option<u64>, due: Option<u64>, hours: &[(u64, u64)]) -> Course {
    let lab: CourseLab = read(json!({ "lab": "mysql", "warm_from": warm_from, "due_at": due }));
    let session = |(from, to): &(u64, u64)| CourseSession {
        starts: Timestamp(from * HOUR_MS),
        ends: Timestamp(to * HOUR_MS),
        lab: Some(lab.lab.clone()),
    };
    let mut course: Course = read(json!({ "id": id, "title": "Databases", "created_at": 1 }));
    course.sessions = hours.iter().map(session).collect();
    course.labs = vec![lab];
    course
}

fn span(course: &Course, now: u64) -> Option<(u64, u64)> {
    let found = window(course, &course.labs[0], Timestamp(now))?;
    Some((found.from.0, found.until.0))
}

#[test]
fn an_entry_of_the_timetable_is_prepared_for_a_quarter_of_an_hour_before() {
    let course = course("cs", None, None, &[(10, 12), (34, 36)]);
    let first = (10 * HOUR_MS - 15 * MINUTE_MS, 12 * HOUR_MS);
    for now in [0, first.0, 11 * HOUR_MS, first.1 - 1] {
        assert_eq!(span(&course, now), Some(first), "at {now}");
    }
    let second = (34 * HOUR_MS - 15 * MINUTE_MS, 36 * HOUR_MS);
    assert_eq!(span(&course, first.1), Some(second), "the end is not in it");
    assert_eq!(span(&course, second.1), None);
    let at = |now| Window { from: Timestamp(first.0), until: Timestamp(first.1) }.is_at(Timestamp(now));
    assert_eq!([first.0 - 1, first.0, first.1 - 1, first.1].map(at), [false, true, true, false]);
}

#[test]
fn what_is_said_counts_for_the_first_that_follows() {
    let said = course("cs", Some(9 * HOUR_MS), None, &[(5, 6), (10, 12), (34, 36)]);
    assert_eq!(span(&said, 0), Some((9 * HOUR_MS, 12 * HOUR_MS)), "and nothing is begun before it");
    assert_eq!(span(&said, 20 * HOUR_MS), Some((34 * HOUR_MS - 15 * MINUTE_MS, 36 * HOUR_MS)));
    let late = course("cs", Some(11 * HOUR_MS), None, &[(10, 12)]);
    assert_eq!(span(&late, 0), Some((11 * HOUR_MS, 12 * HOUR_MS)), "in the middle of a class too");
}

#[test]
fn without_a_timetable_it_ends_when_it_is_due_or_a_day_later() {
    assert_eq!(span(&course("cs", Some(HOUR_MS), Some(9 * HOUR_MS), &[]), 0), Some((HOUR_MS, 9 * HOUR_MS)));
    let day = Some((HOUR_MS, 25 * HOUR_MS));
    assert_eq!(span(&course("cs", Some(HOUR_MS), None, &[]), 0), day);
    assert_eq!(span(&course("cs", Some(HOUR_MS), Some(HOUR_MS / 2), &[]), 0), day, "it was due before");
    assert_eq!(span(&course("cs", None, Some(9 * HOUR_MS), &[]), 0), None, "nobody asked for it");
}

#[test]
fn neither_courses_that_are_over_nor_other_labs_want_any() {
    let mut over = course("cs", Some(0), None, &[(0, 5)]);
    over.archived = true;
    assert_eq!(span(&over, 1), None);
    let mut other = course("cs", None, None, &[(0, 5)]);
    other.sessions[0].lab = Some(LabId::parse("python").unwrap());
    assert_eq!(span(&other, 1), None);
}

/// What a controller knows: the lab, and a course with these students, of whom some are in groups.
struct Records(Shared);

impl Records {
    fn new() -> Self {
        let world = World::new("c1", Policy::default(), Timestamp(1));
        let records = Self(Shared::new(world, Clock::start()));
        let digest = "0".repeat(64);
        let lab: Lab = read(json!({ "id": "mysql", "owner": "wang", "visibility": "shared", "title": "MySQL",
            "draft": { "revision": 1, "tree": digest, "at": 1, "by": "wang" }, "published": 1, "created_at": 1,
            "versions": [{ "number": 1, "tree": digest, "title": "MySQL", "steps": 1, "at": 1, "by": "wang" }] }));
        records.0.change(|known| known.labs.insert(lab.id.clone(), Arc::new(lab)));
        records
    }

    fn course(&self, course: Course, students: &[(&str, &str)]) {
        let mut enrolments = Enrolments::default();
        for (who, group) in students {
            let entry = Enrolment { since: Timestamp(1), suspended: false, source: Origin::Here, unlisted: false };
            enrolments.students.insert(name(who), entry);
            enrolments.set_group(&name(who), Some(*group).filter(|group| !group.is_empty()));
        }
        self.0.change(|known| {
            known.enrolments.insert(course.id.clone(), Arc::new(enrolments));
            known.courses.insert(course.id.clone(), Arc::new(course));
        });
    }

    /// Somebody began the lab for the course, in a workspace that is wished to be so.
    fn begins(&self, who: &str, wish: &str, done: bool) {
        let number = self.0.read().attempts.len() as u64 + 1;
        let id = WorkspaceId::from_random(number);
        let workspace: Workspace = read(json!({ "id": id, "name": "w", "owner": who, "environment": "lab-mysql",
            "version": 1, "wish": wish, "run": 1, "origin": "environment", "asked_at": 1, "created_at": 1,
            "spec": { "containers": [], "lifetime_minutes": 60, "idle_minutes": 0 } }));
        let done = done.then_some(5);
        let attempt: LabAttempt = read(json!({ "id": AttemptId::from_random(number), "lab": "mysql", "version": 1,
            "account": who, "course": "cs", "seed": "x", "workspace": id, "started_at": 1, "done_at": done }));
        self.0.change(|known| {
            known.world.set_workspace(workspace);
            known.set_attempt(attempt);
        });
    }

    fn wanted(&self) -> Vec<(String, u32)> {
        let known = self.0.read();
        let all = classes(&known, Timestamp(11 * HOUR_MS));
        all.into_iter().map(|one| (one.course.to_string(), one.count)).collect()
    }
}

fn held(id: &str) -> Course {
    course(id, None, None, &[(10, 12)])
}

#[test]
fn who_has_a_workspace_of_it_or_is_done_needs_none() {
    let records = Records::new();
    records.course(held("cs"), &[("li", ""), ("wu", ""), ("han", ""), ("zhou", ""), ("yu", "")]);
    assert_eq!(records.wanted(), [("cs".to_owned(), 5)]);
    records.begins("li", "running", false);
    records.begins("wu", "saved", false);
    assert_eq!(records.wanted(), [("cs".to_owned(), 3)], "what is saved begins where it was");
    records.begins("han", "ended", false);
    assert_eq!(records.wanted(), [("cs".to_owned(), 3)], "who ended theirs begins anew");
    records.begins("zhou", "ended", true);
    assert_eq!(records.wanted(), [("cs".to_owned(), 2)]);
    records.begins("eve", "running", false);
    assert_eq!(records.wanted(), [("cs".to_owned(), 2)], "who does not take it counts for nobody");
}

#[test]
fn a_group_needs_one_and_who_left_none() {
    let records = Records::new();
    records.course(held("cs"), &[("li", "a"), ("wu", "a"), ("han", "b"), ("zhou", "b"), ("yu", "")]);
    assert_eq!(records.wanted(), [("cs".to_owned(), 3)]);
    records.begins("wu", "running", false);
    assert_eq!(records.wanted(), [("cs".to_owned(), 2)], "one of them has it for all");
    records.0.change(|known| {
        let mut next = Enrolments::clone(known.enrolments.values().next().unwrap());
        for who in ["han", "zhou", "yu"] {
            next.students.get_mut(&name(who)).unwrap().suspended = true;
        }
        known.enrolments.values_mut().for_each(|found| *found = Arc::new(next.clone()));
    });
    assert_eq!(records.wanted(), []);
}

#[test]
fn courses_add_up_to_what_the_owner_of_the_lab_may_have() {
    let records = Records::new();
    let many: Vec<String> = (0..60).map(|at| format!("s{at:02}")).collect();
    let students: Vec<(&str, &str)> = many.iter().map(|who| (who.as_str(), "")).collect();
    records.course(held("cs"), &students);
    records.course(held("db"), &students);
    assert_eq!(records.wanted(), [("cs".to_owned(), 60), ("db".to_owned(), 40)]);
    let spec: EnvironmentSpec =
        read(json!({ "containers": [], "lifetime_minutes": 60, "idle_minutes": 0, "warm": 50 }));
    let kept: Environment = read(json!({ "id": "other", "owner": "wang", "visibility": "shared", "version": 1,
        "spec": spec, "versions": [], "created_at": 1 }));
    records.0.change(|known| known.world.set_environment(kept));
    assert_eq!(records.wanted(), [("cs".to_owned(), 50)], "what environments keep themselves counts too");
    records.0.change(|known| known.labs.clear());
    assert_eq!(records.wanted(), [], "and a lab that is gone has no workspaces");
}
