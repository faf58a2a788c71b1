//! A process that a test plays, and clients of its session.

use async_trait::async_trait;
use bytes::Bytes;
use pierhead_model::Timestamp;
use pierhead_sessions::{Hooks, Line, Sessions};
use pierhead_terminal::{Asked, ClientMessage, Frame, Right, ServerMessage, SessionSpec, Visitor};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what must come.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    soon(what, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Hooks that remember what was asked of them.
pub struct Asks {
    began: Instant,
    pub calls: Mutex<Vec<String>>,
    pub code: Mutex<Option<i64>>,
}

impl Asks {
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }
}

#[async_trait]
impl Hooks for Asks {
    async fn resize(&self, columns: u16, rows: u16) {
        self.note(format!("resize {columns}x{rows}"));
    }
    async fn signal(&self, name: &str) {
        self.note(format!("signal {name}"));
    }
    async fn exit_code(&self) -> Option<i64> {
        *self.code.lock().unwrap()
    }
    async fn end(&self) {
        self.note("end".into());
    }
    fn now(&self) -> Timestamp {
        Timestamp(1_000_000 + u64::try_from(self.began.elapsed().as_millis()).unwrap())
    }
}

/// A session whose process is played by the test.
pub struct Stage {
    pub sessions: Sessions,
    pub process: DuplexStream,
    pub asks: Arc<Asks>,
}

pub fn spec(id: &str, tty: bool) -> SessionSpec {
    SessionSpec { id: id.into(), columns: 80, rows: 24, tty, title: "sh".into(), recording_bytes: 100_000 }
}

pub fn asks() -> Arc<Asks> {
    Arc::new(Asks { began: Instant::now(), calls: Mutex::default(), code: Mutex::new(Some(0)) })
}

impl Stage {
    pub fn new(tty: bool) -> Self {
        let sessions = Sessions::new(10);
        let (ours, process) = tokio::io::duplex(64 * 1024);
        let asks = asks();
        sessions.open(spec("t1", tty), ours, Arc::clone(&asks) as _).unwrap();
        Self { sessions, process, asks }
    }

    pub async fn client(&self, username: &str, right: Right, from: Option<u64>) -> Client {
        Client::attach(&self.sessions, "t1", username, right, Asked { from, ..size() }).await
    }

    pub async fn owner(&self) -> Client {
        self.client("olga", Right::Owner, None).await
    }

    pub async fn print(&mut self, bytes: &[u8]) {
        soon("the session reads", self.process.write_all(bytes)).await.unwrap();
    }

    /// Reads input until it ends so.
    pub async fn typed(&mut self, end: &str) -> String {
        let mut typed = Vec::new();
        while !typed.ends_with(end.as_bytes()) {
            let byte = soon("input comes", self.process.read_u8()).await.unwrap();
            typed.push(byte);
        }
        String::from_utf8(typed).unwrap()
    }
}

pub fn size() -> Asked {
    Asked { columns: 80, rows: 24, ..Asked::default() }
}

/// Somebody at the other end of a line.
pub struct Client {
    pub line: Line,
    pub you: String,
    pub next: u64,
    pub output: Vec<u8>,
    pub snapshots: Vec<String>,
    pub messages: Vec<ServerMessage>,
    pub shown: u64,
}

impl Client {
    pub async fn attach(sessions: &Sessions, id: &str, username: &str, right: Right, asked: Asked) -> Self {
        let visitor = Visitor { username: username.into(), right };
        let line = sessions.attach(id, visitor).unwrap();
        let next = asked.from.unwrap_or(0);
        let mut client = Self {
            line,
            you: String::new(),
            next,
            output: Vec::new(),
            snapshots: Vec::new(),
            messages: Vec::new(),
            shown: next,
        };
        client.say(&ClientMessage::Attach(asked)).await;
        while client.you.is_empty() {
            assert!(client.read().await, "the line ended before hello");
        }
        client
    }

    pub async fn say(&self, message: &ClientMessage) {
        let sent = soon("the session takes a message", self.line.to_session.send(message.to_frame())).await;
        sent.unwrap();
    }

    pub async fn type_in(&self, text: impl Into<Bytes>) {
        let frame = Frame::Binary(text.into());
        soon("the session takes input", self.line.to_session.send(frame)).await.unwrap();
    }

    /// Reads a frame, and says what was shown as a client must; `false` at the end of the line.
    pub async fn read(&mut self) -> bool {
        let Some(frame) = soon("a frame comes", self.line.from_session.recv()).await else { return false };
        self.take(frame);
        if self.next.abs_diff(self.shown) >= 32 * 1024 {
            self.shown = self.next;
            // A line that is over takes nothing any more.
            let _over = self.line.to_session.send(ClientMessage::Ack { offset: self.next }.to_frame()).await;
        }
        true
    }

    fn take(&mut self, frame: Frame) {
        match frame {
            Frame::Binary(frame) => {
                let (offset, bytes) = Frame::split_output(frame).unwrap();
                assert_eq!(offset, self.next, "bytes follow one another");
                self.next += bytes.len() as u64;
                self.output.extend_from_slice(&bytes);
            }
            Frame::Text(text) => match ServerMessage::parse(&text).unwrap() {
                ServerMessage::Snapshot { offset, data, .. } => {
                    self.next = offset;
                    self.snapshots.push(data);
                }
                ServerMessage::Hello { you, .. } => self.you = you,
                message => self.messages.push(message),
            },
        }
    }

    pub async fn read_until(&mut self, mut is_so: impl FnMut(&Self) -> bool) {
        while !is_so(self) {
            assert!(self.read().await, "the line ended before");
        }
    }

    pub async fn read_to_end(&mut self) {
        while self.read().await {}
    }
}
