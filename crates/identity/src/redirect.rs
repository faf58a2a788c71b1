//! Links with which a school's site sends somebody here, logged in: signed with a key that both have, good once and for a
//! short time. Here it is read and judged what a link says; that it was used, and whether somebody may log in so, others know.
//!
//! What is signed is the query as it was sent, up to the signature: nobody has to put anything in order.

use pierhead_model::{CourseId, LabId, Timestamp, Username};
use ring::hmac;
use std::fmt;

/// The last parameter: the signature, 64 hexadecimal digits.
pub const SIGNATURE: &str = "sig";
/// How long a link is good, in seconds.
const LIFE_SECONDS: u64 = 120;
/// How far the clock of the school's site may be ahead of ours, in seconds.
const SKEW_SECONDS: u64 = 60;
/// The longest query, in bytes.
const LONGEST: usize = 2_000;
/// The shortest key, in characters.
const SHORTEST_KEY: usize = 32;
/// The most keys: the present one and the one before it.
const MOST_KEYS: usize = 2;

/// The keys of links; one is enough, two while it is changed.
#[derive(Clone)]
pub struct RedirectKeys(Vec<hmac::Key>);

impl fmt::Debug for RedirectKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedirectKeys").finish_non_exhaustive()
    }
}

/// A text that holds no keys; it is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must hold one key or two, each in a line of its own, of at least {SHORTEST_KEY} visible ASCII characters")]
pub struct KeyError;

/// What a link says whose signature is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectLink {
    /// Who.
    pub username: Username,
    /// The course that they come for.
    pub course: Option<CourseId>,
    /// The lab that they come for.
    pub lab: Option<LabId>,
    /// Tells this link from all others.
    pub nonce: String,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// Why a link is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectError {
    /// It lacks something, or something in it has not the accepted form.
    Malformed(&'static str),
    /// It was signed with another key, or changed on the way.
    Forged,
    /// It was made too long ago, by so many seconds.
    Expired(u64),
    /// It was made in the future, by so many seconds: a clock is wrong.
    Early(u64),
}

impl RedirectKeys {
    /// Reads a file of keys.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let is_key = |line: &&str| line.len() >= SHORTEST_KEY && line.bytes().all(|byte| byte.is_ascii_graphic());
        if lines.is_empty() || lines.len() > MOST_KEYS || !lines.iter().all(is_key) {
            return Err(KeyError);
        }
        Ok(Self(lines.iter().map(|line| hmac::Key::new(hmac::HMAC_SHA256, line.as_bytes())).collect()))
    }

    /// The signature of a query by the first key: what the school's site computes.
    #[must_use]
    pub fn sign(&self, query: &str) -> String {
        let key = self.0.first().expect("there is a key");
        hmac::sign(key, query.as_bytes()).as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// What a link says, by its query.
    ///
    /// # Errors
    /// [`RedirectError`], if it is not good now. Nothing of a link counts before its signature was checked.
    pub fn check(&self, query: &str, now: Timestamp) -> Result<RedirectLink, RedirectError> {
        use RedirectError::{Early, Expired, Forged, Malformed};
        if query.len() > LONGEST {
            return Err(Malformed("it is too long"));
        }
        let (signed, signature) = query.rsplit_once('&').ok_or(Malformed("it has no signature (sig)"))?;
        let signature =
            signature.strip_prefix("sig=").ok_or(Malformed("its last parameter is not the signature (sig)"))?;
        let signature = bytes_of(signature).ok_or(Malformed("its signature (sig) is not 64 hexadecimal digits"))?;
        if !self.0.iter().any(|key| hmac::verify(key, signed.as_bytes(), &signature).is_ok()) {
            return Err(Forged);
        }
        let said = Said::read(signed)?;
        // In whole seconds, as links have it.
        let now = now.0 / 1_000;
        let (ahead, age) = (said.time.saturating_sub(now), now.saturating_sub(said.time));
        if ahead > SKEW_SECONDS {
            return Err(Early(ahead));
        }
        if age > LIFE_SECONDS {
            return Err(Expired(age));
        }
        let expires_at = Timestamp(said.time.saturating_add(LIFE_SECONDS + 1).saturating_mul(1_000));
        let Said { username, course, lab, nonce, .. } = said;
        Ok(RedirectLink { username, course, lab, nonce, expires_at })
    }
}

struct Said {
    username: Username,
    course: Option<CourseId>,
    lab: Option<LabId>,
    nonce: String,
    time: u64,
}

impl Said {
    fn read(query: &str) -> Result<Self, RedirectError> {
        use RedirectError::Malformed;
        let (mut user, mut course, mut lab, mut nonce, mut time) = (None, None, None, None, None);
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').ok_or(Malformed("a parameter has no value"))?;
            let place = match name {
                "user" => &mut user,
                "course" => &mut course,
                "lab" => &mut lab,
                "nonce" => &mut nonce,
                "time" => &mut time,
                _ => return Err(Malformed("it has a parameter that is not user, course, lab, time or nonce")),
            };
            if place.replace(value).is_some() {
                return Err(Malformed("a parameter is given twice"));
            }
        }
        // None of these holds a character that has to be escaped.
        let nonce = nonce.filter(|nonce| (16..=64).contains(&nonce.len()) && nonce.bytes().all(is_plain));
        let time = time.filter(|time| time.len() <= 12).and_then(|time| time.parse::<u64>().ok());
        let username = user.and_then(|user| Username::parse(user).ok());
        Ok(Self {
            username: username.ok_or(Malformed("user is not the name of an account"))?,
            course: course
                .map(CourseId::parse)
                .transpose()
                .map_err(|_| Malformed("course is not the id of a course"))?,
            lab: lab.map(LabId::parse).transpose().map_err(|_| Malformed("lab is not the name of a lab"))?,
            nonce: nonce.ok_or(Malformed("nonce is not 16 to 64 letters, digits, '-' and '_'"))?.to_owned(),
            time: time.ok_or(Malformed("time is not the time in whole seconds since 1970"))?,
        })
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let is_whole = hexadecimal.len() == 64 && hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = |at: usize| u8::from_str_radix(hexadecimal.get(at..at + 2)?, 16).ok();
    (0..64).step_by(2).map(byte).collect::<Option<Vec<u8>>>().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const NOW: Timestamp = Timestamp(1_795_299_006_120);

