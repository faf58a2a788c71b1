//! The screen as text: what to write into an empty terminal of the same size so that it shows and does the same.
//!
//! Not restored are tab stops that a program has set, and the character that `REP` would repeat.

use super::Screen;
use super::pen::{Pen, push};
use alacritty_terminal::grid::{Cursor, Dimensions, Grid, Row};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{CharsetIndex, Color, CursorShape, NamedColor, StandardCharset};

/// Modes that a program sets, what sets them and what unsets them; and whether a new terminal has them set.
const MODES: [(TermMode, &str, &str, bool); 16] = [
    (TermMode::INSERT, "\x1b[4h", "\x1b[4l", false),
    (TermMode::LINE_FEED_NEW_LINE, "\x1b[20h", "\x1b[20l", false),
    (TermMode::LINE_WRAP, "\x1b[?7h", "\x1b[?7l", true),
    (TermMode::APP_CURSOR, "\x1b[?1h", "\x1b[?1l", false),
    (TermMode::APP_KEYPAD, "\x1b=", "\x1b>", false),
    (TermMode::MOUSE_REPORT_CLICK, "\x1b[?1000h", "\x1b[?1000l", false),
    (TermMode::MOUSE_DRAG, "\x1b[?1002h", "\x1b[?1002l", false),
    (TermMode::MOUSE_MOTION, "\x1b[?1003h", "\x1b[?1003l", false),
    (TermMode::FOCUS_IN_OUT, "\x1b[?1004h", "\x1b[?1004l", false),
    (TermMode::UTF8_MOUSE, "\x1b[?1005h", "\x1b[?1005l", false),
    (TermMode::SGR_MOUSE, "\x1b[?1006h", "\x1b[?1006l", false),
    (TermMode::ALTERNATE_SCROLL, "\x1b[?1007h", "\x1b[?1007l", true),
    (TermMode::URGENCY_HINTS, "\x1b[?1042h", "\x1b[?1042l", true),
    (TermMode::BRACKETED_PASTE, "\x1b[?2004h", "\x1b[?2004l", false),
    (TermMode::SHOW_CURSOR, "\x1b[?25h", "\x1b[?25l", true),
    (TermMode::ORIGIN, "", "", false),
];
/// The beginning of a command that no terminal knows.
const UNHEEDED: &str = "\x1b]77777;";
const CHARSETS: [(CharsetIndex, char); 4] =
    [(CharsetIndex::G0, '('), (CharsetIndex::G1, ')'), (CharsetIndex::G2, '*'), (CharsetIndex::G3, '+')];

/// What is written, and how the terminal that reads it would write on.
#[derive(Default)]
struct Out {
    text: String,
    pen: Pen,
    sets: [StandardCharset; 4],
}

impl Screen {
    /// The screen and what has scrolled off it, with all that determines how it goes on.
    pub(crate) fn dump(&mut self) -> String {
        let mut text = self.shown();
        // Whoever reads this reads on in the middle of a string that nobody heeds.
        match self.skipping {
            Some(true) => text.push_str(UNHEEDED),
            Some(false) => text.push_str("\x1b_"),
            None => {}
        }
        text
    }

    /// The same, as if no string were open.
    pub(crate) fn shown(&mut self) -> String {
        let mut out = Out::default();
        self.colours(&mut out);
        if self.term.mode().contains(TermMode::ALT_SCREEN) {
            // The model shows one screen at a time, and forgets the other one's cells when it changes to it.
            let alternate = self.term.grid().clone();
            self.term.swap_alt();
            let primary = self.term.grid();
            out.scrolled(primary);
            out.place(primary, &primary.cursor, 0);
            out.charsets(&primary.cursor, false);
            out.pen(Pen::of(&primary.cursor.template));
            self.term.swap_alt();
            *self.term.grid_mut() = alternate;
            out.text.push_str("\x1b[?1049h");
            out.charsets(&Cursor::default(), false);
            // What was erased with that colour is to be erased without any.
            let is_erased = out.pen.erases_to_nothing();
            out.pen(Pen::default());
            if !is_erased {
                out.text.push_str("\x1b[2J");
            }
            out.placed(self.term.grid());
        } else {
            out.scrolled(self.term.grid());
        }
        self.finish(&mut out);
        out.text
    }

