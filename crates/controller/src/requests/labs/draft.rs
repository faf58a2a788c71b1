//! The draft of a lab and its files: read, written one by one or as a whole. Of two who write the same file at once one is
//! told so, and nothing of either is lost.

use super::{may_write, missing, no_version};
use crate::labs::{LabArchive, LabFile, LabFiles, LabUpload, LibraryError, Spooled, Tree, blocking, unpacked};
use crate::labs::{LabAt, Unpacking};
use crate::requests::{Actor, RequestError};
use crate::{Controller, keys};
use pierhead_blobs::Pieces;
use pierhead_lab::{LAB_FILE, LabPath};
use pierhead_model::{Digest, Lab, LabChange, LabDraft, LabHistory, LabId, LabVersionRef};
use pierhead_store::{Error, Revision, StoreJson, Transaction};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How often a change is made anew while others keep changing the same lab.
const MOST_TRIES: usize = 50;

/// What must be at a path, or be the whole draft, for it to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabBefore {
    /// Whatever is there.
    Any,
    /// Nothing.
    Absent,
    /// This content.
    Content(Digest),
}

/// A file of a lab as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabFileNow {
    /// Where it is.
    pub path: LabPath,
    /// What it is.
    pub file: LabFile,
    /// The revision of the draft that has it.
    pub revision: u64,
}

/// A state of a lab with the list of its files.
#[derive(Debug, Clone)]
pub struct LabTarget {
    /// The lab.
    pub lab: Arc<Lab>,
    /// Which state it is.
    pub version: LabVersionRef,
    /// The name of the list.
    pub digest: Digest,
    /// The list.
    pub tree: Arc<Tree>,
}

/// What a change comes to.
struct Next<T> {
    /// The files; nothing if all stays as it is.
    tree: Option<Tree>,
    outcome: T,
}

impl Controller {
    /// The files of a lab's state, for those who read documents. Who may see them is the caller's business.
    ///
    /// # Errors
    /// If there is no such lab or version, or its files can't be had.
    pub async fn lab_files(&self, id: &LabId, version: LabVersionRef) -> Result<LabFiles, RequestError> {
        let digest = self.lab_tree_digest(id, version)?;
        Ok(self.library.files(&digest).await?)
    }

    /// A lab's state, read; the same for all who ask, until its files are others. Who may see it is the caller's business.
    ///
    /// # Errors
    /// If there is no such lab or version, or its files can't be had.
    pub async fn lab_at(&self, id: &LabId, version: LabVersionRef) -> Result<Arc<LabAt>, RequestError> {
        let digest = self.lab_tree_digest(id, version)?;
        Ok(self.library.lab(&digest).await?)
    }

    fn lab_tree_digest(&self, id: &LabId, version: LabVersionRef) -> Result<Digest, RequestError> {
        let known = self.known();
        let lab = known.labs.get(id).ok_or_else(|| missing(id.as_str()))?;
        lab.tree(version).cloned().ok_or_else(|| no_version(lab, version))
    }

    /// A state of a lab with its files, for those who write it.
    ///
    /// # Errors
    /// If there is none as far as they may know, or it is for others to write.
    pub async fn lab_target(&self, actor: &Actor, id: &str, version: LabVersionRef) -> Result<LabTarget, RequestError> {
        let lab = self.lab_to_write(actor, id)?;
        let digest = lab.tree(version).cloned().ok_or_else(|| no_version(&lab, version))?;
        let tree = self.library.tree(&digest).await?;
        Ok(LabTarget { lab, version, digest, tree })
    }

    /// A file of a lab and its bytes, for those who write it.
    ///
    /// # Errors
    /// As [`Controller::lab_target`], and if there is no such file.
    pub async fn read_lab_file(
        &self,
        actor: &Actor,
        id: &str,
        version: LabVersionRef,
        path: &LabPath,
    ) -> Result<(LabFile, Pieces), RequestError> {
        let target = self.lab_target(actor, id, version).await?;
        let file = target.tree.files.get(path).ok_or_else(|| no_file(path))?;
        Ok((file.clone(), self.library.pieces(file)))
    }

    /// The bytes of a file of a lab's state; who may see it is the caller's business.
    #[must_use]
    pub fn lab_file_pieces(&self, file: &LabFile) -> Pieces {
        self.library.pieces(file)
    }

    /// All files of a lab's state as a tar archive, for those who write it.
    ///
    /// # Errors
    /// As [`Controller::lab_target`].
    pub async fn lab_archive(
        &self,
        actor: &Actor,
        id: &str,
        version: LabVersionRef,
    ) -> Result<(LabTarget, Pieces), RequestError> {
        let target = self.lab_target(actor, id, version).await?;
        let pieces = LabArchive::pieces(Arc::clone(&self.library), Arc::clone(&target.tree), target.lab.draft.at);
        Ok((target, pieces))
    }

