//! What of workspaces comes through the door, before an engine that notes what reaches it.

use super::*;
use crate::TERM;
use crate::forbid::Forbid;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pierhead_engine::{CreateRequest, Docker, DockerOptions, Engine, NetworkRequest, WorkspacePart, processes};
use pierhead_model::{Asks, Subnet, WorkspaceId};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;
use tokio::net::UnixListener;

const ID: &str = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";

/// What an engine was asked: method, target and body.
type Seen = Arc<Mutex<Vec<(Method, String, Vec<u8>)>>>;

struct Bed {
    dir: tempfile::TempDir,
    seen: Seen,
}

impl Bed {
    /// An engine that has one container of this description, and no image.
    fn with(container: Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("engine.sock")).unwrap();
        let seen = Seen::default();
        let notes = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (notes, container) = (Arc::clone(&notes), container.to_string());
                let answer = service_fn(move |request: Request<Incoming>| {
                    let (notes, container) = (Arc::clone(&notes), container.clone());
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes().to_vec();
                        let path = head.uri.path().to_owned();
                        notes.lock().unwrap().push((head.method, head.uri.to_string(), body));
                        let (status, told) = match path {
                            path if path.contains("/images/") => (404, r#"{"message":"No such image"}"#.to_owned()),
                            path if path.ends_with("/networks") => (200, "[]".to_owned()),
                            path if path.ends_with("/version") => (200, r#"{"ApiVersion":"1.41"}"#.to_owned()),
                            path if path.contains(ID) => (200, container),
                            _ => (201, json!({"Id": ID, "Warnings": [], "Warning": ""}).to_string()),
                        };
                        let answer = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
                        Ok::<_, Infallible>(answer.body(Full::<Bytes>::from(told)).unwrap())
                    }
                });
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        Self { dir, seen }
    }

    fn new() -> Self {
        Self::with(json!({"Id": ID, "Config": {"Labels": {}}}))
    }

    fn socket(&self) -> std::path::PathBuf {
        self.dir.path().join("engine.sock")
    }

    fn gate(&self) -> Gate {
        let terms = Arc::new(Terms::open(self.dir.path()).unwrap());
        Gate::new(&self.socket(), terms, Pulse::new(Duration::from_secs(1), Arc::new(crate::Load::default)))
    }

    /// A door of a host on which a program that always succeeds stands for the firewall's.
    fn guarded(&self, labels: &[&str]) -> Gate {
        let firewall = Firewall::with(Path::new("true"));
        let kept = firewall.clone();
        tokio::spawn(async move { kept.keep().await });
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.gate().guarded(firewall).telling(Some(labels), None)
    }

    /// What changed anything, or would have, since it was asked last.
    fn changes(&self) -> Vec<(Method, String, Vec<u8>)> {
        let all = std::mem::take(&mut *self.seen.lock().unwrap());
        all.into_iter().filter(|(method, ..)| method != Method::GET && method != Method::HEAD).collect()
    }
}

/// The status, and the refusal's code and message or the answer.
async fn ask(gate: &Gate, method: &str, target: &str, term: &str, body: &[u8]) -> (u16, Value) {
    let body = Full::new(Bytes::copy_from_slice(body));
    let mut request = Request::builder().method(method).uri(target);
    if !term.is_empty() {
        request = request.header(TERM, term);
    }
    let answer = gate.answer(request.body(body).unwrap()).await;
    let status = answer.status().as_u16();
    let told = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&told).unwrap_or_default())
}

