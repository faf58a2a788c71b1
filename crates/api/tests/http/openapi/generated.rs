//! Requests made from the document, good and bad, by everybody; and what every answer must be: one that the document
//! tells of, with a body that fits, and never a defect.

use super::schema::Checker;
use super::values::Values;
use super::{Operation, operations_of};
use crate::raw::Sender;
use futures_util::StreamExt;
use pierhead_testkit::{Cluster, ClusterOptions};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SEED: u64 = 20_261_122;
/// To each pool, so that none of them grows old.
const REQUESTS: u64 = 10_000;
const POOLS_IN_SOAK: u64 = 100;
/// How many are under way at once.
const AT_ONCE: usize = 16;
const PASSWORD: &str = "correct horse battery";

/// A request, whole.
#[derive(Debug, Clone)]
struct Request {
    /// Which of the operations it is.
    operation: usize,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Which of the senders sends it.
    sender: usize,
}

/// Escapes everything but letters and digits, so that any text is one part of a path or query.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A request of an operation.
fn request(values: &mut Values<'_>, at: usize, operation: &Operation, ids: &[String]) -> Request {
    let mut path = operation.path.clone();
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    for parameter in operation.value["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        let is_required = parameter["required"] == true;
        let value = match values.below(10) {
            0 => values.hostile(),
            1 => values.text(),
            2..5 => text_of(&parameter["example"]),
            _ => text_of(&values.fitting(&parameter["schema"])),
        };
        match parameter["in"].as_str().unwrap() {
            "path" => {
                let value = if values.once_in(2) { values.one_of(ids) } else { value };
                // An empty part would be another path.
                let value = if value.is_empty() { "nothing".to_owned() } else { value };
                path = path.replace(&format!("{{{name}}}"), &escaped(&value));
            }
            // Whoever does not say how long they wait would wait long.
            "query" if name == "wait" && !values.once_in(20) => query.push("wait=0".to_owned()),
            "query" if is_required != values.once_in(3) || name == "wait" => {
                query.push(format!("{}={}", escaped(name), escaped(&value)));
            }
            "header" if values.once_in(3) && !value.bytes().any(|byte| !(32..=126).contains(&byte)) => {
                headers.push((name.to_owned(), value));
            }
            _ => {}
        }
    }
    if values.once_in(40) {
        query.push(format!("{}={}", escaped(&values.hostile()), escaped(&values.hostile())));
    }
    let content = &operation.value["requestBody"]["content"]["application/json"];
    let body = match content.is_object() {
        true if values.once_in(500) => values.too_large(),
        true => values.body(&content["schema"], &content["example"]),
        false if values.once_in(10) => values.hostile().into_bytes(),
        false => Vec::new(),
    };
    let sender = [0, 0, 0, 0, 0, 1, 1, 2, 3, 4][values.below(10)];
    let path = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    Request { operation: at, path, headers, body, sender }
}

/// What is wrong with an answer.
fn complaint(checker: &Checker<'_>, operation: &Operation, status: u16, kind: &str, text: &str) -> Option<String> {
    let answer = &operation.value["responses"][status.to_string()];
    if !answer.is_object() {
        return Some(format!("the document does not tell of {status}: {text}"));
    }
    let Some(contents) = answer["content"].as_object() else {
        return (!text.is_empty()).then(|| format!("{status} has a body: {text}"));
    };
    let plain = |kind: &str| kind.split(';').next().unwrap_or_default().to_owned();
    let Some((_, content)) = contents.iter().find(|(known, _)| plain(known) == plain(kind)) else {
        return Some(format!("{status} is {kind:?}: {text}"));
    };
    if plain(kind) != "application/json" {
        return None;
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Some(format!("{status} is no JSON: {text}")) };
    if let Err(error) = checker.check(&content["schema"], &value) {
        return Some(format!("{status}: {error}: {text}"));
    }
    let codes = content["examples"].as_object();
    let code = value["code"].as_str().unwrap_or_default();
    match codes {
        Some(codes) if status >= 400 && !codes.contains_key(code) => {
            Some(format!("the document does not tell of {status} with the code {code}: {text}"))
        }
        _ => None,
    }
}

/// Sends a request; what is wrong with the answer, and its status.
async fn sent(
    checker: &Checker<'_>,
    operation: &Operation,
    senders: &[Sender],
    request: &Request,
) -> (u16, Option<String>) {
    let sender = request
        .headers
        .iter()
        .fold(senders[request.sender].clone(), |sender, (name, value)| sender.header(name, value.clone()));
    let answer = sender.begun(&operation.method, &request.path, request.body.clone()).await;
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    // Streams and pages need not be read: some have no end.
    let text = if kind.starts_with("application/json") || kind.is_empty() {
        answer.text().await.unwrap()
    } else {
        String::new()
    };
    (status, complaint(checker, operation, status, &kind, &text))
}

