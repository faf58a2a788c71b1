//! The documents of a backup: one line of JSON each, gzipped. Pure.

use std::io::{self, BufRead, BufReader, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use crate::{Entry, Revision};

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    #[serde(flatten)]
    value: Value,
}

/// Text as it is, so that people can read it; anything else in base64.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Value {
    Text(String),
    Base64(String),
}

pub(super) fn pack(entries: &[Entry], to: &mut Vec<u8>) -> io::Result<()> {
    let mut packed = GzEncoder::new(to, Compression::default());
    for entry in entries {
        let value = match std::str::from_utf8(&entry.value) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Base64(STANDARD.encode(&entry.value)),
        };
        serde_json::to_writer(&mut packed, &Line { key: entry.key.to_string(), value })?;
        packed.write_all(b"\n")?;
    }
    packed.finish().map(drop)
}

/// The documents, as if all of them were written at `revision`.
pub(super) fn unpack(packed: &[u8], revision: Revision) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    for (number, line) in BufReader::new(GzDecoder::new(packed)).lines().enumerate() {
        let wrong = |reason: String| format!("document {number}: {reason}");
        let line = line.map_err(|error| wrong(error.to_string()))?;
        let Line { key, value } = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        let value = match value {
            Value::Text(text) => text.into_bytes(),
            Value::Base64(text) => STANDARD.decode(text).map_err(|error| wrong(error.to_string()))?,
        };
        entries.push(Entry {
            key: key.into(),
            value: value.into(),
            created: revision,
            modified: revision,
            lease: None,
        });
    }
    Ok(entries)
}
