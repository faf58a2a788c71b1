//! Sitting at a terminal of a container: what is typed goes there, what it prints comes here, until it ends or one leaves.
//! A line that breaks is made anew and goes on where it broke.

mod keys;
mod raw;
mod screen;

use self::keys::{Key, Keys};
use self::raw::{Raw, Resizes, size};
use self::screen::Screen;
use crate::escape::escape;
use crate::{CliError, Output, interrupt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pierhead_client::{Client, ClientError, SocketEnd, TerminalSocket};
use pierhead_terminal::{Asked, ClientMessage, Frame, Role, ServerMessage, SizeOf};
use pierhead_wire::DEFAULT_SIZE;
use std::io::BufRead;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep};

/// How long nothing may be heard of a controller, which asks whether somebody is there each 20 s.
const SILENCE: Duration = Duration::from_secs(50);
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// The pause before a line is made anew, and for how long that is tried.
const PAUSE: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(120);
/// After how many bytes it is told how much was shown.
const ACK_EACH: u64 = 32 * 1024;
/// Why a controller closed a socket.
const REVOKED: u16 = 4401;
const RIGHT_LOST: u16 = 4403;

/// How somebody sits there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Whether what is typed goes there.
    pub input: bool,
    /// Whether it has a pseudo-terminal, whose keys and sizes go there too.
    pub tty: bool,
    /// Whether all of it is wanted, from its first byte on; else its screen as it is now.
    pub from_start: bool,
    /// Whether its input ends at once.
    pub closes_input: bool,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Left {
    /// The program has ended: its exit code, and why, for people.
    Ended(Option<i64>, String),
    /// One left; it goes on.
    Detached,
}

/// Somebody at a terminal.
pub(crate) struct Seat<'a> {
    client: &'a Client,
    id: &'a str,
    manner: Manner,
    out: &'a mut Output,
    screen: Screen,
    keys: Keys,
    /// The next offsets that are lacking, and who one was.
    next: Option<u64>,
    next_error: u64,
    you: Option<String>,
    acked: u64,
    role: Role,
    asks: Option<String>,
    was_told: bool,
    /// The input has ended, and whether all of it has surely arrived.
    input_ended: bool,
    input_arrived: bool,
}

/// What to do next.
enum Next {
    GoOn,
    Left(Left),
}

/// What is typed, from a thread of its own: reading can't be called off.
fn read_input(mut input: Box<dyn BufRead + Send>) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel(4);
    std::thread::spawn(move || {
        while let Ok(piece) = input.fill_buf() {
            let piece = piece.to_vec();
            input.consume(piece.len());
            if piece.is_empty() || send.blocking_send(piece).is_err() {
                return;
            }
        }
    });
    receive
}

/// Sits at a terminal until it ends or one leaves.
pub(crate) async fn sit(id: &str, manner: Manner, client: &Client, out: &mut Output) -> Result<Left, CliError> {
    out.stop_waiting();
    let _own = interrupt::own();
    let is_person = out.terminals().stdin && manner.tty && manner.input;
    let raw = if is_person { Raw::set() } else { None };
    let screen = Screen::begin(out.take_output());
    let mut seat = Seat {
        client,
        id,
        manner,
        screen,
        keys: Keys::new(is_person),
        next: manner.from_start.then_some(0),
        next_error: 0,
        you: None,
        acked: 0,
        role: Role::Viewer,
        asks: None,
        was_told: false,
        input_ended: false,
        input_arrived: !manner.input,
        out,
    };
    let left = seat.lines().await;
    let screen = seat.screen.end().await;
    let was_left_open = !matches!(left, Ok(Left::Ended(..)));
    out.give_output(screen);
    if raw.is_some() && was_left_open {
        // What a program had set up it will not take back here.
        let _gone = out.bytes(raw::AS_BEFORE);
    }
    drop(raw);
    left
}

