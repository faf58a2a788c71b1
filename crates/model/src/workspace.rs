//! Workspaces: environments that were given to somebody. What people want of one is a record of the API, where it lives
//! and how far it is another, of the leading controller.

use crate::{
    ContainerId, EngineId, EnvironmentContainer, EnvironmentId, EnvironmentSpec, Failure, Generation, MemberName,
    Ownership, Resources, SaveId, Subnet, TerminalId, TerminalRole, Timestamp, Username, WorkspaceId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What people want of a workspace. Written by the API only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// What people call it; not unique.
    pub name: String,
    /// Whose it is. One that was started ahead is the environment's owner's until somebody is given it.
    pub owner: Username,
    /// Who else may come, and as what.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub guests: BTreeMap<Username, TerminalRole>,
    /// Those of the guests who may because they are in its owner's group of a course.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_group: BTreeSet<Username>,
    /// The environment that it was made from.
    pub environment: EnvironmentId,
    /// The version of it.
    pub version: u32,
    /// What that version said.
    pub spec: EnvironmentSpec,
    /// What shall become of it.
    pub wish: WorkspaceWish,
    /// Counts how often it was asked for: opened, started, reset.
    pub run: u32,
    /// What its present run begins from.
    pub origin: WorkspaceOrigin,
    /// When its present run was asked for. The queue is served in this order.
    pub asked_at: Timestamp,
    /// By how many minutes the end of its present run was put off.
    #[serde(default)]
    pub extended_minutes: u32,
    /// The last time in its present run that whoever leads its owner had it stand still; none if nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standstill: Option<Standstill>,
    /// Counts the saves that people asked for while it runs.
    #[serde(default)]
    pub saves_asked: u32,
    /// What the newest of these shall be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_name: Option<String>,
    /// Tells the request that opened it from others, where it can be retried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_with: Option<String>,
    /// When it was made, or given to its owner.
    pub created_at: Timestamp,
}

/// What shall become of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkspaceWish {
    /// It runs until its time is over or nobody uses it.
    Running,
    /// It is saved, and nothing of it runs.
    Saved,
    /// It is saved, and goes.
    Ended,
    /// It goes with what is in it: its owner has said so.
    Discarded,
    /// It runs for nobody yet.
    Warm,
}

/// A time in which a workspace stands still: its containers are frozen, and keep what they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standstill {
    /// It has not ended.
    Lasts,
    /// It ended then.
    Until(Timestamp),
}

/// What a run of a workspace begins from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkspaceOrigin {
    /// The images of its environment.
    Environment,
    /// Where it was: its newest save, or its environment if there is none.
    Newest,
    /// A certain save, of this workspace or another.
    Save(SaveId),
}

/// Where a workspace lives and how far it is. Written by the leading controller only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceAssignment {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The run that this is about.
    pub run: u32,
    /// How far it is.
    pub stage: WorkspaceStage,
    /// Where its containers are, as long as there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<WorkspacePlace>,
    /// The highest generation that there ever was.
    pub newest_generation: Generation,
    /// Copies on hosts that were lost, with what was not saved: kept until they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<WorkspacePlace>,
    /// What the containers of this run begin from, wherever they are made; the environment's images without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<SaveId>,
    /// Its newest save, of any run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_save: Option<SaveId>,
    /// When that was complete.
    #[serde(default)]
    pub saved_at: Timestamp,
    /// How many saves were begun: the number of the newest.
    #[serde(default)]
    pub saves_begun: u32,
    /// How many of the saves that people asked for were taken up: each by a save that was begun after it was asked for.
    #[serde(default)]
    pub saves_taken: u32,
    /// When it was ready in this run; none until it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
    /// When somebody or something was last seen to be active in it.
    #[serde(default)]
    pub active_at: Timestamp,
    /// Of how many minutes that were left people were warned last, in this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned_minutes: Option<u32>,
    /// What people should know of this run: that its host was lost, and from when what they see is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What failed last, until it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// How often in a row.
    #[serde(default)]
    pub failures: u32,
    /// The hosts on which it could not be started, in this run.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub avoid: BTreeSet<EngineId>,
    /// Not before this moment is anything tried again.
    #[serde(default)]
    pub not_before: Timestamp,
}

