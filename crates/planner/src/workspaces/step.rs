//! What to do next for workspaces, as data: an action carries every choice.

use pierhead_model::{
    Asks, ContainerId, EngineId, Environment, EnvironmentContainer, EnvironmentFile, EnvironmentId, EnvironmentSpec,
    Generation, ImageReference, MemberName, SaveId, Subnet, TerminalId, Username, WorkspaceAssignment, WorkspaceId,
};
use std::collections::BTreeMap;

/// The next safe steps of workspaces, and why others can't be done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkspacePlan {
    /// Records to write before anything else is done.
    pub writes: Vec<WorkspaceWrite>,
    /// What to do on engines.
    pub actions: Vec<WorkspaceAction>,
    /// What workspaces wait for, in words.
    pub blocked: BTreeMap<WorkspaceId, String>,
    /// Environments, as they are described, of which one more workspace is to be started ahead.
    pub warm: Vec<Environment>,
    /// Whether more are to be when some time has passed.
    pub warm_later: bool,
}

/// A record to write.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkspaceWrite {
    /// Where a workspace lives and how far it is, and what is told of it in the same transaction.
    Assign {
        /// The record.
        assignment: Box<WorkspaceAssignment>,
        /// What is told.
        told: Option<Happened>,
    },
    /// Nothing is left of a workspace, and it has ended.
    Forget(WorkspaceId),
}

impl WorkspaceWrite {
    /// The workspace that it is about.
    #[must_use]
    pub fn workspace(&self) -> &WorkspaceId {
        match self {
            Self::Assign { assignment, .. } => &assignment.workspace,
            Self::Forget(id) => id,
        }
    }
}

/// Something that people may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// What: the type of an event.
    pub kind: &'static str,
    /// More of it, for a person.
    pub message: String,
}

/// One step on one engine.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkspaceAction {
    /// Where.
    pub engine: EngineId,
    /// The workspace that it is for.
    pub workspace: WorkspaceId,
    /// The generation.
    pub generation: Generation,
    /// What to do.
    pub step: WorkspaceStep,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkspaceStep {
    /// Make the network and these containers, and start them.
    Create {
        /// The network; the one that is there already does.
        network: NewNetwork,
        /// The containers, in the order in which they start.
        containers: Vec<NewWorkspaceContainer>,
        /// The save that they are made from; the environment's images without.
        from: Option<SaveId>,
    },
    /// Start a container that is there.
    Start(ContainerId),
    /// Do what follows a start: put files into it, and run the script, if there is one.
    Prime {
        /// The container.
        container: ContainerId,
        /// Its name in the environment.
        name: MemberName,
        /// The files; none if it was made from a save, or had them before.
        files: Vec<EnvironmentFile>,
        /// The script, for `/bin/sh`.
        script: Option<String>,
    },
    /// Open a shell that waits with its prompt for whoever is given the workspace.
    OpenShell {
        /// The container.
        container: ContainerId,
        /// The terminal's id.
        terminal: TerminalId,
    },
    /// Freeze these containers.
    Pause(Vec<ContainerId>),
    /// Let these containers, which are frozen, go on.
    Unpause(Vec<ContainerId>),
    /// Save it.
    Save(Box<SaveOrder>),
    /// Remove these containers, running or not, and the network after them.
    Remove {
        /// The containers.
        containers: Vec<ContainerId>,
        /// The network's name.
        network: String,
    },
}

/// A network to make.
#[derive(Debug, Clone, PartialEq)]
pub struct NewNetwork {
    /// Its name on the engine.
    pub name: String,
    /// Its addresses.
    pub subnet: Subnet,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it leads to the world outside.
    pub egress: bool,
}

/// A container to make.
#[derive(Debug, Clone, PartialEq)]
pub struct NewWorkspaceContainer {
    /// Its name on the engine.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What it is. By its name in it the others find it.
    pub description: EnvironmentContainer,
    /// What its environment asks for beyond what everybody gets.
    pub asks: Asks,
}

/// A save to make. Its id was chosen before, so that one that is made again is the same.
#[derive(Debug, Clone, PartialEq)]
pub struct SaveOrder {
    /// Its id.
    pub id: SaveId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The generation of its containers.
    pub generation: Generation,
    /// Whose it is.
    pub owner: Username,
    /// What people shall call it.
    pub name: String,
    /// The environment that the workspace was made from.
    pub environment: EnvironmentId,
    /// The version of it.
    pub version: u32,
    /// What that version said.
    pub spec: EnvironmentSpec,
    /// The save that its containers were made from; the environment's images without.
    pub from: Option<SaveId>,
    /// Its containers.
    pub containers: Vec<SavedContainer>,
    /// Whether nobody asked for it: it is made so that nothing is lost.
    pub automatic: bool,
    /// Whether its containers are stopped before, so that nothing is written that is not in it.
    pub stops: bool,
    /// Whether they are started again if it fails.
    pub restarts: bool,
}

/// A container to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedContainer {
    /// Its name in the environment.
    pub name: MemberName,
    /// Its id.
    pub id: ContainerId,
    /// The image of its environment: the base of its saves.
    pub image: ImageReference,
}
