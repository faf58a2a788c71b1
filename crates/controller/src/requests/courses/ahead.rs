//! What is started ahead for the labs of a course, as those see it who give it.

use super::{CourseNow, version_for};
use crate::Controller;
use crate::classes::{ClassAhead, classes, lacking, window};
use pierhead_model::{CourseRight, LabId, Timestamp};
use pierhead_planner::ready_ahead;

/// What is, or will be, started ahead for a lab of a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabAhead {
    /// The lab.
    pub lab: LabId,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many are wanted, as things are now.
    pub wanted: u32,
    /// How many of these are ready.
    pub ready: u32,
}

impl Controller {
    /// What is started ahead for each lab of a course, or will be next; told to those who give it.
    pub async fn ahead_of(&self, course: &CourseNow) -> Vec<LabAhead> {
        let mut all = Vec::new();
        if course.right == CourseRight::Student {
            return all;
        }
        let now = self.clock.now();
        let (spans, wanted) = {
            let known = self.known();
            let spans = course.record.labs.iter().filter_map(|entry| {
                let lab = known.labs.get(&entry.lab)?;
                let span = window(&course.record, entry, now)?;
                let version = version_for(&known, lab, Some(course.record.id.as_str()))?;
                let (course, count) = (course.record.id.clone(), lacking(&known, &course.record, entry));
                Some(ClassAhead { course, lab: lab.id.clone(), version, window: span, count })
            });
            (spans.collect::<Vec<_>>(), classes(&known, now))
        };
        for mut class in spans {
            if class.window.is_at(now) {
                let is_it = |one: &&ClassAhead| one.course == class.course && one.lab == class.lab;
                class.count = wanted.iter().find(is_it).map_or(0, |one| one.count);
            }
            let asked = self.asked_of(&class).await;
            let is_on = class.window.is_at(now);
            let ready = asked.map_or(0, |asked| if is_on { ready_ahead(&self.known().world, &asked) } else { 0 });
            let ClassAhead { lab, window, count, .. } = class;
            all.push(LabAhead { lab, from: window.from, until: window.until, wanted: count, ready });
        }
        all
    }
}
