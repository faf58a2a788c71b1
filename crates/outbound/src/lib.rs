//! HTTP to servers of others, such as an object store or a provider of identities: whom TLS trusts, how long a connection may
//! take, and what an error came of.

mod registry;

pub use registry::{Registry, RegistryError};

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// The longest that a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A client of servers whose addresses are `http` or `https`.
pub type HttpsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client that keeps a connection that nobody uses for so long; without, each request has one of its own. With TLS the
/// authorities count that the system trusts, or those of the file that `SSL_CERT_FILE` names.
///
/// # Errors
/// Why there is none: only if TLS is needed and nobody is trusted.
pub fn client(needs_tls: bool, idle: Option<Duration>) -> Result<HttpsClient, String> {
    let mut roots = RootCertStore::empty();
    if needs_tls {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err("this system trusts no authority; name a file of them with SSL_CERT_FILE".to_owned());
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_LIMIT));
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1();
    let mut client = Client::builder(TokioExecutor::new());
    match idle {
        Some(idle) => client.pool_timer(TokioTimer::new()).pool_idle_timeout(idle),
        None => client.pool_max_idle_per_host(0),
    };
    Ok(client.build(connector.wrap_connector(http)))
}

/// What everything came of. The errors above it name addresses, which may be signed.
#[must_use]
pub fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::{Request, StatusCode};
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    async fn answer(stream: &mut TcpStream) {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(ANSWER).await.unwrap();
    }

    fn get(client: &HttpsClient, address: SocketAddr) -> impl Future<Output = Result<StatusCode, String>> + use<> {
        let request = Request::get(format!("http://{address}/?signature=secret")).body(Full::default()).unwrap();
        let answered = client.request(request);
        async move { answered.await.map(|response| response.status()).map_err(|error| root_cause(&error)) }
    }

    #[tokio::test]
    async fn a_connection_is_kept_only_where_that_is_wanted() {
        for (idle, connections) in [(Some(Duration::from_secs(60)), 1), (None, 2)] {
            let client = client(false, idle).unwrap();
            let (listener, address) = listen().await;
            let both = async {
                for _ in 0..2 {
                    assert_eq!(get(&client, address).await, Ok(StatusCode::NO_CONTENT));
                }
            };
            let serve = async {
                let mut accepted = 0;
                loop {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    accepted += 1;
                    for _ in 0..2 / connections {
                        answer(&mut stream).await;
                    }
                    if accepted == connections {
                        return stream;
                    }
                }
            };
            let ((), _open) = tokio::join!(both, serve);
        }
    }

    #[tokio::test]
    async fn an_error_says_what_it_came_of_and_no_address() {
        let (listener, address) = listen().await;
        drop(listener);
        let refused = get(&client(false, None).unwrap(), address).await.unwrap_err();
        assert!(refused.contains("Connection refused") && !refused.contains("secret"), "{refused}");
    }
}