impl Seat<'_> {
    /// One line after another, until it is over.
    async fn lines(&mut self) -> Result<Left, CliError> {
        let mut input = if self.manner.input { Some(read_input(self.out.take_input())) } else { None };
        let mut resizes = Resizes::watch(self.manner.tty);
        loop {
            let mut socket = match self.call().await? {
                Ok(socket) => socket,
                Err(left) => return Ok(left),
            };
            let why = match self.line(&mut socket, &mut input, &mut resizes).await {
                Ok(left) => return left,
                Err(end) => end,
            };
            match why {
                SocketEnd::Closed(REVOKED, _) => {
                    return Err(CliError::Terminal("your log-in has ended: log in again, and attach".to_owned()));
                }
                SocketEnd::Closed(RIGHT_LOST, _) if self.role == Role::Viewer => {}
                SocketEnd::Closed(_, reason) | SocketEnd::Broken(reason) => self.lost(&reason)?,
            }
        }
    }

    /// A line broke. What was typed is seen by whoever typed; what a pipe gave is not.
    fn lost(&mut self, reason: &str) -> Result<(), CliError> {
        let is_person = self.out.terminals().stdin;
        if self.manner.input && !is_person && !self.input_arrived {
            let why = if reason.is_empty() { "the connection ended" } else { reason };
            let message = format!("{why}; part of the input may be lost. The terminal goes on: {}", self.id);
            return Err(CliError::Terminal(message));
        }
        Ok(())
    }

    /// A socket to it, as soon as a controller has it.
    async fn call(&mut self) -> Result<Result<TerminalSocket, Left>, CliError> {
        let end = Instant::now() + PATIENCE;
        let mut told = false;
        loop {
            match self.client.terminal_socket(self.id).await {
                Ok(socket) => return Ok(Ok(socket)),
                Err(ClientError::Refused { status: 404 | 409, .. }) if self.you.is_some() => {
                    return self.ended_meanwhile().await.map(Err);
                }
                Err(ClientError::Unreachable { .. } | ClientError::Refused { status: 502..=504, .. })
                    if Instant::now() < end =>
                {
                    if !std::mem::replace(&mut told, true) {
                        self.tell("the connection is lost; it is made anew");
                    }
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// It has ended while nobody could tell.
    async fn ended_meanwhile(&self) -> Result<Left, CliError> {
        let shown = self.client.terminal(self.id).await?.into_value();
        let reason = shown.reason.unwrap_or_else(|| "the terminal is gone".to_owned());
        Ok(Left::Ended(shown.exit_code, reason))
    }

    /// One line, until it breaks (`Err`) or all is over.
    async fn line(
        &mut self,
        socket: &mut TerminalSocket,
        input: &mut Option<mpsc::Receiver<Vec<u8>>>,
        resizes: &mut Resizes,
    ) -> Result<Result<Left, CliError>, SocketEnd> {
        self.greet(socket).await?;
        let mut look = interval(LOOK);
        let (mut interrupts, mut interrupt) = (0, Box::pin(tokio::signal::ctrl_c()));
        loop {
            let next = tokio::select! {
                frame = socket.next(), if self.screen.has_room() => self.hear(frame?, socket).await?,
                shown = self.screen.progress() => {
                    if let Some(shown) = shown {
                        self.acknowledge(shown, socket).await?;
                    }
                    if self.screen.is_gone() {
                        return Ok(Err(CliError::Write(std::io::ErrorKind::BrokenPipe.into())));
                    }
                    Next::GoOn
                }
                piece = typed(input) => self.type_in(piece, socket, input).await?,
                () = resizes.next() => self.resize(socket).await?,
                Ok(()) = &mut interrupt => {
                    interrupt = Box::pin(tokio::signal::ctrl_c());
                    interrupts += 1;
                    if interrupts > 1 || self.role != Role::Driver {
                        return Ok(Err(CliError::Interrupted { operation: None }));
                    }
                    socket.send(ClientMessage::Signal { name: "INT".to_owned() }.to_frame()).await?;
                    Next::GoOn
                }
                _ = look.tick() => {
                    if socket.silent_for() > SILENCE {
                        return Err(SocketEnd::Broken("nothing was heard for long".to_owned()));
                    }
                    Next::GoOn
                }
            };
            if let Next::Left(left) = next {
                return Ok(Ok(left));
            }
        }
    }

    async fn greet(&mut self, socket: &mut TerminalSocket) -> Result<(), SocketEnd> {
        let (columns, rows) = size().unwrap_or(DEFAULT_SIZE);
        let stderr_from = (!self.manner.tty).then_some(self.next_error);
        let asked = Asked { from: self.next, stderr_from, columns, rows, was: self.you.clone(), ..Asked::default() };
        socket.send(ClientMessage::Attach(asked).to_frame()).await?;
        if self.input_ended || self.manner.closes_input {
            self.end_input(socket).await?;
        }
        Ok(())
    }

    /// Nothing more comes from here; the answer to the ping says that all of it has arrived.
    async fn end_input(&mut self, socket: &mut TerminalSocket) -> Result<(), SocketEnd> {
        if !self.manner.tty {
            socket.send(ClientMessage::Eof.to_frame()).await?;
        }
        socket.send(ClientMessage::Ping { id: 0 }.to_frame()).await
    }

    async fn hear(&mut self, frame: Frame, socket: &mut TerminalSocket) -> Result<Next, SocketEnd> {
        let text = match frame {
            Frame::Binary(bytes) => {
                let split = Frame::split_output(bytes);
                let (offset, bytes) = split.map_err(|error| SocketEnd::Broken(error.to_string()))?;
                self.next = Some(offset + bytes.len() as u64);
                self.screen.show(bytes, self.next);
                return Ok(Next::GoOn);
            }
            Frame::Text(text) => text,
        };
        // What a newer controller says may be unknown here.
        let Ok(message) = ServerMessage::parse(&text) else { return Ok(Next::GoOn) };
        match message {
            ServerMessage::Hello { you, role, driver, .. } => {
                (self.you, self.role) = (Some(you), role);
                if driver.is_none() && self.manner.input {
                    socket.send(ClientMessage::Drive.to_frame()).await?;
                }
            }
            ServerMessage::Snapshot { offset, data, .. } => {
                self.next = Some(offset);
                self.screen.show([raw::CLEAR, data.as_bytes()].concat().into(), self.next);
            }
            ServerMessage::Presence { driver, .. } => {
                self.role = if driver.is_some() && driver == self.you { Role::Driver } else { Role::Viewer };
            }
            ServerMessage::Asks { viewer, username } => {
                self.asks = Some(viewer);
                self.tell(&format!("{username} asks to drive: ctrl-p ctrl-y lets them"));
            }
            ServerMessage::Stderr { offset, data } => {
                let bytes = STANDARD.decode(data).unwrap_or_default();
                self.next_error = offset + bytes.len() as u64;
                self.out.error_bytes(&bytes);
            }
            ServerMessage::Exit { code, reason } => return Ok(Next::Left(Left::Ended(code, reason))),
            ServerMessage::Error { code, message } => self.complain(&code, &message),
            ServerMessage::Pong { .. } => self.input_arrived = self.input_ended,
            ServerMessage::Size(_) => {}
        }
        Ok(Next::GoOn)
    }

    fn complain(&mut self, code: &str, message: &str) {
        if code == "not_driver" {
            if !std::mem::replace(&mut self.was_told, true) {
                self.tell("somebody else drives: ctrl-p ctrl-d asks them for it, ctrl-p ctrl-q leaves");
            }
            return;
        }
        self.tell(message);
    }

    /// Says something beside what the terminal prints, on a line of its own.
    fn tell(&mut self, line: &str) {
        match self.keys.are_raw() {
            true => self.out.error_bytes(format!("\r\n[{}]\r\n", escape(line)).as_bytes()),
            false => self.out.note(line),
        }
    }

    async fn type_in(
        &mut self,
        piece: Option<Vec<u8>>,
        socket: &mut TerminalSocket,
        input: &mut Option<mpsc::Receiver<Vec<u8>>>,
    ) -> Result<Next, SocketEnd> {
        let Some(piece) = piece else {
            (*input, self.input_ended) = (None, true);
            self.end_input(socket).await?;
            return Ok(Next::GoOn);
        };
        for key in self.keys.feed(&piece) {
            match key {
                Key::Typed(bytes) => socket.send(Frame::Binary(bytes.into())).await?,
                Key::Detach => return Ok(Next::Left(Left::Detached)),
                Key::Drive => {
                    self.was_told = false;
                    socket.send(ClientMessage::Drive.to_frame()).await?;
                }
                Key::Yield => match self.asks.take() {
                    Some(to) => socket.send(ClientMessage::HandOver { to }.to_frame()).await?,
                    None => socket.send(ClientMessage::Release.to_frame()).await?,
                },
            }
        }
        Ok(Next::GoOn)
    }

    async fn resize(&mut self, socket: &mut TerminalSocket) -> Result<Next, SocketEnd> {
        if let Some((columns, rows)) = size() {
            socket.send(ClientMessage::Resize(SizeOf { columns, rows }).to_frame()).await?;
        }
        Ok(Next::GoOn)
    }

    async fn acknowledge(&mut self, shown: u64, socket: &mut TerminalSocket) -> Result<(), SocketEnd> {
        if shown >= self.acked + ACK_EACH {
            self.acked = shown;
            socket.send(ClientMessage::Ack { offset: shown }.to_frame()).await?;
        }
        Ok(())
    }
}

/// The next that is typed; never anything where nothing is.
async fn typed(input: &mut Option<mpsc::Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match input {
        Some(input) => input.recv().await,
        None => std::future::pending().await,
    }
}
