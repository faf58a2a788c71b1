//! What a process has printed: the last of it, each byte with its offset since the beginning.
//!
//! It is kept as frames that are ready to be sent, so that all viewers who are in step share one copy.

use crate::Frame;
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::VecDeque;

/// The most bytes that a frame of output bears.
pub(crate) const LONGEST_OUTPUT: usize = 32 * 1024;
/// Pieces below this are put together once there are [`LOOSE`] of them.
const SMALL: usize = 16 * 1024;
/// How many pieces may lie loose at the end: without a bound, a program that prints single bytes would cost a hundred
/// times as much memory as it printed.
const LOOSE: usize = 64;
const OFFSET: usize = 8;

#[derive(Debug)]
struct Piece {
    offset: u64,
    frame: Bytes,
}

impl Piece {
    fn new(offset: u64, parts: &[&[u8]]) -> Self {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut frame = BytesMut::with_capacity(OFFSET + length);
        frame.put_u64(offset);
        for part in parts {
            frame.put_slice(part);
        }
        Self { offset, frame: frame.freeze() }
    }

    fn bytes(&self) -> &[u8] {
        self.frame.get(OFFSET..).unwrap_or_default()
    }

    fn end(&self) -> u64 {
        self.offset + self.bytes().len() as u64
    }
}

/// The last bytes of what was printed.
#[derive(Debug)]
pub(crate) struct Log {
    pieces: VecDeque<Piece>,
    /// How many of the last pieces are loose, and their bytes.
    loose: usize,
    loose_bytes: usize,
    end: u64,
    capacity: usize,
}

