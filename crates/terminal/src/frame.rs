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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    fn frames(decoder: &mut FrameDecoder) -> Result<Vec<Frame>, ProtocolError> {
        std::iter::from_fn(|| decoder.next_frame().transpose()).collect()
    }

    #[test]
    fn the_form_in_a_stream_is_as_documented() {
        let mut stream = BytesMut::new();
        Frame::output(258, b"hi").encode(&mut stream).unwrap();
        Frame::Text("{}".into()).encode(&mut stream).unwrap();
        assert_eq!(stream.as_ref(), b"\0\0\0\0\x0a\0\0\0\0\0\0\x01\x02hi\x01\0\0\0\x02{}");
        let Frame::Binary(output) = Frame::output(258, b"hi") else { panic!("not binary") };
        assert_eq!(Frame::split_output(output).unwrap(), (258, Bytes::from_static(b"hi")));
        assert!(matches!(Frame::split_output(Bytes::from_static(b"short")), Err(ProtocolError::Offset(5))));
    }

    #[test]
    fn what_is_too_long_or_unknown_is_refused() {
        let long = Frame::Binary(Bytes::from(vec![0; LONGEST_FRAME + 1]));
        let mut stream = BytesMut::new();
        assert!(matches!(long.encode(&mut stream), Err(ProtocolError::TooLong(_))));
        assert!(stream.is_empty() && !long.is_empty());
        for (bytes, expected) in [
            (b"\x02\0\0\0\0".as_slice(), "kind 2"),
            (b"\0\xff\xff\xff\xff", "4294967295 bytes"),
            (b"\x01\0\0\0\x01\xff", "not UTF-8"),
        ] {
            let mut decoder = FrameDecoder::new();
            decoder.buffer().put_slice(bytes);
            let error = frames(&mut decoder).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 200,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]

        #[test]
        fn frames_come_out_as_they_went_in_wherever_the_stream_is_cut(
            texts in prop::collection::vec((any::<bool>(), ".{0,40}"), 0..12), piece in 1..50_usize
        ) {
            let sent: Vec<Frame> = texts
                .into_iter()
                .map(|(is_text, text)| if is_text { Frame::Text(text) } else { Frame::Binary(text.into_bytes().into()) })
                .collect();
            let mut stream = BytesMut::new();
            sent.iter().for_each(|frame| frame.encode(&mut stream).unwrap());
            let (mut decoder, mut got) = (FrameDecoder::new(), Vec::new());
            for piece in stream.chunks(piece) {
                decoder.buffer().put_slice(piece);
                got.extend(frames(&mut decoder).unwrap());
            }
            prop_assert_eq!(got, sent);
        }

        #[test]
        fn hostile_streams_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = FrameDecoder::new();
            decoder.buffer().put_slice(&bytes);
            let _refused = frames(&mut decoder);
        }
    }
}
