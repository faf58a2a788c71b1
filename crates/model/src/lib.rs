//! The nouns of Pierhead: ids, names, specs, engines, apps, assignments, operations, events.
//!
//! Everything may use this crate; it uses nothing of ours, does no I/O, and knows no clock: a moment is passed in.
//!
//! Three kinds of record have one writer each: a **spec** ([`App`], [`Engine`]) says what people want and is written by
//! the API; an [`Assignment`] says where a slot lives and is written by the leading controller; what the engines report
//! ([`ObservedContainer`], [`EngineFacts`]) is never stored as truth.

mod account;
mod app;
mod archive;
mod assignment;
mod attempt;
mod class;
mod course;
mod engine;
mod environment;
mod event;
mod failure;
mod file;
mod host;
mod ids;
mod image;
mod lab;
mod label;
mod observed;
mod operation;
mod port;
mod recording;
mod registration;
mod registry;
mod resources;
mod save;
mod save_registry;
mod spec;
mod subnet;
mod terminal;
mod time;
mod usage;
mod volume;
mod work;
mod workspace;

pub use account::{Account, Grant, Origin, Permission, Role, RoleName, Scope, TokenKind, TokenRecord};
pub use app::{App, AppId, Description, Member, SlotIntent, SlotWish};
pub use archive::{ImageArchive, ImageId};
pub use assignment::{Assignment, Attempt, Exit, Fallback, SlotKey, WriterGuard};
pub use attempt::{CheckResult, CheckState, LabAttempt, QuizAnswer, QuizResult, SetupState, StepProgress};
pub use class::{ClassMessage, Hand, LONGEST_MESSAGE, LONGEST_QUESTION};
pub use course::{Course, CourseLab, CourseRight, CourseSession, Enrolment, Enrolments, Zone};
pub use engine::{
    AgentCertificate, AgentKeys, Capacity, Duty, Engine, EngineFacts, Health, HealthStatus, OverCommit, Registered,
};
pub use environment::{
    Asks, Environment, EnvironmentBlob, EnvironmentContainer, EnvironmentFile, EnvironmentSpec, EnvironmentVersion,
    Visibility,
};
pub use event::{ContainerThen, EngineThen, Event, EventTag};
pub use failure::{Failure, FailureKind};
pub use file::{ArchiveForm, FileAct, FileBefore, FileEntry, FileKind, FileListing, FileName, FilePath, FileTold};
pub use host::HostFacts;
pub use ids::{
    AppName, AttemptId, ContainerId, CourseId, EngineId, EnvironmentId, Generation, Invalid, LabId, MemberName,
    OperationId, SaveId, Slot, Username, WorkspaceId,
};
pub use image::ImageReference;
pub use lab::{Digest, Lab, LabChange, LabDraft, LabDraftThen, LabHistory, LabVersion, LabVersionRef};
pub use label::{LabelExpression, is_label};
pub use observed::{ContainerState, ObservedContainer, ObservedNetwork, Ownership};
pub use operation::{Goal, Move, Operation, OperationError, OperationState, Relocation, Target, Verdict, VerdictState};
pub use port::{HostPort, PortRequest, Protocol};
pub use recording::{DeletedRecording, KeptRecording, RecordingMark};
pub use registration::{Endpoint, REGISTRATIONS, RegisteredSize, Registration};
pub use registry::{Registry, RegistryHost};
pub use resources::Resources;
pub use save::{OwnImage, Save, SaveLimits, SaveState, SaveTotals, SavedFiles};
pub use save_registry::{LeftInRegistry, RegistryCopy, SaveRegistry};
pub use spec::{ContainerSpec, Limits, NetworkMode, Placement, RestartPolicy};
pub use subnet::Subnet;
pub use terminal::{
    Terminal, TerminalEnd, TerminalId, TerminalPlace, TerminalRole, TerminalState, check_container_user,
};
pub use time::Timestamp;
pub use usage::{UsageRecord, Used};
pub use volume::{Volume, VolumeSource};
pub use work::{
    CourseWork, Criterion, FrozenCheck, FrozenQuiz, FrozenResults, Grade, GradeLine, LatePolicy, Outage, Points,
    PointsFrom, Service, Submission, SubmissionKey, SubmissionStage,
};
pub use workspace::{
    Ahead, SaveCause, Standstill, StopCause, Workspace, WorkspaceAssignment, WorkspaceOrigin, WorkspaceOwnership,
    WorkspacePlace, WorkspaceRight, WorkspaceStage, WorkspaceWish,
};
