//! Examples of what workspaces used.

use super::{Example, MOMENT};
use crate::UsageView;

impl Example for UsageView {
    fn example() -> Self {
        Self {
            username: "clare".to_owned(),
            name: "Clare Li".to_owned(),
            course: Some("cs-101".to_owned()),
            cpu_hours: 1.25,
            memory_gb_hours: 12.5,
            save_bytes: 48 << 20,
            since: Some("2026-09-01T08:00:00.000Z".to_owned()),
            until: Some(MOMENT.to_owned()),
        }
    }
}
