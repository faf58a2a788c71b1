//! How a provider is asked: what is kept of it and for how long, what it may answer, and what this server shows of itself.
#![cfg(test)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pierhead_identity::{OidcError, OidcLogIn, OidcPerson, OidcProvider, OidcSettings, TokenError};
use pierhead_model::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const BACK: &str = "https://pool.example/auth/oidc/back";
const NOW: Timestamp = Timestamp(1_795_299_000_000);
const HOUR_MS: u64 = 3_600_000;

/// A request as it came.
#[derive(Debug, Clone)]
struct Asked {
    path: String,
    authorization: Option<String>,
    form: HashMap<String, String>,
}

/// What is answered at a path: a status and a body.
type Answers = HashMap<&'static str, (u16, String)>;

/// A server that answers what a test says.
#[derive(Clone)]
struct Server {
    url: String,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, answers: Arc::default(), asked: Arc::default() };
        server.answer("/.well-known/openid-configuration", 200, server.discovery(&[]).to_string());
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                // Whoever hangs up in the middle hangs up.
                tokio::spawn(async move { serving.exchange(stream).await.ok() });
            }
        });
        server
    }

    fn discovery(&self, more: &[(&str, Value)]) -> Value {
        let at = |path: &str| Value::from(format!("{}{path}", self.url));
        let mut document = json!({ "issuer": self.url, "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"), "jwks_uri": at("/jwks") });
        for (name, value) in more {
            document[*name] = value.clone();
        }
        document
    }

    fn answer(&self, path: &'static str, status: u16, body: String) {
        self.answers.lock().unwrap().insert(path, (status, body));
    }

    /// Nothing but failures from now on.
    fn go_away(&self) {
        for answer in self.answers.lock().unwrap().values_mut() {
            answer.0 = 503;
        }
    }

    fn times(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path == path).count()
    }

    fn last(&self, path: &str) -> Asked {
        self.asked.lock().unwrap().iter().rfind(|asked| asked.path == path).unwrap().clone()
    }

    async fn exchange(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.trim().to_owned());
        }
        let header = |wanted: &str| {
            let found = lines.iter().filter_map(|line| line.split_once(':'));
            found
                .into_iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.trim().to_owned())
        };
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
        let form = url::form_urlencoded::parse(&body).into_owned().collect();
        self.asked.lock().unwrap().push(Asked { path: path.clone(), authorization: header("authorization"), form });
        let answer = self.answers.lock().unwrap().get(path.as_str()).cloned();
        let (status, text) = answer.unwrap_or((404, String::new()));
        let answer =
            format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len());
        stream.get_mut().write_all(answer.as_bytes()).await?;
        stream.get_mut().shutdown().await
    }

    fn provider(&self, secret: Option<&str>) -> OidcProvider {
        OidcProvider::new(OidcSettings {
            issuer: self.url.clone(),
            client_id: "pier head".to_owned(),
            client_secret: secret.map(str::to_owned),
            scopes: vec!["profile".to_owned(), "groups".to_owned()],
            claim: "preferred_username".to_owned(),
            domains: Vec::new(),
            create: None,
            name: "School".to_owned(),
        })
        .unwrap()
    }

    /// Publishes a key, and answers codes with a token by it.
    fn sign(&self, key: &Ed25519KeyPair, nonce: &str, now: Timestamp) {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let published = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": text(key.public_key().as_ref()) });
        self.answer("/jwks", 200, json!({ "keys": [published] }).to_string());
        self.answer_by(key, nonce, now);
    }

    fn answer_by(&self, key: &Ed25519KeyPair, nonce: &str, now: Timestamp) {
        let text = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "iss": self.url, "aud": "pier head", "sub": "42", "preferred_username": "li",
            "nonce": nonce, "iat": now.0 / 1_000, "exp": now.0 / 1_000 + 60 });
        let signed = format!("{}.{}", text(json!({ "alg": "EdDSA", "kid": "k" })), text(claims));
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())));
        self.answer("/token", 200, json!({ "id_token": token }).to_string());
    }
}

