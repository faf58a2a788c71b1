//! How this server is reached: what the API must know of the connections that it does not see.

use axum::http::uri::Authority;
use std::sync::Arc;

/// The front of a server; by default plain HTTP.
#[derive(Debug, Clone, Default)]
pub struct Front {
    /// Whether connections are secured by TLS.
    pub is_tls: bool,
    /// Where browsers reach it, if a proxy stands before it.
    pub public: Option<PublicUrl>,
    /// The certificate of the pool's own authority, PEM, if there is one.
    pub ca_certificate: Option<Arc<str>>,
}

impl Front {
    /// Whether browsers speak TLS, with this server or with what stands before it.
    pub(crate) fn is_secure(&self) -> bool {
        self.public.as_ref().map_or(self.is_tls, |public| public.is_tls)
    }

    /// Where a page of this server comes from, as browsers see it; `host` is what the request calls the server.
    pub(crate) fn origin(&self, host: Option<&str>) -> Option<Place> {
        match &self.public {
            Some(public) => Some(public.place.clone()),
            None => Place::parse(host?, self.is_tls),
        }
    }

    /// Where browsers reach this server: scheme, host and port, without a slash at the end.
    pub(crate) fn base(&self, host: Option<&str>) -> Option<String> {
        let scheme = if self.is_secure() { "https" } else { "http" };
        let place = self.origin(host)?;
        let is_usual = place.port == if self.is_secure() { 443 } else { 80 };
        let port = if is_usual { String::new() } else { format!(":{}", place.port) };
        Some(format!("{scheme}://{}{port}", place.host))
    }

    /// Where an `Origin` says that a page comes from, if it is one of this server's scheme.
    pub(crate) fn place_of(&self, origin: &str) -> Option<Place> {
        let scheme = if self.is_secure() { "https://" } else { "http://" };
        Place::parse(origin.strip_prefix(scheme)?, self.is_secure())
    }
}

/// Where browsers reach a server behind a proxy: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    is_tls: bool,
    place: Place,
}

impl PublicUrl {
    /// Reads `https://pool.example` or `https://pool.example:8443`; a slash at the end does no harm.
    ///
    /// # Errors
    /// Says which form is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (is_tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(Self::form(text)),
        };
        // No browser says any other as its origin.
        let is_name = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_[:]".contains(&byte));
        let place = Place::parse(rest.strip_suffix('/').unwrap_or(rest), is_tls).filter(|place| is_name(&place.host));
        Ok(Self { is_tls, place: place.ok_or_else(|| Self::form(text))? })
    }

    fn form(text: &str) -> String {
        format!("{text:?} must be https://HOST or https://HOST:PORT, without a path")
    }
}

/// A host and its port, in one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    host: String,
    port: u16,
}

impl Place {
    fn parse(text: &str, is_tls: bool) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        // What stands before an @ is no part of a place.
        if text.contains('@') || authority.host().is_empty() {
            return None;
        }
        let port = match text.strip_prefix(authority.host()).unwrap_or_default() {
            "" if is_tls => 443,
            "" => 80,
            _ => authority.port_u16()?,
        };
        Some(Self { host: authority.host().to_ascii_lowercase(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_a_scheme_a_host_and_a_port() {
        let same =
            ["https://pool.example", "https://pool.example/", "https://Pool.Example:443", "https://pool.example:443/"];
        for text in same {
            assert_eq!(PublicUrl::parse(text), PublicUrl::parse(same[0]), "{text}");
        }
        let parsed = PublicUrl::parse("https://[fd00::1]:8443").unwrap();
        assert!(parsed.is_tls && parsed.place == Place { host: "[fd00::1]".to_owned(), port: 8443 }, "{parsed:?}");
        assert!(!PublicUrl::parse("http://pool.lan").unwrap().is_tls);
        for bad in [
            "",
            "pool.example",
            "ftp://pool.example",
            "HTTPS://pool.example",
            "https://",
            "https:///",
            "https://pool.example/pierhead",
            "https://pool.example//",
            "https://pool.example?a",
            "https://pool.example#a",
            "https://ann@pool.example",
            "https://pool.example:",
            "https://pool.example:65536",
            "https://pool example",
            "https://*",
            "https://pöol.example",
        ] {
            let refused = PublicUrl::parse(bad).unwrap_err();
            assert!(refused.contains("must be https://HOST"), "{bad}: {refused}");
        }
    }

    #[test]
    fn links_lead_where_browsers_are() {
        let front = |public: Option<&str>, is_tls| Front {
            is_tls,
            public: public.map(|text| PublicUrl::parse(text).unwrap()),
            ..Front::default()
        };
        let base = |front: Front, host| front.base(host).unwrap_or_default();
        assert_eq!(base(front(Some("https://pool.example"), false), Some("10.0.0.1:8080")), "https://pool.example");
        assert_eq!(base(front(None, false), Some("10.0.0.1:8080")), "http://10.0.0.1:8080");
        assert_eq!(base(front(None, true), Some("Pool.lan:8443")), "https://pool.lan:8443");
        assert_eq!(base(front(None, true), None), "");
    }

    #[test]
    fn the_public_url_counts_more_than_the_connection() {
        let public = |text| Some(PublicUrl::parse(text).unwrap());
        assert!(!Front::default().is_secure());
        assert!(Front { is_tls: true, ..Front::default() }.is_secure());
        assert!(Front { public: public("https://pool.example"), ..Front::default() }.is_secure());
        assert!(!Front { is_tls: true, public: public("http://pool.lan"), ..Front::default() }.is_secure());
    }
}
