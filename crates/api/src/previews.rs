//! Ports of workspaces that are shown in browsers: what they are called, who may see them, and for how long.
//!
//! A browser begins with a ticket in the address that it was given, and goes on with a session of that one host name. The
//! session stands for the token of whoever asked for the ticket, and holds nothing by itself: of every request it is
//! asked anew whether that token is good and what its account may in that workspace. Nothing is carried here.

mod name;
mod seat;

pub use name::{PreviewAddress, PreviewName};

use crate::accounts::{Identity, Owner, token_hash};
use crate::{Api, ApiError};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use pierhead_controller::{Actor, RequestError, WorkspaceSite};
use pierhead_model::{ContainerId, EngineId, Permission, Timestamp, WorkspaceId, WorkspaceRight};
use seat::Seat;
use std::sync::Arc;
use std::time::Duration;

/// How long it is not looked again at what somebody may who looks at something that flows.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// How many characters one of our tokens has.
const TOKEN_LENGTH: usize = 43;

/// Ports of workspaces, as this server tells of them.
#[derive(Clone, Default)]
pub struct Previews {
    /// How previews are called; nothing if this server shows none.
    pub address: Option<PreviewAddress>,
    /// The way to the hosts; nothing if this server takes no agents.
    pub ports: Option<Arc<dyn WorkspacePorts>>,
}

/// Tells of the ports in containers.
#[async_trait]
pub trait WorkspacePorts: Send + Sync {
    /// The ports on which something listens in a container of a workspace.
    ///
    /// # Errors
    /// Says why they are not known.
    async fn listening(
        &self,
        engine: &EngineId,
        workspace: &WorkspaceId,
        container: &ContainerId,
    ) -> Result<Vec<PortInUse>, String>;
}

/// A port on which something listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortInUse {
    /// The port.
    pub port: u16,
    /// Whether only the container itself reaches it.
    pub only_inside: bool,
}

/// A request to a preview.
#[derive(Debug, Clone, Copy)]
pub struct PreviewRequest<'a> {
    /// The name of the host that it is for.
    pub host: &'a str,
    /// What it shows as its session.
    pub seats: &'a [String],
    /// Whether it may change something.
    pub is_change: bool,
    /// The host of the page that made a browser send it, if that is another; `Some("")` if it is not known.
    pub foreign: Option<&'a str>,
}

/// Somebody may see a preview.
pub struct Admitted {
    /// Which.
    pub name: PreviewName,
    /// Where its containers are.
    pub site: WorkspaceSite,
    /// Ends when they may not any more, or its containers are others.
    pub ended: BoxFuture<'static, ()>,
}

/// Why a preview is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewRefusal {
    /// The name is none of a preview.
    NoName,
    /// Nobody knows who asks, or their session is over.
    LoggedOut,
    /// The ticket was used, is too old, or was for another preview.
    BadTicket,
    /// A page of somebody else made a browser ask.
    Foreign,
    /// There is no such workspace as far as they may know.
    NoWorkspace,
    /// They may look only.
    LookOnly,
    /// Nothing of it runs.
    NotRunning,
    /// It can't be known now.
    Unknown,
}

impl Api {
    /// The address with which a browser begins to see a preview, good once and for a short time, and until when.
    pub(crate) async fn give_preview(&self, name: &PreviewName, owner: Owner) -> Result<(String, Timestamp), ApiError> {
        let address = self.previews.address.as_ref().ok_or_else(shows_none)?;
        let (ticket, expires_at) = self.accounts.give_preview_ticket(&name.to_string(), owner).await?;
        Ok((address.url(name, &ticket), expires_at))
    }

    /// Exchanges a ticket for a session of the same host: its value, and how many seconds it is good.
    ///
    /// # Errors
    /// If the ticket is not good there, or cannot be looked at.
    pub async fn enter_preview(&self, host: &str, ticket: &str) -> Result<(String, u64), PreviewRefusal> {
        let name = self.preview_name(host)?;
        let owner = self.accounts.redeem_preview_ticket(ticket, &name.to_string()).await.map_err(unknown)?;
        let owner = owner.ok_or(PreviewRefusal::BadTicket)?;
        let seat = Seat { owner, name: name.to_string(), made_at: self.controller.clock().now() };
        let sealed = seat.seal(&self.sealer).map_err(|_| PreviewRefusal::Unknown)?;
        Ok((sealed, seat::SECONDS))
    }

