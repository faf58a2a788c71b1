use super::*;
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{Color, NamedColor};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const SIZE: SizeOf = SizeOf { columns: 20, rows: 6 };

/// All of a screen that can be seen or felt.
#[derive(Debug, PartialEq)]
struct Seen {
    lines: Vec<String>,
    cursor: (i32, usize, bool),
    pen: String,
    saved: (i32, usize, String),
    mode: TermMode,
    noted: Noted,
    style: String,
}

fn look(cell: &Cell) -> String {
    let invisible = Flags::WRAPLINE | Flags::LEADING_WIDE_CHAR_SPACER | Flags::WIDE_CHAR_SPACER | Flags::WIDE_CHAR;
    let mut look = Cell { c: ' ', ..cell.clone() };
    look.flags.remove(invisible);
    if look.extra.as_ref().is_some_and(|_| look.zerowidth() == Some(&[]) && look.hyperlink().is_none()) {
        look.extra = look.underline_color().and(look.extra);
    }
    let seen = if cell.c == '\t' { ' ' } else { cell.c };
    let is_plain = seen == ' '
        && look.bg == Color::Named(NamedColor::Background)
        && !look.flags.intersects(Flags::INVERSE | Flags::ALL_UNDERLINES | Flags::STRIKEOUT)
        && look.zerowidth().is_none_or(<[char]>::is_empty)
        && look.hyperlink().is_none();
    if is_plain {
        return " ".to_owned();
    }
    let default = Cell::default();
    if look == default {
        return seen.to_string();
    }
    format!("{seen}<{:?} {:?} {:?} {:?}>", look.fg, look.bg, look.flags, look.extra)
}

fn pen(cell: &Cell) -> String {
    format!("{:?}", pen::Pen::of(cell))
}

fn seen(screen: &Screen) -> Seen {
    let grid = screen.term.grid();
    let line = |line: i32| {
        let row = &grid[Line(line)];
        let text: String = (0..grid.columns())
            .map(|column| {
                // Half of a character that was overwritten is nothing.
                let has = |column, flag| column < row.len() && row[Column(column)].flags.contains(flag);
                let is_half = has(column, Flags::WIDE_CHAR) && !has(column + 1, Flags::WIDE_CHAR_SPACER);
                let cell = &row[Column(column)];
                if !is_half {
                    return look(cell);
                }
                let mut half = Cell { c: ' ', extra: None, ..cell.clone() };
                half.set_hyperlink(cell.hyperlink());
                half.set_underline_color(cell.underline_color());
                look(&half)
            })
            .collect();
        text.trim_end().to_owned()
    };
    let lines = (grid.topmost_line().0..=grid.bottommost_line().0).map(line).collect();
    let (cursor, saved) = (&grid.cursor, &grid.saved_cursor);
    Seen {
        lines,
        cursor: (cursor.point.line.0, cursor.point.column.0, cursor.input_needs_wrap),
        pen: pen(&cursor.template),
        saved: (saved.point.line.0, saved.point.column.0, pen(&saved.template)),
        mode: *screen.term.mode(),
        noted: screen.noted.clone(),
        style: format!("{:?}", screen.term.cursor_style()),
    }
}

fn screen(size: SizeOf, bytes: &[u8]) -> Screen {
    let mut screen = Screen::new(size);
    screen.feed(bytes);
    screen
}

/// A terminal that was told the dump shows the same; also when it is told more, and so does the screen itself.
#[track_caller]
fn round_trip(size: SizeOf, bytes: &[u8], more: &[u8]) {
    let mut original = screen(size, bytes);
    let before = seen(&original);
    let dump = original.dump();
    assert_eq!(seen(&original), before, "looking changes nothing");
    let mut copy = screen(size, dump.as_bytes());
    assert_eq!(seen(&copy), before, "{dump:?}");
    let rest = [original.pending.clone(), more.to_vec()].concat();
    original.feed(more);
    copy.feed(&rest);
    assert_eq!(seen(&copy), seen(&original), "after {more:?} on {dump:?}");
}