/// What an engine's client says of a container and a network of a workspace.
async fn described(asks: &Asks, user: Option<&str>) -> Vec<(String, Vec<u8>)> {
    let bed = Bed::new();
    let docker = Docker::connect(&format!("unix://{}", bed.socket().display()), DockerOptions::default()).unwrap();
    let id = WorkspaceId::parse("abcdefgh23").unwrap();
    let labels = [("pierhead.cluster", "c"), ("pierhead.workspace", "abcdefgh23")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let network = NetworkRequest::of_workspace(&id, Subnet::parse("10.213.0.0/28").unwrap(), labels, asks);
    let part = WorkspacePart { user: user.map(str::to_owned), ..WorkspacePart::new(&network.name, "main", asks) };
    let spec = json!({
        "image": "a:1", "limits": {"reserved": {"cpu_millis": 100, "memory_mb": 32}, "cpu_limit_millis": 500},
        "cpuset": null, "entrypoint": [], "args": ["sh"], "environment": {"A": "1"}, "hostname": null,
        "domainname": null, "placement": "service", "labels": [], "ports": [], "publish_all": false, "user_data": {},
        "volumes": [], "links": {}, "restart": "always", "network": "bridge", "single_writer": false,
    });
    let request = CreateRequest {
        name: "ph-main".to_owned(),
        spec: serde_json::from_value(spec).unwrap(),
        ports: vec![],
        labels: network.labels.clone(),
        pids_limit: processes(asks),
        engine_restarts: false,
        workspace: Some(part),
    };
    docker.create_network(&network).await.unwrap();
    docker.create(&request).await.unwrap();
    let posts = bed.changes().into_iter().map(|(_, target, body)| (target, body)).collect::<Vec<_>>();
    assert_eq!(posts.len(), 2, "a network and a container");
    posts
}

#[tokio::test]
async fn whatever_an_environment_asks_for_is_made_where_the_host_lets_it_and_nowhere_else() {
    for bits in 0..8u8 {
        let (root, egress, privileged) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        let asks = Asks { root, egress, privileged, pids: root.then_some(4096) };
        for (target, body) in described(&asks, egress.then_some("dev")).await {
            let bed = Bed::new();
            let consenting = bed.guarded(&["disk=ssd", "workspaces=privileged"]);
            let (status, told) = ask(&consenting, "POST", &target, "1", &body).await;
            assert_eq!(status, 201, "{asks:?} {target}: {told}");
            let passed = bed.changes();
            assert_eq!(passed.len(), 1);
            let sent: Value = serde_json::from_slice(&passed[0].2).unwrap();
            let came: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(sent, came, "nothing of what Pierhead itself says is lost");
            let plain = bed.guarded(&["workspaces=privileged2", "privileged"]);
            let (status, _) = ask(&plain, "POST", &target, "1", &body).await;
            let is_let = !privileged || target.contains("/networks/");
            assert_eq!((status, bed.changes().len()), if is_let { (201, 1) } else { (403, 0) }, "{asks:?} {target}");
        }
    }
}

#[tokio::test]
async fn where_nothing_keeps_workspaces_apart_none_is_made_and_all_else_goes_on() {
    let bed = Bed::new();
    let forbidden = [Forbid::Workspaces].into_iter().collect();
    for (gate, words) in [
        (bed.gate(), "keeps no firewall"),
        (bed.gate().guarded(Firewall::with(Path::new("/nonexistent/nft"))), "firewall"),
        (bed.guarded(&[]).forbidding(forbidden), "--forbid workspaces"),
    ] {
        for (target, body) in described(&Asks::default(), None).await {
            let (status, told) = ask(&gate, "POST", &target, "1", &body).await;
            assert_eq!((status, &told["code"]), (403, &json!("not_guarded")), "{target}");
            assert!(told["message"].as_str().unwrap().contains(words), "{words}: {told}");
        }
        assert!(bed.changes().is_empty(), "no engine was asked");
        let other = br#"{"Image":"a:1","HostConfig":{"NetworkMode":"bridge"}}"#;
        assert_eq!(ask(&gate, "POST", "/containers/create?name=a", "1", other).await.0, 201);
        assert_eq!(bed.changes().len(), 1);
    }
}

#[tokio::test]
async fn what_was_made_of_workspaces_does_not_run_on_where_nothing_keeps_it_apart() {
    let runs = ["start", "restart?t=1", "unpause"].map(|verb| format!("/containers/{ID}/{verb}"));
    for (labels, is_workspaces) in [
        (json!({"pierhead.cluster": "c", "pierhead.workspace": "abcdefgh23"}), true),
        (json!({"pierhead.cluster": "c", "pierhead.workspace": "", "pierhead.app-id": "a"}), false),
        (json!({"pierhead.cluster": "c"}), false),
        (Value::Null, false),
    ] {
        let bed = Bed::with(json!({"Id": ID, "Config": {"Labels": labels}}));
        let forbidden = [Forbid::Workspaces].into_iter().collect();
        for (gate, is_guarded) in
            [(bed.guarded(&[]), true), (bed.gate(), false), (bed.guarded(&[]).forbidding(forbidden), false)]
        {
            for run in &runs {
                let (status, told) = ask(&gate, "POST", run, "1", b"").await;
                if is_workspaces && !is_guarded {
                    assert_eq!((status, &told["code"]), (403, &json!("not_guarded")), "{run}: {told}");
                    assert!(bed.changes().is_empty(), "{run}");
                } else {
                    assert_eq!((status, bed.changes().len()), (200, 1), "{run} {labels}: {told}");
                }
            }
            // What ends it is let everywhere.
            assert_eq!(ask(&gate, "POST", &format!("/containers/{ID}/stop?t=1"), "1", b"").await.0, 200);
            assert_eq!(ask(&gate, "POST", &format!("/containers/{ID}/pause"), "1", b"").await.0, 200);
            bed.changes();
        }
    }
}

#[tokio::test]
async fn who_is_no_leader_makes_and_removes_nothing_of_workspaces() {
    let bed = Bed::new();
    let gate = bed.guarded(&[]);
    assert_eq!(ask(&gate, "DELETE", "/networks/ph-abcdefgh23", "7", b"").await.0, 201);
    assert_eq!(bed.changes().len(), 1);
    let mut all = described(&Asks::default(), None).await;
    all.extend([("/pierhead/squash".to_owned(), b"{}".to_vec())]);
    for (target, body) in all {
        for (term, code) in [("", "term_missing"), ("6", "term_past"), ("x", "malformed")] {
            assert_eq!(ask(&gate, "POST", &target, term, &body).await.1["code"], code, "{target}");
        }
    }
    assert_eq!(ask(&gate, "DELETE", "/networks/ph-abcdefgh23", "6", b"").await.1["code"], "term_past");
    for others in ["bridge", "host", "ph-abcdefgh23?force=true", "ph-", "0123456789ab"] {
        let (status, told) = ask(&gate, "DELETE", &format!("/networks/{others}"), "7", b"").await;
        assert_eq!((status, &told["code"]), (403, &json!("not_allowed")), "{others}");
    }
    assert!(bed.changes().is_empty());
}

#[tokio::test]
async fn only_images_of_ours_are_merged_and_only_by_a_whole_request() {
    let bed = Bed::new();
    let gate = bed.gate();
    let whole = json!({
        "image": "pierhead/saving:x", "base_layers": 1, "like": "b:1", "name": "pierhead/save:x", "labels": {},
        "created": 5, "most_bytes": 9,
    });
    for (field, value, status, code) in [
        ("name", json!("alpine:3"), 403, "not_allowed"),
        ("name", json!("registry.lan/pierhead/save:x"), 403, "not_allowed"),
        ("name", json!("pierhead"), 403, "not_allowed"),
        ("base_layers", json!(-1), 400, "malformed"),
        ("most_bytes", json!("9"), 400, "malformed"),
        ("labels", json!({"a": 1}), 400, "malformed"),
        ("directory", json!("/etc"), 400, "malformed"),
        ("image", Value::Null, 400, "malformed"),
    ] {
        let mut bad = whole.clone();
        bad[field] = value;
        let (found, told) = ask(&gate, "POST", "/pierhead/squash", "1", bad.to_string().as_bytes()).await;
        assert_eq!((found, &told["code"]), (status, &json!(code)), "{field}: {told}");
        assert!(bed.seen.lock().unwrap().is_empty(), "{field}: no engine was asked");
    }
    let (status, told) = ask(&gate, "POST", "/pierhead/squash", "1", whole.to_string().as_bytes()).await;
    assert_eq!((status, &told["code"]), (404, &json!("not_found")), "{told}");
    let compare = json!({"image": "a:1", "earlier": null, "base_layers": 0}).to_string();
    let (status, told) = ask(&gate, "POST", "/pierhead/compare", "", compare.as_bytes()).await;
    assert_eq!((status, &told["code"]), (404, &json!("not_found")), "whoever only looks needs no term: {told}");
    let long = vec![b' '; receive::LONGEST_JSON + 1];
    assert_eq!(ask(&gate, "POST", "/pierhead/compare", "", &long).await.0, 413);
    assert!(bed.changes().is_empty(), "nothing was made");
}

#[tokio::test]
async fn files_of_workspaces_are_counted_and_of_nobody_else() {
    let layer = tempfile::tempdir().unwrap();
    for name in ["one", "two", "three"] {
        std::fs::write(layer.path().join(name), "").unwrap();
    }
    let theirs = json!({"pierhead.cluster": "c", "pierhead.workspace": "abcdefgh23", "pierhead.generation": "1",
        "pierhead.container": "main"});
    let at = |driver: &str, dir: &Path| json!({"Name": driver, "Data": {"UpperDir": dir}});
    let asked = json!({"container": ID, "most": 2});
    for (labels, driver, status, told) in [
        (theirs.clone(), at("overlay2", layer.path()), 200, json!({"files": 3})),
        (theirs.clone(), at("overlay2", &layer.path().join("none")), 200, json!({"files": null})),
        (theirs.clone(), at("btrfs", layer.path()), 200, json!({"files": null})),
        (theirs.clone(), at("overlay2", Path::new("etc")), 200, json!({"files": null})),
        (json!({"pierhead.cluster": "c"}), at("overlay2", layer.path()), 403, json!("not_allowed")),
        (Value::Null, at("overlay2", layer.path()), 403, json!("not_allowed")),
    ] {
        let bed = Bed::with(json!({"Id": ID, "Config": {"Labels": labels}, "GraphDriver": driver}));
        let (found, answer) = ask(&bed.gate(), "POST", "/pierhead/count", "", asked.to_string().as_bytes()).await;
        let answer = if found == 200 { answer } else { answer["code"].clone() };
        assert_eq!((found, answer), (status, told), "{labels} {driver}");
        assert!(bed.changes().is_empty());
    }
    let bed = Bed::new();
    for bad in [json!({"container": "../x", "most": 2}), json!({"container": ID}), json!({"container": ID, "most": -1})]
    {
        let (status, told) = ask(&bed.gate(), "POST", "/pierhead/count", "", bad.to_string().as_bytes()).await;
        assert_eq!((status, &told["code"]), (400, &json!("malformed")), "{bad}");
    }
}

#[tokio::test]
async fn images_are_compared_one_at_a_time_and_who_comes_too_often_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    // It takes every connection and says nothing.
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let terms = Arc::new(Terms::open(dir.path()).unwrap());
    let gate = Gate::new(&socket, terms, Pulse::new(Duration::from_secs(1), Arc::new(crate::Load::default)));
    let compare = json!({"image": "a:1", "earlier": null, "base_layers": 0}).to_string();
    let asks = || ask(&gate, "POST", "/pierhead/compare", "", compare.as_bytes()).boxed();
    let mut all: FuturesUnordered<_> = [asks(), asks(), asks()].into_iter().collect();
    for _ in 0..2 {
        let (status, told) = all.next().await.unwrap();
        assert_eq!((status, &told["code"]), (503, &json!("busy")), "{told}");
    }
    assert!(all.next().now_or_never().is_none(), "the first one goes on");
    drop(all);
    assert!(asks().now_or_never().is_none(), "it took its turn with it");
    silent.abort();
}

