//! The agent's end of an open tunnel: answers what the controller asks, until one of the sides ends it.

use super::{CONNECTION_WINDOW, FRAME, HEADERS, RESETS, SEND_BUFFER, STREAM_WINDOW, STREAMS, Timing};
use crate::gate::{Gate, TunnelBody};
use crate::whole::Whole;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

/// Hands requests to the gate and notes that there was one.
pub(super) struct Asked {
    gate: Arc<Gate>,
    first: Arc<Notify>,
}

/// A tunnel that is served as long as it is polled.
pub(super) type Served<S> = http2::Connection<TokioIo<S>, Asked, TokioExecutor>;

impl Service<Request<Incoming>> for Asked {
    type Response = Response<TunnelBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.first.notify_one();
        let gate = self.gate.clone();
        Box::pin(async move { Ok(gate.answer(request.map(Whole)).await) })
    }
}

/// Begins to serve; the second is notified of the first request.
pub(super) fn serve<S>(stream: S, gate: Arc<Gate>, timing: &Timing) -> (Served<S>, Arc<Notify>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let first = Arc::new(Notify::new());
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(HEADERS)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
        .keep_alive_interval(timing.ping)
        .keep_alive_timeout(timing.pong)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), Asked { gate, first: first.clone() });
    (connection, first)
}