    /// Whether somebody may see a preview now.
    ///
    /// # Errors
    /// If not.
    pub async fn admit_to_preview(&self, asked: PreviewRequest<'_>) -> Result<Admitted, PreviewRefusal> {
        let name = self.preview_name(asked.host)?;
        let mut seated = None;
        for seat in asked.seats {
            if seated.is_none() {
                seated = self.seated(&name, seat).await?;
            }
        }
        let (owner, identity) = seated.ok_or(PreviewRefusal::LoggedOut)?;
        // Who looks at several ports of one workspace may let their pages talk with each other.
        let is_friend = |host| self.preview_name(host).is_ok_and(|other| other.workspace == name.workspace);
        if asked.foreign.is_some_and(|host| !is_friend(host)) {
            return Err(PreviewRefusal::Foreign);
        }
        let site = self.site(&name, &identity)?;
        let may = |permission| identity.permissions.contains(&permission);
        let may_work = may(Permission::WriteContainers) || may(Permission::ReadLabs);
        let may_change = site.right >= WorkspaceRight::Driver && may_work;
        if asked.is_change && !may_change {
            return Err(PreviewRefusal::LookOnly);
        }
        if site.engine.is_none() || site.containers.is_empty() {
            return Err(PreviewRefusal::NotRunning);
        }
        let ended = Box::pin(self.clone().right_ended(name.clone(), owner, identity, site.clone()));
        Ok(Admitted { name, site, ended })
    }

    /// Whether a text is a token of somebody here, which no program in a workspace shall see.
    pub async fn is_own_token(&self, text: &str) -> bool {
        if text.len() != TOKEN_LENGTH {
            return false;
        }
        // What can't be looked up may be one.
        !matches!(self.accounts.is_token(&token_hash(text)).await, Ok(false))
    }

    fn preview_name(&self, host: &str) -> Result<PreviewName, PreviewRefusal> {
        let address = self.previews.address.as_ref().ok_or(PreviewRefusal::NoName)?;
        address.name_of(host).ok_or(PreviewRefusal::NoName)
    }

    async fn seated(&self, name: &PreviewName, seat: &str) -> Result<Option<(Owner, Arc<Identity>)>, PreviewRefusal> {
        let now = self.controller.clock().now();
        let Some(seat) = Seat::open(&self.sealer, seat, now).filter(|seat| seat.name == name.to_string()) else {
            return Ok(None);
        };
        let identity = self.accounts.identify(&seat.owner.token_hash, seat.owner.kind).await.map_err(unknown)?;
        Ok(identity.map(|identity| (seat.owner, identity)))
    }

    fn site(&self, name: &PreviewName, identity: &Identity) -> Result<WorkspaceSite, PreviewRefusal> {
        let may = |permission| identity.permissions.contains(&permission);
        if !may(Permission::ReadContainers) && !may(Permission::ReadLabs) {
            return Err(PreviewRefusal::NoWorkspace);
        }
        let actor = Actor {
            username: identity.username.clone(),
            may_change_all: may(Permission::WriteAllContainers),
            may_run_privileged: may(Permission::RunPrivileged),
        };
        self.controller.workspace_site(&actor, name.workspace.as_str()).map_err(|error| match error {
            RequestError::NotFound { .. } => PreviewRefusal::NoWorkspace,
            _ => PreviewRefusal::Unknown,
        })
    }

    /// Returns when somebody's token is not good any more, or what they may in a workspace or where that is has changed.
    async fn right_ended(self, name: PreviewName, owner: Owner, identity: Arc<Identity>, site: WorkspaceSite) {
        let logged_out = self.accounts.clone().ended(owner.token_hash, Arc::clone(&identity));
        let moved = async {
            let mut changes = self.controller.changes();
            loop {
                changes.mark_unchanged();
                if self.site(&name, &identity).as_ref() != Ok(&site) {
                    return;
                }
                tokio::time::sleep(BETWEEN_LOOKS).await;
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = logged_out => {}
            () = moved => {}
        }
    }
}

/// 503: there is nothing to begin with.
fn shows_none() -> ApiError {
    ApiError::new(
        axum::http::StatusCode::SERVICE_UNAVAILABLE,
        "no_previews",
        "this server shows no previews; start it with --preview-listen",
    )
}

fn unknown(error: crate::AccountsError) -> PreviewRefusal {
    tracing::warn!(%error, "it is not known who asks for a preview");
    PreviewRefusal::Unknown
}
