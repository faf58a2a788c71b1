//! What the terminal shows: the model of its screen and of what has scrolled off it.
//!
//! The model is fed whole sequences only, so it always stands for all bytes before an offset at which a terminal that
//! is told the rest goes on rightly. What it keeps to itself or must not be told is noted on the way.

mod dump;
mod paint;
mod pen;
mod sequence;
mod skip;
#[cfg(test)]
mod tests;

use crate::SizeOf;
use crate::recording::complete;
use alacritty_terminal::Term;
use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::Config;
use alacritty_terminal::vte::ansi::{Processor, Timeout};
use sequence::{Found, Kind, Sequence};
use std::fmt;
use std::time::Duration;

/// How many lines are kept of what has scrolled off.
pub(crate) const SCROLLBACK: usize = 1_000;
/// A sequence that is longer is not waited for.
const LONGEST_SEQUENCE: usize = 4 * 1024;
/// After how many bytes cells are searched for ever more marks on one character.
const SWEEP: usize = 1024 * 1024;
/// The most marks that a character keeps.
const MARKS: usize = 16;

/// Output between two marks of a synchronised update is shown at once: whoever is told of the screen wants it as it is.
#[derive(Debug, Default)]
struct NoDelay;

impl Timeout for NoDelay {
    fn set_timeout(&mut self, _: Duration) {}
    fn clear_timeout(&mut self) {}
    fn pending_timeout(&self) -> bool {
        false
    }
}

struct Cells(SizeOf);

impl Dimensions for Cells {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }
    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }
    fn columns(&self) -> usize {
        usize::from(self.0.columns)
    }
}

/// What the model does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Noted {
    /// The lines that scroll, from 1, the last one included; all of them without.
    region: Option<(u16, u16)>,
    /// The title of the window.
    title: Option<String>,
    /// Whether characters are of the second set (after SO) and not of the first (after SI).
    shifted: bool,
}

/// The screen.
pub(crate) struct Screen {
    term: Term<VoidListener>,
    processor: Processor<NoDelay>,
    noted: Noted,
    size: SizeOf,
    /// The offset of the first byte that the model was not told.
    at: u64,
    /// What it was not told, since it is not whole.
    pending: Vec<u8>,
    /// A string that is too long is skipped until it ends; whether a bell may end it.
    skipping: Option<bool>,
    unswept: usize,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("size", &self.size).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Screen {
    /// An empty screen.
    pub(crate) fn new(size: SizeOf) -> Self {
        let config = Config { scrolling_history: SCROLLBACK, ..Config::default() };
        Self {
            term: Term::new(config, &Cells(size), VoidListener),
            processor: Processor::new(),
            noted: Noted::default(),
            size,
            at: 0,
            pending: Vec::new(),
            skipping: None,
            unswept: 0,
        }
    }

    /// The offset that the screen stands for: all bytes before it.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Whether a program has the whole screen for itself, as editors have.
    pub(crate) fn is_alternate(&self) -> bool {
        self.term.mode().contains(alacritty_terminal::term::TermMode::ALT_SCREEN)
    }

    /// The offset of the next byte that is to be fed.
    pub(crate) fn fed(&self) -> u64 {
        self.at + self.pending.len() as u64
    }

    /// Makes it larger or smaller. Lines that were wrapped are wrapped anew.
    pub(crate) fn resize(&mut self, size: SizeOf) {
        if size != self.size {
            self.size = size;
            self.noted.region = None;
            self.term.resize(Cells(size));
        }
    }

    /// Takes the next bytes that were printed.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.unswept += bytes.len();
        if self.pending.is_empty() {
            self.take(bytes);
        } else {
            let joined = [std::mem::take(&mut self.pending).as_slice(), bytes].concat();
            self.take(&joined);
        }
        if self.unswept >= SWEEP {
            self.unswept = 0;
            self.sweep();
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let taken = match self.skipping {
            Some(bell) => self.skip(bytes, bell),
            None => 0,
        };
        let taken = if self.skipping.is_some() { bytes.len() } else { taken + self.whole(&bytes[taken..]) };
        self.at += taken as u64;
        self.pending = bytes[taken..].to_vec();
    }

    /// Skips the rest of a string; gives how much of it there was.
    fn skip(&mut self, bytes: &[u8], bell: bool) -> usize {
        let ends = |&byte: &u8| matches!(byte, 0x18 | 0x1a | 0x1b) || (bell && byte == 0x07);
        let Some(end) = bytes.iter().position(ends) else { return bytes.len() };
        self.skipping = None;
        if bytes[end] == 0x1b { end } else { end + 1 }
    }

    /// Tells the model all that is whole; gives how much that was.
    fn whole(&mut self, bytes: &[u8]) -> usize {
        let (mut told, mut at) = (0, 0);
        loop {
            let Some(escape) = bytes[at..].iter().position(|&byte| byte == 0x1b).map(|escape| at + escape) else {
                let end = at + complete(&bytes[at..]);
                self.note_shift(&bytes[at..end]);
                self.tell(&bytes[told..end]);
                return end;
            };
            self.note_shift(&bytes[at..escape]);
            match sequence::find(&bytes[escape..]) {
                Found::Whole(sequence) => {
                    at = escape + sequence.length;
                    if let Some(instead) = self.note(&sequence) {
                        self.tell(&bytes[told..escape]);
                        self.tell(&instead);
                        told = at;
                    }
                }
                Found::Part(kind) => {
                    self.tell(&bytes[told..escape]);
                    if bytes.len() - escape <= LONGEST_SEQUENCE {
                        return escape;
                    }
                    // Of a string nothing is told; of other sequences the model keeps track by itself.
                    match kind {
                        Kind::Text => self.skipping = Some(true),
                        Kind::Ignored => self.skipping = Some(false),
                        Kind::Control | Kind::Escape => self.tell(&bytes[escape..]),
                    }
                    return bytes.len();
                }
            }
        }
    }

    fn tell(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.processor.advance(&mut self.term, bytes);
        }
    }

