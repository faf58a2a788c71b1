//! Lines out of a stream of bytes that is cut anywhere.

/// The longest line that is kept; a longer one is dropped whole.
const LONGEST_LINE: usize = 4 << 20;

/// Collects bytes until their line ends.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
    too_long: bool,
}

impl Lines {
    /// Takes the next bytes and gives the lines that end in them, without their ends; empty ones are left out.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut pieces = bytes.split(|&byte| byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            if self.rest.len() + piece.len() > LONGEST_LINE {
                self.too_long = true;
                self.rest.clear();
            } else if !self.too_long {
                self.rest.extend_from_slice(piece);
            }
            if pieces.peek().is_some() {
                let line = std::mem::take(&mut self.rest);
                if !std::mem::take(&mut self.too_long) && !line.is_empty() {
                    lines.push(line);
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_wherever_they_are_cut() {
        let text = b"one\ntwo\n\nthree\nfo";
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let got: Vec<Vec<u8>> = text.chunks(size).flat_map(|chunk| lines.feed(chunk)).collect();
            assert_eq!(got, [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()], "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let mut lines = Lines::default();
        for _ in 0..10 {
            assert!(lines.feed(&vec![b'x'; 1 << 20]).is_empty());
            assert!(lines.rest.len() <= LONGEST_LINE);
        }
        assert_eq!(lines.feed(b"x\nnext\n"), [b"next".to_vec()]);
    }
}
