//! The way to an engine from its record: its address, its certificates, and the account that it pulls with. Secrets are
//! unsealed here and handed on; none is logged or shown.

use super::agents::Agents;
use pierhead_controller::{Connect, Connection};
use pierhead_engine::{Docker, DockerOptions};
use pierhead_model::Engine;
use pierhead_store::seal::Sealer;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Opens the ways to engines.
pub(super) fn connect(sealer: Arc<Sealer>, agents: Arc<Agents>) -> Connect {
    Arc::new(move |engine: &Engine| {
        let docker = match &engine.agent {
            Some(_) => agents.docker(&engine.id),
            None => {
                let tls = unsealed(&sealer, engine, "tls", engine.sealed_tls.as_deref())?;
                Docker::connect(&engine.addr, DockerOptions { tls, ..DockerOptions::default() })
            }
        };
        let docker = docker.map_err(|error| error.to_string())?;
        let registry_auth = unsealed(&sealer, engine, "registry", engine.sealed_registry_auth.as_deref())?;
        Ok(Connection { engine: Arc::new(docker), registry_auth })
    })
}

fn unsealed<T: DeserializeOwned>(
    sealer: &Sealer,
    engine: &Engine,
    what: &str,
    sealed: Option<&str>,
) -> Result<Option<T>, String> {
    let Some(sealed) = sealed else { return Ok(None) };
    let plain = sealer.open(&format!("engine/{}/{what}", engine.id), sealed).map_err(|error| error.to_string())?;
    // The words of the parser can be part of the secret.
    serde_json::from_slice(&plain).map(Some).map_err(|_| format!("the sealed part '{what}' of its record is damaged"))
}

#[cfg(test)]
mod tests;
