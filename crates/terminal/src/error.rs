//! What can be wrong with what a client sends.

use std::str::Utf8Error;
use thiserror::Error;

/// A frame that is not of the protocol.
#[derive(Debug, Error)]
pub enum ProtocolError {
    /// The kind of a frame in a byte stream is unknown.
    #[error("a frame is of the kind {0}; it must be 0 (binary) or 1 (text)")]
    Kind(u8),
    /// A frame in a byte stream is too long.
    #[error("a frame has {0} bytes; it may have {max}", max = crate::LONGEST_FRAME)]
    TooLong(usize),
    /// A text frame is not UTF-8.
    #[error("a text frame is not UTF-8")]
    Text(#[source] Utf8Error),
    /// A text frame is not one of the messages.
    #[error("not a message of the protocol: {0}")]
    Message(String),
    /// A binary frame from the server is too short to bear an offset.
    #[error("a binary frame has {0} bytes; it begins with an offset of 8")]
    Offset(usize),
}
