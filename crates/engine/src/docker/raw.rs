//! One request on a connection of its own, over whatever an address stands for.
//!
//! Connections are not kept: one that an engine closed meanwhile would make a call fail whose outcome nobody knows.

use super::endpoint::{self, Endpoint};
use crate::dial::{Stream, Talk};
use bollard::errors::Error as ClientError;
use futures_util::stream::{self, BoxStream, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, UPGRADE};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::error::Error as StdError;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

/// The longest message of a refusal that is read, in bytes.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// Why a request got no answer.
#[derive(Debug)]
pub(super) enum SendError {
    Connect(io::Error),
    Http(hyper::Error),
}

impl From<SendError> for ClientError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Connect(err) => err.into(),
            SendError::Http(err) => err.into(),
        }
    }
}

/// An answer, and the task that reads it from the connection.
pub(super) struct Answer {
    response: Response<Incoming>,
    connection: Connection,
}

/// Closes the connection when dropped.
struct Connection(Option<JoinHandle<()>>);

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Answer {
    /// The answer alone; the connection ends with its body.
    pub(super) fn into_response(mut self) -> Response<Incoming> {
        self.connection.0.take();
        self.response
    }

    /// The bytes of the body as they come; the connection closes when the stream is dropped.
    pub(super) fn into_bytes(self) -> BoxStream<'static, Result<Bytes, ClientError>> {
        let state = (self.response.into_body(), self.connection);
        stream::unfold(state, |(mut body, connection)| async move {
            loop {
                match body.frame().await? {
                    Ok(frame) => {
                        if let Ok(bytes) = frame.into_data() {
                            return Some((Ok(bytes), (body, connection)));
                        }
                    }
                    Err(error) => return Some((Err(error.into()), (body, connection))),
                }
            }
        })
        .boxed()
    }

    /// The body as a whole, or as much of it as `most` bytes.
    pub(super) async fn into_whole(self, most: usize) -> Result<Vec<u8>, ClientError> {
        let (mut whole, mut pieces) = (Vec::new(), self.into_bytes());
        while whole.len() < most
            && let Some(piece) = pieces.next().await
        {
            whole.extend_from_slice(&piece?);
        }
        Ok(whole)
    }
}

/// Sends a request; dropping the future closes the connection.
pub(super) async fn send<B>(endpoint: &Endpoint, request: Request<B>) -> Result<Answer, SendError>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    match endpoint {
        Endpoint::Unix(path) => exchange(UnixStream::connect(path).await.map_err(SendError::Connect)?, request).await,
        Endpoint::Tcp(authority) => {
            exchange(endpoint::tcp(authority).await.map_err(SendError::Connect)?, request).await
        }
        Endpoint::Tls { authority, name, connector } => {
            let stream = endpoint::tls(authority, name, connector).await.map_err(SendError::Connect)?;
            exchange(stream, request).await
        }
        Endpoint::Dialled { dial, .. } => exchange(dial.dial().await.map_err(SendError::Connect)?, request).await,
    }
}

async fn exchange<S, B>(stream: S, mut request: Request<B>) -> Result<Answer, SendError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path: Uri = path.parse().map_err(|error| SendError::Connect(io::Error::other(error)))?;
    *request.uri_mut() = path;
    request.headers_mut().insert(HOST, HeaderValue::from_static("engine"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(SendError::Http)?;
    let connection = Connection(Some(tokio::spawn(async move {
        // How it ended is seen by whoever reads the answer.
        let _ended = connection.await;
    })));
    let response = sender.send_request(request).await.map_err(SendError::Http)?;
    Ok(Answer { response, connection })
}

/// What came of the wish to talk.
pub(super) enum Upgraded {
    Open(Box<dyn Stream>),
    /// The engine answered something else than that it begins.
    Refused(String),
}

/// Sends JSON and then talks: what comes after the answer are bytes of both sides.
pub(super) async fn upgrade(endpoint: &Endpoint, path: &str, json: Vec<u8>) -> Result<Upgraded, ClientError> {
    match endpoint {
        Endpoint::Unix(at) => upgrade_on(UnixStream::connect(at).await?, path, json).await,
        Endpoint::Tcp(authority) => upgrade_on(endpoint::tcp(authority).await?, path, json).await,
        Endpoint::Tls { authority, name, connector } => {
            upgrade_on(endpoint::tls(authority, name, connector).await?, path, json).await
        }
        Endpoint::Dialled { dial, .. } if dial.is_agent() => match dial.talk(path, &json).await? {
            Talk::Open(stream) => Ok(Upgraded::Open(stream)),
            Talk::Refused(status_code, body) => Err(refusal(status_code, &body)),
        },
        Endpoint::Dialled { dial, .. } => upgrade_on(dial.dial().await?, path, json).await,
    }
}

async fn upgrade_on<S>(stream: S, path: &str, json: Vec<u8>) -> Result<Upgraded, ClientError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let request = Request::post(path)
        .header(HOST, "engine")
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "tcp")
        .body(Full::new(Bytes::from(json)))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connection = Connection(Some(tokio::spawn(async move {
        let _ended = connection.with_upgrades().await;
    })));
    let response = sender.send_request(request).await?;
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        let upgraded = hyper::upgrade::on(response).await?;
        // It has ended by itself.
        connection.0.take();
        return Ok(Upgraded::Open(Box::new(TokioIo::new(upgraded))));
    }
    let body = message_of(Answer { response, connection }).await?;
    if status.is_success() {
        return Ok(Upgraded::Refused(format!("it does not begin to talk (status {})", status.as_u16())));
    }
    Err(refusal(status.as_u16(), &body))
}

/// Gets the bytes behind a path, or what the engine says instead.
pub(super) async fn get(endpoint: &Endpoint, path: &str) -> Result<Answer, ClientError> {
    let request = Request::get(path).body(http_body_util::Empty::<Bytes>::new())?;
    let answer = send(endpoint, request).await?;
    let status_code = answer.response.status().as_u16();
    if answer.response.status().is_success() {
        return Ok(answer);
    }
    Err(refusal(status_code, &message_of(answer).await?))
}

/// Sends a request with JSON or nothing, and gives the answer, or what the engine says instead.
pub(super) async fn ask(
    endpoint: &Endpoint,
    method: &str,
    path: &str,
    json: Option<Vec<u8>>,
) -> Result<Answer, ClientError> {
    let mut request = Request::builder().method(method).uri(path);
    if json.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let answer = send(endpoint, request.body(Full::new(Bytes::from(json.unwrap_or_default())))?).await?;
    let status_code = answer.response.status().as_u16();
    if answer.response.status().is_success() {
        return Ok(answer);
    }
    Err(refusal(status_code, &message_of(answer).await?))
}

/// The beginning of an answer's body.
async fn message_of(answer: Answer) -> Result<Vec<u8>, ClientError> {
    let (mut body, mut bytes) = (Vec::new(), answer.into_bytes());
    while let Some(piece) = bytes.next().await {
        body.extend_from_slice(&piece?);
        if body.len() > LONGEST_MESSAGE {
            break;
        }
    }
    Ok(body)
}

fn refusal(status_code: u16, body: &[u8]) -> ClientError {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    let message = match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => refusal.message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    ClientError::DockerResponseServerError { status_code, message }
}
