//! Moments as text: RFC 3339 in UTC with three decimals.

use pierhead_model::Timestamp;

/// `2026-11-21T22:10:06.123Z`.
#[must_use]
pub fn format_timestamp(at: Timestamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    format!("{moment:.3}")
}

/// Parses what [`format_timestamp`] writes, and RFC 3339 with any offset.
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(moment.as_millisecond()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_decimals_and_a_z() {
        assert_eq!(format_timestamp(Timestamp(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(format_timestamp(Timestamp(1_795_299_006_120)), "2026-11-21T22:10:06.120Z");
        assert_eq!(parse_timestamp("2026-11-21T23:10:06.12+01:00"), Some(Timestamp(1_795_299_006_120)));
        assert_eq!(parse_timestamp("yesterday"), None);
    }

    #[test]
    fn absurd_moments_do_not_panic() {
        assert!(format_timestamp(Timestamp(u64::MAX)).ends_with('Z'));
    }
}
