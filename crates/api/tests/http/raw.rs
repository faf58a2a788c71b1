//! Requests as anybody can send them, and what is asked of every answer.

use pierhead_model::ContainerId;
use pierhead_store::Revision;
use pierhead_testkit::Cluster;
use pierhead_wire::ErrorBody;
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub retry_after: Option<String>,
    /// Of a log: since when its container is gone.
    pub gone_since: Option<String>,
    /// The session that a browser was given, with its attributes.
    pub cookie: Option<String>,
    pub link: Option<String>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The body of a refusal: that of every refusal has this form.
    pub fn refusal(&self) -> ErrorBody {
        assert!((400..600).contains(&self.status) && self.status != 500, "{self:?}");
        let body: ErrorBody = serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not an error: {self:?}"));
        assert!(!body.code.is_empty() && !body.message.is_empty(), "{self:?}");
        body
    }
}

/// Who sends requests, and with which headers.
#[derive(Clone)]
pub struct Sender {
    http: reqwest::Client,
    url: String,
    headers: Vec<(String, String)>,
}

impl Sender {
    pub fn nobody(cluster: &Cluster) -> Self {
        Self { http: reqwest::Client::new(), url: cluster.url().to_owned(), headers: Vec::new() }
    }

    pub fn admin(cluster: &Cluster) -> Self {
        Self::nobody(cluster).token(cluster.admin_token())
    }

    pub async fn user(cluster: &Cluster, name: &str) -> Self {
        Self::nobody(cluster).token(&cluster.user_token(name).await)
    }

    pub fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// The same at another server of the pool.
    pub fn at(self, url: String) -> Self {
        Self { url, ..self }
    }

    /// The same with a connection for each request.
    pub fn on_new_connections(mut self) -> Self {
        self.http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        self
    }

    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub async fn send(&self, method: &str, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.url)).body(body.into());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (location, retry_after) = (header("location"), header("retry-after"));
        let gone_since = header(pierhead_wire::GONE_SINCE);
        let (cookie, link, status) = (header("set-cookie"), header("link"), response.status().as_u16());
        Answer { status, location, retry_after, gone_since, cookie, link, text: response.text().await.unwrap() }
    }

    /// An answer that has begun; the body, which may have no end, is not read yet.
    pub async fn begun(&self, method: &str, path: &str, body: impl Into<Vec<u8>>) -> reqwest::Response {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.url)).body(body.into());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap()
    }

    /// Asks for a stream, of which the beginning has come.
    pub async fn open(&self, path: &str) -> reqwest::Response {
        let mut request = self.http.get(format!("{}{path}", self.url));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, body).await
    }
}

/// Everything that a refused request must leave as it is.
#[derive(Debug, PartialEq)]
pub struct Snapshot {
    records: BTreeMap<String, Revision>,
    containers: BTreeMap<ContainerId, &'static str>,
}

/// What people want and what runs; tokens and the events of log-ins are nobody's wish.
pub async fn snapshot(cluster: &Cluster) -> Snapshot {
    let mut records = BTreeMap::new();
    for prefix in [
        "spec/",
        "assignments/",
        "operations/",
        "accounts/",
        "roles/",
        "idempotency/",
        "environments/",
        "workspaces/",
        "saves/",
        "labs/",
        "lab-history/",
        "lab-images",
        "preview-tickets/",
    ] {
        let listing = cluster.controller().store().list_all(prefix).await.unwrap();
        records.extend(listing.entries.into_iter().map(|entry| (entry.key.to_string(), entry.modified)));
    }
    let containers = cluster.hosts().flat_map(|(_, host)| host.look());
    Snapshot { records, containers: containers.map(|found| (found.id, found.state.as_str())).collect() }
}

/// The JSON of a sample's description.
pub fn sample() -> String {
    serde_json::to_string(&pierhead_testkit::sample()).unwrap()
}