#[tokio::test]
async fn where_others_containers_are_the_owners_nothing_is_read_out_of_them() {
    let running = |labels: Value| {
        json!({
            "Id": ID, "State": {"Running": true, "Pid": std::process::id()}, "Config": {"Labels": labels},
            "NetworkSettings": {"Networks": {}},
        })
    };
    let forbidden = || [Forbid::OtherContainers].into_iter().collect();
    let commit = format!("/commit?container={ID}&repo=pierhead%2Fsaving&tag=x&pause=true");
    let ports = format!("/pierhead/ports?workspace=ab2&container={ID}");
    let dial = format!("/pierhead/dial?workspace=ab2&container={ID}&port=80");
    let bed = Bed::with(running(json!({"pierhead.workspace": "ab2"})));
    let gate = bed.gate().forbidding(forbidden());
    for (method, target) in [("POST", &commit), ("GET", &ports), ("POST", &dial)] {
        let (status, told) = ask(&gate, method, target, "1", b"").await;
        assert_eq!((status, &told["code"]), (403, &json!("forbidden_here")), "{target}: {told}");
    }
    assert!(bed.changes().is_empty());
    let bed = Bed::with(running(json!({"pierhead.workspace": "ab2", "pierhead.cluster": "c"})));
    let gate = bed.gate().forbidding(forbidden());
    assert_eq!(ask(&gate, "POST", &commit, "1", b"").await.0, 201);
    assert_eq!(ask(&gate, "GET", &ports, "", b"").await.0, 200);
    assert_eq!(ask(&gate, "POST", &dial, "", b"").await.1["code"], "no_address");
    let changes = bed.changes();
    assert!(changes.len() == 1 && changes[0].1.starts_with("/commit?"), "{changes:?}");
}
