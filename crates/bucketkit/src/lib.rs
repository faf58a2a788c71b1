//! An object store inside of a test: a real S3 server that checks signatures and keeps objects in a directory, and before it
//! what can go wrong on the way. For tests only.

mod fault;

pub use fault::Fault;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fault::{Reply, Rule};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use md5::{Digest, Md5};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// The id of the key that it knows.
pub const KEY_ID: &str = "AKIAOFTESTSONLY";
/// That key.
pub const SECRET: &str = "a-secret-of-tests-only";

/// A running object store. It ends when this is dropped, and its objects go.
pub struct BucketServer {
    directory: TempDir,
    address: SocketAddr,
    scheme: &'static str,
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

/// What all connections share.
struct Desk {
    service: S3Service,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<String>>,
}

impl Drop for BucketServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl BucketServer {
    /// Starts one with these buckets at a free port of this machine.
    ///
    /// # Errors
    /// If there is no room or port for it.
    pub async fn start(buckets: &[&str]) -> io::Result<Self> {
        Self::start_with(buckets, None).await
    }

    /// Starts one that speaks TLS alone.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with_tls(buckets: &[&str], tls: ServerConfig) -> io::Result<Self> {
        Self::start_with(buckets, Some(TlsAcceptor::from(Arc::new(tls)))).await
    }

    async fn start_with(buckets: &[&str], tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        for bucket in buckets {
            std::fs::create_dir(directory.path().join(bucket))?;
        }
        let files = FileSystem::new(directory.path()).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let desk = Arc::new(Desk { service: builder.build(), rules: Mutex::default(), seen: Mutex::default() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let answering = Arc::clone(&desk);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (desk, tls) = (Arc::clone(&answering), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, desk).await,
                        // A client that does not trust us leaves.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, desk).await;
                            }
                        }
                    }
                });
            }
        });
        Ok(Self { directory, address, scheme, desk, task })
    }

    /// Where it answers: an `http` or `https` address.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// From now on something goes wrong with requests of this method whose path and query hold this text, so many times.
    pub fn fault(&self, method: &str, holds: &str, times: usize, fault: Fault) {
        let rule = Rule { method: method.to_owned(), holds: holds.to_owned(), times, fault };
        self.desk.rules.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.desk.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The requests so far: method, path and query, without what is signed.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.desk.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The file of an object.
    #[must_use]
    pub fn file(&self, bucket: &str, key: &str) -> PathBuf {
        self.directory.path().join(bucket).join(key)
    }

    /// The names of all objects of a bucket below a prefix.
    #[must_use]
    pub fn objects(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let files = std::fs::read_dir(self.file(bucket, prefix)).into_iter().flatten().flatten();
        let mut names: Vec<String> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// How many parts of objects lie there that were never put together.
    #[must_use]
    pub fn parts(&self) -> usize {
        let files = std::fs::read_dir(self.directory.path()).into_iter().flatten().flatten();
        files.filter(|file| file.file_name().to_string_lossy().contains(".part-")).count()
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, desk: Arc<Desk>) {
    let service = service_fn(move |request| answer(Arc::clone(&desk), request));
    // A client that leaves, or a fault that closes the connection, ends it.
    let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(desk: Arc<Desk>, request: Request<Incoming>) -> io::Result<Response<Reply>> {
    let line = line(&request);
    desk.seen.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
    let fault = desk.fault(&line);
    match &fault {
        Some(Fault::HangUp) => return Err(io::ErrorKind::ConnectionReset.into()),
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::Say(status, text)) => {
            let mut response = Response::new(Reply::whole(Bytes::from(text.clone())));
            *response.status_mut() = StatusCode::from_u16(*status).map_err(io::Error::other)?;
            return Ok(response);
        }
        _ => {}
    }
    let (parts, body) = request.into_parts();
    let mut sent = body.collect().await.map_err(io::Error::other)?.to_bytes();
    if let Some(Fault::FlipSent(at)) = fault {
        sent = fault::flipped(&sent, at);
    }
    if let Some(told) = parts.headers.get("content-md5")
        && told.as_bytes() != STANDARD.encode(Md5::digest(&sent)).as_bytes()
    {
        let mut response = Response::new(Reply::whole(Bytes::from_static(b"<Error><Code>BadDigest</Code></Error>")));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(response);
    }
    let answered = desk.service.call(Request::from_parts(parts, s3s::Body::from(sent))).await;
    let (parts, body) = answered.map_err(|error| io::Error::other(format!("{error:?}")))?.into_parts();
    let told = body.collect().await.map_err(io::Error::other)?.to_bytes();
    match fault {
        Some(Fault::LoseAnswer) => Err(io::ErrorKind::ConnectionReset.into()),
        fault => Ok(Response::from_parts(parts, Reply::with(told, fault))),
    }
}

impl Desk {
    fn fault(&self, line: &str) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules.iter_mut().find(|rule| rule.is_about(line))?;
        rule.times -= 1;
        Some(rule.fault.clone())
    }
}

fn line(request: &Request<Incoming>) -> String {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    let plain: Vec<&str> = query.split('&').filter(|part| !part.starts_with("X-Amz-")).collect();
    let range = request.headers().get("range").and_then(|range| range.to_str().ok()).unwrap_or_default();
    format!("{} {path}?{} {range}", request.method(), plain.join("&"))
}
