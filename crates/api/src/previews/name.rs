//! What previews are called: `<port>-<workspace>` below one domain. A name says which workspace is meant, and never where
//! anything is.

use pierhead_model::WorkspaceId;
use std::fmt;

/// The parameter in which a ticket comes.
pub(crate) const TICKET: &str = "pierhead-ticket";
/// The longest domain, in bytes: the name stands before it.
const LONGEST: usize = 180;

/// A port of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewName {
    /// The port.
    pub port: u16,
    /// The workspace.
    pub workspace: WorkspaceId,
}

impl PreviewName {
    fn parse(label: &str) -> Option<Self> {
        let (port, workspace) = label.split_once('-')?;
        // One port has one name: no leading zero, no sign.
        let is_plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
        let port = port.parse().ok().filter(|_| is_plain)?;
        Some(Self { port, workspace: WorkspaceId::parse(workspace).ok()? })
    }
}

impl fmt::Display for PreviewName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.port, self.workspace)
    }
}

/// Where browsers find previews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewAddress {
    /// Whether browsers speak TLS there, with whatever stands before this server.
    pub is_tls: bool,
    /// The domain below which they are, in small letters.
    pub domain: String,
    /// The port that browsers call; the scheme's own without.
    pub port: Option<u16>,
}

impl PreviewAddress {
    /// Reads `*.preview.example`, or, where a proxy stands before this server, all of `https://*.preview.example:8443`.
    /// In the first form browsers call the given port with plain HTTP.
    ///
    /// # Errors
    /// Says which form is accepted.
    pub fn parse(text: &str, port: u16) -> Result<Self, String> {
        let form = || format!("{text:?} must be *.DOMAIN, or https://*.DOMAIN or https://*.DOMAIN:PORT behind a proxy");
        let (is_tls, rest, is_whole) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest, true),
            (None, Some(rest)) => (false, rest, true),
            (None, None) => (false, text, false),
        };
        let (name, port) = match rest.split_once(':') {
            Some((name, port)) if is_whole => (name, Some(port.parse().map_err(|_| form())?)),
            None if is_whole => (rest, None),
            None => (rest, Some(port).filter(|port| *port != 80)),
            Some(_) => return Err(form()),
        };
        let domain = name.strip_prefix("*.").ok_or_else(form)?.to_ascii_lowercase();
        let is_label = |label: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(plain)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        match domain.len() <= LONGEST && domain.split('.').all(is_label) {
            true => Ok(Self { is_tls, domain, port }),
            false => Err(form()),
        }
    }

    /// Whether browsers go there without TLS over a network that others use. What is below `localhost` stays on their
    /// machine.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.is_tls && self.domain.rsplit('.').next() != Some("localhost")
    }

    /// The preview that a host's name, in small letters, means.
    #[must_use]
    pub fn name_of(&self, host: &str) -> Option<PreviewName> {
        let label = host.strip_suffix(&self.domain)?.strip_suffix('.')?;
        PreviewName::parse(label)
    }

    /// Where a browser begins.
    pub(crate) fn url(&self, name: &PreviewName, ticket: &str) -> String {
        format!("{}?{TICKET}={ticket}", self.place(name))
    }

    /// Where a preview is, for who has a session already.
    #[must_use]
    pub fn place(&self, name: &PreviewName) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{name}.{}{port}/", self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_domain_or_a_whole_one() {
        let named = |text: &str| {
            let address = PreviewAddress::parse(text, 8081).unwrap();
            let name = PreviewName { port: 80, workspace: WorkspaceId::parse("abcdefgh23").unwrap() };
            address.place(&name)
        };
        assert_eq!(named("*.localhost"), "http://80-abcdefgh23.localhost:8081/");
        assert_eq!(named("*.Preview.Example"), "http://80-abcdefgh23.preview.example:8081/");
        assert_eq!(named("https://*.preview.example"), "https://80-abcdefgh23.preview.example/");
        assert_eq!(named("https://*.preview.example:8443"), "https://80-abcdefgh23.preview.example:8443/");
        assert_eq!(PreviewAddress::parse("*.localhost", 80).unwrap().port, None);
        let long = format!("*.{}", "a.".repeat(100));
        for bad in [
            "",
            "localhost",
            "*",
            "*.",
            "*localhost",
            "*.*.localhost",
            "*.a..b",
            "*.-a",
            "*.a-",
            "*.a b",
            "*.a_b",
            "*.a/",
            "*.a:80",
            "https://*.a:x",
            "https://a.b",
            "ftp://*.a",
            "*.ä",
            &long,
        ] {
            let refused = PreviewAddress::parse(bad, 8081).unwrap_err();
            assert!(refused.contains("must be *.DOMAIN"), "{bad}: {refused}");
        }
    }

    #[test]
    fn what_stays_on_ones_machine_and_what_has_tls_is_not_open() {
        for (text, is_open) in [
            ("*.localhost", false),
            ("*.lab.localhost", false),
            ("https://*.preview.example", false),
            ("*.preview.example", true),
            ("http://*.preview.example:8081", true),
            ("*.localhost.example", true),
            ("*.notlocalhost", true),
        ] {
            assert_eq!(PreviewAddress::parse(text, 8081).unwrap().is_open(), is_open, "{text}");
        }
    }

    #[test]
    fn a_preview_has_one_name() {
        let address = PreviewAddress::parse("*.localhost", 8081).unwrap();
        let name = address.name_of("8000-abcdefgh23.localhost").unwrap();
        assert_eq!(
            (name.port, name.workspace.as_str(), name.to_string()),
            (8000, "abcdefgh23", "8000-abcdefgh23".to_owned())
        );
        for bad in [
            "localhost",
            ".localhost",
            "8000-abcdefgh23",
            "8000-abcdefgh23localhost",
            "8000-abcdefgh23.localhost.evil",
            "8000-abcdefgh23.evil.localhost",
            "abcdefgh23.localhost",
            "0-abcdefgh23.localhost",
            "08000-abcdefgh23.localhost",
            "+80-abcdefgh23.localhost",
            "65536-abcdefgh23.localhost",
            "-abcdefgh23.localhost",
            "8000-.localhost",
            "8000-169.254.169.254.localhost",
            "8000-ABCDEFGH23.localhost",
        ] {
            assert_eq!(address.name_of(bad), None, "{bad}");
        }
    }
}
