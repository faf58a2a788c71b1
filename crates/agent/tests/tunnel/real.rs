//! The engine's own client through the tunnel to a real engine: the list is long enough, and the agent takes it from
//! there exactly as the engine would.

mod isolation;

use crate::certificates::{Authority, CONTROLLER};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use pierhead_agent::{
    Agent, Controller, EngineState, Firewall, Gate, INTERVAL, LoadMeter, Pulse, TERM, Terms, Timing, Tunnel, Whole,
    accept,
};
use pierhead_devhosts::{Pool, PoolSpec, sample};
use pierhead_engine::{Archive, CreateRequest, Deadlines, Docker, DockerOptions, Engine, EngineError, LogOptions};
use pierhead_model::{
    ContainerSpec, ContainerState, HostPort, ImageReference, Limits, Ownership, Protocol, Resources, RestartPolicy,
    Volume, VolumeSource,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio_rustls::TlsAcceptor;

const PATIENCE: Duration = Duration::from_secs(60);

/// One host; goes when it is dropped.
struct Hosts(Option<Pool>);

impl Drop for Hosts {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.take().map(Pool::down) {
            eprintln!("the host stays behind: {error}");
        }
    }
}

/// A tunnel to an agent beside the engine behind this socket.
async fn tunnel(socket: &Path, state: &Path) -> Tunnel {
    tunnel_with(socket, state, None).await
}

/// The same where workspaces are kept apart.
async fn tunnel_with(socket: &Path, state: &Path, firewall: Option<Firewall>) -> Tunnel {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let terms = Arc::new(Terms::open(state).unwrap());
    let gate = Gate::new(socket, terms, Pulse::new(INTERVAL, LoadMeter::source()));
    let gate = Arc::new(match firewall {
        Some(firewall) => gate.guarded(firewall),
        None => gate,
    });
    let (keep, tls) = tokio::sync::watch::channel(authority.for_agent(&authority.host("host-1")));
    let controller = Controller { address, server_name: CONTROLLER.try_into().unwrap() };
    let agent = Agent::new(vec![controller], tls, gate, Timing::default());
    tokio::spawn(async move {
        agent.run().await;
        drop(keep);
    });
    let acceptor = TlsAcceptor::from(authority.for_controller(&authority.controller(CONTROLLER)));
    accept(listener.accept().await.unwrap().0, &acceptor, &Timing::default()).await.unwrap()
}

