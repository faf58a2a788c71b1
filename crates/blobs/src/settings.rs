//! Which bucket, where it is asked, and as whom: what people write, parsed.

use std::fmt;
use std::str::FromStr;
use url::Url;

/// The account that is asked as, if a file does not say another.
const DEFAULT_PROFILE: &str = "default";
/// The region of object stores that have none.
const DEFAULT_REGION: &str = "us-east-1";

/// Why something is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseBucket(String);

/// A bucket and what the names in it begin with: `s3://BUCKET/PREFIX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketAddress {
    /// The bucket.
    pub bucket: String,
    /// What names begin with, without a slash at the end; may be empty.
    pub prefix: String,
}

impl BucketAddress {
    /// What an address begins with.
    pub const SCHEME: &'static str = "s3://";
}

impl FromStr for BucketAddress {
    type Err = ParseBucket;

    fn from_str(text: &str) -> Result<Self, ParseBucket> {
        let refused = |why: &str| Err(ParseBucket(format!("must be s3://BUCKET or s3://BUCKET/PREFIX: {why}")));
        let Some(rest) = text.strip_prefix(Self::SCHEME) else { return refused("it does not begin with s3://") };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_bucket = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|byte| is_plain(byte) || matches!(byte, b'-' | b'.'))
            && bucket.bytes().next().is_some_and(is_plain)
            && bucket.bytes().last().is_some_and(is_plain);
        if !is_bucket {
            return refused("a bucket has 3 to 63 lower-case letters, digits, dashes and dots");
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_part = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        };
        if !prefix.is_empty() && (prefix.len() > 512 || !prefix.split('/').all(is_part)) {
            return refused("a prefix has letters, digits, dashes, dots, underscores and single slashes");
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for BucketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "{}{}{slash}{}", Self::SCHEME, self.bucket, self.prefix)
    }
}

/// As whom a bucket is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct BucketKeys {
    /// The id of the key.
    pub id: String,
    /// The key.
    pub secret: String,
    /// What comes with keys that are good for some hours only.
    pub token: Option<String>,
}

impl BucketKeys {
    /// Reads a profile of a credentials file: `[default]`, and below it `aws_access_key_id = ID` and
    /// `aws_secret_access_key = SECRET`.
    ///
    /// # Errors
    /// [`ParseBucket`] if the profile is not there, or lacks one of them.
    pub fn from_file(text: &str, profile: Option<&str>) -> Result<Self, ParseBucket> {
        let profile = profile.unwrap_or(DEFAULT_PROFILE);
        let mut lines = text.lines().map(str::trim);
        let head = format!("[{profile}]");
        if !lines.any(|line| line == head) {
            return Err(ParseBucket(format!("it has no profile {head}")));
        }
        let of_profile: Vec<(&str, &str)> = lines
            .take_while(|line| !line.starts_with('['))
            .filter(|line| !line.starts_with(['#', ';']))
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim()))
            .collect();
        let value = |wanted: &str| {
            let found = of_profile.iter().find(|(name, value)| *name == wanted && !value.is_empty());
            found.map(|(_, value)| (*value).to_owned())
        };
        let needed = |name: &str| value(name).ok_or_else(|| ParseBucket(format!("its profile {head} has no {name}")));
        Ok(Self {
            id: needed("aws_access_key_id")?,
            secret: needed("aws_secret_access_key")?,
            token: value("aws_session_token"),
        })
    }
}

impl fmt::Debug for BucketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketKeys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A bucket, where it is asked and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSettings {
    /// Which one.
    pub address: BucketAddress,
    /// Where it is asked, without the bucket.
    pub endpoint: Url,
    /// Its region.
    pub region: String,
    /// Whether the bucket stands in the path of requests, or before the host's name.
    pub has_path_style: bool,
    /// As whom.
    pub keys: BucketKeys,
}

