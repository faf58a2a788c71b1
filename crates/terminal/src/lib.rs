//! Terminals that several people share: the log of what was printed, the screen, who drives, and the protocol.
//!
//! Nothing here reads a clock or a stream: a [`Session`] is told what happened and at what time, and says what shall be
//! done. What is stored and who may come is not decided here.

mod demultiplex;
mod error;
mod frame;
mod log;
mod message;
mod picture;
mod recording;
mod screen;
mod session;

pub use demultiplex::Demultiplexer;
pub use error::ProtocolError;
pub use frame::{Frame, FrameDecoder, LONGEST_FRAME};
pub use message::{Asked, ClientMessage, Role, ServerMessage, SizeOf, ViewerView};
pub use picture::{LARGEST_PICTURE, Picture, PictureChange, PictureLine, PictureRun};
pub use session::{Effect, End, PictureMark, Pulled, Right, Session, SessionSpec, SessionView, ViewerId, Visitor};

/// The WebSocket subprotocol that [`Frame`]s belong to.
pub const SUBPROTOCOL: &str = "pierhead.terminal.v1";
/// The WebSocket subprotocol of walls of small pictures.
pub const WALL_SUBPROTOCOL: &str = "pierhead.wall.v1";
