//! Secrets that come in through every door are found nowhere but where their owner must see them.

use crate::raw::{Sender, sample};
use pierhead_engine::LogLine;
use pierhead_model::ContainerId;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the program logs, all of it.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Logged {
    fn start() -> Self {
        let logged = Self::default();
        let writer = logged.clone();
        let log = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG);
        log.with_ansi(false).with_writer(move || writer.clone()).init();
        logged
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Secrets by the door that they came in through.
#[derive(Default)]
struct Canaries(Vec<(String, String)>);

impl Canaries {
    /// A new one.
    fn hatch(&mut self, door: &str) -> String {
        let canary = format!("canary{}{}", self.0.len(), "q7Zx9Lm2");
        self.0.push((door.to_owned(), canary.clone()));
        canary
    }

    /// One that somebody else made.
    fn tag(&mut self, door: &str, secret: &str) {
        assert!(secret.len() > 20, "{door}: {secret:?} is nothing that could be searched for");
        self.0.push((door.to_owned(), secret.to_owned()));
    }

    fn assert_none_in(&self, place: &str, text: &str, but: &[&str]) {
        for (door, canary) in &self.0 {
            let is_allowed = but.contains(&door.as_str());
            assert!(is_allowed || !text.contains(canary), "what came in as {door} is in {place}: {text:.2000}");
        }
    }
}

/// What the owner of a container must see.
const OWNERS: [&str; 3] = ["environment", "user data", "printed"];

struct Bed {
    cluster: Cluster,
    canaries: Canaries,
    container: String,
    gone: String,
}

impl Bed {
    async fn new() -> Self {
        let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
        Self { cluster, canaries: Canaries::default(), container: String::new(), gone: String::new() }
    }

    /// Sends something secret; the answer may tell none of it but what is named.
    async fn send(&mut self, sender: &Sender, request: (&str, &str, String), statuses: &[u16], but: &[&str]) -> Value {
        let (method, path, body) = request;
        let answer = sender.send(method, path, body).await;
        assert!(statuses.contains(&answer.status), "{method} {path}: {answer:?}");
        self.canaries.assert_none_in(&format!("the answer of {method} {path}"), &answer.text, but);
        serde_json::from_str(&answer.text).unwrap_or(Value::Null)
    }

    async fn people(&mut self) -> Sender {
        let (first, second, wrong, nobody, key) = (
            self.canaries.hatch("first password"),
            self.canaries.hatch("second password"),
            self.canaries.hatch("wrong password"),
            self.canaries.hatch("password of nobody"),
            self.canaries.hatch("idempotency key"),
        );
        let admin = Sender::admin(&self.cluster).header("idempotency-key", &key);
        let account = json!({ "username": "ann", "password": first, "role": { "name": "user" } }).to_string();
        self.send(&admin, ("POST", "/api/account", account.clone()), &[204], &[]).await;
        self.send(&Sender::admin(&self.cluster), ("POST", "/api/account", account), &[409], &[]).await;
        self.send(&admin, ("POST", "/api/roles", json!({ "name": "r", "permissions": [] }).to_string()), &[422], &[])
            .await;
        let door = Sender::nobody(&self.cluster);
        let log_in = |name: &str, password: &str| json!({ "username": name, "password": password }).to_string();
        self.send(&door, ("POST", "/auth/login", log_in("ann", &wrong)), &[401], &[]).await;
        self.send(&door, ("POST", "/auth/login", log_in("nobody", &nobody)), &[401], &[]).await;
        self.send(
            &door,
            ("POST", "/auth/login", format!("{{\"username\":\"ann\",\"password\":\"{wrong}")),
            &[400],
            &[],
        )
        .await;
        self.send(
            &door,
            ("POST", "/auth/login", json!({ "username": "ann", "password": [wrong] }).to_string()),
            &[400],
            &[],
        )
        .await;
        let logged_in = self.send(&door, ("POST", "/auth/login", log_in("ann", &first)), &[200], &[]).await;
        self.canaries.tag("token of a log-in", logged_in["token"].as_str().unwrap());
        let ann = door.clone().token(logged_in["token"].as_str().unwrap());
        let made = self.send(&ann, ("POST", "/api/tokens", json!({ "name": "ci" }).to_string()), &[201], &[]).await;
        self.canaries.tag("token that was made", made["token"].as_str().unwrap());
        let session = door.send("POST", "/auth/session", log_in("ann", &first)).await;
        let cookie = session.cookie.clone().unwrap_or_else(|| panic!("no cookie: {session:?}"));
        let cookie = cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap().1.to_owned();
        self.canaries.tag("cookie of a session", &cookie);
        self.canaries.assert_none_in("the answer of POST /auth/session", &session.text, &[]);
        let resource = json!({ "resource": "/api/events/stream" }).to_string();
        let ticket = self.send(&ann, ("POST", "/api/tickets", resource), &[201], &[]).await["ticket"].clone();
        self.canaries.tag("ticket", ticket.as_str().unwrap());
        // Used up in a query, which is where the log could take it from.
        let stream = format!("/api/events/stream?ticket={}", ticket.as_str().unwrap());
        let opened = door.open(&stream).await;
        assert!(tokio::time::timeout(Duration::from_millis(300), opened.text()).await.is_err(), "it goes on");
        self.send(&door, ("GET", &stream, String::new()), &[401], &[]).await;
        let change = log_in("ann", &second);
        self.send(&ann, ("POST", "/account/passwdchange", change), &[204], &[]).await;
        let admins = self.cluster.admin_token().to_owned();
        self.canaries.tag("token of the administrator", &admins);
        self.canaries.tag("scrapers' token", self.cluster.scrape_token());
        let bad = Sender::nobody(&self.cluster).token(&self.canaries.hatch("token that is none"));
        self.send(&bad, ("GET", "/api/engines", String::new()), &[401], &[]).await;
        ann
    }

    async fn hosts(&mut self) {
        let (registry, key) = (self.canaries.hatch("registry password"), self.canaries.hatch("key that is none"));
        let admin = Sender::admin(&self.cluster);
        let (given, changed) = (self.canaries.hatch("pool's registry password"), self.canaries.hatch("changed one"));
        let account = json!({ "host": "r2.example", "username": "u", "password": given }).to_string();
        self.send(&admin, ("POST", "/api/registries", account), &[200, 201, 204], &[]).await;
        let account = json!({ "username": "u", "password": changed }).to_string();
        self.send(&admin, ("PUT", "/api/registries/r2.example", account), &[200, 204], &[]).await;
        let auth = json!({ "server": "r.example", "username": "u", "password": registry });
        let plain = json!({ "id": "plain", "addr": "http://10.9.9.1:2375", "auth": auth }).to_string();
        self.send(&admin, ("POST", "/api/engines", plain.clone()), &[201], &[]).await;
        self.send(&admin, ("POST", "/api/engines", plain), &[409], &[]).await;
        let made = rcgen::generate_simple_self_signed(["10.9.9.2".to_owned()]).unwrap();
        let (certificate, good) = (made.cert.pem(), made.signing_key.serialize_pem());
        self.canaries.tag("key of an engine", good.lines().nth(1).unwrap());
        let tls = |key: &str| {
            let part = json!({ "id": "tls", "addr": "https://10.9.9.2:2376", "ca_certificate": certificate });
            let mut body = part;
            body["ssl_certificate"] = certificate.clone().into();
            body["ssl_key"] = key.into();
            body.to_string()
        };
        let bad = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
        self.send(&admin, ("POST", "/api/engines", tls(&bad)), &[400], &[]).await;
        self.send(&admin, ("POST", "/api/engines", tls(&key)), &[400], &[]).await;
        self.send(&admin, ("POST", "/api/engines", tls(&good)), &[201], &[]).await;
    }

    async fn containers(&mut self, ann: &Sender) {
        let (environment, data) = (self.canaries.hatch("environment"), self.canaries.hatch("user data"));
        let mut image: Value = serde_json::from_str(&sample()).unwrap();
        image["environment"] = json!({ "SECRET": environment });
        image["user_data"] = json!({ "notes": [data] });
        let path = "/api/containers?app=hers&count=2";
        let made = self.send(ann, ("POST", path, image.to_string()), &[200], &OWNERS).await;
        assert!(made.to_string().contains(&environment) && made.to_string().contains(&data), "she sees them: {made}");
        image["cpus"] = json!(900);
        self.send(ann, ("POST", "/api/containers?app=large", image.to_string()), &[409], &[]).await;
        image["cpus"] = json!("many");
        self.send(ann, ("POST", path, image.to_string()), &[400], &[]).await;
        image["cpus"] = json!(0.1);
        self.send(ann, ("POST", "/api/explain", json!({ "image": image }).to_string()), &[200], &[]).await;
        let printed = self.canaries.hatch("printed");
        let ids: Vec<String> = (0..2).map(|at| made[at]["id"].as_str().unwrap().to_owned()).collect();
        for (at, id) in ids.iter().enumerate() {
            let line = LogLine { is_stderr: false, bytes: format!("{printed}\n").into_bytes() };
            let host = self.cluster.host_named(made[at]["engine"]["id"].as_str().unwrap());
            host.print(&ContainerId::parse(id).unwrap(), line).unwrap();
        }
        self.send(ann, ("DELETE", &format!("/api/containers/{}", ids[0]), String::new()), &[204], &[]).await;
        (self.gone, self.container) = (ids[0].clone(), ids[1].clone());
    }

    /// Every path that can be read, from the API's own description.
    async fn readable(&self) -> Vec<String> {
        let document = Sender::nobody(&self.cluster).get("/api/openapi.json").await.json();
        let admin = Sender::admin(&self.cluster);
        let operation = admin.get("/api/operations").await.json()[0]["id"].as_str().unwrap().to_owned();
        let mut found = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            if methods["get"].is_null() || methods["get"]["deprecated"] == true || path.ends_with("/stream") {
                continue;
            }
            let thing = match path.split('/').nth(2).unwrap_or_default() {
                "containers" => self.container.clone(),
                "operations" => operation.clone(),
                "apps" => "hers".to_owned(),
                "roles" => "admin".to_owned(),
                "registries" => "r2.example".to_owned(),
                _ => "host-1".to_owned(),
            };
            let concrete = match (path.find('{'), path.find('}')) {
                (Some(from), Some(to)) => format!("{}{thing}{}", &path[..from], &path[to + 1..]),
                _ => path.clone(),
            };
            found.push(concrete);
        }
        found.push(format!("/api/containers/{}/logs", self.gone));
        found.push("/api/containers?all=true".to_owned());
        found.push("/api/tokens?all=true".to_owned());
        found
    }

    /// All that the stream of events tells somebody of what has happened, up to a token that they make now; a refusal if
    /// they may make none.
    async fn streamed(&self, sender: &Sender, who: &str) -> String {
        const STREAM: &str = "/api/events/stream?since=1d";
        let last = format!("the-last-of-{}", who.replace(' ', "-"));
        let made = sender.post("/api/tokens", &json!({ "name": last }).to_string()).await;
        if made.status != 201 {
            let refused = sender.get(STREAM).await;
            assert!([401, 403].contains(&refused.status), "{who}: {refused:?}");
            return refused.text;
        }
        let (mut stream, mut told) = (sender.open(STREAM).await, String::new());
        while !told.contains(&last) {
            let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("their own is told");
            told.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
        }
        told
    }
}