/// How far a workspace is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkspaceStage {
    /// It waits for a host.
    Waiting,
    /// It has a host; its containers are made and started there.
    Starting,
    /// People can work in it.
    Ready,
    /// It is being saved.
    Saving {
        /// As what.
        save: SaveId,
        /// Why.
        cause: SaveCause,
        /// What it shall be called, if people asked for it and said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// It is saved; its containers and its network are being removed.
    Leaving(StopCause),
    /// Nothing of it runs.
    Over {
        /// Why.
        cause: StopCause,
        /// Since when.
        at: Timestamp,
    },
}

/// Why a workspace is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaveCause {
    /// Somebody asked for it; it runs on.
    Asked,
    /// It is about to stop.
    Stops(StopCause),
}

/// Why a workspace stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopCause {
    /// Somebody asked for it.
    Asked,
    /// It was ended.
    Ended,
    /// Its time was over.
    Expired,
    /// Nobody used it.
    Idle,
    /// It begins anew, or from another save.
    Replaced,
    /// Its host is drained; it goes on elsewhere.
    Drained,
    /// It used more of its host's disk than it may.
    DiskFull,
    /// Its host was removed from the pool, and nothing of it was saved.
    HostGone,
    /// It was nobody's yet, and what somebody wants needs its room.
    Yielded,
    /// It was given to somebody while it was paused, and its host had no CPU left for it; it goes on elsewhere.
    NoRoom,
}

/// Containers of a workspace on one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkspacePlace {
    /// The host.
    pub engine: EngineId,
    /// Rises whenever the containers are created anew.
    pub generation: Generation,
    /// The addresses of its network.
    pub subnet: Subnet,
    /// What it holds in the ledger.
    pub reserved: Resources,
    /// The version of the environment that the containers were made from.
    pub version: u32,
    /// What that version said. What is wanted of the workspace may say something else since.
    pub spec: EnvironmentSpec,
    /// What the containers were made from; the environment's images without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<SaveId>,
    /// The containers as their engine named them, once they were seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub containers: BTreeMap<MemberName, ContainerId>,
    /// The containers in which everything was done that follows a start.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub primed: BTreeSet<MemberName>,
    /// The containers that have the files of their environment: written once, as people may change them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub filled: BTreeSet<MemberName>,
    /// Whether there may be work in it that is in no save.
    #[serde(default)]
    pub holds_work: bool,
    /// The save that is made of it, where it was left behind on a host that was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save: Option<SaveId>,
    /// Not before this moment is that tried again.
    #[serde(default)]
    pub not_before: Timestamp,
    /// What was done ahead in it, while it is nobody's.
    #[serde(default, skip_serializing_if = "Ahead::is_nothing")]
    pub ahead: Ahead,
    /// When it was decided.
    pub created_at: Timestamp,
}

/// What was done ahead in a workspace that is nobody's yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ahead {
    /// How many shells were begun in it: the number of the present one. A container that was started again needs another.
    #[serde(default)]
    pub shells: u32,
    /// Whether the present one waits with its prompt, or could not be had.
    #[serde(default)]
    pub has_shell: bool,
    /// Whether its containers are to be frozen: then it holds no CPU in the ledger.
    #[serde(default)]
    pub is_paused: bool,
}

impl Ahead {
    /// Whether nothing was.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Which workspace a container or network was made for, read from its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceOwnership {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The generation.
    pub generation: Generation,
    /// The container of the environment; none for the network.
    pub container: Option<MemberName>,
}

impl WorkspaceOwnership {
    /// The label that carries the workspace's id.
    pub const WORKSPACE: &'static str = "pierhead.workspace";
    /// The label that carries the container's name in the environment.
    pub const CONTAINER: &'static str = "pierhead.container";

    /// Reads the labels of a container or network of this cluster. What bears the label of a slot of an app is never a
    /// workspace's: engines add the labels of an image to those of a container, and anybody may have written those.
    #[must_use]
    pub fn read(labels: &BTreeMap<String, String>) -> Option<Self> {
        if labels.get(Ownership::APP_ID).is_some_and(|id| !id.is_empty()) {
            return None;
        }
        let container = match labels.get(Self::CONTAINER) {
            Some(name) => Some(MemberName::parse(name.clone()).ok()?),
            None => None,
        };
        Some(Self {
            workspace: WorkspaceId::parse(labels.get(Self::WORKSPACE)?.clone()).ok()?,
            generation: Generation(labels.get(Ownership::GENERATION)?.parse().ok()?),
            container,
        })
    }

