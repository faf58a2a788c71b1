//! One container's bytes, cut into lines.

use crate::escape::escape_log_line;

/// Cuts one container's bytes into lines.
pub(super) struct Lines {
    prefix: Option<String>,
    escaped: bool,
    pending: Vec<u8>,
}

/// A line is given out at this length even if it has not ended.
const LONGEST_LINE: usize = 64 * 1024;

impl Lines {
    pub(super) fn new(prefix: Option<String>, escaped: bool) -> Self {
        Self { prefix, escaped, pending: Vec::new() }
    }

    /// What can be written now.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if !self.escaped && self.prefix.is_none() {
            return bytes.to_vec();
        }
        let mut ready = Vec::with_capacity(bytes.len());
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.pending.extend_from_slice(part);
            if part.ends_with(b"\n") || self.pending.len() >= LONGEST_LINE {
                self.write(&mut ready);
            }
        }
        ready
    }

    /// What is left at the end.
    pub(super) fn end(&mut self) -> Vec<u8> {
        let mut ready = Vec::new();
        if !self.pending.is_empty() {
            self.write(&mut ready);
        }
        ready
    }

    fn write(&mut self, ready: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.pending);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        ready.extend_from_slice(self.prefix.as_deref().unwrap_or_default().as_bytes());
        if self.escaped {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            ready.extend_from_slice(escape_log_line(&String::from_utf8_lossy(line)).as_bytes());
        } else {
            ready.extend_from_slice(line);
        }
        ready.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_whole_lines_without_sequences() {
        let mut lines = Lines::new(None, true);
        assert_eq!(lines.push(b"gr\xc3"), b"");
        assert_eq!(lines.push(b"\xbcn\x1b[2J\r\nne"), "grün\\x1b[2J\n".as_bytes());
        assert_eq!(lines.push(b"xt\nlast \xff"), b"next\n");
        assert_eq!(lines.end(), "last \u{fffd}\n".as_bytes());
        assert_eq!(lines.end(), b"");
    }

    #[test]
    fn a_file_gets_the_bytes() {
        assert_eq!(Lines::new(None, false).push(b"\x1b[1m\xff"), b"\x1b[1m\xff");
        assert_eq!(
            Lines::new(Some("slot 2 | ".to_owned()), false).push(b"a\xff\nb\n"),
            b"slot 2 | a\xff\nslot 2 | b\n"
        );
    }

    #[test]
    fn a_line_without_end_does_not_pile_up() {
        let mut lines = Lines::new(None, true);
        let written = lines.push(&vec![b'x'; LONGEST_LINE]);
        assert_eq!((written.len(), lines.pending.len()), (LONGEST_LINE + 1, 0));
    }
}
