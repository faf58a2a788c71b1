//! The few requests that a Docker engine must answer before anybody has a client: one request, one connection, the whole
//! answer in memory. Speaks HTTP/1.0, so that answers are never chunked. Not a general client; knows no TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// What an engine answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, unparsed.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The kind of a request's body.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// There is none.
    Empty,
    /// A JSON document.
    Json(&'a str),
    /// A tar archive.
    Tar(&'a [u8]),
}

impl Body<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::Json(text) => text.as_bytes(),
            Self::Tar(bytes) => bytes,
        }
    }

    fn content_type(&self) -> &'static str {
        match self {
            Self::Empty => "text/plain",
            Self::Json(_) => "application/json",
            Self::Tar(_) => "application/x-tar",
        }
    }
}

/// Sends one request to `docker_host` (`tcp://ADDRESS:PORT` or `unix:///PATH`) and waits for the whole answer, together
/// no longer than `limit`.
///
/// # Errors
/// The address is of another kind, the engine is not reached, or the time is over.
pub fn request(docker_host: &str, method: &str, path: &str, body: Body<'_>, limit: Duration) -> Result<Answer> {
    let deadline = Instant::now() + limit;
    let failed = |source| Error::Request {
        docker_host: docker_host.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        source,
    };
    let mut stream = Stream::connect(docker_host, limit, failed)?;
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        body.content_type(),
        body.bytes().len()
    );
    let text = send(&mut stream, head.as_bytes(), deadline)
        .and_then(|()| send(&mut stream, body.bytes(), deadline))
        .and_then(|()| receive(&mut stream, deadline))
        .map_err(failed)?;
    parse(&text).ok_or_else(|| failed(io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP")))
}

/// Whether the engine answers `GET /_ping` within `limit`.
#[must_use]
pub fn answers(docker_host: &str, limit: Duration) -> bool {
    request(docker_host, "GET", "/_ping", Body::Empty, limit).is_ok_and(|answer| answer.status == 200)
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn connect(docker_host: &str, limit: Duration, failed: impl FnOnce(io::Error) -> Error) -> Result<Self> {
        if let Some(path) = docker_host.strip_prefix("unix://") {
            return UnixStream::connect(path).map(Self::Unix).map_err(failed);
        }
        let unknown = || Error::ParseDockerHost { docker_host: docker_host.to_owned() };
        let address = docker_host.strip_prefix("tcp://").ok_or_else(unknown)?;
        let address: SocketAddr = address.parse().map_err(|_| unknown())?;
        TcpStream::connect_timeout(&address, limit.max(Duration::from_millis(1))).map(Self::Tcp).map_err(failed)
    }

    fn set_limit(&self, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(left)).and(stream.set_write_timeout(Some(left))),
            Self::Unix(stream) => stream.set_read_timeout(Some(left)).and(stream.set_write_timeout(Some(left))),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }
}

fn send(stream: &mut Stream, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.set_limit(deadline)?;
        match stream.write(bytes).map_err(plain_timeout)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => bytes = &bytes[written..],
        }
    }
    Ok(())
}

fn receive(stream: &mut Stream, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        stream.set_limit(deadline)?;
        match stream.read(&mut buffer).map_err(plain_timeout)? {
            0 => return Ok(text),
            read => text.extend_from_slice(&buffer[..read]),
        }
    }
}

/// A socket's timeout shows as "would block", which tells a reader nothing.
fn plain_timeout(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

fn parse(text: &[u8]) -> Option<Answer> {
    let end = text.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&text[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let body = &text[end + 4..];
    let length = head.lines().skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    // A connection that breaks in the middle of a body must not pass as a short answer.
    (length.is_none_or(|length| length == body.len())).then(|| Answer { status, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;

    /// Answers one request with `answer`, after it has read all of the request, and returns the request.
    fn serve(mut stream: impl Read + Write + Send + 'static, answer: &'static [u8], length: usize) -> Vec<u8> {
        let mut seen = vec![0; length];
        stream.read_exact(&mut seen).unwrap();
        stream.write_all(answer).unwrap();
        seen
    }

    fn server(answer: &'static [u8], length: usize) -> (String, thread::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("tcp://{}", listener.local_addr().unwrap());
        (host, thread::spawn(move || serve(listener.accept().unwrap().0, answer, length)))
    }

    const SECOND: Duration = Duration::from_secs(5);
    const PING: &str = "GET /_ping HTTP/1.0\r\nHost: docker\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn request_and_answer_over_tcp() {
        let (host, seen) = server(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK", PING.len());
        let answer = request(&host, "GET", "/_ping", Body::Empty, SECOND).unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "OK"));
        assert_eq!(seen.join().unwrap(), PING.as_bytes());
    }

    #[test]
    fn request_with_a_body_over_a_unix_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let head = "POST /x HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n";
        let length = head.len() + 7;
        let seen = thread::spawn(move || serve(listener.accept().unwrap().0, b"HTTP/1.1 404 No\r\n\r\nno", length));
        let answer =
            request(&format!("unix://{}", path.display()), "POST", "/x", Body::Json("{\"a\":1}"), SECOND).unwrap();
        assert_eq!(answer.status, 404);
        assert_eq!(seen.join().unwrap(), format!("{head}{{\"a\":1}}").as_bytes());
    }

    #[test]
    fn a_silent_engine_is_given_up_at_the_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("tcp://{}", listener.local_addr().unwrap());
        let start = Instant::now();
        let failed = request(&host, "GET", "/_ping", Body::Empty, Duration::from_millis(200)).unwrap_err();
        assert!(matches!(&failed, Error::Request { source, .. } if source.kind() == io::ErrorKind::TimedOut));
        assert!(start.elapsed() < SECOND);
        assert!(!answers(&host, Duration::from_millis(50)));
    }

    #[test]
    fn torn_answers_are_not_taken_for_whole_ones() {
        for torn in
            [&b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nOK"[..], b"HTTP/1.0 200 OK\r\n", b"", b"hello\r\n\r\n"]
        {
            let (host, seen) = server(torn, PING.len());
            assert!(!answers(&host, SECOND), "{torn:?}");
            seen.join().unwrap();
        }
    }

    #[test]
    fn other_kinds_of_addresses_are_refused() {
        for address in ["ssh://host", "10.0.0.1:2375", "tcp://name:2375", ""] {
            let failed = request(address, "GET", "/", Body::Empty, SECOND);
            assert!(matches!(failed, Err(Error::ParseDockerHost { .. })), "{address}");
        }
    }
}
