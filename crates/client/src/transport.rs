//! One request to whichever controller answers: addresses in turn, a bounded number of rounds, the same key each time.
//!
//! A request is tried again only if its answer was lost, or one of several controllers does not know what came of it since
//! it is cut off from the store; any other answer is never second-guessed. Every change carries its key, so that trying it
//! again cannot do it twice.

use crate::connection::{Connections, Lost, OutBody, Response, TookTooLong, Upgrade};
use crate::error::{refused_certificate, root_cause};
use crate::trust::client_config;
use crate::{Addresses, Answer, Authority, Change, ClientError, Wait};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, header};
use pierhead_wire::ErrorBody;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// How often the whole list of addresses is tried.
const ROUNDS: u32 = 3;
/// The pause before the second round; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest that an answer may take, beyond what the controller was asked to wait.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// How it shows its token, unless told otherwise.
const BEARER: &str = "Bearer";
/// What it calls itself; log-ins are listed by it.
const PROGRAM: &str = concat!("pierhead/", env!("CARGO_PKG_VERSION"));

/// A client of the controllers of one pool.
#[derive(Clone)]
pub struct Client {
    http: Connections,
    addresses: Addresses,
    token: Option<String>,
    /// The scheme of the header that the token goes in.
    scheme: &'static str,
    /// How many entries of a list are asked for, at most; all of them if none.
    most: Option<u16>,
}

/// The bytes of a request's body: JSON.
pub(crate) type Body = Vec<u8>;

/// One request, wherever it is sent.
pub(crate) struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Body>,
    key: Option<String>,
    headers: Vec<(&'static str, String)>,
    /// `None` if nobody knows how long the answer takes.
    limit: Option<Duration>,
}

/// What was heard at one address.
enum Heard<T> {
    Answer(T),
    /// That it can't, at least this controller or what stands before it.
    Unable(Reply),
}

/// What a controller answered, if it is a success.
pub(crate) struct Reply {
    pub(crate) status: u16,
    url: Url,
    location: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// A client that logs in with `token`, or not at all. Certificates must be of an authority that the system trusts.
    ///
    /// # Errors
    /// [`ClientError::SetUp`] if TLS does not work at all.
    pub fn new(addresses: Addresses, token: Option<String>) -> Result<Self, ClientError> {
        Self::trusting(addresses, token, None)
    }

    /// The same; certificates must be of the given authority, if one is given, and of no other.
    ///
    /// # Errors
    /// [`ClientError::SetUp`] if TLS does not work at all.
    pub fn trusting(
        addresses: Addresses,
        token: Option<String>,
        authority: Option<&Authority>,
    ) -> Result<Self, ClientError> {
        let http = Connections::new(client_config(&addresses, authority)?);
        Ok(Self { http, addresses, token, scheme: BEARER, most: None })
    }

    /// The same client, which shows what it was given as its token by another scheme of the header `Authorization`.
    #[must_use]
    pub fn with_scheme(self, scheme: &'static str) -> Self {
        Self { scheme, ..self }
    }

    /// Where it asks.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// How old the last answer to this client or a clone of it may be, since the store of the controller does not answer;
    /// `None` if it is not.
    #[must_use]
    pub fn stale(&self) -> Option<Duration> {
        self.http.stale()
    }

    /// The same client, but its lists hold only their first entries, this many. None for all of them; controllers take
    /// 1 to 1000.
    #[must_use]
    pub fn at_most(&self, entries: Option<u16>) -> Self {
        Self { most: entries, ..self.clone() }
    }

    /// Asks for a list.
    pub(crate) async fn list<T: DeserializeOwned>(&self, call: Call) -> Result<Answer<Vec<T>>, ClientError> {
        self.send(&call.query_if("limit", self.most)).await?.read()
    }

    /// Asks and reads the whole answer.
    pub(crate) async fn send(&self, call: &Call) -> Result<Reply, ClientError> {
        self.try_each(call, Reply::whole).await?.checked()
    }

    /// Asks and hands out the answer while it is still coming.
    pub(crate) async fn open(&self, call: &Call) -> Result<Response, ClientError> {
        let response = self.try_each(call, async |response| Ok(response)).await?;
        if (200..300).contains(&response.status) {
            return Ok(response);
        }
        let (status, url) = (response.status, response.url.clone());
        let body = response.bytes().await.unwrap_or_default();
        Err(Reply { status, url, location: None, body }.refusal())
    }

