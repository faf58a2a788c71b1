//! The screen as a small picture.

use super::Screen;
use crate::picture::{LARGEST_PICTURE, MOST_MARKS, MOST_RUNS, Picture, PictureLine, PictureRun};
use alacritty_terminal::grid::{Dimensions, Row};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{Color, NamedColor};

/// A terminal's sixteen colours, for what is near to which.
const COLOURS: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];
/// The steps of the cube of colours.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

impl Screen {
    /// What it shows now, of what it was told.
    pub(crate) fn picture(&self) -> Picture {
        let grid = self.term.grid();
        let (screen_rows, most_rows) = (grid.screen_lines(), usize::from(LARGEST_PICTURE.1));
        let cursor = grid.cursor.point;
        let cursor_row = usize::try_from(cursor.line.0).unwrap_or_default().min(screen_rows.saturating_sub(1));
        // Of a higher screen the rows at the cursor matter most.
        let first = if screen_rows <= most_rows { 0 } else { (cursor_row + 1).saturating_sub(most_rows) };
        let last = screen_rows.min(first + most_rows);
        let number = |number: usize| u16::try_from(number).ok();
        let is_shown = self.term.mode().contains(TermMode::SHOW_CURSOR);
        let place = number(cursor.column.0).zip(number(cursor_row - first));
        Picture {
            columns: self.size.columns,
            rows: self.size.rows,
            cursor: place.filter(|(column, _)| is_shown && *column < LARGEST_PICTURE.0),
            lines: (first..last).map(|row| painted(&grid[Line(i32::try_from(row).unwrap_or_default())])).collect(),
        }
    }
}

fn painted(row: &Row<Cell>) -> PictureLine {
    let mut line = PictureLine::new();
    for column in 0..row.len().min(usize::from(LARGEST_PICTURE.0)) {
        let cell = &row[Column(column)];
        if cell.flags.contains(Flags::WIDE_CHAR_SPACER) && column > 0 {
            continue;
        }
        let look = look(cell);
        let is_full = line.len() >= MOST_RUNS;
        match line.last_mut() {
            Some(run) if is_full || is_alike(run, &look) => push(run, cell),
            _ => {
                let mut run = look;
                push(&mut run, cell);
                line.push(run);
            }
        }
    }
    trim(&mut line);
    line
}

fn is_alike(one: &PictureRun, other: &PictureRun) -> bool {
    (one.foreground, one.background, one.attributes) == (other.foreground, other.background, other.attributes)
}

fn push(run: &mut PictureRun, cell: &Cell) {
    let is_hidden = cell.flags.contains(Flags::HIDDEN) || cell.c.is_control();
    run.text.push(if is_hidden { ' ' } else { cell.c });
    run.text.extend(cell.zerowidth().unwrap_or_default().iter().take(MOST_MARKS));
}

/// Takes away what is empty at the end.
fn trim(line: &mut PictureLine) {
    while let Some(run) = line.last_mut() {
        if run.background.is_some() || run.attributes & PictureRun::UNDERLINED != 0 {
            return;
        }
        run.text.truncate(run.text.trim_end_matches(' ').len());
        if !run.text.is_empty() {
            return;
        }
        line.pop();
    }
}

/// How a cell looks.
fn look(cell: &Cell) -> PictureRun {
    let (mut foreground, mut background) = (colour(cell.fg), colour(cell.bg));
    if cell.flags.contains(Flags::INVERSE) {
        let behind = foreground.unwrap_or(PictureRun::OF_TEXT);
        foreground = Some(background.unwrap_or(PictureRun::OF_BACKGROUND));
        background = Some(behind);
    }
    let mut attributes = 0;
    for (flag, attribute) in [
        (Flags::BOLD, PictureRun::BOLD),
        (Flags::DIM, PictureRun::DIM),
        (Flags::ALL_UNDERLINES, PictureRun::UNDERLINED),
    ] {
        if cell.flags.intersects(flag) {
            attributes |= attribute;
        }
    }
    PictureRun { text: String::new(), foreground, background, attributes }
}

/// The nearest of the sixteen; none for the usual one.
fn colour(colour: Color) -> Option<u8> {
    match colour {
        Color::Named(named) => match named as usize {
            index @ 0..=15 => u8::try_from(index).ok(),
            index if (NamedColor::DimBlack as usize..=NamedColor::DimWhite as usize).contains(&index) => {
                u8::try_from(index - NamedColor::DimBlack as usize).ok()
            }
            _ => None,
        },
        Color::Indexed(index @ 0..=15) => Some(index),
        Color::Indexed(index @ 16..=231) => {
            let at = usize::from(index - 16);
            Some(nearest([STEPS[at / 36], STEPS[at / 6 % 6], STEPS[at % 6]]))
        }
        Color::Indexed(index) => Some(nearest([8 + 10 * (index - 232); 3])),
        Color::Spec(rgb) => Some(nearest([rgb.r, rgb.g, rgb.b])),
    }
}

fn nearest(colour: [u8; 3]) -> u8 {
    let far = |other: &[u8; 3]| {
        let parts = colour.iter().zip(other);
        parts.map(|(one, other)| u32::from(one.abs_diff(*other)).pow(2)).sum::<u32>()
    };
    let nearest = COLOURS.iter().enumerate().min_by_key(|(_, other)| far(other));
    nearest.and_then(|(index, _)| u8::try_from(index).ok()).unwrap_or_default()
}
