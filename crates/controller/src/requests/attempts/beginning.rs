//! Beginning an attempt, its workspace, and the ways back and on: reset and move.

use super::{AttemptNow, attempt_of, find, missing, no_step, state};
use crate::groups::members;
use crate::requests::commit::{Committed, Made};
use crate::requests::courses::{course_for, version_for};
use crate::requests::labs::begun;
use crate::requests::{
    Actor, Idempotency, MOST_ATTEMPTS_OF_ONE, OpenWorkspace, RequestError, WorkspaceBeginning, WorkspaceChange,
};
use crate::{Controller, keys};
use pierhead_lab::progress;
use pierhead_model::{AttemptId, CourseId, LabAttempt, LabVersionRef, WorkspaceId, WorkspaceWish};
use pierhead_store::Revision;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long the name of a workspace may be, in characters.
const NAME: usize = 60;

/// An attempt that shall be begun.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttemptBeginning {
    /// The language in which the student reads; that of the lab without.
    pub language: Option<String>,
    /// The course for which it is begun; without, the first that the account takes and that shows the lab, if there is one.
    pub course: Option<String>,
    /// The version; that of the course without, or the newest.
    pub version: Option<u32>,
}

impl Controller {
    /// Begins an attempt, or finds the one that they have; its workspace is opened, or started again.
    ///
    /// # Errors
    /// If there is no such lab as far as they may know, nothing of it is published, or no workspace can be opened.
    pub async fn begin_attempt(
        &self,
        actor: &Actor,
        lab: &str,
        beginning: &AttemptBeginning,
    ) -> Result<AttemptNow, RequestError> {
        let lab = self.lab(actor, lab)?;
        let none = || RequestError::NotFound {
            what: "version",
            id: format!("of lab {} that is published", lab.id),
            replaced_by: None,
        };
        let (course, version) = {
            let known = self.known();
            let course = course_for(&known, actor, &lab.id, beginning.course.as_deref())?;
            let version = match beginning.version {
                Some(number) => lab.version(number).map(|version| version.number),
                None => version_for(&known, &lab, course.as_ref().map(CourseId::as_str)),
            };
            (course, version)
        };
        let course = course.as_ref().map(CourseId::as_str);
        let version = version.ok_or_else(none)?;
        let document = self.lab_document(&lab.id, LabVersionRef::Number(version)).await?;
        let language = beginning.language.clone().unwrap_or_default();
        check_language(&document.languages(), &language)?;
        let (seed, id) = (self.ids.seed(), self.ids.attempt());
        let committed = self.commit(None, |known, now| {
            if let Some(there) = attempt_of(known, &actor.username, lab.id.as_str(), course) {
                return Ok(Made::Already(there.id.clone()));
            }
            if known.attempts.values().filter(|attempt| attempt.account == actor.username).count()
                >= MOST_ATTEMPTS_OF_ONE
            {
                return Err(RequestError::TooManyAttemptsOfOne);
            }
            let mut attempt = LabAttempt {
                id: id.clone(),
                lab: lab.id.clone(),
                version,
                account: actor.username.clone(),
                course: course.map(str::to_owned),
                seed: seed.clone(),
                language: language.clone(),
                opened: 0,
                workspace: None,
                prepared: None,
                step: 0,
                steps: BTreeMap::new(),
                started_at: now,
                done_at: None,
            };
            progress::visit(&mut attempt, &document.outline, 0, now);
            let (key, unique) = (keys::attempt(&id), keys::attempt_of(&attempt.account, &attempt.lab, course));
            // Nobody deletes the version meanwhile.
            let transaction = begun(known, &lab.id, version, now)?;
            let mut transaction = transaction.absent(key.clone()).absent(unique.clone());
            // Two of a group who begin at the same moment begin one.
            for mate in members(known, &attempt) {
                transaction = transaction.absent(keys::attempt_of(&mate, &attempt.lab, course));
            }
            let transaction = transaction.put_json(key, &attempt)?.put_json(unique, &attempt.id)?;
            let transaction = self.with_attempt_event(transaction, "attempt-begun", "", Some(actor), &attempt)?;
            Ok(Made::change(transaction, id.clone()))
        });
        let id = match committed.await? {
            Committed::Now(id) => id,
            Committed::Before(_) => return Err(missing(id.as_str())),
        };
        self.open_attempt(actor, id.as_str()).await
    }

