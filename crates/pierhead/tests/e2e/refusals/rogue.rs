//! A controller that is believed, since it has the pool's authority, and asks a real agent for what no controller may:
//! the agent stands between it and the engine.

use crate::agents::{is_healthy, kill_controller, start_controller, started};
use crate::bed::Bed;
use crate::program::text_of;
use crate::raw;
use crate::wait::{PATIENCE, until};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use pierhead_agent::{CONTROLLER_NAME, REFUSAL, TERM, Timing, Tunnel, accept, listener_config};
use pierhead_controller::{Authority, Clock, keys};
use pierhead_store::seal::Sealer;
use pierhead_store::{Embedded, Store, Transaction};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What is asked for, with which term beside the present one, and the code of the refusal.
const ROWS: &[(&str, &str, &str, Term, &str)] = &[
    ("POST", "/containers/ID/update", r#"{"Memory":1}"#, Term::Present, "not_allowed"),
    ("POST", "/containers/prune", "", Term::Present, "not_allowed"),
    ("POST", "/containers/ID/rename?name=x", "", Term::Present, "not_allowed"),
    ("GET", "/containers/ID/export", "", Term::Present, "not_allowed"),
    ("GET", "/containers/ID/../ID/export", "", Term::Present, "not_allowed"),
    ("GET", "/containers/ID%2Fexport", "", Term::Present, "not_allowed"),
    ("DELETE", "/containers/ID?force=true&volumes=true", "", Term::Present, "not_allowed"),
    ("POST", "/images/create?fromSrc=http://10.0.0.1/x", "", Term::Present, "not_allowed"),
    ("POST", "/build?remote=http://10.0.0.1/x", "", Term::Present, "not_allowed"),
    ("POST", "/swarm/init", "{}", Term::Present, "not_allowed"),
    ("POST", "/containers/create", r#"{"Image":"a","HostConfig":{"Privileged":true}}"#, Term::Present, "not_allowed"),
    ("POST", "/containers/create", r#"{"Image":"a","HostConfig":{"CapAdd":["ALL"]}}"#, Term::Present, "not_allowed"),
    ("POST", "/containers/create", r#"{"Image":"a","HostConfig":{"PidMode":"host"}}"#, Term::Present, "not_allowed"),
    ("POST", "/containers/create", r#"{"Image":"a","HostConfig":{"Devices":[]}}"#, Term::Present, "not_allowed"),
    ("POST", "/containers/create", r#"{"Image":"a","hostconfig":{}}"#, Term::Present, "not_allowed"),
    ("POST", "/containers/create", r#"{"Image":"a""#, Term::Present, "malformed"),
    ("POST", "/containers/ID/exec", r#"{"Cmd":["sh"],"Privileged":true}"#, Term::Present, "not_allowed"),
    ("POST", "/containers/ID/kill", "", Term::Older, "term_past"),
    ("DELETE", "/containers/ID?force=true", "", Term::Older, "term_past"),
    ("POST", "/containers/ID/stop", "", Term::None, "term_missing"),
    ("POST", "/containers/ID/stop", "", Term::Absurd, "term_absurd"),
    ("GET", "/containers/json", "", Term::Absurd, "term_absurd"),
    ("POST", "/containers/ID/stop", "", Term::Garbage, "malformed"),
];

#[derive(Debug, Clone, Copy)]
enum Term {
    Present,
    Older,
    None,
    Absurd,
    Garbage,
}

impl Term {
    fn header(self, present: u64) -> Option<String> {
        match self {
            Self::Present => Some(present.to_string()),
            Self::Older => Some((present - 1).to_string()),
            Self::None => None,
            Self::Absurd => Some(u64::MAX.to_string()),
            Self::Garbage => Some("1; drop".to_owned()),
        }
    }
}

pub fn a_controller_that_asks_for_more_gets_nothing(bed: &Bed) {
    let before = started(bed);
    let words = kill_controller(bed);
    let said = |flag: &str| words[words.iter().position(|word| word == flag).unwrap() + 1].clone();
    let state = bed.pool.service_dir("agent-host-2").unwrap();
    let term: u64 = text_of(&state.join("state/term")).trim().parse().unwrap();
    let (_, listed) = raw::ask(bed.host("host-2").docker_host(), "GET", "/containers/json?all=1", None);
    // Refused before anybody looks whether it is there.
    let id = listed[0]["Id"].as_str().unwrap_or("0123456789ab").to_owned();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let tunnels = lead(Path::new(&said("--data-dir")), &said("--agent-listen")).await;
        let (tunnel, facts) = of_host(tunnels, &bed.host("host-2").address().to_string()).await;
        assert!(facts.contains("cpus"), "{facts}");
        for (method, target, body, asked_term, code) in ROWS {
            let target = target.replace("ID", &id);
            let refused = ask(&tunnel, method, &target, body, asked_term.header(term)).await;
            assert_eq!(refused.0, *code, "{method} {target} {body} {asked_term:?}: {}", refused.1);
            assert!(refused.1.contains("the agent refuses: "), "{}", refused.1);
        }
        // Whoever is believed may look, with the present term too.
        let looked = ask(&tunnel, "GET", "/containers/json", "", Some(term.to_string())).await;
        assert_eq!(looked.0, "", "{looked:?}");
    });
    runtime.block_on(two_hours_pass(Path::new(&said("--data-dir"))));
    drop(runtime);
    assert_eq!(text_of(&state.join("state/term")).trim(), term.to_string(), "a term was raised");
    let log = text_of(&state.join("log"));
    for code in ["not_allowed", "term_past", "term_absurd", "term_missing", "malformed"] {
        assert!(log.contains(code), "{code} is not in the agent's log");
    }
    start_controller(bed, words);
    until("all agents have called", PATIENCE, || ["host-1", "host-2"].iter().all(|host| is_healthy(bed, host)));
    assert_eq!(started(bed), before, "something was done");
}

/// For the join tokens that nobody used: nobody waits for that.
async fn two_hours_pass(data_dir: &Path) {
    let store = Embedded::open(data_dir).unwrap();
    for entry in store.list_all(keys::JOINS).await.unwrap().entries {
        let mut record: Value = entry.json().unwrap();
        if record["used_by"].is_null() {
            record["expires_at"] = (record["expires_at"].as_u64().unwrap() - 2 * 3_600_000).into();
            store.commit(Transaction::new().put_json(entry.key, &record).unwrap()).await.unwrap();
        }
    }
}

/// Takes the pool's agents in its controller's place, with its own authority.
async fn lead(data_dir: &Path, listen: &str) -> TcpTunnels {
    let (store, sealer) = (Embedded::open(data_dir).unwrap(), Sealer::open_or_create(data_dir).unwrap());
    let authority = Authority::open_or_create(&store, &sealer, Clock::start()).await.unwrap();
    let now = Clock::start().now();
    let issued = authority.issue_server(&[CONTROLLER_NAME.to_owned()], now, Duration::from_secs(3600)).unwrap();
    let chain = issued.chain.into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(issued.key));
    let shown = CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()).unwrap();
    let config =
        listener_config(authority.certificate_der().to_vec().into(), Arc::new(Shown(Arc::new(shown)))).unwrap();
    TcpTunnels { listener: TcpListener::bind(listen).await.unwrap(), acceptor: TlsAcceptor::from(Arc::new(config)) }
}

struct TcpTunnels {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

/// The tunnel of one host, and what it tells of itself. Tunnels of others are dropped.
async fn of_host(tunnels: TcpTunnels, address: &str) -> (Tunnel, String) {
    let found = async {
        loop {
            let (stream, from) = tunnels.listener.accept().await.unwrap();
            if let Ok(tunnel) = accept(stream, &tunnels.acceptor, &Timing::default()).await
                && from.ip().to_string() == address
            {
                let facts = tunnel.facts().await.unwrap();
                return (tunnel, serde_json::to_string(&facts).unwrap());
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}

/// The code of the refusal, empty if there is none, and the answer.
async fn ask(tunnel: &Tunnel, method: &str, target: &str, body: &str, term: Option<String>) -> (String, String) {
    let mut request = Request::builder().method(method).uri(target);
    if let Some(term) = term {
        request = request.header(TERM, term);
    }
    let body = Full::from(body.to_owned()).map_err(|never| match never {}).boxed_unsync();
    let answer = tunnel.send(request.body(body).unwrap()).await.unwrap();
    let code = answer.headers().get(REFUSAL).map(|code| code.to_str().unwrap().to_owned()).unwrap_or_default();
    let heard = answer.into_body().collect().await.unwrap().to_bytes();
    (code, String::from_utf8_lossy(&heard).into_owned())
}

#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
