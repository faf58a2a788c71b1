//! Registries of images, and the account that the pool has at each.

use crate::{ImageReference, Invalid, Timestamp, Username};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A registry: host and port, as images name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegistryHost(String);

/// The registry of images that name none.
const DEFAULT: &str = "docker.io";
/// Other names of it.
const ALSO_DEFAULT: [&str; 4] = ["", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];
const FORM: &str = "host or host:port of a registry, such as registry.lan:5000 or docker.io";

impl RegistryHost {
    /// Parses a registry. A scheme before it and a path behind it, as some clients write them, are left out.
    ///
    /// # Errors
    /// [`Invalid`] if it is no host name or address with an optional port.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("registry", FORM);
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        let authority = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
        if authority.is_empty() {
            return Err(invalid());
        }
        if ALSO_DEFAULT.contains(&authority.as_str()) {
            return Ok(Self(DEFAULT.to_owned()));
        }
        let (host, port) = authority.split_once(':').unwrap_or((&authority, "1"));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
        let has_ends =
            |host: &str| !host.starts_with(['.', '-']) && !host.ends_with(['.', '-']) && !host.contains("..");
        let is_host = (1..=253).contains(&host.len()) && host.bytes().all(plain) && has_ends(host);
        // Without a dot or port no image could name it.
        let is_named_by_images = host == "localhost" || authority.contains(['.', ':']);
        let is_port = port.parse::<u16>().is_ok_and(|port| port > 0) && port.bytes().all(|b| b.is_ascii_digit());
        if is_host && is_named_by_images && is_port { Ok(Self(authority)) } else { Err(invalid()) }
    }

    /// The registry that an image comes from.
    #[must_use]
    pub fn of(image: &ImageReference) -> Self {
        image.registry().and_then(|host| Self::parse(host).ok()).unwrap_or_else(|| Self(DEFAULT.to_owned()))
    }

    /// The host and port.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RegistryHost {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<RegistryHost> for String {
    fn from(host: RegistryHost) -> String {
        host.0
    }
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The record of the pool's account at a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// The registry.
    pub host: RegistryHost,
    /// The user name there.
    pub username: String,
    /// The password, sealed.
    pub sealed_password: String,
    /// When it was given or changed.
    pub changed_at: Timestamp,
    /// Who gave or changed it.
    pub changed_by: Username,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_registry_has_one_name() {
        for (text, expected) in [
            ("registry.lan:5000", "registry.lan:5000"),
            ("https://Registry.LAN/v2/", "registry.lan"),
            ("http://127.0.0.1:5000", "127.0.0.1:5000"),
            ("localhost", "localhost"),
            ("docker.io", "docker.io"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("reg:5000", "reg:5000"),
        ] {
            assert_eq!(RegistryHost::parse(text).unwrap().as_str(), expected, "{text}");
        }
        for bad in ["", "https://", "reg", "a b.lan", "reg.lan:0", "reg.lan:x", "reg.lan:+1", "..", "-a.lan", "a@b.lan"]
        {
            assert!(RegistryHost::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn images_that_name_no_registry_have_the_default_one() {
        let of = |image: &str| RegistryHost::of(&ImageReference::parse(image).unwrap()).to_string();
        assert_eq!(of("httpd"), "docker.io");
        assert_eq!(of("team/app:1"), "docker.io");
        assert_eq!(of("docker.io/library/httpd"), "docker.io");
        assert_eq!(of("Registry.lan:5000/team/app"), "registry.lan:5000");
    }
}
