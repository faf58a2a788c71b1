//! An agent with a scripted engine behind it, and the controller that it calls.

use crate::certificates::{Authority, CONTROLLER};
use crate::fake::Fake;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use pierhead_agent::{
    Agent, Controller, Gate, Link, Load, LoadSource, Pulse, TERM, Terms, Timing, Tunnel, TunnelBody, Whole, accept,
};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// The longest that anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How often the agents of tests beat.
pub const BEAT: Duration = Duration::from_millis(5);

/// Short waits, since nobody is far away.
pub fn timing() -> Timing {
    Timing {
        connect: Duration::from_secs(2),
        handshake: Duration::from_secs(2),
        first_request: Duration::from_secs(3),
        ping: Duration::from_millis(300),
        pong: Duration::from_secs(3),
        drain: Duration::from_secs(20),
        backoff: (Duration::from_millis(5), Duration::from_millis(50)),
    }
}

pub struct Bed {
    pub authority: Authority,
    pub fake: Fake,
    pub listener: TcpListener,
    pub acceptor: TlsAcceptor,
    pub tls: watch::Sender<Arc<ClientConfig>>,
    pub link: watch::Receiver<Link>,
    pub dir: TempDir,
    pub agent: AbortHandle,
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.agent.abort();
    }
}

impl Bed {
    pub async fn up() -> Self {
        Self::beating(Arc::new(Load::default), timing()).await
    }

    pub async fn beating(load: LoadSource, timing: Timing) -> Self {
        let authority = Authority::new();
        let dir = tempfile::tempdir().unwrap();
        let fake = Fake::listen(dir.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let acceptor = TlsAcceptor::from(authority.for_controller(&authority.controller(CONTROLLER)));
        let (tls, config) = watch::channel(authority.for_agent(&authority.host("host-1")));
        let gate = gate(&dir, &fake, load);
        let agent = Agent::new(vec![at(listener.local_addr().unwrap())], config, gate, timing);
        let link = agent.links().remove(0);
        let agent = tokio::spawn(agent.run()).abort_handle();
        Self { authority, fake, listener, acceptor, tls, link, dir, agent }
    }

    /// The next call of the agent.
    pub async fn call(&self) -> TcpStream {
        in_time("the agent calls", self.listener.accept()).await.unwrap().0
    }

    /// The next call for a tunnel, taken.
    pub async fn tunnel(&self) -> Tunnel {
        loop {
            match accept(self.call().await, &self.acceptor, &timing()).await {
                Ok(tunnel) => return tunnel,
                Err(error) => assert!(asks_why(&error), "{error:?}"),
            }
        }
    }
}

/// Whether it was the call by which an agent asks why its tunnels are ended: this listener does not speak of that.
pub fn asks_why(refused: &dyn std::fmt::Debug) -> bool {
    format!("{refused:?}").contains("NoApplicationProtocol")
}

pub fn gate(dir: &TempDir, fake: &Fake, load: LoadSource) -> Arc<Gate> {
    Arc::new(Gate::new(&fake.socket, Arc::new(Terms::open(dir.path()).unwrap()), Pulse::new(BEAT, load)))
}

pub fn at(address: SocketAddr) -> Controller {
    Controller { address: address.to_string(), server_name: CONTROLLER.try_into().unwrap() }
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

pub fn body(bytes: impl Into<Bytes>) -> TunnelBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

pub fn request(method: &str, target: &str, term: u64, bytes: impl Into<Bytes>) -> Request<TunnelBody> {
    Request::builder().method(method).uri(target).header(TERM, term).body(body(bytes)).unwrap()
}

/// The status and the whole body of an answer.
pub async fn read(answer: Response<Whole<Incoming>>) -> (u16, String) {
    let status = answer.status().as_u16();
    let body = in_time("an answer", answer.into_body().collect()).await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// Asks and reads the whole answer.
pub async fn ask(tunnel: &Tunnel, method: &str, target: &str, bytes: &str) -> (u16, String) {
    let asked = tunnel.send(request(method, target, 1, bytes.to_owned()));
    read(in_time("an answer begins", asked).await.unwrap()).await
}
