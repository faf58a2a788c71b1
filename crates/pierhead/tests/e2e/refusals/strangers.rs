//! Who calls the listener for agents and has no right to: with tokens, certificates, keys and bytes that are wrong.

use super::{Picture, is_told, token, told};
use crate::agents::{agent, argv, is_healthy};
use crate::bed::Bed;
use crate::wait::{PATIENCE, until};
use pierhead_agent::{
    Ask, CONTROLLER_NAME, Controller, Host, HostKey, Identity, JOIN_PROTOCOL, JoinToken, PROTOCOL, Timing,
    client_config, join, renew, try_call,
};
use rcgen::{CertificateParams, KeyPair};
use rustls::ClientConfig;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

/// What strangers have got hold of.
struct Stage<'a> {
    bed: &'a Bed,
    address: String,
    /// Of a host that was in the pool and is revoked.
    ghost: Identity,
    /// Of a host that is in it.
    member: Identity,
    used: String,
    /// Good: it must be afterwards.
    brief: JoinToken,
}

/// What is tried, how it is told, and the attempt: what was said to it.
type Row = (&'static str, &'static str, fn(&Stage<'_>) -> String);

const ROWS: &[Row] = &[
    ("a token that was used", "used_token", |stage| joined(&stage.used.parse().unwrap(), "x")),
    ("a token that nobody made", "unknown_token", |stage| {
        joined(&JoinToken { secret: "0".repeat(64), ..stage.brief.clone() }, "x")
    }),
    ("a token of another pool", "not_believed", |stage| {
        joined(&JoinToken { fingerprint: [1; 32], ..stage.brief.clone() }, "x")
    }),
    ("the name of another host", "invalid", |stage| joined(&stage.brief, "host-1")),
    ("a request that another key signed", "invalid", foreign_signature),
    ("a revoked certificate, renewed", "revoked", |stage| {
        block_on(renew(&stage.ghost, &Timing::default())).unwrap_err().to_string()
    }),
    ("a revoked certificate, shown", "revoked", |stage| cut_off(stage, stage.ghost.client_config().unwrap())),
    ("the certificate of another host without its key", "foreign_key", |stage| {
        let key = PrivatePkcs8KeyDer::from(HostKey::generate().unwrap().der()).into();
        let mut config = stage.member.client_config().unwrap();
        config.client_auth_cert_resolver = Arc::new(Shown::new(&stage.member.certificate, key));
        cut_off(stage, config)
    }),
    ("a certificate of another authority", "foreign_certificate", |stage| cut_off(stage, foreign_certificate(stage))),
    ("no certificate", "no_certificate", |stage| {
        let mut config = stage.member.client_config().unwrap();
        config.client_auth_cert_resolver = Arc::new(Nothing);
        cut_off(stage, config)
    }),
    ("another protocol", "other_protocol", |stage| {
        let mut config = stage.member.client_config().unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        block_on(talk(stage, config, b"GET / HTTP/1.1\r\n\r\n")).unwrap_err()
    }),
    ("garbage", "garbage", |stage| raw(&stage.address, &[0x41; 1000])),
    ("half a call", "half_call", |stage| raw(&stage.address, &[0x16, 3, 1, 2, 0, 1, 0, 1])),
    ("garbage in place of a request", "garbage", |stage| {
        let mut config = stage.member.client_config().unwrap();
        config.alpn_protocols = vec![JOIN_PROTOCOL.to_vec()];
        block_on(talk(stage, config, b"{\"secret\":\n")).unwrap_or_else(|error| error)
    }),
    ("garbage in the tunnel of a host", "host-2 garbage", |stage| {
        let config = stage.member.client_config().unwrap();
        block_on(talk(stage, config, &[0x2a; 100_000])).unwrap_or_else(|error| error)
    }),
    ("half a frame in the tunnel of a host", "host-2 garbage", |stage| {
        let config = stage.member.client_config().unwrap();
        // A frame of settings that says to have 600 bytes.
        block_on(talk(stage, config, &[0, 2, 88, 4, 0, 0, 0, 0, 0, 0, 3])).unwrap_or_else(|error| error)
    }),
];

pub fn are_refused(bed: &Bed, brief: &str) {
    let stage = set(bed, brief);
    let before = Picture::take(bed);
    for (what, code, attempt) in ROWS {
        let said = attempt(&stage);
        is_told(bed, code);
        println!("{what}: {code}: {said}");
        until("the hosts are as they were", PATIENCE, || ["host-1", "host-2"].iter().all(|host| is_healthy(bed, host)));
        assert_eq!(Picture::take(bed), before, "{what}");
    }
    words(&stage);
    noise(&stage);
    assert_eq!(Picture::take(bed), before, "noise");
    let told = told(bed);
    let same = told.iter().filter(|message| message.contains("garbage: ")).count();
    assert!(same <= 6, "the same is told again and again: {told:?}");
    assert!(!told.iter().any(|message| message.contains(&stage.brief.secret)), "a secret is told");
}

fn set<'a>(bed: &'a Bed, brief: &str) -> Stage<'a> {
    let brief: JoinToken = brief.parse().unwrap();
    let named = |id: &str| Host { id: Some(id.to_owned()), address: Some("10.255.0.9".to_owned()), ..Host::default() };
    let ghost = block_on(join(&token(bed), &named("ghost"), &Timing::default())).unwrap();
    bed.ok(&["engine", "revoke", "ghost", "--yes"]);
    let words = argv(agent(bed, "host-1"));
    let used = words.iter().find(|word| word.starts_with("pj1-")).unwrap().clone();
    let state = bed.pool.service_dir("agent-host-2").unwrap().join("state");
    let member = Identity::read(&state).unwrap().unwrap();
    until("nothing changes any more", PATIENCE, || {
        bed.engine("ghost")["agent"]["fingerprints"] == serde_json::json!([])
    });
    Stage { bed, address: brief.address.clone(), ghost, member, used, brief }
}

