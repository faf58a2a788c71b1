//! What of ours is otherwise than a school's list says, and whether that can be meant. Pure: the same list and the same
//! records give the same changes, which are shown first and then carried out.
//!
//! The list gives the roles of schools only, and takes nothing from accounts that were made here. Whoever it names no longer is
//! suspended, never deleted.

mod carry;
mod excess;

pub use excess::Excess;

use crate::hash::{SchoolHash, fingerprint};
use crate::roster::{Enrolled, Person, Roster, SchoolRole};
use pierhead_model::{Account, Course, CourseId, Enrolments, Origin, Username, Zone};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;

/// What there is here.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// Every account.
    pub accounts: HashMap<Username, Account>,
    /// Every course.
    pub courses: BTreeMap<CourseId, Course>,
    /// Who takes each.
    pub enrolments: BTreeMap<CourseId, Enrolments>,
    /// Names without an account that own something which a new account would get.
    pub taken: HashSet<Username>,
}

/// What is to change, in a fixed order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Of accounts, by user name.
    pub people: Vec<PersonChange>,
    /// Of courses, by id.
    pub courses: Vec<CourseChange>,
    /// Of who takes them, by course.
    pub enrolments: Vec<EnrolmentChange>,
    /// People on the list whose accounts were made here or have roles that no list gives, and those who would get what a
    /// deleted account left: nothing of these is changed.
    pub kept: Vec<Username>,
    /// Courses on the list that were made here: these stay as they are.
    pub kept_courses: Vec<CourseId>,
}

/// What becomes of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonChange {
    /// Whose.
    pub username: Username,
    /// What.
    pub act: PersonAct,
}

/// What is done with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonAct {
    /// It is made.
    Add {
        /// What the person is called.
        full_name: String,
        /// Their role.
        role: SchoolRole,
        /// The school's hash of their password.
        password: Option<SchoolHash>,
    },
    /// It is changed where something is given; and let in again, if the list had suspended it.
    Change {
        /// What the person is called.
        full_name: Option<String>,
        /// Their role.
        role: Option<SchoolRole>,
        /// The school's new hash of their password.
        password: Option<SchoolHash>,
        /// Whether they may log in again.
        resume: bool,
    },
    /// Nobody can log in with it any more.
    Suspend,
}

/// What becomes of a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseChange {
    /// Which.
    pub id: CourseId,
    /// What.
    pub act: CourseAct,
}

/// What is done with a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CourseAct {
    /// It is as the list says: made if it was not there, and goes on if it had ended.
    Set {
        /// Whether it was not there.
        is_new: bool,
        /// What people call it.
        title: String,
        /// The term.
        term: String,
        /// The time zone, if the list says it.
        zone: Option<Zone>,
        /// Its teachers on the list.
        teachers: BTreeSet<Username>,
        /// Its assistants on the list.
        assistants: BTreeSet<Username>,
    },
    /// The list names it no longer.
    End,
}

/// What becomes of who takes a course.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnrolmentChange {
    /// Those who are enrolled.
    pub enrol: Vec<Username>,
    /// Those who are again.
    pub resume: Vec<Username>,
    /// Those whom the list names no longer.
    pub suspend: Vec<Username>,
    /// Those whose group is another, and which; none where there is nothing.
    pub regroup: Vec<(Username, Option<String>)>,
    /// The course.
    pub course: Option<CourseId>,
}

/// How many of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Accounts that are made.
    pub added: usize,
    /// Accounts that are changed.
    pub changed: usize,
    /// Accounts that are suspended.
    pub suspended: usize,
    /// Accounts that are let in again.
    pub resumed: usize,
    /// Courses that are made.
    pub courses_added: usize,
    /// Courses that are changed.
    pub courses_changed: usize,
    /// Courses that end.
    pub courses_ended: usize,
    /// Students who take a course, now or again.
    pub enrolled: usize,
    /// Students who take one no longer.
    pub left: usize,
    /// Students who come into another group.
    pub regrouped: usize,
}

/// What differs.
#[must_use]
pub fn diff(present: &Present, roster: &Roster) -> Changes {
    let mut changes = Changes::default();
    people(present, roster, &mut changes);
    courses(present, roster, &mut changes);
    changes.people.sort_by(|one, other| one.username.cmp(&other.username));
    changes.courses.sort_by(|one, other| one.id.cmp(&other.id));
    changes.enrolments.sort_by(|one, other| one.course.cmp(&other.course));
    changes.kept.sort();
    changes.kept_courses.sort();
    changes
}

