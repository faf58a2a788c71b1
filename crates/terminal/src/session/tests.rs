mod corners;
mod markers;
mod property;

use super::*;
use crate::{Asked, ClientMessage, ServerMessage};

const NOW: Timestamp = Timestamp(1_000_000);

fn spec(tty: bool) -> SessionSpec {
    SessionSpec { id: "t1".into(), columns: 20, rows: 5, tty, title: "sh".into(), recording_bytes: 10_000 }
}

fn visitor(username: &str, right: Right) -> Visitor {
    Visitor { username: username.into(), right }
}

fn asked(from: Option<u64>) -> Asked {
    Asked { from, columns: 20, rows: 5, ..Asked::default() }
}

/// A client with the bytes and messages that it got.
struct Client {
    id: ViewerId,
    next: u64,
    output: Vec<u8>,
    snapshots: Vec<(u64, String)>,
    messages: Vec<ServerMessage>,
    is_over: bool,
}

impl Client {
    fn attach(session: &mut Session, username: &str, right: Right, asked: Asked) -> Self {
        let id = session.join(visitor(username, right), NOW);
        let next = asked.from.unwrap_or(0);
        session.receive(id, ClientMessage::Attach(asked).to_frame(), NOW);
        let mut client =
            Self { id, next, output: Vec::new(), snapshots: Vec::new(), messages: Vec::new(), is_over: false };
        client.pull(session, NOW);
        client
    }

    fn owner(session: &mut Session) -> Self {
        Self::attach(session, "olga", Right::Owner, asked(None))
    }

    /// Takes all that is there, and shows nothing of it.
    fn pull(&mut self, session: &mut Session, now: Timestamp) {
        loop {
            match session.pull(self.id, now) {
                Pulled::Nothing => return,
                Pulled::Over => {
                    self.is_over = true;
                    return;
                }
                Pulled::Frame(Frame::Binary(frame)) => {
                    let (offset, bytes) = Frame::split_output(frame).unwrap();
                    assert_eq!(offset, self.next, "bytes follow one another");
                    self.next += bytes.len() as u64;
                    self.output.extend_from_slice(&bytes);
                }
                Pulled::Frame(Frame::Text(text)) => match ServerMessage::parse(&text).unwrap() {
                    ServerMessage::Snapshot { offset, data, .. } => {
                        self.next = offset;
                        self.snapshots.push((offset, data));
                    }
                    message => self.messages.push(message),
                },
            }
        }
    }

    fn ack(&self, session: &mut Session, now: Timestamp) {
        let effects = session.receive(self.id, ClientMessage::Ack { offset: self.next }.to_frame(), now);
        assert_eq!(effects, []);
    }

    fn say(&mut self, session: &mut Session, message: &ClientMessage, now: Timestamp) -> Vec<Effect> {
        let effects = session.receive(self.id, message.to_frame(), now);
        self.pull(session, now);
        effects
    }

    fn type_in(&mut self, session: &mut Session, text: &'static str, now: Timestamp) -> Vec<Effect> {
        let effects = session.receive(self.id, Frame::Binary(Bytes::from_static(text.as_bytes())), now);
        self.pull(session, now);
        effects
    }

    fn errors(&mut self) -> Vec<String> {
        let errors = self.messages.drain(..).filter_map(|message| match message {
            ServerMessage::Error { code, .. } => Some(code),
            _ => None,
        });
        errors.collect()
    }

    /// The driver that it was told last.
    fn driver(&self) -> Option<String> {
        let told = self.messages.iter().rev().find_map(|message| match message {
            ServerMessage::Hello { driver, .. } | ServerMessage::Presence { driver, .. } => Some(driver.clone()),
            _ => None,
        });
        told.expect("it was told of the driver")
    }
}

