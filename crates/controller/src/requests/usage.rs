//! Requests about what workspaces used: by course for those who give it and for each student, by account for administrators.

use super::{Actor, CourseNow, RequestError, of_save};
use crate::accounting::usage_in;
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{CourseId, CourseRight, LabAttempt, Save, Timestamp, UsageRecord, Used, Username};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What somebody's workspaces used for a course, or for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageNow {
    /// Whose workspaces.
    pub account: Username,
    /// The course.
    pub course: Option<CourseId>,
    /// How much they used, up to a minute ago.
    pub used: Used,
    /// What is kept of their saves now, in bytes.
    pub save_bytes: u64,
    /// From when on and up to when that was counted; none if nothing was.
    pub counted: Option<(Timestamp, Timestamp)>,
}

/// Who, and for which course.
type Of = (Username, Option<CourseId>);

impl Controller {
    /// What was used for a course: by everybody who takes it or worked at its labs for those who give it, by themselves for
    /// students. By accounts.
    ///
    /// # Errors
    /// If there is no such course as far as they may know, or those of the store.
    pub async fn course_usage(&self, actor: &Actor, id: &str) -> Result<(CourseNow, Vec<UsageNow>), RequestError> {
        let course = self.course(actor, id)?;
        let id = course.record.id.clone();
        let records = usage_in(self, &keys::usage_for(Some(&id))).await?;
        let saved = self.saved_bytes().await?;
        let of_course = saved.into_iter().filter(|((_, course), _)| course.as_ref() == Some(&id));
        let mut all = lines(records, of_course);
        for who in course.enrolments.students.keys() {
            all.entry((who.clone(), Some(id.clone()))).or_insert_with(|| nothing(who, Some(&id)));
        }
        let sees_all = course.right > CourseRight::Student;
        let all = all.into_values().filter(|one| sees_all || one.account == actor.username).collect();
        Ok((course, all))
    }

    /// What everybody's workspaces used, by accounts and courses. That the asker may know it is the caller's to check.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn all_usage(&self) -> Result<Vec<UsageNow>, RequestError> {
        let records = usage_in(self, keys::USAGE).await?;
        Ok(lines(records, self.saved_bytes().await?).into_values().collect())
    }

    /// What everybody's saves come to, in bytes.
    async fn saved_bytes(&self) -> Result<BTreeMap<Of, u64>, RequestError> {
        let saves = self.saves.all().await.map_err(of_save)?;
        Ok(by_course(&self.known(), &saves))
    }
}

/// What saves come to: each counts for the attempt that is worked at in its workspace, or else for one of its owner's at the
/// lab that it was made in, or else for no course.
fn by_course(known: &Known, saves: &[Save]) -> BTreeMap<Of, u64> {
    let mut of_people: BTreeMap<&Username, Vec<&Arc<LabAttempt>>> = BTreeMap::new();
    for attempt in known.attempts.values() {
        of_people.entry(&attempt.account).or_default().push(attempt);
    }
    let mut sums = BTreeMap::new();
    for save in saves {
        let theirs = of_people.get(&save.owner).map_or(&[][..], Vec::as_slice);
        let worked_at = theirs.iter().find(|attempt| attempt.workspace.as_ref() == Some(&save.workspace));
        let at_lab = || {
            let mut at_lab = theirs.iter().filter(|attempt| attempt.lab.environment() == save.environment);
            at_lab.find(|attempt| attempt.course.is_some())
        };
        let course = worked_at.or_else(at_lab).and_then(|attempt| attempt.course.clone());
        let course = course.and_then(|id| CourseId::parse(id).ok());
        let sum: &mut u64 = sums.entry((save.owner.clone(), course)).or_default();
        *sum = sum.saturating_add(save.bytes);
    }
    sums
}

fn nothing(account: &Username, course: Option<&CourseId>) -> UsageNow {
    let (account, course) = (account.clone(), course.cloned());
    UsageNow { account, course, used: Used::default(), save_bytes: 0, counted: None }
}

/// Records and saves by whose they are.
fn lines(records: Vec<UsageRecord>, saved: impl IntoIterator<Item = (Of, u64)>) -> BTreeMap<Of, UsageNow> {
    let mut all = BTreeMap::new();
    for UsageRecord { account, course, used, since, until } in records {
        let line = UsageNow { used, counted: Some((since, until)), ..nothing(&account, course.as_ref()) };
        all.insert((account, course), line);
    }
    for ((account, course), bytes) in saved {
        let empty = nothing(&account, course.as_ref());
        all.entry((account, course)).or_insert(empty).save_bytes = bytes;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    #[test]
    fn records_and_saves_of_the_same_become_one_line() {
        let cs = CourseId::parse("cs").unwrap();
        let used = Used { cpu_nanos: 5, memory_mb_ms: 7 };
        let record = |account, course: Option<&CourseId>| {
            let (account, course) = (name(account), course.cloned());
            UsageRecord { account, course, used, since: Timestamp(1), until: Timestamp(9) }
        };
        let saved = [((name("li"), Some(cs.clone())), 30), ((name("zhao"), None), 40)];
        let all = lines(vec![record("li", Some(&cs)), record("li", None)], saved);
        let told: Vec<_> = all
            .values()
            .map(|one| (one.account.as_str(), one.course.is_some(), one.used.cpu_nanos, one.save_bytes))
            .collect();
        assert_eq!(told, [("li", false, 5, 0), ("li", true, 5, 30), ("zhao", false, 0, 40)]);
        assert_eq!(all[&(name("zhao"), None)].counted, None, "nothing was counted of theirs");
    }
}
