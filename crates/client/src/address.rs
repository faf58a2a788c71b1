//! Where controllers answer.

use crate::ClientError;
use std::fmt;
use url::Url;

/// The addresses of one or more controllers of the same pool, tried in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses(Vec<Url>);

impl Addresses {
    /// Parses a comma list such as `https://10.0.0.1:8080,https://10.0.0.2:8080`. Without a scheme `http://` is meant.
    ///
    /// # Errors
    /// [`ClientError::ParseAddress`] for the first one that is not such an address.
    pub fn parse(list: &str) -> Result<Self, ClientError> {
        let urls: Vec<Url> =
            list.split(',').map(str::trim).filter(|text| !text.is_empty()).map(parse_one).collect::<Result<_, _>>()?;
        if urls.is_empty() {
            return Err(refuse(list, "is empty"));
        }
        Ok(Self(urls))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Url> {
        self.0.iter()
    }

    /// One of them alone.
    pub(crate) fn only(&self, url: &Url) -> Self {
        Self(self.0.iter().filter(|other| *other == url).cloned().collect())
    }

    /// Each that is spoken to with TLS.
    pub fn https(&self) -> impl Iterator<Item = &Url> {
        self.iter().filter(|url| url.scheme() == "https")
    }

    /// Whether each of these is one of `others`.
    #[must_use]
    pub fn are_among(&self, others: &Self) -> bool {
        self.0.iter().all(|url| others.0.contains(url))
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, url) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{}", url.as_str().trim_end_matches('/'))?;
        }
        Ok(())
    }
}

fn refuse(text: &str, why: &str) -> ClientError {
    ClientError::ParseAddress { text: text.to_owned(), why: why.to_owned() }
}

fn parse_one(text: &str) -> Result<Url, ClientError> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole).map_err(|error| refuse(text, &format!("is not a URL ({error})")))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(refuse(text, "must begin with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse(text, "must not hold a user name or password; log in instead"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse(text, "must not hold '?' or '#'"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_kept_in_order_and_shown_without_slashes() {
        let addresses = Addresses::parse(" http://a:1/ , b:2,, https://c/pool").unwrap();
        assert_eq!(addresses.to_string(), "http://a:1,http://b:2,https://c/pool");
        assert_eq!(addresses.https().map(|url| url.as_str()).collect::<Vec<_>>(), ["https://c/pool"]);
    }

    #[test]
    fn other_addresses_are_refused_with_the_reason() {
        for (text, why) in [
            ("", "is empty"),
            (" , ", "is empty"),
            ("ftp://x", "http://"),
            ("unix:///x", "https:// or http://"),
            ("http://u:p@x", "log in"),
            ("http://x/?a=b", "'?'"),
            ("http://[::1", "not a URL"),
        ] {
            let message = Addresses::parse(text).unwrap_err().to_string();
            assert!(message.contains(why), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_subset_is_recognised_whatever_its_form() {
        let saved = Addresses::parse("http://a:1,http://b:2").unwrap();
        assert!(Addresses::parse("b:2/").unwrap().are_among(&saved));
        assert!(!Addresses::parse("b:2,http://evil:2").unwrap().are_among(&saved));
        assert!(!Addresses::parse("https://b:2").unwrap().are_among(&saved), "another scheme is another address");
    }
}
