//! Coming in by a provider of log-ins: who is let in, and everything that a provider, a browser or somebody between may do wrong.

mod provider;

use crate::courses::person;
use crate::raw::Sender;
use pierhead_api::{Accounts, Api, Front, LogInLimits, Metrics, Previews};
use pierhead_identity::{OidcProvider, OidcSettings};
use pierhead_model::{Resources, RoleName};
use pierhead_store::seal::Sealer;
use pierhead_testkit::{Cluster, ClusterOptions};
use pierhead_wire::Defaults;
use provider::{CLIENT, Provider, SECRET, Signing, seconds};
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

const LOG_IN: &str = "pierhead-log-in";

/// A server with a provider. Li takes courses, Ann works, and there is the administrator.
struct Bed {
    cluster: Cluster,
    provider: Provider,
    sealer: Arc<Sealer>,
    url: String,
    http: reqwest::Client,
}

/// What a browser is shown.
#[derive(Debug)]
struct Shown {
    status: u16,
    page: String,
    location: String,
    cookies: Vec<String>,
}

impl Shown {
    /// The value of a cookie that the browser keeps.
    fn cookie(&self, name: &str) -> Option<&str> {
        let mut kept = self.cookies.iter().filter_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='));
        kept.next()?.split(';').next().filter(|value| !value.is_empty())
    }

    fn is_refused(&self, status: u16, told: &str) {
        assert!(self.status == status && self.page.contains(told), "{status} {told}: {self:?}");
        assert!(self.page.contains("lang=\"zh\"") && self.cookie("pierhead").is_none(), "{self:?}");
    }
}

impl Bed {
    async fn set() -> Self {
        Self::with(LogInLimits::OFF, |_| {}).await
    }

    async fn with(limits: LogInLimits, change: impl FnOnce(&mut OidcSettings)) -> Self {
        let provider = Provider::start().await;
        let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
        for (name, role) in [("li", "student"), ("ann", "user")] {
            person(&cluster, name, role).await;
        }
        let mut settings = OidcSettings {
            issuer: provider.url(),
            client_id: CLIENT.to_owned(),
            client_secret: Some(SECRET.to_owned()),
            scopes: vec!["profile".to_owned()],
            claim: "preferred_username".to_owned(),
            domains: Vec::new(),
            create: None,
            name: "School".to_owned(),
        };
        change(&mut settings);
        let controller = cluster.controller();
        let sealer = Arc::new(Sealer::open_or_create(cluster.directory()).unwrap());
        let accounts = Accounts::new(Arc::clone(controller.store()), controller.clock()).unwrap();
        let api = Api {
            controller: controller.clone(),
            accounts: accounts.with_limits(limits),
            sealer: Arc::clone(&sealer),
            defaults: Arc::new(Defaults { image: None, reserved: Resources::new(50, 64) }),
            metrics: Metrics::new(None),
            front: Front::default(),
            relay: None,
            joins: None,
            previews: Previews { address: None, ports: None },
            files: None,
            redirect: None,
            oidc: Some(Arc::new(OidcProvider::new(settings).unwrap())),
            version: "test",
        };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = pierhead_api::router(api).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { cluster, provider, sealer, url, http }
    }