    /// Writes the labels that [`WorkspaceOwnership::read`] reads, with the cluster's id.
    #[must_use]
    pub fn labels(&self, cluster: &str) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::from([
            (Ownership::CLUSTER.to_owned(), cluster.to_owned()),
            (Self::WORKSPACE.to_owned(), self.workspace.to_string()),
            (Ownership::GENERATION.to_owned(), self.generation.to_string()),
        ]);
        if let Some(container) = &self.container {
            labels.insert(Self::CONTAINER.to_owned(), container.to_string());
        }
        labels
    }
}

impl Workspace {
    /// The name of one of its containers on its engine: creating it twice collides.
    #[must_use]
    pub fn container_name(id: &WorkspaceId, container: &MemberName, generation: Generation) -> String {
        format!("ph-{id}-{container}.{generation}")
    }

    /// The name of its network.
    #[must_use]
    pub fn network_name(id: &WorkspaceId) -> String {
        format!("ph-{id}")
    }

    /// Whether it shall run, for somebody or for nobody yet.
    #[must_use]
    pub fn wants_to_run(&self) -> bool {
        matches!(self.wish, WorkspaceWish::Running | WorkspaceWish::Warm)
    }

    /// Whether it shall stand still.
    #[must_use]
    pub fn stands_still(&self) -> bool {
        self.standstill == Some(Standstill::Lasts)
    }

    /// What somebody may in it; `None` if it is as if it were not there.
    #[must_use]
    pub fn right_of(&self, username: &Username) -> Option<WorkspaceRight> {
        match self.guests.get(username) {
            _ if self.owner == *username => Some(WorkspaceRight::Owner),
            Some(TerminalRole::Driver) => Some(WorkspaceRight::Driver),
            Some(TerminalRole::Viewer) => Some(WorkspaceRight::Viewer),
            None => None,
        }
    }

    /// The id of a shell that is opened ahead in it: opening it twice is opening one.
    #[must_use]
    pub fn shell_ahead(id: &WorkspaceId, generation: Generation, number: u32) -> TerminalId {
        TerminalId::parse(format!("{id}-{generation}-{number}")).expect("letters, digits and hyphens")
    }

    /// The container of its environment that has a name.
    #[must_use]
    pub fn container(&self, name: &MemberName) -> Option<&EnvironmentContainer> {
        self.spec.container(name.as_str())
    }
}

/// What somebody may in a workspace; a later one may all that an earlier one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkspaceRight {
    /// Look.
    Viewer,
    /// Work in it.
    Driver,
    /// Everything.
    Owner,
}

impl WorkspaceAssignment {
    /// Whether containers of it are there, or are being made.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.place.is_some()
    }

    /// Whether a save that people asked for has not begun.
    #[must_use]
    pub fn owes_save(&self, workspace: &Workspace) -> bool {
        workspace.saves_asked > self.saves_taken
    }

    /// The generation that comes next.
    #[must_use]
    pub fn next_generation(&self) -> Generation {
        self.newest_generation.next()
    }

    /// Whether its containers are to be frozen.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.ahead.is_paused)
    }

    /// The place of a generation on an engine: the present one, or one that was left.
    #[must_use]
    pub fn place_of(&self, engine: &EngineId, generation: Generation) -> Option<&WorkspacePlace> {
        self.place.iter().chain(&self.left).find(|place| place.engine == *engine && place.generation == generation)
    }
}