    /// Begins to take a file for a lab; `announced` is how many bytes will come, if that is known.
    ///
    /// # Errors
    /// If it is too large, or there is no room for it.
    pub async fn begin_lab_file(&self, announced: Option<u64>) -> Result<LabUpload, RequestError> {
        Ok(self.library.begin_file(announced, &self.ids.unique()).await?)
    }

    /// Begins to take the archive of a lab.
    ///
    /// # Errors
    /// If it is too large, or there is no room for it.
    pub async fn begin_lab_archive(&self, announced: Option<u64>) -> Result<LabUpload, RequestError> {
        Ok(self.library.begin_archive(crate::labs::LARGEST_TAR, announced, &self.ids.unique()).await?)
    }

    /// Writes a file of a draft; `executable` is as before if nobody says it.
    ///
    /// # Errors
    /// [`RequestError::ChangedMeanwhile`] if something else is there than must be.
    pub async fn write_lab_file(
        &self,
        actor: &Actor,
        id: &str,
        path: &LabPath,
        before: &LabBefore,
        executable: Option<bool>,
        content: &Spooled,
    ) -> Result<LabFileNow, RequestError> {
        self.lab_to_write(actor, id)?;
        self.library.keep(content.path(), &content.digest).await?;
        let what = LabChange::Written { path: path.to_string() };
        let change = |tree: &Tree| {
            let there = tree.files.get(path);
            let executable = executable.unwrap_or(there.is_some_and(|file| file.executable));
            let file = LabFile { digest: content.digest.clone(), bytes: content.bytes, executable };
            if there == Some(&file) {
                return Ok(Next { tree: None, outcome: file });
            }
            check(before, there.map(|file| &file.digest), path.as_str())?;
            let mut files = tree.files.clone();
            files.insert(path.clone(), file.clone());
            Ok(Next { tree: Some(Tree::new(files).map_err(LibraryError::from)?), outcome: file })
        };
        let (lab, file) = self.change_draft(actor, id, &what, change).await?;
        Ok(LabFileNow { path: path.clone(), file, revision: lab.draft.revision })
    }

    /// Removes a file of a draft, or a folder with all that is in it.
    ///
    /// # Errors
    /// If there is none, and as [`Controller::write_lab_file`].
    pub async fn remove_lab_file(
        &self,
        actor: &Actor,
        id: &str,
        path: &LabPath,
        before: &LabBefore,
    ) -> Result<Arc<Lab>, RequestError> {
        let what = LabChange::Removed { path: path.to_string() };
        let change = |tree: &Tree| {
            if *before != LabBefore::Any {
                check(before, tree.files.get(path).map(|file| &file.digest), path.as_str())?;
            }
            let mut files = tree.files.clone();
            files.retain(|listed, _| !listed.is_in(path));
            if files.len() == tree.files.len() || *path == LabPath::root() {
                return Err(no_file(path));
            }
            Ok(Next { tree: Some(Tree { files }), outcome: () })
        };
        Ok(self.change_draft(actor, id, &what, change).await?.0)
    }

    /// Moves a file or folder of a draft; nothing may be there.
    ///
    /// # Errors
    /// If there is none, or something is there already.
    pub async fn move_lab_file(
        &self,
        actor: &Actor,
        id: &str,
        path: &LabPath,
        to: &LabPath,
    ) -> Result<Arc<Lab>, RequestError> {
        let what = LabChange::Moved { path: path.to_string(), to: to.to_string() };
        if to.is_in(path) || *path == LabPath::root() || *to == LabPath::root() {
            let expected = "another path, and not one within what is moved".to_owned();
            return Err(RequestError::Invalid { field: "to", expected });
        }
        let change = |tree: &Tree| {
            if tree.files.keys().any(|listed| listed.is_in(to)) {
                return Err(RequestError::Exists { what: "file", id: to.to_string() });
            }
            let mut files = tree.files.clone();
            files.retain(|listed, _| !listed.is_in(path));
            if files.len() == tree.files.len() {
                return Err(no_file(path));
            }
            for (listed, file) in tree.files.iter().filter(|(listed, _)| listed.is_in(path)) {
                let below = listed
                    .below(path)
                    .map_or_else(|| to.clone(), |below| to.resolve(below.as_str()).unwrap_or_else(|_| to.clone()));
                if files.insert(below, file.clone()).is_some() {
                    return Err(RequestError::Invalid {
                        field: "to",
                        expected: "a path that is short enough".to_owned(),
                    });
                }
            }
            Ok(Next { tree: Some(Tree::new(files).map_err(LibraryError::from)?), outcome: () })
        };
        Ok(self.change_draft(actor, id, &what, change).await?.0)
    }