    async fn get(&self, path: &str, cookie: Option<&str>) -> Shown {
        let mut request = self.http.get(format!("{}{path}", self.url)).header(ACCEPT, "text/html,*/*");
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, format!("{LOG_IN}={cookie}"));
        }
        let answer = request.send().await.unwrap();
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let cookies = answer.headers().get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned());
        let (location, cookies) = (header(LOCATION).unwrap_or_default(), cookies.collect());
        let status = answer.status().as_u16();
        assert!(status == 303 || header(CONTENT_TYPE).unwrap().starts_with("text/html"), "{path}: {status}");
        Shown { status, page: answer.text().await.unwrap(), location, cookies }
    }

    /// Begins: where the browser is sent, and what it keeps.
    async fn start(&self) -> (String, String) {
        let sent = self.get("/auth/oidc/start?to=/labs", None).await;
        assert_eq!(sent.status, 303, "{sent:?}");
        let kept = sent.cookie(LOG_IN).unwrap().to_owned();
        (sent.location, kept)
    }

    /// Goes there, logs in with these claims, and comes back.
    async fn comes(&self, claims: Value) -> Shown {
        let (sent, kept) = self.start().await;
        let query = self.provider.log_in(&sent, claims);
        self.get(&format!("/auth/oidc/back?{query}"), Some(&kept)).await
    }

    async fn who(&self, shown: &Shown) -> Value {
        assert_eq!(shown.status, 303, "{shown:?}");
        let cookie = format!("pierhead={}", shown.cookie("pierhead").unwrap());
        let asked = self.http.get(format!("{}/auth/session", self.url)).header(COOKIE, cookie);
        serde_json::from_str(&asked.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    async fn events(&self) -> String {
        Sender::admin(&self.cluster).get("/api/events?count=100").await.text
    }
}

fn li() -> Value {
    json!({ "sub": "42", "preferred_username": "li" })
}

#[tokio::test]
async fn the_provider_says_who_comes_and_says_it_once() {
    let bed = Bed::set().await;
    let (sent, kept) = bed.start().await;
    assert!(sent.starts_with(&format!("{}/authorize?kept=1&response_type=code", bed.provider.url())), "{sent}");
    let back = format!("/auth/oidc/back?{}", bed.provider.log_in(&sent, li()));
    let entered = bed.get(&back, Some(&kept)).await;
    assert_eq!((entered.status, entered.location.as_str()), (303, "/#/labs"), "{entered:?}");
    let session = entered.cookies.iter().find(|cookie| cookie.starts_with("pierhead=")).unwrap();
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Strict"), "{session}");
    assert!(entered.cookies.iter().any(|cookie| cookie.starts_with(&format!("{LOG_IN}=;"))), "{entered:?}");
    let who = bed.who(&entered).await;
    assert_eq!((&who["username"], &who["role"]), (&json!("li"), &json!("student")));
    bed.get(&back, Some(&kept)).await.is_refused(410, "Each is good once");
    bed.get(&back, None).await.is_refused(400, "began no log-in");

    let events = bed.events().await;
    assert!(events.contains("by=oidc") && events.contains("link-account"), "{events}");
    assert!(!events.contains(&kept) && !events.contains("sesame"), "{events}");
    // What they are called there counts no more: they are known.
    let again = bed.comes(json!({ "sub": "42", "preferred_username": "ann" })).await;
    assert_eq!(bed.who(&again).await["username"], "li");
    bed.comes(json!({ "sub": "43", "preferred_username": "li" })).await.is_refused(403, "Somebody else");
}

#[tokio::test]
async fn what_a_browser_keeps_is_sealed_and_short_lived() {
    let bed = Bed::set().await;
    let sent = bed.get("/auth/oidc/start", None).await;
    let [cookie] = sent.cookies.as_slice() else { panic!("{sent:?}") };
    assert!(["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"].iter().all(|part| cookie.contains(part)), "{cookie}");
    assert!(!sent.location.contains("code_verifier"), "{}", sent.location);
    let kept = sent.cookie(LOG_IN).unwrap();
    let mut log_in: Value = serde_json::from_slice(&bed.sealer.open("oidc/log-in", kept).unwrap()).unwrap();
    let state = log_in["state"].as_str().unwrap().to_owned();
    assert!(sent.location.contains(&state) && !cookie.contains(&state));
    log_in["expires_at"] = json!(5);
    let old = bed.sealer.seal("oidc/log-in", log_in.to_string().as_bytes()).unwrap();
    let query = bed.provider.log_in(&sent.location, li());
    bed.get(&format!("/auth/oidc/back?{query}"), Some(&old)).await.is_refused(410, "good for ten minutes");
    for bad in ["to=labs", "to=/a%0d%0ax", "zzz=1"] {
        let refused = bed.get(&format!("/auth/oidc/start?{bad}"), None).await;
        assert!(refused.status == 400 && refused.cookies.is_empty(), "{bad}: {refused:?}");
    }
}

#[tokio::test]
async fn an_answer_belongs_to_the_browser_that_began() {
    let bed = Bed::set().await;
    let (sent, kept) = bed.start().await;
    let (_, other) = bed.start().await;
    let query = bed.provider.log_in(&sent, li());
    let state = query.split('&').next().unwrap().to_owned();
    for (query, kept, status, told) in [
        (query.clone(), None, 400, "began no log-in"),
        (query.clone(), Some("zzz"), 400, "began no log-in"),
        (query.clone(), Some(other.as_str()), 400, "belongs to another log-in"),
        (query.replacen("state=", "state=x", 1), Some(kept.as_str()), 400, "belongs to another log-in"),
        (format!("{query}&state=x"), Some(kept.as_str()), 400, "belongs to another log-in"),
        (String::new(), Some(kept.as_str()), 400, "belongs to another log-in"),
    ] {
        bed.get(&format!("/auth/oidc/back?{query}"), kept).await.is_refused(status, told);
    }
    assert_eq!(bed.provider.asked("token"), 0, "nothing was asked for any of these");
    let denied = format!("/auth/oidc/back?{state}&error=access_denied&error_description=%3Cscript%3E");
    let denied = bed.get(&denied, Some(&kept)).await;
    denied.is_refused(403, "access_denied");
    assert!(!denied.page.contains("<script") && denied.page.contains("href=\"/auth/oidc/start\""), "{}", denied.page);
    bed.get(&format!("/auth/oidc/back?{query}"), Some(&kept)).await.is_refused(410, "Each is good once");

    let (sent, kept) = bed.start().await;
    let query = bed.provider.log_in(&sent, li());
    let elsewhere = query.replace("iss=http", "iss=https");
    bed.get(&format!("/auth/oidc/back?{elsewhere}"), Some(&kept)).await.is_refused(403, "of another provider");
    let (sent, kept) = bed.start().await;
    let (query, _) =
        bed.provider.log_in(&sent, li()).split_once("&iss=").map(|(q, i)| (q.to_owned(), i.to_owned())).unwrap();
    bed.get(&format!("/auth/oidc/back?{query}"), Some(&kept)).await.is_refused(403, "of another provider");
    let (_, kept) = bed.start().await;
    let log_in: Value = serde_json::from_slice(&bed.sealer.open("oidc/log-in", &kept).unwrap()).unwrap();
    let issuer = query_value(&bed.provider.url());
    let guessed = format!("state={}&code=guessed&iss={issuer}", log_in["state"].as_str().unwrap());
    bed.get(&format!("/auth/oidc/back?{guessed}"), Some(&kept)).await.is_refused(410, "does not take it");
}

fn query_value(url: &str) -> String {
    url.replace(':', "%3A").replace('/', "%2F")
}

#[tokio::test]
async fn a_code_is_worth_nothing_in_another_browser() {
    let bed = Bed::set().await;
    // Somebody puts the code of another log-in into their own: PKCE and the nonce tell.
    let (sent, _) = bed.start().await;
    let stolen = bed.provider.log_in(&sent, li());
    let code = stolen.split('&').find(|pair| pair.starts_with("code=")).unwrap();
    let (_, kept) = bed.start().await;
    let log_in: Value = serde_json::from_slice(&bed.sealer.open("oidc/log-in", &kept).unwrap()).unwrap();
    let issuer = query_value(&bed.provider.url());
    let query = format!("state={}&{code}&iss={issuer}", log_in["state"].as_str().unwrap());
    bed.get(&format!("/auth/oidc/back?{query}"), Some(&kept)).await.is_refused(410, "does not take it");
}

#[tokio::test]
async fn tokens_that_are_wrong_in_anything_open_nothing() {
    let bed = Bed::set().await;
    let set = |field: &'static str, value: Value| move |claims: &mut Value| claims[field] = value.clone();
    for (field, value, told) in [
        ("nonce", json!("other"), "for another log-in"),
        ("iss", json!("https://evil.example"), "of another provider"),
        ("aud", json!("other"), "for another server"),
        ("aud", json!([CLIENT, "other"]), "for another server"),
        ("azp", json!("other"), "for another server"),
        ("exp", json!(seconds() - 100), "it has expired"),
        ("iat", json!(seconds() - 5_000), "it has expired"),
        ("iat", json!(seconds() + 5_000), "of the future"),
        ("nbf", json!(seconds() + 5_000), "of the future"),
        ("sub", Value::Null, "whom it is about"),
    ] {
        bed.provider.edit(set(field, value.clone()));
        bed.comes(li()).await.is_refused(403, told);
    }
    bed.provider.edit(|_| {});
    for (signing, told) in [
        (Signing::Not, "not signed by RS256"),
        (Signing::ByWhatIsPublic, "not signed by RS256"),
        (Signing::ByAnother, "its signature is wrong"),
    ] {
        bed.provider.sign(signing);
        bed.comes(li()).await.is_refused(403, told);
    }
    assert!(bed.events().await.contains("oidc-not_believed"));
    bed.provider.sign(Signing::Rightly);
    assert_eq!(bed.who(&bed.comes(li()).await).await["username"], "li", "it was nothing else");
}

#[tokio::test]
async fn new_keys_are_found_and_old_ones_forgotten() {
    let bed = Bed::set().await;
    assert_eq!(bed.comes(li()).await.status, 303);
    assert_eq!(bed.comes(li()).await.status, 303);
    assert_eq!((bed.provider.asked("jwks"), bed.provider.asked("discovery")), (1, 1), "they are kept");
    bed.provider.rotate("k2");
    assert_eq!(bed.comes(li()).await.status, 303);
    assert_eq!(bed.provider.asked("jwks"), 2);
    // Another key by the same name is no reason to look.
    bed.provider.rotate("k2");
    bed.comes(li()).await.is_refused(403, "its signature is wrong");
    assert_eq!(bed.provider.asked("jwks"), 2);
    bed.provider.rotate("k3");
    bed.provider.go_away(true);
    bed.comes(li()).await.is_refused(503, "does not answer");
    bed.provider.go_away(false);
    assert_eq!(bed.comes(li()).await.status, 303);
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_so_and_may_come_back() {
    let bed = Bed::set().await;
    bed.provider.go_away(true);
    let away = bed.get("/auth/oidc/start", None).await;
    away.is_refused(503, "Try again in a minute");
    assert!(away.cookies.is_empty());
    bed.provider.go_away(false);
    assert_eq!(bed.comes(li()).await.status, 303);
    let refused = bed.http.get(format!("{}/auth/oidc/back", bed.url)).send().await.unwrap();
    let refused: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    assert_eq!(
        refused["error"]["code"].as_str().or(refused["code"].as_str()),
        Some("not_begun"),
        "to programs as always"
    );
}

#[tokio::test]
async fn nothing_is_asked_that_the_provider_may_not_name() {
    let bed = Bed::set().await;
    let elsewhere = Provider::start().await;
    let (sent, kept) = bed.start().await;
    bed.provider.lead_to(&format!("{}/token", elsewhere.url()));
    let query = bed.provider.log_in(&sent, li());
    bed.get(&format!("/auth/oidc/back?{query}"), Some(&kept)).await.is_refused(503, "does not answer");
    assert_eq!(elsewhere.asked("token"), 0, "nobody follows");
    for (field, value) in [
        ("token_endpoint", "http://id.school.example/token"),
        ("jwks_uri", "file:///etc/passwd"),
        ("issuer", "https://evil.example"),
        ("authorization_endpoint", "javascript:alert(1)"),
    ] {
        let bed = Bed::set().await;
        bed.provider.edit_discovery(move |document| document[field] = json!(value));
        bed.get("/auth/oidc/start", None).await.is_refused(503, "does not answer");
    }
}

#[tokio::test]
async fn only_whom_the_pool_knows_comes_in() {
    let bed = Bed::set().await;
    let named = |sub: &str, name: &str| json!({ "sub": sub, "preferred_username": name });
    for (claims, status, told) in [
        (named("1", "nobody"), 404, "There is no account nobody"),
        (named("2", "admin"), 403, "administers this server"),
        (named("3", "li@evil.example"), 403, "not one of this school"),
        (named("4", "../li"), 403, "not one that an account can have"),
        (json!({ "sub": "5", "email": "li@school.example", "email_verified": true }), 503, "does not answer"),
    ] {
        bed.comes(claims).await.is_refused(status, told);
    }
    bed.provider.tell_more(json!({ "sub": "5", "name": "Li" }));
    bed.comes(json!({ "sub": "5" })).await.is_refused(403, "does not tell your user name");
    bed.provider.tell_more(json!({ "sub": "6", "preferred_username": "ann" }));
    bed.comes(json!({ "sub": "5" })).await.is_refused(403, "whom it is about");
    assert_eq!(bed.who(&bed.comes(json!({ "sub": "6" })).await).await["username"], "ann");
    let admin = Sender::admin(&bed.cluster);
    for name in ["li", "ann"] {
        assert_eq!(admin.post(&format!("/api/account/{name}/suspend"), "").await.status, 204);
    }
    bed.comes(li()).await.is_refused(403, "What you did is kept");
    bed.comes(json!({ "sub": "6" })).await.is_refused(403, "What you did is kept");
    let events = bed.events().await;
    for code in ["oidc-unknown_person", "oidc-password_only", "oidc-no_name", "suspended"] {
        assert!(events.contains(code), "{code}: {events}");
    }
}

#[tokio::test]
async fn mail_addresses_count_if_they_are_verified_and_of_the_school() {
    let bed = Bed::with(LogInLimits::OFF, |settings| {
        settings.claim = "email".to_owned();
        settings.domains = vec!["school.example".to_owned()];
    })
    .await;
    let email = |address: &str, verified: bool| json!({ "sub": "1", "email": address, "email_verified": verified });
    bed.comes(email("li@school.example", false)).await.is_refused(403, "not verified your mail address");
    bed.comes(email("li@evil.example", true)).await.is_refused(403, "not one of this school");
    bed.comes(email("admin@school.example", true)).await.is_refused(403, "administers this server");
    assert_eq!(bed.who(&bed.comes(email("Li@School.example", true)).await).await["username"], "li");
}

#[tokio::test]
async fn accounts_are_made_only_with_a_role_for_them() {
    let bed = Bed::with(LogInLimits::OFF, |settings| settings.create = Some(RoleName::parse("student").unwrap())).await;
    let new = json!({ "sub": "9", "preferred_username": "zhou", "name": "Zhou Yu" });
    let who = bed.who(&bed.comes(new).await).await;
    assert_eq!((&who["username"], &who["role"]), (&json!("zhou"), &json!("student")));
    let nobody = Sender::nobody(&bed.cluster);
    let log_in = json!({ "username": "zhou", "password": "" }).to_string();
    assert_eq!(nobody.post("/auth/login", &log_in).await.status, 401, "it has no password");
    bed.comes(json!({ "sub": "8", "preferred_username": "zhou" })).await.is_refused(403, "Somebody else");
}

#[tokio::test]
async fn attempts_from_one_address_are_limited() {
    let limits = LogInLimits { per_account: 10, per_address: 2, window_ms: 3_600_000 };
    let bed = Bed::with(limits, |_| {}).await;
    for _ in 0..4 {
        assert_eq!(bed.comes(li()).await.status, 303, "those that are right are given back");
    }
    for status in [404, 404, 429] {
        let shown = bed.comes(json!({ "sub": "1", "preferred_username": "nobody" })).await;
        assert_eq!(shown.status, status, "{shown:?}");
    }
}

#[tokio::test]
async fn the_log_in_page_learns_what_there_is() {
    let bed = Bed::set().await;
    let ways = bed.http.get(format!("{}/auth/ways", bed.url)).send().await.unwrap().text().await.unwrap();
    assert_eq!(ways, r#"{"provider":"School"}"#);
    let nobody = Sender::nobody(&bed.cluster);
    assert_eq!(nobody.get("/auth/ways").await.json(), json!({}), "without one");
    for path in ["/auth/oidc/start", "/auth/oidc/back"] {
        assert_eq!(nobody.get(path).await.refusal().code, "no_provider", "{path}");
    }
}
