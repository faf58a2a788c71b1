//! Corners: what is told in which order, what is shared, what counts for whom.

use super::*;

fn text_of(session: &mut Session, id: ViewerId, now: Timestamp) -> Option<String> {
    match session.pull(id, now) {
        Pulled::Frame(Frame::Text(text)) => Some(text),
        Pulled::Frame(Frame::Binary(_)) => Some("output".to_owned()),
        Pulled::Nothing | Pulled::Over => None,
    }
}

fn come(session: &mut Session, username: &str, right: Right, asked: Asked) -> ViewerId {
    let id = session.join(visitor(username, right), NOW);
    session.receive(id, ClientMessage::Attach(asked).to_frame(), NOW);
    id
}

#[test]
fn a_new_size_is_told_between_the_bytes_where_it_came() {
    let mut session = Session::new(spec(true), NOW);
    let owner = come(&mut session, "olga", Right::Owner, asked(None));
    let looker = come(&mut session, "lou", Right::Viewer, asked(None));
    while text_of(&mut session, looker, NOW).is_some() {}
    session.output(b"before", false, NOW);
    let resize = ClientMessage::Resize(SizeOf { columns: 30, rows: 6 });
    session.receive(owner, resize.to_frame(), NOW);
    session.output(b"after", false, NOW);
    let told: Vec<String> = std::iter::from_fn(|| text_of(&mut session, looker, NOW)).collect();
    let size = told.iter().position(|text| text.contains("\"size\"")).unwrap();
    let output = told.iter().position(|text| text == "output").unwrap();
    assert!(output < size, "{told:?}");
}

#[test]
fn who_comes_within_a_moment_gets_the_same_snapshot_and_all_that_came_since() {
    let mut session = Session::new(spec(true), NOW);
    session.output(b"shown", false, NOW);
    let first = Client::attach(&mut session, "lou", Right::Viewer, asked(None));
    session.output(b"since", false, NOW.plus(50));
    let second = Client::attach(&mut session, "liv", Right::Viewer, asked(None));
    assert_eq!(second.snapshots, first.snapshots);
    assert_eq!(second.output, b"since");
    let later = NOW.plus(10_000);
    session.output(b"more", false, later);
    let id = session.join(visitor("late", Right::Viewer), later);
    session.receive(id, ClientMessage::Attach(asked(None)).to_frame(), later);
    let told: Vec<String> = std::iter::from_fn(|| text_of(&mut session, id, later)).collect();
    assert!(told.iter().any(|text| text.contains("snapshot") && text.contains("shownsincemore")), "{told:?}");
}

#[test]
fn every_way_to_interrupt_lets_go() {
    for key in ["\x03", "\x1a", "\x1c"] {
        let mut session = Session::new(spec(true), NOW);
        let mut owner = Client::owner(&mut session);
        session.output(&vec![b'y'; 600_000], false, NOW);
        assert!(!session.may_read(NOW));
        owner.type_in(&mut session, key, NOW);
        assert!(session.may_read(NOW), "{key:?}");
    }
    for (name, may_read) in [("INT", true), ("WINCH", false)] {
        let mut session = Session::new(spec(true), NOW);
        let mut owner = Client::owner(&mut session);
        session.output(&vec![b'y'; 600_000], false, NOW);
        owner.say(&mut session, &ClientMessage::Signal { name: name.into() }, NOW);
        assert_eq!(session.may_read(NOW), may_read, "{name}");
    }
}

#[test]
fn an_interrupt_of_little_output_loses_nothing() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    session.output(&[b'y'; 100_000], false, NOW);
    owner.type_in(&mut session, "\x03", NOW);
    session.output(b"^C\r\n$ ", false, NOW);
    owner.pull(&mut session, NOW);
    assert_eq!((owner.snapshots.len(), owner.output.len()), (0, 100_006));
}

#[test]
fn a_hidden_driver_goes_on_where_it_was_while_the_log_has_it() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    owner.say(&mut session, &ClientMessage::Visible { is: false }, NOW);
    session.output(&vec![b'h'; 1_500_000], false, NOW);
    assert!(session.may_read(NOW));
    for _ in 0..20 {
        owner.pull(&mut session, NOW);
        owner.ack(&mut session, NOW);
    }
    assert_eq!((owner.snapshots.len(), owner.output.len()), (0, 1_500_000));
    session.output(&vec![b'h'; 2 * LOG], false, NOW);
    owner.pull(&mut session, NOW);
    assert_eq!(owner.snapshots.len(), 1, "what is gone is gone");
}

#[test]
fn another_window_of_the_driver_takes_over_when_asked_to() {
    let mut session = Session::new(spec(true), NOW);
    let first = Client::owner(&mut session);
    let mut second = Client::attach(&mut session, "olga", Right::Owner, asked(None));
    assert_eq!(second.type_in(&mut session, "x", NOW), []);
    session.leave(first.id, NOW);
    assert_eq!(second.type_in(&mut session, "x", NOW), [], "not by itself");
    second.say(&mut session, &ClientMessage::Drive, NOW);
    assert_eq!(second.type_in(&mut session, "x", NOW).len(), 1, "the kept role is the account's");
}

#[test]
fn a_kept_role_goes_with_the_right_to_it() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    let guest = Client::attach(&mut session, "gus", Right::Driver, asked(None));
    owner.say(&mut session, &ClientMessage::HandOver { to: guest.id.to_string() }, NOW);
    session.leave(guest.id, NOW);
    session.grant("olga", Some(Role::Driver));
    assert!(session.deadline(NOW).is_some(), "another one's right changes nothing");
    session.grant("gus", Some(Role::Viewer));
    assert_eq!(session.deadline(NOW), None);
    owner.say(&mut session, &ClientMessage::Drive, NOW);
    assert_eq!(owner.type_in(&mut session, "x", NOW).len(), 1);
    assert_eq!(session.view().guests.get("gus"), Some(&Role::Viewer));
}

#[test]
fn errors_hold_up_the_program_as_output_does() {
    let mut session = Session::new(spec(false), NOW);
    let mut owner = Client::owner(&mut session);
    session.output(&vec![b'e'; 300_000], true, NOW);
    assert!(!session.may_read(NOW));
    owner.pull(&mut session, NOW);
    assert!(session.may_read(NOW));
    let lengths: usize = owner
        .messages
        .iter()
        .map(|told| if let ServerMessage::Stderr { data, .. } = told { data.len() / 4 * 3 } else { 0 })
        .sum();
    assert!((300_000..300_040).contains(&lengths), "{lengths}");
}

#[test]
fn sizes_that_nobody_has_are_brought_within_bounds() {
    for (given, expected) in [((0, 0), (80, 24)), ((1, 1), (2, 1)), ((60_000, 60_000), (1000, 500))] {
        let session = Session::new(SessionSpec { columns: given.0, rows: given.1, ..spec(true) }, NOW);
        assert_eq!((session.view().columns, session.view().rows), expected);
    }
}

#[test]
fn the_same_error_is_told_once_until_it_was_read() {
    let mut session = Session::new(spec(true), NOW);
    let _owner = Client::owner(&mut session);
    let looker = come(&mut session, "lou", Right::Viewer, asked(None));
    while text_of(&mut session, looker, NOW).is_some() {}
    for _ in 0..500 {
        session.receive(looker, Frame::Binary(Bytes::from_static(b"x")), NOW);
    }
    let told: Vec<String> = std::iter::from_fn(|| text_of(&mut session, looker, NOW)).collect();
    assert_eq!(told.len(), 1, "{told:?}");
}
