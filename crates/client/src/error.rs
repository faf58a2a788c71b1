//! What can go wrong between a question and its answer.

use pierhead_wire::ErrorBody;

/// Why there is no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// An address of a controller does not have the accepted form.
    #[error("address {text:?} of a controller {why}")]
    ParseAddress {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A name or id that cannot be part of a path.
    #[error("{0:?} is not a name or id")]
    ParseName(String),
    /// The HTTP client could not be made.
    #[error("cannot set up the HTTP client")]
    SetUp(#[source] reqwest::Error),
    /// The request could not be put together.
    #[error("cannot write the request")]
    WriteRequest(#[source] serde_json::Error),
    /// The controller answered that it will not or cannot.
    #[error("{}", body.message)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why, for programs and for people.
        body: Box<ErrorBody>,
    },
    /// No controller answered, however often they were tried.
    #[error("cannot reach {url}: {why}")]
    Unreachable {
        /// The last one that was tried.
        url: String,
        /// What happened there.
        why: String,
    },
    /// Something answered that is not a controller, or one that speaks another version.
    #[error("{url} did not answer as a controller does: {why}")]
    ReadAnswer {
        /// Where.
        url: String,
        /// What is odd.
        why: String,
    },
    /// A log that had begun ended too early.
    #[error("the log broke off: {why}")]
    ReadLog {
        /// What happened.
        why: String,
    },
}

impl ClientError {
    /// The HTTP status, if a controller answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The machine-readable code, if a controller answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { body, .. } => Some(&body.code),
            _ => None,
        }
    }
}

/// The innermost cause of an error, which is the one that a person understands ("Connection refused").
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
