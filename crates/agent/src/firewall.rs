//! The firewall between workspaces and all else, kept on this host as long as its agent runs.
//!
//! It is a table of its own of the kernel's packet filter, written whole in one transaction by `nft`: neither Docker nor
//! an administrator's rules are touched, and since it only refuses, none of theirs is made void. It goes by the names of
//! workspaces' bridges and is there before any network is. Somebody who removes it finds it back within seconds. When
//! the agent ends it stays as long as there are networks of workspaces.

mod nft;
mod rules;

use crate::engine::EngineSocket;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use nft::Nft;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked whether it is as it should be.
const LOOK: Duration = Duration::from_secs(2);
/// How long whoever asks waits for the first verdict.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an engine may take to tell its networks to an agent that ends.
const LAST_PATIENCE: Duration = Duration::from_secs(1);
/// The networks of workspaces, for the engine.
const NETWORKS: &str = "/networks?filters=%7B%22label%22%3A%5B%22pierhead.workspace%22%5D%7D";
/// The longest list of networks that is read, in bytes.
const LONGEST: usize = 8 << 20;

/// The firewall of this host. Clones are one.
#[derive(Debug, Clone)]
pub struct Firewall {
    nft: Arc<Nft>,
    /// What it shall be now: hosts join networks.
    rules: fn() -> Result<String, String>,
    standing: watch::Sender<Standing>,
}

/// How it stands with it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Untried,
    Kept,
    /// Why it is not.
    Missing(String),
}

/// What was written, and how the kernel tells it.
struct Written {
    rules: String,
    listed: String,
}

impl Default for Firewall {
    /// By the host's own `nft`.
    fn default() -> Self {
        Self::with(Path::new("nft"))
    }
}

impl Firewall {
    /// By another program in its place, for tests.
    #[must_use]
    pub fn with(program: &Path) -> Self {
        Self { nft: Arc::new(Nft::new(program)), rules: rules_here, standing: watch::Sender::new(Standing::Untried) }
    }

    /// Keeps it, for ever.
    pub async fn keep(&self) {
        let mut written = None;
        loop {
            let standing = match self.hold(&mut written).await {
                Ok(()) => Standing::Kept,
                Err(why) => Standing::Missing(why),
            };
            self.standing.send_if_modified(|now| {
                let is_news = *now != standing;
                if let (true, Standing::Missing(why)) = (is_news, &standing) {
                    tracing::error!("no workspaces here: {why}");
                }
                *now = standing;
                is_news
            });
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Why it is not kept; nothing if it is. The first verdict is waited for.
    pub(crate) async fn missing(&self) -> Option<String> {
        let mut standing = self.standing.subscribe();
        let settled = standing.wait_for(|standing| *standing != Standing::Untried);
        match tokio::time::timeout(PATIENCE, settled).await {
            Ok(Ok(standing)) => match &*standing {
                Standing::Missing(why) => Some(why.clone()),
                Standing::Kept | Standing::Untried => None,
            },
            Ok(Err(_)) | Err(_) => Some("its firewall is not written yet".to_owned()),
        }
    }

    /// Takes it away if there is no workspace any more that it keeps apart; for an agent that ends.
    pub async fn leave(&self, engine: &Path) {
        match workspaces(engine).await {
            Ok(0) => {
                if let Err(why) = self.nft.run(&["-f", "-"], rules::REMOVAL).await {
                    tracing::debug!(why, "the firewall between workspaces stays");
                }
            }
            Ok(networks) => tracing::info!(networks, "the firewall stays, and keeps workspaces apart"),
            Err(why) => tracing::info!(why, "the firewall stays: it is not known whether there are workspaces"),
        }
    }

    async fn hold(&self, written: &mut Option<Written>) -> Result<(), String> {
        // What is not known now stays as it was written, and does not count as kept.
        let rules = (self.rules)()?;
        if let Some(before) = written.as_ref().filter(|before| before.rules == rules) {
            if self.nft.run(&rules::LIST, "").await.ok().as_ref() == Some(&before.listed) {
                return Ok(());
            }
            tracing::warn!("somebody changed the firewall between workspaces: it is put back");
        }
        *written = None;
        self.nft.run(&["-f", "-"], &rules).await?;
        let listed = self.nft.run(&rules::LIST, "").await?;
        *written = Some(Written { rules, listed });
        Ok(())
    }
}

/// The rules for the networks that this host is in now.
fn rules_here() -> Result<String, String> {
    Ok(rules::rules(&rules::connected()?, &rules::resolvers(&resolv_conf())))
}

/// Whom this host asks for names.
fn resolv_conf() -> String {
    std::fs::read_to_string(PathBuf::from("/etc/resolv.conf")).unwrap_or_default()
}

/// How many networks of workspaces the engine has.
async fn workspaces(engine: &Path) -> Result<usize, String> {
    let asked = async {
        let request = Request::get(NETWORKS).body(Empty::<Bytes>::new()).unwrap_or_default();
        let answer = EngineSocket::new(engine).send(request).await.map_err(|error| error.to_string())?;
        let status = answer.response.status();
        if status != StatusCode::OK {
            return Err(format!("the engine answers with status {status}"));
        }
        let body = Limited::new(answer.response.into_body(), LONGEST).collect().await;
        let body = body.map_err(|_| "the engine's answer broke off".to_owned())?.to_bytes();
        let all: Vec<serde_json::Value> = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        Ok(all.len())
    };
    tokio::time::timeout(LAST_PATIENCE, asked).await.unwrap_or_else(|_| Err("the engine hangs".to_owned()))
}

#[cfg(test)]
mod tests;