    fn note_shift(&mut self, text: &[u8]) {
        if let Some(shift) = text.iter().rev().find(|&&byte| byte == 0x0e || byte == 0x0f) {
            self.noted.shifted = *shift == 0x0e;
        }
    }

    /// Notes what a sequence means; gives what the model is told in its place, if not the sequence itself.
    fn note(&mut self, sequence: &Sequence<'_>) -> Option<Vec<u8>> {
        match (sequence.kind, sequence.last) {
            // As if it had come in pieces.
            (Kind::Text, _) if sequence.length > LONGEST_SEQUENCE => return Some(Vec::new()),
            (Kind::Escape, b'c') if sequence.body.is_empty() => self.noted = Noted::default(),
            (Kind::Control, b'r') => return self.note_region(sequence),
            (Kind::Control, b'h' | b'l') if sequence.body == b"?3" => self.noted.region = None,
            // Titles are put on a stack without end, and windows asked for their sizes.
            (Kind::Control, b't') => return Some(Vec::new()),
            (Kind::Control, b'b') => return self.note_repeat(sequence),
            (Kind::Text, _) => {
                if let Some(title) = sequence.body.strip_prefix(b"0;").or_else(|| sequence.body.strip_prefix(b"2;")) {
                    let title = String::from_utf8_lossy(title);
                    self.noted.title = Some(title.chars().filter(|char| !char.is_control()).collect());
                }
                // The model takes it at the end, which may be the beginning of the next sequence.
                if sequence.last == 0x1b {
                    return Some([b"\x1b]", sequence.body, b"\x07"].concat());
                }
            }
            (Kind::Ignored, _) => return Some(Vec::new()),
            _ => {}
        }
        None
    }

    /// A region that has less than two lines of the screen is none, to any terminal.
    fn note_region(&mut self, sequence: &Sequence<'_>) -> Option<Vec<u8>> {
        let [top, bottom] = sequence.numbers()?;
        let (top, bottom) = (top.max(1), if bottom == 0 { self.size.rows } else { bottom.min(self.size.rows) });
        if top >= bottom {
            return Some(Vec::new());
        }
        self.noted.region = (top > 1 || bottom < self.size.rows).then_some((top, bottom));
        None
    }

    /// A character repeated more often than there are cells is of no use but to keep a processor busy.
    fn note_repeat(&self, sequence: &Sequence<'_>) -> Option<Vec<u8>> {
        let [times] = sequence.numbers()?;
        let most = u32::from(self.size.columns) * u32::from(self.size.rows);
        (u32::from(times) > most).then(|| format!("\x1b[{most}b").into_bytes())
    }

    fn sweep(&mut self) {
        let grid = self.term.grid_mut();
        let (top, bottom, columns) = (grid.topmost_line().0, grid.bottommost_line().0, grid.columns());
        for line in top..=bottom {
            for column in 0..columns {
                let cell = &mut grid[Line(line)][Column(column)];
                let Some(marks) = cell.zerowidth().filter(|marks| marks.len() > MARKS) else { continue };
                let (marks, link, underline) = (marks[..MARKS].to_vec(), cell.hyperlink(), cell.underline_color());
                cell.extra = None;
                cell.set_hyperlink(link);
                cell.set_underline_color(underline);
                marks.into_iter().for_each(|mark| cell.push_zerowidth(mark));
            }
        }
    }
}
