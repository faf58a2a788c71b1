//! The second path to a host: its kernel is knocked at from here, or from the host of another agent.

use super::Agents;
use pierhead_controller::SecondPath;
use pierhead_model::EngineId;
use std::net::IpAddr;

#[async_trait::async_trait]
impl SecondPath for Agents {
    async fn knock(&self, from: Option<&EngineId>, addresses: &[IpAddr]) -> Option<bool> {
        if addresses.is_empty() {
            // All that it has, another host has too.
            return None;
        }
        let Some(from) = from else { return pierhead_agent::knock(addresses).await };
        match self.tunnel(from)?.knock(addresses).await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::debug!(%from, %error, "a host could not be asked about another");
                None
            }
        }
    }
}
