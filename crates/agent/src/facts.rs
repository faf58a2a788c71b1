//! What the host is, and what it lacks, in words. Reading is here; what it means stands in the modules beside, pure.

mod kernel;
mod lacks;
mod load;
mod told;

pub use load::LoadMeter;

use crate::engine::EngineSocket;
use crate::error::{AgentError, Result};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;
use told::{Info, Version};

/// How long the engine may take to describe itself.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest description that is read, in bytes.
const LONGEST: usize = 4 << 20;

/// What a host is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// The version of the agent.
    pub agent_version: String,
    /// How many cores the kernel runs.
    pub cpus: u32,
    /// How much memory there is, in bytes.
    pub memory: u64,
    /// Addresses under which others can reach the host; no loopback and no link-local ones.
    pub addresses: BTreeSet<IpAddr>,
    /// The kernel's release.
    pub kernel: String,
    /// The engine, or why there is none.
    pub engine: EngineState,
    /// What is wrong or missing, each as a sentence that says what follows from it.
    pub lacks: Vec<String>,
    /// Why no workspace is made here; nothing if they are kept apart.
    #[serde(default = "of_old")]
    pub unguarded: Option<String>,
    /// Labels to place by, if the agent was started with any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Where published ports answer, if the agent was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The engine of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EngineState {
    /// It answers.
    Answers {
        /// Its own identity.
        id: String,
        /// Its version.
        version: String,
        /// The newest version of its API.
        api_version: String,
        /// The runtime that starts containers, with its version.
        runtime: String,
        /// What keeps images.
        storage_driver: String,
        /// The version of control groups, `1` or `2`.
        cgroup_version: String,
    },
    /// It does not.
    Away {
        /// Why, in words.
        why: String,
    },
}

/// Reads what the host is, now.
pub(crate) async fn read(engine: &EngineSocket) -> HostFacts {
    let (state, lacks) = match describe(engine).await {
        Ok((info, version)) => {
            let mut lacks = lacks::of_engine(&info, &version);
            lacks.extend(info.docker_root_dir.as_deref().and_then(|dir| lacks::of_disk(dir, free(dir)?)));
            (told::engine(&info, &version), lacks)
        }
        Err(error) => {
            let why = error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            let lacks = vec![lacks::of_silence(engine.path(), &why)];
            (EngineState::Away { why }, lacks)
        }
    };
    HostFacts {
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        cpus: kernel::cpus(&file("/proc/stat")),
        memory: kernel::memory(&file("/proc/meminfo"), "MemTotal"),
        addresses: addresses(),
        kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
        engine: state,
        lacks,
        unguarded: None,
        labels: None,
        address: None,
    }
}

/// What holds of an agent that does not tell.
fn of_old() -> Option<String> {
    Some("its agent is of a version that keeps no workspaces apart".to_owned())
}

impl HostFacts {
    /// With what keeps workspaces from being made here, which is told as a lack where they were meant to be.
    pub(crate) fn with_guard(mut self, unguarded: Option<String>, is_meant: bool) -> Self {
        if let Some(why) = unguarded.as_ref().filter(|_| is_meant) {
            self.lacks.push(format!("Workspaces cannot be kept apart: {why}; none is placed here."));
        }
        Self { unguarded, ..self }
    }
}

async fn describe(engine: &EngineSocket) -> Result<(Info, Version)> {
    Ok((get(engine, "/info").await?, get(engine, "/version").await?))
}

/// What the engine tells under a path.
pub(crate) async fn get<T: serde::de::DeserializeOwned>(engine: &EngineSocket, path: &str) -> Result<T> {
    let asked = async {
        let request = Request::get(path).body(Empty::<Bytes>::new()).unwrap_or_default();
        let answer = engine.send(request).await?;
        let status = answer.response.status();
        let body = Limited::new(answer.response.into_body(), LONGEST).collect().await.map_err(AgentError::Broken)?;
        if status != StatusCode::OK {
            return Err(AgentError::Broken(format!("{path} answers with status {status}").into()));
        }
        serde_json::from_slice(&body.to_bytes()).map_err(|error| AgentError::Broken(error.into()))
    };
    let late =
        |_| AgentError::TimedOut { peer: "the engine".to_owned(), what: "describe itself", milliseconds: 10_000 };
    tokio::time::timeout(PATIENCE, asked).await.map_err(late)?
}

/// What is free of the disk of a directory, and all of it, in bytes.
pub(crate) fn free(dir: &str) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    Some((disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize)))
}

/// A file of `/proc`; empty if it cannot be read.
fn file(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn addresses() -> BTreeSet<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let reachable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
    };
    // The bridges of engines have the same addresses on every host.
    let of_engine = |name: &str| name == "docker0" || name.starts_with("br-") || name.starts_with("veth");
    interfaces.iter().filter(|it| !of_engine(&it.name)).map(if_addrs::Interface::ip).filter(reachable).collect()
}