impl StopCause {
    /// Why it stopped, for people, after "it was stopped because …".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Asked => "somebody asked for it",
            Self::Ended => "it was ended",
            Self::Expired => "its time was over",
            Self::Idle => "nobody used it",
            Self::Replaced => "it begins anew",
            Self::Drained => "its host is drained",
            Self::DiskFull => "it used more of the disk than it may",
            Self::HostGone => "its host was removed from the pool",
            Self::Yielded => "what somebody wants needed its room",
            Self::NoRoom => "its host had no CPU left for it",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        Workspace {
            id: WorkspaceId::parse("abcdefgh23").unwrap(),
            name: "my work".to_owned(),
            owner: Username::parse("ann").unwrap(),
            guests: BTreeMap::from([(Username::parse("bob").unwrap(), TerminalRole::Viewer)]),
            environment: EnvironmentId::parse("python").unwrap(),
            version: 3,
            spec: crate::environment::tests::spec(),
            wish: WorkspaceWish::Running,
            run: 1,
            origin: WorkspaceOrigin::Environment,
            asked_at: Timestamp(5),
            extended_minutes: 0,
            by_group: Default::default(),
            standstill: None,
            saves_asked: 0,
            save_name: None,
            opened_with: None,
            created_at: Timestamp(5),
        }
    }

    #[test]
    fn labels_survive_the_way_to_the_engine_and_back() {
        let of = WorkspaceOwnership {
            workspace: workspace().id,
            generation: Generation(3),
            container: Some(MemberName::parse("db").unwrap()),
        };
        let labels = of.labels("c1");
        assert_eq!(WorkspaceOwnership::read(&labels), Some(of.clone()));
        assert_eq!(Ownership::read(&labels), None, "no slot of an app");
        let network = WorkspaceOwnership { container: None, ..of };
        assert_eq!(WorkspaceOwnership::read(&network.labels("c1")), Some(network));
        let mut broken = labels.clone();
        broken.insert(WorkspaceOwnership::CONTAINER.to_owned(), "../x".to_owned());
        assert_eq!(WorkspaceOwnership::read(&broken), None);
    }

    #[test]
    fn records_read_back() {
        let ann = workspace();
        let text = serde_json::to_string(&ann).unwrap();
        assert_eq!(serde_json::from_str::<Workspace>(&text).unwrap(), ann);
        let place = WorkspacePlace {
            engine: EngineId::parse("a").unwrap(),
            generation: Generation(2),
            subnet: Subnet::parse("10.213.0.16/28").unwrap(),
            reserved: Resources::new(1, 2),
            version: 3,
            spec: crate::environment::tests::spec(),
            from: Some(SaveId::of(&ann.id, 1)),
            containers: BTreeMap::new(),
            primed: BTreeSet::new(),
            filled: BTreeSet::new(),
            holds_work: true,
            save: None,
            not_before: Timestamp(0),
            ahead: Ahead { shells: 1, has_shell: true, is_paused: true },
            created_at: Timestamp(1),
        };
        let stages = [
            WorkspaceStage::Waiting,
            WorkspaceStage::Saving {
                save: SaveId::of(&ann.id, 2),
                cause: SaveCause::Stops(StopCause::Idle),
                name: None,
            },
            WorkspaceStage::Over { cause: StopCause::Expired, at: Timestamp(9) },
        ];
        for stage in stages {
            let assignment = WorkspaceAssignment {
                workspace: ann.id.clone(),
                run: 1,
                stage,
                place: Some(place.clone()),
                newest_generation: Generation(2),
                left: Vec::new(),
                resumes: None,
                last_save: None,
                saved_at: Timestamp(0),
                saves_begun: 1,
                saves_taken: 0,
                ready_at: None,
                active_at: Timestamp(3),
                warned_minutes: Some(5),
                note: None,
                failure: None,
                failures: 0,
                avoid: BTreeSet::new(),
                not_before: Timestamp(0),
            };
            let text = serde_json::to_string(&assignment).unwrap();
            assert_eq!(serde_json::from_str::<WorkspaceAssignment>(&text).unwrap(), assignment, "{text}");
            assert!(assignment.is_live() && assignment.place_of(&place.engine, Generation(2)).is_some());
            assert_eq!(assignment.next_generation(), Generation(3));
        }
    }

    #[test]
    fn rights_are_the_owners_and_the_guests() {
        let right = |name: &str| workspace().right_of(&Username::parse(name).unwrap());
        assert_eq!((right("ann"), right("bob")), (Some(WorkspaceRight::Owner), Some(WorkspaceRight::Viewer)));
        assert_eq!(right("eve"), None);
        assert!(WorkspaceRight::Owner > WorkspaceRight::Driver && WorkspaceRight::Driver > WorkspaceRight::Viewer);
    }

    #[test]
    fn names_on_engines_tell_the_workspace() {
        let (id, main) = (workspace().id, MemberName::main());
        assert_eq!(Workspace::container_name(&id, &main, Generation(2)), "ph-abcdefgh23-main.2");
        assert_eq!(Workspace::network_name(&id), "ph-abcdefgh23");
        assert_eq!(Workspace::shell_ahead(&id, Generation(2), 1).as_str(), "abcdefgh23-2-1");
    }
}
