//! An example of every body, for who describes the API.

mod access;
mod attempts;
mod courses;
mod coursework;
mod files;
mod images;
mod labs;
mod pool;
mod previews;
mod recordings;
mod saves;
mod stats;
mod terminals;
mod usage;
mod wall;
mod work;
mod workspaces;

use crate::{ErrorBody, HealthView, PortDescription, PortNumber};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A body of which there is an example.
pub trait Example: Serialize + DeserializeOwned {
    /// The example: every field that one may want to see is filled in.
    fn example() -> Self;

    /// The same as it travels.
    ///
    /// # Panics
    /// Never: a body is plain data, which always has a JSON form.
    #[must_use]
    fn example_json() -> Value {
        serde_json::to_value(Self::example()).expect("plain data has a JSON form")
    }
}

const MOMENT: &str = "2026-11-21T22:10:06.120Z";
const CONTAINER: &str = "714e01115f7642a9d2d9a9a8f0a4a3a1b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1";

impl Example for ErrorBody {
    fn example() -> Self {
        Self {
            code: "invalid".to_owned(),
            message: "cpus must be a number from 0.001 to 1000".to_owned(),
            field: Some("cpus".to_owned()),
            replaced_by: None,
            operation: None,
            log: Vec::new(),
            problems: Vec::new(),
        }
    }
}

fn port() -> PortDescription {
    PortDescription {
        proto: "tcp".to_owned(),
        host_ip: "10.0.0.5".to_owned(),
        port: Some(PortNumber::Number(30_080)),
        container_port: Some(PortNumber::Number(80)),
    }
}

fn health() -> HealthView {
    HealthView { status: "healthy".to_owned(), response_time: 3, reason: String::new(), since: MOMENT.to_owned() }
}

#[cfg(test)]
mod tests;
