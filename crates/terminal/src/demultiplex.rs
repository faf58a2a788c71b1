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
}
