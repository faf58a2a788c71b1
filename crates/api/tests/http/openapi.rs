//! The API's description of itself: complete, up to date, and true.

mod document;
mod generated;
mod honesty;
mod schema;
mod values;

use serde_json::{Map, Value};

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    /// In capitals.
    pub method: String,
    pub path: String,
    /// As in the document.
    pub value: Value,
}

/// All operations of the document.
pub fn operations() -> Vec<Operation> {
    operations_of(&pierhead_api::openapi())
}

pub fn operations_of(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &Value)| -> Vec<Operation> {
        let item: &Map<String, Value> = item.as_object().unwrap();
        let one = |(method, value): (&String, &Value)| Operation {
            method: method.to_uppercase(),
            path: path.clone(),
            value: value.clone(),
        };
        item.iter().map(one).collect()
    };
    paths.iter().flat_map(methods).collect()
}