    /// Asks for another protocol on a path, with these headers.
    pub(crate) async fn upgrade(
        &self,
        call: &Call,
        headers: &[(HeaderName, String)],
    ) -> Result<(HeaderMap, Upgraded), ClientError> {
        let mut last = None;
        for base in self.addresses.iter() {
            let url = call.url(base)?;
            let mut request = self.request(&url, call, known(None))?;
            for (name, value) in headers {
                let value =
                    HeaderValue::from_str(value).map_err(|error| ClientError::SetUp { why: error.to_string() })?;
                request.headers_mut().insert(name, value);
            }
            let asked = tokio::time::timeout(ANSWER_LIMIT, self.http.upgrade(&url, request)).await;
            match asked.unwrap_or_else(|_| Err(TookTooLong.into())) {
                Ok(Upgrade::Open(headers, upgraded)) => return Ok((headers, upgraded)),
                Ok(Upgrade::Refused(response)) => {
                    let (status, url) = (response.status, response.url.clone());
                    let body = response.bytes().await.unwrap_or_default();
                    return Err(Reply { status, url, location: None, body }.refusal());
                }
                Err(error) => last = Some((base, error)),
            }
        }
        let (base, error) = last.expect("a list of addresses is never empty");
        Err(match refused_certificate(&*error) {
            Some(refused) => ClientError::untrusted(base, refused),
            None => ClientError::unreachable(base, root_cause(&*error)),
        })
    }

    /// The first answer of any address that `read` gets hold of.
    async fn try_each<T>(
        &self,
        call: &Call,
        read: impl AsyncFn(Response) -> Result<T, hyper::Error>,
    ) -> Result<T, ClientError> {
        let mut last = None;
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(round - 1)).await;
            }
            let (mut are_all_silent, mut unable) = (true, None);
            for base in self.addresses.iter() {
                let url = call.url(base)?;
                let request = self.request(&url, call, known(call.body.clone()))?;
                let exchange = async {
                    let response = self.http.ask(&url, request).await?;
                    Ok(match response.status {
                        502..=504 => Heard::Unable(Reply::whole(response).await?),
                        _ => Heard::Answer(read(response).await?),
                    })
                };
                let outcome: Result<Heard<T>, Lost> = match call.limit {
                    Some(limit) => tokio::time::timeout(limit, exchange).await.unwrap_or(Err(TookTooLong.into())),
                    None => exchange.await,
                };
                match outcome {
                    Ok(Heard::Answer(value)) => return Ok(value),
                    Ok(Heard::Unable(reply)) if reply.may_be_known_elsewhere() => unable = Some(reply),
                    Ok(Heard::Unable(reply)) => return Err(reply.refusal()),
                    Err(error) => {
                        are_all_silent &= error.is::<TookTooLong>();
                        last = Some((base, error));
                    }
                }
            }
            if let Some(reply) = unable {
                return Err(reply.refusal());
            }
            // Everybody was waited for long enough.
            if are_all_silent {
                break;
            }
            // A certificate gets no better by looking at it again.
            if last.as_ref().is_some_and(|(_, error)| refused_certificate(&**error).is_some()) {
                break;
            }
        }
        let (base, error) = last.expect("a list of addresses is never empty");
        Err(match refused_certificate(&*error) {
            Some(refused) => ClientError::untrusted(base, refused),
            None => ClientError::unreachable(base, root_cause(&*error)),
        })
    }

    /// Sends a body that can't be sent twice: to the first controller that is there.
    pub(crate) async fn send_body(&self, call: &Call, body: OutBody) -> Result<Reply, ClientError> {
        let base = self.first_that_answers().await?;
        let url = call.url(base)?;
        let request = self.request(&url, call, body)?;
        let exchange = async { Ok::<Reply, Lost>(Reply::whole(self.http.ask(&url, request).await?).await?) };
        exchange.await.map_err(|error| ClientError::unreachable(base, root_cause(&*error)))?.checked()
    }

    /// The address of a controller that is there; its answer may be a refusal.
    async fn first_that_answers(&self) -> Result<&Url, ClientError> {
        let mut last = None;
        for base in self.addresses.iter() {
            let only =
                Self { http: self.http.clone(), addresses: self.addresses.only(base), token: None, ..self.clone() };
            match only.health().await {
                Ok(_) | Err(ClientError::Refused { .. }) => return Ok(base),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("a list of addresses is never empty"))
    }

    fn request(&self, url: &Url, call: &Call, body: OutBody) -> Result<Request<OutBody>, ClientError> {
        let mut request = Request::builder().method(call.method.clone()).uri(url.as_str());
        request = request.header(header::USER_AGENT, PROGRAM);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("{} {token}", self.scheme));
        }
        if let Some(key) = &call.key {
            request = request.header("Idempotency-Key", key);
        }
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if call.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(body).map_err(|error| ClientError::SetUp { why: error.to_string() })
    }
}