#[test]
fn the_owner_drives_and_guests_look() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    let mut guest = Client::attach(&mut session, "gus", Right::Driver, asked(None));
    assert_eq!(owner.type_in(&mut session, "ls\r", NOW), [Effect::Write(Bytes::from_static(b"ls\r"))]);
    assert_eq!(guest.type_in(&mut session, "rm\r", NOW), []);
    assert_eq!(guest.errors(), ["not_driver"]);
    session.output(b"bin", false, NOW);
    owner.pull(&mut session, NOW);
    guest.pull(&mut session, NOW);
    assert_eq!((owner.output.as_slice(), guest.output.as_slice()), (b"bin".as_slice(), b"bin".as_slice()));
    assert_eq!(owner.driver().as_deref(), Some("v1"));
    let view = session.view();
    let roles: Vec<_> = view.viewers.iter().map(|viewer| (viewer.username.as_str(), viewer.role)).collect();
    assert_eq!(roles, [("olga", Role::Driver), ("gus", Role::Viewer)]);
}

#[test]
fn driving_is_asked_for_handed_over_and_released() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    let mut guest = Client::attach(&mut session, "gus", Right::Driver, asked(None));
    let mut looker = Client::attach(&mut session, "lou", Right::Viewer, asked(None));
    assert_eq!(guest.say(&mut session, &ClientMessage::Drive, NOW), [Effect::Wake]);
    assert_eq!(guest.say(&mut session, &ClientMessage::Drive, NOW), [], "not again at once");
    owner.pull(&mut session, NOW);
    let asks = ServerMessage::Asks { viewer: "v2".into(), username: "gus".into() };
    assert_eq!(owner.messages.iter().filter(|message| **message == asks).count(), 1);
    looker.say(&mut session, &ClientMessage::Drive, NOW);
    assert_eq!(looker.errors(), ["not_allowed"]);
    for (to, code) in [("v9", "not_here"), ("nobody", "not_here"), ("v3", "not_allowed")] {
        owner.say(&mut session, &ClientMessage::HandOver { to: to.into() }, NOW);
        assert_eq!(owner.errors(), [code]);
    }
    owner.say(&mut session, &ClientMessage::HandOver { to: "v2".into() }, NOW);
    assert_eq!(owner.driver().as_deref(), Some("v2"));
    owner.say(&mut session, &ClientMessage::HandOver { to: "v1".into() }, NOW);
    assert_eq!(owner.errors(), ["not_driver"]);
    assert_eq!(guest.type_in(&mut session, "x", NOW).len(), 1);
    guest.say(&mut session, &ClientMessage::Release, NOW);
    assert_eq!(guest.driver(), None);
    owner.say(&mut session, &ClientMessage::Drive, NOW);
    assert_eq!(owner.driver().as_deref(), Some("v1"));
}

#[test]
fn a_driver_whose_line_broke_comes_back_or_is_replaced() {
    let mut session = Session::new(spec(true), NOW);
    let owner = Client::owner(&mut session);
    let mut guest = Client::attach(&mut session, "gus", Right::Driver, asked(None));
    session.leave(owner.id, NOW);
    guest.say(&mut session, &ClientMessage::Drive, NOW.plus(1000));
    assert_eq!(guest.errors(), ["driver_away"]);
    let mut owner = Client::owner(&mut session);
    assert_eq!(owner.type_in(&mut session, "x", NOW).len(), 1, "back in time");
    session.leave(owner.id, NOW);
    assert_eq!(session.deadline(NOW), Some(NOW.plus(seat::GRACE_MS)));
    assert_eq!(session.tick(NOW.plus(seat::GRACE_MS - 1)), []);
    assert_eq!(session.tick(NOW.plus(seat::GRACE_MS)), [Effect::Changed]);
    guest.say(&mut session, &ClientMessage::Drive, NOW);
    assert_eq!(guest.driver().as_deref(), Some("v2"));
    let mut owner = Client::owner(&mut session);
    assert_eq!(owner.type_in(&mut session, "x", NOW), [], "somebody drives by now");
    session.leave(guest.id, NOW);
    session.tick(NOW.plus(seat::GRACE_MS));
    let again = Client::owner(&mut session);
    assert_eq!(again.driver(), Some(again.id.to_string()), "nobody drives, so an owner who comes does");
}

