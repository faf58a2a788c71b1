//! Requests about labs: make one, show, change and delete it. Its files, versions and the rest are next door.
//!
//! Who sees a lab is said by its record: its owner, those who write it beside them and administrators see all of it;
//! everybody who may work through labs sees what is published of one that is shared, and whoever gives or takes a course
//! what is published of its labs.

mod draft;
mod environment;
mod images;
mod import;
mod in_use;
mod pages;
mod versions;

pub use draft::{LabBefore, LabFileNow, LabTarget};
pub use import::ImportedLab;
pub(crate) use in_use::begun;
pub use pages::{LabOutline, LabOutlineStep, LabPage};

use super::commit::Made;
use super::courses::course_with;
use super::{Actor, Idempotency, RequestError, events};
use crate::known::Known;
use crate::labs::{Tree, digest_of};
use crate::{Controller, keys};
use pierhead_lab::LabPath;
use pierhead_model::{EventTag, Lab, LabChange, LabDraft, LabHistory, LabId, LabVersionRef, Username, Visibility};
use pierhead_store::{Revision, Transaction};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most labs of one account.
pub const MOST_LABS_OF_ONE: usize = 500;
/// The longest title that a request may give a new lab, in characters.
const LONGEST_TITLE: usize = 200;

/// What shall be another of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabSetting {
    /// Who may see what is published.
    pub visibility: Option<Visibility>,
    /// Who may write it beside its owner.
    pub authors: Option<BTreeSet<Username>>,
    /// Whose it is.
    pub owner: Option<Username>,
}

/// Whether somebody may see a lab at all.
pub(crate) fn may_see(known: &Known, actor: &Actor, lab: &Lab) -> bool {
    let is_for_them = || lab.visibility == Visibility::Shared || course_with(known, &actor.username, &lab.id).is_some();
    may_write(actor, lab) || (lab.newest().is_some() && is_for_them())
}

/// Whether somebody is among those who write a lab.
pub(crate) fn may_write(actor: &Actor, lab: &Lab) -> bool {
    actor.may_change_all || lab.is_author(&actor.username)
}

impl Controller {
    /// The labs that somebody may see, by their names.
    #[must_use]
    pub fn labs_of(&self, actor: &Actor) -> Vec<Arc<Lab>> {
        let known = self.known();
        known.labs.values().filter(|lab| may_see(&known, actor, lab)).cloned().collect()
    }

