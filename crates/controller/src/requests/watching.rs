//! Who may look after whom: whose terminals somebody may see, whose work they may help with, whom they may tell what to do.

use super::Actor;
use crate::groups::works_at;
use crate::known::Known;
use pierhead_model::{
    Course, CourseRight, LabAttempt, LabId, Terminal, Username, Workspace, WorkspaceRight, WorkspaceWish,
};
use std::sync::Arc;

/// What somebody may in a workspace that people work in; a later one may all that an earlier one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Watch {
    /// See its terminals.
    Look,
    /// Drive them, when nobody else does or the driver lets them.
    Help,
    /// Extend, stop and start it, and tell people in it something.
    Lead,
}

/// What somebody may in a workspace: its owner and administrators lead, its guests look or help as they were let. Of a
/// workspace of a lab, whoever writes the lab helps, and so do the assistants of a course that has the lab and that its
/// owner takes; teachers of that course lead. `None` if it is as if it were not there.
pub(crate) fn may_watch(known: &Known, actor: &Actor, workspace: &Workspace) -> Option<Watch> {
    if workspace.wish == WorkspaceWish::Warm {
        return None;
    }
    if actor.may_change_all {
        return Some(Watch::Lead);
    }
    let own = workspace.right_of(&actor.username).map(|right| match right {
        WorkspaceRight::Owner => Watch::Lead,
        WorkspaceRight::Driver => Watch::Help,
        WorkspaceRight::Viewer => Watch::Look,
    });
    own.max(cares_for(known, &actor.username, workspace))
}

/// Whether somebody may know how far whoever works in a workspace has come: they themselves, the others of their group,
/// those who give them the lab, and administrators. Other guests work with them, and are not told what they achieve.
pub(crate) fn may_judge(known: &Known, actor: &Actor, workspace: &Workspace) -> bool {
    let is_of_group = || {
        let attempt = work_at(known, workspace).and_then(|(_, attempt)| attempt);
        attempt.is_some_and(|attempt| works_at(known, &actor.username, attempt))
    };
    let who = &actor.username;
    actor.may_change_all || workspace.owner == *who || cares_for(known, who, workspace).is_some() || is_of_group()
}

/// The lab that a workspace is for, and the attempt that is made in it, if it is one.
pub(crate) fn work_at<'a>(known: &'a Known, workspace: &Workspace) -> Option<(&'a LabId, Option<&'a Arc<LabAttempt>>)> {
    let attempt = known.attempts_at.get(&workspace.id).and_then(|id| known.attempts.get(id));
    if let Some(attempt) = attempt.filter(|attempt| attempt.account == workspace.owner) {
        return Some((&attempt.lab, Some(attempt)));
    }
    let environment = known.world.environments().get(&workspace.environment)?;
    Some((environment.lab.as_ref()?, None))
}

/// Whether somebody who takes a course works at a lab of it in a workspace. What they do for one course is nothing to another.
pub(crate) fn is_of_course(known: &Known, workspace: &Workspace, course: &Course) -> bool {
    work_at(known, workspace).is_some_and(|(lab, attempt)| {
        attempt.and_then(|attempt| attempt.course.as_deref()).is_none_or(|by| by == course.id.as_str())
            && course.labs.iter().any(|entry| entry.lab == *lab)
            && known.enrolments.get(&course.id).is_some_and(|enrolments| enrolments.has(&workspace.owner))
    })
}

/// What somebody may in a workspace that is somebody else's, because of the lab that it is for.
fn cares_for(known: &Known, who: &Username, workspace: &Workspace) -> Option<Watch> {
    let (lab, attempt) = work_at(known, workspace)?;
    let writes = known.labs.get(lab).filter(|lab| lab.is_author(who)).map(|_| Watch::Help);
    let by_course = |course: &Arc<Course>| {
        if course.is_over() || !is_of_course(known, workspace, course) {
            return None;
        }
        match course.right_of(who, None)? {
            CourseRight::Teacher => Some(Watch::Lead),
            CourseRight::Assistant => Some(Watch::Help),
            CourseRight::Student => None,
        }
    };
    let by_course = match attempt.and_then(|attempt| attempt.course.as_deref()) {
        Some(course) => known.courses.get(course).and_then(by_course),
        None => known.courses.values().filter_map(by_course).max(),
    };
    by_course.max(writes)
}

/// The workspace that a terminal is in, if it is in one.
pub(crate) fn workspace_of<'a>(known: &'a Known, terminal: &Terminal) -> Option<&'a Workspace> {
    let engine = known.world.engines().get(&terminal.engine)?;
    known.world.workspace_of(engine.containers.get(&terminal.container)?)
}
