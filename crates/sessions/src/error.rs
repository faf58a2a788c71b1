//! Why something can't be done with a session.

use thiserror::Error;

/// Why something can't be done with a session.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SessionsError {
    /// There is none with this id, or it ended long ago.
    #[error("there is no terminal {0} here")]
    Unknown(String),
    /// There is one with this id already.
    #[error("there is a terminal {0} here already")]
    Exists(String),
    /// As many as may be.
    #[error("{0} terminals are open here, and no more may be")]
    Full(usize),
}
