//! Removes blobs that nothing names any more: the files of drafts that are forgotten, of labs that are gone, and of what was
//! sent in and never became one, and what is left of recordings. What is younger than an hour stays: somebody may just be about to name it.

use super::Library;
use crate::{Controller, keys};
use pierhead_model::{Digest, EnvironmentSpec, KeptRecording, Lab, LabHistory};
use std::collections::BTreeSet;

impl Controller {
    /// Removes the files of labs that nothing names. Done by the leader; nothing goes unless all that names files was read.
    pub(crate) async fn sweep_labs(&self) {
        if self.leading.borrow().is_none() {
            return;
        }
        match self.kept_files().await {
            Ok(kept) => {
                let kept = kept.iter().map(super::name).collect();
                if let Err(error) = self.library.blobs.sweep(&kept).await {
                    tracing::warn!(%error, "files that no lab needs could not be removed; it is tried again");
                }
            }
            Err(error) => tracing::warn!(error, "files that no lab needs were not looked for; it is tried again"),
        }
    }

    /// Every blob that something names.
    async fn kept_files(&self) -> Result<BTreeSet<Digest>, String> {
        let said = |error: &dyn std::error::Error| error.to_string();
        let mut trees = BTreeSet::new();
        let labs = self.store.list_all(keys::LABS).await.map_err(|error| said(&error))?;
        for entry in &labs.entries {
            let lab: Lab = entry.json().map_err(|error| said(&error))?;
            trees.insert(lab.draft.tree);
            trees.extend(lab.versions.into_iter().map(|version| version.tree));
        }
        let histories = self.store.list_all(keys::LAB_HISTORY).await.map_err(|error| said(&error))?;
        for entry in &histories.entries {
            let history: LabHistory = entry.json().map_err(|error| said(&error))?;
            trees.extend(history.drafts.into_iter().map(|draft| draft.tree));
        }
        let mut kept = self.files_of_environments();
        for tree in &trees {
            kept.extend(self.library.files_of(tree).await.map_err(|error| said(&error))?);
        }
        kept.extend(trees);
        let recordings = self.store.list_all(keys::RECORDINGS).await.map_err(|error| said(&error))?;
        for entry in &recordings.entries {
            kept.insert(entry.json::<KeptRecording>().map_err(|error| said(&error))?.blob);
        }
        Ok(kept)
    }

    /// Files that containers get which are to be made.
    fn files_of_environments(&self) -> BTreeSet<Digest> {
        let known = self.known();
        let of_environments = known.world.environments().values().map(|environment| &environment.spec);
        let of_workspaces = known.world.workspaces().values().map(|workspace| &workspace.spec);
        let files = |spec: &EnvironmentSpec| {
            let files = spec.containers.iter().flat_map(|container| &container.files);
            files.filter_map(|file| file.blob.as_ref().map(|blob| blob.digest.clone())).collect::<Vec<_>>()
        };
        of_environments.chain(of_workspaces).flat_map(files).collect()
    }
}

impl Library {
    /// The files that a list names. Read past what is held: thousands of lists would push out what people read.
    async fn files_of(&self, tree: &Digest) -> Result<Vec<Digest>, super::LibraryError> {
        let tree = match self.trees.peek(tree) {
            Some(tree) => tree,
            None => {
                let bytes = self.whole(tree, None).await?;
                let read = serde_json::from_slice::<super::Tree>(&bytes);
                read.map(std::sync::Arc::new).map_err(|error| super::LibraryError::Lost(error.to_string()))?
            }
        };
        Ok(tree.files.values().map(|file| file.digest.clone()).collect())
    }
}