impl BucketSettings {
    /// Settles what was said. Without an endpoint it is a bucket of AWS, before whose name TLS knows no dots; with one it
    /// stands in the path unless it is said otherwise.
    ///
    /// # Errors
    /// [`ParseBucket`] if the endpoint is no `http` or `https` address, or the region is none.
    pub fn settle(
        address: BucketAddress,
        endpoint: Option<&str>,
        region: Option<&str>,
        has_path_style: Option<bool>,
        keys: BucketKeys,
    ) -> Result<Self, ParseBucket> {
        let region = region.unwrap_or(DEFAULT_REGION);
        if region.is_empty() || !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(ParseBucket(format!("the region {region:?} is none: it has letters, digits and dashes")));
        }
        let tail = if region.starts_with("cn-") { ".cn" } else { "" };
        let text = endpoint.map_or_else(|| format!("https://s3.{region}.amazonaws.com{tail}"), str::to_owned);
        let url = Url::parse(&text).ok().filter(|url| {
            let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            let is_anonymous = url.username().is_empty() && url.password().is_none();
            matches!(url.scheme(), "http" | "https") && url.has_host() && is_bare && is_anonymous
        });
        let endpoint_url = url
            .ok_or_else(|| ParseBucket(format!("the endpoint {text:?} must be https://HOST[:PORT] without a path")))?;
        let has_path_style = has_path_style.unwrap_or(endpoint.is_some() || address.bucket.contains('.'));
        let region = region.to_owned();
        Ok(Self { address, endpoint: endpoint_url, region, has_path_style, keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_perhaps_a_prefix() {
        for (text, bucket, prefix) in [
            ("s3://school", "school", ""),
            ("s3://school/", "school", ""),
            ("s3://my.school-1/pierhead/images", "my.school-1", "pierhead/images"),
            ("s3://school/a_b.c/", "school", "a_b.c"),
        ] {
            let parsed: BucketAddress = text.parse().unwrap();
            assert_eq!((parsed.bucket.as_str(), parsed.prefix.as_str()), (bucket, prefix), "{text}");
            assert_eq!(parsed.to_string().trim_end_matches('/'), text.trim_end_matches('/'));
        }
        for (text, why) in [
            ("school", "s3://"),
            ("s3://", "3 to 63"),
            ("s3://ab", "3 to 63"),
            ("s3://School", "lower-case"),
            ("s3://-school", "lower-case"),
            ("s3://school/a//b", "single slashes"),
            ("s3://school/../b", "single slashes"),
            ("s3://school/a b", "single slashes"),
            ("s3://key:secret@school", "lower-case"),
        ] {
            let refused = text.parse::<BucketAddress>().unwrap_err().to_string();
            assert!(refused.contains(why) && refused.starts_with("must be s3://BUCKET"), "{text}: {refused}");
        }
    }

    #[test]
    fn keys_are_read_from_a_profile_and_never_shown() {
        let file = "# mine\n[default]\naws_access_key_id = AKIA1\naws_secret_access_key=s3cr=t\n\n[lab]\n\
                    aws_access_key_id = AKIA2\n; old\naws_secret_access_key = other\naws_session_token = tok\n[half]\naws_access_key_id=x\n";
        let keys = BucketKeys::from_file(file, None).unwrap();
        assert_eq!((keys.id.as_str(), keys.secret.as_str(), keys.token.as_ref()), ("AKIA1", "s3cr=t", None));
        let lab = BucketKeys::from_file(file, Some("lab")).unwrap();
        assert_eq!((lab.id.as_str(), lab.token.as_deref()), ("AKIA2", Some("tok")));
        let shown = format!("{keys:?}{lab:?}");
        assert!(!shown.contains("s3cr") && !shown.contains("other") && !shown.contains("tok"), "{shown}");
        for (profile, why) in [("none", "no profile [none]"), ("half", "has no aws_secret_access_key")] {
            let refused = BucketKeys::from_file(file, Some(profile)).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn where_a_bucket_is_asked_follows_from_what_is_said() {
        let keys = BucketKeys { id: "a".to_owned(), secret: "b".to_owned(), token: None };
        let settle = |address: &str, endpoint, region, style| {
            let settled = BucketSettings::settle(address.parse().unwrap(), endpoint, region, style, keys.clone());
            settled.map(|settled| (settled.endpoint.to_string(), settled.region, settled.has_path_style))
        };
        let of = |endpoint: &str, region: &str, style| Ok((endpoint.to_owned(), region.to_owned(), style));
        assert_eq!(settle("s3://abc", None, None, None), of("https://s3.us-east-1.amazonaws.com/", "us-east-1", false));
        let cn = settle("s3://a.b.c", None, Some("cn-north-1"), None);
        assert_eq!(cn, of("https://s3.cn-north-1.amazonaws.com.cn/", "cn-north-1", true));
        let own = settle("s3://abc", Some("http://10.0.0.9:9000"), Some("lab"), None);
        assert_eq!(own, of("http://10.0.0.9:9000/", "lab", true));
        let hosted = settle("s3://abc", Some("https://s3.example"), None, Some(false));
        assert_eq!(hosted, of("https://s3.example/", "us-east-1", false));
        for endpoint in ["10.0.0.9:9000", "ftp://x", "https://", "https://x/path", "https://a:b@x", "https://x/?y"] {
            let refused = settle("s3://abc", Some(endpoint), None, None).unwrap_err().to_string();
            assert!(refused.contains("must be https://HOST"), "{endpoint}: {refused}");
        }
        assert!(settle("s3://abc", None, Some("no region"), None).unwrap_err().to_string().contains("the region"));
    }
}
