//! Why something could not be done on an engine, as the planner needs to know it.

use serde::{Deserialize, Serialize};

/// A failure on an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it is; decides what is tried next.
    pub kind: FailureKind,
    /// What happened, for a person.
    pub message: String,
    /// The last lines that the container printed, as it printed them, if it got so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The engine did not answer, or not in time: nobody knows whether it was done.
    Unreachable,
    /// A port of the host was taken by something that we did not know of.
    PortTaken,
    /// The addresses of a network were taken by something that we did not know of.
    SubnetTaken,
    /// The image is not on the host and could not be pulled.
    NoImage,
    /// The host has no room on its disk.
    NoSpace,
    /// The engine refuses the description itself: it would refuse it anywhere.
    Refused,
    /// The container was created but did not start.
    NotStarted,
    /// The container exited although it should run.
    Exited,
    /// A container of that name is there already.
    NameTaken,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// Whether another host would fail in the same way, so that trying it is a waste.
    #[must_use]
    pub fn is_everywhere(self) -> bool {
        self == Self::Refused
    }

    /// The machine-readable code of it in answers.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "engine_unreachable",
            Self::PortTaken => "port_taken",
            Self::SubnetTaken => "subnet_taken",
            Self::NoImage => "no_such_image",
            Self::NoSpace => "no_space",
            Self::Refused => "refused_by_engine",
            Self::NotStarted => "not_started",
            Self::Exited => "exited",
            Self::NameTaken => "name_taken",
            Self::Other => "engine_failed",
        }
    }
}

impl Failure {
    /// A failure with its message.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), log: Vec::new() }
    }
}
