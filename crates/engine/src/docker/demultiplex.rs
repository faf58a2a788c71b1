//! Docker's framing of standard output and standard error in one stream.
//!
//! Each frame has 8 bytes of header: the stream (0 and 1 output, 2 error), three zeros, the length. A container with
//! a terminal has no frames; whether it has is asked of the engine and never guessed from the bytes.

use crate::error::{EngineError, Result};
use crate::output::LogLine;

/// A frame up to this size is given in one piece, a longer one as it comes.
const WHOLE_UP_TO: usize = 64 * 1024;

/// Takes a stream apart.
#[derive(Debug)]
pub(super) enum Demultiplexer {
    /// The bytes as they are.
    Terminal,
    /// Frames; the bytes of one that is not complete, and what is left of one that is given in pieces.
    Frames { rest: Vec<u8>, open: Option<(bool, usize)> },
}

impl Demultiplexer {
    pub(super) fn new(terminal: bool) -> Self {
        if terminal { Self::Terminal } else { Self::Frames { rest: Vec::new(), open: None } }
    }

    /// Takes the next bytes and gives what is complete in them.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<LogLine>> {
        let (rest, open) = match self {
            Self::Terminal => return Ok(vec![LogLine { is_stderr: false, bytes: bytes.to_vec() }]),
            Self::Frames { rest, open } => (rest, open),
        };
        rest.extend_from_slice(bytes);
        let mut lines = Vec::new();
        let mut at = 0;
        loop {
            if open.is_none() {
                let Some(header) = rest.get(at..at + 8) else { break };
                *open = Some(parse(header)?);
                at += 8;
            }
            let Some((is_stderr, left)) = *open else { break };
            let there = (rest.len() - at).min(left);
            if there < left && left <= WHOLE_UP_TO {
                break;
            }
            if there > 0 {
                lines.push(LogLine { is_stderr, bytes: rest[at..at + there].to_vec() });
            }
            at += there;
            *open = (there < left).then_some((is_stderr, left - there));
            if open.is_some() {
                break;
            }
        }
        rest.drain(..at);
        Ok(lines)
    }

    /// Whether the stream may end here.
    pub(super) fn finish(&self) -> Result<()> {
        match self {
            Self::Frames { rest, open } if !rest.is_empty() || open.is_some() => {
                Err(EngineError::Unreachable("the log broke off within a line".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

fn parse(header: &[u8]) -> Result<(bool, usize)> {
    match *header {
        [stream @ 0..=2, 0, 0, 0, a, b, c, d] => Ok((stream == 2, u32::from_be_bytes([a, b, c, d]) as usize)),
        _ => Err(EngineError::Failed("its log is not in frames".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(is_stderr: bool, bytes: &[u8]) -> Vec<u8> {
        let mut frame = vec![if is_stderr { 2 } else { 1 }, 0, 0, 0];
        frame.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(bytes);
        frame
    }

    proptest! {
        #[test]
        fn frames_survive_any_cut(
            frames in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 1..40)), 0..20),
            cut in 1usize..64,
        ) {
            let wire: Vec<u8> = frames.iter().flat_map(|(is_stderr, bytes)| frame(*is_stderr, bytes)).collect();
            let mut demultiplexer = Demultiplexer::new(false);
            let mut got = Vec::new();
            for chunk in wire.chunks(cut) {
                got.extend(demultiplexer.feed(chunk).unwrap());
            }
            demultiplexer.finish().unwrap();
            let expected: Vec<LogLine> =
                frames.into_iter().map(|(is_stderr, bytes)| LogLine { is_stderr, bytes }).collect();
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 1usize..20) {
            let mut demultiplexer = Demultiplexer::new(false);
            for chunk in bytes.chunks(cut) {
                if demultiplexer.feed(chunk).is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_terminal_has_no_frames() {
        let mut demultiplexer = Demultiplexer::new(true);
        let bytes = b"\x01zzz more text here".to_vec();
        assert_eq!(demultiplexer.feed(&bytes).unwrap(), [LogLine { is_stderr: false, bytes }]);
        demultiplexer.finish().unwrap();
    }

    #[test]
    fn a_huge_frame_comes_in_pieces_and_takes_no_memory() {
        let mut demultiplexer = Demultiplexer::new(false);
        let mut header = vec![1, 0, 0, 0];
        header.extend_from_slice(&u32::MAX.to_be_bytes());
        assert!(demultiplexer.feed(&header).unwrap().is_empty());
        assert_eq!(demultiplexer.feed(&[7; 1000]).unwrap()[0].bytes.len(), 1000);
        assert!(matches!(&demultiplexer, Demultiplexer::Frames { rest, .. } if rest.is_empty()));
        assert!(demultiplexer.finish().is_err(), "it is not over");
    }

    #[test]
    fn a_log_that_breaks_off_is_no_complete_one() {
        let mut demultiplexer = Demultiplexer::new(false);
        demultiplexer.feed(&frame(true, b"half a line")[..12]).unwrap();
        assert!(matches!(demultiplexer.finish(), Err(EngineError::Unreachable(_))));
    }
}
