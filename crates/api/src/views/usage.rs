//! What workspaces used, as it is told.

use pierhead_controller::UsageNow;
use pierhead_lab::grading::{Cell, CsvTable};
use pierhead_model::Username;
use pierhead_wire::{UsageView, format_timestamp};
use std::collections::HashMap;

/// What somebody's workspaces used, with what they are called.
pub(crate) fn usage(usage: &UsageNow, called: &HashMap<Username, String>) -> UsageView {
    UsageView {
        username: usage.account.to_string(),
        name: called.get(&usage.account).cloned().unwrap_or_default(),
        course: usage.course.as_ref().map(ToString::to_string),
        cpu_hours: usage.used.cpu_hours(),
        memory_gb_hours: usage.used.memory_gb_hours(),
        save_bytes: usage.save_bytes,
        since: usage.counted.map(|(since, _)| format_timestamp(since)),
        until: usage.counted.map(|(_, until)| format_timestamp(until)),
    }
}

/// The same of many as a table for other programs.
pub(crate) fn usage_csv(all: &[UsageView]) -> String {
    let mut table = CsvTable::default();
    let head = ["username", "name", "course", "cpu_hours", "memory_gb_hours", "save_bytes", "since", "until"];
    table.row(head.map(Cell::text));
    let text = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::text(text) };
    for one in all {
        let or_empty = |moment: &Option<String>| moment.as_deref().map_or(Cell::Empty, Cell::text);
        table.row([
            Cell::text(&one.username),
            text(&one.name),
            or_empty(&one.course),
            Cell::Number(format!("{:.6}", one.cpu_hours)),
            Cell::Number(format!("{:.6}", one.memory_gb_hours)),
            Cell::Number(one.save_bytes.to_string()),
            or_empty(&one.since),
            or_empty(&one.until),
        ]);
    }
    table.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::{CourseId, Timestamp, Used};

    #[test]
    fn amounts_are_told_in_hours_and_a_table_has_a_row_for_each() {
        let li = Username::parse("li").unwrap();
        let used = Used { cpu_nanos: 1_800_000_000_000, memory_mb_ms: 2_048 * 3_600_000 };
        let (course, counted) = (CourseId::parse("cs").ok(), Some((Timestamp(0), Timestamp(60_000))));
        let one = UsageNow { account: li.clone(), course, used, save_bytes: 7, counted };
        let none = UsageNow { course: None, used: Used::default(), save_bytes: 0, counted: None, ..one.clone() };
        let called = HashMap::from([(li, "=Li, Na".to_owned())]);
        let told = [usage(&one, &called), usage(&none, &HashMap::new())];
        assert_eq!((told[0].cpu_hours, told[0].memory_gb_hours, told[0].name.as_str()), (0.5, 2.0, "=Li, Na"));
        assert_eq!((told[1].since.as_ref(), told[1].name.as_str()), (None, ""));
        let text = usage_csv(&told);
        let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
        assert_eq!(lines[0], "username,name,course,cpu_hours,memory_gb_hours,save_bytes,since,until");
        let moments = "1970-01-01T00:00:00.000Z,1970-01-01T00:01:00.000Z";
        assert_eq!(lines[1], format!("li,\"'=Li, Na\",cs,0.500000,2.000000,7,{moments}"), "no formula");
        assert_eq!(lines[2], "li,,,0.000000,0.000000,0,,");
    }
}