fn people(present: &Present, roster: &Roster, changes: &mut Changes) {
    let unclear: HashSet<&Username> = roster.unclear.iter().collect();
    let mut listed = HashSet::with_capacity(roster.people.len());
    for person in &roster.people {
        listed.insert(&person.username);
        if unclear.contains(&person.username) {
            continue;
        }
        match present.accounts.get(&person.username) {
            Some(account) if account.source.is_here() || !account.is_of_school() => {
                changes.kept.push(person.username.clone());
            }
            None if present.taken.contains(&person.username) => changes.kept.push(person.username.clone()),
            found => {
                if let Some(act) = act_of(person, found) {
                    changes.people.push(PersonChange { username: person.username.clone(), act });
                }
            }
        }
    }
    let vanished = present.accounts.values().filter(|account| {
        !account.source.is_here()
            && account.is_of_school()
            && account.suspended_at.is_none()
            && !listed.contains(&account.username)
    });
    let suspend = |account: &Account| PersonChange { username: account.username.clone(), act: PersonAct::Suspend };
    changes.people.extend(vanished.map(suspend));
}

fn act_of(person: &Person, account: Option<&Account>) -> Option<PersonAct> {
    let Some(account) = account else {
        let Person { full_name, role, password, .. } = person.clone();
        // Whoever may not log in gets no account only to be suspended.
        return person.active.then_some(PersonAct::Add { full_name, role, password });
    };
    if !person.active {
        return account.suspended_at.is_none().then_some(PersonAct::Suspend);
    }
    let is_role = account.role().is_some_and(|role| role.0 == person.role.as_str());
    let is_password = |hash: &&SchoolHash| account.roster_password == fingerprint(hash);
    let full_name = (account.full_name != person.full_name).then(|| person.full_name.clone());
    let role = (!is_role).then_some(person.role);
    let password = person.password.as_ref().filter(|hash| !is_password(hash)).cloned();
    let resume = account.suspended_at.is_some() && account.suspended_by_roster;
    let is_same = full_name.is_none() && role.is_none() && password.is_none() && !resume;
    (!is_same).then_some(PersonAct::Change { full_name, role, password, resume })
}

fn courses(present: &Present, roster: &Roster, changes: &mut Changes) {
    let mut listed = HashSet::with_capacity(roster.courses.len());
    let mut rest: &[Enrolled] = &roster.enrolments;
    for at in 0..roster.courses.len() as u32 {
        // They are sorted by course.
        let (of_it, later) = rest.split_at(rest.partition_point(|one| one.course <= at));
        rest = later;
        let course = &roster.courses[at as usize];
        listed.insert(&course.id);
        let found = present.courses.get(&course.id);
        if found.is_some_and(|found| found.source.is_here()) {
            changes.kept_courses.push(course.id.clone());
            continue;
        }
        let staff = |role: SchoolRole| {
            of_it
                .iter()
                .filter(|one| one.role == role)
                .map(|one| roster.people[one.person as usize].username.clone())
                .collect()
        };
        let act = CourseAct::Set {
            is_new: found.is_none(),
            title: course.title.clone(),
            term: course.term.clone(),
            zone: course.zone.clone(),
            teachers: staff(SchoolRole::Teacher),
            assistants: staff(SchoolRole::Assistant),
        };
        let change = CourseChange { id: course.id.clone(), act };
        if found.is_none_or(|found| change.carried_out(found) != *found) {
            changes.courses.push(change);
        }
        let enrolments = present.enrolments.get(&course.id);
        changes.enrolments.extend(enrolment_change(&course.id, enrolments, of_it, roster));
    }
    let vanished = present
        .courses
        .values()
        .filter(|course| !course.source.is_here() && !course.unlisted && !listed.contains(&course.id));
    changes.courses.extend(vanished.map(|course| CourseChange { id: course.id.clone(), act: CourseAct::End }));
}

fn enrolment_change(
    course: &CourseId,
    present: Option<&Enrolments>,
    listed: &[Enrolled],
    roster: &Roster,
) -> Option<EnrolmentChange> {
    let none = Enrolments::default();
    let present = present.unwrap_or(&none);
    let mut change = EnrolmentChange { course: Some(course.clone()), ..EnrolmentChange::default() };
    let groups: HashMap<&Username, &str> =
        present.groups.iter().flat_map(|(name, members)| members.iter().map(move |who| (who, name.as_str()))).collect();
    let mut named = HashSet::with_capacity(listed.len());
    for one in listed.iter().filter(|one| one.role == SchoolRole::Student) {
        let who = &roster.people[one.person as usize].username;
        named.insert(who);
        let is_here = match present.students.get(who) {
            None => {
                change.enrol.push(who.clone());
                false
            }
            Some(entry) if entry.unlisted => {
                change.resume.push(who.clone());
                false
            }
            Some(entry) => entry.source.is_here(),
        };
        let group = one.group.map(|at| roster.groups[at as usize].as_str());
        if roster.has_groups && !is_here && groups.get(who).copied() != group {
            change.regroup.push((who.clone(), group.map(str::to_owned)));
        }
    }
    let vanished = present
        .students
        .iter()
        .filter(|(who, entry)| !entry.source.is_here() && !entry.unlisted && !named.contains(who));
    change.suspend.extend(vanished.map(|(who, _)| who.clone()));
    for list in [&mut change.enrol, &mut change.resume, &mut change.suspend] {
        list.sort();
    }
    change.regroup.sort();
    (!change.is_empty()).then_some(change)
}

