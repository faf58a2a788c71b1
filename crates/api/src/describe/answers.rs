//! The answers of an operation: successes, and refusals with their codes.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The media type of most bodies.
pub(super) const JSON: &str = "application/json";

/// Answers by their status.
#[derive(Default)]
pub(super) struct Answers {
    successes: BTreeMap<u16, Success>,
    refusals: BTreeMap<u16, BTreeMap<&'static str, &'static str>>,
    refusal_schema: Value,
}

struct Success {
    about: String,
    content: Option<Value>,
    headers: Map<String, Value>,
}

impl Answers {
    pub fn add(&mut self, status: u16, about: &str, media_type: &str, schema: Value, example: Value) {
        let content = json!({ media_type: { "schema": schema, "example": example } });
        self.put(status, about, Some(content));
    }

    pub fn add_bare(&mut self, status: u16, about: &str) {
        self.put(status, about, None);
    }

    fn put(&mut self, status: u16, about: &str, content: Option<Value>) {
        self.successes.insert(status, Success { about: about.to_owned(), content, headers: Map::new() });
    }

    pub fn add_header(&mut self, status: u16, name: &str, about: &str) {
        if let Some(success) = self.successes.get_mut(&status) {
            let header = json!({ "description": about, "schema": { "type": "string" } });
            success.headers.insert(name.to_owned(), header);
        }
    }

    pub fn successes(&self) -> impl Iterator<Item = u16> {
        self.successes.keys().copied()
    }

    pub fn refuse(&mut self, status: u16, code: &'static str, when: &'static str) {
        self.refusals.entry(status).or_default().entry(code).or_insert(when);
    }

    pub fn use_for_refusals(&mut self, schema: &Value) {
        self.refusal_schema = schema.clone();
    }

    /// The `responses` of an operation.
    pub fn to_json(&self) -> Value {
        let successes = self.successes.iter().map(|(status, success)| {
            let mut answer = json!({ "description": success.about });
            if let Some(content) = &success.content {
                answer["content"] = content.clone();
            }
            if !success.headers.is_empty() {
                answer["headers"] = Value::Object(success.headers.clone());
            }
            (status.to_string(), answer)
        });
        let refusals = self.refusals.iter().map(|(status, codes)| {
            let list: Vec<String> = codes.iter().map(|(code, when)| format!("`{code}`: {when}")).collect();
            let examples: Map<String, Value> = codes
                .iter()
                .map(|(code, when)| ((*code).to_owned(), json!({ "value": { "code": code, "message": when } })))
                .collect();
            let content = json!({ JSON: { "schema": self.refusal_schema, "examples": examples } });
            let answer = json!({ "description": list.join("\n"), "content": content });
            (status.to_string(), answer)
        });
        Value::Object(successes.chain(refusals).collect())
    }
}
