//! Records of work that was handed in: what follows from writing one, and how those of a course or a student are read.

use super::next::{Next, next};
use crate::known::Known;
use crate::requests::{RequestError, of_save};
use crate::{Controller, keys};
use pierhead_model::{
    CourseId, CourseWork, FrozenResults, Grade, LabAttempt, LabId, Save, SaveId, Submission, SubmissionKey,
    SubmissionStage, Timestamp, Username, Workspace, WorkspaceWish,
};
use pierhead_store::{Entry, Result as StoreResult, Revision, Transaction};
use std::collections::BTreeMap;

/// A transaction that writes a submission in place of the one that was read, with all that follows from it; nothing if the
/// save that it names is not there any more.
pub(crate) async fn written(
    controller: &Controller,
    mut transaction: Transaction,
    next: &Submission,
    revision: Revision,
) -> Result<Option<Transaction>, RequestError> {
    let key = keys::submission(&next.key);
    transaction = transaction.unchanged(key.clone(), revision).put_json(key, next)?;
    if let Some(id) = &next.save
        && controller.store().get(&keys::submitted_save(id)).await?.is_none()
    {
        let Some((save, read)) = controller.saves.find(id).await.map_err(of_save)? else { return Ok(None) };
        // Whoever deletes it at the same moment is too late, or this is.
        transaction = touched(transaction, &save, read)?.put_json(keys::submitted_save(id), &next.key)?;
    }
    if next.stage.is_over() {
        transaction = transaction.delete(keys::submitting(&next.key));
    }
    if next.stage == SubmissionStage::Complete {
        for earlier in earlier_saves(controller, next).await? {
            transaction = transaction.delete(keys::submitted_save(&earlier));
        }
    }
    Ok(Some(transaction))
}

fn touched(transaction: Transaction, save: &Save, read: Revision) -> StoreResult<Transaction> {
    let key = keys::save(&save.id);
    transaction.unchanged(key.clone(), read).put_json(key, save)
}

/// The saves of what the same student handed in before, which count no longer.
async fn earlier_saves(controller: &Controller, next: &Submission) -> Result<Vec<SaveId>, RequestError> {
    let all = submissions_in(controller, &keys::submissions_of(&next.key)).await?;
    let earlier = all.into_iter().filter(|one| one.key.number < next.key.number && one.save != next.save);
    Ok(earlier.filter_map(|one| one.save).collect())
}

/// The submissions below a place, by labs, students and numbers.
pub(crate) async fn submissions_in(controller: &Controller, place: &str) -> Result<Vec<Submission>, RequestError> {
    let listing = controller.store().list_all(place).await?;
    Ok(listing.entries.iter().map(Entry::json::<Submission>).collect::<StoreResult<_>>()?)
}

/// What counts for somebody of what was handed in for a lab of a course, by themselves or another of their group.
pub(crate) async fn submissions_for(
    controller: &Controller,
    course: &CourseId,
    lab: &LabId,
    who: &Username,
) -> Result<Vec<Submission>, RequestError> {
    let mut all = submissions_in(controller, &format!("{}{course}/{lab}/", keys::SUBMISSIONS)).await?;
    all.retain(|one| one.counts_for(who));
    Ok(all)
}

/// What was said of work below a place, by its key.
pub(crate) async fn grades_in(controller: &Controller, place: &str) -> Result<BTreeMap<String, Grade>, RequestError> {
    let listing = controller.store().list_all(place).await?;
    let read = |entry: &Entry| -> StoreResult<_> { Ok((entry.key.to_string(), entry.json::<Grade>()?)) };
    Ok(listing.entries.iter().map(read).collect::<StoreResult<_>>()?)
}

/// Which of somebody's submissions for a lab counts: the last that is complete, and the last of all while none is.
pub(crate) fn counting(theirs: &[Submission]) -> Option<&Submission> {
    let complete = theirs.iter().filter(|one| one.stage == SubmissionStage::Complete);
    // Numbers are those of one account: what a group handed in may follow what its members did alone.
    complete.max_by_key(|one| (one.asked_at, one.key.number)).or_else(|| theirs.iter().max_by_key(|one| one.key.number))
}

/// A submission that was made just now, with the workspace of which a save is wanted for it.
pub(crate) struct Begun {
    pub submission: Submission,
    /// The workspace as it shall be.
    pub wanted: Option<Workspace>,
}

