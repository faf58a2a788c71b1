//! Log-in by OpenID Connect: where somebody is sent, and who they are by what the provider says of them afterwards. Here it is
//! asked and judged what the provider says; whether an account may be entered so, others know.
//!
//! Nothing is asked but the issuer and the addresses that its discovery names.

mod address;
mod http;
mod keys;
mod metadata;
mod name;
mod token;

pub use name::{NameProblem, OidcPerson};
pub use token::TokenError;

use address::Address;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Http;
use keys::Keys;
use metadata::Metadata;
use pierhead_model::{RoleName, Timestamp};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use token::Expected;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::form_urlencoded;

/// How long somebody may be at the provider until they come back, in milliseconds.
const LOG_IN_MS: u64 = 600_000;
/// How old what the provider tells of itself gets before it is asked anew, in milliseconds.
const FRESH_MS: u64 = 3_600_000;
/// How old it may get while the provider does not answer, in milliseconds.
const USABLE_MS: u64 = 24 * FRESH_MS;

/// How people log in by a provider.
#[derive(Clone)]
pub struct OidcSettings {
    /// The provider, as it calls itself.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// With what it shows that it is that; none for a public client.
    pub client_secret: Option<String>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that holds the name of the account.
    pub claim: String,
    /// The domains whose addresses (`li@school.example`) are those of accounts (`li`).
    pub domains: Vec<String>,
    /// The role of accounts that are made for whoever has none; none are made without.
    pub create: Option<RoleName>,
    /// What people call the provider.
    pub name: String,
}

impl fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, client_id, .. } = self;
        f.debug_struct("OidcSettings").field("issuer", issuer).field("client_id", client_id).finish_non_exhaustive()
    }
}

/// A log-in that was begun: what must come back with whoever comes back. It is a secret of their browser.
#[derive(Clone, Serialize, Deserialize)]
pub struct OidcLogIn {
    /// Tells this log-in from all others.
    pub state: String,
    nonce: String,
    verifier: String,
    redirect_uri: String,
    /// Where they want to go.
    pub goal: String,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

impl fmt::Debug for OidcLogIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcLogIn").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Why a provider does not say who somebody is.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// It can't be asked, or what it answers can't be used.
    #[error("{0}")]
    Away(String),
    /// It does not take the code that the browser brought: it was used, or is too old.
    #[error("the provider does not take the code: it was used, or is too old")]
    Code,
    /// The browser was sent by another provider.
    #[error("the answer is not of the provider that was asked")]
    OtherProvider,
    /// What it says about somebody can't be believed.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// A provider of log-ins.
pub struct OidcProvider {
    settings: OidcSettings,
    issuer: Address,
    http: Http,
    known: Mutex<Known>,
}

impl fmt::Debug for OidcProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcProvider").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What the provider told of itself.
#[derive(Default)]
struct Known {
    metadata: Option<Told<Metadata>>,
    keys: Option<Told<Keys>>,
    /// When it was asked in vain last, and what came of it.
    failed: Option<(Instant, String)>,
}

struct Told<T> {
    at: Timestamp,
    what: Arc<T>,
}

impl<T> Told<T> {
    fn new(what: T, at: Timestamp) -> Self {
        Self { at, what: Arc::new(what) }
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
    #[serde(default)]
    access_token: Option<String>,
}

impl OidcProvider {
    /// A provider by its settings. Nothing is asked of it yet.
    ///
    /// # Errors
    /// Says which setting is wrong, and the accepted form.
    pub fn new(settings: OidcSettings) -> Result<Self, String> {
        let issuer = Address::of_issuer(&settings.issuer)?;
        let http = Http::new(issuer.is_secure())?;
        Ok(Self { settings, issuer, http, known: Mutex::default() })
    }

    /// How people log in by it.
    #[must_use]
    pub fn settings(&self) -> &OidcSettings {
        &self.settings
    }

