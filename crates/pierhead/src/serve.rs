//! `pierhead serve`: from settings to a running controller, and its orderly end.

mod connect;
mod first_start;
mod logging;
pub(crate) mod settings;

pub(crate) use settings::ServeArgs;

use anyhow::{Context, Result};
use axum::serve::ListenerExt;
use pierhead_api::{Accounts, Api};
use pierhead_controller::Controller;
use pierhead_store::seal::Sealer;
use pierhead_store::{Embedded, Store};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How long open requests may take to end when the controller stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves until a signal says to stop.
pub(crate) async fn serve(args: ServeArgs) -> Result<()> {
    let settings = args.settle()?;
    logging::start(settings.debug, settings.log_format);
    let store: Arc<dyn Store> = Arc::new(open_store(&settings.data_dir)?);
    let sealer = Arc::new(Sealer::open_or_create(&settings.data_dir).context("the key file of the data directory")?);
    sealer.verify(&*store).await.context("the key file of the data directory")?;

    let listener =
        TcpListener::bind(settings.listen).await.with_context(|| format!("cannot listen on {}", settings.listen))?;
    let address = listener.local_addr().context("the address that is listened on")?;
    let controller =
        Controller::start(Arc::clone(&store), connect::connect(Arc::clone(&sealer)), settings.controller.clone())
            .await
            .context("the records of the data directory cannot be read")?;
    let accounts = Accounts::new(Arc::clone(&store), controller.clock()).context("accounts")?;
    let accounts = accounts.with_limits(settings.log_in_limits);
    first_start::first_start(&accounts, settings.admin_password_file.as_deref()).await?;
    let api = Api {
        controller: controller.clone(),
        accounts,
        sealer,
        defaults: Arc::new(settings.defaults.clone()),
        version: env!("CARGO_PKG_VERSION"),
    };
    announce(address, &settings.data_dir)?;
    answer(listener, pierhead_api::router(api)).await?;
    controller.shut_down().await;
    tracing::info!("stopped; containers run on");
    Ok(())
}

fn open_store(directory: &Path) -> Result<Embedded> {
    match Embedded::open(directory) {
        Ok(store) => Ok(store),
        Err(error @ pierhead_store::Error::InUse { .. }) => Err(anyhow::Error::new(error)
            .context("another pierhead serves from this data directory; stop it, or give --data-dir")),
        Err(error) => {
            Err(anyhow::Error::new(error)
                .context(format!("the data directory {} cannot be opened", directory.display())))
        }
    }
}

/// Says where it answers: to people in the log, to scripts in the file `url` of the data directory.
fn announce(address: SocketAddr, data_dir: &Path) -> Result<()> {
    let url = format!("http://{address}");
    tracing::info!(url, "ready");
    std::fs::write(data_dir.join("url"), &url).context("the file 'url' of the data directory")
}

/// Answers until a signal comes; then open requests get a little time to end.
async fn answer(listener: TcpListener, router: axum::Router) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for SIGINT")?;
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for the next one to fill a packet.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps delaying small packets");
        }
    });
    let mut seen = stopping.clone();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let graceful = axum::serve(listener, service).with_graceful_shutdown(async move {
        // The sender outlives this.
        let _ = seen.wait_for(|stop| *stop).await;
    });
    let server = tokio::spawn(async move { graceful.await });
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    stop.send_replace(true);
    match tokio::time::timeout(FAREWELL, server).await {
        Ok(ended) => ended.context("the server")?.context("the server"),
        Err(_) => Ok(()),
    }
}
