//! The sessions of a home, by their ids.

use crate::{Hooks, SessionsError};
use bytes::Bytes;
use pierhead_terminal::{Frame, Role, SessionSpec, SessionView, Visitor};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};

/// The two directions between a viewer and a session.
#[derive(Debug)]
pub struct Line {
    /// To the session; dropping it is leaving.
    pub to_session: mpsc::Sender<Frame>,
    /// From the session; its end is the end of the line. Not reading it holds up nobody else.
    pub from_session: mpsc::Receiver<Frame>,
}

/// The sessions of a home. Clones are the same.
#[derive(Debug, Clone)]
pub struct Sessions {
    most: usize,
}

#[allow(unused_variables, reason = "bodies follow")]
impl Sessions {
    /// A home for at most this many running sessions.
    pub fn new(most: usize) -> Self {
        Self { most }
    }

    /// Begins a session over the stream of its process: raw if it has a pseudo-terminal, else in Docker's frames.
    /// Shutting down the stream's writing side is the end of the input.
    ///
    /// # Errors
    /// [`SessionsError::Exists`], [`SessionsError::Full`].
    pub fn open<P>(&self, spec: SessionSpec, process: P, hooks: Arc<dyn Hooks>) -> Result<(), SessionsError>
    where
        P: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        unreachable!("bodies follow")
    }

    /// Somebody comes. The first frame that they send must be `attach`.
    ///
    /// # Errors
    /// [`SessionsError::Unknown`].
    pub fn attach(&self, id: &str, visitor: Visitor) -> Result<Line, SessionsError> {
        unreachable!("bodies follow")
    }

    /// How it stands with each, those that ended less than ten minutes ago too.
    pub fn list(&self) -> Vec<SessionView> {
        unreachable!("bodies follow")
    }

    /// How it stands with one.
    pub fn get(&self, id: &str) -> Option<SessionView> {
        unreachable!("bodies follow")
    }

    /// Counts up at each change of what [`list`](Self::list) says.
    pub fn changes(&self) -> watch::Receiver<u64> {
        unreachable!("bodies follow")
    }

    /// An account that is there may do this from now on, or nothing (`None`). Whoever comes later comes with the right that
    /// [`attach`](Self::attach) is told.
    ///
    /// # Errors
    /// [`SessionsError::Unknown`].
    pub fn grant(&self, id: &str, username: &str, role: Option<Role>) -> Result<(), SessionsError> {
        unreachable!("bodies follow")
    }

    /// Ends a session and waits until its [`Hooks::end`] has returned. One that ended already is a success.
    ///
    /// # Errors
    /// [`SessionsError::Unknown`].
    pub async fn end(&self, id: &str, reason: &str) -> Result<(), SessionsError> {
        unreachable!("bodies follow")
    }

    /// Ends all sessions and waits for that.
    pub async fn end_all(&self, reason: &str) {
        unreachable!("bodies follow")
    }

    /// What was recorded so far, as a file of asciicast v2.
    ///
    /// # Errors
    /// [`SessionsError::Unknown`].
    pub fn recording(&self, id: &str) -> Result<Vec<Bytes>, SessionsError> {
        unreachable!("bodies follow")
    }
}
