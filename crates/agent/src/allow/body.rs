//! Bodies of JSON: which fields there may be, recursively. What comes out is written from what was checked.
//!
//! Engines take field names without regard to upper and lower case, and the last of several; here a name counts only
//! as it is listed, and each field is written once.

use super::query::{is_name, shown};
use crate::refusal::Refusal;
use serde_json::{Map, Value};

/// What a value may be. `null` is a field that is not there.
#[derive(Debug)]
pub(crate) enum Shape {
    /// `true` or `false`.
    Flag,
    /// Exactly this.
    Only(bool),
    /// A whole number.
    Number,
    /// Any text without NUL.
    Text,
    /// A text like the names of containers, images and networks.
    Name,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// An object without fields.
    Nothing,
    /// A list of such values.
    List(&'static Shape),
    /// An object of any keys with such values.
    Map(&'static Shape),
    /// An object of these fields.
    Object(&'static [(&'static str, Shape)]),
}

/// The body as the engine gets it.
pub(crate) fn rebuild(shape: &Shape, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        Refusal::malformed(format!("the body must be JSON (line {}, column {})", error.line(), error.column()))
    })?;
    let checked = check(shape, value, "")?;
    serde_json::to_vec(&checked).map_err(|_| Refusal::malformed("the body cannot be written as JSON"))
}

fn check(shape: &Shape, value: Value, at: &str) -> Result<Value, Refusal> {
    match (shape, value) {
        (Shape::Object(fields), Value::Object(object)) => object_of(fields, object, at),
        (Shape::Map(of), Value::Object(object)) => map_of(of, object, at),
        (Shape::List(of), Value::Array(list)) => {
            let checked = list.into_iter().enumerate().map(|(index, item)| check(of, item, &format!("{at}[{index}]")));
            checked.collect::<Result<Vec<Value>, Refusal>>().map(Value::Array)
        }
        (shape, value) if plain(shape, &value) => Ok(value),
        (shape, _) => {
            let at = if at.is_empty() { "the body" } else { at };
            Err(Refusal::not_allowed(format!("'{at}' must be {}", form(shape))))
        }
    }
}

fn object_of(fields: &[(&str, Shape)], object: Map<String, Value>, at: &str) -> Result<Value, Refusal> {
    let mut checked = Map::new();
    for (name, value) in object {
        let inner = join(at, &name);
        let Some((name, shape)) = fields.iter().find(|(known, _)| *known == name) else {
            return Err(Refusal::not_allowed(format!("the field '{inner}' is not allowed")));
        };
        if !value.is_null() {
            checked.insert((*name).to_owned(), check(shape, value, &inner)?);
        }
    }
    Ok(Value::Object(checked))
}

fn map_of(of: &Shape, object: Map<String, Value>, at: &str) -> Result<Value, Refusal> {
    let mut checked = Map::new();
    for (key, value) in object {
        if key.contains('\0') {
            return Err(Refusal::not_allowed(format!("'{at}' has a key with NUL")));
        }
        let value = check(of, value, &join(at, &key))?;
        checked.insert(key, value);
    }
    Ok(Value::Object(checked))
}

fn plain(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Flag, Value::Bool(_)) => true,
        (Shape::Only(wanted), Value::Bool(flag)) => wanted == flag,
        (Shape::Number, Value::Number(number)) => number.is_i64(),
        (Shape::Text, Value::String(text)) => !text.contains('\0'),
        (Shape::Name, Value::String(text)) => text.is_empty() || is_name(text),
        (Shape::OneOf(words), Value::String(text)) => words.contains(&text.as_str()),
        (Shape::Nothing, Value::Object(object)) => object.is_empty(),
        _ => false,
    }
}