fn key() -> Ed25519KeyPair {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
}

/// The parameters of the address that a browser is sent to.
fn sent(address: &str) -> HashMap<String, String> {
    url::Url::parse(address).unwrap().query_pairs().into_owned().collect()
}

async fn begun(provider: &OidcProvider, now: Timestamp) -> (HashMap<String, String>, OidcLogIn) {
    let (address, log_in) = provider.begin(BACK, "/", now).await.unwrap();
    (sent(&address), log_in)
}

fn is_away(result: Result<OidcPerson, OidcError>, told: &str) {
    match result {
        Err(OidcError::Away(why)) => assert!(why.contains(told), "{told}: {why}"),
        other => panic!("{told}: {other:?}"),
    }
}

#[tokio::test]
async fn a_browser_is_sent_with_all_that_must_come_back() {
    let server = Server::start().await;
    let provider = server.provider(Some("sesame"));
    let ((one, log_in), (other, _)) = (begun(&provider, NOW).await, begun(&provider, NOW).await);
    assert_eq!((one["response_type"].as_str(), one["client_id"].as_str()), ("code", "pier head"));
    assert_eq!((one["redirect_uri"].as_str(), one["scope"].as_str()), (BACK, "openid profile groups"));
    assert_eq!((one["code_challenge_method"].as_str(), &one["state"]), ("S256", &log_in.state));
    for field in ["state", "nonce", "code_challenge"] {
        assert!(one[field] != other[field] && one[field].len() >= 43, "{field}");
    }
    assert_eq!(log_in.expires_at, NOW.plus(600_000));
    let kept: Value = serde_json::to_value(&log_in).unwrap();
    assert!(!one.values().any(|value| kept["verifier"] == value.as_str()), "that stays with the browser");
}

#[tokio::test]
async fn what_it_tells_of_itself_is_kept_for_an_hour_and_for_a_day_while_it_is_away() {
    const PLACE: &str = "/.well-known/openid-configuration";
    let server = Server::start().await;
    let provider = server.provider(None);
    for (after_ms, times) in [(0, 1), (HOUR_MS - 1, 1), (HOUR_MS, 2), (HOUR_MS + 5, 2)] {
        begun(&provider, NOW.plus(after_ms)).await;
        assert_eq!(server.times(PLACE), times, "{after_ms}");
    }
    server.go_away();
    begun(&provider, NOW.plus(20 * HOUR_MS)).await;
    assert_eq!(server.times(PLACE), 3, "it was asked, and what it said before still counts");
    let refused = provider.begin(BACK, "/", NOW.plus(26 * HOUR_MS)).await.unwrap_err();
    assert!(matches!(&refused, OidcError::Away(why) if why.contains("503")), "{refused:?}");
}

#[tokio::test]
async fn a_key_that_is_no_more_counts_for_an_hour_at_most() {
    let server = Server::start().await;
    let provider = server.provider(None);
    let (old, new) = (key(), key());
    let (one, log_in) = begun(&provider, NOW).await;
    server.sign(&old, &one["nonce"], NOW);
    assert_eq!(provider.finish(&log_in, "c", None, NOW).await.unwrap().name.unwrap().as_str(), "li");
    // Another key by the same name is published; whoever has the old one goes on signing.
    server.sign(&new, &one["nonce"], NOW);
    server.answer_by(&old, &one["nonce"], NOW);
    assert!(provider.finish(&log_in, "c", None, NOW).await.is_ok(), "nobody has looked yet");
    let later = NOW.plus(HOUR_MS);
    let (two, log_in) = begun(&provider, later).await;
    server.answer_by(&old, &two["nonce"], later);
    let refused = provider.finish(&log_in, "c", None, later).await;
    assert!(matches!(refused, Err(OidcError::Token(TokenError::Signature))), "{refused:?}");
    assert_eq!(server.times("/jwks"), 2);
}

