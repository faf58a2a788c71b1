//! One real host, reached both ways.

use anyhow::{Context, Result};
use async_trait::async_trait;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use pierhead_agent::{
    Agent, AgentError, Controller, Gate, INTERVAL, LoadMeter, Pulse, TERM, Terms, Timing, Tunnel, Whole, accept,
    client_config, server_config,
};
use pierhead_bench::machine;
use pierhead_devhosts::{Pool, PoolSpec};
use pierhead_engine::{Deadlines, Dial, Docker, DockerOptions, Stream};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::report::Sample;

const CONTROLLER: &str = "controller.test";
/// How much may be on its way inside of this program, as in a controller.
const BUFFER: usize = 64 * 1024;
pub(crate) const LEADERS_TERM: u64 = 1;

pub(crate) struct Bed {
    pool: Option<Pool>,
    /// The engine's address.
    pub docker_host: String,
    pub direct: Docker,
    pub through: Docker,
    pub tunnel: Tunnel,
    _dir: TempDir,
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.pool.take().map(Pool::down) {
            eprintln!("the host could not be removed: {error}");
        }
    }
}

impl Bed {
    pub async fn up() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let socket = dir.path().join("engine.sock");
        let spec = PoolSpec {
            dir: dir.path().join("pool"),
            hosts: 1,
            dockerd_args: vec![format!("--host=unix://{}", socket.display())],
            ..PoolSpec::default()
        };
        let pool = tokio::task::spawn_blocking(move || Pool::up(spec)).await??;
        let docker_host = pool.hosts()?.first().context("a host")?.docker_host().to_owned();
        let tunnel = tunnel(socket, dir.path().join("state")).await?;
        let way = Arc::new(Way(tunnel.clone()));
        Ok(Self {
            direct: Docker::connect(&docker_host, DockerOptions::default())?,
            through: Docker::over("tunnel", way, Deadlines::default())?,
            tunnel,
            docker_host,
            pool: Some(pool),
            _dir: dir,
        })
    }

    pub fn ways(&self) -> [&Docker; 2] {
        [&self.direct, &self.through]
    }
}

/// What something takes; the unit of its time is seconds.
pub(crate) async fn timed<T>(work: impl Future<Output = Result<T>>) -> Result<(Sample, T)> {
    let (begun, cpu) = (Instant::now(), machine::cpu_seconds()?);
    let made = work.await?;
    Ok((Sample { took: begun.elapsed().as_secs_f64(), cpu: machine::cpu_seconds()? - cpu }, made))
}

/// A tunnel to an agent that runs on a thread of its own.
async fn tunnel(socket: PathBuf, state: PathBuf) -> Result<Tunnel> {
    let authority = Authority::new()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (certificate, key) = authority.sign("host-1", ExtendedKeyUsagePurpose::ClientAuth)?;
    let config = client_config(authority.certificate.clone(), vec![certificate], key)?;
    std::fs::create_dir_all(&state)?;
    let terms = Arc::new(Terms::open(&state)?);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let gate = Arc::new(Gate::new(&socket, terms, Pulse::new(INTERVAL, LoadMeter::source())));
        let (_keep, config) = watch::channel(Arc::new(config));
        let server_name = CONTROLLER.try_into().expect("a name");
        let controller = Controller { address, server_name };
        runtime.block_on(Agent::new(vec![controller], config, gate, Timing::default()).run());
    });
    let (certificate, key) = authority.sign(CONTROLLER, ExtendedKeyUsagePurpose::ServerAuth)?;
    let config = server_config(authority.certificate.clone(), vec![certificate], key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Ok(accept(listener.accept().await?.0, &acceptor, &Timing::default()).await?)
}

struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Result<Self> {
        let mut params = CertificateParams::new(vec![])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    fn sign(
        &self,
        name: &str,
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.der().clone();
        Ok((certificate, PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
    }
}

/// From the engine's client into the tunnel, as a controller goes.
struct Way(Tunnel);

#[async_trait]
impl Dial for Way {
    async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        let (near, far) = tokio::io::duplex(BUFFER);
        let tunnel = self.0.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| pass(tunnel.clone(), request));
            // How it ended is seen at the other end.
            let _ended = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(far), service).await;
        });
        Ok(Box::new(near))
    }
}

async fn pass(tunnel: Tunnel, request: Request<Incoming>) -> Result<Response<Whole<Incoming>>, AgentError> {
    let (head, body) = request.into_parts();
    let mut asked = Request::new(body.map_err(Into::into).boxed_unsync());
    (*asked.method_mut(), *asked.uri_mut()) = (head.method, head.uri);
    asked.headers_mut().insert(TERM, LEADERS_TERM.into());
    tunnel.send(asked).await
}