    /// What is not cells.
    fn finish(&self, out: &mut Out) {
        let (grid, mode) = (self.term.grid(), *self.term.mode());
        if grid.saved_cursor != Cursor::default() {
            out.place(grid, &grid.saved_cursor, 0);
            out.charsets(&grid.saved_cursor, false);
            out.pen(Pen::of(&grid.saved_cursor.template));
            out.text.push_str("\x1b7");
            out.charsets(&Cursor::default(), false);
        }
        let mut origin = 0;
        if let Some((top, bottom)) = self.noted.region {
            push(&mut out.text, format_args!("\x1b[{top};{bottom}r"));
            origin = usize::from(top) - 1;
        }
        if mode.contains(TermMode::ORIGIN) {
            out.text.push_str("\x1b[?6h");
        } else {
            origin = 0;
        }
        out.place(grid, &grid.cursor, origin);
        out.charsets(&grid.cursor, self.noted.shifted);
        out.pen(Pen::of(&grid.cursor.template));
        for (flag, set, unset, is_default) in MODES {
            if mode.contains(flag) != is_default {
                out.text.push_str(if is_default { unset } else { set });
            }
        }
        let style = self.term.cursor_style();
        let shape = match style.shape {
            CursorShape::Underline => 3,
            CursorShape::Beam => 5,
            _ => 1,
        };
        if shape != 1 || style.blinking {
            push(&mut out.text, format_args!("\x1b[{} q", if style.blinking { shape } else { shape + 1 }));
        }
        if let Some(title) = &self.noted.title {
            push(&mut out.text, format_args!("\x1b]2;{title}\x1b\\"));
        }
    }

    /// Colours that a program has defined.
    fn colours(&self, out: &mut Out) {
        let colours = self.term.colors();
        for index in 0..=NamedColor::Cursor as usize {
            let Some(rgb) = colours[index] else { continue };
            let what = match index {
                0..=255 => format!("4;{index}"),
                _ => (index - NamedColor::Foreground as usize + 10).to_string(),
            };
            push(&mut out.text, format_args!("\x1b]{what};rgb:{:02x}/{:02x}/{:02x}\x1b\\", rgb.r, rgb.g, rgb.b));
        }
    }
}

impl Out {
    fn pen(&mut self, pen: Pen) {
        self.pen.change(pen, &mut self.text);
    }

    /// All lines, in the way in which they came: those that don't fit any more scroll off.
    fn scrolled(&mut self, grid: &Grid<Cell>) {
        let (first, mut last) = (grid.topmost_line().0, grid.bottommost_line().0);
        while last > 0 && grid.history_size() == 0 && used(&grid[Line(last)]) == 0 {
            last -= 1;
        }
        // A line that the terminal begins by itself is filled with the colour of what it writes then.
        let mut is_filled = false;
        for line in first..=last {
            let row = &grid[Line(line)];
            let used = used(row);
            let next = (line < last).then(|| &grid[Line(line + 1)]);
            self.cells(row, used, next);
            if is_filled && used < row.len() {
                self.pen(Pen::default());
                self.text.push_str("\x1b[K");
            }
            is_filled = false;
            let Some(next) = next else { break };
            if row[Column(row.len() - 1)].flags.contains(Flags::WRAPLINE) && self::used(next) > 0 {
                is_filled = !Pen::of(&next[Column(0)]).erases_to_nothing();
            } else {
                if !self.pen.erases_to_nothing() {
                    self.pen(Pen::default());
                }
                self.text.push_str("\r\n");
            }
        }
    }

    /// The lines of a screen from which nothing scrolls off, each at its place.
    fn placed(&mut self, grid: &Grid<Cell>) {
        for line in 0..=grid.bottommost_line().0 {
            let row = &grid[Line(line)];
            let used = filled(row);
            if used > 0 {
                push(&mut self.text, format_args!("\x1b[{};1H", line + 1));
                self.cells(row, used, None);
            }
        }
    }

