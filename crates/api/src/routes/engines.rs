//! Engines: list, add, show, remove.

use crate::body::{Body, Path};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_engine::{RegistryAuth, Tls, TlsPart};
use pierhead_model::{Capacity, Duty, Engine, EngineId, OverCommit};
use pierhead_wire::{EngineRequest, EngineView, FieldError};

pub(super) async fn list(State(api): State<Api>) -> Json<Vec<EngineView>> {
    let (known, now) = (api.controller.known(), api.controller.clock().now());
    Json(known.world.engines().values().map(|engine| views::engine(&known.world, engine, now)).collect())
}

pub(super) async fn show(State(api): State<Api>, Path(id): Path) -> Result<Json<EngineView>, ApiError> {
    shown(&api, &id).map(Json)
}

pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<EngineRequest>,
) -> Result<(StatusCode, Json<EngineView>), ApiError> {
    let engine = record(&api, &caller, &body.value)?;
    let key = idempotency(&headers, &[b"add-engine", &body.bytes])?;
    api.controller.add_engine(&caller.actor(), &engine, key.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(shown(&api, engine.id.as_str())?)))
}

pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path,
) -> Result<StatusCode, ApiError> {
    let key = idempotency(&headers, &[b"remove-engine", id.as_bytes()])?;
    api.controller.remove_engine(&caller.actor(), &id, key.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn shown(api: &Api, id: &str) -> Result<EngineView, ApiError> {
    let (known, now) = (api.controller.known(), api.controller.clock().now());
    let engine = known.world.engines().get(id).map(|engine| views::engine(&known.world, engine, now));
    engine.ok_or_else(|| ApiError::not_found(format!("there is no engine {}", id.chars().take(64).collect::<String>())))
}

fn record(api: &Api, caller: &Caller, request: &EngineRequest) -> Result<Engine, ApiError> {
    let addr = request.address()?;
    let tls = tls(&addr, request)?;
    let id = match request.id() {
        Some(id) => EngineId::parse(id).map_err(|invalid| FieldError::of("id", &invalid))?,
        None => {
            let (_, rest) = addr.split_once("://").unwrap_or_default();
            let host =
                if addr.starts_with("unix:") { "local" } else { rest.rsplit_once(':').map_or(rest, |(host, _)| host) };
            let derived = EngineId::from_address(host).map_err(|invalid| FieldError::of("id", &invalid))?;
            free_id(api, derived, &addr)
        }
    };
    Ok(Engine {
        sealed_tls: tls.map(|tls| sealed_tls(api, &id, &tls)).transpose()?,
        addr,
        labels: request.labels()?,
        capacity: Capacity {
            cpu_millis: part("capacity_cpus", request.capacity_cpus, 1000.0, 1e6)?,
            memory_mb: part("capacity_memory", request.capacity_memory, 1.0, 1e9)?,
        },
        over_commit: OverCommit {
            cpu_percent: factor("over_commit_cpus", request.over_commit_cpus)?,
            memory_percent: factor("over_commit_memory", request.over_commit_memory)?,
        },
        duty: Duty::default(),
        given_up: false,
        registered: None,
        agent: None,
        sealed_registry_auth: sealed_auth(api, &id, request)?,
        added_at: api.controller.clock().now(),
        added_by: caller.identity.username.clone(),
        id,
    })
}

/// The id itself, unless an engine of another address has it: different addresses may have the same digits.
fn free_id(api: &Api, derived: EngineId, addr: &str) -> EngineId {
    let known = api.controller.known();
    let is_taken = |id: &EngineId| known.world.engines().get(id).is_some_and(|engine| engine.record.addr != addr);
    let numbered = |number| EngineId::parse(format!("{derived}-{number}")).ok();
    if !is_taken(&derived) {
        return derived;
    }
    (2..1_000).filter_map(numbered).find(|id| !is_taken(id)).unwrap_or(derived)
}

/// The certificates of the request, which `https` needs and no other address may have.
fn tls(addr: &str, request: &EngineRequest) -> Result<Option<Tls>, ApiError> {
    match (addr.starts_with("https://"), request.has_certificates()) {
        (false, false) => return Ok(None),
        (false, true) => return Err(ApiError::field("addr", "addr must be https://host:port to use certificates")),
        (true, false) => {
            let needed = "addr must be http://host:port, or come with ca_certificate, ssl_certificate and ssl_key";
            return Err(ApiError::field("addr", needed));
        }
        (true, true) => {}
    }
    let part = |part: TlsPart, pem: &Option<String>| match pem {
        Some(pem) if !pem.is_empty() => Ok(pem.clone()),
        _ => Err(ApiError::field(part.as_str(), format!("{} must be given for an https address", part.as_str()))),
    };
    let tls = Tls {
        ca_pem: part(TlsPart::CaCertificate, &request.ca_certificate)?,
        certificate_pem: part(TlsPart::Certificate, &request.ssl_certificate)?,
        key_pem: part(TlsPart::Key, &request.ssl_key)?,
    };
    tls.check().map_err(|invalid| ApiError::field(invalid.part.as_str(), invalid.to_string()))?;
    Ok(Some(tls))
}

fn sealed_tls(api: &Api, id: &EngineId, tls: &Tls) -> Result<String, ApiError> {
    let plain = serde_json::to_vec(tls).map_err(|_| ApiError::field("ssl_key", "ssl_key must be a text"))?;
    Ok(api.sealer.seal(&format!("engine/{id}/tls"), &plain)?)
}

fn sealed_auth(api: &Api, id: &EngineId, request: &EngineRequest) -> Result<Option<String>, ApiError> {
    let Some(auth) = &request.auth else { return Ok(None) };
    if auth.username.is_empty() || auth.username.len() > 255 || auth.password.len() > 4096 || auth.server.len() > 255 {
        return Err(ApiError::field(
            "auth",
            "auth must have a server and a username of at most 255 bytes and a password of at most 4096",
        ));
    }
    let auth =
        RegistryAuth { server: auth.server.clone(), username: auth.username.clone(), password: auth.password.clone() };
    let plain = serde_json::to_vec(&auth).map_err(|_| ApiError::field("auth", "auth must be texts"))?;
    Ok(Some(api.sealer.seal(&format!("engine/{id}/registry"), &plain)?))
}

fn part(field: &'static str, value: Option<f64>, unit: f64, most: f64) -> Result<Option<u64>, ApiError> {
    match value {
        None => Ok(None),
        Some(value) if value > 0.0 && value <= most => Ok(Some((value * unit) as u64)),
        Some(_) => Err(ApiError::field(field, format!("{field} must be a number above 0 and at most {most}"))),
    }
}

fn factor(field: &'static str, value: Option<f64>) -> Result<u32, ApiError> {
    match value {
        None => Ok(100),
        Some(value) if (0.01..=100.0).contains(&value) => Ok((value * 100.0).round() as u32),
        Some(_) => Err(ApiError::field(field, format!("{field} must be a factor from 0.01 to 100"))),
    }
}
