//! The two engines under test, and the same few containers on either.

use pierhead_devhosts::{Host, Pool, PoolSpec, http};
use pierhead_engine::{
    CreateRequest, Deadlines, Docker, DockerOptions, DynEngine, Fake, FakeImage, FakeOptions, LogLine, Progress,
};
use pierhead_model::{
    ContainerId, ContainerSpec, HostPort, ImageReference, Limits, ObservedContainer, Ownership, Protocol, Resources,
    RestartPolicy, Timestamp,
};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The longest that a case or a wait may take.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The image on every host: a web server, and a shell beside it.
pub const SAMPLE: &str = "pierhead/sample:1";
/// What a printing container prints is `one`, and a line that begins with two bytes that are no UTF-8: the engine's
/// log files are JSON, so it keeps a replacement character for each.
pub const OUTPUT: &[u8] = "one\n\u{fffd}\u{fffd} two\n".as_bytes();
/// And on standard error.
pub const ERRORS: &[u8] = b"oh\n";

pub struct Bed {
    pub engine: DynEngine,
    pub kind: Kind,
    next: AtomicU32,
}

pub enum Kind {
    Fake(Fake),
    Real(RealHost),
}

/// A real host; goes when it is dropped.
pub struct RealHost {
    pool: Option<Pool>,
    pub host: Host,
}

impl Drop for RealHost {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.pool.take().map(Pool::down) {
            eprintln!("the host stays behind: {error}");
        }
    }
}

impl Bed {
    pub fn fake() -> Self {
        let line = |is_stderr, bytes: &[u8]| LogLine { is_stderr, bytes: bytes.to_vec() };
        let printing = FakeImage {
            prints: vec![line(false, b"one\n"), line(false, b"\xff\xfe two\n"), line(true, ERRORS)],
            ..FakeImage::new("fake/printing:1")
        };
        let fake = Fake::new(FakeOptions {
            images: vec![
                FakeImage::new(SAMPLE),
                FakeImage::new("fake/exiting:1").exiting(7),
                FakeImage::new("fake/broken:1").failing("executable file not found"),
                printing,
            ],
            ..FakeOptions::default()
        });
        Self { engine: fake.engine(), kind: Kind::Fake(fake), next: AtomicU32::new(0) }
    }

    pub fn real() -> Self {
        // Always the same directory, so that what a killed run left is found and removed.
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("contract");
        let pool = Pool::up(PoolSpec { dir, hosts: 1, ..PoolSpec::default() }).expect("a Docker host");
        let host = pool.hosts().unwrap().remove(0);
        let engine = Docker::connect(host.docker_host(), DockerOptions::default()).unwrap();
        let kind = Kind::Real(RealHost { pool: Some(pool), host });
        Self { engine: Arc::new(engine), kind, next: AtomicU32::new(0) }
    }

    pub fn host(&self) -> &Host {
        match &self.kind {
            Kind::Real(real) => &real.host,
            Kind::Fake(_) => panic!("a case for real engines"),
        }
    }

    /// Another client of the same real engine, with a deadline for everything.
    pub fn hasty(&self, deadline: Duration) -> Docker {
        let options = DockerOptions { deadlines: Deadlines::uniform(deadline), ..DockerOptions::default() };
        Docker::connect(self.host().docker_host(), options).unwrap()
    }

