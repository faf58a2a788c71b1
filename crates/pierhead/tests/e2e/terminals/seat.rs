//! Somebody at a terminal: what they saw, byte for byte, and what they were told.

use crate::wait::PATIENCE;
use pierhead_client::{Client, SocketEnd, TerminalSocket};
use pierhead_terminal::{Asked, ClientMessage, Frame, ServerMessage};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How much is shown before that is said, in bytes.
const SAID_EACH: u64 = 32 * 1024;
/// How much of what was seen is told when something is missing.
const TAIL: usize = 400;

pub struct Seat {
    client: Client,
    terminal: String,
    socket: TerminalSocket,
    /// Who they are there.
    pub you: String,
    /// How wide and high the terminal was when they came.
    pub size: (u16, u16),
    /// All that was printed since they came, or since it was cleared.
    pub seen: Vec<u8>,
    /// The offset of what comes next.
    next: u64,
    /// How much was printed when they came.
    printed: u64,
    said: u64,
    /// The latest screen that stood for what they had not seen, and how many there were.
    screen: String,
    pub snapshots: usize,
    pub messages: Vec<ServerMessage>,
}

impl Seat {
    /// Comes, and sees all from the first byte on.
    pub async fn take(client: &Client, id: &str) -> Self {
        Self::come(client, id, Some(0)).await
    }

    /// The screen as somebody is shown it who comes now, and goes. Who comes right after another one is shown what that
    /// one was, and what was printed since.
    pub async fn look(client: &Client, id: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut seat = Self::come(client, id, None).await;
            seat.until("a snapshot", |seat| seat.snapshots > 0).await;
            let is_whole = seat.next >= seat.printed;
            seat.socket.close().await;
            if is_whole {
                return seat.screen;
            }
            assert!(Instant::now() < deadline, "the screen is older than it may be: {:?}", seat.screen);
        }
    }

    async fn come(client: &Client, id: &str, from: Option<u64>) -> Self {
        let mut seat = Self {
            socket: socket(client, id).await,
            client: client.clone(),
            terminal: id.to_owned(),
            you: String::new(),
            size: (0, 0),
            seen: vec![],
            next: 0,
            printed: 0,
            said: 0,
            screen: String::new(),
            snapshots: 0,
            messages: vec![],
        };
        seat.attach(from, None).await;
        seat
    }

    /// The same through another controller.
    pub async fn come_back_at(&mut self, client: &Client) {
        self.client = client.clone();
        self.come_back().await;
    }

    /// Its line breaks, and it comes back for what it lacks.
    pub async fn come_back(&mut self) {
        self.socket = socket(&self.client, &self.terminal).await;
        let was = Some(std::mem::take(&mut self.you));
        self.attach(Some(self.next), was).await;
    }

    async fn attach(&mut self, from: Option<u64>, was: Option<String>) {
        self.you.clear();
        let (columns, rows) = (80, 24);
        self.say(&ClientMessage::Attach(Asked { from, was, columns, rows, ..Asked::default() })).await;
        self.until("hello", |seat| !seat.you.is_empty()).await;
    }

    pub async fn say(&mut self, message: &ClientMessage) {
        self.send(message.to_frame()).await;
    }

    pub async fn send(&mut self, frame: Frame) {
        self.socket.send(frame).await.unwrap();
    }

    pub async fn type_in(&mut self, text: &str) {
        self.send(Frame::Binary(text.as_bytes().to_vec().into())).await;
    }

    /// Types a line, and waits for what it prints.
    pub async fn run(&mut self, line: &str, printed: &str) {
        self.type_in(&format!("{line}\n")).await;
        self.until_seen(printed).await;
    }

    pub fn has_seen(&self, text: &str) -> bool {
        self.seen.windows(text.len()).any(|part| part == text.as_bytes())
    }

    /// The last of what was seen.
    pub fn tail(&self) -> String {
        format!("{:?}", String::from_utf8_lossy(&self.seen[self.seen.len().saturating_sub(TAIL)..]))
    }

    pub async fn until_seen(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut looked = 0;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let from = looked.min(self.seen.len()).saturating_sub(text.len());
            if self.seen[from..].windows(text.len()).any(|part| part == text) {
                return;
            }
            looked = self.seen.len();
            let missing = format!("{:?} was not printed", String::from_utf8_lossy(text));
            self.step(deadline, &missing).await;
        }
    }

    pub async fn until(&mut self, what: &str, is_it: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_it(self) {
            self.step(deadline, what).await;
        }
    }

    async fn step(&mut self, deadline: Instant, what: &str) {
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(left, self.read()).await {
            Ok(Ok(())) => {}
            Ok(Err(end)) => panic!("{what}: it ended, {end:?}, {:?}, after {}", self.messages.last(), self.tail()),
            Err(_) => panic!("not in time: {what}: {:?}, after {}", self.messages.last(), self.tail()),
        }
    }

    /// What was said last before the end of the line.
    pub async fn end(&mut self) -> ServerMessage {
        let read = async { while self.read().await.is_ok() {} };
        timeout(PATIENCE, read).await.expect("it ends");
        self.messages.last().cloned().expect("a last word")
    }

    async fn read(&mut self) -> Result<(), SocketEnd> {
        match self.socket.next().await? {
            Frame::Binary(bytes) => {
                let (offset, bytes) = Frame::split_output(bytes).unwrap();
                assert_eq!(offset, self.next, "no byte is left out, and none comes twice");
                self.next += bytes.len() as u64;
                self.seen.extend_from_slice(&bytes);
                if self.next - self.said >= SAID_EACH {
                    self.said = self.next;
                    return self.socket.send(ClientMessage::Ack { offset: self.next }.to_frame()).await;
                }
            }
            Frame::Text(text) => self.told(ServerMessage::parse(&text).unwrap()),
        }
        Ok(())
    }

    fn told(&mut self, message: ServerMessage) {
        match &message {
            ServerMessage::Hello { you, columns, rows, offset, .. } => {
                self.printed = *offset;
                self.you.clone_from(you);
                self.size = (*columns, *rows);
            }
            ServerMessage::Snapshot { offset, data, .. } => {
                (self.next, self.said) = (*offset, *offset);
                self.screen.clone_from(data);
                self.snapshots += 1;
            }
            _ => {}
        }
        self.messages.push(message);
    }
}

/// A socket, as soon as there is a controller and a way to the terminal.
async fn socket(client: &Client, id: &str) -> TerminalSocket {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match client.terminal_socket(id).await {
            Ok(socket) => return socket,
            Err(error) => assert!(Instant::now() < deadline, "no way to the terminal: {error}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}
