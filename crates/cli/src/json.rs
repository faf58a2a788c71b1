//! JSON as it came, laid out for people: the same values in the same order, unknown fields included.

use crate::escape::is_harmful;
use serde_json::value::RawValue;
use std::fmt::Write;

/// Lays valid JSON out with two spaces for each level. Characters that a terminal obeys become JSON escapes.
pub(crate) fn pretty(json: &str) -> String {
    let mut layout = Layout { text: String::with_capacity(json.len() * 2), depth: 0, just_opened: false };
    let (mut in_string, mut after_backslash) = (false, false);
    for c in json.chars() {
        if in_string {
            push_harmless(&mut layout.text, c);
            in_string = after_backslash || c != '"';
            after_backslash = !after_backslash && c == '\\';
        } else if !c.is_ascii_whitespace() {
            layout.push_token(c);
            in_string = c == '"';
        }
    }
    layout.text
}

/// JSON that is on one line already, harmless for a terminal.
pub(crate) fn one_line(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    // Such characters stand in strings only; between values a line's end means nothing.
    for c in json.chars().filter(|c| !matches!(c, '\n' | '\r')) {
        push_harmless(&mut text, c);
    }
    text
}

fn push_harmless(text: &mut String, c: char) {
    if is_harmful(c) {
        write!(text, "\\u{:04x}", u32::from(c)).expect("a String takes all");
    } else {
        text.push(c);
    }
}

struct Layout {
    text: String,
    depth: usize,
    just_opened: bool,
}

impl Layout {
    /// One character outside of strings.
    fn push_token(&mut self, c: char) {
        let closes = matches!(c, '}' | ']');
        if closes {
            self.depth = self.depth.saturating_sub(1);
        }
        if closes != self.just_opened {
            self.new_line();
        }
        self.just_opened = matches!(c, '{' | '[');
        self.depth += usize::from(self.just_opened);
        self.text.push(c);
        match c {
            ',' => self.new_line(),
            ':' => self.text.push(' '),
            _ => {}
        }
    }

    fn new_line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }
}

/// The elements of a JSON array, each as it came; none if it is not an array.
pub(crate) fn elements(array: &str) -> Vec<&str> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).unwrap_or_default();
    elements.into_iter().map(RawValue::get).collect()
}

/// A JSON array of elements that are JSON.
pub(crate) fn array(elements: &[&str]) -> String {
    format!("[{}]", elements.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn order_and_numbers_stay_as_they_came() {
        let laid_out = pretty(r#"[{"z":1.50,"a":[],"b":{ },"c":["x,\":{",null]},2]"#);
        let expected = "[\n  {\n    \"z\": 1.50,\n    \"a\": [],\n    \"b\": {},\n    \"c\": [\n      \"x,\\\":{\",\n      null\n    ]\n  },\n  2\n]";
        assert_eq!(laid_out, expected);
        assert_eq!(pretty("[]"), "[]");
    }

    #[test]
    fn a_terminal_obeys_nothing_of_it() {
        let laid_out = pretty("{\"name\":\"a\u{9b}31m\u{7f}\u{202e}\"}");
        assert_eq!(laid_out, "{\n  \"name\": \"a\\u009b31m\\u007f\\u202e\"\n}");
    }

    #[test]
    fn a_line_of_many_is_one_line() {
        assert_eq!(one_line("{\"a\":\n \"b\u{9b}\u{202e}\"}"), "{\"a\": \"b\\u009b\\u202e\"}");
    }

    #[test]
    fn elements_are_cut_out_as_they_came() {
        let parts = elements(r#"[ {"b":1, "a":2} , 3.0]"#);
        assert_eq!(parts, [r#"{"b":1, "a":2}"#, "3.0"]);
        assert_eq!(array(&parts), r#"[{"b":1, "a":2},3.0]"#);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_value_is_the_same(value in any_json()) {
            let laid_out = pretty(&value.to_string());
            prop_assert_eq!(serde_json::from_str::<Value>(&laid_out).unwrap(), value.clone());
            prop_assert_eq!(pretty(&laid_out), laid_out, "laying out twice changes nothing");
        }
    }
}