#[test]
fn a_client_that_comes_back_takes_its_own_place() {
    let mut session = Session::new(spec(true), NOW);
    let mut first = Client::owner(&mut session);
    let mut second = Client::attach(&mut session, "olga", Right::Owner, asked(None));
    let was = |was: ViewerId| Asked { was: Some(was.to_string()), ..asked(Some(0)) };
    let stranger = Client::attach(&mut session, "gus", Right::Driver, was(first.id));
    assert_eq!(stranger.driver(), Some(first.id.to_string()), "of another account: nothing happens");
    let back = Client::attach(&mut session, "olga", Right::Owner, was(first.id));
    assert_eq!(back.driver(), Some(back.id.to_string()));
    first.pull(&mut session, NOW);
    assert_eq!((first.errors(), first.is_over), (vec!["replaced".to_owned()], true));
    session.leave(first.id, NOW);
    second.pull(&mut session, NOW);
    assert_eq!(second.driver(), Some(back.id.to_string()), "the line that went was nobody's any more");
    assert_eq!(session.view().viewers.len(), 3);
}

#[test]
fn who_may_not_any_more_is_told_so() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    let mut guest = Client::attach(&mut session, "gus", Right::Driver, asked(None));
    owner.say(&mut session, &ClientMessage::HandOver { to: guest.id.to_string() }, NOW);
    session.grant("gus", Some(Role::Viewer));
    guest.pull(&mut session, NOW);
    assert_eq!(guest.driver(), None);
    session.grant("olga", None);
    owner.pull(&mut session, NOW);
    assert!(!owner.is_over, "an owner stays one");
    session.grant("gus", None);
    guest.pull(&mut session, NOW);
    assert_eq!((guest.errors(), guest.is_over), (vec!["revoked".to_owned()], true));
    assert_eq!(session.view().viewers.len(), 1, "nobody sees them any more, though the line is not gone yet");
}

#[test]
fn who_comes_to_look_takes_no_free_seat_and_may_ask_for_it() {
    let mut session = Session::new(spec(true), NOW);
    let looks = Asked { looks: true, ..asked(None) };
    let mut boss = Client::attach(&mut session, "boss", Right::Owner, looks.clone());
    assert_eq!(session.driver(), None);
    let owner = Client::owner(&mut session);
    assert_eq!(session.driver(), Some(owner.id), "the seat was free for whose it is");
    session.leave(owner.id, NOW);
    session.tick(NOW.plus(60_000));
    boss.say(&mut session, &ClientMessage::Drive, NOW);
    assert_eq!(session.driver(), Some(boss.id));
    let back = Client::attach(&mut session, "boss", Right::Owner, Asked { was: Some(boss.id.to_string()), ..looks });
    assert_eq!(session.driver(), Some(back.id), "who drove and lost the line goes on");
}

#[test]
fn the_driver_owns_the_size_unless_nobody_sees_it() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    let mut guest = Client::attach(&mut session, "gus", Right::Driver, Asked { columns: 7, rows: 3, ..asked(None) });
    let size = |columns, rows| SizeOf { columns, rows };
    assert_eq!(guest.say(&mut session, &ClientMessage::Resize(size(8, 4)), NOW), []);
    session.output(b"before", false, NOW);
    let effects = owner.say(&mut session, &ClientMessage::Resize(size(100, 40)), NOW);
    assert_eq!(effects, [Effect::Resize(size(100, 40)), Effect::Changed]);
    guest.pull(&mut session, NOW);
    assert_eq!(guest.messages.last(), Some(&ServerMessage::Size(size(100, 40))));
    assert_eq!(owner.say(&mut session, &ClientMessage::Resize(size(100, 40)), NOW), [], "the same again");
    owner.say(&mut session, &ClientMessage::Visible { is: false }, NOW);
    assert_eq!(owner.say(&mut session, &ClientMessage::Resize(size(1, 1)), NOW), [], "a hidden window has no size");
    let effects = owner.say(&mut session, &ClientMessage::Visible { is: true }, NOW);
    assert_eq!(effects, [Effect::Resize(size(2, 1)), Effect::Changed], "within bounds");
    let effects = owner.say(&mut session, &ClientMessage::HandOver { to: guest.id.to_string() }, NOW);
    assert!(effects.contains(&Effect::Resize(size(8, 4))), "{effects:?}");
}

