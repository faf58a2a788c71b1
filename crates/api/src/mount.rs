//! Mounting of routes: none can be mounted without saying who may use it, and what it takes and answers.

use crate::Api;
use crate::describe::{Described, Doc, Noun, document};
use crate::error::no_such_method;
use crate::identity::{Needs, refuse_sessions, require, require_for_stream, require_log_in};
use crate::metrics::require_scraper;
use crate::paging::{Order, page};
use axum::Router;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, post, put};
use pierhead_model::Permission;
use serde_json::Value;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, without a token.
    Public,
    /// Who has the scrapers' token, which belongs to no account.
    Scraper,
    /// Everybody who is logged in.
    LoggedIn,
    /// Everybody whose role has a permission.
    Holders(Permission),
    /// Everybody whose role has one of two permissions.
    Either(Permission, Permission),
    /// The same for a stream, which a ticket opens too.
    Streamed(Permission),
    /// The same for one of two permissions.
    StreamedEither(Permission, Permission),
}

impl Access {
    /// Whether it is a stream.
    pub fn is_streamed(self) -> bool {
        matches!(self, Self::Streamed(_) | Self::StreamedEither(..))
    }
}

/// Routes in the making: by their nouns, one method of a path at a time.
#[derive(Default)]
pub(crate) struct Routes {
    nouns: Vec<Noun>,
    described: Vec<Described>,
    handlers: Vec<(&'static str, Access, MethodRouter<Api>)>,
}

impl Routes {
    /// What the following routes are about.
    pub fn noun(mut self, name: &'static str, about: &'static str) -> Self {
        self.nouns.push(Noun { name, about });
        self
    }

    pub fn get<T: 'static>(self, path: &'static str, access: Access, handler: impl Handler<T, Api>, doc: Doc) -> Self {
        self.at("get", path, access, get(handler), doc)
    }

    /// A list, which is answered in parts to who asks for that.
    pub fn list<T: 'static>(
        self,
        path: &'static str,
        access: Access,
        handler: impl Handler<T, Api>,
        doc: Doc,
        order: Order,
    ) -> Self {
        self.at("get", path, access, get(handler).layer(from_fn_with_state(order, page)), doc.in_parts())
    }

    pub fn post<T: 'static>(self, path: &'static str, access: Access, handler: impl Handler<T, Api>, doc: Doc) -> Self {
        self.at("post", path, access, post(handler), doc)
    }

    pub fn put<T: 'static>(self, path: &'static str, access: Access, handler: impl Handler<T, Api>, doc: Doc) -> Self {
        self.at("put", path, access, put(handler), doc)
    }

    pub fn delete<T: 'static>(
        self,
        path: &'static str,
        access: Access,
        handler: impl Handler<T, Api>,
        doc: Doc,
    ) -> Self {
        self.at("delete", path, access, delete(handler), doc)
    }

    /// A change by POST, or by GET for clients of old. HEAD, which would come along with GET, must change nothing.
    pub fn verb<T: 'static, H: Handler<T, Api>>(
        self,
        path: &'static str,
        access: Access,
        handler: H,
        doc: fn() -> Doc,
    ) -> Self {
        let mut routes = self.post(path, access, handler.clone(), doc());
        routes = routes.at(
            "get",
            path,
            access,
            get(handler).head(no_such_method).route_layer(from_fn(refuse_sessions)),
            doc(),
        );
        if let Some(by_get) = routes.described.last_mut() {
            by_get.deprecated = true;
        }
        routes
    }

    fn at(
        mut self,
        method: &'static str,
        path: &'static str,
        access: Access,
        handler: MethodRouter<Api>,
        doc: Doc,
    ) -> Self {
        let noun = self.nouns.last().map(|noun| noun.name).unwrap_or_default();
        self.described.push(Described { method, path, access, noun, deprecated: false, doc });
        self.handlers.push((path, access, handler));
        self
    }

    /// The routes as a service, each behind its guard.
    pub fn into_router(self, api: &Api) -> Router<Api> {
        self.handlers
            .into_iter()
            .fold(Router::new(), |router, (path, access, handler)| router.route(path, guarded(api, access, handler)))
    }

    /// The paths of the streams, with names in braces where anything may stand.
    pub fn streams(&self) -> Vec<&'static str> {
        let streams = self.handlers.iter().filter(|(_, access, _)| access.is_streamed());
        streams.map(|(path, ..)| *path).collect()
    }

    /// The OpenAPI document of the routes.
    pub fn into_document(self) -> Value {
        document(&self.nouns, self.described)
    }
}

fn guarded(api: &Api, access: Access, handler: MethodRouter<Api>) -> MethodRouter<Api> {
    match access {
        Access::Public => handler,
        Access::Scraper => handler.route_layer(from_fn_with_state(api.clone(), require_scraper)),
        Access::LoggedIn => handler.route_layer(from_fn_with_state(api.clone(), require_log_in)),
        Access::Holders(one) => handler.route_layer(from_fn_with_state((api.clone(), Needs::one(one)), require)),
        Access::Either(one, other) => {
            handler.route_layer(from_fn_with_state((api.clone(), Needs::either(one, other)), require))
        }
        Access::Streamed(one) => {
            handler.route_layer(from_fn_with_state((api.clone(), Needs::one(one)), require_for_stream))
        }
        Access::StreamedEither(one, other) => {
            handler.route_layer(from_fn_with_state((api.clone(), Needs::either(one, other)), require_for_stream))
        }
    }
}
