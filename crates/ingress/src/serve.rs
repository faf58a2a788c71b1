//! The listener: takes connections, serves each, and ends in order.

use crate::Settings;
use crate::body::AnswerBody;
use crate::forwarding::Forwarding;
use crate::resolve::Resolver;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The most that is read of a request's head, in bytes, and headers in it.
const LONGEST_HEAD: usize = 32 * 1024;
const MOST_HEADERS: usize = 100;
/// The pause after the system had no connection to give, as when all files are in use.
const PAUSE: Duration = Duration::from_millis(200);
/// After how long without a word somebody is asked whether they are still there.
const SILENCE: Duration = Duration::from_secs(60);

/// Serves until it shall stop; then what is being answered gets a little time, and WebSockets end at once.
pub async fn serve(
    listener: TcpListener,
    resolver: Arc<dyn Resolver>,
    settings: Settings,
    stop: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(settings.most_connections));
    let drain = settings.patience.drain;
    let forwarding = Forwarding { resolver, settings, open: TaskTracker::new(), closing: CancellationToken::new() };
    let (forwarding, cut) = (Arc::new(forwarding), CancellationToken::new());
    let connections = TaskTracker::new();
    tokio::pin!(stop);
    loop {
        let (stream, peer, permit) = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = &mut stop => break,
        };
        let serving = connection(stream, peer, Arc::clone(&forwarding));
        let cut = cut.clone();
        connections.spawn(async move {
            let _held = permit;
            tokio::select! {
                () = serving => {}
                () = cut.cancelled() => {}
            }
        });
    }
    drop(listener);
    forwarding.closing.cancel();
    forwarding.open.close();
    connections.close();
    // What takes longer is cut.
    let _late = tokio::time::timeout(drain, connections.wait()).await;
    cut.cancel();
    connections.wait().await;
    forwarding.open.wait().await;
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
    let permit = Arc::clone(room).acquire_owned().await.expect("nobody closes it");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer.ip().to_canonical(), permit),
            Err(error) => pause_after(&error).await,
        }
    }
}

/// A connection that was lost before it was taken is nobody's business; anything else may last.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection can be taken for previews");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn connection(stream: TcpStream, peer: IpAddr, forwarding: Arc<Forwarding>) {
    if let Err(error) = prepare(&stream) {
        tracing::debug!(%error, "a connection is slower than it could be, or is not missed when it is lost");
    }
    let (patience, closing) = (forwarding.settings.patience, forwarding.closing.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let forwarding = Arc::clone(&forwarding);
        async move { Ok::<Response<AnswerBody>, Infallible>(forwarding.answer(request, peer).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.request)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = closing.cancelled() => {
            // No further request; the one that is being answered still is.
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke off");
    }
}

/// Small pieces must not wait for larger ones, and whoever is gone without a word must be missed.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, SILENCE)?;
    sockopt::set_tcp_keepintvl(stream, SILENCE / 4)?;
    sockopt::set_tcp_keepcnt(stream, 4)?;
    Ok(())
}
