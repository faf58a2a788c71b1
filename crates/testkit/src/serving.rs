//! A controller with its API, on threads of its own so that it can be torn away at any moment.

use crate::power::{Power, PoweredEngine, PoweredStore};
use axum::serve::ListenerExt;
use pierhead_api::{Accounts, Api, LogInLimits, Metrics, PortInUse, PreviewAddress, Previews, WorkspacePorts};
use pierhead_blobs::Blobs;
use pierhead_controller::{Connect, Connection, Controller, Options};
use pierhead_engine::Fake;
use pierhead_identity::RedirectKeys;
use pierhead_model::{ContainerId, Engine, EngineId, Resources, WorkspaceId};
use pierhead_store::seal::Sealer;
use pierhead_store::{Embedded, Store};
use pierhead_wire::Defaults;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The fakes by the address under which they are added.
pub(crate) type Reachable = Arc<Mutex<BTreeMap<String, Fake>>>;

/// A controller that serves.
pub(crate) struct Serving {
    threads: Option<Runtime>,
    embedded: Arc<Embedded>,
    pub(crate) controller: Controller,
    pub(crate) url: String,
    pub(crate) power: Power,
}

/// The token with which measurements are read.
pub(crate) const SCRAPE_TOKEN: &str = "scrapers-only-7Qe2xV9m";
/// The key of links of a school's site.
pub const REDIRECT_KEY: &str = "the-key-of-links-of-a-school-4Hf8Qz";
/// The password of the administrator.
pub(crate) const PASSWORD: &str = "correct horse battery";

impl Serving {
    /// Starts a controller on a store's directory.
    pub(crate) async fn start(directory: &Path, reachable: Reachable, options: Options, limits: LogInLimits) -> Self {
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("the system gives threads");
        let power = Power::default();
        let begun = threads.spawn(begin(directory.to_owned(), reachable, options, limits, power.clone()));
        let (embedded, controller, url) = begun.await.expect("the controller starts");
        Self { threads: Some(threads), embedded, controller, url, power }
    }

    /// Tears it away: whatever it is doing ends where it is. Returns when the store's directory is free.
    pub(crate) async fn crash(mut self) {
        if let Some(threads) = self.threads.take() {
            let torn = tokio::task::spawn_blocking(move || threads.shutdown_timeout(crate::PATIENCE));
            torn.await.expect("the threads of the controller end");
        }
        let held = Arc::downgrade(&self.embedded);
        drop(self);
        crate::eventually(crate::PATIENCE, "nobody holds the store", async || held.strong_count() == 0).await;
    }

    /// Stops it in an orderly way.
    pub(crate) async fn stop(self) {
        self.controller.shut_down().await;
        self.crash().await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

async fn begin(
    directory: PathBuf,
    reachable: Reachable,
    mut options: Options,
    limits: LogInLimits,
    power: Power,
) -> (Arc<Embedded>, Controller, String) {
    let embedded = Arc::new(Embedded::open(&directory).expect("the directory is free"));
    let store: Arc<dyn Store> =
        Arc::new(PoweredStore { store: Arc::clone(&embedded) as Arc<dyn Store>, power: power.clone() });
    let sealer = Arc::new(Sealer::open_or_create(&directory).expect("the key file can be made"));
    options.gone_logs.directory.get_or_insert_with(|| directory.join("gone-logs"));
    if !options.images.is_remote() {
        options.images = Blobs::directory(directory.join("images"), false);
    }
    if !options.lab_files.is_remote() {
        options.lab_files = Blobs::directory(directory.join("labs"), true);
    }
    let connect = connect(reachable, power, Arc::clone(&sealer));
    let started = Controller::start(store, Arc::clone(&sealer), connect, options);
    let controller = started.await.expect("the records are read");
    let accounts = Accounts::new(Arc::clone(controller.store()), controller.clock()).expect("passwords can be hashed");
    let accounts = accounts.with_limits(limits);
    accounts.first_start(PASSWORD).await.expect("the administrator is made");
    let defaults = Defaults { image: None, reserved: Resources::new(50, 64) };
    let api = Api {
        controller: controller.clone(),
        accounts,
        sealer,
        defaults: Arc::new(defaults),
        metrics: Metrics::new(Some(SCRAPE_TOKEN)),
        front: pierhead_api::Front::default(),
        relay: None,
        joins: Some(pierhead_api::Joins {
            address: "127.0.0.1:7443".to_owned(),
            ca_fingerprint: "0".repeat(64),
            token_of: Arc::new(|secret| format!("pj1-{secret}")),
        }),
        previews: Previews {
            address: Some(PreviewAddress::parse("*.localhost", 8081).expect("it is an address")),
            ports: Some(Arc::new(OnePort)),
        },
        files: Some(Arc::new(crate::files::MemoryFiles::default())),
        redirect: Some(RedirectKeys::parse(REDIRECT_KEY).expect("it is long enough")),
        oidc: None,
        version: "test",
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
    let service = pierhead_api::router(api).into_make_service_with_connect_info::<SocketAddr>();
    // As the program does: a small answer must not wait until an earlier one was acknowledged.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, service).await });
    (embedded, controller, url)
}

/// Something listens on the same port in every container.
struct OnePort;

#[async_trait::async_trait]
impl WorkspacePorts for OnePort {
    async fn listening(&self, _: &EngineId, _: &WorkspaceId, _: &ContainerId) -> Result<Vec<PortInUse>, String> {
        Ok(vec![PortInUse { port: 8000, only_inside: false }])
    }
}

fn connect(reachable: Reachable, power: Power, sealer: Arc<Sealer>) -> Connect {
    Arc::new(move |record: &Engine| {
        let fakes = reachable.lock().unwrap_or_else(PoisonError::into_inner);
        let fake = fakes.get(&record.addr).ok_or_else(|| format!("there is nothing at {}", record.addr))?;
        let engine =
            Arc::new(PoweredEngine { host: record.id.to_string(), engine: fake.engine(), power: power.clone() });
        let sealed = record.sealed_registry_auth.as_deref();
        let opened = sealed.map(|sealed| sealer.open(&format!("engine/{}/registry", record.id), sealed)).transpose();
        let opened = opened.map_err(|error| error.to_string())?;
        let registry_auth = opened.map(|plain| serde_json::from_slice(&plain)).transpose();
        Ok(Connection { engine, registry_auth: registry_auth.map_err(|error| error.to_string())? })
    })
}
