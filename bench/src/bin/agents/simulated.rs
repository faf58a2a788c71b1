//! Agents that are real but for their engines: the agent's own code, many in one program, each with a certificate that
//! it got for a token.

use crate::engine::FakeEngine;
use anyhow::{Context, Result};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use pierhead_agent::{Agent, Controller, Gate, Host, INTERVAL, JoinToken, Load, Pulse, Terms, Timing, join};
use pierhead_client::Client;
use pierhead_wire::JoinTokenRequest;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// How many join at the same time.
const AT_ONCE: usize = 16;

/// Lets so many hosts join, and keeps their agents going for as long as the program runs. They call all controllers.
pub(crate) async fn start(
    client: &Client,
    controllers: &[String],
    agents: usize,
    dir: &Path,
) -> Result<Vec<Arc<FakeEngine>>> {
    let one = |number: usize| async move {
        let made = client.make_join_token(&JoinTokenRequest::default()).await?;
        let token: JoinToken = made.into_value().token.parse().context("the token")?;
        let home = dir.join(format!("agent-{number}"));
        std::fs::create_dir_all(&home)?;
        let socket = home.join("engine.sock");
        let engine = FakeEngine::listen(number, &socket)?;
        let host = Host { id: Some(format!("simulated-{number}")), ..Host::default() };
        let identity = join(&token, &host, &Timing::default()).await?;
        let load = Arc::new(|| Load { cpu_permille: 1, memory_available: 1 << 30 });
        let gate = Arc::new(Gate::new(&socket, Arc::new(Terms::open(&home)?), Pulse::new(INTERVAL, load)));
        let (keep, config) = watch::channel(Arc::new(identity.client_config()?));
        let controllers = controllers.iter().map(|address| Controller::at(address)).collect();
        let agent = Agent::new(controllers, config, gate, Timing::default());
        tokio::spawn(async move {
            agent.run().await;
            drop(keep);
        });
        anyhow::Ok(engine)
    };
    stream::iter((0..agents).map(one)).buffer_unordered(AT_ONCE).try_collect().await
}