/// A socket behind which the tunnel is.
fn bridge(tunnel: Tunnel, socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        loop {
            let stream = listener.accept().await.unwrap().0;
            let tunnel = tunnel.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| through(tunnel.clone(), request));
                let _ended =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

async fn through(
    tunnel: Tunnel,
    request: Request<Incoming>,
) -> Result<Response<Whole<Incoming>>, pierhead_agent::AgentError> {
    let (head, body) = request.into_parts();
    let mut asked = Request::builder().method(head.method).uri(head.uri).header(TERM, 1);
    if let Some(account) = head.headers.get("x-registry-auth") {
        asked = asked.header("x-registry-auth", account);
    }
    tunnel.send(asked.body(body.map_err(Into::into).boxed_unsync()).unwrap()).await
}

/// A description with everything that one can have.
fn request() -> CreateRequest {
    let port = HostPort { protocol: Protocol::Tcp, host_ip: None, host_port: 8080, container_port: 80 };
    CreateRequest {
        name: "tunnel.0.1".to_owned(),
        spec: ContainerSpec {
            cpuset: Some("0".to_owned()),
            entrypoint: ["/bin/sh", "-c", "echo one; cat > /data/heard; exec sleep 1000"].map(str::to_owned).to_vec(),
            args: vec!["x".to_owned()],
            environment: BTreeMap::from([("A".to_owned(), "b=c d\n".to_owned())]),
            hostname: Some("web".to_owned()),
            domainname: Some("lan".to_owned()),
            volumes: vec![Volume { source: VolumeSource::Anonymous, target: "/data".to_owned(), read_only: false }],
            restart: RestartPolicy::No,
            ..ContainerSpec::new(
                ImageReference::parse(sample::IMAGE).unwrap(),
                Limits { reserved: Resources::new(100, 32), cpu_limit_millis: 500 },
            )
        },
        ports: vec![port],
        labels: BTreeMap::from([(Ownership::CLUSTER.to_owned(), "tunnel".to_owned())]),
        pids_limit: 64,
        engine_restarts: true,
        workspace: None,
    }
}

async fn everything_works(docker: &Docker) {
    docker.ping().await.unwrap();
    assert!(docker.facts().await.unwrap().api_version.starts_with("1."));
    let archive = Archive::new("sample").bytes(sample::image_archive().unwrap());
    docker.load(&archive, Arc::new(|_| {})).await.unwrap();
    assert!(docker.images().await.unwrap().iter().any(|image| image.tags.iter().any(|tag| tag == sample::IMAGE)));
    assert!(docker.image(&ImageReference::parse(sample::IMAGE).unwrap()).await.unwrap().is_some());
    let unknown = ImageReference::parse("localhost:1/team/none:1").unwrap();
    assert_eq!(docker.image(&unknown).await.unwrap(), None);
    let pulled = docker.pull(&unknown, None, Arc::new(|_| {})).await.unwrap_err();
    assert!(!matches!(pulled, EngineError::Refused(_)), "{pulled}");
    let mut events = docker.events(None).await.unwrap();
    let id = docker.create(&request()).await.unwrap();
    assert!(matches!(docker.create(&request()).await, Err(EngineError::NameTaken)));
    docker.start(&id).await.unwrap();
    let mut log = docker.logs(&id, LogOptions { follow: true, ..LogOptions::default() }).await.unwrap();
    assert_eq!(log.next().await.unwrap().unwrap().bytes, b"one\n");
    let container = docker.container(&id).await.unwrap();
    assert_eq!((container.state, container.ports.len()), (ContainerState::Running, 1));
    assert!(docker.usage(&id).await.unwrap().memory_bytes > 0);
    docker.restart(&id, 0).await.unwrap();
    docker.stop(&id, 0).await.unwrap();
    assert_eq!(docker.containers().await.unwrap().len(), 1);
    docker.remove(&id).await.unwrap();
    let mut seen = vec![];
    while !seen.iter().any(|status| status == "destroy") {
        seen.push(events.next().await.expect("the stream stays open").unwrap().status);
    }
}

/// An exec whose input is closed, and whose output goes on after that.
async fn a_talk(tunnel: &Tunnel, docker: &Docker) {
    let mut request = request();
    request.spec.entrypoint = ["/bin/sleep", "1000"].map(str::to_owned).to_vec();
    request.spec.args = vec![];
    let id = docker.create(&request).await.unwrap();
    docker.start(&id).await.unwrap();
    let body =
        r#"{"AttachStdin":true,"AttachStdout":true,"AttachStderr":true,"Tty":false,"Cmd":["sh","-c","cat; echo end"]}"#;
    let create = Request::post(format!("/containers/{id}/exec")).header(TERM, 1);
    let body = http_body_util::Full::from(body).map_err(|never| match never {}).boxed_unsync();
    let answer = tunnel.send(create.body(body).unwrap()).await.unwrap();
    let created = answer.into_body().collect().await.unwrap().to_bytes();
    let exec: BTreeMap<String, String> = serde_json::from_slice(&created).unwrap();
    let json = br#"{"Detach":false,"Tty":false}"#;
    let talk = tunnel.talk(&format!("/exec/{}/start", exec["Id"]), 1, json).await.unwrap();
    assert_eq!(talk.answer.status(), 200);
    talk.input.send(Bytes::from_static(b"first\n")).await.unwrap();
    let mut body = talk.answer.into_body();
    let said = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(&said[8..], b"first\n", "{said:?}");
    drop(talk.input);
    let rest = body.collect().await.unwrap().to_bytes();
    assert_eq!(&rest[8..], b"end\n", "{rest:?}");
    docker.remove(&id).await.unwrap();
}

/// The sample through the agent without its layer, which is left out on the host.
async fn an_image_without_layers(tunnel: &Tunnel, docker: &Docker) {
    let ask = async |target: String| {
        let request =
            Request::get(target).body(http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync());
        let answer = tunnel.send(request.unwrap()).await.unwrap();
        (answer.status().as_u16(), answer.into_body().collect().await.unwrap().to_bytes())
    };
    let image = ImageReference::parse(sample::IMAGE).unwrap();
    let layers = docker.layers(&image).await.unwrap().unwrap();
    assert_eq!(docker.history(&image).await.unwrap().iter().sum::<u64>(), layers.size_bytes);
    let whole = ask(format!("/images/{image}/get")).await.1.len();
    let chain = pierhead_engine::chain_ids(&layers.diff_ids).pop().unwrap();
    let (status, less) = ask(format!("/pierhead/images/{image}/archive?have={chain}")).await;
    assert!(status == 200 && less.len() as u64 + layers.size_bytes < whole as u64, "{} of {whole} bytes", less.len());
    let length = less.len() as u64;
    let archive = Archive::new("less").coming(futures_util::stream::iter([Ok(less)]).boxed(), length);
    docker.load(&archive, Arc::new(|_| {})).await.unwrap();
    for (target, expected, words) in [
        (format!("{image}/archive?have=sha256:{}", "0".repeat(64)), 409, "no layers that end with"),
        (format!("{image}/archive"), 400, "have=sha256:"),
        (format!("none:1/archive?have={chain}"), 404, "No such image"),
        (format!("../json/archive?have={chain}"), 403, "must be plain"),
    ] {
        let (status, told) = ask(format!("/pierhead/images/{target}")).await;
        let told = String::from_utf8_lossy(&told);
        assert!(status == expected && told.contains(words), "{target}: {status} {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_engine_does_all_through_the_tunnel() {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("agent");
    let hosts = Hosts(Some(Pool::up(PoolSpec { dir, hosts: 1, ..PoolSpec::default() }).expect("a Docker host")));
    let host = hosts.0.as_ref().unwrap().hosts().unwrap().remove(0);
    let pid = host.pid().unwrap().expect("the engine runs");
    let state = tempfile::tempdir().unwrap();
    let tunnel = tunnel(&PathBuf::from(format!("/proc/{pid}/root/run/docker.sock")), state.path()).await;
    let facts = tunnel.facts().await.unwrap();
    assert!(
        matches!(&facts.engine, EngineState::Answers { id, runtime, .. }
        if !id.is_empty() && runtime.starts_with("runc 1.")),
        "{facts:?}"
    );
    let mut beats = tunnel.beats().await.unwrap();
    let socket = state.path().join("bridge.sock");
    bridge(tunnel.clone(), &socket);
    let options = DockerOptions { deadlines: Deadlines::uniform(PATIENCE), tls: None };
    let docker = Docker::connect(&format!("unix://{}", socket.display()), options).unwrap();
    tokio::time::timeout(PATIENCE, everything_works(&docker)).await.expect("in time");
    tokio::time::timeout(PATIENCE, a_talk(&tunnel, &docker)).await.expect("in time");
    tokio::time::timeout(PATIENCE, an_image_without_layers(&tunnel, &docker)).await.expect("in time");
    let beat = beats.next().await.unwrap().unwrap();
    assert!(beat.load.memory_available > 0);
}
