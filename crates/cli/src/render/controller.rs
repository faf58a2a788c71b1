//! How controllers look.

use super::{age, table};
use pierhead_model::Timestamp;
use pierhead_wire::ControllerView;

/// What `controller ls` prints.
pub(crate) fn list(controllers: &[ControllerView], now: Timestamp, width: Option<u16>) -> String {
    let row = |controller: &ControllerView| {
        vec![
            controller.url.clone(),
            if controller.leader { "yes" } else { "no" }.to_owned(),
            age(&controller.since, now),
            match (controller.stale, controller.lag) {
                (Some(seconds), _) => format!("stale for {seconds} s"),
                (None, Some(lag)) => format!("{lag} ms"),
                (None, None) => "no answer".to_owned(),
            },
        ]
    };
    table(&["URL", "LEADS", "SINCE", "LAG"], controllers.iter().map(row), width)
}