#[test]
fn only_what_the_driver_has_not_shown_pauses_the_program() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    let mut guest = Client::attach(&mut session, "gus", Right::Viewer, asked(None));
    let mut printed = 0;
    while session.may_read(NOW) {
        session.output(&[b'y'; 10_000], false, NOW);
        printed += 10_000;
        owner.pull(&mut session, NOW);
        guest.pull(&mut session, NOW);
    }
    assert!((QUEUE..QUEUE + 50_000).contains(&printed), "{printed}");
    owner.ack(&mut session, NOW);
    assert!(session.may_read(NOW), "whatever the guest has shown");
    session.output(&[b'y'; 300_000], false, NOW);
    owner.pull(&mut session, NOW);
    assert!(!session.may_read(NOW));
    session.input_full(true);
    assert!(session.may_read(NOW), "what was shown may wait behind the input");
    session.input_full(false);
    let stalls = session.deadline(NOW).unwrap();
    assert!(!session.may_read(Timestamp(stalls.0 - 1)) && session.may_read(stalls), "not for ever");
    assert!(session.has_pace(NOW) && !session.has_pace(stalls), "that of its driver, while they read");
    owner.say(&mut session, &ClientMessage::Visible { is: false }, NOW);
    assert!(session.may_read(NOW) && !session.has_pace(NOW), "a hidden one holds up nothing");
}

#[test]
fn a_driver_that_is_away_for_a_moment_loses_nothing() {
    let mut session = Session::new(spec(true), NOW);
    let owner = Client::owner(&mut session);
    session.leave(owner.id, NOW);
    let mut printed = Vec::new();
    while session.may_read(NOW) {
        let piece = format!("line {}\r\n", printed.len()).repeat(100);
        session.output(piece.as_bytes(), false, NOW);
        printed.extend_from_slice(piece.as_bytes());
    }
    assert!(printed.len() as u64 >= QUEUE, "some, but not for ever");
    let mut owner = Client::attach(&mut session, "olga", Right::Owner, asked(Some(0)));
    for _ in 0..10 {
        owner.ack(&mut session, NOW);
        owner.pull(&mut session, NOW);
    }
    assert_eq!(owner.output, printed);
    session.leave(owner.id, NOW);
    session.tick(NOW.plus(seat::GRACE_MS));
    session.output(&vec![b'x'; LOG + 1], false, NOW);
    assert!(session.may_read(NOW), "nobody is waited for any more");
    let from = Some(printed.len() as u64);
    let owner = Client::attach(&mut session, "olga", Right::Owner, asked(from));
    assert_eq!(owner.snapshots.len(), 1, "after too long what is gone is gone");
}

#[test]
fn a_slow_viewer_gets_a_snapshot_and_goes_on_from_there() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    let mut slow = Client::attach(&mut session, "gus", Right::Viewer, asked(None));
    for line in 0..50_000 {
        session.output(format!("line {line}\r\n").as_bytes(), false, NOW);
        owner.pull(&mut session, NOW);
        owner.ack(&mut session, NOW);
    }
    assert_eq!(owner.snapshots.len(), 0);
    slow.pull(&mut session, NOW);
    assert_eq!((slow.snapshots.len(), slow.output.len()), (1, 0));
    assert!(slow.snapshots[0].1.contains("line 49999"));
    session.output(b"after", false, NOW);
    slow.pull(&mut session, NOW);
    assert_eq!(slow.output, b"after");
    // One that takes frames and shows nothing gets no more than its window.
    for _ in 0..100 {
        session.output(&[b'z'; 10_000], false, NOW);
        slow.pull(&mut session, NOW);
    }
    assert!(slow.output.len() <= QUEUE as usize + 64 * 1024, "{}", slow.output.len());
    slow.ack(&mut session, NOW);
    slow.pull(&mut session, NOW);
    assert_eq!((slow.snapshots.len(), slow.next), (2, session.log.end()));
}

