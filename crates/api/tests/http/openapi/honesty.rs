//! What the document says that a route takes is what it takes: no parameter or field more, and none less.

use super::{Operation, operations_of};
use crate::raw::{Answer, Sender};
use pierhead_testkit::{Cluster, ClusterOptions};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Parameters that are taken before the route is asked; others test them.
const BEFORE: [&str; 3] = ["ticket", "limit", "cursor"];
/// A name that nothing has.
const STRANGE: &str = "zzz";

/// What a refusal of a strange field says that there is.
fn named_in(answer: &Answer) -> Option<BTreeSet<String>> {
    let refusal = (answer.status == 400).then(|| answer.refusal())?;
    let (_, rest) = refusal.message.split_once("unknown field `zzz`")?;
    Some(rest.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

/// A path that is about nothing, with the parameters that must be given.
fn path(operation: &Operation) -> String {
    let mut path = operation.path.clone();
    let mut query = String::new();
    for parameter in operation.value["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        path = path.replace(&format!("{{{name}}}"), "nothing");
        if parameter["in"] == "query" && parameter["required"] == true {
            query = format!("{query}&{name}={}", parameter["example"]);
        }
    }
    format!("{path}?{query}")
}

#[tokio::test]
async fn a_route_takes_the_query_that_the_document_tells_of() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    let mut looked_at = 0;
    for operation in operations_of(&pierhead_api::openapi()) {
        let described: BTreeSet<String> = operation.value["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|parameter| parameter["in"] == "query" && !BEFORE.iter().any(|name| parameter["name"] == *name))
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect();
        if described.is_empty() {
            continue;
        }
        let answer = admin.send(&operation.method, &format!("{}&{STRANGE}=1", path(&operation)), "{}").await;
        let what = format!("{} {}", operation.method, operation.path);
        assert_eq!((answer.status, answer.refusal().field.as_deref()), (400, Some(STRANGE)), "{what}: {answer:?}");
        // Who reads their query by hand tells of what they take in their own words.
        let named = named_in(&answer).unwrap_or_else(|| described.clone());
        assert!(described.is_subset(&named), "{what} does not take all of {described:?}: {answer:?}");
        for silent in named.difference(&described) {
            let refused = admin.send(&operation.method, &format!("{}&{silent}=1", path(&operation)), "{}").await;
            assert_eq!(refused.refusal().field.as_ref(), Some(silent), "{what} takes more than it says: {refused:?}");
        }
        looked_at += 1;
    }
    assert!(looked_at > 15, "{looked_at}");
}

/// Everything that a schema allows, filled in, and the names of the fields of every object in it by the path to it.
fn whole(document: &Value, schema: &Value, path: &str, objects: &mut Vec<(String, BTreeSet<String>)>) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        return whole(document, document.pointer(name.strip_prefix('#').unwrap()).unwrap(), path, objects);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let object = choices.iter().find(|choice| choice["type"] != "null").unwrap();
        return whole(document, object, path, objects);
    }
    let is =
        |kind: &str| schema["type"] == kind || schema["type"].as_array().is_some_and(|all| all.contains(&kind.into()));
    if is("object") {
        let mut value = Map::new();
        if let Some(fields) = schema["properties"].as_object() {
            if schema["additionalProperties"] == false {
                objects.push((path.to_owned(), fields.keys().cloned().collect()));
            }
            for (name, part) in fields {
                value.insert(name.clone(), whole(document, part, &format!("{path}/{name}"), objects));
            }
        }
        return Value::Object(value);
    }
    match schema {
        _ if is("array") => Value::Array(vec![whole(document, &schema["items"], &format!("{path}/0"), objects)]),
        _ if is("integer") || is("number") => Value::from(1),
        _ if is("boolean") => Value::from(true),
        _ => Value::from("a"),
    }
}

#[tokio::test]
async fn a_route_takes_the_fields_that_the_document_tells_of() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    let document = pierhead_api::openapi();
    let mut looked_at = 0;
    for operation in operations_of(&document) {
        let schema = &operation.value["requestBody"]["content"]["application/json"]["schema"];
        if !schema.is_object() {
            continue;
        }
        let mut objects = Vec::new();
        let body = whole(&document, schema, "", &mut objects);
        for (at, fields) in objects {
            // First of all, so that nothing else is found wrong before it.
            let strange = |object: &mut Value| {
                let known = std::mem::take(object.as_object_mut().unwrap());
                *object = Value::Object([(format!("!{STRANGE}"), Value::from(1))].into_iter().chain(known).collect());
            };
            let mut body = body.clone();
            strange(body.pointer_mut(&at).unwrap());
            let text = body.to_string().replace(&format!("!{STRANGE}"), STRANGE);
            let answer = admin.send(&operation.method, &path(&operation), text).await;
            let what = format!("{} {} at {at:?}", operation.method, operation.path);
            assert_eq!(named_in(&answer), Some(fields), "{what}: {answer:?}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 20, "{looked_at}");
}
