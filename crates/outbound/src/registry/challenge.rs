//! How a registry wants to know who asks: the header `WWW-Authenticate` of its refusal.

use url::Url;

/// What is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// The password.
    Basic,
    /// What the server at an address gives, for a service and for what is to be done there.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// The first that is understood.
    pub fn first<'a>(asked: impl Iterator<Item = &'a str>) -> Option<Self> {
        asked.filter_map(Self::read).next()
    }

    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        for (name, value) in fields(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        let realm = realm.filter(|_| scheme.eq_ignore_ascii_case("bearer"))?;
        Some(Self::Bearer { realm, service, scope })
    }

    /// Where the ticket is asked for. A registry with TLS leads to a server with TLS: the password goes there.
    pub fn address(&self, is_secure: bool) -> Result<String, String> {
        let Self::Bearer { realm, service, scope } = self else { return Err("it names none".to_owned()) };
        let mut url = Url::parse(realm).map_err(|_| "its address can't be read".to_owned())?;
        let is_allowed = match url.scheme() {
            "https" => true,
            "http" => !is_secure,
            _ => false,
        };
        if !is_allowed || !url.has_host() || !url.username().is_empty() || url.password().is_some() {
            return Err("its address must be https://HOST, without a name in it".to_owned());
        }
        url.set_fragment(None);
        let asked = [("service", service), ("scope", scope)];
        for (name, value) in asked.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            url.query_pairs_mut().append_pair(name, value);
        }
        Ok(url.into())
    }
}

/// `name="value"` or `name=value`, with commas between them; a comma in quotes is of the value.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',']).to_owned();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        fields.push((name, value.trim().to_owned()));
        rest = left;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Challenge::Bearer { realm: realm.to_owned(), service: owned(service), scope: owned(scope) }
    }

    #[test]
    fn what_registries_write_is_understood() {
        for (text, expected) in [
            ("Basic realm=\"Registry Realm\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                "Bearer realm=\"https://auth.lan/token\",service=\"registry.lan\",scope=\"repository:a/b:pull,delete\"",
                Some(bearer("https://auth.lan/token", Some("registry.lan"), Some("repository:a/b:pull,delete"))),
            ),
            ("bearer Realm=https://auth.lan/t, service=x", Some(bearer("https://auth.lan/t", Some("x"), None))),
            ("Bearer service=\"x\"", None),
            ("Bearer realm=\"https://auth.lan", Some(bearer("https://auth.lan", None, None))),
            ("Negotiate", None),
            ("", None),
        ] {
            assert_eq!(Challenge::read(text), expected, "{text}");
        }
        assert_eq!(Challenge::first(["Negotiate", "Basic"].into_iter()), Some(Challenge::Basic));
    }

    #[test]
    fn a_ticket_is_asked_for_where_the_registry_says_and_with_tls_if_that_has_tls() {
        let asked = bearer("https://auth.lan/token?a=b", Some("r & d"), Some("repository:a/b:delete"));
        let address = "https://auth.lan/token?a=b&service=r+%26+d&scope=repository%3Aa%2Fb%3Adelete";
        assert_eq!(asked.address(true).as_deref(), Ok(address));
        assert_eq!(bearer("http://auth.lan/t", None, None).address(false).as_deref(), Ok("http://auth.lan/t"));
        for bad in ["http://auth.lan/t", "file:///etc/passwd", "https://ann:x@auth.lan/", "auth.lan", ""] {
            assert!(bearer(bad, None, None).address(true).is_err(), "{bad}");
        }
        assert!(Challenge::Basic.address(false).is_err());
    }
}
