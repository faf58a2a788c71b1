//! A controller that says what it was told to say, and keeps what it was asked.
#![allow(dead_code, reason = "several test programs include it, and each needs some of the answers")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use futures_util::{StreamExt, stream};
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// One answer.
#[derive(Clone)]
pub enum Reply {
    /// This status and body.
    Json(u16, String),
    /// The same with the id of an operation in `Location`.
    Operation(u16, &'static str, String),
    /// These chunks, one after another.
    Chunks(Vec<&'static [u8]>),
    /// These bytes, and then nothing, while the connection stays.
    Endless(&'static [u8]),
    /// These bytes, then the connection is lost once they have been sent.
    BrokenAfter(&'static [u8]),
    /// This one, once the gate was opened.
    Gated(Arc<Notify>, Box<Reply>),
    /// The connection is lost before there is an answer.
    Lost,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub line: String,
    pub token: Option<String>,
    pub key: Option<String>,
    pub only_if: Option<String>,
    pub body: String,
}

#[derive(Default)]
struct Script {
    replies: HashMap<String, VecDeque<Reply>>,
    asked: Vec<Asked>,
}

/// The controller, on a port of its own; it ends with the test's runtime.
#[derive(Clone)]
pub struct Scripted {
    pub url: String,
    script: Arc<Mutex<Script>>,
}

impl Scripted {
    /// One that answers 404 to everything.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let router = Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, script }
    }

    /// Adds an answer to a request line such as `GET /api/apps`. The last one is given again and again.
    pub fn on(&self, line: &str, reply: Reply) -> &Self {
        self.script.lock().unwrap().replies.entry(line.to_owned()).or_default().push_back(reply);
        self
    }

    /// The same for status 200.
    pub fn json(&self, line: &str, body: impl ToString) -> &Self {
        self.on(line, Reply::Json(200, body.to_string()))
    }

    /// The same for an error with this code.
    pub fn refuse(&self, line: &str, status: u16, code: &str, message: &str) -> &Self {
        let body = format!(r#"{{"code":"{code}","message":"{message}"}}"#);
        self.on(line, Reply::Json(status, body))
    }

    /// Everything that was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    /// The request lines of it.
    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let line = format!("{method} {uri}");
    let mut reply = {
        let mut script = script.lock().unwrap();
        script.asked.push(Asked {
            line: line.clone(),
            token: header("authorization"),
            key: header("idempotency-key"),
            only_if: header("if-match"),
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        let reply = match script.replies.get_mut(&line) {
            Some(replies) if replies.len() > 1 => replies.pop_front(),
            Some(replies) => replies.front().cloned(),
            None => None,
        };
        let nothing = || Reply::Json(404, r#"{"code":"not_found","message":"nothing of that name"}"#.to_owned());
        reply.unwrap_or_else(nothing)
    };
    while let Reply::Gated(gate, behind) = reply {
        gate.notified().await;
        reply = *behind;
    }
    respond(reply)
}

fn respond(reply: Reply) -> Response<Body> {
    let response = Response::builder();
    match reply {
        Reply::Json(status, body) => response.status(status).body(body.into()),
        Reply::Operation(status, id, body) => {
            response.status(status).header("location", format!("/api/operations/{id}")).body(body.into())
        }
        Reply::Chunks(chunks) => {
            response.body(Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, Infallible>))))
        }
        Reply::Endless(bytes) => {
            let first = stream::once(async move { Ok::<_, Infallible>(Bytes::from_static(bytes)) });
            response.body(Body::from_stream(first.chain(stream::pending())))
        }
        Reply::BrokenAfter(bytes) => {
            let first = stream::once(async move { Ok(Bytes::from_static(bytes)) });
            // The bytes leave at the latest when the stream is asked again.
            let pause = stream::once(async {
                tokio::task::yield_now().await;
                Err("lost")
            });
            response.body(Body::from_stream(first.chain(pause)))
        }
        Reply::Gated(_, behind) => return respond(*behind),
        Reply::Lost => response.body(Body::from_stream(stream::iter([Err::<Bytes, _>("lost")]))),
    }
    .unwrap()
}