#[tokio::test]
async fn this_server_shows_who_it_is_as_the_provider_wants_it() {
    let server = Server::start().await;
    let ask = async |secret: Option<&str>| {
        let provider = server.provider(secret);
        let (one, log_in) = begun(&provider, NOW).await;
        server.sign(&key(), &one["nonce"], NOW);
        provider.finish(&log_in, "the code", None, NOW).await.unwrap();
        let asked = server.last("/token");
        assert_eq!(
            (asked.form["grant_type"].as_str(), asked.form["code"].as_str()),
            ("authorization_code", "the code")
        );
        assert_eq!((asked.form["redirect_uri"].as_str(), asked.form["code_verifier"].len()), (BACK, 43));
        asked
    };
    let basic = ask(Some("50% & more")).await;
    let header = STANDARD.encode("pier+head:50%25+%26+more");
    assert_eq!(basic.authorization, Some(format!("Basic {header}")));
    assert!(!basic.form.contains_key("client_secret"), "{basic:?}");
    let public = ask(None).await;
    assert_eq!((public.authorization, public.form["client_id"].as_str()), (None, "pier head"));
    let methods = json!(["client_secret_post", "private_key_jwt"]);
    let document = server.discovery(&[("token_endpoint_auth_methods_supported", methods)]);
    server.answer("/.well-known/openid-configuration", 200, document.to_string());
    let posted = ask(Some("50% & more")).await;
    assert_eq!((posted.authorization, posted.form["client_secret"].as_str()), (None, "50% & more"));
}

#[tokio::test]
async fn an_answer_that_is_none_is_told_and_repeats_no_secret() {
    let server = Server::start().await;
    let provider = server.provider(Some("sesame"));
    let (one, log_in) = begun(&provider, NOW).await;
    server.sign(&key(), &one["nonce"], NOW);
    let good = server.answers.lock().unwrap().clone();
    for (path, status, body, told) in [
        ("/token", 200, "no object", "/token answers no token"),
        ("/token", 200, "{\"access_token\":\"x\"}", "/token answers no token"),
        ("/token", 401, "{\"error\":\"invalid_client\"}", "(invalid_client)"),
        ("/token", 500, "<html>", "/token answers 500"),
        ("/token", 302, "", "/token answers 302"),
        ("/jwks", 200, "[]", "/jwks answers no keys"),
        ("/jwks", 404, "{\"keys\":[]}", "/jwks answers no keys"),
        ("/jwks", 200, &"x".repeat(2 << 20), "/jwks does not answer"),
    ] {
        server.answer(path, status, body.to_owned());
        let result = server.provider(Some("sesame")).finish(&log_in, "c", None, NOW).await;
        assert!(!format!("{result:?}").contains("sesame"), "{result:?}");
        is_away(result, told);
        *server.answers.lock().unwrap() = good.clone();
    }
    server.answer("/token", 400, "{\"error\":\"invalid_grant\"}".to_owned());
    let result = provider.finish(&log_in, "c", None, NOW).await;
    assert!(matches!(result, Err(OidcError::Code)), "{result:?}");
    let result = provider.finish(&log_in, "c", Some("https://evil.example"), NOW).await;
    assert!(matches!(result, Err(OidcError::OtherProvider)), "{result:?}");
}

/// A provider that tells some things only to who asks with the token that it gave.
async fn with_more(claims: Value, more: (u16, Value)) -> (Server, Result<OidcPerson, OidcError>) {
    let server = Server::start().await;
    let place = Value::from(format!("{}/me", server.url));
    let document = server.discovery(&[("userinfo_endpoint", place)]);
    server.answer("/.well-known/openid-configuration", 200, document.to_string());
    let provider = server.provider(None);
    let (one, log_in) = begun(&provider, NOW).await;
    let key = key();
    server.sign(&key, &one["nonce"], NOW);
    let mut all = json!({ "iss": server.url, "aud": "pier head", "sub": "42", "nonce": one["nonce"],
        "iat": NOW.0 / 1_000, "exp": NOW.0 / 1_000 + 60 });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let text = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", text(json!({ "alg": "EdDSA" })), text(all));
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())));
    server.answer("/token", 200, json!({ "id_token": token, "access_token": "more please" }).to_string());
    server.answer("/me", more.0, more.1.to_string());
    let person = provider.finish(&log_in, "c", None, NOW).await;
    (server, person)
}

