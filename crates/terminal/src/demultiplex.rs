//! Docker's framing of output and errors in one stream, where there is no pseudo-terminal.
//!
//! A frame has 8 bytes of header: the stream (2 is errors), three zeros, the length of what follows.

const HEADER: usize = 8;

/// Takes such a stream apart.
#[derive(Debug, Default)]
pub struct Demultiplexer {
    header: Vec<u8>,
    left: usize,
    is_stderr: bool,
}

impl Demultiplexer {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// The pieces of the next bytes, and whether each is of the errors.
    pub fn feed<'a>(&mut self, mut bytes: &'a [u8]) -> Vec<(bool, &'a [u8])> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            if self.left == 0 {
                let (header, rest) = bytes.split_at(bytes.len().min(HEADER - self.header.len()));
                self.header.extend_from_slice(header);
                bytes = rest;
                if let [stream, _, _, _, length @ ..] = self.header.as_slice()
                    && let Ok(length) = <[u8; 4]>::try_from(length)
                {
                    (self.is_stderr, self.left) = (*stream == 2, u32::from_be_bytes(length) as usize);
                    self.header.clear();
                }
                continue;
            }
            let (piece, rest) = bytes.split_at(bytes.len().min(self.left));
            self.left -= piece.len();
            bytes = rest;
            pieces.push((self.is_stderr, piece));
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_told_apart_wherever_the_bytes_are_cut() {
        let stream = b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x02er\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x01!";
        for size in 1..=stream.len() {
            let mut demultiplexer = Demultiplexer::new();
            let (mut out, mut err) = (Vec::new(), Vec::new());
            for part in stream.chunks(size) {
                for (is_stderr, piece) in demultiplexer.feed(part) {
                    if is_stderr { &mut err } else { &mut out }.extend_from_slice(piece);
                }
            }
            assert_eq!((out.as_slice(), err.as_slice()), (b"out!".as_slice(), b"er".as_slice()), "in pieces of {size}");
        }
    }

    #[test]
    fn a_header_in_halves_is_waited_for_and_nothing_is_told_of_it() {
        let mut demultiplexer = Demultiplexer::new();
        assert!(demultiplexer.feed(b"").is_empty());
        assert!(demultiplexer.feed(b"\x02\0\0").is_empty());
        assert!(demultiplexer.feed(b"\0\0\0\x01").is_empty());
        assert!(demultiplexer.feed(b"\x01").is_empty(), "257 bytes are to come");
        let long = [b'e'; 256];
        assert_eq!(demultiplexer.feed(&long), [(true, long.as_slice())]);
        assert_eq!(demultiplexer.feed(b"!\x01\0\0\0\0\0\0\x02ab"), [(true, b"!".as_slice()), (false, b"ab")]);
        let input = demultiplexer.feed(b"\0\0\0\0\0\0\0\x01i").to_vec();
        assert_eq!(input, [(false, b"i".as_slice())], "what is not of the errors is output");
    }

    #[test]
    fn a_length_of_gigabytes_takes_no_memory() {
        let mut demultiplexer = Demultiplexer::new();
        assert!(demultiplexer.feed(b"\x01\0\0\0\xff\xff\xff\xff").is_empty());
        assert_eq!(demultiplexer.feed(b"some"), [(false, b"some".as_slice())]);
        assert_eq!(demultiplexer.left, u32::MAX as usize - 4);
    }
}
