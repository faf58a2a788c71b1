//! Connections: TCP, TLS if it is asked for, HTTP/2. Nothing is sent on them here.

use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;

use crate::etcd::address::bare;
use crate::etcd::grpc::{Body, Sender};

/// How long a connection may take to be made.
const DIAL_LIMIT: Duration = Duration::from_millis(1500);
/// etcd ends connections that are probed more often than every five seconds.
const PROBE_EVERY: Duration = Duration::from_millis(5500);
const PROBE_LIMIT: Duration = Duration::from_secs(3);
/// What may be on its way to us, for one stream and for all of a connection.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 23;

/// Makes connections.
pub(super) struct Dialer {
    tls: Option<TlsConnector>,
}

impl Dialer {
    pub(super) fn new(tls: Option<Arc<ClientConfig>>) -> Self {
        Self { tls: tls.map(TlsConnector::from) }
    }

    /// A connection that lives on `runtime`, so that the end of the asking task, or of its runtime, doesn't end it.
    ///
    /// # Errors
    /// In words.
    pub(super) async fn dial(&self, runtime: &Handle, host: &str, port: u16) -> Result<Sender, String> {
        let (tls, host) = (self.tls.clone(), bare(host).to_owned());
        let dialled = runtime.spawn(async move {
            tokio::time::timeout(DIAL_LIMIT, dial(tls, &host, port))
                .await
                .unwrap_or_else(|_| Err(format!("no connection within {DIAL_LIMIT:.1?}")))
        });
        dialled.await.map_err(|_| "it was closed".to_owned())?
    }
}

async fn dial(tls: Option<TlsConnector>, host: &str, port: u16) -> Result<Sender, String> {
    let stream = TcpStream::connect((host, port)).await.map_err(|error| in_words(&error))?;
    stream.set_nodelay(true).map_err(|error| in_words(&error))?;
    let Some(tls) = tls else { return begin(stream, "").await };
    // A member that wants to see a certificate just hangs up.
    let shows_one = tls.config().client_auth_cert_resolver.has_certs();
    let hint = if shows_one { "" } else { "; it may ask for a certificate (--etcd-cert)" };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let stream = tls.connect(name, stream).await.map_err(|error| format!("TLS: {}", in_words(&error)))?;
    begin(stream, hint).await
}

async fn begin(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    hint: &'static str,
) -> Result<Sender, String> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PROBE_EVERY)
        .keep_alive_timeout(PROBE_LIMIT)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    let (sender, connection) =
        builder.handshake::<_, Body>(TokioIo::new(stream)).await.map_err(|error| format!("{error}{hint}"))?;
    Ok(Sender::over(sender, connection, hint))
}

/// Without the number of the system's error, which says nothing to people.
fn in_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