    /// Puts a whole folder in place of a draft: all of it, or nothing. `before` is the list of files that must be there.
    ///
    /// # Errors
    /// If the archive can't be read or holds too much, and as [`Controller::write_lab_file`].
    pub async fn replace_lab_draft(
        &self,
        actor: &Actor,
        id: &str,
        before: &LabBefore,
        archive: Spooled,
    ) -> Result<Arc<Lab>, RequestError> {
        let target = self.lab_target(actor, id, LabVersionRef::Draft).await?;
        let kept: BTreeSet<Digest> = target.tree.files.values().map(|file| file.digest.clone()).collect();
        let mut unpacking = Unpacking::new(&self.library, self.ids.unique(), kept);
        let files = blocking(move || unpacked(&archive, &mut unpacking)).await?;
        let tree = files.tree()?;
        files.keep(&self.library).await?;
        let change = |present: &Tree, draft: &LabDraft| {
            if *present == tree {
                return Ok(Next { tree: None, outcome: () });
            }
            check(before, Some(&draft.tree), WHOLE)?;
            Ok(Next { tree: Some(tree.clone()), outcome: () })
        };
        Ok(self.change_draft_as(actor, id, &LabChange::Pushed, change).await?.0)
    }

    /// Makes a draft what it was.
    ///
    /// # Errors
    /// If that is not remembered.
    pub async fn restore_lab_draft(&self, actor: &Actor, id: &str, revision: u64) -> Result<Arc<Lab>, RequestError> {
        let then = |history: &LabHistory| {
            let found = history.drafts.iter().find(|draft| draft.revision == revision).map(|draft| draft.tree.clone());
            let id = format!("{revision} of lab {id}");
            found.ok_or(RequestError::NotFound { what: "draft", id, replaced_by: None })
        };
        let mut tries = 0;
        loop {
            let (lab, of_lab) = self.stored_lab(actor, id).await?;
            let (history, of_history) = self.stored_history(&lab.id).await?;
            let tree = then(&history)?;
            if tree == lab.draft.tree {
                return Ok(Arc::new(lab));
            }
            let what = LabChange::Restored { revision };
            match self.put_draft(actor, (lab, of_lab), (history, of_history), tree, &what).await {
                Err(RequestError::Store(Error::Conflict { .. })) if tries < MOST_TRIES => tries += 1,
                done => return done,
            }
        }
    }

    /// What is remembered of the drafts of a lab, the newest first.
    ///
    /// # Errors
    /// If there is none as far as they may know, or it is for others to write.
    pub async fn lab_history(&self, actor: &Actor, id: &str) -> Result<LabHistory, RequestError> {
        let lab = self.lab_to_write(actor, id)?;
        let (mut history, _) = self.stored_history(&lab.id).await?;
        history.drafts.reverse();
        Ok(history)
    }

    async fn change_draft<T>(
        &self,
        actor: &Actor,
        id: &str,
        what: &LabChange,
        change: impl Fn(&Tree) -> Result<Next<T>, RequestError>,
    ) -> Result<(Arc<Lab>, T), RequestError> {
        self.change_draft_as(actor, id, what, |tree, _| change(tree)).await
    }

    /// Changes the files of a draft; made anew if somebody was faster. Who changed a file that was to be another is told by
    /// the history.
    async fn change_draft_as<T>(
        &self,
        actor: &Actor,
        id: &str,
        what: &LabChange,
        change: impl Fn(&Tree, &LabDraft) -> Result<Next<T>, RequestError>,
    ) -> Result<(Arc<Lab>, T), RequestError> {
        let mut tries = 0;
        loop {
            let (lab, of_lab) = self.stored_lab(actor, id).await?;
            let (history, of_history) = self.stored_history(&lab.id).await?;
            let tree = self.library.tree(&lab.draft.tree).await?;
            let next = change(&tree, &lab.draft).map_err(|error| told(error, &lab, &history))?;
            let Some(files) = next.tree else { return Ok((Arc::new(lab), next.outcome)) };
            let digest = self.library.keep_tree(&files, &self.ids.unique()).await?;
            match self.put_draft(actor, (lab, of_lab), (history, of_history), digest, what).await {
                Err(RequestError::Store(Error::Conflict { .. })) if tries < MOST_TRIES => tries += 1,
                done => return Ok((done?, next.outcome)),
            }
        }
    }