fn bytes_of(directory: &Path, but: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes_of(&path, but));
        } else if !path.ends_with(but) {
            all.extend(std::fs::read(&path).unwrap_or_default());
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_found_nowhere_but_where_their_owner_must_see_them() {
    let logged = Logged::start();
    let mut bed = Bed::new().await;
    let ann = bed.people().await;
    bed.hosts().await;
    bed.containers(&ann).await;
    bed.cluster.assert_invariants().await;
    let (admin, bob) = (Sender::admin(&bed.cluster), Sender::user(&bed.cluster, "bob").await);
    let scraper = Sender::nobody(&bed.cluster).token(bed.cluster.scrape_token());
    let paths = bed.readable().await;
    assert!(paths.len() > 20, "{paths:?}");
    let mut seen = String::new();
    for (who, sender, but) in [
        ("the administrator", &admin, &OWNERS[..]),
        ("Ann", &ann, &OWNERS[..]),
        ("Bob", &bob, &[]),
        ("scrapers", &scraper, &[]),
        ("nobody", &Sender::nobody(&bed.cluster), &[]),
    ] {
        for path in &paths {
            let answer = sender.get(path).await;
            assert!(answer.status < 500, "{path}: {answer:?}");
            bed.canaries.assert_none_in(&format!("{path} as {who} sees it"), &answer.text, but);
            seen.push_str(&answer.text);
        }
        bed.canaries.assert_none_in(&format!("the events as {who} sees them"), &bed.streamed(sender, who).await, &[]);
    }
    for door in OWNERS {
        let (_, canary) = bed.canaries.0.iter().find(|(found, _)| found == door).unwrap();
        assert!(seen.contains(canary), "{door} is seen by whom it belongs to, or this test looks nowhere");
    }
    bed.canaries.assert_none_in("the log", &logged.text(), &[]);
    assert!(logged.text().contains("engine health"), "the log was watched");
    bed.cluster.stop().await;
    let bytes = bytes_of(bed.cluster.directory(), "secret.key");
    bed.canaries.assert_none_in("the files", &String::from_utf8_lossy(&bytes), &[]);
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("spec/app-names/hers") && holds("10.9.9.1"), "the files were read");
}
