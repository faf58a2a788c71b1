//! Whether so much would go that the list must be wrong: a database that was half there, a mapping that forgot a condition.

use super::{Changes, Present};
use crate::Roster;

/// Why changes are not carried out unless somebody insists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// Too many would go.
    #[error("{going} of {all} {what} would go, more than a third: the list is not complete, or the mapping is wrong")]
    Vanishing {
        /// What.
        what: &'static str,
        /// How many.
        going: usize,
        /// Of how many.
        all: usize,
    },
    /// Too many rows can't be used.
    #[error("{unusable} of {rows} rows of the list can't be used, more than a third: the mapping is wrong")]
    Unusable {
        /// How many.
        unusable: usize,
        /// Of how many.
        rows: usize,
    },
    /// There is nobody on the list.
    #[error("there is nobody on the list: the mapping is wrong, or the list is not complete")]
    Empty,
}

/// Whether a part is more than a third of the whole.
fn is_much(part: usize, whole: usize) -> bool {
    part * 3 > whole
}

impl Changes {
    /// Refuses changes that can't be meant.
    ///
    /// # Errors
    /// [`Excess`], if more than a third of what came by the list would go, or of its rows can't be used.
    pub fn check(&self, present: &Present, roster: &Roster) -> Result<(), Excess> {
        if roster.people.is_empty() {
            return Err(Excess::Empty);
        }
        if is_much(roster.unusable, roster.rows) {
            return Err(Excess::Unusable { unusable: roster.unusable, rows: roster.rows });
        }
        let totals = self.totals();
        let accounts = present.accounts.values();
        let people = accounts.filter(|account| !account.source.is_here() && account.suspended_at.is_none()).count();
        let courses = present.courses.values().filter(|course| !course.source.is_here() && !course.unlisted).count();
        let students = present
            .enrolments
            .iter()
            .filter(|(course, _)| present.courses.get(*course).is_some_and(|course| !course.source.is_here()));
        let entries = students.flat_map(|(_, enrolments)| enrolments.students.values());
        let enrolled = entries.filter(|entry| !entry.source.is_here() && !entry.unlisted).count();
        for (what, going, all) in [
            ("people", totals.suspended, people),
            ("courses", totals.courses_ended, courses),
            ("enrolments", totals.left, enrolled),
        ] {
            if is_much(going, all) {
                return Err(Excess::Vanishing { what, going, all });
            }
        }
        Ok(())
    }
}
