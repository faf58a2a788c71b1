//! An exec of the engine with nothing between: the raw connection that everything is compared with.

use anyhow::{Context, Result, ensure};
use pierhead_devhosts::http::{Body, request};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::bed::Bed;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) struct Bare {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

impl Bare {
    pub async fn open(bed: &Bed, command: &[&str]) -> Result<Self> {
        let wanted = json!({
            "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Tty": true, "Cmd": command,
        });
        let (host, path) = (bed.engine.clone(), format!("/containers/{}/exec", bed.container));
        let made = tokio::task::spawn_blocking(move || {
            request(&host, "POST", &path, Body::Json(&wanted.to_string()), Duration::from_secs(30))
        });
        let answer = made.await??;
        let made: Value = serde_json::from_slice(&answer.body)?;
        let exec = made["Id"].as_str().with_context(|| answer.text())?;
        let begin = json!({ "Detach": false, "Tty": true }).to_string();
        let mut stream = connect(&bed.engine).await?;
        let head = format!(
            "POST /exec/{exec}/start HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{begin}",
            begin.len()
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await?);
        }
        ensure!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        Ok(Self { stream, buffer: vec![0; 64 * 1024] })
    }

    pub async fn wait_for(&mut self, text: &str) -> Result<()> {
        let mut seen = Vec::new();
        while !seen.windows(text.len()).any(|window| window == text.as_bytes()) {
            seen.push(self.stream.read_u8().await?);
        }
        Ok(())
    }

    pub async fn key(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        self.stream.write_all(b"x").await?;
        self.stream.read_exact(&mut [0]).await?;
        Ok(begun.elapsed())
    }

    /// Types, and reads until the end; how much came.
    pub async fn drain(&mut self, typed: &[u8]) -> Result<u64> {
        self.stream.write_all(typed).await?;
        let mut all = 0;
        loop {
            match self.stream.read(&mut self.buffer).await? {
                0 => return Ok(all),
                length => all += length as u64,
            }
        }
    }
}

async fn connect(engine: &str) -> Result<Box<dyn Stream>> {
    if let Some(path) = engine.strip_prefix("unix://") {
        return Ok(Box::new(UnixStream::connect(path).await?));
    }
    let stream = TcpStream::connect(engine.trim_start_matches("tcp://")).await?;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}
