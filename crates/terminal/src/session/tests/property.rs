//! Any interleaving of what people and programs do, with what must hold whatever happens.

use super::{NOW, spec, visitor};
use crate::screen::Screen;
use crate::session::viewer::QUEUE;
use crate::session::{LOG, Pulled, Right, Session, ViewerId};
use crate::{Asked, ClientMessage, Effect, Frame, Role, ServerMessage, SizeOf};
use bytes::Bytes;
use pierhead_model::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const NAMES: [(&str, Right); 4] =
    [("olga", Right::Owner), ("gus", Right::Driver), ("lou", Right::Viewer), ("olga", Right::Owner)];
/// A step of time, in milliseconds.
const STEP: u64 = 700;

/// Something that happens; the number is one of the clients.
#[derive(Debug, Clone)]
enum Step {
    Print(usize),
    Lines(usize),
    Sequence(&'static str),
    Errors(usize),
    Come(usize),
    Leave(usize),
    Break(usize),
    Pull(usize, usize),
    Show(usize),
    Type(usize, &'static str),
    Say(usize, ClientMessage),
    Grant(usize, Option<Role>),
    Full(bool),
    Wait(u64),
    End,
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..NAMES.len();
    let sequences = ["\x1b[31m", "\x1b[?1049h", "\x1b[?1049l", "\x1b[2J", "猫", "\x1b]0;t", "\x07", "\r\n", "\x1b["];
    let message = prop_oneof![
        Just(ClientMessage::Drive),
        Just(ClientMessage::Release),
        Just(ClientMessage::Eof),
        any::<bool>().prop_map(|is| ClientMessage::Visible { is }),
        (0..60_u16, 0..20_u16).prop_map(|(columns, rows)| ClientMessage::Resize(SizeOf { columns, rows })),
        (0..12_u64).prop_map(|id| ClientMessage::HandOver { to: ViewerId(id).to_string() }),
        (0..2_000_000_u64).prop_map(|offset| ClientMessage::Ack { offset }),
        any::<u64>().prop_map(|id| ClientMessage::Ping { id }),
        Just(ClientMessage::Signal { name: "INT".into() }),
    ];
    let role = prop_oneof![Just(None), Just(Some(Role::Driver)), Just(Some(Role::Viewer))];
    prop_oneof![
        6 => prop_oneof![1..100_usize, 10_000..40_000_usize, 1..300_000_usize].prop_map(Step::Print),
        2 => prop_oneof![1..30_usize, 1_500..6_000_usize].prop_map(Step::Lines),
        3 => prop::sample::select(sequences.to_vec()).prop_map(Step::Sequence),
        1 => (1..50_000_usize).prop_map(Step::Errors),
        4 => client.clone().prop_map(Step::Come),
        1 => client.clone().prop_map(Step::Leave),
        2 => client.clone().prop_map(Step::Break),
        8 => (client.clone(), 1..40_usize).prop_map(|(client, frames)| Step::Pull(client, frames)),
        5 => client.clone().prop_map(Step::Show),
        2 => (client.clone(), prop::sample::select(vec!["x", "\x03"])).prop_map(|(client, text)| Step::Type(client, text)),
        3 => (client.clone(), message).prop_map(|(client, message)| Step::Say(client, message)),
        1 => (client, role).prop_map(|(client, role)| Step::Grant(client, role)),
        1 => any::<bool>().prop_map(Step::Full),
        2 => (1..20_u64).prop_map(Step::Wait),
        1 => Just(Step::End),
    ]
}

/// A client as it should be: it believes what it is told, and checks all of it.
#[derive(Debug, Default)]
struct Watcher {
    id: Option<ViewerId>,
    was: Option<String>,
    /// The offset after all that it has; nothing before it has come.
    next: Option<u64>,
    told_driver: Option<String>,
}

struct World {
    session: Session,
    now: Timestamp,
    /// All that was ever printed.
    printed: Vec<u8>,
    watchers: [Watcher; 4],
    has_ended: bool,
}

impl World {
    fn new(tty: bool) -> Self {
        let session = Session::new(spec(tty), NOW);
        Self { session, now: NOW, printed: Vec::new(), watchers: Default::default(), has_ended: false }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Print(_) | Step::Lines(_) | Step::Sequence(_) | Step::Errors(_) if self.has_ended => {}
            Step::Print(length) => {
                let from = self.printed.len();
                let bytes: Vec<u8> = (from..from + length).map(|at| b'a' + (at % 23) as u8).collect();
                self.print(&bytes);
            }
            Step::Lines(lines) => {
                let from = self.printed.len();
                let lines = (from..from + lines).map(|line| format!("line {line} of many, with some text\r\n"));
                self.print(lines.collect::<String>().as_bytes());
            }
            Step::Sequence(text) => self.print(text.as_bytes()),
            Step::Errors(length) => self.session.output(&vec![b'e'; length], true, self.now),
            Step::Come(client) => self.come(client),
            Step::Leave(client) | Step::Break(client) => {
                if let Some(id) = self.watchers[client].id.take() {
                    self.session.leave(id, self.now);
                    self.watchers[client].was = matches!(step, Step::Break(_)).then(|| id.to_string());
                }
            }
            Step::Pull(client, frames) => (0..frames).for_each(|_| self.pull(client)),
            Step::Show(client) => {
                if let (Some(id), Some(offset)) = (self.watchers[client].id, self.watchers[client].next) {
                    self.session.receive(id, ClientMessage::Ack { offset }.to_frame(), self.now);
                }
            }
            Step::Type(client, text) => {
                let Some(id) = self.watchers[client].id else { return };
                let drives = self.session.driver() == Some(id);
                let input = Frame::Binary(Bytes::from_static(text.as_bytes()));
                let effects = self.session.receive(id, input, self.now);
                let writes = effects.iter().any(|effect| matches!(effect, Effect::Write(_)));
                assert_eq!(writes, drives && !self.has_ended, "only who drives types");
            }
            Step::Say(client, message) => {
                let Some(id) = self.watchers[client].id else { return };
                let drives = self.session.driver() == Some(id);
                let is_free = !matches!(self.session.seat, super::super::seat::Seat::Held(_));
                let size = self.session.size;
                self.session.receive(id, message.to_frame(), self.now);
                let may_size = drives || (is_free && message == ClientMessage::Drive);
                assert!(may_size || self.session.size == size, "{message:?} of another changed the size");
            }
            Step::Grant(client, role) => {
                self.session.grant(NAMES[client].0, role);
            }
            Step::Full(is_full) => self.session.input_full(is_full),
            Step::Wait(steps) => {
                self.now = self.now.plus(steps * STEP);
                self.session.tick(self.now);
            }
            Step::End => {
                self.session.ended(Some(0), "", self.now);
                self.has_ended = true;
            }
        }
    }

    fn print(&mut self, bytes: &[u8]) {
        // A runner reads only while it may, and what is printed at once is bounded.
        if self.session.may_read(self.now) {
            self.session.output(bytes, false, self.now);
            self.printed.extend_from_slice(bytes);
        }
    }

    fn come(&mut self, client: usize) {
        let watcher = &mut self.watchers[client];
        if watcher.id.is_some() {
            return;
        }
        let (name, right) = NAMES[client];
        let id = self.session.join(visitor(name, right), self.now);
        let asked = Asked { from: watcher.next, was: watcher.was.take(), columns: 30, rows: 9, ..Asked::default() };
        self.session.receive(id, ClientMessage::Attach(asked).to_frame(), self.now);
        watcher.id = Some(id);
    }

    fn pull(&mut self, client: usize) {
        let watcher = &mut self.watchers[client];
        let Some(id) = watcher.id else { return };
        match self.session.pull(id, self.now) {
            Pulled::Nothing => {}
            Pulled::Over => {
                self.session.leave(id, self.now);
                watcher.id = None;
            }
            Pulled::Frame(Frame::Binary(frame)) => {
                let (offset, bytes) = Frame::split_output(frame).unwrap();
                assert_eq!(offset, watcher.next.unwrap_or(0), "bytes follow one another");
                let from = usize::try_from(offset).unwrap();
                assert_eq!(bytes, self.printed[from..from + bytes.len()], "what came is what was printed");
                watcher.next = Some(offset + bytes.len() as u64);
            }
            Pulled::Frame(Frame::Text(text)) => match ServerMessage::parse(&text).unwrap() {
                ServerMessage::Snapshot { offset, columns, rows, data } => {
                    assert!(offset <= self.printed.len() as u64);
                    watcher.next = Some(offset);
                    if self.session.spec.tty && (columns, rows) == (self.session.size.columns, self.session.size.rows) {
                        self.compare(offset, &data);
                    }
                }
                ServerMessage::Hello { driver, .. } | ServerMessage::Presence { driver, .. } => {
                    watcher.told_driver = driver;
                }
                ServerMessage::Exit { .. } => {
                    assert!(self.has_ended);
                    assert_eq!(watcher.next.unwrap_or(0), self.printed.len() as u64, "the end comes after all else");
                }
                _ => {}
            },
        }
    }

    /// Who reads a snapshot and goes on sees what the session itself would show.
    fn compare(&mut self, offset: u64, data: &str) {
        let mut theirs = Screen::new(self.session.size);
        theirs.feed(data.as_bytes());
        theirs.feed(&self.printed[usize::try_from(offset).unwrap()..]);
        self.session.catch_up();
        assert_eq!(theirs.shown(), self.session.screen.shown(), "a snapshot at {offset} is the screen");
    }

    fn check(&self) {
        let view = self.session.view();
        let drivers: Vec<_> = view.viewers.iter().filter(|viewer| viewer.role == Role::Driver).collect();
        assert!(drivers.len() <= 1, "{drivers:?}");
        assert!(drivers.iter().all(|driver| driver.username != "lou"), "{drivers:?}");
        assert_eq!(self.session.log.end(), self.printed.len() as u64);
        assert!(self.session.log.end() - self.session.log.start() <= LOG as u64);
        assert!(self.session.log.pieces() <= 2 * LOG / (16 * 1024) + 100);
        assert!(self.session.screen.fed() >= self.session.log.start(), "the screen lacks nothing that is gone");
        for viewer in self.session.viewers.values() {
            let in_flight = viewer.flow.in_flight(viewer.next);
            assert!(in_flight <= 1024 * 1024 + 64 * 1024 + QUEUE, "{in_flight} are on their way");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_everybody_sees_what_was_printed(
        steps in prop::collection::vec(step(), 1..150), tty in prop::bool::weighted(0.8)
    ) {
        let mut world = World::new(tty);
        for step in steps {
            world.take(step);
            world.check();
        }
        // Once everybody listens, everybody has everything, and knows who drives.
        for _ in 0..100 {
            for client in 0..NAMES.len() {
                world.pull(client);
                world.take(Step::Show(client));
            }
        }
        let driver = world.session.driver().map(|driver| driver.to_string());
        for watcher in world.watchers.iter().filter(|watcher| watcher.id.is_some()) {
            prop_assert_eq!(watcher.next.unwrap_or(0), world.printed.len() as u64);
            prop_assert_eq!(&watcher.told_driver, &driver);
        }
    }
}
