//! Small pictures of screens: rows of text with sixteen colours, and what is new in one picture against another.
//!
//! They are for looking at many terminals at once. What a terminal is worked in with are the bytes of its log.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

/// The most columns and rows of a picture; of a larger screen the left part of the rows above its cursor is shown.
pub const LARGEST_PICTURE: (u16, u16) = (132, 50);
/// The most pieces of a row that look different; the rest looks like the last one. It bounds what a row comes to.
pub(crate) const MOST_RUNS: usize = 40;

/// A picture of a screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Picture {
    /// The width of the terminal, in cells.
    pub columns: u16,
    /// Its height, in cells.
    pub rows: u16,
    /// Column and row of the cursor in the picture, from 0; none if it is not shown.
    pub cursor: Option<(u16, u16)>,
    /// The rows of the picture, without what is empty at their ends.
    pub lines: Vec<PictureLine>,
}

/// A row of a picture.
pub type PictureLine = Vec<PictureRun>;

/// Text of one look.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PictureRun {
    /// The text.
    #[serde(rename = "t")]
    pub text: String,
    /// Its colour: 0 to 15 of a terminal's, 16 for that of the background; none for the usual one.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub foreground: Option<u8>,
    /// The colour behind it: 0 to 15 of a terminal's, 17 for that of text; none for the usual one.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub background: Option<u8>,
    /// [`BOLD`](Self::BOLD), [`DIM`](Self::DIM), [`UNDERLINED`](Self::UNDERLINED), added up.
    #[serde(rename = "a", default, skip_serializing_if = "is_zero")]
    pub attributes: u8,
}

impl PictureRun {
    /// It is bold.
    pub const BOLD: u8 = 1;
    /// It is dim.
    pub const DIM: u8 = 2;
    /// It is underlined.
    pub const UNDERLINED: u8 = 4;
    /// The colour of the background, for text.
    pub const OF_BACKGROUND: u8 = 16;
    /// The colour of text, for what is behind.
    pub const OF_TEXT: u8 = 17;
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(attributes: &u8) -> bool {
    *attributes == 0
}

/// What is new in the picture of a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureChange {
    /// The terminal.
    pub terminal: String,
    /// The terminal's width, in cells.
    pub columns: u16,
    /// Its height, in cells.
    pub rows: u16,
    /// Column and row of the cursor, from 0; none if it is not shown.
    pub cursor: Option<(u16, u16)>,
    /// How many rows the picture has.
    pub height: u16,
    /// Whether the rows below are all that are not empty, whatever was there before.
    pub whole: bool,
    /// The rows that are new, by their numbers from 0.
    pub lines: Vec<(u16, PictureLine)>,
    /// Whether the terminal is over: nothing more comes of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
}

impl PictureChange {
    /// The change that says that a terminal is not there any more.
    #[must_use]
    pub fn over(terminal: &str) -> Self {
        Self {
            terminal: terminal.to_owned(),
            columns: 0,
            rows: 0,
            cursor: None,
            height: 0,
            whole: false,
            lines: Vec::new(),
            over: true,
        }
    }

    /// Whether it keeps to the bounds of pictures.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        let is_short = |line: &PictureLine| {
            line.len() <= MOST_RUNS
                && line.iter().map(|run| run.text.chars().count()).sum::<usize>() <= most_characters()
        };
        self.height <= LARGEST_PICTURE.1
            && self.lines.len() <= usize::from(self.height)
            && self.lines.iter().all(|(at, line)| *at < self.height && is_short(line))
    }
}

/// The most characters of a row: each cell may bear marks.
fn most_characters() -> usize {
    usize::from(LARGEST_PICTURE.0) * (1 + MOST_MARKS)
}

/// The most marks of a character in a picture.
pub(crate) const MOST_MARKS: usize = 2;

impl Picture {
    /// What is new in it against an earlier one, or against none; nothing if they are the same.
    #[must_use]
    pub fn change(&self, terminal: &str, before: Option<&Self>) -> Option<PictureChange> {
        if before == Some(self) {
            return None;
        }
        let before = before.filter(|before| before.lines.len() == self.lines.len());
        let is_new = |at: usize, line: &PictureLine| match before {
            Some(before) => before.lines[at] != *line,
            None => !line.is_empty(),
        };
        let lines = self.lines.iter().enumerate().filter(|(at, line)| is_new(*at, line));
        Some(PictureChange {
            terminal: terminal.to_owned(),
            columns: self.columns,
            rows: self.rows,
            cursor: self.cursor,
            height: u16::try_from(self.lines.len()).unwrap_or(LARGEST_PICTURE.1),
            whole: before.is_none(),
            lines: lines.map(|(at, line)| (u16::try_from(at).unwrap_or(u16::MAX), line.clone())).collect(),
            over: false,
        })
    }

    /// Takes in what is new. A row that has no place is left out.
    pub fn apply(&mut self, change: &PictureChange) {
        (self.columns, self.rows, self.cursor) = (change.columns, change.rows, change.cursor);
        if change.whole {
            self.lines.clear();
        }
        self.lines.resize(usize::from(change.height.min(LARGEST_PICTURE.1)), Vec::new());
        for (at, line) in &change.lines {
            if let Some(place) = self.lines.get_mut(usize::from(*at)) {
                place.clone_from(line);
            }
        }
    }
}
