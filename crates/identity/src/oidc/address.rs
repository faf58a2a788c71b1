//! Addresses of a provider: with TLS, or on this very machine.

use std::fmt;
use url::{Host, Url};

/// An address that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address(Url);

impl Address {
    /// Reads the address of a provider.
    pub fn of_issuer(text: &str) -> Result<Self, String> {
        let form = || format!("{text:?} must be https://HOST, with a path perhaps (http:// on this very machine only)");
        let url = Url::parse(text).map_err(|_| form())?;
        let is_allowed = match url.scheme() {
            "https" => true,
            "http" => is_here(&url),
            _ => false,
        };
        let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if is_allowed && is_plain && url.query().is_none() && url.has_host() { Ok(Self(url)) } else { Err(form()) }
    }

    /// Reads an address that the provider at this one names.
    pub fn named(&self, text: &str) -> Result<Self, String> {
        let refused = || format!("the provider names {:?}, which is not https://", super::excerpt(text));
        let url = Url::parse(text).map_err(|_| refused())?;
        // Who is reached by TLS leads to nothing of this machine.
        let is_allowed = match url.scheme() {
            "https" => true,
            "http" => is_here(&url) && !self.is_secure(),
            _ => false,
        };
        let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if is_allowed && is_plain && url.has_host() { Ok(Self(url)) } else { Err(refused()) }
    }

    /// Where the provider tells of itself.
    pub fn discovery(&self) -> Self {
        let mut url = self.0.clone();
        let path = format!("{}/.well-known/openid-configuration", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Self(url)
    }

    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        url.set_query(None);
        url.fmt(f)
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_provider_is_reached_by_tls_or_on_this_machine() {
        for good in [
            "https://id.school.example",
            "https://id.school.example/realms/x/",
            "http://127.0.0.1:9000",
            "http://localhost:9000",
            "http://[::1]:9000/x",
        ] {
            assert!(Address::of_issuer(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "id.school.example",
            "http://id.school.example",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "https://ann:x@id.school.example",
            "https://id.school.example?x=1",
            "https://id.school.example#x",
        ] {
            assert!(Address::of_issuer(bad).unwrap_err().contains("must be https://HOST"), "{bad}");
        }
    }

    #[test]
    fn what_it_names_is_no_worse_than_itself() {
        let far = Address::of_issuer("https://id.school.example").unwrap();
        let near = Address::of_issuer("http://127.0.0.1:9000").unwrap();
        for (named, by_far, by_near) in [
            ("https://keys.example/jwks?x=1", true, true),
            ("http://127.0.0.1:2375/containers", false, true),
            ("http://localhost:1", false, true),
            ("http://id.school.example/jwks", false, false),
            ("http://169.254.169.254/latest", false, false),
            ("file:///etc/passwd", false, false),
            ("https://ann:x@keys.example", false, false),
            ("/jwks", false, false),
        ] {
            assert_eq!((far.named(named).is_ok(), near.named(named).is_ok()), (by_far, by_near), "{named}");
        }
    }

    #[test]
    fn discovery_stands_below_the_issuer() {
        let discovery = |issuer| Address::of_issuer(issuer).unwrap().discovery().to_string();
        assert_eq!(discovery("https://a.example"), "https://a.example/.well-known/openid-configuration");
        assert_eq!(discovery("https://a.example/r/x/"), "https://a.example/r/x/.well-known/openid-configuration");
    }

    proptest! {
        #[test]
        fn whoever_is_far_leads_to_tls_only(text in "(http|https|ftp|file|HTTP|ws)(://|:|:///|:/)[a-z0-9.:@/\\[\\]\\\\-]{0,30}") {
            let far = Address::of_issuer("https://id.school.example").unwrap();
            let near = Address::of_issuer("http://localhost:9000").unwrap();
            if let Ok(address) = far.named(&text) {
                prop_assert!(address.is_secure() && address.url().username().is_empty(), "{text}");
            }
            if let Ok(address) = near.named(&text) {
                prop_assert!(address.is_secure() || is_here(address.url()), "{text}");
            }
            if let Ok(issuer) = Address::of_issuer(&text) {
                prop_assert!(issuer.is_secure() || is_here(issuer.url()), "{text}");
                prop_assert!(issuer.discovery().to_string().ends_with("/.well-known/openid-configuration"));
            }
        }
    }
}
