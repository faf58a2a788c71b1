//! Who may look after whom: whose terminals somebody may see, whose work they may help with, whom they may tell what to do.

use super::Actor;
use crate::known::Known;
use pierhead_model::{CourseRight, LabId, Terminal, Username, Workspace, WorkspaceRight, WorkspaceWish};

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
    let environment = known.world.environments().get(&workspace.environment);
    let lab = environment.and_then(|environment| environment.lab.as_ref());
    own.max(lab.and_then(|lab| by_lab(known, &actor.username, lab, &workspace.owner)))
}

/// What somebody may in a workspace of a lab that is somebody else's.
fn by_lab(known: &Known, who: &Username, lab: &LabId, owner: &Username) -> Option<Watch> {
    let writes = known.labs.get(lab).filter(|lab| lab.is_author(who)).map(|_| Watch::Help);
    let by_course = known.courses.values().filter(|course| course.labs.iter().any(|entry| entry.lab == *lab));
    let by_course = by_course.filter_map(|course| {
        let enrolments = known.enrolments.get(&course.id).filter(|enrolments| enrolments.has(owner))?;
        match course.right_of(who, Some(enrolments))? {
            CourseRight::Teacher => Some(Watch::Lead),
            CourseRight::Assistant => Some(Watch::Help),
            CourseRight::Student => None,
        }
    });
    by_course.max().max(writes)
}

/// The workspace that a terminal is in, if it is in one.
pub(crate) fn workspace_of<'a>(known: &'a Known, terminal: &Terminal) -> Option<&'a Workspace> {
    let engine = known.world.engines().get(&terminal.engine)?;
    known.world.workspace_of(engine.containers.get(&terminal.container)?)
}