    /// Asks the real engine directly, past the code under test.
    pub fn raw(&self, method: &str, path: &str, body: http::Body<'_>) -> serde_json::Value {
        let answer = http::request(self.host().docker_host(), method, path, body, PATIENCE).unwrap();
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// A container that runs until it is stopped.
    pub fn running(&self) -> CreateRequest {
        self.request(SAMPLE, &[])
    }

    /// One that exits with code 7 as soon as it is started.
    pub fn exiting(&self) -> CreateRequest {
        self.either("fake/exiting:1", &["/bin/sh", "-c", "exit 7"])
    }

    /// One that cannot start.
    pub fn broken(&self) -> CreateRequest {
        self.either("fake/broken:1", &["/no/such/program"])
    }

    /// One whose log is [`OUTPUT`] and [`ERRORS`] and runs on.
    pub fn printing(&self) -> CreateRequest {
        let script = r"printf 'one\n\377\376 two\n'; printf 'oh\n' >&2; exec sleep 1000";
        self.either("fake/printing:1", &["/bin/sh", "-c", script])
    }

    /// One that runs and leaves its files alone.
    pub fn sleeping(&self, image: &str) -> CreateRequest {
        let real: &[&str] = &["/bin/sh", "-c", "exec sleep 1000"];
        self.request(image, if matches!(self.kind, Kind::Real(_)) { real } else { &[] })
    }

    fn either(&self, fake_image: &str, real_entrypoint: &[&str]) -> CreateRequest {
        match self.kind {
            Kind::Fake(_) => self.request(fake_image, &[]),
            Kind::Real(_) => self.request(SAMPLE, real_entrypoint),
        }
    }

    fn request(&self, image: &str, entrypoint: &[&str]) -> CreateRequest {
        CreateRequest {
            name: format!("case.{}.1", self.next.fetch_add(1, Ordering::SeqCst)),
            spec: ContainerSpec {
                entrypoint: entrypoint.iter().map(|word| (*word).to_owned()).collect(),
                restart: RestartPolicy::No,
                ..ContainerSpec::new(
                    ImageReference::parse(image).unwrap(),
                    Limits { reserved: Resources::new(100, 32), cpu_limit_millis: 500 },
                )
            },
            ports: vec![],
            labels: BTreeMap::from([(Ownership::CLUSTER.to_owned(), "contract".to_owned())]),
            pids_limit: 64,
            engine_restarts: false,
            workspace: None,
        }
    }

    /// Somebody else's container, with limits of its own.
    pub async fn foreign(&self, limits: Resources) -> ContainerId {
        match &self.kind {
            Kind::Fake(fake) => fake.add_foreign("theirs", SAMPLE, limits),
            Kind::Real(_) => {
                let body = serde_json::json!({
                    "Image": SAMPLE,
                    "HostConfig": {"NanoCpus": limits.cpu_millis * 1_000_000, "Memory": limits.memory_mb << 20},
                });
                let path = "/containers/create?name=theirs";
                let created = self.raw("POST", path, http::Body::Json(&body.to_string()));
                ContainerId::parse(created["Id"].as_str().unwrap()).unwrap()
            }
        }
    }

    pub async fn listed(&self, id: &ContainerId) -> Option<ObservedContainer> {
        self.engine.containers().await.unwrap().into_iter().find(|container| container.id == *id)
    }

    /// The container by itself, but as exactly as a list would tell it.
    pub async fn inspected(&self, id: &ContainerId) -> ObservedContainer {
        let container = self.engine.container(id).await.unwrap();
        ObservedContainer { created_at: Timestamp(container.created_at.0 / 1000 * 1000), ..container }
    }

    /// The container in the list, once it is as it should be.
    pub async fn until(&self, id: &ContainerId, wanted: impl Fn(&ObservedContainer) -> bool) -> ObservedContainer {
        let wait = async {
            loop {
                if let Some(container) = self.listed(id).await.filter(&wanted) {
                    return container;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("the container comes to be as it should")
    }

    pub async fn assert_empty(&self, case: &str) {
        let left: Vec<String> = self.engine.containers().await.unwrap().into_iter().map(|c| c.name).collect();
        assert!(left.is_empty(), "the case '{case}' left {left:?}");
    }
}

/// A port of every address of the host, to port 80.
pub fn port(host_port: u16) -> HostPort {
    HostPort { protocol: Protocol::Tcp, host_ip: None, host_port, container_port: 80 }
}

pub fn unknown() -> ContainerId {
    ContainerId::parse("0123456789abcdef".repeat(4)).unwrap()
}

pub fn silent() -> Progress {
    Arc::new(|_| {})
}
