//! Deadlines: what moment is meant by a time on a wall, in favour of whom it binds, and how clocks show a moment.

use jiff::civil::DateTime;
use jiff::tz::{Disambiguation, TimeZone};
use pierhead_model::{Timestamp, Zone};

/// The moment by which something is due: RFC 3339 with an offset, or the date and time in a zone (`2026-12-01T18:00`). Of a
/// time that there is twice, as clocks are put back, the later one is meant, and of one that is skipped that by which
/// clocks were put on: nobody has less time than they read.
#[must_use]
pub fn deadline_moment(text: &str, zone: &Zone) -> Option<Timestamp> {
    let at = match text.parse::<jiff::Timestamp>() {
        Ok(moment) => moment,
        Err(_) => {
            let wall = text.parse::<DateTime>().ok()?;
            let zone = TimeZone::get(zone.as_str()).ok()?;
            zone.into_ambiguous_zoned(wall).disambiguate(Disambiguation::Later).ok()?.timestamp()
        }
    };
    u64::try_from(at.as_millisecond()).ok().map(Timestamp)
}

/// How clocks in a zone show a moment, with the offset that they have then (`2026-12-01T18:00:00+08:00`); in UTC if there is
/// no such zone any more.
#[must_use]
pub fn wall_time(at: Timestamp, zone: &Zone) -> String {
    let zone = TimeZone::get(zone.as_str()).unwrap_or(TimeZone::UTC);
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    let offset = zone.to_offset(moment);
    moment.display_with_offset(offset).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        deadline_moment(text, &zone("UTC")).unwrap()
    }

    #[test]
    fn a_deadline_is_of_its_zone_wherever_the_server_is() {
        let shanghai = deadline_moment("2026-12-01T18:00", &zone("Asia/Shanghai")).unwrap();
        assert_eq!(shanghai, at("2026-12-01T10:00:00Z"));
        assert_eq!(wall_time(shanghai, &zone("Asia/Shanghai")), "2026-12-01T18:00:00+08:00");
        assert_eq!(wall_time(shanghai, &zone("America/New_York")), "2026-12-01T05:00:00-05:00");
        assert_eq!(wall_time(shanghai, &zone("Asia/Kathmandu")), "2026-12-01T15:45:00+05:45");
        for bad in ["", "soon", "2026-02-30T10:00", "1960-01-01T00:00"] {
            assert_eq!(deadline_moment(bad, &zone("UTC")), None, "{bad}");
        }
        assert_eq!(deadline_moment("2026-12-01T18:00", &zone("Asia/Atlantis")), None);
    }

    #[test]
    fn nobody_has_less_time_than_they_read() {
        let vienna = |text| deadline_moment(text, &zone("Europe/Vienna")).unwrap();
        // Clocks are put back from 3 to 2: the second half past two is meant.
        assert_eq!(vienna("2026-10-25T02:30"), at("2026-10-25T01:30:00Z"));
        // They are put on from 2 to 3: there is no half past two.
        assert_eq!(vienna("2026-03-29T02:30"), at("2026-03-29T01:30:00Z"));
        assert_eq!(wall_time(vienna("2026-03-29T02:30"), &zone("Europe/Vienna")), "2026-03-29T03:30:00+02:00");
    }

    #[test]
    fn absurd_moments_are_shown_too() {
        assert!(wall_time(Timestamp(u64::MAX), &zone("Asia/Shanghai")).starts_with("9999-"));
        assert_eq!(wall_time(Timestamp(0), &zone("Mars/Olympus")), "1970-01-01T00:00:00+00:00");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_was_set(
            days in 0..20_000_i64, minute in 0..1_440_i64,
            name in prop::sample::select(vec!["UTC", "Asia/Shanghai", "Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe"]),
        ) {
            let zone = zone(name);
            let wall = DateTime::constant(1990, 1, 1, 0, 0, 0, 0);
            let span = jiff::Span::new().days(days).minutes(minute);
            let wall = wall.checked_add(span).unwrap();
            let text = wall.to_string();
            let moment = deadline_moment(&text, &zone).unwrap();
            let shown = wall_time(moment, &zone);
            let (shown_wall, _) = shown.split_at(16);
            // Either exactly what was written, or, of a time that was skipped, at most an hour later.
            let shown_wall: DateTime = shown_wall.parse().unwrap();
            let later = wall.until(shown_wall).unwrap().total(jiff::Unit::Minute).unwrap();
            prop_assert!((0.0..=60.0).contains(&later), "{} became {}", text, shown);
            // And no later moment is shown the same.
            let hour_later = wall_time(moment.plus(3_600_000), &zone);
            prop_assert_ne!(&hour_later[..16], &shown[..16]);
        }
    }
}
