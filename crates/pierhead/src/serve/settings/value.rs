//! Values of settings that have a form of their own.

use serde::{Deserialize, Deserializer, de};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A span of time: `1s`, `500ms`, `10m`, `2h`, `30d`, or a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    milliseconds: u64,
}

impl Span {
    pub fn millis(self) -> u64 {
        self.milliseconds
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
        let (number, unit) =
            units.iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit))).unwrap_or((text, 1_000));
        let value = number.trim().parse::<f64>().ok().filter(|value| (0.0..=1e9).contains(value));
        let milliseconds = value.map(|value| (value * f64::from(unit)).round() as u64);
        let milliseconds = milliseconds.ok_or("a span of time such as 1s, 500ms, 10m, 2h or 30d is expected")?;
        Ok(Self { milliseconds })
    }
}

/// A text that may hold a password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden")
    }
}

impl FromStr for Hidden {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// A range of ports: `20000-29999`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ports(pub RangeInclusive<u16>);

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range =
            text.split_once('-').and_then(|(from, to)| Some(from.trim().parse().ok()?..=to.trim().parse().ok()?));
        let range = range.filter(|range: &RangeInclusive<u16>| *range.start() > 0 && !range.is_empty());
        range.map(Self).ok_or_else(|| "a range of ports such as 20000-29999 is expected".to_owned())
    }
}

/// From a file, each may be written as text; a span also as a number of seconds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
