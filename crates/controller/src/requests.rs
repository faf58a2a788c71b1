//! What people ask for: each an edit of a spec, with its operation and its event in one transaction.
//!
//! The world is read, the edit is made on a copy, and the commit compares what was read; if somebody was faster, it is
//! all done anew.

mod app_logs;
mod apps;
mod attempts;
mod commit;
mod containers;
mod courses;
mod coursework;
mod duty;
mod edit;
mod engines;
mod environments;
mod events;
mod hands;
mod idempotency;
mod images;
mod labs;
mod logs;
mod messages;
mod recordings;
mod registries;
mod saves;
mod sites;
mod terminals;
mod usage;
mod wall;
mod watching;
mod workspaces;

pub use app_logs::{AppLogPiece, MOST_MERGED};
pub use attempts::{AttemptBeginning, AttemptNow, LabRun, LabRunResult, MOST_ATTEMPTS_OF_ONE, QuizReply};
pub use containers::Container;
pub(crate) use courses::version_for;
pub use courses::{CourseChange, CourseNow, LabAhead, MOST_COURSES_OF_ONE, StudentChange};
pub use coursework::{
    DueChange, ExtensionChange, GradeChange, GradeLineChange, Gradebook, GradebookRow, LabResult, WorkChange, WorkNow,
};
pub use edit::Started;
pub use environments::{MOST_ENVIRONMENTS_OF_ONE, MOST_WARM_OF_ONE};
pub use hands::HandNow;
pub(crate) use idempotency::Remembered;
pub use idempotency::{Idempotency, Once};
pub use images::{PoolImage, PoolImages};
pub use labs::{
    ImportedLab, LabBefore, LabFileNow, LabOutline, LabOutlineStep, LabPage, LabSetting, LabTarget, MOST_LABS_OF_ONE,
};
pub use logs::{ContainerLog, MOST_LOG_READERS, MOST_LOG_READERS_OF_ONE};
pub(crate) use messages::MESSAGE_MS;
pub use recordings::{ConsentNow, RecordingNow};
pub use saves::SaveChanges;
pub(crate) use saves::refused as of_save;
pub use sites::{SiteContainer, WorkspaceSite};
pub(crate) use terminals::end_of_record;
pub use terminals::{MOST_TERMINALS, MOST_TERMINALS_OF_ONE, TerminalNow, TerminalRequest, TerminalWay};
pub use usage::UsageNow;
pub use wall::{MOST_ON_WALL, WallEntry, WallOutcome, WallScope, WallWork};
pub use watching::Watch;
pub(crate) use watching::workspace_of as workspace_of_terminal;
pub(crate) use workspaces::Claims;
pub use workspaces::{MOST_WORKSPACES_OF_ONE, OpenWorkspace, WorkspaceBeginning, WorkspaceChange, WorkspaceNow};

use pierhead_model::{AppName, ContainerSpec, OperationId, OperationState, TerminalId, Username};
use std::time::Duration;

/// Who asks, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub username: Username,
    /// Whether they may change what belongs to others, and containers that are not Pierhead's.
    pub may_change_all: bool,
    /// Whether they may run containers with the host's network or paths, and with volumes of others.
    pub may_run_privileged: bool,
}

/// A request to run containers.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// What they are.
    pub spec: ContainerSpec,
    /// The app to add them to, or the name of a new one.
    pub app: Option<AppName>,
    /// How many.
    pub count: u32,
    /// Whether the image is pulled even where it is present.
    pub pull: bool,
    /// How long it may take.
    pub timeout: Option<Duration>,
}

/// How many people work, in words.
fn people_work(people: usize) -> String {
    if people == 1 { "1 person works".to_owned() } else { format!("{people} people work") }
}

