//! What can go wrong, in terms that the planner understands.

use pierhead_model::{Failure, FailureKind};

/// Why a call did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The connection could not be made, or broke.
    #[error("the engine cannot be reached: {0}")]
    Unreachable(String),
    /// No answer within the deadline: nobody knows whether it was done.
    #[error("the engine did not answer '{call}' within {milliseconds} ms")]
    TimedOut {
        /// The verb.
        call: &'static str,
        /// The deadline.
        milliseconds: u64,
    },
    /// There is no such container.
    #[error("the engine has no such container")]
    NotFound,
    /// There is a container or a network of that name already.
    #[error("the engine has a container of that name already")]
    NameTaken,
    /// A port of the host is bound by something else.
    #[error("a port of the host is taken: {0}")]
    PortTaken(String),
    /// The addresses of a network are taken by something else.
    #[error("the network's addresses are taken on the host: {0}")]
    SubnetTaken(String),
    /// The image is not there and cannot be pulled.
    #[error("no such image: {0}")]
    NoImage(String),
    /// The host's disk is full.
    #[error("no space left on the host: {0}")]
    NoSpace(String),
    /// The engine refuses the request itself.
    #[error("the engine refuses: {0}")]
    Refused(String),
    /// The host has as much of this kind to do as it can.
    #[error("the host is busy: {0}")]
    Busy(String),
    /// The container did not start.
    #[error("the container did not start: {0}")]
    NotStarted(String),
    /// Anything else that the engine says.
    #[error("the engine failed: {0}")]
    Failed(String),
}

/// The result of a call.
pub type Result<T> = std::result::Result<T, EngineError>;

impl EngineError {
    /// Whether a registry did not give an image to who asked for it: they have to say who they are, or may not. Some
    /// registries answer the same for an image that is not there.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        let Self::NoImage(reason) = self else { return false };
        let words = reason.to_lowercase();
        DENIED.iter().any(|part| words.contains(part))
    }

    /// The failure in the planner's terms.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let kind = match self {
            Self::Unreachable(_) | Self::TimedOut { .. } => FailureKind::Unreachable,
            Self::NameTaken => FailureKind::NameTaken,
            Self::PortTaken(_) => FailureKind::PortTaken,
            Self::SubnetTaken(_) => FailureKind::SubnetTaken,
            Self::NoImage(_) => FailureKind::NoImage,
            Self::NoSpace(_) => FailureKind::NoSpace,
            Self::Refused(_) => FailureKind::Refused,
            Self::NotStarted(_) => FailureKind::NotStarted,
            Self::NotFound | Self::Busy(_) | Self::Failed(_) => FailureKind::Other,
        };
        Failure::new(kind, self.to_string())
    }
}

/// What registries say, or engines of them.
const DENIED: &[&str] = &[
    "no basic auth credentials",
    "unauthorized",
    "authentication required",
    "access denied",
    "denied: ",
    "incorrect username or password",
    "401",
    "403 forbidden",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_told_from_what_is_not_there() {
        let denied = |reason: &str| EngineError::NoImage(reason.to_owned()).is_denied();
        for reason in [
            "Get \"http://127.0.0.1:5000/v2/a/manifests/1\": no basic auth credentials",
            "pull access denied for nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
            "Get \"http://127.0.0.1:5000/v2/\": unauthorized: authentication required",
        ] {
            assert!(denied(reason), "{reason}");
        }
        for reason in
            ["manifest for a:1 not found: manifest unknown", "dial tcp 127.0.0.1:1: connect: connection refused"]
        {
            assert!(!denied(reason), "{reason}");
        }
        assert!(!EngineError::Failed("unauthorized".to_owned()).is_denied());
    }
}
