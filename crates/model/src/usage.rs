//! What workspaces used, summed up by whose they are and for which course. Written by the leading controller only.

use crate::{CourseId, Timestamp, Username};
use serde::{Deserialize, Serialize};

/// An amount of what hosts give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Used {
    /// CPU time that was really used, in nanoseconds.
    pub cpu_nanos: u64,
    /// Memory that was held, whether it was used or not, in MB times milliseconds.
    pub memory_mb_ms: u64,
}

impl Used {
    /// Whether it is nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpu_nanos: self.cpu_nanos.saturating_add(other.cpu_nanos),
            memory_mb_ms: self.memory_mb_ms.saturating_add(other.memory_mb_ms),
        }
    }

    /// CPU time in hours of one core.
    #[must_use]
    pub fn cpu_hours(self) -> f64 {
        self.cpu_nanos as f64 / 3.6e12
    }

    /// Memory in GB (1,024 MB) times hours.
    #[must_use]
    pub fn memory_gb_hours(self) -> f64 {
        self.memory_mb_ms as f64 / 1_024.0 / 3.6e6
    }
}

/// What somebody's workspaces used for a course, or for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecord {
    /// Whose workspaces.
    pub account: Username,
    /// The course; none for what was no work of a course.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<CourseId>,
    /// How much.
    #[serde(flatten)]
    pub used: Used,
    /// Since when it is counted.
    pub since: Timestamp,
    /// Up to when.
    pub until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_add_up_and_are_told_in_hours() {
        let hour = Used { cpu_nanos: 3_600_000_000_000, memory_mb_ms: 512 * 3_600_000 };
        let both = hour.plus(hour);
        assert!((both.cpu_hours() - 2.0).abs() < 1e-12 && (both.memory_gb_hours() - 1.0).abs() < 1e-12);
        assert!(Used::default().is_nothing() && !hour.is_nothing());
        let most = Used { cpu_nanos: u64::MAX, memory_mb_ms: u64::MAX };
        assert_eq!(most.plus(hour), most, "it never begins anew");
    }

    #[test]
    fn records_are_flat_and_come_back() {
        let text = r#"{"account":"li","course":"cs-101","cpu_nanos":5,"memory_mb_ms":7,"since":1,"until":9}"#;
        let record: UsageRecord = serde_json::from_str(text).unwrap();
        assert_eq!((record.used.cpu_nanos, record.until), (5, Timestamp(9)));
        assert_eq!(serde_json::to_string(&record).unwrap(), text);
        let none: UsageRecord = serde_json::from_str(&text.replace(r#""course":"cs-101","#, "")).unwrap();
        assert_eq!(none.course, None);
    }
}