/// Why a request was refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RequestError {
    /// There is no such thing.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for.
        id: String,
        /// The container that took its place.
        replaced_by: Option<String>,
    },
    /// A prefix that several ids begin with.
    #[error("{prefix} is the beginning of {count} container ids; give more of it")]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// How many begin with it.
        count: usize,
    },
    /// It is there already.
    #[error("{what} {id} exists already")]
    Exists {
        /// What kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The app of that name is something else.
    #[error(
        "app {app} exists with another description or owner; change it with 'pierhead app set', or choose another name"
    )]
    Differs {
        /// The app.
        app: AppName,
    },
    /// They may not.
    #[error("{0}")]
    Forbidden(String),
    /// A named volume that is not their own.
    #[error("volumes[{at}] must be a volume of your own, such as {owner}.data; only an administrator mounts {volume}")]
    ForeignVolume {
        /// Its place in the list.
        at: usize,
        /// Its name.
        volume: String,
        /// Who asks.
        owner: Username,
    },
    /// A link to a container that is not their own.
    #[error("links must name containers of your own apps; only an administrator may link to {0}, which is not yours")]
    ForeignLink(String),
    /// Too late to call it off.
    #[error("operation {id} has ended: {}", .outcome.as_str())]
    Ended {
        /// The operation.
        id: OperationId,
        /// How it ended, or is about to.
        outcome: OperationState,
    },
    /// There is nothing to give up.
    #[error("nothing is frozen: no hosts vanished at once")]
    NotFrozen,
    /// There is nothing to settle.
    #[error("nothing is to be settled: the records were not restored from a backup, or that is settled")]
    NotRestored,
    /// More than there can be.
    #[error("{field} must be {expected}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// The accepted form.
        expected: String,
    },
    /// The key was used for another request.
    #[error("this Idempotency-Key was used for another request; use a new key for each request")]
    KeyReused,
    /// As many logs are read as can be.
    #[error("{MOST_LOG_READERS} logs are being read already; end one of them and try again")]
    TooManyLogReaders,
    /// As many as one account can read.
    #[error("you are reading {MOST_LOG_READERS_OF_ONE} logs already; end one of them and try again")]
    TooManyLogReadersOfOne,
    /// Nothing can be started in it.
    #[error("container {container} does not run; start it first")]
    NotRunning {
        /// Its name.
        container: String,
    },
    /// As many terminals run as can.
    #[error("{MOST_TERMINALS} terminals run already; end one of them and try again")]
    TooManyTerminals,
    /// As many as one account can have.
    #[error("you have {MOST_TERMINALS_OF_ONE} terminals already; end one of them and try again")]
    TooManyTerminalsOfOne,
    /// Something begins from a save.
    #[error("save {id} is needed: {by} begins from it")]
    SaveNeeded {
        /// The save.
        id: String,
        /// What.
        by: String,
    },
    /// Its hosts do not answer.
    #[error("no host that answers has all that is needed of save {id}; try again later")]
    SaveAway {
        /// The save.
        id: String,
    },
    /// One comparison of one account goes on at a time.
    #[error("you are comparing a save already; wait until that is done and try again")]
    Comparing,
    /// Its hosts have too much to do.
    #[error("the hosts that have save {id} merge or compare as many images as they can; try again in a minute")]
    SaveBusy {
        /// The save.
        id: String,
    },
    /// As many workspaces as one account can have.
    #[error("you have {MOST_WORKSPACES_OF_ONE} workspaces already; end one of them and try again")]
    TooManyWorkspacesOfOne,
    /// As many attempts as one account can have.
    #[error("you have {MOST_ATTEMPTS_OF_ONE} attempts at labs already; delete one of them and try again")]
    TooManyAttemptsOfOne,
    /// An attempt can't be dealt with as things stand.
    #[error("attempt {id} {why}")]
    AttemptState {
        /// The attempt.
        id: String,
        /// Why not.
        why: &'static str,
    },
    /// As many environments as one account can have.
    #[error("you have {MOST_ENVIRONMENTS_OF_ONE} environments already; delete one of them and try again")]
    TooManyEnvironmentsOfOne,
    /// As many labs as one account can have.
    #[error("you have {MOST_LABS_OF_ONE} labs already; delete one of them and try again")]
    TooManyLabsOfOne,
    /// A file of a lab is not what it was when it was read.
    #[error(
        "{path} was changed meanwhile{}; nothing was written over it",
        .by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default()
    )]
    ChangedMeanwhile {
        /// The file.
        path: String,
        /// By whom, as far as that is remembered.
        by: Option<Username>,
        /// When.
        at: Option<pierhead_model::Timestamp>,
    },
    /// What is wrong with a lab.
    #[error("the lab has {} that must be mended first", if .0.len() == 1 { "an error".to_owned() } else { format!("{} errors", .0.len()) })]
    LabInvalid(Vec<pierhead_lab::Problem>),
    /// It can't be done as things stand.
    #[error("lab {id} {why}")]
    LabState {
        /// The lab.
        id: String,
        /// Why not.
        why: &'static str,
    },
    /// People work at a lab, or at a version of it.
    #[error("{} at {what}: it can be deleted once they are done, or their attempts are gone", people_work(*.people))]
    LabInUse {
        /// The lab, or the version, in words.
        what: String,
        /// How many people.
        people: usize,
    },
    /// The files of a lab can't be had or kept.
    #[error(transparent)]
    Library(#[from] crate::labs::LibraryError),
    /// As many courses as one account can give.
    #[error("you have {MOST_COURSES_OF_ONE} courses already; delete one of them and try again")]
    TooManyCoursesOfOne,
    /// The school's list says how it is.
    #[error("{0}; it comes from the school's own list: change it there")]
    FromRoster(String),
    /// Work can't be handed in, or tried again, as things stand.
    #[error("{0}")]
    WorkState(String),
    /// Too often for the hosts.
    #[error("{what} are made too often; try again in {seconds} s")]
    TooOften {
        /// What.
        what: &'static str,
        /// How long to wait.
        seconds: u64,
    },
    /// It can't be done as things stand.
    #[error("workspace {id} {why}")]
    WorkspaceState {
        /// The workspace.
        id: String,
        /// Why not.
        why: &'static str,
    },
    /// What shall be done or said is for nobody.
    #[error("nobody is meant by that: there is no workspace of somebody else here that you lead")]
    Nobody,
    /// As many viewers as can be.
    #[error("as many terminals are looked at as can be; close one of them and try again")]
    TooManyViewers,
    /// It is over.
    #[error("terminal {id} has ended{}{reason}", if .reason.is_empty() { "" } else { ": " })]
    TerminalOver {
        /// The terminal.
        id: TerminalId,
        /// Why, for a person.
        reason: String,
    },
    /// The place where a terminal lives can't do it.
    #[error(transparent)]
    TerminalHome(crate::terminals::HomeError),
    /// The archive is not taken.
    #[error(transparent)]
    Archive(crate::images::ArchiveError),
    /// The engine can't do it.
    #[error("host {engine}: {source}")]
    Engine {
        /// The engine.
        engine: String,
        /// What it says.
        source: pierhead_engine::EngineError,
    },
    /// The store can't do it.
    #[error(transparent)]
    Store(#[from] pierhead_store::Error),
}

/// The most slots of one app.
pub const MOST_SLOTS: u32 = 2_000;
