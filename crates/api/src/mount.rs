//! Mounting of routes: none can be mounted without saying who may use it.

use crate::Api;
use crate::identity::{require, require_log_in};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use pierhead_model::Permission;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, without a token.
    Public,
    /// Everybody who is logged in.
    LoggedIn,
    /// Everybody whose role has a permission.
    Holders(Permission),
}

/// Routes in the making.
pub(crate) struct Routes {
    api: Api,
    router: Router<Api>,
}

impl Routes {
    pub fn new(api: &Api) -> Self {
        Self { api: api.clone(), router: Router::new() }
    }

    /// Mounts the methods of a path; paths may be mounted several times with different methods.
    pub fn at(mut self, path: &str, access: Access, methods: MethodRouter<Api>) -> Self {
        let guarded = match access {
            Access::Public => methods,
            Access::LoggedIn => methods.route_layer(from_fn_with_state(self.api.clone(), require_log_in)),
            Access::Holders(permission) => {
                methods.route_layer(from_fn_with_state((self.api.clone(), permission), require))
            }
        };
        self.router = self.router.route(path, guarded);
        self
    }

    pub fn into_router(self) -> Router<Api> {
        self.router
    }
}
