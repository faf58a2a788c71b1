//! How it looks what workspaces used.

use super::stats::bytes;
use super::table;
use pierhead_wire::UsageView;

const AMOUNTS: [&str; 4] = ["CPU HOURS", "GB HOURS", "SAVES", "COUNTED UNTIL"];

/// What `course usage` prints: who used most comes first.
pub(crate) fn of_course(all: &[UsageView], width: Option<u16>) -> String {
    let head: Vec<&str> = ["USER", "NAME"].into_iter().chain(AMOUNTS).collect();
    let row = |one: &&UsageView| [one.username.clone(), one.name.clone()].into_iter().chain(amounts(one)).collect();
    table(&head, sorted(all).iter().map(row), width)
}

/// What `account usage` prints.
pub(crate) fn of_all(all: &[UsageView], width: Option<u16>) -> String {
    let head: Vec<&str> = ["USER", "NAME", "COURSE"].into_iter().chain(AMOUNTS).collect();
    let row = |one: &&UsageView| {
        let who = [one.username.clone(), one.name.clone(), one.course.clone().unwrap_or_else(|| "-".to_owned())];
        who.into_iter().chain(amounts(one)).collect()
    };
    table(&head, sorted(all).iter().map(row), width)
}

fn sorted(all: &[UsageView]) -> Vec<&UsageView> {
    let mut sorted: Vec<&UsageView> = all.iter().collect();
    sorted.sort_by(|one, other| {
        other.cpu_hours.total_cmp(&one.cpu_hours).then(other.memory_gb_hours.total_cmp(&one.memory_gb_hours))
    });
    sorted
}

fn amounts(one: &UsageView) -> [String; 4] {
    let until = one.until.clone().unwrap_or_else(|| "-".to_owned());
    [format!("{:.2}", one.cpu_hours), format!("{:.2}", one.memory_gb_hours), bytes(one.save_bytes), until]
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_wire::Example;

    #[test]
    fn who_used_most_comes_first() {
        let clare = UsageView::example();
        let none = UsageView { username: "wu".to_owned(), cpu_hours: 0.0, since: None, until: None, ..clare.clone() };
        let more = UsageView { username: "li".to_owned(), memory_gb_hours: 20.0, course: None, ..clare.clone() };
        let all = [none, clare, more];
        let told = of_course(&all, None);
        let users: Vec<&str> = told.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(users, ["USER", "li", "clare", "wu"]);
        assert!(told.contains("1.25") && told.contains("12.50") && told.contains("48.0 MiB"), "{told}");
        assert!(told.lines().last().unwrap().trim_end().ends_with('-'), "nothing was counted: {told}");
        let told = of_all(&all, None);
        assert!(told.lines().nth(1).unwrap().contains(" - ") && told.contains("cs-101"), "{told}");
    }
}
