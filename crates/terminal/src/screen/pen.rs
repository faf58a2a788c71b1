//! How a character looks, as sequences: colours, attributes, links.

use alacritty_terminal::term::cell::{Cell, Flags, Hyperlink};
use alacritty_terminal::vte::ansi::{Color, NamedColor};
use std::fmt::Write;

const ATTRIBUTES: [(Flags, &str); 11] = [
    (Flags::BOLD, "1"),
    (Flags::DIM, "2"),
    (Flags::ITALIC, "3"),
    (Flags::UNDERLINE, "4"),
    (Flags::DOUBLE_UNDERLINE, "4:2"),
    (Flags::UNDERCURL, "4:3"),
    (Flags::DOTTED_UNDERLINE, "4:4"),
    (Flags::DASHED_UNDERLINE, "4:5"),
    (Flags::INVERSE, "7"),
    (Flags::HIDDEN, "8"),
    (Flags::STRIKEOUT, "9"),
];

/// How the next character will look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pen {
    foreground: Color,
    background: Color,
    underline: Option<Color>,
    attributes: Flags,
    link: Option<Hyperlink>,
}

impl Default for Pen {
    fn default() -> Self {
        Self::of(&Cell::default())
    }
}

impl Pen {
    /// As this cell looks.
    pub(super) fn of(cell: &Cell) -> Self {
        let all = ATTRIBUTES.iter().fold(Flags::empty(), |all, (flag, _)| all | *flag);
        Self {
            foreground: cell.fg,
            background: cell.bg,
            underline: cell.underline_color(),
            attributes: cell.flags & all,
            link: cell.hyperlink(),
        }
    }

    /// Whether what is erased with it looks as if nothing had ever been there.
    pub(super) fn erases_to_nothing(&self) -> bool {
        self.background == Color::Named(NamedColor::Background)
    }

    /// Writes what makes a terminal change from this one to another.
    pub(super) fn change(&mut self, to: Self, text: &mut String) {
        if self.link != to.link {
            match &to.link {
                Some(link) => {
                    // Without an id of its own a link has got one that means nothing elsewhere, and joins its parts.
                    let id = if link.id().is_empty() { String::new() } else { format!("id={}", link.id()) };
                    push(text, format_args!("\x1b]8;{id};{}\x1b\\", link.uri()));
                }
                None => text.push_str("\x1b]8;;\x1b\\"),
            }
        }
        let same = Self { link: self.link.clone(), ..to.clone() } == *self;
        if !same {
            text.push_str("\x1b[0");
            for (_, code) in ATTRIBUTES.iter().filter(|(flag, _)| to.attributes.contains(*flag)) {
                push(text, format_args!(";{code}"));
            }
            colour(text, to.foreground, 30);
            colour(text, to.background, 40);
            if let Some(underline) = to.underline {
                colour(text, underline, 50);
            }
            text.push('m');
        }
        *self = to;
    }
}

/// Writes a colour; `base` is 30 for the foreground, 40 for the background and 50 for the underline.
fn colour(text: &mut String, colour: Color, base: usize) {
    match colour {
        Color::Named(named) => match named as usize {
            index if base == 50 && index < 16 => push(text, format_args!(";58;5;{index}")),
            index @ 0..=7 => push(text, format_args!(";{}", base + index)),
            index @ 8..=15 => push(text, format_args!(";{}", base + 60 + index - 8)),
            _ => {}
        },
        Color::Indexed(index) => push(text, format_args!(";{};5;{index}", base + 8)),
        Color::Spec(rgb) => push(text, format_args!(";{};2;{};{};{}", base + 8, rgb.r, rgb.g, rgb.b)),
    }
}

/// Appends formatted text.
pub(super) fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a text takes any text");
}
