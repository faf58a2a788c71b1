//! What a route takes and answers, in the words of OpenAPI. It knows no route.

mod answers;
mod document;
mod kind;
mod schemas;

pub(crate) use document::{Described, Noun, document};
pub(crate) use kind::Kind;

use answers::{Answers, JSON};
use pierhead_model::Permission;
use pierhead_wire::{ErrorBody, Example, OperationView};
use schemas::Schemas;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The description of one method of a path.
pub(crate) struct Doc {
    id: &'static str,
    summary: &'static str,
    about: String,
    parameters: Vec<Parameter>,
    body: Option<Value>,
    answers: Answers,
    schemas: Schemas,
    owner_unless: Option<Permission>,
}

/// One parameter of a path, a query or among the headers.
struct Parameter {
    place: &'static str,
    name: &'static str,
    required: bool,
    kind: Kind,
    about: &'static str,
}

impl Doc {
    /// A description with its operation's id (`list_engines`) and a summary of a few words.
    pub fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            about: String::new(),
            parameters: Vec::new(),
            body: None,
            answers: Answers::default(),
            schemas: Schemas::default(),
            owner_unless: None,
        }
    }

    /// What the summary does not say, in full sentences.
    pub fn about(mut self, text: &str) -> Self {
        self.about = text.to_owned();
        self
    }

    /// The parameter in the path.
    pub fn path(self, name: &'static str, about: &'static str) -> Self {
        self.parameter("path", name, true, Kind::Text, about)
    }

    /// A parameter of the query that may be left out.
    pub fn query(self, name: &'static str, kind: Kind, about: &'static str) -> Self {
        self.parameter("query", name, false, kind, about)
    }

    /// A parameter of the query that must be given.
    pub fn must(self, name: &'static str, kind: Kind, about: &'static str) -> Self {
        self.parameter("query", name, true, kind, about)
    }

    /// A header that may be left out.
    pub fn header(self, name: &'static str, kind: Kind, about: &'static str) -> Self {
        self.parameter("header", name, false, kind, about)
    }

    fn parameter(
        mut self,
        place: &'static str,
        name: &'static str,
        required: bool,
        kind: Kind,
        about: &'static str,
    ) -> Self {
        self.parameters.push(Parameter { place, name, required, kind, about });
        self
    }

    /// A body of JSON, which must be given.
    pub fn takes<T: ToSchema + Example>(mut self) -> Self {
        let schema = self.schemas.add::<T>();
        self.body =
            Some(json!({ "required": true, "content": { JSON: { "schema": schema, "example": T::example_json() } } }));
        self
    }

    /// A body of another kind.
    pub fn takes_bytes(mut self, media_type: &str, about: &str) -> Self {
        self.body =
            Some(json!({ "required": true, "description": about, "content": { media_type: { "schema": {} } } }));
        self
    }

    /// A success with a body of JSON.
    pub fn answers<T: ToSchema + Example>(mut self, status: u16, about: &str) -> Self {
        let schema = self.schemas.add::<T>();
        self.answers.add(status, about, JSON, schema, T::example_json());
        self
    }

    /// A success with a bare list of JSON.
    pub fn lists<T: ToSchema + Example>(mut self, about: &str) -> Self {
        let schema = json!({ "type": "array", "items": self.schemas.add::<T>() });
        self.answers.add(200, about, JSON, schema, json!([T::example_json()]));
        self
    }

    /// A list of which parts can be asked for.
    pub fn in_parts(self) -> Self {
        self.query("limit", Kind::Number(1, crate::paging::MOST), "How many entries at most; what follows is linked to")
            .query("cursor", Kind::Like("CjEwMDA1"), "Where to go on, as the `Link` of the part before it tells")
            .sends(200, "Link", "The next part (`rel=\"next\"`), if there is one and a part was asked for")
    }

    /// A success with a text or bytes.
    pub fn answers_text(mut self, media_type: &'static str, about: &str, example: &str) -> Self {
        self.answers.add(200, about, media_type, json!({ "type": "string" }), Value::from(example));
        self
    }

    /// A success with a body of JSON that has no schema of its own.
    pub fn answers_any(mut self, about: &str) -> Self {
        self.answers.add(200, about, JSON, json!({ "type": "object" }), json!({}));
        self
    }

    /// A success that has nothing to show.
    pub fn nothing(mut self, about: &str) -> Self {
        self.answers.add_bare(204, about);
        self
    }

    /// A success that leads elsewhere.
    pub fn leads_on(mut self, about: &str) -> Self {
        self.answers.add_bare(303, about);
        self
    }

    /// A success after which both sides speak another protocol.
    pub fn switches(mut self, about: &str) -> Self {
        self.answers.add_bare(101, about);
        self
    }

    /// A header of the answers of a status.
    pub fn sends(mut self, status: u16, name: &'static str, about: &str) -> Self {
        self.answers.add_header(status, name, about);
        self
    }

    /// A refusal: its status, its `code`, and when it is met.
    pub fn refuses(mut self, status: u16, code: &'static str, when: &'static str) -> Self {
        self.answers.refuse(status, code, when);
        self
    }

    /// It is for the owner of what it is about, and for who has a permission.
    pub fn owners_or(mut self, permission: Permission) -> Self {
        self.owner_unless = Some(permission);
        self
    }

    /// A change that may be repeated with the same key and is done once.
    pub fn once(self) -> Self {
        self.header(
            "Idempotency-Key",
            Kind::Like("b2f1c7e0-deploy-42"),
            "A repetition with the same key is answered like the first request",
        )
        .refuses(422, "idempotency_key_reused", "The key was used for another request")
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
        .refuses(413, "too_large", "What would be stored is too large")
    }

    /// A change that is an operation: it answers when that ends, or by the time that the caller gives it.
    pub fn operation(mut self, with_timeout: bool) -> Self {
        let schema = self.schemas.add::<OperationView>();
        self.answers.add(202, "It goes on; this is how far it is", JSON, schema, OperationView::example_json());
        let statuses: Vec<u16> = self.answers.successes().collect();
        for status in statuses {
            self.answers.add_header(status, "Location", "The operation");
        }
        let doc = self.once().query(
            "wait",
            Kind::Number(0, 86_400),
            "For how many seconds the answer may wait; without it, until the end",
        );
        let doc = match with_timeout {
            true => {
                doc.query("timeout", Kind::Number(1, 86_400), "After how many seconds it is given up and taken back")
            }
            false => doc,
        };
        doc.refuses(400, "refused_by_engine", "The engine refuses the description")
            .refuses(404, "no_such_image", "No host has or finds the image")
            .refuses(409, "no_room", "No host takes it")
            .refuses(409, "cancelled", "Somebody called it off")
            .refuses(409, "failed", "It could not be done")
            .refuses(409, "port_taken", "Something else on the host has the port")
            .refuses(409, "name_taken", "Something else on the host has the name")
            .refuses(422, "not_started", "The container does not start")
            .refuses(422, "exited", "The container exited although it should run")
            .refuses(503, "engine_unreachable", "The host does not answer")
            .refuses(503, "engine_failed", "The host failed")
            .refuses(503, "no_space", "The host's disk is full")
            .refuses(503, "timed_out", "It was not done in time and was taken back")
    }

    /// What follows from the rest: everybody who reads input refuses what is malformed.
    fn completed(mut self) -> Self {
        let schema = self.schemas.add::<ErrorBody>();
        self.answers.use_for_refusals(&schema);
        if self.body.is_some() || !self.parameters.is_empty() {
            self = self.refuses(400, "invalid", "A field does not have the accepted form; `field` names it");
        }
        if self.body.as_ref().is_some_and(|body| body["content"][JSON].is_object()) {
            self = self.refuses(400, "malformed", "The body is not JSON");
        }
        if self.body.is_some() {
            self = self.refuses(413, "too_large", "The body is too large");
        }
        self.refuses(503, "store_failed", "The controller's store does not work")
            .refuses(
                503,
                "store_full",
                "The store has no room left, on the controller's disk or in etcd; nothing was changed",
            )
            .refuses(503, "store_unavailable", "The controller's store does not answer; look again later what happened")
    }
}

impl Parameter {
    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "in": self.place,
            "required": self.required,
            "description": self.about,
            "schema": self.kind.schema(),
            "example": self.kind.example(),
        })
    }
}
