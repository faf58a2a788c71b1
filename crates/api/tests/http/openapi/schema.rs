//! A checker of JSON values, for the keywords of schemas that the document uses; any other keyword is an error.

use serde_json::{Map, Value};

/// What the checker does not look at: they say nothing about which values fit.
const NOTES: [&str; 8] =
    ["description", "example", "examples", "default", "title", "deprecated", "writeOnly", "readOnly"];
const KEYWORDS: [&str; 14] = [
    "$ref",
    "type",
    "format",
    "properties",
    "required",
    "additionalProperties",
    "propertyNames",
    "items",
    "oneOf",
    "anyOf",
    "allOf",
    "enum",
    "minimum",
    "maximum",
];

/// Checks values against the schemas of a document.
pub struct Checker<'a> {
    document: &'a Value,
}

impl<'a> Checker<'a> {
    pub fn new(document: &'a Value) -> Self {
        Self { document }
    }

    /// What is wrong with a value, with the path to it. Fields that the schema does not name are wrong.
    pub fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        self.at("$", schema, value)
    }

    fn at(&self, path: &str, schema: &Value, value: &Value) -> Result<(), String> {
        let Some(keywords) = schema.as_object() else { return Err(format!("{path}: {schema} is no schema")) };
        for name in keywords.keys() {
            if !NOTES.contains(&name.as_str()) && !KEYWORDS.contains(&name.as_str()) {
                return Err(format!("{path}: the checker does not know the keyword {name}"));
            }
        }
        if let Some(name) = keywords.get("$ref").and_then(Value::as_str) {
            let pointer = name.strip_prefix('#').ok_or_else(|| format!("{path}: {name} is elsewhere"))?;
            let target = self.document.pointer(pointer).ok_or_else(|| format!("{path}: there is no {name}"))?;
            self.at(path, target, value)?;
        }
        self.kind(path, keywords, value)?;
        self.choices(path, keywords, value)?;
        match value {
            Value::Object(fields) => self.object(path, keywords, fields),
            Value::Array(items) => match keywords.get("items") {
                Some(schema) => {
                    items.iter().enumerate().try_for_each(|(n, v)| self.at(&format!("{path}[{n}]"), schema, v))
                }
                None => Ok(()),
            },
            Value::Number(number) => bounds(path, keywords, number.as_f64().unwrap_or(f64::NAN)),
            Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        }
    }

    fn kind(&self, path: &str, keywords: &Map<String, Value>, value: &Value) -> Result<(), String> {
        let fits = |kind: &str| match kind {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => false,
        };
        let is_fit = match keywords.get("type") {
            None => true,
            Some(Value::String(kind)) => fits(kind),
            Some(kinds) => kinds.as_array().is_some_and(|kinds| kinds.iter().filter_map(Value::as_str).any(fits)),
        };
        if !is_fit {
            return Err(format!("{path}: {value} is not of type {}", keywords["type"]));
        }
        match keywords.get("enum").and_then(Value::as_array) {
            Some(values) if !values.contains(value) => Err(format!("{path}: {value} is not one of {values:?}")),
            _ => Ok(()),
        }
    }

    fn choices(&self, path: &str, keywords: &Map<String, Value>, value: &Value) -> Result<(), String> {
        let tried = |name: &str| -> Option<Vec<Result<(), String>>> {
            let schemas = keywords.get(name)?.as_array()?;
            Some(schemas.iter().map(|schema| self.at(path, schema, value)).collect())
        };
        if let Some(results) = tried("oneOf") {
            let fit = results.iter().filter(|result| result.is_ok()).count();
            if fit != 1 {
                return Err(format!("{path}: {value} fits {fit} of oneOf: {results:?}"));
            }
        }
        if let Some(results) = tried("anyOf")
            && !results.iter().any(Result::is_ok)
        {
            return Err(format!("{path}: {value} fits none of anyOf: {results:?}"));
        }
        tried("allOf").into_iter().flatten().collect()
    }

    fn object(&self, path: &str, keywords: &Map<String, Value>, fields: &Map<String, Value>) -> Result<(), String> {
        for name in keywords.get("required").and_then(Value::as_array).into_iter().flatten() {
            if name.as_str().is_some_and(|name| !fields.contains_key(name)) {
                return Err(format!("{path}: there is no {name}"));
            }
        }
        let properties = keywords.get("properties").and_then(Value::as_object);
        let others = keywords.get("additionalProperties");
        for (name, value) in fields {
            let path = format!("{path}.{name}");
            match (properties.and_then(|properties| properties.get(name)), others) {
                (Some(schema), _) => self.at(&path, schema, value)?,
                (None, Some(schema)) if schema.is_object() => self.at(&path, schema, value)?,
                (None, None) if properties.is_none() => {}
                (None, _) => return Err(format!("{path}: the schema does not name it")),
            }
        }
        Ok(())
    }
}

fn bounds(path: &str, keywords: &Map<String, Value>, number: f64) -> Result<(), String> {
    let bound = |name: &str| keywords.get(name).and_then(Value::as_f64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), _) if number < least => Err(format!("{path}: {number} is below {least}")),
        (_, Some(most)) if number > most => Err(format!("{path}: {number} is above {most}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({ "components": { "schemas": {
            "Port": {
                "type": "object", "required": ["port"], "additionalProperties": false,
                "properties": { "port": { "type": "integer", "minimum": 0, "maximum": 65535 } },
            },
            "App": {
                "type": "object", "required": ["name"],
                "properties": {
                    "name": { "type": "string" },
                    "port": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Port" }] },
                    "tags": { "type": ["array", "null"], "items": { "enum": ["a", "b"] } },
                    "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                },
            },
        } } })
    }

    #[test]
    fn what_fits_passes_and_what_does_not_is_named() {
        let document = document();
        let checker = Checker::new(&document);
        let app = json!({ "$ref": "#/components/schemas/App" });
        for good in [
            json!({ "name": "web" }),
            json!({ "name": "web", "port": null, "tags": null }),
            json!({ "name": "web", "port": { "port": 80 }, "tags": ["a", "b"], "labels": { "x": "y" } }),
        ] {
            assert_eq!(checker.check(&app, &good), Ok(()), "{good}");
        }
        for (bad, named) in [
            (json!({}), "$: there is no \"name\""),
            (json!({ "name": 7 }), "$.name: 7 is not of type \"string\""),
            (json!({ "name": "web", "port": { "port": 70000 } }), "$.port: "),
            (json!({ "name": "web", "tags": ["c"] }), "$.tags[0]: \"c\" is not one of"),
            (json!({ "name": "web", "labels": { "x": 1 } }), "$.labels.x: 1 is not"),
            (json!({ "name": "web", "other": 1 }), "$.other: the schema does not name it"),
            (json!([]), "$: [] is not of type"),
        ] {
            let error = checker.check(&app, &bad).unwrap_err();
            assert!(error.starts_with(named), "{bad}: {error}");
        }
        let unknown = checker.check(&json!({ "pattern": "^a" }), &json!("a")).unwrap_err();
        assert!(unknown.contains("pattern"), "{unknown}");
        assert!(checker.check(&json!({ "$ref": "#/components/schemas/None" }), &json!(1)).is_err());
    }
}
