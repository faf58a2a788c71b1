//! Markers of lines that were entered: where they stand, and that they never say what was typed.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The kinds and data of what was recorded.
fn recorded(session: &mut Session) -> Vec<(String, String)> {
    let text: String = session.recording().iter().map(|piece| String::from_utf8_lossy(piece).into_owned()).collect();
    let event = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        (event[1].as_str().unwrap().to_owned(), event[2].as_str().unwrap().to_owned())
    };
    text.lines().skip(1).map(event).collect()
}

fn markers(session: &mut Session) -> usize {
    recorded(session).iter().filter(|(kind, _)| kind == "m").count()
}

fn print(session: &mut Session, text: &str) {
    session.output(text.as_bytes(), false, NOW);
    session.catch_up();
}

#[test]
fn a_line_that_the_driver_enters_at_a_prompt_is_marked() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    let mut looker = Client::attach(&mut session, "lou", Right::Viewer, asked(None));
    print(&mut session, "$ ");
    owner.type_in(&mut session, "l", NOW);
    assert_eq!(markers(&mut session), 0, "a key is no line");
    looker.type_in(&mut session, "rm\r", NOW);
    assert_eq!(markers(&mut session), 0, "who looks enters nothing");
    owner.type_in(&mut session, "s\r", NOW);
    print(&mut session, "ls\r\n");
    assert_eq!(markers(&mut session), 1);
    print(&mut session, "\x1b[?1049h");
    owner.type_in(&mut session, "text\r", NOW);
    assert_eq!(markers(&mut session), 1, "a line in an editor is no command");
    print(&mut session, "\x1b[?1049l$ ");
    owner.type_in(&mut session, "\r", NOW);
    assert_eq!(markers(&mut session), 2);
    session.ended(Some(0), "", NOW);
    owner.type_in(&mut session, "\r", NOW);
    assert_eq!(markers(&mut session), 2, "nobody enters anything after the end");
}

#[test]
fn without_a_terminal_there_are_no_lines() {
    let mut session = Session::new(spec(false), NOW);
    let mut owner = Client::owner(&mut session);
    session.output(b"x", false, NOW);
    owner.type_in(&mut session, "data\r", NOW);
    assert_eq!(markers(&mut session), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(36), cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_marker_says_what_was_typed(
        steps in prop::collection::vec((any::<bool>(), "[a-z ]{0,9}\r?"), 1..40),
    ) {
        let mut session = Session::new(spec(true), NOW);
        let owner = Client::owner(&mut session);
        for (is_typed, text) in steps {
            if is_typed {
                session.receive(owner.id, Frame::Binary(Bytes::from(text.to_uppercase().into_bytes())), NOW);
            } else {
                print(&mut session, &text);
            }
        }
        for (kind, data) in recorded(&mut session) {
            prop_assert!(kind != "m" || data.is_empty(), "a marker says {data:?}");
            prop_assert!(!data.bytes().any(|byte| byte.is_ascii_uppercase()), "what was typed and not printed: {data:?}");
        }
    }
}