    fn keys() -> RedirectKeys {
        RedirectKeys::parse(KEY).unwrap()
    }

    fn check(query: &str) -> Result<RedirectLink, RedirectError> {
        let signed = format!("{query}&sig={}", keys().sign(query));
        keys().check(&signed, NOW)
    }

    const GOOD: &str = "user=li&course=cs-101&lab=mysql&time=1795299000&nonce=0123456789abcdef";

    #[test]
    fn a_link_says_who_comes_for_what() {
        let link = check(GOOD).unwrap();
        assert_eq!((link.username.as_str(), link.nonce.as_str()), ("li", "0123456789abcdef"));
        assert_eq!((link.course.unwrap().as_str(), link.lab.unwrap().as_str()), ("cs-101", "mysql"));
        assert_eq!(link.expires_at, Timestamp(1_795_299_121_000));
        assert!(check("nonce=0123456789abcdef&time=1795299000&user=li").unwrap().course.is_none());
    }

    #[test]
    fn signatures_are_those_that_other_languages_compute() {
        // hmac.new(key, query, hashlib.sha256).hexdigest()
        let signature = "af8b89400b1f2142a4e51d3562d23e94dd8ec8754e34133a14fa2018cf60ae34";
        assert_eq!(keys().sign(GOOD), signature);
    }

    #[test]
    fn whatever_is_changed_is_forged() {
        let good = format!("{GOOD}&sig={}", keys().sign(GOOD));
        assert!(keys().check(&good, NOW).is_ok());
        for (from, to) in [
            ("user=li", "user=root"),
            ("cs-101", "cs-102"),
            ("mysql", "other"),
            ("9000&", "9001&"),
            ("nonce=0", "nonce=1"),
        ] {
            assert_eq!(keys().check(&good.replacen(from, to, 1), NOW), Err(RedirectError::Forged), "{from}");
        }
        let other = RedirectKeys::parse(&"x".repeat(40)).unwrap();
        assert_eq!(other.check(&good, NOW), Err(RedirectError::Forged));
        let both = RedirectKeys::parse(&format!("{}\n{KEY}\n", "x".repeat(40))).unwrap();
        assert!(both.check(&good, NOW).is_ok(), "the key before counts while it is there");
        assert!(both.check(&format!("{GOOD}&sig={}", keys().sign(GOOD).to_uppercase()), NOW).is_ok());
    }

    #[test]
    fn a_link_is_good_for_two_minutes_of_either_clock() {
        let at = |seconds: u64| check(&GOOD.replace("1795299000", &seconds.to_string())).map(drop);
        assert_eq!(at(1_795_299_006 - 120), Ok(()));
        assert_eq!(at(1_795_299_006 - 121), Err(RedirectError::Expired(121)));
        assert_eq!(at(1_795_299_006 + 60), Ok(()));
        assert_eq!(at(1_795_299_006 + 61), Err(RedirectError::Early(61)));
        assert_eq!(at(0), Err(RedirectError::Expired(1_795_299_006)));
        assert!(matches!(at(999_999_999_999), Err(RedirectError::Early(_))), "nothing overflows");
    }

    #[test]
    fn what_is_malformed_is_told_after_the_signature_was_good() {
        for (query, told) in [
            ("user=li&time=1795299000", "nonce"),
            ("user=li&time=1795299000&nonce=short", "nonce"),
            ("time=1795299000&nonce=0123456789abcdef", "user"),
            ("user=li%20x&time=1795299000&nonce=0123456789abcdef", "user"),
            ("user=li&user=wu&time=1795299000&nonce=0123456789abcdef", "twice"),
            ("user=li&time=now&nonce=0123456789abcdef", "time"),
            ("user=li&role=admin&time=1795299000&nonce=0123456789abcdef", "parameter that is not"),
            ("user=li&lab=A B&time=1795299000&nonce=0123456789abcdef", "lab"),
            ("user", "no value"),
        ] {
            let Err(RedirectError::Malformed(what)) = check(query) else { panic!("{query}") };
            assert!(what.contains(told), "{query}: {what}");
        }
        for unsigned in ["", "user=li", "user=li&sig=", "user=li&sig=zz", "sig=00", &"x".repeat(3_000)] {
            assert!(matches!(keys().check(unsigned, NOW), Err(RedirectError::Malformed(_))), "{unsigned}");
        }
    }

    #[test]
    fn keys_are_long_and_few_and_never_shown() {
        for bad in ["", "short", &"ü".repeat(40), &format!("{KEY}\n{KEY}\n{KEY}")] {
            assert_eq!(RedirectKeys::parse(bad).unwrap_err(), KeyError, "{bad}");
        }
        assert!(!format!("{:?}", keys()).contains("0123"));
    }
}
