//! What to do next, as data: an action carries every choice, so that applying it decides nothing.

use crate::{Refusal, WorkspacePlan};
use pierhead_model::{
    App, AppId, AppName, Assignment, ContainerId, ContainerSpec, EngineId, Generation, HostPort, ImageReference,
    MemberName, Operation, SlotKey,
};
use std::collections::BTreeMap;

/// The next safe steps, and why others can't be done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Records to write before anything else is done: the intent comes first.
    pub writes: Vec<RecordWrite>,
    /// What to do on engines.
    pub actions: Vec<Action>,
    /// What can't be done now, and why.
    pub blocked: Vec<Blocked>,
    /// The same of workspaces.
    pub workspaces: WorkspacePlan,
}

/// A record to write.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordWrite {
    /// Where a slot lives, and what became of it there.
    Assign(Assignment),
    /// Nothing is left of a slot.
    Release(SlotKey),
    /// An operation got further; what it had added may be taken back with it, in one transaction.
    Progress {
        /// The operation as it shall be.
        operation: Box<Operation>,
        /// What becomes of its app.
        app: AppWrite,
    },
}

/// What becomes of an app.
#[derive(Debug, Clone, PartialEq)]
pub enum AppWrite {
    /// It stays as it is.
    Keep,
    /// It is changed.
    Put(App),
    /// It goes: nothing of it is left.
    Delete(AppId, AppName),
}

/// One step on one engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Where.
    pub engine: EngineId,
    /// The slot that it is for, and its generation; absent for what has no record.
    pub slot: Option<(SlotKey, Generation)>,
    /// What to do.
    pub step: Step,
    /// The slot's record once the step has succeeded, if it says anything about it.
    pub then: Option<Assignment>,
}

impl Action {
    /// The container that the action is about, unless it makes one.
    #[must_use]
    pub fn container(&self) -> Option<&ContainerId> {
        match &self.step {
            Step::Create { .. } | Step::Pull(_) => None,
            Step::Start(id) | Step::Stop(id) | Step::Restart(id) | Step::Remove(id) | Step::ReadLog(id) => Some(id),
        }
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Create and start these containers. If one fails, those that were created go again.
    Create {
        /// The containers, in the order in which they start.
        containers: Vec<NewContainer>,
        /// Whether the images are pulled even where they are present.
        pull: bool,
    },
    /// See to it that images are there.
    Pull(Vec<ImageReference>),
    /// Start a container that is there.
    Start(ContainerId),
    /// Stop it.
    Stop(ContainerId),
    /// Stop and start it.
    Restart(ContainerId),
    /// Remove it, running or not; its volumes stay.
    Remove(ContainerId),
    /// Read the end of its log into the newest failure of the record that follows, which is written in any case.
    ReadLog(ContainerId),
}

/// Everything that an engine has to know of a new container.
#[derive(Debug, Clone, PartialEq)]
pub struct NewContainer {
    /// The member of the slot's group.
    pub member: MemberName,
    /// Its name on the engine.
    pub name: String,
    /// What it is.
    pub spec: ContainerSpec,
    /// The host's ports that were chosen for it.
    pub ports: Vec<HostPort>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether its engine restarts it by itself.
    pub engine_restarts: bool,
}

/// Something that can't be done now.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocked {
    /// The slot.
    pub key: SlotKey,
    /// The app's name.
    pub app: AppName,
    /// Why, in words.
    pub reason: String,
    /// Why no host takes it, if that is the reason.
    pub refusal: Option<Refusal>,
}
