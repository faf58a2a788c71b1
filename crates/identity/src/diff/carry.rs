//! Records as they are after a change. What a change does not speak of stays as it is.

use super::{CourseAct, CourseChange, EnrolmentChange, PersonAct, PersonChange, SOURCE};
use crate::hash::fingerprint;
use pierhead_model::{Account, Course, Enrolment, Enrolments, RoleName, Timestamp, Username, Zone};
use std::collections::BTreeSet;

impl PersonChange {
    /// The account after this; `None` for one that is to be made and is there, or to be changed and is not. `fresh` is an id,
    /// and another for the tokens that are good from then on.
    #[must_use]
    pub fn carried_out(&self, account: Option<&Account>, fresh: (String, String), now: Timestamp) -> Option<Account> {
        let (id, epoch) = fresh;
        match (&self.act, account) {
            (PersonAct::Add { full_name, role, password }, None) => Some(
                Account {
                    id,
                    username: self.username.clone(),
                    password_hash: password.as_ref().map(|hash| hash.as_str().to_owned()).unwrap_or_default(),
                    grants: Vec::new(),
                    created_at: now,
                    token_epoch: epoch,
                    full_name: full_name.clone(),
                    source: SOURCE,
                    suspended_at: None,
                    suspended_by_roster: false,
                    roster_password: password.as_ref().map(fingerprint).unwrap_or_default(),
                }
                .with_role(RoleName(role.as_str().to_owned())),
            ),
            (PersonAct::Change { full_name, role, password, resume }, Some(account)) => {
                let mut next = account.clone();
                if let Some(name) = full_name {
                    next.full_name.clone_from(name);
                }
                if let Some(role) = role {
                    next = next.with_role(RoleName(role.as_str().to_owned()));
                }
                if let Some(hash) = password {
                    next.password_hash = hash.as_str().to_owned();
                    next.roster_password = fingerprint(hash);
                    next.token_epoch = epoch;
                }
                if *resume {
                    (next.suspended_at, next.suspended_by_roster) = (None, false);
                }
                Some(next)
            }
            (PersonAct::Suspend, Some(account)) => Some(Account {
                suspended_at: Some(now),
                suspended_by_roster: true,
                token_epoch: epoch,
                ..account.clone()
            }),
            _ => None,
        }
    }
}

impl CourseChange {
    /// The course after this, with the time of making it that it had.
    #[must_use]
    pub fn carried_out(&self, course: &Course) -> Course {
        let mut next = course.clone();
        match &self.act {
            CourseAct::End => next.unlisted = true,
            CourseAct::Set { title, term, zone, teachers, assistants, .. } => {
                next.unlisted = false;
                next.title.clone_from(title);
                next.term.clone_from(term);
                next.zone = zone.clone().unwrap_or(next.zone);
                let listed: BTreeSet<Username> = teachers.union(assistants).cloned().collect();
                // Those who came by the list go with it; those whom somebody put here stay.
                for staff in [&mut next.teachers, &mut next.assistants] {
                    staff.retain(|who| !course.listed.contains(who) && !listed.contains(who));
                }
                next.teachers.extend(teachers.iter().cloned());
                next.assistants.extend(assistants.iter().cloned());
                next.listed = listed;
            }
        }
        next
    }

    /// The course that is made by this; it has nothing yet that the list does not say.
    #[must_use]
    pub fn made(&self, now: Timestamp) -> Course {
        let empty = Course {
            id: self.id.clone(),
            title: self.id.to_string(),
            term: String::new(),
            zone: Zone::default(),
            teachers: BTreeSet::new(),
            assistants: BTreeSet::new(),
            listed: BTreeSet::new(),
            labs: Vec::new(),
            sessions: Vec::new(),
            recording_days: 0,
            source: SOURCE,
            archived: false,
            unlisted: false,
            created_at: now,
        };
        self.carried_out(&empty)
    }
}

impl EnrolmentChange {
    /// Who takes the course after this.
    #[must_use]
    pub fn carried_out(&self, enrolments: &Enrolments, now: Timestamp) -> Enrolments {
        let mut next = enrolments.clone();
        for who in &self.enrol {
            let fresh = Enrolment { since: now, suspended: false, source: SOURCE, unlisted: false };
            next.students.entry(who.clone()).or_insert(fresh);
        }
        for (list, unlisted) in [(&self.resume, false), (&self.suspend, true)] {
            for who in list {
                if let Some(entry) = next.students.get_mut(who) {
                    entry.unlisted = unlisted;
                }
            }
        }
        if self.regroup.is_empty() {
            return next;
        }
        // All at once: a course of thousands has hundreds of groups.
        let moved: BTreeSet<&Username> = self.regroup.iter().map(|(who, _)| who).collect();
        for members in next.groups.values_mut() {
            members.retain(|who| !moved.contains(who));
        }
        for (who, group) in &self.regroup {
            if let Some(group) = group {
                next.groups.entry(group.clone()).or_default().insert(who.clone());
            }
        }
        next.groups.retain(|_, members| !members.is_empty());
        next
    }
}