fn form(shape: &Shape) -> String {
    match shape {
        Shape::Flag => "true or false".to_owned(),
        Shape::Only(wanted) => wanted.to_string(),
        Shape::Number => "a whole number".to_owned(),
        Shape::Text => "text without NUL".to_owned(),
        Shape::Name => "a name".to_owned(),
        Shape::OneOf(words) => format!("one of: {}", words.join(", ")),
        Shape::Nothing => "an empty object".to_owned(),
        Shape::List(_) => "a list".to_owned(),
        Shape::Map(_) | Shape::Object(_) => "an object".to_owned(),
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { shown(name) } else { format!("{at}.{}", shown(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape::Object(&[
        ("Flag", Shape::Flag),
        ("Off", Shape::Only(false)),
        ("Number", Shape::Number),
        ("Text", Shape::Text),
        ("Name", Shape::Name),
        ("Kind", Shape::OneOf(&["volume"])),
        ("Keys", Shape::Map(&Shape::Nothing)),
        ("List", Shape::List(&Shape::Object(&[("A", Shape::Number)]))),
    ]);

    #[test]
    fn what_is_listed_is_written_anew() {
        let body = br#" {"Flag":true,"Off":false,"Number":-5,"Text":"a\u0041","Name":null,"Kind":"volume",
            "Keys":{"80/tcp":{}},"List":[{"A":1},{}]}"#;
        let rebuilt: Value = serde_json::from_slice(&rebuild(&SHAPE, body).unwrap()).unwrap();
        let expected = serde_json::json!({"Flag": true, "Off": false, "Number": -5, "Text": "aA", "Kind": "volume",
            "Keys": {"80/tcp": {}}, "List": [{"A": 1}, {}]});
        assert_eq!(rebuilt, expected);
        assert_eq!(rebuild(&SHAPE, br#"{"Number":1,"Number":2}"#).unwrap(), br#"{"Number":2}"#);
    }

    #[test]
    fn everything_else_is_refused_by_its_place() {
        for (body, word) in [
            (r#"{"Privileged":true}"#, "'Privileged' is not allowed"),
            (r#"{"flag":true}"#, "'flag' is not allowed"),
            (r#"{"off":null}"#, "'off' is not allowed"),
            (r#"{"Off":true}"#, "'Off' must be false"),
            (r#"{"Off":"false"}"#, "'Off' must be false"),
            (r#"{"Number":1.5}"#, "'Number' must be a whole"),
            (r#"{"Number":18446744073709551615}"#, "'Number' must be"),
            (r#"{"Text":"\u0000"}"#, "'Text' must be"),
            (r#"{"Name":"../x"}"#, "'Name' must be"),
            (r#"{"Kind":"bind"}"#, "one of: volume"),
            (r#"{"Keys":{"a":{"b":1}}}"#, "'Keys.a' must be an empty object"),
            (r#"{"Keys":{"\u0000":{}}}"#, "key with NUL"),
            (r#"{"List":[{},{"B":1}]}"#, "'List[1].B' is not allowed"),
            (r#"{"List":{}}"#, "'List' must be a list"),
            ("[]", "'the body' must be an object"),
            ("null", "'the body' must be"),
            ("", "must be JSON"),
            (r#"{"Flag":true}{}"#, "must be JSON"),
            ("{\"Text\":\"\u{1b}\"}", "must be JSON"),
        ] {
            let refusal = rebuild(&SHAPE, body.as_bytes()).unwrap_err();
            assert!(refusal.message.contains(word), "{body}: {refusal}");
        }
        assert!(rebuild(&SHAPE, &b"[".repeat(100_000)).is_err());
        assert!(rebuild(&SHAPE, b"\xff").is_err());
    }

    #[test]
    fn values_are_never_repeated() {
        let refusal = rebuild(&SHAPE, br#"{"Number":"s3cret"}"#).unwrap_err();
        assert!(!refusal.message.contains("s3cret"));
        assert!(!rebuild(&SHAPE, br#"{"Text": s3cret}"#).unwrap_err().message.contains("s3cret"));
    }
}