#[test]
fn an_interrupt_lets_go_of_what_waits() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    session.output(&vec![b'y'; 250_000], false, NOW);
    owner.pull(&mut session, NOW);
    session.output(&vec![b'y'; 200_000], false, NOW);
    assert!(!session.may_read(NOW));
    assert_eq!(owner.type_in(&mut session, "\x03", NOW).len(), 1);
    assert!(session.may_read(NOW), "the program must get to know");
    session.output(&vec![b'y'; 300_000], false, NOW);
    session.output(b"^C\r\n$ ", false, NOW);
    owner.ack(&mut session, NOW.plus(50));
    owner.pull(&mut session, NOW.plus(50));
    assert_eq!(owner.snapshots.len(), 1);
    assert!(owner.snapshots[0].1.contains("^C\r\n$"), "{:?}", owner.snapshots[0].1);
    let later = NOW.plus(2000);
    owner.ack(&mut session, later);
    session.output(&vec![b'y'; 1_200_000], false, later);
    owner.pull(&mut session, later);
    assert!(!session.may_read(later), "once it is over all counts again");
    assert_eq!(owner.snapshots.len(), 1);
    session.receive(owner.id, Frame::Binary(Bytes::from(vec![3; 100])), later);
    assert!(!session.may_read(later), "a paste is no interrupt");
}

#[test]
fn a_session_ends_after_its_last_byte() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    session.output(b"bye", false, NOW);
    assert_eq!(session.ended(Some(3), "", NOW), [Effect::Changed]);
    assert_eq!(session.ended(None, "again", NOW), []);
    owner.pull(&mut session, NOW);
    assert_eq!((owner.output.as_slice(), owner.is_over), (b"bye".as_slice(), true));
    assert_eq!(owner.messages.last(), Some(&ServerMessage::Exit { code: Some(3), reason: String::new() }));
    let late = Client::attach(&mut session, "gus", Right::Viewer, asked(None));
    assert!(late.snapshots[0].1.contains("bye") && late.is_over);
    assert_eq!(session.view().end.unwrap().code, Some(3));
}

#[test]
fn without_a_pseudo_terminal_errors_are_told_apart_and_nothing_is_a_screen() {
    let mut session = Session::new(spec(false), NOW);
    session.output(b"early", false, NOW);
    let mut owner = Client::owner(&mut session);
    session.output(b"out", false, NOW);
    session.output(b"err", true, NOW);
    owner.pull(&mut session, NOW);
    assert_eq!(owner.output, b"earlyout");
    let stderr = ServerMessage::Stderr { offset: 0, data: "ZXJy".into() };
    assert_eq!(owner.messages.last(), Some(&stderr));
    assert_eq!(owner.say(&mut session, &ClientMessage::Eof, NOW), [Effect::EndInput]);
    assert_eq!(owner.type_in(&mut session, "\x03", NOW).len(), 1);
    session.output(&vec![b'x'; 300_000], false, NOW);
    owner.pull(&mut session, NOW);
    assert!(!session.may_read(NOW), "no key interrupts here");
    let again = Asked { stderr_from: Some(1), ..asked(Some(owner.next)) };
    let back = Client::attach(&mut session, "olga", Right::Owner, again);
    assert!(back.messages.contains(&ServerMessage::Stderr { offset: 1, data: "cnI=".into() }));
    let lost = Client::attach(&mut session, "olga", Right::Owner, asked(Some(1 << 40)));
    assert_eq!(lost.snapshots, [(0, String::new())], "it is told that what it has is not this");
}