    fn cells(&mut self, row: &Row<Cell>, used: usize, next: Option<&Row<Cell>>) {
        let last = &row[Column(row.len() - 1)];
        // The terminal leaves this cell out by itself when the wide character that comes next does not fit.
        let is_left_out = last.flags.contains(Flags::LEADING_WIDE_CHAR_SPACER | Flags::WRAPLINE)
            && next.is_some_and(|next| is_wide(next, 0) && Pen::of(&next[Column(0)]) == Pen::of(last));
        let used = if is_left_out { used.min(row.len() - 1) } else { used };
        let mut column = 0;
        while column < used {
            column += self.cell(row, column);
        }
    }

    /// Writes the character of a cell; gives how many cells it takes.
    fn cell(&mut self, row: &Row<Cell>, column: usize) -> usize {
        let cell = &row[Column(column)];
        self.pen(Pen::of(cell));
        if !cell.flags.contains(Flags::WIDE_CHAR) {
            self.text.push(shown(cell));
            self.text.extend(cell.zerowidth().unwrap_or_default());
            return 1;
        }
        if !is_wide(row, column) {
            // Half of a character that has lost the other half.
            self.text.push(' ');
            return 1;
        }
        self.text.push(shown(cell));
        self.text.extend(cell.zerowidth().unwrap_or_default());
        2
    }

    /// Moves the cursor to its place; `origin` is the first line that counts.
    fn place(&mut self, grid: &Grid<Cell>, cursor: &Cursor<Cell>, origin: usize) {
        let (line, mut column) = (cursor.point.line.0.max(0) as usize, cursor.point.column.0);
        let row = &grid[Line(line as i32)];
        if cursor.input_needs_wrap && row[Column(column)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            column = column.saturating_sub(1);
        }
        push(&mut self.text, format_args!("\x1b[{};{}H", line.saturating_sub(origin) + 1, column + 1));
        if cursor.input_needs_wrap {
            // It stands behind the last character of the line: only writing that one brings it there.
            self.cell(row, column);
        }
    }

    /// Which characters the codes stand for.
    fn charsets(&mut self, cursor: &Cursor<Cell>, shifted: bool) {
        for (has, (index, sign)) in self.sets.iter_mut().zip(CHARSETS) {
            let set = cursor.charsets[index];
            if *has != set {
                *has = set;
                let name = if set == StandardCharset::Ascii { 'B' } else { '0' };
                push(&mut self.text, format_args!("\x1b{sign}{name}"));
            }
        }
        if shifted {
            self.text.push('\x0e');
        }
    }
}

/// Whether there is a wide character, and not only half of one.
fn is_wide(row: &Row<Cell>, column: usize) -> bool {
    let has = |column, flag| column < row.len() && row[Column(column)].flags.contains(flag);
    has(column, Flags::WIDE_CHAR) && has(column + 1, Flags::WIDE_CHAR_SPACER)
}

fn shown(cell: &Cell) -> char {
    if cell.c == '\t' || cell.c.is_control() { ' ' } else { cell.c }
}

/// How many cells of a line are to be written: all, if the next line goes on with it.
fn used(row: &Row<Cell>) -> usize {
    if row[Column(row.len() - 1)].flags.contains(Flags::WRAPLINE) { row.len() } else { filled(row) }
}

/// How many cells of a line have something in them.
fn filled(row: &Row<Cell>) -> usize {
    let visible = Flags::INVERSE | Flags::ALL_UNDERLINES | Flags::STRIKEOUT;
    let is_empty = |cell: &Cell| {
        shown(cell) == ' '
            && cell.bg == Color::Named(NamedColor::Background)
            && !cell.flags.intersects(visible)
            && cell.extra.is_none()
    };
    (0..row.len()).rev().find(|&column| !is_empty(&row[Column(column)])).map_or(0, |column| column + 1)
}
