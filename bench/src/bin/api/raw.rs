//! HTTP as cheap as it gets for the one who asks, so that what is measured is the one who answers.

use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The times of many requests of one kind.
pub(crate) struct Times {
    /// In milliseconds, sorted.
    sorted: Vec<f64>,
}

impl Times {
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { sorted: times.into_iter().map(|time| time.as_secs_f64() * 1000.0).collect() }
    }

    /// The time that so many per cent of the requests did not exceed.
    pub fn at(&self, per_cent: usize) -> f64 {
        let last = self.sorted.len().saturating_sub(1);
        self.sorted.get(last * per_cent / 100).copied().unwrap_or(f64::NAN)
    }
}

/// One who asks, always anew.
pub(crate) struct Asker {
    address: String,
    head: String,
}

impl Asker {
    /// Of an address such as `http://127.0.0.1:8080`.
    pub fn new(url: &str, token: Option<&str>) -> Self {
        let address = url.rsplit("://").next().unwrap_or(url).trim_end_matches('/').to_owned();
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        Self { head: format!("Host: bench\r\n{token}"), address }
    }

    /// A connection on which a request was sent.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Result<TcpStream> {
        let address = self.address.to_socket_addrs()?.next().context("no address")?;
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.0\r\n{}{kind}Content-Length: {length}\r\n\r\n", self.head);
        stream.write_all(format!("{head}{body}").as_bytes())?;
        Ok(stream)
    }

    /// The body of an answer, read to its end.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(1 << 20);
        self.send(method, path, body)?.read_to_end(&mut bytes)?;
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").context("no end of the head")?;
        let status = String::from_utf8_lossy(&bytes[..end.min(12)]).into_owned();
        let body = bytes.split_off(end + 4);
        if !status.contains(" 2") {
            bail!("{method} {path}: {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }

    /// Asks so many times, one after the other; how long each took, and the bytes of the last answer.
    pub fn time(
        &self,
        path: &str,
        count: usize,
        mut between: impl FnMut(usize) -> Result<()>,
    ) -> Result<(Times, usize)> {
        let (mut times, mut bytes) = (Vec::with_capacity(count), 0);
        for at in 0..count {
            between(at)?;
            let begun = Instant::now();
            bytes = self.ask("GET", path, "")?.len();
            times.push(begun.elapsed());
        }
        Ok((Times::new(times), bytes))
    }
}
