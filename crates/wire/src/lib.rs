//! What travels over HTTP: the bodies of requests and answers, shared by server and client.
//!
//! Nothing here decides anything. Texts that people send are turned into the model here, once, with errors that name
//! the field and the accepted form.

mod account;
mod app;
mod attempt;
mod cluster;
mod container;
mod course;
mod coursework;
mod description;
mod engine;
mod error;
mod event;
#[cfg(feature = "openapi")]
mod example;
mod explain;
mod file;
mod image;
mod join;
mod lab;
mod lab_text;
mod operation;
mod preview;
mod recording;
mod registry;
mod role;
mod roster;
mod save;
mod session;
mod stats;
mod terminal;
mod time;
mod token;
mod usage;
mod wall;
mod workspace;

pub use account::{AccountRequest, AccountView, LogIn, LogInWays, LoggedIn, PasswordChange, RoleChange, RoleView};
pub use app::{AppChange, AppView, SlotView};
pub use attempt::{
    AnswerPart, AnswerRequest, Answered, AttemptCheckView, AttemptQuizView, AttemptRequest, AttemptStepView,
    AttemptTerminalView, AttemptView, CheckRequest, LabResultView, LabRunRequest, LabRunView, ResetRequest,
    StepRequest,
};
pub use cluster::{
    ClusterInfo, ControllerView, Health, HomelessView, MoveView, RebalanceRequest, RebalanceView, RestoredView, STALE,
    ScoreView, SilentEngine, SurvivalView, UnknownContainer,
};
pub use container::{ContainerView, EngineOfContainer, GONE_SINCE};
pub use course::{
    CourseAheadView, CourseLabEntry, CourseRequest, CourseSessionEntry, CourseUpdate, CourseView, EnrolEntry,
    EnrolRequest, LinkRequest, LinkView, StudentUpdate, StudentView,
};
pub use coursework::{
    CriterionEntry, ExtensionRequest, ExtensionView, GradeUpdate, GradebookRowView, ResultLine, ResultView,
    SubmissionView, SubmittedCheck, SubmittedQuiz, WallMoment, WorkUpdate, WorkView,
};
pub use description::{
    DEFAULT_CPU_LIMIT_MILLIS, Defaults, ImageDescription, PortDescription, PortNumber, RestartDescription,
};
pub use engine::{AgentView, EngineRequest, EngineView, HealthView, HostView, NestedEngine, RegistryAuthRequest};
pub use error::{ErrorBody, FieldError};
pub use event::{EngineThenView, EventView};
#[cfg(feature = "openapi")]
pub use example::Example;
pub use explain::{ExplainRequest, ExplainView, HostExplanation, SlotExplanation};
pub use file::{FileView, FolderView, MakeFolderRequest, MoveFileRequest};
pub use image::{ArchiveView, ImageView, SpreadView};
pub use join::{JoinTokenCreated, JoinTokenRequest};
pub use lab::{
    LabDiffView, LabDraftView, LabFileDiffView, LabFileView, LabHistoryView, LabRequest, LabSettings, LabVersionView,
    LabView, MoveLabFileRequest, PublishRequest, lab_version,
};
pub use lab_text::{
    LabBlockView, LabCheckView, LabEnvironmentRequest, LabImageView, LabImagesView, LabImportView, LabOutlineView,
    LabPageView, LabPlaceView, LabPreviewRequest, LabProblemView, LabReportView, LabStepLineView, LabStepView,
    LabTerminalView,
};
pub use operation::OperationView;
pub use preview::{PortView, PreviewView};
pub use recording::{ConsentRequest, ConsentView, DeletedRecordingView, RecordingMarkView, RecordingView};
pub use registry::{RegistryChange, RegistryRequest, RegistryView};
pub use role::{PermissionsRequest, RoleDetail, RoleRequest};
pub use roster::{
    RosterChangeView, RosterCsv, RosterProblemView, RosterRequest, RosterStatusView, RosterTotals, RosterView,
};
pub use save::{FileChangeView, SaveChangesView, SaveEnvironmentRequest, SaveView, SavedContainerView};
pub use session::{SessionView, TicketRequest, TicketView};
pub use stats::{ContainerStatsView, EngineStatsView, StatsHistoryView, StatsPointView, StatsSeriesView, StatsView};
pub use terminal::{DEFAULT_SIZE, GuestRequest, TerminalGuest, TerminalRequest, TerminalView, TerminalViewer};
pub use time::{format_timestamp, parse_timestamp};
pub use token::{LifeSpan, TokenCreated, TokenRequest, TokenView};
pub use usage::UsageView;
pub use wall::parse::{WallChangeKind, WallNamed, WallNames};
pub use wall::{
    HandRequest, HandView, HandsView, MessageRequest, MessageView, MessagesReadRequest, MessagesView, WallAsked,
    WallChangeRequest, WallChangeView, WallOutcomeView, WallPersonView, WallSaid, WallTerminalView, WallView,
    WallWorkView,
};
pub use workspace::{
    AsksDescription, EnvironmentChange, EnvironmentContainerDescription, EnvironmentDescription,
    EnvironmentFileDescription, EnvironmentRequest, EnvironmentView, ExtendRequest, WorkspaceContainerView,
    WorkspaceFrom, WorkspaceRequest, WorkspaceSaveRequest, WorkspaceStartRequest, WorkspaceView, check_name, save_id,
};

/// Fields that only a server sets are accepted in a request, ignored, and never sent.
fn is_for_servers(_: &Option<serde_json::Value>) -> bool {
    true
}
