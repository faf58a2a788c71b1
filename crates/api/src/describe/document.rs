//! The whole document, put together of the descriptions of all routes.

use super::Doc;
use crate::identity::Needs;
use crate::mount::Access;
use serde_json::{Map, Value, json};

/// What a group of routes is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Noun {
    pub name: &'static str,
    pub about: &'static str,
}

/// A mounted method of a path, and its description.
pub(crate) struct Described {
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
    pub noun: &'static str,
    /// Whether it is kept for clients of old only.
    pub deprecated: bool,
    pub doc: Doc,
}

/// The OpenAPI document of routes.
pub(crate) fn document(nouns: &[Noun], routes: Vec<Described>) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let (method, operation, used) = operation(route);
        path[method] = operation;
        schemas.extend(used);
    }
    let tags: Vec<Value> = nouns.iter().map(|noun| json!({ "name": noun.name, "description": noun.about })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Pierhead",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "A private platform for apps on plain Docker hosts. Every change is answered when it is \
                done, or can be watched as an operation; every error has the same body. \
                While the store does not answer, reads are answered from what the controller knew then; the header \
                `pierhead-stale` tells since how many seconds.",
        },
        "tags": tags,
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security_schemes() },
    })
}

fn security_schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": "`Authorization: Bearer <token>`" },
        "scraper": {
            "type": "http", "scheme": "bearer", "description": "The token of `--metrics-token-file`, good for `/metrics` only",
        },
        "access_token": {
            "type": "apiKey", "in": "header", "name": "X-Access-Token",
            "description": "`X-Access-Token: <username>:<token>`",
        },
        "session": {
            "type": "apiKey", "in": "cookie", "name": "__Host-pierhead",
            "description": "Of `POST /auth/session`, for browsers; without TLS its name is `pierhead`. Changes need the \
                server's own `Origin`, and changes by GET do not take it.",
        },
        "ticket": {
            "type": "apiKey", "in": "query", "name": "ticket",
            "description": "Of `POST /api/tickets`: opens one stream, once, within 30 s",
        },
    })
}

fn operation(route: Described) -> (&'static str, Value, Map<String, Value>) {
    let mut doc = route.doc.completed();
    if route.access != Access::Public {
        doc = doc.refuses(401, "unauthenticated", "No token, or one that is not good any more");
    }
    if !matches!(route.access, Access::Public | Access::Scraper | Access::LoggedIn) {
        doc = doc.refuses(403, "forbidden", "The caller's role lacks the permission, or the thing is somebody else's");
    }
    let id = if route.deprecated { format!("{}_by_{}", doc.id, route.method) } else { doc.id.to_owned() };
    let parameters: Vec<Value> = doc.parameters.iter().map(super::Parameter::to_json).collect();
    let mut operation = json!({
        "operationId": id,
        "tags": [route.noun],
        "summary": doc.summary,
        "parameters": parameters,
        "responses": doc.answers.to_json(),
        "security": security(route.access),
        "x-permission": permission(route.access),
    });
    if !doc.about.is_empty() {
        operation["description"] = Value::from(doc.about);
    }
    if let Some(permission) = doc.owner_unless {
        operation["x-owner-unless"] = Value::from(permission.as_str());
    }
    if let Some(body) = doc.body {
        operation["requestBody"] = body;
    }
    if route.deprecated {
        operation["deprecated"] = Value::Bool(true);
    }
    (route.method, operation, doc.schemas.into_map())
}

fn security(access: Access) -> Value {
    match access {
        Access::Public => json!([]),
        Access::Scraper => json!([{ "scraper": [] }]),
        Access::LoggedIn | Access::Holders(_) | Access::Either(..) => {
            json!([{ "bearer": [] }, { "access_token": [] }, { "session": [] }])
        }
        Access::Streamed(_) | Access::StreamedEither(..) => {
            json!([{ "bearer": [] }, { "access_token": [] }, { "session": [] }, { "ticket": [] }])
        }
    }
}

/// Who may use it: `public`, `logged-in`, or the permission that it takes, or two of which one will do.
fn permission(access: Access) -> String {
    match access {
        Access::Public => "public".to_owned(),
        Access::Scraper => "scraper".to_owned(),
        Access::LoggedIn => "logged-in".to_owned(),
        Access::Holders(one) | Access::Streamed(one) => Needs::one(one).words(),
        Access::Either(one, other) | Access::StreamedEither(one, other) => Needs::either(one, other).words(),
    }
}
