//! Hosts that do not answer, and the copies that were left there: what was not saved is kept until it is.

use super::live::may_hold_work;
use super::{Draft, Happened, over};
use crate::EngineState;
use pierhead_model::{
    EngineId, HealthStatus, SaveId, StopCause, Timestamp, Workspace, WorkspaceAssignment, WorkspaceOrigin,
    WorkspacePlace, WorkspaceStage, WorkspaceWish,
};
use std::collections::BTreeSet;

impl<'a> Draft<'a> {
    /// The host of a workspace can't be acted on.
    pub(super) fn away(&mut self, workspace: &Workspace, assignment: &WorkspaceAssignment, place: &WorkspacePlace) {
        let wants = self.wants_to_run(workspace);
        let Some(engine) = self.world.engines().get(&place.engine) else {
            return self.gone(workspace, assignment, place);
        };
        let (id, health) = (&place.engine, &engine.health);
        if health.status != HealthStatus::Down {
            let reason = match health.status {
                HealthStatus::Healthy => format!("waits until it is known what runs on host {id}"),
                HealthStatus::Pending => format!("waits for the first answer of host {id}"),
                _ => format!("waits for host {id}, which did not answer lately: {}", health.reason),
            };
            return self.block(&workspace.id, reason);
        }
        let is_frozen = self.freeze.is_some_and(|freeze| freeze.hosts.contains(id));
        let left_ms = self.world.policy.workspace_lost_ms.saturating_sub(self.now.since(health.since));
        let holds_work = may_hold_work(workspace, assignment, place);
        let nothing_to_lose = !holds_work || workspace.wish == WorkspaceWish::Discarded;
        match (wants, nothing_to_lose) {
            // What is left there is surplus when the host returns.
            (false, true) => self.assign(over(assignment.clone(), super::cause_of(workspace), self.now), None),
            (false, false) => {
                self.block(
                    &workspace.id,
                    format!("host {id} is down: {}; it is saved as soon as that answers", health.reason),
                );
            }
            (true, _) if is_frozen || left_ms > 0 => {
                let when = if is_frozen {
                    "when it answers".to_owned()
                } else {
                    format!("elsewhere in {} s", left_ms.div_ceil(1000))
                };
                self.block(&workspace.id, format!("host {id} is down: {}; it goes on {when}", health.reason));
            }
            (true, true) => self.place_anew(workspace, assignment, None, None),
            (true, false) if workspace.run != assignment.run || assignment.resumes.is_some() => {
                let told = lost_words(workspace, assignment, engine, self.now);
                let left = WorkspacePlace { holds_work, ..place.clone() };
                self.place_anew(workspace, assignment, Some(&left), Some(told));
            }
            (true, false) => {
                let words = format!(
                    "host {id} is down: {}; nothing of it was saved yet, so it waits for its host. 'pierhead workspace reset' \
                     begins anew elsewhere and keeps what is there",
                    health.reason
                );
                self.block(&workspace.id, words);
            }
        }
    }

    /// Its host is not in the pool any more: nobody can ask it for anything.
    fn gone(&mut self, workspace: &Workspace, assignment: &WorkspaceAssignment, place: &WorkspacePlace) {
        let holds_work = may_hold_work(workspace, assignment, place);
        let told = holds_work.then(|| gone_words(assignment, place, self.now));
        let can_go_on = !holds_work || assignment.resumes.is_some() || workspace.run != assignment.run;
        if !self.wants_to_run(workspace) {
            self.assign(over(assignment.clone(), super::cause_of(workspace), self.now), told);
        } else if can_go_on {
            self.place_anew(workspace, assignment, None, told);
        } else {
            self.assign(over(assignment.clone(), StopCause::HostGone, self.now), told);
        }
    }

    /// It gets another host, from what it was saved as last; the copy that is left behind is remembered.
    fn place_anew(
        &mut self,
        workspace: &Workspace,
        assignment: &WorkspaceAssignment,
        left: Option<&WorkspacePlace>,
        told: Option<Happened>,
    ) {
        let begins = workspace.run != assignment.run;
        let mut next = if begins { super::begin_run(workspace, assignment) } else { assignment.clone() };
        next.left.extend(left.cloned());
        if let Some(told) = &told {
            next.note = Some(told.message.clone());
        }
        let next = WorkspaceAssignment {
            stage: WorkspaceStage::Waiting,
            place: None,
            failure: None,
            failures: 0,
            avoid: BTreeSet::new(),
            not_before: Timestamp(0),
            ..next
        };
        self.assign(next, told);
    }

    /// The copies that were left: saved and removed as soon as their hosts answer.
    pub(super) fn left(&mut self, workspace: Option<&Workspace>, assignment: &WorkspaceAssignment) {
        for (at, place) in assignment.left.iter().enumerate() {
            let Some(engine) = self.world.engines().get(&place.engine) else {
                let mut next = assignment.clone();
                next.left.remove(at);
                let loses = place.holds_work && workspace.is_some_and(|found| found.wish != WorkspaceWish::Discarded);
                let told = loses.then(|| gone_words(assignment, place, self.now));
                return self.assign(next, told);
            };
            if !engine.is_usable() || place.not_before > self.now {
                continue;
            }
            let is_empty = self.world.at_place(&assignment.workspace, place).is_empty();
            let saves = workspace
                .filter(|workspace| place.holds_work && !is_empty && workspace.wish != WorkspaceWish::Discarded);
            match (saves, &place.save) {
                (None, _) => self.remove(assignment, place),
                (Some(workspace), Some(save)) => self.save_left(workspace, place, save),
                (Some(_), None) => {
                    let mut next = assignment.clone();
                    next.saves_begun += 1;
                    next.left[at].save = Some(SaveId::of(&next.workspace, next.saves_begun));
                    return self.assign(next, None);
                }
            }
        }
    }
}

/// What people have to know when the host of a workspace is lost.
fn lost_words(
    workspace: &Workspace,
    assignment: &WorkspaceAssignment,
    engine: &EngineState,
    now: Timestamp,
) -> Happened {
    let id: &EngineId = &engine.record.id;
    let from = match &workspace.origin {
        _ if workspace.run == assignment.run => assignment.resumes.as_ref(),
        WorkspaceOrigin::Newest => assignment.last_save.as_ref(),
        WorkspaceOrigin::Environment | WorkspaceOrigin::Save(_) => None,
    };
    let from = match from {
        Some(save) => format!("it comes back from save {save}{}", age(assignment, save, now)),
        None => "it begins as it was asked for anew".to_owned(),
    };
    let message = format!(
        "host {id} is down: {}; {from}. What was done there since is kept, and becomes a save of its own when the host returns",
        engine.health.reason
    );
    Happened { kind: "lose-workspace", message }
}

/// What people have to know when the host of a workspace was removed from the pool.
fn gone_words(assignment: &WorkspaceAssignment, place: &WorkspacePlace, now: Timestamp) -> Happened {
    let last = match &assignment.last_save {
        Some(save) => format!("its newest save is {save}{}", age(assignment, save, now)),
        None => "it was never saved".to_owned(),
    };
    let message = format!("host {} is not in the pool any more; what was not saved is lost, {last}", place.engine);
    Happened { kind: "lose-workspace", message }
}

/// How old a save is, if that is known.
fn age(assignment: &WorkspaceAssignment, save: &SaveId, now: Timestamp) -> String {
    if assignment.last_save.as_ref() != Some(save) {
        return String::new();
    }
    format!(", which was made {} min before", now.since(assignment.saved_at) / 60_000)
}
