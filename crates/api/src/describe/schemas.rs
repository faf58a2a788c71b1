//! The schemas that a description refers to.

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

/// Schemas by their names.
#[derive(Default)]
pub(super) struct Schemas(Map<String, Value>);

impl Schemas {
    /// Adds a type and all that it is made of; gives a reference to it.
    pub fn add<T: ToSchema>(&mut self) -> Value {
        let mut parts = vec![(T::name().into_owned(), <T as PartialSchema>::schema())];
        T::schemas(&mut parts);
        for (name, schema) in parts {
            // A schema is plain data: it always has a JSON form.
            self.0.insert(name, serde_json::to_value(schema).expect("plain data has a JSON form"));
        }
        reference(&T::name())
    }

    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

/// A reference to a schema of the document.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
