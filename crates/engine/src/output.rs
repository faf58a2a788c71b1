//! What an engine tells: logs, usage, events.

use pierhead_model::Timestamp;
use std::collections::BTreeMap;

/// Which part of a log is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on when the newest line was reached, until the container stops. Engines of version 20.10 now and then
    /// lose lines of a container that prints fast and exits: whoever needs all of a finished log reads it again
    /// without this.
    pub follow: bool,
    /// Only so many of the newest lines, counted over both streams before anything else is left out.
    pub tail: Option<u64>,
    /// Only lines from this moment on.
    pub since: Option<Timestamp>,
    /// Only lines from before this moment.
    pub until: Option<Timestamp>,
    /// Whether standard output is wanted.
    pub stdout: bool,
    /// Whether standard error is wanted.
    pub stderr: bool,
    /// Put the moment before each line, in the engine's form.
    pub timestamps: bool,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { follow: false, tail: None, since: None, until: None, stdout: true, stderr: true, timestamps: false }
    }
}

/// A piece of a container's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Whether it came from standard error.
    pub is_stderr: bool,
    /// The bytes, line ends included; nothing says that they are UTF-8 or a whole line. (Docker's usual log files
    /// are JSON and hold a replacement character for what is no UTF-8; other kinds of log keep the bytes.)
    pub bytes: Vec<u8>,
}

/// What a container uses; all zero if it does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// CPU time since its start, in nanoseconds.
    pub cpu_nanos: u64,
    /// Memory, in bytes, without the page cache that can be given back.
    pub memory_bytes: u64,
    /// The most memory that it gets, in bytes: its own limit, or what the host has.
    pub memory_limit: u64,
    /// Bytes that came in over its networks since its start; 0 if it has none of its own.
    pub rx_bytes: u64,
    /// Bytes that went out over its networks since its start.
    pub tx_bytes: u64,
    /// Bytes read from block devices since its start.
    pub read_bytes: u64,
    /// Bytes written to block devices since its start.
    pub write_bytes: u64,
    /// When that was so, in nanoseconds since 1970 by the clock of the engine.
    pub at_nanos: u64,
}

/// An image on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalImage {
    /// Its id: `sha256:` and 64 digits.
    pub id: String,
    /// Its names, each with its tag.
    pub tags: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its size, in bytes.
    pub size_bytes: u64,
}

/// Something that happened on an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineEvent {
    /// Docker's status: `start`, `die`, `destroy`, `pull`, …
    pub status: String,
    /// `container`, `image`, `network`, `volume`, `daemon`.
    pub subject: String,
    /// The id of the subject.
    pub id: String,
    /// Its attributes; for a container its name, image and labels.
    pub attributes: BTreeMap<String, String>,
    /// When it happened.
    pub time: Timestamp,
    /// The same in nanoseconds since 1970, by the clock of the engine.
    pub nanos: u64,
}
