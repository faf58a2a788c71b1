//! Groups of a course: who works at an attempt together. That is derived from who is enrolled now; the leading controller
//! writes it down as guests of the attempt's workspace, so that all that goes by guests holds for members too.

use crate::known::Known;
use crate::requests::RequestError;
use crate::{Controller, keys};
use pierhead_model::{LabAttempt, TerminalRole, Username, Workspace, WorkspaceId, WorkspaceWish};
use pierhead_store::leadership::Standing;
use pierhead_store::{Error, Transaction};
use std::collections::BTreeSet;
use std::time::Duration;

/// The others of somebody's group who take the course now.
pub(crate) fn mates(known: &Known, course: &str, who: &Username) -> BTreeSet<Username> {
    let Some(enrolments) = known.enrolments.get(course) else { return BTreeSet::new() };
    let members = enrolments.group_of(who).and_then(|group| enrolments.groups.get(group));
    members.into_iter().flatten().filter(|member| *member != who && enrolments.has(member)).cloned().collect()
}

/// The others who work at an attempt.
pub(crate) fn members(known: &Known, attempt: &LabAttempt) -> BTreeSet<Username> {
    attempt.course.as_deref().map(|course| mates(known, course, &attempt.account)).unwrap_or_default()
}

/// Whether somebody works at an attempt: whose it is, and the others of their group.
pub(crate) fn works_at(known: &Known, who: &Username, attempt: &LabAttempt) -> bool {
    attempt.account == *who || members(known, attempt).contains(who)
}

/// How often it is looked who is in which group.
const TICK: Duration = Duration::from_secs(1);

/// Shares workspaces with groups as long as this is polled, in the name of a leadership.
pub(crate) async fn keep_sharing(controller: Controller, standing: Standing) {
    loop {
        share(&controller, &standing).await;
        tokio::time::sleep(TICK).await;
    }
}

/// Lets members of groups into the workspaces of their attempts, and those who left out of them.
async fn share(controller: &Controller, standing: &Standing) {
    let wanted: Vec<(WorkspaceId, Workspace)> = {
        let known = controller.known();
        let of = |(id, workspace): (&WorkspaceId, &Workspace)| Some((id.clone(), wanted_of(&known, workspace)?));
        known.world.workspaces().iter().filter_map(of).collect()
    };
    for (id, workspace) in wanted {
        if let Err(error) = write(controller, standing, &workspace).await {
            tracing::debug!(%error, workspace = %id, "a workspace could not be shared with a group; it is tried again");
        }
    }
}

async fn write(controller: &Controller, standing: &Standing, next: &Workspace) -> Result<(), RequestError> {
    let (transaction, event) = {
        let known = controller.known();
        // What was changed meanwhile is looked at anew.
        let Some(next) = known.world.workspaces().get(&next.id).and_then(|found| wanted_of(&known, found)) else {
            return Ok(());
        };
        let key = keys::workspace(&next.id);
        let revision = known.revision_of(&key).unwrap_or_default();
        let names: Vec<&str> = next.by_group.iter().map(Username::as_str).collect();
        let with = if names.is_empty() { "nobody".to_owned() } else { names.join(" ") };
        let event = controller
            .event_of_pool("share-workspace", format!("workspace={}, name={}, with={with}", next.id, next.name));
        (Transaction::new().unchanged(key.clone(), revision).put_json(key, &next)?, event)
    };
    let transaction = transaction.put_json(keys::event(&event.id), &event)?;
    match controller.store().commit(standing.fence(transaction)).await {
        Ok(revision) => controller.reached(revision).await,
        Err(Error::Conflict { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// The record of a workspace as it shall be for the group that works in it; `None` if it is so.
fn wanted_of(known: &Known, workspace: &Workspace) -> Option<Workspace> {
    if matches!(workspace.wish, WorkspaceWish::Ended | WorkspaceWish::Discarded | WorkspaceWish::Warm) {
        return None;
    }
    let attempt = known.attempts_at.get(&workspace.id).and_then(|id| known.attempts.get(id));
    let attempt = attempt.filter(|attempt| attempt.account == workspace.owner);
    let members = attempt.map(|attempt| members(known, attempt)).unwrap_or_default();
    shared(workspace, &members)
}

/// The same for certain members. A role that somebody gave them stays.
fn shared(workspace: &Workspace, members: &BTreeSet<Username>) -> Option<Workspace> {
    // Most workspaces are one person's, and all are looked at each second.
    if members.is_empty() && workspace.by_group.is_empty() {
        return None;
    }
    let mut next = workspace.clone();
    next.guests.retain(|guest, _| members.contains(guest) || !workspace.by_group.contains(guest));
    for member in members {
        next.guests.entry(member.clone()).or_insert(TerminalRole::Driver);
    }
    next.by_group.clone_from(members);
    (next != *workspace).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<Username> {
        names.iter().map(|name| Username::parse(*name).unwrap()).collect()
    }

    /// Who may come to a workspace, with their roles.
    fn guests(workspace: &Workspace) -> Vec<(&str, &str)> {
        workspace.guests.iter().map(|(who, role)| (who.as_str(), role.as_str())).collect()
    }

    #[test]
    fn members_come_and_go_and_other_guests_stay() {
        let record: Workspace = serde_json::from_str(
            r#"{"id":"aaaaaaaaaa","name":"w","owner":"li","guests":{"eve":"viewer"},"environment":"lab-x","version":1,
                "wish":"running","run":1,"origin":"environment","asked_at":1,"created_at":1,
                "spec":{"containers":[],"lifetime_minutes":60,"idle_minutes":0}}"#,
        )
        .unwrap();
        assert_eq!(shared(&record, &names(&[])), None, "who works alone");
        let mut both = shared(&record, &names(&["han", "wu"])).unwrap();
        assert_eq!(guests(&both), [("eve", "viewer"), ("han", "driver"), ("wu", "driver")]);
        assert_eq!(shared(&both, &both.by_group), None, "nothing is written twice");
        both.guests.insert(Username::parse("wu").unwrap(), TerminalRole::Viewer);
        assert_eq!(shared(&both, &both.by_group), None, "the role that was given stays");
        both.guests.remove("han");
        assert_eq!(guests(&shared(&both, &both.by_group).unwrap()).len(), 3, "nobody is shut out by another member");
        let left = shared(&both, &names(&["wu"])).unwrap();
        assert_eq!(guests(&left), [("eve", "viewer"), ("wu", "viewer")]);
        assert_eq!(guests(&shared(&left, &names(&[])).unwrap()), [("eve", "viewer")]);
    }
}
