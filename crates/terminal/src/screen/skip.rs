//! Plain lines that nobody can see any more once more lines have come: the model need not be told of them.
//!
//! A program that prints a lot mostly prints lines. As many as fit on the screen and into what is kept of it push out
//! everything before them, so of a long run of plain lines only the last ones matter.

use super::{SCROLLBACK, Screen};
use alacritty_terminal::term::TermMode;

impl Screen {
    /// How many of these bytes, which come next, leave no trace once the rest of them was fed.
    pub(crate) fn traceless(&self, bytes: &[&[u8]]) -> usize {
        let is_plain = self.pending.is_empty()
            && self.skipping.is_none()
            && self.noted.region.is_none()
            && !self.term.mode().contains(TermMode::ALT_SCREEN);
        if !is_plain {
            return 0;
        }
        let plain: usize = bytes
            .iter()
            .map(|part| plain(part))
            .scan(true, |goes_on, (length, is_whole)| {
                let counted = goes_on.then_some(length);
                *goes_on &= is_whole;
                counted
            })
            .sum();
        let mut lines = SCROLLBACK + usize::from(self.size.rows) + 2;
        let mut end: usize = bytes.iter().map(|part| part.len()).sum();
        for part in bytes.iter().rev() {
            let begin = end - part.len();
            let part = &part[..part.len().min(plain.saturating_sub(begin))];
            for at in (0..part.len()).rev().filter(|&at| part[at] == b'\n') {
                lines = lines.saturating_sub(1);
                // Only behind such an end of a line it is known in which column the next one begins.
                if lines == 0 && at > 0 && part[at - 1] == b'\r' {
                    return begin + at + 1;
                }
            }
            end = begin;
        }
        0
    }

    /// Leaves out as many bytes as [`traceless`](Self::traceless) has said.
    pub(crate) fn leave_out(&mut self, bytes: usize) {
        if bytes > 0 {
            self.tell(b"\r");
            self.at += bytes as u64;
        }
    }
}

/// How many bytes at the beginning are text and ends of lines, and whether all are.
fn plain(bytes: &[u8]) -> (usize, bool) {
    let special = |&byte: &u8| byte < 0x20 && !matches!(byte, b'\r' | b'\n' | b'\t');
    let length = bytes.iter().position(special).unwrap_or(bytes.len());
    (length, length == bytes.len())
}
