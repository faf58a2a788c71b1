//! A server that answers each request as a function says, one request for each connection.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is between a head and its body.
const END: &str = "\r\n\r\n";

/// What is answered.
pub enum Reply {
    /// These bytes, and the connection closes.
    Raw(Vec<u8>),
    /// So many pieces, one after each pause.
    Slowly(Vec<u8>, usize, Duration, String),
    /// Nothing.
    Never,
}

impl Reply {
    pub fn status(status: u16, body: &str) -> Self {
        Self::Raw(format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
    }

    pub fn json(body: &str) -> Self {
        Self::status(200, body)
    }

    pub fn late(pause: Duration, status: u16) -> Self {
        Self::Slowly(vec![], 1, pause, format!("HTTP/1.1 {status} X\r\n\r\n"))
    }

    pub fn slowly(pieces: usize, pause: Duration, piece: &str) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", pieces * piece.len());
        Self::Slowly(head.into_bytes(), pieces, pause, piece.to_owned())
    }
}

/// Given the request ("GET /path") and the earlier ones.
type Answer = dyn Fn(&str, &[String]) -> Reply + Send + Sync;

pub struct Server {
    pub address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub async fn new(answer: impl Fn(&str, &[String]) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, record): (Arc<Answer>, _) = (Arc::new(answer), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), record.clone()));
            }
        });
        Self { address, seen }
    }

    /// The first words of the requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|request| head(request)).collect()
    }

    pub fn count(&self, wanted: &str) -> usize {
        self.heads().iter().filter(|head| *head == wanted).count()
    }

    /// The bodies of the requests that begin like this.
    pub fn bodies(&self, begin: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let bodies =
            seen.iter().filter(|request| request.starts_with(begin)).filter_map(|request| request.split_once(END));
        bodies.map(|(_, body)| body.to_owned()).collect()
    }

    /// The last value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        let mut lines = seen.iter().rev().flat_map(|request| request.lines());
        lines.find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }
}

fn head(request: &str) -> String {
    request.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// Whether a request has come with as much of a body as it says.
fn is_whole(request: &[u8]) -> bool {
    let request = String::from_utf8_lossy(request);
    let Some((head, body)) = request.split_once(END) else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

async fn serve(mut stream: TcpStream, answer: Arc<Answer>, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !is_whole(&request) {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let request = String::from_utf8(request).unwrap();
    let reply = {
        let mut seen = seen.lock().unwrap();
        let earlier: Vec<String> = seen.iter().map(|request| head(request)).collect();
        let reply = answer(&head(&request), &earlier);
        seen.push(request);
        reply
    };
    // Whoever asked may have left; then nobody misses the answer.
    match reply {
        Reply::Raw(bytes) => drop(stream.write_all(&bytes).await),
        Reply::Slowly(head, pieces, pause, piece) => {
            let mut sent = stream.write_all(&head).await;
            for _ in 0..pieces {
                tokio::time::sleep(pause).await;
                sent = sent.and(stream.write_all(piece.as_bytes()).await);
            }
            drop(sent);
        }
        Reply::Never => drop(stream.read(&mut [0]).await),
    }
}
