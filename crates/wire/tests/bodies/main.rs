//! Bodies as they travel: what is understood, what is refused and how, what is shown and what never is.
#![cfg(test)]

mod answers;
mod coursework;
mod environments;
mod requests;
mod school;
#[cfg(feature = "openapi")]
mod wall;

use pierhead_wire::FieldError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a body as a server reads it.
fn read<T: DeserializeOwned>(body: &Value) -> T {
    serde_json::from_str(&body.to_string()).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// Whether a body is not even of the right shape.
fn is_odd<T: DeserializeOwned>(body: &Value) -> bool {
    serde_json::from_str::<T>(&body.to_string()).is_err()
}

/// Shows that a body is written as it was read, nothing more and nothing less.
fn comes_back<T: DeserializeOwned + Serialize>(body: &Value) {
    assert_eq!(serde_json::to_value(read::<T>(body)).unwrap(), *body);
}

/// Shows that a refusal is about a field, and says what is accepted there.
fn assert_names(error: &FieldError, field: &str, form: &str) {
    assert_eq!(error.field, field, "{error}");
    assert_eq!(error.message, format!("{field} must be {form}"));
    assert_eq!(error.to_string(), error.message);
}
