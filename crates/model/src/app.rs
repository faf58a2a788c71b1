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
    /// Rises with each change of the description.
    pub version: u32,
    /// The slots that shall be there. How many run is how many want to.
    pub slots: BTreeMap<Slot, SlotIntent>,
    /// The number of the next slot.
    pub next_slot: u32,
    /// When it was made.
    pub created_at: Timestamp,
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

    /// How many slots shall run.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.slots.values().filter(|intent| intent.wish == SlotWish::Running).count()
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
