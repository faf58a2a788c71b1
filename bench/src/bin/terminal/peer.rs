//! terminado, the terminals of Jupyter, if it is installed: its shell behind its WebSocket.

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const SERVER: &str = include_str!("peer.py");

pub(crate) struct Peer {
    socket: WebSocketStream<TcpStream>,
    _server: Child,
}

impl Peer {
    /// Starts its server and opens a terminal; `None` if it is not there, with a line that says so.
    pub async fn start() -> Option<Self> {
        match Self::open().await {
            Ok(peer) => Some(peer),
            Err(error) => {
                println!("without terminado (Debian's python3-terminado): {error:#}");
                None
            }
        }
    }

    async fn open() -> Result<Self> {
        // The system's own, which has the package, whatever else is in the way.
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", SERVER]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.kill_on_drop(true).spawn()?;
        let output = server.stdout.take().context("its output")?;
        let line = BufReader::new(output).lines().next_line().await?.context("it does not start")?;
        let stream = TcpStream::connect(("127.0.0.1", line.trim().parse::<u16>()?)).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = tokio_tungstenite::client_async("ws://127.0.0.1/websocket", stream).await?;
        let mut peer = Self { socket, _server: server };
        while !peer.read().await?.contains("ready") {}
        Ok(peer)
    }

    async fn read(&mut self) -> Result<String> {
        loop {
            let message = self.socket.next().await.context("its socket ended")??;
            if let Message::Text(text) = message {
                return Ok(text.as_str().to_owned());
            }
        }
    }

    pub async fn key(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        self.socket.send(Message::Text(r#"["stdin","x"]"#.into())).await?;
        while !self.read().await?.contains("stdout") {}
        Ok(begun.elapsed())
    }
}
