//! Agents on the hosts of a pool, each in the namespaces of its host.

use super::pool::DevHost;
use anyhow::{Context, Result};
use pierhead_client::Client;
use pierhead_devhosts::{Pool, Service};
use pierhead_wire::JoinTokenRequest;
use serde::{Deserialize, Serialize};
use std::net::{SocketAddr, TcpListener};

/// The agent of a host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DevAgent {
    pub host: String,
    pub pid: u32,
}

/// An address on the hosts' bridge that a controller can listen at, and again after a restart.
pub(super) fn free_address(pool: &Pool) -> Result<SocketAddr> {
    let listener = TcpListener::bind((pool.bridge_address()?, 0)).context("a port for agents")?;
    listener.local_addr().context("a port for agents")
}

/// Lets a host join, as an administrator does: with a token of its own. It calls all controllers. Whether workspaces may be
/// privileged there is said by a label of its agent.
pub(super) async fn start(
    pool: &Pool,
    client: &Client,
    (host, is_privileged): (&DevHost, bool),
    controllers: &[SocketAddr],
) -> Result<DevAgent> {
    let token = client.make_join_token(&JoinTokenRequest::default()).await?.into_value().token;
    let name = format!("agent-{}", host.name);
    let state = pool.service_dir(&name)?.join("state");
    let program = std::env::current_exe().context("the path of this program")?;
    let engine = host.pid.context("its engine does not run")?;
    let mut argv: Vec<String> =
        ["nsenter", &format!("--target={engine}"), "--mount", "--uts", "--net", "--"].map(str::to_owned).to_vec();
    argv.extend([program.display().to_string(), "agent".to_owned()]);
    for (flag, value) in [("--id", host.name.clone()), ("--state-dir", state.display().to_string()), ("--join", token)]
    {
        argv.extend([flag.to_owned(), value]);
    }
    if is_privileged {
        argv.extend(["--label", pierhead_model::Environment::PRIVILEGED_LABEL].map(str::to_owned));
    }
    // Of one, the token tells.
    for controller in controllers.iter().filter(|_| controllers.len() > 1) {
        argv.extend(["--controller".to_owned(), controller.to_string()]);
    }
    let pid = pool.spawn(&Service { name, argv, ..Service::default() })?;
    Ok(DevAgent { host: host.name.clone(), pid })
}
