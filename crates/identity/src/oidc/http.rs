//! One HTTP exchange with a provider: short, bounded, and where it was asked. Follows nothing and tries nothing twice.

use super::address::Address;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// The longest that an exchange may take.
const LIMIT: Duration = Duration::from_secs(10);
/// The longest that a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The largest answer, in bytes.
const LARGEST: usize = 1 << 20;

/// Connections to a provider.
pub(super) struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// A whole answer.
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Http {
    /// With TLS the authorities count that the system trusts, or those of the file that `SSL_CERT_FILE` names.
    pub fn new(is_secure: bool) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if is_secure && roots.is_empty() {
            return Err("this system trusts no authority; name a file of them with SSL_CERT_FILE".to_owned());
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
        // Log-ins are rare: a connection that was kept would be one that is gone.
        client.pool_max_idle_per_host(0);
        Ok(Self(client.build(connector.wrap_connector(http))))
    }

    pub async fn get(&self, address: &Address, bearer: Option<&str>) -> Result<Answer, String> {
        let authorization = bearer.map(|bearer| format!("Bearer {bearer}"));
        self.send(Method::GET, address, String::new(), authorization).await
    }

    pub async fn post(&self, address: &Address, form: String, basic: Option<String>) -> Result<Answer, String> {
        self.send(Method::POST, address, form, basic).await
    }

    async fn send(
        &self,
        method: Method,
        address: &Address,
        body: String,
        authorization: Option<String>,
    ) -> Result<Answer, String> {
        let mut request = Request::builder().method(&method).uri(address.url().as_str());
        request = request.header(ACCEPT, "application/json").header(USER_AGENT, "pierhead");
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| format!("{address} can't be asked"))?;
        let exchange = async {
            let response = self.0.request(request).await.map_err(|error| root_cause(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LARGEST).collect().await;
            let body = body.map_err(|error| root_cause(error.as_ref()))?.to_bytes();
            Ok::<_, String>(Answer { status, body })
        };
        let answered = tokio::time::timeout(LIMIT, exchange).await;
        let answered = answered.unwrap_or_else(|_| Err(format!("nothing came within {} s", LIMIT.as_secs())));
        answered.map_err(|why| format!("{address} does not answer: {why}"))
    }
}

/// What everything came of.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
