//! Values for schemas and parameters: some that fit, some that nobody should send. All from one source of chance.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

/// Texts that have broken programs.
const HOSTILE: [&str; 18] = [
    "",
    " ",
    "\u{0}",
    "\u{1b}[31mred",
    "../../etc/passwd",
    "%00",
    "%ff",
    "-1",
    "null",
    "NaN",
    "1e999",
    "9223372036854775808",
    "'; --",
    "$(id)",
    "\u{202e}txt",
    "💥",
    "Ünïcode",
    "a\r\nb: c",
];

/// Texts that mean something in the pool of the test.
const KNOWN: [&str; 16] = [
    "web",
    "db",
    "host-1",
    "host-2",
    "host-3",
    "ann",
    "clare",
    "clerk",
    "user",
    "read-engines",
    "pierhead/sample:1",
    "pierhead/job:1",
    "pierhead/failing:1",
    "no/such:1",
    "tcp",
    "2026-11-21T22:10:06Z",
];

/// Makes values.
pub struct Values<'a> {
    document: &'a Value,
    chance: StdRng,
}

impl<'a> Values<'a> {
    pub fn new(document: &'a Value, seed: u64) -> Self {
        Self { document, chance: StdRng::seed_from_u64(seed) }
    }

    /// True in one of so many cases.
    pub fn once_in(&mut self, cases: u32) -> bool {
        self.chance.random_range(0..cases) == 0
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.chance.random_range(0..bound)
    }

    pub fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// A text that may or may not be one that means something.
    pub fn text(&mut self) -> String {
        match self.below(20) {
            0 => "x".repeat(self.below(400)),
            1 => self.one_of(&HOSTILE).to_owned(),
            2..4 => format!("{:x}", self.chance.random_range(0..u64::MAX)),
            _ => self.one_of(&KNOWN).to_owned(),
        }
    }

    pub fn hostile(&mut self) -> String {
        if self.once_in(10) { "y".repeat(300 + self.below(9_000)) } else { self.one_of(&HOSTILE).to_owned() }
    }

    /// A value that fits a schema. Numbers of things are small: the pool is.
    pub fn fitting(&mut self, schema: &Value) -> Value {
        if let Some(name) = schema["$ref"].as_str() {
            let target = self.document.pointer(name.strip_prefix('#').unwrap()).unwrap().clone();
            return self.fitting(&target);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let choice = self.one_of(choices);
            return self.fitting(&choice);
        }
        if let Some(values) = schema["enum"].as_array() {
            return self.one_of(values);
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => vec!["string", "integer", "null", "boolean"],
        };
        match self.one_of(&kinds) {
            "boolean" => json!(self.once_in(2)),
            "integer" => {
                let least = schema["minimum"].as_u64().unwrap_or(0);
                json!(least + self.below(3) as u64)
            }
            "number" => self.one_of(&[json!(0.1), json!(0.25), json!(1), json!(64), json!(16.5)]),
            "string" if schema["format"] == "date-time" => json!("2026-11-21T22:10:06Z"),
            "string" => json!(self.text()),
            "array" => {
                let length = self.below(3);
                (0..length).map(|_| self.fitting(&schema["items"])).collect()
            }
            "object" => self.fitting_object(schema),
            _ => Value::Null,
        }
    }

    fn fitting_object(&mut self, schema: &Value) -> Value {
        let mut object = Map::new();
        let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        for (name, part) in schema["properties"].as_object().into_iter().flatten() {
            if required(name) || self.once_in(3) {
                object.insert(name.clone(), self.fitting(part));
            }
        }
        if schema["additionalProperties"].is_object() && self.once_in(2) {
            object.insert(self.text(), self.fitting(&schema["additionalProperties"]));
        }
        Value::Object(object)
    }

    /// A value with one part of it replaced, removed or added.
    pub fn broken(&mut self, value: &Value) -> Value {
        let mut value = value.clone();
        self.break_somewhere(&mut value);
        value
    }

    fn break_somewhere(&mut self, value: &mut Value) {
        let deeper = !self.once_in(4);
        match value {
            Value::Object(fields) if deeper && !fields.is_empty() => {
                let names: Vec<String> = fields.keys().cloned().collect();
                let name = self.one_of(&names);
                if self.once_in(6) {
                    fields.remove(&name);
                } else if self.once_in(6) {
                    fields.insert(self.hostile(), json!(1));
                } else if let Some(part) = fields.get_mut(&name) {
                    self.break_somewhere(part);
                }
            }
            Value::Array(items) if deeper && !items.is_empty() => {
                let at = self.below(items.len());
                self.break_somewhere(&mut items[at]);
            }
            _ => {
                let (text, long) = (self.hostile(), vec!["a"; self.below(600)]);
                let others = [json!(null), json!(true), json!(-1), json!(1e300), json!(i64::MAX), json!(0.5)];
                let more = [json!(text), json!([]), json!({}), json!([[[]]]), json!(long), json!({ "a": { "b": 1 } })];
                *value = self.one_of(&[others, more].concat());
            }
        }
    }

    /// A body: mostly JSON that fits or nearly fits, now and then something else.
    pub fn body(&mut self, schema: &Value, example: &Value) -> Vec<u8> {
        let value = if self.once_in(2) { example.clone() } else { self.fitting(schema) };
        match self.below(40) {
            0 => Vec::new(),
            1 => b"{\"a\":".to_vec(),
            2 => vec![0xff, 0xfe, 0x00],
            3 => "[".repeat(5_000).into_bytes(),
            4 => {
                let text = value.to_string();
                let end = (0..=self.below(text.len() + 1).min(text.len())).rev().find(|at| text.is_char_boundary(*at));
                text.as_bytes()[..end.unwrap_or(0)].to_vec()
            }
            5..20 => self.broken(&value).to_string().into_bytes(),
            _ => value.to_string().into_bytes(),
        }
    }

    /// A body that is larger than any that is taken.
    pub fn too_large(&mut self) -> Vec<u8> {
        let mut body = b"{\"name\":\"".to_vec();
        body.resize(1024 * 1024 + 1 + self.below(100), b'a');
        body
    }
}
