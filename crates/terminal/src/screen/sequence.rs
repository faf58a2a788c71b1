//! Where an escape sequence ends, and what it is. What it means is up to the model.

/// What kind of sequence it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `ESC` and a character, perhaps with some between.
    Escape,
    /// `ESC [`: a control with numbers.
    Control,
    /// `ESC ]`: a command with a text.
    Text,
    /// A string that no model of ours heeds: of a device, of an application, of privacy.
    Ignored,
}

/// A whole sequence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sequence<'a> {
    pub(super) kind: Kind,
    /// What is between its introduction and its end.
    pub(super) body: &'a [u8],
    /// Its last byte, or `ESC` if that of the next one ends it.
    pub(super) last: u8,
    /// How many bytes it has.
    pub(super) length: usize,
}

/// What there is at an `ESC`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    Whole(Sequence<'a>),
    /// The beginning of one.
    Part(Kind),
}

const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;
const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;

impl Sequence<'_> {
    /// Its numbers, absent ones as 0; `None` if there is something else in it, or more of them.
    pub(super) fn numbers<const N: usize>(&self) -> Option<[u16; N]> {
        let mut numbers = [0_u16; N];
        for (index, text) in self.body.split(|&byte| byte == b';').enumerate() {
            let text = std::str::from_utf8(text).ok()?;
            let number = if text.is_empty() { 0 } else { text.parse::<u32>().ok()?.min(u32::from(u16::MAX)) };
            *numbers.get_mut(index)? = u16::try_from(number).ok()?;
        }
        Some(numbers)
    }
}

/// The sequence that begins with the `ESC` at the beginning of the bytes.
pub(super) fn find(bytes: &[u8]) -> Found<'_> {
    match bytes.get(1) {
        Some(b'[') => ended(bytes, Kind::Control, |byte| (0x40..=0x7e).contains(&byte)),
        Some(b']') => string(bytes, Kind::Text),
        Some(b'P' | b'X' | b'^' | b'_') => string(bytes, Kind::Ignored),
        _ => ended(bytes, Kind::Escape, |byte| (0x30..=0x7e).contains(&byte)),
    }
}

fn ended(bytes: &[u8], kind: Kind, is_last: impl Fn(u8) -> bool) -> Found<'_> {
    let from = if kind == Kind::Control { 2 } else { 1 };
    let ends = |&byte: &u8| is_last(byte) || matches!(byte, CANCEL | SUBSTITUTE | ESCAPE);
    let Some(end) = bytes.iter().skip(from).position(ends).map(|end| from + end) else {
        return Found::Part(kind);
    };
    let last = bytes[end];
    Found::Whole(Sequence { kind, body: &bytes[from..end], last, length: if last == ESCAPE { end } else { end + 1 } })
}

fn string(bytes: &[u8], kind: Kind) -> Found<'_> {
    let ends = |&byte: &u8| matches!(byte, CANCEL | SUBSTITUTE | ESCAPE) || (byte == BELL && kind == Kind::Text);
    let Some(end) = bytes.iter().skip(2).position(ends).map(|end| 2 + end) else {
        return Found::Part(kind);
    };
    let (last, length) = match (bytes[end], bytes.get(end + 1)) {
        // Its end is `ESC \`, of which the second half has not come.
        (ESCAPE, None) => return Found::Part(kind),
        (ESCAPE, Some(b'\\')) => (b'\\', end + 2),
        (ESCAPE, Some(_)) => (ESCAPE, end),
        (last, _) => (last, end + 1),
    };
    Found::Whole(Sequence { kind, body: &bytes[2..end], last, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn whole(bytes: &[u8]) -> (Kind, String, u8, usize) {
        match find(bytes) {
            Found::Whole(found) => {
                (found.kind, String::from_utf8_lossy(found.body).into_owned(), found.last, found.length)
            }
            Found::Part(kind) => panic!("only a part: {kind:?}"),
        }
    }

    #[test]
    fn sequences_end_where_terminals_end_them() {
        assert_eq!(whole(b"\x1b[1;31mred"), (Kind::Control, "1;31".into(), b'm', 7));
        assert_eq!(whole(b"\x1b[?25lx"), (Kind::Control, "?25".into(), b'l', 6));
        assert_eq!(whole(b"\x1bcx"), (Kind::Escape, String::new(), b'c', 2));
        assert_eq!(whole(b"\x1b(0q"), (Kind::Escape, "(".into(), b'0', 3));
        assert_eq!(whole(b"\x1b]0;title\x07x"), (Kind::Text, "0;title".into(), 7, 10));
        assert_eq!(whole(b"\x1b]0;title\x1b\\x"), (Kind::Text, "0;title".into(), b'\\', 11));
        assert_eq!(whole(b"\x1bPq\x07#\x1b\\x"), (Kind::Ignored, "q\x07#".into(), b'\\', 7));
    }

    #[test]
    fn another_escape_or_a_cancel_ends_what_is_not_whole() {
        assert_eq!(whole(b"\x1b[1;\x1b[m"), (Kind::Control, "1;".into(), ESCAPE, 4));
        assert_eq!(whole(b"\x1b\x1b[m"), (Kind::Escape, String::new(), ESCAPE, 1));
        assert_eq!(whole(b"\x1b]2;a\x1b[m"), (Kind::Text, "2;a".into(), ESCAPE, 5));
        assert_eq!(whole(b"\x1b[3\x18m"), (Kind::Control, "3".into(), CANCEL, 4));
    }

    #[test]
    fn what_is_not_whole_is_a_part() {
        for (part, kind) in [
            (b"\x1b".as_slice(), Kind::Escape),
            (b"\x1b(", Kind::Escape),
            (b"\x1b[12;", Kind::Control),
            (b"\x1b]0;ti", Kind::Text),
            (b"\x1b]0;title\x1b", Kind::Text),
            (b"\x1b_x", Kind::Ignored),
        ] {
            assert_eq!(find(part), Found::Part(kind), "{part:?}");
        }
    }

    #[test]
    fn numbers_are_read_or_refused() {
        let numbers = |bytes: &'static [u8]| match find(bytes) {
            Found::Whole(found) => found.numbers::<2>(),
            Found::Part(_) => panic!("only a part"),
        };
        assert_eq!(numbers(b"\x1b[2;20r"), Some([2, 20]));
        assert_eq!(numbers(b"\x1b[r"), Some([0, 0]));
        assert_eq!(numbers(b"\x1b[;9r"), Some([0, 9]));
        assert_eq!(numbers(b"\x1b[99999r"), Some([65_535, 0]));
        assert_eq!(numbers(b"\x1b[?1r"), None);
        assert_eq!(numbers(b"\x1b[1;2;3r"), None);
    }
}
