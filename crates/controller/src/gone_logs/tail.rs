//! The last lines of a log, within a number of bytes. Pure.

use pierhead_engine::{LogLine, LogOptions};
use pierhead_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// One line, its end included if it had one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    #[serde(rename = "e", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_stderr: bool,
    /// When it was printed, in the engine's words; empty if it did not say.
    #[serde(rename = "t")]
    pub stamp: String,
    /// What is no UTF-8 has become replacement characters, as in the engines' own files.
    #[serde(rename = "l")]
    pub text: String,
}

impl Line {
    fn size(&self) -> usize {
        self.text.len() + self.stamp.len()
    }

    pub(super) fn is_wanted(&self, options: &LogOptions) -> bool {
        let LogOptions { since, until, stdout, stderr, .. } = options;
        let stream = if self.is_stderr { *stderr } else { *stdout };
        let at = moment(&self.stamp);
        let is_in_time =
            at.is_none_or(|at| since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until));
        stream && is_in_time
    }

    pub(super) fn shown(self, with_stamp: bool) -> LogLine {
        let text =
            if with_stamp && !self.stamp.is_empty() { format!("{} {}", self.stamp, self.text) } else { self.text };
        LogLine { is_stderr: self.is_stderr, bytes: text.into_bytes() }
    }
}

fn moment(stamp: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = stamp.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok().map(Timestamp)
}

/// Takes a log as it comes, with stamps, and forgets its beginning.
#[derive(Debug)]
pub(super) struct Tail {
    most_bytes: usize,
    bytes: usize,
    lines: VecDeque<Line>,
}

impl Tail {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, bytes: 0, lines: VecDeque::new() }
    }

    /// Takes a piece of the log: part of a line, a line, or several.
    pub(super) fn push(&mut self, piece: &LogLine) {
        for part in piece.bytes.split_inclusive(|byte| *byte == b'\n') {
            self.push_part(piece.is_stderr, &String::from_utf8_lossy(part));
        }
        while self.bytes > self.most_bytes {
            match self.lines.pop_front() {
                // Of a line that is too long alone, the end stays.
                Some(only) if self.lines.is_empty() => return self.cut(only),
                Some(line) => self.bytes -= line.size(),
                None => return,
            }
        }
    }

    fn push_part(&mut self, is_stderr: bool, part: &str) {
        // Engines put a stamp before each piece of a long line too.
        let stamped = part.split_once(' ').filter(|(stamp, _)| stamp.len() >= 20 && moment(stamp).is_some());
        let (stamp, text) = stamped.map_or_else(|| (None, part), |(stamp, text)| (Some(stamp), text));
        let same = self.lines.iter_mut().rev().find(|line| line.is_stderr == is_stderr);
        if let Some(open) = same.filter(|line| !line.text.ends_with('\n')) {
            self.bytes += text.len();
            open.text.push_str(text);
            return;
        }
        let stamp = stamp.or(self.lines.back().map(|line| line.stamp.as_str())).unwrap_or_default();
        let line = Line { is_stderr, stamp: stamp.to_owned(), text: text.to_owned() };
        self.bytes += line.size();
        self.lines.push_back(line);
    }

    fn cut(&mut self, mut line: Line) {
        let mut from = line.text.len().saturating_sub(self.most_bytes.saturating_sub(line.stamp.len()));
        while !line.text.is_char_boundary(from) {
            from += 1;
        }
        line.text.drain(..from);
        self.bytes = line.size();
        self.lines.push_back(line);
    }

    pub(super) fn into_lines(self) -> Vec<Line> {
        self.lines.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-11-21T22:10:06.123456789Z";

    fn tail(most_bytes: usize, pieces: &[(bool, &str)]) -> Vec<Line> {
        let mut tail = Tail::new(most_bytes);
        for (is_stderr, text) in pieces {
            tail.push(&LogLine { is_stderr: *is_stderr, bytes: text.as_bytes().to_vec() });
            assert!(tail.bytes <= most_bytes);
            assert_eq!(tail.bytes, tail.lines.iter().map(Line::size).sum::<usize>());
        }
        tail.into_lines()
    }

    fn line(is_stderr: bool, stamp: &str, text: &str) -> Line {
        Line { is_stderr, stamp: stamp.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn lines_come_whole_wherever_they_are_cut() {
        let (out, err) = (format!("{AT} one"), format!("{AT} other\n"));
        let pieces = [(false, &*out), (true, &*err), (false, &format!("{AT}  and two\n")), (false, "no stamp\n")];
        let expected = [line(false, AT, "one and two\n"), line(true, AT, "other\n"), line(false, AT, "no stamp\n")];
        assert_eq!(tail(1_000, &pieces.map(|(is_stderr, text)| (is_stderr, text))), expected);
        let terminal = format!("{AT} first\r\n{AT} second\r\n");
        assert_eq!(tail(1_000, &[(false, &terminal)]), [line(false, AT, "first\r\n"), line(false, AT, "second\r\n")]);
    }

    #[test]
    fn the_last_bytes_stay() {
        let many: Vec<String> = (0..100).map(|n| format!("{AT} line {n}\n")).collect();
        let pieces: Vec<(bool, &str)> = many.iter().map(|text| (false, text.as_str())).collect();
        let kept = tail(200, &pieces);
        assert_eq!(kept.len(), 5);
        assert_eq!(kept[4].text, "line 99\n");
        let long = "ü".repeat(500);
        let kept = tail(101, &[(false, "no stamp at first\n"), (false, &long)]);
        assert_eq!((kept.len(), kept[0].text.chars().count()), (1, 50), "{kept:?}");
    }

    #[test]
    fn what_is_wanted() {
        let wanted = |options: LogOptions| line(true, AT, "x\n").is_wanted(&options);
        let (before, at) = (Timestamp(1_795_299_006_000), Timestamp(1_795_299_006_123));
        assert!(wanted(LogOptions { since: Some(at), ..LogOptions::default() }));
        assert!(!wanted(LogOptions { since: Some(Timestamp(at.0 + 1)), ..LogOptions::default() }));
        assert!(!wanted(LogOptions { until: Some(before), ..LogOptions::default() }));
        assert!(!wanted(LogOptions { stderr: false, ..LogOptions::default() }));
        assert_eq!(line(true, AT, "x\n").shown(true).bytes, format!("{AT} x\n").as_bytes());
        assert_eq!(line(false, "", "x").shown(true).bytes, b"x");
    }
}
