//! Which saves may go: those that nothing begins from, and the automatic ones that a later one has replaced.

use super::records::By;
use super::{SaveError, Saves};
use crate::keys;
use pierhead_model::{
    Environment, Event, OwnImage, Save, SaveId, SubmissionKey, Workspace, WorkspaceAssignment, WorkspaceId,
    WorkspaceOrigin, WorkspaceStage, WorkspaceWish,
};
use pierhead_store::{Entry, Revision};
use std::collections::{BTreeMap, BTreeSet};

impl Saves {
    /// Forgets a save that nothing begins from.
    pub(crate) async fn let_go(&self, id: &SaveId, event: &Event) -> Result<(), SaveError> {
        // Whoever begins from it writes its record: after the look at what begins, only an untouched one goes.
        while let Some((_, revision)) = self.find(id).await? {
            if let Some(by) = self.needed().await?.remove(id) {
                return Err(SaveError::Needed { id: id.clone(), by });
            }
            match self.erase(By::Person(event), id, revision).await {
                Err(SaveError::Changed(_)) => {}
                done => {
                    done?;
                    break;
                }
            }
        }
        self.wake.notify_one();
        Ok(())
    }

    /// The saves that something begins from, and what, in words.
    async fn needed(&self) -> Result<BTreeMap<SaveId, String>, SaveError> {
        let (mut needed, mut over) = (BTreeMap::new(), BTreeSet::new());
        let listing = self.store.list_all(keys::WORKSPACES).await?;
        for workspace in listing.entries.iter().map(Entry::json::<Workspace>) {
            let workspace = workspace?;
            match &workspace.origin {
                // Nothing begins anew in what has ended.
                _ if matches!(workspace.wish, WorkspaceWish::Ended | WorkspaceWish::Discarded) => {
                    over.insert(workspace.id.clone());
                }
                WorkspaceOrigin::Save(id) => {
                    needed.insert(id.clone(), format!("workspace {}", workspace.id));
                }
                WorkspaceOrigin::Environment | WorkspaceOrigin::Newest => {}
            }
        }
        let listing = self.store.list_all(keys::WORKSPACE_ASSIGNMENTS).await?;
        for assignment in listing.entries.iter().map(Entry::json::<WorkspaceAssignment>) {
            let assignment = assignment?;
            let places = assignment.place.iter().chain(&assignment.left);
            let made = places.filter_map(|place| place.from.as_ref());
            let saving = match &assignment.stage {
                WorkspaceStage::Saving { save, .. } => Some(save),
                _ => None,
            };
            let is_over = over.contains(&assignment.workspace);
            let later = assignment.resumes.iter().chain(&assignment.last_save).filter(|_| !is_over);
            for id in made.chain(later).chain(saving) {
                needed.insert(id.clone(), format!("workspace {}", assignment.workspace));
            }
        }
        let listing = self.store.list_all(keys::ENVIRONMENTS).await?;
        for environment in listing.entries.iter().map(Entry::json::<Environment>) {
            let environment = environment?;
            for container in &environment.spec.containers {
                if let Some(OwnImage::OfSave(Some(id))) = OwnImage::named(&container.image) {
                    needed.insert(id, format!("environment {}", environment.id));
                }
            }
        }
        let courses = self.store.list_all(keys::COURSES).await?;
        let courses: BTreeSet<&str> =
            courses.entries.iter().filter_map(|entry| entry.key.strip_prefix(keys::COURSES)).collect();
        let listing = self.store.list_all(keys::SUBMITTED_SAVES).await?;
        for entry in &listing.entries {
            let (id, of) = (entry.key.strip_prefix(keys::SUBMITTED_SAVES), entry.json::<SubmissionKey>()?);
            // What was handed in for a course that is gone is its student's to let go.
            if let Some(id) = id.and_then(|id| SaveId::parse(id).ok()).filter(|_| courses.contains(of.course.as_str()))
            {
                needed.insert(id, format!("what was handed in for lab {} of course {}", of.lab, of.course));
            }
        }
        Ok(needed)
    }

    /// What a sweep forgets, as it was read.
    pub(super) async fn forgettable(&self) -> Result<Vec<(SaveId, Revision)>, SaveError> {
        // What is begun later is not among them, and what is begun from later is not any more as it was read.
        let all = self.listed().await?;
        let needed = self.needed().await?;
        Ok(self.replaced(&all, &needed).into_iter().map(|(save, revision)| (save.id.clone(), *revision)).collect())
    }

    /// Those that are automatic and not the newest of their workspace, and those that nobody goes on making.
    fn replaced<'a>(
        &self,
        all: &'a [(Save, Revision)],
        needed: &BTreeMap<SaveId, String>,
    ) -> Vec<&'a (Save, Revision)> {
        let mut newest: BTreeMap<&WorkspaceId, &Save> = BTreeMap::new();
        for (save, _) in all.iter().filter(|(save, _)| save.automatic && save.is_usable()) {
            let so_far = newest.entry(&save.workspace).or_insert(save);
            if (so_far.created_at, number(&so_far.id)) < (save.created_at, number(&save.id)) {
                *so_far = save;
            }
        }
        let is_replaced = |save: &Save| {
            if !save.is_usable() {
                return !self.is_at(&save.id);
            }
            save.automatic && newest.get(&save.workspace).is_some_and(|newest| newest.id != save.id)
        };
        all.iter().filter(|(save, _)| !needed.contains_key(&save.id) && is_replaced(save)).collect()
    }
}

fn number(id: &SaveId) -> u32 {
    id.as_str().rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
