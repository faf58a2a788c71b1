//! The path of a request, in pieces that can only be read in one way.

use crate::refusal::Refusal;

/// The longest path, in bytes.
const LONGEST: usize = 1024;
/// Versions of the API that may stand before a path: 1.24 to 1.99.
const MINORS: std::ops::RangeInclusive<u32> = 24..=99;

/// A path taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    /// The minor version of API 1, if the path begins with one.
    pub(super) minor: Option<u32>,
    /// What stands between the slashes; none of them is empty.
    pub(super) segments: Vec<&'a str>,
}

impl<'a> Path<'a> {
    /// Takes a path apart. Refuses what two readers may read differently: escapes, empty pieces, and pieces that
    /// begin with a dot.
    pub(super) fn parse(path: &'a str) -> Result<Self, Refusal> {
        let refused = || Refusal::not_allowed("the path must be plain: /word/word, without escapes, dots or gaps");
        let rest = path.strip_prefix('/').filter(|_| path.len() <= LONGEST).ok_or_else(refused)?;
        let mut segments: Vec<&str> = rest.split('/').collect();
        if !segments.iter().all(|segment| is_plain(segment)) {
            return Err(refused());
        }
        let version = segments.first().and_then(|first| first.strip_prefix("v1."));
        let minor = match version {
            Some(digits) => Some(minor(digits).ok_or_else(refused)?),
            None => None,
        };
        if minor.is_some() {
            segments.remove(0);
        }
        Ok(Self { minor, segments })
    }

    /// The path as it is written to the engine.
    pub(super) fn write(&self) -> String {
        let version = self.minor.map(|minor| format!("/v1.{minor}")).unwrap_or_default();
        self.segments.iter().fold(version, |path, segment| path + "/" + segment)
    }
}

fn minor(digits: &str) -> Option<u32> {
    let canonical = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|minor| canonical && MINORS.contains(minor))
}

fn is_plain(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':' | b'@');
    segment.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
        && segment.bytes().all(plain)
}

/// Whether it can be the id or the name of a container or of an exec.
pub(super) fn is_id(segment: &str) -> bool {
    segment.len() <= 128 && !segment.contains([':', '@']) && !segment.starts_with('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_are_written_as_they_came() {
        for (path, minor, count) in [
            ("/_ping", None, 1),
            ("/v1.41/containers/json", Some(41), 2),
            ("/containers/web.0.1/json", None, 3),
            ("/images/registry.lan:5000/a/b@sha256:00ff/json", None, 5),
        ] {
            let parsed = Path::parse(path).unwrap();
            assert_eq!((parsed.minor, parsed.segments.len()), (minor, count), "{path}");
            assert_eq!(parsed.write(), path);
        }
    }

    #[test]
    fn tricks_are_refused() {
        for path in [
            "",
            "/",
            "*",
            "x",
            "//info",
            "/info/",
            "/containers//json",
            "/./info",
            "/containers/../info",
            "/..",
            "/containers/.hidden/json",
            "/containers/a%2fb/json",
            "/containers/%61/json",
            "/info%00",
            "/inf o",
            "/info;x=1",
            "/info\\x",
            "/v1.4/info",
            "/v1.23/info",
            "/v1.100/info",
            "/v1.041/info",
            "/v1./info",
            "/v1.+4/info",
            "/v1.41",
            "/é/json",
            "/-x",
        ] {
            let parsed = Path::parse(path);
            let alone = path == "/v1.41" && parsed.as_ref().is_ok_and(|path| path.segments.is_empty());
            assert!(parsed.is_err() || alone, "{path}");
        }
        assert!(Path::parse(&format!("/{}", "a".repeat(LONGEST))).is_err());
    }

    #[test]
    fn ids() {
        assert!(is_id("web.0.1") && is_id("0123abcd"));
        assert!(!is_id("a:b") && !is_id("a@b") && !is_id("_x") && !is_id(&"a".repeat(129)));
    }
}