impl EnrolmentChange {
    fn is_empty(&self) -> bool {
        self.enrol.is_empty() && self.resume.is_empty() && self.suspend.is_empty() && self.regroup.is_empty()
    }
}

impl Changes {
    /// Whether all is as the list says.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.courses.is_empty() && self.enrolments.is_empty()
    }

    /// How many of each.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for change in &self.people {
            match &change.act {
                PersonAct::Add { .. } => totals.added += 1,
                PersonAct::Suspend => totals.suspended += 1,
                PersonAct::Change { resume: true, .. } => totals.resumed += 1,
                PersonAct::Change { .. } => totals.changed += 1,
            }
        }
        for change in &self.courses {
            match change.act {
                CourseAct::Set { is_new: true, .. } => totals.courses_added += 1,
                CourseAct::Set { .. } => totals.courses_changed += 1,
                CourseAct::End => totals.courses_ended += 1,
            }
        }
        for change in &self.enrolments {
            totals.enrolled += change.enrol.len() + change.resume.len();
            totals.left += change.suspend.len();
            totals.regrouped += change.regroup.len();
        }
        totals
    }

    /// Every change in a line: what is done, and to what. Passwords are told as `password`.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, String)> {
        let people = self.people.iter().map(|change| (change.act.word(), change.told()));
        let courses = self.courses.iter().map(|change| (change.act.word(), change.told()));
        let enrolments = self.enrolments.iter().flat_map(|change| {
            let course = change.course.as_ref().map(ToString::to_string).unwrap_or_default();
            let line = move |word: &'static str, who: &Username, more: &str| (word, format!("{course}: {who}{more}"));
            let group =
                |group: &Option<String>| group.as_ref().map_or(" in no group".to_owned(), |name| format!(" in {name}"));
            let mut lines: Vec<(&'static str, String)> = Vec::new();
            lines.extend(change.enrol.iter().map(|who| line("enrol", who, "")));
            lines.extend(change.resume.iter().map(|who| line("enrol-again", who, "")));
            lines.extend(change.suspend.iter().map(|who| line("leave", who, "")));
            lines.extend(change.regroup.iter().map(|(who, name)| line("regroup", who, &group(name))));
            lines
        });
        people.chain(courses).chain(enrolments)
    }

    /// Tells these changes from all others: 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (word, told) in self.lines() {
            hash.update(format!("{word} {told}\n"));
        }
        // Two hashes of one person are told alike.
        for change in &self.people {
            if let PersonAct::Add { password: Some(hashed), .. } | PersonAct::Change { password: Some(hashed), .. } =
                &change.act
            {
                hash.update(fingerprint(hashed));
            }
        }
        hash.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }
}

impl PersonAct {
    fn word(&self) -> &'static str {
        match self {
            Self::Add { .. } => "add-person",
            Self::Change { .. } => "change-person",
            Self::Suspend => "suspend-person",
        }
    }
}

impl PersonChange {
    fn told(&self) -> String {
        let mut text = self.username.to_string();
        let mut add = |name: &str, value: &str| {
            let _infallible = write!(text, ", {name}={value}");
        };
        match &self.act {
            PersonAct::Add { full_name, role, password } => {
                add("role", role.as_str());
                add("name", full_name);
                if password.is_some() {
                    add("password", "the school's");
                }
            }
            PersonAct::Change { full_name, role, password, resume } => {
                if let Some(role) = role {
                    add("role", role.as_str());
                }
                if let Some(name) = full_name {
                    add("name", name);
                }
                if password.is_some() {
                    add("password", "the school's new one");
                }
                if *resume {
                    add("suspended", "no longer");
                }
            }
            PersonAct::Suspend => {}
        }
        text
    }
}

impl CourseAct {
    fn word(&self) -> &'static str {
        match self {
            Self::Set { is_new: true, .. } => "add-course",
            Self::Set { .. } => "change-course",
            Self::End => "end-course",
        }
    }
}

impl CourseChange {
    fn told(&self) -> String {
        match &self.act {
            CourseAct::End => self.id.to_string(),
            CourseAct::Set { title, term, zone, teachers, assistants, .. } => {
                let list =
                    |people: &BTreeSet<Username>| people.iter().map(ToString::to_string).collect::<Vec<_>>().join("+");
                let zone = zone.as_ref().map_or("", |zone| zone.as_str());
                let (teachers, assistants) = (list(teachers), list(assistants));
                format!(
                    "{}, title={title}, term={term}, zone={zone}, teachers={teachers}, assistants={assistants}",
                    self.id
                )
            }
        }
    }
}

/// What the list is to blame or to thank for.
pub(crate) const SOURCE: Origin = Origin::Roster;

#[cfg(test)]
mod tests;