    /// Begins a log-in that comes back to an address of this server: where the browser is sent, and what it keeps meanwhile.
    ///
    /// # Errors
    /// [`OidcError::Away`].
    pub async fn begin(
        &self,
        redirect_uri: &str,
        goal: &str,
        now: Timestamp,
    ) -> Result<(String, OidcLogIn), OidcError> {
        let metadata = self.metadata(now).await?;
        let log_in = OidcLogIn {
            state: secret(),
            nonce: secret(),
            verifier: secret(),
            redirect_uri: redirect_uri.to_owned(),
            goal: goal.to_owned(),
            expires_at: now.plus(LOG_IN_MS),
        };
        let mut url = metadata.authorization.url().clone();
        let scopes = std::iter::once("openid").chain(self.settings.scopes.iter().map(String::as_str));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &scopes.collect::<Vec<_>>().join(" "))
            .append_pair("state", &log_in.state)
            .append_pair("nonce", &log_in.nonce)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(&log_in.verifier)))
            .append_pair("code_challenge_method", "S256");
        Ok((url.into(), log_in))
    }

    /// Who came back with a code. `issuer` is what the answer itself says it is of.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn finish(
        &self,
        log_in: &OidcLogIn,
        code: &str,
        issuer: Option<&str>,
        now: Timestamp,
    ) -> Result<OidcPerson, OidcError> {
        let metadata = self.metadata(now).await?;
        if issuer.map_or(metadata.names_itself, |issuer| issuer != self.settings.issuer) {
            return Err(OidcError::OtherProvider);
        }
        let answer = self.exchange(&metadata, log_in, code).await?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: &log_in.nonce,
            now_s: now.0 / 1_000,
        };
        let keys = self.keys(&metadata, None, now).await?;
        let verified = match token::verify(&answer.id_token, &keys, &expected) {
            // The provider may have a new one.
            Err(TokenError::NoKey) => {
                let keys = self.keys(&metadata, Some(&keys), now).await?;
                token::verify(&answer.id_token, &keys, &expected)
            }
            verified => verified,
        };
        let claims = self.with_more(&metadata, verified?, answer.access_token.as_deref()).await?;
        OidcPerson::of(&claims, &self.settings).ok_or(OidcError::Token(TokenError::Subject))
    }

    async fn exchange(&self, metadata: &Metadata, log_in: &OidcLogIn, code: &str) -> Result<TokenAnswer, OidcError> {
        let (form, basic) = self.asked(metadata, log_in, code);
        let answer = self.http.post(&metadata.token, form, basic).await.map_err(OidcError::Away)?;
        if answer.status.is_success() {
            let unreadable = |_| OidcError::Away(format!("{} answers no token", metadata.token));
            return serde_json::from_slice(&answer.body).map_err(unreadable);
        }
        let said: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
        match said.get("error").and_then(Value::as_str) {
            Some("invalid_grant") => Err(OidcError::Code),
            error => Err(OidcError::Away(format!(
                "{} answers {}{}",
                metadata.token,
                answer.status,
                error.map(|error| format!(" ({})", excerpt(error))).unwrap_or_default()
            ))),
        }
    }

    /// What is asked for a code, and the header with which this server shows who it is.
    fn asked(&self, metadata: &Metadata, log_in: &OidcLogIn, code: &str) -> (String, Option<String>) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &log_in.redirect_uri)
            .append_pair("code_verifier", &log_in.verifier);
        let OidcSettings { client_id, client_secret, .. } = &self.settings;
        let mut basic = None;
        match client_secret {
            Some(secret) if metadata.takes_basic => {
                let escaped = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = STANDARD.encode(format!("{}:{}", escaped(client_id), escaped(secret)));
                basic = Some(format!("Basic {pair}"));
            }
            Some(secret) => {
                form.append_pair("client_id", client_id).append_pair("client_secret", secret);
            }
            None => {
                form.append_pair("client_id", client_id);
            }
        }
        (form.finish(), basic)
    }

    /// With what the provider tells only if it is asked, where the token lacks it.
    async fn with_more(
        &self,
        metadata: &Metadata,
        mut claims: Map<String, Value>,
        access_token: Option<&str>,
    ) -> Result<Map<String, Value>, OidcError> {
        let (Some(place), Some(access_token)) = (&metadata.userinfo, access_token) else { return Ok(claims) };
        if claims.contains_key(&self.settings.claim) {
            return Ok(claims);
        }
        let answer = self.http.get(place, Some(access_token)).await.map_err(OidcError::Away)?;
        let said = serde_json::from_slice::<Map<String, Value>>(&answer.body).ok();
        let said = said.filter(|_| answer.status.is_success());
        let said = said.ok_or_else(|| OidcError::Away(format!("{place} answers {}, or no object", answer.status)))?;
        // Else it might be about somebody else.
        if said.get("sub") != claims.get("sub") {
            return Err(TokenError::Subject.into());
        }
        for (name, value) in said {
            claims.entry(name).or_insert(value);
        }
        Ok(claims)
    }

    /// What the provider tells of itself.
    async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, OidcError> {
        let asked = Instant::now();
        let mut known = self.known.lock().await;
        let old = known.metadata.as_ref().map(|told| (now.since(told.at), Arc::clone(&told.what)));
        if let Some((age, told)) = &old
            && *age < FRESH_MS
        {
            return Ok(Arc::clone(told));
        }
        let failure = match &known.failed {
            // Somebody asked while this one waited: it need not be found out again.
            Some((at, why)) if *at >= asked => why.clone(),
            _ => match Metadata::ask(&self.http, &self.issuer, &self.settings.issuer).await {
                Ok(metadata) => {
                    let told = Told::new(metadata, now);
                    let metadata = Arc::clone(&told.what);
                    *known = Known { metadata: Some(told), keys: known.keys.take(), failed: None };
                    return Ok(metadata);
                }
                Err(why) => {
                    known.failed = Some((Instant::now(), why.clone()));
                    why
                }
            },
        };
        old.filter(|(age, _)| *age < USABLE_MS).map(|(_, told)| told).ok_or(OidcError::Away(failure))
    }

    /// The provider's keys; others than those that lack one.
    async fn keys(
        &self,
        metadata: &Metadata,
        lacking: Option<&Arc<Keys>>,
        now: Timestamp,
    ) -> Result<Arc<Keys>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some(told) = &known.keys
            && now.since(told.at) < FRESH_MS
            && lacking.is_none_or(|lacking| !Arc::ptr_eq(lacking, &told.what))
        {
            return Ok(Arc::clone(&told.what));
        }
        let answer = self.http.get(&metadata.keys, None).await.map_err(OidcError::Away)?;
        let keys = Some(answer.body).filter(|_| answer.status.is_success()).and_then(|body| Keys::parse(&body));
        let keys = keys.ok_or_else(|| OidcError::Away(format!("{} answers no keys", metadata.keys)))?;
        let told = Told::new(keys, now);
        let keys = Arc::clone(&told.what);
        known.keys = Some(told);
        Ok(keys)
    }
}

