//! One HTTP exchange with a provider: short, bounded, and where it was asked. Follows nothing and tries nothing twice.

use super::address::Address;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use pierhead_outbound::{HttpsClient, client, root_cause};
use std::time::Duration;

/// The longest that an exchange may take.
const LIMIT: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const LARGEST: usize = 1 << 20;

/// Connections to a provider.
pub(super) struct Http(HttpsClient);

/// A whole answer.
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Http {
    /// With TLS the authorities count that the system trusts, or those of the file that `SSL_CERT_FILE` names.
    pub fn new(is_secure: bool) -> Result<Self, String> {
        // Log-ins are rare: a connection that was kept would be one that is gone.
        client(is_secure, None).map(Self)
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
