//! How the answers of an engine add up to its health. Pure.

use pierhead_model::{Health, HealthStatus, Timestamp};

/// The health after a probe: one failure makes a healthy engine suspect, a second in a row makes it down.
pub(crate) fn after_probe(health: &Health, probe: Result<u64, String>, now: Timestamp) -> Health {
    let (status, response_time_ms, reason) = match probe {
        Ok(milliseconds) => (HealthStatus::Healthy, milliseconds, String::new()),
        Err(reason) => {
            let status = match health.status {
                HealthStatus::Healthy => HealthStatus::Suspect,
                HealthStatus::Pending | HealthStatus::Suspect | HealthStatus::Down => HealthStatus::Down,
            };
            (status, health.response_time_ms, reason)
        }
    };
    let since = if status == health.status { health.since } else { now };
    Health { status, response_time_ms, reason, since }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(health: &Health, ok: bool, now: u64) -> Health {
        after_probe(health, if ok { Ok(2) } else { Err("connection refused".to_owned()) }, Timestamp(now))
    }

    #[test]
    fn one_failure_is_tried_once_more_before_the_engine_is_down() {
        let healthy = probe(&Health::default(), true, 1);
        assert_eq!((healthy.status, healthy.since), (HealthStatus::Healthy, Timestamp(1)));
        let suspect = probe(&healthy, false, 2);
        assert_eq!((suspect.status, suspect.reason.as_str()), (HealthStatus::Suspect, "connection refused"));
        assert_eq!(probe(&suspect, true, 3).status, HealthStatus::Healthy);
        let down = probe(&suspect, false, 3);
        assert_eq!((down.status, down.since), (HealthStatus::Down, Timestamp(3)));
        assert_eq!(probe(&down, false, 9).since, Timestamp(3), "it is down since it went down");
        let back = probe(&down, true, 10);
        assert_eq!((back.status, back.reason.as_str()), (HealthStatus::Healthy, ""));
    }

    #[test]
    fn an_engine_that_never_answered_is_down_at_once() {
        assert_eq!(probe(&Health::default(), false, 1).status, HealthStatus::Down);
    }
}
