//! The HTTP API: routes, authentication, permissions, and how everything is shown.
//!
//! It decides nothing about the pool: it turns requests into calls of the controller, and the world into views.

mod accounts;
mod body;
mod console;
mod describe;
mod error;
mod files;
mod front;
mod identity;
mod metrics;
mod mount;
#[cfg(feature = "mutants")]
mod mutants;
mod paging;
mod precondition;
mod previews;
mod relay;
mod routes;
mod stale;
mod views;

pub use accounts::{Accounts, AccountsError, LogInLimits, random_password};
pub use error::ApiError;
pub use files::{FileBytes, FilePlace, FileRefusal, WorkspaceFiles};
pub use front::{Front, PublicUrl};
pub use metrics::Metrics;
pub use previews::{
    Admitted, PortInUse, PreviewAddress, PreviewName, PreviewRefusal, PreviewRequest, Previews, WorkspacePorts,
};
pub use relay::{Relay, RelayError};

use pierhead_controller::Controller;
use pierhead_identity::{OidcProvider, RedirectKeys};
use pierhead_store::seal::Sealer;
use pierhead_wire::Defaults;
use std::sync::Arc;

/// Everything that a handler may use.
#[derive(Clone)]
pub struct Api {
    /// The loops and the edits.
    pub controller: Controller,
    /// Accounts, roles and tokens.
    pub accounts: Accounts,
    /// Seals secrets before they are stored.
    pub sealer: Arc<Sealer>,
    /// What applies to descriptions that leave something out.
    pub defaults: Arc<Defaults>,
    /// What is measured about requests, and who may read all measurements.
    pub metrics: Metrics,
    /// How this server is reached.
    pub front: Front,
    /// The way to the other controllers; nothing if there are none.
    pub relay: Option<Arc<dyn Relay>>,
    /// How hosts join by themselves; nothing if this server takes no agents.
    pub joins: Option<Joins>,
    /// Ports of workspaces, as this server tells of them.
    pub previews: Previews,
    /// The way to the files of workspaces; nothing if this server takes no agents.
    pub files: Option<Arc<dyn WorkspaceFiles>>,
    /// The keys of links of the school's site; none are taken without.
    pub redirect: Option<RedirectKeys>,
    /// The provider of log-ins, if there is one.
    pub oidc: Option<Arc<OidcProvider>>,
    /// The program's version.
    pub version: &'static str,
}

/// How hosts join by themselves.
#[derive(Clone)]
pub struct Joins {
    /// Where they call, `host:port`.
    pub address: String,
    /// SHA-256 of the certificate of the pool's authority, 64 hexadecimal digits.
    pub ca_fingerprint: String,
    /// Makes a token of a secret.
    pub token_of: Arc<dyn Fn(&str) -> String + Send + Sync>,
}

/// The description of the whole API, OpenAPI 3.1.
#[must_use]
pub fn openapi() -> serde_json::Value {
    routes::index().into_document()
}

/// The whole API as one service.
pub fn router(api: Api) -> axum::Router {
    use axum::extract::DefaultBodyLimit;
    use tower_http::catch_panic::CatchPanicLayer;
    routes::index()
        .into_router(&api)
        .fallback(console::elsewhere)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(axum::Extension(Arc::<views::Rows>::default()))
        .layer(DefaultBodyLimit::max(body::LARGEST_BODY))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(axum::middleware::from_fn_with_state(api.clone(), stale::mark))
        .layer(axum::middleware::map_response(console::secure))
        .layer(axum::middleware::from_fn_with_state(api.clone(), metrics::measure))
        .with_state(api)
}
