//! `pierhead serve`: from settings to a running controller, and its orderly end.

mod agents;
mod answer;
mod connect;
mod data_dir;
mod first_start;
mod listener;
mod logging;
mod previews;
mod records;
mod relay;
pub(crate) mod settings;
mod tls;

pub(crate) use settings::ServeArgs;

use agents::{AgentFiles, AgentHomes, AgentPorts, Agents, Told};
use anyhow::{Context, Result, bail};
use pierhead_agent::{JoinToken, Timing};
use pierhead_api::{Accounts, Api, Front, Joins, Metrics, Previews, WorkspaceFiles, WorkspacePorts};
use pierhead_controller::{Admission, Authority, Controller, ControllerAddresses, SecondPath};
use settings::{AgentSettings, Settings, TlsSource};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tls::{Shown, Tls};
use tokio::net::TcpListener;

/// Serves until a signal says to stop.
pub(crate) async fn serve(args: ServeArgs) -> Result<()> {
    let settings = args.settle()?;
    logging::start(settings.debug, settings.log_format);
    warn(&settings);
    // Held to the end: it keeps the data directory to this process.
    let records = records::open(&settings).await?;
    let (store, sealer) = (Arc::clone(&records.store), Arc::clone(&records.sealer));
    records::check_blobs(&settings.controller.images).await?;

    let listener =
        TcpListener::bind(settings.listen).await.with_context(|| format!("cannot listen on {}", settings.listen))?;
    let address = listener.local_addr().context("the address that is listened on")?;
    let (agents, told) = Agents::new();
    let connect = connect::connect(Arc::clone(&sealer), Arc::clone(&agents));
    let controller = Controller::start(store, Arc::clone(&sealer), connect, settings.controller.clone())
        .await
        .context("the records cannot be read")?;
    let accounts = Accounts::new(Arc::clone(controller.store()), controller.clock()).context("accounts")?;
    let accounts = accounts.with_limits(settings.log_in_limits);
    first_start::first_start(&accounts, settings.admin_password_file.as_deref()).await?;
    let authority = Authority::open_or_create(&**controller.store(), &sealer, controller.clock());
    let authority = Arc::new(authority.await.context("the certificate authority")?);
    agents.lead(controller.term());
    controller.set_second_path(Arc::clone(&agents) as Arc<dyn SecondPath>);
    controller.set_terminal_homes(Arc::new(AgentHomes(Arc::clone(&agents))));
    discover(&settings, &controller);
    let ports = Arc::new(AgentPorts::new(Arc::clone(&agents)));
    let files = AgentFiles::new(Arc::clone(&agents));
    let previews = match &settings.previews {
        Some(settings) => Some(previews::listen(settings).await?),
        None => None,
    };
    let joins = match &settings.agents {
        Some(settings) => Some(take_agents(settings, agents, told, &controller, &authority).await?),
        None => None,
    };
    let fingerprint_file = settings.data_dir.join(data_dir::FINGERPRINT);
    let tls = match &settings.tls {
        Some(source) => {
            Some(tls::start(source, address.ip(), &authority, controller.clock(), &fingerprint_file).await?)
        }
        None => None,
    };
    let announced = announced(&settings, address, joins.as_ref());
    // Of a certificate in files somebody else's authority is to be trusted.
    let own_certificate: Option<Arc<str>> =
        (!matches!(settings.tls, Some(TlsSource::Files { .. }))).then(|| authority.certificate_pem().into());
    let relay = relay::Peers::new(own_certificate.as_deref())?;
    let api = Api {
        controller: controller.clone(),
        accounts,
        sealer,
        defaults: Arc::new(settings.defaults.clone()),
        metrics: metrics(settings.metrics_token_file.as_deref())?,
        front: Front { is_tls: tls.is_some(), public: settings.public_url.clone(), ca_certificate: own_certificate },
        relay: Some(Arc::new(relay)),
        joins,
        previews: Previews {
            address: previews.as_ref().map(|previews| previews.address.clone()),
            ports: settings.agents.is_some().then(|| Arc::clone(&ports) as Arc<dyn WorkspacePorts>),
        },
        files: settings.agents.is_some().then(|| Arc::new(files) as Arc<dyn WorkspaceFiles>),
        redirect: settings.redirect.clone(),
        oidc: settings.oidc.clone(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let shown = previews.map(|previews| previews.start(api.clone(), ports)).transpose()?;
    announce(address, tls.as_ref(), &settings.data_dir)?;
    controller.announce(announced);
    answer::answer(listener, tls.as_ref(), pierhead_api::router(api)).await?;
    if let Some(shown) = shown {
        shown.await.context("the previews")?;
    }
    controller.shut_down().await;
    tracing::info!("stopped; containers run on");
    Ok(())
}

/// Says what in the settings others could read.
fn warn(settings: &Settings) {
    if settings.tells_roster_password {
        tracing::warn!(
            "the password of the school's database stands in the command line, the environment or the configuration file; \
             others on this machine may read it there: write it to a file, and give --roster-password-file"
        );
    }
}

/// Follows the hosts that register themselves, if that is wanted.
fn discover(settings: &Settings, controller: &Controller) {
    let Some(etcd) = settings.discovery.clone() else { return };
    tracing::info!(
        etcd = etcd.address().members().collect::<Vec<_>>().join(","),
        "hosts that register themselves are followed"
    );
    controller.discover(Arc::new(move || Box::pin(crate::etcd::registry(etcd.clone()))));
}

/// Where the other controllers, and people, are told that this one answers.
fn announced(settings: &Settings, address: SocketAddr, joins: Option<&Joins>) -> ControllerAddresses {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let reached = settings::reachable(address).unwrap_or(address);
    let url = settings.advertise_url.clone().unwrap_or_else(|| format!("{scheme}://{reached}"));
    ControllerAddresses { url, agents: joins.map(|joins| joins.address.clone()) }
}

/// Takes agents from now on, and tells how hosts join.
async fn take_agents(
    settings: &AgentSettings,
    agents: Arc<Agents>,
    told: Told,
    controller: &Controller,
    authority: &Arc<Authority>,
) -> Result<Joins> {
    let at = settings.listen;
    let listener = TcpListener::bind(at).await.with_context(|| format!("cannot listen on {at} for agents"))?;
    let listen = listener.local_addr().context("the address that agents are taken at")?;
    let shown = Shown::new(listen.ip(), authority, controller.clock())?;
    let address = settings.address(listen)?;
    let hosts = agents::Listener {
        agents,
        controller: controller.clone(),
        authority: Arc::clone(authority),
        admission: Admission { life: settings.life, needs_approval: settings.needs_approval },
        timing: Timing::default(),
    };
    tracing::info!(listen = %listen, address, "agents are taken");
    tokio::spawn(async move {
        if let Err(error) = agents::listen(listener, told, shown, hosts).await {
            tracing::error!(error = format!("{error:#}"), "no agents are taken any more");
        }
    });
    let (at, fingerprint) = (address.clone(), fingerprint_bytes(authority));
    let token_of =
        move |secret: &str| JoinToken { address: at.clone(), fingerprint, secret: secret.to_owned() }.to_string();
    Ok(Joins { address, ca_fingerprint: authority.fingerprint(), token_of: Arc::new(token_of) })
}

fn fingerprint_bytes(authority: &Authority) -> [u8; 32] {
    let digits = authority.fingerprint();
    let byte = |at: usize| digits.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    std::array::from_fn(|at| byte(at).unwrap_or_default())
}

/// The log as an agent writes it: as a server does by default.
pub(crate) fn start_log() {
    logging::start(false, logging::LogFormat::Text);
}

/// Measurements, to be read with the token of a file.
fn metrics(token_file: Option<&Path>) -> Result<Metrics> {
    let Some(file) = token_file else { return Ok(Metrics::new(None)) };
    let text = std::fs::read_to_string(file).with_context(|| format!("the token file {}", file.display()))?;
    let token = text.trim();
    if token.len() < 16 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("the token file {}: a token must have at least 16 characters, all visible ASCII", file.display());
    }
    Ok(Metrics::new(Some(token)))
}

/// Says where it answers: to people in the log, to scripts in files of the data directory. With TLS also by what its
/// certificates are recognised.
fn announce(address: SocketAddr, tls: Option<&Tls>, data_dir: &Path) -> Result<()> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let (url, recognised) = (format!("{scheme}://{address}"), data_dir.join(data_dir::FINGERPRINT));
    match tls {
        Some(tls) => {
            data_dir::tell(&recognised, &tls.fingerprint)?;
            tracing::info!(url, ca_fingerprint = tls.fingerprint, "ready");
        }
        None => {
            // Of an earlier life with TLS, if it is there at all.
            let _absent = std::fs::remove_file(&recognised);
            tracing::info!(url, "ready");
        }
    }
    data_dir::tell(&data_dir.join("url"), &url)
}