/// What the refused are told; those who speak something else are told nothing.
fn words(stage: &Stage<'_>) {
    for (token, id, words) in [
        (stage.used.parse().unwrap(), "x", "was used already"),
        (JoinToken { secret: "0".repeat(64), ..stage.brief.clone() }, "x", "not one of this pool's"),
        (stage.brief.clone(), "host-1", "there is a host host-1 in the pool already"),
    ] {
        let said = joined(&token, id);
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = foreign_signature(stage);
    assert!(said.contains("not signed with the key"), "{said}");
    let said = block_on(renew(&stage.ghost, &Timing::default())).unwrap_err().to_string();
    assert!(said.contains("revoked or replaced; join again"), "{said}");
}

/// Many calls with bytes that mean nothing, some of which begin like what is expected.
fn noise(stage: &Stage<'_>) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..200_u32 {
        let mut bytes: Vec<u8> = Vec::new();
        for _ in 0..round * 3 {
            // Xorshift: the same noise each time.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.push(state.to_le_bytes()[0]);
        }
        if round % 2 == 0 {
            let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            bytes.splice(0..0, [0x16, 3, 1, length[0], length[1]]);
        }
        let mut stream = TcpStream::connect(&stage.address).unwrap();
        // It may be cut off before all is said.
        let _cut = stream.write_all(&bytes);
    }
    let are_healthy = || ["host-1", "host-2"].iter().all(|host| is_healthy(stage.bed, host));
    until("the hosts are as they were", PATIENCE, are_healthy);
}

/// The token that was tried in vain with many things was not used up by that; but its time is over now.
pub fn an_expired_token(bed: &Bed, brief: &str) {
    let before = Picture::take(bed);
    let said = joined(&brief.parse().unwrap(), "x");
    assert!(said.contains("has expired; make another"), "{said}");
    is_told(bed, "expired_token");
    assert_eq!(Picture::take(bed), before);
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// What is said to who joins with a token.
fn joined(token: &JoinToken, id: &str) -> String {
    let host = Host { id: Some(id.to_owned()), address: Some("10.255.0.8".to_owned()), ..Host::default() };
    block_on(join(token, &host, &Timing::default())).unwrap_err().to_string()
}

/// Calls for a tunnel and waits until it is cut off.
fn cut_off(stage: &Stage<'_>, config: ClientConfig) -> String {
    let refused = block_on(try_call(&Controller::at(&stage.address), Arc::new(config.clone()), &Timing::default()));
    // In TLS 1.3 who calls may hear of it only later.
    refused
        .map_or_else(|error| error.to_string(), |()| block_on(talk(stage, config, b"")).unwrap_or_else(|error| error))
}

fn foreign_signature(stage: &Stage<'_>) -> String {
    let mut config = stage.member.client_config().unwrap();
    config.alpn_protocols = vec![JOIN_PROTOCOL.to_vec()];
    let ask = Ask {
        secret: Some(stage.brief.secret.clone()),
        public_key: "BAAA".to_owned(),
        signature: "AAAA".to_owned(),
        ..Ask::default()
    };
    let mut line = serde_json::to_vec(&ask).unwrap();
    line.push(b'\n');
    block_on(talk(stage, config, &line)).unwrap()
}

fn foreign_certificate(stage: &Stage<'_>) -> ClientConfig {
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(["host-2".to_owned()]).unwrap().self_signed(&key).unwrap();
    let der = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    client_config(stage.member.authority.clone(), vec![own.der().clone()], der).unwrap()
}

/// Says something over TLS, and hears what is answered until the end.
async fn talk(stage: &Stage<'_>, config: ClientConfig, said: &[u8]) -> Result<String, String> {
    let stream = tokio::net::TcpStream::connect(&stage.address).await.unwrap();
    let name = ServerName::try_from(CONTROLLER_NAME).unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let mut stream = connected.map_err(|error| error.to_string())?;
    let heard = async {
        stream.write_all(said).await.map_err(|error| error.to_string())?;
        stream.flush().await.map_err(|error| error.to_string())?;
        let is_tunnel = stream.get_ref().1.alpn_protocol() == Some(PROTOCOL);
        if is_tunnel && !said.is_empty() {
            // Whoever has said half of something and goes.
            stream.shutdown().await.map_err(|error| error.to_string())?;
        }
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&heard).into_owned())
    };
    let late = |_| "the connection was not ended".to_owned();
    tokio::time::timeout(PATIENCE, heard).await.map_err(late)?
}

/// Says something without TLS.
fn raw(address: &str, said: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(said).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut heard = Vec::new();
    match stream.read_to_end(&mut heard) {
        Ok(_) => format!("{} bytes", heard.len()),
        Err(error) => error.to_string(),
    }
}

/// Shows a certificate, whoever's key is beside it.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl Shown {
    fn new(certificate: &CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Self {
        let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        Self(Arc::new(CertifiedKey::new(vec![certificate.clone()], key)))
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Shows nothing.
#[derive(Debug)]
struct Nothing;

impl ResolvesClientCert for Nothing {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