/// A pool on which a little runs, and who asks: an administrator, a user, somebody with few permissions, nobody, a liar.
async fn stage() -> (Cluster, Vec<Sender>, Vec<String>) {
    let options =
        ClusterOptions { hosts: 3, capacity: pierhead_model::Resources::new(2000, 2048), ..ClusterOptions::default() };
    let cluster = Cluster::start(options).await;
    let mut ids: Vec<String> = ["web", "db", "host-1", "host-2", "ann", "clerk", "clare"].map(str::to_owned).into();
    for app in ["web", "db"] {
        let made = cluster.run(app, 1, &pierhead_testkit::sample()).await;
        ids.extend(made.into_iter().flat_map(|container| [container.id[..12].to_owned(), container.id]));
    }
    // Whoever is answered before they have sent all cannot use their connection again.
    let nobody = Sender::nobody(&cluster).on_new_connections();
    let first = Sender::admin(&cluster);
    let role = json!({ "name": "clerk", "permissions": ["read-containers", "write-accounts"] }).to_string();
    assert_eq!(first.post("/api/roles", &role).await.status, 204);
    for (name, role) in [("root", "admin"), ("bob", "user"), ("carl", "clerk")] {
        let account = json!({ "username": name, "password": PASSWORD, "role": { "name": role } }).to_string();
        assert_eq!(first.post("/api/account", &account).await.status, 204);
    }
    let mut senders = Vec::new();
    for name in ["root", "bob", "carl"] {
        let log_in = json!({ "username": name, "password": PASSWORD }).to_string();
        let token = nobody.post("/auth/login", &log_in).await.json()["token"].as_str().unwrap().to_owned();
        senders.push(nobody.clone().token(&token));
    }
    senders.push(nobody.clone());
    senders.push(nobody.header("x-access-token", "root:AAAA"));
    (cluster, senders, ids)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_one_that_the_document_tells_of() {
    let pools = if std::env::var_os("PIERHEAD_SOAK").is_some() { POOLS_IN_SOAK } else { 1 };
    let mut statuses = BTreeMap::<u16, u64>::new();
    for number in 0..pools {
        for (status, count) in ask_a_pool(SEED + number).await {
            *statuses.entry(status).or_default() += count;
        }
    }
    // Of all pools together: the rarest are a few in 10,000.
    for status in [200, 201, 202, 204, 400, 401, 403, 404, 409, 413] {
        assert!(statuses.contains_key(&status), "no request was answered with {status}: {statuses:?}");
    }
}

/// Sends a pool of its own all requests of one seed; how often each status was the answer.
async fn ask_a_pool(seed: u64) -> BTreeMap<u16, u64> {
    let document = pierhead_api::openapi();
    let (checker, operations) = (Checker::new(&document), operations_of(&document));
    let (cluster, senders, ids) = stage().await;
    let mut values = Values::new(&document, seed);
    let all = (0..REQUESTS).map(|number| {
        let at = usize::try_from(number).unwrap() % operations.len();
        request(&mut values, at, &operations[at], &ids)
    });
    let (mut complaints, mut statuses) = (BTreeMap::new(), BTreeMap::<u16, u64>::new());
    let mut answers = futures_util::stream::iter(all)
        .map(|request| async {
            let operation = &operations[request.operation];
            let (status, complaint) = sent(&checker, operation, &senders, &request).await;
            (request, status, complaint)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((request, status, complaint)) = answers.next().await {
        *statuses.entry(status).or_default() += 1;
        if let Some(complaint) = complaint {
            let Operation { method, path, .. } = &operations[request.operation];
            // One of each kind is enough to read.
            let kind = (method.clone(), path.clone(), status);
            complaints.entry(kind).or_insert_with(|| {
                let body = String::from_utf8_lossy(&request.body).chars().take(300).collect::<String>();
                let path = request.path.chars().take(200).collect::<String>();
                format!(
                    "{method} {path} {body} by sender {}: {}",
                    request.sender,
                    complaint.chars().take(400).collect::<String>()
                )
            });
        }
    }
    drop(answers);
    println!("seed {seed}: {statuses:?}");
    let text = complaints.values().cloned().collect::<Vec<_>>().join("\n");
    assert!(complaints.is_empty(), "{} kinds of answers are not as the document says:\n{text}", complaints.len());
    assert_eq!(statuses.values().sum::<u64>(), REQUESTS);
    assert_eq!(Sender::admin(&cluster).get("/api/cluster/info").await.status, 200);
    statuses
}

#[test]
fn an_answer_that_the_document_does_not_tell_of_is_noticed() {
    let document = pierhead_api::openapi();
    let checker = Checker::new(&document);
    let all = operations_of(&document);
    let find = |id: &str| all.iter().find(|operation| operation.value["operationId"] == id).unwrap();
    let (show, stop) = (find("show_engine"), find("stop_container"));
    let error = |code: &str| json!({ "code": code, "message": "a text" }).to_string();
    let json = "application/json";
    for (operation, status, kind, text, said) in [
        (show, 500, json, error("internal"), "does not tell of 500"),
        (show, 418, json, error("teapot"), "does not tell of 418"),
        (show, 503, json, "{}".to_owned(), "there is no \"code\""),
        (show, 404, json, error("gone_fishing"), "gone_fishing"),
        (show, 404, "text/plain", "no".to_owned(), "404 is \"text/plain\""),
        (show, 200, json, "{}".to_owned(), "200: $: there is no"),
        (show, 200, json, "not JSON".to_owned(), "no JSON"),
        (stop, 204, "", "surprise".to_owned(), "204 has a body"),
    ] {
        let complaint = complaint(&checker, operation, status, kind, &text).expect(said);
        assert!(complaint.contains(said), "{complaint}");
    }
    assert_eq!(complaint(&checker, show, 404, json, &error("not_found")), None);
    assert_eq!(complaint(&checker, stop, 204, "", ""), None);
}
