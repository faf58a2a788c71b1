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
    /// It comes to look: it takes no seat that is free, whatever its right. It can still ask to drive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub looks: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_say_is_read_as_documented() {
        let attach = ClientMessage::Attach(Asked { from: None, columns: 80, rows: 24, ..Asked::default() });
        for (text, message) in [
            (r#"{"type":"attach","from":null,"columns":80,"rows":24}"#, attach),
            (
                r#"{"type":"attach","from":0,"columns":80,"rows":24,"looks":true}"#,
                ClientMessage::Attach(Asked { from: Some(0), columns: 80, rows: 24, looks: true, ..Asked::default() }),
            ),
            (r#"{"type":"ack","offset":9}"#, ClientMessage::Ack { offset: 9 }),
            (r#"{"type":"resize","columns":2,"rows":1}"#, ClientMessage::Resize(SizeOf { columns: 2, rows: 1 })),
            (r#"{"type":"visible","is":false}"#, ClientMessage::Visible { is: false }),
            (r#"{"type":"drive"}"#, ClientMessage::Drive),
            (r#"{"type":"hand_over","to":"v2"}"#, ClientMessage::HandOver { to: "v2".into() }),
            (r#"{"type":"release"}"#, ClientMessage::Release),
            (r#"{"type":"signal","name":"INT"}"#, ClientMessage::Signal { name: "INT".into() }),
            (r#"{"type":"eof"}"#, ClientMessage::Eof),
            (r#"{"type":"ping","id":7}"#, ClientMessage::Ping { id: 7 }),
        ] {
            assert_eq!(ClientMessage::parse(text).unwrap(), message);
            assert_eq!(message.to_frame(), Frame::Text(text.into()));
        }
        let error = ClientMessage::parse(r#"{"type":"fly"}"#).unwrap_err().to_string();
        assert!(error.contains("unknown variant `fly`"), "{error}");
    }

    #[test]
    fn what_the_server_says_is_written_as_documented() {
        let viewer =
            ViewerView { id: "v1".into(), username: "olga".into(), role: Role::Driver, since: Timestamp(1_000) };
        let hello = ServerMessage::Hello {
            terminal: "t1".into(),
            you: "v1".into(),
            role: Role::Driver,
            columns: 80,
            rows: 24,
            offset: 0,
            driver: None,
            viewers: vec![viewer],
        };
        for (message, text) in [
            (
                hello,
                r#"{"type":"hello","terminal":"t1","you":"v1","role":"driver","columns":80,"rows":24,"offset":0,"driver":null,"viewers":[{"id":"v1","username":"olga","role":"driver","since":1000}]}"#,
            ),
            (
                ServerMessage::Snapshot { offset: 5, columns: 2, rows: 1, data: "a\u{1b}".into() },
                r#"{"type":"snapshot","offset":5,"columns":2,"rows":1,"data":"a\u001b"}"#,
            ),
            (ServerMessage::Size(SizeOf { columns: 2, rows: 1 }), r#"{"type":"size","columns":2,"rows":1}"#),
            (
                ServerMessage::Asks { viewer: "v2".into(), username: "gus".into() },
                r#"{"type":"asks","viewer":"v2","username":"gus"}"#,
            ),
            (ServerMessage::Stderr { offset: 1, data: "eA==".into() }, r#"{"type":"stderr","offset":1,"data":"eA=="}"#),
            (
                ServerMessage::Exit { code: None, reason: "gone".into() },
                r#"{"type":"exit","code":null,"reason":"gone"}"#,
            ),
        ] {
            assert_eq!(message.to_frame(), Frame::Text(text.into()));
            assert_eq!(ServerMessage::parse(text).unwrap(), message);
        }
    }
}
