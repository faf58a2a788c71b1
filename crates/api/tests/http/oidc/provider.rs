//! A provider of log-ins that does wrong whatever a test wants. It checks of us what a provider checks: the secret, the address
//! to come back to, PKCE, and that a code is used once.

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Url;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

pub const CLIENT: &str = "pierhead";
pub const SECRET: &str = "open sesame: 5%";

/// How tokens are signed.
#[derive(Clone, Copy, PartialEq)]
pub enum Signing {
    Rightly,
    /// By `none`.
    Not,
    /// By HS256 with what is public of the key.
    ByWhatIsPublic,
    /// By a key that was never told of, under the name of one that was.
    ByAnother,
}

type Edit = Arc<dyn Fn(&mut Value) + Send + Sync>;

struct Code {
    challenge: String,
    redirect_uri: String,
    claims: Value,
}

struct Inner {
    url: String,
    key: Ed25519KeyPair,
    key_id: String,
    codes: HashMap<String, Code>,
    signing: Signing,
    /// Changes claims of tokens.
    edit: Edit,
    /// Changes the discovery document.
    discovery: Edit,
    /// What is told only to those who ask for more.
    more: Option<Value>,
    away: bool,
    leads_to: Option<String>,
    asked: BTreeMap<String, usize>,
}

#[derive(Clone)]
pub struct Provider(Arc<Mutex<Inner>>);

fn new_key() -> Ed25519KeyPair {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl Provider {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let provider = Self(Arc::new(Mutex::new(Inner {
            url: format!("http://{}", listener.local_addr().unwrap()),
            key: new_key(),
            key_id: "k1".to_owned(),
            codes: HashMap::new(),
            signing: Signing::Rightly,
            edit: Arc::new(|_| {}),
            discovery: Arc::new(|_| {}),
            more: None,
            away: false,
            leads_to: None,
            asked: BTreeMap::new(),
        })));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .route("/me", get(me))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    pub fn url(&self) -> String {
        self.with(|inner| inner.url.clone())
    }

    pub fn sign(&self, signing: Signing) {
        self.with(|inner| inner.signing = signing);
    }

    pub fn edit(&self, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.with(|inner| inner.edit = Arc::new(edit));
    }

    pub fn edit_discovery(&self, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.with(|inner| inner.discovery = Arc::new(edit));
    }

    pub fn tell_more(&self, more: Value) {
        self.with(|inner| inner.more = Some(more));
    }

    pub fn go_away(&self, away: bool) {
        self.with(|inner| inner.away = away);
    }

    /// Its tokens are elsewhere.
    pub fn lead_to(&self, url: &str) {
        self.with(|inner| inner.leads_to = Some(url.to_owned()));
    }

    /// Has another key from now on.
    pub fn rotate(&self, key_id: &str) {
        self.with(|inner| (inner.key, inner.key_id) = (new_key(), key_id.to_owned()));
    }

    pub fn asked(&self, path: &str) -> usize {
        self.with(|inner| inner.asked.get(path).copied().unwrap_or_default())
    }

    /// Somebody logs in there who was sent: the query with which they come back.
    pub fn log_in(&self, sent: &str, claims: Value) -> String {
        let sent = Url::parse(sent).unwrap();
        let query: HashMap<String, String> = sent.query_pairs().into_owned().collect();
        assert_eq!((query["response_type"].as_str(), query["client_id"].as_str()), ("code", CLIENT));
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"), "{}", query["scope"]);
        let mut claims = claims;
        claims["nonce"] = Value::from(query["nonce"].clone());
        let code = format!("c{}", text(rand::random::<[u8; 12]>()));
        let kept =
            Code { challenge: query["code_challenge"].clone(), redirect_uri: query["redirect_uri"].clone(), claims };
        self.with(|inner| inner.codes.insert(code.clone(), kept));
        let issuer = self.url().replace(':', "%3A").replace('/', "%2F");
        format!("state={}&code={code}&iss={issuer}&session_state=x", query["state"])
    }

    fn begin(&self, path: &str) -> Option<Response> {
        self.with(|inner| {
            *inner.asked.entry(path.to_owned()).or_default() += 1;
            inner.away.then(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
        })
    }
}

async fn discovery(State(provider): State<Provider>) -> Response {
    if let Some(away) = provider.begin("discovery") {
        return away;
    }
    let (url, edit) = provider.with(|inner| (inner.url.clone(), Arc::clone(&inner.discovery)));
    let mut document = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize?kept=1"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "userinfo_endpoint": format!("{url}/me"),
        "authorization_response_iss_parameter_supported": true,
    });
    edit(&mut document);
    Json(document).into_response()
}

async fn keys(State(provider): State<Provider>) -> Response {
    provider.begin("jwks").unwrap_or_else(|| {
        let (x, kid) = provider.with(|inner| (text(inner.key.public_key()), inner.key_id.clone()));
        Json(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": kid, "x": x }] })).into_response()
    })
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if let Some(away) = provider.begin("token") {
        return away;
    }
    if let Some(elsewhere) = provider.with(|inner| inner.leads_to.clone()) {
        return (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, elsewhere)]).into_response();
    }
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    // As it must be written there: name and secret escaped like a form.
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:open+sesame%3A+5%25")));
    if headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(basic.as_str()) {
        return refuse("invalid_client");
    }
    let Some(code) = provider.with(|inner| inner.codes.remove(&form["code"])) else { return refuse("invalid_grant") };
    let is_same = text(Sha256::digest(&form["code_verifier"])) == code.challenge;
    if form["grant_type"] != "authorization_code" || !is_same || form["redirect_uri"] != code.redirect_uri {
        return refuse("invalid_grant");
    }
    Json(json!({ "id_token": provider.token(code.claims), "access_token": "more", "token_type": "Bearer" }))
        .into_response()
}

impl Provider {
    fn token(&self, mut claims: Value) -> String {
        self.with(|inner| {
            claims["iss"] = Value::from(inner.url.clone());
            claims["aud"] = Value::from(CLIENT);
            claims["iat"] = Value::from(seconds());
            claims["exp"] = Value::from(seconds() + 300);
            (inner.edit)(&mut claims);
            let algorithm = match inner.signing {
                Signing::Rightly | Signing::ByAnother => "EdDSA",
                Signing::Not => "none",
                Signing::ByWhatIsPublic => "HS256",
            };
            let header = json!({ "alg": algorithm, "kid": inner.key_id });
            let signed = format!("{}.{}", text(header.to_string()), text(claims.to_string()));
            let signature = match inner.signing {
                Signing::Rightly => inner.key.sign(signed.as_bytes()).as_ref().to_vec(),
                Signing::ByAnother => new_key().sign(signed.as_bytes()).as_ref().to_vec(),
                Signing::Not => Vec::new(),
                Signing::ByWhatIsPublic => {
                    let key = hmac::Key::new(hmac::HMAC_SHA256, inner.key.public_key().as_ref());
                    hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
                }
            };
            format!("{signed}.{}", text(signature))
        })
    }
}

async fn me(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    if let Some(away) = provider.begin("me") {
        return away;
    }
    match provider.with(|inner| inner.more.clone()) {
        Some(more) if headers.get(AUTHORIZATION).is_some_and(|value| value == "Bearer more") => {
            Json(more).into_response()
        }
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}
