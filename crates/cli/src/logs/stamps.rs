//! Where a followed log is: it is asked for with the moments of its lines, which are taken off again unless people want
//! them. So one that broke off can go on behind its last line, by the clock of the host that wrote it. Pure.

use pierhead_model::Timestamp;
use pierhead_wire::parse_timestamp;

/// The longest moment before a line, with the space behind it, in bytes.
const LONGEST_STAMP: usize = 41;
/// Engines give a longer line out in pieces of so many bytes, each with a moment of its own.
const PIECE: usize = 16 * 1024;

/// Takes one log's bytes as they come, and gives whole lines.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    is_shown: bool,
    record: Vec<u8>,
    newest: Option<Timestamp>,
    /// The exact moments of those lines that were given within the newest millisecond: more cannot be asked for.
    given: Vec<Vec<u8>>,
    /// Those of them that come again.
    doubled: Vec<Vec<u8>>,
}

impl Stamps {
    /// At the beginning of a log; whether the moments are given on.
    pub(super) fn new(is_shown: bool) -> Self {
        Self { is_shown, ..Self::default() }
    }

    /// What can be written now.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut ready = Vec::with_capacity(bytes.len());
        while !bytes.is_empty() {
            let room = self.longest().saturating_sub(self.record.len()).max(1).min(bytes.len());
            let end = bytes[..room].iter().position(|byte| *byte == b'\n').map_or(room, |end| end + 1);
            self.record.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end..];
            if self.record.ends_with(b"\n") || self.record.len() >= self.longest() {
                self.give(&mut ready);
            }
        }
        ready
    }

    /// What is left at the end.
    pub(super) fn end(&mut self) -> Vec<u8> {
        let mut ready = Vec::new();
        self.give(&mut ready);
        ready
    }

    /// The log comes anew, from this moment on if any is known: what was given of it does not come out again, and half
    /// a line comes whole.
    pub(super) fn again(&mut self) -> Option<Timestamp> {
        self.record.clear();
        self.doubled.clone_from(&self.given);
        self.newest
    }

    /// How long what came may get before it is given out.
    fn longest(&self) -> usize {
        PIECE + self.stamp().map_or(0, |(length, _)| length + 1)
    }

    /// The moment that what came begins with, and its length.
    fn stamp(&self) -> Option<(usize, Timestamp)> {
        let begin = &self.record[..self.record.len().min(LONGEST_STAMP)];
        let length = begin.iter().position(|byte| *byte == b' ')?;
        Some((length, parse_timestamp(std::str::from_utf8(&begin[..length]).ok()?)?))
    }

    fn give(&mut self, ready: &mut Vec<u8>) {
        let stamp = self.stamp();
        let record = std::mem::take(&mut self.record);
        let Some((length, at)) = stamp else { return ready.extend(record) };
        let (exact, line) = (&record[..length], &record[length + 1..]);
        if let Some(place) = self.doubled.iter().position(|doubled| doubled == exact) {
            self.doubled.swap_remove(place);
            return;
        }
        if self.newest.is_none_or(|newest| newest < at) {
            self.newest = Some(at);
            self.given.clear();
            self.doubled.clear();
        }
        if self.newest == Some(at) {
            self.given.push(exact.to_vec());
        }
        ready.extend_from_slice(if self.is_shown { &record } else { line });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "2026-11-21T22:10:06.120000001Z";
    const SECOND: &str = "2026-11-21T22:10:06.120000002Z";
    const LATER: &str = "2026-11-21T22:10:07.000000000Z";

    #[test]
    fn moments_are_taken_off_wherever_the_bytes_are_cut() {
        let text = format!("{FIRST} one\n{SECOND} \n{LATER} a b \u{fc}\nno moment\n{LATER} half");
        for size in 1..text.len() {
            for (is_shown, expected) in [(false, "one\n\na b \u{fc}\nno moment\nhalf"), (true, text.as_str())] {
                let mut stamps = Stamps::new(is_shown);
                let mut out: Vec<u8> = text.as_bytes().chunks(size).flat_map(|piece| stamps.push(piece)).collect();
                out.extend(stamps.end());
                assert_eq!(String::from_utf8(out).unwrap(), expected, "in pieces of {size}");
            }
        }
    }

    #[test]
    fn what_was_given_does_not_come_again() {
        let mut stamps = Stamps::new(false);
        assert_eq!(stamps.again(), None);
        assert_eq!(stamps.push(format!("{FIRST} one\n{SECOND} two\n{SECOND} same mo").as_bytes()), b"one\ntwo\n");
        // The engine is asked for milliseconds, so it tells the last ones again, and then what came meanwhile.
        assert_eq!(stamps.again(), parse_timestamp("2026-11-21T22:10:06.120Z"));
        let rest = format!("{FIRST} one\n{SECOND} two\n{SECOND} same moment\n{LATER} three\n");
        assert_eq!(stamps.push(rest.as_bytes()), b"same moment\nthree\n");
        assert_eq!(stamps.again(), parse_timestamp(LATER));
        assert_eq!(stamps.push(format!("{LATER} three\n{LATER} four\n").as_bytes()), b"four\n");
    }

    #[test]
    fn a_long_line_has_a_moment_in_each_of_its_pieces() {
        let (piece, mut stamps) = ("x".repeat(PIECE), Stamps::new(false));
        let text = format!("{FIRST} {piece}{FIRST} {piece}{FIRST} end\n");
        let first = stamps.push(&text.as_bytes()[..2 * PIECE]);
        assert_eq!(first.len(), PIECE);
        stamps.again();
        assert_eq!(stamps.push(text.as_bytes()), format!("{piece}end\n").into_bytes());
    }
}
