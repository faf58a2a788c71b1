//! An engine that notes what reaches it and answers by what its path ends with.

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONNECTION, UPGRADE};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::task::AbortHandle;

/// What it calls each process that it makes in a container.
pub const EXEC: &str = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";

/// The container that it describes as tests say.
pub const CONTAINER: &str = "11ee11ee11ee11ee11ee11ee11ee11ee11ee11ee11ee11ee11ee11ee11ee11ee";

/// What reached the engine.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: HeaderMap,
    /// Empty for archives, which are only counted.
    pub body: Vec<u8>,
}

/// The engine; ends when dropped.
pub struct Fake {
    pub socket: PathBuf,
    seen: Arc<Mutex<Vec<Seen>>>,
    described: Descriptions,
    /// How many bytes of archives were taken.
    pub taken: Arc<AtomicUsize>,
    /// How many archives came with their end.
    pub complete: Arc<AtomicUsize>,
    /// How many requests are being answered.
    pub busy: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How [`CONTAINER`] is described each time that somebody asks; the last one stays.
type Descriptions = Arc<Mutex<VecDeque<Value>>>;

#[derive(Clone)]
struct Notes {
    seen: Arc<Mutex<Vec<Seen>>>,
    described: Descriptions,
    taken: Arc<AtomicUsize>,
    complete: Arc<AtomicUsize>,
    busy: Arc<AtomicUsize>,
}

struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

impl Fake {
    pub fn listen(dir: &Path) -> Self {
        let socket = dir.join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let notes = Notes {
            seen: Arc::default(),
            described: Arc::default(),
            taken: Arc::default(),
            complete: Arc::default(),
            busy: Arc::default(),
        };
        let for_task = notes.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let notes = for_task.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(notes.clone(), request));
                    let connection = hyper::server::conn::http1::Builder::new();
                    let _ended = connection.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                });
            }
        });
        let Notes { seen, described, taken, complete, busy } = notes;
        Self { socket, seen, described, taken, complete, busy, task: task.abort_handle() }
    }

    /// Describes [`CONTAINER`] so from now on; as none at all if that is null.
    pub fn describe(&self, description: Value) {
        self.describe_next(vec![description]);
    }

    /// Describes it so, one after another.
    pub fn describe_next(&self, descriptions: Vec<Value>) {
        *self.described.lock().unwrap() = descriptions.into();
    }

    /// All that reached it until now.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer(notes: Notes, mut request: Request<Incoming>) -> Result<Answer, Infallible> {
    notes.busy.fetch_add(1, Ordering::SeqCst);
    let busy = Busy(notes.busy.clone());
    let path = request.uri().path().to_owned();
    let upgrade = request.headers().contains_key(UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let (head, body) = request.into_parts();
    let mut seen =
        Seen { method: head.method.to_string(), target: head.uri.to_string(), headers: head.headers, body: Vec::new() };
    if path.ends_with("/load") || path.ends_with("/archive") {
        notes.seen.lock().unwrap().push(seen);
        return Ok(swallow(&notes, &path, body).await);
    }
    seen.body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
    notes.seen.lock().unwrap().push(seen);
    if let Some(upgrade) = upgrade {
        tokio::spawn(async move { echo(TokioIo::new(upgrade.await.unwrap()), &path).await });
        return Ok(Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "tcp")
            .header("content-type", "application/vnd.docker.raw-stream")
            .body(text(""))
            .unwrap());
    }
    Ok(match path.as_str() {
        path if path.contains(CONTAINER) && path.ends_with("/json") => described(&notes),
        path if path.ends_with("/exec") => {
            Response::builder().status(201).body(Full::from(format!("{{\"Id\":\"{EXEC}\"}}")).boxed_unsync()).unwrap()
        }
        path if path.contains("/exec/") && path.ends_with("/json") => {
            Response::new(text(r#"{"ID":"1e","Running":false,"ExitCode":7}"#))
        }
        path if path.ends_with("/get") => Response::new(zeros(busy)),
        path if path.ends_with("/wait") => std::future::pending().await,
        path if path.ends_with("/start") => Response::builder().status(304).body(text("")).unwrap(),
        "/images/layered/json" => Response::new(text(
            r#"{"Id":"00ff","RootFS":{"Layers":["sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"]}}"#,
        )),
        "/info" => Response::new(text(r#"{"ID":"FAKE","Driver":"overlay2","PidsLimit":false}"#)),
        "/containers/json" => Response::new(text("[]")),
        "/version" => Response::new(text(r#"{"Version":"20.10.24","ApiVersion":"1.41"}"#)),
        _ => Response::builder()
            .header("content-type", "application/json")
            .header("api-version", "1.41")
            .header("set-cookie", "a=b")
            .header("server", "Docker/20.10")
            .body(text(r#"{"Id":"00ff"}"#))
            .unwrap(),
    })
}

/// What is next to be said of [`CONTAINER`].
fn described(notes: &Notes) -> Answer {
    let mut described = notes.described.lock().unwrap();
    let next = if described.len() > 1 { described.pop_front() } else { described.front().cloned() };
    match next.unwrap_or_default() {
        Value::Null => Response::builder().status(404).body(text("{}")).unwrap(),
        description => Response::new(Full::from(description.to_string()).boxed_unsync()),
    }
}

/// Takes an archive; one to a container named `stuck` is never taken.
async fn swallow(notes: &Notes, path: &str, mut body: Incoming) -> Answer {
    if path.contains("stuck") {
        std::future::pending::<()>().await;
    }
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Response::new(text("{}")) };
        notes.taken.fetch_add(frame.into_data().unwrap_or_default().len(), Ordering::SeqCst);
    }
    notes.complete.fetch_add(1, Ordering::SeqCst);
    Response::new(text("{\"stream\":\"Loaded\"}\n"))
}

/// An answer without end.
fn zeros(busy: Busy) -> UnsyncBoxBody<Bytes, Infallible> {
    let piece = Bytes::from(vec![0u8; 64 * 1024]);
    let frames =
        stream::unfold(
            (piece, busy),
            |(piece, busy)| async move { Some((Ok(Frame::data(piece.clone())), (piece, busy))) },
        );
    StreamBody::new(frames).boxed_unsync()
}

/// Says back what it hears. A container named `first` says all that it has and closes before it listens; it then says
/// nothing of what it heard. A process that it has made ends at ctrl-d.
async fn echo(mut io: TokioIo<hyper::upgrade::Upgraded>, path: &str) {
    let mut heard = Vec::new();
    if path.contains("first") {
        io.write_all(b"goodbye").await.unwrap();
        io.shutdown().await.unwrap();
        let _broken = io.read_to_end(&mut heard).await;
        return;
    }
    let mut piece = vec![0; 10_000];
    loop {
        match io.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(length) => {
                heard.extend_from_slice(&piece[..length]);
                if path.contains(EXEC) && piece[..length].ends_with(b"\x04") {
                    break;
                }
                if io.write_all(&piece[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
    // What is said after the end of input proves that only one direction was closed.
    let _broken = io.write_all(format!("\nheard {}", heard.len()).as_bytes()).await;
    let _broken = io.shutdown().await;
}

fn text(text: &'static str) -> UnsyncBoxBody<Bytes, Infallible> {
    Full::from(text).boxed_unsync()
}