    /// One lab, if they may see it.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub fn lab(&self, actor: &Actor, id: &str) -> Result<Arc<Lab>, RequestError> {
        let known = self.known();
        let found = known.labs.get(id).filter(|lab| may_see(&known, actor, lab));
        found.cloned().ok_or_else(|| missing(id))
    }

    /// Whether somebody is among those who write a lab.
    #[must_use]
    pub fn writes_lab(&self, actor: &Actor, lab: &Lab) -> bool {
        may_write(actor, lab)
    }

    /// One lab, if they are among those who write it.
    ///
    /// # Errors
    /// If there is none, as far as they may know, or it is for others to write.
    pub fn lab_to_write(&self, actor: &Actor, id: &str) -> Result<Arc<Lab>, RequestError> {
        let lab = self.lab(actor, id)?;
        if may_write(actor, &lab) { Ok(lab) } else { Err(not_an_author()) }
    }

    /// Makes a lab of one step, to be written.
    ///
    /// # Errors
    /// If there is one of that name, or they have too many.
    pub async fn add_lab(
        &self,
        actor: &Actor,
        id: &LabId,
        title: Option<&str>,
        visibility: Visibility,
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        let title =
            title.map_or_else(|| id.to_string(), |title| title.split_whitespace().collect::<Vec<_>>().join(" "));
        if title.is_empty() || title.chars().count() > LONGEST_TITLE || title.chars().any(char::is_control) {
            let expected = format!("one line of 1 to {LONGEST_TITLE} characters");
            return Err(RequestError::Invalid { field: "title", expected });
        }
        self.check_new(actor, id)?;
        let tree = self.begun_lab(&title).await?;
        self.put_new_lab(actor, id, (&title, ""), visibility, (&tree, LabChange::Made), asked).await
    }

    /// Writes the record of a new lab whose files are kept.
    async fn put_new_lab(
        &self,
        actor: &Actor,
        id: &LabId,
        (title, summary): (&str, &str),
        visibility: Visibility,
        (tree, what): (&pierhead_model::Digest, LabChange),
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        let once = self.once_if(&actor.username, asked);
        let committed = self.commit(once.as_ref(), |known, now| {
            check_new(known, actor, id)?;
            let draft = LabDraft { revision: 1, tree: tree.clone(), at: now, by: actor.username.clone() };
            let mut history = LabHistory::default();
            history.add(&draft, what.clone());
            let record = Lab {
                id: id.clone(),
                owner: actor.username.clone(),
                authors: BTreeSet::new(),
                visibility,
                title: title.to_owned(),
                summary: summary.to_owned(),
                draft,
                versions: Vec::new(),
                published: 0,
                created_at: now,
            };
            let key = keys::lab(id);
            let transaction = Transaction::new().absent(key.clone()).put_json(key, &record)?;
            let transaction = transaction.put_json(keys::lab_history(id), &history)?;
            Ok(Made::change(self.with_lab_event(transaction, "add-lab", "", actor, &record)?, ()))
        });
        committed.await.map(drop)
    }

    fn check_new(&self, actor: &Actor, id: &LabId) -> Result<(), RequestError> {
        check_new(&self.known(), actor, id)
    }

    /// The files that a new lab begins with.
    async fn begun_lab(&self, title: &str) -> Result<pierhead_model::Digest, RequestError> {
        let quoted = serde_json::to_string(title).unwrap_or_default();
        let head = format!(
            "title: {quoted}\nsummary: \"\"\ncontainers:\n  - {{name: main, image: \"alpine:3.22\"}}\nminutes: 30\n"
        );
        let step = "# First step\n\nLook around with `ls /`{run}.\n".to_owned();
        let mut files = BTreeMap::new();
        for (path, text) in [(pierhead_lab::LAB_FILE, head), ("steps/01-first.md", step)] {
            let (bytes, digest) = (text.len() as u64, digest_of(text.as_bytes()));
            self.library.keep_bytes(text.into_bytes(), &digest, &self.ids.unique()).await?;
            let path = LabPath::parse(path).expect("it is a path");
            files.insert(path, crate::labs::LabFile { digest, bytes, executable: false });
        }
        let tree = Tree::new(files).map_err(crate::labs::LibraryError::from)?;
        Ok(self.library.keep_tree(&tree, &self.ids.unique()).await?)
    }

    /// Changes who may see and write a lab, or whose it is.
    ///
    /// # Errors
    /// If there is none as far as they may know, or it is not theirs.
    pub async fn set_lab(&self, actor: &Actor, id: &str, setting: &LabSetting) -> Result<(), RequestError> {
        if setting.authors.as_ref().is_some_and(|authors| authors.len() > Lab::MOST_AUTHORS) {
            let expected = format!("a list of at most {} accounts", Lab::MOST_AUTHORS);
            return Err(RequestError::Invalid { field: "authors", expected });
        }
        let committed = self.commit(None, |known, _| {
            let lab = find_own(known, actor, id)?;
            let mut changed = Lab::clone(lab);
            changed.visibility = setting.visibility.unwrap_or(changed.visibility);
            changed.owner = setting.owner.clone().unwrap_or(changed.owner);
            changed.authors = setting.authors.clone().unwrap_or(changed.authors);
            let owner = changed.owner.clone();
            changed.authors.retain(|author| *author != owner);
            if changed == **lab {
                return Ok(Made::Already(()));
            }
            let transaction = unchanged(known, lab).put_json(keys::lab(&lab.id), &changed)?;
            let transaction = self.with_lab_event(transaction, "change-lab", "", actor, &changed)?;
            Ok(Made::change(transaction, ()))
        });
        committed.await.map(drop)
    }

    /// Forgets a lab at which nobody works, with all its versions. Its environments go with it; workspaces stay.
    ///
    /// # Errors
    /// If there is none as far as they may know, it is not theirs, or somebody works at it.
    pub async fn delete_lab(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        let committed = self.commit_reading(
            None,
            || self.last_begun(id),
            |known, _, begun| {
                let lab = find_own(known, actor, id)?;
                let transaction = in_use::deleted(known, lab, None, *begun)?.delete(keys::lab_begun(&lab.id));
                let transaction = transaction.delete(keys::lab(&lab.id)).delete(keys::lab_history(&lab.id));
                let of_lab = [lab.id.environment(), lab.id.draft_environment(), lab.id.prepared_environment()];
                let there = of_lab.iter().filter(|id| {
                    known.world.environments().get(*id).is_some_and(|found| found.lab.as_ref() == Some(&lab.id))
                });
                let transaction = there.fold(transaction, |transaction, id| transaction.delete(keys::environment(id)));
                Ok(Made::change(self.with_lab_event(transaction, "delete-lab", "", actor, lab)?, ()))
            },
        );
        committed.await.map(drop)
    }

    fn with_lab_event(
        &self,
        transaction: Transaction,
        kind: &str,
        more: &str,
        actor: &Actor,
        lab: &Lab,
    ) -> Result<Transaction, RequestError> {
        let message = format!("lab={}{more}", lab.id);
        let event = self.event(kind, message, EventTag::Cluster, Some(&actor.username), events::Subject::default());
        events::append(transaction, &event)
    }
}

