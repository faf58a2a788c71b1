//! A terminal of Pierhead through its WebSocket, as a client of people uses it.

use anyhow::{Result, bail};
use pierhead_bench::dev::PATIENCE;
use pierhead_client::{Change, TerminalSocket, Wait};
use pierhead_terminal::{Asked, ClientMessage, Frame, ServerMessage};
use pierhead_wire::TerminalRequest;
use std::time::{Duration, Instant};

use crate::bed::Bed;

/// After so many bytes a client says what it has shown.
const ACK: u64 = 32 * 1024;
/// How much of what came is searched for what is waited for.
const SEEN: usize = 4096;

/// Opens a terminal; its id.
pub(crate) async fn open(bed: &Bed, command: &[&str]) -> Result<String> {
    let command = command.iter().map(|&word| word.to_owned()).collect();
    let request = TerminalRequest { command, ..TerminalRequest::default() };
    let change = Change::new(Wait::UntilEnded);
    Ok(bed.dev.client.open_terminal(&bed.container, &request, &change).await?.into_value().id)
}

pub(crate) async fn end(bed: &Bed, id: &str) -> Result<()> {
    Ok(bed.dev.client.end_terminal(id).await?)
}

pub(crate) struct Ours {
    socket: TerminalSocket,
    /// The offset after all that came.
    pub next: u64,
    shown: u64,
    /// How often a snapshot stood for what was printed.
    pub snapshots: usize,
    seen: Vec<u8>,
    is_over: bool,
}

impl Ours {
    pub async fn attach(bed: &Bed, id: &str, from: Option<u64>) -> Result<Self> {
        let mut socket = bed.dev.client.terminal_socket(id).await?;
        let asked = Asked { from, columns: 80, rows: 24, ..Asked::default() };
        send(&mut socket, ClientMessage::Attach(asked).to_frame()).await?;
        let next = from.unwrap_or(0);
        let mut ours = Self { socket, next, shown: next, snapshots: 0, seen: Vec::new(), is_over: false };
        // The first message is `hello`; what comes next depends on what there is.
        ours.read().await?;
        Ok(ours)
    }

    /// Reads a frame; what was printed in it.
    pub async fn read(&mut self) -> Result<u64> {
        let frame = match tokio::time::timeout(PATIENCE, self.socket.next()).await? {
            Ok(frame) => frame,
            Err(_) if self.is_over => bail!("the terminal has ended"),
            Err(end) => bail!("the socket ended: {end:?}"),
        };
        let mut came = 0;
        match frame {
            Frame::Binary(frame) => {
                let (offset, bytes) = Frame::split_output(frame)?;
                came = bytes.len() as u64;
                self.next = offset + came;
                self.seen.extend_from_slice(&bytes[bytes.len().saturating_sub(SEEN)..]);
                if self.seen.len() > 2 * SEEN {
                    self.seen.drain(..self.seen.len() - SEEN);
                }
            }
            Frame::Text(text) => match ServerMessage::parse(&text)? {
                ServerMessage::Snapshot { offset, data, .. } => {
                    self.next = offset;
                    self.snapshots += 1;
                    self.seen = data.into_bytes();
                }
                ServerMessage::Exit { .. } => self.is_over = true,
                ServerMessage::Error { code, message } => bail!("{code}: {message}"),
                _ => {}
            },
        }
        if self.next.abs_diff(self.shown) >= ACK {
            self.shown = self.next;
            // A terminal that is over hears nothing more, and what it has printed still comes.
            let _over = send(&mut self.socket, ClientMessage::Ack { offset: self.next }.to_frame()).await;
        }
        Ok(came)
    }

    pub async fn wait_for(&mut self, text: &str) -> Result<()> {
        while !self.seen.windows(text.len()).any(|window| window == text.as_bytes()) {
            self.read().await?;
        }
        Ok(())
    }

    pub async fn key(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        send(&mut self.socket, Frame::Binary(bytes::Bytes::from_static(b"x"))).await?;
        while self.read().await? == 0 {}
        Ok(begun.elapsed())
    }

    /// Types, and reads until the end; how much came.
    pub async fn drain(&mut self, typed: &'static [u8]) -> Result<u64> {
        if !typed.is_empty() {
            send(&mut self.socket, Frame::Binary(bytes::Bytes::from_static(typed))).await?;
        }
        let mut all = 0;
        while !self.is_over {
            all += self.read().await?;
        }
        Ok(all)
    }

    /// Reads whatever comes, for ever.
    pub async fn look(mut self) {
        while self.read().await.is_ok() && !self.is_over {}
    }

    /// Reads whatever comes within a time.
    pub async fn look_for(&mut self, time: Duration) {
        let _over = tokio::time::timeout(time, async { while self.read().await.is_ok() && !self.is_over {} }).await;
    }
}

async fn send(socket: &mut TerminalSocket, frame: Frame) -> Result<()> {
    match socket.send(frame).await {
        Ok(()) => Ok(()),
        Err(end) => bail!("the socket ended: {end:?}"),
    }
}
