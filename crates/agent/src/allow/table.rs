//! The list itself: one line for each thing that Pierhead does with an engine.

use super::body::Shape;
use super::create::{CONTAINER, EXEC, EXEC_START, NETWORK};
use super::path::{Path, is_id};
use super::query::Value::{self, Filters, Flag, Moment, Name, Names, Number, Off, Ours, Saves, Tail, Text};
use crate::refusal::Refusal;
use hyper::Method;

/// Who may ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Any controller: it changes nothing.
    Read,
    /// A controller of no older term than the latest that was seen.
    Change,
}

/// What comes with a request.
#[derive(Debug)]
pub(crate) enum Body {
    /// Nothing.
    Empty,
    /// JSON of this shape.
    Json(Shape),
    /// An archive, on its way as it comes.
    Archive,
    /// Nothing, and then both sides talk.
    Talk,
    /// JSON of this shape, and then both sides talk if they want to.
    JsonTalk(Shape),
}

/// A line of the list.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: &'static [(&'static str, Value)],
    pub(crate) body: Body,
    pub(crate) access: Access,
    pub(crate) registry_auth: bool,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        (&self.method, self.path) == (&other.method, other.path)
    }
}

const fn read(path: &'static str, query: &'static [(&'static str, Value)]) -> Rule {
    Rule { method: "GET", path, query, body: Body::Empty, access: Access::Read, registry_auth: false }
}

const fn change(path: &'static str, query: &'static [(&'static str, Value)], body: Body) -> Rule {
    Rule { method: "POST", path, query, body, access: Access::Change, registry_auth: false }
}

/// `{id}` stands for one piece of a path, `{save}` for one that is `save` with a tag, `{image}` for one or more.
pub(crate) static RULES: [Rule; 43] = [
    read("/_ping", &[]),
    Rule { method: "HEAD", ..read("/_ping", &[]) },
    read("/version", &[]),
    read("/info", &[]),
    read("/events", &[("since", Moment), ("until", Moment), ("filters", Filters)]),
    read("/containers/json", &[("all", Flag), ("limit", Number), ("size", Flag), ("filters", Filters)]),
    read("/containers/{id}/json", &[("size", Flag)]),
    read("/containers/{id}/logs", LOGS),
    read("/containers/{id}/stats", &[("stream", Flag), ("one-shot", Flag)]),
    read("/containers/{id}/changes", &[]),
    read("/containers/{id}/archive", &[("path", Text)]),
    Rule { method: "HEAD", ..read("/containers/{id}/archive", &[("path", Text)]) },
    Rule {
        method: "PUT",
        ..change(
            "/containers/{id}/archive",
            &[("path", Text), ("noOverwriteDirNonDir", Flag), ("copyUIDGID", Flag)],
            Body::Archive,
        )
    },
    // Waiting changes nothing, although it is a POST.
    Rule { access: Access::Read, ..change("/containers/{id}/wait", &[("condition", Name)], Body::Empty) },
    change("/containers/create", &[("name", Name), ("platform", Name)], Body::Json(CONTAINER)),
    change("/containers/{id}/start", &[], Body::Empty),
    change("/containers/{id}/stop", &[("t", Number), ("signal", Name)], Body::Empty),
    change("/containers/{id}/restart", &[("t", Number), ("signal", Name)], Body::Empty),
    change("/containers/{id}/kill", &[("signal", Name)], Body::Empty),
    change("/containers/{id}/pause", &[], Body::Empty),
    change("/containers/{id}/unpause", &[], Body::Empty),
    change("/containers/{id}/resize", &[("h", Number), ("w", Number)], Body::Empty),
    Rule {
        method: "DELETE",
        ..change("/containers/{id}", &[("v", Flag), ("force", Flag), ("link", Off)], Body::Empty)
    },
    read("/networks", &[("filters", Filters)]),
    change("/networks/create", &[], Body::Json(NETWORK)),
    Rule { method: "DELETE", ..change("/networks/{id}", &[], Body::Empty) },
    change("/containers/{id}/attach", ATTACH, Body::Talk),
    change("/containers/{id}/exec", &[], Body::Json(EXEC)),
    change("/exec/{id}/start", &[], Body::JsonTalk(EXEC_START)),
    change("/exec/{id}/resize", &[("h", Number), ("w", Number)], Body::Empty),
    read("/exec/{id}/json", &[]),
    read("/images/json", &[("all", Flag), ("digests", Flag), ("filters", Filters)]),
    read("/images/get", &[("names", Names)]),
    read("/images/{image}/json", &[]),
    read("/images/{image}/history", &[]),
    read("/images/{image}/get", &[]),
    // Only names that Pierhead gave, and only the name: a container's image stays.
    Rule { method: "DELETE", ..change("/images/pierhead/{image}", &[], Body::Empty) },
    // Saves on their way to a registry and back: what is sent and taken away again bears a name of theirs.
    change("/images/{image}/tag", &[("repo", Saves), ("tag", Name)], Body::Empty),
    Rule { registry_auth: true, ..change("/images/{image}/pierhead/save/push", &[("tag", Name)], Body::Empty) },
    Rule { method: "DELETE", ..change("/images/{image}/pierhead/{save}", &[], Body::Empty) },
    change("/commit", &[("container", Name), ("repo", Ours), ("tag", Name), ("pause", Flag)], Body::Empty),
    change("/images/load", &[("quiet", Flag)], Body::Archive),
    // From a registry only: `fromSrc` would let the engine fetch any address.
    Rule {
        registry_auth: true,
        ..change("/images/create", &[("fromImage", Name), ("tag", Name), ("platform", Name)], Body::Empty)
    },
];

const LOGS: &[(&str, Value)] = &[
    ("follow", Flag),
    ("stdout", Flag),
    ("stderr", Flag),
    ("since", Moment),
    ("until", Moment),
    ("timestamps", Flag),
    ("tail", Tail),
];

const ATTACH: &[(&str, Value)] =
    &[("logs", Flag), ("stream", Flag), ("stdin", Flag), ("stdout", Flag), ("stderr", Flag), ("detachKeys", Text)];

/// The line for a request, and its path written anew.
pub(super) fn find(method: &Method, path: &Path<'_>) -> Result<(&'static Rule, String), Refusal> {
    let rule = RULES.iter().find(|rule| rule.method == method.as_str() && matches(rule.path, &path.segments));
    match rule {
        Some(rule) => Ok((rule, path.write())),
        None => Err(Refusal::not_allowed(format!("{} {} is not on the list", method.as_str(), path.write()))),
    }
}

fn matches(pattern: &str, segments: &[&str]) -> bool {
    let pattern: Vec<&str> = pattern.split('/').skip(1).collect();
    match pattern.iter().position(|part| *part == "{image}") {
        None => {
            pattern.len() == segments.len() && pattern.iter().zip(segments).all(|(part, segment)| one(part, segment))
        }
        Some(at) => {
            let after = pattern.len() - at - 1;
            segments.len() >= pattern.len()
                && pattern[..at].iter().zip(segments).all(|(part, segment)| one(part, segment))
                && pattern[at + 1..]
                    .iter()
                    .zip(&segments[segments.len() - after..])
                    .all(|(part, segment)| one(part, segment))
        }
    }
}

fn one(part: &str, segment: &str) -> bool {
    match part {
        "{id}" => is_id(segment),
        "{save}" => segment.strip_prefix("save:").is_some_and(|tag| !tag.is_empty() && is_id(tag)),
        word => word == segment,
    }
}