/// A transaction that fails if a lab was changed meanwhile.
fn unchanged(known: &Known, lab: &Lab) -> Transaction {
    let key = keys::lab(&lab.id);
    let revision = known.revision_of(&key).unwrap_or(Revision::ZERO);
    Transaction::new().unchanged(key, revision)
}

fn check_new(known: &Known, actor: &Actor, id: &LabId) -> Result<(), RequestError> {
    // It is the name of something else at the same place of the API.
    if id.as_str() == "import" {
        return Err(RequestError::Invalid { field: "id", expected: "another name than import".to_owned() });
    }
    if known.labs.contains_key(id) {
        return Err(RequestError::Exists { what: "lab", id: id.to_string() });
    }
    let theirs = known.labs.values().filter(|lab| lab.owner == actor.username).count();
    if theirs >= MOST_LABS_OF_ONE { Err(RequestError::TooManyLabsOfOne) } else { Ok(()) }
}

/// A lab that is somebody's own, or an administrator's to change.
fn find_own<'a>(known: &'a Known, actor: &Actor, id: &str) -> Result<&'a Arc<Lab>, RequestError> {
    let lab = known.labs.get(id).filter(|lab| may_see(known, actor, lab)).ok_or_else(|| missing(id))?;
    if lab.owner == actor.username || actor.may_change_all {
        return Ok(lab);
    }
    Err(RequestError::Forbidden("only a lab's owner, or an administrator, may do that".to_owned()))
}

fn not_an_author() -> RequestError {
    RequestError::Forbidden("only a lab's owner and those whom they let write it may do that".to_owned())
}

fn missing(id: &str) -> RequestError {
    RequestError::NotFound { what: "lab", id: id.chars().take(64).collect(), replaced_by: None }
}

fn no_version(lab: &Lab, version: LabVersionRef) -> RequestError {
    let id = match version {
        LabVersionRef::Number(number) => format!("{number} of lab {}", lab.id),
        LabVersionRef::Draft | LabVersionRef::Newest => format!("of lab {} that is published", lab.id),
    };
    RequestError::NotFound { what: "version", id, replaced_by: None }
}
