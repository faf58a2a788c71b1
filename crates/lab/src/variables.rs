//! What the variables of a lab are for one student, and how they come into texts.

use crate::model::{Variable, VariableKind};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The values of a lab's variables, by their names.
pub type Values = BTreeMap<String, String>;

/// The values for one student: the same for the same seed, whatever else changes in the lab. The seed must be secret
/// where a student must not guess the values of others.
#[must_use]
pub fn values(variables: &[Variable], seed: &str) -> Values {
    variables.iter().map(|variable| (variable.name.clone(), value(variable, seed))).collect()
}

fn value(variable: &Variable, seed: &str) -> String {
    let mut numbers = Numbers::of(seed, &variable.name);
    match &variable.kind {
        VariableKind::Fixed(value) => value.clone(),
        VariableKind::OneOf(values) => {
            let at = usize::try_from(numbers.below(values.len() as u64)).unwrap_or(0);
            values.get(at).cloned().unwrap_or_default()
        }
        VariableKind::Between { from, to } => {
            let span = (i128::from(*to) - i128::from(*from)).max(0) as u64;
            let more = if span == u64::MAX { numbers.next() } else { numbers.below(span + 1) };
            (i128::from(*from) + i128::from(more)).to_string()
        }
        VariableKind::Letters(count) => (0..*count).map(|_| char::from(b'a' + numbers.below(26) as u8)).collect(),
    }
}

/// The most bytes of a variable's name.
const LONGEST_NAME: usize = 40;

/// Numbers that look random: SplitMix64 (Steele, Lea and Flood, 2014) from an FNV-1a hash of seed and name.
struct Numbers(u64);

impl Numbers {
    fn of(seed: &str, name: &str) -> Self {
        let bytes = seed.bytes().chain([0]).chain(name.bytes());
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `end`, every number alike as far as it matters; 0 if `end` is.
    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}

/// A text with `{{name}}` replaced by the value of each known variable; whatever else stands in braces is left alone.
/// `unknown` is told the names that no variable has.
#[must_use]
pub fn fill<'a>(text: &'a str, values: &Values, mut unknown: impl FnMut(&str)) -> Cow<'a, str> {
    if !text.contains("{{") {
        return Cow::Borrowed(text);
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let inner = &rest[at + 2..];
        // No name is longer, so a page of opening braces takes no time.
        let near = &inner.as_bytes()[..inner.len().min(LONGEST_NAME + 2)];
        let end = near.windows(2).position(|two| two == b"}}");
        let name = end.map(|end| &inner[..end]).filter(|name| crate::own::is_variable(name));
        let value = name.and_then(|name| values.get(name));
        filled.push_str(&rest[..at]);
        if let (Some(name), Some(value)) = (name, value) {
            filled.push_str(value);
            rest = &inner[name.len() + 2..];
        } else {
            if let Some(name) = name {
                unknown(name);
            }
            filled.push('{');
            rest = &rest[at + 1..];
        }
    }
    filled.push_str(rest);
    Cow::Owned(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn variable(name: &str, kind: VariableKind) -> Variable {
        Variable { name: name.to_owned(), kind }
    }

    #[test]
    fn each_student_has_values_that_stay() {
        let colours = ["red", "green", "blue"].map(str::to_owned).to_vec();
        let lab = [
            variable("colour", VariableKind::OneOf(colours.clone())),
            variable("port", VariableKind::Between { from: 20_000, to: 20_009 }),
            variable("word", VariableKind::Letters(8)),
            variable("host", VariableKind::Fixed("db".to_owned())),
        ];
        let mine = values(&lab, "clare");
        assert_eq!(mine, values(&lab, "clare"));
        assert_eq!(mine["word"], values(&lab[2..3], "clare")["word"]);
        let all: Vec<Values> = (0..200).map(|n| values(&lab, &format!("student-{n}"))).collect();
        for colour in &colours {
            assert!(all.iter().filter(|values| values["colour"] == *colour).count() > 30, "{colour}");
        }
        let ports: std::collections::BTreeSet<&str> = all.iter().map(|values| values["port"].as_str()).collect();
        assert_eq!(ports.len(), 10, "{ports:?}");
        let words: std::collections::BTreeSet<&str> = all.iter().map(|values| values["word"].as_str()).collect();
        assert_eq!(words.len(), 200);
        assert!(all.iter().all(|values| values["host"] == "db" && values["word"].len() == 8));
    }

    #[test]
    fn the_widest_range_is_one() {
        for kind in [VariableKind::Between { from: i64::MIN, to: i64::MAX }, VariableKind::Between { from: 5, to: 5 }] {
            assert!(value(&variable("a", kind), "s").parse::<i64>().is_ok());
        }
        assert_eq!(value(&variable("a", VariableKind::OneOf(Vec::new())), "s"), "");
    }

    #[test]
    fn only_known_names_are_filled_in() {
        let values = Values::from([("port".to_owned(), "80".to_owned()), ("x".to_owned(), "{{port}}".to_owned())]);
        let mut unknown = Vec::new();
        let text = "{{port}}/{{ port }} {{{port}}} {{Names}} {{.Names}} {{x}} {{port";
        let filled = fill(text, &values, |name| unknown.push(name.to_owned()));
        assert_eq!(filled, "80/{{ port }} {80} {{Names}} {{.Names}} {{port}} {{port");
        assert_eq!(unknown, ["Names"]);
        assert!(matches!(fill("nothing", &values, |_| ()), Cow::Borrowed(_)));
    }

    #[test]
    fn the_longest_name_is_filled_in_and_a_longer_one_is_text() {
        let (longest, longer) = ("n".repeat(LONGEST_NAME), "n".repeat(LONGEST_NAME + 1));
        let values = Values::from([(longest.clone(), "x".to_owned()), (longer.clone(), "y".to_owned())]);
        let filled =
            fill(&format!("ü{{{{{longest}}}}}ü{{{{{longer}}}}}"), &values, |name| panic!("{name}")).into_owned();
        assert_eq!(filled, format!("üxü{{{{{longer}}}}}"));
        assert_eq!(fill("{{{{ü}}}}{{", &values, |_| ()), "{{{{ü}}}}{{");
    }

    proptest! {
        #[test]
        fn values_are_what_their_kind_says(from in any::<i64>(), more in 0..1_000i64, count in 1..=64u8, seed in ".{0,9}") {
            let to = from.saturating_add(more);
            let number: i64 = value(&variable("n", VariableKind::Between { from, to }), &seed).parse().unwrap();
            prop_assert!((from..=to).contains(&number), "{number}");
            let letters = value(&variable("l", VariableKind::Letters(count)), &seed);
            prop_assert!(letters.len() == usize::from(count) && letters.bytes().all(|b| b.is_ascii_lowercase()), "{letters}");
        }

        #[test]
        fn texts_without_variables_stay(text in "[a-z{} ü]{0,40}") {
            prop_assert_eq!(fill(&text, &Values::new(), |_| ()), text.as_str());
        }
    }
}