/// How work is handed in that is worked at in an attempt.
pub(crate) struct HandedIn<'a> {
    pub work: &'a CourseWork,
    pub attempt: &'a LabAttempt,
    pub results: FrozenResults,
    pub number: u32,
    /// When; what counts.
    pub at: Timestamp,
    pub due: Option<Timestamp>,
    pub by: Option<&'a Username>,
}

/// The record of work that is handed in now. A workspace that runs is asked for a save with it, so that what is done in it
/// later comes after.
pub(crate) fn begun(known: &Known, handed_in: HandedIn<'_>, now: Timestamp) -> Begun {
    let HandedIn { work, attempt, results, number, at, due, by } = handed_in;
    let key =
        SubmissionKey { course: work.course.clone(), lab: work.lab.clone(), account: attempt.account.clone(), number };
    let asked = Submission {
        key,
        asked_at: at,
        due_at: due,
        late: pierhead_lab::grading::is_late(at, due),
        by: by.cloned(),
        also: crate::groups::members(known, attempt),
        attempt: attempt.id.clone(),
        version: attempt.version,
        workspace: attempt.workspace.clone(),
        stage: SubmissionStage::Asked,
        save: None,
        saved_at: None,
        results,
        note: None,
        tries: 0,
        not_before: Timestamp(0),
        since: now,
    };
    let id = asked.workspace.as_ref();
    let record = id.and_then(|id| known.world.workspaces().get(id));
    let record = record.filter(|record| record.wish == WorkspaceWish::Running);
    let assignment = id.and_then(|id| known.world.workspace_assignments().get(id));
    match next(&asked, record, assignment, now) {
        Next::Ask(submission, wanted) => Begun { submission: *submission, wanted: Some(*wanted) },
        _ => Begun { submission: asked, wanted: None },
    }
}

impl Begun {
    /// A transaction that writes it, if nobody was faster.
    pub(crate) fn put(&self, known: &Known, transaction: Transaction) -> StoreResult<Transaction> {
        let (key, marker) = (keys::submission(&self.submission.key), keys::submitting(&self.submission.key));
        let transaction = transaction.absent(key.clone()).put_json(key, &self.submission)?;
        let transaction = transaction.put_json(marker, &self.submission.key)?;
        let Some(wanted) = &self.wanted else { return Ok(transaction) };
        let key = keys::workspace(&wanted.id);
        let revision = known.revision_of(&key).unwrap_or_default();
        transaction.unchanged(key.clone(), revision).put_json(key, wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(number: u32, stage: SubmissionStage) -> Submission {
        let text = r#"{"course":"cs-101","lab":"mysql","account":"li","number":1,"asked_at":1,"attempt":"aaaaaaaaaa",
            "version":1,"stage":"asked","results":{},"since":1}"#;
        let mut one = Submission { stage, ..serde_json::from_str(text).unwrap() };
        one.key.number = number;
        one
    }

    fn failed() -> SubmissionStage {
        SubmissionStage::Failed { why: "it could not be saved".to_owned() }
    }

    fn counts(theirs: &[Submission]) -> Option<u32> {
        counting(theirs).map(|one| one.key.number)
    }

    #[test]
    fn the_last_that_is_complete_counts_and_the_last_of_all_while_none_is() {
        use SubmissionStage::{Asked, Complete};
        assert_eq!(counts(&[]), None);
        assert_eq!(counts(&[one(1, failed()), one(2, Asked)]), Some(2));
        assert_eq!(
            counts(&[one(1, Complete), one(2, Asked), one(3, failed())]),
            Some(1),
            "what is under way does not yet"
        );
        assert_eq!(counts(&[one(2, Complete), one(1, Complete)]), Some(2), "in whatever order they are read");
    }

    #[test]
    fn keys_sort_by_number_and_keep_people_and_labs_apart() {
        let key = |number| keys::submission(&one(number, failed()).key);
        assert!(key(9) < key(10) && key(99) < key(100) && key(999) < key(1_000));
        let key = one(7, failed()).key;
        assert!(keys::submission(&key).starts_with(&keys::submissions_of(&key)));
        assert_eq!(keys::submissions_of(&key), keys::submissions_by(&key.course, &key.lab, &key.account));
        let longer = Username::parse("li2").unwrap();
        let of_another = keys::submissions_by(&key.course, &key.lab, &longer);
        assert!(!of_another.starts_with(&keys::submissions_of(&key)), "li sees nothing of li2");
        assert_ne!(keys::submitting(&key), keys::submission(&key));
        assert!(keys::grade(&key.course, &key.lab, &key.account).starts_with(keys::GRADES));
        assert!(keys::work(&key.course, &key.lab).starts_with(keys::WORK));
    }
}