#[test]
fn a_prompt_is_itself() {
    let mut screen = screen(SIZE, b"$ ls\r\nbin  etc\r\n$ ");
    assert_eq!(screen.dump(), "$ ls\r\nbin  etc\r\n$\x1b[3;3H");
    assert_eq!(screen.at(), 18);
}

#[test]
fn colours_attributes_links_and_modes_are_restored() {
    let bytes = b"\x1b[1;31mred\x1b[0m \x1b[38;5;200;48;2;1;2;3mmany\x1b[0;4:3;58;5;9mcurl\x1b[m\
                  \x1b]8;id=a;http://x\x1b\\link\x1b]8;;\x1b\\ \x1b[7m \x1b[m\
                  \x1b[?1h\x1b=\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[5 q\x1b]0;a title\x07\x1b[92mgo";
    let mut screen = screen(SIZE, bytes);
    insta::assert_snapshot!(screen.dump().escape_debug(), @r#"\u{1b}[0;1;31mred\u{1b}[0m \u{1b}[0;38;5;200;48;2;1;2;3mmany\u{1b}[0;4:3;58;5;9mcurl\u{1b}]8;id=a;http://x\u{1b}\\\u{1b}[0mlink\u{1b}]8;;\u{1b}\\ \u{1b}[0;7m \u{1b}[0;92mgo\u{1b}[1;20Ho\u{1b}[?1h\u{1b}=\u{1b}[?1002h\u{1b}[?1006h\u{1b}[?2004h\u{1b}[5 q\u{1b}]2;a title\u{1b}\\"#);
    round_trip(SIZE, bytes, b"on\x1b[m\r\nmore");
}

#[test]
fn the_screen_below_a_full_screen_program_is_restored_too() {
    let bytes = b"one\r\ntwo\r\n\x1b[32m$ vi\x1b[?1049h\x1b[2J\x1b[H~\r\n~\x1b[2;5r\x1b[?6h\x1b[2;3Hx\x1b7\x1b[4h";
    let mut below = screen(SIZE, bytes);
    insta::assert_snapshot!(below.dump().escape_debug(), @r#"one\r\ntwo\r\n\u{1b}[0;32m$ vi\u{1b}[3;5H\u{1b}[?1049h\u{1b}[0m\u{1b}[1;1H\u{1b}[0;32m~\u{1b}[2;1H~\u{1b}[3;1H\u{1b}[0m  \u{1b}[0;32mx\u{1b}[3;4H\u{1b}7\u{1b}[2;5r\u{1b}[?6h\u{1b}[2;4H\u{1b}[4h"#);
    round_trip(SIZE, bytes, b"y\n\n\n\n\n\nz");
    round_trip(SIZE, bytes, b"\x1b[?6l\x1b[r\x1b[?1049lback");
}

#[test]
fn what_scrolled_off_is_kept_up_to_a_thousand_lines() {
    let lines: Vec<u8> = (0..1500).flat_map(|line| format!("line {line}\r\n").into_bytes()).collect();
    let screen = screen(SIZE, &lines);
    let lines = seen(&screen).lines;
    assert_eq!(lines.len(), SCROLLBACK + 6);
    assert_eq!((lines[0].as_str(), lines[1004].as_str()), ("line 495", "line 1499"));
    round_trip(SIZE, b"1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n\r\n\r\n", b"more\r\n");
}

#[test]
fn long_lines_and_wide_characters_wrap_as_they_did() {
    for bytes in [
        "0123456789012345678901234567890".as_bytes(),
        "01234567890123456789".as_bytes(),
        "0123456789012345678猫".as_bytes(),
        "猫猫猫猫猫猫猫猫猫猫猫".as_bytes(),
        "e\u{301}\u{302}👍 ok\u{fe0f}".as_bytes(),
        "012345678901234567猫".as_bytes(),
        "01234567890123456789\x1b[44m \x1b[m\r\n\r\n\r\n\r\n\r\n\r\nend".as_bytes(),
        b"01234567890123456789abc\x1b[2;1H\x1b[2K\x1b[1;5H",
        b"\x1b(0lqqk\x1b(B\x1b)0\x0e x",
    ] {
        round_trip(SIZE, bytes, "ab猫\r\nc".as_bytes());
    }
}

#[test]
fn half_a_character_or_sequence_is_not_in_the_dump() {
    for (bytes, whole) in [
        ("a猫".as_bytes().split_at(2).0, 1),
        (b"a\x1b[3".as_slice(), 1),
        (b"ab\x1b]0;title", 2),
        (b"ab\x1b]0;title\x1b", 2),
        (b"\x1b]0;a\x07b\x1bP", 7),
    ] {
        let screen = screen(SIZE, bytes);
        assert_eq!((screen.at(), screen.fed()), (whole, bytes.len() as u64), "{bytes:?}");
    }
    round_trip(SIZE, "a猫".as_bytes().split_at(2).0, "a猫".as_bytes().split_at(2).1);
    round_trip(SIZE, b"a\x1b[3", b"1mred");
}

#[test]
fn endless_sequences_and_marks_cost_no_memory() {
    for begin in [b"\x1b]0;".as_slice(), b"\x1bP", b"\x1b_", b"\x1b["] {
        let mut screen = screen(SIZE, begin);
        for _ in 0..1000 {
            screen.feed(&[b';'; 1000]);
        }
        assert!(screen.pending.capacity() < 64 * 1024);
        screen.feed(b"\x18ok");
        assert!(seen(&screen).lines[0].contains("ok"), "{begin:?}");
        assert_eq!(screen.at(), screen.fed());
    }
    let mut screen = screen(SIZE, b"e");
    let marks = "\u{301}".repeat(1000);
    for _ in 0..(2 * SWEEP / marks.len()) {
        screen.feed(marks.as_bytes());
    }
    let marks = screen.term.grid()[Line(0)][Column(0)].zerowidth().unwrap().len();
    assert!(marks <= SWEEP / 2 + MARKS, "{marks}");
    screen.sweep();
    assert_eq!(screen.term.grid()[Line(0)][Column(0)].zerowidth().unwrap().len(), MARKS);
}

#[test]
fn who_comes_in_the_middle_of_an_endless_string_does_not_see_it() {
    for (begin, end) in [("\x1b]0;", "\x07"), ("\x1bP", "\x1b\\"), ("\x1b_", "\x1b\\")] {
        let mut original = screen(SIZE, format!("before{begin}{}", "x".repeat(2 * LONGEST_SEQUENCE)).as_bytes());
        assert_eq!(original.at(), original.fed());
        let mut copy = screen(SIZE, original.dump().as_bytes());
        for screen in [&mut original, &mut copy] {
            screen.feed(format!("more{end}after").as_bytes());
            assert_eq!(seen(screen).lines[0], "beforeafter", "{begin:?}");
        }
    }
}

#[test]
fn what_programs_set_is_set_again() {
    for (bytes, dump) in [
        (b"\x1b]4;1;rgb:ff/00/80\x07".as_slice(), "\x1b]4;1;rgb:ff/00/80\x1b\\\x1b[1;1H"),
        (b"\x1b]11;#102030\x07", "\x1b]11;rgb:10/20/30\x1b\\\x1b[1;1H"),
        (b"\x1b[2;3H\x1b7\x1b[H", "\x1b[2;3H\x1b7\x1b[1;1H"),
        (b"\x1b)0\x0e", "\x1b[1;1H\x1b)0\x0e"),
        (b"\x1b[?7l\x1b[?25l", "\x1b[1;1H\x1b[?7l\x1b[?25l"),
        (b"\x1b[4 q", "\x1b[1;1H\x1b[4 q"),
        (b"\x1b[2;5r\x1b[?6h", "\x1b[2;5r\x1b[?6h\x1b[1;1H"),
        (b"\x1b[7m", "\x1b[1;1H\x1b[0;7m"),
        (b"\x1b[20h\x1b[?1004h", "\x1b[1;1H\x1b[20h\x1b[?1004h"),
        (b"\x1b]0;t\x1b[31m\x07", "\x1b[1;1H\x1b[0;31m\x1b]2;t\x1b\\"),
    ] {
        assert_eq!(screen(SIZE, bytes).dump(), dump, "{bytes:?}");
        round_trip(SIZE, bytes, b"lqk\r\n\x1b8!\x1b[6;1Hlast\r\nnext");
    }
    let mut reset = screen(SIZE, b"\x1b[31m\x1b]0;t\x07\x1b[2;3r\x0etext\x1bc");
    assert_eq!(reset.dump(), "\x1b[1;1H");
}

#[test]
fn other_sizes_wrap_anew_and_forget_the_region() {
    let mut screen = screen(SIZE, b"\x1b[2;4r\x1b[5;1H0123456789012345678901234");
    screen.resize(SizeOf { columns: 30, rows: 6 });
    assert_eq!(screen.noted.region, None);
    assert!(seen(&screen).lines.iter().any(|line| line == "0123456789012345678901234"), "{:?}", seen(&screen).lines);
    let dump = screen.dump();
    let mut copy = Screen::new(SizeOf { columns: 30, rows: 6 });
    copy.feed(dump.as_bytes());
    assert_eq!(seen(&copy), seen(&screen));
}

/// Lines of which many are told the model, as a session does that is behind.
fn behind(screen: &mut Screen, bytes: &[u8]) -> usize {
    let parts: Vec<&[u8]> = bytes.chunks(1000).collect();
    let left_out = screen.traceless(&parts);
    screen.leave_out(left_out);
    screen.feed(&bytes[left_out..]);
    left_out
}

#[test]
fn lines_that_nobody_can_see_any_more_are_left_out() {
    let lines: Vec<u8> = (0..5000).flat_map(|line| format!("line {line} \t猫\r\n").into_bytes()).collect();
    let begins = ["", "one\r\ntwo", "\x1b[41mred", "\x1b[3;5Hin the middle of it", "01234567890123456789", "\x1b[4h"];
    for (begin, end) in begins.into_iter().zip(["", "$ ", "\x1b[2Jnew", "\r\n", "\x1b[H!", "a\x1b[?1049hb"]) {
        let bytes = [&lines, end.as_bytes()].concat();
        let (mut whole, mut parts) = (screen(SIZE, begin.as_bytes()), screen(SIZE, begin.as_bytes()));
        whole.feed(&bytes);
        let left_out = behind(&mut parts, &bytes);
        assert!(left_out > lines.len() / 2, "{begin:?}: {left_out}");
        assert_eq!((seen(&parts), parts.at()), (seen(&whole), whole.at()), "{begin:?}");
    }
    for begin in ["\x1b[?1049h", "\x1b[2;4r", "\x1b[3", "\x1b]0;title"] {
        let mut screen = screen(SIZE, begin.as_bytes());
        assert_eq!(behind(&mut screen, &lines), 0, "{begin:?}");
    }
    let special = [b"\x1b[41m".as_slice(), &lines].concat();
    assert_eq!(behind(&mut Screen::new(SIZE), &special), 0, "what comes first must be told");
    assert_eq!(behind(&mut Screen::new(SIZE), &lines[..10_000]), 0, "too few lines");
    let without_return: Vec<u8> = lines.iter().copied().filter(|&byte| byte != b'\r').collect();
    assert_eq!(behind(&mut Screen::new(SIZE), &without_return), 0, "the column is not known");
}

#[test]
fn a_repetition_keeps_nobody_busy() {
    let bytes = b"x\x1b[65535b".repeat(2000);
    let screen = screen(SIZE, &bytes);
    assert_eq!(seen(&screen).lines.last().unwrap(), &"x".repeat(20));
}

/// Pieces of what programs print, whole or not.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![Just(String::new()), (0..30_u16).prop_map(|n| n.to_string())];
    let control = (number.clone(), number, prop::sample::select(b"ABCDEFGHIJKLMPSTX@`adefr".to_vec()))
        .prop_map(|(a, b, last)| format!("\x1b[{a};{b}{}", char::from(last)).into_bytes());
    let modes = ["1", "6", "7", "25", "1000", "1002", "1003", "1004", "1005", "1006", "2004", "1049"];
    let mode = (prop::sample::select(modes.to_vec()), prop::bool::ANY)
        .prop_map(|(mode, set)| format!("\x1b[?{mode}{}", if set { 'h' } else { 'l' }).into_bytes());
    let looks = ["0", "1", "2", "3", "4", "4:3", "7", "8", "9", "31", "45", "97", "38;5;99", "48;2;9;8;7", "58;5;3"];
    let look = prop::sample::select(looks.to_vec()).prop_map(|look| format!("\x1b[{look}m").into_bytes());
    let texts =
        ["a", "hello world ", "0123456789", "猫", "👍", "e\u{301}", "\t", "\r\n", "\n", "\r", "\u{8}", "\u{fe0f}"];
    let text = prop::sample::select(texts.to_vec()).prop_map(|text| text.as_bytes().to_vec());
    let others = [
        "\x1b7",
        "\x1b8",
        "\x1bM",
        "\x1bD",
        "\x1bE",
        "\x1b=",
        "\x1b>",
        "\x1b(0",
        "\x1b(B",
        "\x1b)0",
        "\x0e",
        "\x0f",
        "\x1b[4h",
        "\x1b[4l",
        "\x1b[3 q",
        "\x1b]2;t\x07",
        "\x1b]8;id=a;http://x\x1b\\",
        "\x1b]8;;\x1b\\",
        "\x1b#8",
        "\x1bc",
        "\x1b[2J",
        "\x1b[3J",
        "\x1b[r",
    ];
    let other = prop::sample::select(others.to_vec()).prop_map(|other| other.as_bytes().to_vec());
    prop_oneof![8 => text, 4 => control, 1 => mode, 2 => look, 2 => other]
}

fn program() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_dump_shows_what_the_screen_shows(
        bytes in program(), cut in 0..4_usize, columns in 2..30_u16, rows in 1..8_u16
    ) {
        let bytes = &bytes[..bytes.len().saturating_sub(cut)];
        let mut original = screen(SizeOf { columns, rows }, bytes);
        let before = seen(&original);
        let dump = original.dump();
        prop_assert_eq!(&seen(&original), &before);
        let copy = screen(SizeOf { columns, rows }, dump.as_bytes());
        prop_assert_eq!(&seen(&copy), &before, "{:?}", dump);
    }

    #[test]
    fn it_does_not_matter_where_output_is_cut(bytes in program(), cuts in prop::collection::vec(1..9_usize, 1..40)) {
        let whole = screen(SIZE, &bytes);
        let mut pieces = Screen::new(SIZE);
        let (mut rest, mut cuts) = (bytes.as_slice(), cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            pieces.feed(piece);
            rest = after;
        }
        prop_assert_eq!(pieces.fed(), bytes.len() as u64);
        prop_assert_eq!(pieces.at(), whole.at());
        prop_assert_eq!(seen(&pieces), seen(&whole));
    }

    #[test]
    fn hostile_bytes_and_sizes_never_panic(
        parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..60), program(), 2..40_u16, 1..12_u16), 1..12)
    ) {
        let mut screen = Screen::new(SIZE);
        for (noise, program, columns, rows) in parts {
            screen.feed(&noise);
            screen.resize(SizeOf { columns, rows });
            screen.feed(&program);
            let dump = screen.dump();
            prop_assert!(dump.len() < 1_000_000);
            screen.feed(b"\x18");
        }
    }
}
