//! Answering, with TLS or without, until a signal says to stop.

use super::listener::TlsListener;
use super::tls::Tls;
use anyhow::{Context, Result};
use axum::Router;
use axum::serve::{Listener, ListenerExt};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long open requests may take to end when the controller stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Answers until a signal comes; then open requests get a little time to end.
pub(super) async fn answer(listener: TcpListener, tls: Option<&Tls>, router: Router) -> Result<()> {
    let asked = stop_asked()?;
    let (stop, stopping) = watch::channel(false);
    let server = match tls {
        Some(tls) => {
            let listener = TlsListener::new(listener, Arc::clone(&tls.config)).context("the address listened on")?;
            serve(listener, router, stopping)
        }
        None => serve(listener.tap_io(|stream| hurry(stream)), router, stopping),
    };
    asked.await;
    tracing::info!("stopping");
    stop.send_replace(true);
    match tokio::time::timeout(FAREWELL, server).await {
        Ok(ended) => ended.context("the server")?.context("the server"),
        Err(_) => Ok(()),
    }
}

/// Ends when a signal says to stop.
pub(super) fn stop_asked() -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Small answers must not wait for the next one to fill a packet.
pub(super) fn hurry(stream: &tokio::net::TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps delaying small packets");
    }
}

/// Handlers are told the address at the other end, whatever the listener: the limits on log-ins need it.
fn serve<L: Listener<Addr = SocketAddr>>(
    listener: L,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) -> JoinHandle<io::Result<()>> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let graceful = axum::serve(listener.tap_io(|_| {}), service).with_graceful_shutdown(async move {
        // The sender outlives this.
        let _ = stopping.wait_for(|stop| *stop).await;
    });
    tokio::spawn(async move { graceful.await })
}
