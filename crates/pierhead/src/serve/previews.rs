//! Ports of workspaces in browsers: the ingress, and who decides for it about every request. Who may see what is asked of
//! the API; where it is goes through the agents.

pub(super) mod words;

use super::agents::AgentPorts;
use super::answer::stop_asked;
use super::settings::PreviewSettings;
use anyhow::{Context, Result};
use async_trait::async_trait;
use futures_util::FutureExt;
use hyper::header::HeaderName;
use pierhead_api::{Api, PreviewAddress, PreviewRefusal, PreviewRequest};
use pierhead_ingress::{Asked, Comes, Decision, Patience, Resolver, Route, Session, Settings, serve};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The cookie in which a browser keeps its session at a preview.
const COOKIE: &str = "pierhead-preview";
/// The same with TLS: browsers take it from that very host only.
const SECURE_COOKIE: &str = "__Host-pierhead-preview";
/// The parameter in which a ticket comes.
const TICKET: &str = "pierhead-ticket";
/// How many connections browsers have at most.
const MOST_CONNECTIONS: usize = 4_096;

/// A listener for previews, and what they are called there.
pub(super) struct Listening {
    listener: TcpListener,
    pub address: PreviewAddress,
}

/// Begins to listen.
pub(super) async fn listen(settings: &PreviewSettings) -> Result<Listening> {
    let at = settings.listen;
    let listener = TcpListener::bind(at).await.with_context(|| format!("cannot listen on {at} for previews"))?;
    let bound = listener.local_addr().context("the address that previews are shown at")?;
    let address = settings.address(bound.port())?;
    tracing::info!(listen = %bound, domain = address.domain, "ports of workspaces are shown");
    if address.is_open() {
        tracing::warn!(
            domain = address.domain,
            "browsers reach ports of workspaces with plain HTTP: everybody on the way reads sessions, and pages of other \
             workspaces are told from one's own less well. Put a proxy with TLS before it: --preview-domain https://*.DOMAIN"
        );
    }
    Ok(Listening { listener, address })
}

impl Listening {
    /// Shows previews until a signal says to stop.
    pub fn start(self, api: Api, ports: Arc<AgentPorts>) -> Result<JoinHandle<()>> {
        let settings = settings(self.address.is_tls);
        let resolver: Arc<dyn Resolver> = Arc::new(Door { api, ports });
        Ok(tokio::spawn(serve(self.listener, resolver, settings, stop_asked()?)))
    }
}

fn settings(is_tls: bool) -> Settings {
    Settings {
        is_tls,
        session_cookie: if is_tls { SECURE_COOKIE } else { COOKIE }.to_owned(),
        ticket: TICKET.to_owned(),
        hidden_cookies: vec!["pierhead".to_owned(), "__Host-pierhead".to_owned()],
        hidden_headers: vec![HeaderName::from_static("x-access-token")],
        hidden_schemes: vec!["pierhead-pass".to_owned()],
        most_connections: MOST_CONNECTIONS,
        patience: Patience::default(),
    }
}

/// Decides about every request to a preview.
struct Door {
    api: Api,
    ports: Arc<AgentPorts>,
}

#[async_trait]
impl Resolver for Door {
    async fn resolve(&self, asked: Asked<'_>) -> Decision {
        if let Some(ticket) = asked.ticket {
            return self.enter(&asked, ticket).await;
        }
        let admitted = match self.api.admit_to_preview(request(&asked)).await {
            Ok(admitted) => admitted,
            Err(refusal) => return Decision::Refuse(words::of_api(refusal)),
        };
        let hides_authorization = match asked.bearer {
            Some(bearer) => self.api.is_own_token(bearer).await,
            None => false,
        };
        let (ports, site, port) = (Arc::clone(&self.ports), admitted.site, admitted.name.port);
        let dial = async move { ports.dial(&site, port).await }.boxed();
        Decision::Pass(Route { dial, ended: admitted.ended, hides_authorization })
    }
}

impl Door {
    async fn enter(&self, asked: &Asked<'_>, ticket: &str) -> Decision {
        match self.api.enter_preview(asked.host, ticket).await {
            Ok((value, seconds)) => Decision::Enter(Some(Session { value, seconds })),
            // Who opens the same address once more has a session already.
            Err(PreviewRefusal::BadTicket) if self.api.admit_to_preview(request(asked)).await.is_ok() => {
                Decision::Enter(None)
            }
            Err(refusal) => Decision::Refuse(words::of_api(refusal)),
        }
    }
}

fn request<'a>(asked: &Asked<'a>) -> PreviewRequest<'a> {
    let foreign = match asked.comes {
        Comes::Own => None,
        Comes::Other(host) => Some(host.as_str()),
        Comes::Hidden => Some(""),
    };
    PreviewRequest { host: asked.host, seats: asked.sessions, is_change: asked.is_change, foreign }
}
