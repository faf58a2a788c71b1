//! Terminals in containers: where each one lives, who may come, and what becomes of it.
//!
//! A terminal is a process in a container whose pseudo-terminal and whose log of bytes belong to a **home**: the agent of
//! the container's host if it has one that can, else the controller that opened it. Docker can neither attach to such a
//! process again nor end it, so what is lost with a home is lost. The store has one record of each terminal, which names
//! its home; every controller passes viewers on to it. Nothing here knows what a frame means: that is the session's, in
//! its home.

mod ending;
mod here;
mod keeper;
mod live;

pub(crate) use ending::end_marked;
pub(crate) use here::Here;
pub(crate) use keeper::{Keeper, role_of};
pub use live::Looking;
pub(crate) use live::Terminals;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use pierhead_model::{ContainerId, EngineId, TerminalId, Username};
use pierhead_sessions::Wanted;
use pierhead_terminal::{Frame, PictureChange, Role, SessionView, Visitor};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// A place where terminals live: this controller, another one, or the agent of a host.
///
/// Every call ends within a few seconds. What lives in a home goes on without any caller: dropping a [`Line`] is a viewer
/// who left, and nothing more.
#[async_trait]
pub trait TerminalHome: Send + Sync {
    /// Makes the process and keeps its terminal from now on. What bears this id there already is left as it is, and that
    /// is a success: the first answer may have been lost.
    ///
    /// # Errors
    /// [`HomeError::Unable`] if this home keeps no terminals (an agent of an older version), [`HomeError::Full`], or
    /// [`HomeError::Refused`] with the engine's words if the process can't be made. Then nothing is left of it.
    async fn open(&self, order: &TerminalOrder) -> Result<(), HomeError>;

    /// Somebody comes to a terminal. What they may at most is said here; the first frame that they send must be `attach`.
    /// The frames of a terminal that has ended go on to its `exit`, and then the line ends.
    ///
    /// # Errors
    /// [`HomeError::Gone`] if no such terminal lives here.
    async fn join(&self, id: &TerminalId, visitor: &Visitor) -> Result<Line, HomeError>;

    /// An account that is there may do this from now on, or nothing (`None`): then its lines end.
    ///
    /// # Errors
    /// [`HomeError::Gone`] if no such terminal lives here.
    async fn grant(&self, id: &TerminalId, username: &Username, role: Option<Role>) -> Result<(), HomeError>;

    /// All terminals that live here or ended less than ten minutes ago, whole, at first and then after each change of one
    /// of them (several may come as one, but no change stays untold for longer than a second). It ends when the home
    /// can't be reached any more.
    ///
    /// # Errors
    /// [`HomeError::Away`], or [`HomeError::Unable`].
    async fn watch(&self) -> Result<BoxStream<'static, Vec<SessionView>>, HomeError>;

    /// Small pictures of the terminals that are wanted: whole at first and then what is new, at most twice a second of
    /// each, until nobody says any more what is wanted.
    ///
    /// # Errors
    /// [`HomeError::Away`], or [`HomeError::Unable`] if it paints none (an agent of an older version).
    async fn pictures(
        &self,
        wanted: watch::Receiver<Wanted>,
    ) -> Result<BoxStream<'static, Vec<PictureChange>>, HomeError>;

    /// What was recorded so far, as a file of asciicast v2 in pieces.
    ///
    /// # Errors
    /// [`HomeError::Gone`] if no such terminal lives here.
    async fn recording(&self, id: &TerminalId) -> Result<BoxStream<'static, std::io::Result<Bytes>>, HomeError>;

    /// Ends a terminal with everything that it has started; `reason` is for people. One that is gone already is a success.
    ///
    /// # Errors
    /// [`HomeError::Away`] if the home can't be reached.
    async fn end(&self, id: &TerminalId, reason: &str) -> Result<(), HomeError>;
}

/// The way to the homes in hosts' agents.
pub trait TerminalHomes: Send + Sync {
    /// The home in the agent of a host; `None` if no tunnel to it is open.
    fn of_agent(&self, engine: &EngineId) -> Option<Arc<dyn TerminalHome>>;
}

/// The variable by which everything that a terminal started is found again.
pub const TERMINAL_VARIABLE: &str = "PIERHEAD_TERMINAL";

/// What a home is asked to open. The home adds [`TERMINAL_VARIABLE`] with the id to the process's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalOrder {
    /// Its id, of the opener's making.
    pub id: TerminalId,
    /// The container's host.
    pub engine: EngineId,
    /// The container that it is in.
    pub container: ContainerId,
    /// What is run: a program and its arguments, at least one word.
    pub command: Vec<String>,
    /// Whether it has a pseudo-terminal. Without one its output and errors are told apart and its input can end.
    pub tty: bool,
    /// As whom it runs, in Docker's words (`root`, `1000:1000`); the container's own user without.
    pub user: Option<String>,
    /// Where it runs; the container's own directory without.
    pub working_dir: Option<String>,
    /// Its width, in cells.
    pub columns: u16,
    /// Its height, in cells.
    pub rows: u16,
    /// What its recording is called.
    pub title: String,
}

/// The two directions between a viewer and a home. Both are bounded: a viewer who does not read gets a snapshot in place of
/// what it missed, and a home that does not read makes the viewer wait.
#[derive(Debug)]
pub struct Line {
    /// To the home; dropping it is leaving.
    pub to_home: mpsc::Sender<Frame>,
    /// From the home; its end is the end of the line.
    pub from_home: mpsc::Receiver<Frame>,
}

/// Why a home did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    /// No such terminal lives there.
    #[error("the terminal is not there any more")]
    Gone,
    /// It can't be reached.
    #[error("the place where the terminal lives can't be reached: {0}")]
    Away(String),
    /// It keeps no terminals.
    #[error("no terminals are kept there")]
    Unable,
    /// It keeps as many as it can.
    #[error("as many terminals live there as can be")]
    Full,
    /// It, or the engine, refuses.
    #[error("{0}")]
    Refused(String),
}
