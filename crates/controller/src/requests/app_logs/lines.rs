//! One container's log as whole lines, none of them twice when it is read again. Pure.

use pierhead_model::Timestamp;
use std::cmp::Ordering;
use std::mem;

/// Engines give a longer line out in pieces of so many bytes, each with a moment of its own.
const PIECE: usize = 16 * 1024;
/// The longest moment before a line, with the space behind it, in bytes.
const LONGEST_STAMP: usize = 41;

/// A line of a log, or a piece of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// When it was written, as the engine says it; empty if it did not.
    pub at: String,
    /// Without its end.
    pub text: Vec<u8>,
}

/// Takes one log's bytes as they come, each line behind its moment.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pending: Vec<u8>,
    newest: String,
    /// How many lines of the newest moment were given, and how many of them come again.
    of_newest: usize,
    doubled: usize,
}

impl Lines {
    /// The lines that are whole now.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<Record> {
        let mut ready = Vec::new();
        while !bytes.is_empty() {
            let room = (PIECE + LONGEST_STAMP).saturating_sub(self.pending.len()).clamp(1, bytes.len());
            let end = bytes[..room].iter().position(|byte| *byte == b'\n').map_or(room, |end| end + 1);
            self.pending.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end..];
            if self.pending.ends_with(b"\n") || self.pending.len() >= PIECE + LONGEST_STAMP {
                ready.extend(self.end());
            }
        }
        ready
    }

    /// What is left at the end.
    pub(super) fn end(&mut self) -> Option<Record> {
        let mut line = mem::take(&mut self.pending);
        if line.is_empty() {
            return None;
        }
        if line.ends_with(b"\n") {
            line.pop();
        }
        let length = stamp(&line);
        let text = if length == 0 { line.clone() } else { line[length + 1..].to_vec() };
        let at = String::from_utf8_lossy(&line[..length]).into_owned();
        self.is_new(&at).then_some(Record { at, text })
    }

    /// The log comes anew: since when it is to be asked for, if anything came of it.
    pub(super) fn again(&mut self) -> Option<Timestamp> {
        self.pending.clear();
        self.doubled = self.of_newest;
        moment(&self.newest)
    }

    fn is_new(&mut self, at: &str) -> bool {
        if at.is_empty() {
            return true;
        }
        match in_order(at).cmp(in_order(&self.newest)) {
            Ordering::Less => return false,
            Ordering::Greater => {
                (self.newest, self.of_newest, self.doubled) = (at.to_owned(), 1, 0);
                return true;
            }
            Ordering::Equal => {}
        }
        if self.doubled > 0 {
            self.doubled -= 1;
            return false;
        }
        self.of_newest += 1;
        true
    }
}

/// A moment as a text that is in the order of time, however many digits it has: engines tell all of them in UTC.
pub(super) fn in_order(at: &str) -> &str {
    at.trim_end_matches('Z')
}

/// The length of the moment that a line begins with.
fn stamp(line: &[u8]) -> usize {
    let begin = &line[..line.len().min(LONGEST_STAMP)];
    let length = begin.iter().position(|byte| *byte == b' ').unwrap_or(0);
    let is_moment = std::str::from_utf8(&begin[..length]).is_ok_and(|text| moment(text).is_some());
    if is_moment { length } else { 0 }
}

/// Milliseconds: engines are asked for no finer ones.
fn moment(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(moment.as_millisecond()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "2026-11-21T22:10:06.120000001Z";
    const LATER: &str = "2026-11-21T22:10:07.000000000Z";

    fn texts(records: impl IntoIterator<Item = Record>) -> Vec<String> {
        records.into_iter().map(|record| String::from_utf8(record.text).unwrap()).collect()
    }

    #[test]
    fn lines_are_whole_wherever_the_bytes_are_cut() {
        let text = format!("{FIRST} one\n{FIRST} \nno moment\n{LATER} a b \u{fc}\n{LATER} half");
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut all: Vec<Record> = text.as_bytes().chunks(size).flat_map(|piece| lines.push(piece)).collect();
            all.extend(lines.end());
            let at: Vec<&str> = all.iter().map(|record| record.at.as_str()).collect();
            assert_eq!(at, [FIRST, FIRST, "", LATER, LATER], "in pieces of {size}");
            assert_eq!(texts(all), ["one", "", "no moment", "a b \u{fc}", "half"], "in pieces of {size}");
        }
    }

    #[test]
    fn what_was_given_does_not_come_again() {
        let mut lines = Lines::default();
        assert_eq!(lines.again(), None);
        lines.push(format!("{FIRST} one\n{LATER} two\n{LATER} three\n{LATER} ha").as_bytes());
        assert_eq!(lines.again(), Some(Timestamp(1_795_299_007_000)));
        let again = format!("{FIRST} one\n{LATER} two\n{LATER} three\n{LATER} half\n2026-11-21T22:10:08Z end\n");
        assert_eq!(texts(lines.push(again.as_bytes())), ["half", "end"]);
    }

    #[test]
    fn moments_may_have_any_number_of_digits() {
        let mut lines = Lines::default();
        let text =
            "2026-11-21T22:10:06Z a\n2026-11-21T22:10:06.1Z b\n2026-11-21T22:10:06.123Z c\n2026-11-21T22:10:06.2Z d\n";
        assert_eq!(texts(lines.push(text.as_bytes())), ["a", "b", "c", "d"]);
        lines.again();
        assert_eq!(texts(lines.push(text.as_bytes())), [""; 0]);
    }

    #[test]
    fn a_line_without_end_does_not_pile_up() {
        let mut lines = Lines::default();
        let long = "x".repeat(3 * PIECE);
        let whole: String = texts(lines.push(format!("{FIRST} {long}\n").as_bytes())).concat();
        assert_eq!(whole, long);
        assert!(lines.push(long.as_bytes()).len() > 1 && lines.pending.len() < PIECE);
    }
}