fn known(body: Option<Body>) -> OutBody {
    Full::new(Bytes::from(body.unwrap_or_default())).map_err(|never| match never {}).boxed_unsync()
}

impl Call {
    pub(crate) fn new(method: Method, path: &[&str]) -> Self {
        let path = path.iter().map(|&part| part.to_owned()).collect();
        Self { method, path, query: Vec::new(), body: None, key: None, headers: Vec::new(), limit: Some(ANSWER_LIMIT) }
    }

    pub(crate) fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &[&str]) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn delete(path: &[&str]) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    pub(crate) fn query_if(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn keyed(mut self, key: String) -> Self {
        self.key = Some(key);
        self
    }

    /// The controller may take this many seconds on purpose.
    pub(crate) fn waiting(mut self, seconds: u32) -> Self {
        self.limit = Some(ANSWER_LIMIT + Duration::from_secs(u64::from(seconds)));
        self.query("wait", seconds)
    }

    pub(crate) fn unlimited(mut self) -> Self {
        self.limit = None;
        self
    }

    pub(crate) fn for_change(self, change: &Change) -> Self {
        let call = self.keyed(change.key.clone());
        match change.wait {
            Wait::UntilEnded => call.unlimited(),
            Wait::Seconds(seconds) => call.waiting(seconds),
        }
    }

    fn url(&self, base: &Url) -> Result<Url, ClientError> {
        let mut url = base.clone();
        {
            let mut segments = url.path_segments_mut().expect("an http URL has a path");
            segments.pop_if_empty();
            for part in &self.path {
                // These silently vanish from a path, and the request would be about something else.
                if matches!(part.as_str(), "" | "." | "..") || part.contains(char::is_control) {
                    return Err(ClientError::ParseName(part.clone()));
                }
                segments.push(part);
            }
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }
}

impl Reply {
    async fn whole(response: Response) -> Result<Self, hyper::Error> {
        let (status, url, location) = (response.status, response.url.clone(), response.location.clone());
        Ok(Self { status, url, location, body: response.bytes().await? })
    }

    /// Whether another controller may have a better answer: this one does not reach the store, or it was not even asked.
    fn may_be_known_elsewhere(&self) -> bool {
        let told = serde_json::from_slice::<ErrorBody>(&self.body);
        told.map_or(true, |body| body.code == "store_unavailable")
    }

    fn checked(self) -> Result<Self, ClientError> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(self.refusal()) }
    }

    fn refusal(self) -> ClientError {
        match serde_json::from_slice::<ErrorBody>(&self.body) {
            Ok(body) => ClientError::Refused { status: self.status, body: Box::new(body) },
            Err(_) => self.odd(format!("status {} without a reason", self.status)),
        }
    }

    fn odd(&self, why: String) -> ClientError {
        ClientError::ReadAnswer { url: self.url.to_string(), why }
    }

    /// The JSON of the answer.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<Answer<T>, ClientError> {
        let Self { url, body, .. } = self;
        Answer::read(body).map_err(|why| ClientError::ReadAnswer { url: url.to_string(), why })
    }

    /// The text of the answer.
    pub(crate) fn text(self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The id of the operation that the answer is from.
    pub(crate) fn operation(&self) -> Option<String> {
        let id = self.location.as_deref()?.rsplit_once("/api/operations/")?.1;
        (!id.is_empty()).then(|| id.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_controller_that_hangs_is_waited_for_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Addresses::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let called = tokio::spawn(async move {
            let mut calls = Vec::new();
            // They stay open, and nothing is answered.
            while let Ok(Ok((call, _))) = tokio::time::timeout(Duration::from_secs(2), listener.accept()).await {
                calls.push(call);
            }
            calls.len()
        });
        let client = Client::new(address, None).unwrap();
        let call = Call { limit: Some(Duration::from_millis(100)), ..Call::get(&["api", "engines"]) };
        let failed = client.send(&call).await.err().unwrap().to_string();
        assert!(failed.contains("no answer in time"), "{failed}");
        assert_eq!(called.await.unwrap(), 1);
    }
}
