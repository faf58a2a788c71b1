use super::*;
use crate::screen::Screen;
use crate::{Session, SessionSpec, SizeOf};
use pierhead_model::Timestamp;
use proptest::prelude::*;

fn painted(size: SizeOf, printed: &str) -> Picture {
    let mut screen = Screen::new(size);
    screen.feed(printed.as_bytes());
    screen.picture()
}

fn small(printed: &str) -> Picture {
    painted(SizeOf { columns: 20, rows: 4 }, printed)
}

fn run(text: &str) -> PictureRun {
    PictureRun { text: text.to_owned(), ..PictureRun::default() }
}

#[test]
fn text_stands_where_it_was_printed_and_empty_ends_are_left_out() {
    let picture = small("$ ls\r\nbin  etc   \r\n$ ");
    assert_eq!(picture.lines, [vec![run("$ ls")], vec![run("bin  etc")], vec![run("$")], vec![]]);
    assert_eq!((picture.columns, picture.rows, picture.cursor), (20, 4, Some((2, 2))));
    assert_eq!(small("\x1b[?25l").cursor, None, "a hidden cursor is not shown");
}

#[test]
fn colours_come_down_to_sixteen() {
    let red = |text: &str| PictureRun { foreground: Some(1), ..run(text) };
    let line = |printed: &str| small(printed).lines[0].clone();
    assert_eq!(line("a\x1b[31mb\x1b[0mc"), [run("a"), red("b"), run("c")]);
    assert_eq!(line("\x1b[38;5;160mx"), [red("x")], "of the cube");
    assert_eq!(line("\x1b[38;2;200;5;5mx"), [red("x")], "any colour at all");
    assert_eq!(line("\x1b[38;5;255mx"), [PictureRun { foreground: Some(7), ..run("x") }], "a grey");
    assert_eq!(line("\x1b[1;4;95mx"), [PictureRun { foreground: Some(13), attributes: 5, ..run("x") }]);
    let inverse = PictureRun { foreground: Some(16), background: Some(17), ..run("x") };
    assert_eq!(line("\x1b[7mx"), [inverse]);
    assert_eq!(line("\x1b[7;32mx"), [PictureRun { foreground: Some(16), background: Some(2), ..run("x") }]);
    assert_eq!(line("\x1b[44m  "), [PictureRun { background: Some(4), ..run("  ") }], "what is behind is seen");
    assert_eq!(line("\x1b[8msecret\x1b[0m."), [run("      .")], "what is hidden is not told");
}

#[test]
fn wide_characters_and_marks_are_one_cell_of_text() {
    assert_eq!(small("日本e\u{301}x").lines[0], [run("日本e\u{301}x")]);
    let marks = format!("e{}", "\u{301}".repeat(9));
    assert_eq!(small(&marks).lines[0], [run("e\u{301}\u{301}")], "only some of them");
}

#[test]
fn a_large_screen_is_cut_around_its_cursor() {
    let size = SizeOf { columns: 300, rows: 200 };
    let lines: String = (0..120).map(|line| format!("line {line}\r\n")).collect();
    let picture = painted(size, &lines);
    assert_eq!((picture.columns, picture.rows), (300, 200), "what it is");
    assert_eq!(picture.lines.len(), usize::from(LARGEST_PICTURE.1));
    assert_eq!(picture.lines[48], [run("line 119")]);
    assert_eq!(picture.cursor, Some((0, 49)));
    let wide = painted(size, &"x".repeat(300));
    assert_eq!(wide.lines[0][0].text.len(), usize::from(LARGEST_PICTURE.0));
    assert_eq!(painted(size, &format!("\x1b[1;200H{}", "x")).cursor, None, "it is beyond");
}

#[test]
fn a_row_in_all_colours_stays_small() {
    let motley: String = (0..132).map(|column| format!("\x1b[{}mx", 31 + column % 6)).collect();
    let picture = painted(SizeOf { columns: 132, rows: 2 }, &motley);
    assert_eq!(picture.lines[0].len(), MOST_RUNS);
    assert_eq!(picture.lines[0].iter().map(|run| run.text.len()).sum::<usize>(), 132, "no character is lost");
    assert!(picture.change("t", None).unwrap().is_bounded());
}

#[test]
fn only_rows_that_changed_are_told() {
    let before = small("one\r\ntwo\r\n");
    let after = small("one\r\ntwo\r\nthree");
    let change = after.change("t1", Some(&before)).unwrap();
    assert_eq!((change.whole, &change.lines), (false, &vec![(2, vec![run("three")])]));
    assert_eq!(after.change("t1", Some(&after)), None);
    let whole = after.change("t1", None).unwrap();
    assert!(whole.whole && whole.lines.len() == 3, "empty rows need not be told");
    let moved = small("one\r\ntwo\r\n\x1b[1;1H").change("t1", Some(&before)).unwrap();
    assert_eq!((moved.cursor, moved.lines.len()), (Some((0, 0)), 0));
    let json = serde_json::to_string(&change).unwrap();
    assert!(json.contains(r#""lines":[[2,[{"t":"three"}]]]"#) && !json.contains("over"), "{json}");
    assert_eq!(serde_json::from_str::<PictureChange>(&json).unwrap(), change);
}

#[test]
fn what_is_out_of_bounds_is_seen_and_does_no_harm() {
    let mut picture = Picture::default();
    let wild = PictureChange {
        height: u16::MAX,
        lines: vec![(60_000, vec![run("x")])],
        whole: true,
        over: false,
        ..PictureChange::over("t1")
    };
    assert!(!wild.is_bounded());
    picture.apply(&wild);
    assert_eq!(picture.lines.len(), usize::from(LARGEST_PICTURE.1));
    let long = PictureChange { height: 1, lines: vec![(0, vec![run(&"x".repeat(1000))])], ..wild };
    assert!(!long.is_bounded());
}

#[test]
fn a_session_is_painted_only_when_something_happened() {
    let spec =
        SessionSpec { id: "t1".into(), columns: 20, rows: 4, tty: true, title: String::new(), recording_bytes: 0 };
    let mut session = Session::new(spec, Timestamp(0));
    let (mark, picture) = session.picture(None).unwrap();
    assert!(picture.lines.iter().all(Vec::is_empty));
    assert!(session.picture(Some(mark)).is_none());
    session.output(b"hi", false, Timestamp(1));
    let (mark, picture) = session.picture(Some(mark)).unwrap();
    assert_eq!(picture.lines[0], [run("hi")], "though the screen had not been told yet");
    assert!(session.picture(Some(mark)).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whoever_follows_the_changes_has_the_picture(
        printed in prop::collection::vec("([a-z ]{0,8}|\x1b\\[[0-9]{1,2}m|\x1b\\[2J|\x1b\\[[1-9];[1-9]H|\r\n|日){0,12}", 1..8),
        rows in 1..60_u16,
    ) {
        let mut screen = Screen::new(SizeOf { columns: 30, rows });
        let (mut seen, mut before) = (Picture::default(), None);
        for printed in printed {
            screen.feed(printed.as_bytes());
            let now = screen.picture();
            if let Some(change) = now.change("t", before.as_ref()) {
                prop_assert!(change.is_bounded());
                seen.apply(&change);
            }
            prop_assert_eq!(&seen, &now);
            before = Some(now);
        }
    }
}
