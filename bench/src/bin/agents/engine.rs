//! Engines that are not there: sockets that answer what a controller asks of an engine. Containers are records; each
//! engine counts what would have changed it.

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UnixListener;

/// How many cores and bytes of memory each tells.
const CORES: u64 = 64;
const MEMORY: u64 = 256 << 30;
const BORN: &str = "2026-01-01T00:00:00Z";

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// What one engine has.
pub(crate) struct FakeEngine {
    number: usize,
    containers: Mutex<BTreeMap<String, Container>>,
    /// How many requests came that change something.
    pub changes: AtomicUsize,
}

struct Container {
    name: String,
    told: Value,
    runs: bool,
}

impl FakeEngine {
    /// One that answers at a socket for as long as this program runs.
    pub fn listen(number: usize, socket: &Path) -> std::io::Result<Arc<Self>> {
        let engine = Arc::new(Self { number, containers: Mutex::default(), changes: AtomicUsize::new(0) });
        let (listener, for_all) = (UnixListener::bind(socket)?, Arc::clone(&engine));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let engine = Arc::clone(&for_all);
                tokio::spawn(async move {
                    let service = service_fn(move |request| Arc::clone(&engine).answer(request));
                    // How it ended is the asker's affair.
                    let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(engine)
    }

    /// How many containers run.
    pub fn running(&self) -> usize {
        self.all().values().filter(|container| container.runs).count()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Container>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let path = head.uri.path();
        // The version before it is optional.
        let path = path.strip_prefix("/v1.41").unwrap_or(path);
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        if head.method != Method::GET {
            self.changes.fetch_add(1, Ordering::Relaxed);
        }
        Ok(match (&head.method, parts.as_slice()) {
            (&Method::GET, ["_ping"]) => text(StatusCode::OK, "OK".to_owned()),
            (&Method::GET, ["version"]) => {
                told(&json!({ "Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12" }))
            }
            (&Method::GET, ["info"]) => told(&self.info()),
            (&Method::GET, ["events"]) => {
                Response::new(StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>()).boxed_unsync())
            }
            (&Method::GET, ["images", "json"]) => told(&json!([])),
            (&Method::GET, ["images", .., "json"]) => told(&json!({ "Id": format!("sha256:{:064x}", 1) })),
            (&Method::GET, ["containers", "json"]) => told(&self.list()),
            (&Method::GET, ["containers", id, "json"]) => {
                self.all().get(*id).map_or_else(missing, |it| told(&it.inspected(id)))
            }
            (&Method::POST, ["containers", "create"]) => self.create(head.uri.query().unwrap_or_default(), &body),
            (&Method::POST, ["containers", id, "start"]) => self.set(id, true),
            (&Method::POST, ["containers", id, "stop" | "kill"]) => self.set(id, false),
            (&Method::DELETE, ["containers", id]) => {
                self.all().remove(*id);
                text(StatusCode::NO_CONTENT, String::new())
            }
            _ => missing(),
        })
    }

    fn info(&self) -> Value {
        json!({
            "ID": format!("ENGINE-{}", self.number), "Name": format!("simulated-{}", self.number), "Driver": "overlay2",
            "NCPU": CORES, "MemTotal": MEMORY, "Containers": self.all().len(), "Images": 1, "MemoryLimit": true,
            "SwapLimit": true, "CpuCfsQuota": true, "CPUSet": true, "PidsLimit": true, "IPv4Forwarding": true,
            "OperatingSystem": "simulated", "OSType": "linux", "KernelVersion": "6.1", "ServerVersion": "20.10.24",
            "SecurityOptions": ["name=seccomp,profile=default"], "LiveRestoreEnabled": true,
        })
    }

    fn list(&self) -> Value {
        self.all().iter().map(|(id, container)| container.listed(id)).collect()
    }

    fn create(&self, query: &str, body: &[u8]) -> Answer {
        let name = query.split('&').find_map(|pair| pair.strip_prefix("name=")).unwrap_or("unnamed").to_owned();
        let mut all = self.all();
        if all.values().any(|container| container.name == name) {
            return text(StatusCode::CONFLICT, json!({ "message": "the name is taken" }).to_string());
        }
        let id = format!("{:032x}{:032x}", self.number + 1, self.changes.load(Ordering::Relaxed));
        let told_of = serde_json::from_slice(body).unwrap_or_default();
        all.insert(id.clone(), Container { name, told: told_of, runs: false });
        text(StatusCode::CREATED, json!({ "Id": id, "Warnings": [] }).to_string())
    }

    fn set(&self, id: &str, runs: bool) -> Answer {
        match self.all().get_mut(id) {
            Some(container) => {
                container.runs = runs;
                text(StatusCode::NO_CONTENT, String::new())
            }
            None => missing(),
        }
    }
}

impl Container {
    fn listed(&self, id: &str) -> Value {
        json!({
            "Id": id, "Names": [format!("/{}", self.name)], "Image": self.told["Image"], "ImageID": "sha256:1",
            "Created": 1_767_225_600, "State": self.state(), "Status": "Up", "Ports": [], "Labels": self.told["Labels"],
            "HostConfig": { "NetworkMode": "default" }, "Mounts": [],
        })
    }

    fn inspected(&self, id: &str) -> Value {
        json!({
            "Id": id, "Name": format!("/{}", self.name), "Created": BORN, "Image": "sha256:1", "RestartCount": 0,
            "State": { "Status": self.state(), "Running": self.runs, "StartedAt": BORN, "ExitCode": 0 },
            "Config": { "Image": self.told["Image"], "Labels": self.told["Labels"] },
            "HostConfig": self.told["HostConfig"], "NetworkSettings": { "Ports": {} },
        })
    }

    fn state(&self) -> &'static str {
        if self.runs { "running" } else { "created" }
    }
}

fn told(value: &Value) -> Answer {
    let mut answer = text(StatusCode::OK, value.to_string());
    answer.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    answer
}

fn missing() -> Answer {
    text(StatusCode::NOT_FOUND, json!({ "message": "there is none" }).to_string())
}

fn text(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(Full::from(text).boxed_unsync());
    *answer.status_mut() = status;
    answer
}