    /// Writes what the draft is from now on.
    async fn put_draft(
        &self,
        actor: &Actor,
        (mut lab, of_lab): (Lab, Revision),
        (mut history, of_history): (LabHistory, Option<Revision>),
        tree: Digest,
        what: &LabChange,
    ) -> Result<Arc<Lab>, RequestError> {
        self.entitle(&mut lab, &tree).await?;
        let (known, drafts) = (history.drafts.last().map(|last| last.since), history.drafts.len());
        lab.draft =
            LabDraft { revision: lab.draft.revision + 1, tree, at: self.clock.now(), by: actor.username.clone() };
        history.add(&lab.draft, what.clone());
        let (key, history_key) = (keys::lab(&lab.id), keys::lab_history(&lab.id));
        let transaction = Transaction::new().unchanged(key.clone(), of_lab).put_json(key, &lab)?;
        let transaction = match of_history {
            Some(revision) => transaction.unchanged(history_key.clone(), revision),
            None => transaction.absent(history_key.clone()),
        };
        let mut transaction = transaction.put_json(history_key, &history)?;
        // Who writes on at one file tells of it once.
        let goes_on = history.drafts.len() == drafts && history.drafts.last().map(|last| last.since) == known;
        if !goes_on {
            let more = match what {
                LabChange::Written { path } | LabChange::Removed { path } => format!(", file={path}"),
                LabChange::Moved { path, to } => format!(", file={path}, to={to}"),
                _ => String::new(),
            };
            transaction = self.with_lab_event(transaction, "write-lab", &more, actor, &lab)?;
        }
        let revision = self.store.commit(transaction).await?;
        self.reached(revision).await;
        Ok(Arc::new(lab))
    }

    /// Gives a lab the title that its draft says, if that can be read.
    async fn entitle(&self, lab: &mut Lab, tree: &Digest) -> Result<(), RequestError> {
        let Ok(path) = LabPath::parse(LAB_FILE) else { return Ok(()) };
        let (before, after) = (self.library.tree(&lab.draft.tree).await?, self.library.tree(tree).await?);
        if before.files.get(&path) == after.files.get(&path) {
            return Ok(());
        }
        let at = self.library.lab(tree).await?;
        if let Some(read) = &at.lab {
            if !read.title.is_empty() {
                lab.title.clone_from(&read.title);
            }
            lab.summary = read.summary.chars().take(LONGEST_SUMMARY).collect();
        }
        Ok(())
    }

    /// A lab as the store has it, for those who write it.
    async fn stored_lab(&self, actor: &Actor, id: &str) -> Result<(Lab, Revision), RequestError> {
        let known = self.lab_to_write(actor, id)?;
        let found = self.store.get_json::<Lab>(&keys::lab(&known.id)).await?;
        let (lab, revision) = found.ok_or_else(|| missing(id))?;
        if may_write(actor, &lab) { Ok((lab, revision)) } else { Err(super::not_an_author()) }
    }

    async fn stored_history(&self, id: &LabId) -> Result<(LabHistory, Option<Revision>), RequestError> {
        let found = self.store.get_json::<LabHistory>(&keys::lab_history(id)).await?;
        Ok(found.map_or_else(|| (LabHistory::default(), None), |(history, revision)| (history, Some(revision))))
    }
}

/// What is told to have changed if it is not one file.
const WHOLE: &str = "the draft";
/// The most of a summary that the record has, in characters.
const LONGEST_SUMMARY: usize = 2000;

fn no_file(path: &LabPath) -> RequestError {
    RequestError::NotFound { what: "file", id: path.to_string().chars().take(200).collect(), replaced_by: None }
}

/// Refuses to write over something else than what was seen.
fn check(before: &LabBefore, there: Option<&Digest>, path: &str) -> Result<(), RequestError> {
    let is_so = match before {
        LabBefore::Any => true,
        LabBefore::Absent => there.is_none(),
        LabBefore::Content(digest) => there == Some(digest),
    };
    if is_so { Ok(()) } else { Err(changed(path)) }
}

fn changed(path: &str) -> RequestError {
    RequestError::ChangedMeanwhile { path: path.to_owned(), by: None, at: None }
}

/// The same with who changed it and when, as far as that is remembered.
fn told(error: RequestError, lab: &Lab, history: &LabHistory) -> RequestError {
    let RequestError::ChangedMeanwhile { path, .. } = error else { return error };
    let last = history.last_of(&path).filter(|_| path != WHOLE);
    let (by, at) = last.map_or((&lab.draft.by, lab.draft.at), |last| (&last.by, last.at));
    RequestError::ChangedMeanwhile { path, by: Some(by.clone()), at: Some(at) }
}
