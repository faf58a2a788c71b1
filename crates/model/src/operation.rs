//! Operations: requests that take time, each with a verdict for every slot and an end.

use crate::{AppId, AppName, ContainerId, EngineId, Generation, OperationId, Slot, SlotKey, Timestamp, Username};
use serde::{Deserialize, Serialize};

/// A request that takes time. The API makes it in the transaction of the change that it stands for; the leading
/// controller completes it; any controller can wait for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// What was asked, in a few words ("run 3 of httpd:latest").
    pub title: String,
    /// Who asked.
    pub actor: Username,
    /// The app that it is about; empty for one that moves slots of any app.
    pub app: AppId,
    /// The app's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_name: Option<AppName>,
    /// What it moves from host to host, if that is what it does. Then it has no targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relocation: Option<Relocation>,
    /// The slots that it waits for.
    pub targets: Vec<Target>,
    /// Whether the app itself was made by this operation and goes with it if it fails.
    pub made_app: bool,
    /// The version of its app's description that it brings about; if it fails, the description before comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub describes: Option<u32>,
    /// Whether images are pulled even where they are on the host already.
    #[serde(default)]
    pub pull: bool,
    /// How it will end once everything that it had added is gone again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<OperationState>,
    /// How far it is.
    pub state: OperationState,
    /// What became of each target, in their order. Complete once the operation has ended.
    pub verdicts: Vec<Verdict>,
    /// Why it failed, with a machine-readable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<OperationError>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends with `timed_out` at the latest.
    pub deadline: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// Why an operation failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationError {
    /// A machine-readable code (`no_room`).
    pub code: String,
    /// For a person.
    pub message: String,
    /// The last lines that the container printed that failed, as it printed them; only for those who may read its log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

impl OperationError {
    /// An error with its code and message.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), log: Vec::new() }
    }
}

/// Slots that an operation moves to other hosts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relocation {
    /// The host that everything leaves; without one the moves are all there is, and are done in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drained: Option<EngineId>,
    /// The moves as they were known when it was asked for.
    pub moves: Vec<Move>,
}

/// A slot that goes from one host to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The slot.
    pub key: SlotKey,
    /// The app's name.
    pub app_name: AppName,
    /// Its generation before.
    pub generation: Generation,
    /// The host that it leaves.
    pub from: EngineId,
    /// The host that it goes to; the best one at its turn if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<EngineId>,
}

/// A slot that an operation waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The slot.
    pub slot: Slot,
    /// What it waits for.
    pub goal: Goal,
}

/// What an operation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// A slot that the operation added runs (or, a job, has run); if that fails, it is taken back.
    Added,
    /// A slot that was there runs, all its asked restarts done and its description the newest.
    Running,
    /// It does not run.
    Stopped,
    /// Nothing is left of it.
    Gone,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Not ended.
    Running,
    /// Everything that was asked is so.
    Done,
    /// It could not be done; what it had added was taken back.
    Failed,
    /// It was not done in time; what it had added was taken back.
    TimedOut,
    /// Somebody called it off; what it had added was taken back.
    Cancelled,
}

impl OperationState {
    /// Whether it will never change again.
    #[must_use]
    pub fn has_ended(self) -> bool {
        self != Self::Running
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What became of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The slot.
    pub slot: Slot,
    /// Its app, where the operation is about more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppName>,
    /// How far it is.
    pub state: VerdictState,
    /// The slot's main container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerId>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineId>,
    /// What is going on, or why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// How far a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictState {
    /// Not there yet.
    Pending,
    /// It is as asked.
    Done,
    /// It cannot be done.
    Failed,
}

impl Operation {
    /// The key of one of its targets.
    #[must_use]
    pub fn slot_key(&self, slot: Slot) -> SlotKey {
        SlotKey { app: self.app.clone(), slot }
    }
}
