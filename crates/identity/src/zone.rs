//! Time zones: which there are, and what moment a time on a wall is. The list of zones is in the program: hosts need none.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use pierhead_model::{Timestamp, Zone};

/// Whether there is a time zone of that name.
#[must_use]
pub fn is_zone(zone: &Zone) -> bool {
    TimeZone::get(zone.as_str()).is_ok()
}

/// The moment that is meant by a text: RFC 3339 with an offset, or the date and time in a zone (`2026-12-01T18:00`). Of a
/// time that there is twice the earlier one is meant, of one that is skipped that by which clocks were put on.
#[must_use]
pub fn local_moment(text: &str, zone: &Zone) -> Option<Timestamp> {
    let at = match text.parse::<jiff::Timestamp>() {
        Ok(moment) => moment,
        Err(_) => text.parse::<DateTime>().ok()?.to_zoned(TimeZone::get(zone.as_str()).ok()?).ok()?.timestamp(),
    };
    u64::try_from(at.as_millisecond()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn zones_are_known_without_a_list_on_the_host() {
        for good in ["UTC", "Asia/Shanghai", "Europe/Vienna", "America/New_York"] {
            assert!(is_zone(&zone(good)), "{good}");
        }
        for bad in ["Asia/Atlantis", "Local", "posixrules/x"] {
            assert!(!is_zone(&zone(bad)), "{bad}");
        }
    }

    #[test]
    fn a_time_on_the_wall_is_a_moment_of_its_zone() {
        let at = |text, name| local_moment(text, &zone(name));
        let utc = at("2026-12-01T10:00:00Z", "UTC");
        assert!(utc.is_some());
        assert_eq!(at("2026-12-01T18:00", "Asia/Shanghai"), utc);
        assert_eq!(at("2026-12-01T18:00:00+08:00", "UTC"), utc);
        // Clocks are put on from 2 to 3, and back from 3 to 2.
        assert_eq!(at("2026-03-29T02:30", "Europe/Vienna"), at("2026-03-29T01:30:00Z", "UTC"));
        assert_eq!(at("2026-10-25T02:30", "Europe/Vienna"), at("2026-10-25T00:30:00Z", "UTC"));
        for bad in ["", "tomorrow", "2026-13-01T00:00", "1960-01-01T00:00:00Z"] {
            assert_eq!(at(bad, "UTC"), None, "{bad}");
        }
        assert_eq!(at("2026-12-01T18:00", "Asia/Atlantis"), None);
    }
}
