//! Moments in queries, in one of the forms that Docker takes too: themselves, seconds since 1970, or how long ago.

use crate::ApiError;
use pierhead_model::Timestamp;
use pierhead_wire::parse_timestamp;

/// The forms, for people.
pub(super) const FORMS: &str =
    "a moment such as 2026-11-21T22:10:06Z, seconds since 1970, or how long ago (10m, 1h30m)";

/// The moment of a field, if it is given.
pub(super) fn moment(field: &'static str, text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    read(text, now).map(Some).ok_or_else(|| ApiError::field(field, format!("{field} must be {FORMS}")))
}

/// What a text says, if it has one of the forms.
pub(super) fn read(text: &str, now: Timestamp) -> Option<Timestamp> {
    parse_timestamp(text).or_else(|| seconds(text)).or_else(|| ago(text, now))
}

fn seconds(text: &str) -> Option<Timestamp> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = text.parse().ok().filter(|_| is_plain)?;
    (seconds < 1e11).then(|| Timestamp((seconds * 1000.0).round() as u64))
}

fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (mut rest, mut millis) = (text, 0u64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        rest = &rest[letters..];
        millis = count.checked_mul(unit).and_then(|more| millis.checked_add(more))?;
    }
    Some(Timestamp(now.0.saturating_sub(millis)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(10_000_000);

    #[test]
    fn moments_have_several_forms() {
        for (text, expected) in [
            ("1970-01-01T00:00:05Z", 5_000),
            ("1970-01-01T01:00:05.25+01:00", 5_250),
            ("5", 5_000),
            ("5.25", 5_250),
            ("10m", 9_400_000),
            ("1h30m5s", 4_595_000),
            ("250ms", 9_999_750),
            ("900d", 0),
        ] {
            assert_eq!(moment("since", Some(text), NOW), Ok(Some(Timestamp(expected))), "{text}");
        }
        assert_eq!(moment("since", Some(""), NOW), Ok(None));
        for bad in ["yesterday", "-5", "1e3", "5 m", "m", "10x", "1m2", "nan", "inf", "9999999999999999999999s", "ü"] {
            let refused = moment("since", Some(bad), NOW).unwrap_err();
            assert_eq!((refused.status.as_u16(), refused.body.field.as_deref()), (400, Some("since")), "{bad}");
        }
    }
}
