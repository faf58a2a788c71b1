//! What travels over HTTP: the bodies of requests and answers, shared by server and client.
//!
//! Nothing here decides anything. Texts that people send are turned into the model here, once, with errors that name
//! the field and the accepted form.

mod account;
mod app;
mod cluster;
mod container;
mod description;
mod engine;
mod error;
mod event;
mod explain;
mod operation;
mod role;
mod time;
mod token;

pub use account::{AccountRequest, AccountView, LogIn, LoggedIn, PasswordChange, RoleChange, RoleView};
pub use app::{AppChange, AppView, SlotView};
pub use cluster::{
    ClusterInfo, HomelessView, MoveView, RebalanceRequest, RebalanceView, ScoreView, SilentEngine, SurvivalView,
};
pub use container::{ContainerView, EngineOfContainer};
pub use description::{
    DEFAULT_CPU_LIMIT_MILLIS, Defaults, ImageDescription, PortDescription, PortNumber, RestartDescription,
};
pub use engine::{EngineRequest, EngineView, HealthView, RegistryAuthRequest};
pub use error::{ErrorBody, FieldError};
pub use event::EventView;
pub use explain::{ExplainRequest, ExplainView, HostExplanation, SlotExplanation};
pub use operation::OperationView;
pub use role::{PermissionsRequest, RoleDetail, RoleRequest};
pub use time::{format_timestamp, parse_timestamp};
pub use token::{LifeSpan, TokenCreated, TokenRequest, TokenView};