#[test]
fn what_is_not_understood_is_refused_and_changes_nothing() {
    let mut session = Session::new(spec(true), NOW);
    let id = session.join(visitor("olga", Right::Owner), NOW);
    let mut client =
        Client { id, next: 0, output: Vec::new(), snapshots: Vec::new(), messages: Vec::new(), is_over: false };
    client.type_in(&mut session, "x", NOW);
    client.say(&mut session, &ClientMessage::Drive, NOW);
    assert_eq!(client.errors(), ["attach_first", "attach_first"]);
    assert_eq!(session.view().viewers.len(), 0);
    client.say(&mut session, &ClientMessage::Attach(asked(None)), NOW);
    for text in ["", "{", "[]", "{\"type\":\"fly\"}", "{\"type\":\"ack\"}", "{\"type\":\"resize\",\"columns\":-1}"] {
        assert_eq!(session.receive(id, Frame::Text(text.into()), NOW), []);
        client.pull(&mut session, NOW);
        assert_eq!(client.errors(), ["bad_message"], "{text}");
    }
    client.say(&mut session, &ClientMessage::Attach(asked(None)), NOW);
    assert_eq!(client.errors(), ["bad_message"]);
    client.say(&mut session, &ClientMessage::Eof, NOW);
    client.say(&mut session, &ClientMessage::Signal { name: "STOP".into() }, NOW);
    assert_eq!(client.errors(), ["no_eof", "bad_signal"]);
    let effects = client.say(&mut session, &ClientMessage::Signal { name: "INT".into() }, NOW);
    assert_eq!(effects, [Effect::Signal("INT")]);
    client.say(&mut session, &ClientMessage::Ping { id: 7 }, NOW);
    assert_eq!(client.messages.last(), Some(&ServerMessage::Pong { id: 7 }));
    for _ in 0..1000 {
        session.receive(id, ClientMessage::Ping { id: 7 }.to_frame(), NOW);
    }
    client.messages.clear();
    client.pull(&mut session, NOW);
    assert!(client.is_over && client.messages.len() < 100, "who does not listen to answers gets no more");
}

#[test]
fn a_crowd_is_told_who_is_there_once_a_second() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    for number in 0..100 {
        Client::attach(&mut session, &format!("guest-{number}"), Right::Viewer, asked(None));
        owner.pull(&mut session, NOW);
    }
    let told =
        |owner: &Client| owner.messages.iter().filter(|told| matches!(told, ServerMessage::Presence { .. })).count();
    assert!(told(&owner) <= 25, "{}", told(&owner));
    let deadline = session.deadline(NOW).unwrap();
    assert!(deadline > NOW && deadline <= NOW.plus(1000));
    owner.pull(&mut session, deadline);
    let Some(ServerMessage::Presence { viewers, .. }) = owner.messages.last() else { panic!("nothing was told") };
    assert_eq!(viewers.len(), 101);
}

#[test]
fn a_line_without_attach_is_closed() {
    let mut session = Session::new(spec(true), NOW);
    let id = session.join(visitor("olga", Right::Owner), NOW);
    let deadline = session.deadline(NOW).unwrap();
    session.tick(deadline);
    assert!(matches!(session.pull(id, deadline), Pulled::Frame(_)));
    assert_eq!(session.pull(id, deadline), Pulled::Over);
    assert_eq!(session.deadline(deadline), None);
}

#[test]
fn the_recording_has_all_that_was_seen() {
    let mut session = Session::new(spec(true), NOW);
    let mut owner = Client::owner(&mut session);
    session.output(b"one", false, NOW.plus(500));
    owner.say(&mut session, &ClientMessage::Resize(SizeOf { columns: 30, rows: 9 }), NOW.plus(600));
    session.output(b"two", false, NOW.plus(1000));
    session.ended(Some(0), "", NOW.plus(1000));
    let text: String = session.recording().iter().map(|piece| String::from_utf8_lossy(piece).into_owned()).collect();
    insta::assert_snapshot!(text, @r#"
    {"env":{"TERM":"xterm-256color"},"height":5,"timestamp":1000,"title":"sh","version":2,"width":20}
    [0.500, "o", "one"]
    [0.600, "r", "30x9"]
    [1.000, "o", "two"]
    "#);
}

#[test]
fn the_screen_is_told_piece_by_piece_and_never_too_late() {
    let mut session = Session::new(spec(true), NOW);
    assert!(!session.is_behind());
    let line = [b'x'; 1000];
    let lines = || (0..200).flat_map(|_| line).collect::<Vec<u8>>();
    session.output(&lines(), false, NOW);
    assert!(session.is_behind() && session.catch_up_some(), "more than one piece");
    while session.catch_up_some() {}
    assert!(!session.is_behind());
    for _ in 0..20 {
        session.output(&lines(), false, NOW);
        assert!(session.log.end() - session.screen.fed() <= BEHIND);
    }
    let mut plain = Session::new(spec(false), NOW);
    plain.output(b"one", false, NOW);
    assert!(!plain.is_behind(), "there is no screen");
}
