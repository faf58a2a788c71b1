//! Apps: what people want to run, and in how many slots.

use crate::{AppName, ContainerSpec, MemberName, OperationId, Resources, Slot, Timestamp, Username};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Tells an app from an earlier one of the same name: random, made when the app is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppId(pub String);

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An app: identical slots, each a group of containers that are placed together on one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct App {
    /// Unique for ever.
    pub id: AppId,
    /// Unique in the pool as long as the app is.
    pub name: AppName,
    /// Whose it is.
    pub owner: Username,
    /// Whether the app goes with its last slot: it was made by a `run`, not described for itself.
    pub transient: bool,
    /// The containers of every slot, at least one.
    pub members: Vec<Member>,
    /// Tells one description from another; see [`App::describe`].
    pub version: u32,
    /// The highest version that there ever was: numbers are never used twice.
    #[serde(default)]
    pub newest_version: u32,
    /// The last description that all slots ran, while another one is on its way to them. It comes back if that fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<Box<Description>>,
    /// Why the last change of the description was taken back, in words, until it is changed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<String>,
    /// Whether its containers may be linked to those of others, which tells them the environment of these: it was
    /// described by somebody who may.
    #[serde(default)]
    pub links_to_all: bool,
    /// The slots that shall be there. How many run is how many want to.
    pub slots: BTreeMap<Slot, SlotIntent>,
    /// The number of the next slot.
    pub next_slot: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What the slots of an app are made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The containers of every slot.
    pub members: Vec<Member>,
    /// Its version.
    pub version: u32,
    /// Whether the app went with its last slot.
    pub transient: bool,
    /// Whether its containers might be linked to those of others.
    #[serde(default)]
    pub links_to_all: bool,
}

/// One container of a slot's group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Its name within the group.
    pub name: MemberName,
    /// What it is.
    pub spec: ContainerSpec,
}

/// What people want of one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotIntent {
    /// Whether it shall run.
    pub wish: SlotWish,
    /// Counts the starts and restarts that people asked for; the assignment counts those that were carried out.
    #[serde(default)]
    pub restarts: u32,
    /// The operation that added the slot, until that operation has ended. If it fails, the slot is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_by: Option<OperationId>,
}

/// Whether a slot shall run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotWish {
    /// It runs, and heals.
    Running,
    /// It is kept, with its reservation, and left alone.
    Stopped,
}

impl App {
    /// What one slot reserves: the sum over its containers.
    #[must_use]
    pub fn slot_resources(&self) -> Resources {
        self.members.iter().map(|member| member.spec.limits.reserved).sum()
    }

    /// Whether two copies of it must never run at the same time.
    #[must_use]
    pub fn has_one_writer(&self) -> bool {
        self.members.iter().any(|member| member.spec.single_writer)
    }

    /// How many slots shall run.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.slots.values().filter(|intent| intent.wish == SlotWish::Running).count()
    }

    /// Changes what the slots are made from; tells the version that stands for it. What all slots run now is kept until
    /// all run the new one.
    pub fn describe(&mut self, members: Vec<Member>) -> u32 {
        let members = std::mem::replace(&mut self.members, members);
        let (version, transient, links_to_all) = (self.version, self.transient, self.links_to_all);
        let present = Description { members, version, transient, links_to_all };
        // A change that overtakes another one falls back to what was last known to run.
        self.former.get_or_insert_with(|| Box::new(present));
        self.version = self.version.max(self.newest_version) + 1;
        self.newest_version = self.version;
        self.taken_back = None;
        self.version
    }

    /// Returns to the description before, if the present one is of this version and not all slots run it; tells whether
    /// it did.
    pub fn take_back(&mut self, version: u32, reason: &str) -> bool {
        match self.former.take_if(|_| self.version == version) {
            None => false,
            Some(former) => {
                let Description { members, version, transient, links_to_all } = *former;
                (self.members, self.version) = (members, version);
                (self.transient, self.links_to_all) = (transient, links_to_all);
                self.taken_back = Some(reason.to_owned());
                true
            }
        }
    }

    /// Adds `count` slots that shall run, on behalf of an operation, and returns their numbers.
    pub fn add_slots(&mut self, count: u32, operation: &OperationId) -> Vec<Slot> {
        (0..count)
            .map(|_| {
                let slot = Slot(self.next_slot);
                self.next_slot += 1;
                let intent = SlotIntent { wish: SlotWish::Running, restarts: 0, added_by: Some(operation.clone()) };
                self.slots.insert(slot, intent);
                slot
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        App {
            id: AppId("a1".to_owned()),
            name: AppName::parse("web").unwrap(),
            owner: Username::parse("clare").unwrap(),
            transient: true,
            members: Vec::new(),
            version: 1,
            newest_version: 0,
            former: None,
            taken_back: None,
            links_to_all: true,
            slots: BTreeMap::new(),
            next_slot: 0,
            created_at: Timestamp(0),
        }
    }

    #[test]
    fn a_version_is_never_used_twice() {
        let mut app = app();
        assert_eq!(app.describe(Vec::new()), 2);
        (app.transient, app.links_to_all) = (false, false);
        assert!(app.take_back(2, "it failed"));
        assert_eq!((app.version, app.transient, app.taken_back.as_deref()), (1, true, Some("it failed")));
        assert!(app.links_to_all, "as it was described then");
        assert_eq!(app.describe(Vec::new()), 3);
        assert_eq!(app.taken_back, None);
    }

    #[test]
    fn a_change_that_overtakes_another_falls_back_to_what_ran_last() {
        let mut app = app();
        app.describe(Vec::new());
        app.describe(Vec::new());
        assert!(!app.take_back(2, "it failed"), "another one was described since");
        assert!(app.take_back(3, "it failed"));
        assert!(!app.take_back(1, "it failed"), "there is nothing before it");
        assert_eq!(app.version, 1);
    }

    #[test]
    fn a_record_of_before_is_read() {
        let mut old = serde_json::to_value(app()).unwrap();
        for field in ["newest_version", "links_to_all"] {
            old.as_object_mut().unwrap().remove(field);
        }
        let mut read: App = serde_json::from_value(old).unwrap();
        assert!(!read.links_to_all, "nobody gets what they were not given");
        read.version = 7;
        assert_eq!(read.describe(Vec::new()), 8);
    }
}
