//! The engines' own word, asked directly: nothing of the program stands between.

use std::collections::BTreeMap;
use std::time::Duration;

use pierhead_devhosts::Host;
use pierhead_devhosts::http::{Body, request};
use serde_json::Value;

use crate::wait::until_some;

const LIMIT: Duration = Duration::from_secs(30);

/// One request; the answer's status and JSON.
pub fn ask(docker_host: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let text = body.map(Value::to_string);
    let body = text.as_deref().map_or(Body::Empty, Body::Json);
    let answer = request(docker_host, method, path, body, LIMIT).unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

/// The same, and it must not be refused.
pub fn call(host: &Host, method: &str, path: &str, body: Option<&Value>) -> Value {
    let (status, answer) = ask(host.docker_host(), method, path, body);
    assert!(status < 400, "{} {method} {path}: {status} {answer}", host.name());
    answer
}

/// A container as its engine lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub host: String,
    pub id: String,
    pub name: String,
    pub state: String,
    pub labels: BTreeMap<String, String>,
}

impl Listed {
    pub fn is_ours(&self) -> bool {
        self.labels.contains_key("pierhead.cluster")
    }

    pub fn is_of(&self, app: &str) -> bool {
        self.labels.get("pierhead.app").is_some_and(|name| name == app)
    }

    pub fn runs(&self) -> bool {
        self.state == "running"
    }
}

/// Everything on one host.
pub fn list(host: &Host) -> Vec<Listed> {
    let listing = call(host, "GET", "/containers/json?all=1", None);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed = |container: &Value| Listed {
        host: host.name().to_owned(),
        id: text(&container["Id"]),
        name: text(&container["Names"][0]).trim_start_matches('/').to_owned(),
        state: text(&container["State"]),
        labels: serde_json::from_value(container["Labels"].clone()).unwrap_or_default(),
    };
    listing.as_array().unwrap().iter().map(listed).collect()
}

/// Everything of ours on all of these hosts.
pub fn ours(hosts: &[Host]) -> Vec<Listed> {
    hosts.iter().flat_map(list).filter(Listed::is_ours).collect()
}

/// Everything of one app on all of these hosts.
pub fn of_app(hosts: &[Host], app: &str) -> Vec<Listed> {
    ours(hosts).into_iter().filter(|container| container.is_of(app)).collect()
}

/// Everything that an engine knows of a container.
pub fn inspect(host: &Host, id: &str) -> Value {
    call(host, "GET", &format!("/containers/{id}/json"), None)
}

/// The ids of some containers, in order.
pub fn ids<'a>(containers: impl IntoIterator<Item = &'a Listed>) -> Vec<String> {
    let mut ids: Vec<String> = containers.into_iter().map(|container| container.id.clone()).collect();
    ids.sort();
    ids
}

/// The page that a sample container serves at an address (`tcp://10.77.0.11:20000`), as soon as it does.
pub fn page(address: &str) -> String {
    let (page, _) = until_some("the page", LIMIT, || {
        request(address, "GET", "/", Body::Empty, LIMIT).ok().filter(|answer| answer.status == 200)
    });
    page.text().trim().to_owned()
}
