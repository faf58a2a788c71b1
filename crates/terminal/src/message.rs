//! The text messages of the protocol `pierhead.terminal.v1`, in both directions.

use crate::{Frame, ProtocolError};
use pierhead_model::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether somebody types or looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Their input goes to the terminal, and they own its size.
    Driver,
    /// They look.
    Viewer,
}

/// Somebody who is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewerView {
    /// Tells them from others, of the same account too.
    pub id: String,
    /// Who.
    pub username: String,
    /// Whether they drive now.
    pub role: Role,
    /// Since when, in milliseconds since 1970-01-01T00:00:00Z.
    pub since: Timestamp,
}

/// Columns and rows, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SizeOf {
    /// Cells of a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

/// How a client comes: its first message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Asked {
    /// The next offset of the log that it lacks; `null` if it has nothing.
    pub from: Option<u64>,
    /// The next offset of the errors that it lacks, of a terminal without a pseudo-terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr_from: Option<u64>,
    /// Its width, in cells.
    pub columns: u16,
    /// Its height, in cells.
    pub rows: u16,
    /// Who it was before its line broke (`you` of the former `hello`): it takes that place again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
}

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// The first one.
    Attach(Asked),
    /// All of the log before this offset is on its screen. Sent at least each 64 kB.
    Ack {
        /// The offset.
        offset: u64,
    },
    /// Its window has another size. Counts for the driver only.
    Resize(SizeOf),
    /// Whether anybody can see it.
    Visible {
        /// `false` in a hidden tab.
        is: bool,
    },
    /// It wants to drive: it does if nobody else does, else the driver is asked.
    Drive,
    /// The driver lets another one drive.
    HandOver {
        /// The other one.
        to: String,
    },
    /// The driver does not drive any more.
    Release,
    /// The driver sends a signal.
    Signal {
        /// `INT`, `QUIT`, `TERM`, `HUP` or `KILL`.
        name: String,
    },
    /// The driver's input ends; of a terminal without a pseudo-terminal.
    Eof,
    /// Answered by a pong.
    Ping {
        /// Comes back.
        id: u64,
    },
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The answer to `attach`.
    Hello {
        /// The terminal.
        terminal: String,
        /// Who the client is here.
        you: String,
        /// What it is now.
        role: Role,
        /// The terminal's width, in cells.
        columns: u16,
        /// The terminal's height, in cells.
        rows: u16,
        /// The end of the log now.
        offset: u64,
        /// Who drives.
        driver: Option<String>,
        /// Who is there, the client itself too.
        viewers: Vec<ViewerView>,
    },
    /// Stands for all of the log before an offset: clear, then write the data.
    Snapshot {
        /// The offset that goes on after it.
        offset: u64,
        /// Its width, in cells.
        columns: u16,
        /// Its height, in cells.
        rows: u16,
        /// What to write into a cleared terminal of this size.
        data: String,
    },
    /// Who is there, and who drives.
    Presence {
        /// Who drives.
        driver: Option<String>,
        /// Who is there.
        viewers: Vec<ViewerView>,
    },
    /// The terminal has another size.
    Size(SizeOf),
    /// Somebody asks the driver to drive.
    Asks {
        /// Who: to be handed over to.
        viewer: String,
        /// Their account.
        username: String,
    },
    /// Standard error of a terminal without a pseudo-terminal.
    Stderr {
        /// The offset of its first byte among all errors.
        offset: u64,
        /// The bytes in base64.
        data: String,
    },
    /// It is over; nothing comes after this.
    Exit {
        /// The exit code, if it is known.
        code: Option<i64>,
        /// Why, for a person; empty where the process just exited.
        reason: String,
    },
    /// Something that the client sent was not done.
    Error {
        /// `attach_first`, `not_driver`, `not_allowed`, `driver_away`, `not_here`, `bad_message`, `bad_size`, `bad_signal`,
        /// `no_eof`, `replaced`, `revoked`, `removed` or `late`.
        code: String,
        /// The same in words.
        message: String,
    },
    /// The answer to `ping`.
    Pong {
        /// As it came.
        id: u64,
    },
}

impl ClientMessage {
    /// Reads a text frame.
    ///
    /// # Errors
    /// [`ProtocolError::Message`] with what is wrong.
    pub fn parse(text: &str) -> Result<Self, ProtocolError> {
        serde_json::from_str(text).map_err(|error| ProtocolError::Message(error.to_string()))
    }

    /// Its frame.
    pub fn to_frame(&self) -> Frame {
        Frame::Text(json(self))
    }
}

impl ServerMessage {
    /// Reads a text frame.
    ///
    /// # Errors
    /// [`ProtocolError::Message`] with what is wrong.
    pub fn parse(text: &str) -> Result<Self, ProtocolError> {
        serde_json::from_str(text).map_err(|error| ProtocolError::Message(error.to_string()))
    }

    /// Its frame.
    pub fn to_frame(&self) -> Frame {
        Frame::Text(json(self))
    }
}

fn json<T: Serialize>(message: &T) -> String {
    serde_json::to_string(message).expect("structs of texts and numbers are always JSON")
}
