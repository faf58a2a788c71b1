//! Cookies on their way through: ours stay here, theirs count for their own host only.

use hyper::HeaderMap;
use hyper::header::{COOKIE, HeaderValue, SET_COOKIE};

/// The values of a cookie in a request, empty ones left out.
pub(crate) fn of<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = String> + 'a {
    pairs(headers).filter_map(move |pair| {
        let (found, value) = split(pair)?;
        let value = std::str::from_utf8(value).ok().filter(|value| !value.is_empty())?;
        (found == name.as_bytes()).then(|| value.to_owned())
    })
}

/// Leaves out the cookies of a request that bear these names, or one of them and more behind a `-`.
pub(crate) fn hide(headers: &mut HeaderMap, names: &[String]) {
    if !headers.contains_key(COOKIE) {
        return;
    }
    let kept: Vec<&[u8]> = pairs(headers).filter(|pair| !pair.is_empty() && !is_hidden(pair, names)).collect();
    let kept = HeaderValue::from_bytes(&kept.join(&b"; "[..]));
    headers.remove(COOKIE);
    if let Some(kept) = kept.ok().filter(|kept| !kept.is_empty()) {
        headers.insert(COOKIE, kept);
    }
}

/// Lets an answer set cookies of its own host only, and none of these names.
pub(crate) fn confine(headers: &mut HeaderMap, names: &[String]) {
    if !headers.contains_key(SET_COOKIE) {
        return;
    }
    let all = headers.get_all(SET_COOKIE).iter();
    let kept: Vec<HeaderValue> = all.filter_map(|cookie| confined(cookie.as_bytes(), names)).collect();
    headers.remove(SET_COOKIE);
    for cookie in kept {
        headers.append(SET_COOKIE, cookie);
    }
}

fn confined(cookie: &[u8], names: &[String]) -> Option<HeaderValue> {
    let mut parts = cookie.split(|byte| *byte == b';');
    let pair = parts.next()?;
    // Browsers send back one without a name as nothing but its value, which might then be read as a pair.
    let (name, _) = split(pair)?;
    if name.is_empty() || is_hidden(pair, names) {
        return None;
    }
    let is_domain = |part: &[u8]| {
        let name = part.split(|byte| *byte == b'=').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"domain")
    };
    let kept: Vec<&[u8]> = std::iter::once(pair).chain(parts.filter(|part| !is_domain(part))).collect();
    HeaderValue::from_bytes(&kept.join(&b';')).ok()
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    lines.flat_map(|line| line.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii)
}

fn split(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    Some((pair[..at].trim_ascii(), pair[at + 1..].trim_ascii()))
}

/// Whether a pair bears one of these names. One without a name may be taken for one with it.
fn is_hidden(pair: &[u8], names: &[String]) -> bool {
    let pair = pair.trim_ascii();
    let pair = pair.strip_prefix(b"=").unwrap_or(pair);
    let name = split(pair).map_or(pair, |(name, _)| name);
    names.iter().any(|hidden| {
        let (begin, rest) = name.split_at(hidden.len().min(name.len()));
        begin.eq_ignore_ascii_case(hidden.as_bytes()) && (rest.is_empty() || rest.starts_with(b"-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        vec!["pierhead".to_owned(), "__Host-pierhead".to_owned()]
    }

    fn hidden(lines: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        hide(&mut headers, &names());
        assert!(headers.get_all(COOKIE).iter().count() <= 1);
        headers.get(COOKIE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    #[test]
    fn ours_are_left_out_wherever_they_stand() {
        for (lines, kept) in [
            (&[&b"a=1; pierhead=secret; b=2"[..]][..], Some("a=1; b=2")),
            (&[b"pierhead=secret"], None),
            (&[b"PierHead=secret; a=1"], Some("a=1")),
            (&[b"pierhead-preview=secret;a=1;;"], Some("a=1")),
            (&[b"__Host-pierhead=s; __Host-pierhead-preview=s; __Host-own=1"], Some("__Host-own=1")),
            (&[b"a=1", b"pierhead=secret", b"b=2"], Some("a=1; b=2")),
            (&[b"=pierhead=secret; pierhead; a=1"], Some("a=1")),
            (&[b" pierhead\t=secret; a=1"], Some("a=1")),
            (&[b"pierheads=1; mypierhead=2; a=pierhead=3"], Some("pierheads=1; mypierhead=2; a=pierhead=3")),
            (&[b"a=\xff; pierhead=secret"], Some("a=\u{fffd}")),
            (&[], None),
        ] {
            assert_eq!(hidden(lines).as_deref(), kept, "{lines:?}");
        }
    }

    fn set(line: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, line.parse().unwrap());
        confine(&mut headers, &names());
        headers.get(SET_COOKIE).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn theirs_are_for_their_own_host_and_never_in_place_of_ours() {
        for (line, kept) in [
            ("a=1", Some("a=1")),
            ("a=1; Path=/; HttpOnly", Some("a=1; Path=/; HttpOnly")),
            ("a=1; Domain=localhost; Path=/", Some("a=1; Path=/")),
            ("a=1;domain=.preview.example", Some("a=1")),
            ("a=1; DOMAIN = x; Secure; domain", Some("a=1; Secure")),
            ("a=domain=1", Some("a=domain=1")),
            ("domain=1", Some("domain=1")),
            ("pierhead-preview=x; Path=/", None),
            ("pierhead=x", None),
            ("__host-PIERHEAD=x", None),
            ("=pierhead=x", None),
            ("=x", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(set(line).as_deref(), kept, "{line}");
        }
        let mut two = HeaderMap::new();
        two.append(SET_COOKIE, "a=1; Domain=x".parse().unwrap());
        two.append(SET_COOKIE, "b=2".parse().unwrap());
        confine(&mut two, &names());
        assert_eq!(two.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = HeaderMap::from_iter([(COOKIE, "xa=0; a=1; a=; ab=2; a = 3".parse().unwrap())]);
        assert_eq!(of(&headers, "a").collect::<Vec<_>>(), ["1", "3"]);
    }
}