/// 256 random bits as text.
fn secret() -> String {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The beginning of what a provider says, without anything that does not belong into a line.
fn excerpt(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(secret: &str) -> OidcProvider {
        OidcProvider::new(OidcSettings {
            // Nobody can listen there.
            issuer: "http://127.0.0.1:0".to_owned(),
            client_id: "pierhead".to_owned(),
            client_secret: Some(secret.to_owned()),
            scopes: Vec::new(),
            claim: "preferred_username".to_owned(),
            domains: Vec::new(),
            create: None,
            name: "School".to_owned(),
        })
        .unwrap()
    }

    #[tokio::test]
    async fn a_provider_that_is_not_there_is_away() {
        let provider = provider("sesame");
        for _ in 0..2 {
            let refused = provider.begin("http://pool.example/auth/oidc/back", "/", Timestamp(5)).await.unwrap_err();
            assert!(matches!(&refused, OidcError::Away(why) if why.contains("openid-configuration")), "{refused:?}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let log_in = OidcLogIn {
            state: "sesame-1".to_owned(),
            nonce: "sesame-2".to_owned(),
            verifier: "sesame-3".to_owned(),
            redirect_uri: String::new(),
            goal: String::new(),
            expires_at: Timestamp(5),
        };
        let shown = format!("{:?} {log_in:?}", provider("sesame"));
        assert!(!shown.contains("sesame") && shown.contains("pierhead"), "{shown}");
        assert!(secret() != secret() && secret().len() == 43);
    }
}
