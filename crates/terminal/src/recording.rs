//! What was seen, as a file of asciicast v2: a header, then a line for each piece of output, each change of size, and each
//! line that was entered: a marker without a word, since what is typed may be a secret.
//!
//! It is bounded: what comes after the bound is not recorded, and a marker says so.

use crate::SizeOf;
use bytes::Bytes;
use pierhead_model::Timestamp;
use serde_json::json;
use std::mem;

/// Lines are given away in pieces of about this size.
const PIECE: usize = 64 * 1024;
/// Output within this time is one line, if nothing else comes between.
const TOGETHER_MS: u64 = 20;
/// A line is not longer than this, before it is written as JSON.
const LONGEST: usize = 16 * 1024;

/// A recording.
#[derive(Debug)]
pub(crate) struct Recording {
    began: Timestamp,
    limit: usize,
    written: usize,
    pieces: Vec<Bytes>,
    piece: Vec<u8>,
    /// Output that is not yet a line, and when it began.
    open: Vec<u8>,
    open_at: Timestamp,
    /// Whether nothing was printed since the last marker.
    is_marked: bool,
    is_full: bool,
}

impl Recording {
    /// A recording of at most about `limit` bytes; none at all if that is 0.
    pub(crate) fn new(title: &str, size: SizeOf, limit: usize, now: Timestamp) -> Self {
        let mut recording = Self {
            began: now,
            limit,
            written: 0,
            pieces: Vec::new(),
            piece: Vec::new(),
            open: Vec::new(),
            open_at: now,
            is_marked: true,
            is_full: limit == 0,
        };
        let header = json!({
            "version": 2,
            "width": size.columns,
            "height": size.rows,
            "timestamp": now.0 / 1000,
            "title": title,
            "env": { "TERM": "xterm-256color" },
        });
        if limit > 0 {
            recording.line(&header.to_string());
        }
        recording
    }

    /// Something was printed.
    pub(crate) fn output(&mut self, bytes: &[u8], now: Timestamp) {
        if self.is_full {
            return;
        }
        self.is_marked = false;
        if now.since(self.open_at) > TOGETHER_MS {
            self.close(false);
        }
        for bytes in bytes.chunks(LONGEST) {
            if self.open.len() + bytes.len() > LONGEST {
                self.close(false);
            }
            // A character that was cut in two keeps the time of its first half.
            if self.open.is_empty() {
                self.open_at = now;
            }
            self.open.extend_from_slice(bytes);
        }
    }

    /// The size has changed.
    pub(crate) fn resized(&mut self, size: SizeOf, now: Timestamp) {
        self.close(false);
        self.event(now, "r", &format!("{}x{}", size.columns, size.rows));
    }

    /// Whoever drives has entered a line. Several without any output between are one.
    pub(crate) fn entered(&mut self, now: Timestamp) {
        if !self.is_marked {
            self.is_marked = true;
            self.close(false);
            self.event(now, "m", "");
        }
    }

    /// The file so far.
    pub(crate) fn pieces(&mut self) -> Vec<Bytes> {
        self.close(false);
        let mut pieces = self.pieces.clone();
        if !self.piece.is_empty() {
            pieces.push(Bytes::copy_from_slice(&self.piece));
        }
        pieces
    }

    /// Nothing comes any more.
    pub(crate) fn end(&mut self) {
        self.close(true);
    }

    /// Writes the line of what was printed; a character that is not complete waits, unless it is the end.
    fn close(&mut self, is_end: bool) {
        let complete = if is_end { self.open.len() } else { complete(&self.open) };
        if complete == 0 {
            return;
        }
        let rest = self.open.split_off(complete);
        let open = mem::replace(&mut self.open, rest);
        self.event(self.open_at, "o", &String::from_utf8_lossy(&open));
    }

