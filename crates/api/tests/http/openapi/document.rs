//! The document itself: well formed, complete, with examples that fit, and the same as the committed copy.

use super::schema::Checker;
use super::{Operation, operations, operations_of};
use crate::raw::Sender;
use pierhead_testkit::{Cluster, ClusterOptions};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

#[test]
fn the_committed_copy_is_up_to_date() {
    let mut text = serde_json::to_string_pretty(&pierhead_api::openapi()).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(SNAPSHOT, &text).unwrap();
    }
    let kept = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    let line = text.lines().zip(kept.lines()).position(|(new, old)| new != old);
    assert!(
        text == kept,
        "docs/openapi.json is not what the program says (line {:?}); see whether the change is meant, then renew it: \
         UPDATE=1 cargo nextest run -p pierhead-api the_committed_copy_is_up_to_date",
        line.map(|line| line + 1)
    );
}

#[tokio::test]
async fn the_document_and_its_page_are_served_to_everybody() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let nobody = Sender::nobody(&cluster);
    assert_eq!(nobody.get("/api/openapi.json").await.json(), pierhead_api::openapi());
    let page = nobody.get("/api/docs").await;
    assert_eq!(page.status, 200);
    assert!(page.text.starts_with("<!doctype html>") && !page.text.contains("/*S"), "{}", page.text);
    for elsewhere in ["http://", "https://", "src=", "@import", "innerHTML", "eval("] {
        assert!(!page.text.contains(elsewhere), "{elsewhere}");
    }
}

/// Every schema of an operation: those of parameters, and of bodies with their examples.
fn schemas_of(operation: &Operation) -> Vec<(Value, Vec<Value>)> {
    let parameters = operation.value["parameters"].as_array().unwrap().iter();
    let mut found: Vec<(Value, Vec<Value>)> =
        parameters.map(|one| (one["schema"].clone(), vec![one["example"].clone()])).collect();
    let bodies = operation.value["responses"].as_object().unwrap().values().chain(operation.value.get("requestBody"));
    for content in bodies.filter_map(|body| body["content"].as_object()).flat_map(|content| content.values()) {
        let named = content["examples"].as_object().into_iter().flat_map(|all| all.values());
        let examples = named.map(|example| example["value"].clone()).chain(content.get("example").cloned());
        found.push((content["schema"].clone(), examples.collect()));
    }
    found
}

#[test]
fn every_example_fits_its_schema() {
    let document = pierhead_api::openapi();
    let checker = Checker::new(&document);
    let mut checked = 0;
    for operation in operations_of(&document) {
        for (schema, examples) in schemas_of(&operation) {
            let what = format!("{} {}", operation.method, operation.path);
            assert!(!examples.is_empty() || schema == json!({}), "{what}: no example of {schema}");
            for example in examples {
                checker.check(&schema, &example).unwrap_or_else(|error| panic!("{what}: {error}"));
                checked += 1;
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

#[test]
fn every_operation_says_what_one_must_know() {
    let mut ids = BTreeSet::new();
    for Operation { method, path, value } in operations() {
        let what = format!("{method} {path}");
        let id = value["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id.clone()), "{what}: the id {id} is not the only one");
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{what}: {id}");
        assert!(value["summary"].as_str().is_some_and(|text| !text.is_empty() && !text.ends_with('.')), "{what}");
        assert_eq!(value["tags"].as_array().map(Vec::len), Some(1), "{what}");
        let in_path = |parameter: &&Value| parameter["in"] == "path";
        let described: BTreeSet<String> = value["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(in_path)
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect();
        let named: BTreeSet<String> =
            path.split('{').skip(1).map(|part| part.split('}').next().unwrap().to_owned()).collect();
        assert_eq!(described, named, "{what}");
        let answers = value["responses"].as_object().unwrap();
        assert!(
            answers.keys().any(|status| status.starts_with('2') || ["101", "303"].contains(&status.as_str())),
            "{what} never succeeds"
        );
        assert!(!answers.contains_key("500"), "{what}: a defect is nothing to rely on");
        let is_public = value["x-permission"] == "public";
        let ways = value["security"].as_array().unwrap();
        assert_eq!(ways.is_empty(), is_public, "{what}");
        assert!(is_public || value["x-permission"] == "scraper" || ways.contains(&json!({ "bearer": [] })), "{what}");
        assert!(is_public || answers.contains_key("401"), "{what}");
        let is_change_by_get = method == "GET" && value["operationId"].as_str().unwrap().ends_with("_by_get");
        assert_eq!(value["deprecated"] == true, is_change_by_get, "{what}");
    }
}

#[test]
fn it_has_the_form_of_openapi() {
    let document = pierhead_api::openapi();
    assert_eq!(document["openapi"], "3.1.0");
    let tags: BTreeSet<String> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].to_string()).collect();
    let used: BTreeSet<String> =
        operations().into_iter().map(|operation| operation.value["tags"][0].to_string()).collect();
    assert_eq!(tags, used);
    let text = document.to_string();
    let refs = text.split("\"$ref\":\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    for named in refs {
        assert!(document.pointer(named.strip_prefix('#').unwrap()).is_some(), "{named} leads nowhere");
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(text.contains(&format!("schemas/{name}\"")), "nothing uses {name}");
        for (field, part) in schema["properties"].as_object().into_iter().flatten() {
            // A reference that may be null is described beside the reference.
            let choices = part["oneOf"].as_array().into_iter().flatten();
            let says = choices.chain([part]).any(|part| part["description"].is_string());
            assert!(says, "{name}.{field} has no description: {part}");
        }
    }
}
