//! Frames, as a WebSocket carries them, and their form in a stream of bytes.
//!
//! In a stream each frame is a byte for its kind (0 binary, 1 text), its length (`u32`, big-endian) and what it holds.

use crate::ProtocolError;
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The most bytes that a frame may hold: a paste comes as one frame.
pub const LONGEST_FRAME: usize = 4 * 1024 * 1024;

const HEADER: usize = 5;
const OFFSET: usize = 8;

/// A message of a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// From the server: the offset of the first byte in the log (`u64`, big-endian), then bytes. From a client: input.
    Binary(Bytes),
    /// JSON with a `type`.
    Text(String),
}

impl Frame {
    /// What was printed, from `offset` of the log on. Copies the bytes.
    pub fn output(offset: u64, bytes: &[u8]) -> Self {
        let mut frame = BytesMut::with_capacity(OFFSET + bytes.len());
        frame.put_u64(offset);
        frame.put_slice(bytes);
        Self::Binary(frame.freeze())
    }

    /// The offset in the log and the bytes of a binary frame from the server.
    ///
    /// # Errors
    /// [`ProtocolError::Offset`] if there is no room for an offset.
    pub fn split_output(mut frame: Bytes) -> Result<(u64, Bytes), ProtocolError> {
        if frame.len() < OFFSET {
            return Err(ProtocolError::Offset(frame.len()));
        }
        let offset = frame.get_u64();
        Ok((offset, frame))
    }

    /// How many bytes it holds, without any header.
    pub fn len(&self) -> usize {
        match self {
            Self::Binary(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends its form in a stream of bytes.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`] above [`LONGEST_FRAME`]; nothing is appended then.
    pub fn encode(&self, into: &mut BytesMut) -> Result<(), ProtocolError> {
        let (kind, payload) = match self {
            Self::Binary(bytes) => (0, bytes.as_ref()),
            Self::Text(text) => (1, text.as_bytes()),
        };
        let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= LONGEST_FRAME);
        let length = length.ok_or(ProtocolError::TooLong(payload.len()))?;
        into.reserve(HEADER + payload.len());
        into.put_u8(kind);
        into.put_u32(length);
        into.put_slice(payload);
        Ok(())
    }
}

/// Takes frames out of a stream of bytes.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: BytesMut,
}

impl FrameDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the next bytes of the stream are to be put, such as by `AsyncReadExt::read_buf`.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next frame, if all of it has come.
    ///
    /// # Errors
    /// [`ProtocolError::Kind`], [`ProtocolError::TooLong`] or [`ProtocolError::Text`]; the stream is of no use then.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, ProtocolError> {
        let Some(&[kind, a, b, c, d]) = self.buffer.first_chunk::<HEADER>() else { return Ok(None) };
        if kind > 1 {
            return Err(ProtocolError::Kind(kind));
        }
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > LONGEST_FRAME {
            return Err(ProtocolError::TooLong(length));
        }
        if self.buffer.len() < HEADER + length {
            self.buffer.reserve(HEADER + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(HEADER);
        let payload = self.buffer.split_to(length).freeze();
        if kind == 0 {
            return Ok(Some(Frame::Binary(payload)));
        }
        let text = std::str::from_utf8(&payload).map_err(ProtocolError::Text)?;
        Ok(Some(Frame::Text(text.to_owned())))
    }
}
