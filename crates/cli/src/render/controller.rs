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
            controller.lag.map_or_else(|| "no answer".to_owned(), |lag| format!("{lag} ms")),
        ]
    };
    table(&["URL", "LEADS", "SINCE", "LAG"], controllers.iter().map(row), width)
}