    fn event(&mut self, at: Timestamp, kind: &str, data: &str) {
        if self.is_full {
            return;
        }
        let milliseconds = at.since(self.began);
        let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
        let line = format!("[{seconds}.{rest:03}, \"{kind}\", {}]", json!(data));
        if self.written + line.len() > self.limit {
            self.is_full = true;
            self.open = Vec::new();
            let data = json!(format!("recording truncated here: it may have {} bytes", self.limit));
            self.line(&format!("[{seconds}.{rest:03}, \"m\", {data}]"));
            return;
        }
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        self.written += line.len() + 1;
        self.piece.extend_from_slice(line.as_bytes());
        self.piece.push(b'\n');
        if self.piece.len() >= PIECE {
            self.pieces.push(Bytes::from(mem::take(&mut self.piece)));
        }
    }
}

/// How many bytes there are without a character at the end that lacks some of its bytes.
pub(crate) fn complete(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let at = bytes.len() - back;
        let length = match bytes[at] {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        return if length > back && std::str::from_utf8(&bytes[at..]).is_err_and(|err| err.error_len().is_none()) {
            at
        } else {
            bytes.len()
        };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const SIZE: SizeOf = SizeOf { columns: 80, rows: 24 };

    fn text(recording: &mut Recording) -> String {
        recording.pieces().iter().map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect()
    }

    fn events(text: &str) -> Vec<(f64, String, String)> {
        let line = |line: &str| {
            let event: Value = serde_json::from_str(line).unwrap();
            (event[0].as_f64().unwrap(), event[1].as_str().unwrap().to_owned(), event[2].as_str().unwrap().to_owned())
        };
        text.lines().skip(1).map(line).collect()
    }

    #[test]
    fn a_recording_is_asciicast() {
        let mut recording = Recording::new("sh in web", SIZE, 10_000, Timestamp(5_000));
        recording.output(b"$ ", Timestamp(5_100));
        recording.output("ls \u{1b}[1m猫".as_bytes(), Timestamp(5_110));
        recording.resized(SizeOf { columns: 100, rows: 30 }, Timestamp(6_000));
        recording.output(b"done", Timestamp(7_250));
        insta::assert_snapshot!(text(&mut recording), @r#"
        {"env":{"TERM":"xterm-256color"},"height":24,"timestamp":5,"title":"sh in web","version":2,"width":80}
        [0.100, "o", "$ ls \u001b[1m猫"]
        [1.000, "r", "100x30"]
        [2.250, "o", "done"]
        "#);
    }

    #[test]
    fn lines_that_are_entered_are_marked_without_a_word() {
        let mut recording = Recording::new("", SIZE, 10_000, Timestamp(0));
        recording.entered(Timestamp(10));
        recording.output(b"$ ", Timestamp(100));
        recording.entered(Timestamp(110));
        recording.entered(Timestamp(111));
        recording.output(b"done", Timestamp(112));
        recording.entered(Timestamp(200));
        let told: Vec<(f64, String, String)> = events(&text(&mut recording));
        let told: Vec<(f64, &str, &str)> = told.iter().map(|(at, kind, data)| (*at, &**kind, &**data)).collect();
        let expected = [(0.1, "o", "$ "), (0.11, "m", ""), (0.112, "o", "done"), (0.2, "m", "")];
        assert_eq!(told, expected, "one for each line, and none before anything is seen");
    }

    #[test]
    fn a_character_in_two_halves_is_one_character() {
        let mut recording = Recording::new("", SIZE, 10_000, Timestamp(0));
        let cat = "猫".as_bytes();
        recording.output(&[b"a", &cat[..2]].concat(), Timestamp(0));
        let _early = recording.pieces();
        recording.output(&cat[2..], Timestamp(500));
        recording.output(b"\xff", Timestamp(1000));
        recording.end();
        let data: String = events(&text(&mut recording)).into_iter().map(|event| event.2).collect();
        assert_eq!(data, "a猫\u{fffd}");
    }

    #[test]
    fn a_full_recording_says_so_and_stays_as_it_is() {
        let mut recording = Recording::new("", SIZE, 20_000, Timestamp(0));
        for second in 0..1000 {
            recording.output(&[b'x'; 1000], Timestamp(second * 1000));
        }
        recording.end();
        let text = text(&mut recording);
        assert!(text.len() < 20_200, "{}", text.len());
        let events = events(&text);
        assert!(events.len() > 15);
        let last = events.last().unwrap();
        assert_eq!((last.1.as_str(), last.2.contains("truncated")), ("m", true), "{last:?}");
    }

    #[test]
    fn without_room_nothing_is_recorded() {
        let mut recording = Recording::new("", SIZE, 0, Timestamp(0));
        recording.output(b"x", Timestamp(1));
        assert!(recording.pieces().is_empty());
    }

    #[test]
    fn output_is_one_line_within_moments_only_and_none_is_too_long() {
        let mut recording = Recording::new("", SIZE, 1 << 20, Timestamp(0));
        for (at, word) in [(100, "a"), (120, "b"), (121, "c"), (141, "d"), (500, "e")] {
            recording.output(word.as_bytes(), Timestamp(at));
        }
        recording.output(&[b'x'; 2 * LONGEST + 1], Timestamp(500));
        recording.end();
        let events = events(&text(&mut recording));
        let told: Vec<(f64, usize)> = events.iter().map(|(at, _, data)| (*at, data.len())).collect();
        assert_eq!(told, [(0.1, 2), (0.121, 2), (0.5, 1), (0.5, LONGEST), (0.5, LONGEST), (0.5, 1)]);
        assert_eq!((events[0].2.as_str(), events[1].2.as_str()), ("ab", "cd"));
    }

    #[test]
    fn the_file_so_far_can_be_asked_for_again_and_again() {
        let mut recording = Recording::new("a \"quoted\"\ntitle", SIZE, 1 << 20, Timestamp(0));
        let header: Value = serde_json::from_str(text(&mut recording).trim_end()).unwrap();
        assert_eq!((header["title"].as_str(), header["version"].as_u64()), (Some("a \"quoted\"\ntitle"), Some(2)));
        let mut before = text(&mut recording);
        for at in 0..200_u64 {
            recording.output(&[b'y'; 1_000], Timestamp(at * 100));
            let now = text(&mut recording);
            assert!(now.starts_with(&before) && now.len() > before.len(), "{at}");
            before = now;
        }
        assert!(recording.pieces().len() > 2, "what is whole is shared, not copied");
        assert_eq!(events(&before).len(), 200);
    }

    #[test]
    fn nothing_comes_after_the_mark_of_a_full_recording() {
        let mut recording = Recording::new("", SIZE, 300, Timestamp(0));
        recording.resized(SizeOf { columns: 1, rows: 1 }, Timestamp(1));
        recording.output(&[b'x'; 300], Timestamp(2));
        recording.resized(SizeOf { columns: 2, rows: 2 }, Timestamp(3));
        let full = text(&mut recording);
        recording.output(b"more", Timestamp(4));
        recording.resized(SizeOf { columns: 3, rows: 3 }, Timestamp(5));
        recording.end();
        assert_eq!(text(&mut recording), full);
        let kinds: Vec<String> = events(&full).into_iter().map(|event| event.1).collect();
        assert_eq!(kinds, ["r", "m"]);
    }

    #[test]
    fn a_clock_that_was_put_back_makes_no_time_before_the_beginning() {
        let mut recording = Recording::new("", SIZE, 1_000, Timestamp(5_000));
        recording.output(b"x", Timestamp(1_000));
        recording.end();
        assert_eq!(events(&text(&mut recording)), [(0.0, "o".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn only_what_can_become_a_character_waits() {
        for (bytes, waiting) in [
            (b"".as_slice(), 0),
            (b"a", 0),
            (b"a\xc3", 1),
            (b"a\xe7\x8c", 2),
            (b"a\xf0\x9f\x90", 3),
            (b"a\xe7\x8c\xab", 0),
            (b"a\xe7\x8c\xab\xe7", 1),
            (b"\x80\x80\x80\x80", 0),
            (b"\xff", 0),
            (b"\xc0", 0),
            (b"\xe0\x80", 0),
            (b"\xed\xa0", 0),
            (b"\xf4\x90", 0),
            (b"\xc3a", 0),
        ] {
            assert_eq!(bytes.len() - complete(bytes), waiting, "{bytes:?}");
        }
    }
}