    /// Sees to it that an attempt has a workspace that runs, or will.
    ///
    /// # Errors
    /// If there is no such attempt, it is somebody else's, or no workspace can be opened.
    pub async fn open_attempt(&self, actor: &Actor, id: &str) -> Result<AttemptNow, RequestError> {
        let record = self.own_attempt(actor, id)?;
        match self.alive(&record) {
            Some(workspace) => {
                // One that runs stays as it is.
                self.change_workspace(
                    &self.in_the_name_of(actor, &record),
                    workspace.as_str(),
                    &WorkspaceChange::Start(None),
                    None,
                )
                .await?;
            }
            None => self.open_workspace_of(actor, &record).await?,
        }
        self.attempt(actor, id).await
    }

    /// The workspace of an attempt, if that has not ended.
    fn alive(&self, record: &LabAttempt) -> Option<WorkspaceId> {
        let known = self.known();
        let workspace = known.world.workspaces().get(record.workspace.as_ref()?)?;
        let is_alive = !matches!(workspace.wish, WorkspaceWish::Ended | WorkspaceWish::Discarded);
        (is_alive && workspace.owner == record.account).then(|| workspace.id.clone())
    }

    async fn open_workspace_of(&self, actor: &Actor, record: &LabAttempt) -> Result<(), RequestError> {
        let lab = self.known().labs.get(record.lab.as_str()).cloned();
        let lab = lab.ok_or_else(|| state(record.id.as_str(), "is of a lab that was deleted"))?;
        let environment = self.described(actor, &lab, LabVersionRef::Number(record.version)).await?;
        let request = OpenWorkspace {
            from: WorkspaceBeginning::Described(Box::new(environment)),
            name: Some(lab.title.chars().take(NAME).collect()),
        };
        // Whoever asks for the same one at the same time gets the same one.
        let key = format!("attempt {} {}", record.id, record.opened);
        let once = Idempotency::new(&key, &[key.as_bytes()]);
        // It is the student's, whoever sees to it that there is one.
        let student = student_of(record);
        let opened = self.open_workspace(&student, &request, Some(&once)).await?;
        let workspace = opened.record.id;
        let told = ("attempt-opened", format!(", workspace={workspace}"));
        self.change_attempt(&record.id, (told.0, &told.1, Some(actor)), |attempt, _| {
            if attempt.opened == record.opened {
                (attempt.workspace, attempt.prepared) = (Some(workspace.clone()), None);
                attempt.opened += 1;
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// An attempt that is theirs: their own, their group's, or an administrator's to deal with.
    pub(super) fn own_attempt(&self, actor: &Actor, id: &str) -> Result<Arc<LabAttempt>, RequestError> {
        find(&self.known(), actor, id).cloned()
    }

    /// The same without those of their group: what takes everything away is for whose it is.
    pub(super) fn only_own(&self, actor: &Actor, id: &str) -> Result<Arc<LabAttempt>, RequestError> {
        let record = self.own_attempt(actor, id)?;
        if record.account == actor.username || actor.may_change_all {
            return Ok(record);
        }
        Err(RequestError::Forbidden(
            "only who began an attempt for their group, or an administrator, may do that".into(),
        ))
    }

    /// Who starts the workspace of an attempt: whose it is, if another of the group asks.
    fn in_the_name_of(&self, actor: &Actor, record: &LabAttempt) -> Actor {
        let is_mate = record.account != actor.username && !actor.may_change_all;
        if is_mate { student_of(record) } else { actor.clone() }
    }

    /// Takes a step back to what it was at the first visit, or everything: then the workspace begins anew, and is saved
    /// before.
    ///
    /// # Errors
    /// If there is no such attempt or step, it is somebody else's, or the workspace can't begin anew now.
    pub async fn reset_attempt(&self, actor: &Actor, id: &str, step: Option<u32>) -> Result<AttemptNow, RequestError> {
        let record = if step.is_some() { self.own_attempt(actor, id) } else { self.only_own(actor, id) }?;
        let document = self.attempt_document(&record).await?;
        let outline = &document.outline;
        if let Some(step) = step {
            outline.step(step).ok_or_else(|| no_step(step))?;
            let told = ("attempt-reset", format!(", step={step}"));
            let change = |attempt: &mut LabAttempt, now| {
                progress::reset_step(attempt, outline, step, now);
                Ok(())
            };
            self.change_attempt(&record.id, (told.0, &told.1, Some(actor)), change).await?;
            return self.attempt(actor, id).await;
        }
        if let Some(workspace) = self.alive(&record) {
            self.change_workspace(actor, workspace.as_str(), &WorkspaceChange::Reset, None).await?;
        }
        let change = |attempt: &mut LabAttempt, now| {
            progress::reset(attempt, outline, now);
            Ok(())
        };
        self.change_attempt(&record.id, ("attempt-reset", "", Some(actor)), change).await?;
        self.open_attempt(actor, id).await
    }

    /// Moves an attempt to the newest version of its lab, or to that of its course. Results of steps that are the same there are kept; if the
    /// environment is described in another way there, the workspace is saved and a new one is opened.
    ///
    /// # Errors
    /// If there is no such attempt, it is somebody else's, or the lab is gone.
    pub async fn move_attempt(&self, actor: &Actor, id: &str) -> Result<AttemptNow, RequestError> {
        let record = self.only_own(actor, id)?;
        let lab = self.lab(actor, record.lab.as_str())?;
        let newest = version_for(&self.known(), &lab, record.course.as_deref()).unwrap_or(record.version);
        if newest == record.version {
            return self.attempt(actor, id).await;
        }
        let (from, to) = (self.attempt_document(&record).await?, LabVersionRef::Number(newest));
        let to_document = self.lab_document(&lab.id, to).await?;
        let committed = self.commit(None, |known, now| {
            let attempt = known.attempts.get(&record.id).ok_or_else(|| missing(record.id.as_str()))?;
            if attempt.version != record.version {
                return Ok(Made::Already(()));
            }
            let mut moved = LabAttempt::clone(attempt);
            progress::move_to(&mut moved, (from.text(), to_document.text()), &to_document.outline, newest, now);
            let key = keys::attempt(&record.id);
            let revision = known.revision_of(&key).unwrap_or(Revision::ZERO);
            let transaction = begun(known, &lab.id, newest, now)?.unchanged(key.clone(), revision);
            let transaction = transaction.put_json(key, &moved)?;
            let done = if moved.done_at.is_some() && attempt.done_at.is_none() { ", done" } else { "" };
            let more = format!(", version={newest}{done}");
            Ok(Made::change(self.with_attempt_event(transaction, "attempt-moved", &more, Some(actor), &moved)?, ()))
        });
        committed.await?;
        let spec = self.described(actor, &lab, to).await?.spec;
        let alive = self.alive(&record);
        let is_another = |workspace: &WorkspaceId| {
            self.known().world.workspaces().get(workspace).is_some_and(|workspace| workspace.spec != spec)
        };
        match alive {
            Some(workspace) if is_another(&workspace) => {
                self.change_workspace(actor, workspace.as_str(), &WorkspaceChange::End, None).await?;
                self.open_attempt(actor, id).await
            }
            _ => self.attempt(actor, id).await,
        }
    }
}

fn student_of(record: &LabAttempt) -> Actor {
    Actor { username: record.account.clone(), may_change_all: false, may_run_privileged: false }
}

fn check_language(languages: &[String], language: &str) -> Result<(), RequestError> {
    if language.is_empty() || languages.iter().any(|known| known == language) {
        return Ok(());
    }
    let expected = match languages {
        [] => "absent: the lab is in one language".to_owned(),
        known => format!("one of {}", known.join(", ")),
    };
    Err(RequestError::Invalid { field: "language", expected })
}

impl crate::Ids {
    /// The id of a new attempt.
    fn attempt(&self) -> AttemptId {
        AttemptId::from_random(rand::random())
    }

    /// What the values of a new attempt are made of: 128 random bits.
    fn seed(&self) -> String {
        format!("{:032x}", rand::random::<u128>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_one_of_the_labs() {
        let languages = ["en".to_owned(), "de".to_owned()];
        assert!(check_language(&languages, "").is_ok() && check_language(&languages, "de").is_ok());
        let refused = check_language(&languages, "fr").unwrap_err().to_string();
        assert_eq!(refused, "language must be one of en, de");
        assert!(check_language(&[], "en").unwrap_err().to_string().contains("absent"));
    }
}
