//! An answer, read and as it came.

use serde::de::DeserializeOwned;
use std::ops::Deref;

/// A value together with the JSON that it was read from, which may hold fields that this version does not know.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    value: T,
    json: String,
}

impl<T> Answer<T> {
    /// The JSON, byte for byte.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The value alone.
    #[must_use]
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T: DeserializeOwned> Answer<T> {
    pub(crate) fn read(body: Vec<u8>) -> Result<Self, String> {
        let json = String::from_utf8(body).map_err(|error| error.to_string())?;
        let value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
        Ok(Self { value, json })
    }
}

impl<T> Deref for Answer<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}
