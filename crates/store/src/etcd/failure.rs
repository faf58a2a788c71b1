//! What can go wrong with one request, and what it means. Pure.

use std::sync::Arc;

use crate::{Error, Revision};

/// Why one request to one member failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// It was not taken: nothing can have happened.
    Unsent(String),
    /// Whether it happened isn't known.
    Unknown(String),
    /// etcd refused it; nothing happened.
    Refused {
        /// gRPC's number for it.
        code: u32,
        /// etcd's words.
        message: String,
    },
}

/// gRPC's numbers.
mod code {
    pub(super) const INVALID_ARGUMENT: u32 = 3;
    pub(super) const NOT_FOUND: u32 = 5;
    pub(super) const PERMISSION_DENIED: u32 = 7;
    pub(super) const RESOURCE_EXHAUSTED: u32 = 8;
    pub(super) const FAILED_PRECONDITION: u32 = 9;
    pub(super) const OUT_OF_RANGE: u32 = 11;
    pub(super) const UNIMPLEMENTED: u32 = 12;
    pub(super) const UNAUTHENTICATED: u32 = 16;
}

impl Failure {
    /// What a status other than success means for the request.
    pub(super) fn of_status(code: u32, message: String) -> Self {
        let is_refusal = matches!(
            code,
            code::INVALID_ARGUMENT
                | code::NOT_FOUND
                | code::PERMISSION_DENIED
                | code::RESOURCE_EXHAUSTED
                | code::FAILED_PRECONDITION
                | code::OUT_OF_RANGE
                | code::UNIMPLEMENTED
                | code::UNAUTHENTICATED
        );
        if is_refusal {
            Self::Refused { code, message }
        } else if message.ends_with("etcdserver: no leader") || message.ends_with("proposal dropped") {
            // Asked for by `hasleader`: the member looks before it takes the request.
            Self::Unsent(message)
        } else {
            Self::Unknown(message)
        }
    }

    /// Whether the session of the user has ended, and a new one would do.
    pub(super) fn asks_for_new_session(&self) -> bool {
        let Self::Refused { code, message } = self else { return false };
        *code == code::UNAUTHENTICATED || message.ends_with("revision of auth store is old")
    }

    pub(super) fn is_lease_gone(&self) -> bool {
        matches!(self, Self::Refused { code: code::NOT_FOUND, message } if message.contains("lease"))
    }

    pub(super) fn is_compacted(&self) -> bool {
        matches!(self, Self::Refused { code: code::OUT_OF_RANGE, message } if message.contains("compacted"))
    }

    /// Whether no space was left. That of a commit may have happened all the same.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Refused { code: code::RESOURCE_EXHAUSTED, message } if message.contains("space exceeded"))
    }

    /// In words, without what names the layers of the transport.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Unsent(reason) | Self::Unknown(reason) | Self::Refused { message: reason, .. } => {
                reason.strip_prefix("etcdserver: ").unwrap_or(reason)
            }
        }
    }
}

/// etcd's own words as a cause.
#[derive(Debug, thiserror::Error)]
#[error("etcd says: {0}")]
struct Said(String);

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let reason = failure.reason().to_owned();
        match failure {
            Failure::Unsent(_) | Failure::Unknown(_) => Self::Unavailable { reason },
            Failure::Refused { .. } if failure.is_compacted() => Self::Compacted { oldest: Revision::ZERO },
            Failure::Refused { .. } if failure.is_full() => Self::Full(Arc::new(Said(reason))),
            Failure::Refused { code: code::RESOURCE_EXHAUSTED, .. } => Self::Unavailable { reason },
            Failure::Refused {
                code: code::PERMISSION_DENIED | code::UNAUTHENTICATED | code::FAILED_PRECONDITION,
                ..
            } => Self::Denied { reason },
            Failure::Refused { code: code::INVALID_ARGUMENT, message }
                if ["authentication failed", "user name", "password"].iter().any(|word| message.contains(word)) =>
            {
                Self::Denied { reason }
            }
            Failure::Refused { .. } => {
                Self::Io { operation: "have its request taken by etcd", source: Arc::new(Said(reason)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: u32, message: &str) -> Failure {
        Failure::of_status(code, message.to_owned())
    }

    #[test]
    fn what_was_not_taken_is_told_from_what_may_have_happened() {
        assert!(matches!(failure(14, "etcdserver: no leader"), Failure::Unsent(_)));
        for message in ["etcdserver: leader changed", "etcdserver: request timed out", "transport is closing"] {
            assert!(matches!(failure(14, message), Failure::Unknown(_)), "{message}");
        }
        assert!(matches!(failure(4, "context deadline exceeded"), Failure::Unknown(_)));
    }

    #[test]
    fn refusals_have_their_meaning() {
        assert!(failure(5, "etcdserver: requested lease not found").is_lease_gone());
        assert!(!failure(5, "etcdserver: member not found").is_lease_gone());
        assert!(failure(11, "etcdserver: mvcc: required revision has been compacted").is_compacted());
        assert!(!failure(11, "etcdserver: mvcc: required revision is a future revision").is_compacted());
        assert!(failure(16, "etcdserver: invalid auth token").asks_for_new_session());
        assert!(failure(3, "etcdserver: revision of auth store is old").asks_for_new_session());

        let error = |code, message| Error::from(failure(code, message));
        assert!(matches!(error(8, "etcdserver: mvcc: database space exceeded"), Error::Full(_)));
        assert!(matches!(error(8, "etcdserver: too many requests"), Error::Unavailable { .. }));
        for (code, message) in [
            (3, "etcdserver: authentication failed, invalid user ID or password"),
            (3, "etcdserver: user name is empty"),
            (7, "etcdserver: permission denied"),
            (9, "etcdserver: authentication is not enabled"),
        ] {
            assert!(matches!(error(code, message), Error::Denied { .. }), "{message}");
        }
        let told = error(14, "etcdserver: request timed out").to_string();
        assert_eq!(told, "the store is not available: request timed out");
    }
}