impl Log {
    /// A log that keeps at most this many bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { pieces: VecDeque::new(), loose: 0, loose_bytes: 0, end: 0, capacity }
    }

    /// The offset of the first byte that is still there.
    pub(crate) fn start(&self) -> u64 {
        self.pieces.front().map_or(self.end, |piece| piece.offset)
    }

    /// The offset of the next byte that will be printed.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Appends what was printed.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        for bytes in bytes.chunks(LONGEST_OUTPUT) {
            if bytes.len() >= SMALL {
                self.put_together();
            }
            let piece = Piece::new(self.end, &[bytes]);
            self.end = piece.end();
            self.pieces.push_back(piece);
            if bytes.len() < SMALL {
                self.loose += 1;
                self.loose_bytes += bytes.len();
                if self.loose > LOOSE || self.loose_bytes > SMALL {
                    self.put_together();
                }
            }
        }
        while self.end - self.start() > self.capacity as u64 {
            self.pieces.pop_front();
        }
        self.loose = self.loose.min(self.pieces.len());
    }

    /// Makes one piece of the loose ones, and of what is small before them.
    fn put_together(&mut self) {
        if self.loose == 0 {
            return;
        }
        let first = self.pieces.len() - self.loose;
        let before = first.checked_sub(1).filter(|&before| self.pieces[before].bytes().len() < SMALL);
        let first = before.unwrap_or(first);
        let parts: Vec<Piece> = self.pieces.drain(first..).collect();
        let offset = parts.first().map_or(self.end, |part| part.offset);
        let bytes: Vec<&[u8]> = parts.iter().map(Piece::bytes).collect();
        self.pieces.push_back(Piece::new(offset, &bytes));
        (self.loose, self.loose_bytes) = (0, 0);
    }

    /// The next frame from an offset on, and the offset after it; `None` if nothing is there yet, or not any more.
    pub(crate) fn frame(&self, from: u64) -> Option<(Frame, u64)> {
        let at = self.find(from)?;
        let piece = &self.pieces[at];
        let is_last = at + 1 == self.pieces.len();
        if piece.offset == from && (is_last || piece.bytes().len() >= SMALL) {
            return Some((Frame::Binary(piece.frame.clone()), piece.end()));
        }
        // Somebody who is behind gets small pieces in one frame.
        let mut parts = Vec::new();
        let mut end = from;
        for bytes in self.bytes(from) {
            let room = LONGEST_OUTPUT - (end - from) as usize;
            let bytes = &bytes[..bytes.len().min(room)];
            parts.push(bytes);
            end += bytes.len() as u64;
            if bytes.len() == room {
                break;
            }
        }
        Some((Frame::Binary(Piece::new(from, &parts).frame), end))
    }

    /// What is there from an offset on, piece by piece.
    pub(crate) fn bytes(&self, from: u64) -> impl Iterator<Item = &[u8]> {
        let first = self.find(from).unwrap_or(self.pieces.len());
        self.pieces.range(first..).map(move |piece| {
            let skip = from.saturating_sub(piece.offset) as usize;
            piece.bytes().get(skip..).unwrap_or_default()
        })
    }

    /// The piece that bears the byte at an offset.
    fn find(&self, offset: u64) -> Option<usize> {
        if offset < self.start() || offset >= self.end {
            return None;
        }
        Some(self.pieces.partition_point(|piece| piece.end() <= offset))
    }

    /// How many pieces there are, for the bound on memory.
    #[cfg(test)]
    pub(crate) fn pieces(&self) -> usize {
        self.pieces.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &Log, mut from: u64) -> Vec<u8> {
        let mut read = Vec::new();
        while let Some((Frame::Binary(frame), next)) = log.frame(from) {
            let (offset, bytes) = Frame::split_output(frame).unwrap();
            assert_eq!(offset, from);
            assert_eq!(bytes.len() as u64, next - from);
            assert!(!bytes.is_empty() && bytes.len() <= 2 * LONGEST_OUTPUT);
            read.extend_from_slice(&bytes);
            from = next;
        }
        read
    }

    #[test]
    fn what_was_pushed_is_read_from_any_offset() {
        let mut log = Log::new(1 << 20);
        let mut all = Vec::new();
        for (index, size) in [1, 5, 40_000, 7, 16_384, 2, 3, 100_000, 1].into_iter().enumerate() {
            let bytes: Vec<u8> = (0..size).map(|at| (at * 7 + index) as u8).collect();
            log.push(&bytes);
            all.extend_from_slice(&bytes);
        }
        for from in (0..all.len()).step_by(997).chain([0, all.len() - 1]) {
            assert_eq!(read(&log, from as u64), all[from..], "{from}");
        }
        assert!(log.frame(all.len() as u64).is_none(), "nothing yet");
    }

    #[test]
    fn the_oldest_goes_first_and_the_bound_holds() {
        let mut log = Log::new(100_000);
        for _ in 0..50 {
            log.push(&[7; 10_000]);
            assert!(log.end() - log.start() <= 100_000);
        }
        assert_eq!(log.end(), 500_000);
        assert!(log.start() >= 400_000 && log.start() < 450_000);
        assert!(log.frame(log.start() - 1).is_none(), "that is gone");
        assert_eq!(read(&log, log.start()).len() as u64, log.end() - log.start());
    }

    #[test]
    fn single_bytes_cost_no_pieces_of_their_own() {
        let mut log = Log::new(1 << 20);
        for index in 0..300_000_u32 {
            log.push(&[index as u8]);
        }
        assert!(log.pieces() <= 300_000 / SMALL + LOOSE + 2, "{}", log.pieces());
        let read = read(&log, 0);
        assert!(read.iter().enumerate().all(|(at, &byte)| byte == at as u8));
    }

    #[test]
    fn viewers_in_step_share_one_copy() {
        let mut log = Log::new(1 << 20);
        log.push(b"prompt");
        let (Some((Frame::Binary(one), _)), Some((Frame::Binary(two), _))) = (log.frame(0), log.frame(0)) else {
            panic!("nothing");
        };
        assert_eq!(one.as_ptr(), two.as_ptr());
    }

    #[test]
    fn a_log_of_nothing_has_nothing_at_any_offset() {
        let mut log = Log::new(1_000);
        log.push(b"");
        assert_eq!((log.start(), log.end(), log.pieces()), (0, 0, 0));
        for from in [0, 1, u64::MAX] {
            assert!(log.frame(from).is_none(), "{from}");
            assert_eq!(log.bytes(from).count(), 0, "{from}");
        }
    }

    #[test]
    fn whatever_is_pushed_the_end_of_it_is_there() {
        // Around every bound: of a frame, of small pieces, of all that is kept.
        for capacity in [LONGEST_OUTPUT, LONGEST_OUTPUT + 1, 3 * LONGEST_OUTPUT] {
            for size in [1, SMALL - 1, SMALL, SMALL + 1, LONGEST_OUTPUT - 1, LONGEST_OUTPUT, LONGEST_OUTPUT + 1] {
                let (mut log, mut all) = (Log::new(capacity), Vec::new());
                for index in 0..9_usize {
                    let bytes: Vec<u8> = (0..size).map(|at| (at * 3 + index) as u8).collect();
                    log.push(&bytes);
                    log.push(b"$");
                    all.extend_from_slice(&bytes);
                    all.push(b'$');
                    assert_eq!(log.end(), all.len() as u64);
                    assert!(all.len() - log.start() as usize <= capacity, "{size} in {capacity}");
                    assert_eq!(read(&log, log.start()), all[log.start() as usize..], "{size} in {capacity}");
                }
                assert!(log.end() > log.start(), "something is there: {size} in {capacity}");
            }
        }
    }

    #[test]
    fn who_is_behind_gets_small_pieces_in_one_frame() {
        let mut log = Log::new(1 << 20);
        for word in ["one ", "two ", "three"] {
            log.push(word.as_bytes());
        }
        assert_eq!(log.frame(1), Some((Frame::output(1, b"ne two three"), 13)));
        assert_eq!(log.frame(4), Some((Frame::output(4, b"two three"), 13)));
        assert_eq!(log.frame(8), Some((Frame::output(8, b"three"), 13)), "in step: the last piece as it is");
        let parts: Vec<&[u8]> = log.bytes(5).collect();
        assert_eq!(parts, [b"wo ".as_slice(), b"three"]);
    }

    #[test]
    fn no_frame_to_who_is_behind_is_longer_than_may_be() {
        let mut log = Log::new(1 << 20);
        for index in 0..5_u8 {
            log.push(&[index; SMALL - 1]);
        }
        let (Frame::Binary(frame), next) = log.frame(1).unwrap() else { panic!("not binary") };
        assert_eq!((frame.len(), next), (OFFSET + LONGEST_OUTPUT, 1 + LONGEST_OUTPUT as u64));
    }
}
