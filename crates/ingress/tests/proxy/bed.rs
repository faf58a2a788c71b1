//! An ingress, a program behind it that notes what reaches it, and a client that sends bytes as they are.

use async_trait::async_trait;
use futures_util::FutureExt;
use hyper::StatusCode;
use hyper::header::HeaderName;
use pierhead_ingress::{Asked, Comes, Decision, Patience, Refusal, Resolver, Route, Session, Settings, Stream, serve};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// The longest that anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What the resolver was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    pub host: String,
    pub sessions: Vec<String>,
    pub ticket: Option<String>,
    pub bearer: Option<String>,
    pub comes: Comes,
    pub peer: IpAddr,
}

/// Decides by the host's name: `app` goes to the program, `slow` is never reached, `gone` is refused when it is dialled,
/// anything else is not known.
pub struct Scripted {
    upstream: SocketAddr,
    asked: Mutex<Vec<Noted>>,
    /// Whether whoever asks may go on.
    pub allowed: watch::Sender<bool>,
}

pub struct Bed {
    pub address: SocketAddr,
    pub resolver: Arc<Scripted>,
    stop: Option<oneshot::Sender<()>>,
    pub served: JoinHandle<()>,
}

pub fn settings() -> Settings {
    Settings {
        is_tls: false,
        session_cookie: "pierhead-preview".to_owned(),
        ticket: "pierhead-ticket".to_owned(),
        hidden_cookies: vec!["pierhead".to_owned()],
        hidden_headers: vec![HeaderName::from_static("x-access-token")],
        hidden_schemes: vec!["pierhead-pass".to_owned()],
        most_connections: 100,
        patience: Patience { drain: PATIENCE, ..Patience::default() },
    }
}

#[async_trait]
impl Resolver for Scripted {
    async fn resolve(&self, asked: Asked<'_>) -> Decision {
        self.asked.lock().unwrap().push(Noted {
            host: asked.host.to_owned(),
            sessions: asked.sessions.to_vec(),
            ticket: asked.ticket.map(str::to_owned),
            bearer: asked.bearer.map(str::to_owned),
            comes: asked.comes.clone(),
            peer: asked.peer,
        });
        match asked.ticket {
            Some("good") => return Decision::Enter(Some(Session { value: "seat-1".to_owned(), seconds: 60 })),
            Some("known") => return Decision::Enter(None),
            _ => {}
        }
        let upstream = self.upstream;
        let dial = match asked.host {
            "app.localhost" => async move {
                let stream = TcpStream::connect(upstream).await.map_err(|_| gone())?;
                Ok(Box::new(stream) as Box<dyn Stream>)
            }
            .boxed(),
            "slow.localhost" => std::future::pending().boxed(),
            "gone.localhost" => async { Err(gone()) }.boxed(),
            _ => {
                let title = ("There is no such preview", "没有这个预览");
                let text = ("<b>Open</b> it anew.", "请重新打开。");
                return Decision::Refuse(Refusal::new(StatusCode::NOT_FOUND, "no_such_preview", title, text));
            }
        };
        let mut allowed = self.allowed.subscribe();
        let ended = async move { drop(allowed.wait_for(|allowed| !allowed).await) }.boxed();
        Decision::Pass(Route { dial, ended, hides_authorization: asked.bearer == Some("ours") })
    }
}

fn gone() -> Refusal {
    let text = ("Start it.", "请启动它。");
    Refusal::new(StatusCode::BAD_GATEWAY, "nothing_listens", ("Nothing answers", "没有响应"), text)
}

impl Bed {
    pub async fn up(upstream: SocketAddr) -> Self {
        Self::with(upstream, settings()).await
    }

    pub async fn with(upstream: SocketAddr, settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let resolver = Arc::new(Scripted { upstream, asked: Mutex::default(), allowed: watch::Sender::new(true) });
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = serve(listener, Arc::clone(&resolver) as Arc<dyn Resolver>, settings, async {
            drop(stopped.await);
        });
        Self { address, resolver, stop: Some(stop), served: tokio::spawn(serving) }
    }

    pub fn asked(&self) -> Vec<Noted> {
        self.resolver.asked.lock().unwrap().clone()
    }

    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes and reads whatever comes until the other side closes.
    pub async fn send(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        let mut all = Vec::new();
        // One that is cut has said all that it will.
        let _cut = in_time("the end of an answer", stream.read_to_end(&mut all)).await;
        String::from_utf8_lossy(&all).into_owned()
    }

    /// A GET of a path of the program, with these headers, each with its end of line.
    pub async fn get(&self, path: &str, headers: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n{headers}\r\n")).await
    }
}

pub async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}

/// Waits for a condition that nobody tells of.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Reads on until this has come.
pub async fn until_contains(stream: &mut TcpStream, all: &mut Vec<u8>, wanted: &str) {
    while !String::from_utf8_lossy(all).contains(wanted) {
        assert!(stream.read_buf(all).await.unwrap() > 0, "closed before {wanted}: {}", String::from_utf8_lossy(all));
    }
}

/// A program that answers every connection with the same bytes, once it has read a request.
pub struct Program {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Program {
    pub async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let mut stream = listener.accept().await.unwrap().0;
                let (answer, noted) = (answer.clone(), Arc::clone(&noted));
                tokio::spawn(async move {
                    let request = read_request(&mut stream).await;
                    noted.lock().unwrap().push(request);
                    // Whoever asked may have had enough.
                    let _gone = stream.write_all(&answer).await;
                    let _gone = stream.shutdown().await;
                    let mut rest = Vec::new();
                    let _gone = stream.read_to_end(&mut rest).await;
                    if !rest.is_empty() {
                        noted.lock().unwrap().push(String::from_utf8_lossy(&rest).into_owned());
                    }
                });
            }
        });
        Self { address, seen, task }
    }

    /// All that reached it.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The one request that reached it, in small letters.
    pub fn only(&self) -> String {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].to_ascii_lowercase()
    }
}

/// A request with its body, as its own head says where that ends.
pub async fn read_request(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
            let is_chunked = head.contains("transfer-encoding: chunked");
            if (is_chunked && body.ends_with("0\r\n\r\n")) || (!is_chunked && body.len() >= length.unwrap_or(0)) {
                return text;
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return text,
            Ok(read) => all.extend_from_slice(&piece[..read]),
        }
    }
}

/// An answer of a program.
pub fn ok(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}