#[tokio::test]
async fn more_is_asked_only_where_the_token_lacks_the_name() {
    let li = json!({ "sub": "42", "preferred_username": "li", "name": "Li Wei" });
    let (server, person) = with_more(json!({ "preferred_username": "wu" }), (200, li.clone())).await;
    assert_eq!(person.unwrap().name.unwrap().as_str(), "wu");
    assert_eq!(server.times("/me"), 0);

    let (server, person) = with_more(json!({}), (200, li.clone())).await;
    let person = person.unwrap();
    assert_eq!((person.name.unwrap().as_str(), person.full_name.as_str()), ("li", "Li Wei"));
    assert_eq!(server.last("/me").authorization.as_deref(), Some("Bearer more please"));

    let (_, person) = with_more(json!({ "name": "Wu" }), (200, li)).await;
    assert_eq!(person.unwrap().full_name, "Wu", "what was signed counts more");
}

#[tokio::test]
async fn more_that_is_about_somebody_else_is_about_nobody() {
    for other in [json!({ "sub": "43", "preferred_username": "li" }), json!({ "preferred_username": "li" })] {
        let (_, person) = with_more(json!({}), (200, other.clone())).await;
        assert!(matches!(person, Err(OidcError::Token(TokenError::Subject))), "{other}: {person:?}");
    }
    for more in [(401, json!({ "sub": "42" })), (200, json!(["42"])), (302, json!({}))] {
        let (_, person) = with_more(json!({}), more.clone()).await;
        is_away(person, "/me answers");
    }
}

#[tokio::test]
async fn of_many_who_find_it_away_at_once_one_asks() {
    let server = Server::start().await;
    server.go_away();
    let provider = server.provider(None);
    let all = (0..8).map(|_| provider.begin(BACK, "/", NOW));
    let found = futures_util::future::join_all(all).await;
    assert!(found.iter().all(|found| matches!(found, Err(OidcError::Away(_)))), "{found:?}");
    assert_eq!(server.times("/.well-known/openid-configuration"), 1);
    // Who comes later asks anew.
    server.answer("/.well-known/openid-configuration", 200, server.discovery(&[]).to_string());
    assert!(provider.begin(BACK, "/", NOW).await.is_ok());
}

#[tokio::test]
async fn a_log_in_goes_on_at_another_controller() {
    let server = Server::start().await;
    let (one, log_in) = begun(&server.provider(None), NOW).await;
    server.sign(&key(), &one["nonce"], NOW);
    let kept = serde_json::to_string(&log_in).unwrap();
    let log_in: OidcLogIn = serde_json::from_str(&kept).unwrap();
    let person = server.provider(None).finish(&log_in, "c", None, NOW).await.unwrap();
    assert_eq!(person.name.unwrap().as_str(), "li");
    assert!(!format!("{log_in:?}").contains(&one["nonce"]));
}

#[tokio::test]
async fn an_issuer_that_may_not_be_asked_is_refused_at_once() {
    let server = Server::start().await;
    for issuer in ["http://id.school.example", "id.school.example", "file:///etc/passwd", "https://a:b@id.example"] {
        let settings = OidcSettings { issuer: issuer.to_owned(), ..server.provider(None).settings().clone() };
        let refused = OidcProvider::new(settings).unwrap_err();
        assert!(refused.contains("must be https://HOST") && refused.contains(issuer), "{refused}");
    }
    let elsewhere = OidcSettings { issuer: format!("{}/", server.url), ..server.provider(None).settings().clone() };
    let refused = OidcProvider::new(elsewhere).unwrap().begin(BACK, "/", NOW).await.unwrap_err();
    assert!(matches!(&refused, OidcError::Away(why) if why.contains("it is the issuer")), "{refused:?}");
}
